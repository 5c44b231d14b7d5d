//! What a score is: a row of the [registry](super::registry).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::definitions::{Definitions, Preset};
use super::error::{MetricError, Set};
use super::jackknife::{Interval, JackknifeOptions, jackknife};
use super::parameter::{Arguments, Parameter};
use super::value::Value;
use crate::interrupt::Interrupt;
use crate::stats::{Features, Gaussian, Logits};

/// What a score needs of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Need {
    /// Mean and covariance of the features.
    Statistics,
    /// The features of every image.
    Features,
    /// The class scores of every image.
    Logits,
    /// Mean and covariance of the spatial features.
    Spatial,
    /// The class of every image.
    Labels,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Need::Statistics => "mean and covariance of the features",
            Need::Features => "the features of every image",
            Need::Logits => "class scores",
            Need::Spatial => "spatial features",
            Need::Labels => "the class of every image",
        })
    }
}

impl Need {
    /// How a set comes to have it.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Need::Statistics => "give images, features or statistics",
            Need::Features => "statistics hold only their mean and covariance; give images or a feature file",
            Need::Logits => "use a network with an output named `logits`, or say which output they are",
            Need::Spatial => "use inception-v3, or a feature file that was written with them",
            Need::Labels => "put the images of each class into a folder of its own",
        }
    }
}

/// Which values of a number are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Small ones.
    Lower,
    /// Large ones.
    Higher,
}

impl fmt::Display for Better {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Better::Lower => "lower",
            Better::Higher => "higher",
        })
    }
}

/// A number of a score: what bounds, intervals and tables are of.
#[derive(Debug, PartialEq)]
pub struct Quantity {
    /// The name that it goes by wherever it is asked for, such as `f-score`; no two numbers share one.
    pub name: &'static str,
    /// What people call it, such as `F-score`.
    pub title: &'static str,
    /// The field of the score's JSON object that holds it.
    pub field: &'static str,
    /// Which values are better.
    pub better: Better,
    /// Smallest and largest possible value.
    pub range: [f64; 2],
}

impl Quantity {
    /// A number from zero up that is better when low: a distance.
    pub const fn distance(name: &'static str, title: &'static str) -> Self {
        Self { name, title, field: "value", better: Better::Lower, range: [0.0, f64::INFINITY] }
    }

    /// A share of images, 0 to 1, that is better when high.
    pub const fn share(name: &'static str, title: &'static str, field: &'static str) -> Self {
        Self { name, title, field, better: Better::Higher, range: [0.0, 1.0] }
    }
}

/// Everything about a score but how it is computed.
#[derive(Debug)]
pub struct About {
    /// The name that it goes by wherever it is asked for, such as `fid-infinity`.
    pub name: &'static str,
    /// Its key in the JSON report, such as `fid_infinity`.
    pub key: &'static str,
    /// What people call it, such as `FID∞`.
    pub title: &'static str,
    /// One line on what it is.
    pub summary: &'static str,
    /// How many images it wants, for people.
    pub wants: &'static str,
    /// What it needs of the real set; nothing when it looks at the fake set alone.
    pub real: &'static [Need],
    /// What it needs of the fake set.
    pub fake: &'static [Need],
    /// What a confidence interval needs of both sets besides; `None` when it cannot have one.
    pub interval: Option<&'static [Need]>,
    /// Its numbers.
    pub quantities: &'static [Quantity],
    /// What can be changed of its definition.
    pub parameters: &'static [Parameter],
    /// The fields of its JSON object that say how it was computed: two numbers of the score can be compared where these are the
    /// same.
    pub defined_by: &'static [&'static str],
    /// The tools that report it.
    pub presets: &'static [Preset],
    /// Whether it is computed only where it is named, not among all scores.
    pub only_by_name: bool,
}

impl About {
    /// A score that compares the features of two sets, to be given a name.
    pub(super) const OF_FEATURES: Self = Self {
        name: "",
        key: "",
        title: "",
        summary: "",
        wants: "1,000 and more",
        real: &[Need::Features],
        fake: &[Need::Features],
        interval: Some(&[]),
        quantities: &[],
        parameters: &[],
        defined_by: &["definition"],
        presets: &[],
        only_by_name: false,
    };

    /// What it needs of a set.
    pub fn needs(&self, set: Set) -> &'static [Need] {
        match set {
            Set::Real => self.real,
            Set::Fake => self.fake,
        }
    }

    /// Whether it compares the fake set with a real one.
    pub fn compares(&self) -> bool {
        !self.real.is_empty()
    }

    /// Why it cannot be computed where a set offers only some needs: the first that is missing.
    pub fn missing(&self, set: Set, offers: impl Fn(Need) -> bool) -> Option<MetricError> {
        let need = self.needs(set).iter().copied().find(|&need| !offers(need))?;
        Some(MetricError::Missing { score: self.title, set, need })
    }
}

/// How many images the sets have, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Images of the real set; `None` without one, or when a statistics file does not tell.
    pub real: Option<usize>,
    /// Images of the fake set.
    pub fake: Option<usize>,
}

impl Counts {
    /// Images of a set, where known.
    pub fn of(self, set: Set) -> Option<usize> {
        match set {
            Set::Real => self.real,
            Set::Fake => self.fake,
        }
    }
}

/// What is known of a set of images: whatever the scores that were asked for need.
#[derive(Debug, Clone, Default)]
pub struct SetData {
    /// Mean and covariance of the features.
    pub statistics: Option<Gaussian>,
    /// The features.
    pub features: Option<Features>,
    /// The class scores.
    pub logits: Option<Logits>,
    /// Mean and covariance of the spatial features, which sFID compares.
    pub spatial: Option<Gaussian>,
    /// The class of each image.
    pub labels: Option<Vec<String>>,
    /// The name of each image, if it has one: for reports, and nothing is computed of it.
    pub names: Option<Vec<String>>,
    /// Numbers of images that were too few for a covariance, by what needs one: so that the scores that need none are computed.
    pub too_few: BTreeMap<Need, u64>,
}

impl SetData {
    /// Whether both hold the same features as far as can be told from what is known of both.
    pub fn same_as(&self, other: &Self) -> bool {
        let of_features = self.features.as_ref().zip(other.features.as_ref()).map(|(ours, theirs)| ours == theirs);
        // Statistics need not be of the features that are at hand.
        let of_statistics = || {
            let statistics = self.statistics.as_ref().zip(other.statistics.as_ref());
            statistics.map(|(ours, theirs)| ours.same_as(theirs))
        };
        of_features != Some(false) && of_statistics().or(of_features).unwrap_or(false)
    }

    /// Whether it has this, or would have it with more images.
    pub fn holds(&self, need: Need) -> bool {
        self.too_few.contains_key(&need)
            || match need {
                Need::Statistics => self.statistics.is_some(),
                Need::Features => self.features.is_some(),
                Need::Logits => self.logits.is_some(),
                Need::Spatial => self.spatial.is_some(),
                Need::Labels => self.labels.is_some(),
            }
    }

    /// Number of images, where known.
    pub fn images(&self) -> Option<usize> {
        let rows = self.features.as_ref().map(Features::len).or(self.logits.as_ref().map(Logits::len));
        rows.or_else(|| self.statistics.as_ref()?.n()?.try_into().ok())
    }
}

/// The sets as a score sees them: what it lacks is an error in its name.
#[derive(Debug, Clone, Copy)]
pub struct Sets<'a> {
    /// The score, as people call it.
    pub score: &'static str,
    /// The real set, if there is one.
    pub real: Option<&'a SetData>,
    /// The set that is judged.
    pub fake: &'a SetData,
}

impl<'a> Sets<'a> {
    fn part<T>(&self, set: Set, need: Need, part: impl Fn(&'a SetData) -> Option<&'a T>) -> Result<&'a T, MetricError> {
        let of = match set {
            Set::Real => self.real.ok_or(MetricError::NoRealSet { score: self.score })?,
            Set::Fake => self.fake,
        };
        part(of).ok_or_else(|| match of.too_few.get(&need) {
            Some(&images) => MetricError::TooFew {
                set,
                images: images as usize,
                needed: 2,
                purpose: "a covariance",
                remedy: "give more images",
                parameter: None,
            },
            None => MetricError::Missing { score: self.score, set, need },
        })
    }

    /// Mean and covariance of the features of both sets, the real one first.
    ///
    /// # Errors
    /// As all of these methods: [`MetricError::Missing`] or [`MetricError::NoRealSet`].
    pub fn statistics(&self) -> Result<[&'a Gaussian; 2], MetricError> {
        let of = |set| self.part(set, Need::Statistics, |data| data.statistics.as_ref());
        Ok([of(Set::Real)?, of(Set::Fake)?])
    }

    /// Mean and covariance of the features of the real set.
    ///
    /// # Errors
    /// As [`Self::statistics`].
    pub fn real_statistics(&self) -> Result<&'a Gaussian, MetricError> {
        self.part(Set::Real, Need::Statistics, |data| data.statistics.as_ref())
    }

    /// Mean and covariance of the features of the fake set.
    ///
    /// # Errors
    /// As [`Self::statistics`].
    pub fn fake_statistics(&self) -> Result<&'a Gaussian, MetricError> {
        self.part(Set::Fake, Need::Statistics, |data| data.statistics.as_ref())
    }

    /// Mean and covariance of the spatial features of both sets.
    ///
    /// # Errors
    /// As [`Self::statistics`].
    pub fn spatial(&self) -> Result<[&'a Gaussian; 2], MetricError> {
        let of = |set| self.part(set, Need::Spatial, |data| data.spatial.as_ref());
        Ok([of(Set::Real)?, of(Set::Fake)?])
    }

    /// The features of both sets.
    ///
    /// # Errors
    /// As [`Self::statistics`].
    pub fn features(&self) -> Result<[&'a Features; 2], MetricError> {
        let of = |set| self.part(set, Need::Features, |data| data.features.as_ref());
        Ok([of(Set::Real)?, of(Set::Fake)?])
    }

    /// The features of the fake set.
    ///
    /// # Errors
    /// As [`Self::statistics`].
    pub fn fake_features(&self) -> Result<&'a Features, MetricError> {
        self.part(Set::Fake, Need::Features, |data| data.features.as_ref())
    }

    /// The class scores of the fake set.
    ///
    /// # Errors
    /// As [`Self::statistics`].
    pub fn fake_logits(&self) -> Result<&'a Logits, MetricError> {
        self.part(Set::Fake, Need::Logits, |data| data.logits.as_ref())
    }

    /// The classes of the images of both sets.
    ///
    /// # Errors
    /// As [`Self::statistics`].
    pub fn labels(&self) -> Result<[&'a [String]; 2], MetricError> {
        let of = |set| self.part(set, Need::Labels, |data| data.labels.as_ref());
        Ok([of(Set::Real)?, of(Set::Fake)?])
    }

    /// The names of the images of a set, where it has any.
    pub fn names(&self, set: Set) -> Option<&'a [String]> {
        let data = match set {
            Set::Real => self.real?,
            Set::Fake => self.fake,
        };
        data.names.as_deref()
    }

    /// The interval of a score of the features of both sets; `of` is what [`ScoreInterval::of`] is.
    pub(super) fn interval(
        &self,
        options: JackknifeOptions,
        of: Option<&'static str>,
        score: impl Fn(&Features, &Features) -> Result<f64, MetricError>,
    ) -> Result<ScoreInterval, MetricError> {
        let [real, fake] = self.features()?;
        Ok(ScoreInterval { interval: jackknife(real, fake, options, score)?, of })
    }
}

/// The confidence interval of a number of a score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreInterval {
    /// The interval.
    #[serde(flatten)]
    pub interval: Interval,
    /// What it is the interval of, where that is not the number itself but an estimate of the same quantity without random
    /// subsets, whose noise a jackknife would amplify.
    pub of: Option<&'static str>,
}

/// A score: one file, and one line of the [registry](super::registry). Commands, bounds, intervals, reports and the tables of
/// the documentation are made from what it says of itself.
pub trait Score: Sync {
    /// Everything about it but how it is computed.
    fn about(&self) -> &'static About;

    /// Changes its definition as the arguments say, each of which is one of its [parameters](About::parameters).
    ///
    /// # Errors
    /// [`MetricError`] when they contradict each other.
    fn configure(&self, _arguments: &Arguments, _definitions: &mut Definitions) -> Result<(), MetricError> {
        Ok(())
    }

    /// Checks everything that is known before there are features: the parameters, and whether sets of these sizes have such
    /// a score.
    ///
    /// # Errors
    /// [`MetricError`] when the score cannot be computed.
    fn check(&self, counts: Counts, definitions: &Definitions) -> Result<(), MetricError>;

    /// Computes it.
    ///
    /// # Errors
    /// [`MetricError`] when it cannot be computed; [`MetricError::Interrupted`] within a second of the interrupt.
    fn compute(&self, sets: &Sets<'_>, definitions: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError>;

    /// The confidence interval of each of its [quantities](About::quantities), in their order; none where it
    /// [cannot have any](About::interval).
    ///
    /// # Errors
    /// As [`Self::compute`].
    fn intervals(
        &self,
        _sets: &Sets<'_>,
        _definitions: &Definitions,
        _options: JackknifeOptions,
        _interrupt: &Interrupt,
    ) -> Result<Vec<ScoreInterval>, MetricError> {
        Ok(Vec::new())
    }
}
