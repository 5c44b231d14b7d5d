use std::sync::LazyLock;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new("tests/fixtures/weights").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every fixture that `make_weights_fixtures.py` writes from the same state dict.
const FORMATS: [&str; 4] =
    ["state_dict_zip.pth", "state_dict_legacy.pth", "state_dict_zip_protocol4.pth", "state_dict_legacy_protocol5.pth"];

fn ramp(indices: impl IntoIterator<Item = u8>) -> Vec<f32> {
    indices.into_iter().map(f32::from).collect()
}

#[test]
fn every_format_gives_the_same_tensors() {
    let contiguous: Vec<f32> = ramp(0..24).iter().map(|value| value - 0.5).collect();
    let expected: [(&str, &[usize], Vec<f32>, DType); 15] = [
        ("bfloat", &[2], vec![0.100_097_656, 3.004_055_3e38], DType::BFloat16),
        ("bn.num_batches_tracked", &[], vec![1234.0], DType::Int64),
        ("contiguous", &[2, 3, 4], contiguous.clone(), DType::Float32),
        ("double", &[2], vec![0.1, 1e-3], DType::Float64),
        ("empty", &[0, 3], vec![], DType::Float32),
        ("expanded", &[2, 3], vec![3.5, 3.5, 3.5, -2.0, -2.0, -2.0], DType::Float32),
        ("half", &[3], vec![0.099_975_586, -65504.0, 5.960_464_5e-8], DType::Float16),
        ("offset", &[3, 2], ramp([8, 9, 12, 13, 16, 17]), DType::Float32),
        ("parameter", &[2], vec![1.0, 2.0], DType::Float32),
        (
            "permuted",
            &[4, 2, 3],
            ramp((0..4).flat_map(|k| (0..2).flat_map(move |i| (0..3).map(move |j| 12 * i + 4 * j + k)))),
            DType::Float32,
        ),
        ("scalar", &[], vec![2.25], DType::Float32),
        ("short", &[2], vec![-32768.0, 12.0], DType::Int16),
        ("step", &[5], ramp([1, 6, 11, 16, 21]), DType::Float32),
        ("tied", &[2, 3, 4], contiguous, DType::Float32),
        ("transposed", &[6, 4], ramp((0..6).flat_map(|j| (0..4).map(move |i| 6 * i + j))), DType::Float32),
    ];
    for format in FORMATS {
        let bytes = fixture(format);
        let state = StateDict::from_bytes(&bytes).unwrap();
        let read: Vec<_> = state.iter().map(|(name, t)| (name, t.shape(), t.data().to_vec(), t.dtype())).collect();
        assert_eq!(read, expected, "{format}");
        assert_eq!(state, StateDict::from_reader(&bytes[..]).unwrap());
    }
}

#[test]
fn provenance_is_the_digest_of_the_file() {
    let bytes = fixture("state_dict_zip.pth");
    let provenance = StateDict::from_bytes(&bytes).unwrap().provenance().to_string();
    let digest = provenance.strip_prefix("sha256:").unwrap();
    let octets = (0..32).map(|at| u8::from_str_radix(&digest[2 * at..2 * at + 2], 16).unwrap());
    assert!(octets.eq(Sha256::digest(&bytes)) && digest.len() == 64);
    assert_eq!(WeightsOrigin::Seeded { seed: 7 }.to_string(), "seeded:7");
}

#[test]
fn what_is_no_state_dict_is_named() {
    let message = |name: &str| StateDict::from_bytes(&fixture(name)).unwrap_err().to_string();
    // The first entry that is not a tensor, in the order of the file.
    assert!(
        message("nested.pth").starts_with("entry `epoch` of the checkpoint is an int"),
        "{}",
        message("nested.pth")
    );
    assert!(message("list.pth").contains("holds a list where a state dict was expected"));
    assert!(message("integers.pth").contains("`weight` has type int64"));
    assert!(message("torchscript.pt").contains("TorchScript"));
    let forbidden = message("forbidden.pth");
    assert!(forbidden.contains("`posix.system`") || forbidden.contains("`nt.system`"), "{forbidden}");
}

#[test]
fn foreign_files_are_shown() {
    let error = StateDict::from_bytes(b"<!DOCTYPE html><html>").unwrap_err();
    assert!(matches!(&error, PthError::NotACheckpoint { start } if start == "<!DOCTYPE html><html>"));
    assert!(matches!(StateDict::from_bytes(b""), Err(PthError::NotACheckpoint { .. })));
    let missing = StateDict::from_file("no/such/file.pth").unwrap_err();
    assert_eq!(missing.blame(), Blame::Input);
    assert_eq!(error.blame(), Blame::Model);
}

/// A pickle in the place of the object of a legacy stream, followed by one storage of two floats under the key `k`.
fn legacy(object: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02".to_vec();
    bytes.extend(object);
    bytes.extend(b"\x80\x02]X\x01\0\0\0ka.");
    bytes.extend(2u64.to_le_bytes());
    bytes.extend(1.5f32.to_le_bytes());
    bytes.extend((-4.0f32).to_le_bytes());
    bytes
}

/// `{"w": _rebuild_tensor_v2(storage k of `elements` floats, offset, shape, strides, False, OrderedDict())}`, all
/// one-byte integers.
fn object(elements: u8, offset: u8, shape: &[u8], strides: &[u8]) -> Vec<u8> {
    let mut pickle =
        b"}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n".to_vec();
    pickle.extend(b"X\x01\0\0\0kX\x03\0\0\0cpuK");
    pickle.extend([elements, b'N', b't', b'Q', b'K', offset, b'(']);
    shape.iter().for_each(|&length| pickle.extend([b'K', length]));
    pickle.extend(b"t(");
    strides.iter().for_each(|&stride| pickle.extend([b'K', stride]));
    pickle.extend(b"t\x89ccollections\nOrderedDict\n)RtRs.");
    pickle
}

#[test]
fn tensors_stay_inside_their_storage() {
    let read = |object: Vec<u8>| StateDict::from_bytes(&legacy(&object));
    assert_eq!(read(object(2, 0, &[2], &[1])).unwrap().get("w").unwrap().data(), [1.5, -4.0]);
    assert_eq!(read(object(2, 1, &[], &[])).unwrap().get("w").unwrap().data(), [-4.0]);
    for (offset, shape, strides) in [(1, [2], [1]), (0, [2], [2]), (2, [1], [1]), (0, [3], [1])] {
        assert!(matches!(read(object(2, offset, &shape, &strides)), Err(PthError::OutOfStorage { elements: 2, .. })));
    }
    assert!(matches!(read(object(3, 0, &[2], &[1])), Err(PthError::StorageSize { expected: 12, found: 8, .. })));
    assert!(matches!(read(object(2, 0, &[2, 1], &[1])), Err(PthError::Malformed { .. })));
}

#[test]
fn an_expanded_view_cannot_exhaust_memory() {
    let shape = [255; 9];
    let error = StateDict::from_bytes(&legacy(&object(2, 0, &shape, &[0; 9]))).unwrap_err();
    assert!(matches!(error, PthError::TooLarge { .. }), "{error}");
    // The count of elements does not fit a machine word.
    assert!(matches!(
        StateDict::from_bytes(&legacy(&object(2, 0, &[255; 60], &[0; 60]))),
        Err(PthError::TooLarge { .. })
    ));
    // No element at all is fine, whatever the other axes claim.
    assert!(
        StateDict::from_bytes(&legacy(&object(2, 0, &[0, 255, 255, 255, 255, 255, 255, 255, 255, 255], &[1; 10])))
            .is_ok()
    );
}

#[test]
fn malformed_pickles_are_errors() {
    // An ordered dict as Python 2 wrote it, beside a storage for nothing; and a dict that contains itself.
    let unused = StateDict::from_bytes(&legacy(b"ccollections\nOrderedDict\n]\x85R.")).unwrap_err();
    assert!(matches!(unused, PthError::Malformed { reason: "a storage that no tensor refers to", .. }), "{unused}");
    let mut cyclic = object(2, 0, &[2], &[1]);
    cyclic.splice(1..1, *b"q\x00");
    cyclic.splice(cyclic.len() - 1.., *b"U\x01ah\x00s.");
    let cyclic = StateDict::from_bytes(&legacy(&cyclic)).unwrap_err();
    assert!(matches!(cyclic, PthError::NotATensor { ref key, found: "a dict" } if key == "a"), "{cyclic}");
    for pickle in [
        &b"."[..],
        b"t.",
        b"u.",
        b"0.",
        b"h\x07.",
        b"}X\x01\0\0\0as.",
        b"]K\x01s.",
        b"}K\x01a.",
        b"NNR.",
        b"NQ.",
        b"}(K\x01u.",
        b"(0.",
        b"U\x01\xff.",
        b"ccollections\nOrderedDict\nK\x01\x85R.",
        b"N)b.",
    ] {
        assert!(
            matches!(StateDict::from_bytes(&legacy(pickle)), Err(PthError::Malformed { .. })),
            "{}",
            pickle.escape_ascii()
        );
    }
    assert!(matches!(StateDict::from_bytes(&legacy(b"i")), Err(PthError::Opcode { opcode: b'i', .. })));
    assert!(matches!(
        StateDict::from_bytes(&legacy(b"cbuiltins\neval\n.")),
        Err(PthError::ForbiddenGlobal { name }) if name == "builtins.eval"
    ));
    let endless = StateDict::from_bytes(&legacy(&[b"N0".repeat(1 << 21), b"}.".to_vec()].concat())).unwrap_err();
    assert!(matches!(endless, PthError::TooLong { .. }));
}

#[test]
fn a_list_that_is_named_again_and_again_cannot_exhaust_memory() {
    // A list of 4096 references to one pair, of which 4096 ordered dicts are made.
    let pickle = [
        &b"K\x01K\x02\x86q\x000]("[..],
        &b"h\x00".repeat(4096),
        b"e\x85q\x020",
        &b"ccollections\nOrderedDict\nh\x02R0".repeat(4096),
        b"}.",
    ];
    let error = StateDict::from_bytes(&legacy(&pickle.concat())).unwrap_err();
    assert!(matches!(error, PthError::TooLong { .. }), "{error}");
}

#[test]
fn integers_of_every_width() {
    let load = |pickle: &[u8]| match pickle::Unpickler::new(pickle).load() {
        Ok(Value::Int(value)) => value,
        other => panic!("{other:?}"),
    };
    assert_eq!(load(b"K\xff."), 255);
    assert_eq!(load(b"M\xff\xff."), 65535);
    assert_eq!(load(b"J\xff\xff\xff\xff."), -1);
    assert_eq!(load(b"\x8a\x00."), 0);
    assert_eq!(load(b"\x8a\x01\xff."), -1);
    assert_eq!(load(b"\x8a\x05\0\0\0\0\x01."), 1 << 32);
    assert_eq!(load(b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f."), i64::MAX);
}

#[test]
fn truncated_at_any_byte_is_an_error() {
    for format in FORMATS {
        let bytes = fixture(format);
        for length in 0..bytes.len() {
            assert!(StateDict::from_bytes(&bytes[..length]).is_err(), "{format} cut at {length} of {}", bytes.len());
        }
    }
}

#[test]
fn a_flipped_bit_in_a_zip_storage_is_found() {
    let mut bytes = fixture("state_dict_zip.pth");
    let needle: Vec<u8> = [-0.5f32, 0.5, 1.5].iter().flat_map(|value| value.to_le_bytes()).collect();
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[at] ^= 1;
    assert!(matches!(StateDict::from_bytes(&bytes), Err(PthError::Entry { .. })));
}

static CHECKPOINTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| FORMATS.map(fixture).to_vec());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_bytes_never_panic(
        format in 0..FORMATS.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = CHECKPOINTS[format].clone();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = StateDict::from_bytes(&bytes);
    }

    #[test]
    fn random_pickles_never_panic(pickle in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = StateDict::from_bytes(&legacy(&pickle));
    }

    #[test]
    fn instructions_in_random_order_never_panic(
        pickle in prop::collection::vec(prop::sample::select(b"N()]}tasueq\x00h\x00K\x01R0b\x85\x86\x87\x94Q.".to_vec()), 0..200),
    ) {
        let _ = StateDict::from_bytes(&legacy(&pickle));
    }
}
