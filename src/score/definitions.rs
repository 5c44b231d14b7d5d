//! The definitions that tools are known for.

use std::borrow::Cow;
use std::fmt;

use ndarray::Axis;
use serde::Serialize;

use super::Metric;
use crate::metrics::{
    Directions, DuplicateOptions, ExtrapolationOptions, InceptionScoreOptions, KidOptions, MifidOptions, MmdOptions,
    PrdcOptions, RandomState, Set, VendiOptions,
};
use crate::stats::Features;

/// A tool whose definitions are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Preset {
    /// torch-fidelity.
    #[default]
    TorchFidelity,
    /// pytorch-fid.
    PytorchFid,
    /// clean-fid.
    CleanFid,
    /// The evaluator of ADM, guided-diffusion's `evaluator.py`.
    Adm,
    /// dgm-eval with `--model inception`.
    DgmEval,
}

impl Preset {
    /// The scores that the tool reports.
    pub fn metrics(self) -> &'static [Metric] {
        use Metric::{Fid, FidInfinity, InceptionScore, Kid, Prdc, Sfid, Vendi};
        match self {
            Preset::TorchFidelity => &[Fid, InceptionScore, Kid, Prdc],
            Preset::PytorchFid => &[Fid],
            Preset::CleanFid => &[Fid, Kid],
            Preset::Adm => &[InceptionScore, Fid, Sfid, Prdc],
            Preset::DgmEval => &[Fid, FidInfinity, Kid, Prdc, InceptionScore, Vendi],
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Preset::TorchFidelity => "torch-fidelity",
            Preset::PytorchFid => "pytorch-fid",
            Preset::CleanFid => "clean-fid",
            Preset::Adm => "adm",
            Preset::DgmEval => "dgm-eval",
        })
    }
}

/// A random subset of each set, of the same size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Subset {
    /// Images of each set at most. The subsets have no more images than the smaller set.
    pub most: usize,
    /// Seed of numpy's `RandomState`, which chooses the real images first.
    pub seed: u32,
}

/// Definition of precision, recall, density and coverage, and of the images they are computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PrdcDefinition {
    /// The balls.
    #[serde(flatten)]
    pub options: PrdcOptions,
    /// The images; `None` for all of them.
    pub subset: Option<Subset>,
}

impl PrdcDefinition {
    /// The images of both sets that count.
    pub(super) fn subsets<'a>(&self, real: &'a Features, fake: &'a Features) -> (Cow<'a, Features>, Cow<'a, Features>) {
        let Some(Subset { most, seed }) = self.subset else { return (Cow::Borrowed(real), Cow::Borrowed(fake)) };
        let size = most.min(real.len()).min(fake.len());
        let mut random = RandomState::new(seed);
        let mut choose = |set: &'a Features| {
            // Drawn even where all are chosen, as the tool does.
            let chosen = random.choice(set.len(), size);
            if size == set.len() {
                return Cow::Borrowed(set);
            }
            let rows = set.view().select(Axis(0), &chosen);
            Cow::Owned(Features::new(rows).expect("rows of valid features are valid"))
        };
        (choose(real), choose(fake))
    }
}

/// The definition of every score.
#[derive(Debug, Clone, PartialEq)]
pub struct Definitions {
    /// The tool they are those of.
    pub preset: Preset,
    /// Inception Score.
    pub inception_score: InceptionScoreOptions,
    /// Kernel Inception Distance.
    pub kid: KidOptions,
    /// Precision, recall, density and coverage.
    pub prdc: PrdcDefinition,
    /// Directions of the Monge Inception Distance.
    pub directions: Directions,
    /// Memorisation-informed Fréchet distance.
    pub mifid: MifidOptions,
    /// Maximum mean discrepancy.
    pub mmd: MmdOptions,
    /// Vendi score.
    pub vendi: VendiOptions,
    /// Scores at infinitely many images.
    pub extrapolation: ExtrapolationOptions,
    /// Near-duplicates.
    pub duplicates: DuplicateOptions,
}

impl Definitions {
    /// The definitions of a tool. Scores that it does not have are those of torch-fidelity, or of their papers.
    ///
    /// * torch-fidelity takes precision and recall on VGG-16 unless a network is named; here they are of the features given.
    /// * pytorch-fid has the Fréchet distance alone, clean-fid the kernel distance too, in the definition of
    ///   torch-fidelity but for an unseeded generator; these two differ by how images are resized.
    /// * `evaluator.py` of ADM takes the Inception Score over splits of 5000 images as they come, and compares
    ///   neighbours (k = 3, closed balls) by squared distances in half precision; here they are exact.
    /// * dgm-eval draws the subsets of its kernel distance from the real set first, has k = 5 with open balls on at most
    ///   10,000 images of each set, and cuts the Inception Score into splits of equal size. Its generator is seeded with
    ///   13579 and then used for other things; here it is seeded anew for each score. It shrinks the subsets of small
    ///   sets in silence, which is an error here, and takes at most 50,000 images of a set, where all count here.
    pub fn of(preset: Preset) -> Self {
        const SEED: u32 = 13579;
        let torch_fidelity = Self {
            preset,
            inception_score: InceptionScoreOptions::default(),
            kid: KidOptions::TORCH_FIDELITY,
            prdc: PrdcDefinition { options: PrdcOptions::TORCH_FIDELITY, subset: None },
            directions: Directions::TORCH_FIDELITY,
            mifid: MifidOptions::default(),
            mmd: MmdOptions::default(),
            vendi: VendiOptions::default(),
            extrapolation: ExtrapolationOptions::default(),
            duplicates: DuplicateOptions::default(),
        };
        match preset {
            Preset::TorchFidelity | Preset::PytorchFid | Preset::CleanFid => torch_fidelity,
            Preset::Adm => Self { inception_score: InceptionScoreOptions::ADM, ..torch_fidelity },
            Preset::DgmEval => Self {
                inception_score: InceptionScoreOptions::DGM_EVAL,
                kid: KidOptions { seed: SEED, draws_first: Set::Real, ..KidOptions::TORCH_FIDELITY },
                prdc: PrdcDefinition { options: PrdcOptions::PRDC, subset: Some(Subset { most: 10_000, seed: SEED }) },
                ..torch_fidelity
            },
        }
    }
}
