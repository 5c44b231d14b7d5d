//! Bilinear interpolation between two source samples per axis, without antialiasing.
//!
//! TensorFlow 1 and PyTorch differ in one thing only: where the centre of an output sample falls in the source. The
//! arithmetic is TensorFlow's in both cases, in f32 and in this order, which torch-fidelity reproduces:
//! `top = p00 + (p01 − p00)·dx`, `bottom = p10 + (p11 − p10)·dx`, `out = top + (bottom − top)·dy`. No fused
//! multiply-add may replace it there. Every source row is interpolated along x once, and the last two are kept.

use crate::image::RgbImage;

/// Where the centre of output sample `i` falls in the source, `scale` being input over output length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Centres {
    /// TensorFlow 1 with `align_corners=False`: `i·scale`.
    Corner,
    /// PyTorch with `align_corners=False`: `(i + ½)·scale − ½`, never below zero.
    HalfPixel,
}

/// One output position of an axis: it lies between two source samples.
#[derive(Debug, Clone, Copy)]
struct Tap {
    low: usize,
    high: usize,
    /// Distance from `low` as a fraction of the way to `high`.
    fraction: f32,
}

impl Centres {
    fn taps(self, source: usize, target: usize) -> Vec<Tap> {
        // The quotient is rounded once from f64, as Python forms it.
        let scale = (source as f64 / target as f64) as f32;
        (0..target)
            .map(|i| {
                let position = match self {
                    Centres::Corner => i as f32 * scale,
                    // PyTorch's kernels are compiled with a fused multiply-add here; two roundings would move positions
                    // near 150 by enough to show in the sixth decimal.
                    Centres::HalfPixel => scale.mul_add(i as f32 + 0.5, -0.5).max(0.0),
                };
                let low = (position as usize).min(source - 1);
                Tap { low, high: (low + 1).min(source - 1), fraction: position - low as f32 }
            })
            .collect()
    }
}

/// A source row interpolated along x: three planes of the target's width.
#[derive(Debug, Clone, Default)]
struct Row {
    source: Option<usize>,
    values: Vec<f32>,
}

impl Row {
    fn load(&mut self, image: &RgbImage, y: usize, columns: &[Tap]) {
        if self.source == Some(y) {
            return;
        }
        self.source = Some(y);
        let stride = 3 * image.width() as usize;
        let pixels = &image.pixels()[y * stride..(y + 1) * stride];
        for (channel, plane) in self.values.chunks_exact_mut(columns.len()).enumerate() {
            for (value, tap) in plane.iter_mut().zip(columns) {
                let low = f32::from(pixels[3 * tap.low + channel]);
                let high = f32::from(pixels[3 * tap.high + channel]);
                *value = low + (high - low) * tap.fraction;
            }
        }
    }
}

/// A bilinear resizer to a fixed size.
#[derive(Debug, Clone)]
pub(super) struct Bilinear {
    centres: Centres,
    target: (usize, usize),
    /// Size of the image that the taps were computed for.
    source: (usize, usize),
    columns: Vec<Tap>,
    rows: Vec<Tap>,
    top: Row,
    bottom: Row,
}

impl Bilinear {
    pub(super) fn new(centres: Centres, target: (usize, usize)) -> Self {
        let row = Row { source: None, values: vec![0.0; 3 * target.0] };
        Self { centres, target, source: (0, 0), columns: vec![], rows: vec![], top: row.clone(), bottom: row }
    }

    /// `out` holds three planes of the target's size.
    pub(super) fn resize(&mut self, image: &RgbImage, out: &mut [f32]) {
        let source = (image.width() as usize, image.height() as usize);
        if self.source != source {
            self.source = source;
            self.columns = self.centres.taps(source.0, self.target.0);
            self.rows = self.centres.taps(source.1, self.target.1);
        }
        (self.top.source, self.bottom.source) = (None, None);
        let (width, height) = self.target;
        for (y, tap) in self.rows.iter().enumerate() {
            if self.bottom.source == Some(tap.low) {
                std::mem::swap(&mut self.top, &mut self.bottom);
            }
            self.top.load(image, tap.low, &self.columns);
            self.bottom.load(image, tap.high, &self.columns);
            for channel in 0..3 {
                let line = &mut out[(channel * height + y) * width..][..width];
                let top = &self.top.values[channel * width..][..width];
                let bottom = &self.bottom.values[channel * width..][..width];
                for ((value, &top), &bottom) in line.iter_mut().zip(top).zip(bottom) {
                    *value = top + (bottom - top) * tap.fraction;
                }
            }
        }
    }
}
