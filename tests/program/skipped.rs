//! A set with a bad image in the middle: whatever comes after it keeps its name and its row.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use gan_metrics::stats::FeatureFile;
use serde_json::{Value, json};

use crate::support::{fails, json, noise, program_at, succeeds, text};

const BAD: &str = "a/1.png";
const GOOD: [&str; 3] = ["a/0.png", "b/2.png", "b/3.png"];
/// What the last good image is called in the other set.
const COPY: &str = "b/same.png";

fn write(path: &Path, seed: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut noise = noise(seed);
    let pixels: Vec<u8> = (0..8 * 8 * 3).map(|_| (noise() >> 24) as u8).collect();
    image::save_buffer(path, &pixels, 8, 8, image::ColorType::Rgb8).unwrap();
}

/// The three good images; with a fourth between them that does not decode; and another set with a copy of the last.
struct Sets {
    folder: tempfile::TempDir,
    clean: PathBuf,
    spoilt: PathBuf,
    other: PathBuf,
}

impl Sets {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [clean, spoilt, other] = ["clean", "spoilt", "other"].map(|name| folder.path().join(name));
        for (seed, name) in (1..).zip(GOOD) {
            write(&clean.join(name), seed);
            write(&spoilt.join(name), seed);
        }
        // A PNG signature with nothing behind it.
        fs::write(spoilt.join(BAD), b"\x89PNG\r\n\x1a\n").unwrap();
        for (seed, name) in [(7, "a/x.png"), (3, COPY), (8, "b/y.png")] {
            write(&other.join(name), seed);
        }
        Self { folder, clean, spoilt, other }
    }

    fn run(&self, command: &str, paths: &[&Path], flags: &[&str]) -> Output {
        let network = ["--extractor", "efficientnet-lite0", "--engine", "tract", "--on-bad-image", "skip"];
        // The bad image is the last of its batch, the first one after it begins another.
        let network = network.into_iter().chain(["--batch-size", "2"]);
        program_at(self.folder.path()).arg(command).args(paths).args(flags).args(network).output().unwrap()
    }
}

impl Sets {
    /// Of feature files, which need no network.
    fn run_on_files(&self, command: &str, paths: &[&Path]) -> Output {
        program_at(self.folder.path()).arg(command).args(paths).output().unwrap()
    }
}

fn warnings(report: &Value) -> Vec<(&str, &str)> {
    let warnings = report["warnings"].as_array().unwrap().iter();
    warnings.map(|warning| (warning["code"].as_str().unwrap(), warning["message"].as_str().unwrap())).collect()
}

#[test]
fn scores_and_names_are_those_of_the_images_that_are_left() {
    let sets = Sets::new();
    let flags = ["--metrics", "fid,duplicates,per-class,vendi", "--json"];
    let clean = json(sets.run("score", &[&sets.clean, &sets.other], &flags));
    let output = sets.run("score", &[&sets.spoilt, &sets.other], &flags);
    let stderr = text(&output.stderr);
    let report = json(output);

    let pairs = &report["metrics"]["duplicates"]["between"];
    assert_eq!(pairs["identical"], 1);
    assert_eq!(pairs["names"], json!([["b/3.png", COPY]]), "the row of one image has the name of another");
    let classes = report["metrics"]["per_class_fid"].as_array().unwrap();
    let classes: Vec<_> = classes.iter().map(|class| (&class["label"], &class["real_images"])).collect();
    assert_eq!(classes, [(&json!("a"), &json!(1)), (&json!("b"), &json!(2))]);
    assert_eq!(report["metrics"], clean["metrics"]);

    let set = &report["sets"][0];
    assert_eq!(set["images"], 3);
    let [skipped] = &set["skipped"].as_array().unwrap()[..] else { panic!("{set}") };
    assert_eq!(skipped["name"], BAD);
    assert!(skipped["reason"].as_str().unwrap().contains("spoilt/a/1.png"), "{skipped}");
    assert_eq!((&report["sets"][1]["images"], &report["sets"][1]["skipped"]), (&json!(3), &json!([])));
    assert_eq!(clean["sets"][0]["skipped"], json!([]));

    let expected = format!("1 image of {} could not be decoded and was left out", sets.spoilt.display());
    let told = |report| warnings(report).iter().filter(|(code, _)| *code == "skipped-images").count();
    assert!(warnings(&report).contains(&("skipped-images", &expected)), "{:?}", report["warnings"]);
    assert_eq!((told(&report), told(&clean)), (1, 0));
    assert!(stderr.contains("could not be decoded and was left out"), "{stderr}");

    let words = succeeds(sets.run("score", &[&sets.spoilt, &sets.other], &["--metrics", "fid", "--quiet"]));
    assert!(words.contains(&format!("skipped {BAD}: ")), "{words}");
}

#[test]
fn rows_of_a_feature_file_keep_their_names() {
    let sets = Sets::new();
    let written = |set: &Path, name: &str| {
        let path = sets.folder.path().join(name);
        succeeds(sets.run("features", &[set, Path::new("-o"), &path], &[]));
        FeatureFile::read(&path).unwrap()
    };
    let (clean, spoilt) = (written(&sets.clean, "clean.npz"), written(&sets.spoilt, "spoilt.npz"));
    assert_eq!(spoilt.names.as_deref().unwrap(), GOOD);
    assert_eq!(spoilt.features.view(), clean.features.view());
    assert_eq!(spoilt.logits.unwrap().view(), clean.logits.unwrap().view());
    assert_eq!(spoilt.provenance.unwrap().n, 3);
}

#[test]
fn what_was_skipped_stays_out_of_the_cache() {
    let sets = Sets::new();
    let flags = ["--metrics", "duplicates", "--cache", "use", "--json"];
    let run = || json(sets.run("score", &[&sets.spoilt, &sets.other], &flags));
    for expected in [["not-stored", "stored"], ["not-stored", "hit"]] {
        let report = run();
        assert_eq!([0, 1].map(|set| report["sets"][set]["cache"].as_str().unwrap()), expected);
        assert_eq!(report["sets"][0]["skipped"][0]["name"], BAD);
        assert_eq!(report["metrics"]["duplicates"]["between"]["names"], json!([["b/3.png", COPY]]));
        let codes: Vec<&str> = warnings(&report).into_iter().map(|(code, _)| code).collect();
        assert!(codes.contains(&"not-cached") && codes.contains(&"skipped-images"), "{codes:?}");
    }
}

#[test]
fn without_the_flag_nothing_is_left_out() {
    let sets = Sets::new();
    let network = ["--extractor", "efficientnet-lite0", "--engine", "tract"];
    let output = program_at(sets.folder.path()).arg("vendi").arg(&sets.spoilt).args(network).output().unwrap();
    fails(output, 2, &[BAD, "--on-bad-image skip"]);
}

/// Two names that nobody can tell apart on a screen: the good image keeps its row, and the file can be read again.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_told_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let sets = Sets::new();
    let set = sets.folder.path().join(OsStr::from_bytes(b"odd\xff"));
    let name = |bytes: &[u8]| set.join(OsStr::from_bytes(bytes));
    write(&set.join("y.png"), 1);
    write(&set.join("z.png"), 2);
    fs::copy(set.join("y.png"), name(b"x\xff.png")).unwrap();
    fs::write(name(b"x\xfe.png"), b"\x89PNG\r\n\x1a\n").unwrap();

    let file = sets.folder.path().join("f.npz");
    let written = sets.run("features", &[&set], &["-o", file.to_str().unwrap()]);
    assert!(text(&written.stderr).contains("1 image of"), "{}", text(&written.stderr));
    succeeds(written);
    let features = FeatureFile::read(&file).unwrap();
    let names = features.names.unwrap();
    assert_eq!(
        (features.features.len(), names.as_slice()),
        (3, &["x\u{fffd}.png", "y.png", "z.png"].map(String::from)[..])
    );
    succeeds(sets.run_on_files("vendi", &[&file]));
    // The report of a path that is not UTF-8 is a report.
    let report: Value = json(sets.run("duplicates", &[&set, &set], &["--json"]));
    assert_eq!(report["sets"][0]["skipped"][0]["index"], 0);
    assert!(report["sets"][0]["path"].as_str().unwrap().ends_with("odd\u{fffd}"));
}
