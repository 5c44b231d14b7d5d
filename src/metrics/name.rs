//! Names that nothing goes by.

use crate::error::{Blame, Blamed};

/// A name that nothing of its kind goes by. The message lists those that there are.
///
/// ```
/// use gan_metrics::score::Metric;
///
/// let error = "kit".parse::<Metric>().unwrap_err();
/// assert_eq!(error.name(), "kit");
/// assert!(error.to_string().starts_with("no score is called `kit`; there are fid, sfid"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called `{name}`; there are {}", known.join(", "))]
pub struct UnknownName {
    kind: &'static str,
    name: String,
    known: Vec<String>,
}

impl UnknownName {
    /// Nothing of a kind is called so.
    pub(super) fn new(kind: &'static str, name: &str, known: impl IntoIterator<Item = impl ToString>) -> Self {
        Self { kind, name: name.into(), known: known.into_iter().map(|name| name.to_string()).collect() }
    }

    /// The name that was given.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Blamed for UnknownName {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}
