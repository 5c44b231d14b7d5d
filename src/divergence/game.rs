//! The GAN game of Goodfellow et al. (2014) on distributions instead of networks: what its theorems say, as functions.
//!
//! V(D, G) = E_p\[ln D\] + E_q\[ln(1 − D)\], where P is the data and Q what the generator makes. The best discriminator is
//! D\* = p/(p+q) and V(D\*, G) = −ln 4 + 2·JS(P‖Q), which is −ln 4 exactly when P = Q.

use crate::divergence::continuous;
use crate::divergence::density::Density;
use crate::divergence::discrete::{self, Distribution, DistributionError};
use crate::divergence::generator::Generator;
use crate::divergence::kind::Divergence;
use crate::divergence::masses::compensated_sum;
use crate::divergence::quadrature::{Integral, QuadratureError};

/// D* = p/(p+q) at one point, from masses or densities; ½ where there is neither.
pub fn optimal_discriminator(p: f64, q: f64) -> f64 {
    if p == 0.0 && q == 0.0 {
        0.5
    } else if p >= q {
        1.0 / (1.0 + q / p)
    } else {
        let ratio = p / q;
        ratio / (1.0 + ratio)
    }
}

/// V(D, G) of any discriminator, given by its probability of "data" at each point. −∞ where it is certain and wrong.
///
/// # Errors
/// [`DistributionError::LengthMismatch`] when the lengths differ.
pub fn value(discriminator: &[f64], p: &Distribution, q: &Distribution) -> Result<f64, DistributionError> {
    let pairs = p.zip(q)?;
    if discriminator.len() != p.len() {
        return Err(DistributionError::LengthMismatch { p: p.len(), q: discriminator.len() });
    }
    // 0·ln 0 = 0: what never happens costs nothing.
    let term = |mass: f64, log: f64| if mass == 0.0 { 0.0 } else { mass * log };
    let terms = pairs.zip(discriminator).flat_map(|((p, q), d)| [term(p, d.ln()), term(q, (-d).ln_1p())]);
    Ok(compensated_sum(terms))
}

/// V(D*, G) = −ln 4 + 2·JS(P‖Q), in \[−ln 4, 0\].
///
/// ```
/// use gan_metrics::divergence::{Distribution, game};
///
/// let p = Distribution::new(vec![0.5, 0.5])?;
/// assert_eq!(game::optimal_value(&p, &p)?, -(4.0_f64.ln()));
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`DistributionError::LengthMismatch`].
pub fn optimal_value(p: &Distribution, q: &Distribution) -> Result<f64, DistributionError> {
    discrete::divergence(Divergence::F(Generator::GAN), p, q)
}

/// [`optimal_value`] of densities.
///
/// # Errors
/// [`QuadratureError`] when the integral does not converge.
pub fn optimal_value_of_densities(p: &Density, q: &Density) -> Result<Integral, QuadratureError> {
    continuous::by_quadrature(Divergence::F(Generator::GAN), p, q)
}

/// What a generator minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratorLoss {
    /// E_q\[ln(1 − D)\], from the game itself; its gradient vanishes where the discriminator wins.
    Saturating,
    /// −E_q\[ln D\], the replacement that is trained in practice.
    NonSaturating,
}

impl GeneratorLoss {
    /// The loss of a sample with discriminator output D in (0, 1).
    pub fn value(self, discriminator: f64) -> f64 {
        match self {
            GeneratorLoss::Saturating => (-discriminator).ln_1p(),
            GeneratorLoss::NonSaturating => -discriminator.ln(),
        }
    }

    /// Its derivative with respect to D: −1/(1−D) or −1/D.
    pub fn slope(self, discriminator: f64) -> f64 {
        match self {
            GeneratorLoss::Saturating => -1.0 / (1.0 - discriminator),
            GeneratorLoss::NonSaturating => -1.0 / discriminator,
        }
    }

    /// Its derivative with respect to the discriminator's logit a, D = 1/(1+e^{−a}): −D or −(1−D). The first vanishes
    /// where the discriminator recognises fakes (a → −∞), the second does not.
    pub fn logit_slope(self, logit: f64) -> f64 {
        match self {
            GeneratorLoss::Saturating => -1.0 / (1.0 + (-logit).exp()),
            GeneratorLoss::NonSaturating => -1.0 / (1.0 + logit.exp()),
        }
    }

    /// The gradient of the expected loss with respect to the generator's parameters, for the generator that makes
    /// point j with the softmax probability qⱼ and a fixed discriminator: qⱼ·(ℓⱼ − E_q\[ℓ\]).
    ///
    /// At D = D\* the saturating gradient is that of 2·JS and the non-saturating one that of KL(Q‖P) − 2·JS (Arjovsky
    /// and Bottou 2017, theorem 2.5).
    ///
    /// # Errors
    /// [`DistributionError::LengthMismatch`] when the lengths differ.
    pub fn gradient(self, discriminator: &[f64], q: &Distribution) -> Result<Vec<f64>, DistributionError> {
        if discriminator.len() != q.len() {
            return Err(DistributionError::LengthMismatch { p: discriminator.len(), q: q.len() });
        }
        let terms: Vec<(f64, f64)> =
            q.probabilities().iter().zip(discriminator).map(|(q, d)| (*q, self.value(*d))).collect();
        // Points that are never made have no loss, however large it would be.
        let made = |(q, loss): &(f64, f64)| if *q == 0.0 { 0.0 } else { q * loss };
        let expected = compensated_sum(terms.iter().map(made));
        Ok(terms.iter().map(|(q, loss)| if *q == 0.0 { 0.0 } else { q * (loss - expected) }).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::divergence::divergence;

    fn softmax(logits: &[f64]) -> Distribution {
        Distribution::normalized(logits.iter().map(|logit| logit.exp()).collect()).unwrap()
    }

    fn optimal(p: &Distribution, q: &Distribution) -> Vec<f64> {
        p.zip(q).unwrap().map(|(p, q)| optimal_discriminator(p, q)).collect()
    }

    #[test]
    fn discriminator_survives_extremes() {
        assert_eq!(optimal_discriminator(0.0, 0.0), 0.5);
        assert_eq!(optimal_discriminator(1e-300, 0.0), 1.0);
        assert_eq!(optimal_discriminator(0.0, 1e-300), 0.0);
        assert_eq!(optimal_discriminator(1e-320, 1e-320), 0.5);
        assert_eq!(optimal_discriminator(1e300, 3e300), 0.25);
    }

    #[test]
    fn value_of_disjoint_distributions_is_zero() {
        let (p, q) = (Distribution::new(vec![1.0, 0.0]).unwrap(), Distribution::new(vec![0.0, 1.0]).unwrap());
        assert_eq!(optimal_value(&p, &q).unwrap(), 0.0);
        assert_eq!(value(&optimal(&p, &q), &p, &q).unwrap(), 0.0);
        assert_eq!(value(&[0.0, 1.0], &p, &q).unwrap(), f64::NEG_INFINITY);
        assert!(value(&[0.5], &p, &q).is_err());
    }

    #[test]
    fn densities_play_the_same_game() {
        let (p, q) = ("normal(0,1)".parse().unwrap(), "normal(1,2)".parse().unwrap());
        let js = continuous::by_quadrature("js".parse().unwrap(), &p, &q).unwrap().value;
        let value = optimal_value_of_densities(&p, &q).unwrap().value;
        assert!((value - 2.0 * js + 4.0_f64.ln()).abs() < 1e-13);
    }

    #[test]
    fn slopes_are_derivatives() {
        for loss in [GeneratorLoss::Saturating, GeneratorLoss::NonSaturating] {
            for logit in [-6.0_f64, -0.3, 0.0, 2.0] {
                let discriminator = |logit: f64| 1.0 / (1.0 + (-logit).exp());
                let step = 1e-6;
                let of_logit = |a: f64| loss.value(discriminator(a));
                let slope = (of_logit(logit + step) - of_logit(logit - step)) / (2.0 * step);
                assert!((loss.logit_slope(logit) - slope).abs() < 1e-8);
                let d = discriminator(logit);
                assert!((loss.slope(d) * d * (1.0 - d) - slope).abs() < 1e-8);
            }
        }
        // The reason for the non-saturating loss.
        assert!(GeneratorLoss::Saturating.logit_slope(-30.0).abs() < 1e-12);
        assert!((GeneratorLoss::NonSaturating.logit_slope(-30.0) + 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn no_discriminator_beats_the_optimal_one(
            p in prop::collection::vec(-3.0..3.0_f64, 5), q in prop::collection::vec(-3.0..3.0_f64, 5),
            d in prop::collection::vec(0.001..0.999_f64, 5),
        ) {
            let (p, q) = (softmax(&p), softmax(&q));
            let best = optimal_value(&p, &q).unwrap();
            let js = divergence("js".parse().unwrap(), &p, &q).unwrap();
            prop_assert!((best - 2.0 * js + 4.0_f64.ln()).abs() < 1e-14);
            prop_assert!((value(&optimal(&p, &q), &p, &q).unwrap() - best).abs() < 1e-13);
            prop_assert!(value(&d, &p, &q).unwrap() <= best + 1e-13);
        }

        #[test]
        fn gradients_are_those_of_the_divergences_they_descend(
            p in prop::collection::vec(-2.0..2.0_f64, 4), logits in prop::collection::vec(-2.0..2.0_f64, 4),
        ) {
            let p = softmax(&p);
            let q = softmax(&logits);
            let discriminator = optimal(&p, &q);
            let of = |name: &str, logits: &[f64]| divergence(name.parse().unwrap(), &p, &softmax(logits)).unwrap();
            let saturating = GeneratorLoss::Saturating.gradient(&discriminator, &q).unwrap();
            let non_saturating = GeneratorLoss::NonSaturating.gradient(&discriminator, &q).unwrap();
            for index in 0..4 {
                let slope = |objective: &dyn Fn(&[f64]) -> f64| {
                    let shifted = |step: f64| {
                        let mut shifted = logits.clone();
                        shifted[index] += step;
                        objective(&shifted)
                    };
                    (shifted(1e-5) - shifted(-1e-5)) / 2e-5
                };
                let js = slope(&|logits| 2.0 * of("js", logits));
                prop_assert!((saturating[index] - js).abs() < 1e-8);
                let other = slope(&|logits| of("reverse-kl", logits) - 2.0 * of("js", logits));
                prop_assert!((non_saturating[index] - other).abs() < 1e-8);
            }
        }
    }
}
