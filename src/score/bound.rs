//! Bounds on scores: a regression test on the quality of samples.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::metric::Metric;
use super::result::Scores;

/// A single number among the scores, which can be bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Fréchet distance.
    Fid,
    /// Fréchet distance of the spatial features.
    Sfid,
    /// Inception Score, mean over splits.
    Is,
    /// Kernel Inception Distance, mean over subsets.
    Kid,
    /// Precision.
    Precision,
    /// Recall.
    Recall,
    /// F-score of precision and recall.
    FScore,
    /// Density.
    Density,
    /// Coverage.
    Coverage,
    /// Monge Inception Distance.
    Mind,
    /// Memorisation-informed Fréchet distance.
    Mifid,
    /// Maximum mean discrepancy.
    Mmd,
    /// Vendi score.
    Vendi,
    /// Fréchet distance at infinitely many generated images.
    FidInfinity,
    /// Inception Score at infinitely many generated images.
    IsInfinity,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Fid,
        Self::Sfid,
        Self::Is,
        Self::Kid,
        Self::Precision,
        Self::Recall,
        Self::FScore,
        Self::Density,
        Self::Coverage,
        Self::Mind,
        Self::Mifid,
        Self::Mmd,
        Self::Vendi,
        Self::FidInfinity,
        Self::IsInfinity,
    ];

    /// The score that it is a number of.
    pub fn metric(self) -> Metric {
        match self {
            Self::Fid => Metric::Fid,
            Self::Sfid => Metric::Sfid,
            Self::Is => Metric::InceptionScore,
            Self::Kid => Metric::Kid,
            Self::Precision | Self::Recall | Self::FScore | Self::Density | Self::Coverage => Metric::Prdc,
            Self::Mind => Metric::Mind,
            Self::Mifid => Metric::Mifid,
            Self::Mmd => Metric::Mmd,
            Self::Vendi => Metric::Vendi,
            Self::FidInfinity => Metric::FidInfinity,
            Self::IsInfinity => Metric::InceptionScoreInfinity,
        }
    }

    /// Its value, if it was computed.
    pub fn of(self, scores: &Scores) -> Option<f64> {
        let prdc = scores.prdc.as_ref().map(|prdc| &prdc.score);
        match self {
            Self::Fid => scores.fid.as_ref().map(|fid| fid.value),
            Self::Sfid => scores.sfid.as_ref().map(|sfid| sfid.value),
            Self::Is => scores.inception_score.as_ref().map(|score| score.mean),
            Self::Kid => scores.kid.as_ref().map(|kid| kid.score.mean),
            Self::Precision => prdc.map(|prdc| prdc.precision),
            Self::Recall => prdc.map(|prdc| prdc.recall),
            Self::FScore => prdc.map(|prdc| prdc.f_score),
            Self::Density => prdc.map(|prdc| prdc.density),
            Self::Coverage => prdc.map(|prdc| prdc.coverage),
            Self::Mind => scores.mind.as_ref().map(|mind| mind.score.value),
            Self::Mifid => scores.mifid.as_ref().map(|mifid| mifid.score.value),
            Self::Mmd => scores.mmd.as_ref().map(|mmd| mmd.score.value),
            Self::Vendi => scores.vendi.as_ref().map(|vendi| vendi.score.value),
            Self::FidInfinity => scores.fid_infinity.as_ref().map(|fid| fid.score.value),
            Self::IsInfinity => scores.inception_score_infinity.as_ref().map(|score| score.score.value),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fid => "fid",
            Self::Sfid => "sfid",
            Self::Is => "is",
            Self::Kid => "kid",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::FScore => "f-score",
            Self::Density => "density",
            Self::Coverage => "coverage",
            Self::Mind => "mind",
            Self::Mifid => "mifid",
            Self::Mmd => "mmd",
            Self::Vendi => "vendi",
            Self::FidInfinity => "fid-infinity",
            Self::IsInfinity => "is-infinity",
        })
    }
}

/// By the name that [`Display`](fmt::Display) prints.
impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The error names what there is.
impl FromStr for Quantity {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|quantity| quantity.to_string() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(ToString::to_string).collect();
            format!("no score is called `{name}`; there are {}", names.join(", "))
        })
    }
}

/// The side from which a bound holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The score may be equal to the limit or smaller.
    AtMost,
    /// The score may be equal to the limit or greater.
    AtLeast,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::AtMost => "at most",
            Side::AtLeast => "at least",
        })
    }
}

/// What a score must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bound {
    /// The score.
    pub score: Quantity,
    /// From which side.
    pub side: Side,
    /// The last value that is allowed.
    pub limit: f64,
}

impl Bound {
    /// Judges the scores; `None` when the bounded one was not computed. A value that is not a number meets no bound.
    pub fn judge(self, scores: &Scores) -> Option<Verdict> {
        let value = self.score.of(scores)?;
        let met = match self.side {
            Side::AtMost => value <= self.limit,
            Side::AtLeast => value >= self.limit,
        };
        Some(Verdict { bound: self, value, met })
    }
}

/// A bound, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Verdict {
    /// The bound.
    #[serde(flatten)]
    pub bound: Bound,
    /// Value of the score.
    pub value: f64,
    /// Whether the score keeps to the bound.
    pub met: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Vendi, VendiOptions};
    use crate::score::Defined;

    #[test]
    fn names_are_read_as_they_are_written() {
        for quantity in Quantity::ALL {
            assert_eq!(quantity.to_string().parse(), Ok(quantity));
            assert_eq!(serde_json::to_value(quantity).unwrap(), quantity.to_string());
        }
        let error = "fd".parse::<Quantity>().unwrap_err();
        assert!(error.starts_with("no score is called `fd`; there are fid, sfid, is, kid, precision,"), "{error}");
    }

    #[test]
    fn the_limit_itself_is_allowed_on_both_sides() {
        let scores =
            Scores { vendi: Some(Defined::new(Vendi { value: 2.0 }, VendiOptions::default())), ..Scores::default() };
        let met = |side, limit| {
            let bound = Bound { score: Quantity::Vendi, side, limit };
            bound.judge(&scores).unwrap().met
        };
        assert_eq!([1.9, 2.0, 2.1].map(|limit| met(Side::AtMost, limit)), [false, true, true]);
        assert_eq!([1.9, 2.0, 2.1].map(|limit| met(Side::AtLeast, limit)), [true, true, false]);
        assert_eq!(Bound { score: Quantity::Fid, side: Side::AtMost, limit: 1.0 }.judge(&scores), None);
    }
}
