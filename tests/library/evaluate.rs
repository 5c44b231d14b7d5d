//! The pass over a data set, with an extractor simple enough to know its features by heart.

use std::fs;
use std::path::Path;

use gan_metrics::Interrupt;
use gan_metrics::error::{Blame, Blamed};
use gan_metrics::evaluate::cache::{CacheKey, KeyError};
use gan_metrics::evaluate::{Collector, EvaluateError, OnBadImage, PassObserver, PassOptions, PassSummary, run};
use gan_metrics::extractor::{
    EngineError, EngineInfo, Extraction, ExtractorInfo, FeatureExtractor, InputSpec, Layout, Normalization,
};
use gan_metrics::image::{DataSet, ResizeMode};
use gan_metrics::metrics::fid;
use gan_metrics::stats::{Features, Logits};
use ndarray::{Array2, ArrayView4, Axis};

/// Features: mean of each channel. Logits: the same, doubled.
struct ChannelMeans {
    info: ExtractorInfo,
    input: InputSpec,
    batch_size: usize,
    poison: Option<f32>,
}

impl ChannelMeans {
    fn new(batch_size: usize) -> Self {
        let engine = EngineInfo {
            name: "test".into(),
            version: "0".into(),
            provider: "cpu".into(),
            library: None,
            reason: None,
        };
        let info = ExtractorInfo {
            name: "means".into(),
            model_sha256: String::new(),
            features_output: "means".into(),
            logits_output: Some("doubled".into()),
            spatial_output: Some("tripled".into()),
            engine,
        };
        let normalization = Normalization::uniform(0.0, 1.0);
        let input = InputSpec { width: 4, height: 4, layout: Layout::Nchw, normalization };
        Self { info, input, batch_size, poison: None }
    }
}

impl FeatureExtractor for ChannelMeans {
    fn info(&self) -> &ExtractorInfo {
        &self.info
    }

    fn input(&self) -> &InputSpec {
        &self.input
    }

    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn extract(&mut self, images: ArrayView4<'_, f32>) -> Result<Extraction, EngineError> {
        let means: Array2<f32> = images.mean_axis(Axis(3)).unwrap().mean_axis(Axis(2)).unwrap();
        let poisoned = means.mapv(|mean| if Some(mean) == self.poison { f32::NAN } else { mean });
        let features =
            Features::new(poisoned).map_err(|source| EngineError::Output { output: "means".into(), source })?;
        let spatial = Some(Features::new(&means * 3.0).unwrap());
        Ok(Extraction { features, logits: Some(Logits::new(means * 2.0).unwrap()), spatial })
    }
}

/// Writes 8-bit RGB images of one colour each as binary BMP files, whose format is short enough to write by hand.
fn write_bmp(path: &Path, [red, green, blue]: [u8; 3]) {
    let mut file = b"BM".to_vec();
    for word in [70_u32, 0, 54, 40, 2, 2] {
        file.extend(word.to_le_bytes());
    }
    for half in [1_u16, 24] {
        file.extend(half.to_le_bytes());
    }
    for word in [0_u32, 16, 2835, 2835, 0, 0] {
        file.extend(word.to_le_bytes());
    }
    for _row in 0..2 {
        file.extend([blue, green, red, blue, green, red, 0, 0]);
    }
    fs::write(path, file).unwrap();
}

fn colour(index: usize) -> [u8; 3] {
    [(index * 37 % 256) as u8, (index * 91 % 256) as u8, (index * 13 % 256) as u8]
}

fn folder_of(images: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..images {
        write_bmp(&folder.path().join(format!("{index:03}.bmp")), colour(index));
    }
    folder
}

fn options(on_bad_image: OnBadImage) -> PassOptions {
    PassOptions { resize: ResizeMode::Tf1, on_bad_image }
}

fn pass(folder: &Path, batch: usize, on_bad_image: OnBadImage) -> Result<(Collector, PassSummary), EvaluateError> {
    let images = DataSet::open(folder).unwrap();
    let mut collector = Collector::of_statistics().with_logits();
    let summary =
        run(&images, &mut ChannelMeans::new(batch), options(on_bad_image), &mut collector, &mut (), &Interrupt::new())?;
    Ok((collector, summary))
}

#[test]
fn features_come_in_the_order_of_the_images_at_every_batch_size() {
    let folder = folder_of(23);
    let expected: Vec<f32> = (0..23).flat_map(colour).map(|level| f32::from(level) * 2.0).collect();
    let mut gaussians = Vec::new();
    for batch in [1, 4, 23, 64] {
        let (mut collector, summary) = pass(folder.path(), batch, OnBadImage::Stop).unwrap();
        assert_eq!((summary.images, summary.skipped.len()), (23, 0));
        assert_eq!(collector.logits().unwrap().view().as_slice().unwrap(), expected);
        gaussians.push(collector.gaussian().unwrap());
    }
    for other in &gaussians[1..] {
        assert_eq!(other.covariance(), gaussians[0].covariance(), "the batch size changed the statistics");
        assert!(fid(&gaussians[0], other).unwrap().value < 1e-9);
    }
}

#[test]
fn only_what_was_asked_for_is_gathered() {
    let folder = folder_of(5);
    let images = DataSet::open(folder.path()).unwrap();
    let gather = |mut collector: Collector| {
        run(&images, &mut ChannelMeans::new(2), options(OnBadImage::Stop), &mut collector, &mut (), &Interrupt::new())
            .unwrap();
        collector
    };
    let mut nothing = gather(Collector::of_nothing());
    assert!(nothing.features().is_none() && nothing.logits().is_none() && nothing.spatial().is_none());
    assert!(nothing.gaussian().is_err() && nothing.spatial_gaussian().is_err());
    let mut all = gather(Collector::of_nothing().with_features().with_spatial().with_spatial_statistics());
    let (features, spatial) = (all.features().unwrap(), all.spatial().unwrap());
    assert_eq!(features.view().mapv(|value| value * 3.0), spatial.view());
    let mean = spatial.view().mapv(f64::from).mean_axis(Axis(0)).unwrap();
    assert!((all.spatial_gaussian().unwrap().mean() - mean).mapv(f64::abs).sum() < 1e-9);
    assert!(all.gaussian().is_err(), "no covariance unless a score looks at it");
}

#[test]
fn a_bad_image_stops_the_pass_or_is_reported() {
    let folder = folder_of(9);
    fs::write(folder.path().join("004.bmp"), b"BM is not enough").unwrap();
    let error = pass(folder.path(), 4, OnBadImage::Stop).unwrap_err();
    assert!(matches!(error, EvaluateError::Image(_)));
    let message = error.to_string();
    assert!(message.contains("004.bmp") && !message.contains("--"), "the flag is for the program to name: {message}");

    let (collector, summary) = pass(folder.path(), 4, OnBadImage::Skip).unwrap();
    assert_eq!(summary.images, 8);
    let skipped: Vec<_> = summary.skipped.iter().map(|skipped| (skipped.index, &skipped.name[..])).collect();
    assert_eq!(skipped, [(4, "004.bmp")]);
    let kept: Vec<f32> =
        (0..9).filter(|&index| index != 4).flat_map(colour).map(|level| f32::from(level) * 2.0).collect();
    assert_eq!(collector.logits().unwrap().view().as_slice().unwrap(), kept);
}

#[test]
fn nothing_but_bad_images_is_an_error_even_when_skipping() {
    let folder = folder_of(0);
    for name in ["a.bmp", "b.bmp"] {
        fs::write(folder.path().join(name), b"BM is not enough").unwrap();
    }
    let error = pass(folder.path(), 4, OnBadImage::Skip).unwrap_err();
    assert!(error.to_string().starts_with("none of the 2 images"), "{error}");
}

#[test]
fn features_that_are_not_finite_name_the_image() {
    let folder = folder_of(7);
    let mut extractor = ChannelMeans { poison: Some(f32::from(colour(5)[1])), ..ChannelMeans::new(3) };
    let images = DataSet::open(folder.path()).unwrap();
    let sink = &mut Collector::of_statistics();
    let error = run(&images, &mut extractor, options(OnBadImage::Stop), sink, &mut (), &Interrupt::new()).unwrap_err();
    assert!(error.to_string().starts_with("005.bmp: output `means`: row 2, column 1 holds NaN"), "{error}");
}

#[test]
fn a_pass_stops_after_the_batch_during_which_it_was_asked_to() {
    struct After(usize, Interrupt);
    impl PassObserver for After {
        fn images_done(&mut self, done: usize, total: usize) {
            assert_eq!(total, 10);
            if done >= self.0 {
                self.1.request();
            }
        }
    }
    let folder = folder_of(10);
    let images = DataSet::open(folder.path()).unwrap();
    let (sink, interrupt) = (&mut Collector::of_statistics(), Interrupt::new());
    let mut observer = After(6, interrupt.clone());
    let extractor = &mut ChannelMeans::new(2);
    let error = run(&images, extractor, options(OnBadImage::Stop), sink, &mut observer, &interrupt).unwrap_err();
    assert!(matches!(error, EvaluateError::Interrupted { done: 6, total: 10 }), "{error}");
    assert_eq!(error.blame(), Blame::Interrupted);
}

#[test]
fn hashing_for_the_cache_stops_when_it_is_asked_to() {
    let folder = folder_of(3);
    let (images, interrupt) = (DataSet::open(folder.path()).unwrap(), Interrupt::new());
    let key = || CacheKey::new_with(&images, &ChannelMeans::new(2), ResizeMode::default(), &interrupt);
    assert_eq!(key().unwrap(), CacheKey::new(&images, &ChannelMeans::new(2), ResizeMode::default()).unwrap());
    interrupt.request();
    let error = key().unwrap_err();
    assert!(matches!(&error, KeyError::Interrupted { path } if path == folder.path()), "{error}");
    assert_eq!(error.blame(), Blame::Interrupted);
}
