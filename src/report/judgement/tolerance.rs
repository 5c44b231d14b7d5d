//! How much worse than a baseline a number may be.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::error::{Blame, Blamed};
use crate::metrics::{ScoreNumber, UnknownName};

/// How much worse than its baseline a number may be.
///
/// As text, such as in [`FromStr`] and [`Display`](fmt::Display): `2%`, `3sigma` (or `3σ`), `0.01`.
///
/// ```
/// use gan_metrics::report::Tolerance;
///
/// assert_eq!("2%".parse::<Tolerance>()?, Tolerance::percent(2.0));
/// assert_eq!(Tolerance::sigma(3.0).to_string(), "3sigma");
/// assert!("-1".parse::<Tolerance>().is_err());
/// # Ok::<(), gan_metrics::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    amount: f64,
    unit: Unit,
}

/// What a tolerance is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Percent,
    Sigma,
    Absolute,
}

impl Tolerance {
    /// What holds of a number of which nothing is said: three standard errors of the change. Of two runs of one generator, one
    /// number in 700 looks worse by more than that; of ten numbers, one does in one of 75 runs.
    pub const STANDARD: Self = Self::sigma(3.0);

    /// So many percent of the size of the baseline's number. Of a number that is near zero, such as KID, that is next to nothing.
    pub const fn percent(percent: f64) -> Self {
        Self { amount: percent, unit: Unit::Percent }
    }

    /// So many standard errors of the change:
    ///
    /// ```text
    /// allowed = sigma · √(SE_baseline² + SE_run²)
    /// ```
    ///
    /// of the confidence intervals of both.
    pub const fn sigma(sigma: f64) -> Self {
        Self { amount: sigma, unit: Unit::Sigma }
    }

    /// So much, in the unit of the number itself.
    pub const fn absolute(amount: f64) -> Self {
        Self { amount, unit: Unit::Absolute }
    }

    /// Whether standard errors are needed.
    pub fn needs_standard_errors(self) -> bool {
        self.unit == Unit::Sigma
    }

    /// How much worse than a baseline the number may be; `None` where it takes standard errors, and they are not there.
    pub(super) fn allowed(self, baseline: f64, standard_errors: Option<[f64; 2]>) -> Option<f64> {
        match self.unit {
            Unit::Percent => Some(self.amount / 100.0 * baseline.abs()),
            Unit::Absolute => Some(self.amount),
            Unit::Sigma => standard_errors.map(|[a, b]| self.amount * a.hypot(b)),
        }
    }

    pub(super) fn check(self) -> Result<Self, ToleranceError> {
        if self.amount.is_finite() && self.amount >= 0.0 {
            Ok(self)
        } else {
            Err(ToleranceError::Value { text: self.to_string() })
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Percent => "%",
            Unit::Sigma => "sigma",
            Unit::Absolute => "",
        };
        f.pad(&format!("{}{unit}", self.amount))
    }
}

impl FromStr for Tolerance {
    type Err = ToleranceError;

    fn from_str(text: &str) -> Result<Self, ToleranceError> {
        let units = [("%", Unit::Percent), ("sigma", Unit::Sigma), ("σ", Unit::Sigma), ("", Unit::Absolute)];
        let found = units.into_iter().find_map(|(suffix, unit)| Some((text.trim().strip_suffix(suffix)?, unit)));
        let (number, unit) = found.expect("every text ends with nothing");
        let wrong = || ToleranceError::Value { text: text.into() };
        Self { amount: number.trim().parse().map_err(|_| wrong())?, unit }.check().map_err(|_| wrong())
    }
}

/// Why a text is not a tolerance, or tolerances contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToleranceError {
    /// The value is not one.
    #[error("`{text}` is not a tolerance: expected a number from zero up, as 2%, 3sigma or 0.01")]
    Value {
        /// What was given.
        text: String,
    },
    /// Two are of one number, or of all others.
    #[error("the tolerance of {of} is given twice: drop one")]
    Twice {
        /// Of what.
        of: String,
    },
    /// A name that no number has.
    #[error(transparent)]
    Name(#[from] UnknownName),
}

impl Blamed for ToleranceError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// The tolerance of every number: [`Tolerance::STANDARD`] where nothing is said.
///
/// As text: one of all numbers, or by name, separated by commas, such as `2%`, `fid=2%,recall=0.01` or `2%,kid=3sigma`.
///
/// ```
/// use gan_metrics::report::{Tolerance, Tolerances};
///
/// let tolerances: Tolerances = "2%,kid=3sigma".parse()?;
/// assert_eq!(tolerances.of("fid".parse()?), Tolerance::percent(2.0));
/// assert_eq!(tolerances.of("kid".parse()?), Tolerance::sigma(3.0));
/// assert_eq!(Tolerances::default().of("fid".parse()?), Tolerance::STANDARD);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tolerances {
    others: Option<Tolerance>,
    by_number: BTreeMap<ScoreNumber, Tolerance>,
}

impl Tolerances {
    /// The same for all numbers that have none of their own.
    pub fn all(mut self, tolerance: Tolerance) -> Self {
        self.others = Some(tolerance);
        self
    }

    /// That of one number.
    pub fn with(mut self, number: ScoreNumber, tolerance: Tolerance) -> Self {
        self.by_number.insert(number, tolerance);
        self
    }

    /// The tolerance of a number.
    pub fn of(&self, number: ScoreNumber) -> Tolerance {
        self.by_number.get(&number).copied().or(self.others).unwrap_or(Tolerance::STANDARD)
    }

    /// Whether something is said that holds of a number.
    pub(super) fn covers(&self, number: ScoreNumber) -> bool {
        self.others.is_some() || self.by_number.contains_key(&number)
    }

    /// What is said of all numbers that have none of their own.
    pub(super) fn others(&self) -> Option<Tolerance> {
        self.others
    }

    /// The numbers that have one of their own, and that.
    pub(super) fn by_number(&self) -> impl Iterator<Item = (ScoreNumber, Tolerance)> {
        self.by_number.iter().map(|(&number, &tolerance)| (number, tolerance))
    }
}

impl FromStr for Tolerances {
    type Err = ToleranceError;

    fn from_str(text: &str) -> Result<Self, ToleranceError> {
        let mut tolerances = Self::default();
        for part in text.split(',') {
            match part.split_once('=') {
                None => {
                    if tolerances.others.replace(part.parse()?).is_some() {
                        return Err(ToleranceError::Twice { of: "all numbers".into() });
                    }
                }
                Some((name, tolerance)) => {
                    if tolerances.by_number.insert(name.trim().parse()?, tolerance.parse()?).is_some() {
                        return Err(ToleranceError::Twice { of: name.trim().into() });
                    }
                }
            }
        }
        Ok(tolerances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_are_read_as_they_are_written() {
        for (text, tolerance) in [
            ("2%", Tolerance::percent(2.0)),
            ("0.5sigma", Tolerance::sigma(0.5)),
            ("0.01", Tolerance::absolute(0.01)),
            ("0", Tolerance::absolute(0.0)),
        ] {
            assert_eq!(text.parse(), Ok(tolerance));
            assert_eq!(tolerance.to_string(), text);
        }
        assert_eq!(" 3 σ".parse(), Ok(Tolerance::sigma(3.0)));
        for text in ["", "%", "x", "-1%", "nan", "inf", "infsigma", "2%%", "1e999"] {
            assert_eq!(text.parse::<Tolerance>(), Err(ToleranceError::Value { text: text.into() }));
        }
    }

    #[test]
    fn what_is_allowed_follows_from_the_unit() {
        assert_eq!(Tolerance::percent(2.0).allowed(-50.0, None), Some(1.0));
        assert_eq!(Tolerance::absolute(0.5).allowed(7.0, None), Some(0.5));
        assert_eq!(Tolerance::sigma(2.0).allowed(7.0, Some([3.0, 4.0])), Some(10.0));
        assert_eq!(Tolerance::sigma(2.0).allowed(7.0, None), None);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let error = |text: &str| text.parse::<Tolerances>().unwrap_err().to_string();
        assert_eq!(error("2%,3%"), "the tolerance of all numbers is given twice: drop one");
        assert_eq!(error("fid=2%,fid=3%"), "the tolerance of fid is given twice: drop one");
        assert!(error("fd=2%").starts_with("no score is called `fd`; there are fid,"));
        assert!(error("fid=2%,").starts_with("`` is not a tolerance"));
        assert!(error("fid=").starts_with("`` is not a tolerance"));
    }
}
