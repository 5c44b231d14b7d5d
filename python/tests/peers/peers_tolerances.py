"""How far apart two implementations with the same weights may be."""

#: Relative, of a Fréchet distance: both networks compute in f32, and the distance is a difference of large sums.
FID_TOLERANCE = 5e-5
#: Absolute, of kernel distances, which torchmetrics sums in f32.
KID_TOLERANCE = 1e-5
#: Absolute, of Inception Scores.
IS_TOLERANCE = 1e-5
