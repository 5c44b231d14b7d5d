//! A critic that also tells classes.

use super::{CriticKind, Game, Objective, Verdict};
use crate::gan::error::GanError;
use crate::gan::networks::name;
use crate::gan::real::Real;
use crate::gan::regularizers::RegularizerSpec;
use crate::gan::state::SavedState;
use crate::gan::tape::Var;

/// Any game, in which both players also want the critic to tell the class: its cross entropy on real and on generated images
/// is added to the critic's loss, that on generated ones to the generator's (Odena, Olah and Shlens 2017).
pub struct AuxiliaryClassifier<T: Real = f32> {
    game: Box<dyn Objective<T>>,
    /// Share of real images whose class the critic told, in the last step.
    accuracy: f64,
}

impl<T: Real> AuxiliaryClassifier<T> {
    /// On top of a game.
    pub fn new(game: Box<dyn Objective<T>>) -> Self {
        AuxiliaryClassifier { game, accuracy: 0.0 }
    }
}

impl<T: Real> Objective<T> for AuxiliaryClassifier<T> {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let real = game.real()?;
        self.accuracy = accuracy(real.outputs.get(name::CLASSES)?, classes(game)?);
        let told = cross_entropy(&real, game)?.add(&cross_entropy(&game.fake, game)?)?;
        self.game.critic_loss(game)?.add(&told)
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        self.game.generator_loss(game)?.add(&cross_entropy(&game.fake, game)?)
    }

    fn critic(&self) -> CriticKind {
        self.game.critic()
    }

    fn regularizers(&self) -> Vec<RegularizerSpec> {
        self.game.regularizers()
    }

    fn outputs(&self) -> &'static [&'static str] {
        &[name::LOGIT, name::CLASSES]
    }

    fn generator_sees_real(&self) -> bool {
        self.game.generator_sees_real()
    }

    fn has_probabilities(&self) -> bool {
        self.game.has_probabilities()
    }

    /// Cross entropies are not negative: a loss below this has both parts below it.
    fn won_below(&self) -> Option<f64> {
        self.game.won_below()
    }

    fn values(&self) -> Vec<(&'static str, f64)> {
        [self.game.values(), vec![("class_accuracy", self.accuracy)]].concat()
    }

    fn save(&self, state: &mut SavedState) {
        self.game.save(state);
    }

    fn restore(&mut self, state: &SavedState) -> Result<(), GanError> {
        self.game.restore(state)
    }
}

fn classes<'a, T: Real>(game: &Game<'a, T>) -> Result<&'a Var<T>, GanError> {
    game.condition.ok_or_else(|| GanError::shape("objective", "the classes of the images are not there"))
}

fn cross_entropy<T: Real>(of: &Verdict<'_, T>, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
    Ok(of.outputs.get(name::CLASSES)?.cross_entropy(classes(game)?)?.mean())
}

/// Share of rows whose largest logit is that of the class, one-hot.
pub(in crate::gan) fn accuracy<T: Real>(logits: &Var<T>, classes: &Var<T>) -> f64 {
    let [told, wanted] = [logits, classes].map(|rows| rows.value().argmax_of_rows());
    let right = told.iter().zip(&wanted).filter(|(told, wanted)| told == wanted).count();
    right as f64 / told.len().max(1) as f64
}
