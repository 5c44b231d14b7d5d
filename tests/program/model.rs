//! `gan-metrics model …`, and scores from an Inception-v3 that was converted from a generated checkpoint.

use std::fs;

use gan_metrics::extractor::weights::inception_v3;
use ndarray::Array4;

use crate::support::{checkpoint_bytes, fails, json, program_at, succeeds};

#[test]
fn nothing_is_installed_and_the_commands_say_so() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| program_at(home.path()).arg("model").args(arguments).output().unwrap();
    let list = succeeds(run(&["list"]));
    assert!(list.contains("inception-v3        not installed: gan-metrics model install inception-v3"), "{list}");
    assert!(list.contains("efficientnet-lite0  built in"), "{list}");
    fails(run(&["path", "inception-v3"]), 3, &["not installed", "--from FILE"]);
    fails(run(&["info", "inception-v4"]), 2, &["inception-v4"]);
    assert_eq!(succeeds(run(&["remove", "inception-v3"])), "inception-v3 has no files to remove\n");
    assert!(succeeds(run(&["info", "efficientnet-lite0"])).contains("features: float32 [N, 1280]"));
}

#[test]
fn a_file_that_is_not_the_published_one_is_not_installed() {
    let home = tempfile::tempdir().unwrap();
    let wrong = home.path().join("wrong.pth");
    fs::write(&wrong, b"<html>not found</html>").unwrap();
    let install = |from: &str| {
        program_at(home.path()).args(["model", "install", "inception-v3", "--from", from]).output().unwrap()
    };
    fails(install(wrong.to_str().unwrap()), 3, &["wrong.pth has 22 bytes where the published file has 95628359"]);
    fails(install("/no/such/file"), 2, &["/no/such/file"]);
    // Port 9 of the loopback discards what it gets, where it listens at all.
    fails(install("http://127.0.0.1:9/weights.pth"), 4, &["the download failed", "http://127.0.0.1:9", "--from FILE"]);
    assert!(!home.path().join("models/inception-v3.onnx").exists());
}

#[test]
fn a_converted_checkpoint_scores_by_any_layer() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (checkpoint, onnx, images) = (path("seeded.pth"), path("seeded.onnx"), path("images.npy"));
    fs::write(&checkpoint, checkpoint_bytes(&inception_v3::seeded_state_dict(0))).unwrap();
    let converted = program_at(home.path()).args(["model", "convert", &checkpoint, "-o", &onnx]).output().unwrap();
    assert!(succeeds(converted).contains("inception-v3 with the weights sha256:"));
    let info = succeeds(program_at(home.path()).args(["model", "info", &onnx]).output().unwrap());
    assert!(info.contains("pool3: float32 [N, 2048]") && info.contains("source: sha256:"), "{info}");

    let pixels = |(image, row, column, channel): (usize, usize, usize, usize)| {
        ((image * 97 + row * (image + 3) * 7 + column * 11 + channel * 31) % 256) as u8
    };
    ndarray_npy::write_npy(&images, &Array4::from_shape_fn((3, 8, 8, 3), pixels)).unwrap();
    let fid = |arguments: &[&str]| {
        let mut command = program_at(home.path());
        command.args(["fid", &images, &images, "--model", &onnx, "--engine", "tract", "--json"]).args(arguments);
        command.output().unwrap()
    };
    let report = json(fid(&["--layer", "64", "--resize", "torch"]));
    assert_eq!(report["extractor"]["features_output"], "features_64");
    assert_eq!(report["extractor"]["logits_output"], "logits_unbiased");
    // pytorch-fid's own normalisation comes with its resize.
    assert_eq!(report["preparation"]["mean"], serde_json::json!([127.5, 127.5, 127.5]));
    assert_eq!(report["metrics"]["fid"]["dim"], 64);
    assert!(report["metrics"]["fid"]["value"].as_f64().unwrap().abs() < 1e-6);
    fails(fid(&["--layer", "65"]), 2, &["`65` is not a layer of inception-v3: use 64, 192, 768 or 2048"]);

    let lite = ["fid", &images, &images, "--extractor", "efficientnet-lite0", "--layer", "64"];
    fails(
        program_at(home.path()).args(lite).output().unwrap(),
        2,
        &["efficientnet-lite0 has one kind of features only"],
    );
}
