//! What a request gives; serialised, it is the part `metrics` of the JSON report.

use serde::Serialize;

use super::definitions::PrdcDefinition;
use super::intervals::Intervals;
use crate::linalg::Spectrum;
use crate::metrics::{
    ClassFid, DegreesOfFreedom, Directions, DuplicateOptions, Extrapolation, ExtrapolationOptions, Fid, InceptionScore,
    InceptionScoreOptions, Kid, KidOptions, Mifid, MifidOptions, Mind, Mmd, MmdOptions, NearDuplicates, Order, Prdc,
    Splits, Vendi, VendiOptions,
};

/// The scores that were asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Scores {
    /// Fréchet distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fid: Option<FidReport>,
    /// Fréchet distance of the spatial features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sfid: Option<FidReport>,
    /// Inception Score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inception_score: Option<InceptionScoreReport>,
    /// Kernel Inception Distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<Defined<Kid, KidOptions>>,
    /// Precision, recall, density and coverage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prdc: Option<Defined<Prdc, PrdcDefinition>>,
    /// Monge Inception Distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mind: Option<Defined<Mind, Directions>>,
    /// Memorisation-informed Fréchet distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mifid: Option<Defined<Mifid, MifidOptions>>,
    /// Maximum mean discrepancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mmd: Option<Defined<Mmd, MmdOptions>>,
    /// Vendi score of the generated images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendi: Option<Defined<Vendi, VendiOptions>>,
    /// Fréchet distance at infinitely many generated images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fid_infinity: Option<Defined<Extrapolation, ExtrapolationOptions>>,
    /// Inception Score at infinitely many generated images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inception_score_infinity: Option<Defined<Extrapolation, ExtrapolationOptions>>,
    /// Near-duplicates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Defined<Duplicates, DuplicateOptions>>,
    /// Fréchet distance class by class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_class_fid: Option<Vec<ClassFid>>,
    /// Confidence intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
}

/// A score and the definition it follows.
#[derive(Debug, Clone, Serialize)]
pub struct Defined<S, D> {
    /// The score.
    #[serde(flatten)]
    pub score: S,
    /// Its definition.
    pub definition: D,
}

impl<S, D> Defined<S, D> {
    /// A score and the definition it follows.
    pub fn new(score: S, definition: D) -> Self {
        Self { score, definition }
    }
}

/// Near-duplicates within each set, and between both.
#[derive(Debug, Clone, Serialize)]
pub struct Duplicates {
    /// Among the real images.
    pub within_real: NamedDuplicates,
    /// Among the generated images.
    pub within_fake: NamedDuplicates,
    /// Generated images that look like a real one: memorised, or leaked.
    pub between: NamedDuplicates,
}

/// Near-duplicates, and what they are called.
#[derive(Debug, Clone, Serialize)]
pub struct NamedDuplicates {
    /// The near-duplicates.
    #[serde(flatten)]
    pub found: NearDuplicates,
    /// Names of both images of each of the pairs, in their order; `None` when a set came without names.
    pub names: Option<Vec<[String; 2]>>,
}

impl NamedDuplicates {
    /// Calls the images of the pairs by the names of the sets that `first` and `second` count in.
    pub fn new(found: NearDuplicates, first: Option<&Vec<String>>, second: Option<&Vec<String>>) -> Self {
        let names = first.zip(second).map(|(first, second)| {
            found.pairs.iter().map(|pair| [first[pair.first].clone(), second[pair.second].clone()]).collect()
        });
        Self { found, names }
    }
}

/// A Fréchet distance.
#[derive(Debug, Clone, Serialize)]
pub struct FidReport {
    /// The distance.
    pub value: f64,
    /// Its part from the means.
    pub mean_term: f64,
    /// Its part from the covariances.
    pub trace_term: f64,
    /// Dimension of the features.
    pub dim: usize,
    /// Numerical ranks of both covariances.
    pub ranks: [usize; 2],
    /// Condition numbers of both covariances, where known.
    pub conditions: [Option<f64>; 2],
    /// Negative eigenvalues of both covariances that were taken as zero, where there were any beyond rounding.
    #[serde(skip)]
    pub clipped: [Option<f64>; 2],
}

impl From<Fid> for FidReport {
    fn from(fid: Fid) -> Self {
        let Fid { value, mean_term, trace_term, spectra } = fid;
        let [Spectrum { dim, .. }, _] = spectra;
        Self {
            value,
            mean_term,
            trace_term,
            dim,
            ranks: spectra.map(|seen| seen.rank),
            conditions: spectra.map(|seen| seen.condition),
            clipped: spectra.map(|seen| seen.clipped),
        }
    }
}

/// An Inception Score.
#[derive(Debug, Clone, Serialize)]
pub struct InceptionScoreReport {
    /// Mean over splits.
    pub mean: f64,
    /// Standard deviation over splits.
    pub std: f64,
    /// Number of splits.
    pub splits: usize,
    /// How they were cut: `even`, `equal` (what remains is left out) or `of-size` (the last one is smaller).
    pub split_rule: &'static str,
    /// Seed of the permutation before splitting; `null` when the images were taken as they came.
    pub shuffle_seed: Option<u32>,
    /// 0 when the variance over splits was divided by their number, 1 when by one less.
    pub ddof: u8,
}

impl InceptionScoreReport {
    /// A score and the definition it follows.
    pub fn new(score: InceptionScore, options: InceptionScoreOptions) -> Self {
        let shuffle_seed = match options.order {
            Order::AsGiven => None,
            Order::Shuffled { seed } => Some(seed),
        };
        let ddof = match options.ddof {
            DegreesOfFreedom::Population => 0,
            DegreesOfFreedom::Sample => 1,
        };
        let split_rule = match options.splits {
            Splits::Even(_) => "even",
            Splits::Equal(_) => "equal",
            Splits::OfSize(_) => "of-size",
        };
        Self { mean: score.mean, std: score.std, splits: score.splits, split_rule, shuffle_seed, ddof }
    }
}
