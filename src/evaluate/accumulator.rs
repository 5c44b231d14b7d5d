//! What is gathered of the images of a set: mergeable, and never changed by looking at it.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::ArrayView2;

use super::indices::Indices;
use super::measure::classes_of;
use super::pass::FeatureSink;
use super::rows::{GatherError, Rows};
use crate::error::{Blame, Blamed};
use crate::extractor::Extraction;
use crate::interrupt::Interrupt;
use crate::score::{Need, SetData};
use crate::stats::{FeatureFile, FeatureStatistics, Features, Gaussian, Logits, MomentsError};

/// Why parts cannot be merged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Their features have different dimensions.
    #[error(transparent)]
    Moments(#[from] MomentsError),
    /// What they hold together cannot be kept.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// Not both hold the same things.
    #[error("one holds {what}, the other does not")]
    Kept {
        /// What only one of them holds.
        what: &'static str,
    },
    /// An image is in both.
    #[error("image {index} is in both")]
    Doubled {
        /// Index of the image in its set.
        index: usize,
    },
}

impl Blamed for MergeError {
    fn blame(&self) -> Blame {
        match self {
            MergeError::Moments(error) => error.blame(),
            MergeError::Gather(error) => error.blame(),
            _ => Blame::Input,
        }
    }
}

/// Gathers what was asked for of each batch, and nothing else.
///
/// *Batching* changes no bit. *Merging* changes none either where the features themselves are kept: rows are put back in the order of
/// their indices, whatever the parts were and in whatever order they are merged. Statistics alone equal those of one run to
/// 1e-12 of the variance, and parts that are merged in the same order give the same bits.
#[derive(Debug, Clone, Default)]
pub struct Accumulator {
    indices: Indices,
    statistics: Reduced,
    features: Gathered,
    logits: Gathered,
    spatial_statistics: Reduced,
    spatial: Gathered,
}

/// The rows of all images, where they are wanted.
type Gathered = Option<Rows>;

fn view(rows: &Gathered) -> Option<ArrayView2<'_, f32>> {
    rows.as_ref()?.view()
}

fn check(ours: &Gathered, rows: Option<ArrayView2<'_, f32>>) -> Result<(), MomentsError> {
    match (ours, rows) {
        (Some(ours), Some(rows)) => ours.check(rows.ncols()),
        _ => Ok(()),
    }
}

fn emptied(rows: &Gathered) -> Gathered {
    rows.as_ref().map(|_| Rows::default())
}

/// Mean and covariance of all images.
#[derive(Debug, Clone, Default)]
enum Reduced {
    Wanted(Option<FeatureStatistics>),
    #[default]
    Unwanted,
}

impl Reduced {
    fn statistics(&self) -> Option<&FeatureStatistics> {
        match self {
            Reduced::Wanted(statistics) => statistics.as_ref(),
            Reduced::Unwanted => None,
        }
    }

    fn check(&self, rows: Option<ArrayView2<'_, f32>>) -> Result<(), MomentsError> {
        match (self.statistics(), rows) {
            (Some(ours), Some(rows)) if ours.dim() != rows.ncols() => {
                Err(MomentsError::Dimension { expected: ours.dim(), got: rows.ncols() })
            }
            _ => Ok(()),
        }
    }

    fn push(&mut self, rows: Option<ArrayView2<'_, f32>>) -> Result<(), MomentsError> {
        match (self, rows) {
            (Reduced::Wanted(statistics), Some(rows)) => {
                statistics.get_or_insert_with(|| FeatureStatistics::new(rows.ncols())).push_view(rows)
            }
            _ => Ok(()),
        }
    }

    /// Joins other statistics, or the rows behind them where these are at hand, which changes no bit.
    fn append(&mut self, other: &Self, rows: Option<ArrayView2<'_, f32>>) -> Result<(), MomentsError> {
        match (&mut *self, other, rows) {
            (Reduced::Wanted(_), _, Some(rows)) => self.push(Some(rows)),
            (Reduced::Wanted(ours), Reduced::Wanted(Some(theirs)), None) => match ours {
                Some(ours) => ours.merge(theirs),
                None => {
                    *ours = Some(theirs.clone());
                    Ok(())
                }
            },
            _ => Ok(()),
        }
    }

    fn gaussian(&self) -> Result<Gaussian, MomentsError> {
        self.statistics().map_or(Err(MomentsError::TooFew { got: 0 }), FeatureStatistics::finish)
    }
}

impl Accumulator {
    /// Gathers nothing yet.
    pub fn of_nothing() -> Self {
        Self::default()
    }

    /// What was written of features, class scores and spatial features of these images, and of the statistics of the first and the
    /// last of them.
    pub(super) fn of_parts(
        indices: Indices,
        rows: [Option<Features>; 3],
        statistics: [Option<FeatureStatistics>; 2],
    ) -> Self {
        let [features, logits, spatial] = rows.map(|rows| rows.map(|rows| Rows::from(rows.into_inner())));
        let [statistics, spatial_statistics] = statistics.map(|found| match found {
            Some(found) => Reduced::Wanted(Some(found)),
            None => Reduced::Unwanted,
        });
        Self { indices, statistics, features, logits, spatial_statistics, spatial }
    }

    /// Gathers statistics only; memory does not grow with the number of images.
    pub fn of_statistics() -> Self {
        Self::of_nothing().with_statistics()
    }

    /// Gathers what scores need, and nothing else.
    pub fn of_needs(needs: &BTreeSet<Need>) -> Self {
        needs.iter().fold(Self::of_nothing(), |accumulator, need| match need {
            Need::Statistics => accumulator.with_statistics(),
            Need::Features => accumulator.with_features(),
            Need::Logits => accumulator.with_logits(),
            Need::Spatial => accumulator.with_spatial_statistics(),
            Need::Labels => accumulator,
        })
    }

    /// Gathers everything that a network says of an image, from which any score can be computed.
    pub fn of_everything() -> Self {
        Self::of_nothing().with_features().with_logits().with_spatial()
    }

    /// Gathers mean and covariance of the features too: `8·d²` bytes. Where the features themselves are gathered they are computed
    /// of these in the end.
    pub fn with_statistics(self) -> Self {
        let statistics = if self.features_are_wanted() { Reduced::Unwanted } else { Reduced::Wanted(None) };
        Self { statistics, ..self }
    }

    /// Gathers the logits too: `4·classes` bytes an image.
    pub fn with_logits(self) -> Self {
        Self { logits: Some(Rows::default()), ..self }
    }

    /// Gathers the features too: `4·d` bytes an image, in a temporary file where they come to a gigabyte or more.
    pub fn with_features(self) -> Self {
        Self { features: Some(Rows::default()), statistics: Reduced::Unwanted, ..self }
    }

    /// Gathers mean and covariance of the spatial features too: 33 MB; as [`Self::with_statistics`].
    pub fn with_spatial_statistics(self) -> Self {
        let wanted = if self.spatial.is_some() { Reduced::Unwanted } else { Reduced::Wanted(None) };
        Self { spatial_statistics: wanted, ..self }
    }

    /// Gathers the spatial features too: 8 KB an image.
    pub fn with_spatial(self) -> Self {
        Self { spatial: Some(Rows::default()), spatial_statistics: Reduced::Unwanted, ..self }
    }

    /// Of so many images, as far as is known: a lack of room for their rows is found at the first of them.
    pub fn expecting(self, images: usize) -> Self {
        let expecting = |rows: Gathered| rows.map(|rows| rows.expecting(images));
        let (features, logits, spatial) = (self.features, self.logits, self.spatial);
        Self { features: expecting(features), logits: expecting(logits), spatial: expecting(spatial), ..self }
    }

    /// Gathers the same of other images.
    pub fn emptied(&self) -> Self {
        let reduced = |reduced: &Reduced| match reduced {
            Reduced::Wanted(_) => Reduced::Wanted(None),
            Reduced::Unwanted => Reduced::Unwanted,
        };
        Self {
            indices: Indices::default(),
            statistics: reduced(&self.statistics),
            features: emptied(&self.features),
            logits: emptied(&self.logits),
            spatial_statistics: reduced(&self.spatial_statistics),
            spatial: emptied(&self.spatial),
        }
    }

    /// Gathers the rows that [`Self::extend`] takes.
    pub(super) fn rows_to_extend(&self) -> Self {
        let rows = |rows: &Gathered, statistics: &Reduced| match statistics {
            Reduced::Wanted(_) => Some(Rows::default()),
            Reduced::Unwanted => emptied(rows),
        };
        Self {
            features: rows(&self.features, &self.statistics),
            logits: emptied(&self.logits),
            spatial: rows(&self.spatial, &self.spatial_statistics),
            ..Self::default()
        }
    }

    /// Whether the features of every image are kept.
    pub fn features_are_wanted(&self) -> bool {
        self.features.is_some()
    }

    /// The images that were seen, in the order of the rows.
    pub fn indices(&self) -> &Indices {
        &self.indices
    }

    /// Mean and covariance of the features seen so far: gathered, or of the features where these are.
    ///
    /// # Errors
    /// [`MomentsError::TooFew`] with fewer than two images, or when neither was asked for.
    pub fn gaussian(&self) -> Result<Gaussian, MomentsError> {
        self.gaussian_until(&Interrupt::new())
    }

    /// [`Self::gaussian`] that can be stopped.
    ///
    /// # Errors
    /// As [`Self::gaussian`], and [`MomentsError::Interrupted`].
    pub fn gaussian_until(&self, interrupt: &Interrupt) -> Result<Gaussian, MomentsError> {
        gaussian_of(&self.statistics, &self.features, interrupt)
    }

    /// As [`Self::gaussian`], of the spatial features.
    ///
    /// # Errors
    /// As [`Self::gaussian`], and when the model has none.
    pub fn spatial_gaussian(&self) -> Result<Gaussian, MomentsError> {
        gaussian_of(&self.spatial_statistics, &self.spatial, &Interrupt::new())
    }

    /// The statistics themselves; `None` when they were not asked for or nothing was seen.
    pub(super) fn statistics(&self) -> Option<&FeatureStatistics> {
        self.statistics.statistics()
    }

    /// As [`Self::statistics`], of the spatial features.
    pub(super) fn spatial_statistics(&self) -> Option<&FeatureStatistics> {
        self.spatial_statistics.statistics()
    }

    /// The features of all images; `None` when they were not asked for or nothing was seen.
    pub fn features(&self) -> Option<ArrayView2<'_, f32>> {
        view(&self.features)
    }

    /// The logits of all images; `None` when they were not asked for or the model has none.
    pub fn logits(&self) -> Option<ArrayView2<'_, f32>> {
        view(&self.logits)
    }

    /// The spatial features of all images; `None` when they were not asked for or the model has none.
    pub fn spatial(&self) -> Option<ArrayView2<'_, f32>> {
        view(&self.spatial)
    }

    /// Joins the images of `other`, wherever they are in the set.
    ///
    /// # Errors
    /// [`MergeError`] when the two do not hold the same things of different images. Then nothing has changed.
    pub fn merge(&mut self, other: Self) -> Result<(), MergeError> {
        self.check(&other)?;
        Ok(self.join(other)?)
    }

    /// [`Self::merge`] of what was [checked](Self::check).
    pub(super) fn join(&mut self, other: Self) -> Result<(), GatherError> {
        if other.indices.is_empty() {
            return Ok(());
        }
        if self.indices.is_empty() {
            *self = other;
            return Ok(());
        }
        let second = if other.indices.first() < self.indices.first() { std::mem::replace(self, other) } else { other };
        self.append(&second)?;
        if !self.indices.is_ascending() {
            self.put_in_order()?;
        }
        Ok(())
    }

    /// Adds the next images of a stream from [their rows](Self::rows_to_extend): to the bit what one pass over all would have
    /// gathered.
    ///
    /// # Errors
    /// [`MomentsError::Dimension`]; then nothing has changed.
    pub(super) fn extend(&mut self, rows: &Self) -> Result<(), GatherError> {
        self.check_rows(rows.features(), rows.logits(), rows.spatial())?;
        self.append(rows)
    }

    /// Whether rows have the dimensions of those that were seen.
    fn check_rows(
        &self,
        features: Option<ArrayView2<'_, f32>>,
        logits: Option<ArrayView2<'_, f32>>,
        spatial: Option<ArrayView2<'_, f32>>,
    ) -> Result<(), MomentsError> {
        check(&self.features, features)?;
        check(&self.logits, logits)?;
        check(&self.spatial, spatial)?;
        self.statistics.check(features)?;
        self.spatial_statistics.check(spatial)
    }

    /// Whether another can be merged with this one.
    pub(super) fn check(&self, other: &Self) -> Result<(), MergeError> {
        for (what, ours, theirs) in [
            ("features", &self.features, &other.features),
            ("class scores", &self.logits, &other.logits),
            ("spatial features", &self.spatial, &other.spatial),
        ] {
            // A model without such an output leaves empty what was asked for.
            let both = !self.indices.is_empty() && !other.indices.is_empty();
            let unlike = both && view(ours).is_some() != view(theirs).is_some();
            if unlike || ours.is_some() != theirs.is_some() {
                return Err(MergeError::Kept { what });
            }
            check(ours, view(theirs))?;
        }
        for (what, ours, theirs) in [
            ("statistics", &self.statistics, &other.statistics),
            ("statistics of spatial features", &self.spatial_statistics, &other.spatial_statistics),
        ] {
            if matches!(ours, Reduced::Unwanted) != matches!(theirs, Reduced::Unwanted) {
                return Err(MergeError::Kept { what });
            }
            if let (Some(ours), Some(theirs)) = (ours.statistics(), theirs.statistics())
                && ours.dim() != theirs.dim()
            {
                return Err(MomentsError::Dimension { expected: ours.dim(), got: theirs.dim() }.into());
            }
        }
        let both: Indices = self.indices.iter().chain(other.indices.iter()).collect();
        both.doubled().map_or(Ok(()), |index| Err(MergeError::Doubled { index }))
    }

    /// Adds the images of `other` behind these.
    fn append(&mut self, other: &Self) -> Result<(), GatherError> {
        self.push_rows([other.features(), other.logits(), other.spatial()])?;
        self.statistics.append(&other.statistics, other.features())?;
        self.spatial_statistics.append(&other.spatial_statistics, other.spatial())?;
        self.indices.extend(other.indices.iter());
        Ok(())
    }

    /// Adds features, class scores and spatial features that were checked, all of them or, where there is no room, none.
    fn push_rows(&mut self, rows: [Option<ArrayView2<'_, f32>>; 3]) -> Result<(), GatherError> {
        let before = self.indices.len();
        let mut wanted = [&mut self.features, &mut self.logits, &mut self.spatial];
        let mut pairs = wanted.iter_mut().zip(rows).filter_map(|(ours, rows)| ours.as_mut().zip(rows));
        let pushed = pairs.try_for_each(|(ours, rows)| ours.push(rows));
        if pushed.is_err() {
            wanted.into_iter().flatten().for_each(|rows| rows.truncate(before));
        }
        pushed
    }

    /// Sorts the rows by the index of their image.
    fn put_in_order(&mut self) -> Result<(), GatherError> {
        let indices: Vec<usize> = self.indices.iter().collect();
        let mut order: Vec<usize> = (0..indices.len()).collect();
        order.sort_unstable_by_key(|&row| indices[row]);
        self.indices = order.iter().map(|&row| indices[row]).collect();
        let mut wanted = [&mut self.features, &mut self.logits, &mut self.spatial].into_iter().flatten();
        wanted.try_for_each(|rows| rows.put_in_order(&order))
    }

    /// What scores need of the set, as far as it was gathered; `names` are those of the images, in their order.
    ///
    /// # Errors
    /// [`MomentsError::Interrupted`].
    pub fn into_data(
        self,
        needs: &BTreeSet<Need>,
        names: Option<Vec<String>>,
        interrupt: &Interrupt,
    ) -> Result<SetData, MomentsError> {
        let needed = |need, available: bool| needs.contains(&need) && available;
        let statistics = needed(Need::Statistics, true).then(|| self.gaussian_until(interrupt));
        // A model without spatial features has none, however many images there are.
        let has_spatial = view(&self.spatial).is_some() || self.spatial_statistics.statistics().is_some();
        let spatial =
            needed(Need::Spatial, has_spatial).then(|| gaussian_of(&self.spatial_statistics, &self.spatial, interrupt));
        let (features, logits, _) = self.into_rows();
        assembled(needs, (names, None), [statistics, spatial], features, logits)
    }

    /// The features, class scores and spatial features of all images, as far as they were gathered, without a copy.
    pub(super) fn into_rows(self) -> (Option<Features>, Option<Logits>, Option<Features>) {
        let features = |gathered: Gathered| gathered?.into_features();
        (features(self.features), self.logits.and_then(Rows::into_logits), features(self.spatial))
    }
}

/// What is needed of features at hand.
///
/// # Errors
/// [`MomentsError::Interrupted`].
pub(super) fn data_of(
    file: FeatureFile,
    needs: &BTreeSet<Need>,
    interrupt: &Interrupt,
) -> Result<SetData, MomentsError> {
    let FeatureFile { features, logits, spatial, names, labels, .. } = file;
    let statistics = needs.contains(&Need::Statistics).then(|| Gaussian::of_until(&features, interrupt));
    let spatial = spatial.filter(|_| needs.contains(&Need::Spatial));
    let spatial = spatial.map(|spatial| Gaussian::of_until(&spatial, interrupt));
    assembled(needs, (names, labels), [statistics, spatial], Some(features), logits)
}

/// Puts together what scores need; the statistics are those of the features and of the spatial features, where they are needed.
fn assembled(
    needs: &BTreeSet<Need>,
    (names, labels): (Option<Vec<String>>, Option<Vec<String>>),
    [statistics, spatial]: [Option<Result<Gaussian, MomentsError>>; 2],
    features: Option<Features>,
    logits: Option<Logits>,
) -> Result<SetData, MomentsError> {
    let mut too_few = BTreeMap::new();
    let mut enough = |need, statistics: Option<Result<Gaussian, MomentsError>>| match statistics {
        Some(Err(MomentsError::TooFew { got })) => {
            // Images that are too few cost the scores that need a covariance, and no other.
            too_few.insert(need, got);
            Ok(None)
        }
        statistics => statistics.transpose(),
    };
    let statistics = enough(Need::Statistics, statistics)?;
    let spatial = enough(Need::Spatial, spatial)?;
    let labels = needs.contains(&Need::Labels).then(|| classes_of(labels.as_deref(), names.as_deref())).flatten();
    Ok(SetData { statistics, spatial, features, logits, labels, names, too_few })
}

/// Mean and covariance: gathered, or of the rows where these are.
fn gaussian_of(statistics: &Reduced, rows: &Gathered, interrupt: &Interrupt) -> Result<Gaussian, MomentsError> {
    match (statistics, view(rows)) {
        (Reduced::Unwanted, Some(rows)) => Gaussian::of_view(rows, interrupt),
        (statistics, _) => statistics.gaussian(),
    }
}

impl FeatureSink for Accumulator {
    fn take(&mut self, indices: &[usize], extraction: Extraction) -> Result<(), GatherError> {
        let Extraction { features, logits, spatial } = &extraction;
        let (features, logits) = (Some(features.view()), logits.as_ref().map(Logits::view));
        let spatial = spatial.as_ref().map(Features::view);
        // All is checked before anything is taken.
        self.check_rows(features, logits, spatial)?;
        self.push_rows([features, logits, spatial])?;
        self.statistics.push(features)?;
        self.spatial_statistics.push(spatial)?;
        self.indices.extend(indices.iter().copied());
        Ok(())
    }

    fn bytes_in_file(&self) -> u64 {
        [&self.features, &self.logits, &self.spatial].into_iter().flatten().map(Rows::bytes_in_file).sum()
    }
}
