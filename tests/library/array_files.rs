//! Arrays, features and statistics as other tools write them: the files of `python_ref/make_files_fixtures.py`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gan_metrics::image::{DataSet, DataSetError, Reading};
use gan_metrics::metrics::fid;
use gan_metrics::stats::{FeatureFile, Features, Gaussian, StatsFile, StatsFileError};
use gan_metrics::{Interrupt, Result};
use ndarray::{Array1, Array2, Array3};
use ndarray_npy::NpzReader;

use crate::support::fixture;

/// The references take the root by another algorithm, in f64; the features have four dimensions.
const TOLERANCE: f64 = 1e-10;

fn file(name: &str) -> PathBuf {
    Path::new("tests/fixtures/files").join(name)
}

fn features(name: &str) -> Features {
    let array = (name == "asked.npz").then_some("second");
    assert!(FeatureFile::sniff_array(&file(name), array), "{name}");
    FeatureFile::read_array(&file(name), array).unwrap_or_else(|error| panic!("{error}")).features
}

#[test]
fn features_and_statistics_of_other_tools_have_the_distances_of_pytorch_fid() {
    let other = Gaussian::of(&features("other.npy")).unwrap();
    let distances: BTreeMap<String, f64> = fixture("files/distances.json");
    for (name, expected) in &distances {
        let gaussian = match StatsFile::sniff(&file(name)) {
            true => StatsFile::read(&file(name)).unwrap_or_else(|error| panic!("{error}")).gaussian,
            false => Gaussian::of(&features(name)).unwrap(),
        };
        let found = fid(&gaussian, &other).unwrap().value;
        assert!((found / expected - 1.0).abs() < TOLERANCE, "{name}: {found}, not {expected}");
    }
    assert_eq!(distances.len(), 30);
    let spatial = StatsFile::read(&file("adm_statistics.npz")).unwrap().spatial.unwrap();
    assert_eq!(spatial.dim(), 3);
}

/// Rounding of a product of sums and its difference from another.
const SUMS_TOLERANCE: f64 = 1e-14;

#[test]
fn pickles_hold_the_arrays_that_numpy_wrote_into_them() {
    let mut npz = NpzReader::new(fs::File::open(file("pickles.npz")).unwrap()).unwrap();
    let mut held = |prefix: &str| -> (Array1<f64>, Array2<f64>) {
        (npz.by_name(&format!("{prefix}mu")).unwrap(), npz.by_name(&format!("{prefix}sigma")).unwrap())
    };
    let (whole, dino, of_sums) = (held(""), held("dino_"), held("sums_"));
    let single = (whole.0.mapv(|x| f64::from(x as f32)), whole.1.mapv(|x| f64::from(x as f32)));
    let read =
        |name: &str, set| StatsFile::read_set(&file(name), set).unwrap_or_else(|error| panic!("{error}")).gaussian;
    for (name, set, expected, n) in [
        ("protocol2.pkl", None, &whole, None),
        ("protocol4.pkl", None, &whole, None),
        ("protocol5.pkl", None, &whole, None),
        ("numpy1.pkl", None, &whole, None),
        ("single_protocol5.pkl", None, &single, None),
        ("edm2_both.pkl", None, &whole, Some(50)),
        ("edm2_both.pkl", Some("fd_dinov2"), &dino, Some(50)),
        ("edm2_dino.pkl", None, &dino, None),
        ("several.pkl", Some("second"), &dino, None),
    ] {
        assert!(StatsFile::sniff(&file(name)), "{name}");
        let found = read(name, set);
        assert_eq!((found.mean(), &found.covariance()), (&expected.0, &expected.1), "{name}");
        assert_eq!(found.n(), n, "{name}");
    }
    for name in ["sums.pkl", "easy_dict.pkl"] {
        let found = read(name, None);
        assert_eq!((found.mean(), found.n()), (&of_sums.0, Some(50)), "{name}");
        let scale = of_sums.1.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let error = (found.covariance() - &of_sums.1).iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        assert!(error < SUMS_TOLERANCE * scale, "{name}: {error}");
    }
}

#[test]
fn other_pickles_are_refused_by_what_they_ask_for_and_nothing_runs() {
    let message = |name: &str| StatsFile::read(&file(name)).unwrap_err().to_string();
    let refused = message("command.pkl");
    assert!(refused.contains("asks for `posix.system`") && refused.contains("nothing was executed"), "{refused}");
    assert!(message("class.pkl").contains("`metrics.metric_utils.FeatureStats`"));
    assert!(message("other.pkl").contains("has no array `mu`"));
    assert!(message("columns_protocol4.pkl").contains("arrays mu, sigma: "), "{}", message("columns_protocol4.pkl"));
    assert!(matches!(StatsFile::read(&file("several.pkl")), Err(StatsFileError::Several { .. })));
    for name in ["other.pkl", "command_alone.pkl"] {
        assert!(!StatsFile::sniff(&file(name)), "{name}");
        assert!(matches!(DataSet::open(&file(name)), Err(DataSetError::Pickle { .. })));
    }
    // What is cut off is said by the reader of statistics.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.pkl");
    let bytes = fs::read(file("protocol5.pkl")).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    assert!(StatsFile::sniff(&path));
    assert!(StatsFile::read(&path).unwrap_err().to_string().contains("before it is complete"));
    assert!(!Path::new("executed").exists());
}

#[test]
fn arrays_beside_the_features_are_taken_for_what_they_are() {
    let read = |name: &str| FeatureFile::read(&file(name)).unwrap();
    assert_eq!(read("score_sde.npz").logits.unwrap().dim(), 10);
    assert_eq!(read("names.npz").names.unwrap()[19], "cat/19.png");
    assert_eq!(read("class_names.npz").names, None, "two names of twenty images are not theirs");
    assert_eq!(read("dgm_eval.npz").names, None);
    assert_eq!(FeatureFile::array_in(&file("feats.npz"), None).unwrap(), "feats");
    assert!(!FeatureFile::sniff(&file("asked.npz")) && !FeatureFile::sniff(&file("samples.npz")));
}

fn open(name: &str, array: Option<&str>, pixel_range: Option<[f32; 2]>) -> Result<DataSet> {
    let reading = Reading { array: array.map(str::to_owned), pixel_range, ..Reading::default() };
    Ok(DataSet::open_as(&file(name), &reading, &Interrupt::new())?)
}

#[test]
fn images_are_the_same_in_every_type_and_order_of_axes() {
    let expected = DataSet::open(&file("images.npy")).unwrap();
    for (name, array, range) in [
        ("unit.npz", None, Some([0.0, 1.0])),
        ("signed.npy", None, Some([-1.0, 1.0])),
        ("channels_first.npz", None, None),
        ("samples.npz", None, None),
        ("samples.npz", Some("samples"), None),
        ("labelled.npz", Some("nothing"), Some([0.0, 1.0])),
        ("one_hot.npz", None, None),
        ("adm_reference.npz", None, None),
    ] {
        let images = open(name, array, range).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(images.len(), 6);
        for index in 0..6 {
            assert_eq!(images.load(index).unwrap(), expected.load(index).unwrap(), "{name}");
            assert_eq!(images.digest(index).unwrap(), expected.digest(index).unwrap(), "{name}");
        }
    }
    let turned = open("samples.npz", Some("other"), None).unwrap();
    assert_eq!((turned.array(), turned.load(0).unwrap()), (Some("other"), expected.load(5).unwrap()));
    assert_eq!(open("samples.npz", None, None).unwrap().labels().unwrap(), ["0", "1", "0", "1", "0", "1"]);
    for name in ["labelled.npz", "one_hot.npz"] {
        assert_eq!(open(name, None, None).unwrap().labels().unwrap(), ["0", "1", "2", "0", "1", "2"], "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_said_with_its_array() {
    let refused = |name: &str, array| open(name, array, None).map(|_| ()).unwrap_err();
    let error = refused("unit.npz", None);
    assert!(matches!(error.downcast_ref(), Some(DataSetError::UnknownRange { .. })));
    assert!(
        error.to_string().starts_with("array `arr_0` of `tests/fixtures/files/unit.npz` holds values of type `<f4`")
    );
    for name in ["dictionary.npy", "edm2.pkl"] {
        let error = refused(name, None);
        assert!(matches!(error.downcast_ref(), Some(DataSetError::Pickle { .. })), "{error}");
        assert!(error.to_string().contains("numpy.savez"), "{error}");
    }
    let error = refused("asked.npz", None).to_string();
    assert!(error.contains("`first` (<f8, [20, 4]), `second` (<f4, [20, 4])"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.npy");
    ndarray_npy::write_npy(&path, &Array3::<u8>::zeros((3, 8, 8))).unwrap();
    let error = DataSet::open(&path).unwrap_err().to_string();
    assert!(error.contains("one image with its channels in front is `a[None]`"), "{error}");
    fs::write(&path, b"PK\x03\x04").unwrap();
    assert!(StatsFile::read(&file("adm_samples.npz")).is_err());
}

/// A file with a bit flipped in the values of its first array.
fn damaged(name: &str, folder: &Path) -> PathBuf {
    let mut bytes = fs::read(file(name)).unwrap();
    bytes[300] ^= 1;
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_flipped_bit_of_images_is_noticed_whether_stored_or_deflated() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["labelled.npz", "samples.npz"] {
        let error = DataSet::open(&damaged(name, folder.path())).unwrap_err();
        let corrupt = matches!(error, DataSetError::CorruptArray { .. } | DataSetError::CorruptArchive { .. });
        assert!(corrupt, "{name}: {error}");
    }
}
