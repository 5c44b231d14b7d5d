//! Several generated sets against the same real one.

use std::fs;
use std::path::{Path, PathBuf};

use gan_metrics::metrics::RandomState;
use ndarray::Array2;
use ndarray_npy::write_npy;
use serde_json::Value;

use crate::support::{fails, json, program, succeeds, text};

/// Normal features with this mean.
fn features(folder: &Path, name: &str, rows: usize, mean: f64, seed: u32) -> PathBuf {
    let mut random = RandomState::new(seed);
    let values = Array2::from_shape_simple_fn((rows, 4), || (random.standard_normal() + mean) as f32);
    let path = folder.join(name);
    write_npy(&path, &values).unwrap();
    path
}

/// A real set, a good generator, a bad one, and one of few images.
fn sets(folder: &Path) -> [PathBuf; 4] {
    [("real", 60, 0.0, 1), ("good", 60, 0.1, 2), ("bad", 60, 1.0, 3), ("few", 30, 0.1, 4)]
        .map(|(name, rows, mean, seed)| features(folder, &format!("{name}.npy"), rows, mean, seed))
}

fn run(command: &str, sets: &[&Path], flags: &[&str]) -> std::process::Output {
    program().arg(command).args(sets).args(flags).output().unwrap()
}

#[test]
fn several_sets_are_compared_over_the_same_real_images() {
    let folder = tempfile::tempdir().unwrap();
    let [real, good, bad, _] = &sets(folder.path());
    let flags = ["--metrics", "fid,prdc", "--json", "-q"];
    let found = json(run("score", &[real, good, bad], &flags));
    let alone = |fake: &Path| json(run("score", &[real, fake], &[&flags[..], &["--ci", "95"]].concat()));
    for (report, fake) in found["reports"].as_array().unwrap().iter().zip([good, bad]) {
        assert_eq!(report["metrics"], alone(fake)["metrics"], "each set has the scores that it has by itself");
        assert_eq!(report["sets"][1]["path"], fake.to_str().unwrap());
    }
    let pair = &found["comparisons"][0];
    assert_eq!((&pair["sets"], &pair["obstacle"]), (&serde_json::json!([0, 1]), &Value::Null));
    let fid = &pair["numbers"][0];
    assert_eq!((&fid["score"], &fid["better"]), (&"fid".into(), &"first".into()));
    // Paired: the spread of the real images cancels in part, so that the error is below that of independent runs.
    let error = |set: usize| {
        let scores = &found["reports"][set]["metrics"]["intervals"]["scores"];
        scores["fid"]["standard_error"].as_f64().unwrap()
    };
    let paired = fid["test"]["standard_error"].as_f64().unwrap();
    assert!(paired < error(0).hypot(error(1)), "{fid}");

    let words = succeeds(run("score", &[real, good, bad], &["--metrics", "fid"]));
    for part in ["FID               good.npy ", " against bad.npy ", ": good.npy is better", "95 % interval"] {
        assert!(words.contains(part), "{part} in {words}");
    }
}

#[test]
fn intervals_are_left_out_where_asked_or_not_possible() {
    let folder = tempfile::tempdir().unwrap();
    let [real, good, bad, few] = &sets(folder.path());
    let plain = json(run("fid", &[real, good, bad], &["--json", "-q", "--ci", "none"]));
    assert!(plain["reports"][0]["metrics"]["intervals"].is_null());
    let without = json(run("fid", &[real, good, few], &["--json", "-q"]));
    let untested = &without["comparisons"][0]["numbers"][0]["untested"];
    assert_eq!(untested, "the second report has no interval of it");
    assert_eq!(without["reports"][1]["warnings"][0]["code"], "no-interval");
    fails(run("fid", &[real, good, few], &["--ci", "95"]), 2, &["has 30 images", "at least 40"]);
}

#[test]
fn bounds_hold_for_each_set() {
    let folder = tempfile::tempdir().unwrap();
    let [real, good, bad, _] = &sets(folder.path());
    for (limit, code) in [("0.6", 1), ("60", 0)] {
        let output = run("fid", &[real, good, bad], &["--ci", "none", "--fail-above", limit]);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stdout));
    }
}

#[test]
fn what_was_scored_before_a_failure_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    // It can be opened, and is found to be no image when it is decoded.
    let broken = folder.path().join("broken");
    fs::create_dir(&broken).unwrap();
    for name in ["1.png", "2.png"] {
        fs::write(broken.join(name), b"\x89PNG\r\n\x1a\nno more").unwrap();
    }
    let flags = ["--extractor", "efficientnet-lite0", "--engine", "tract"];
    let wide = Array2::from_shape_fn((50, 1280), |(row, column)| ((row * 7 + column * 3) % 11) as f32);
    let measured = folder.path().join("measured.npy");
    write_npy(&measured, &wide).unwrap();
    let output = run("vendi", &[&measured, &broken], &flags);
    assert_eq!(output.status.code(), Some(2));
    let (shown, said) = (text(&output.stdout), text(&output.stderr));
    assert!(shown.contains("Vendi score"), "{shown}");
    assert!(said.contains("1.png"), "{said}");
}

#[test]
fn sets_that_make_no_sense_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [real, good, bad, _] = &sets(folder.path());
    let again = folder.path().join("../").join(folder.path().file_name().unwrap()).join("good.npy");
    fails(run("fid", &[real, good, &again], &[]), 2, &["good.npy is given twice"]);
    let picture = folder.path().join("x.svg");
    let drawn = ["--plot", picture.to_str().unwrap()];
    fails(run("score", &[real, good, bad], &drawn), 2, &["x.svg shows one generated set, and there are 2"]);
    assert!(!picture.exists());
    let missing = folder.path().join("none.npy");
    fails(run("fid", &[real, good, &missing], &[]), 2, &["none.npy` does not exist"]);
    // What it writes is not a report of one run.
    let series = folder.path().join("series.json");
    succeeds(run("fid", &[real, good, bad], &["--json", "-q", "-o", series.to_str().unwrap()]));
    fails(run("compare", &[&series, &series], &[]), 2, &["found of several sets", "`reports`"]);
}
