//! What a batch that was submitted is exchanged for.

use std::fmt;

use super::{EngineError, Extraction};

/// A batch that was [submitted](super::FeatureExtractor::submit): [`Ticket::wait`] gives its features.
///
/// Tickets can be waited for in any order, on any thread, and outlive their extractor. A batch whose ticket is dropped before
/// the network comes to it is not computed.
#[must_use = "a batch whose ticket is dropped is not computed"]
pub struct Ticket(Box<dyn FnOnce() -> Result<Extraction, EngineError> + Send>);

impl Ticket {
    /// A ticket for what `wait` returns, which may block until it is there.
    pub fn new(wait: impl FnOnce() -> Result<Extraction, EngineError> + Send + 'static) -> Self {
        Self(Box::new(wait))
    }

    /// Waits for the features of the batch.
    ///
    /// # Errors
    /// As [`FeatureExtractor::extract`](super::FeatureExtractor::extract), and [`EngineError::Panicked`] when the engine
    /// panicked on this batch or one before.
    pub fn wait(self) -> Result<Extraction, EngineError> {
        self.0()
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}
