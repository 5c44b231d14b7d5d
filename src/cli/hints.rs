//! What the library says in its own words, in the words of the command line: the flag that helps.

use crate::Error;
use crate::evaluate::cache::CacheError;
use crate::evaluate::{BoundError, EvaluateError};
use crate::metrics::{InceptionScoreError, MetricError};
use crate::score::{Metric, Need, PlanError};

/// How the flags of a score's parameters are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flags {
    /// `--subset-size`, in the command of that score.
    Plain,
    /// `--kid-subset-size`, among those of many scores.
    Prefixed,
    /// There are none.
    Missing,
}

/// The flag that helps with an error, if one does.
pub fn of(error: &Error, flags: Flags) -> Option<String> {
    if let Some(EvaluateError::Image(_)) = error.downcast_ref() {
        return Some("to go on without such images, use --on-bad-image skip".into());
    }
    if let Some(CacheError::TooLarge { .. }) = error.downcast_ref() {
        return Some("raise the limit with --cache-limit".into());
    }
    if let Some(BoundError { number, left_out: None }) = error.downcast_ref() {
        return Some(format!("add {} to --metrics", number.metric().about().name));
    }
    match error.downcast_ref()? {
        PlanError::Score { metric, reason } => of_score(*metric, reason, flags),
        PlanError::NoInterval { .. } => Some("the intervals were asked for with --ci".into()),
        _ => None,
    }
}

fn of_score(metric: Metric, reason: &MetricError, flags: Flags) -> Option<String> {
    let parameter = match reason {
        MetricError::Missing { need: Need::Logits, .. } => return Some("name the output with --logits-output".into()),
        MetricError::Missing { need: Need::Spatial, .. } => {
            return Some("feature files hold them when written with `features --spatial`".into());
        }
        MetricError::TooFew { parameter, .. } => (*parameter)?,
        MetricError::InceptionScore(InceptionScoreError::Splits { .. }) => "splits",
        MetricError::InceptionScore(InceptionScoreError::Deviation { .. }) => "ddof",
        _ => return None,
    };
    match flags {
        Flags::Plain => Some(format!("change it with --{parameter}")),
        Flags::Prefixed => Some(format!("change it with --{}-{parameter}", metric.about().name)),
        Flags::Missing => None,
    }
}
