//! From an output of many axes to one row an image.

use std::fmt;
use std::str::FromStr;

use ndarray::{Array2, ArrayD, Axis};

use super::engine::EngineError;
use super::input::Layout;
use super::weights::onnx::Dimension;

/// How features that a network gives for each position or token of an image become one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The mean over all positions of N×channels×positions, such as N×C×height×width.
    SpatialMean,
    /// The mean over all tokens of N×tokens×channels, or all positions of N×height×width×channels. Of N×channels×height×width it would be
    /// one over channels.
    TokenMean,
    /// The first token of N×tokens×channels, the class token of most transformers.
    FirstToken,
    /// All values, in their order.
    Flatten,
}

impl Pooling {
    /// All ways.
    pub const ALL: [Self; 4] = [Self::SpatialMean, Self::TokenMean, Self::FirstToken, Self::Flatten];

    /// Axes that an output must have, that of the batch included.
    fn takes(self, rank: usize) -> bool {
        match self {
            Pooling::SpatialMean | Pooling::TokenMean => rank >= 3,
            Pooling::FirstToken => rank == 3,
            Pooling::Flatten => rank >= 1,
        }
    }

    /// One row an image of an output whose first axis is that of the batch. Means are summed in double precision.
    fn apply(self, values: ArrayD<f32>) -> Option<Array2<f32>> {
        let shape = values.shape().to_vec();
        if !self.takes(shape.len()) {
            return None;
        }
        let images = shape[0];
        match self {
            Pooling::Flatten => flat(values),
            Pooling::FirstToken if shape[1] == 0 => None,
            Pooling::FirstToken => flat(values.index_axis_move(Axis(1), 0)),
            Pooling::SpatialMean => {
                let positions: usize = shape[2..].iter().product();
                let values = flat(values)?.into_shape_with_order((images, shape[1], positions)).ok()?;
                Some(values.map_axis(Axis(2), |row| mean(row.iter(), positions)))
            }
            Pooling::TokenMean => {
                let channels = *shape.last()?;
                let tokens: usize = shape[1..shape.len() - 1].iter().product();
                let values = flat(values)?.into_shape_with_order((images, tokens, channels)).ok()?;
                Some(values.map_axis(Axis(1), |column| mean(column.iter(), tokens)))
            }
        }
    }
}

fn mean<'a>(values: impl Iterator<Item = &'a f32>, count: usize) -> f32 {
    (values.map(|&value| f64::from(value)).sum::<f64>() / count as f64) as f32
}

fn flat(values: ArrayD<f32>) -> Option<Array2<f32>> {
    let images = *values.shape().first()?;
    let numbers = values.shape()[1..].iter().product::<usize>();
    let values = if values.is_standard_layout() { values } else { values.as_standard_layout().into_owned() };
    values.into_shape_with_order((images, numbers)).ok()
}

impl fmt::Display for Pooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Pooling::SpatialMean => "spatial-mean",
            Pooling::TokenMean => "token-mean",
            Pooling::FirstToken => "first-token",
            Pooling::Flatten => "flatten",
        })
    }
}

/// There is no such pooling.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a way of pooling: use spatial-mean, token-mean, first-token or flatten")]
pub struct ParsePoolingError(String);

impl FromStr for Pooling {
    type Err = ParsePoolingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|pooling| pooling.to_string() == text);
        known.ok_or_else(|| ParsePoolingError(text.into()))
    }
}

/// What is known of the pooling of an output from its declared shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    /// There is one row an image already, or nothing is declared.
    Row,
    /// There are positions or tokens, and this is what they become where nothing is said: a mean over positions, as pytorch-fid
    /// and dgm-eval have it.
    Pooled(Pooling),
    /// There are three axes, which may be tokens or positions, in either order.
    Unclear,
    /// What was asked for does not fit the number of axes.
    Unfit,
    /// What was asked for would change nothing.
    NoEffect,
}

/// Whether four axes may be those of N×channels×height×width, in a network that takes its images so: the other order shows by a square map with
/// another number of channels.
fn may_be_channels_first([height, width, channels]: [Option<usize>; 3], layout: Layout) -> bool {
    let is_square = |a: Option<usize>, b: Option<usize>| a.is_some() && a == b;
    layout == Layout::Nchw && !(is_square(height, width) && channels.is_some() && width != channels)
}

/// How an output of a declared shape becomes rows, of a network that takes images of that layout.
pub(super) fn declared(shape: Option<&[Dimension]>, wanted: Option<Pooling>, layout: Layout) -> Declared {
    let Some(shape) = shape else { return wanted.map_or(Declared::Row, Declared::Pooled) };
    let long = shape.iter().skip(1).filter(|axis| axis.extent() != Some(1)).count();
    match wanted {
        Some(_) if long < 2 => Declared::NoEffect,
        Some(wanted) if !wanted.takes(shape.len()) => Declared::Unfit,
        Some(Pooling::TokenMean)
            if shape.len() == 4 && may_be_channels_first([1, 2, 3].map(|axis| shape[axis].extent()), layout) =>
        {
            Declared::Unfit
        }
        Some(wanted) => Declared::Pooled(wanted),
        None if long < 2 => Declared::Row,
        None if shape.len() == 3 => Declared::Unclear,
        None => Declared::Pooled(match layout {
            Layout::Nchw => Pooling::SpatialMean,
            Layout::Nhwc => Pooling::TokenMean,
        }),
    }
}

/// One row an image of an output. Without pooling, there must be one axis at most that is longer than 1 beside the first.
pub(super) fn rows(
    (pooling, layout): (Option<Pooling>, Layout),
    output: &str,
    values: ArrayD<f32>,
) -> Result<Array2<f32>, EngineError> {
    let got = values.shape().to_vec();
    let long = got.iter().skip(1).filter(|&&extent| extent != 1).count();
    let rows = match (pooling, &got[..]) {
        (None, _) if long < 2 => flat(values),
        (None, _) => None,
        // The file may not have told its axes.
        (Some(Pooling::TokenMean), &[_, height, width, channels])
            if may_be_channels_first([height, width, channels].map(Some), layout) =>
        {
            None
        }
        (Some(pooling), _) => pooling.apply(values),
    };
    rows.ok_or_else(|| EngineError::Axes { output: output.into(), got })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(shape: &[usize]) -> ArrayD<f32> {
        let values = (0..shape.iter().product::<usize>()).map(|value| value as f32).collect();
        ArrayD::from_shape_vec(shape, values).unwrap()
    }

    fn pooled(pooling: Option<Pooling>, shape: &[usize]) -> Result<(Vec<usize>, Vec<f32>), String> {
        pooled_of(Layout::Nchw, pooling, shape)
    }

    fn pooled_of(layout: Layout, pooling: Option<Pooling>, shape: &[usize]) -> Result<(Vec<usize>, Vec<f32>), String> {
        let rows = rows((pooling, layout), "f", counting(shape)).map_err(|error| error.to_string())?;
        Ok((rows.shape().to_vec(), rows.iter().copied().collect()))
    }

    #[test]
    fn positions_and_tokens_become_one_row() {
        let row = |pooling, shape: &[usize]| pooled(Some(pooling), shape).unwrap();
        assert_eq!(row(Pooling::SpatialMean, &[2, 2, 1, 3]), (vec![2, 2], vec![1.0, 4.0, 7.0, 10.0]));
        assert_eq!(row(Pooling::SpatialMean, &[1, 2, 3]), (vec![1, 2], vec![1.0, 4.0]));
        assert_eq!(row(Pooling::TokenMean, &[1, 3, 2]), (vec![1, 2], vec![2.0, 3.0]));
        let nhwc = |shape: &[usize]| pooled_of(Layout::Nhwc, Some(Pooling::TokenMean), shape).unwrap();
        assert_eq!(nhwc(&[1, 1, 3, 2]), (vec![1, 2], vec![2.0, 3.0]));
        // As transformers with windows have them.
        assert_eq!(row(Pooling::TokenMean, &[1, 2, 2, 1]), (vec![1, 1], vec![1.5]));
        assert_eq!(row(Pooling::FirstToken, &[2, 2, 2]), (vec![2, 2], vec![0.0, 1.0, 4.0, 5.0]));
        assert_eq!(row(Pooling::Flatten, &[1, 2, 2]), (vec![1, 4], vec![0.0, 1.0, 2.0, 3.0]));
        // In double precision: the sum of 2²⁵ ones.
        let ones = ArrayD::from_elem(&[1, 1, 1 << 13, 1 << 12][..], 1.0f32);
        assert_eq!(Pooling::SpatialMean.apply(ones).unwrap()[[0, 0]], 1.0);
    }

    #[test]
    fn axes_of_length_1_are_dropped_and_others_never_unasked() {
        assert_eq!(pooled(None, &[2, 1, 1, 2]).unwrap(), (vec![2, 2], vec![0.0, 1.0, 2.0, 3.0]));
        assert_eq!(pooled(None, &[2]).unwrap(), (vec![2, 1], vec![0.0, 1.0]));
        let error = pooled(None, &[2, 3, 4]).unwrap_err();
        assert!(error.starts_with("output `f` has shape [2, 3, 4]"), "{error}");
        assert!(pooled(Some(Pooling::FirstToken), &[2, 3]).is_err());
        for channels_first in [[1, 8, 7, 7], [1, 7, 7, 7], [1, 8, 7, 6]] {
            assert!(pooled(Some(Pooling::TokenMean), &channels_first).is_err(), "a mean over channels");
        }
    }

    #[test]
    fn what_a_shape_declares_decides_before_the_first_image() {
        let shape = |extents: &[i64]| -> Vec<Dimension> {
            let dimension = |&extent: &i64| if extent == 0 { Dimension::Unknown } else { Dimension::Fixed(extent) };
            extents.iter().map(dimension).collect()
        };
        let of = |extents: &[i64], wanted, layout| declared(Some(&shape(extents)), wanted, layout);
        let nchw = |extents: &[i64], wanted| of(extents, wanted, Layout::Nchw);
        assert_eq!(nchw(&[0, 8], None), Declared::Row);
        assert_eq!(nchw(&[0, 8, 1, 1], None), Declared::Row);
        assert_eq!(nchw(&[0, 8, 7, 7], None), Declared::Pooled(Pooling::SpatialMean));
        assert_eq!(nchw(&[0, 8, 0, 0], None), Declared::Pooled(Pooling::SpatialMean));
        assert_eq!(of(&[0, 7, 7, 8], None, Layout::Nhwc), Declared::Pooled(Pooling::TokenMean));
        assert_eq!(nchw(&[0, 197, 768], None), Declared::Unclear);
        assert_eq!(nchw(&[0, 197, 768], Some(Pooling::FirstToken)), Declared::Pooled(Pooling::FirstToken));
        assert_eq!(nchw(&[0, 8, 7, 7], Some(Pooling::FirstToken)), Declared::Unfit);
        for unclear in [[0, 8, 7, 7], [0, 7, 7, 7], [0, 0, 0, 0], [0, 8, 7, 6]] {
            assert_eq!(nchw(&unclear, Some(Pooling::TokenMean)), Declared::Unfit, "{unclear:?}");
        }
        assert_eq!(nchw(&[0, 7, 7, 8], Some(Pooling::TokenMean)), Declared::Pooled(Pooling::TokenMean));
        assert_eq!(of(&[0, 0, 0, 8], Some(Pooling::TokenMean), Layout::Nhwc), Declared::Pooled(Pooling::TokenMean));
        assert_eq!(nchw(&[0, 8], Some(Pooling::Flatten)), Declared::NoEffect);
        assert_eq!(declared(None, None, Layout::Nchw), Declared::Row);
    }

    #[test]
    fn names_are_read_as_they_are_printed() {
        for pooling in Pooling::ALL {
            assert_eq!(pooling.to_string().parse(), Ok(pooling));
            assert_eq!(serde_json::to_value(pooling).unwrap(), pooling.to_string());
        }
        assert!("max".parse::<Pooling>().unwrap_err().to_string().contains("spatial-mean"));
    }
}
