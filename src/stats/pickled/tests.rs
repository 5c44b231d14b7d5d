use ndarray::array;

use super::*;

fn bytes(name: &str) -> Vec<u8> {
    pickle_in(&Path::new("tests/fixtures/files").join(name)).unwrap().unwrap()
}

fn reason(refused: Result<Found, Refused>) -> String {
    match refused {
        Err(Refused::Fault(Fault::Malformed(reason))) => reason,
        _ => panic!("it is not refused so"),
    }
}

#[test]
fn a_pickle_that_is_too_large_is_not_read_into_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pkl");
    std::fs::write(&path, b"\x80\x04").unwrap();
    std::fs::File::options().append(true).open(&path).unwrap().set_len(LARGEST + 1).unwrap();
    let Err(Fault::Malformed(reason)) = pickle_in(&path) else { panic!("it is too large") };
    assert!(reason.contains("4294967296 bytes"), "{reason}");
}

/// Text of protocol 4.
fn text(text: &str) -> Vec<u8> {
    [&[0x8c, text.len() as u8], text.as_bytes()].concat()
}

#[test]
fn the_order_in_memory_is_that_of_the_file() {
    for name in ["columns_protocol4.pkl", "columns_protocol5.pkl"] {
        let bytes = bytes(name);
        let document = Document::load(&bytes, STRICT).unwrap_or_else(|error| panic!("{name}: {error}"));
        let sigma = document.get(document.root, "sigma").unwrap();
        assert_eq!(document.array(sigma).unwrap(), array![[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]].into_dyn(), "{name}");
    }
}

#[test]
fn numbers_of_images_may_be_those_of_numpy() {
    let bytes = bytes("single_protocol5.pkl");
    let document = Document::load(&bytes, STRICT).unwrap_or_else(|error| panic!("{error}"));
    let size = document.get(document.root, "size").unwrap();
    assert_eq!(document.count(size), Some(256));
    assert_eq!(document.count(Value::Int(-1)), None);
    assert_eq!(
        [0.5, f64::NAN, -1.0, 1e300, 7.0].map(|n| document.count(Value::Float(n))),
        [None, None, None, None, Some(7)]
    );
}

#[test]
fn a_set_is_chosen_by_its_name_or_because_there_is_no_choice() {
    let arrays = |name: &str, asked| arrays_in(&bytes(name), asked).map(|[mean, _]| mean);
    assert_eq!(arrays("edm2_both.pkl", None).as_deref(), Some("fid.mu"));
    assert_eq!(arrays("edm2_both.pkl", Some("fd_dinov2")).as_deref(), Some("fd_dinov2.mu"));
    assert_eq!(arrays("edm2_both.pkl", Some("another")).as_deref(), Some("fid.mu"), "it may be that of another file");
    assert_eq!(arrays("edm2_dino.pkl", None).as_deref(), Some("fd_dinov2.mu"));
    assert_eq!(arrays("sums.pkl", None).as_deref(), Some("raw_mean"));
    assert_eq!(arrays("several.pkl", Some("second")).as_deref(), Some("second.mu"));
    assert_eq!(arrays("several.pkl", None), None);
    assert!(matches!(read(&bytes("several.pkl"), None), Err(Refused::Several(names)) if names == ["first", "second"]));
    assert_eq!(sets_in(&bytes("edm2_both.pkl")), ["fid", "fd_dinov2"]);
    assert!(sets_in(&bytes("protocol4.pkl")).is_empty());
}

#[test]
fn what_is_no_dict_of_arrays_is_refused_by_name() {
    for (name, expected) in [
        ("class.pkl", "its pickle asks for `metrics.metric_utils.FeatureStats`"),
        ("command.pkl", "its pickle asks for `posix.system`, which such files never need (nothing was executed)"),
        ("command_alone.pkl", "its pickle asks for `posix.system`"),
        ("features_alone.pkl", "it has no sums of features, `capture_mean_cov` is False"),
        ("list.pkl", "array `mu`: it is a list and not an array of NumPy"),
        ("complex.pkl", "array `sigma`: it holds values of type `<c16`, not real numbers"),
    ] {
        let reason = reason(read(&bytes(name), None));
        assert!(reason.starts_with(expected), "{name}: {reason}");
    }
    assert!(matches!(read(&bytes("other.pkl"), None), Err(Refused::Missing(_))));
    assert!(claims(&bytes("class.pkl")) && claims(&bytes("command.pkl")));
    assert!(!claims(&bytes("other.pkl")) && !claims(&bytes("command_alone.pkl")));
}

#[test]
fn an_array_has_as_many_bytes_as_its_shape_says() {
    let array = |shape: &[u8], bytes: &[u8]| {
        let mut pickle = b"\x80\x04}(".to_vec();
        pickle.extend(text("mu"));
        pickle.extend(b"cnumpy._core.numeric\n_frombuffer\n(C");
        pickle.push(bytes.len() as u8);
        pickle.extend(bytes);
        pickle.extend(b"cnumpy\ndtype\n");
        pickle.extend(text("<f4"));
        pickle.extend(b"\x85R(");
        pickle.extend(shape);
        pickle.push(b't');
        pickle.extend(text("C"));
        pickle.extend(b"tR");
        pickle.extend(text("sigma"));
        pickle.extend(b"Nu.");
        pickle
    };
    let read = |pickle: &[u8]| {
        let document = Document::load(pickle, STRICT).unwrap_or_else(|error| panic!("{error}"));
        document.array(document.get(document.root, "mu").unwrap())
    };
    assert_eq!(read(&array(b"K\x01", &1.5_f32.to_le_bytes())), Ok(array![1.5].into_dyn()));
    let announced = "its shape and type announce 8 bytes of numbers, but there are 4".to_owned();
    assert_eq!(read(&array(b"K\x02", &[0; 4])), Err(announced));
    assert!(read(&array(b"J\xff\xff\xff\xff", &[0; 4])).unwrap_err().contains("shape"));
    // No number at all, and more than memory has, whichever comes first.
    let huge = b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f".repeat(2);
    assert!(read(&array(&[&b"K\x00"[..], &huge].concat(), &[])).is_err());
    assert!(read(&array(&huge, &[])).is_err());
}

#[test]
fn truncated_at_any_byte_is_an_error_that_says_so() {
    for name in ["protocol2.pkl", "protocol4.pkl", "protocol5.pkl"] {
        let bytes = bytes(name);
        for length in 0..bytes.len() {
            let reason = reason(read(&bytes[..length], None));
            assert_eq!(
                reason,
                format!("its pickle ends at byte {length}, before it is complete: fetch the file again"),
                "{name}"
            );
        }
    }
}
