//! What can be asked for: every f-divergence, and the two relatives that are functions of one.

use std::fmt;
use std::str::FromStr;

use crate::divergence::generator::{Generator, GeneratorError, split_parameter};
use crate::error::{Blame, Blamed};

/// Why a text or a number does not give a [`Divergence`] or a [`Base`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DivergenceError {
    /// Neither a relative nor an f-divergence.
    #[error(transparent)]
    Generator(#[from] GeneratorError),
    /// The order of a Rényi divergence is out of range.
    #[error("{order} is no Rényi order: it must be positive, finite and not 1 (use kullback-leibler for the limit)")]
    RenyiOrder {
        /// The rejected order, as written.
        order: String,
    },
    /// A Rényi divergence without its order.
    #[error("`renyi` needs its order: write `renyi(0.5)`; it must be positive, finite and not 1")]
    MissingOrder,
    /// A parameter was given to the Bhattacharyya distance.
    #[error("`bhattacharyya` has no parameter, but `{text}` gives one: write `bhattacharyya`")]
    UnexpectedParameter {
        /// What was written.
        text: String,
    },
    /// The base of the logarithm is out of range.
    #[error("{base} is not a base for logarithms: it must be finite and above 1, for example 2 for bits")]
    Base {
        /// The rejected base.
        base: f64,
    },
    /// A base was asked for where there is no logarithm.
    #[error("{divergence} is not a logarithm, so a base means nothing for it: drop the base")]
    NoLogarithm {
        /// The divergence in question.
        divergence: String,
    },
}

impl Blamed for DivergenceError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// The order of a Rényi divergence: positive, finite, not 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RenyiOrder(f64);

impl RenyiOrder {
    /// Takes an order.
    ///
    /// # Errors
    /// [`DivergenceError::RenyiOrder`] unless it is positive, finite and not 1.
    pub fn new(order: f64) -> Result<Self, DivergenceError> {
        if order > 0.0 && order.is_finite() && order != 1.0 {
            Ok(RenyiOrder(order))
        } else {
            Err(DivergenceError::RenyiOrder { order: order.to_string() })
        }
    }

    /// The order α.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A divergence between two distributions.
///
/// ```
/// use gan_metrics::divergence::{Divergence, Generator};
///
/// assert_eq!("js".parse::<Divergence>()?, Divergence::F(Generator::JENSEN_SHANNON));
/// assert_eq!("renyi(0.5)".parse::<Divergence>()?.to_string(), "renyi(0.5)");
/// # Ok::<(), gan_metrics::divergence::DivergenceError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Divergence {
    /// D_f for a generator f.
    F(Generator),
    /// ln(∫ p^α q^{1−α})/(α−1), in \[0, ∞\] (Rényi 1961): a function of the α-divergence.
    Renyi(RenyiOrder),
    /// −ln ∫√(pq), in \[0, ∞\] (Bhattacharyya 1943): half the Rényi divergence of order ½, and −ln(1 − H²/2) for the
    /// squared Hellinger distance H² = [`Generator::SQUARED_HELLINGER`].
    Bhattacharyya,
}

impl Divergence {
    /// Every divergence once; those with a parameter at an example value.
    pub fn catalogue() -> impl Iterator<Item = Divergence> {
        Generator::catalogue().map(Divergence::F).chain([
            Divergence::Renyi(RenyiOrder(0.5)),
            Divergence::Renyi(RenyiOrder(2.0)),
            Divergence::Bhattacharyya,
        ])
    }

    /// Name for people.
    pub fn title(&self) -> &'static str {
        match self {
            Divergence::F(generator) => generator.title(),
            Divergence::Renyi(_) => "Rényi",
            Divergence::Bhattacharyya => "Bhattacharyya",
        }
    }

    /// Whether the value is a logarithm, in nats.
    pub fn is_in_nats(&self) -> bool {
        match self {
            Divergence::F(generator) => generator.is_in_nats(),
            Divergence::Renyi(_) | Divergence::Bhattacharyya => true,
        }
    }

    /// The factor from nats to logarithms to `base`.
    ///
    /// # Errors
    /// [`DivergenceError::NoLogarithm`] when this divergence is none.
    pub fn unit(&self, base: Base) -> Result<f64, DivergenceError> {
        if self.is_in_nats() {
            Ok(base.0.ln().recip())
        } else {
            Err(DivergenceError::NoLogarithm { divergence: self.to_string() })
        }
    }

    /// The value as a function of ln ∫ p^α q^{1−α}, for the two relatives.
    pub(crate) fn of_log_affinity(order: f64, log_affinity: f64) -> f64 {
        // Rounding may leave −1e-17 where the distributions agree.
        (log_affinity / (order - 1.0)).max(0.0)
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Divergence::F(generator) => generator.fmt(f),
            Divergence::Renyi(order) => write!(f, "renyi({})", order.0),
            Divergence::Bhattacharyya => f.write_str("bhattacharyya"),
        }
    }
}

impl FromStr for Divergence {
    type Err = DivergenceError;

    /// Reads what [`Generator`] reads, and `renyi(order)` and `bhattacharyya`; names ignore case.
    fn from_str(text: &str) -> Result<Self, DivergenceError> {
        let (name, parameter) = split_parameter(text);
        match (name.to_lowercase().as_str(), parameter) {
            ("renyi" | "rényi", parameter) => {
                let order = parameter.ok_or(DivergenceError::MissingOrder)?;
                let value = order.parse().map_err(|_| DivergenceError::RenyiOrder { order: format!("`{order}`") })?;
                RenyiOrder::new(value).map(Divergence::Renyi)
            }
            ("bhattacharyya", None) => Ok(Divergence::Bhattacharyya),
            ("bhattacharyya", Some(text)) => Err(DivergenceError::UnexpectedParameter { text: text.to_owned() }),
            _ => Ok(Divergence::F(text.parse()?)),
        }
    }
}

/// The base of the logarithms a value is given in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Base(f64);

impl Base {
    /// Nats.
    pub const E: Base = Base(std::f64::consts::E);

    /// Takes a base.
    ///
    /// # Errors
    /// [`DivergenceError::Base`] unless it is finite and above 1.
    pub fn new(base: f64) -> Result<Self, DivergenceError> {
        if base > 1.0 && base.is_finite() { Ok(Base(base)) } else { Err(DivergenceError::Base { base }) }
    }

    /// What logarithms to this base are counted in.
    pub fn unit(self) -> String {
        match self {
            Base::E => "nats".to_owned(),
            Base(2.0) => "bits".to_owned(),
            Base(10.0) => "hartleys".to_owned(),
            Base(base) => format!("units of log base {base}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for divergence in Divergence::catalogue() {
            assert_eq!(divergence.to_string().parse::<Divergence>().unwrap(), divergence);
        }
    }

    #[test]
    fn bases_are_for_logarithms() {
        let bits = Base::new(2.0).unwrap();
        let js: Divergence = "js".parse().unwrap();
        assert_eq!(js.unit(bits).unwrap() * std::f64::consts::LN_2, 1.0);
        assert_eq!(js.unit(Base::E).unwrap(), 1.0);
        let tv: Divergence = "tv".parse().unwrap();
        assert!(tv.unit(bits).unwrap_err().to_string().contains("total-variation is not a logarithm"));
        assert_eq!((bits.unit(), Base::E.unit()), ("bits".to_owned(), "nats".to_owned()));
        assert!(Base::new(1.0).is_err() && Base::new(f64::NAN).is_err());
    }

    #[test]
    fn orders_are_checked() {
        assert_eq!("renyi".parse::<Divergence>(), Err(DivergenceError::MissingOrder));
        for text in ["renyi(1)", "renyi(-1)", "renyi(x)", "renyi(inf)"] {
            assert!(matches!(text.parse::<Divergence>(), Err(DivergenceError::RenyiOrder { .. })), "{text}");
        }
        assert!("bhattacharyya(2)".parse::<Divergence>().is_err());
        assert!("bogus".parse::<Divergence>().unwrap_err().to_string().contains("`bogus`"));
    }
}
