//! Spectral normalisation: a weight divided by its largest singular value (Miyato, Kataoka, Koyama and Yoshida 2018).
//!
//! As PyTorch's `nn.utils.spectral_norm`: one step of the power iteration for each pass in training, v before u, and none
//! in evaluation; the singular value uᵀWv is differentiated by W alone.

use super::network::Parameter;
use crate::gan::error::GanError;
use crate::gan::layers::{BufferSpec, Initial, Layer, ParameterSpec, Role};
use crate::gan::real::Real;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;

/// Below this a vector has no direction; PyTorch's.
const SMALLEST_NORM: f64 = 1e-12;

impl ParameterSpec {
    /// Whether it is a matrix in the sense of spectral normalisation.
    pub fn is_normalisable(&self) -> bool {
        self.role == Role::Weight && self.name == "weight"
    }
}

/// A weight as a matrix with an output for each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Matrix {
    rows: usize,
    columns: usize,
    /// Numbers of a kernel where inputs come first, as in transposed convolutions.
    transposed_area: Option<usize>,
}

impl Matrix {
    pub fn of(layer: &Layer, shape: &[usize]) -> Self {
        let area: usize = shape[2..].iter().product();
        match layer {
            Layer::ConvTranspose2d(_) => {
                Matrix { rows: shape[1], columns: shape[0] * area, transposed_area: Some(area) }
            }
            _ => Matrix { rows: shape[0], columns: shape[1] * area, transposed_area: None },
        }
    }

    /// Vectors close to the first singular ones.
    pub fn buffers(self) -> [BufferSpec; 2] {
        let spec = |name, length| BufferSpec { name, shape: vec![length], initial: Initial::Direction };
        [spec("weight_u", self.rows), spec("weight_v", self.columns)]
    }

    /// The place in memory of an entry.
    fn place(self, row: usize, column: usize) -> usize {
        match self.transposed_area {
            None => row * self.columns + column,
            Some(area) => (column / area * self.rows + row) * area + column % area,
        }
    }

    fn times<T: Real>(self, weight: &[T], v: &[f64]) -> Vec<f64> {
        let entry = |row, column| weight[self.place(row, column)].to_f64();
        (0..self.rows).map(|row| (0..self.columns).map(|column| entry(row, column) * v[column]).sum()).collect()
    }

    fn transposed_times<T: Real>(self, weight: &[T], u: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; self.columns];
        for (row, &u) in u.iter().enumerate() {
            for (column, sum) in product.iter_mut().enumerate() {
                *sum += weight[self.place(row, column)].to_f64() * u;
            }
        }
        product
    }

    /// One step of the power iteration.
    pub fn iterate<T: Real>(self, weight: &Tensor<T>, vectors: &mut [Parameter<T>]) {
        let [u, v] = vectors else { unreachable!("the buffers of spectral normalisation are two") };
        let direction = normalised(self.transposed_times(weight.data(), &values(&u.value)));
        let image = normalised(self.times(weight.data(), &direction));
        for (buffer, direction) in [(v, direction), (u, image)] {
            buffer.value = Tensor::from_fn(&[direction.len()], |i| T::of(direction[i]));
        }
    }

    /// W/(uᵀWv), with u and v constant.
    pub fn normalise<T: Real>(self, weight: &Var<T>, vectors: &[Parameter<T>]) -> Result<Var<T>, GanError> {
        let (u, v) = (vectors[0].value.data(), vectors[1].value.data());
        let mut outer = vec![T::ZERO; self.rows * self.columns];
        for (row, &u) in u.iter().enumerate() {
            for (column, &v) in v.iter().enumerate() {
                outer[self.place(row, column)] = u * v;
            }
        }
        let outer = Var::constant(Tensor::new(weight.shape(), outer)?);
        let sigma = weight.mul(&outer)?.sum();
        weight.div(&sigma)
    }
}

fn values<T: Real>(tensor: &Tensor<T>) -> Vec<f64> {
    tensor.data().iter().map(|value| value.to_f64()).collect()
}

fn normalised(mut vector: Vec<f64>) -> Vec<f64> {
    let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt().max(SMALLEST_NORM);
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::layers::{Bias, ConvTranspose2d, Initializer, Linear};
    use crate::gan::networks::{Graph, Network};
    use crate::gan::random::Random;
    use crate::gan::testing::{check_derivatives, sample};

    fn spectral(layer: impl Into<Layer>, input: &[usize]) -> Network<f64> {
        let mut graph = Graph::builder(Initializer::XavierNormal);
        let x = graph.input("x", input);
        let y = graph.spectral_norm(true).node(layer, &[x]);
        graph.output("y", y);
        Network::new(graph.build().unwrap(), &mut Random::new(1)).unwrap()
    }

    #[test]
    fn the_largest_singular_value_tends_to_one() {
        let mut network = spectral(Linear { inputs: 3, outputs: 3, bias: Bias::No }, &[3]);
        let singular = [3.0, 2.0, 0.5];
        let diagonal = Tensor::from_fn(&[3, 3], |i| if i % 4 == 0 { singular[i / 4] } else { 0.0 });
        network.parameters_mut()[0].value = diagonal;
        let x = Var::constant(Tensor::new(&[1, 3], vec![1.0, 0.0, 0.0]).unwrap());
        let mut last = 0.0;
        for _ in 0..40 {
            let y = network.forward(&network.constants(), &[&x], &mut Random::new(0)).unwrap();
            last = y.only().unwrap().value().data()[0];
        }
        // Each step leaves (2/3)² of the error of the vectors.
        assert!((last - 1.0).abs() < 1e-6, "{last}");
        assert_eq!(network.evaluate(&[&x]).unwrap().only().unwrap().value().data()[0], last);
    }

    #[test]
    fn derivatives_by_the_weight_take_the_vectors_for_constants() {
        let layer = ConvTranspose2d {
            inputs: 2,
            outputs: 3,
            kernel: 2,
            stride: 1,
            padding: 0,
            output_padding: 0,
            bias: Bias::No,
        };
        let network = spectral(layer, &[2, 2, 2]);
        let x = Var::constant(sample(&[2, 2, 2, 2], 3));
        check_derivatives(&[sample(&[2, 3, 2, 2], 4)], |weight| {
            Ok(network.evaluate_with(weight, &[&x])?.only()?.clone())
        });
    }

    #[test]
    fn a_transposed_convolution_has_an_output_channel_in_each_row() {
        let shape = [2, 3, 2, 2];
        let layer = Layer::from(ConvTranspose2d {
            inputs: 2,
            outputs: 3,
            kernel: 2,
            stride: 1,
            padding: 0,
            output_padding: 0,
            bias: Bias::No,
        });
        let matrix = Matrix::of(&layer, &shape);
        // weight[i, o, y, x] is in row o: places of all entries are those of the tensor, each once.
        let mut places: Vec<usize> = (0..3).flat_map(|r| (0..8).map(move |c| matrix.place(r, c))).collect();
        assert_eq!(matrix.place(1, 5), 12 + 4 + 1);
        places.sort_unstable();
        assert_eq!(places, (0..24).collect::<Vec<_>>());
    }
}
