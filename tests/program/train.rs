//! `gan-metrics train`, `generate` and `export`, as users run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use gan_metrics::extractor::{EngineChoice, GeneratorFile, NetworkOptions, OnnxGenerator};
use gan_metrics::gan::models::{ModelEntry, PixelRange};
use gan_metrics::gan::objectives::ObjectiveEntry;
use gan_metrics::gan::regularizers::RegularizerEntry;
use gan_metrics::gan::train::{Latent, checkpoint};
use gan_metrics::gan::{Random, Var};
use gan_metrics::image::DataSet;
use ndarray::{Array1, Array4, ArrayView2};
use tract_onnx::prelude::*;

use crate::support::{self, fails, has_onnx_runtime, json, program, succeeds, text};

/// Gray images of discs, N×16×16×1.
fn discs(folder: &Path, images: usize) -> PathBuf {
    let array = Array4::from_shape_vec((images, 16, 16, 1), support::discs(5, images, 16)).unwrap();
    let path = folder.join("discs.npy");
    ndarray_npy::write_npy(&path, &array).unwrap();
    path
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn train(arguments: &[&str]) -> Output {
    program().arg("train").args(arguments).output().unwrap()
}

const SMALL: [&str; 12] = [
    "--size",
    "16",
    "--width",
    "4",
    "--latent-size",
    "8",
    "--batch-size",
    "8",
    "--seed",
    "3",
    "--average-decay",
    "0.9",
];

fn trained(data: &Path, out: &Path, steps: &str, more: &[&str]) -> Output {
    train(&[&["--data", path(data), "--out", path(out), "--steps", steps], &SMALL[..], more].concat())
}

#[test]
fn a_resumed_run_ends_where_an_uninterrupted_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let data = discs(folder.path(), 20);
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    succeeds(trained(&data, &whole, "6", &["--sample-every", "2"]));
    succeeds(trained(&data, &parts, "3", &[]));
    // The data are those of the first part.
    let resumed = succeeds(train(&["--out", path(&parts), "--steps", "6", "--resume"]));
    assert!(resumed.contains("6 steps done"), "{resumed}");
    for file in ["checkpoint.safetensors", "samples/0000006.png"] {
        assert!(fs::read(whole.join(file)).unwrap() == fs::read(parts.join(file)).unwrap(), "{file} differs");
    }
    let rows = fs::read_to_string(parts.join("metrics.csv")).unwrap();
    let steps: Vec<&str> = rows.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(steps, ["1", "2", "3", "4", "5", "6"]);
    let config = fs::read_to_string(whole.join("config.toml")).unwrap();
    assert!(config.contains("seed = 3") && config.contains("model = \"dcgan\""), "{config}");
    let curves = fs::read_to_string(whole.join("curves.svg")).unwrap();
    assert!(curves.starts_with("<svg") && curves.contains("losses"));
    let pixels = image::open(whole.join("curves.png")).unwrap();
    assert!(curves.contains(&format!("width=\"{}\"", pixels.width() / 2)), "twice the pixels: {}", pixels.width());

    fails(trained(&data, &whole, "9", &[]), 2, &["holds a run already", "--resume"]);
    fails(train(&["--out", path(&whole), "--steps", "6", "--resume"]), 2, &["has 6 steps already"]);
    let other = folder.path().join("other.npy");
    ndarray_npy::write_npy(&other, &Array4::<u8>::zeros((20, 16, 16, 1))).unwrap();
    let foreign = train(&["--data", path(&other), "--out", path(&whole), "--steps", "9", "--resume"]);
    fails(foreign, 3, &["it was trained on 20 other images"]);
}

#[test]
fn a_resumed_run_keeps_its_threads() {
    let folder = tempfile::tempdir().unwrap();
    let data = discs(folder.path(), 10);
    let out = folder.path().join("run");
    succeeds(trained(&data, &out, "1", &["--threads", "1"]));
    let resume = |steps, more: &[&str]| train(&[&["--out", path(&out), "--steps", steps, "--resume"], more].concat());
    for (steps, more) in [("2", &[][..]), ("3", &["--threads", "1"])] {
        let resumed = succeeds(resume(steps, more));
        assert!(resumed.contains("batches of 8, 1 threads"), "{resumed}");
    }
    fails(resume("4", &["--threads", "2"]), 2, &["began with --threads 1", "drop --threads"]);
}

#[test]
fn generated_images_have_a_form_for_every_extension_and_a_score() {
    let folder = tempfile::tempdir().unwrap();
    let data = discs(folder.path(), 16);
    let run = folder.path().join("run");
    let report = succeeds(trained(
        &data,
        &run,
        "4",
        &["--score-every", "2", "--scores", "fid,is", "--score-images", "12", "--engine", "tract", "--channels", "3"],
    ));
    let scores: Vec<[f64; 2]> = report
        .lines()
        .filter_map(|line| line.split_whitespace().collect::<Vec<_>>().try_into().ok())
        .filter_map(|[step, .., fid, is]: [&str; 8]| {
            step.parse::<u64>().ok().map(|_| [fid, is].map(|score| score.parse().unwrap()))
        })
        .collect();
    assert_eq!(scores.len(), 2, "{report}");
    let rows = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert!(rows.lines().next().unwrap().ends_with(",fid,is"), "{rows}");

    let checkpoint = run.join("checkpoint.safetensors");
    let generate = |output: &Path, more: &[&str]| {
        let arguments = ["generate", "--checkpoint", path(&checkpoint), "-n", "12", "-o", path(output), "-q"];
        program().args(arguments).args(more).output().unwrap()
    };
    let pixels = |path: &Path| -> Vec<Vec<u8>> {
        let set = DataSet::open(path).unwrap();
        (0..set.len()).map(|i| set.load(i).unwrap().into_pixels()).collect()
    };
    let array = folder.path().join("x.npy");
    succeeds(generate(&array, &["--batch-size", "12"]));
    let images = pixels(&array);
    assert_eq!((images.len(), images[0].len()), (12, 3 * 16 * 16));
    for name in ["x.npz", "x.zip", "x"] {
        let output = folder.path().join(name);
        succeeds(generate(&output, &["--batch-size", "12"]));
        assert_eq!(pixels(&output), images, "{name}");
    }
    let other = folder.path().join("y.npy");
    succeeds(generate(&other, &["--seed", "1"]));
    assert_ne!(pixels(&other), images);
    fails(generate(&folder.path().join("x"), &[]), 2, &["is there already and not empty"]);
    fails(generate(&folder.path().join("no/x.npy"), &[]), 2, &["cannot write to"]);
    let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(entries.into_iter().all(|name| !name.to_string_lossy().starts_with('.')), "a temporary is left");

    // The last score of the run is that of the images that its seed generates.
    let same = folder.path().join("same.npy");
    succeeds(generate(&same, &["--seed", "3"]));
    let options =
        ["--metrics", "fid,is", "--extractor", "efficientnet-lite0", "--engine", "tract", "--json", "--quiet"];
    let report = json(program().args(["score", path(&data), path(&same)]).args(options).output().unwrap());
    let [fid, is] = [("fid", "value"), ("inception_score", "mean")]
        .map(|(score, value)| report["metrics"][score][value].as_f64().unwrap());
    // Batches of another size round differently, which moves pixels by a level.
    assert!((fid - scores[1][0]).abs() < 1e-2 * fid, "{fid} is not {}", scores[1][0]);
    assert!((is - scores[1][1]).abs() < 1e-2 * is, "{is} is not {}", scores[1][1]);

    // Known before the first step.
    let out = folder.path().join("none");
    let few = trained(&data, &out, "1", &["--score-every", "1", "--scores", "kid", "--engine", "tract"]);
    fails(few, 2, &["the real set has 16 images", "at least 1000"]);
    let spatial = trained(&data, &out, "1", &["--score-every", "1", "--scores", "sfid", "--engine", "tract"]);
    fails(spatial, 2, &["sFID needs spatial features"]);
    assert!(!out.exists(), "a run that cannot begin leaves nothing");
}

#[test]
fn an_exported_generator_gives_the_same_images() {
    /// What f32 allows on the way through a few layers of other kernels.
    const TOLERANCE: f32 = 1e-5;
    let folder = tempfile::tempdir().unwrap();
    let data = discs(folder.path(), 16);
    for model in ["dcgan", "mlp"] {
        let run = folder.path().join(model);
        succeeds(trained(&data, &run, "3", &["--model", model]));
        let checkpoint = run.join("checkpoint.safetensors");
        let onnx = folder.path().join("g.onnx");
        let arguments = ["export", "--checkpoint", path(&checkpoint), "-o", path(&onnx)];
        succeeds(program().args(arguments).output().unwrap());

        let trained = checkpoint::trained(&checkpoint).unwrap();
        let generator = trained.networks.get("generator").unwrap();
        let z = Latent::Normal.draw(&generator.graph().inputs()[0].value, 5, &mut Random::new(1));
        let outputs = generator.evaluate(&[&Var::constant(z.clone())]).unwrap();
        let expected = outputs.get("images").unwrap();
        let range = trained.system.pixel_range();
        assert_eq!(range, if model == "mlp" { PixelRange::Unit } else { PixelRange::Symmetric });
        let mut graph = tract_onnx::onnx().model_for_path(&onnx).unwrap();
        graph.set_input_fact(0, f32::fact(z.shape()).into()).unwrap();
        let graph = graph.into_optimized().unwrap().into_runnable().unwrap();
        let input = tract_onnx::prelude::Tensor::from_shape(z.shape(), z.data()).unwrap();
        let outputs = graph.run(tvec!(input.into())).unwrap();
        let ours = expected.value();
        assert_eq!(outputs[0].shape(), ours.shape());
        let theirs = outputs[0].try_as_plain_ram().unwrap().as_slice::<f32>().unwrap();
        for (theirs, ours) in theirs.iter().zip(ours.data()) {
            assert!((theirs - ours).abs() <= TOLERANCE, "{model}: {theirs} is not {ours}");
        }
    }
}

#[test]
fn an_exported_generator_is_scored_like_its_images() {
    /// Other kernels round other bits, which takes few pixels across the border between two bytes.
    const DIFFERENT_PIXELS: f64 = 0.01;
    let folder = tempfile::tempdir().unwrap();
    let data = discs(folder.path(), 16);
    let run = folder.path().join("run");
    succeeds(trained(&data, &run, "3", &[]));
    let checkpoint = run.join("checkpoint.safetensors");
    let onnx = folder.path().join("g.onnx");
    succeeds(program().args(["export", "--checkpoint", path(&checkpoint), "-o", path(&onnx)]).output().unwrap());
    let images = folder.path().join("same.npy");
    let arguments = ["generate", "--checkpoint", path(&checkpoint), "-n", "12", "--seed", "5", "-q"];
    succeeds(program().args(arguments).args(["-o", path(&images)]).output().unwrap());

    let fid = |more: &[&str]| {
        let options = ["--extractor", "efficientnet-lite0", "--engine", "tract", "--json", "--quiet"];
        program().args(["fid", path(&data)]).args(options).args(more).output().unwrap()
    };
    let value = |report: &serde_json::Value| report["metrics"]["fid"]["value"].as_f64().unwrap();
    let expected = value(&json(fid(&[path(&images)])));
    let generator = ["--generator", path(&onnx), "-n", "12", "--latent-seed", "5"];
    let report = json(fid(&generator));
    // A level more or less in a few pixels.
    assert!((value(&report) - expected).abs() < 1e-2 * expected, "{} is not {expected}", value(&report));
    let set = &report["sets"][1];
    assert_eq!((set["path"].as_str(), set["kind"].as_str()), (Some(path(&onnx)), Some("generator")));
    assert_eq!((set["images"].as_u64(), set["generator"]["latent"].as_str()), (Some(12), Some("normal:8")));
    assert_eq!(set["generator"]["engine"]["name"], "tract");
    assert_ne!(value(&json(fid(&[&generator[..4], &["--latent-seed", "6"]].concat()))), value(&report));
    assert_ne!(value(&json(fid(&[&generator[..], &["--pixel-range", "0,1"]].concat()))), value(&report));

    fails(fid(&[]), 2, &["<FAKE>"]);
    fails(fid(&[&[path(&images)], &generator[..]].concat()), 2, &["given twice", "same.npy", "--generator"]);
    fails(fid(&[path(&images), "-n", "12"]), 2, &["--images would have no effect", "--generator"]);
    fails(fid(&["-n", "12"]), 2, &["<FAKE>"]);
    fails(fid(&[&generator[..], &["--latent", "normal:9"]].concat()), 2, &["z: float32 [N, 8, 1, 1]", "not 9 numbers"]);
    fails(fid(&[&generator[..], &["--latent", "cauchy:8"]].concat()), 2, &["cauchy", "normal, uniform"]);
    fails(fid(&["--generator", path(&images)]), 3, &["same.npy: this is no ONNX model"]);

    // Both engines against the crate's own layers.
    let mut engines = vec![EngineChoice::Tract];
    if has_onnx_runtime() {
        engines.push(EngineChoice::OnnxRuntime);
    }
    let trained = checkpoint::trained(&checkpoint).unwrap();
    let generator = trained.networks.get("generator").unwrap();
    let z = Latent::Normal.draw(&generator.graph().inputs()[0].value, 20, &mut Random::new(1));
    let outputs = generator.evaluate(&[&Var::constant(z.clone())]).unwrap();
    let expected = outputs.get("images").unwrap();
    let expected = expected.value().data().iter().map(|&value| trained.system.pixel_range().to_byte(value));
    let expected: Vec<u8> = expected.collect();
    for engine in engines {
        let options = NetworkOptions::default().with_engine(engine).with_batch_size(Some(8));
        let file = GeneratorFile { path: onnx.clone(), ..GeneratorFile::default() };
        let mut generator = OnnxGenerator::load(&file, &options).unwrap();
        let latents = ArrayView2::from_shape((20, generator.latent_length()), z.data()).unwrap();
        let found = generator.images(latents, &[]).unwrap();
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1), "{engine}");
        let different = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
        assert!(different as f64 <= DIFFERENT_PIXELS * found.len() as f64, "{engine}: {different} pixels");
    }
}

#[test]
fn bad_input_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = discs(folder.path(), 10);
    let out = folder.path().join("run");
    let refused = |more: &[&str], parts: &[&str]| {
        let arguments = ["--data", path(&data), "--out", path(&out), "--steps", "1"];
        fails(train(&[&arguments[..], more].concat()), 2, parts);
        assert!(!out.exists(), "a run that cannot begin leaves nothing");
    };
    refused(&["--size", "48"], &["the image size = 48", "16, 28, 32, 64 or 128"]);
    refused(&["--size", "16", "--batch-size", "11"], &["there are 10 of them, fewer than a batch of 11"]);
    refused(&["--size", "16", "--real-label", "0.2"], &["the label of real images = 0.2"]);
    refused(&["--objective", "nonsense"], &["nonsense", "non-saturating"]);
    refused(&["--resume"], &["holds no run to resume"]);
    refused(&["--resume", "--seed", "1"], &["--resume", "--seed"]);
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let arguments = ["--data", path(&empty), "--out", path(&out), "--steps", "1"];
    assert_eq!(train(&arguments).status.code(), Some(2));
    let no_checkpoint = folder.path().join("x.safetensors");
    fs::write(&no_checkpoint, b"nothing").unwrap();
    let output = folder.path().join("x.npy");
    let arguments = ["generate", "--checkpoint", path(&no_checkpoint), "-n", "2", "-o", path(&output)];
    fails(program().args(arguments).output().unwrap(), 3, &["this is not a whole safetensors file"]);
    assert!(!output.exists());
    // A step this long leaves the range of numbers.
    let exploding = ["--size", "16", "--width", "4", "--batch-size", "8", "--learning-rate", "1e30"];
    let arguments = ["--data", path(&data), "--out", path(&out), "--steps", "9", "-q"];
    fails(train(&[&arguments[..], &exploding].concat()), 2, &["step ", "the last checkpoint is kept"]);
    checkpoint::trained(&out.join("checkpoint.safetensors")).unwrap();
}

#[test]
fn a_run_is_not_among_its_own_data() {
    let folder = tempfile::tempdir().unwrap();
    let array = discs(folder.path(), 16);
    let run = folder.path().join("run");
    succeeds(trained(&array, &run, "1", &[]));
    let images = folder.path().join("images");
    let checkpoint = run.join("checkpoint.safetensors");
    let arguments = ["generate", "--checkpoint", path(&checkpoint), "-n", "16", "-o", path(&images), "-q"];
    succeeds(program().args(arguments).output().unwrap());
    let entries = |path: &Path| fs::read_dir(path).unwrap().count();

    let told = ["would be found among its training images in", "images", "keep --out outside of --data"];
    let inside = images.join("run");
    fails(trained(&images, &inside, "1", &[]), 2, &told);
    fails(trained(&images, &images, "1", &[]), 2, &told);
    fails(trained(&images, &images.join("../images/run"), "1", &[]), 2, &told);
    #[cfg(unix)]
    {
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("images", &link).unwrap();
        fails(trained(&images, &link.join("run"), "1", &[]), 2, &told);
        fails(trained(&link, &inside, "1", &[]), 2, &told);
    }
    // Patterns and lists would find them too.
    let pattern = images.join("**/*.png");
    fails(trained(&pattern, &inside, "1", &[]), 2, &told[..1]);
    let list = folder.path().join("list.txt");
    fs::write(&list, "images\n").unwrap();
    fails(trained(Path::new(&format!("@{}", list.display())), &inside, "1", &[]), 2, &told[..1]);
    // A pattern that does not, and that is found again from any folder.
    let pattern = images.join("*.png");
    succeeds(trained(&pattern, &inside, "1", &[]));
    let config = fs::read_to_string(inside.join("config.toml")).unwrap();
    assert!(config.contains(&format!("data = [\"{}\"]", pattern.display())), "{config}");
    succeeds(train(&["--out", path(&inside), "--steps", "2", "--resume"]));
    fs::remove_dir_all(&inside).unwrap();
    let around = folder.path().join("around");
    fs::create_dir(&around).unwrap();
    fs::create_dir(around.join("samples")).unwrap();
    fs::copy(images.join("00000.png"), around.join("samples/0.png")).unwrap();
    fails(trained(&around.join("samples"), &around, "1", &[]), 2, &told[..1]);
    assert_eq!((entries(&images), entries(&around)), (16, 1));

    // Beside them it may be, until somebody moves it.
    let beside = folder.path().join("images of a run");
    succeeds(trained(&images, &beside, "1", &[]));
    succeeds(train(&["--out", path(&beside), "--steps", "2", "--resume"]));
    fs::rename(&beside, &inside).unwrap();
    fails(train(&["--out", path(&inside), "--steps", "3", "--resume"]), 2, &told);
    fails(train(&["--data", path(&images), "--out", path(&inside), "--steps", "3", "--resume"]), 2, &told);
}

#[test]
fn the_folder_of_a_run_is_checked_before_the_images_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let [missing, file] = ["missing.npy", "x.npz"].map(|name| folder.path().join(name));
    fs::write(&file, b"").unwrap();
    let refused = |out: &Path, parts: &[&str]| fails(trained(&missing, out, "1", &[]), 2, parts);
    refused(&file, &["cannot write to", "x.npz is not a folder"]);
    refused(&file.join("run"), &["cannot write to", "x.npz is not a folder"]);
    refused(&folder.path().join("no/run"), &["cannot write to", "no does not exist; create it first"]);
    #[cfg(unix)]
    refused(Path::new("/dev/null"), &["/dev/null is not a folder"]);
    refused(&folder.path().join("run"), &["missing.npy"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a run that cannot begin leaves nothing");
}

#[test]
fn a_killed_run_leaves_a_checkpoint_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = discs(folder.path(), 16);
    let out = folder.path().join("run");
    let checkpoint = out.join("checkpoint.safetensors");
    let binary = assert_cmd::cargo::cargo_bin("gan-metrics");
    let mut child = std::process::Command::new(binary)
        .args(["train", "--data", path(&data), "--out", path(&out), "--steps", "1000000", "--checkpoint-every", "1"])
        .args(["--sample-every", "1000000", "-q"])
        .args(SMALL)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let steps = || checkpoint::trained(&checkpoint).map(|trained| trained.step);
    // Whenever it is looked at, there is a whole checkpoint: one is written at every step.
    while !matches!(steps(), Ok(3..)) {
        assert!(started.elapsed() < Duration::from_secs(120), "no checkpoint after two minutes");
        assert!(!checkpoint.exists() || steps().is_ok());
        std::thread::sleep(Duration::from_millis(3));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let done = steps().unwrap();
    let more = (done + 2).to_string();
    let output = train(&["--out", path(&out), "--steps", &more, "--resume", "-q"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(steps().unwrap(), done + 2);
}

#[test]
fn the_lists_name_all_that_can_be_trained() {
    let listed = succeeds(train(&["--list"]));
    let models = ModelEntry::all().iter().map(ModelEntry::name);
    let objectives = ObjectiveEntry::all().iter().map(ObjectiveEntry::name);
    for name in models.chain(objectives).chain(RegularizerEntry::all().iter().map(RegularizerEntry::name)) {
        let line = listed.lines().find(|line| line.trim_start().split([' ', ':']).next() == Some(name));
        assert!(line.is_some_and(|line| line.ends_with(')')), "{name} is missing, or its paper:\n{listed}");
    }
    fails(train(&["--list", "--steps", "2"]), 2, &["--list", "cannot be used with"]);
}

#[test]
fn classes_are_learnt_and_made() {
    let folder = tempfile::tempdir().unwrap();
    // Halves that are light, above or below, with their class in the array of labels.
    let images = Array4::from_shape_fn((12, 16, 16, 1), |(i, y, _, _)| if (y / 8) % 2 == i % 2 { 230_u8 } else { 20 });
    let data = folder.path().join("halves.npz");
    let mut npz = ndarray_npy::NpzWriter::new(fs::File::create(&data).unwrap());
    npz.add_array("arr_0", &images).unwrap();
    npz.add_array("arr_1", &Array1::from_iter((0..12_i64).map(|i| 3 + i % 2))).unwrap();
    npz.finish().unwrap();
    let run = folder.path().join("run");
    succeeds(trained(&data, &run, "2", &["--model", "cgan"]));
    let checkpoint = run.join("checkpoint.safetensors");
    let made = |class: &str, name: &str| {
        let to = folder.path().join(name);
        let arguments = ["generate", "--checkpoint", path(&checkpoint), "-n", "3", "-o", path(&to), "--class", class];
        succeeds(program().args(arguments).output().unwrap());
        fs::read(to).unwrap()
    };
    assert_ne!(made("0", "a.npy"), made("1", "b.npy"));
    let third = ["generate", "--checkpoint", path(&checkpoint), "-n", "3", "-o", "c.npy", "--class", "2"];
    fails(program().args(third).output().unwrap(), 2, &["the class = 2", "from 0 to 1"]);
    let grid = folder.path().join("grid.png");
    let walk = ["traverse", "--checkpoint", path(&checkpoint), "-o", path(&grid), "--columns", "5"];
    assert!(succeeds(program().args(walk).output().unwrap()).contains("2 rows of 5 images"));
    assert_eq!(image::open(&grid).unwrap().to_luma8().dimensions(), (5 * 16 + 4 * 2, 2 * 16 + 2));
    // Without classes there is nothing to learn from.
    let plain = discs(folder.path(), 12);
    let told = ["cgan learns from classes", "not known"];
    fails(trained(&plain, &folder.path().join("other"), "2", &["--model", "cgan"]), 2, &told);
}

#[test]
fn a_run_belongs_to_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (discs(folder.path(), 20), folder.path().join("run"));
    succeeds(trained(&data, &run, "2", &[]));
    let lock = fs::File::create(run.join(".lock")).unwrap();
    lock.try_lock().unwrap();
    let resume = || train(&["--out", path(&run), "--steps", "4", "--resume"]);
    fails(resume(), 2, &["another process trains in"]);
    drop(lock);
    succeeds(resume());
}

#[test]
fn images_are_reconstructed_in_pairs_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (discs(folder.path(), 20), folder.path().join("run"));
    succeeds(trained(&data, &run, "2", &["--model", "vae"]));
    let (checkpoint, grid) = (run.join("checkpoint.safetensors"), folder.path().join("grid.png"));
    let arguments = ["reconstruct", "--checkpoint", path(&checkpoint), "--data", path(&data), "-o", path(&grid)];
    let told = succeeds(program().args(arguments).args(["--rows", "2", "--columns", "3"]).output().unwrap());
    assert!(told.contains("6 images above their reconstructions"), "{told}");
    let image = image::open(&grid).unwrap().to_luma8();
    assert_eq!(image.dimensions(), (3 * 16 + 2 * 2, 4 * 16 + 3 * 2));
    let original: ndarray::Array4<u8> = ndarray_npy::read_npy(&data).unwrap();
    let shown =
        (0..256).all(|i| image.get_pixel(i % 16, i / 16).0[0] == original[[0, i as usize / 16, i as usize % 16, 0]]);
    assert!(shown, "the first image is not where it should be");
}
