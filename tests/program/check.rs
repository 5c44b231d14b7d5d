//! `check`: reports and sets held against a baseline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use gan_metrics::stats::FeatureFile;
use serde_json::Value;

use crate::from_files::features;
use crate::support::{fails, json, program, provenance, succeeds, text};

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A report of the scores of two sets.
fn report(folder: &Path, file: &str, sets: [&Path; 2], flags: &[&str]) -> PathBuf {
    let path = folder.join(file);
    let sets = sets.map(name);
    succeeds(run(&[&["score", sets[0], sets[1], "--json", "-q", "-o", name(&path)], flags].concat()));
    path
}

/// Sets of which the generated one is the real one moved by so much in each of six dimensions: its FID is six times the square.
fn moved(folder: &Path, by: f32) -> [PathBuf; 2] {
    [features(folder, "real.npz", 60, 1, 0.0), features(folder, &format!("moved{by}.npz"), 60, 1, by)]
}

/// A report with the FID of such sets.
fn fid(folder: &Path, file: &str, by: f32) -> PathBuf {
    let [real, fake] = moved(folder, by);
    report(folder, file, [&real, &fake], &["--metrics", "fid"])
}

fn check(run_: &Path, baseline: &Path, flags: &[&str]) -> Output {
    run(&[&["check", name(run_), "--baseline", name(baseline)], flags].concat())
}

#[test]
fn a_regression_fails_from_its_size_on() {
    let folder = tempfile::tempdir().unwrap();
    // 6·0.5² = 1.5 and 6·0.51² = 1.5606: 4.04 % more.
    let (baseline, worse) = (fid(folder.path(), "base.json", 0.5), fid(folder.path(), "worse.json", 0.51));
    let words = succeeds(check(&baseline, &baseline, &["--tolerance", "0"]));
    assert!(words.ends_with("\npassed: within the tolerance\n"), "{words}");
    for (tolerance, code) in [("4%", 1), ("4.1%", 0), ("0.06", 1), ("0.061", 0), ("fid=4%", 1), ("fid=0.061", 0)] {
        let output = check(&worse, &baseline, &["--tolerance", tolerance]);
        assert_eq!(output.status.code(), Some(code), "{tolerance}: {}", text(&output.stderr));
    }
    let words = text(&check(&worse, &baseline, &["--tolerance", "4%"]).stdout);
    let line = words.lines().nth(1).unwrap();
    assert_eq!(
        line.split_whitespace().collect::<Vec<_>>(),
        ["fid", "1.560600", "1.500000", "+0.060600", "(+4.04", "%)", "0.060000", "(4%)", "WORSE"]
    );
    assert!(words.ends_with("\nFAILED: worse than the baseline: fid\n"), "{words}");
    // The other way round it is a gain, however large.
    let words = succeeds(check(&baseline, &worse, &["--tolerance", "1%"]));
    assert!(words.ends_with("\npassed: better than the baseline: fid\n"), "{words}");
}

#[test]
fn sets_are_scored_as_the_baseline_was() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let real = features(folder, "real.npz", 60, 1, 0.0);
    let fake = features(folder, "fake.npz", 80, 2, 0.1);
    let flags = ["--preset", "dgm-eval", "--metrics", "fid,kid,prdc", "--kid-subset-size", "20"];
    let baseline = report(folder, "base.json", [&real, &fake], &flags);
    let sets = ["check", name(&real), name(&fake), "--baseline", name(&baseline), "--tolerance", "0"];
    let found = json(run(&[&sets[..], &["--kid-subset-size", "20", "--json", "-q"]].concat()));
    let expected: Value = serde_json::from_slice(&fs::read(&baseline).unwrap()).unwrap();
    assert_eq!(found["report"]["metrics"], expected["metrics"]);
    assert_eq!((&found["report"]["preset"], &found["run"]), (&"dgm-eval".into(), &Value::Null));
    assert_eq!(found["changes"].as_array().unwrap().len(), 7);
    assert!(found["changes"].as_array().unwrap().iter().all(|change| change["change"] == 0.0));

    // With another definition there is no verdict, and what was computed is not lost.
    let other = run(&[&sets[..], &["--kid-subset-size", "30", "--json", "-q"]].concat());
    assert_eq!(other.status.code(), Some(2));
    let complaint = text(&other.stderr);
    assert!(
        complaint.contains("cannot be compared:\n  KID, subset_size: 30 in the run, 20 in the baseline\n"),
        "{complaint}"
    );
    let lost: Value = serde_json::from_slice(&other.stdout).unwrap();
    assert_eq!((&lost["command"], &lost["metrics"]["fid"]), (&"check".into(), &expected["metrics"]["fid"]));

    // A score that the sets cannot have is refused before the work.
    let bare = folder.join("bare.npz");
    FeatureFile { logits: None, ..FeatureFile::read(&fake).unwrap() }.write(&bare).unwrap();
    let with_is = report(folder, "is.json", [&real, &fake], &["--metrics", "is"]);
    let arguments = ["check", name(&real), name(&bare), "--baseline", name(&with_is), "--tolerance", "1%"];
    fails(run(&arguments), 2, &["Inception Score needs class scores"]);
}

#[test]
fn intervals_make_a_tolerance() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let real = features(folder, "real.npz", 60, 1, 0.0);
    let [fake, near, far] =
        [(2, 0.1), (3, 0.1), (4, 0.9)].map(|(seed, by)| features(folder, &format!("{seed}.npz"), 80, seed, by));
    let of = |file: &str, fake: &Path, ci: &[&str]| {
        report(folder, file, [&real, fake], &[&["--metrics", "fid"], ci].concat())
    };
    let baseline = of("base.json", &fake, &["--ci", "90"]);
    succeeds(check(&of("near.json", &near, &["--ci", "95"]), &baseline, &[]));
    let far_report = of("far.json", &far, &["--ci", "95"]);
    assert_eq!(check(&far_report, &baseline, &[]).status.code(), Some(1));
    let plain = of("plain.json", &near, &[]);
    fails(
        check(&plain, &baseline, &[]),
        2,
        &["there is no tolerance for fid", "the run has none", "--ci 95", "--tolerance"],
    );
    fails(check(&baseline, &plain, &["--tolerance", "2sigma"]), 2, &["the baseline has no interval of fid"]);
    // The check computes those that it needs, of the baseline's level, and no others.
    let sets = ["check", name(&real), name(&near), "--baseline", name(&baseline), "--json", "-q"];
    assert_eq!(json(run(&sets))["report"]["metrics"]["intervals"]["definition"]["level"], 0.9);
    let percent = json(run(&[&sets[..], &["--tolerance", "50%"]].concat()));
    assert!(percent["report"]["metrics"].get("intervals").is_none());
}

#[test]
fn a_number_that_the_run_lacks_fails_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let [real, fake] = moved(folder.path(), 0.5);
    let baseline = report(folder.path(), "base.json", [&real, &fake], &["--metrics", "fid,is"]);
    let run = fid(folder.path(), "run.json", 0.5);
    let output = check(&run, &baseline, &["--tolerance", "1%"]);
    assert_eq!(output.status.code(), Some(1));
    let words = text(&output.stdout);
    assert!(words.contains("\nis is missing; the baseline is ") && words.ends_with("FAILED: missing: is\n"), "{words}");
    succeeds(check(&baseline, &run, &["--tolerance", "1%"]));
}

#[test]
fn what_cannot_be_compared_gets_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [real, fake] = moved(folder, 0.5);
    let baseline = report(folder, "base.json", [&real, &fake], &["--metrics", "fid,prdc"]);
    let other = folder.join("other.npz");
    let file = FeatureFile::read(&features(folder, "more.npz", 70, 1, 0.5)).unwrap();
    FeatureFile { provenance: Some(provenance("clean", 70)), ..file }.write(&other).unwrap();
    let run = report(folder, "run.json", [&real, &other], &["--metrics", "fid,prdc", "--prdc-k", "4"]);
    let reasons = [
        "images of the fake set: 70 in the run, 60 in the baseline",
        "resize mode: clean in the run, tf1 in the baseline",
        ": 4 in the run, 3 in the baseline",
        "make a new baseline",
    ];
    let junit = folder.join("junit.xml");
    fails(check(&run, &baseline, &["--tolerance", "1000%", "--junit", name(&junit)]), 2, &reasons);
    assert!(!junit.exists(), "there is nothing to report");
    // What the sets themselves tell is known before the work, and then there is no report either.
    let sets = ["check", name(&real), name(&other), "--baseline", name(&baseline), "--tolerance", "1%"];
    fails(program().args(sets).output().unwrap(), 2, &reasons[..2]);
}

#[test]
fn a_baseline_that_is_none_is_called_by_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run_ = fid(folder, "run.json", 0.5);
    let whole = fs::read(&run_).unwrap();
    let baseline = folder.join("base.json");
    let refused = |content: &[u8], part: &str| {
        fs::write(&baseline, content).unwrap();
        fails(check(&run_, &baseline, &["--tolerance", "1%"]), 2, &["base.json", part]);
    };
    refused(&whole[..whole.len() / 2], "is not a JSON report: EOF while parsing");
    refused(b"", "EOF while parsing a value");
    refused(b"{\"schema\":1,\"metrics\":{\"fid\":{\"value\":NaN}}}", "expected value at line 1");
    refused(b"{\"schema\":1,\"metrics\":{\"fid\":{\"value\":1e999}}}", "number out of range");
    refused(b"{\"schema\":99,\"metrics\":{}}", "has schema 99, and this version reads up to 1");
    refused(b"{\"schema\":1,\"metrics\":{\"fid\":\"\xff\"}}", "is not UTF-8");
    refused(b"\x89PNG\r\n\x1a\n", "is not UTF-8");
    refused(&fs::read(folder.join("real.npz")).unwrap(), "is a feature file, not a JSON report");
    fails(check(&run_, folder, &["--tolerance", "1%"]), 2, &["this is a folder, not a file"]);
    fails(check(&run_, Path::new("/dev/zero"), &["--tolerance", "1%"]), 2, &["/dev/zero", "this is a device"]);
    fails(check(&run_, &folder.join("no.json"), &["--tolerance", "1%"]), 2, &["no.json"]);
    fs::write(&baseline, b"{\"schema\":1,\"metrics\":{}}").unwrap();
    fails(check(&run_, &baseline, &["--tolerance", "1%"]), 2, &["the baseline has no number to compare with"]);
    // Numbers of any size are numbers.
    fs::write(&baseline, b"{\"schema\":1,\"metrics\":{\"fid\":{\"value\":1.7e308}}}").unwrap();
    assert_eq!(check(&run_, &baseline, &["--tolerance", "1%"]).status.code(), Some(0));
    assert_eq!(check(&baseline, &run_, &["--tolerance", "1e9%"]).status.code(), Some(1));
}

#[test]
fn every_output_is_written_and_claimed_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (baseline, worse) = (fid(folder, "base.json", 0.5), fid(folder, "worse.json", 0.51));
    let [junit, log, file] = ["junit.xml", "log.jsonl", "out.json"].map(|file| folder.join(file));
    let flags =
        ["--tolerance", "1%", "--junit", name(&junit), "--append", name(&log), "--github", "--json", "-o", name(&file)];
    for runs in 1..3 {
        let output = check(&worse, &baseline, &flags);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        let commands = text(&output.stdout);
        assert!(commands.starts_with("::error title=FID%2C baseline ") && commands.lines().count() == 1, "{commands}");
        let lines = fs::read_to_string(&log).unwrap();
        assert_eq!(lines.lines().count(), runs);
    }
    let line: Value = serde_json::from_str(fs::read_to_string(&log).unwrap().lines().last().unwrap()).unwrap();
    assert_eq!(
        (&line["passed"], &line["verdicts"]["fid"], &line["images"]),
        (&false.into(), &"worse".into(), &serde_json::json!([60, 60]))
    );
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(
        xml.contains(r#"<testcase name="fid" classname="gan-metrics.fid" "#)
            && xml.contains(r#"<failure type="worse""#),
        "{xml}"
    );
    let written: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!((&written["passed"], &written["changes"][0]["verdict"]), (&false.into(), &"worse".into()));

    // Text and commands share the standard output; JSON is not to be mixed with them.
    let both = text(&check(&worse, &baseline, &["--tolerance", "1%", "--github"]).stdout);
    assert!(both.contains("\nFAILED: worse than the baseline: fid\n::error title=FID"), "{both}");
    fails(check(&worse, &baseline, &["--tolerance", "1%", "--github", "--json"]), 2, &["--github", "-o"]);

    // Every path is looked at before the baseline is.
    let nowhere = folder.join("no/x");
    let missing = folder.join("missing.json");
    for flag in ["--junit", "--append", "-o"] {
        fails(check(&worse, &missing, &[flag, name(&nowhere)]), 2, &["no does not exist; create it first"]);
        fails(check(&worse, &baseline, &["--tolerance", "1%", flag, name(&baseline)]), 2, &["it is the input"]);
    }
    fails(check(&worse, &baseline, &["--junit", name(&log), "--append", name(&log)]), 2, &["are one file"]);
    fs::write(&log, "{\"half\":").unwrap();
    fails(check(&worse, &missing, &["--append", name(&log)]), 2, &["its last line is not complete JSON"]);
    assert_eq!(fs::read_to_string(&log).unwrap(), "{\"half\":");
}
