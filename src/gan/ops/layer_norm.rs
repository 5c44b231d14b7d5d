//! Normalisation of every row by itself.

use crate::gan::error::GanError;
use crate::gan::real::Real;
use crate::gan::tape::Var;

impl<T: Real> Var<T> {
    /// (x − mean)/√(variance + ε)·γ + β over all axes but the first (Ba, Kiros and Hinton 2016), with γ and β of one
    /// row's shape and the biased variance, as PyTorch's `layer_norm`.
    ///
    /// # Errors
    /// [`GanError::Shape`] when γ or β has another shape than a row.
    pub fn layer_norm(&self, gamma: &Var<T>, beta: &Var<T>, epsilon: T) -> Result<Var<T>, GanError> {
        let [rows, row @ ..] = self.shape() else {
            return Err(GanError::shape("layer_norm", "a single value has no rows"));
        };
        for (name, parameter) in [("γ", gamma), ("β", beta)] {
            if parameter.shape() != row {
                let problem = format!("{name} must have the shape of a row, {row:?}, got {:?}", parameter.shape());
                return Err(GanError::shape("layer_norm", problem));
            }
        }
        let columns = row.iter().product::<usize>();
        let n = T::of(columns as f64);
        let x = self.reshape(&[*rows, columns])?;
        let mean = x.sum_to(&[*rows, 1])?.scale(T::ONE / n);
        let centred = x.sub(&mean)?;
        let variance = centred.square().sum_to(&[*rows, 1])?.scale(T::ONE / n);
        let normalised = centred.div(&variance.shift(epsilon).sqrt())?;
        normalised.reshape(self.shape())?.mul(gamma)?.add(beta)
    }
}

#[cfg(test)]
mod tests {
    use crate::gan::testing::{check_derivatives, sample};

    #[test]
    fn derivatives() {
        check_derivatives(&[sample(&[3, 2, 3], 1), sample(&[2, 3], 2), sample(&[2, 3], 3)], |x| {
            Ok(x[0].layer_norm(&x[1], &x[2], 1e-5)?.square())
        });
    }

    #[test]
    fn rows_have_mean_beta_and_standard_deviation_gamma() {
        use crate::gan::{Tensor, Var};
        let x = Var::constant(sample(&[4, 50], 1));
        let of = |value| Var::constant(Tensor::full(&[50], value));
        let y = x.layer_norm(&of(2.0), &of(-1.0), 0.0).unwrap();
        for row in y.value().data().chunks_exact(50) {
            let mean = row.iter().sum::<f64>() / 50.0;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 50.0;
            assert!((mean + 1.0).abs() < 1e-12 && (variance - 4.0).abs() < 1e-12);
        }
        assert!(x.layer_norm(&Var::constant(sample(&[4], 1)), &of(0.0), 0.0).is_err());
    }
}
