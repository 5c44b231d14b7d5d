use std::fs::File;

use super::*;
use ndarray::array;

fn example() -> FeatureFile {
    FeatureFile {
        features: Features::new(array![[0.5, -2.0, 3.25], [1e-30, 7.0, 1e6]]).unwrap(),
        logits: Some(Logits::new(array![[1.0, 2.0], [3.0, -4.0]]).unwrap()),
        spatial: Some(Features::new(array![[9.0], [8.0]]).unwrap()),
        names: Some(vec!["cat/é.png".into(), "dog/\"2\".png".into()]),
        labels: None,
        provenance: Some(Provenance {
            version: "0.1.0".into(),
            extractor: "inception-v3".into(),
            model_sha256: "6726825d".into(),
            layer: "pool3".into(),
            resize: "tf1".into(),
            n: 2,
            ..Provenance::default()
        }),
    }
}

#[test]
fn survives_a_round_trip_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let written = example();
    for name in ["x.npz", "x.safetensors"] {
        let path = folder.path().join(name);
        written.write(&path).unwrap();
        assert!(FeatureFile::sniff(&path), "{name}");
        assert_eq!(FeatureFile::read(&path).unwrap(), written, "{name}");
    }
    let provenance = FeatureFile::read_provenance(&folder.path().join("x.npz")).unwrap();
    assert_eq!(Some(provenance), written.provenance);
    let npy = folder.path().join("x.npy");
    written.write(&npy).unwrap();
    let features = FeatureFile::read(&npy).unwrap();
    assert_eq!((&features.features, &features.logits, &features.provenance), (&written.features, &None, &None));
}

#[test]
fn matrices_of_other_tools_are_read_and_images_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    ndarray_npy::write_npy(&path, &array![[0.1_f64, 2.0]]).unwrap();
    assert!(FeatureFile::sniff(&path));
    assert_eq!(FeatureFile::read(&path).unwrap().features.view(), array![[0.1_f32, 2.0]]);
    ndarray_npy::write_npy(&path, &ndarray::Array3::<u8>::zeros((2, 4, 4))).unwrap();
    assert!(!FeatureFile::sniff(&path));
    ndarray_npy::write_npy(&path, &ndarray::Array3::<f32>::zeros((2, 4, 4))).unwrap();
    assert!(!FeatureFile::sniff(&path));
    assert!(!FeatureFile::sniff(folder.path()) && !FeatureFile::sniff(&folder.path().join("no")));
}

#[test]
fn a_value_that_is_not_finite_names_its_image() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let mut npz = ndarray_npy::NpzWriter::new(File::create(&path).unwrap());
    npz.add_array("features", &array![[0.0_f32], [f32::NAN]]).unwrap();
    npz.add_array("names", &ndarray::Array1::from_vec(br#"["a.png","b.png"]"#.to_vec())).unwrap();
    npz.finish().unwrap();
    let message = FeatureFile::read(&path).unwrap_err().to_string();
    assert!(message.contains("x.npz, array `features`, image b.png: row 1, column 0 holds NaN"), "{message}");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let three = FeatureFile { names: Some(vec!["only.png".into()]), ..example() };
    three.write(&path).unwrap();
    let message = FeatureFile::read(&path).unwrap_err().to_string();
    assert!(message.ends_with("features of 2 images, but names of 1"), "{message}");
    example().write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
    let message = FeatureFile::read(&path).unwrap_err().to_string();
    assert!(message.contains("does not lie where the header says"), "{message}");
    std::fs::write(&path, b"\xff\xff\xff\x00\x00\x00\x00\x00{}").unwrap();
    assert!(FeatureFile::read(&path).unwrap_err().to_string().contains("its header is longer than the file"));
    let error = example().write(&folder.path().join("x.csv")).unwrap_err();
    assert!(error.to_string().contains("name a file .npz, .npy or .safetensors"));
}
