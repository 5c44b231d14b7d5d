use tract_onnx::prelude::*;

use super::{Graph, *};
use crate::extractor::weights::pth;

const SPEC: GraphInput = GraphInput { size: 4, mean: [1.0, 2.0, 3.0], std: [0.5, 1.0, 2.0] };

fn weights(shape: &[usize], value: impl Fn(usize) -> f32) -> pth::StoredTensor {
    pth::StoredTensor::new(shape.to_vec(), (0..shape.iter().product()).map(value).collect()).unwrap()
}

/// A model of one operator on N×3×4×4 images.
fn model(operator: impl Fn(&mut Graph, &GraphValue) -> GraphValue, shape: &[usize]) -> Vec<u8> {
    let mut graph = Graph::new("test");
    let images = graph.images("images", &SPEC);
    let output = operator(&mut graph, &images);
    graph.output(&output, shape);
    graph.encode()
}

/// Runs a model on two images, the elements of which are 0, 1, 2, … minus 48.
fn run(model: &[u8]) -> (Vec<usize>, Vec<f32>) {
    let model = tract_onnx::onnx().model_for_read(&mut &*model).unwrap();
    let runnable = model.into_optimized().unwrap().into_runnable().unwrap();
    let input: Vec<f32> = (0..96u8).map(|value| f32::from(value) - 48.0).collect();
    let input = tract_onnx::prelude::Tensor::from_shape(&[2, 3, 4, 4], &input).unwrap();
    let output = runnable.run(tvec!(input.into())).unwrap().remove(0);
    (output.shape().to_vec(), output.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec())
}

fn input(image: usize, channel: usize, y: usize, x: usize) -> f32 {
    (image * 48 + channel * 16 + y * 4 + x) as f32 - 48.0
}

/// `value(image, channel, y, x)` over N×channels×side×side.
fn map(channels: usize, side: usize, value: impl Fn(usize, usize, usize, usize) -> f32) -> (Vec<usize>, Vec<f32>) {
    let mut data = Vec::new();
    for image in 0..2 {
        for channel in 0..channels {
            for y in 0..side {
                data.extend((0..side).map(|x| value(image, channel, y, x)));
            }
        }
    }
    (vec![2, channels, side, side], data)
}

/// The elements of a 3×3 window around (y, x) that lie inside the image.
fn around(image: usize, channel: usize, y: usize, x: usize) -> Vec<f32> {
    let near = |centre: usize| centre.saturating_sub(1)..(centre + 2).min(4);
    near(y).flat_map(|y| near(x).map(move |x| input(image, channel, y, x))).collect()
}

#[test]
fn convolution_pads_and_strides() {
    let kernel =
        || ConvolutionWeights { weight: weights(&[2, 3, 1, 3], |at| at as f32 - 4.0), bias: Some(vec![0.5, -1.0]) };
    let window = Window::new(1, 3).pad_centred();
    let found = run(&model(|graph, images| graph.conv("conv", images, kernel(), window, 1), &[2, 4, 4]));
    let expected = map(2, 4, |image, output, y, x| {
        let mut sum = [0.5, -1.0][output];
        for channel in 0..3 {
            for tap in 0..3 {
                if let Some(x) = (x + tap).checked_sub(1).filter(|&x| x < 4) {
                    sum += ((output * 3 + channel) * 3 + tap) as f32 * input(image, channel, y, x)
                        - 4.0 * input(image, channel, y, x);
                }
            }
        }
        sum
    });
    assert_eq!(found, expected);

    // Depthwise, without bias, stride 2 with the odd padding at the end.
    let kernel = || ConvolutionWeights { weight: weights(&[3, 1, 3, 3], |at| (at % 9) as f32), bias: None };
    let window = Window::new(3, 3).stride(2).pad_same(4);
    let found = run(&model(|graph, images| graph.conv("conv", images, kernel(), window, 3), &[3, 2, 2]));
    let expected = map(3, 2, |image, channel, y, x| {
        let taps = (0..9).filter(|tap| 2 * y + tap / 3 < 4 && 2 * x + tap % 3 < 4);
        taps.map(|tap| tap as f32 * input(image, channel, 2 * y + tap / 3, 2 * x + tap % 3)).sum()
    });
    assert_eq!(found, expected);
}

#[test]
fn pools_leave_the_padding_out() {
    let window = Window::new(3, 3).pad_centred();
    let mean = run(&model(|graph, images| graph.average_pool("mean", images, window), &[3, 4, 4]));
    let expected = map(3, 4, |image, channel, y, x| {
        let inside = around(image, channel, y, x);
        inside.iter().sum::<f32>() / inside.len() as f32
    });
    assert_eq!(mean, expected);

    // The first image is negative: a padding of zeros would win.
    let maximum = run(&model(|graph, images| graph.max_pool("maximum", images, window), &[3, 4, 4]));
    let largest = |inside: Vec<f32>| inside.into_iter().fold(f32::NEG_INFINITY, f32::max);
    assert_eq!(maximum, map(3, 4, |image, channel, y, x| largest(around(image, channel, y, x))));

    let (shape, global) = run(&model(|graph, images| graph.global_mean("global", images), &[3]));
    assert_eq!(shape, [2, 3]);
    assert_eq!(global, [-40.5, -24.5, -8.5, 7.5, 23.5, 39.5]);
}

#[test]
fn batch_normalisation_and_activations() {
    let parameters: [&[f32]; 4] = [&[1.0, 2.0, -1.0], &[0.0, 1.0, 2.0], &[3.0, 0.0, 1.0], &[3.0, 0.0, 15.0]];
    let found = run(&model(|graph, images| graph.batch_norm("bn", images, parameters, 1.0), &[3, 4, 4]));
    let expected = map(3, 4, |image, channel, y, x| {
        let [scale, bias, mean, variance] = parameters.map(|values| values[channel]);
        scale * (input(image, channel, y, x) - mean) / (variance + 1.0).sqrt() + bias
    });
    assert_eq!(found, expected);
    let relu = run(&model(|graph, images| graph.relu("relu", images), &[3, 4, 4]));
    assert_eq!(relu, map(3, 4, |image, channel, y, x| input(image, channel, y, x).max(0.0)));
    let clip = run(&model(|graph, images| graph.clip("clip", images, -2.0, 6.0), &[3, 4, 4]));
    assert_eq!(clip, map(3, 4, |image, channel, y, x| input(image, channel, y, x).clamp(-2.0, 6.0)));
}

#[test]
fn channels_are_joined_cut_and_moved() {
    let twice = |graph: &mut Graph, images: &GraphValue| {
        let relu = graph.relu("relu", images);
        let sum = graph.add("sum", images, &relu);
        graph.concat("joined", &[sum, images.clone()])
    };
    let expected = map(6, 4, |image, channel, y, x| {
        let value = input(image, channel % 3, y, x);
        if channel < 3 { value + value.max(0.0) } else { value }
    });
    assert_eq!(run(&model(twice, &[6, 4, 4])), expected);

    let spatial = |graph: &mut Graph, images: &GraphValue| {
        let first = graph.first_channels("first", images, 2);
        let last = graph.channels_last("last", &first);
        graph.flatten("flat", &last)
    };
    let (shape, found) = run(&model(spatial, &[32]));
    assert_eq!(shape, [2, 32]);
    let expected: Vec<f32> = (0..64).map(|at| input(at / 32, at % 2, at % 32 / 8, at % 8 / 2)).collect();
    assert_eq!(found, expected);
}

#[test]
fn linear_layers_multiply_by_the_transpose() {
    let weight = weights(&[2, 3], |at| at as f32);
    let network = |graph: &mut Graph, images: &GraphValue| {
        let mean = graph.global_mean("mean", images);
        let product = graph.linear("product", &mean, &weight);
        graph.add_bias("sum", &product, &[100.0, 200.0])
    };
    let (shape, found) = run(&model(network, &[2]));
    assert_eq!(shape, [2, 2]);
    let rows = [[-40.5, -24.5, -8.5], [7.5, 23.5, 39.5]];
    let expected = rows.map(|[_, b, c]: [f32; 3]| b + 2.0 * c);
    let second = rows.map(|[a, b, c]| 3.0 * a + 4.0 * b + 5.0 * c);
    assert_eq!(found, [100.0 + expected[0], 200.0 + second[0], 100.0 + expected[1], 200.0 + second[1]]);
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let build = || model(|graph, images| graph.clip("clip", images, 0.0, 6.0), &[3, 4, 4]);
    assert_eq!(build(), build());
}

#[test]
fn a_file_lists_its_inputs_outputs_and_metadata() {
    let file = ModelFile::from_bytes(&model(|graph, images| graph.global_mean("features", images), &[3])).unwrap();
    assert_eq!(file.inputs.iter().map(ToString::to_string).collect::<Vec<_>>(), ["images: float32 [N, 3, 4, 4]"]);
    assert_eq!(file.outputs.iter().map(ToString::to_string).collect::<Vec<_>>(), ["features: float32 [N, 3]"]);
    assert_eq!(file.opset, Some(OPSET));
    let expected = [("input_size", "4"), ("mean", "1,2,3"), ("model", "test"), ("std", "0.5,1,2")];
    assert!(file.metadata.iter().map(|(key, value)| (&**key, &**value)).eq(expected));
}

#[test]
fn what_is_no_model_is_an_error() {
    assert!(matches!(ModelFile::from_bytes(b""), Err(OnnxError::NoGraph)));
    assert!(matches!(ModelFile::from_bytes(b"<!DOCTYPE html>"), Err(OnnxError::Malformed)));
    let bytes = model(|graph, images| graph.relu("relu", images), &[3, 4, 4]);
    let within_graph = bytes.windows(6).rposition(|window| window == b"images").unwrap();
    for length in 0..within_graph {
        assert!(ModelFile::from_bytes(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
    }
    assert!(matches!(ModelFile::from_file("no/such.onnx"), Err(OnnxError::Io { .. })));
}

/// Doubled images, and their sum with the weights of `bias`, which only the second output needs.
fn two_outputs() -> Vec<u8> {
    let mut graph = Graph::new("test");
    let images = graph.images("images", &SPEC);
    let doubled = graph.add("doubled", &images, &images);
    let clipped = graph.clip("clipped", &doubled, 0.0, 1.0);
    graph.output(&doubled, &[3, 4, 4]);
    graph.output(&clipped, &[3, 4, 4]);
    graph.encode()
}

#[test]
fn selected_outputs_leave_the_rest_out() {
    use prost::Message;
    let whole = two_outputs();
    let selected = select_outputs(&whole, &["doubled"]).unwrap();
    let names: Vec<_> =
        ModelFile::from_bytes(&selected).unwrap().outputs.into_iter().map(|output| output.name).collect();
    assert_eq!(names, ["doubled"]);
    let graph = |bytes: &[u8]| tract_onnx::pb::ModelProto::decode(bytes).unwrap().graph.unwrap();
    assert_eq!((graph(&whole).node.len(), graph(&selected).node.len()), (2, 1));
    assert!(graph(&selected).initializer.len() < graph(&whole).initializer.len());
    assert_eq!(run(&selected), map(3, 4, |image, channel, y, x| 2.0 * input(image, channel, y, x)));

    assert_eq!(select_outputs(&whole, &["doubled", "clipped"]).unwrap(), whole);

    let error = select_outputs(&whole, &["absent"]).unwrap_err();
    assert_eq!(error.to_string(), "the ONNX model has no output `absent`");
}
