//! Features written to files, and the cache of features: both give the numbers that the images give.

use std::fs;
use std::path::{Path, PathBuf};

use gan_metrics::extractor::weights::inception_v3;
use gan_metrics::stats::FeatureFile;
use ndarray::Array4;
use serde_json::Value;

use crate::support::{checkpoint_bytes, fails, json, noise, program_at, succeeds, text};

/// Six small images in a folder for each class.
fn images(folder: &Path, name: &str, seed: u32) -> PathBuf {
    let root = folder.join(name);
    let mut noise = noise(seed);
    for index in 0..6 {
        let class = root.join(if index < 3 { "a" } else { "b" });
        fs::create_dir_all(&class).unwrap();
        let pixels: Vec<u8> = (0..8 * 8 * 3).map(|_| (noise() >> 24) as u8).collect();
        image::save_buffer(class.join(format!("{index}.png")), &pixels, 8, 8, image::ColorType::Rgb8).unwrap();
    }
    root
}

fn lite(home: &Path, arguments: &[&str]) -> std::process::Output {
    let network = ["--extractor", "efficientnet-lite0", "--engine", "tract"];
    program_at(home).args(arguments).args(network).output().unwrap()
}

fn text_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

const METRICS: [&str; 3] = ["--metrics", "fid,prdc,mind,mmd,mifid,vendi,is-infinity,per-class", "--json"];

#[test]
fn scores_of_feature_files_are_those_of_the_images() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (text_of(&images(folder.path(), "a", 1)), text_of(&images(folder.path(), "b", 2)));
    let from_images = json(lite(folder.path(), &[&["score", &a, &b][..], &METRICS[..]].concat()));
    let file = |name: &str| text_of(&folder.path().join(name));
    let (npz, safetensors, npy) = (file("a.npz"), file("b.safetensors"), file("b.npy"));
    let written = succeeds(lite(folder.path(), &["features", &a, "-o", &npz]));
    assert!(written.ends_with("a.npz: 6 images, 1280 features, 1000 logits\n"), "{written}");
    succeeds(lite(folder.path(), &["features", &b, "-o", &safetensors]));
    let from_files = program_at(folder.path()).args(["score", &npz, &safetensors]).args(METRICS).output().unwrap();
    let from_files = json(from_files);
    assert_eq!(from_files["metrics"], from_images["metrics"]);
    assert_eq!(from_files["metrics"]["per_class_fid"][1]["label"], "b");
    assert_eq!(from_files["sets"][0]["provenance"]["extractor"], "efficientnet-lite0");
    // One of the sets may be images.
    let mixed = json(lite(folder.path(), &[&["score", &npz, &b][..], &METRICS[..]].concat()));
    assert_eq!(mixed["metrics"], from_images["metrics"]);
    // Others read what was written.
    let bytes = fs::read(&safetensors).unwrap();
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(read.tensor("features").unwrap().shape(), [6, 1280]);
    assert_eq!(read.tensor("logits").unwrap().dtype(), safetensors::Dtype::F32);

    let words = succeeds(lite(folder.path(), &["features", &b, "-o", &npy]));
    assert!(words.contains("a .npy file holds nothing else"), "{words}");
    let values: ndarray::Array2<f32> = ndarray_npy::read_npy(&npy).unwrap();
    assert_eq!(values, FeatureFile::read(Path::new(&safetensors)).unwrap().features.into_inner());
    fails(lite(folder.path(), &["features", &b, "-o", &file("b.csv")]), 2, &["b.csv", ".safetensors"]);
    fails(lite(folder.path(), &["features", &b, "-o", &npz, "--spatial"]), 2, &["sFID needs spatial features"]);
}

fn cache_of(report: &Value) -> Vec<&str> {
    report["sets"].as_array().unwrap().iter().map(|set| set["cache"].as_str().unwrap_or("off")).collect()
}

#[test]
fn the_cache_gives_the_same_numbers_and_is_never_stale() {
    let home = tempfile::tempdir().unwrap();
    let (a, b) = (images(home.path(), "a", 1), images(home.path(), "b", 2));
    let run = |a: &Path, b: &Path, flags: &[&str]| {
        let mut arguments = vec!["score".to_owned(), text_of(a), text_of(b)];
        arguments.extend(METRICS.iter().chain(flags).map(|flag| (*flag).to_owned()));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        json(lite(home.path(), &arguments))
    };
    let off = run(&a, &b, &[]);
    assert_eq!(cache_of(&off), ["off", "off"]);
    assert!(!home.path().join("features").exists(), "nothing is written that was not asked for");
    let first = run(&a, &b, &["--cache", "use"]);
    let second = run(&a, &b, &["--cache", "use"]);
    assert_eq!((cache_of(&first), cache_of(&second)), (vec!["stored", "stored"], vec!["hit", "hit"]));
    assert_eq!(first["metrics"], off["metrics"]);
    assert_eq!(second["metrics"], off["metrics"]);
    let text = succeeds(lite(home.path(), &["fid", &text_of(&a), &text_of(&b), "--cache", "use", "--quiet"]));
    assert_eq!(text.matches("features from the cache").count(), 2, "{text}");
    assert!(second["sets"][0]["seconds"].is_null());
    assert_eq!(cache_of(&run(&a, &b, &["--cache", "refresh"])), ["stored", "stored"]);

    // The same images elsewhere are the same; another way of resizing is another.
    let moved = home.path().join("moved");
    fs::rename(&a, &moved).unwrap();
    assert_eq!(cache_of(&run(&moved, &b, &["--cache", "use"])), ["hit", "hit"]);
    assert_eq!(cache_of(&run(&moved, &b, &["--cache", "use", "--resize", "clean"])), ["stored", "stored"]);
    // One level of one pixel.
    let changed = moved.join("b/4.png");
    let mut picture = image::open(&changed).unwrap().into_rgb8();
    picture.get_pixel_mut(3, 3).0[1] ^= 1;
    picture.save(&changed).unwrap();
    let after = run(&moved, &b, &["--cache", "use"]);
    assert_eq!(cache_of(&after), ["stored", "hit"]);
    assert_ne!(after["metrics"]["fid"], off["metrics"]["fid"]);
    // A damaged entry is computed again.
    for entry in fs::read_dir(home.path().join("features")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    let again = run(&moved, &b, &["--cache", "use"]);
    assert_eq!(cache_of(&again), ["stored", "stored"]);
    assert_eq!(again["metrics"], after["metrics"]);
}

#[test]
fn the_cache_keeps_to_its_limit_and_can_be_listed_and_cleared() {
    let home = tempfile::tempdir().unwrap();
    let (a, b) = (text_of(&images(home.path(), "a", 1)), text_of(&images(home.path(), "b", 2)));
    let list = || succeeds(program_at(home.path()).args(["cache", "list"]).output().unwrap());
    assert!(list().contains(": 0 sets, 0.0 MiB"), "{}", list());
    // A set takes 6·(1280 + 1000)·4 bytes and a little more.
    let flags = ["--cache", "use", "--cache-limit", "80K", "--json"];
    let report = json(lite(home.path(), &[&["mind", &a, &b][..], &flags[..]].concat()));
    assert_eq!(cache_of(&report), ["stored", "stored"]);
    let listed = list();
    assert!(listed.contains(": 1 sets") && listed.contains("6 images, efficientnet-lite0 features"), "{listed}");
    let report = json(lite(home.path(), &[&["mind", &a, &b][..], &flags[..]].concat()));
    assert_eq!(cache_of(&report)[0], "stored", "what was used last is what was kept");
    let tiny = lite(home.path(), &["vendi", &b, "--cache", "refresh", "--cache-limit", "1K", "--json"]);
    let stderr = text(&tiny.stderr);
    assert!(stderr.contains("more than the limit of the cache, 1024: raise the limit"), "{stderr}");
    assert_eq!(cache_of(&json(tiny)), ["not-stored"]);
    let cleared = succeeds(program_at(home.path()).args(["cache", "clear"]).output().unwrap());
    assert!(cleared.contains("removed 1 sets"), "{cleared}");
    assert!(list().contains(": 0 sets"));
    fails(lite(home.path(), &["vendi", &b, "--cache-limit", "lots"]), 2, &["expected a number of bytes"]);
}

#[test]
fn spatial_features_come_from_the_same_pass() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (checkpoint, onnx, first, second) = (path("seeded.pth"), path("seeded.onnx"), path("a.npy"), path("b.npy"));
    fs::write(&checkpoint, checkpoint_bytes(&inception_v3::seeded_state_dict(0))).unwrap();
    succeeds(program_at(home.path()).args(["model", "convert", &checkpoint, "-o", &onnx]).output().unwrap());
    for (path, salt) in [(&first, 7), (&second, 13)] {
        let level = |(image, row, column, channel): (usize, usize, usize, usize)| {
            ((image * 97 + row * (image + 3) * salt + column * 11 + channel * 31) % 256) as u8
        };
        ndarray_npy::write_npy(path, &Array4::from_shape_fn((6, 8, 8, 3), level)).unwrap();
    }
    let network = ["--model", onnx.as_str(), "--engine", "tract"];
    let from_images = program_at(home.path())
        .args(["score", &first, &second, "--preset", "adm", "--json"])
        .args(network)
        .output()
        .unwrap();
    let from_images = json(from_images);
    assert_eq!(from_images["metrics"]["sfid"]["dim"], 2023);
    assert_eq!(from_images["extractor"]["spatial_output"], "sfid");
    assert!(from_images["metrics"]["sfid"]["value"].as_f64().unwrap() > 0.0);
    assert_eq!(from_images["preparation"]["resize"], "tf1");
    let files = [path("a.npz"), path("b.npz")];
    for (images, file) in [(&first, &files[0]), (&second, &files[1])] {
        let run = program_at(home.path()).args(["features", images, "-o", file, "--spatial"]).args(network).output();
        assert!(succeeds(run.unwrap()).contains("6 images, 2048 features, 1008 logits, 2023 spatial features"));
    }
    let arguments = ["score", &files[0], &files[1], "--preset", "adm", "--json"];
    let from_files = json(program_at(home.path()).args(arguments).output().unwrap());
    assert_eq!(from_files["metrics"], from_images["metrics"]);
}

/// Two sets of 200,000 × 2048 features, 3.3 GB, in a process that may take 2 GB of memory for itself.
#[cfg(unix)]
#[test]
#[ignore = "writes 3.3 GB and takes two minutes: cargo test --test program -- --ignored more_than_the_memory"]
fn sets_of_more_than_the_memory_are_scored_where_they_lie() {
    use std::io::{BufWriter, Write};

    const LIMIT_IN_KIB: u32 = 2 << 20;
    const SHAPE: [usize; 2] = [200_000, 2048];
    let folder = tempfile::tempdir().unwrap();
    for (name, seed) in [("real.npy", 1), ("fake.npy", 2)] {
        let mut file = BufWriter::new(fs::File::create(folder.path().join(name)).unwrap());
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {:?}, }}", (SHAPE[0], SHAPE[1]));
        // Magic, version and length take ten bytes; the numbers begin at a multiple of 64.
        let header = format!("{header:<width$}\n", width = 117);
        file.write_all(b"\x93NUMPY\x01\x00").unwrap();
        file.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        file.write_all(header.as_bytes()).unwrap();
        let mut random = rand_mt::Mt64::new(seed);
        for _ in 0..SHAPE[0] * SHAPE[1] {
            file.write_all(&((random.next_u64() >> 40) as f32 / 16_777_216.0).to_le_bytes()).unwrap();
        }
        file.flush().unwrap();
    }
    let program = assert_cmd::cargo::cargo_bin("gan-metrics");
    let command = format!(
        "ulimit -d {LIMIT_IN_KIB} && exec {} score real.npy fake.npy --metrics fid,kid --json -q",
        program.display()
    );
    let report = json(std::process::Command::new("sh").arg("-c").arg(command).current_dir(&folder).output().unwrap());
    // Independent uniform numbers of one distribution: what is left is the bias of means and covariances,
    // (d + d·(d+1)/4)·σ²·2/n to first order.
    let expected = (2048.0 + 2048.0 * 2049.0 / 4.0) / 12.0 * 2.0 / 200_000.0;
    let fid = report["metrics"]["fid"]["value"].as_f64().unwrap();
    assert!((fid / expected - 1.0).abs() < 0.05, "{fid} for {expected}");
}
