//! The errors of an autoencoder on real and on generated images, held in balance.

use super::spec::{Named, positive};
use super::{CriticKind, Defaults, Game, Objective, Verdict};
use crate::gan::error::GanError;
use crate::gan::networks::name;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::state::SavedState;
use crate::gan::tape::Var;

/// How fast the balance moves, the paper's.
const RATE: f64 = 1e-3;

/// With L = mean over pixels of |x̂ − x|, the critic minimises L(x) − k·L(G(z)), the generator L(G(z)), and after each step
/// k ← k + 0.001·(γ·L(x) − L(G(z))), kept in \[0, 1\] from 0 on. M = L(x) + |γ·L(x) − L(G(z))| tells how far it has come
/// (Berthelot, Schumm and Metz 2017).
#[derive(Debug, Clone, Copy)]
pub struct Began {
    gamma: f64,
    k: f64,
    /// L(x) of the critic's last step.
    real: f64,
    convergence: f64,
}

impl Named for Began {
    const NAME: &'static str = "began";
    const PARAMETER: Option<(&'static str, &'static str)> = Some((
        "GAMMA",
        "L(G(z)) over L(x) in equilibrium, at most 1: less gives sharper and less diverse images; 0.5 where nothing is said",
    ));
    const ABOUT: &'static str = "the errors of an autoencoder on real and on generated images are held in balance";
    const PAPER: &'static str = "Berthelot, Schumm and Metz 2017";
    const DEFAULTS: Defaults = Defaults::both(Rule::adam(1e-4, 0.5, 0.999), 1);

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        match positive("gamma", parameter, 0.5)? {
            Some(gamma) if gamma > 1.0 => Err(GanError::setting("gamma", gamma, "in (0, 1]")),
            gamma => Ok(gamma.map(|gamma| Began { gamma, k: 0.0, real: 0.0, convergence: 0.0 })),
        }
    }

    fn parameter(&self) -> Option<String> {
        Some(self.gamma.to_string())
    }
}

impl<T: Real> Objective<T> for Began {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let real = error(&game.real()?)?;
        self.real = real.item()?.to_f64();
        real.sub(&error(&game.fake)?.scale(T::of(self.k)))
    }

    /// Called once a step, after the critic's: it moves the balance.
    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let loss = error(&game.fake)?;
        let excess = self.gamma * self.real - loss.item()?.to_f64();
        self.k = (self.k + RATE * excess).clamp(0.0, 1.0);
        self.convergence = self.real + excess.abs();
        Ok(loss)
    }

    fn critic(&self) -> CriticKind {
        CriticKind::Autoencoder
    }

    fn values(&self) -> Vec<(&'static str, f64)> {
        vec![("k", self.k), ("convergence", self.convergence)]
    }

    fn save(&self, state: &mut SavedState) {
        state.insert_number("began.k", self.k);
    }

    fn restore(&mut self, state: &SavedState) -> Result<(), GanError> {
        self.k = state.number("began.k")?;
        Ok(())
    }
}

/// Mean absolute error of reconstructions.
fn error<T: Real>(of: &Verdict<'_, T>) -> Result<Var<T>, GanError> {
    Ok(of.outputs.get(name::RECONSTRUCTION)?.sub(of.images)?.abs().mean())
}
