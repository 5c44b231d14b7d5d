//! One-dimensional densities of the classical families, and mixtures of them.

mod behaviour;
mod component;
mod expression;
mod families;
mod quantile;

use crate::divergence::quadrature::Place;
use crate::error::{Blame, Blamed};
pub(crate) use behaviour::{Behaviour, End};
pub(crate) use component::Component;
pub(crate) use families::{closed_form, log_of_closed_form};
pub(crate) use quantile::Tail;

/// How far the weights of a mixture may sum from 1.
const WEIGHT_TOLERANCE: f64 = 1e-9;

/// Means of logarithms whose exponentials, and those a few deviations further, are numbers.
const MOST_EXTREME_LOG: f64 = 300.0;

/// Rounding of a logarithm, relative to its terms: a handful of operations and special functions.
const LOG_ROUNDING: f64 = 4.0 * f64::EPSILON;

/// Why there is no such density.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DensityError {
    /// A parameter is out of range.
    #[error("{parameter} = {value} is not a parameter of {family}: it must be {requirement}")]
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

    /// Cauchy: 1/(π·scale·(1 + z²)), z = (x−location)/scale.
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless the location is finite and the scale positive.
    pub fn cauchy(location: f64, scale: f64) -> Result<Self, DensityError> {
        finite("cauchy", "location", location)?;
        positive("cauchy", "scale", scale)?;
        Ok(Self::single(Component::Cauchy { location, scale }))
    }

    /// Student's t with so many degrees of freedom: ∝ (1 + z²/freedom)^{−(freedom+1)/2}, z = (x−location)/scale.
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless the location is finite and the other parameters positive.
    pub fn student(freedom: f64, location: f64, scale: f64) -> Result<Self, DensityError> {
        positive("student", "freedom", freedom)?;
        finite("student", "location", location)?;
        positive("student", "scale", scale)?;
        Ok(Self::single(Component::StudentT { freedom, location, scale }))
    }

    /// Log-normal on \[0, ∞): the exponential of a normal variable of mean mu and deviation sigma.
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless mu is finite, of a size whose exponential is a number, and sigma positive.
    pub fn log_normal(mu: f64, sigma: f64) -> Result<Self, DensityError> {
        check("lognormal", "mu", mu, mu.abs() <= MOST_EXTREME_LOG, "finite and between -300 and 300")?;
        positive("lognormal", "sigma", sigma)?;
        Ok(Self::single(Component::LogNormal { mu, sigma }))
    }

    /// Weibull on \[0, ∞): shape/scale·z^{shape−1}·e^{−z^shape}, z = x/scale.
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless both parameters are positive.
    pub fn weibull(shape: f64, scale: f64) -> Result<Self, DensityError> {
        positive("weibull", "shape", shape)?;
        positive("weibull", "scale", scale)?;
        Ok(Self::single(Component::Weibull { shape, scale }))
    }

    /// Gumbel, of maxima: e^{−z−exp(−z)}/scale, z = (x−location)/scale.
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless the location is finite and the scale positive.
    pub fn gumbel(location: f64, scale: f64) -> Result<Self, DensityError> {
        finite("gumbel", "location", location)?;
        positive("gumbel", "scale", scale)?;
        Ok(Self::single(Component::Gumbel { location, scale }))
    }

    /// Triangular on \[lower, upper\], highest at the mode.
    ///
    /// # Errors
    /// [`DensityError::Parameter`] unless all are finite, lower < upper and the mode is between them.
    pub fn triangular(lower: f64, mode: f64, upper: f64) -> Result<Self, DensityError> {
        finite("triangular", "lower", lower)?;
        check("triangular", "upper", upper, upper.is_finite() && upper > lower, "finite and above the lower end")?;
        check("triangular", "mode", mode, (lower..=upper).contains(&mode), "between the ends")?;
        Ok(Self::single(Component::Triangular { lower, mode, upper }))
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
        self.probability(Place::at(x), Tail::Lower)
    }

    /// P(X > x), accurate in relative terms while it is small.
    pub fn survival(&self, x: f64) -> f64 {
        self.probability(Place::at(x), Tail::Upper)
    }

    /// The probability of a tail that ends at a place.
    pub(crate) fn probability(&self, place: Place, tail: Tail) -> f64 {
        self.parts.iter().map(|(weight, component)| weight * component.probability(place, tail)).sum()
    }

    /// How far off [`Density::probability`] may be where it is `probability`, in relative terms.
    pub(crate) fn rounding_of_probability(&self, probability: f64) -> f64 {
        let function = self.parts.iter().map(|(_, component)| component.rounding_of_probability()).fold(0.0, f64::max);
        // An argument that is off by a rounding error moves a small probability by its logarithm.
        let argument = if probability > 0.0 { LOG_ROUNDING * probability.ln().abs() } else { 0.0 };
        function + argument
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::quadrature::integrate;

    const EXAMPLES: [&str; 18] = [
        "cauchy(1, 0.5)",
        "student(2.5, -1, 2)",
        "lognormal(0.3, 1.2)",
        "weibull(0.7, 2)",
        "weibull(3, 1)",
        "gumbel(1, 0.5)",
        "triangular(-1, 0.2, 3)",
        "triangular(0, 0, 1)",
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
    fn distribution_functions_keep_their_tails() {
        // By scipy.stats.
        for (text, x, lower, upper) in [
            ("cauchy(0, 1)", -1e10, 3.183_098_861_837_907e-11, 1.0 - 3.183_098_861_837_907e-11),
            ("cauchy(0, 1)", 1e10, 1.0 - 3.183_098_861_837_907e-11, 3.183_098_861_837_907e-11),
            ("student(4, 0, 1)", -50.0, 4.787_226_828_484_845e-7, 1.0 - 4.787_226_828_484_845e-7),
            ("lognormal(0, 1)", 1e-5, 5.677_979_296_840_896e-31, 1.0),
            ("weibull(2, 1)", 1e-9, 1e-18, 1.0),
            ("gumbel(0, 1)", 40.0, 1.0, 4.248_354_255_291_589e-18),
            ("triangular(0, 1, 2)", 1e-9, 5e-19, 1.0),
            ("triangular(0, 1, 2)", 1.5, 0.875, 0.125),
        ] {
            let density: Density = text.parse().unwrap();
            assert!((density.cdf(x) / lower - 1.0).abs() < 1e-12, "{text}: {:e}", density.cdf(x));
            assert!((density.survival(x) / upper - 1.0).abs() < 1e-12, "{text}: {:e}", density.survival(x));
        }
    }

    #[test]
    fn parameters_are_checked() {
        for result in [
            Density::normal(0.0, 0.0),
            Density::normal(f64::NAN, 1.0),
            Density::uniform(1.0, 1.0),
            Density::gamma(-1.0, 1.0),
            Density::student(0.0, 0.0, 1.0),
            Density::triangular(0.0, 2.0, 1.0),
            Density::log_normal(1e6, 1.0),
            Density::beta(1.0, f64::INFINITY),
        ] {
            assert!(matches!(result, Err(DensityError::Parameter { .. })), "{result:?}");
        }
        let half = Density::normal(0.0, 1.0).map(|normal| vec![(0.5, normal)]).unwrap();
        assert_eq!(Density::mixture(half), Err(DensityError::Weights { sum: 0.5 }));
    }
}
