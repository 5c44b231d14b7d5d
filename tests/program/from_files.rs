//! Scores from feature files, and the commands of one score each. No network is needed for any of them.

use std::fs;
use std::path::{Path, PathBuf};

use gan_metrics::score::Metric;
use gan_metrics::stats::{FeatureFile, Features, Logits};
use ndarray::Array2;
use serde_json::Value;

use crate::support::{fails, json, noise, program, provenance, succeeds, text};

/// Reproducible numbers around `shift`.
fn matrix(rows: usize, columns: usize, seed: u32, shift: f32) -> Array2<f32> {
    let mut noise = noise(seed);
    Array2::from_shape_simple_fn((rows, columns), || (noise() >> 16) as f32 / 65_536.0 + shift)
}

/// A feature file with everything in it, of images in two classes.
pub fn features(folder: &Path, name: &str, rows: usize, seed: u32, shift: f32) -> PathBuf {
    let class = |row: usize| format!("{}/{row}.png", if row.is_multiple_of(3) { "cat" } else { "dog" });
    let file = FeatureFile {
        features: Features::new(matrix(rows, 6, seed, shift)).unwrap(),
        logits: Some(Logits::new(matrix(rows, 4, seed + 100, 0.0) * 8.0).unwrap()),
        spatial: Some(Features::new(matrix(rows, 5, seed + 200, shift)).unwrap()),
        names: Some((0..rows).map(class).collect()),
        labels: None,
        provenance: Some(provenance("tf1", rows as u64)),
    };
    let path = folder.join(name);
    file.write(&path).unwrap();
    path
}

fn run(command: &str, paths: &[&Path], flags: &[&str]) -> std::process::Output {
    program().arg(command).args(paths).args(flags).output().unwrap()
}

fn metrics_of(command: &str, paths: &[&Path], flags: &[&str]) -> Value {
    let flags: Vec<&str> = flags.iter().copied().chain(["--json", "--quiet"]).collect();
    json(run(command, paths, &flags))["metrics"].clone()
}

#[test]
fn copies_are_warned_of_once_by_all_scores_of_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = matrix(60, 6, 1, 0.0);
    // Two images that are the same, and four others.
    for (copy, of) in [(1, 0), (11, 10), (12, 10), (13, 10)] {
        let row = rows.row(of).to_owned();
        rows.row_mut(copy).assign(&row);
    }
    let real = folder.path().join("real.npz");
    let file = FeatureFile {
        features: Features::new(rows).unwrap(),
        logits: None,
        spatial: None,
        names: None,
        labels: None,
        provenance: Some(provenance("tf1", 60)),
    };
    file.write(&real).unwrap();
    let fake = features(folder.path(), "fake.npz", 60, 2, 0.0);
    let copies = |metrics: &str| -> Vec<String> {
        let report = json(run("score", &[&real, &fake], &["--metrics", metrics, "--json", "-q"]));
        let warnings = report["warnings"].as_array().unwrap().iter().filter(|warning| warning["code"] == "copies");
        warnings
            .map(|warning| warning["message"].as_str().unwrap().split(' ').take(4).collect::<Vec<_>>().join(" "))
            .collect()
    };
    // A ball reaches to the nearest neighbour, or to the third.
    assert_eq!(copies("authpct"), ["6 of 60 images"]);
    assert_eq!(copies("realism"), ["4 of 60 images"]);
    assert_eq!(copies("prdc"), ["4 of 60 images"]);
    assert_eq!(copies("authpct,prdc,realism"), ["6 of 60 images"]);
}

#[test]
fn every_score_comes_from_two_feature_files() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 60, 1, 0.0);
    let fake = features(folder.path(), "fake.safetensors", 80, 2, 0.1);
    let flags = ["--metrics", "all", "--kid-subset-size", "20", "--json"];
    let report = json(run("score", &[&real, &fake], &flags));
    let metrics = report["metrics"].as_object().unwrap();
    let names: Vec<&str> = metrics.keys().map(String::as_str).collect();
    let all = Metric::all().map(|metric| metric.about()).filter(|about| !about.only_by_name);
    assert_eq!(names, all.map(|about| about.key).collect::<Vec<_>>());
    assert_eq!((&metrics["fid"]["dim"], &metrics["sfid"]["dim"]), (&6.into(), &5.into()));
    assert!(report["extractor"].is_null());
    assert_eq!((&report["preset"], &report["sets"][0]["kind"]), (&"torch-fidelity".into(), &"features".into()));
    let codes: Vec<_> = report["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert_eq!(codes, ["few-images", "few-images", "unequal-numbers"]);
    // The text names what the JSON has.
    let words = succeeds(run("score", &[&real, &fake], &["--metrics", "all", "--kid-subset-size", "20", "--quiet"]));
    for name in ["FID", "sFID", "Inception Score", "KID", "recall", "MIND", "MiFID", "MMD", "Vendi", "FID∞", "IS∞"]
    {
        assert!(words.contains(&format!("\n{name}")) || words.starts_with(name), "{name} is not in:\n{words}");
    }
}

#[test]
fn a_command_of_one_score_is_score_with_that_metric() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 60, 1, 0.0);
    let fake = features(folder.path(), "fake.npz", 80, 2, 0.1);
    let pair: [&Path; 2] = [&real, &fake];
    let all = metrics_of("score", &pair, &["--metrics", "all", "--kid-subset-size", "20"]);
    for (command, metric, flags) in [
        ("fid", "fid", &[][..]),
        ("kid", "kid", &["--subset-size", "20"]),
        ("prdc", "prdc", &[]),
        ("mind", "mind", &[]),
        ("mmd", "mmd", &[]),
        ("mifid", "mifid", &[]),
        ("fid-infinity", "fid_infinity", &[]),
        ("duplicates", "duplicates", &[]),
    ] {
        assert_eq!(metrics_of(command, &pair, flags)[metric], all[metric], "{command}");
    }
    for (command, metric) in [("is", "inception_score"), ("vendi", "vendi")] {
        assert_eq!(metrics_of(command, &[&fake], &[])[metric], all[metric], "{command}");
    }
}

#[test]
fn flags_change_the_definition_and_the_report_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 60, 1, 0.0);
    let fake = features(folder.path(), "fake.npz", 80, 2, 0.1);
    let pair: [&Path; 2] = [&real, &fake];
    let flags = ["--subsets", "7", "--subset-size", "30", "--kernel", "rbf", "--sigma", "2", "--seed", "5"];
    let kid = &metrics_of("kid", &pair, &flags)["kid"]["definition"];
    assert_eq!((&kid["subsets"], &kid["subset_size"], &kid["seed"]), (&7.into(), &30.into(), &5.into()));
    assert_eq!(kid["kernel"], serde_json::json!({"name": "gaussian", "sigma": 2.0}));
    let prdc = &metrics_of("prdc", &pair, &["--k", "4"])["prdc"]["definition"];
    assert_eq!(prdc["precision_recall"], serde_json::json!({"neighbours": 4, "boundary": "closed"}));
    let mind = &metrics_of("mind", &pair, &["--source", "numpy", "--directions", "50"])["mind"]["definition"];
    assert_eq!(mind, &serde_json::json!({"source": "seeded", "count": 50, "seed": 2020}));
    let score =
        &metrics_of("is", &[&fake], &["--order", "as-given", "--splits", "3", "--ddof", "1"])["inception_score"];
    assert_eq!((&score["splits"], &score["shuffle_seed"], &score["ddof"]), (&3.into(), &Value::Null, &1.into()));
    // A bound decides the exit code of every distance.
    assert_eq!(run("mmd", &pair, &["--fail-above", "-1"]).status.code(), Some(1));
    assert_eq!(run("mmd", &pair, &["--fail-above", "1e9"]).status.code(), Some(0));
}

#[test]
fn bounds_by_name_decide_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 60, 1, 0.0);
    let fake = features(folder.path(), "fake.npz", 80, 2, 0.1);
    let pair: [&Path; 2] = [&real, &fake];
    let score =
        |flags: &[&str]| run("score", &pair, &[&["--metrics", "fid,prdc", "--json", "--quiet"], flags].concat());
    let met = score(&["--fail-above", "fid=1e9", "--fail-below", "precision=0,density=0"]);
    assert_eq!(met.status.code(), Some(0));
    let missed = score(&["--fail-above", "fid=1e9,recall=-0.5"]);
    assert_eq!(missed.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&missed.stdout).unwrap();
    let recall = &report["metrics"]["prdc"]["recall"];
    let expected = serde_json::json!(
        {"score": "recall", "side": "at-most", "limit": -0.5, "value": recall, "met": false});
    assert_eq!((&report["bounds"][0]["met"], &report["bounds"][1]), (&true.into(), &expected));

    for (bound, complaint) in [
        ("kid=1", "there is a bound on kid, which is not among the scores to compute"),
        ("fd=1", "no score is called `fd`; there are fid, sfid"),
        ("fid", "expected NAME=VALUE, such as fid=12"),
        ("fid=nan", "expected a finite number"),
    ] {
        let refused = score(&["--fail-above", bound]);
        assert_eq!(refused.status.code(), Some(2), "{bound}");
        assert!(text(&refused.stderr).contains(complaint), "{}", text(&refused.stderr));
    }
    assert_eq!(run("prdc", &pair, &["--fail-below", "coverage=2"]).status.code(), Some(1));
    assert_eq!(run("vendi", &[&fake], &["--fail-below", "1"]).status.code(), Some(0));
}

#[test]
fn near_duplicates_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 60, 1, 0.0);
    // The same features, and twenty more.
    let fake = features(folder.path(), "fake.npz", 80, 1, 0.0);
    let words = succeeds(run("duplicates", &[&real, &fake], &["--quiet"]));
    assert!(words.contains("60 generated images look like a real one"), "{words}");
    assert!(words.contains("dog/1.png and dog/1.png"), "{words}");
    let found = &metrics_of("duplicates", &[&real, &fake], &["--limit", "3"])["duplicates"]["between"];
    assert_eq!(
        found["names"],
        serde_json::json!([["cat/0.png", "cat/0.png"], ["dog/1.png", "dog/1.png"], ["dog/2.png", "dog/2.png"]])
    );
}

#[test]
fn presets_have_the_definitions_of_their_tool() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 60, 1, 0.0);
    let fake = features(folder.path(), "fake.npz", 81, 2, 0.1);
    let of = |preset: &str, has_kid: bool| {
        let kid: &[&str] = if has_kid { &["--kid-subset-size", "20"] } else { &[] };
        json(run("score", &[&real, &fake], &[&["--preset", preset, "--json", "--quiet"], kid].concat()))
    };
    let adm = of("adm", false);
    assert_eq!(adm["preset"], "adm");
    assert!(adm["metrics"]["sfid"]["value"].is_number() && adm["metrics"].get("kid").is_none());
    let score = &adm["metrics"]["inception_score"];
    assert_eq!(
        (&score["splits"], &score["split_rule"], &score["shuffle_seed"]),
        (&1.into(), &"of-size".into(), &Value::Null)
    );

    let dgm = of("dgm-eval", true);
    let prdc = &dgm["metrics"]["prdc"]["definition"];
    assert_eq!(prdc["subset"], serde_json::json!({"most": 10_000, "seed": 13579}));
    assert_eq!(prdc["precision_recall"], serde_json::json!({"neighbours": 5, "boundary": "open"}));
    assert_eq!(dgm["metrics"]["kid"]["definition"]["draws_first"], "real");
    assert_eq!(dgm["metrics"]["inception_score"]["split_rule"], "equal");
    assert!(["fid_infinity", "vendi", "authpct"].iter().all(|name| dgm["metrics"][name]["value"].is_number()), "{dgm}");
    assert_ne!(dgm["metrics"]["kid"]["mean"], of("clean-fid", true)["metrics"]["kid"]["mean"]);
    assert_eq!(of("pytorch-fid", false)["metrics"].as_object().unwrap().len(), 1);
}

#[test]
fn intervals_hold_the_score_and_grow_with_the_level() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 90, 1, 0.0);
    let fake = features(folder.path(), "fake.npz", 80, 2, 0.1);
    let of = |level: &str| {
        let metrics = "fid,is,kid,prdc,mind,mifid,mmd,vendi,sfid";
        let flags = ["--metrics", metrics, "--kid-subset-size", "20", "--ci", level];
        metrics_of("score", &[&real, &fake], &flags)
    };
    let (wide, narrow) = (of("99"), of("50%"));
    let number = |value: &Value| value.as_f64().unwrap();
    let intervals = wide["intervals"]["scores"].as_object().unwrap();
    let names: Vec<&str> = intervals.keys().map(String::as_str).collect();
    let expected = [
        "coverage",
        "density",
        "f_score",
        "fid",
        "inception_score",
        "kid",
        "mifid",
        "mind",
        "mmd",
        "precision",
        "recall",
        "vendi",
    ];
    assert!(expected.iter().all(|name| names.contains(name)) && names.len() == expected.len(), "{names:?}");
    for (name, interval) in intervals {
        let (low, value, high) = (number(&interval["lower"]), number(&interval["value"]), number(&interval["upper"]));
        assert!(low <= value && value <= high, "{name}: {low} {value} {high}");
        let other = &narrow["intervals"]["scores"][name];
        assert!(high - low >= number(&other["upper"]) - number(&other["lower"]), "{name}");
    }
    // Each is of the score that stands beside it, unless it says of what else.
    assert_eq!(intervals["fid"]["value"], wide["fid"]["value"]);
    assert_eq!(intervals["recall"]["value"], wide["prdc"]["recall"]);
    assert_eq!(intervals["vendi"]["value"], wide["vendi"]["value"]);
    assert_eq!(intervals["kid"]["of"], "unbiased MMD² over all pairs");
    // The Fréchet distance of few images is biased upwards.
    assert!(number(&intervals["fid"]["bias"]) > 0.0);
    fails(run("fid", &[&real, &fake], &["--ci", "100"]), 2, &["percentage between 0 and 100"]);
    let small = features(folder.path(), "small.npz", 30, 3, 0.0);
    fails(run("fid", &[&real, &small], &["--ci", "95"]), 2, &["fake set has 30 images", "at least 40"]);
}

#[test]
fn classes_are_the_folders_of_the_images() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 60, 1, 0.0);
    let fake = features(folder.path(), "fake.npz", 80, 2, 0.1);
    let metrics = metrics_of("score", &[&real, &fake], &["--metrics", "fid", "--per-class"]);
    let classes = metrics["per_class_fid"].as_array().unwrap();
    for also in [&["--metrics", "all", "--per-class"][..], &["--metrics", "all,per-class"]] {
        let options = [also, &["--kid-subset-size", "2"]].concat();
        assert_eq!(
            metrics_of("score", &[&real, &fake], &options)["per_class_fid"],
            metrics["per_class_fid"],
            "{also:?}"
        );
    }
    let seen: Vec<_> = classes.iter().map(|class| (&class["label"], &class["real_images"])).collect();
    assert_eq!(seen, [(&"cat".into(), &20.into()), (&"dog".into(), &40.into())]);
    assert!(classes.iter().all(|class| class["fid"].as_f64().unwrap() > 0.0));
    let bare = folder.path().join("bare.npy");
    ndarray_npy::write_npy(&bare, &matrix(9, 6, 1, 0.0)).unwrap();
    fails(run("score", &[&real, &bare], &["--metrics", "per-class"]), 2, &["per-class FID", "a folder of its own"]);
}

#[test]
fn what_a_file_lacks_is_said_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 60, 1, 0.0);
    let bare = folder.path().join("bare.npy");
    ndarray_npy::write_npy(&bare, &matrix(50, 6, 7, 0.0)).unwrap();
    fails(run("is", &[&bare], &[]), 2, &["Inception Score needs class scores of the fake set", "--logits-output"]);
    fails(run("score", &[&real, &bare], &["--metrics", "sfid"]), 2, &["sFID needs spatial features of the fake set"]);

    let statistics = folder.path().join("s.npz");
    let written = succeeds(run("stats", &[&real], &["-o", statistics.to_str().unwrap()]));
    assert!(written.contains("60 images, 6 dimensions"), "{written}");
    fails(
        run("kid", &[&statistics, &bare], &[]),
        2,
        &["KID needs the features", "real set", "statistics hold only their mean"],
    );
    // The Fréchet distance is content with statistics.
    let direct = metrics_of("fid", &[&real, &bare], &[]);
    assert_eq!(metrics_of("fid", &[&statistics, &bare], &[])["fid"]["mean_term"], direct["fid"]["mean_term"]);
    let report = json(run("fid-infinity", &[&statistics, &bare], &["--json"]));
    assert!(report["metrics"]["fid_infinity"]["value"].is_number());
    let codes: Vec<_> = report["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert_eq!(codes, ["unknown-provenance"]);
    // Of everything, what cannot be had is left out, and said.
    let all = json(run("score", &[&statistics, &bare], &["--metrics", "all", "--json", "--quiet"]));
    assert!(all["metrics"]["fid"].is_object() && all["metrics"].get("kid").is_none());
    let warnings = all["warnings"].as_array().unwrap();
    let left_out = warnings.iter().filter(|warning| warning["code"] == "left-out").count();
    let scores = Metric::all().len();
    assert_eq!(left_out, scores - 1 - 3, "all but FID, FID∞ and the Vendi score; those of classes are not part of it");
}

#[test]
fn unlike_and_damaged_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let real = features(folder.path(), "real.npz", 20, 1, 0.0);
    let wider = folder.path().join("wider.npy");
    ndarray_npy::write_npy(&wider, &matrix(20, 7, 1, 0.0)).unwrap();
    fails(run("mind", &[&real, &wider], &[]), 2, &["6 dimensions", "of 7", "same extractor and layer"]);
    let mut file = FeatureFile::read(&real).unwrap();
    file.provenance = Some(provenance("clean", 20));
    let other = folder.path().join("clean.npz");
    file.write(&other).unwrap();
    let words = text(&run("mind", &[&real, &other], &[]).stdout);
    assert!(words.contains("resize mode tf1 against clean") && words.contains("same statistics"), "{words}");
    let mut poisoned = matrix(3, 2, 1, 0.0);
    poisoned[(1, 1)] = f32::INFINITY;
    let bad = folder.path().join("bad.npy");
    ndarray_npy::write_npy(&bad, &poisoned).unwrap();
    fails(run("vendi", &[&bad], &[]), 2, &["bad.npy", "row 1, column 1 holds inf"]);
    let bytes = fs::read(&real).unwrap();
    fs::write(&other, &bytes[..bytes.len() / 2]).unwrap();
    fails(run("vendi", &[&other], &[]), 2, &["clean.npz"]);
}
