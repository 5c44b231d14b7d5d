//! What the program says of custom networks and generators: the flag that helps, the exit code, and warnings.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::support::{fails, has_onnx_runtime, json, program, succeeds};

const FOLDER: &str = "tests/fixtures/networks/";

/// Runs `fid` in the folder of the networks, on tract.
fn fid(arguments: &str) -> Output {
    program()
        .current_dir(FOLDER)
        .arg("fid")
        .args(arguments.split_whitespace())
        .args(["--engine", "tract"])
        .output()
        .unwrap()
}

const SCALE: &str = "--mean 127.5 --std 127.5";

#[test]
fn a_refusal_names_the_flag_that_helps() {
    let of = |network: &str, more: &str| fid(&format!("a.npy b.npy --model {network} {more}"));
    fails(of("tokens.onnx", SCALE), 2, &["many rows an image", "--pooling spatial-mean, token-mean"]);
    fails(of("fixed.onnx", &format!("{SCALE} --batch-size 16")), 2, &["batches of 5 only", "leave --batch-size out"]);
    fails(of("plain.onnx", &format!("{SCALE} --input-size 9")), 2, &["N×3×9×9", "leave --input-size out"]);
    fails(of("plain.onnx", "--mean 0.5 --std 0.5"), 2, &["127.5", "--mean imagenet --std imagenet"]);
    fails(of("plain.onnx", "--mean 0 --std inf"), 2, &["--std", "positive number"]);
    fails(of("bytes.onnx", SCALE), 2, &["takes bytes", "change or drop --mean"]);
    fails(of("training.onnx", SCALE), 3, &["BatchNormalization", "model.eval()"]);
    fails(of("four.onnx", SCALE), 3, &["not a batch of images"]);
}

#[test]
fn a_second_file_that_is_missing_is_named_from_any_folder() {
    let folder = tempfile::tempdir().unwrap();
    let network = folder.path().join("x.onnx");
    fs::copy(format!("{FOLDER}beside/plain.onnx"), &network).unwrap();
    // There is one of that name in the current folder, which is not that of the network.
    let mut command = program();
    command
        .current_dir(format!("{FOLDER}beside"))
        .args(["fid", "../a.npy", "../b.npy", "--engine", "tract", "--model"]);
    let output = command.arg(&network).args(SCALE.split(' ')).output().unwrap();
    fails(output, 3, &["its weights are in `plain.onnx.data`, which is not there"]);
}

fn codes(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[test]
fn a_range_of_pixels_that_was_assumed_is_told_and_warned_of_where_it_does_not_look_it() {
    let run = |generator: &str, more: &str| {
        let generated = format!("--generator gen_{generator}.onnx --latent normal -n 12");
        fid(&format!("a.npy {generated} --model plain.onnx {SCALE} {more}"))
    };
    let sigmoid = json(run("sigmoid", "--json -q"));
    assert!(codes(&sigmoid).contains(&"pixel-range"));
    let generator = &sigmoid["sets"][1]["generator"];
    assert_eq!(generator["pixel_range_source"], "assumed");
    assert!(generator["values"][0].as_f64().unwrap() >= 0.0);
    assert!(succeeds(run("sigmoid", "")).contains("pixels from -1 to 1 (assumed)"));
    assert!(!codes(&json(run("sigmoid", "--pixel-range 0,1 --json -q"))).contains(&"pixel-range"));
    assert!(!codes(&json(run("tanh", "--json -q"))).contains(&"pixel-range"));
    // Levels from 0 to 255.
    assert!(codes(&json(run("levels", "--json -q"))).contains(&"pixel-range"));
    let bytes = json(run("bytes", "--json -q"));
    assert!(!codes(&bytes).contains(&"pixel-range"));
    let levels = json(run("levels", "--pixel-range 0,255 --json -q"));
    assert_eq!(bytes["metrics"], levels["metrics"]);
    fails(run("bytes", "--pixel-range 0,1"), 2, &["outputs bytes", "drop --pixel-range"]);
}

#[test]
fn a_faulty_network_exits_as_a_model_file_does_and_a_generator_of_batches_is_warned_of() {
    let on = |engine: &str, arguments: &str| {
        let arguments = format!("fid a.npy {arguments} {SCALE} --engine {engine}");
        program().current_dir(FOLDER).args(arguments.split_whitespace()).output().unwrap()
    };
    let engines = if has_onnx_runtime() { &["tract", "onnxruntime"][..] } else { &["tract"] };
    for engine in engines {
        fails(on(engine, "b.npy --model beyond.onnx"), 3, &[engine]);
        let generated = "--latent normal -n 12 --model plain.onnx --json -q";
        let mixed = json(on(engine, &format!("--generator gen_mixed.onnx {generated}")));
        let is_seen = *engine == "onnxruntime";
        assert_eq!(codes(&mixed).contains(&"batch-dependent"), is_seen, "{engine}");
        assert_eq!(mixed["sets"][1]["generator"]["batch_dependence"].is_f64(), is_seen);
        let plain = json(on(engine, &format!("--generator gen_tanh.onnx {generated}")));
        assert!(!codes(&plain).contains(&"batch-dependent"), "{engine}");
    }
    let range = on("tract", "--generator gen_range.onnx --latent normal --model plain.onnx");
    fails(range, 3, &["`0,1,2`", "--pixel-range, such as -1,1"]);
    fails(fid(&format!("a.npy b.npy --model map.onnx {SCALE} --pooling token-mean")), 2, &["token-mean makes no row"]);
}
