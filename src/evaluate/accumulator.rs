//! What is gathered of the images of a set: mergeable, and never changed by looking at it.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{Array2, ArrayView2, Axis};

use super::indices::Indices;
use super::measure::classes_of;
use super::pass::FeatureSink;
use crate::error::{Blame, Blamed};
use crate::extractor::Extraction;
use crate::interrupt::Interrupt;
use crate::score::{Need, SetData};
use crate::stats::{FeatureFile, FeatureStatistics, Features, Gaussian, Logits, MomentsError};

/// Why parts cannot be merged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Their features have different dimensions.
    #[error(transparent)]
    Moments(#[from] MomentsError),
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

/// The rows of all images.
#[derive(Debug, Clone, Default)]
enum Gathered {
    Wanted(Rows),
    #[default]
    Unwanted,
}

/// A matrix that grows.
#[derive(Debug, Clone, Default)]
struct Rows {
    /// Columns; not known before the first row.
    dim: Option<usize>,
    values: Vec<f32>,
}

impl Rows {
    fn check(&self, dim: usize) -> Result<(), MomentsError> {
        match self.dim {
            Some(expected) if expected != dim => Err(MomentsError::Dimension { expected, got: dim }),
            _ => Ok(()),
        }
    }

    fn push(&mut self, rows: ArrayView2<'_, f32>) {
        self.dim = Some(rows.ncols());
        self.values.extend(rows.iter());
    }

    fn view(&self) -> Option<ArrayView2<'_, f32>> {
        let dim = self.dim?;
        Some(ArrayView2::from_shape((self.values.len() / dim, dim), &self.values).expect("whole rows were pushed"))
    }

    fn into_matrix(self) -> Option<Array2<f32>> {
        let dim = self.dim?;
        Some(Array2::from_shape_vec((self.values.len() / dim, dim), self.values).expect("whole rows were pushed"))
    }
}

impl Gathered {
    fn rows(&self) -> Option<&Rows> {
        match self {
            Gathered::Wanted(rows) => Some(rows),
            Gathered::Unwanted => None,
        }
    }

    fn check(&self, rows: Option<ArrayView2<'_, f32>>) -> Result<(), MomentsError> {
        match (self, rows) {
            (Gathered::Wanted(ours), Some(rows)) => ours.check(rows.ncols()),
            _ => Ok(()),
        }
    }

    fn push(&mut self, rows: Option<ArrayView2<'_, f32>>) {
        if let (Gathered::Wanted(ours), Some(rows)) = (self, rows) {
            ours.push(rows);
        }
    }

    fn view(&self) -> Option<ArrayView2<'_, f32>> {
        self.rows()?.view()
    }

    fn into_matrix(self) -> Option<Array2<f32>> {
        match self {
            Gathered::Wanted(rows) => rows.into_matrix(),
            Gathered::Unwanted => None,
        }
    }

    fn emptied(&self) -> Self {
        match self {
            Gathered::Wanted(_) => Gathered::Wanted(Rows::default()),
            Gathered::Unwanted => Gathered::Unwanted,
        }
    }

    fn put_in_order(&mut self, order: &[usize]) {
        if let Gathered::Wanted(rows) = self
            && let Some(view) = rows.view()
        {
            let sorted = view.select(Axis(0), order);
            rows.values = sorted.into_raw_vec_and_offset().0;
        }
    }
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
        let [features, logits, spatial] = rows.map(|rows| match rows {
            Some(rows) => {
                let dim = Some(rows.dim());
                Gathered::Wanted(Rows { dim, values: rows.into_inner().into_raw_vec_and_offset().0 })
            }
            None => Gathered::Unwanted,
        });
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
        Self { logits: Gathered::Wanted(Rows::default()), ..self }
    }

    /// Gathers the features too: `4·d` bytes an image.
    pub fn with_features(self) -> Self {
        Self { features: Gathered::Wanted(Rows::default()), statistics: Reduced::Unwanted, ..self }
    }

    /// Gathers mean and covariance of the spatial features too: 33 MB; as [`Self::with_statistics`].
    pub fn with_spatial_statistics(self) -> Self {
        let wanted = if self.spatial.rows().is_some() { Reduced::Unwanted } else { Reduced::Wanted(None) };
        Self { spatial_statistics: wanted, ..self }
    }

    /// Gathers the spatial features too: 8 KB an image.
    pub fn with_spatial(self) -> Self {
        Self { spatial: Gathered::Wanted(Rows::default()), spatial_statistics: Reduced::Unwanted, ..self }
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
            features: self.features.emptied(),
            logits: self.logits.emptied(),
            spatial_statistics: reduced(&self.spatial_statistics),
            spatial: self.spatial.emptied(),
        }
    }

    /// Gathers the rows that [`Self::extend`] takes.
    pub(super) fn rows_to_extend(&self) -> Self {
        let rows = |rows: &Gathered, statistics: &Reduced| match statistics {
            Reduced::Wanted(_) => Gathered::Wanted(Rows::default()),
            Reduced::Unwanted => rows.emptied(),
        };
        Self {
            features: rows(&self.features, &self.statistics),
            logits: self.logits.emptied(),
            spatial: rows(&self.spatial, &self.spatial_statistics),
            ..Self::default()
        }
    }

    /// Whether the features of every image are kept.
    pub fn features_are_wanted(&self) -> bool {
        self.features.rows().is_some()
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
        self.features.view()
    }

    /// The logits of all images; `None` when they were not asked for or the model has none.
    pub fn logits(&self) -> Option<ArrayView2<'_, f32>> {
        self.logits.view()
    }

    /// The spatial features of all images; `None` when they were not asked for or the model has none.
    pub fn spatial(&self) -> Option<ArrayView2<'_, f32>> {
        self.spatial.view()
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
    pub(super) fn join(&mut self, other: Self) -> Result<(), MomentsError> {
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
            self.put_in_order();
        }
        Ok(())
    }

    /// Adds the next images of a stream from [their rows](Self::rows_to_extend): to the bit what one pass over all would have
    /// gathered.
    ///
    /// # Errors
    /// [`MomentsError::Dimension`]; then nothing has changed.
    pub(super) fn extend(&mut self, rows: &Self) -> Result<(), MomentsError> {
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
        self.features.check(features)?;
        self.logits.check(logits)?;
        self.spatial.check(spatial)?;
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
            let unlike = both && ours.view().is_some() != theirs.view().is_some();
            if unlike || ours.rows().is_some() != theirs.rows().is_some() {
                return Err(MergeError::Kept { what });
            }
            ours.check(theirs.view())?;
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
    fn append(&mut self, other: &Self) -> Result<(), MomentsError> {
        self.statistics.append(&other.statistics, other.features())?;
        self.spatial_statistics.append(&other.spatial_statistics, other.spatial())?;
        self.features.push(other.features());
        self.logits.push(other.logits());
        self.spatial.push(other.spatial());
        self.indices.extend(other.indices.iter());
        Ok(())
    }

    /// Sorts the rows by the index of their image.
    fn put_in_order(&mut self) {
        let indices: Vec<usize> = self.indices.iter().collect();
        let mut order: Vec<usize> = (0..indices.len()).collect();
        order.sort_unstable_by_key(|&row| indices[row]);
        self.indices = order.iter().map(|&row| indices[row]).collect();
        self.features.put_in_order(&order);
        self.logits.put_in_order(&order);
        self.spatial.put_in_order(&order);
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
        let has_spatial = self.spatial.view().is_some() || self.spatial_statistics.statistics().is_some();
        let spatial =
            needed(Need::Spatial, has_spatial).then(|| gaussian_of(&self.spatial_statistics, &self.spatial, interrupt));
        let (features, logits, _) = self.into_rows();
        assembled(needs, (names, None), [statistics, spatial], features, logits)
    }

    /// The features, class scores and spatial features of all images, as far as they were gathered, without a copy.
    pub(super) fn into_rows(self) -> (Option<Features>, Option<Logits>, Option<Features>) {
        const VALID: &str = "each batch was valid";
        let features = |gathered: Gathered| gathered.into_matrix().map(|rows| Features::new(rows).expect(VALID));
        let logits = self.logits.into_matrix().map(|rows| Logits::new(rows).expect(VALID));
        (features(self.features), logits, features(self.spatial))
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
    match (statistics, rows.view()) {
        (Reduced::Unwanted, Some(rows)) => Gaussian::of_view(rows, interrupt),
        (statistics, _) => statistics.gaussian(),
    }
}

impl FeatureSink for Accumulator {
    fn take(&mut self, indices: &[usize], extraction: Extraction) -> Result<(), MomentsError> {
        let Extraction { features, logits, spatial } = &extraction;
        let (features, logits) = (Some(features.view()), logits.as_ref().map(Logits::view));
        let spatial = spatial.as_ref().map(Features::view);
        // All is checked before anything is taken.
        self.check_rows(features, logits, spatial)?;
        self.statistics.push(features)?;
        self.spatial_statistics.push(spatial)?;
        self.features.push(features);
        self.logits.push(logits);
        self.spatial.push(spatial);
        self.indices.extend(indices.iter().copied());
        Ok(())
    }
}
