//! The pass over a data set, with an extractor simple enough to know its features by heart.

use std::fs;
use std::path::Path;

use gan_metrics::Interrupt;
use gan_metrics::error::{Blame, Blamed};
use gan_metrics::evaluate::cache::{CacheKey, KeyError};
use gan_metrics::evaluate::{
    Accumulator, EvaluateError, Evaluator, Network, OnBadImage, Partial, PassObserver, PassOptions, PassSummary,
    Portion, Shard, run,
};
use gan_metrics::extractor::{
    Channels, EngineError, EngineInfo, Extraction, ExtractorInfo, FeatureExtractor, InputSpec, Layout, Normalization,
    Number,
};
use gan_metrics::image::{DataSet, ImageArray, ImageSource, ResizeMode};
use gan_metrics::metrics::{Set, fid};
use gan_metrics::report::Report;
use gan_metrics::score::Request;
use gan_metrics::stats::{Features, Logits};
use ndarray::{Array2, Array4, ArrayView4, Axis, s};

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
            pooling: None,
            engine,
        };
        let normalization = Normalization::uniform(0.0, 1.0);
        let input = InputSpec {
            width: 4,
            height: 4,
            layout: Layout::Nchw,
            normalization,
            channels: Channels::Rgb,
            number: Number::Float32,
        };
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
    PassOptions::new(ResizeMode::Tf1).with_on_bad_image(on_bad_image)
}

fn pass(folder: &Path, batch: usize, on_bad_image: OnBadImage) -> Result<(Accumulator, PassSummary), EvaluateError> {
    let images = DataSet::open(folder).unwrap();
    let mut gathered = Accumulator::of_statistics().with_logits();
    let summary = run(
        &Portion::of(&images),
        &mut ChannelMeans::new(batch),
        options(on_bad_image),
        &mut gathered,
        &mut (),
        &Interrupt::new(),
    )?;
    Ok((gathered, summary))
}

#[test]
fn features_come_in_the_order_of_the_images_at_every_batch_size() {
    let folder = folder_of(23);
    let expected: Vec<f32> = (0..23).flat_map(colour).map(|level| f32::from(level) * 2.0).collect();
    let mut gaussians = Vec::new();
    for batch in [1, 4, 23, 64] {
        let (gathered, summary) = pass(folder.path(), batch, OnBadImage::Stop).unwrap();
        assert_eq!((summary.images, summary.skipped.len()), (23, 0));
        assert_eq!(gathered.logits().unwrap().as_slice().unwrap(), expected);
        gaussians.push(gathered.gaussian().unwrap());
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
    let gather = |mut gathered: Accumulator| {
        run(
            &Portion::of(&images),
            &mut ChannelMeans::new(2),
            options(OnBadImage::Stop),
            &mut gathered,
            &mut (),
            &Interrupt::new(),
        )
        .unwrap();
        gathered
    };
    let nothing = gather(Accumulator::of_nothing());
    assert!(nothing.features().is_none() && nothing.logits().is_none() && nothing.spatial().is_none());
    assert!(nothing.gaussian().is_err() && nothing.spatial_gaussian().is_err());
    let all = gather(Accumulator::of_nothing().with_features().with_spatial().with_spatial_statistics());
    let (features, spatial) = (all.features().unwrap(), all.spatial().unwrap());
    assert_eq!(features.mapv(|value| value * 3.0), spatial);
    let mean = spatial.mapv(f64::from).mean_axis(Axis(0)).unwrap();
    assert!((all.spatial_gaussian().unwrap().mean() - mean).mapv(f64::abs).sum() < 1e-9);
    assert!(all.gaussian().unwrap().same_as(&all.gaussian().unwrap()), "looking changes nothing");
}

#[test]
fn a_bad_image_stops_the_pass_or_is_reported() {
    let folder = folder_of(9);
    fs::write(folder.path().join("004.bmp"), b"BM is not enough").unwrap();
    let error = pass(folder.path(), 4, OnBadImage::Stop).unwrap_err();
    assert!(matches!(error, EvaluateError::Image(_)));
    let message = error.to_string();
    assert!(message.contains("004.bmp") && !message.contains("--"), "the flag is for the program to name: {message}");

    let (gathered, summary) = pass(folder.path(), 4, OnBadImage::Skip).unwrap();
    assert_eq!(summary.images, 8);
    let skipped: Vec<_> = summary.skipped.iter().map(|skipped| (skipped.index, &skipped.name[..])).collect();
    assert_eq!(skipped, [(4, "004.bmp")]);
    let kept: Vec<f32> =
        (0..9).filter(|&index| index != 4).flat_map(colour).map(|level| f32::from(level) * 2.0).collect();
    assert_eq!(gathered.logits().unwrap().as_slice().unwrap(), kept);
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
    let sink = &mut Accumulator::of_statistics();
    let error = run(&Portion::of(&images), &mut extractor, options(OnBadImage::Stop), sink, &mut (), &Interrupt::new())
        .unwrap_err();
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
    let (sink, interrupt) = (&mut Accumulator::of_statistics(), Interrupt::new());
    let mut observer = After(6, interrupt.clone());
    let extractor = &mut ChannelMeans::new(2);
    let error =
        run(&Portion::of(&images), extractor, options(OnBadImage::Stop), sink, &mut observer, &interrupt).unwrap_err();
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
    assert!(matches!(&error, KeyError::Interrupted { set } if *set == folder.path().to_string_lossy()), "{error}");
    assert_eq!(error.blame(), Blame::Interrupted);
}

/// Rounding between two orders of summation, relative to the variance.
const MERGE_TOLERANCE: f64 = 1e-12;

/// Every way to cut 23 images into parts that the laws are tried with: in a row, in turn, and at random.
fn partitions() -> Vec<Vec<Vec<usize>>> {
    let in_row = |count: usize| -> Vec<Vec<usize>> {
        (1..=count).map(|index| Shard::new(index, count).unwrap().range(23).collect()).collect()
    };
    let in_turn = (0..3).map(|first| (first..23).step_by(3).collect()).collect();
    let scattered = vec![vec![5, 6, 20], (7..20).collect(), vec![0, 1, 2, 3, 4, 21, 22]];
    vec![in_row(1), in_row(3), in_row(7), in_turn, scattered]
}

fn part(images: &DataSet, indices: &[usize], gathered: Accumulator) -> Partial {
    let mut network = Network::new(Box::new(ChannelMeans::new(4)), options(OnBadImage::Skip));
    let parts = indices.iter().map(|&index| {
        let portion = Portion::of(images).range(index..index + 1);
        network.partial(portion, gathered.emptied(), true, &mut (), &Interrupt::new()).unwrap().part
    });
    Partial::join(parts).unwrap()
}

#[test]
fn any_partition_merged_in_any_order_is_the_whole_to_the_bit_where_rows_are_kept() {
    let folder = folder_of(23);
    let images = DataSet::open(folder.path()).unwrap();
    let gathered = Accumulator::of_everything().with_statistics().with_spatial_statistics();
    let whole = part(&images, &(0..23).collect::<Vec<_>>(), gathered.clone());
    for partition in partitions() {
        for rotation in 0..partition.len() {
            let mut order = partition.clone();
            order.rotate_left(rotation);
            let parts = order.iter().map(|indices| {
                // From another process.
                Partial::from_bytes(&part(&images, indices, gathered.clone()).to_bytes()).unwrap()
            });
            let parts: Vec<Partial> = parts.collect();
            let mut one_by_one = parts[0].clone();
            parts[1..].iter().for_each(|next| one_by_one.merge(next.clone()).unwrap());
            for merged in [one_by_one, Partial::join(parts).unwrap()] {
                merged.check_complete(None).unwrap();
                let (ours, theirs) = (merged.gathered(), whole.gathered());
                assert_eq!(ours.features(), theirs.features());
                assert_eq!(ours.logits(), theirs.logits());
                assert_eq!(ours.spatial(), theirs.spatial());
                assert!(ours.gaussian().unwrap().same_as(&theirs.gaussian().unwrap()));
                assert!(ours.spatial_gaussian().unwrap().same_as(&theirs.spatial_gaussian().unwrap()));
                assert_eq!(merged.names(), whole.names());
                assert_eq!(merged.provenance(), whole.provenance(), "the census included");
            }
        }
    }
}

#[test]
fn statistics_alone_merge_to_rounding_and_the_same_parts_to_the_same_bits() {
    let folder = folder_of(23);
    let images = DataSet::open(folder.path()).unwrap();
    let whole = part(&images, &(0..23).collect::<Vec<_>>(), Accumulator::of_statistics());
    let whole = whole.gathered().gaussian().unwrap();
    let scale = whole.covariance().diag().fold(0.0_f64, |a, &b| a.max(b));
    for partition in partitions() {
        let parts: Vec<Partial> = partition
            .iter()
            .map(|indices| part(&images, indices, Accumulator::of_statistics()).to_bytes())
            .map(|bytes| Partial::from_bytes(&bytes).unwrap())
            .collect();
        assert!(parts.iter().all(|part| part.to_bytes().len() < 4096), "a triangle, however many images");
        let straight = Partial::join(parts.clone()).unwrap().gathered().gaussian().unwrap();
        let reversed = Partial::join(parts.into_iter().rev()).unwrap().gathered().gaussian().unwrap();
        assert!(straight.same_as(&reversed));
        let off = (&straight.covariance() - &whole.covariance()).fold(0.0_f64, |a, &b| a.max(b.abs()));
        assert!(off <= MERGE_TOLERANCE * scale, "{off} of {scale}");
    }
}

#[test]
fn a_part_that_does_not_belong_is_named() {
    let (folder, other) = (folder_of(6), folder_of(7));
    let (images, more) = (DataSet::open(folder.path()).unwrap(), DataSet::open(other.path()).unwrap());
    let rows = || Accumulator::of_nothing().with_features();
    let first = part(&images, &[0, 1], rows());
    let refused = |second: Partial| {
        let mut merged = first.clone();
        let error = merged.merge(second).unwrap_err().to_string();
        assert_eq!(merged.to_bytes(), first.to_bytes(), "nothing has changed");
        error
    };
    let message = refused(part(&images, &[1, 2], rows()));
    assert!(message.ends_with("image 1 is in both"), "{message}");
    let message = refused(part(&more, &[2], rows()));
    assert!(message.ends_with("it has 7 images, not 6"), "{message}");
    let message = refused(part(&images, &[2], Accumulator::of_statistics()));
    assert!(message.contains("one holds features, the other does not"), "{message}");
    let message = first.check_complete(Some(3)).unwrap_err().to_string();
    assert!(
        message.contains("4 of the 6 images") && message.ends_with("are missing: 2–5 (shards 2/3, 3/3)"),
        "{message}"
    );
    for bytes in [&b"PK\x03\x04"[..], b"", &first.to_bytes()[..300]] {
        assert!(Partial::from_bytes(bytes).unwrap_err().to_string().starts_with("this is not a part of a set"));
    }
}

/// As many images of these colours in memory as the folder has.
fn array_of(images: usize) -> Array4<u8> {
    Array4::from_shape_fn((images, 2, 2, 3), |(index, _, _, channel)| colour(index)[channel])
}

#[test]
fn an_array_is_the_folder_of_its_images() {
    let folder = folder_of(9);
    let levels = array_of(9);
    let array = ImageArray::nhwc(levels.view()).unwrap();
    let sum = |images: &dyn ImageSource| {
        let mut gathered = Accumulator::of_everything();
        run(
            &Portion::of(images),
            &mut ChannelMeans::new(4),
            options(OnBadImage::Stop),
            &mut gathered,
            &mut (),
            &Interrupt::new(),
        )
        .unwrap();
        gathered.features().unwrap().to_owned()
    };
    assert_eq!(sum(&array), sum(&DataSet::open(folder.path()).unwrap()));
}

fn evaluator(scores: &[&str]) -> Evaluator {
    let network = Network::new(Box::new(ChannelMeans::new(4)), options(OnBadImage::Stop));
    Evaluator::with_network(network, Request::of(scores.iter().copied()).unwrap())
}

#[test]
fn an_evaluator_gives_the_same_bits_for_any_batches_and_can_be_asked_at_any_time() {
    const SCORES: [&str; 4] = ["fid", "prdc", "vendi", "authpct"];
    let (real, fake) = (array_of(30), array_of(55).slice_move(s![30.., .., .., ..]));
    let add = |run: &mut Evaluator, set, images: ArrayView4<'_, u8>| {
        run.update(set, &ImageArray::nhwc(images).unwrap()).unwrap();
    };
    let mut whole = evaluator(&SCORES);
    add(&mut whole, Set::Real, real.view());
    add(&mut whole, Set::Fake, fake.view());
    let expected = serde_json::to_value(whole.compute().unwrap()).unwrap();
    let failed = whole.compute().unwrap().failed().to_vec();
    assert!(failed.is_empty(), "{failed:?}");
    for batch in [1, 7, 25] {
        let mut run = evaluator(&SCORES);
        assert_eq!(run.compute().unwrap().failed().len(), 4, "nothing can be said of nothing");
        for images in real.axis_chunks_iter(Axis(0), batch) {
            add(&mut run, Set::Real, images);
        }
        for poll in 0..2 {
            for images in fake.axis_chunks_iter(Axis(0), batch) {
                add(&mut run, Set::Fake, images);
                let _ = run.compute().unwrap();
            }
            assert_eq!(serde_json::to_value(run.compute().unwrap()).unwrap(), expected, "poll {poll}");
            run.reset(Set::Fake);
        }
    }
    // Two processes, of which each has every other image, and a reference that was written down.
    let reference = whole.partial(Set::Real).unwrap().clone();
    let mut runs = [1, 2].map(|index| {
        let shard = Shard::new(index, 2).unwrap();
        let mut run = evaluator(&SCORES).with_reference(reference.clone()).unwrap().with_shard(shard);
        for images in fake.slice(s![index - 1..; 2, .., .., ..]).axis_chunks_iter(Axis(0), 3) {
            add(&mut run, Set::Fake, images);
        }
        run
    });
    let sent = runs[1].partial(Set::Fake).unwrap().to_bytes();
    runs[0].merge(Set::Fake, Partial::from_bytes(&sent).unwrap()).unwrap();
    assert_eq!(serde_json::to_value(runs[0].compute().unwrap()).unwrap(), expected);
    let error = runs[0].update(Set::Real, &ImageArray::nhwc(real.view()).unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("the real set was given as a reference"), "{error}");
}

#[test]
fn a_report_of_images_in_memory_says_what_was_scored_and_what_failed() {
    let mut run = evaluator(&["fid", "vendi"]);
    // The first is black, and has no direction.
    let fake = array_of(6).slice_move(s![1.., .., .., ..]);
    run.update(Set::Fake, &ImageArray::nhwc(fake.view()).unwrap()).unwrap();
    let report = |run: &Evaluator| Report::of_evaluator("score", run, run.compute().unwrap(), 1.5);
    let half = report(&run);
    // The Vendi score needs no real images; the FID says that it does.
    assert_eq!(half.failed.iter().map(|failure| failure.score).collect::<Vec<_>>(), ["fid"]);
    assert!(half.failed[0].reason.contains("real"), "{}", half.failed[0].reason);
    assert_eq!(half.sets.len(), 1);
    let json: serde_json::Value = serde_json::from_str(&half.to_json()).unwrap();
    assert!(json["metrics"]["vendi"]["value"].as_f64().unwrap() >= 1.0 && json["metrics"]["fid"].is_null(), "{json}");
    assert_eq!((json["command"].as_str(), json["total_seconds"].as_f64()), (Some("score"), Some(1.5)));

    let real = array_of(9);
    run.update(Set::Real, &ImageArray::nhwc(real.view()).unwrap()).unwrap();
    let whole = report(&run);
    assert!(whole.failed.is_empty() && whole.sets.len() == 2);
    let json = serde_json::to_value(&whole).unwrap();
    assert_eq!(json["metrics"], serde_json::to_value(run.compute().unwrap()).unwrap());
    assert!(json["metrics"]["fid"]["value"].as_f64().unwrap() > 0.0, "{json}");
    assert!(whole.to_text().contains("fid"), "{}", whole.to_text());
}

#[test]
fn a_reference_must_hold_what_scores_need() {
    let levels = array_of(12);
    let mut run = evaluator(&["fid"]);
    run.update(Set::Real, &ImageArray::nhwc(levels.view()).unwrap()).unwrap();
    let statistics = run.partial(Set::Real).unwrap().clone();
    let Err(error) = evaluator(&["prdc"]).with_reference(statistics) else { panic!("no features, no precision") };
    assert!(error.to_string().contains("the features of every image of the real set"), "{error}");
}

#[test]
fn a_reference_is_cached_by_the_content_of_its_images() {
    struct Counted(std::sync::Arc<std::sync::atomic::AtomicUsize>, ChannelMeans);
    impl FeatureExtractor for Counted {
        fn info(&self) -> &ExtractorInfo {
            self.1.info()
        }
        fn input(&self) -> &InputSpec {
            self.1.input()
        }
        fn batch_size(&self) -> usize {
            self.1.batch_size()
        }
        fn extract(&mut self, images: ArrayView4<'_, f32>) -> Result<Extraction, EngineError> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            self.1.extract(images)
        }
    }
    let home = tempfile::tempdir().unwrap();
    let cache = gan_metrics::evaluate::cache::FeatureCache::at(home.path().into(), 1 << 20);
    let levels = array_of(12);
    let batches = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
    let fid_of = || {
        let counted = Counted(batches.clone(), ChannelMeans::new(4));
        let network = Network::new(Box::new(counted), options(OnBadImage::Stop));
        let mut run = Evaluator::with_network(network, Request::of(["fid"]).unwrap())
            .with_reference_images(&ImageArray::nhwc(levels.view()).unwrap(), Some(&cache))
            .unwrap();
        assert!(run.not_cached().is_none());
        run.update(Set::Fake, &ImageArray::nhwc(levels.slice(s![..8, .., .., ..])).unwrap()).unwrap();
        run.compute().unwrap().number("fid").unwrap()
    };
    let first = fid_of();
    assert_eq!(batches.load(std::sync::atomic::Ordering::Relaxed), 3 + 2);
    assert_eq!(fid_of(), first);
    assert_eq!(batches.load(std::sync::atomic::Ordering::Relaxed), 3 + 2 + 2, "the reference came from the cache");
}
