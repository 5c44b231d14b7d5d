//! Inception-v3 from a generated checkpoint, on both engines, against the same network in PyTorch.

use std::sync::LazyLock;

use crate::support::networks::{batch, relative_error, run, truth};
use crate::support::{has_onnx_runtime, sha256_hex};
use gan_metrics::extractor::weights::BatchNormForm;
use gan_metrics::extractor::weights::inception_v3::{self, INPUT};
use gan_metrics::extractor::weights::onnx::{ModelFile, metadata};
use gan_metrics::extractor::weights::pth::StateDict;
use gan_metrics::extractor::{
    BatchAxis, CustomModel, Device, EngineChoice, FeatureExtractor, FeatureLayer, NetworkExtractor, NetworkOptions,
    SpatialFeatures,
};
use gan_metrics::image::ResizeMode;
use ndarray::{Axis, s};

/// Both sides compute in `f32`, with sums in other orders and batch normalisation folded or not.
const SINGLE_PRECISION: f64 = 1e-4;

/// What the features of the literature must keep to on ONNX Runtime, for an FID to keep to 1e-4.
const ONNX_RUNTIME: f64 = 1e-5;

const SEED: u64 = 0;

static STATE: LazyLock<StateDict> = LazyLock::new(|| inception_v3::seeded_state_dict(SEED));

#[test]
fn the_generated_checkpoint_is_the_same_in_python() {
    let values = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let digest = sha256_hex(STATE.iter().flat_map(|(name, tensor)| [name.as_bytes().to_vec(), values(tensor.data())]));
    let expected = include_str!("../fixtures/weights/seeded_inception.sha256");
    assert_eq!(digest, expected.trim());
    assert_ne!(inception_v3::seeded_state_dict(SEED + 1).get("fc.bias"), STATE.get("fc.bias"));
}

#[test]
fn every_output_agrees_with_pytorch() {
    let images = batch(&[0, 1], INPUT.size, INPUT.mean[0], INPUT.std[0]);
    for batch_norm in [BatchNormForm::Folded, BatchNormForm::Separate] {
        let model = inception_v3::build_with(&STATE, batch_norm).unwrap();
        let outputs = run(&model, images.clone());
        let names = ModelFile::from_bytes(&model).unwrap().outputs;
        assert_eq!(names.len(), outputs.len());
        for (output, found) in names.iter().zip(&outputs) {
            let expected = truth("seeded_inception.npz", &output.name);
            let error = relative_error(found.view(), expected.view());
            println!("{batch_norm:?} {}: {error:.1e}", output.name);
            assert!(error < SINGLE_PRECISION, "{batch_norm:?} {}: {error:e}", output.name);
            // The two images are told apart by far more than the tolerance.
            assert!(relative_error(found.slice(s![..1, ..]), found.slice(s![1.., ..])) > 0.05, "{}", output.name);
        }
    }
}

#[test]
fn onnx_runtime_agrees_with_pytorch_at_every_layer() {
    if !has_onnx_runtime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seeded.onnx");
    std::fs::write(&path, inception_v3::build(&STATE).unwrap()).unwrap();
    let images = batch(&[0, 1], INPUT.size, INPUT.mean[0], INPUT.std[0]);
    for layer in FeatureLayer::ALL {
        let custom = CustomModel { path: path.clone(), layer: Some(layer), ..CustomModel::default() };
        let options = NetworkOptions::default()
            .with_engine(EngineChoice::OnnxRuntime)
            .with_device(Device::Cpu)
            .with_batch_size(Some(2))
            .with_spatial(SpatialFeatures::Wanted);
        let mut network = NetworkExtractor::new(&custom.load(ResizeMode::Tf1).unwrap(), &options).unwrap();
        let found = network.extract(images.view()).unwrap();
        let outputs = [
            (layer.output(), found.features.into_inner()),
            ("logits_unbiased", found.logits.unwrap().into_inner()),
            ("sfid", found.spatial.unwrap().into_inner()),
        ];
        for (output, found) in outputs {
            let error = relative_error(found.view(), truth("seeded_inception.npz", output).view());
            println!("{output}: {error:.1e}");
            assert!(error < ONNX_RUNTIME, "{output}: {error:e}");
        }
    }
}

#[test]
fn an_image_has_the_same_features_to_the_bit_alone_and_in_company() {
    if !has_onnx_runtime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seeded.onnx");
    std::fs::write(&path, inception_v3::build(&STATE).unwrap()).unwrap();
    let model = CustomModel { path, ..CustomModel::default() }.load(ResizeMode::Tf1).unwrap();
    assert_eq!(model.batch_axis, BatchAxis::Invariant);
    let options = NetworkOptions::default()
        .with_engine(EngineChoice::OnnxRuntime)
        .with_device(Device::Cpu)
        .with_batch_size(Some(3))
        .with_spatial(SpatialFeatures::Wanted);
    let mut network = NetworkExtractor::new(&model, &options).unwrap();
    let images = batch(&[0, 1, 2], INPUT.size, INPUT.mean[0], INPUT.std[0]);
    let mut bits = |range: std::ops::Range<usize>| {
        let found = network.extract(images.slice(s![range, .., .., ..])).unwrap();
        let parts =
            [found.features.view(), found.logits.as_ref().unwrap().view(), found.spatial.as_ref().unwrap().view()];
        ndarray::concatenate(Axis(1), &parts).unwrap().mapv(f32::to_bits)
    };
    let whole = bits(0..3);
    for range in [0..1, 1..2, 2..3, 0..2, 1..3] {
        assert!(bits(range.clone()) == whole.slice(s![range.clone(), ..]), "images {range:?}");
    }
}

#[test]
fn the_model_says_what_it_is() {
    let file = ModelFile::from_bytes(&inception_v3::build(&STATE).unwrap()).unwrap();
    let shown: Vec<_> = file.inputs.iter().chain(&file.outputs).map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "images: float32 [N, 3, 299, 299]",
            "features_64: float32 [N, 64]",
            "features_192: float32 [N, 192]",
            "features_768: float32 [N, 768]",
            "pool3: float32 [N, 2048]",
            "logits_unbiased: float32 [N, 1008]",
            "logits: float32 [N, 1008]",
            "sfid: float32 [N, 2023]",
        ]
    );
    assert_eq!(file.metadata[metadata::SOURCE], "seeded:0");
    assert_eq!(file.metadata[metadata::INPUT_SIZE], "299");
}
