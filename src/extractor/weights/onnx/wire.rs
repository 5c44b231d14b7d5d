//! The fields of a protobuf message where they lie, so that one can look past weights without copying them.

use super::OnnxError;

/// A field of a message.
pub(super) struct Field<'a> {
    /// Its number.
    pub number: usize,
    /// All of it, key and length included.
    pub whole: &'a [u8],
    /// What is in it; empty for a bare number.
    pub content: &'a [u8],
}

/// The fields of a message, in their order. Ends after the first error.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Result<Field<'_>, OnnxError>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = split_first(rest);
        rest = field.as_ref().map_or(&[][..], |(_, rest)| rest);
        Some(field.map(|(field, _)| field))
    })
}

/// The first field of a message, and what follows it.
fn split_first(message: &[u8]) -> Result<(Field<'_>, &[u8]), OnnxError> {
    let mut rest = message;
    // Keys, lengths and numbers are all of the same variable length.
    let key = prost::decode_length_delimiter(&mut rest)?;
    let length = match key & 7 {
        0 => prost::decode_length_delimiter(&mut rest).map(|_| 0)?,
        1 => 8,
        2 => prost::decode_length_delimiter(&mut rest)?,
        5 => 4,
        // Groups, which ONNX has none of, and what protobuf does not know.
        _ => return Err(OnnxError::Malformed),
    };
    let (content, after) = rest.split_at_checked(length).ok_or(OnnxError::Malformed)?;
    Ok((Field { number: key >> 3, whole: &message[..message.len() - after.len()], content }, after))
}

/// Appends a message, given in pieces, as a field of another.
pub(super) fn push_message(to: &mut Vec<u8>, number: usize, pieces: &[&[u8]]) {
    // Two varints, which `prost` calls lengths.
    let mut head = |varint| prost::encode_length_delimiter(varint, to).expect("a Vec grows as it must");
    head(number << 3 | 2);
    head(pieces.iter().map(|piece| piece.len()).sum());
    pieces.iter().for_each(|piece| to.extend_from_slice(piece));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_protobuf_puts_them() {
        // 1: the number 300, 2: four bytes, 3: "ab", 4: eight bytes.
        let message = [&[0x08, 0xac, 0x02, 0x15, 1, 2, 3, 4, 0x1a, 2, b'a', b'b', 0x21][..], &[7; 8]].concat();
        let found: Vec<_> = fields(&message).map(Result::unwrap).collect();
        assert_eq!(found.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(
            found.iter().map(|field| field.content).collect::<Vec<_>>(),
            [&[][..], &[1, 2, 3, 4], b"ab", &[7; 8]]
        );
        assert_eq!(found.iter().map(|field| field.whole).collect::<Vec<_>>().concat(), message);
        for length in (1..message.len()).filter(|length| ![3, 8, 12].contains(length)) {
            assert!(fields(&message[..length]).any(|field| field.is_err()), "{length}");
        }
        // The end of a group that never began.
        assert!(matches!(fields(b"<!").next(), Some(Err(OnnxError::Malformed))));
    }
}
