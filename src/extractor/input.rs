//! The images that a network takes.

/// Order of the axes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Batch, channel, row, column: PyTorch.
    #[default]
    Nchw,
    /// Batch, row, column, channel: TensorFlow.
    Nhwc,
}

/// Channels of the images that a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// One: the luma of Pillow's mode `L`, (19595·R + 38470·G + 7471·B + 32768) >> 16, taken before an image is resized. Gray
    /// images keep their levels.
    Gray,
}

impl Channels {
    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Channels::Rgb => 3,
            Channels::Gray => 1,
        }
    }
}

/// Type of the numbers that a network takes, into which those of the images are converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Number {
    /// 32-bit floating point.
    #[default]
    Float32,
    /// 16-bit floating point.
    Float16,
    /// 64-bit floating point.
    Float64,
    /// Bytes: the levels of the resized image, rounded to the nearest, halves to the even one. Nothing is normalised.
    Uint8,
}

impl Number {
    /// Type of the numbers that such a network computes with, as far as its input tells: one that takes bytes makes numbers of
    /// 32 bits of them.
    pub fn precision(self) -> &'static str {
        match self {
            Number::Float32 | Number::Uint8 => "float32",
            Number::Float16 => "float16",
            Number::Float64 => "float64",
        }
    }
}

/// Per-channel normalisation `(x − mean)/std` of values on the 0–255 scale, red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Normalization {
    /// Subtracted.
    pub mean: [f32; 3],
    /// Divided by.
    pub std: [f32; 3],
}

impl Normalization {
    /// The same for all channels.
    pub const fn uniform(mean: f32, std: f32) -> Self {
        Self { mean: [mean; 3], std: [std; 3] }
    }
}

/// The images that a network takes.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct InputSpec {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Order of the axes.
    pub layout: Layout,
    /// What becomes of the values.
    pub normalization: Normalization,
    /// Channels.
    pub channels: Channels,
    /// Type of the values.
    pub number: Number,
}

impl InputSpec {
    /// Values of one image.
    pub fn values_per_image(&self) -> usize {
        self.channels.count() * self.width as usize * self.height as usize
    }

    /// Shape of a batch of `n` images.
    pub fn shape(&self, n: usize) -> [usize; 4] {
        let (channels, height, width) = (self.channels.count(), self.height as usize, self.width as usize);
        match self.layout {
            Layout::Nchw => [n, channels, height, width],
            Layout::Nhwc => [n, height, width, channels],
        }
    }

    /// Normalises one resized image, planar (channel, row, column) on the 0–255 scale, into its place in a batch. Of a gray image,
    /// whose three channels are equal, the first is taken.
    ///
    /// # Panics
    /// When `planar` is not of three channels, or `into` not of [`Self::values_per_image`] values.
    pub fn prepare(&self, planar: &[f32], into: &mut [f32]) {
        let plane = self.width as usize * self.height as usize;
        let channels = self.channels.count();
        assert_eq!((planar.len(), into.len()), (3 * plane, channels * plane), "one image at a time");
        for (channel, values) in planar.chunks_exact(plane).take(channels).enumerate() {
            let (mean, std) = (self.normalization.mean[channel], self.normalization.std[channel]);
            let normalised = values.iter().map(|value| match self.number {
                Number::Uint8 => value.round_ties_even().clamp(0.0, 255.0),
                _ => (value - mean) / std,
            });
            match self.layout {
                Layout::Nchw => {
                    into[channel * plane..][..plane].iter_mut().zip(normalised).for_each(|(to, value)| *to = value);
                }
                Layout::Nhwc => {
                    into[channel..].iter_mut().step_by(channels).zip(normalised).for_each(|(to, value)| *to = value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(layout: Layout) -> InputSpec {
        let normalization = Normalization { mean: [0.0, 1.0, 2.0], std: [1.0, 2.0, 4.0] };
        InputSpec { width: 2, height: 1, layout, normalization, channels: Channels::Rgb, number: Number::Float32 }
    }

    #[test]
    fn gray_images_have_one_channel_and_bytes_are_rounded_and_not_normalised() {
        let planar = [10.0, 20.0, 31.0, 41.0, 52.0, 62.0];
        for layout in [Layout::Nchw, Layout::Nhwc] {
            let gray = InputSpec { channels: Channels::Gray, ..spec(layout) };
            let mut one = [0.0; 2];
            gray.prepare(&planar, &mut one);
            assert_eq!((one, gray.values_per_image()), ([10.0, 20.0], 2));
        }
        assert_eq!(InputSpec { channels: Channels::Gray, ..spec(Layout::Nhwc) }.shape(5), [5, 1, 2, 1]);
        let bytes = InputSpec { number: Number::Uint8, ..spec(Layout::Nchw) };
        let mut batch = [0.0; 6];
        bytes.prepare(&[0.5, 1.5, -0.4, 255.4, 2.4, 300.0], &mut batch);
        assert_eq!(batch, [0.0, 2.0, 0.0, 255.0, 2.0, 255.0]);
    }

    #[test]
    fn prepares_both_layouts() {
        let planar = [10.0, 20.0, 31.0, 41.0, 52.0, 62.0];
        let mut batch = [0.0; 6];
        spec(Layout::Nchw).prepare(&planar, &mut batch);
        assert_eq!(batch, [10.0, 20.0, 15.0, 20.0, 12.5, 15.0]);
        spec(Layout::Nhwc).prepare(&planar, &mut batch);
        assert_eq!(batch, [10.0, 15.0, 12.5, 20.0, 20.0, 15.0]);
        assert_eq!(spec(Layout::Nchw).shape(5), [5, 3, 1, 2]);
        assert_eq!(spec(Layout::Nhwc).shape(5), [5, 1, 2, 3]);
    }
}
