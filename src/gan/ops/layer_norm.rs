//! Normalisation of every sample by itself.

use super::batch_norm::normalize_rows;
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
        normalize_rows(self, *rows, epsilon.to_f64())?.mul(gamma)?.add(beta)
    }

    /// (x − mean)/√(variance + ε)·γ + β with the moments of every group of neighbouring channels (axis 1) of every sample
    /// (Wu and He 2018), and one γ and β a channel, as PyTorch's `group_norm`. One group a channel is instance
    /// normalisation.
    ///
    /// # Errors
    /// [`GanError::Shape`] unless the channels can be divided into so many groups, and γ and β have one value a channel.
    pub fn group_norm(&self, groups: usize, gamma: &Var<T>, beta: &Var<T>, epsilon: f64) -> Result<Var<T>, GanError> {
        const OP: &str = "group_norm";
        let &[samples, channels, ..] = self.shape() else {
            return Err(GanError::shape(OP, format!("expected a batch of channels, got shape {:?}", self.shape())));
        };
        if groups == 0 || channels % groups != 0 {
            return Err(GanError::shape(OP, format!("{channels} channels cannot be divided into {groups} groups")));
        }
        normalize_rows(self, samples * groups, epsilon)?.channel_affine(gamma, beta)
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
        check_derivatives(&[sample(&[3, 4, 2], 1), sample(&[4], 2), sample(&[4], 3)], |x| {
            Ok(x[0].group_norm(2, &x[1], &x[2], 1e-5)?.square())
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

    #[test]
    fn groups_have_mean_beta_and_standard_deviation_gamma() {
        use crate::gan::{Tensor, Var};
        let x = Var::constant(sample(&[3, 4, 5, 5], 1));
        let of = |value| Var::constant(Tensor::full(&[4], value));
        let y = x.group_norm(2, &of(2.0), &of(-1.0), 0.0).unwrap();
        for group in y.value().data().chunks_exact(50) {
            let mean = group.iter().sum::<f64>() / 50.0;
            let variance = group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 50.0;
            assert!((mean + 1.0).abs() < 1e-12 && (variance - 4.0).abs() < 1e-12);
        }
        let message = x.group_norm(3, &of(2.0), &of(-1.0), 0.0).unwrap_err().to_string();
        assert_eq!(message, "group_norm: 4 channels cannot be divided into 3 groups");
        let short = Var::constant(sample(&[3], 1));
        let message = x.group_norm(2, &short, &of(0.0), 0.0).unwrap_err().to_string();
        assert_eq!(message, "channel_affine: expected a value for each of 4 channels, got shape [3]");
    }
}
