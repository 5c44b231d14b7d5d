//! Archives of arrays: which array serves which score, and how it is read.

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::Path;

use gan_metrics::extractor::weights::inception_v3;
use gan_metrics::extractor::weights::onnx::Graph;
use gan_metrics::metrics::RandomState;
use ndarray::{Array1, Array2, Array4, ArrayD};
use ndarray_npy::{NpzReader, NpzWriter};
use serde_json::Value;

use crate::support::{fails, json, program, succeeds};

const NET: &str = "--model net.onnx --mean 127.5 --std 127.5 --engine tract";

/// Dimensions of the features and of the spatial features.
const DIMS: [usize; 2] = [3, 48];

fn run(folder: &Path, arguments: &str) -> std::process::Output {
    program().current_dir(folder).args(arguments.split_whitespace()).output().unwrap()
}

fn report(folder: &Path, arguments: &str) -> Value {
    json(run(folder, &format!("{arguments} --json --quiet")))
}

fn codes(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

/// Inception-v3 by the names of its outputs, so that it offers everything that scores need.
fn network() -> Vec<u8> {
    let mut graph = Graph::new(inception_v3::NAME);
    let images = graph.input("images", &[3, 4, 4]);
    let bent = graph.sigmoid("bent", &images);
    let pool3 = graph.global_mean("pool3", &bent);
    graph.output(&pool3, &[3]);
    for (name, input) in [("logits_unbiased", &images), ("sfid", &bent)] {
        let bent = graph.tanh(&format!("{name}.bent"), input);
        let value = graph.flatten(name, &bent);
        graph.output(&value, &[48]);
    }
    graph.encode()
}

/// Mean and covariance of random numbers.
fn statistics(dim: usize, seed: u32) -> (Array1<f64>, Array2<f64>) {
    let mut random = RandomState::new(seed);
    let factor = Array2::from_shape_simple_fn((dim, 2 * dim), || random.uniform() - 0.5);
    (Array1::from_shape_simple_fn(dim, || random.uniform()), factor.dot(&factor.t()))
}

fn images(seed: u32) -> ArrayD<u8> {
    let mut random = RandomState::new(seed);
    Array4::from_shape_simple_fn((12, 4, 4, 3), || (256.0 * random.uniform()) as u8).into_dyn()
}

/// Reference and sample batches as guided diffusion has them, whole, and each part alone.
fn batches(folder: &Path) {
    for (name, seed) in [("real", 1), ("fake", 2)] {
        let file = |suffix: &str| NpzWriter::new(File::create(folder.join(format!("{name}{suffix}.npz"))).unwrap());
        let (images, of_features, of_spatial) = (images(seed), statistics(DIMS[0], seed), statistics(DIMS[1], seed));
        let (mut whole, mut images_alone, mut statistics_alone) = (file(""), file("-images"), file("-statistics"));
        let mut features_alone = file("-mu");
        for npz in [&mut whole, &mut images_alone] {
            npz.add_array("arr_0", &images).unwrap();
        }
        for npz in [&mut whole, &mut statistics_alone, &mut features_alone] {
            npz.add_array("mu", &of_features.0).unwrap();
            npz.add_array("sigma", &of_features.1).unwrap();
        }
        for npz in [&mut whole, &mut statistics_alone] {
            npz.add_array("mu_s", &of_spatial.0).unwrap();
            npz.add_array("sigma_s", &of_spatial.1).unwrap();
        }
        for npz in [whole, images_alone, statistics_alone, features_alone] {
            npz.finish().unwrap();
        }
    }
    fs::write(folder.join("net.onnx"), network()).unwrap();
}

#[test]
fn each_array_of_an_adm_batch_serves_the_scores_that_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    batches(folder);
    let whole = report(folder, &format!("score real.npz fake.npz --preset adm {NET}"));
    let of_statistics = report(folder, "score real-statistics.npz fake-statistics.npz --metrics fid,sfid");
    let of_images =
        report(folder, &format!("score real-images.npz fake-images.npz --metrics is,prdc --preset adm {NET}"));
    for (score, alone) in
        [("fid", &of_statistics), ("sfid", &of_statistics), ("inception_score", &of_images), ("prdc", &of_images)]
    {
        assert_eq!(whole["metrics"][score], alone["metrics"][score], "{score}");
        assert!(whole["metrics"][score].is_object(), "{score}");
    }
    let arrays = &whole["sets"][0]["arrays"];
    assert_eq!((&arrays["images"], &arrays["statistics"]), (&"arr_0".into(), &"mu, sigma".into()));
    assert_eq!(arrays["spatial_statistics"], "mu_s, sigma_s");
    assert_eq!((&whole["sets"][0]["kind"], &whole["sets"][0]["images"]), (&"npz".into(), &12.into()));
    // Nobody knows of how many images the statistics are, nor what computed them.
    assert_eq!(codes(&whole).iter().filter(|code| **code == "unknown-provenance").count(), 2);
    assert!(!codes(&whole).contains(&"few-images"));
    let text = succeeds(run(folder, &format!("score real.npz fake.npz --preset adm {NET} --quiet")));
    let said =
        "12 images: images from arr_0; statistics from mu, sigma; statistics of spatial features from mu_s, sigma_s";
    assert!(text.contains(said), "{text}");

    // The statistics alone need no network, and one kind of file may meet another.
    let mixed = report(folder, "fid real.npz fake-mu.npz");
    assert_eq!(mixed["metrics"]["fid"], whole["metrics"]["fid"]);
    assert!(mixed["sets"][0]["arrays"]["images"].is_null() && mixed["extractor"].is_null());
    let mixed = report(folder, &format!("fid real.npz fake-images.npz {NET}"));
    assert_ne!(mixed["metrics"]["fid"]["value"], whole["metrics"]["fid"]["value"]);
    // Statistics that are written anew keep both kinds.
    succeeds(run(folder, "stats real.npz -o again.npz -q"));
    let again = report(folder, "score again.npz fake-statistics.npz --metrics fid,sfid");
    assert_eq!(again["metrics"]["sfid"], whole["metrics"]["sfid"]);
    // An array that is named is taken alone.
    let images = report(folder, &format!("fid real.npz fake.npz --array arr_0 {NET}"));
    assert_eq!(
        images["metrics"]["fid"],
        report(folder, &format!("fid real-images.npz fake-images.npz {NET}"))["metrics"]["fid"]
    );
}

#[test]
fn what_an_adm_batch_lacks_is_left_out_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    batches(folder);
    let found = report(folder, "score real-mu.npz fake-mu.npz --preset adm");
    let scores: Vec<_> = found["metrics"].as_object().unwrap().keys().collect();
    assert_eq!(scores, ["fid"]);
    let left_out: Vec<_> = codes(&found).into_iter().filter(|code| *code == "left-out").collect();
    assert_eq!(left_out.len(), 3, "sFID, IS, and precision and recall");
    // The images say nothing of the error of statistics of others.
    let refused = run(folder, &format!("fid real.npz fake.npz {NET} --ci 95"));
    fails(refused, 2, &["FID needs the features of every image of the real set"]);
    fails(run(folder, "fid real-mu.npz fake-mu.npz --array arr_0"), 2, &["--array arr_0 would have no effect"]);
    fails(
        run(folder, &format!("fid real.npz fake.npz --pixel-range 0,1 {NET}")),
        2,
        &["--pixel-range would have no effect"],
    );
}

#[test]
fn a_flipped_bit_is_an_error_and_not_another_score() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    batches(folder);
    let mut bytes = fs::read(folder.join("real.npz")).unwrap();
    // In the middle of the images, which are first.
    bytes[400] ^= 1;
    fs::write(folder.join("real.npz"), bytes).unwrap();
    let refused = run(folder, &format!("score real.npz fake.npz --preset adm {NET}"));
    fails(refused, 2, &["array `arr_0` of `real.npz` is corrupt: its CRC-32 is"]);
    // What is not looked at does not matter.
    succeeds(run(folder, "fid real.npz fake.npz"));
}

#[test]
fn floating_point_images_need_a_range_and_are_the_images_of_their_levels() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    batches(folder);
    let float = images(2).mapv(|level| f32::from(level) / 255.0);
    ndarray_npy::write_npy(folder.join("float.npy"), &float).unwrap();
    let found = report(folder, &format!("fid real-images.npz float.npy --pixel-range 0,1 {NET}"));
    let expected = report(folder, &format!("fid real-images.npz fake-images.npz {NET}"));
    assert_eq!(found["metrics"], expected["metrics"]);
    let refused = run(folder, &format!("fid real-images.npz float.npy {NET}"));
    fails(refused, 2, &["`float.npy` holds values of type `<f4`", "--pixel-range"]);
}

/// A zip archive of images of noise, and of other files.
fn zip(path: &Path, images: &[&str], others: &[(&str, &[u8])]) {
    let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
    let mut random = RandomState::new(5);
    let mut add = |name: &str, bytes: &[u8]| {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    };
    for name in images {
        let pixels = (0..48).map(|_| (256.0 * random.uniform()) as u8).collect();
        let mut png = Cursor::new(Vec::new());
        let image = image::RgbImage::from_raw(4, 4, pixels).unwrap();
        image.write_to(&mut png, image::ImageFormat::Png).unwrap();
        add(name, png.get_ref());
    }
    for (name, bytes) in others {
        add(name, bytes);
    }
    archive.finish().unwrap();
}

fn classes(report: &Value) -> Vec<(&str, u64, u64)> {
    let classes = report["metrics"]["per_class_fid"].as_array().unwrap().iter();
    let number = |class: &Value, field: &str| class[field].as_u64().unwrap();
    classes
        .map(|class| (class["label"].as_str().unwrap(), number(class, "real_images"), number(class, "fake_images")))
        .collect()
}

#[test]
fn classes_come_from_wherever_tools_keep_them_and_stay_in_feature_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("net.onnx"), network()).unwrap();
    let names = ["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"];
    zip(&folder.join("plain.zip"), &names, &[]);
    let wrapped = names.map(|name| format!("data/{name}"));
    zip(&folder.join("wrapped.zip"), &wrapped.each_ref().map(String::as_str), &[]);
    let windows = names.map(|name| name.replace('/', "\\"));
    zip(&folder.join("windows.zip"), &windows.each_ref().map(String::as_str), &[]);
    let expected = [("cat", 2, 2), ("dog", 2, 2)];
    for name in ["plain.zip", "wrapped.zip", "windows.zip"] {
        let found = report(folder, &format!("per-class plain.zip {name} {NET}"));
        assert_eq!(classes(&found), expected, "{name}");
        // The same images in the same classes.
        let distances = found["metrics"]["per_class_fid"].as_array().unwrap();
        assert!(distances.iter().all(|class| class["fid"].as_f64().unwrap() < 1e-9), "{found}");
    }
    let json = br#"{"labels": [["0/0.png", 7], ["0/1.png", 8], ["0/2.png", 7], ["0/3.png", 8]]}"#;
    zip(&folder.join("stylegan.zip"), &["0/0.png", "0/1.png", "0/2.png", "0/3.png"], &[("dataset.json", json)]);
    let mut npz = NpzWriter::new(File::create(folder.join("labelled.npz")).unwrap());
    npz.add_array("arr_0", &images(3)).unwrap();
    npz.add_array("arr_1", &Array1::from_shape_fn(12, |image| 7 + image as i64 % 2)).unwrap();
    npz.finish().unwrap();
    for name in ["stylegan.zip", "labelled.npz"] {
        succeeds(run(folder, &format!("features {name} -o {name}.features.npz -q {NET}")));
        succeeds(run(folder, &format!("features {name} -o {name}.safetensors -q {NET}")));
        for shard in ["1/2", "2/2"] {
            let part = shard.replace('/', "-");
            succeeds(run(folder, &format!("features {name} --shard {shard} -o {part}.npz -q {NET}")));
        }
        succeeds(run(folder, &format!("merge 1-2.npz 2-2.npz -o {name}.merged.npz")));
    }
    let table = b"\xef\xbb\xbffile_name,label\r\n\"0.png\",7\r\n1.png,8\r\n2.png,7\r\n3.png,8\r\n";
    zip(&folder.join("table.zip"), &["0.png", "1.png", "2.png", "3.png"], &[("metadata.csv", table)]);
    let found = report(folder, &format!("per-class table.zip labelled.npz {NET}"));
    assert_eq!(classes(&found), [("7", 2, 6), ("8", 2, 6)]);
    // What has no classes says why, once they are asked for.
    zip(&folder.join("captions.zip"), &["0.png", "1.png"], &[("metadata.csv", b"file_name,text\n0.png,a cat\n")]);
    report(folder, &format!("fid captions.zip captions.zip {NET}"));
    let refused = run(folder, &format!("per-class stylegan.zip captions.zip {NET}"));
    fails(refused, 2, &["`captions.zip` does not tell the classes", "`metadata.csv` has no column", "file_name, text"]);
    for suffix in ["", ".features.npz", ".safetensors", ".merged.npz"] {
        let net = if suffix.is_empty() { NET } else { "" };
        let found = report(folder, &format!("per-class stylegan.zip{suffix} labelled.npz{suffix} {net}"));
        assert_eq!(classes(&found), [("7", 2, 6), ("8", 2, 6)], "{suffix}");
    }
}

#[test]
fn images_that_are_not_decoded_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("net.onnx"), network()).unwrap();
    zip(&folder.join("a.zip"), &["0.png", "1.png"], &[("2.jxl", b"\xff\x0a"), ("3.heic", b"\0\0\0\x18ftypheic")]);
    let found = report(folder, &format!("fid a.zip a.zip {NET}"));
    assert_eq!(found["sets"][0]["passed_over"], serde_json::json!({ "HEIC": 1, "JPEG XL": 1 }));
    assert_eq!(codes(&found).iter().filter(|code| **code == "passed-over").count(), 2);
    let written = run(folder, &format!("stats a.zip -o s.npz {NET}"));
    let stderr = String::from_utf8_lossy(&written.stderr).into_owned();
    assert!(stderr.contains("passed over: 1 HEIC, 1 JPEG XL"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_stop_a_run_or_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("net.onnx"), network()).unwrap();
    zip(&folder.join("a.zip"), &["0.png", "1.png"], &[]);
    fs::create_dir(folder.join("images")).unwrap();
    let mut archive = zip::ZipArchive::new(File::open(folder.join("a.zip")).unwrap()).unwrap();
    archive.extract(folder.join("images")).unwrap();
    std::os::unix::fs::symlink("/nonexistent", folder.join("images/2.png")).unwrap();
    let refused = run(folder, &format!("fid a.zip images {NET}"));
    fails(refused, 2, &["images/2.png` is a link to `/nonexistent`", "--on-bad-image skip"]);
    let found = report(folder, &format!("fid a.zip images {NET} --on-bad-image skip"));
    assert_eq!((&found["sets"][1]["images"], &found["sets"][1]["skipped"][0]["name"]), (&2.into(), &"2.png".into()));
}

#[test]
fn statistics_in_pickles_score_as_the_same_in_archives() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/files");
    for name in ["edm2_both.pkl", "protocol2.pkl", "several.pkl", "command.pkl", "other.pkl", "mean_cov.npz"] {
        fs::copy(fixtures.join(name), folder.join(name)).unwrap();
    }
    let mut held = NpzReader::new(File::open(fixtures.join("pickles.npz")).unwrap()).unwrap();
    for (name, prefix) in [("fid.npz", ""), ("dino.npz", "dino_")] {
        let mu: Array1<f64> = held.by_name(&format!("{prefix}mu")).unwrap();
        let sigma: Array2<f64> = held.by_name(&format!("{prefix}sigma")).unwrap();
        let mut npz = NpzWriter::new(File::create(folder.join(name)).unwrap());
        npz.add_array("mu", &mu).unwrap();
        npz.add_array("sigma", &sigma).unwrap();
        npz.finish().unwrap();
    }
    let expected = report(folder, "fid fid.npz mean_cov.npz");
    for name in ["edm2_both.pkl", "protocol2.pkl"] {
        let found = report(folder, &format!("fid {name} mean_cov.npz"));
        assert_eq!(found["metrics"], expected["metrics"], "{name}");
    }
    let found = report(folder, "fid edm2_both.pkl mean_cov.npz");
    assert_eq!(found["sets"][0]["arrays"]["statistics"], "fid.mu, fid.sigma");
    assert_eq!((&found["sets"][0]["images"], &found["sets"][1]["images"]), (&50.into(), &Value::Null));

    // The set that is named, of every file that has it.
    let found = report(folder, "fid edm2_both.pkl dino.npz --array fd_dinov2");
    assert!(found["metrics"]["fid"]["value"].as_f64().unwrap().abs() < 1e-9, "{found}");
    assert_eq!(found["sets"][0]["arrays"]["statistics"], "fd_dinov2.mu, fd_dinov2.sigma");
    assert_eq!(found["sets"][1]["arrays"]["statistics"], "mu, sigma");
    succeeds(run(folder, "stats several.pkl --array first -o first.npz -q"));
    assert_eq!(report(folder, "fid first.npz mean_cov.npz")["metrics"], expected["metrics"]);
    let several = run(folder, "fid several.pkl mean_cov.npz");
    fails(several, 2, &["several.pkl holds several sets of statistics", "`first`, `second`", "--array"]);
    fails(run(folder, "fid protocol2.pkl edm2_both.pkl --array mu"), 2, &["--array mu", "would have no effect"]);

    // What is not statistics is refused, and the command in it is not run.
    fails(run(folder, "fid command.pkl fid.npz"), 2, &["command.pkl", "`posix.system`", "nothing was executed"]);
    fails(run(folder, "fid other.pkl fid.npz"), 2, &["`other.pkl` is a pickled Python object", "numpy.savez"]);
    assert!(!folder.join("executed").exists());
}

#[test]
fn a_choice_of_images_leaves_no_statistics_whole() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    batches(folder);
    let refused = run(folder, &format!("fid real-statistics.npz fake-images.npz --num 5 {NET}"));
    fails(refused, 2, &["--num has nothing to choose from in real-statistics.npz", "give its images, or drop --num"]);
    let refused = run(folder, "fid real.npz fake.npz --num 5");
    fails(refused, 2, &["--num has nothing to choose from in real.npz", "--array arr_0"]);
    let chosen = report(folder, &format!("fid real.npz fake.npz --num 5 --array arr_0 {NET}"));
    assert_eq!(chosen["sets"][0]["images"], 5);
}

#[test]
fn statistics_beside_images_are_told_of_where_they_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    batches(folder);
    fs::write(folder.join("list.txt"), "real.npz\nfake-images.npz\n").unwrap();
    let warned = |arguments: &str| {
        let found = report(folder, &format!("fid {arguments} fake-images.npz {NET}"));
        codes(&found).contains(&"unused-statistics")
    };
    assert!(warned("@list.txt") && warned("rea[l].npz"));
    assert!(!warned("real.npz") && !warned("@list.txt --array arr_0"));
    let written = run(folder, &format!("stats @list.txt -o s.npz {NET}"));
    let stderr = String::from_utf8_lossy(&written.stderr).into_owned();
    assert!(stderr.contains("1 of the files of @list.txt holds statistics beside images"), "{stderr}");
    // A file that is taken whole needs no network: whoever gives one means the images.
    fails(
        run(folder, &format!("stats real.npz -o s.npz {NET}")),
        2,
        &["--array arr_0", "--model would have no effect"],
    );
    fails(run(folder, "stats real.npz -o s.npz --shard 1/2"), 2, &["--array arr_0", "--shard would have no effect"]);
}

#[test]
fn what_statistics_lack_is_said_by_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    batches(folder);
    let (mu, sigma) = statistics(DIMS[0], 1);
    let write = |name: &str, sigma: Option<ArrayD<f64>>| {
        let mut npz = NpzWriter::new(File::create(folder.join(name)).unwrap());
        npz.add_array("mu", &mu).unwrap();
        if let Some(sigma) = sigma {
            npz.add_array("sigma", &sigma).unwrap();
        }
        npz.finish().unwrap();
    };
    write("alone.npz", None);
    write("deep.npz", Some(sigma.insert_axis(ndarray::Axis(0)).into_dyn()));
    let held = "a statistics file holds `mu`, the mean of d features, and `sigma`, their covariance of d×d";
    let refused = |name: &str| run(folder, &format!("fid {name} real-statistics.npz"));
    fails(refused("alone.npz"), 2, &["alone.npz has no array `sigma`", held, "this one holds `mu`"]);
    fails(refused("deep.npz"), 2, &["deep.npz", "array `sigma`: it has shape [1, 3, 3]", held]);
}

#[test]
fn what_a_list_names_is_said_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    batches(folder);
    let refused = |list: String, words: &[&str]| {
        fs::write(folder.join("list.txt"), list).unwrap();
        fails(run(folder, &format!("fid real-images.npz @list.txt {NET}")), 2, words);
    };
    refused("fake-images.npz\nnone.png\n".into(), &["none.png (line 2 of the list list.txt)"]);
    refused("fake-images.npz\nnone.npz\n".into(), &["line 2 of the list `list.txt`", "`none.npz` does not exist"]);
    let long = "x".repeat(3000);
    fs::write(folder.join("list.txt"), format!("{long}.png\n")).unwrap();
    let output = run(folder, &format!("fid real-images.npz @list.txt {NET}"));
    assert!(output.stderr.len() < 400, "{} bytes", output.stderr.len());
    fails(output, 2, &["line 1 of the list `list.txt`", "xxx…` has a name of more than 255 bytes"]);
}
