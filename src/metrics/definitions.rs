//! The definitions that tools are known for.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use super::name::UnknownName;

/// A tool whose definitions are followed.
///
/// * `torch-fidelity` takes precision and recall on VGG-16 unless a network is named; here they are of the features given.
/// * `pytorch-fid` has the Fréchet distance alone, `clean-fid` the kernel distance too, in the definition of torch-fidelity
///   but for an unseeded generator; these two differ by how images are resized.
/// * `adm`, guided-diffusion's `evaluator.py`, takes the Inception Score over splits of 5000 images as they come, and
///   compares neighbours (k = 3, closed balls) by squared distances in half precision; here they are exact.
/// * `dgm-eval` draws the subsets of its kernel distance from the real set first, has k = 5 with open balls on at most
///   10,000 images of each set, and cuts the Inception Score into splits of equal size. Its generator is seeded with
///   13579 and then used for other things; here it is seeded anew for each score. It shrinks the subsets of small
///   sets in silence, which is an error here, and takes at most 50,000 images of a set, where all count here.
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
    /// All of them.
    pub const ALL: [Self; 5] = [Self::TorchFidelity, Self::PytorchFid, Self::CleanFid, Self::Adm, Self::DgmEval];

    /// The seed of dgm-eval.
    pub(super) const DGM_EVAL_SEED: u32 = 13579;
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

/// By the name that [`Display`](fmt::Display) prints. The error names what there is.
impl FromStr for Preset {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|preset| preset.to_string() == name);
        found.ok_or_else(|| UnknownName::new("preset", name, Self::ALL))
    }
}

/// The definition of a score. Its type is the key by which [`Definitions`] know it.
pub trait Definition: Any + Clone + Send + Sync {
    /// The definition of a tool; of tools that do not have the score that of torch-fidelity, or of its paper.
    fn of(preset: Preset) -> Self;
}

/// The definition of every score: those of a tool, where none is changed.
///
/// ```
/// use gan_metrics::metrics::KidOptions;
/// use gan_metrics::score::{Definitions, Preset};
///
/// let mut definitions = Definitions::of(Preset::DgmEval);
/// assert_eq!(definitions.get::<KidOptions>().seed, 13579);
/// definitions.change(|kid: &mut KidOptions| kid.subset_size = 500);
/// assert_eq!(definitions.get::<KidOptions>().subset_size, 500);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    preset: Preset,
    changed: BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

impl Definitions {
    /// The definitions of a tool.
    pub fn of(preset: Preset) -> Self {
        Self { preset, changed: BTreeMap::new() }
    }

    /// The tool that they are those of, where none is changed.
    pub fn preset(&self) -> Preset {
        self.preset
    }

    /// The definition of this type.
    pub fn get<D: Definition>(&self) -> D {
        let changed = self.changed.get(&TypeId::of::<D>()).and_then(|definition| definition.downcast_ref::<D>());
        changed.cloned().unwrap_or_else(|| D::of(self.preset))
    }

    /// Puts another definition in the place of the one of this type.
    pub fn set<D: Definition>(&mut self, definition: D) {
        self.changed.insert(TypeId::of::<D>(), Arc::new(definition));
    }

    /// Changes the definition of this type.
    pub fn change<D: Definition>(&mut self, change: impl FnOnce(&mut D)) {
        let mut definition = self.get();
        change(&mut definition);
        self.set(definition);
    }
}
