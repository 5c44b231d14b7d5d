//! Generators of f-divergences: f and everything that follows from it.
//!
//! A generator is a convex f on \[0, ∞), strictly so at 1, and D_f(P‖Q) = E_q\[f(p/q)\] plus f′(∞) times the mass of P
//! where q = 0 (Ali and Silvey 1966, Csiszár 1967). An f-GAN maximises the lower bound
//! E_p\[T\] − E_q\[f\*(T)\] ≤ D_f, tight at T\* = f′(p/q), over critics T = g_f(V) (Nguyen, Wainwright and Jordan 2010;
//! Nowozin, Cseke and Tomioka 2016, tables 1–6).
//!
//! Differences to the widely copied table of the f-GAN paper are deliberate and listed in `docs/divergences.md`. What
//! that table prints stays reachable under names that end in `-as-printed`.

mod many;
mod names;
mod special;
mod table;

use std::fmt;

use crate::divergence::masses::Masses;
use crate::error::{Blame, Blamed};
pub(crate) use names::split_parameter;
use table::Row;
pub(crate) use table::{Growth, Structure};

/// Why a name or a parameter does not give a generator.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// No divergence has this name.
    #[error("there is no divergence called `{name}`: expected one of {known}")]
    UnknownName {
        /// The name that was asked for.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// A parameter is needed and was not given.
    #[error("`{name}` needs its parameter {symbol}: write `{name}({example})`; {symbol} must be {requirement}")]
    MissingParameter {
        /// Name of the divergence.
        name: &'static str,
        /// What the parameter is called.
        symbol: &'static str,
        /// A value that works.
        example: f64,
        /// Which values work.
        requirement: &'static str,
    },
    /// A parameter was given to a divergence that has none.
    #[error("`{name}` has no parameter, but `{text}` gives one: write `{name}`")]
    UnexpectedParameter {
        /// Name of the divergence.
        name: &'static str,
        /// What was written.
        text: String,
    },
    /// A parameter is not a number.
    #[error("`{text}` is not a number: the parameter of `{name}` is written as in `{name}(0.5)`")]
    UnreadableParameter {
        /// Name of the divergence.
        name: String,
        /// What was written.
        text: String,
    },
    /// A parameter for which f is not a generator.
    #[error("{symbol} = {value} is not a parameter of `{name}`: it must be {requirement}")]
    InvalidParameter {
        /// Name of the divergence.
        name: &'static str,
        /// What the parameter is called.
        symbol: &'static str,
        /// The rejected value.
        value: f64,
        /// Which values work.
        requirement: &'static str,
    },
}

impl Blamed for GeneratorError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// A generator f, with its derivatives, conjugate, output activation and limits.
///
/// Cheap to copy. Values are in nats where the divergence is a logarithm ([`Generator::is_in_nats`]). All functions are
/// in f64 and accurate to a few units in the last place, unless said otherwise.
///
/// ```
/// use gan_metrics::divergence::Generator;
///
/// let kl: Generator = "kl".parse()?;
/// let t = kl.optimal_critic(2.0); // T* where p = 2q
/// let fenchel_young = kl.f(2.0) + kl.conjugate(t) - 2.0 * t;
/// assert!(fenchel_young.abs() < 1e-15);
/// assert_eq!(kl.adjoint(), Generator::REVERSE_KULLBACK_LEIBLER);
/// # Ok::<(), gan_metrics::divergence::GeneratorError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Generator {
    row: &'static Row,
    parameter: f64,
}

/// The domain of a conjugate, (−∞, end) or (−∞, end].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConjugateDomain {
    /// f′(∞), the supremum of the domain; may be ∞.
    pub end: f64,
    /// Whether f* is finite at `end`.
    pub contains_end: bool,
}

impl ConjugateDomain {
    /// Whether f*(t) is finite.
    pub fn contains(&self, t: f64) -> bool {
        t < self.end || (self.contains_end && t == self.end)
    }
}

impl Generator {
    /// f = ½|u−1|; D = ½∫|p−q|, in \[0, 1\].
    pub const TOTAL_VARIATION: Self = Self::plain(&table::TOTAL_VARIATION);
    /// f = u ln u; D = ∫ p ln(p/q), in \[0, ∞\].
    pub const KULLBACK_LEIBLER: Self = Self::plain(&table::KULLBACK_LEIBLER);
    /// f = −ln u; D = ∫ q ln(q/p), in \[0, ∞\].
    pub const REVERSE_KULLBACK_LEIBLER: Self = Self::plain(&table::REVERSE_KULLBACK_LEIBLER);
    /// f = (u−1) ln u; D = KL(P‖Q) + KL(Q‖P), in \[0, ∞\].
    pub const JEFFREYS: Self = Self::plain(&table::JEFFREYS);
    /// f = (u−1)²; D = ∫ (p−q)²/q, in \[0, ∞\].
    pub const PEARSON_CHI_SQUARED: Self = Self::plain(&table::PEARSON);
    /// f = (1−u)²/u; D = ∫ (p−q)²/p, in \[0, ∞\].
    pub const NEYMAN_CHI_SQUARED: Self = Self::plain(&table::NEYMAN);
    /// f = (√u−1)²; D = ∫ (√p−√q)² = 2 − 2∫√(pq), in \[0, 2\]. Some authors halve it.
    pub const SQUARED_HELLINGER: Self = Self::plain(&table::SQUARED_HELLINGER);
    /// f = (u−1)²/(2(u+1)); D = ½∫ (p−q)²/(p+q), in \[0, 1\].
    pub const LE_CAM: Self = Self::plain(&table::LE_CAM);
    /// f = ½(u ln u − (u+1) ln((1+u)/2)); D = ½KL(P‖M) + ½KL(Q‖M), M = ½(P+Q), in \[0, ln 2\].
    pub const JENSEN_SHANNON: Self = Self::plain(&table::JENSEN_SHANNON);
    /// f = u ln u − (u+1) ln((1+u)/2), which the f-GAN paper prints as Jensen–Shannon; D = 2·JS, in \[0, 2 ln 2\].
    pub const TWICE_JENSEN_SHANNON: Self = Self::plain(&table::TWICE_JENSEN_SHANNON);
    /// f = u ln u − (u+1) ln(u+1), with f(1) = −ln 4; D = 2·JS − ln 4, in \[−ln 4, 0\]: the value of the GAN game.
    pub const GAN: Self = Self::plain(&table::GAN);

    const fn plain(row: &'static Row) -> Self {
        Generator { row, parameter: 0.0 }
    }

    fn with_parameter(row: &'static Row, value: f64) -> Result<Self, GeneratorError> {
        match &row.parameter {
            Some(parameter) if !(parameter.is_valid)(value) => Err(GeneratorError::InvalidParameter {
                name: row.name,
                symbol: parameter.symbol,
                value,
                requirement: parameter.requirement,
            }),
            _ => Ok(Generator { row, parameter: value }),
        }
    }

    /// f = (u^α − 1 − α(u−1))/(α(α−1)); D = (∫ p^α q^{1−α} − 1)/(α(α−1)). KL as α → 1, reverse KL as α → 0;
    /// half of Pearson's χ² at 2, half of Neyman's at −1, twice the squared Hellinger at ½.
    ///
    /// # Errors
    /// [`GeneratorError::InvalidParameter`] when α is 0, 1 or not finite.
    pub fn alpha(alpha: f64) -> Result<Self, GeneratorError> {
        Self::with_parameter(&table::ALPHA, alpha)
    }

    /// f = πu ln u − (1−π+πu) ln(1−π+πu); D = π KL(P‖M) + (1−π) KL(Q‖M), M = πP + (1−π)Q. JS at π = ½.
    ///
    /// # Errors
    /// [`GeneratorError::InvalidParameter`] unless 0 < π < 1.
    pub fn weighted_jensen_shannon(weight: f64) -> Result<Self, GeneratorError> {
        Self::with_parameter(&table::WEIGHTED_JENSEN_SHANNON, weight)
    }

    /// f = |u−1|^α (Vajda 1973); D = ∫ |p−q|^α q^{1−α}. Pearson's χ² at 2.
    ///
    /// # Errors
    /// [`GeneratorError::InvalidParameter`] unless α > 1.
    pub fn chi_alpha(alpha: f64) -> Result<Self, GeneratorError> {
        Self::with_parameter(&table::CHI_ALPHA, alpha)
    }

    /// The adjoint of [`Generator::chi_alpha`]; D = ∫ |p−q|^α p^{1−α}. Neyman's χ² at 2.
    ///
    /// # Errors
    /// [`GeneratorError::InvalidParameter`] unless α > 1.
    pub fn reverse_chi_alpha(alpha: f64) -> Result<Self, GeneratorError> {
        Self::with_parameter(&table::REVERSE_CHI_ALPHA, alpha)
    }

    /// Every generator of the table once; those with a parameter at an example value.
    pub fn catalogue() -> impl Iterator<Item = Generator> {
        table::ROWS
            .iter()
            .copied()
            .map(|row| Generator { row, parameter: row.parameter.as_ref().map_or(0.0, |parameter| parameter.example) })
    }

    /// Name without parameter, as the command line spells it.
    pub fn name(&self) -> &'static str {
        self.row.name
    }

    /// Shorter or other names that parse to this generator.
    pub fn aliases(&self) -> &'static [&'static str] {
        self.row.aliases
    }

    /// Name for people.
    pub fn title(&self) -> &'static str {
        self.row.title
    }

    /// The parameter, for those divergences that have one.
    pub fn parameter(&self) -> Option<f64> {
        self.row.parameter.as_ref().map(|_| self.parameter)
    }

    /// f(u) as text.
    pub fn formula(&self) -> &'static str {
        self.row.formula
    }

    /// f*(t) as text.
    pub fn conjugate_formula(&self) -> &'static str {
        self.row.conjugate_formula
    }

    /// Whether the divergence is a logarithm, so that it can be given in bits as well as in nats.
    pub fn is_in_nats(&self) -> bool {
        self.row.is_in_nats
    }

    /// Whether D_f(P‖Q) = D_f(Q‖P) for all P and Q.
    pub fn is_symmetric(&self) -> bool {
        self.adjoint() == *self
    }

    /// f(u); f(0⁺) at 0, ∞ below 0.
    pub fn f(&self, u: f64) -> f64 {
        if u < 0.0 {
            f64::INFINITY
        } else if u == 0.0 {
            self.at_zero()
        } else {
            (self.row.f)(self.parameter, u)
        }
    }

    /// f′(u) for u ≥ 0; where f has a kink, the middle of the subgradients.
    pub fn slope(&self, u: f64) -> f64 {
        if u == 0.0 { self.limits().slope_at_zero } else { (self.row.slope)(self.parameter, u) }
    }

    /// f″(u) for u > 0; zero for total variation, whose second derivative is a point mass at 1.
    pub fn curvature(&self, u: f64) -> f64 {
        (self.row.curvature)(self.parameter, u)
    }

    /// f(0⁺): what a unit of Q-mass costs where P has none. May be ∞.
    pub fn at_zero(&self) -> f64 {
        self.limits().at_zero
    }

    /// f′(0⁺): below it, f* is the constant −f(0⁺). May be −∞.
    pub fn slope_at_zero(&self) -> f64 {
        self.limits().slope_at_zero
    }

    /// f′(∞) = lim f(u)/u: what a unit of P-mass costs where Q has none. May be ∞.
    pub fn recession(&self) -> f64 {
        self.limits().recession
    }

    /// D_f of two distributions with disjoint supports, the largest value there is: f(0⁺) + f′(∞).
    pub fn maximum(&self) -> f64 {
        self.at_zero() + self.recession()
    }

    /// D_f of two equal distributions, the smallest value there is: f(1). Zero except for [`Generator::GAN`].
    pub fn minimum(&self) -> f64 {
        self.f(1.0)
    }

    /// T*(u) = f′(u): the critic that makes the variational bound tight where p/q = u.
    pub fn optimal_critic(&self, ratio: f64) -> f64 {
        self.slope(ratio)
    }

    /// f′(1): a critic above it says that its input is likelier under P than under Q.
    pub fn threshold(&self) -> f64 {
        self.slope(1.0)
    }

    /// f*(t) = sup over u ≥ 0 of (ut − f(u)); ∞ outside [`Generator::conjugate_domain`].
    ///
    /// The supremum is over u ≥ 0 only, so that f* is the constant −f(0⁺) below f′(0⁺).
    pub fn conjugate(&self, t: f64) -> f64 {
        let limits = self.limits();
        if t <= limits.slope_at_zero {
            -limits.at_zero
        } else if t < limits.recession {
            (self.row.conjugate)(self.parameter, t)
        } else if t == limits.recession {
            limits.conjugate_at_recession
        } else if t.is_nan() {
            f64::NAN
        } else {
            f64::INFINITY
        }
    }

    /// The derivative of f* at t: the u that attains the supremum, (f′)⁻¹(t). ∞ at and beyond the domain's end.
    pub fn conjugate_slope(&self, t: f64) -> f64 {
        let limits = self.limits();
        if t <= limits.slope_at_zero {
            0.0
        } else if t < limits.recession {
            (self.row.conjugate_slope)(self.parameter, t)
        } else if t.is_nan() {
            f64::NAN
        } else {
            f64::INFINITY
        }
    }

    /// Where f* is finite.
    pub fn conjugate_domain(&self) -> ConjugateDomain {
        let limits = self.limits();
        ConjugateDomain { end: limits.recession, contains_end: limits.conjugate_at_recession.is_finite() }
    }

    /// g_f(v): an increasing map of the real line into the domain of f*, the last layer of an f-GAN's critic.
    ///
    /// Those of the f-GAN paper, and their like where it has none. For [`Generator::alpha`] just below 1 the paper's
    /// map only reaches moderate t at v ≈ −1/(1−α), and f* overflows at the others: use its limit, KL.
    pub fn activation(&self, v: f64) -> f64 {
        (self.row.activation)(self.parameter, v)
    }

    /// g_f′(v).
    pub fn activation_slope(&self, v: f64) -> f64 {
        (self.row.activation_slope)(self.parameter, v)
    }

    /// g_f″(v).
    pub fn activation_curvature(&self, v: f64) -> f64 {
        (self.row.activation_curvature)(self.parameter, v)
    }

    /// f*(g_f(v)), what the critic's output v costs on a sample of Q; exact where the composition would overflow or
    /// lose everything (for [`Generator::GAN`] it is softplus(v)).
    pub fn penalty(&self, v: f64) -> f64 {
        (self.row.penalty)(self.parameter, v)
    }

    /// The derivative of [`Generator::penalty`].
    pub fn penalty_slope(&self, v: f64) -> f64 {
        (self.row.penalty_slope)(self.parameter, v)
    }

    /// The second derivative of [`Generator::penalty`], to the absolute accuracy that the largest of its terms has. Where
    /// the penalty becomes constant, it is the one on the constant side; it is ∞ where f″ vanishes, as at u = 1 for
    /// [`Generator::chi_alpha`] above 2.
    pub fn penalty_curvature(&self, v: f64) -> f64 {
        (self.row.penalty_curvature)(self.parameter, v)
    }

    /// The generator f°(u) = u·f(1/u) of the divergence with its arguments exchanged: D_f°(Q‖P) = D_f(P‖Q).
    pub fn adjoint(&self) -> Generator {
        let (row, parameter) = (self.row.adjoint)(self.parameter);
        Generator { row, parameter }
    }

    /// q·(f(p/q) − f(1) − f′(1)(p/q − 1)) ≥ 0 for p, q ≥ 0, with the limits at zero.
    ///
    /// Summed over all points this is D_f − f(1), because the linear part integrates to zero; unlike q·f(p/q) its terms
    /// do not cancel when P and Q are close.
    ///
    /// ```
    /// use gan_metrics::divergence::Generator;
    ///
    /// let (p, q) = (0.5 + 1e-9, 0.5);
    /// // About (p − q)²/(2q); the naive q·f(p/q) would be 1e-9 and cancel against its neighbour.
    /// assert!((Generator::KULLBACK_LEIBLER.excess(p, q) / 1e-18 - 1.0).abs() < 1e-6);
    /// ```
    pub fn excess(&self, p: f64, q: f64) -> f64 {
        if p == q {
            0.0
        } else if p == 0.0 {
            q * self.excess_at_zero()
        } else if q == 0.0 {
            p * self.excess_recession()
        } else {
            (self.row.excess)(self.parameter, Masses::new(p, q))
        }
    }

    /// [`Generator::excess`] of densities given by their logarithms, which may be −∞ (not both).
    pub(crate) fn excess_of_logs(&self, log_p: f64, log_q: f64) -> f64 {
        if log_p == log_q {
            return 0.0;
        }
        // Where both have underflowed nothing is left, however much it would cost.
        let costs = |log: f64, cost: f64| if log.exp() == 0.0 { 0.0 } else { log.exp() * cost };
        if log_p == f64::NEG_INFINITY {
            return costs(log_q, self.excess_at_zero());
        }
        if log_q == f64::NEG_INFINITY {
            return costs(log_p, self.excess_recession());
        }
        if let Some(log) = self.log_of_growth(log_p, log_q) {
            return log.exp();
        }
        let (masses, log_scale) = Masses::from_logs(log_p, log_q);
        (self.row.excess)(self.parameter, masses) * log_scale.exp()
    }

    /// ln of [`Generator::excess_of_logs`], also where that overflows or underflows.
    pub(crate) fn log_excess(&self, log_p: f64, log_q: f64) -> f64 {
        if log_p == log_q {
            return f64::NEG_INFINITY;
        }
        if log_p == f64::NEG_INFINITY {
            return log_q + self.excess_at_zero().ln();
        }
        if log_q == f64::NEG_INFINITY {
            return log_p + self.excess_recession().ln();
        }
        self.log_of_growth(log_p, log_q).unwrap_or_else(|| {
            let (masses, log_scale) = Masses::from_logs(log_p, log_q);
            (self.row.excess)(self.parameter, masses).ln() + log_scale
        })
    }

    /// ln of the excess where f is its growing power: the product of a tiny density and a huge power.
    fn log_of_growth(&self, log_p: f64, log_q: f64) -> Option<f64> {
        let (growth, log_large, log_small) =
            if log_p > log_q { (self.growth(), log_p, log_q) } else { (self.adjoint().growth(), log_q, log_p) };
        let Growth { exponent, coefficient, shift } = growth?;
        let log_ratio = log_large - log_small;
        ((exponent - 1.0) * log_ratio > FAR_APART).then(|| {
            let shifted = exponent * (-shift * (-log_ratio).exp()).ln_1p();
            coefficient.ln() + exponent * log_large + (1.0 - exponent) * log_small + shifted
        })
    }

    /// How far [`Generator::excess_of_logs`], whose value is `excess`, is off, to first order, when each of the two
    /// logarithms is off by `error`.
    pub(crate) fn excess_noise(&self, log_p: f64, log_q: f64, excess: f64, error: f64) -> f64 {
        if excess == 0.0 || !excess.is_finite() || log_p == f64::NEG_INFINITY || log_q == f64::NEG_INFINITY {
            return excess.abs() * error;
        }
        let log_ratio = log_p - log_q;
        let by_p = if log_ratio.abs() <= NOISY_RATIO {
            log_p.exp() * (self.slope(log_ratio.exp()) - self.threshold()).abs()
        } else {
            // Far from p = q the excess is a product of powers and a logarithm.
            let exponent = |generator: &Generator| generator.growth().map_or(1.0, |growth| growth.exponent);
            exponent(self).max(exponent(&self.adjoint())) * excess.abs()
        };
        // The excess is homogeneous in (p, q): what does not change with p changes with q.
        (2.0 * by_p + excess.abs()) * error
    }

    /// Growth of f beyond u·ln u at infinity, if it grows faster than that.
    pub(crate) fn growth(&self) -> Option<Growth> {
        (self.row.growth)(self.parameter)
    }

    /// Which integrals with closed forms the divergence is a function of.
    pub(crate) fn structure(&self) -> Structure {
        (self.row.structure)(self.parameter)
    }

    fn excess_at_zero(&self) -> f64 {
        self.at_zero() - self.minimum() + self.threshold()
    }

    fn excess_recession(&self) -> f64 {
        self.recession() - self.threshold()
    }

    fn limits(&self) -> table::Limits {
        (self.row.limits)(self.parameter)
    }
}

/// Where u^(exponent−1) is above e^200, a growing f is its leading power, because all others are at most linear: to
/// better than rounding for every exponent that f64 tells from 1.
const FAR_APART: f64 = 200.0;

/// Where |ln(p/q)| is larger, an error of a logarithm changes the excess by at most the growth exponent times as much.
const NOISY_RATIO: f64 = 4.0;

impl PartialEq for Generator {
    fn eq(&self, other: &Self) -> bool {
        self.row.name == other.row.name && self.parameter == other.parameter
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generator({self})")
    }
}

#[cfg(test)]
mod tests;
