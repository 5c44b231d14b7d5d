//! Parts of a set, each of its own process, and what `merge` makes of them.

use std::fs;
use std::path::Path;
use std::process::Output;

use gan_metrics::stats::{Gaussian, StatsFile};
use ndarray::array;
use serde_json::Value;

use crate::support::{fails, json, noise, program_at, succeeds};

/// Rounding between two orders of summation, relative to a score.
const MERGE_TOLERANCE: f64 = 1e-12;

/// Small images, as many as asked for, in a folder for each of two classes.
fn images(folder: &Path, name: &str, seed: u32, count: usize) -> String {
    let root = folder.join(name);
    let mut noise = noise(seed);
    for index in 0..count {
        let class = root.join(if index % 2 == 0 { "a" } else { "b" });
        fs::create_dir_all(&class).unwrap();
        let pixels: Vec<u8> = (0..8 * 8 * 3).map(|_| (noise() >> 24) as u8).collect();
        image::save_buffer(class.join(format!("{index:02}.png")), &pixels, 8, 8, image::ColorType::Rgb8).unwrap();
    }
    root.to_str().unwrap().to_owned()
}

fn lite(home: &Path, arguments: &[&str]) -> Output {
    let network = ["--extractor", "efficientnet-lite0", "--batch-size", "4", "--quiet"];
    program_at(home).args(arguments).args(network).output().unwrap()
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// Writes the shards of a set with `command`.
fn shards(folder: &Path, command: &str, set: &str, count: usize, name: &str) -> Vec<String> {
    let write = |index: usize| {
        let (file, shard) = (path(folder, &format!("{name}{index}of{count}.npz")), format!("{index}/{count}"));
        succeeds(lite(folder, &[command, set, "--shard", &shard, "-o", &file]));
        file
    };
    (1..=count).map(write).collect()
}

fn merge(folder: &Path, parts: &[String], to: &str) -> Output {
    program_at(folder).arg("merge").args(parts).args(["-o", to]).output().unwrap()
}

#[test]
fn shards_of_features_give_every_score_of_one_run_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (real, fake) = (images(folder, "real", 1, 23), images(folder, "fake", 2, 21));
    let (whole, fakes) = (path(folder, "whole.npz"), path(folder, "fakes.npz"));
    succeeds(lite(folder, &["features", &real, "-o", &whole]));
    succeeds(lite(folder, &["features", &fake, "-o", &fakes]));
    const SCORES: [&str; 8] =
        ["--metrics", "all", "--per-class", "--kid-subset-size", "10", "--is-splits", "3", "--json"];
    let computed = |report: Value| {
        let computed = report["metrics"].as_object().unwrap().len();
        assert!(computed >= 10, "{computed} scores");
        serde_json::to_string(&report["metrics"]).unwrap()
    };
    let scores =
        |real: &str| computed(json(program_at(folder).args(["score", real, &fakes]).args(SCORES).output().unwrap()));
    // Of the images themselves, and of the file of a whole run.
    let expected = computed(json(lite(folder, &[&["score", &real, &fake][..], &SCORES].concat())));
    assert_eq!(scores(&whole), expected);
    for count in [1, 3, 7] {
        let mut parts = shards(folder, "features", &real, count, "f");
        parts.rotate_left(count / 2);
        let merged = path(folder, "merged.npz");
        let said = succeeds(merge(folder, &parts, &merged));
        assert!(said.ends_with("merged.npz: 23 images, 1280 features\n"), "{said}");
        assert_eq!(scores(&merged), expected, "{count} shards");
        assert_eq!(fs::read(&merged).unwrap().len(), fs::read(&whole).unwrap().len());
    }
}

#[test]
fn shards_of_statistics_give_the_distance_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (real, fake) = (images(folder, "real", 1, 23), images(folder, "fake", 2, 21));
    let other = path(folder, "fake.npz");
    succeeds(lite(folder, &["stats", &fake, "-o", &other]));
    let distance = |set: &str| {
        let report = json(program_at(folder).args(["fid", set, &other, "--json"]).output().unwrap());
        report["metrics"]["fid"]["value"].as_f64().unwrap()
    };
    let whole = path(folder, "whole.npz");
    succeeds(lite(folder, &["stats", &real, "-o", &whole]));
    let merged = path(folder, "merged.npz");
    succeeds(merge(folder, &shards(folder, "stats", &real, 3, "s"), &merged));
    assert!((distance(&merged) / distance(&whole) - 1.0).abs() < MERGE_TOLERANCE);
    // They are whole sets like any other.
    let again = path(folder, "again.npz");
    succeeds(merge(folder, &[merged.clone(), other.clone()], &again));
    assert_eq!(StatsFile::read(Path::new(&again)).unwrap().gaussian.n(), Some(44));
    // But not counted twice.
    let copy = path(folder, "copy.npz");
    fs::copy(&merged, &copy).unwrap();
    fails(merge(folder, &[merged, copy], &again), 2, &["copy.npz are statistics of the same images"]);
}

#[test]
fn what_is_missing_doubled_or_foreign_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (real, other) = (images(folder, "real", 1, 9), images(folder, "other", 2, 10));
    let parts = shards(folder, "features", &real, 3, "f");
    let foreign = shards(folder, "features", &other, 3, "o");
    let to = path(folder, "merged.npz");
    let refused = |parts: &[&String], words: &[&str]| {
        let parts: Vec<String> = parts.iter().map(|part| (*part).clone()).collect();
        fails(merge(folder, &parts, &to), 2, words);
        assert!(!Path::new(&to).exists());
    };
    refused(&[&parts[0], &parts[2]], &["3 of the 9 images", "are missing: 3–5 (shard 2/3)"]);
    refused(&[&parts[0], &parts[0]], &["f1of3.npz is given twice"]);
    let copy = path(folder, "copy.npz");
    fs::copy(&parts[1], &copy).unwrap();
    refused(&[&parts[0], &parts[1], &copy, &parts[2]], &["shard 2/3", "image 3 is in both"]);
    refused(&[&parts[0], &foreign[1], &parts[2]], &["o2of3.npz (shard 2/3", "other", "it has 10 images, not 9"]);
    // As many images of the same names.
    let namesake = shards(folder, "features", &images(folder, "namesake", 3, 9), 3, "n");
    refused(&[&parts[0], &namesake[1], &parts[2]], &["n2of3.npz", "its images have the same names and other content"]);
    let statistics = shards(folder, "stats", &real, 3, "s");
    refused(&[&parts[0], &statistics[1], &parts[2]], &["one holds features, the other does not"]);
    // A part is never taken for the whole.
    fails(
        program_at(folder).args(["fid", &parts[0], &parts[1]]).output().unwrap(),
        2,
        &["6 of the 9 images", "shards 2/3, 3/3"],
    );
}

#[test]
fn statistics_of_other_tools_merge_by_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let write = |name: &str, n, mean: f64, variance: f64| {
        let gaussian = Gaussian::new(n, array![mean], array![[variance]]).unwrap();
        StatsFile { gaussian, provenance: None, spatial: None }.write(&folder.join(name)).unwrap();
        path(folder, name)
    };
    // 0, 2 and 4, 6, 8: together of mean 4 and variance 10.
    let parts = [write("a.npz", None, 1.0, 2.0), write("b.npz", None, 6.0, 4.0)];
    let to = path(folder, "all.npz");
    let merge = |numbers: &[&str]| {
        program_at(folder).arg("merge").args(&parts).args(["-o", &to]).args(numbers).output().unwrap()
    };
    fails(merge(&[]), 2, &["a.npz does not say how many images", "--images"]);
    fails(merge(&["--images", "2"]), 2, &["1 numbers, but 2"]);
    succeeds(merge(&["--images", "2,3"]));
    let merged = StatsFile::read(Path::new(&to)).unwrap().gaussian;
    assert_eq!(merged.n(), Some(5), "their number is kept");
    assert!((merged.mean()[0] - 4.0).abs() < 1e-12 && (merged.covariance()[(0, 0)] - 10.0).abs() < 1e-12);
}

#[test]
fn statistics_of_spatial_features_are_merged_where_all_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let gaussian = |n, mean: f64, variance: f64| Gaussian::new(Some(n), array![mean], array![[variance]]).unwrap();
    let write = |name: &str, n, spatial| {
        let file = StatsFile { gaussian: gaussian(n, 0.0, 1.0), provenance: None, spatial };
        file.write(&folder.join(name)).unwrap();
        path(folder, name)
    };
    // 0, 2 and 4, 6, 8: together of mean 4 and variance 10.
    let parts = [write("a.npz", 2, Some(gaussian(2, 1.0, 2.0))), write("b.npz", 3, Some(gaussian(3, 6.0, 4.0)))];
    let to = path(folder, "all.npz");
    succeeds(merge(folder, &parts, &to));
    let merged = StatsFile::read(Path::new(&to)).unwrap();
    let spatial = merged.spatial.unwrap();
    assert_eq!((merged.gaussian.n(), spatial.n()), (Some(5), Some(5)));
    assert!((spatial.mean()[0] - 4.0).abs() < 1e-12 && (spatial.covariance()[(0, 0)] - 10.0).abs() < 1e-12);
    let without = write("c.npz", 4, None);
    let output = merge(folder, &[parts[0].clone(), without], &to);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("c.npz has no statistics of spatial features: the result has none"), "{said}");
    succeeds(output);
    assert!(StatsFile::read(Path::new(&to)).unwrap().spatial.is_none());
}

#[test]
fn a_header_that_announces_more_than_the_file_holds_takes_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let header = |shape: &str| {
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let text = format!("{text:<117}\n");
        [&b"\x93NUMPY\x01\0"[..], &(text.len() as u16).to_le_bytes(), text.as_bytes(), &[0; 64]].concat()
    };
    let lying = header("(67, 1000000000000)");
    let (npy, npz) = (path(folder, "lying.npy"), path(folder, "lying.npz"));
    fs::write(&npy, &lying).unwrap();
    let mut archive = zip::ZipWriter::new(fs::File::create(&npz).unwrap());
    for name in ["features.npy", "mu.npy", "sigma.npy"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, &lying).unwrap();
    }
    archive.finish().unwrap();
    for file in [&npy, &npz] {
        let output = program_at(folder).args(["kid", file, &npy]).output().unwrap();
        fails(output, 2, &["announces 268000000000000 bytes of numbers"]);
    }
}
