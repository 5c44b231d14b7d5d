//! Batch normalisation (Ioffe and Szegedy 2015).

use crate::gan::error::GanError;
use crate::gan::kernels::normalization::Channels;
use crate::gan::real::Real;
use crate::gan::tape::{Backward, Op, Var};
use crate::gan::tensor::Tensor;

type Derivatives<T> = Result<Vec<Option<Var<T>>>, GanError>;

/// Mean and variance of the channels of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchMoments {
    /// Mean of every channel.
    pub mean: Vec<f64>,
    /// Biased variance of every channel.
    pub variance: Vec<f64>,
    /// Values of a channel.
    pub n: usize,
}

/// What [`Var::batch_norm`] gives.
#[derive(Debug)]
pub struct BatchNormOutput<T: Real> {
    /// The normalised values.
    pub output: Var<T>,
    /// The moments that they were normalised with.
    pub moments: BatchMoments,
}

struct BatchNormOp {
    channels: Channels,
    moments: BatchMoments,
    epsilon: f64,
}

impl BatchNormOp {
    fn inverse_deviation(&self) -> Vec<f64> {
        self.moments.variance.iter().map(|variance| (variance + self.epsilon).sqrt().recip()).collect()
    }

    fn new<T: Real>(channels: Channels, x: &Var<T>, epsilon: f64) -> Self {
        let (mean, variance) = channels.moments(x.value().data());
        let n = x.value().len() / channels.count.max(1);
        BatchNormOp { channels, moments: BatchMoments { mean, variance, n }, epsilon }
    }

    fn apply<T: Real>(self, x: &Var<T>, gamma: &Var<T>, beta: &Var<T>) -> Var<T> {
        let inverse = self.inverse_deviation();
        let scale = |channel: usize| gamma.value().data()[channel].to_f64() * inverse[channel];
        let shift =
            |channel: usize| beta.value().data()[channel].to_f64() - self.moments.mean[channel] * scale(channel);
        let scales: Vec<T> = (0..self.channels.count).map(|channel| T::of(scale(channel))).collect();
        let shifts: Vec<T> = (0..self.channels.count).map(|channel| T::of(shift(channel))).collect();
        let value = self.channels.affine(x.value().data(), &scales, &shifts);
        Var::made(Tensor::from_buffer(x.shape(), value), self, &[x, gamma, beta])
    }

    /// The definition in other operations, which can be differentiated any number of times.
    fn definition<T: Real>(&self, inputs: &[Var<T>]) -> Result<Var<T>, GanError> {
        let [x, gamma, beta] = inputs else { unreachable!("batch_norm has three inputs") };
        let per_channel = [self.channels.count, 1];
        let count = T::of(self.moments.n as f64);
        let images = x.value().len() / (self.channels.count * self.channels.positions);
        let rows = x.reshape(&[images, self.channels.count, self.channels.positions])?;
        let mean = rows.sum_to(&per_channel)?.scale(T::ONE / count);
        let centred = rows.sub(&mean)?;
        let variance = centred.square().sum_to(&per_channel)?.scale(T::ONE / count);
        let normalised = centred.div(&variance.shift(T::of(self.epsilon)).sqrt())?;
        normalised.mul(&gamma.reshape(&per_channel)?)?.add(&beta.reshape(&per_channel)?)?.reshape(x.shape())
    }

    /// The same derivatives in two passes over the values.
    fn fused<T: Real>(&self, call: &Backward<'_, T>) -> Vec<Option<Var<T>>> {
        let ([x, gamma, _], g) = (call.inputs, call.grad) else { unreachable!("batch_norm has three inputs") };
        let mean = &self.moments.mean;
        let inverse = self.inverse_deviation();
        let n = self.moments.n as f64;
        let (g_data, x_data) = (g.value().data(), x.value().data());
        let (sum_g, sum_gx) = self.channels.sums_with(g_data, x_data, mean);
        let by_x = call.wants(0).then(|| {
            // γ/σ·(g − mean(g) − x̂·mean(g·x̂)), written as a·g + b·x + c.
            let coefficients: Vec<[T; 3]> = (0..self.channels.count)
                .map(|channel| {
                    let a = gamma.value().data()[channel].to_f64() * inverse[channel];
                    let b = -a * inverse[channel].powi(2) * sum_gx[channel] / n;
                    let c = -a * sum_g[channel] / n - b * mean[channel];
                    [T::of(a), T::of(b), T::of(c)]
                })
                .collect();
            Tensor::from_buffer(x.shape(), self.channels.combine(g_data, x_data, &coefficients))
        });
        let shape = gamma.shape();
        let by_gamma =
            call.wants(1).then(|| Tensor::from_fn(shape, |channel| T::of(sum_gx[channel] * inverse[channel])));
        let by_beta = call.wants(2).then(|| Tensor::from_fn(shape, |channel| T::of(sum_g[channel])));
        [by_x, by_gamma, by_beta].into_iter().map(|derivative| derivative.map(Var::constant)).collect()
    }
}

impl<T: Real> Op<T> for BatchNormOp {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        if call.is_final() { Ok(self.fused(call)) } else { call.by_definition(|inputs| self.definition(inputs)) }
    }
}

/// (x − mean)/√(variance + ε) within each of `rows` rows of equal length: they are the channels of a batch of one.
pub(super) fn normalize_rows<T: Real>(x: &Var<T>, rows: usize, epsilon: f64) -> Result<Var<T>, GanError> {
    let channels = Channels { count: rows, positions: x.value().len() / rows.max(1) };
    let [gamma, beta] = [T::ONE, T::ZERO].map(|value| Var::constant(Tensor::full(&[rows], value)));
    let batch = x.reshape(&[1, rows, channels.positions])?;
    BatchNormOp::new(channels, &batch, epsilon).apply(&batch, &gamma, &beta).reshape(x.shape())
}

fn channels<T: Real>(op: &'static str, x: &Var<T>, per_channel: &[&Var<T>]) -> Result<Channels, GanError> {
    let &[_, count, ref positions @ ..] = x.shape() else {
        let problem = format!("expected a batch of channels, got shape {:?}", x.shape());
        return Err(GanError::shape(op, problem));
    };
    match per_channel.iter().find(|parameter| parameter.shape() != [count]) {
        Some(parameter) => {
            let problem = format!("expected a value for each of {count} channels, got shape {:?}", parameter.shape());
            Err(GanError::shape(op, problem))
        }
        None => Ok(Channels { count, positions: positions.iter().product() }),
    }
}

impl<T: Real> Var<T> {
    /// (x − mean)/√(variance + ε)·γ + β with the mean and the biased variance of every channel (axis 1) over the batch
    /// and all positions, as PyTorch's `batch_norm` in training. The moments are accumulated in f64.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless γ and β have one value a channel and a channel has at least two values.
    pub fn batch_norm(&self, gamma: &Var<T>, beta: &Var<T>, epsilon: f64) -> Result<BatchNormOutput<T>, GanError> {
        const OP: &str = "batch_norm";
        let channels = channels(OP, self, &[gamma, beta])?;
        let n = self.value().len() / channels.count.max(1);
        if n < 2 {
            let problem = format!("{n} value a channel in shape {:?}: training needs at least two", self.shape());
            return Err(GanError::shape(OP, problem));
        }
        let op = BatchNormOp::new(channels, self, epsilon);
        let moments = op.moments.clone();
        Ok(BatchNormOutput { output: op.apply(self, gamma, beta), moments })
    }

    /// scale·x + shift with one scale and one shift for each channel (axis 1): batch normalisation with given moments.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless scale and shift have one value a channel.
    pub fn channel_affine(&self, scale: &Var<T>, shift: &Var<T>) -> Result<Var<T>, GanError> {
        let channels = channels("channel_affine", self, &[scale, shift])?;
        let value = channels.affine(self.value().data(), scale.value().data(), shift.value().data());
        Ok(Var::made(Tensor::from_buffer(self.shape(), value), ChannelAffine(channels), &[self, scale, shift]))
    }
}

impl<T: Real> Var<T> {
    /// scale·x + shift with one scale and one shift for each channel of each sample, both N×C for N×C×… values: what
    /// conditional normalisation and adaptive instance normalisation end with.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless scale and shift have one value a channel of a sample.
    pub fn sample_affine(&self, scale: &Var<T>, shift: &Var<T>) -> Result<Var<T>, GanError> {
        const OP: &str = "sample_affine";
        let &[samples, count, ref positions @ ..] = self.shape() else {
            return Err(GanError::shape(OP, format!("expected a batch of channels, got shape {:?}", self.shape())));
        };
        if let Some(parameter) = [scale, shift].iter().find(|parameter| parameter.shape() != [samples, count]) {
            let problem = format!(
                "expected a value for each of {count} channels of {samples} samples, got shape {:?}",
                parameter.shape()
            );
            return Err(GanError::shape(OP, problem));
        }
        // The channels of all samples are the channels of a batch of one.
        let rows = samples * count;
        let batch = self.reshape(&[1, rows, positions.iter().product()])?;
        batch.channel_affine(&scale.reshape(&[rows])?, &shift.reshape(&[rows])?)?.reshape(self.shape())
    }
}

struct ChannelAffine(Channels);

impl ChannelAffine {
    fn per_channel<T: Real>(&self, x: &Var<T>) -> Result<Var<T>, GanError> {
        let Channels { count, positions } = self.0;
        x.reshape(&[x.value().len() / (count * positions).max(1), count, positions])?
            .sum_to(&[count, 1])?
            .reshape(&[count])
    }
}

impl<T: Real> Op<T> for ChannelAffine {
    fn name(&self) -> &'static str {
        "channel_affine"
    }

    fn vjp(&self, call: &Backward<'_, T>) -> Derivatives<T> {
        let ([x, scale, _], g) = (call.inputs, call.grad) else { unreachable!("channel_affine has three inputs") };
        let no_shift = || Var::constant(Tensor::zeros(scale.shape()));
        if call.is_final() && (call.wants(1) || call.wants(2)) {
            // One pass for both sums, and no products in memory.
            let centre = vec![0.0; self.0.count];
            let (sums, products) = self.0.sums_with(g.value().data(), x.value().data(), &centre);
            let constant = |values: Vec<f64>| Some(Var::constant(Tensor::from_fn(scale.shape(), |i| T::of(values[i]))));
            return Ok(vec![call.by(0, || g.channel_affine(scale, &no_shift()))?, constant(products), constant(sums)]);
        }
        Ok(vec![
            call.by(0, || g.channel_affine(scale, &no_shift()))?,
            call.by(1, || self.per_channel(&g.mul(x)?))?,
            call.by(2, || self.per_channel(g))?,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_derivatives, sample};
    use crate::gan::{Differentiability, grad};

    const EPSILON: f64 = 1e-5;

    fn example() -> [Tensor<f64>; 3] {
        [sample(&[4, 3, 2, 2], 1), sample(&[3], 2), sample(&[3], 3)]
    }

    #[test]
    fn derivatives() {
        check_derivatives(&example(), |x| Ok(x[0].batch_norm(&x[1], &x[2], EPSILON)?.output.square()));
        check_derivatives(&[sample(&[5, 3], 1), sample(&[3], 2), sample(&[3], 3)], |x| {
            Ok(x[0].batch_norm(&x[1], &x[2], EPSILON)?.output.square())
        });
        check_derivatives(&example(), |x| Ok(x[0].channel_affine(&x[1], &x[2])?.square()));
        check_derivatives(&[sample(&[2, 3, 4], 1), sample(&[2, 3], 2), sample(&[2, 3], 3)], |x| {
            Ok(x[0].sample_affine(&x[1], &x[2])?.square())
        });
    }

    #[test]
    fn the_fused_derivative_is_that_of_the_definition() {
        let leaves = example().map(Var::leaf);
        let all: Vec<_> = leaves.iter().collect();
        let direction = Var::constant(sample(&[4, 3, 2, 2], 9));
        let y = leaves[0].batch_norm(&leaves[1], &leaves[2], EPSILON).unwrap().output.mul(&direction).unwrap().sum();
        let fused = grad(&y, &all, Differentiability::Once).unwrap();
        let slow = grad(&y, &all, Differentiability::Again).unwrap();
        for (fused, slow) in fused.iter().zip(&slow) {
            for (fused, slow) in fused.value().data().iter().zip(slow.value().data()) {
                assert!((fused - slow).abs() < 1e-12, "{fused} is not {slow}");
            }
        }
    }

    #[test]
    fn the_fused_derivative_of_scale_and_shift_is_that_of_the_definition() {
        let leaves = example().map(Var::leaf);
        let y = leaves[0].channel_affine(&leaves[1], &leaves[2]).unwrap().square().sum();
        let of = |again| grad(&y, &[&leaves[0], &leaves[1], &leaves[2]], again).unwrap();
        for (fused, slow) in of(Differentiability::Once).iter().zip(of(Differentiability::Again)) {
            assert!(fused.sub(&slow).unwrap().value().norm() < 1e-12 * slow.value().norm());
        }
    }

    #[test]
    fn channels_have_mean_beta_and_variance_gamma_squared() {
        let x = Var::constant(sample(&[6, 2, 5, 5], 1));
        let (gamma, beta) = (Tensor::new(&[2], vec![2.0, 0.5]).unwrap(), Tensor::new(&[2], vec![-1.0, 3.0]).unwrap());
        let y = x.batch_norm(&Var::constant(gamma.clone()), &Var::constant(beta.clone()), 0.0).unwrap().output;
        let (mean, variance) = Channels { count: 2, positions: 25 }.moments(y.value().data());
        for channel in 0..2 {
            assert!((mean[channel] - beta.data()[channel]).abs() < 1e-12);
            assert!((variance[channel] - gamma.data()[channel].powi(2)).abs() < 1e-12);
        }
    }

    #[test]
    fn every_sample_has_its_own_scale_and_shift() {
        let x = Var::constant(Tensor::from_fn(&[2, 2, 2], |i| i as f32));
        let of = |values: [f32; 4]| Var::constant(Tensor::new(&[2, 2], values.to_vec()).unwrap());
        let y = x.sample_affine(&of([1.0, 10.0, 0.0, -1.0]), &of([0.0, 1.0, 2.0, 3.0])).unwrap();
        assert_eq!(y.value().data(), [0.0, 1.0, 21.0, 31.0, 2.0, 2.0, -3.0, -4.0]);
        let one = Var::constant(Tensor::zeros(&[2]));
        let message = x.sample_affine(&of([0.0; 4]), &one).unwrap_err().to_string();
        assert_eq!(message, "sample_affine: expected a value for each of 2 channels of 2 samples, got shape [2]");
        assert!(one.sample_affine(&one, &one).is_err());
    }

    #[test]
    fn a_single_value_a_channel_cannot_be_normalised() {
        let one = Var::constant(Tensor::<f32>::full(&[3], 1.0));
        let message = Var::constant(Tensor::zeros(&[1, 3])).batch_norm(&one, &one, EPSILON).unwrap_err().to_string();
        assert_eq!(message, "batch_norm: 1 value a channel in shape [1, 3]: training needs at least two");
        let error = Var::constant(Tensor::<f32>::zeros(&[4, 2])).batch_norm(&one, &one, EPSILON).unwrap_err();
        assert_eq!(error.to_string(), "batch_norm: expected a value for each of 2 channels, got shape [3]");
    }
}
