//! The whole program, as users run it.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use assert_cmd::Command;
use gan_metrics::stats::{Gaussian, StatsFile};
use ndarray::{Array2, array};
use serde_json::Value;

use crate::support::{fails, json, noise_images as noise, program, provenance, text};

/// FIDs computed in another order of summation may differ by this much, relative.
const ORDER_TOLERANCE: f64 = 1e-9;

fn lite(arguments: &[&str]) -> Command {
    let mut command = program();
    command.args(arguments).args(["--extractor", "efficientnet-lite0", "--engine", "tract"]);
    command
}

fn warning_codes(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

fn statistics(path: &Path, mean: f64, variance: f64, resize: &str) {
    let gaussian = Gaussian::new(Some(5000), array![mean, 0.0], Array2::eye(2) * variance).unwrap();
    StatsFile { gaussian, provenance: Some(provenance(resize, 5000)), spatial: None }.write(path).unwrap();
}

#[test]
fn statistics_files_need_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.npz", "b.npz"].map(|name| folder.path().join(name));
    statistics(&a, 0.0, 4.0, "tf1");
    statistics(&b, 3.0, 9.0, "tf1");
    let report = json(program().arg("fid").arg(&a).arg(&b).arg("--json").output().unwrap());
    // ‖μ‖² = 9, and two dimensions with (3 − 2)² each.
    assert!((report["metrics"]["fid"]["value"].as_f64().unwrap() - 11.0).abs() < 1e-12);
    assert!(report["extractor"].is_null());
    assert_eq!(report["sets"][1]["kind"], "statistics");
    assert!(warning_codes(&report).is_empty());
}

#[test]
fn the_bound_decides_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.npz", "b.npz"].map(|name| folder.path().join(name));
    statistics(&a, 0.0, 1.0, "tf1");
    statistics(&b, 2.0, 1.0, "tf1");
    for (bound, code, verdict) in [("4.001", 0, "bound             met"), ("3.999", 1, "bound             NOT met")] {
        let output = program().arg("fid").arg(&a).arg(&b).args(["--fail-above", bound]).output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(text(&output.stdout).contains(verdict), "{}", text(&output.stdout));
    }
}

#[test]
fn unlike_statistics_are_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.npz", "b.npz"].map(|name| folder.path().join(name));
    statistics(&a, 0.0, 1.0, "tf1");
    statistics(&b, 2.0, 1.0, "clean");
    let output = program().arg("fid").arg(&a).arg(&b).output().unwrap();
    let words = text(&output.stdout);
    assert!(
        words.contains("warning           incomparable: ") && words.contains("resize mode tf1 against clean"),
        "{words}"
    );
    assert!(output.stderr.is_empty(), "what stands in the report is not said twice");
    let to_file = folder.path().join("report.txt");
    let output = program().arg("fid").arg(&a).arg(&b).arg("-o").arg(&to_file).output().unwrap();
    assert!(text(&output.stderr).contains("resize mode tf1 against clean"), "{}", text(&output.stderr));
    assert!(fs::read_to_string(&to_file).unwrap().contains("resize mode tf1 against clean"));
    let identical = program().arg("fid").arg(&a).arg(&a).arg("--json").output().unwrap();
    assert_eq!(warning_codes(&json(identical)), ["identical-sets"]);
    let quiet = program().arg("fid").arg(&a).arg(&b).arg("--quiet").output().unwrap();
    assert!(quiet.stderr.is_empty());
}

#[test]
fn images_score_the_same_however_they_are_batched_and_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (noise(folder.path(), "a.npy", 6, 1), noise(folder.path(), "b.npy", 5, 2));
    let [a, b] = [a, b].map(|path| path.to_str().unwrap().to_owned());
    let score = |first: &str, batch: &str| {
        let output = lite(&["fid", first, &b, "--json", "--batch-size", batch]).output().unwrap();
        json(output)
    };
    let report = score(&a, "16");
    let value = report["metrics"]["fid"]["value"].as_f64().unwrap();
    assert!(value > 0.0);
    assert_eq!(warning_codes(&report), ["few-images", "few-images", "slow-engine", "own-extractor"]);
    assert_eq!(report["sets"][0]["images"], 6);
    assert_eq!(report["metrics"]["fid"]["ranks"], serde_json::json!([5, 4]));
    assert_eq!(report["extractor"]["engine"]["name"], "tract");
    assert_eq!(report["preparation"]["resize"], "tf1");

    let batched = score(&a, "1")["metrics"]["fid"]["value"].as_f64().unwrap();
    assert!((batched - value).abs() <= ORDER_TOLERANCE * value, "{batched} against {value}");

    let stats = folder.path().join("a.npz").to_str().unwrap().to_owned();
    let written = lite(&["stats", &a, "-o", &stats]).output().unwrap();
    assert_eq!(written.status.code(), Some(0), "{}", text(&written.stderr));
    assert!(text(&written.stdout).ends_with("a.npz: 6 images, 1280 dimensions\n"));
    let stored = score(&stats, "16")["metrics"]["fid"]["value"].as_f64().unwrap();
    assert!((stored - value).abs() <= ORDER_TOLERANCE * value, "{stored} against {value}");
}

#[test]
fn inception_score_of_a_few_images() {
    let folder = tempfile::tempdir().unwrap();
    let images = noise(folder.path(), "a.npy", 6, 3).to_str().unwrap().to_owned();
    let report = json(lite(&["is", &images, "--splits", "2", "--json"]).output().unwrap());
    let score = &report["metrics"]["inception_score"];
    assert!(score["mean"].as_f64().unwrap() >= 1.0);
    assert_eq!((score["splits"].as_u64(), score["shuffle_seed"].as_u64()), (Some(2), Some(2020)));
    let too_many = lite(&["is", &images]).output().unwrap();
    fails(too_many, 2, &["6 images cannot be cut into 10 splits"]);
}

#[test]
fn one_pass_gives_every_score_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (noise(folder.path(), "a.npy", 6, 1), noise(folder.path(), "b.npy", 7, 2));
    let [a, b] = [a, b].map(|path| path.to_str().unwrap().to_owned());
    let metrics = "fid,kid,prdc,mind,vendi,duplicates";
    let report =
        json(lite(&["score", &a, &b, "--metrics", metrics, "--kid-subset-size", "4", "--json"]).output().unwrap());
    let scores = &report["metrics"];
    let value = |score: &str, field: &str| scores[score][field].as_f64().unwrap_or_else(|| panic!("{score}.{field}"));
    assert!(value("fid", "value") > 0.0 && value("mind", "value") > 0.0);
    assert!((0.0..=1.0).contains(&value("prdc", "precision")) && (0.0..=1.0).contains(&value("prdc", "coverage")));
    assert!((1.0..=7.0).contains(&value("vendi", "value")), "the effective number of seven images");
    assert_eq!(scores["kid"]["definition"]["subset_size"], 4);
    assert_eq!(scores["duplicates"]["within_fake"]["identical"], 0);
    assert!(scores.get("inception_score").is_none(), "only what was asked for");
    // The usual subset of 1000 images is not silently made smaller.
    fails(lite(&["score", &a, &b, "--metrics", "kid"]).output().unwrap(), 2, &["images", "1000", "smaller subset"]);
    let words =
        text(&lite(&["score", &a, &b, "--metrics", "prdc,mind", "--preset", "clean-fid"]).output().unwrap().stdout);
    assert!(
        words.contains("precision") && words.contains("MIND") && words.contains("resize            clean"),
        "{words}"
    );
}

#[test]
fn a_bad_image_is_named_or_skipped_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("images");
    fs::create_dir(&archive).unwrap();
    // A PNG signature with nothing behind it.
    fs::write(archive.join("broken.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let images = archive.to_str().unwrap().to_owned();
    fails(lite(&["vendi", &images]).output().unwrap(), 2, &["broken.png", "--on-bad-image skip"]);
    fails(lite(&["vendi", &images, "--on-bad-image", "skip"]).output().unwrap(), 2, &["none of the 1 images"]);
}

#[test]
fn without_weights_the_ways_to_go_on_are_shown_one_of_them_ready_to_paste() {
    let folder = tempfile::tempdir().unwrap();
    let images = noise(folder.path(), "a.npy", 2, 4);
    let output = program().arg("vendi").arg(&images).output().unwrap();
    let own = format!("vendi {} --extractor efficientnet-lite0\n", images.display());
    fails(output, 3, &["not installed", "model install inception-v3", "--from FILE", &own]);
    // A command that takes no network has no such way.
    let output = program().args(["model", "path", "inception-v3"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("--extractor"));
}

#[test]
fn what_is_asked_for_and_missing_is_an_error_not_a_fallback() {
    let folder = tempfile::tempdir().unwrap();
    let images = noise(folder.path(), "a.npy", 2, 5).to_str().unwrap().to_owned();
    let with = |arguments: &[&str]| {
        let mut command = program();
        command.args(["vendi", &images, "--extractor", "efficientnet-lite0"]).args(arguments).output().unwrap()
    };
    let nowhere = folder.path().to_str().unwrap();
    fails(
        with(&["--engine", "onnxruntime", "--ort-library", nowhere]),
        4,
        &["no ONNX Runtime", nowhere, "pip install onnxruntime", "--engine tract"],
    );
    fails(with(&["--ort-library", nowhere]), 4, &["no ONNX Runtime"]);
    fails(with(&["--engine", "tract", "--device", "cuda"]), 4, &["tract cannot run on cuda:0"]);
    fails(with(&["--device", "gpu"]), 2, &["`gpu` names no device"]);
    fails(with(&["--resize", "bilinear"]), 2, &["bilinear", "tf1"]);
}

#[test]
fn paths_that_are_not_there_are_named() {
    fails(lite(&["is", "/no/such/folder"]).output().unwrap(), 2, &["/no/such/folder"]);
    let folder = tempfile::tempdir().unwrap();
    fails(lite(&["is", folder.path().to_str().unwrap()]).output().unwrap(), 2, &["no image"]);
}

#[test]
fn a_model_of_ones_own_must_be_described() {
    let folder = tempfile::tempdir().unwrap();
    let images = noise(folder.path(), "a.npy", 4, 6).to_str().unwrap().to_owned();
    let model = folder.path().join("own.onnx");
    let id = gan_metrics::extractor::ExtractorId::EfficientNetLite0;
    let lite = gan_metrics::extractor::load(id, gan_metrics::image::ResizeMode::Tf1, None).unwrap();
    fs::write(&model, &lite.onnx).unwrap();
    let model = model.to_str().unwrap();
    let with = |arguments: &[&str]| {
        let mut command = program();
        command.args(["is", &images, "--model", model, "--engine", "tract", "--splits", "1", "--json"]);
        command.args(arguments).output().unwrap()
    };
    // Graphs of this program carry their description in their metadata.
    let report = json(with(&[]));
    assert_eq!(report["extractor"]["name"], "own.onnx");
    fails(with(&["--features-output", "nothing"]), 2, &["no output `nothing`", "`features`, `logits`"]);
    fs::write(folder.path().join("own.onnx"), b"no graph").unwrap();
    fails(with(&[]), 3, &["own.onnx"]);
}

#[test]
fn a_report_goes_to_a_file_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let a = folder.path().join("a.npz");
    statistics(&a, 0.0, 1.0, "tf1");
    let target = folder.path().join("report.json");
    let output = program().arg("fid").arg(&a).arg(&a).arg("--json").arg("-o").arg(&target).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let report: Value = serde_json::from_slice(&fs::read(&target).unwrap()).unwrap();
    assert_eq!(report["schema"], 1);
    let nowhere = folder.path().join("no/report.json");
    let output = program().arg("fid").arg(&a).arg(&a).arg("-o").arg(&nowhere).output().unwrap();
    fails(output, 2, &["cannot write to", "no/report.json"]);
}

#[test]
fn help_completions_and_manual_are_there() {
    let help = text(&program().arg("--help").output().unwrap().stdout);
    assert!(help.contains("Exit codes:") && help.contains("FID: Fréchet distance between two sets"), "{help}");
    let completions = text(&program().args(["completions", "bash"]).output().unwrap().stdout);
    assert!(completions.contains("complete -F") && completions.contains("--on-bad-image"));
    let manual = text(&program().arg("man").output().unwrap().stdout);
    assert!(manual.contains(".TH"));
    let doctor = text(&program().arg("doctor").output().unwrap().stdout);
    assert!(doctor.contains("efficientnet-lite0") && doctor.contains("inception-v3"), "{doctor}");
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("gan-metrics"))
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}
