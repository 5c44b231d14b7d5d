//! The two engines on the same network, in one process.

use crate::support::{finds_onnx_runtime, has_onnx_runtime};
use gan_metrics::error::{Blame, Blamed};
use gan_metrics::extractor::{
    BatchAxis, Device, EngineChoice, EngineError, EngineInfo, Extraction, ExtractorId, FeatureExtractor, Model,
    NetworkExtractor, NetworkOptions, Ticket, find_libraries, load,
};
use gan_metrics::image::ResizeMode;
use ndarray::{Array2, Array4, ArrayView2, ArrayView4, Axis, s};

/// The engines sum in different orders, in f32, through some fifty layers.
const ENGINE_TOLERANCE: f32 = 1e-4;

fn model() -> Model {
    load(ExtractorId::EfficientNetLite0, ResizeMode::Tf1, None).unwrap()
}

fn options(engine: EngineChoice, batch_size: usize) -> NetworkOptions {
    NetworkOptions::default().with_engine(engine).with_device(Device::Cpu).with_batch_size(Some(batch_size))
}

/// The engines that are on this machine.
fn engines() -> Vec<EngineChoice> {
    let onnx_runtime = has_onnx_runtime().then_some(EngineChoice::OnnxRuntime);
    [EngineChoice::Tract].into_iter().chain(onnx_runtime).collect()
}

fn images(n: usize) -> Array4<f32> {
    Array4::from_shape_fn((n, 3, 224, 224), |(image, channel, row, column)| {
        let phase = (image + 1) as f32 * 0.7 + channel as f32;
        ((row as f32 * 0.05 * phase).sin() + (column as f32 * 0.09 + phase).cos()) * 0.5
    })
}

fn features(extractor: &mut NetworkExtractor, images: &Array4<f32>) -> Array2<f32> {
    let batches: Vec<_> = images
        .axis_chunks_iter(Axis(0), extractor.batch_size())
        .map(|batch| extractor.extract(batch).unwrap().features.into_inner())
        .collect();
    ndarray::concatenate(Axis(0), &batches.iter().map(|batch| batch.view()).collect::<Vec<_>>()).unwrap()
}

/// Largest relative distance between corresponding rows.
fn distance(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> f32 {
    let norm = |row: ndarray::Array1<f32>| row.dot(&row).sqrt();
    a.rows().into_iter().zip(b.rows()).map(|(a, b)| norm(&a - &b) / norm(b.to_owned())).fold(0.0, f32::max)
}

/// Bits of the features and logits of some images, in batches of at most `extractor.batch_size()`.
fn bits(extractor: &mut NetworkExtractor, images: ArrayView4<'_, f32>) -> Vec<Vec<u32>> {
    let mut rows = Vec::new();
    for batch in images.axis_chunks_iter(Axis(0), extractor.batch_size()) {
        let Extraction { features, logits, .. } = extractor.extract(batch).unwrap();
        let both = ndarray::concatenate(Axis(1), &[features.view(), logits.unwrap().view()]).unwrap();
        rows.extend(both.rows().into_iter().map(|row| row.iter().map(|value| value.to_bits()).collect()));
    }
    rows
}

#[test]
fn an_image_has_the_same_features_to_the_bit_in_whatever_shards_a_set_is_cut() {
    let images = images(9);
    for engine in engines() {
        let mut extractor = NetworkExtractor::new(&model(), &options(engine, 4)).unwrap();
        let whole = bits(&mut extractor, images.view());
        for shards in [1, 3, 7] {
            let cut: Vec<_> = (0..shards)
                .flat_map(|shard| {
                    let range = images.len_of(Axis(0)) * shard / shards..images.len_of(Axis(0)) * (shard + 1) / shards;
                    bits(&mut extractor, images.slice(s![range, .., .., ..]))
                })
                .collect();
            assert!(cut == whole, "{engine}: {shards} shards have other features");
        }
    }
}

#[test]
fn a_batch_has_the_same_features_to_the_bit_whether_it_is_padded_or_not() {
    let images = images(3);
    for engine in engines() {
        let open = Model { batch_axis: BatchAxis::Open, ..model() };
        let mut extractors = [model(), open].map(|model| NetworkExtractor::new(&model, &options(engine, 5)).unwrap());
        let [as_it_is, padded] = extractors.each_mut().map(|extractor| bits(extractor, images.view()));
        assert!(as_it_is == padded, "{engine}");
    }
}

#[test]
fn any_number_of_threads_has_the_same_features() {
    let images = images(3);
    let of = |threads| {
        let options = options(EngineChoice::Tract, 3).with_threads(threads);
        NetworkExtractor::new(&model(), &options).map(|mut extractor| bits(&mut extractor, images.view()))
    };
    assert!(of(Some(1)).unwrap() == of(None).unwrap());
    assert!(matches!(of(Some(100_000)), Err(EngineError::Threads { asked: 100_000, .. })));
}

#[test]
fn the_engines_agree() {
    if !has_onnx_runtime() {
        return;
    }
    let images = images(5);
    let mut tract = NetworkExtractor::new(&model(), &options(EngineChoice::Tract, 4)).unwrap();
    assert_eq!(tract.info().engine.name, "tract");
    let expected = features(&mut tract, &images);
    let mut ort = NetworkExtractor::new(&model(), &options(EngineChoice::OnnxRuntime, 4)).unwrap();
    assert_eq!((ort.info().engine.name.as_str(), ort.info().engine.provider.as_str()), ("onnxruntime", "cpu"));
    let off = distance(features(&mut ort, &images).view(), expected.view());
    assert!(off < ENGINE_TOLERANCE, "the engines differ by {off}");
}

#[test]
fn batches_are_submitted_and_waited_for_in_any_order() {
    let images = images(4);
    for engine in engines() {
        let mut extractor = NetworkExtractor::new(&model(), &options(engine, 2)).unwrap();
        let expected = bits(&mut extractor, images.view());
        let row = |ticket: Ticket| {
            let features = ticket.wait().unwrap().features.into_inner();
            features.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        let one = |image: usize| images.slice(s![image..image + 1, .., .., ..]);
        // Backwards in memory, and alike.
        let mirrored = images.slice(s![3..4, .., .., ..;-1]).to_owned();
        let (first, second) = (extractor.submit(one(2)), extractor.submit(mirrored.slice(s![.., .., .., ..;-1])));
        assert!(row(second) == expected[3][..1280] && row(first) == expected[2][..1280], "{engine}");
        // One that is refused or given up is no hindrance to the others.
        let refused = extractor.submit(images.slice(s![..1, .., ..8, ..]));
        drop(extractor.submit(one(0)));
        let last = extractor.submit(one(1));
        assert!(matches!(refused.wait(), Err(EngineError::Input { .. })));
        drop(extractor);
        assert!(row(last) == expected[1][..1280], "{engine}");
    }
}

#[test]
fn a_graph_for_batches_of_one_size_is_run_at_no_other() {
    if !has_onnx_runtime() {
        return;
    }
    let fixed = Model { batch_axis: BatchAxis::Fixed(2), ..model() };
    let error = NetworkExtractor::new(&fixed, &options(EngineChoice::OnnxRuntime, 4)).err().expect("another size");
    assert!(
        matches!(error, EngineError::BatchSize { fixed: 2, wanted: 4 }) && error.blame() == Blame::Input,
        "{error}"
    );
    let mut extractor = NetworkExtractor::new(&fixed, &options(EngineChoice::OnnxRuntime, 2)).unwrap();
    assert_eq!(features(&mut extractor, &images(3)).dim(), (3, 1280));
}

#[test]
fn auto_says_what_it_took_and_why() {
    let options = NetworkOptions::default().with_batch_size(Some(1));
    let extractor = NetworkExtractor::new(&model(), &options).unwrap();
    let engine = &extractor.info().engine;
    assert!(engine.reason.as_deref().is_some_and(|reason| reason.starts_with("auto: ")), "{engine:?}");
    assert_eq!(engine.name == "tract", !finds_onnx_runtime());
}

#[test]
fn the_version_of_an_engine_in_reports_is_the_full_one_in_use() {
    let tract = NetworkExtractor::new(&model(), &options(EngineChoice::Tract, 1)).unwrap();
    let version = &tract.info().engine.version;
    let lock = include_str!("../../Cargo.lock");
    let locked = lock.split("name = \"tract-onnx\"\nversion = \"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(version, locked);
    // Whoever depends on this crate has the same one.
    assert!(include_str!("../../Cargo.toml").contains(&format!("tract-onnx = {{ version = \"={version}\"")));

    if has_onnx_runtime() {
        let onnx_runtime = NetworkExtractor::new(&model(), &options(EngineChoice::OnnxRuntime, 1)).unwrap();
        let EngineInfo { version, library, .. } = &onnx_runtime.info().engine;
        assert_eq!(version.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{version}");
        let found = find_libraries(library.as_deref()).0.remove(0);
        assert_eq!(found.version.as_ref(), Some(version));
        assert_eq!(found.minor_version(), version.split('.').nth(1).unwrap().parse().ok());
    }
}

#[test]
fn a_batch_of_another_shape_is_refused() {
    for engine in engines() {
        let mut extractor = NetworkExtractor::new(&model(), &options(engine, 2)).unwrap();
        for got in [
            [2, 1, 224, 224],
            [1, 1, 224, 224],
            [1, 3, 1, 1],
            [2, 3, 1, 1],
            [2, 32, 32, 3],
            [1, 224, 224, 3],
            [2, 3, 224, 225],
            [0, 3, 224, 224],
            [3, 3, 224, 224],
        ] {
            let error = extractor.extract(Array4::zeros(got).view()).unwrap_err();
            let shapes = matches!(&error, EngineError::Input { expected, got: seen }
                if expected[..] == [2, 3, 224, 224] && seen[..] == got);
            assert!(shapes && error.blame() == Blame::Input, "{engine} {got:?}: {error:?}");
        }
        let message = extractor.extract(Array4::zeros([3, 3, 1, 1]).view()).unwrap_err().to_string();
        assert_eq!(
            message,
            "a batch of shape [3, 3, 1, 1] was given; the network takes 1 to 2 images of shape [3, 224, 224]"
        );
        // It goes on with the next.
        assert_eq!(features(&mut extractor, &images(1)).dim(), (1, 1280));
    }
}

#[test]
fn a_batch_size_of_zero_is_refused() {
    for engine in engines() {
        let error = NetworkExtractor::new(&model(), &options(engine, 0)).err().expect("no batch");
        assert!(matches!(error, EngineError::NoBatch) && error.blame() == Blame::Input, "{error}");
    }
}
