use ndarray::array;

use super::*;

fn header(dtype: &str, fortran: bool, shape: &[u64]) -> Header {
    Header { dtype: dtype.into(), fortran, shape: shape.to_vec(), start: 0 }
}

#[test]
fn headers_of_numpy() {
    let parse = |text| Header::parse(text, 0);
    let parsed = parse("{'descr': '|u1', 'fortran_order': False, 'shape': (10, 32, 32, 3), }   \n");
    assert_eq!(parsed, Some(header("|u1", false, &[10, 32, 32, 3])));
    let parsed = parse("{'descr': '<f8', 'fortran_order': True, 'shape': (7L,), }");
    assert_eq!(parsed, Some(header("<f8", true, &[7])));
    let parsed = parse("{'descr': [('r', '|u1')], 'fortran_order': False, 'shape': (), }").unwrap();
    assert_eq!((parsed.dtype.as_str(), parsed.shape.len(), parsed.number()), ("[('r', '|u1')", 0, None));
    for text in ["", "{}", "{'descr': '|u1'}", "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}"] {
        assert_eq!(parse(text), None, "{text}");
    }
    assert_eq!(Header::of(b"\x93NUMPY\x01\0\xff\xff{'descr'"), None);
    assert_eq!(Header::of(b"\x93NUMPY\x09\0\x01\0 "), None);
}

#[test]
fn sizes_are_those_of_the_type_and_saturate() {
    assert_eq!(header("<f4", false, &[67, 1_000_000_000_000]).bytes(), Some(268_000_000_000_000));
    assert_eq!(header("|u1", false, &[5]).bytes(), Some(5));
    assert_eq!(header("<U6", false, &[3]).bytes(), Some(72));
    assert_eq!(header("<f4", false, &[u64::MAX, u64::MAX, 9, 9]).bytes(), Some(u128::MAX));
    assert_eq!(header("<f4", false, &[9, 8, 1, 1]).axes(2), [9, 8]);
    assert_eq!(header("<f4", false, &[9, 1, 1]).axes(2), [9, 1]);
}

#[test]
fn numbers_of_every_width_and_order() {
    // numpy: np.array([1.5, -2], dtype).tobytes()
    let read = |dtype: &str, bytes: &[u8]| {
        let header = header(dtype, false, &[2]);
        header.number().unwrap().read(&header, bytes, |value| value).unwrap().into_raw_vec_and_offset().0
    };
    assert_eq!(read("<f2", b"\x00\x3e\x00\xc0"), [1.5, -2.0]);
    assert_eq!(read(">f2", b"\x3e\x00\xc0\x00"), [1.5, -2.0]);
    assert_eq!(read("<f4", b"\0\0\xc0\x3f\0\0\0\xc0"), [1.5, -2.0]);
    assert_eq!(read(">i2", b"\x01\x00\xff\xfe"), [256.0, -2.0]);
    assert_eq!(read("|i1", b"\x05\xff"), [5.0, -1.0]);
    assert_eq!(header("<c16", false, &[]).number(), None);
    let columns = header("|u1", true, &[2, 3]);
    let read = columns.number().unwrap().read(&columns, &[1, 4, 2, 5, 3, 6][..], |value| value as u8).unwrap();
    assert_eq!(read, array![[1, 2, 3], [4, 5, 6]].into_dyn());
    let short = header("<f8", false, &[2]);
    assert!(short.number().unwrap().read(&short, &[0; 9][..], |value| value).is_err());
}

#[test]
fn strings_of_numpy() {
    let wide: Vec<u8> = ['é', '1', '\0', 'b', '\0', '\0'].iter().flat_map(|&c| (c as u32).to_le_bytes()).collect();
    assert_eq!(texts(&header("<U3", false, &[2]), &wide[..]).unwrap().unwrap(), ["é1", "b"]);
    assert_eq!(texts(&header("|S2", false, &[2]), &b"abc\0"[..]).unwrap().unwrap(), ["ab", "c"]);
    assert_eq!(texts(&header("<f4", false, &[2]), &[0; 8][..]).unwrap(), None);
}
