//! A builder of graphs, one method an operator.

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

use super::{BATCH, GraphInput, IR_VERSION, OPSET, metadata};
use crate::extractor::weights::pth::StoredTensor;

/// A value inside a graph: an input, or what an operator returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphValue(String);

/// Weights of a convolution.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvolutionWeights {
    /// Output channels × input channels per group × height × width.
    pub weight: StoredTensor,
    /// One number per output channel.
    pub bias: Option<Vec<f32>>,
}

/// Where a window of a convolution or a pool goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    kernel: [usize; 2],
    stride: usize,
    /// Top, left, bottom, right.
    pads: [usize; 4],
}

impl Window {
    /// A window of height × width that moves by one, without padding.
    pub fn new(height: usize, width: usize) -> Self {
        Self { kernel: [height, width], stride: 1, pads: [0; 4] }
    }

    /// Moves by `stride` in both directions.
    pub fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// Pads with as much on either side as keeps the size under stride 1: (height−1)/2 and (width−1)/2.
    pub fn pad_centred(self) -> Self {
        let [vertical, horizontal] = self.kernel.map(|length| (length - 1) / 2);
        Self { pads: [vertical, horizontal, vertical, horizontal], ..self }
    }

    /// Pads by as much on every side.
    pub fn pad(self, padding: usize) -> Self {
        Self { pads: [padding; 4], ..self }
    }

    /// Pads as TensorFlow's `SAME` does for a square input of side `size`: the output has ⌈size/stride⌉ rows, and an
    /// odd row of padding goes to the bottom and the right.
    pub fn pad_same(self, size: usize) -> Self {
        let total = |length: usize| ((size.div_ceil(self.stride) - 1) * self.stride + length).saturating_sub(size);
        let [vertical, horizontal] = self.kernel.map(total);
        let (top, left) = (vertical / 2, horizontal / 2);
        Self { pads: [top, left, vertical - top, horizontal - left], ..self }
    }

    /// Height and width.
    pub fn kernel(self) -> [usize; 2] {
        self.kernel
    }

    fn attributes(self) -> Vec<AttributeProto> {
        vec![ints("kernel_shape", &self.kernel), ints("strides", &[self.stride; 2]), ints("pads", &self.pads)]
    }
}

/// A graph under construction. Every method adds a node and returns its value; names must be unique within the graph,
/// and the value of a node carries the name of the node.
#[derive(Debug)]
pub struct Graph {
    proto: GraphProto,
    metadata: Vec<StringStringEntryProto>,
}

impl Graph {
    /// An empty graph. The name is also recorded in the metadata.
    pub fn new(name: &str) -> Self {
        let mut graph =
            Self { proto: GraphProto { name: name.to_owned(), ..Default::default() }, metadata: Vec::new() };
        graph.metadata(metadata::MODEL, name);
        graph
    }

    /// Records a fact about the model in the file.
    pub fn metadata(&mut self, key: &str, value: impl ToString) {
        self.metadata.push(StringStringEntryProto { key: key.to_owned(), value: value.to_string() });
    }

    /// Adds an input of `N` RGB images, N×3×size×size, and records what it expects.
    pub fn images(&mut self, name: &str, spec: &GraphInput) -> GraphValue {
        let list = |values: [f32; 3]| values.map(|value| value.to_string()).join(",");
        self.metadata(metadata::INPUT_SIZE, spec.size);
        self.metadata(metadata::MEAN, list(spec.mean));
        self.metadata(metadata::STD, list(spec.std));
        self.proto.input.push(value_info(name, &[3, spec.size, spec.size]));
        GraphValue(name.to_owned())
    }

    /// Adds an input of any kind, N×`shape`.
    pub fn input(&mut self, name: &str, shape: &[usize]) -> GraphValue {
        self.proto.input.push(value_info(name, shape));
        GraphValue(name.to_owned())
    }

    /// Declares a value as an output, N×`shape`, under its own name.
    pub fn output(&mut self, value: &GraphValue, shape: &[usize]) {
        self.proto.output.push(value_info(&value.0, shape));
    }

    /// Convolution, with as many groups as the input has channels divided by the channels of the kernel.
    pub fn conv(
        &mut self,
        name: &str,
        input: &GraphValue,
        kernel: ConvolutionWeights,
        window: Window,
        groups: usize,
    ) -> GraphValue {
        let mut inputs =
            vec![input.clone(), self.floats(&format!("{name}.weight"), kernel.weight.shape(), kernel.weight.data())];
        inputs.extend(kernel.bias.map(|bias| self.floats(&format!("{name}.bias"), &[bias.len()], &bias)));
        let attributes = [window.attributes(), vec![int("group", groups)]].concat();
        self.node("Conv", name, &inputs, attributes)
    }

    /// Transposed convolution: the kernel is input channels × output channels × height × width.
    pub fn conv_transpose(
        &mut self,
        name: &str,
        input: &GraphValue,
        kernel: ConvolutionWeights,
        window: Window,
        output_padding: usize,
    ) -> GraphValue {
        let mut inputs =
            vec![input.clone(), self.floats(&format!("{name}.weight"), kernel.weight.shape(), kernel.weight.data())];
        inputs.extend(kernel.bias.map(|bias| self.floats(&format!("{name}.bias"), &[bias.len()], &bias)));
        let attributes = [window.attributes(), vec![ints("output_padding", &[output_padding; 2])]].concat();
        self.node("ConvTranspose", name, &inputs, attributes)
    }

    /// Batch normalisation with fixed statistics: `scale · (x − mean) / √(variance + epsilon) + bias` per channel.
    pub fn batch_norm(&mut self, name: &str, input: &GraphValue, parameters: [&[f32]; 4], epsilon: f32) -> GraphValue {
        let names = ["scale", "bias", "mean", "variance"];
        let mut inputs = vec![input.clone()];
        inputs.extend(
            names
                .iter()
                .zip(parameters)
                .map(|(part, values)| self.floats(&format!("{name}.{part}"), &[values.len()], values)),
        );
        self.node("BatchNormalization", name, &inputs, vec![float("epsilon", epsilon)])
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, name: &str, input: &GraphValue) -> GraphValue {
        self.node("Relu", name, std::slice::from_ref(input), vec![])
    }

    /// `x` where positive, `slope · x` elsewhere.
    pub fn leaky_relu(&mut self, name: &str, input: &GraphValue, slope: f32) -> GraphValue {
        self.node("LeakyRelu", name, std::slice::from_ref(input), vec![float("alpha", slope)])
    }

    /// Hyperbolic tangent.
    pub fn tanh(&mut self, name: &str, input: &GraphValue) -> GraphValue {
        self.node("Tanh", name, std::slice::from_ref(input), vec![])
    }

    /// `1 / (1 + e⁻ˣ)`.
    pub fn sigmoid(&mut self, name: &str, input: &GraphValue) -> GraphValue {
        self.node("Sigmoid", name, std::slice::from_ref(input), vec![])
    }

    /// ln(1+eˣ).
    pub fn softplus(&mut self, name: &str, input: &GraphValue) -> GraphValue {
        self.node("Softplus", name, std::slice::from_ref(input), vec![])
    }

    /// Repeats every pixel in both directions.
    pub fn upsample(&mut self, name: &str, input: &GraphValue, factor: usize) -> GraphValue {
        let factor = factor as f32;
        let scales = self.floats(&format!("{name}.scales"), &[4], &[1.0, 1.0, factor, factor]);
        let attributes = vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ];
        self.node("Resize", name, &[input.clone(), GraphValue(String::new()), scales], attributes)
    }

    /// The same value under another name.
    pub fn identity(&mut self, name: &str, input: &GraphValue) -> GraphValue {
        self.node("Identity", name, std::slice::from_ref(input), vec![])
    }

    /// N×… to N×`shape`.
    pub fn reshape(&mut self, name: &str, input: &GraphValue, shape: &[usize]) -> GraphValue {
        // −1 stands for the number of images.
        let lengths = std::iter::once(-1).chain(shape.iter().map(|&length| length as i64));
        let raw = lengths.flat_map(i64::to_le_bytes).collect();
        let shape = self.initializer(&format!("{name}.shape"), &[shape.len() + 1], DataType::Int64, raw);
        self.node("Reshape", name, &[input.clone(), shape], vec![])
    }

    /// `min(max(x, low), high)`.
    pub fn clip(&mut self, name: &str, input: &GraphValue, low: f32, high: f32) -> GraphValue {
        let low = self.floats(&format!("{name}.low"), &[], &[low]);
        let high = self.floats(&format!("{name}.high"), &[], &[high]);
        self.node("Clip", name, &[input.clone(), low, high], vec![])
    }

    /// Maximum over each window; padding never wins.
    pub fn max_pool(&mut self, name: &str, input: &GraphValue, window: Window) -> GraphValue {
        self.node("MaxPool", name, std::slice::from_ref(input), window.attributes())
    }

    /// Mean over each window, of the elements inside the image only.
    pub fn average_pool(&mut self, name: &str, input: &GraphValue, window: Window) -> GraphValue {
        let attributes = [window.attributes(), vec![int("count_include_pad", 0)]].concat();
        self.node("AveragePool", name, std::slice::from_ref(input), attributes)
    }

    /// Mean over height and width: N×C×H×W to N×C.
    pub fn global_mean(&mut self, name: &str, input: &GraphValue) -> GraphValue {
        let mean = self.node("GlobalAveragePool", &format!("{name}.mean"), std::slice::from_ref(input), vec![]);
        self.flatten(name, &mean)
    }

    /// Joins values along the channels.
    pub fn concat(&mut self, name: &str, inputs: &[GraphValue]) -> GraphValue {
        self.node("Concat", name, inputs, vec![int("axis", 1)])
    }

    /// N×…, to N×(product of the rest), row-major.
    pub fn flatten(&mut self, name: &str, input: &GraphValue) -> GraphValue {
        self.node("Flatten", name, std::slice::from_ref(input), vec![int("axis", 1)])
    }

    /// The first `count` channels.
    pub fn first_channels(&mut self, name: &str, input: &GraphValue, count: usize) -> GraphValue {
        let [start, end, axis] = [("start", 0), ("end", count), ("axis", 1)]
            .map(|(part, value)| self.integer(&format!("{name}.{part}"), value));
        self.node("Slice", name, &[input.clone(), start, end, axis], vec![])
    }

    /// N×C×H×W to N×H×W×C.
    pub fn channels_last(&mut self, name: &str, input: &GraphValue) -> GraphValue {
        self.node("Transpose", name, std::slice::from_ref(input), vec![ints("perm", &[0, 2, 3, 1])])
    }

    /// `x · weightᵀ` for a weight of outputs × inputs.
    pub fn linear(&mut self, name: &str, input: &GraphValue, weight: &StoredTensor) -> GraphValue {
        let weight = self.floats(&format!("{name}.weight"), weight.shape(), weight.data());
        self.node("Gemm", name, &[input.clone(), weight], vec![int("transB", 1)])
    }

    /// Adds a number per column to N×columns.
    pub fn add_bias(&mut self, name: &str, input: &GraphValue, bias: &[f32]) -> GraphValue {
        let bias = self.floats(&format!("{name}.bias"), &[bias.len()], bias);
        self.node("Add", name, &[input.clone(), bias], vec![])
    }

    /// Sum of two values of the same shape.
    pub fn add(&mut self, name: &str, left: &GraphValue, right: &GraphValue) -> GraphValue {
        self.node("Add", name, &[left.clone(), right.clone()], vec![])
    }

    /// Product of two values, whose shapes broadcast.
    pub fn mul(&mut self, name: &str, left: &GraphValue, right: &GraphValue) -> GraphValue {
        self.node("Mul", name, &[left.clone(), right.clone()], vec![])
    }

    /// `factor · x`.
    pub fn scale(&mut self, name: &str, input: &GraphValue, factor: f32) -> GraphValue {
        let factor = self.floats(&format!("{name}.factor"), &[], &[factor]);
        self.mul(name, input, &factor)
    }

    /// Products of matrices: N×rows×inner with N×inner×columns.
    pub fn matmul(&mut self, name: &str, left: &GraphValue, right: &GraphValue) -> GraphValue {
        self.node("MatMul", name, &[left.clone(), right.clone()], vec![])
    }

    /// `x · table`: for one-hot x, the row of each sample.
    pub fn rows(&mut self, name: &str, input: &GraphValue, table: &StoredTensor) -> GraphValue {
        let table = self.floats(&format!("{name}.table"), table.shape(), table.data());
        self.matmul(name, input, &table)
    }

    /// N×rows×columns to N×columns×rows.
    pub fn transposed(&mut self, name: &str, input: &GraphValue) -> GraphValue {
        self.node("Transpose", name, std::slice::from_ref(input), vec![ints("perm", &[0, 2, 1])])
    }

    /// eˣ along an axis, divided by its sum.
    pub fn softmax(&mut self, name: &str, input: &GraphValue, axis: usize) -> GraphValue {
        self.node("Softmax", name, std::slice::from_ref(input), vec![int("axis", axis)])
    }

    /// The finished model as the bytes of an `.onnx` file.
    pub fn encode(self) -> Vec<u8> {
        ModelProto {
            ir_version: IR_VERSION,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            producer_name: env!("CARGO_PKG_NAME").to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(self.proto),
            metadata_props: self.metadata,
            ..Default::default()
        }
        .encode_to_vec()
    }

    fn node(&mut self, op_type: &str, name: &str, inputs: &[GraphValue], attribute: Vec<AttributeProto>) -> GraphValue {
        self.proto.node.push(NodeProto {
            op_type: op_type.to_owned(),
            name: name.to_owned(),
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: vec![name.to_owned()],
            attribute,
            ..Default::default()
        });
        GraphValue(name.to_owned())
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> GraphValue {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(name, shape, DataType::Float, raw)
    }

    fn integer(&mut self, name: &str, value: usize) -> GraphValue {
        self.initializer(name, &[1], DataType::Int64, (value as i64).to_le_bytes().to_vec())
    }

    fn initializer(&mut self, name: &str, shape: &[usize], data_type: DataType, raw_data: Vec<u8>) -> GraphValue {
        self.proto.initializer.push(TensorProto {
            name: name.to_owned(),
            dims: shape.iter().map(|&length| length as i64).collect(),
            data_type: data_type.into(),
            raw_data,
            ..Default::default()
        });
        GraphValue(name.to_owned())
    }
}

fn value_info(name: &str, shape: &[usize]) -> ValueInfoProto {
    let batch = dimension::Value::DimParam(BATCH.to_owned());
    let lengths = shape.iter().map(|&length| dimension::Value::DimValue(length as i64));
    let dim = std::iter::once(batch).chain(lengths).map(|value| Dimension { value: Some(value), ..Default::default() });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float.into(), shape };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value, ..Default::default() }),
        ..Default::default()
    }
}

fn attribute(name: &str, r#type: AttributeType) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: r#type.into(), ..Default::default() }
}

fn int(name: &str, value: usize) -> AttributeProto {
    AttributeProto { i: value as i64, ..attribute(name, AttributeType::Int) }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto { ints: values.iter().map(|&value| value as i64).collect(), ..attribute(name, AttributeType::Ints) }
}

fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: value.as_bytes().to_vec(), ..attribute(name, AttributeType::String) }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: value, ..attribute(name, AttributeType::Float) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_tensorflows() {
        // (kernel, stride, size) and the padding before and after.
        for (kernel, stride, size, before, after) in [
            (3, 2, 224, 0, 1),
            (3, 1, 112, 1, 1),
            (5, 2, 56, 1, 2),
            (5, 1, 28, 2, 2),
            (1, 1, 7, 0, 0),
            (3, 2, 7, 1, 1),
            (1, 2, 8, 0, 0),
        ] {
            let window = Window::new(kernel, kernel).stride(stride).pad_same(size);
            assert_eq!(window.pads, [before, before, after, after], "{kernel} {stride} {size}");
            let output = (size + before + after - kernel) / stride + 1;
            assert_eq!(output, size.div_ceil(stride));
        }
    }

    #[test]
    fn centred_padding_keeps_the_size() {
        for (height, width) in [(1, 1), (3, 3), (1, 7), (7, 1), (5, 5)] {
            let [top, left, bottom, right] = Window::new(height, width).pad_centred().pads;
            assert_eq!((top + bottom, left + right), (height - 1, width - 1));
        }
    }
}
