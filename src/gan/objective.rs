//! What the two players minimise.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::GanError;
use super::ops::ScalarFunction;
use super::random::Random;
use super::real::Real;
use super::tape::{Differentiability, Var, grad};
use super::tensor::Tensor;
use crate::divergence::Generator;

/// A game between a generator and a critic, whose output v is a logit or a score without bounds.
///
/// Text form: `minimax`, `non-saturating`, `f-gan:NAME` with the name of a divergence, `wasserstein`,
/// `wasserstein-gp`, `least-squares`, `hinge`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Objective {
    /// E ln σ(v(x)) + E ln(1 − σ(v(G(z)))), maximised by the critic and minimised by the generator (Goodfellow et al.
    /// 2014, equation 1).
    Minimax,
    /// The same for the critic; the generator maximises E ln σ(v(G(z))), which has gradients while it is losing (their
    /// section 3).
    NonSaturating,
    /// The critic maximises E T(x) − E f*(T(G(z))) with T = g_f(v); the generator minimises −E T(G(z)) (Nowozin, Cseke
    /// and Tomioka 2016, equation 6 and section 3.2).
    FGan(Generator),
    /// The critic maximises E v(x) − E v(G(z)) with weights clipped to ±clip (Arjovsky, Chintala and Bottou 2017).
    Wasserstein {
        /// Bound of every weight of the critic; the paper's is 0.01.
        clip: f64,
    },
    /// The same with λ·E(‖∇v(x̂)‖ − 1)² instead of clipping, x̂ between a real and a generated image (Gulrajani et al.
    /// 2017).
    WassersteinGradientPenalty {
        /// λ; the paper's is 10.
        lambda: f64,
    },
    /// The critic minimises ½E(v(x) − 1)² + ½E v(G(z))², the generator ½E(v(G(z)) − 1)² (Mao et al. 2017).
    LeastSquares,
    /// The critic minimises E max(0, 1 − v(x)) + E max(0, 1 + v(G(z))), the generator −E v(G(z)) (Lim and Ye 2017).
    Hinge,
}

/// The names that [`Objective`] parses from.
pub const OBJECTIVES: &str = "minimax, non-saturating, f-gan:NAME, wasserstein, wasserstein-gp, least-squares, hinge";

impl Objective {
    /// What the critic minimises, given its outputs on real and on generated images; without a gradient penalty.
    ///
    /// `real_label` is the probability that the critic should give to a real image: 1, or 0.9 for one-sided label
    /// smoothing (Salimans et al. 2016). Only some objectives [use it](Self::uses_real_label).
    ///
    /// # Errors
    /// [`GanError::Shape`] never, for outputs of one shape each.
    pub fn critic_loss<T: Real>(&self, real: &Var<T>, fake: &Var<T>, real_label: f64) -> Result<Var<T>, GanError> {
        match *self {
            Objective::Minimax | Objective::NonSaturating => {
                // Cross entropy with the label: −t·ln σ(v) − (1−t)·ln(1−σ(v)).
                let accepted = real.neg().softplus().mean().scale(T::of(real_label));
                let of_real = match real_label < 1.0 {
                    true => accepted.add(&real.softplus().mean().scale(T::of(1.0 - real_label)))?,
                    false => accepted,
                };
                of_real.add(&fake.softplus().mean())
            }
            Objective::FGan(generator) => {
                let bound = real.apply(&activation(generator)).mean();
                fake.apply(&penalty(generator)).mean().sub(&bound)
            }
            Objective::Wasserstein { .. } | Objective::WassersteinGradientPenalty { .. } => {
                fake.mean().sub(&real.mean())
            }
            Objective::LeastSquares => {
                let half = T::of(0.5);
                real.shift(-T::ONE).square().mean().scale(half).add(&fake.square().mean().scale(half))
            }
            Objective::Hinge => real.neg().shift(T::ONE).relu().mean().add(&fake.shift(T::ONE).relu().mean()),
        }
    }

    /// What the generator minimises, given the critic's outputs on generated images.
    pub fn generator_loss<T: Real>(&self, fake: &Var<T>) -> Var<T> {
        match *self {
            Objective::Minimax => fake.softplus().mean().neg(),
            Objective::NonSaturating => fake.neg().softplus().mean(),
            Objective::FGan(generator) => fake.apply(&activation(generator)).mean().neg(),
            Objective::Wasserstein { .. } | Objective::WassersteinGradientPenalty { .. } | Objective::Hinge => {
                fake.mean().neg()
            }
            Objective::LeastSquares => fake.shift(-T::ONE).square().mean().scale(T::of(0.5)),
        }
    }

    /// Whether the critic's loss depends on the label of real images: where its output is a probability, whose cross
    /// entropy with the label it is.
    pub fn uses_real_label(&self) -> bool {
        self.has_probabilities()
    }

    /// Whether σ of the critic's output is its probability that an image is real.
    pub fn has_probabilities(&self) -> bool {
        matches!(self, Objective::Minimax | Objective::NonSaturating)
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`GanError::Setting`] when a bound or a weight is not positive.
    pub fn validate(&self) -> Result<(), GanError> {
        let positive = |name, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(GanError::setting(name, value, "positive")),
        };
        match *self {
            Objective::Wasserstein { clip } => positive("the weight bound", clip),
            Objective::WassersteinGradientPenalty { lambda } => positive("the weight of the gradient penalty", lambda),
            _ => Ok(()),
        }
    }
}

fn activation(generator: Generator) -> ScalarFunction {
    let (value, slope) = (move |v| generator.activation(v), move |v| generator.activation_slope(v));
    ScalarFunction::new("the output activation of the f-GAN", value, slope)
}

fn penalty(generator: Generator) -> ScalarFunction {
    let (value, slope) = (move |v| generator.penalty(v), move |v| generator.penalty_slope(v));
    ScalarFunction::new("the conjugate of the f-GAN", value, slope)
}

/// E(‖∇ₓ̂ v(x̂)‖ − 1)² with x̂ = ε·x + (1−ε)·x̃ and one uniform ε for each pair of a real image x and a generated one x̃.
///
/// # Errors
/// [`GanError::Shape`] when the batches differ in shape, and what `critic` returns.
pub fn gradient_penalty<T: Real>(
    real: &Tensor<T>,
    fake: &Tensor<T>,
    random: &mut Random,
    critic: impl FnOnce(&Var<T>) -> Result<Var<T>, GanError>,
) -> Result<Var<T>, GanError> {
    let [batch, image @ ..] = real.shape() else {
        return Err(GanError::shape("gradient penalty", "expected batches of images, got a single value"));
    };
    let share_shape: Vec<usize> = std::iter::once(*batch).chain(image.iter().map(|_| 1)).collect();
    let share = Var::constant(random.uniforms(&share_shape, 0.0, 1.0));
    let (real, fake) = (Var::constant(real.clone()), Var::constant(fake.clone()));
    let between = fake.add(&share.mul(&real.sub(&fake)?)?)?;
    let between = Var::leaf(between.value().clone());
    let slope = grad(&critic(&between)?.sum(), &[&between], Differentiability::Again)?.remove(0);
    /// Under the root: the norm of a gradient that vanishes has no derivative.
    const SMALLEST_SQUARE: f64 = 1e-12;
    let norms = slope.square().sum_rows()?.shift(T::of(SMALLEST_SQUARE)).sqrt();
    Ok(norms.shift(-T::ONE).square().mean())
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Objective::Minimax => f.write_str("minimax"),
            Objective::NonSaturating => f.write_str("non-saturating"),
            Objective::FGan(generator) => write!(f, "f-gan:{generator}"),
            Objective::Wasserstein { clip } => write!(f, "wasserstein:{clip}"),
            Objective::WassersteinGradientPenalty { lambda } => write!(f, "wasserstein-gp:{lambda}"),
            Objective::LeastSquares => f.write_str("least-squares"),
            Objective::Hinge => f.write_str("hinge"),
        }
    }
}

impl FromStr for Objective {
    type Err = GanError;

    /// Reads `name` or `name:parameter`: the divergence of an f-GAN, the bound of a clipped Wasserstein critic (0.01), the
    /// weight of its gradient penalty (10).
    fn from_str(text: &str) -> Result<Self, GanError> {
        let unknown = || GanError::UnknownName { what: "objective", name: text.to_owned(), known: OBJECTIVES };
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let number = |default: f64| parameter.map_or(Ok(default), |text| text.parse().map_err(|_| unknown()));
        let objective = match (name, parameter) {
            ("minimax", None) => Objective::Minimax,
            ("non-saturating", None) => Objective::NonSaturating,
            ("f-gan", Some(name)) => {
                let generator = name
                    .parse()
                    .map_err(|error| GanError::setting("the divergence", name, format!("known: {error}")))?;
                Objective::FGan(generator)
            }
            ("wasserstein", _) => Objective::Wasserstein { clip: number(0.01)? },
            ("wasserstein-gp", _) => Objective::WassersteinGradientPenalty { lambda: number(10.0)? },
            ("least-squares", None) => Objective::LeastSquares,
            ("hinge", None) => Objective::Hinge,
            _ => return Err(unknown()),
        };
        objective.validate()?;
        Ok(objective)
    }
}

impl From<Objective> for String {
    fn from(objective: Objective) -> Self {
        objective.to_string()
    }
}

impl TryFrom<String> for Objective {
    type Error = GanError;

    fn try_from(text: String) -> Result<Self, GanError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::testing::{check_first_derivatives, sample};

    fn all() -> Vec<Objective> {
        let mut objectives: Vec<Objective> =
            ["minimax", "non-saturating", "wasserstein", "wasserstein-gp", "least-squares", "hinge"]
                .map(|name| name.parse().unwrap())
                .into();
        objectives.extend(Generator::catalogue().map(Objective::FGan));
        objectives
    }

    #[test]
    fn names_round_trip_and_unknown_ones_are_refused() {
        for objective in all() {
            assert_eq!(objective.to_string().parse::<Objective>().unwrap(), objective);
        }
        for text in ["nonsense", "f-gan", "f-gan:nonsense", "hinge:3", "wasserstein:-1", "wasserstein-gp:x"] {
            assert!(text.parse::<Objective>().is_err(), "{text}");
        }
    }

    #[test]
    fn derivatives_of_both_losses() {
        for objective in all() {
            let smoothed = |x: &[Var<f64>]| objective.critic_loss(&x[0], &x[1], 0.9);
            check_first_derivatives(&[sample(&[4, 1], 1), sample(&[4, 1], 2)], smoothed);
            check_first_derivatives(&[sample(&[4, 1], 3)], |x| Ok(objective.generator_loss(&x[0])));
        }
    }

    #[test]
    fn the_label_changes_the_loss_where_it_is_used() {
        let (real, fake) = (Var::constant(sample(&[6, 1], 1)), Var::constant(sample(&[6, 1], 2)));
        for objective in all() {
            let loss = |label| objective.critic_loss(&real, &fake, label).unwrap().item().unwrap();
            assert_eq!(objective.uses_real_label(), loss(1.0) != loss(0.9), "{objective}");
        }
    }

    #[test]
    fn the_f_gan_of_the_original_game_is_the_original_game() {
        let (real, fake) = (Var::constant(sample(&[6, 1], 1)), Var::constant(sample(&[6, 1], 2)));
        let (ours, original) = (Objective::FGan(Generator::GAN), Objective::NonSaturating);
        let losses = |objective: Objective| {
            let critic = objective.critic_loss(&real, &fake, 1.0).unwrap().item().unwrap();
            [critic, objective.generator_loss(&fake).item().unwrap()]
        };
        for (f_gan, gan) in losses(ours).into_iter().zip(losses(original)) {
            assert!((f_gan - gan).abs() < 1e-14);
        }
    }

    #[test]
    fn a_smoothed_critic_is_best_at_the_label() {
        // With real images only, the loss is least where σ(v) is the label.
        let none = Var::constant(Tensor::full(&[1], -1e3));
        let at = (0.9_f64 / 0.1).ln();
        let loss = |v: f64| {
            let real = Var::constant(Tensor::full(&[1], v));
            Objective::NonSaturating.critic_loss(&real, &none, 0.9).unwrap().item().unwrap()
        };
        assert!(loss(at) < loss(at - 0.01) && loss(at) < loss(at + 0.01));
    }

    #[test]
    fn the_gradient_penalty_of_a_linear_critic_is_known() {
        // v(x) = ⟨w, x⟩ has the gradient w everywhere.
        let w = Var::leaf(Tensor::new(&[2, 1], vec![3.0_f64, 4.0]).unwrap());
        let (real, fake) = (sample(&[5, 2], 1), sample(&[5, 2], 2));
        let penalty = gradient_penalty(&real, &fake, &mut Random::new(1), |x| x.matmul(&w)).unwrap();
        assert!((penalty.item().unwrap() - 16.0).abs() < 1e-9);
        // d/dw (‖w‖ − 1)² = 2(‖w‖ − 1)·w/‖w‖.
        let gradient = grad(&penalty, &[&w], Differentiability::Once).unwrap();
        for (ours, expected) in gradient[0].value().data().iter().zip([4.8, 6.4]) {
            assert!((ours - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn the_gradient_penalty_differentiates_by_the_critics_weights() {
        let (real, fake) = (sample(&[3, 4], 1), sample(&[3, 4], 2));
        check_first_derivatives(&[sample(&[5, 4], 3), sample(&[1, 5], 4)], |w| {
            gradient_penalty(&real, &fake, &mut Random::new(1), |x| x.linear(&w[0], None)?.tanh().linear(&w[1], None))
        });
    }
}
