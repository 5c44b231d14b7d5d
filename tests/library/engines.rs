//! The two engines on the same network, in one process.

use crate::support::{finds_onnx_runtime, has_onnx_runtime};
use gan_metrics::extractor::{
    Device, EngineChoice, ExtractorId, FeatureExtractor, Model, NetworkExtractor, NetworkOptions, load,
};
use gan_metrics::image::ResizeMode;
use ndarray::{Array2, Array4, ArrayView2, Axis, s};

/// The engines sum in different orders, in f32, through some fifty layers.
const ENGINE_TOLERANCE: f32 = 1e-4;

/// An image in a fuller batch may take another path through blocked kernels: rounding of the last bits.
const BATCH_TOLERANCE: f32 = 1e-5;

fn model() -> Model {
    load(ExtractorId::EfficientNetLite0, ResizeMode::Tf1, None).unwrap()
}

fn options(engine: EngineChoice, batch_size: usize) -> NetworkOptions {
    NetworkOptions { engine, device: Device::Cpu, batch_size, ..NetworkOptions::default() }
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

#[test]
fn tract_gives_an_image_the_same_features_in_any_company() {
    let images = images(3);
    let mut one = NetworkExtractor::new(&model(), &options(EngineChoice::Tract, 1)).unwrap();
    let mut four = NetworkExtractor::new(&model(), &options(EngineChoice::Tract, 4)).unwrap();
    assert_eq!(four.info().engine.name, "tract");
    assert_eq!(features(&mut one, &images), features(&mut four, &images));
}

#[test]
fn onnx_runtime_agrees_with_tract_and_with_itself_in_any_company() {
    if !has_onnx_runtime() {
        return;
    }
    let images = images(5);
    let mut tract = NetworkExtractor::new(&model(), &options(EngineChoice::Tract, 4)).unwrap();
    let expected = features(&mut tract, &images);
    let mut ort = NetworkExtractor::new(&model(), &options(EngineChoice::OnnxRuntime, 4)).unwrap();
    assert_eq!((ort.info().engine.name.as_str(), ort.info().engine.provider.as_str()), ("onnxruntime", "cpu"));
    let ours = features(&mut ort, &images);
    let off = distance(ours.view(), expected.view());
    assert!(off < ENGINE_TOLERANCE, "the engines differ by {off}");
    // The last image, alone in its padded batch, against the same image in a full one.
    let full = features(&mut ort, &images.slice(s![1.., .., .., ..]).to_owned());
    let off = distance(ours.slice(s![4.., ..]), full.slice(s![3.., ..]));
    assert!(off < BATCH_TOLERANCE, "an image changed by {off} in other company");
}

#[test]
fn auto_says_what_it_took_and_why() {
    let options = NetworkOptions { batch_size: 1, ..NetworkOptions::default() };
    let extractor = NetworkExtractor::new(&model(), &options).unwrap();
    let engine = &extractor.info().engine;
    assert!(engine.reason.as_deref().is_some_and(|reason| reason.starts_with("auto: ")), "{engine:?}");
    assert_eq!(engine.name == "tract", !finds_onnx_runtime());
}

#[test]
fn the_version_of_tract_in_reports_is_the_one_in_use() {
    let mut tract = NetworkExtractor::new(&model(), &options(EngineChoice::Tract, 1)).unwrap();
    let version = tract.info().engine.version.clone();
    let lock = include_str!("../../Cargo.lock");
    let locked = lock.split("name = \"tract-onnx\"\nversion = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(locked.starts_with(&format!("{version}.")), "{version} against {locked}");
    assert_eq!(features(&mut tract, &images(1)).dim(), (1, 1280));
}
