//! EfficientNet-lite0 from the binary, on tract, against the original in PyTorch.

use crate::support::networks::{batch, relative_error, run, truth};
use gan_metrics::extractor::weights::efficientnet_lite::{self, CLASSES, FEATURES, INPUT};
use gan_metrics::extractor::weights::onnx::{ModelFile, metadata};

/// The truth has the original's weights, the binary has them rounded to half precision. Measured: see
/// `python_ref/make_efficientnet_lite0.py`.
const ROUNDED_WEIGHTS: f64 = 1e-3;

#[test]
fn agrees_with_the_original_in_single_precision() {
    let model = efficientnet_lite::build().unwrap();
    let outputs = run(&model, batch(&[0, 1, 2], INPUT.size, INPUT.mean[0], INPUT.std[0]));
    let [features, logits] = &outputs[..] else { panic!("{} outputs", outputs.len()) };
    assert_eq!((features.dim(), logits.dim()), ((3, FEATURES), (3, CLASSES)));
    let (true_features, true_logits) =
        (truth("efficientnet_lite0.npz", "features"), truth("efficientnet_lite0.npz", "logits"));
    for (found, expected) in [(features, &true_features), (logits, &true_logits)] {
        let error = relative_error(found.view(), expected.view());
        assert!(error < ROUNDED_WEIGHTS, "{error:e}");
    }
    let best = |row: ndarray::ArrayView1<f32>| {
        row.iter().enumerate().max_by(|left, right| left.1.total_cmp(right.1)).map(|(class, _)| class)
    };
    for (found, expected) in logits.outer_iter().zip(true_logits.outer_iter()) {
        assert_eq!(best(found), best(expected));
    }
    // The images differ, and so do their features, by far more than the tolerance.
    assert!(relative_error(features.slice(ndarray::s![..1, ..]), features.slice(ndarray::s![1..2, ..])) > 0.1);
}

#[test]
fn the_model_says_what_it_is() {
    let model = efficientnet_lite::build().unwrap();
    assert_eq!(model, efficientnet_lite::build().unwrap());
    let file = ModelFile::from_bytes(&model).unwrap();
    let shown = |values: &[gan_metrics::extractor::weights::onnx::ValueInfo]| {
        values.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(shown(&file.inputs), ["images: float32 [N, 3, 224, 224]"]);
    assert_eq!(shown(&file.outputs), ["features: float32 [N, 1280]", "logits: float32 [N, 1000]"]);
    assert_eq!(file.metadata[metadata::MODEL], "efficientnet-lite0");
    assert_eq!(file.metadata[metadata::MEAN], "127,127,127");
    assert!(file.metadata[metadata::SOURCE].starts_with("sha256:"));
}
