use super::*;

const EVERYTHING: Dialect = Dialect { allows: |_| true, bytes: true, instances: true, references: true };

const PLAIN: Dialect = Dialect { allows: |_| false, bytes: false, instances: false, references: false };

fn root(pickle: &[u8]) -> Value<'_> {
    Unpickler::new(pickle, EVERYTHING).load().unwrap()
}

/// The bytes of `pickle.dumps(value, protocol)` in Python.
#[test]
fn numbers_and_strings_have_their_values() {
    assert_eq!(root(b"\x80\x02G\xbf\xc9\x99\x99\x99\x99\x99\x9a."), Value::Float(-0.2));
    assert_eq!(root(b"\x80\x04\x95\x05\0\0\0\0\0\0\0C\x02\0\xff\x94."), Value::Bytes(b"\0\xff"));
    assert_eq!(root(b"\x80\x05\x96\x01\0\0\0\0\0\0\0\xfe."), Value::Bytes(b"\xfe"));
    assert_eq!(root(b"\x80\x04\x8c\x02\xc3\xa9\x94."), Value::Str("é"));
    // Python 2: text and bytes are one type.
    assert_eq!(root(b"\x80\x02U\x02mu."), Value::Str("mu"));
    assert_eq!(root(b"\x80\x02U\x02\0\xff."), Value::Bytes(b"\0\xff"));
}

#[test]
fn calls_are_noted_with_what_is_done_to_their_result() {
    // copyreg's __newobj__, an item, a state; and the same object again.
    let mut unpickler = Unpickler::new(b"\x80\x02(cm\nC\nq\x00)\x81q\x01U\x01kK\x07sN}b(h\x01t.", EVERYTHING);
    assert!(matches!(unpickler.load(), Err(PickleError::Malformed { .. })), "None has no state");
    let mut unpickler = Unpickler::new(b"\x80\x02cm\nC\n)\x81q\x01U\x01kK\x07s}b0h\x01.", EVERYTHING);
    assert_eq!(unpickler.load(), Ok(Value::Object(0)));
    let heap = unpickler.into_heap();
    let object = &heap.objects()[0];
    assert_eq!(object.origin, Origin::Call { function: 0, arguments: 0 });
    assert_eq!(heap.global(0), Global { module: "m", name: "C" });
    assert_eq!((&object.items[..], object.state), (&[(Value::Str("k"), Value::Int(7))][..], Some(Value::Dict(0))));
    let mut unpickler = Unpickler::new(b"\x80\x02K\x05Q.", EVERYTHING);
    assert_eq!(unpickler.load(), Ok(Value::Object(0)));
    assert_eq!(unpickler.heap().objects()[0].origin, Origin::Reference(Value::Int(5)));
}

#[test]
fn what_a_dialect_lacks_is_refused() {
    let refused = |pickle: &[u8]| Unpickler::new(pickle, PLAIN).load().unwrap_err();
    // Even where nothing comes of it.
    let forbidden = PickleError::ForbiddenGlobal { name: "os.system".into() };
    assert_eq!(refused(b"\x80\x02cos\nsystem\n0N."), forbidden);
    assert_eq!(refused(b"\x80\x04\x8c\x02os\x8c\x06system\x93."), forbidden);
    for (pickle, opcode) in [(&b"C\x01a."[..], b'C'), (b"N)\x81.", 0x81), (b"NQ.", b'Q'), (b"\x96\0.", 0x96)] {
        assert!(matches!(refused(pickle), PickleError::Opcode { opcode: found, .. } if found == opcode));
    }
    assert!(matches!(refused(b"U\x01\xff."), PickleError::Malformed { .. }));
    assert_eq!(refused(b"]K"), PickleError::Truncated { length: 2 });
    // Instructions whose whole purpose is to call, and buffers that lie elsewhere.
    for opcode in *b"io\x82\x92\x97" {
        assert!(matches!(Unpickler::new(&[opcode], EVERYTHING).load(), Err(PickleError::Opcode { .. })), "{opcode}");
    }
}
