//! Kernel Inception Distance.

use serde::Serialize;

use super::definitions::{Definition, Definitions, Preset};
use super::error::{MetricError, Set, known_to_have, positive, same_dimension};
use super::jackknife::JackknifeOptions;
use super::kernel::{self, Estimator, Kernel};
use super::mmd::{self, Length, MmdOptions};
use super::parameter::{Arguments, Kind, Parameter};
use super::score::{About, Better, Counts, Quantity, Score, ScoreInterval, Sets};
use super::subsets::discrepancies;
use super::value::Value;
use crate::interrupt::Interrupt;
use crate::options::builders;
use crate::random_state::RandomState;
use crate::stats::Features;

/// Definition of a Kernel Inception Distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct KidOptions {
    /// The kernel.
    pub kernel: Kernel,
    /// Number of subsets.
    pub subsets: usize,
    /// Images of each subset of either set, drawn without replacement.
    pub subset_size: usize,
    /// Seed of numpy's `RandomState`, which draws the subsets.
    pub seed: u32,
    /// Which set each pair of subsets draws from first. The estimate is symmetric, the drawn subsets are not.
    pub draws_first: Set,
}

builders!(KidOptions {
    with_kernel kernel: Kernel,
    with_subsets subsets: usize,
    with_subset_size subset_size: usize,
    with_seed seed: u32,
    with_draws_first draws_first: Set,
});

impl KidOptions {
    /// torch-fidelity's definition, where the fake set is its `input1`: `(xᵀy/d + 1)³`, 100 subsets of 1000, seed 2020.
    pub const TORCH_FIDELITY: Self =
        Self { kernel: Kernel::KID, subsets: 100, subset_size: 1000, seed: 2020, draws_first: Set::Fake };

    /// Whether sets of these numbers of images have a distance of this definition: known before there are features.
    ///
    /// # Errors
    /// [`MetricError`] when a set has fewer images than a subset, or a parameter is out of range.
    pub fn check(&self, counts: Counts) -> Result<(), MetricError> {
        self.kernel.check()?;
        positive("the number of subsets", self.subsets)?;
        if self.subset_size < 2 {
            let value = self.subset_size.to_string();
            return Err(MetricError::Parameter { parameter: "the subset size", value, range: "at least 2" });
        }
        let remedy = ("use a smaller subset size or more images", Some("subset-size"));
        known_to_have(self.subset_size, counts, &Set::BOTH, "a subset of the kernel distance", remedy)
    }
}

impl Default for KidOptions {
    fn default() -> Self {
        Self::TORCH_FIDELITY
    }
}

/// A Kernel Inception Distance: mean and standard deviation over subsets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kid {
    /// Mean over subsets. Its expectation does not depend on the number of images, and it is slightly negative now and
    /// then when the sets follow the same distribution.
    pub mean: f64,
    /// Standard deviation over subsets (ddof 0): that of an estimate from `subset_size` images, not of the mean.
    pub std: f64,
}

/// The Kernel Inception Distance, the mean over random subsets of the unbiased squared maximum mean discrepancy:
///
/// ```text
/// MMD² = 1/(m(m−1))·Σ_{i≠j} k(xᵢ, xⱼ) + 1/(m(m−1))·Σ_{i≠j} k(yᵢ, yⱼ) − 2/m²·Σ_{ij} k(xᵢ, yⱼ)
/// ```
///
/// Source: Bińkowski et al. 2018 (arXiv:1801.01401), as computed by torch-fidelity: the same subsets, drawn by
/// [`RandomState`]. clean-fid and dgm-eval use the same estimator with subsets of numpy's global generator.
///
/// Precision: products of centred features in f32, everything else in f64 (the peers compute in f32 throughout). The
/// rounding errors of the products have no sign in common and average out over the pairs, and an offset common to all
/// features does not enlarge them. Sets whose images make no more pairs than all subsets together are multiplied
/// once instead of subset by subset. Memory besides the features: `8·m·d` bytes and 1 MiB of products per thread, and 24
/// bytes per drawn image; where sets are multiplied once, also 8 bytes per subset for every 512×512 pairs of images.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, a set has fewer images than a subset, or a parameter is out of range.
pub fn kid(real: &Features, fake: &Features, options: KidOptions) -> Result<Kid, MetricError> {
    kid_until(real, fake, options, &Interrupt::new())
}

fn kid_until(real: &Features, fake: &Features, options: KidOptions, interrupt: &Interrupt) -> Result<Kid, MetricError> {
    let KidOptions { kernel, subsets, subset_size, seed, draws_first } = options;
    same_dimension(real, fake)?;
    options.check(Counts { real: Some(real.len()), fake: Some(fake.len()) })?;

    let (first, second) = match draws_first {
        Set::Real => (real, fake),
        Set::Fake => (fake, real),
    };
    let mut random = RandomState::new(seed);
    let draw = |_| -> Result<_, MetricError> {
        interrupt.check()?;
        Ok((random.choice(first.len(), subset_size), random.choice(second.len(), subset_size)))
    };
    let draws = (0..subsets).map(draw).collect::<Result<Vec<_>, _>>()?;
    let distances = discrepancies(kernel, [first.view(), second.view()], &draws, interrupt)?;
    let mean = distances.iter().sum::<f64>() / subsets as f64;
    let variance = distances.iter().map(|distance| (distance - mean).powi(2)).sum::<f64>() / subsets as f64;
    if !mean.is_finite() || !variance.is_finite() {
        return Err(MetricError::Overflow { score: "the kernel distance" });
    }
    Ok(Kid { mean, std: variance.sqrt() })
}

impl Definition for KidOptions {
    fn of(preset: Preset) -> Self {
        match preset {
            Preset::DgmEval => Self { seed: Preset::DGM_EVAL_SEED, draws_first: Set::Real, ..Self::TORCH_FIDELITY },
            _ => Self::TORCH_FIDELITY,
        }
    }
}

/// Kernel Inception Distance.
pub(super) struct Row;

static ABOUT: About = About {
    name: "kid",
    key: "kid",
    title: "KID",
    summary: "Kernel Inception Distance",
    quantities: &[Quantity {
        name: "kid",
        title: "KID",
        field: "mean",
        better: Better::Lower,
        // Unbiased: about zero, and on either side of it, for equal distributions.
        range: [f64::NEG_INFINITY, f64::INFINITY],
    }],
    parameters: &[
        Parameter {
            name: "subsets",
            placeholder: "N",
            help: "Number of subsets",
            default: Some("100"),
            kind: Kind::Count { least: 1, most: 100_000 },
            only_with: None,
        },
        Parameter {
            name: "subset-size",
            placeholder: "N",
            help: "Images in each subset",
            default: Some("1000"),
            kind: Kind::Count { least: 2, most: 1_000_000 },
            only_with: None,
        },
        kernel::parameter("polynomial"),
        kernel::SIGMA,
        Parameter {
            name: "seed",
            placeholder: "SEED",
            help: "Seed of numpy's RandomState that draws the subsets",
            default: None,
            kind: Kind::Seed,
            only_with: None,
        },
    ],
    presets: &[Preset::TorchFidelity, Preset::CleanFid, Preset::DgmEval],
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, arguments: &Arguments, definitions: &mut Definitions) -> Result<(), MetricError> {
        definitions.change(|options: &mut KidOptions| {
            options.subsets = arguments.count("subsets").unwrap_or(options.subsets);
            options.subset_size = arguments.count("subset-size").unwrap_or(options.subset_size);
            options.seed = arguments.seed("seed").unwrap_or(options.seed);
            options.kernel = Kernel::chosen(arguments).unwrap_or(options.kernel);
        });
        Ok(())
    }

    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError> {
        definitions.get::<KidOptions>().check(counts)
    }

    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let options: KidOptions = definitions.get();
        let [real, fake] = sets.features()?;
        let score = kid_until(real, fake, options, interrupt)?;
        let note = format!("{} subsets of {}", options.subsets, options.subset_size);
        Ok(Value::defined(&ABOUT, &score, &options).spread(score.std).note(0, note))
    }

    /// Of the discrepancy of all pairs, which is what the subsets estimate.
    fn intervals(
        &self,
        sets: &Sets<'_>,
        definitions: &Definitions,
        options: JackknifeOptions,
        interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        let KidOptions { kernel, .. } = definitions.get();
        let of = MmdOptions { kernel, estimator: Estimator::Unbiased, length: Length::AsGiven, scale: 1.0 };
        mmd::interval(sets, of, options, interrupt, Some("unbiased MMD² over all pairs"))
    }
}
