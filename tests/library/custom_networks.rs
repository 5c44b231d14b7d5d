//! Networks of the kinds that people export, on both engines, against distances that numpy computed of their features
//! (`python_ref/make_network_fixtures.py`).

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use gan_metrics::error::{Blame, Blamed};
use gan_metrics::evaluate::cache::CacheKey;
use gan_metrics::evaluate::{Evaluated, Evaluation, Job, ModelChoice, NetworkChoice};
use gan_metrics::extractor::{
    CustomModel, Device, EngineChoice, GeneratorFile, ImageShape, Layout, Model, ModelError, NetworkExtractor,
    NetworkOptions, OnnxGenerator, OnnxGeneratorError, Pooling, RangeSource,
};
use gan_metrics::image::{DataSet, ResizeMode};
use gan_metrics::report::Report;
use gan_metrics::{Error, Interrupt};
use ndarray::{Array2, array};
use serde_json::Value;

use crate::support::{fixture, has_onnx_runtime};

/// Features are f32: a distance of some is off by their rounding, relative to their variances.
const FLOAT32: f64 = 1e-5;

/// Features are rounded to half precision, of 11 bits.
const FLOAT16: f64 = 2e-3;

fn file(name: &str) -> PathBuf {
    Path::new("tests/fixtures/networks").join(name)
}

fn engines() -> Vec<EngineChoice> {
    let onnx_runtime = has_onnx_runtime().then_some(EngineChoice::OnnxRuntime);
    [EngineChoice::Tract].into_iter().chain(onnx_runtime).collect()
}

fn options(engine: EngineChoice) -> NetworkOptions {
    NetworkOptions::default().with_engine(engine).with_device(Device::Cpu).with_threads(Some(1))
}

/// A network of the fixtures, with values from −1 to 1 where it takes floating point.
fn custom(name: &str) -> CustomModel {
    let (mean, std) = if name == "bytes.onnx" { (None, None) } else { (Some([127.5; 3]), Some([127.5; 3])) };
    CustomModel { path: file(name), mean, std, ..CustomModel::default() }
}

fn evaluated(
    model: CustomModel,
    options: NetworkOptions,
    sets: [&str; 2],
    scores: &[&str],
) -> Result<Evaluated, Error> {
    let [real, fake] = sets.map(file);
    let job = Job::new(Some(real), fake).scores(scores.iter().copied())?;
    let network = NetworkChoice { model: ModelChoice::Custom(model), options, ..job.network.clone() };
    Evaluation::plan(Job { network, ..job }, &Interrupt::new())?.run(&mut (), &Interrupt::new())
}

fn report(done: &Evaluated) -> Value {
    serde_json::from_str(&Report::of("fid", done).to_json()).unwrap()
}

const COLOURS: [&str; 2] = ["a.npy", "b.npy"];

fn fid(model: CustomModel, options: NetworkOptions, sets: [&str; 2]) -> f64 {
    let done = evaluated(model, options, sets, &["fid"]).unwrap();
    report(&done)["metrics"]["fid"]["value"].as_f64().unwrap()
}

fn expected(name: &str) -> f64 {
    fixture::<HashMap<String, f64>>("networks/expected.json")[name]
}

/// The distance of the two sets is the one expected, on each engine.
fn agrees(model: &CustomModel, sets: [&str; 2], name: &str, tolerance: f64) {
    for engine in engines() {
        let (found, expected) = (fid(model.clone(), options(engine), sets), expected(name));
        let off = (found - expected).abs() / expected;
        assert!(off < tolerance, "{} on {engine}: {found} instead of {expected} ({name})", model.path.display());
    }
}

fn refused(model: &CustomModel) -> ModelError {
    model.load(ResizeMode::Tf1).unwrap_err()
}

#[test]
fn weights_beside_a_network_are_read_from_its_folder_and_are_part_of_its_digest() {
    agrees(&custom("beside/plain.onnx"), COLOURS, "plain", FLOAT32);
    let load = |path: &Path| CustomModel { path: path.into(), ..custom("plain.onnx") }.load(ResizeMode::Tf1);
    let folder = tempfile::tempdir().unwrap();
    let (graph, data) = (folder.path().join("plain.onnx"), folder.path().join("plain.onnx.data"));
    fs::copy(file("beside/plain.onnx"), &graph).unwrap();
    let missing = load(&graph).unwrap_err();
    assert_eq!(missing.blame(), Blame::Model);
    assert!(missing.to_string().contains("its weights are in `plain.onnx.data`, which is not there"), "{missing}");
    let weights = fs::read(file("beside/plain.onnx.data")).unwrap();
    fs::write(&data, &weights).unwrap();
    let first = load(&graph).unwrap();
    assert_eq!(first.sha256, load(&file("beside/plain.onnx")).unwrap().sha256);
    // Other weights under the same names are another network, and another entry of the cache.
    let others: Vec<u8> = weights.chunks_exact(4).rev().flatten().copied().collect();
    fs::write(&data, others).unwrap();
    let second = load(&graph).unwrap();
    assert_ne!(first.sha256, second.sha256);
    let key = |model: &Model| {
        let extractor = NetworkExtractor::new(model, &options(EngineChoice::Tract)).unwrap();
        let images = DataSet::open(&file("a.npy")).unwrap();
        CacheKey::new(&images, &extractor, ResizeMode::Tf1).unwrap()
    };
    assert_ne!(key(&first), key(&second));
    // A network that has its weights in it is known by its bytes alone, as before.
    let digest = crate::support::sha256_hex([fs::read(file("plain.onnx")).unwrap()]);
    assert_eq!(load(&file("plain.onnx")).unwrap().sha256, digest);
}

#[cfg(unix)]
#[test]
fn weights_are_looked_for_beside_a_link_and_beside_its_target() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link.onnx");
    std::os::unix::fs::symlink(file("beside/plain.onnx").canonicalize().unwrap(), &link).unwrap();
    let digest = || CustomModel { path: link.clone(), ..custom("plain.onnx") }.load(ResizeMode::Tf1).unwrap().sha256;
    let of_target = digest();
    fs::write(folder.path().join("plain.onnx.data"), vec![0; 648]).unwrap();
    assert_ne!(digest(), of_target);
}

#[test]
fn a_network_of_a_fixed_batch_runs_at_that_and_at_no_other() {
    agrees(&custom("fixed.onnx"), COLOURS, "plain", FLOAT32);
    for engine in engines() {
        let of = |batch| options(engine).with_batch_size(Some(batch));
        assert_eq!(fid(custom("fixed.onnx"), of(5), COLOURS), fid(custom("fixed.onnx"), options(engine), COLOURS));
        let error = evaluated(custom("fixed.onnx"), of(16), COLOURS, &["fid"]).err().expect("another size");
        assert_eq!(error.blame(), Blame::Input);
        assert_eq!(error.to_string(), "the model takes batches of 5 only, not of 16: use that batch size");
    }
}

#[test]
fn features_of_positions_become_their_mean_and_tokens_what_is_chosen() {
    agrees(&custom("map.onnx"), COLOURS, "plain", FLOAT32);
    agrees(&custom("map_last.onnx"), COLOURS, "plain", FLOAT32);
    let tokens = |pooling| CustomModel { pooling: Some(pooling), ..custom("tokens.onnx") };
    agrees(&tokens(Pooling::TokenMean), COLOURS, "plain", FLOAT32);
    agrees(&tokens(Pooling::FirstToken), COLOURS, "first-token", FLOAT32);
    let error = refused(&custom("tokens.onnx"));
    assert!(matches!(error, ModelError::ManyRows { .. }) && error.blame() == Blame::Input, "{error}");
    assert!(error.to_string().contains("`features: float32 [N, 64, 6]`, many rows an image"), "{error}");
    let error = refused(&CustomModel { pooling: Some(Pooling::Flatten), ..custom("plain.onnx") });
    assert!(error.to_string().contains("flatten would have no effect"), "{error}");
    let error = refused(&CustomModel { pooling: Some(Pooling::FirstToken), ..custom("map.onnx") });
    assert!(error.to_string().contains("first-token makes no row"), "{error}");
}

#[test]
fn pooled_and_flattened_features_are_not_comparable() {
    let images = DataSet::open(&file("a.npy")).unwrap();
    let of = |pooling| {
        let model = CustomModel { pooling, ..custom("map.onnx") };
        let done = evaluated(model.clone(), options(EngineChoice::Tract), COLOURS, &["fid"]).unwrap();
        let extractor = NetworkExtractor::new(&model.load(ResizeMode::Tf1).unwrap(), &options(EngineChoice::Tract));
        let extractor = extractor.unwrap();
        let dim = report(&done)["metrics"]["fid"]["dim"].as_u64().unwrap();
        let provenance = done.fake.measured.provenance.unwrap();
        (dim, provenance, CacheKey::new(&images, &extractor, ResizeMode::Tf1).unwrap())
    };
    let (pooled, flattened) = (of(None), of(Some(Pooling::Flatten)));
    assert_eq!((pooled.0, flattened.0), (6, 384));
    assert_eq!(pooled.1.differences(&flattened.1), ["pooling spatial-mean against flatten"]);
    assert!(pooled.1.differences(&pooled.1).is_empty());
    assert_ne!(pooled.2, flattened.2);
}

#[test]
fn other_types_of_numbers_are_converted_at_the_edge() {
    agrees(&custom("half.onnx"), COLOURS, "half", FLOAT16);
    agrees(&custom("double.onnx"), COLOURS, "double", FLOAT32);
    agrees(&custom("bytes.onnx"), COLOURS, "bytes", FLOAT32);
    let done = evaluated(custom("half.onnx"), options(EngineChoice::Tract), COLOURS, &["fid"]).unwrap();
    assert_eq!(report(&done)["preparation"]["dtype"], "float16");
    // Bytes are not normalised.
    let error = refused(&CustomModel { mean: Some([1.0; 3]), ..custom("bytes.onnx") });
    assert!(matches!(error, ModelError::Unnormalized { .. }) && error.blame() == Blame::Input, "{error}");
}

#[test]
fn networks_of_one_channel_are_fed_pillows_gray() {
    agrees(&custom("gray.onnx"), COLOURS, "gray of colours", FLOAT32);
    agrees(&custom("gray.onnx"), ["gray_a.npy", "gray_b.npy"], "gray of gray", FLOAT32);
    let error = refused(&CustomModel { mean: Some([1.0, 2.0, 3.0]), ..custom("gray.onnx") });
    assert!(error.to_string().contains("gray images: mean and std are one number each"), "{error}");
}

#[test]
fn what_does_not_fit_the_declared_input_is_refused_whatever_the_engine() {
    for (model, words) in [
        (CustomModel { size: Some((64, 64)), ..custom("plain.onnx") }, "which images as N×3×64×64 do not fit"),
        (CustomModel { layout: Some(Layout::Nhwc), ..custom("plain.onnx") }, "which images as N×3×8×3 do not fit"),
        (CustomModel { layout: Some(Layout::Nhwc), ..custom("gray.onnx") }, "do not fit"),
        (custom("four.onnx"), "`x: float32 [N, 4, 8, 8]`, which is not a batch of images"),
        (CustomModel { layout: Some(Layout::Nchw), ..custom("open.onnx") }, "does not say the size of its input"),
    ] {
        let error = refused(&model).to_string();
        assert!(error.contains(words), "{error}");
    }
    let open = CustomModel { layout: Some(Layout::Nchw), size: Some((8, 8)), ..custom("open.onnx") };
    agrees(&open, COLOURS, "plain", FLOAT32);
}

#[test]
fn a_mean_and_a_deviation_on_the_wrong_scale_are_refused_and_levels_as_they_are_are_not() {
    let of = |mean, std| CustomModel { mean: Some(mean), std: Some(std), ..custom("plain.onnx") };
    let error = refused(&of([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]));
    assert_eq!(error.blame(), Blame::Input);
    assert!(error.to_string().contains("mean 123.675,116.28,103.53 and std 58.395,57.12,57.375"), "{error}");
    assert!(matches!(refused(&of([0.0; 3], [0.5; 3])), ModelError::Scale { .. }));
    for (mean, std) in [(0.0, f32::INFINITY), (f32::NAN, 1.0), (0.0, 0.0), (0.0, -1.0)] {
        assert!(matches!(refused(&of([mean; 3], [std; 3])), ModelError::Normalization { .. }), "{mean} {std}");
    }
    for (mean, std) in [(0.0, 1.0), (0.0, 255.0), (1.5, 1.0)] {
        of([mean; 3], [std; 3]).load(ResizeMode::Tf1).unwrap();
    }
}

#[test]
fn networks_in_training_mode_are_refused() {
    let error = refused(&custom("training.onnx"));
    assert_eq!(error.blame(), Blame::Model);
    assert!(error.to_string().contains("`n` (BatchNormalization) is in training mode"), "{error}");
}

#[test]
fn networks_that_look_at_a_batch_as_a_whole_are_refused_where_there_is_one() {
    // tract runs each image by itself.
    if has_onnx_runtime() {
        let options = options(EngineChoice::OnnxRuntime);
        let error = evaluated(custom("whole.onnx"), options, COLOURS, &["fid"]).err().expect("it depends on the batch");
        assert_eq!(error.blame(), Blame::Model);
        assert!(error.to_string().contains("output `features` of an image differs by"), "{error}");
    }
}

#[test]
fn class_scores_as_features_are_warned_of_and_probabilities_are_no_logits() {
    let codes = |name: &str, scores: &[&str]| -> Vec<String> {
        let done = evaluated(custom(name), options(EngineChoice::Tract), COLOURS, scores).unwrap();
        let report = report(&done);
        let codes =
            report["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap().into());
        codes.filter(|code| code == "class-scores").collect()
    };
    assert_eq!(codes("logits.onnx", &["fid"]), ["class-scores"]);
    assert_eq!(codes("thousand.onnx", &["fid"]).len(), 1);
    assert_eq!(codes("plain.onnx", &["fid"]).len(), 0);
    assert_eq!(codes("logits.onnx", &["is"]).len(), 0);
    let done = evaluated(custom("probabilities.onnx"), options(EngineChoice::Tract), COLOURS, &["fid", "is"]).unwrap();
    let report = report(&done);
    assert!(report["metrics"]["fid"]["value"].is_f64());
    assert_eq!(report["failed"][0]["score"], "is");
    assert!(report["failed"][0]["reason"].as_str().unwrap().contains("the class scores are probabilities"));
}

fn generator(name: &str, classes: Option<usize>, pixel_range: Option<[f32; 2]>, engine: EngineChoice) -> OnnxGenerator {
    let described = GeneratorFile { path: file(name), classes, pixel_range, ..GeneratorFile::default() };
    OnnxGenerator::load(&described, &options(engine)).unwrap()
}

fn latents() -> Array2<f32> {
    Array2::from_shape_fn((19, 4), |(row, column)| ((row * 4 + column) as f32 * 0.7).sin() * 2.0)
}

#[test]
fn images_of_generators_are_the_same_however_they_are_laid_out_and_typed() {
    for engine in engines() {
        let images = |name: &str, range| {
            let mut generator = generator(name, None, range, engine);
            let bytes = generator.images(latents().view(), &[]).unwrap();
            assert_eq!(generator.shape(), Some(ImageShape { channels: 3, height: 8, width: 8 }), "{name}");
            bytes
        };
        let expected = images("gen_tanh.onnx", None);
        assert_eq!(images("gen_open.onnx", None), expected);
        assert_eq!(images("gen_last.onnx", None), expected);
        let half = images("gen_half.onnx", None);
        assert!(half.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1), "{engine}");
        // Bytes are pixels as they are.
        let levels = images("gen_levels.onnx", Some([0.0, 255.0]));
        assert_eq!(images("gen_bytes.onnx", None), levels);
        assert!(levels.iter().any(|&level| level > 250) && levels.iter().any(|&level| level < 5));
    }
    let bytes = generator("gen_bytes.onnx", None, None, EngineChoice::Tract);
    assert_eq!((bytes.pixel_range(), bytes.range_source()), ([0.0, 255.0], RangeSource::Bytes));
    let described =
        GeneratorFile { path: file("gen_bytes.onnx"), pixel_range: Some([0.0, 1.0]), ..GeneratorFile::default() };
    let error = OnnxGenerator::load(&described, &options(EngineChoice::Tract)).err().expect("no effect");
    assert!(matches!(error, OnnxGeneratorError::Bytes { .. }) && error.blame() == Blame::Input, "{error}");
}

#[test]
fn labels_reach_a_generator_in_the_order_of_the_latents() {
    let labels: Vec<usize> = (0..19).map(|index| index * index % 3).collect();
    let level = |label: &usize| [0, 128, 255][*label];
    let expected: Vec<u8> = labels.iter().flat_map(|label| [level(label); 192]).collect();
    for engine in engines() {
        for name in ["gen_labels.onnx", "gen_one_hot.onnx"] {
            let mut generator = generator(name, Some(3), None, engine);
            assert_eq!(generator.images(latents().view(), &labels).unwrap(), expected, "{name} on {engine}");
        }
    }
    let load = |name: &str, classes| {
        let described = GeneratorFile { path: file(name), classes, ..GeneratorFile::default() };
        OnnxGenerator::load(&described, &options(EngineChoice::Tract)).map(|generator| generator.classes())
    };
    assert!(matches!(load("gen_one_hot.onnx", None), Ok(Some(3))));
    assert!(matches!(load("gen_labels.onnx", None), Err(OnnxGeneratorError::Classes { wanted: None, .. })));
    assert!(matches!(load("gen_one_hot.onnx", Some(4)), Err(OnnxGeneratorError::Classes { wanted: Some(4), .. })));
    assert!(matches!(load("gen_tanh.onnx", Some(4)), Err(OnnxGeneratorError::NoLabels { .. })));
}

#[test]
fn the_values_of_a_generator_are_known() {
    let mut generator = generator("gen_sigmoid.onnx", None, None, EngineChoice::Tract);
    assert_eq!((generator.values(), generator.range_source()), (None, RangeSource::Assumed));
    generator.images(array![[0.0, 0.0, 0.0, 0.0]].view(), &[]).unwrap();
    assert_eq!(generator.values(), Some([0.5, 0.5]));
}

#[test]
fn a_generator_that_looks_at_a_batch_as_a_whole_is_known_by_its_images() {
    // tract makes each image by itself.
    if has_onnx_runtime() {
        let dependence = |name: &str, count: usize| {
            let mut generator = generator(name, None, None, EngineChoice::OnnxRuntime);
            generator.images(latents().slice(ndarray::s![..count, ..]), &[]).unwrap();
            generator.batch_dependence()
        };
        assert!(dependence("gen_mixed.onnx", 19).unwrap() > 0.1);
        assert_eq!(dependence("gen_tanh.onnx", 19), None);
    }
}

#[test]
fn a_range_of_pixels_in_the_file_that_cannot_be_is_refused_unless_another_is_given() {
    let load = |pixel_range| {
        let described = GeneratorFile { path: file("gen_range.onnx"), pixel_range, ..GeneratorFile::default() };
        OnnxGenerator::load(&described, &options(EngineChoice::Tract)).map(|generator| generator.pixel_range())
    };
    let error = load(None).unwrap_err();
    assert_eq!(error.blame(), Blame::Model);
    assert!(error.to_string().contains("`pixel_range` with `0,1,2`, which is not two numbers"), "{error}");
    assert_eq!(load(Some([0.0, 1.0])).unwrap(), [0.0, 1.0]);
}

#[test]
fn what_a_network_cannot_compute_is_its_own_fault_on_each_engine() {
    for engine in engines() {
        let error =
            evaluated(custom("beyond.onnx"), options(engine), COLOURS, &["fid"]).err().expect("there is no seventh");
        assert_eq!(error.blame(), Blame::Model, "{engine}: {error}");
    }
}
