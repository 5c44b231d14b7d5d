//! An energy instead of a verdict: the critic is an autoencoder that reconstructs real images only.

use super::spec::{Named, positive};
use super::{CriticKind, Defaults, Game, Objective, Verdict};
use crate::gan::error::GanError;
use crate::gan::networks::name;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::tape::Var;

/// Weight of the pulling-away term, the paper's.
const PULLING_AWAY: f64 = 0.1;

/// With the energy e(x) = mean over pixels of (x̂ − x)², x̂ the reconstruction, the critic minimises E e(x) +
/// E max(0, m − e(G(z))), the generator E e(G(z)) + 0.1·PT, where PT is the mean squared cosine of the codes of two
/// different images of the batch (Zhao, Mathieu and LeCun 2016). Gradients go through both places of G(z) in its energy.
#[derive(Debug, Clone, Copy)]
pub struct Ebgan {
    margin: f64,
}

impl Named for Ebgan {
    const NAME: &'static str = "ebgan";
    const PARAMETER: Option<(&'static str, &'static str)> =
        Some(("MARGIN", "the energy that generated images are pushed up to, 0.3 where nothing is said"));
    const ABOUT: &'static str = "the error of an autoencoder is low on real images and has a margin on generated ones";
    const PAPER: &'static str = "Zhao, Mathieu and LeCun 2016";
    const DEFAULTS: Defaults = Defaults::both(Rule::adam(5e-4, 0.5, 0.999), 1);

    fn read(parameter: Option<&str>) -> Result<Option<Self>, GanError> {
        Ok(positive("the margin", parameter, 0.3)?.map(|margin| Ebgan { margin }))
    }

    fn parameter(&self) -> Option<String> {
        Some(self.margin.to_string())
    }
}

impl<T: Real> Objective<T> for Ebgan {
    fn critic_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let short_of_margin = energies(&game.fake)?.neg().shift(T::of(self.margin)).relu();
        energies(&game.real()?)?.mean().add(&short_of_margin.mean())
    }

    fn generator_loss(&mut self, game: &Game<'_, T>) -> Result<Var<T>, GanError> {
        let alike = pulling_away(game.fake.outputs.get(name::CODE)?)?;
        energies(&game.fake)?.mean().add(&alike.scale(T::of(PULLING_AWAY)))
    }

    fn critic(&self) -> CriticKind {
        CriticKind::Autoencoder
    }
}

/// Mean squared error of each image's reconstruction.
fn energies<T: Real>(of: &Verdict<'_, T>) -> Result<Var<T>, GanError> {
    let squares = of.outputs.get(name::RECONSTRUCTION)?.sub(of.images)?.square();
    let pixels = squares.value().len() / squares.shape()[0].max(1);
    Ok(squares.sum_rows()?.scale(T::of(1.0 / pixels as f64)))
}

/// 1/(n(n−1))·Σᵢ≠ⱼ cos²(sᵢ, sⱼ) over the rows of codes.
pub(super) fn pulling_away<T: Real>(codes: &Var<T>) -> Result<Var<T>, GanError> {
    /// Under the root: a code of zeros has no direction.
    const SMALLEST_SQUARE: f64 = 1e-12;
    let rows = codes.shape()[0];
    let squares = codes.square().sum_rows()?;
    let lengths = squares.shift(T::of(SMALLEST_SQUARE)).sqrt().reshape(&[rows, 1])?;
    let directions = codes.div(&lengths)?;
    let cosines = directions.matmul(&directions.permute(&[1, 0])?)?;
    let with_themselves = directions.square().sum_rows()?.square().sum();
    let pairs = (rows * rows.saturating_sub(1)).max(1) as f64;
    Ok(cosines.square().sum().sub(&with_themselves)?.scale(T::of(1.0 / pairs)))
}
