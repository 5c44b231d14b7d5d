//! What users should know before they trust a number, each with a remedy.

use std::collections::BTreeMap;

use super::WarningReport;
use crate::score::Metric;

/// Below this number of images, the bias of a Fréchet distance dominates comparisons: the usual advice is at least as
/// many images as Inception has features.
pub const FEW_IMAGES: u64 = 2048;

/// A reason to be careful.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// A set has few images.
    FewImages {
        /// Path of the set.
        set: String,
        /// Images in it.
        images: u64,
        /// Dimension of the features.
        dim: usize,
    },
    /// Both sets have the same statistics.
    IdenticalSets,
    /// A Fréchet distance may be nothing but rounding.
    Rounding {
        /// How large the rounding may be.
        error: f64,
    },
    /// The sets were computed in different ways.
    Incomparable {
        /// In which ways.
        differences: Vec<String>,
    },
    /// A statistics file does not say how it was computed.
    UnknownProvenance {
        /// Path of the file.
        set: String,
    },
    /// Images were left out.
    Skipped {
        /// Path of the set.
        set: String,
        /// How many.
        count: u64,
    },
    /// Images of formats that are not decoded lie beside those of a set.
    PassedOver {
        /// Path of the set.
        set: String,
        /// How many of which format.
        formats: BTreeMap<String, u64>,
    },
    /// Files of a set hold statistics beside their images, which were not looked at.
    UnusedStatistics {
        /// Path of the set.
        set: String,
        /// How many files.
        files: usize,
    },
    /// A generator makes another image of a latent when the others in the batch are others.
    BatchDependent {
        /// Path of the generator.
        set: String,
        /// By how much the image differs, relative to its length.
        relative: f64,
    },
    /// A covariance had a negative eigenvalue beyond rounding.
    Clipped {
        /// Path of the set.
        set: String,
        /// The eigenvalue.
        eigenvalue: f64,
    },
    /// Precision and recall were computed from sets of different sizes.
    UnequalNumbers {
        /// Real images.
        real: u64,
        /// Generated images.
        fake: u64,
    },
    /// Some of the scores cannot have the interval that was asked for.
    NoInterval {
        /// The scores.
        metrics: Vec<Metric>,
        /// Why, where these sets are in the way; `None` where none of these scores ever has one.
        reason: Option<String>,
    },
    /// One of the scores to compute where possible is not possible.
    LeftOut {
        /// The score.
        metric: Metric,
        /// Why.
        reason: String,
    },
    /// Features could not be kept in the cache.
    NotCached {
        /// Path of the set.
        set: String,
        /// Why.
        reason: String,
    },
    /// Images of the sets have other sizes.
    DifferentSizes {
        /// Paths of the sets.
        sets: [String; 2],
        /// The usual size of each, or its range.
        sizes: [String; 2],
    },
    /// Images of one set are squeezed to the network's input, those of the other are not.
    DifferentAspects {
        /// Paths of the sets.
        sets: [String; 2],
        /// The share of squeezed images of each.
        squeezed: [f64; 2],
    },
    /// Images of the sets were encoded in ways that leave other traces.
    DifferentEncodings {
        /// Paths of the sets.
        sets: [String; 2],
        /// The most frequent encoding of each.
        encodings: [String; 2],
    },
    /// One set is a part of the other.
    Nested {
        /// Path of the part.
        inner: String,
        /// Path of the other.
        outer: String,
    },
    /// The same images are in both sets.
    SharedImages {
        /// How many.
        images: usize,
    },
    /// A few images are of another size than all others.
    OddSizes {
        /// Path of the set.
        set: String,
        /// The size of the others.
        usual: String,
        /// How many there are.
        odd: u64,
        /// One of them, with its size.
        example: String,
    },
    /// Images of 16-bit gray, of which most levels become white.
    GrayClipped {
        /// Path of the set.
        set: String,
        /// How many.
        images: u64,
    },
    /// Images of which the ball to their neighbours, that precision, recall and others look at, is a point.
    Copies {
        /// Path of the set.
        set: String,
        /// How many.
        images: usize,
        /// Of how many, where that is known.
        of: Option<u64>,
    },
    /// Images are cut into splits in the order of their classes.
    SortedByClass {
        /// Path of the set.
        set: String,
    },
    /// The values of black and of white of a generator were assumed, and do not look it.
    PixelRange {
        /// Path of the generator.
        set: String,
        /// The least and the greatest value that it output.
        values: [f32; 2],
    },
    /// The features are class scores.
    ClassScores {
        /// Output that serves as features.
        output: String,
        /// How many there are.
        dim: usize,
        /// Whether the same output serves as logits.
        also_logits: bool,
    },
    /// No class is in both sets.
    NoCommonClass,
    /// The slow engine runs since there is no other.
    Tract,
    /// The extractor is not the one of the literature.
    OwnExtractor {
        /// Its name.
        name: String,
    },
}

impl From<Warning> for WarningReport {
    fn from(warning: Warning) -> Self {
        let (code, message, remedy) = match warning {
            Warning::FewImages { set, images, dim } => (
                "few-images",
                format!(
                    "{set} has {images} images: a Fréchet distance of {dim}-dimensional features is biased upwards \
                     below about {}, and the more so the fewer there are",
                    FEW_IMAGES.max(dim as u64)
                ),
                "compare only scores of equal numbers of images, and use 10,000 or more for a figure to publish; \
                 the score `fid-infinity` extrapolates, `--ci 95` estimates bias and error"
                    .into(),
            ),
            Warning::IdenticalSets => (
                "identical-sets",
                "both sets have the same statistics: the distance is zero by construction".into(),
                "check that the two paths are what you meant".into(),
            ),
            Warning::Rounding { error } => (
                "rounding",
                format!(
                    "the Fréchet distance is a difference of variances so large that their rounding alone may be {error:e}"
                ),
                "some features vary far more than the others: scale them alike before you compare".into(),
            ),
            Warning::Incomparable { differences } => (
                "incomparable",
                format!("the sets were computed differently ({}): the score means nothing", differences.join("; ")),
                "compute both with the same extractor and resize mode".into(),
            ),
            Warning::UnknownProvenance { set } => (
                "unknown-provenance",
                format!("{set} does not say which network and resize mode it comes from"),
                "make sure that they are those of this run, or write it anew with `gan-metrics stats` or `features`"
                    .into(),
            ),
            Warning::Skipped { set, count } => (
                "skipped-images",
                match count {
                    1 => format!("1 image of {set} could not be decoded and was left out"),
                    _ => format!("{count} images of {set} could not be decoded and were left out"),
                },
                "see the list of skipped images, and repair or remove them".into(),
            ),
            Warning::PassedOver { set, formats } => {
                let counts: Vec<String> = formats.iter().map(|(format, count)| format!("{count} {format}")).collect();
                let message =
                    format!("{set} has files that may be or hold images and were passed over: {}", counts.join(", "));
                ("passed-over", message, "convert images to PNG, unpack archives, or move them elsewhere".into())
            }
            Warning::UnusedStatistics { set, files } => (
                "unused-statistics",
                format!(
                    "{files} of the files of {set} {} statistics beside images: they are not used, and every score is of the images",
                    if files == 1 { "holds" } else { "hold" }
                ),
                "give such a file alone for a Fréchet distance of its statistics; `--array arr_0` says that the images are meant"
                    .into(),
            ),
            Warning::BatchDependent { set, relative } => (
                "batch-dependent",
                format!(
                    "{set} makes an image of a latent that differs by {relative:.1e} of its length with other latents in the batch: it \
                     looks at a batch as a whole, or adds noise of its own"
                ),
                "export it so that each image is made for itself (`model.eval()` in PyTorch, fixed noise); otherwise its scores depend \
                 on `--batch-size`, or cannot be repeated"
                    .into(),
            ),
            Warning::Clipped { set, eigenvalue } => (
                "clipped-covariance",
                format!("the covariance of {set} has the eigenvalue {eigenvalue:e}, which was taken as zero"),
                "its statistics were rounded, or summed in float32; compute them again from the images, in float64"
                    .into(),
            ),
            Warning::UnequalNumbers { real, fake } => (
                "unequal-numbers",
                format!(
                    "shares of images among their neighbours, such as precision and recall, depend on the numbers of images, \
                     {real} real and {fake} generated"
                ),
                "take as many of the one as of the other, and compare only with scores of the same numbers".into(),
            ),
            Warning::LeftOut { metric, reason } => (
                "left-out",
                if reason.starts_with(&metric.to_string()) { reason } else { format!("{metric}: {reason}") },
                "name the scores you want, to be stopped where one cannot be had".into(),
            ),
            Warning::NoInterval { metrics, reason } => {
                let names: Vec<String> = metrics.iter().map(ToString::to_string).collect();
                let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
                let message = format!("there is no interval of {}{reason}", names.join(", "));
                ("no-interval", message, "the other intervals are not affected".into())
            }
            Warning::NotCached { set, reason } => (
                "not-cached",
                format!("the features of {set} were not kept in the cache: {reason}"),
                "the scores are not affected, but the next run extracts them again".into(),
            ),
            Warning::DifferentSizes { sets, sizes } => (
                "different-sizes",
                format!(
                    "the images of {} are {}, those of {} {}: the network sees how they are enlarged or reduced, and so does the score",
                    sets[0], sizes[0], sets[1], sizes[1]
                ),
                "bring both sets to the resolution of the generator, in the same way, before they are scored".into(),
            ),
            Warning::DifferentAspects { sets, squeezed } => {
                let [real, fake] = squeezed.map(|share| 100.0 * share);
                let message = format!(
                    "{real:.0} % of the images of {} and {fake:.0} % of those of {} are not as wide and high as the network's input and are \
                     squeezed to it",
                    sets[0], sets[1]
                );
                ("different-aspects", message, "crop both sets in the same way before they are scored".into())
            }
            Warning::DifferentEncodings { sets, encodings } => (
                "different-encodings",
                format!(
                    "{} is encoded as {}, {} as {}: networks see compression, and the score is of it too",
                    sets[0], encodings[0], sets[1], encodings[1]
                ),
                "encode both sets in the same way, best without loss".into(),
            ),
            Warning::Nested { inner, outer } => (
                "nested-sets",
                format!("{inner} lies in {outer}: its images are in both sets"),
                "keep the sets in folders side by side".into(),
            ),
            Warning::SharedImages { images } => (
                "shared-images",
                match images {
                    1 => "1 image is in both sets".to_owned(),
                    _ => format!("{images} images are in both sets"),
                },
                "check that no real images were copied to the generated ones; the score `duplicates` lists them".into(),
            ),
            Warning::OddSizes { set, usual, odd, example } => (
                "odd-sizes",
                match odd {
                    1 => format!("1 image of {set} is not {usual} as all others: {example}"),
                    _ => format!("{odd} images of {set} are not {usual} as all others: {example}"),
                },
                "check that no grid of samples or other picture is among the images".into(),
            ),
            Warning::GrayClipped { set, images } => (
                "gray-clipped",
                match images {
                    1 => format!("1 image of {set} holds 16-bit gray: as in Pillow, all levels above 255 are white"),
                    _ => format!(
                        "{images} images of {set} hold 16-bit gray: as in Pillow, all levels above 255 are white"
                    ),
                },
                "rescale them to 8 bits, as their levels require".into(),
            ),
            Warning::Copies { set, images, of } => (
                "copies",
                format!(
                    "{images}{} images of {set} have so many copies in it that the ball to their neighbours is a point, in which only \
                     copies lie: precision, recall, density, coverage and realism are lower for it, and AuthPct is higher",
                    of.map_or(String::new(), |of| format!(" of {of}"))
                ),
                "remove the copies; the score `duplicates` lists them".into(),
            ),
            Warning::SortedByClass { set } => (
                "sorted-by-class",
                format!(
                    "the images of {set} are sorted by class and are cut into splits in this order: each split sees some of the classes \
                     only, and the Inception Score is too low"
                ),
                "shuffle the images, or cut them at random with `--is-order shuffled`".into(),
            ),
            Warning::PixelRange { set, values: [least, greatest] } => (
                "pixel-range",
                format!(
                    "{set} outputs values from {least} to {greatest}, and they were taken as pixels from -1 (black) to 1 (white), \
                     which nothing says"
                ),
                "say what is black and what is white: `--pixel-range 0,1` or `--pixel-range 0,255`; `--pixel-range=-1,1` where \
                 it is so"
                    .into(),
            ),
            Warning::ClassScores { output, dim, also_logits } => (
                "class-scores",
                match also_logits {
                    true => format!("the output {output} serves as features and as logits: class scores are not features"),
                    false => format!("the {dim} features look like scores of the {dim} classes of ImageNet"),
                },
                "a Fréchet distance is usually that of the layer before: export that too, and name it with `--features-output`"
                    .into(),
            ),
            Warning::NoCommonClass => (
                "no-common-class",
                "the sets have no class in common, so that no class has a distance".into(),
                "call the classes alike in both sets: by their folders, `dataset.json` or labels".into(),
            ),
            Warning::Tract => (
                "slow-engine",
                "the network runs on the built-in engine, several times slower than ONNX Runtime".into(),
                "install ONNX Runtime (`pip install onnxruntime`); `gan-metrics doctor` says where it is looked for"
                    .into(),
            ),
            Warning::OwnExtractor { name } => (
                "own-extractor",
                format!("scores of {name} are its own: not comparable with published FID or Inception Score"),
                "use the extractor inception-v3 for figures to publish".into(),
            ),
        };
        Self { code, message, remedy }
    }
}
