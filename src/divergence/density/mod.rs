//! One-dimensional densities: normal, Laplace, exponential, uniform, logistic, gamma, beta, and mixtures of them.

mod behaviour;
mod expression;
mod families;

use std::f64::consts::{PI, SQRT_2};

use statrs::function::{beta, erf, gamma};

use crate::divergence::quadrature::Place;
use crate::error::{Blame, Blamed};
pub(crate) use behaviour::{Behaviour, End};
pub(crate) use families::closed_form;

/// How far the weights of a mixture may sum from 1.
const WEIGHT_TOLERANCE: f64 = 1e-9;

/// Rounding of a logarithm of a density, relative to its terms: a handful of operations and special functions.
const LOG_ROUNDING: f64 = 4.0 * f64::EPSILON;

/// Why there is no such density.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DensityError {
    /// A parameter is out of range.
    #[error("{parameter} = {value} is no parameter of {family}: it must be {requirement}")]
    Parameter {
        /// The family.
        family: &'static str,
        /// Name of the parameter.
        parameter: &'static str,
        /// The rejected value.
        value: f64,
        /// Which values work.
        requirement: &'static str,
    },
    /// The weights of a mixture do not sum to one.
    #[error("the weights of the mixture sum to {sum}, not to 1")]
    Weights {
        /// Their sum.
        sum: f64,
    },
    /// An expression that cannot be read.
    #[error("cannot read `{text}` at character {position}: expected {expected}")]
    Syntax {
        /// The whole expression.
        text: String,
        /// Where reading stopped, counted in characters from 1.
        position: usize,
        /// What would have been readable there.
        expected: String,
    },
}

impl Blamed for DensityError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// A family with its parameters, validated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Component {
    Normal { mean: f64, deviation: f64 },
    Laplace { location: f64, scale: f64 },
    Uniform { lower: f64, upper: f64 },
    Logistic { location: f64, scale: f64 },
    Gamma { shape: f64, rate: f64 },
    Beta { a: f64, b: f64 },
}

/// A probability density on the real line: a weighted sum of one or more members of the classical families.
///
/// ```
/// use gan_metrics::divergence::Density;
///
/// let density: Density = "0.3*normal(0, 1) + 0.7*laplace(2, 0.5)".parse()?;
/// assert!((density.pdf(2.0) - 0.716_197).abs() < 1e-6);
/// # Ok::<(), gan_metrics::divergence::DensityError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    parts: Vec<(f64, Component)>,
}

fn finite(family: &'static str, parameter: &'static str, value: f64) -> Result<(), DensityError> {
    check(family, parameter, value, value.is_finite(), "finite")
}

fn positive(family: &'static str, parameter: &'static str, value: f64) -> Result<(), DensityError> {
    check(family, parameter, value, value.is_finite() && value > 0.0, "finite and positive")
}

fn check(
    family: &'static str,
    parameter: &'static str,
    value: f64,
    valid: bool,
    requirement: &'static str,
) -> Result<(), DensityError> {
    if valid { Ok(()) } else { Err(DensityError::Parameter { family, parameter, value, requirement }) }
}

impl Density {
    fn single(component: Component) -> Self {
        Density { parts: vec![(1.0, component)] }
    }

    /// Normal, with mean and standard deviation.
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless the mean is finite and the deviation positive.
    pub fn normal(mean: f64, deviation: f64) -> Result<Self, DensityError> {
        finite("normal", "mean", mean)?;
        positive("normal", "deviation", deviation)?;
        Ok(Self::single(Component::Normal { mean, deviation }))
    }

    /// Laplace: e^{−|x−location|/scale}/(2·scale).
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless the location is finite and the scale positive.
    pub fn laplace(location: f64, scale: f64) -> Result<Self, DensityError> {
        finite("laplace", "location", location)?;
        positive("laplace", "scale", scale)?;
        Ok(Self::single(Component::Laplace { location, scale }))
    }

    /// Exponential on \[0, ∞): rate·e^{−rate·x}, a gamma of shape 1.
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless the rate is positive.
    pub fn exponential(rate: f64) -> Result<Self, DensityError> {
        positive("exponential", "rate", rate)?;
        Ok(Self::single(Component::Gamma { shape: 1.0, rate }))
    }

    /// Uniform on \[lower, upper\].
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless both ends are finite and lower < upper.
    pub fn uniform(lower: f64, upper: f64) -> Result<Self, DensityError> {
        finite("uniform", "lower", lower)?;
        check("uniform", "upper", upper, upper.is_finite() && upper > lower, "finite and above the lower end")?;
        Ok(Self::single(Component::Uniform { lower, upper }))
    }

    /// Logistic: e^{−z}/(scale·(1+e^{−z})²), z = (x−location)/scale.
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless the location is finite and the scale positive.
    pub fn logistic(location: f64, scale: f64) -> Result<Self, DensityError> {
        finite("logistic", "location", location)?;
        positive("logistic", "scale", scale)?;
        Ok(Self::single(Component::Logistic { location, scale }))
    }

    /// Gamma on \[0, ∞): rate^shape·x^{shape−1}·e^{−rate·x}/Γ(shape).
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless both parameters are positive.
    pub fn gamma(shape: f64, rate: f64) -> Result<Self, DensityError> {
        positive("gamma", "shape", shape)?;
        positive("gamma", "rate", rate)?;
        Ok(Self::single(Component::Gamma { shape, rate }))
    }

    /// Beta on \[0, 1\]: x^{a−1}·(1−x)^{b−1}/B(a, b).
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless both parameters are positive.
    pub fn beta(a: f64, b: f64) -> Result<Self, DensityError> {
        positive("beta", "a", a)?;
        positive("beta", "b", b)?;
        Ok(Self::single(Component::Beta { a, b }))
    }

    /// A mixture Σ wᵢ·pᵢ.
    ///
    /// # Errors
    /// [`DensityError`] when a weight is not positive or the weights do not sum to 1.
    pub fn mixture(parts: Vec<(f64, Density)>) -> Result<Self, DensityError> {
        for (weight, _) in &parts {
            positive("mixture", "weight", *weight)?;
        }
        let sum: f64 = parts.iter().map(|(weight, _)| weight).sum();
        if (sum - 1.0).abs() > WEIGHT_TOLERANCE {
            return Err(DensityError::Weights { sum });
        }
        let scaled = |(weight, density): (f64, Density)| {
            density.parts.into_iter().map(move |(inner, component)| (weight * inner, component))
        };
        Ok(Density { parts: parts.into_iter().flat_map(scaled).collect() })
    }

    /// p(x).
    pub fn pdf(&self, x: f64) -> f64 {
        self.ln_pdf(x).exp()
    }

    /// ln p(x); −∞ outside the support.
    pub fn ln_pdf(&self, x: f64) -> f64 {
        self.ln_density(Place::at(x))
    }

    /// P(X ≤ x), accurate in relative terms while it is small.
    pub fn cdf(&self, x: f64) -> f64 {
        self.parts.iter().map(|(weight, component)| weight * component.cdf(x)).sum()
    }

    /// P(X > x), accurate in relative terms while it is small.
    pub fn survival(&self, x: f64) -> f64 {
        self.parts.iter().map(|(weight, component)| weight * component.survival(x)).sum()
    }

    /// The interval that leaves the probability `tail` on either side, for 0 < `tail` < ½.
    pub fn central_interval(&self, tail: f64) -> (f64, f64) {
        (self.quantile(tail, Tail::Lower), self.quantile(tail, Tail::Upper))
    }

    /// The component, unless this is a mixture.
    pub(crate) fn component(&self) -> Option<Component> {
        match self.parts[..] {
            [(_, component)] => Some(component),
            _ => None,
        }
    }

    pub(crate) fn ln_density(&self, place: Place) -> f64 {
        if let [(_, component)] = self.parts[..] {
            return component.ln_density(place);
        }
        let logs = || self.parts.iter().map(|(weight, component)| weight.ln() + component.ln_density(place));
        let largest = logs().fold(f64::NEG_INFINITY, f64::max);
        // At an integrable pole one part is +∞, far out all are −∞.
        if largest.is_infinite() {
            largest
        } else {
            largest + logs().map(|log| (log - largest).exp()).sum::<f64>().ln()
        }
    }

    /// How far off [`Density::ln_density`] may be where it is `log`: the rounding of the terms it is the sum of.
    pub(crate) fn rounding_of_log(&self, log: f64) -> f64 {
        let terms = self.parts.iter().map(|(_, component)| component.log_terms()).fold(0.0, f64::max);
        LOG_ROUNDING * (terms + log.abs())
    }

    /// The x with P(X ≤ x) = `probability`, or with P(X > x) = `probability` for the upper tail, by bisection to the
    /// last digit.
    pub(crate) fn quantile(&self, probability: f64, tail: Tail) -> f64 {
        let (low, high) = self.parts.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, component)| {
            let (lower, upper) = component.support();
            (low.min(lower), high.max(upper))
        });
        let is_above = |x: f64| match tail {
            Tail::Lower => self.cdf(x) >= probability,
            Tail::Upper => self.survival(x) <= probability,
        };
        // Widen from the centre until the quantile is inside.
        let (centre, scale) = self.parts[0].1.centre_and_scale();
        let widen = |sign: f64, done: &dyn Fn(f64) -> bool| {
            (0..2000).map(|k| centre + sign * scale * 1.5_f64.powi(k)).find(|x| done(*x) || x.is_infinite())
        };
        let mut low = if low.is_finite() { low } else { widen(-1.0, &|x| !is_above(x)).unwrap_or(f64::MIN) };
        let mut high = if high.is_finite() { high } else { widen(1.0, &|x| is_above(x)).unwrap_or(f64::MAX) };
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                return high;
            }
            if is_above(middle) { high = middle } else { low = middle }
        }
    }
}

/// Which tail a probability belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    Lower,
    Upper,
}

impl Component {
    /// Ends of the support.
    pub fn support(self) -> (f64, f64) {
        match self {
            Component::Normal { .. } | Component::Laplace { .. } | Component::Logistic { .. } => {
                (f64::NEG_INFINITY, f64::INFINITY)
            }
            Component::Uniform { lower, upper } => (lower, upper),
            Component::Gamma { .. } => (0.0, f64::INFINITY),
            Component::Beta { .. } => (0.0, 1.0),
        }
    }

    /// A point in the bulk and a length of the order of the standard deviation.
    pub fn centre_and_scale(self) -> (f64, f64) {
        match self {
            Component::Normal { mean: centre, deviation: scale }
            | Component::Laplace { location: centre, scale }
            | Component::Logistic { location: centre, scale } => (centre, scale),
            Component::Uniform { lower, upper } => (0.5 * (lower + upper), upper - lower),
            Component::Gamma { shape, rate } => (shape / rate, shape.sqrt().max(1.0) / rate),
            Component::Beta { a, b } => {
                let total = a + b;
                (a / total, (a / total * (b / total) / (total + 1.0)).sqrt())
            }
        }
    }

    /// Size of the terms of [`Component::ln_density`] in the bulk, where they may cancel.
    fn log_terms(self) -> f64 {
        match self {
            Component::Normal { deviation: scale, .. }
            | Component::Laplace { scale, .. }
            | Component::Logistic { scale, .. } => 1.0 + scale.ln().abs(),
            Component::Uniform { lower, upper } => (upper - lower).ln().abs(),
            Component::Gamma { shape, rate } => {
                shape * (1.0 + shape.ln().abs()) + gamma::ln_gamma(shape).abs() + rate.ln().abs()
            }
            Component::Beta { a, b } => a + b + beta::ln_beta(a, b).abs(),
        }
    }

    pub fn ln_density(self, place: Place) -> f64 {
        let (lower, upper) = self.support();
        // Distances to the support's ends decide, so that a place next to a landmark is on the right side of it.
        if place.minus(lower) < 0.0 || place.minus(upper) > 0.0 {
            return f64::NEG_INFINITY;
        }
        match self {
            Component::Normal { mean, deviation } => {
                let z = place.minus(mean) / deviation;
                -0.5 * z * z - deviation.ln() - 0.5 * (2.0 * PI).ln()
            }
            Component::Laplace { location, scale } => -(place.minus(location) / scale).abs() - (2.0 * scale).ln(),
            Component::Uniform { lower, upper } => -(upper - lower).ln(),
            Component::Logistic { location, scale } => {
                let z = (place.minus(location) / scale).abs();
                -z - 2.0 * (-z).exp().ln_1p() - scale.ln()
            }
            Component::Gamma { shape, rate } => {
                let z = rate * place.minus(0.0);
                rate.ln() + scaled_ln(shape - 1.0, z) - z - gamma::ln_gamma(shape)
            }
            Component::Beta { a, b } => {
                scaled_ln(a - 1.0, place.minus(0.0)) + scaled_ln(b - 1.0, -place.minus(1.0)) - beta::ln_beta(a, b)
            }
        }
    }

    fn cdf(self, x: f64) -> f64 {
        match self {
            Component::Normal { mean, deviation } => 0.5 * erf::erfc((mean - x) / (deviation * SQRT_2)),
            Component::Laplace { location, scale } => laplace_cdf((x - location) / scale),
            Component::Uniform { lower, upper } => ((x - lower) / (upper - lower)).clamp(0.0, 1.0),
            Component::Logistic { location, scale } => 1.0 / (1.0 + ((location - x) / scale).exp()),
            Component::Gamma { shape, rate } => match rate * x {
                z if z <= 0.0 => 0.0,
                z if shape == 1.0 => -(-z).exp_m1(),
                z if z.is_infinite() => 1.0,
                z => gamma::gamma_lr(shape, z),
            },
            Component::Beta { a, b } => match x {
                x if x <= 0.0 => 0.0,
                x if x >= 1.0 => 1.0,
                x => beta::beta_reg(a, b, x),
            },
        }
    }

    fn survival(self, x: f64) -> f64 {
        match self {
            Component::Normal { mean, deviation } => 0.5 * erf::erfc((x - mean) / (deviation * SQRT_2)),
            Component::Laplace { location, scale } => laplace_cdf((location - x) / scale),
            Component::Uniform { lower, upper } => ((upper - x) / (upper - lower)).clamp(0.0, 1.0),
            Component::Logistic { location, scale } => 1.0 / (1.0 + ((x - location) / scale).exp()),
            Component::Gamma { shape, rate } => match rate * x {
                z if z <= 0.0 => 1.0,
                z if shape == 1.0 => (-z).exp(),
                z if z.is_infinite() => 0.0,
                z => gamma::gamma_ur(shape, z),
            },
            Component::Beta { a, b } => match x {
                x if x <= 0.0 => 1.0,
                x if x >= 1.0 => 0.0,
                x => match beta::beta_reg(a, b, x) {
                    // Next to a pole at 0, rounding 1 − x would move the probability.
                    lower if lower < 0.5 => 1.0 - lower,
                    _ => beta::beta_reg(b, a, 1.0 - x),
                },
            },
        }
    }
}

/// exponent·ln(x), 0 for a zero exponent also at x = 0.
fn scaled_ln(exponent: f64, x: f64) -> f64 {
    if exponent == 0.0 { 0.0 } else { exponent * x.ln() }
}

fn laplace_cdf(z: f64) -> f64 {
    if z < 0.0 { 0.5 * z.exp() } else { 1.0 - 0.5 * (-z).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::quadrature::integrate;

    const EXAMPLES: [&str; 10] = [
        "normal(1, 2)",
        "laplace(-1, 0.5)",
        "exponential(3)",
        "uniform(-1, 4)",
        "logistic(2, 0.3)",
        "gamma(0.4, 2)",
        "gamma(7.5, 0.1)",
        "beta(0.5, 0.7)",
        "beta(3, 5)",
        "0.25*normal(-3, 0.1) + 0.75*gamma(2, 1)",
    ];

    #[test]
    fn densities_integrate_to_one_and_to_their_distribution_function() {
        for text in EXAMPLES {
            let density: Density = text.parse().unwrap();
            let domain = density.domain(&density);
            let mass = integrate(&domain, |place| density.ln_density(place).exp()).unwrap();
            assert!((mass.value - 1.0).abs() < 1e-12, "{text}: {mass:?}");
            for probability in [1e-5, 0.1, 0.5, 0.8] {
                for tail in [Tail::Lower, Tail::Upper] {
                    let x = density.quantile(probability, tail);
                    let (cdf, survival) = (density.cdf(x), density.survival(x));
                    assert!((cdf + survival - 1.0).abs() < 1e-14, "{text} at {x}");
                    let reached = if tail == Tail::Lower { cdf } else { survival };
                    assert!((reached / probability - 1.0).abs() < 1e-6, "{text}: {reached} for {probability}");
                }
            }
            // The density is the slope of the distribution function.
            let x = density.quantile(0.37, Tail::Lower);
            let step = 1e-5 * x.abs().max(1e-3);
            let slope = (density.cdf(x + step) - density.cdf(x - step)) / (2.0 * step);
            assert!((slope / density.pdf(x) - 1.0).abs() < 1e-5, "{text}: {slope}");
        }
    }

    #[test]
    fn parameters_are_checked() {
        for result in [
            Density::normal(0.0, 0.0),
            Density::normal(f64::NAN, 1.0),
            Density::uniform(1.0, 1.0),
            Density::gamma(-1.0, 1.0),
            Density::beta(1.0, f64::INFINITY),
        ] {
            assert!(matches!(result, Err(DensityError::Parameter { .. })), "{result:?}");
        }
        let half = Density::normal(0.0, 1.0).map(|normal| vec![(0.5, normal)]).unwrap();
        assert_eq!(Density::mixture(half), Err(DensityError::Weights { sum: 0.5 }));
    }
}
