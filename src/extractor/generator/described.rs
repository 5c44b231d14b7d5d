//! What the inputs and the outputs of a generator's file say.

use crate::extractor::input::Layout;
use crate::extractor::weights::onnx::{Dimension, ElementType, ValueInfo};

use super::ImageShape;

/// Number by which ONNX knows `int32`.
const INT32: ElementType = ElementType::Other(6);

/// Names by which labels usually go.
const LABELS: [&str; 8] = ["y", "c", "label", "labels", "class", "classes", "class_label", "class_labels"];

/// Outputs that usually hold the images, where a generator has several.
const USUAL_OUTPUTS: [&str; 4] = ["images", "image", "output", "sample"];

fn is_float(value: &ValueInfo) -> bool {
    matches!(value.element_type, ElementType::Float32 | ElementType::Float16 | ElementType::Float64)
}

/// The latent and, of two inputs, the labels.
pub(super) fn inputs_of(inputs: &[ValueInfo]) -> Option<(&ValueInfo, Option<&ValueInfo>)> {
    let is_label =
        |input: &ValueInfo| matches!(input.element_type, ElementType::Int64 | INT32) || LABELS.contains(&&*input.name);
    let (latent, labels) = match inputs {
        [latent] => (latent, None),
        [latent, labels] if is_label(labels) && !is_label(latent) => (latent, Some(labels)),
        [labels, latent] if is_label(labels) && !is_label(latent) => (latent, Some(labels)),
        _ => return None,
    };
    is_float(latent).then_some((latent, labels))
}

/// How labels are fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// The number of the class, N.
    Number,
    /// The number of the class, N×1.
    Column,
    /// Zeros and a one at the number of the class, N×classes.
    OneHot,
}

impl Labels {
    /// Of the input that takes them, and the number of classes: as the file says, or as is wanted.
    pub fn of(input: &ValueInfo, wanted: Option<usize>) -> Option<(Self, usize)> {
        let shape = input.shape.as_deref()?;
        match (shape, is_float(input)) {
            ([_], false) => Some((Labels::Number, wanted?)),
            ([_, one], false) if one.extent() == Some(1) => Some((Labels::Column, wanted?)),
            ([_, classes], _) => {
                let classes = classes.extent().or(wanted)?;
                wanted.is_none_or(|wanted| wanted == classes).then_some((Labels::OneHot, classes))
            }
            _ => None,
        }
    }

    /// Shape of a label behind the axis of the batch.
    pub fn item(self, classes: usize) -> Vec<usize> {
        match self {
            Labels::Number => vec![],
            Labels::Column => vec![1],
            Labels::OneHot => vec![classes],
        }
    }

    /// A label as it is fed.
    pub fn fed(self, label: usize, classes: usize) -> Vec<f32> {
        match self {
            Labels::Number | Labels::Column => vec![label as f32],
            Labels::OneHot => (0..classes).map(|class| if class == label { 1.0 } else { 0.0 }).collect(),
        }
    }
}

/// The only output, or the first that goes by a usual name.
pub(super) fn images_among(outputs: &[ValueInfo]) -> Option<&ValueInfo> {
    match outputs {
        [only] => Some(only),
        _ => USUAL_OUTPUTS.iter().find_map(|name| outputs.iter().find(|output| output.name == *name)),
    }
}

/// Shape of a latent behind the axis of the batch: what the file says, or, where it leaves the length open, what is wanted.
pub(super) fn latent_shape(input: &ValueInfo, wanted: Option<usize>) -> Option<Vec<usize>> {
    let shape: Vec<usize> = match &input.shape.as_deref()?.get(1..)? {
        [length] => vec![length.extent().or(wanted)?],
        [length, height, width] => {
            vec![length.extent().or(wanted)?, height.extent().unwrap_or(1), width.extent().unwrap_or(1)]
        }
        other => other.iter().map(Dimension::extent).collect::<Option<_>>()?,
    };
    let length: usize = shape.iter().product();
    (length > 0 && wanted.is_none_or(|wanted| wanted == length)).then_some(shape)
}

/// Order of the axes of images, where the shape of the output tells it: `Some(None)` where it leaves that open, `None` where it
/// does not hold images.
pub(super) fn image_layout(output: &ValueInfo) -> Option<Option<Layout>> {
    if !is_float(output) && output.element_type != ElementType::UInt8 {
        return None;
    }
    let Some(shape) = output.shape.as_deref() else { return Some(None) };
    let [_, first, _, last] = shape else { return None };
    match [first.extent(), last.extent()] {
        [Some(1 | 3), _] => Some(Some(Layout::Nchw)),
        [_, Some(1 | 3)] => Some(Some(Layout::Nhwc)),
        [Some(_), Some(_)] => None,
        _ => Some(None),
    }
}

/// Size of the images, where the shape of an output of that layout fixes it.
pub(super) fn image_shape(output: &ValueInfo, layout: Layout) -> Option<ImageShape> {
    let [_, axes @ ..] = output.shape.as_deref()? else { return None };
    let extents: Vec<usize> = axes.iter().map(Dimension::extent).collect::<Option<_>>()?;
    ImageShape::of(&extents, layout)
}

impl ImageShape {
    /// Of the axes behind that of the batch, in that order.
    pub(super) fn of(axes: &[usize], layout: Layout) -> Option<Self> {
        let &[first, second, third] = axes else { return None };
        let [channels, height, width] = match layout {
            Layout::Nchw => [first, second, third],
            Layout::Nhwc => [third, first, second],
        };
        ([1, 3].contains(&channels) && height > 0 && width > 0).then_some(Self { channels, height, width })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of these extents; zero stands for one that is not known.
    fn value(extents: &[i64]) -> ValueInfo {
        let dimension = |&extent: &i64| if extent == 0 { Dimension::Unknown } else { Dimension::Fixed(extent) };
        let shape = Some(extents.iter().map(dimension).collect());
        ValueInfo { name: "z".into(), element_type: ElementType::Float32, shape }
    }

    fn labels(extents: &[i64]) -> ValueInfo {
        ValueInfo { name: "k".into(), element_type: ElementType::Int64, ..value(extents) }
    }

    #[test]
    fn the_length_of_a_latent_is_that_of_the_file_or_the_one_given() {
        let shape = |extents: &[i64], wanted| latent_shape(&value(extents), wanted);
        assert_eq!(shape(&[0, 100], None), Some(vec![100]));
        assert_eq!(shape(&[0, 100, 1, 1], Some(100)), Some(vec![100, 1, 1]));
        assert_eq!(shape(&[0, 0], Some(64)), Some(vec![64]));
        assert_eq!(shape(&[0, 0, 0, 0], Some(64)), Some(vec![64, 1, 1]));
        assert_eq!(shape(&[0, 18, 512], None), Some(vec![18, 512]));
        for (extents, wanted) in [(&[0, 100][..], Some(64)), (&[0, 0], None), (&[0, -1], None), (&[0, 0, 7], Some(7))] {
            assert_eq!(shape(extents, wanted), None, "{extents:?}");
        }
    }

    #[test]
    fn labels_are_the_input_of_integers_or_of_a_usual_name() {
        let (z, k) = (value(&[0, 8]), labels(&[0]));
        assert_eq!(inputs_of(&[z.clone(), k.clone()]), Some((&z, Some(&k))));
        assert_eq!(inputs_of(&[k.clone(), z.clone()]), Some((&z, Some(&k))));
        let y = ValueInfo { name: "y".into(), ..value(&[0, 10]) };
        assert_eq!(inputs_of(&[z.clone(), y.clone()]), Some((&z, Some(&y))));
        assert_eq!(inputs_of(std::slice::from_ref(&z)), Some((&z, None)));
        for inputs in [vec![], vec![k.clone()], vec![z.clone(), z.clone()], vec![k.clone(), y], vec![z.clone(), z, k]] {
            assert_eq!(inputs_of(&inputs), None, "{inputs:?}");
        }
    }

    #[test]
    fn labels_are_numbers_or_one_hot() {
        assert_eq!(Labels::of(&labels(&[0]), Some(10)), Some((Labels::Number, 10)));
        assert_eq!(Labels::of(&labels(&[0, 1]), Some(10)), Some((Labels::Column, 10)));
        assert_eq!(Labels::of(&labels(&[0]), None), None);
        assert_eq!(Labels::of(&value(&[0, 10]), None), Some((Labels::OneHot, 10)));
        assert_eq!(Labels::of(&value(&[0, 0]), Some(4)), Some((Labels::OneHot, 4)));
        assert_eq!(Labels::of(&value(&[0, 10]), Some(9)), None);
        assert_eq!(Labels::OneHot.fed(2, 4), [0.0, 0.0, 1.0, 0.0]);
        assert_eq!((Labels::Column.fed(2, 4), Labels::Column.item(4)), (vec![2.0], vec![1]));
    }

    #[test]
    fn images_are_the_only_output_or_go_by_a_usual_name() {
        let outputs = |names: &[&str]| -> Vec<ValueInfo> {
            names.iter().map(|&name| ValueInfo { name: name.into(), ..value(&[0, 3, 8, 8]) }).collect()
        };
        let chosen = |names: &[&str]| images_among(&outputs(names)).map(|output| output.name.clone());
        assert_eq!(chosen(&["x"]).as_deref(), Some("x"));
        assert_eq!(chosen(&["x", "sample", "image"]).as_deref(), Some("image"));
        assert_eq!((chosen(&["x", "y"]), chosen(&[])), (None, None));
    }

    #[test]
    fn images_have_one_or_three_channels_first_or_last() {
        let of = |extents: &[i64]| {
            let output = value(extents);
            image_layout(&output).map(|layout| layout.map(|layout| (layout, image_shape(&output, layout))))
        };
        let expected = Some(ImageShape { channels: 3, height: 20, width: 30 });
        assert_eq!(of(&[0, 3, 20, 30]), Some(Some((Layout::Nchw, expected))));
        assert_eq!(of(&[0, 20, 30, 3]), Some(Some((Layout::Nhwc, expected))));
        assert_eq!(of(&[0, 3, 0, 0]), Some(Some((Layout::Nchw, None))));
        assert_eq!(of(&[0, 0, 0, 0]), Some(None));
        for extents in [&[0, 3, 20][..], &[0, 2, 20, 30], &[0, 20]] {
            assert_eq!(of(extents), None, "{extents:?}");
        }
        assert_eq!(image_layout(&labels(&[0, 3, 8, 8])), None);
    }
}
