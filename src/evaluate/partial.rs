//! What one batch, shard, thread or host knows of a set. Parts merge, in any order, to the whole.

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2, Ix1};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::accumulator::{Accumulator, MergeError};
use super::indices::Indices;
use super::pass::SkippedImage;
use super::rows::GatherError;
use super::shard::Shard;
use crate::error::{Blame, Blamed};
use crate::image::ImageSource;
use crate::interrupt::Interrupt;
use crate::output::{Output, OutputError};
use crate::score::{Need, SetData};
use crate::stats::archive::{ArrayArchive, ArrayArchiveWriter};
use crate::stats::fault::Fault;
use crate::stats::{Census, FeatureFile, FeatureStatistics, Features, Moments, MomentsError, PART, Provenance, Seen};

/// Version of the bytes of a part; grows when older programs could not read them.
const FORMAT: u32 = 1;

/// The set that a part is of: what its other parts say too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeSet {
    /// What it is called where this part was made, for people.
    pub title: String,
    /// Number of its images; `None` where the set grows, as that of a training loop does.
    pub images: Option<usize>,
    /// SHA-256 of the names of its images in their order, in hexadecimal: by which parts of the same set are known, wherever it
    /// lies.
    pub listing: Option<String>,
    /// SHA-256 of the digests of [some of its images](Self::sampled), in hexadecimal: by which sets whose images have the same names are
    /// told apart.
    #[serde(default)]
    pub sample: Option<String>,
}

impl WholeSet {
    /// The set of these images.
    pub fn of(images: &dyn ImageSource) -> Self {
        let mut hasher = Sha256::new();
        for index in 0..images.len() {
            let name = images.name(index);
            hasher.update((name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
        }
        let listing = Some(hexadecimal(hasher));
        Self { title: images.title().into_owned(), images: Some(images.len()), listing, sample: None }
    }

    /// Adds what some of the images are: the first, the last, and 14 between them at equal distances. Where one of them cannot be read,
    /// nothing is added.
    pub fn sampled(self, images: &dyn ImageSource) -> Self {
        const SAMPLE: usize = 16;
        let (last, steps) = (images.len().saturating_sub(1), SAMPLE - 1);
        let places: BTreeSet<usize> =
            (0..SAMPLE).map(|step| last / steps * step + last % steps * step / steps).collect();
        let mut hasher = Sha256::new();
        for place in places.into_iter().filter(|&place| place < images.len()) {
            match images.digest(place) {
                Ok(digest) => hasher.update(digest),
                Err(_) => return self,
            }
        }
        Self { sample: Some(hexadecimal(hasher)), ..self }
    }
}

fn hexadecimal(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why parts cannot be merged, or are not a set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartialError {
    /// The bytes are not those of a part.
    #[error("this is not a part of a set: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// One of the parts is of another set.
    #[error("{part} is of another set than {other}: {difference}")]
    Foreign {
        /// The part.
        part: String,
        /// The one that it was to be merged with.
        other: String,
        /// How the sets differ.
        difference: String,
    },
    /// The features of the parts are not comparable.
    #[error("{part} and {other} were computed differently: {}", differences.join("; "))]
    Incomparable {
        /// The part.
        part: String,
        /// The one that it was to be merged with.
        other: String,
        /// In which ways.
        differences: Vec<String>,
    },
    /// The parts do not hold the same things, or the same image.
    #[error("{part} cannot be merged with {other}: {source}")]
    Merge {
        /// The part.
        part: String,
        /// The one that it was to be merged with.
        other: String,
        /// Why.
        source: MergeError,
    },
    /// Images are missing.
    #[error("{missing} of the {total} images of {set} are missing: {indices}{}", hint(shards))]
    Incomplete {
        /// Name of the set.
        set: String,
        /// How many are missing.
        missing: usize,
        /// How many there are.
        total: usize,
        /// Which, by their index.
        indices: Indices,
        /// The shards that hold them, where the set was cut into shards.
        shards: Vec<Shard>,
    },
    /// There is nothing to merge.
    #[error("there is no part to merge")]
    Nothing,
}

fn hint(shards: &[Shard]) -> String {
    let names: Vec<String> = shards.iter().map(ToString::to_string).collect();
    match names.len() {
        0 => String::new(),
        1 => format!(" (shard {})", names[0]),
        _ => format!(" (shards {})", names.join(", ")),
    }
}

impl Blamed for PartialError {
    fn blame(&self) -> Blame {
        match self {
            PartialError::Io { source, .. } => crate::regular::blame(source),
            PartialError::Output(error) => error.blame(),
            PartialError::Merge { source, .. } => source.blame(),
            _ => Blame::Input,
        }
    }
}

/// What is known of some images of a set.
///
/// *Kept rows*: a part that [keeps the features](Accumulator::with_features) gives, merged with the other parts, every score of one
/// run to the bit, for any partition and any order. *Statistics alone* take one packed triangle, `4·d·(d+1)` bytes, whatever the
/// number of images (16.8 MB for 2048 dimensions), or the rows while there are at most d; merged they equal those of one run to
/// 1e-12 of the variance.
///
/// ```
/// use gan_metrics::evaluate::{Accumulator, FeatureSink, Partial, WholeSet};
/// use gan_metrics::extractor::Extraction;
/// use gan_metrics::stats::Features;
/// use ndarray::array;
///
/// let part = |indices: &[usize], rows| -> gan_metrics::Result<Partial> {
///     let mut gathered = Accumulator::of_nothing().with_features();
///     gathered.take(indices, Extraction { features: Features::new(rows)?, logits: None, spatial: None })?;
///     Ok(Partial::new(WholeSet::default(), gathered))
/// };
/// let late = part(&[2, 3], array![[2.0], [3.0]])?;
/// let early = part(&[0, 1], array![[0.0], [1.0]])?;
/// // From another process, perhaps.
/// let late = Partial::from_bytes(&late.to_bytes())?;
/// let whole = Partial::join([late, early])?;
/// assert_eq!(whole.gathered().features().unwrap(), array![[0.0], [1.0], [2.0], [3.0]]);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Partial {
    set: WholeSet,
    shard: Option<Shard>,
    /// The file that it was read from, for people.
    file: Option<PathBuf>,
    gathered: Accumulator,
    /// By index; as long as the rows where they are kept at all.
    names: Option<Vec<(usize, String)>>,
    /// By index, where the set tells classes otherwise than by the folders in its names; as long as the names.
    labels: Option<Vec<(usize, String)>>,
    skipped: Vec<SkippedImage>,
    census: Census,
    provenance: Option<Provenance>,
}

/// What of a part is written as text.
#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    set: WholeSet,
    shard: Option<Shard>,
    indices: Indices,
    skipped: Vec<SkippedImage>,
    census: Census,
    provenance: Option<Provenance>,
}

impl Partial {
    /// Of a set, what was gathered so far; nothing else is known.
    pub fn new(set: WholeSet, gathered: Accumulator) -> Self {
        Self {
            set,
            shard: None,
            file: None,
            gathered,
            names: None,
            labels: None,
            skipped: Vec::new(),
            census: Census::default(),
            provenance: None,
        }
    }

    /// Says which shard it is.
    pub fn of_shard(self, shard: Shard) -> Self {
        Self { shard: Some(shard), ..self }
    }

    /// Says that the set grows, as that of a training loop does: of it no more is known than the indices of the images.
    pub fn of_growing_set(self) -> Self {
        Self { set: WholeSet { title: self.set.title, ..WholeSet::default() }, ..self }
    }

    /// Adds the names of the images behind the rows, in their order.
    ///
    /// # Panics
    /// When there are not as many names as rows.
    pub(super) fn with_names(self, names: impl ExactSizeIterator<Item = String>) -> Self {
        assert_eq!(names.len(), self.gathered.indices().len(), "a name for each row");
        Self { names: Some(self.gathered.indices().iter().zip(names).collect()), ..self }
    }

    /// Adds the classes of the images behind the rows, in their order.
    ///
    /// # Panics
    /// When there are not as many classes as rows.
    pub(super) fn with_labels(self, labels: Vec<String>) -> Self {
        assert_eq!(labels.len(), self.gathered.indices().len(), "a class for each row");
        Self { labels: Some(self.gathered.indices().iter().zip(labels).collect()), ..self }
    }

    /// Adds what a pass saw besides.
    pub(super) fn with_findings(
        self,
        skipped: Vec<SkippedImage>,
        census: Census,
        provenance: Option<Provenance>,
    ) -> Self {
        Self { skipped, census, provenance, ..self }
    }

    /// The set that it is of.
    pub fn set(&self) -> &WholeSet {
        &self.set
    }

    /// What was gathered of its images.
    pub fn gathered(&self) -> &Accumulator {
        &self.gathered
    }

    /// Number of images behind it, skipped ones not counted.
    pub fn images(&self) -> usize {
        self.gathered.indices().len()
    }

    /// The images that were left out.
    pub fn skipped(&self) -> &[SkippedImage] {
        &self.skipped
    }

    /// How its features came about, where known, and what the images were.
    pub fn provenance(&self) -> Option<Provenance> {
        let provenance = self.provenance.clone()?;
        Some(Provenance { n: self.images() as u64, census: Some(self.census.clone()), ..provenance })
    }

    /// What it is called, for people: a shard of a set.
    fn title(&self) -> String {
        let part = self.part_title();
        self.file.as_ref().map_or(part.clone(), |file| format!("{} ({part})", file.display()))
    }

    fn part_title(&self) -> String {
        match self.shard {
            Some(shard) => format!("shard {shard} of {}", self.set.title),
            None => match self.gathered.indices().first() {
                Some(_) => format!("the part of {} with images {}", self.set.title, self.gathered.indices()),
                None => format!("an empty part of {}", self.set.title),
            },
        }
    }

    /// Joins the images of another part of the same set.
    ///
    /// # Errors
    /// [`PartialError`] when it is of another set, was computed differently, holds other things or the same image. Then nothing has
    /// changed.
    pub fn merge(&mut self, part: Self) -> Result<(), PartialError> {
        let names = || (part.title(), self.title());
        if let Some(difference) = difference(&self.set, &part.set) {
            let (part, other) = names();
            return Err(PartialError::Foreign { part, other, difference });
        }
        if let (Some(ours), Some(theirs)) = (&self.provenance, &part.provenance) {
            let differences = theirs.differences(ours);
            if !differences.is_empty() {
                let (part, other) = names();
                return Err(PartialError::Incomparable { part, other, differences });
            }
        }
        let empty = self.images() == 0 || part.images() == 0;
        let named = self.names.is_some() == part.names.is_some() || empty;
        let labelled = self.labels.is_some() == part.labels.is_some() || empty;
        let skipped: BTreeSet<usize> = self.skipped.iter().map(|image| image.index).collect();
        let doubled = part.skipped.iter().map(|image| image.index).find(|index| skipped.contains(index));
        let (title, other) = names();
        let merged = match (self.gathered.check(&part.gathered), doubled) {
            (Err(obstacle), _) => Err(obstacle),
            (_, Some(index)) => Err(MergeError::Doubled { index }),
            _ if !named => Err(MergeError::Kept { what: "the names of its images" }),
            _ if !labelled => Err(MergeError::Kept { what: "the classes of its images" }),
            _ => self.gathered.join(part.gathered).map_err(MergeError::from),
        };
        merged.map_err(|source| PartialError::Merge { part: title, other, source })?;
        self.take_findings([part.names, part.labels], part.skipped, &part.census, part.provenance);
        (self.shard, self.file) = (None, None);
        Ok(())
    }

    /// Adds the next images of a stream, of which [the rows](Accumulator::rows_to_extend) are known.
    ///
    /// # Errors
    /// [`GatherError`]; then nothing has changed.
    pub(super) fn extend(&mut self, next: Self) -> Result<(), GatherError> {
        self.gathered.extend(&next.gathered)?;
        self.take_findings([next.names, next.labels], next.skipped, &next.census, next.provenance);
        Ok(())
    }

    /// Joins everything but what was gathered.
    fn take_findings(
        &mut self,
        [names, labels]: [Option<Vec<(usize, String)>>; 2],
        skipped: Vec<SkippedImage>,
        census: &Census,
        provenance: Option<Provenance>,
    ) {
        self.names = joined(self.names.take(), names);
        self.labels = joined(self.labels.take(), labels);
        self.skipped.extend(skipped);
        self.skipped.sort_by_key(|image| image.index);
        self.census.merge(census);
        self.provenance = match (self.provenance.take(), provenance) {
            (Some(ours), Some(theirs)) => {
                // Parts of two engines have no one engine.
                let engine = ours.engine.clone().filter(|engine| theirs.engine.as_ref() == Some(engine));
                Some(Provenance { engine, ..ours })
            }
            (ours, theirs) => ours.or(theirs),
        };
    }

    /// Merges parts in the order of their first images, in which statistics alone have the same bits whatever order they are
    /// given in.
    ///
    /// # Errors
    /// As [`Self::merge`], and [`PartialError::Nothing`].
    pub fn join(parts: impl IntoIterator<Item = Self>) -> Result<Self, PartialError> {
        let mut parts: Vec<Self> = parts.into_iter().collect();
        parts.sort_by_key(|part| part.gathered.indices().first());
        let mut parts = parts.into_iter();
        let mut whole = parts.next().ok_or(PartialError::Nothing)?;
        parts.try_for_each(|part| whole.merge(part))?;
        Ok(whole)
    }

    /// The images of the set that it knows nothing of, by their index; none where it is not known how many there are.
    pub fn missing(&self) -> Indices {
        let seen: Indices =
            self.gathered.indices().iter().chain(self.skipped.iter().map(|image| image.index)).collect();
        seen.missing(self.set.images.unwrap_or_default())
    }

    /// Makes sure that no image is missing; `shards` is the number of shards that the set was cut into, where it was.
    ///
    /// # Errors
    /// [`PartialError::Incomplete`], which names what is missing.
    pub fn check_complete(&self, shards: Option<usize>) -> Result<(), PartialError> {
        let indices = self.missing();
        if indices.is_empty() {
            return Ok(());
        }
        let total = self.set.images.unwrap_or_default();
        let of_set = |count| (1..=count).filter_map(move |index| Shard::new(index, count).ok());
        let holds_missing = |shard: &Shard| {
            let range = shard.range(total);
            indices.iter().any(|index| range.contains(&index))
        };
        let shards = shards.into_iter().flat_map(of_set).filter(holds_missing).collect();
        Err(PartialError::Incomplete { set: self.set.title.clone(), missing: indices.len(), total, indices, shards })
    }

    /// The number of shards that the set was cut into, if this is one of them.
    pub fn shards(&self) -> Option<usize> {
        self.shard.map(Shard::count)
    }

    /// The names of the images behind the rows, in their order, where they are kept.
    pub fn names(&self) -> Option<Vec<String>> {
        texts(self.names.as_ref())
    }

    /// The classes of the images behind the rows, in their order, where they are kept and are not the folders in the names.
    pub fn labels(&self) -> Option<Vec<String>> {
        texts(self.labels.as_ref())
    }

    /// What scores need of the images, as far as it was gathered.
    ///
    /// # Errors
    /// [`MomentsError::Interrupted`].
    pub fn into_data(self, needs: &BTreeSet<Need>, interrupt: &Interrupt) -> Result<SetData, MomentsError> {
        let (names, labels) = (self.names(), self.labels());
        let data = self.gathered.into_data(needs, names, interrupt)?;
        let labels = labels.filter(|_| needs.contains(&Need::Labels)).or(data.labels);
        Ok(SetData { labels, ..data })
    }

    /// The content of a feature file; `None` where the features are not kept.
    pub fn into_feature_file(self) -> Option<FeatureFile> {
        let (names, labels, provenance) = (self.names(), self.labels(), self.provenance());
        let (features, logits, spatial) = self.gathered.into_rows();
        Some(FeatureFile { features: features?, logits, spatial, names, labels, provenance })
    }

    /// All of it, as an `.npz` archive of NumPy arrays; [`Self::from_bytes`] reads it.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.written().expect("memory takes what is written to it")
    }

    fn written(&self) -> std::io::Result<Vec<u8>> {
        let head = Head {
            format: FORMAT,
            set: self.set.clone(),
            shard: self.shard,
            indices: self.gathered.indices().clone(),
            skipped: self.skipped.clone(),
            census: self.census.clone(),
            provenance: self.provenance.clone(),
        };
        let mut archive = ArrayArchiveWriter::new(Cursor::new(Vec::new()));
        archive.text(PART, serde_json::to_string(&head).expect("plain values always serialise"))?;
        if let Some(names) = self.names() {
            archive.text("names", serde_json::to_string(&names).expect("strings serialise"))?;
        }
        if let Some(labels) = self.labels() {
            archive.text("labels", serde_json::to_string(&labels).expect("strings serialise"))?;
        }
        let gathered = &self.gathered;
        let rows = [("features", gathered.features()), ("logits", gathered.logits()), ("spatial", gathered.spatial())];
        for (name, rows) in rows {
            if let Some(rows) = rows {
                archive.array(name, &rows)?;
            }
        }
        for (prefix, statistics) in [("", gathered.statistics()), ("spatial_", gathered.spatial_statistics())] {
            match statistics.map(FeatureStatistics::seen) {
                None => {}
                Some(Seen::Rows(rows)) => archive.array(&format!("{prefix}rows"), &rows)?,
                Some(Seen::Moments(moments)) => {
                    let (_, mean, scatter) = moments.parts();
                    archive.array(&format!("{prefix}mean"), &mean)?;
                    archive.array(&format!("{prefix}scatter"), &packed(&scatter))?;
                }
            }
        }
        Ok(archive.finish()?.into_inner())
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`PartialError::Malformed`] when the bytes are not those of a part.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PartialError> {
        let malformed = |fault| PartialError::Malformed {
            reason: match fault {
                Fault::Io(error) => error.to_string(),
                Fault::Malformed(reason) => reason,
            },
        };
        Self::of_archive(ArrayArchive::new(Cursor::new(bytes)).map_err(malformed)?).map_err(malformed)
    }

    /// Whether a file holds a part of a set; `false` for anything else, unreadable files included.
    pub fn sniff(path: &Path) -> bool {
        ArrayArchive::names_in(path).iter().any(|name| name == PART)
    }

    /// Reads a file that [`Self::write_to`] wrote.
    ///
    /// # Errors
    /// [`PartialError`] when it cannot be read or does not hold a part.
    pub fn read(path: &Path) -> Result<Self, PartialError> {
        let failure = |fault| match fault {
            Fault::Io(source) => PartialError::Io { path: path.into(), source },
            Fault::Malformed(reason) => PartialError::Malformed { reason: format!("{}: {reason}", path.display()) },
        };
        let part = Self::of_archive(ArrayArchive::open(path).map_err(failure)?).map_err(failure)?;
        Ok(Self { file: Some(path.into()), ..part })
    }

    /// Writes the bytes to a file that was claimed before they were computed.
    ///
    /// # Errors
    /// [`PartialError::Output`] when the file cannot be written.
    pub fn write_to(&self, output: Output) -> Result<(), PartialError> {
        Ok(output.write_all(&self.to_bytes())?)
    }

    fn of_archive<R: Read + Seek>(mut archive: ArrayArchive<R>) -> Result<Self, Fault> {
        let head = archive.text(PART)?.ok_or_else(|| Fault::from(format!("it has no array `{PART}`")))?;
        let head: Head = serde_json::from_str(&head).map_err(|error| format!("its head cannot be read: {error}"))?;
        if head.format > FORMAT {
            return Err(format!("it is in format {}, and this version reads up to {FORMAT}", head.format).into());
        }
        let Head { set, shard, indices, skipped, census, provenance, .. } = head;
        let seen: Indices = match indices.are_valid() {
            true => indices.iter().chain(skipped.iter().map(|image| image.index)).collect(),
            false => return Err("its list of images is damaged".to_owned().into()),
        };
        let beyond = set.images.and_then(|images| seen.iter().find(|&index| index >= images));
        if seen.doubled().or(beyond).is_some() {
            return Err("its list of images is damaged".to_owned().into());
        }
        let images = indices.len();
        let mut list = |name: &str| -> Result<Option<Vec<String>>, Fault> {
            let Some(text) = archive.text(name)? else { return Ok(None) };
            let list: Vec<String> =
                serde_json::from_str(&text).map_err(|error| format!("its {name} cannot be read: {error}"))?;
            match list.len() == images {
                true => Ok(Some(list)),
                false => Err(format!("it has {images} images, but {} {name}", list.len()).into()),
            }
        };
        let (names, labels) = (list("names")?, list("labels")?);
        let mut rows = |name: &str| -> Result<Option<Features>, Fault> {
            let Some(rows) = archive.matrix(name)? else { return Ok(None) };
            if rows.nrows() != images {
                return Err(format!("it has {images} images, but {name} of {}", rows.nrows()).into());
            }
            Features::new(rows).map(Some).map_err(|error| format!("array `{name}`: {error}").into())
        };
        let (features, logits, spatial) = (rows("features")?, rows("logits")?, rows("spatial")?);
        let mut statistics = |prefix| statistics_of(&mut archive, prefix, images);
        let (of_features, of_spatial) = (statistics("")?, statistics("spatial_")?);
        let gathered = Accumulator::of_parts(indices, [features, logits, spatial], [of_features, of_spatial]);
        let by_index = |texts: Vec<String>| gathered.indices().iter().zip(texts).collect();
        let (names, labels) = (names.map(by_index), labels.map(by_index));
        Ok(Self { set, shard, file: None, gathered, names, labels, skipped, census, provenance })
    }
}

/// Texts of images, in the order of these.
fn texts(texts: Option<&Vec<(usize, String)>>) -> Option<Vec<String>> {
    Some(texts?.iter().map(|(_, text)| text.clone()).collect())
}

/// Texts of the images of two parts, in the order of these.
fn joined(ours: Option<Vec<(usize, String)>>, theirs: Option<Vec<(usize, String)>>) -> Option<Vec<(usize, String)>> {
    match (ours, theirs) {
        (Some(mut ours), Some(theirs)) => {
            ours.extend(theirs);
            ours.sort_by_key(|(index, _)| *index);
            Some(ours)
        }
        (ours, theirs) => ours.or(theirs),
    }
}

/// How two sets differ, if they do.
fn difference(ours: &WholeSet, theirs: &WholeSet) -> Option<String> {
    match ([ours.images, theirs.images], [&ours.listing, &theirs.listing]) {
        ([Some(ours), Some(theirs)], _) if ours != theirs => Some(format!("it has {theirs} images, not {ours}")),
        (_, [Some(ours), Some(theirs)]) if ours != theirs => Some("its images have other names".into()),
        _ => match [&ours.sample, &theirs.sample] {
            [Some(ours), Some(theirs)] if ours != theirs => {
                Some("its images have the same names and other content".into())
            }
            _ => None,
        },
    }
}

/// The lower triangle of a matrix, row by row.
fn packed(matrix: &Array2<f64>) -> Array1<f64> {
    matrix.rows().into_iter().enumerate().flat_map(|(row, values)| values.to_vec().into_iter().take(row + 1)).collect()
}

/// The matrix of such a triangle; what is above the diagonal is zero.
fn unpacked(triangle: &Array1<f64>, dim: usize) -> Option<Array2<f64>> {
    if dim.checked_mul(dim + 1)? / 2 != triangle.len() {
        return None;
    }
    let mut values = triangle.iter();
    let mut matrix = Array2::zeros((dim, dim));
    for row in 0..dim {
        for column in 0..=row {
            matrix[(row, column)] = *values.next()?;
        }
    }
    Some(matrix)
}

fn statistics_of<R: Read + Seek>(
    archive: &mut ArrayArchive<R>,
    prefix: &str,
    images: usize,
) -> Result<Option<FeatureStatistics>, Fault> {
    let rows = archive.matrix(&format!("{prefix}rows"))?;
    if let Some(rows) = rows {
        let rows = Features::new(rows).map_err(|error| format!("array `{prefix}rows`: {error}"))?;
        if rows.len() != images {
            return Err(format!("it has {images} images, but `{prefix}rows` of {}", rows.len()).into());
        }
        let mut statistics = FeatureStatistics::new(rows.dim());
        statistics.push(&rows).map_err(|error| error.to_string())?;
        return Ok(Some(statistics));
    }
    let Some(mean) = archive.doubles::<Ix1>(&format!("{prefix}mean"))? else { return Ok(None) };
    let triangle = archive.doubles::<Ix1>(&format!("{prefix}scatter"))?;
    let scatter = triangle.and_then(|triangle| unpacked(&triangle, mean.len()));
    let scatter = scatter.ok_or_else(|| format!("it has no `{prefix}scatter` that belongs to its mean"))?;
    let moments = Moments::from_parts(images as u64, mean, scatter).map_err(|error| error.to_string())?;
    Ok(Some(moments.into()))
}
