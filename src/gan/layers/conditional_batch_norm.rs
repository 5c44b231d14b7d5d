use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::NORMALIZATION_EPSILON;
use super::batch_norm::{affine, running_moments, update_running};
use super::definition::{BufferSpec, Call, Definition, Mode, ParameterSpec, expect_channels};
use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// Batch normalisation whose scale and shift are those of the sample's class: y = s_c·(x − μ)/√(σ² + ε) + b_c with ε = 1e-5. Moments
/// are of the whole batch, whatever its classes (Dumoulin, Shlens and Kudlur 2017; Miyato and Koyama 2018). The inputs are maps and
/// classes, one-hot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConditionalBatchNorm {
    /// Channels.
    pub channels: usize,
    /// Classes.
    pub classes: usize,
}

impl ConditionalBatchNorm {
    /// A scale of 1 and a shift of 0 for every channel.
    fn neutral<T: Real>(&self) -> [Tensor<T>; 2] {
        [T::ONE, T::ZERO].map(|value| Tensor::full(&[self.channels], value))
    }
}

impl Definition for ConditionalBatchNorm {
    fn parameters(&self) -> Vec<ParameterSpec> {
        ParameterSpec::normalising(&[self.classes, self.channels])
    }

    fn buffers(&self) -> Vec<BufferSpec> {
        running_moments(self.channels)
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn normalises_by_batch(&self) -> bool {
        true
    }

    fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, GanError> {
        expect_channels("conditional batch norm", inputs[0], self.channels)?;
        match inputs[1] == [self.classes] {
            true => Ok(inputs[0].to_vec()),
            false => {
                let problem = format!("it takes one of {} classes, one-hot, the input is {:?}", self.classes, inputs[1]);
                Err(GanError::shape("conditional batch norm", problem))
            }
        }
    }

    fn apply<T: Real>(&self, call: Call<'_, T>) -> Result<Var<T>, GanError> {
        let (x, [one, zero]) = (&call.inputs[0], self.neutral());
        let normalised = match call.mode {
            Mode::Training { buffers, .. } => {
                let normalised =
                    x.batch_norm(&Var::constant(one), &Var::constant(zero), NORMALIZATION_EPSILON)?;
                update_running(buffers, &normalised.moments);
                normalised.output
            }
            Mode::Evaluation { buffers } => {
                let [scale, shift] = affine(&one, &zero, buffers);
                x.channel_affine(&scale, &shift)?
            }
        };
        let [scale, shift] = [0, 1].map(|i| call.inputs[1].matmul(&call.parameters[i]));
        normalised.sample_affine(&scale?, &shift?)
    }

    #[cfg(feature = "inference")]
    fn onnx(&self, node: super::onnx::Export<'_>) -> Option<crate::extractor::weights::onnx::GraphValue> {
        let name = |part: &str| format!("{}.{part}", node.name);
        let tables = ["weight", "bias"].map(|part| node.tensor(part));
        let [one, zero] = self.neutral::<f32>();
        let moments = ["running_mean", "running_var"].map(|part| node.values(part));
        let [mean, variance] = moments.each_ref().map(Vec::as_slice);
        let parameters = [one.data(), zero.data(), mean, variance];
        let (graph, labels) = (node.graph, &node.inputs[1]);
        let normalised =
            graph.batch_norm(&name("normalised"), &node.inputs[0], parameters, NORMALIZATION_EPSILON as f32);
        let mut of_class = |part: &str, table| {
            let row = graph.rows(&name(&format!("{part}.row")), labels, table);
            graph.reshape(&name(part), &row, &[self.channels, 1, 1])
        };
        let [scale, shift] = [of_class("scale", &tables[0]), of_class("shift", &tables[1])];
        let scaled = graph.mul(&name("scaled"), &normalised, &scale);
        Some(graph.add(&node.name, &scaled, &shift))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::layers::{BatchNorm, Initializer, Layer};
    use crate::gan::networks::{Graph, Network};
    use crate::gan::random::Random;
    use crate::gan::testing::{check_derivatives, sample};

    const LAYER: ConditionalBatchNorm = ConditionalBatchNorm { channels: 3, classes: 2 };

    fn conditional() -> Network<f64> {
        let mut graph = Graph::builder(Initializer::XavierUniform);
        let (x, labels) = (graph.input("x", &[3, 2, 2]), graph.input("labels", &[2]));
        let y = graph.node(LAYER, &[x, labels]);
        graph.output("y", y);
        Network::new(graph.build().unwrap(), &mut Random::new(1)).unwrap()
    }

    fn labels() -> Var<f64> {
        Var::constant(Tensor::new(&[4, 2], vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]).unwrap())
    }

    #[test]
    fn with_equal_rows_it_is_batch_normalisation() {
        let (mut conditional, random) = (conditional(), &mut Random::new(2));
        let plain: Layer = BatchNorm { channels: 3 }.into();
        let graph = Graph::chain(("x", &[3, 2, 2]), [plain], "y", Initializer::XavierUniform).unwrap();
        let mut plain = Network::new(graph, random).unwrap();
        for (of_classes, parameter) in conditional.parameters_mut().iter_mut().zip(plain.parameters_mut()) {
            parameter.value = sample(&[3], 5);
            of_classes.value = Tensor::from_fn(&[2, 3], |i| parameter.value.data()[i % 3]);
        }
        let x = Var::constant(sample(&[4, 3, 2, 2], 6));
        let constants = [conditional.constants(), plain.constants()];
        let trained = [
            conditional.forward(&constants[0], &[&x, &labels()], random).unwrap(),
            plain.forward(&constants[1], &[&x], random).unwrap(),
        ];
        let evaluated = [conditional.evaluate(&[&x, &labels()]).unwrap(), plain.evaluate(&[&x]).unwrap()];
        for [ours, expected] in [trained, evaluated] {
            let pairs = ours.only().unwrap().value().data().iter().zip(expected.only().unwrap().value().data());
            assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-12);
        }
        let moments = |network: &Network<f64>| network.state().skip(2).cloned().collect::<Vec<_>>();
        assert_eq!(moments(&conditional), moments(&plain));
    }

    #[test]
    fn the_class_decides_scale_and_shift() {
        let mut network = conditional();
        network.parameters_mut()[1].value = Tensor::from_fn(&[2, 3], |i| if i < 3 { 10.0 } else { -10.0 });
        let y = network.evaluate(&[&Var::constant(Tensor::zeros(&[4, 3, 2, 2])), &labels()]).unwrap();
        let of_samples: Vec<f64> = y.only().unwrap().value().data().chunks(12).map(|sample| sample[0]).collect();
        assert_eq!(of_samples, [10.0, -10.0, -10.0, 10.0]);
    }

    #[test]
    fn derivatives() {
        let at = [sample(&[4, 3, 2, 2], 1), sample(&[2, 3], 2), sample(&[2, 3], 3)];
        let network = conditional();
        check_derivatives(&at, |x| {
            let mut network = network.clone();
            Ok(network.forward(&x[1..], &[&x[0], &labels()], &mut Random::new(1))?.only()?.clone())
        });
    }
}
