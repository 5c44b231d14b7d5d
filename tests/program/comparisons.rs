//! Two runs side by side: which numbers differ, and why.

use std::fs;
use std::path::{Path, PathBuf};

use gan_metrics::metrics::RandomState;
use gan_metrics::stats::{FeatureFile, Features};
use ndarray::Array2;
use serde_json::Value;

use crate::support::{fails, json, noise, noise_images, program, provenance, succeeds, text};

/// Writes a feature file of normal features with this mean.
fn features(folder: &Path, name: &str, rows: usize, mean: f64, seed: u32) -> PathBuf {
    let mut random = RandomState::new(seed);
    let values = Array2::from_shape_simple_fn((rows, 4), || (random.standard_normal() + mean) as f32);
    let file = FeatureFile {
        features: Features::new(values).unwrap(),
        logits: None,
        spatial: None,
        names: None,
        labels: None,
        provenance: Some(provenance("tf1", rows as u64)),
    };
    let path = folder.join(name);
    file.write(&path).unwrap();
    path
}

/// Writes the report of a run.
fn report(folder: &Path, name: &str, command: &str, sets: &[&Path], flags: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let output =
        program().arg(command).args(sets).args(flags).args(["--json", "-q", "-o"]).arg(&path).output().unwrap();
    succeeds(output);
    path
}

fn run(command: &str, first: &Path, second: &Path, flags: &[&str]) -> std::process::Output {
    program().arg(command).args([first, second]).args(flags).output().unwrap()
}

/// Reports of a good and of a bad generator, with what flags ask for besides.
fn of_generators(folder: &Path, flags: &[&str]) -> [PathBuf; 2] {
    let real = features(folder, "real.npz", 60, 0.0, 1);
    [("good", 0.1, 2), ("bad", 1.0, 3)].map(|(name, mean, seed)| {
        let fake = features(folder, &format!("{name}.npz"), 60, mean, seed);
        report(folder, &format!("{name}.json"), "score", &[&real, &fake], flags)
    })
}

const METRICS: [&str; 4] = ["--metrics", "fid,kid,prdc,fid-infinity", "--kid-subset-size", "20"];

#[test]
fn the_better_of_two_generators_is_told_with_its_interval() {
    let folder = tempfile::tempdir().unwrap();
    let [good, bad] = of_generators(folder.path(), &[&METRICS[..], &["--ci", "95"]].concat());
    let found = json(run("compare", &good, &bad, &["--json"]));
    assert_eq!((&found["schema"], &found["command"]), (&1.into(), &"compare".into()));
    let number = |name: &str| {
        let numbers = found["numbers"].as_array().unwrap();
        numbers.iter().find(|number| number["score"] == name).unwrap_or_else(|| panic!("{name} in {numbers:?}"))
    };
    let (fid, kid) = (number("fid"), number("kid"));
    assert_eq!((&fid["better"], &fid["untested"]), (&"first".into(), &Value::Null));
    let of = |field: &str| fid["test"][field].as_f64().unwrap();
    assert!(of("p") < 0.05 && of("lower") < of("value") && of("value") < of("upper") && of("upper") < 0.0, "{fid}");
    let difference = fid["first"].as_f64().unwrap() - fid["second"].as_f64().unwrap();
    assert!((of("value") - difference).abs() < 1e-9);
    assert!(kid["test"]["of"].as_str().unwrap().contains("MMD"), "{kid}");
    assert_eq!(number("fid-infinity")["untested"], "FID∞ has no confidence interval");
    let words = succeeds(run("compare", &good, &bad, &[]));
    assert!(words.contains("the first is better") && words.contains("95 % interval"), "{words}");
    assert!(words.contains("FID∞ has no confidence interval"), "{words}");
    // A run beside itself: no difference, whatever its error.
    let same = json(run("compare", &good, &good, &["--json"]));
    let told = same["numbers"].as_array().unwrap().iter().all(|number| number["better"].is_null());
    assert!(told && same["numbers"][0]["test"]["p"] == 1.0, "{same}");
}

#[test]
fn without_intervals_there_is_a_difference_and_how_to_get_more() {
    let folder = tempfile::tempdir().unwrap();
    let [good, bad] = of_generators(folder.path(), &["--metrics", "fid"]);
    let words = succeeds(run("compare", &good, &bad, &[]));
    for part in ["difference -", "neither report has an interval of it", "--ci 95"] {
        assert!(words.contains(part), "{part} in {words}");
    }
    assert!(!words.contains("better"), "{words}");
}

#[test]
fn what_cannot_be_compared_is_refused_with_every_reason() {
    let folder = tempfile::tempdir().unwrap();
    let [good, bad] = of_generators(folder.path(), &METRICS);
    let mut other: Value = serde_json::from_slice(&fs::read(&bad).unwrap()).unwrap();
    other["sets"][1]["provenance"]["resize"] = "clean".into();
    other["sets"][0]["images"] = 61.into();
    other["metrics"]["kid"]["definition"]["subset_size"] = 21.into();
    fs::write(&bad, other.to_string()).unwrap();
    let out = folder.path().join("out.txt");
    let flags = ["-o", out.to_str().unwrap()];
    let parts = ["resize mode: tf1 against clean", "of the real set: 60 against 61", "KID, subset_size: 20 against 21"];
    fails(run("compare", &good, &bad, &flags), 2, &[&parts[..], &["`gan-metrics explain`"]].concat());
    assert!(!out.exists(), "a run that fails leaves no output");
    // Why two numbers cannot be compared can be explained all the same.
    let words = succeeds(run("explain", &good, &bad, &[]));
    assert!(words.contains("definition        KID, subset_size: 20 against 21"), "{words}");

    let alone = report(folder.path(), "vendi.json", "vendi", &[&folder.path().join("good.npz")], &[]);
    fails(run("compare", &good, &alone, &[]), 2, &["no number in common", "fid", "vendi"]);
    let features = folder.path().join("good.npz");
    for command in ["compare", "explain"] {
        fails(run(command, &good, &features, &[]), 2, &["good.npz is a feature file, not a JSON report"]);
        let over = run(command, &good, &alone, &["-o", good.to_str().unwrap()]);
        fails(over, 2, &["good.json"]);
    }
}

/// A folder of smooth images, as PNG or as JPEG of a quality.
fn pictures(folder: &Path, name: &str, quality: Option<u8>) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir(&path).unwrap();
    let mut noise = noise(9);
    for index in 0..6 {
        let [a, b, c] = [(); 3].map(|()| f64::from(noise() >> 24) / 64.0);
        let level = |x: usize, y: usize, channel: usize| {
            let wave = (x as f64 * a / 8.0).sin() + (y as f64 * b / 8.0).cos() + (channel as f64 + c).sin();
            (127.0 + 40.0 * wave) as u8
        };
        let pixels: Vec<u8> = (0..32 * 32 * 3).map(|at| level(at / 3 % 32, at / 96, at % 3)).collect();
        match quality {
            Some(quality) => {
                let mut encoder = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
                encoder.set_size(32, 32);
                // The tables of libjpeg instead of mozjpeg's own.
                encoder.set_fastest_defaults();
                encoder.set_quality(f32::from(quality));
                let mut encoder = encoder.start_compress(Vec::new()).unwrap();
                encoder.write_scanlines(&pixels).unwrap();
                fs::write(path.join(format!("{index}.jpg")), encoder.finish().unwrap()).unwrap();
            }
            None => {
                let image = image::RgbImage::from_raw(32, 32, pixels).unwrap();
                image.save_with_format(path.join(format!("{index}.png")), image::ImageFormat::Png).unwrap();
            }
        }
    }
    path
}

const NETWORK: [&str; 4] = ["--extractor", "efficientnet-lite0", "--engine", "tract"];

/// Codes and what stands beside them of what two reports differ in.
fn causes(first: &Path, second: &Path) -> Vec<[String; 4]> {
    let found = json(run("explain", first, second, &["--json"]));
    let field = |cause: &Value, name: &str| cause[name].as_str().unwrap().to_owned();
    let causes = found["differences"].as_array().unwrap();
    causes.iter().map(|cause| ["code", "what", "first", "second"].map(|name| field(cause, name))).collect()
}

#[test]
fn another_jpeg_quality_is_named_as_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let real = pictures(folder.path(), "real", None);
    let [fine, coarse] = [95, 30].map(|quality| {
        let fake = pictures(folder.path(), &format!("q{quality}"), Some(quality));
        report(folder.path(), &format!("{quality}.json"), "fid", &[&real, &fake], &NETWORK)
    });
    let expected = ["encodings", "encodings of the fake set", "JPEG quality 95 4:2:0", "JPEG quality 30 4:2:0"];
    assert_eq!(causes(&fine, &coarse), [expected]);
    let words = succeeds(run("explain", &fine, &coarse, &[]));
    assert!(
        words.contains("networks see compression") && words.contains("judged            different images"),
        "{words}"
    );
}

#[test]
fn another_resize_mode_is_named_as_the_cause_and_equal_runs_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let real = pictures(folder.path(), "real", None);
    let fake = noise_images(folder.path(), "fake.npy", 6, 1);
    let of = |name: &str, resize: &str| {
        report(folder.path(), name, "fid", &[&real, &fake], &[&NETWORK[..], &["--resize", resize]].concat())
    };
    let (first, again, other) = (of("1.json", "tf1"), of("2.json", "tf1"), of("3.json", "clean"));
    assert_eq!(causes(&first, &again), [[""; 4]; 0]);
    assert_eq!(causes(&first, &other), [["resize", "resize mode of both sets", "tf1", "clean"]]);
    let words = succeeds(run("explain", &first, &again, &[]));
    assert!(words.contains("differences       none in what both reports say"), "{words}");
    let to_file = folder.path().join("why.txt");
    let output = run("explain", &first, &other, &["-o", to_file.to_str().unwrap()]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()));
    assert!(fs::read_to_string(&to_file).unwrap().contains("Parmar et al. 2022"));
}
