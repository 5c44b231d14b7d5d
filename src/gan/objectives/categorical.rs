//! A critic that sorts real images into classes of its own, and cannot sort generated ones.

use super::{CriticKind, Game, Objective};
use crate::gan::error::GanError;
use crate::gan::networks::name;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// With p(y|x) of the critic and p̄ its mean over a batch, the critic minimises −H(p̄(x)) + E H(p(x)) − E H(p(G(z))), the
/// generator −H(p̄(G(z))) + E H(p(G(z))): real images are sorted with certainty into classes that are used evenly, generated
/// ones are to be (Springenberg 2016). No labels are needed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Categorical {
    /// H(p̄(x)) − E H(p(x)) of the last step: at most ln K, where every class is used and told without doubt.
    certainty: f64,
}

/// Under a logarithm: a class that is never used.
const SMALLEST_SHARE: f64 = 1e-12;

/// E H(p) over rows of logits, and H(p̄).
fn entropies<T: Real>(logits: &Var<T>) -> Result<[Var<T>; 2], GanError> {
    let shares = logits.softmax(1)?;
    let each = shares.mul(&logits.log_softmax(1)?)?.sum_rows()?.mean().neg();
    let mean = shares.mean_axes(&[0])?;
    let of_mean = mean.mul(&mean.shift(T::of(SMALLEST_SHARE)).ln())?.sum().neg();
    Ok([each, of_mean])
}

impl<T: Real> Objective<T> for Categorical {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let [each, of_mean] = entropies(game.real()?.outputs.get(name::CLASSES)?)?;
        let sorted = of_mean.sub(&each)?;
        self.certainty = sorted.item()?.to_f64();
        let [each, _] = entropies(game.fake.outputs.get(name::CLASSES)?)?;
        Ok(sorted.add(&each)?.neg())
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let [each, of_mean] = entropies(game.fake.outputs.get(name::CLASSES)?)?;
        each.sub(&of_mean)
    }

    fn critic(&self) -> CriticKind {
        CriticKind::Classes
    }

    fn values(&self) -> Vec<(&'static str, f64)> {
        vec![("certainty", self.certainty)]
    }
}
