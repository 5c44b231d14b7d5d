//! Trained models put to use: runs on points, `evaluate`, `runs compare`, what images were made of, and networks as ONNX files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use gan_metrics::gan::train::{Latent, TrainingSet, checkpoint, sampling_stream};
use ndarray::{Array1, Array2, Array4};
use ndarray_npy::NpzReader;

use crate::support::{fails, program, succeeds};

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

/// A small run on the ring.
fn ring(folder: &Path, name: &str, steps: &str, more: &[&str]) -> PathBuf {
    let out = folder.join(name);
    let usual = ["train", "--data", "gaussians:8", "--width", "16", "--batch-size", "32", "--steps", steps];
    succeeds(run(&[&usual[..], &["--out", path(&out)], more].concat()));
    out
}

#[test]
fn points_are_learnt_shown_scored_and_made() {
    let folder = tempfile::tempdir().unwrap();
    let scored = ["--score-every", "20", "--score-images", "500"];
    let whole = ring(folder.path(), "whole", "40", &scored);
    let rows = fs::read_to_string(whole.join("metrics.csv")).unwrap();
    let mut lines = rows.lines();
    assert!(lines.next().unwrap().ends_with("images_per_second,modes,high_quality,imbalance,sliced_w2"), "{rows}");
    let numbers: Vec<Option<f64>> =
        lines.last().unwrap().rsplit(',').take(4).map(|number| number.parse().ok()).collect();
    let [Some(distance), imbalance, Some(quality), Some(modes)] = numbers[..] else { panic!("{rows}") };
    assert!(distance > 0.01 && (0.0..=1.0).contains(&quality) && modes <= 8.0, "{numbers:?}");
    // Without points near a mode there are no shares to compare.
    assert_eq!(imbalance.is_some_and(|imbalance| imbalance >= 0.0), quality > 0.0, "{numbers:?}");
    let picture = image::open(whole.join("samples/0000040.png")).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (2 * 360 + 8, 360));
    assert!(picture.pixels().any(|pixel| pixel.0 != [255; 3]));
    let config = fs::read_to_string(whole.join("config.toml")).unwrap();
    assert!(config.contains("data = [\"gaussians:8\"]") && config.contains("dimensions = 2"), "{config}");

    // A run in two parts finds its data again, and ends where the whole one does.
    let parts = ring(folder.path(), "parts", "20", &scored);
    succeeds(run(&[
        "train",
        "--out",
        path(&parts),
        "--steps",
        "40",
        "--resume",
        "--score-every",
        "20",
        "--score-images",
        "500",
    ]));
    let file = "checkpoint.safetensors";
    assert!(fs::read(whole.join(file)).unwrap() == fs::read(parts.join(file)).unwrap());
    let last = |run: &Path| {
        fs::read_to_string(run.join("metrics.csv"))
            .unwrap()
            .lines()
            .last()
            .unwrap()
            .rsplit(',')
            .take(4)
            .map(String::from)
            .collect::<Vec<_>>()
    };
    assert_eq!(last(&whole), last(&parts));

    let checkpoint = whole.join(file);
    let [made, z] = ["made.npy", "z.npz"].map(|name| folder.path().join(name));
    let told = run(&[
        "generate",
        "--checkpoint",
        path(&checkpoint),
        "-n",
        "70",
        "-o",
        path(&made),
        "--save-latents",
        path(&z),
    ]);
    assert!(succeeds(told).contains("70 points of step 40, seed 0"));
    let points: Array2<f32> = ndarray_npy::read_npy(&made).unwrap();
    assert_eq!(points.dim(), (70, 2));
    // They are what the network makes of the latents that were saved, which are those of the seed.
    let latents: Array2<f32> = NpzReader::new(fs::File::open(&z).unwrap()).unwrap().by_name("z").unwrap();
    let expected = Latent::Normal.numbers(8, 70, &mut sampling_stream(0));
    assert_eq!((latents.dim(), latents.iter().copied().collect::<Vec<_>>()), ((70, 8), expected));
    let trained = checkpoint::trained(&checkpoint).unwrap();
    let z = gan_metrics::gan::Tensor::new(&[70, 8], latents.iter().copied().collect()).unwrap();
    let again = trained.system.decode(&trained.networks, &z, None).unwrap();
    assert!(again.data().iter().zip(&points).all(|(a, b)| (a - b).abs() < 1e-5));
    let folder = folder.path().join("pictures");
    fails(
        run(&["generate", "--checkpoint", path(&checkpoint), "-n", "2", "-o", path(&folder)]),
        2,
        &["cannot write points", ".npy or .npz"],
    );
}

/// Halves that are light, above or below, with their classes.
fn halves(folder: &Path) -> PathBuf {
    some_halves(folder, 30)
}

fn some_halves(folder: &Path, count: usize) -> PathBuf {
    let images = Array4::from_shape_fn((count, 16, 16, 1), |(i, y, x, _)| {
        let light = (y / 8) % 2 == i % 2;
        if light { 200 + ((i * 7 + x * 3) % 50) as u8 } else { ((i * 5 + x) % 40) as u8 }
    });
    let path = folder.join(format!("halves-{count}.npz"));
    let mut npz = ndarray_npy::NpzWriter::new(fs::File::create(&path).unwrap());
    npz.add_array("arr_0", &images).unwrap();
    npz.add_array("arr_1", &Array1::from_iter((0..count).map(|i| (i % 2) as i64))).unwrap();
    npz.finish().unwrap();
    path
}

fn of_halves(folder: &Path, model: &str, steps: &str, more: &[&str]) -> PathBuf {
    let (data, out) = (halves(folder), folder.join(model));
    let usual = ["train", "--data", path(&data), "--model", model, "--size", "16", "--width", "8", "--batch-size", "8"];
    succeeds(run(&[&usual[..], &["--steps", steps, "--out", path(&out), "-q"], more].concat()));
    out.join("checkpoint.safetensors")
}

fn evaluated(checkpoint: &Path, data: &Path) -> serde_json::Value {
    let told = succeeds(run(&["evaluate", "--checkpoint", path(checkpoint), "--data", path(data), "--json"]));
    serde_json::from_str(&told).unwrap()
}

#[test]
fn likelihoods_are_those_of_the_library_in_bits() {
    let folder = tempfile::tempdir().unwrap();
    let data = halves(folder.path());
    for (model, kind) in [("made", "exact"), ("realnvp", "density"), ("vae", "bound")] {
        let checkpoint = of_halves(folder.path(), model, "2", &[]);
        let found = evaluated(&checkpoint, &data);
        let likelihood = &found["likelihood"];
        assert_eq!((likelihood["kind"].as_str().unwrap(), found["images"].as_u64().unwrap()), (kind, 30));
        let trained = checkpoint::trained(&checkpoint).unwrap();
        let archive: Array4<u8> = NpzReader::new(fs::File::open(&data).unwrap()).unwrap().by_name("arr_0").unwrap();
        let set = TrainingSet::new(1, 16, archive.iter().copied().collect()).unwrap();
        let images = set.first(30, trained.system.pixel_range());
        let nats = trained.system.log_likelihood(&trained.networks, &images, &mut sampling_stream(0)).unwrap();
        let mean = nats.iter().sum::<f64>() / 30.0;
        let told = likelihood["nats"].as_f64().unwrap();
        assert!((told - mean).abs() < 1e-6 * mean.abs(), "{model}: {told} is not {mean}");
        let bits = likelihood["bits_per_dimension"].as_f64().unwrap();
        assert!((bits + mean / (256.0 * std::f64::consts::LN_2)).abs() < 1e-6, "{model}: {bits}");
    }
}

#[test]
fn flags_of_a_critic_are_refused_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (halves(folder.path()), folder.path().join("run"));
    for flags in [
        &["--critic-learning-rate", "0.1"][..],
        &["--critic-steps", "2"],
        &["--critic-norm", "layer"],
        &["--minibatch-statistic", "deviation"],
        &["--regularizer", "r1"],
    ] {
        let usual =
            ["train", "--data", path(&data), "--model", "vae", "--size", "16", "--steps", "1", "--out", path(&out)];
        fails(run(&[&usual[..], flags].concat()), 2, &[flags[0], "is for a discriminator, and vae has none"]);
        assert!(!out.exists());
    }
}

#[test]
fn codes_are_judged_by_what_classes_a_plane_divides() {
    let folder = tempfile::tempdir().unwrap();
    let data = halves(folder.path());
    let checkpoint = of_halves(folder.path(), "bigan", "2", &[]);
    let probe = &evaluated(&checkpoint, &data)["probe"];
    // Dark halves above or below differ in every code, however little the encoder has learnt.
    assert_eq!((probe["linear"].as_f64().unwrap(), probe["most_frequent_class"].as_f64().unwrap()), (1.0, 0.5));
    let told = succeeds(run(&["evaluate", "--checkpoint", path(&checkpoint), "--data", path(&data)]));
    assert!(told.starts_with("bigan of step 2, 30 images\nlinear probe") && told.contains("1.0000"), "{told}");
    // A model that has a likelihood tells both.
    let found = evaluated(&of_halves(folder.path(), "vae", "2", &[]), &data);
    assert!(found["likelihood"]["kind"] == "bound" && found["probe"]["linear"] == 1.0, "{found}");
    let unlabelled = folder.path().join("unlabelled.npy");
    let archive: Array4<u8> = NpzReader::new(fs::File::open(&data).unwrap()).unwrap().by_name("arr_0").unwrap();
    ndarray_npy::write_npy(&unlabelled, &archive).unwrap();
    let asked = run(&["evaluate", "--checkpoint", path(&checkpoint), "--data", path(&unlabelled)]);
    fails(asked, 2, &["bigan makes codes of images", "are not known"]);
    let one = some_halves(folder.path(), 1);
    let asked = run(&["evaluate", "--checkpoint", path(&checkpoint), "--data", path(&one)]);
    fails(asked, 2, &["bigan makes codes of images", "one image only"]);
    let found = evaluated(&folder.path().join("vae/checkpoint.safetensors"), &one);
    assert!(found["likelihood"]["nats"].is_number() && found["probe"].is_null(), "{found}");
}

#[test]
fn classes_are_told_right_after_some_steps() {
    let folder = tempfile::tempdir().unwrap();
    let data = halves(folder.path());
    let checkpoint = of_halves(folder.path(), "classifier", "30", &["--labels", "8"]);
    let accuracy = &evaluated(&checkpoint, &data)["accuracy"];
    assert_eq!((accuracy["share"].as_f64().unwrap(), accuracy["most_frequent_class"].as_f64().unwrap()), (1.0, 0.5));
    assert_eq!(accuracy["by_majority"], false);
    // Categories of its own: as good as the best assignment of classes to them, and no worse than none.
    let checkpoint = of_halves(folder.path(), "catgan", "2", &["--classes", "3"]);
    let accuracy = &evaluated(&checkpoint, &data)["accuracy"];
    assert!(accuracy["by_majority"] == true && accuracy["share"].as_f64().unwrap() >= 0.5, "{accuracy}");
    let told = succeeds(run(&["evaluate", "--checkpoint", path(&checkpoint), "--data", path(&data)]));
    assert!(
        told.starts_with("catgan of step 2, 30 images\naccuracy") && told.contains("each category taken"),
        "{told}"
    );
}

#[test]
fn runs_stand_side_by_side_with_real_samples() {
    let folder = tempfile::tempdir().unwrap();
    let runs =
        [("one", "1"), ("two", "2")].map(|(name, seed)| ring(folder.path(), name, "10", &["--seed", seed, "-q"]));
    let plot = folder.path().join("runs.svg");
    let compare = ["runs", "compare", path(&runs[0]), path(&runs[1]), "--images", "400", "--plot", path(&plot)];
    let text = succeeds(run(&compare));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("modes  high_quality  imbalance  sliced_w2"), "{text}");
    assert!(lines[1].contains("points non-saturating") && lines[3].starts_with("real samples"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&succeeds(run(&[&compare[..6], &["--json"]].concat()))).unwrap();
    assert_eq!((json["real"][0].as_f64().unwrap(), json["real_samples"][0].as_u64().unwrap()), (8.0, 400));
    assert!(json["real"][3].as_f64().unwrap() < 0.1 && json["lines"][1]["seed"] == 2, "{json}");
    assert!(json["lines"][0]["values"][3].as_f64().unwrap() > json["real"][3].as_f64().unwrap(), "{json}");
    assert!(fs::read_to_string(&plot).unwrap().contains("seconds of training"));
    let other = folder.path().join("grid");
    let arguments = ["train", "--data", "gaussians:25", "--width", "8", "--steps", "1", "-q", "--out", path(&other)];
    succeeds(run(&arguments));
    fails(run(&["runs", "compare", path(&runs[0]), path(&other)]), 2, &["learnt from other data"]);
}

#[test]
fn runs_on_images_are_scored_by_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = of_halves(folder.path(), "mlp", "1", &[]);
    let run_folder = checkpoint.parent().unwrap();
    let arguments = [
        "runs",
        "compare",
        path(run_folder),
        "--images",
        "12",
        "--scores",
        "fid,vendi",
        "--engine",
        "tract",
        "--json",
        "-q",
    ];
    let json: serde_json::Value = serde_json::from_str(&succeeds(run(&arguments))).unwrap();
    assert_eq!(json["scores"], serde_json::json!(["fid", "vendi"]));
    assert_eq!(json["real_samples"], serde_json::json!([12, 18]));
    // Real halves are nearer to each other than what one step of training makes.
    assert!(json["real"][0].as_f64().unwrap() < json["lines"][0]["values"][0].as_f64().unwrap(), "{json}");
}

/// What a model cannot do is told before anything is read or written.
#[test]
fn models_without_samples_are_not_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (halves(folder.path()), folder.path().join("run"));
    for flag in ["--sample-every", "--score-every"] {
        let arguments = ["train", "--data", path(&data), "--model", "classifier", "--labels", "4", "--size", "16"];
        let arguments =
            [&arguments[..], &["--batch-size", "8", "--steps", "2", "--out", path(&out), flag, "1"]].concat();
        fails(run(&arguments), 2, &[flag, "classifier makes none"]);
        assert!(!out.exists());
    }
    let checkpoint = of_halves(folder.path(), "classifier", "1", &["--labels", "4"]);
    let told = ["is a run of classifier, which makes no samples"];
    fails(run(&["runs", "compare", path(checkpoint.parent().unwrap())]), 2, &told);
    let ring = ring(folder.path(), "ring", "1", &["-q"]).join("checkpoint.safetensors");
    for (checkpoint, name, told) in [(&ring, "a.png", "it makes points"), (&checkpoint, "a.jpg", "ends in .png")] {
        let picture = folder.path().join(name);
        fails(run(&["interpolate", "--checkpoint", path(checkpoint), "-o", path(&picture)]), 2, &[told]);
        assert!(!picture.exists());
    }
}

/// Classes go by their names, also where a set has not all of them.
#[test]
fn classes_of_other_images_go_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = of_halves(folder.path(), "classifier", "30", &["--labels", "8"]);
    let halves = |name: &str, names: [&str; 2], count: usize| {
        let set = folder.path().join(name);
        for (class, of_class) in names.iter().enumerate() {
            fs::create_dir_all(set.join(of_class)).unwrap();
            for image in 0..count * (1 - class) + class {
                let light = |y: u32| if (y / 8) % 2 == class as u32 { 220 } else { image as u8 };
                let picture = image::GrayImage::from_fn(16, 16, |_, y| image::Luma([light(y)]));
                picture.save(set.join(of_class).join(format!("{image}.png"))).unwrap();
            }
        }
        set
    };
    // The names of the classes of an array are their numbers.
    assert_eq!(evaluated(&checkpoint, &halves("same", ["0", "1"], 3))["accuracy"]["share"], 1.0);
    let one = halves("one", ["0", "1"], 2);
    fs::remove_dir_all(one.join("0")).unwrap();
    assert_eq!(evaluated(&checkpoint, &one)["accuracy"]["share"], 1.0);
    let other = halves("other", ["0", "above"], 2);
    let told = ["classifier tells the classes 0, 1", "of class `above`"];
    fails(run(&["evaluate", "--checkpoint", path(&checkpoint), "--data", path(&other)]), 2, &told);
}

#[test]
fn models_with_labels_stand_beside_those_without() {
    let folder = tempfile::tempdir().unwrap();
    let runs = ["mlp", "cgan"].map(|model| of_halves(folder.path(), model, "1", &[]).parent().unwrap().to_owned());
    let json = succeeds(run(&[
        "runs",
        "compare",
        path(&runs[0]),
        path(&runs[1]),
        "--images",
        "12",
        "--engine",
        "tract",
        "--json",
        "-q",
    ]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    // Too few images for the kernel distance, which is no standard then.
    assert_eq!(json["scores"], serde_json::json!(["fid", "precision", "recall", "coverage", "vendi"]));
    assert!(json["lines"][1]["game"].as_str().unwrap().starts_with("cgan"), "{json}");
}

/// The same images for the same seed, however they are cut into batches; an exported generator whose labels are a code says so.
#[test]
fn codes_are_drawn_image_by_image() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = of_halves(folder.path(), "infogan", "1", &[]);
    let made = |batch: &str| {
        let file = folder.path().join(format!("{batch}.npy"));
        let arguments =
            ["generate", "--checkpoint", path(&checkpoint), "-n", "9", "--batch-size", batch, "-o", path(&file)];
        succeeds(run(&arguments));
        ndarray_npy::read_npy::<_, Array4<u8>>(&file).unwrap()
    };
    let (one, all) = (made("1"), made("9"));
    // A level may round the other way where a product is cut otherwise.
    assert!(one.iter().zip(&all).all(|(a, b)| a.abs_diff(*b) <= 1), "batches change images");
    let onnx = folder.path().join("g.onnx");
    succeeds(run(&["export", "--checkpoint", path(&checkpoint), "-o", path(&onnx)]));
    let real = halves(folder.path());
    let arguments = ["fid", path(&real), "--generator", path(&onnx), "-n", "30", "--extractor", "efficientnet-lite0"];
    fails(run(&[&arguments[..], &["--engine", "tract"]].concat()), 3, &["takes a code (10,2 categories and numbers)"]);
}

#[test]
fn labels_that_do_not_fit_are_not_taken_for_missing_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("few.npz"), folder.path().join("run"));
    let mut npz = ndarray_npy::NpzWriter::new(fs::File::create(&file).unwrap());
    npz.add_array("arr_0", &Array4::<u8>::zeros((10, 16, 16, 1))).unwrap();
    npz.add_array("arr_1", &Array1::<i64>::zeros(9)).unwrap();
    npz.finish().unwrap();
    let arguments =
        ["train", "--data", path(&file), "--model", "cgan", "--size", "16", "--steps", "1", "--out", path(&out)];
    fails(run(&arguments), 2, &["few.npz", "there are 9 classes, and 10 images"]);
}
