//! AuthPct: the share of generated images that are not copies.

use serde::Serialize;

use super::definitions::{Definitions, Preset};
use super::error::{MetricError, Set, known_to_have, same_dimension};
use super::jackknife::JackknifeOptions;
use super::neighbours::Distances;
use super::score::{About, Better, Counts, Quantity, Score, ScoreInterval, Sets};
use super::value::{Caution, Value};
use crate::interrupt::Interrupt;
use crate::stats::Features;

/// A share of authentic images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AuthPct {
    /// Authentic images of the fake set, in percent.
    pub value: f64,
}

/// AuthPct, the percentage of fake images that are authentic: farther from the real image nearest to them than that image
/// is from its own nearest real neighbour,
///
/// ```text
/// AuthPct = 100/M·Σ_j 1[ minᵢ≠ₜ ‖xₜ − xᵢ‖ < ‖xₜ − yⱼ‖ ]      t = argminᵢ ‖xᵢ − yⱼ‖
/// ```
///
/// for M fake images y and the real images x that the generator was trained on. A generator that copies them has a low
/// one. What other real images have depends on the dimension and the number of images: measure it with a second real set.
///
/// Source: Alaa et al. 2022 (arXiv:2102.08921), as computed by dgm-eval's `compute_authpct` (Stein et al. 2023,
/// arXiv:2306.04675), on whole sets.
///
/// Exact: comparisons are those of distances in f64, so that a copy is never authentic; dgm-eval's are f32 products.
/// Nothing is n×n in memory.
///
/// ```
/// use gan_metrics::metrics::authpct;
/// use gan_metrics::stats::Features;
/// use ndarray::array;
///
/// let real = Features::new(array![[0.0], [1.0], [3.0]])?;
/// // A copy; one nearer to its nearest real image than that is to its own; and one farther.
/// let fake = Features::new(array![[1.0], [0.25], [9.0]])?;
/// assert!((authpct(&real, &fake)?.value - 100.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`MetricError`] when the dimensions differ, or there are fewer than two real images or no fake one.
pub fn authpct(real: &Features, fake: &Features) -> Result<AuthPct, MetricError> {
    Ok(authpct_until(real, fake, &Interrupt::new())?.0)
}

/// AuthPct, and the number of real images that have a copy in their set.
fn authpct_until(real: &Features, fake: &Features, interrupt: &Interrupt) -> Result<(AuthPct, usize), MetricError> {
    same_dimension(real, fake)?;
    check(Counts { real: Some(real.len()), fake: Some(fake.len()) })?;
    let within: Vec<f64> = {
        let nearest = Distances::within(real, interrupt).nearest_within(1)?;
        nearest.into_iter().map(|found| found[0].square).collect()
    };
    let nearest = Distances::between(fake, real, interrupt).nearest_between(1)?;
    let authentic = nearest.iter().filter(|found| within[found[0].index] < found[0].square).count();
    let copies = within.iter().filter(|&&square| square == 0.0).count();
    Ok((AuthPct { value: 100.0 * authentic as f64 / fake.len() as f64 }, copies))
}

fn check(counts: Counts) -> Result<(), MetricError> {
    let purpose = "the share of authentic images";
    known_to_have(2, counts, &[Set::Real], purpose, ("give more images", None))?;
    known_to_have(1, counts, &[Set::Fake], purpose, ("give images", None))
}

/// AuthPct.
pub(super) struct Row;

static ABOUT: About = About {
    name: "authpct",
    key: "authpct",
    title: "AuthPct",
    summary: "percentage of generated images that are authentic, not near-copies of a real one",
    wants: "all images trained on",
    quantities: &[Quantity {
        name: "authpct",
        title: "AuthPct",
        field: "value",
        better: Better::Higher,
        range: [0.0, 100.0],
    }],
    presets: &[Preset::DgmEval],
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, counts: Counts, _: &Definitions) -> Result<(), MetricError> {
        check(counts)
    }

    fn compute(&self, sets: &Sets<'_>, _: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let [real, fake] = sets.features()?;
        let (score, copies) = authpct_until(real, fake, interrupt)?;
        let value = Value::new(&ABOUT, &score).note(0, "percent").caution(Caution::NumberOfImages);
        Ok(value.caution_of_copies(Set::Real, copies))
    }

    fn intervals(
        &self,
        sets: &Sets<'_>,
        _: &Definitions,
        options: JackknifeOptions,
        interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        Ok(vec![sets.interval(options, None, |x, y| Ok(authpct_until(x, y, interrupt)?.0.value))?])
    }
}
