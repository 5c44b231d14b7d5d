//! ONNX Runtime has telemetry, which the program keeps off whatever the environment says.

use std::fs;

use crate::support::{has_onnx_runtime, noise_images, program_at, succeeds};

#[test]
fn nothing_is_left_in_the_home_folder_or_among_temporary_files() {
    if !has_onnx_runtime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let images = noise_images(folder.path(), "images.npy", 2, 1);
    let [home, temporary] = ["home", "temporary"].map(|name| folder.path().join(name));
    for folder in [&home, &temporary] {
        fs::create_dir(folder).unwrap();
    }
    let output = program_at("/nonexistent")
        .args(["features", "--extractor", "efficientnet-lite0", "--engine", "onnxruntime", "--device", "cpu"])
        .arg(images)
        .arg("-o")
        .arg(folder.path().join("features.npz"))
        .env_remove("ORT_DISABLE_TELEMETRY")
        .env_remove("XDG_CACHE_HOME")
        .env("HOME", &home)
        .env("TMPDIR", &temporary)
        .output()
        .unwrap();
    succeeds(output);
    for folder in [home, temporary] {
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
