//! The portable anymaps: PBM, PGM and PPM as text and as bytes, and gray PFM.

use super::{DecodeError, Format, checked_area, clip_gray16};
use crate::image::RgbImage;

/// Longest number in a file; Pillow refuses longer ones.
const LONGEST_TOKEN: usize = 10;

/// Whether a file begins as one of these: the magic number, white space, then a number or a comment.
pub(super) fn recognise(head: &[u8]) -> bool {
    let [b'P', b'1'..=b'6' | b'f' | b'F', rest @ ..] = head else { return false };
    let first = rest.iter().find(|byte| !is_space(**byte));
    rest.first().is_some_and(|&byte| is_space(byte)) && first.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'#')
}

/// What Pillow takes for white space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether the header announces gray of more than 8 bits.
pub(super) fn is_gray16(bytes: &[u8]) -> bool {
    let [b'P', b'2' | b'5', rest @ ..] = bytes else { return false };
    let mut rest = rest;
    let mut next = || header_token(&mut rest).ok()?.parse::<u32>().ok();
    matches!((next(), next(), next()), (Some(_), Some(_), Some(256..=65535)))
}

fn corrupt(reason: &str) -> DecodeError {
    DecodeError::Corrupt { format: Format::Pnm, reason: reason.into() }
}

const TRUNCATED: DecodeError = DecodeError::Truncated { format: Format::Pnm };

pub(super) fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    let (kind, mut rest) = (bytes[1], &bytes[2..]);
    if kind == b'F' {
        let feature = "three channels of floating-point numbers".to_owned();
        return Err(DecodeError::Unsupported { format: Format::Pnm, feature });
    }
    let (width, height) = (side(header_token(&mut rest)?)?, side(header_token(&mut rest)?)?);
    let area = checked_area(width, height)?;
    let channels = if matches!(kind, b'3' | b'6') { 3 } else { 1 };
    let samples = match kind {
        b'1' => plain_bits(rest, area)?,
        b'4' => packed_bits(rest, width as usize, area)?,
        b'f' => floats(header_token(&mut rest)?, rest, width as usize, area)?,
        _ => {
            let maxval = header_token(&mut rest)?.parse().ok().filter(|maxval| (1..65536).contains(maxval));
            let maxval: u32 = maxval.ok_or_else(|| corrupt("its largest value is not from 1 to 65535"))?;
            let values = match kind {
                b'2' | b'3' => plain_values(rest, channels * area, maxval)?,
                _ => packed_values(rest, channels * area, maxval)?,
            };
            levels(&values, maxval, channels)
        }
    };
    Ok(match channels {
        1 => RgbImage::from_gray(width, height, &samples)?,
        _ => RgbImage::new(width, height, samples)?,
    })
}

/// The next number of the header, behind white space and comments.
fn header_token(rest: &mut &[u8]) -> Result<String, DecodeError> {
    let mut token = String::new();
    while token.len() <= LONGEST_TOKEN {
        let Some((&byte, after)) = rest.split_first() else { break };
        *rest = after;
        if byte == b'#' {
            // To the end of the line, which is not white space then.
            let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).map_or(rest.len(), |end| end + 1);
            *rest = &rest[end..];
        } else if !is_space(byte) {
            token.push(byte.into());
        } else if !token.is_empty() {
            break;
        }
    }
    match token.len() {
        0 => Err(TRUNCATED),
        1..=LONGEST_TOKEN => Ok(token),
        _ => Err(corrupt("a number in its header is too long")),
    }
}

fn side(token: String) -> Result<u32, DecodeError> {
    token.parse().map_err(|_| corrupt("its width or height is not a number"))
}

/// The text behind the header, without comments.
fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut in_comment = false;
    for &byte in text {
        match byte {
            b'#' => in_comment = true,
            b'\r' | b'\n' if in_comment => in_comment = false,
            _ if in_comment => {}
            _ => kept.push(byte),
        }
    }
    kept
}

/// Zeros and ones as text, white space between them or not: a one is black.
fn plain_bits(text: &[u8], area: usize) -> Result<Vec<u8>, DecodeError> {
    let bits = without_comments(text).into_iter().filter(|&byte| !is_space(byte)).map(|byte| match byte {
        b'0' => Ok(255),
        b'1' => Ok(0),
        _ => Err(corrupt("it has something else than zeros and ones")),
    });
    let levels: Vec<u8> = bits.take(area).collect::<Result<_, _>>()?;
    if levels.len() == area { Ok(levels) } else { Err(TRUNCATED) }
}

/// Eight pixels in a byte, each row in bytes of its own: a one is black.
fn packed_bits(bytes: &[u8], width: usize, area: usize) -> Result<Vec<u8>, DecodeError> {
    let stride = width.div_ceil(8);
    let rows = bytes.get(..area / width * stride).ok_or(TRUNCATED)?;
    let level = |row: &[u8], x: usize| if row[x / 8] >> (7 - x % 8) & 1 == 1 { 0 } else { 255 };
    Ok(rows.chunks_exact(stride).flat_map(|row| (0..width).map(move |x| level(row, x))).collect())
}

/// Numbers as text.
fn plain_values(text: &[u8], count: usize, maxval: u32) -> Result<Vec<u32>, DecodeError> {
    let text = without_comments(text);
    let tokens = text.split(|&byte| is_space(byte)).filter(|token| !token.is_empty());
    let value = |token: &[u8]| {
        let value =
            std::str::from_utf8(token).ok().filter(|token| token.len() <= LONGEST_TOKEN)?.parse::<u32>().ok()?;
        (value <= maxval).then_some(value)
    };
    let value = |token| value(token).ok_or_else(|| corrupt("a value is not a number up to the largest one"));
    let values: Vec<u32> = tokens.take(count).map(value).collect::<Result<_, _>>()?;
    if values.len() == count { Ok(values) } else { Err(TRUNCATED) }
}

/// Numbers of a byte, or of two where the largest needs them.
fn packed_values(bytes: &[u8], count: usize, maxval: u32) -> Result<Vec<u32>, DecodeError> {
    if maxval < 256 {
        return Ok(bytes.get(..count).ok_or(TRUNCATED)?.iter().map(|&byte| byte.into()).collect());
    }
    let (pairs, _) = bytes.get(..2 * count).ok_or(TRUNCATED)?.as_chunks::<2>();
    Ok(pairs.iter().map(|&pair| u16::from_be_bytes(pair).into()).collect())
}

/// Levels as Pillow has them: scaled to 255, but gray of more than 8 bits to 65535, and then clipped.
fn levels(values: &[u32], maxval: u32, channels: usize) -> Vec<u8> {
    let deep_gray = channels == 1 && maxval > 255;
    let largest: u32 = if deep_gray { 65535 } else { 255 };
    let scaled = |value: u32| {
        let scaled = f64::from(value) / f64::from(maxval) * f64::from(largest);
        (scaled.round_ties_even() as u32).min(largest)
    };
    let level = |&value: &u32| if deep_gray { clip_gray16(scaled(value) as u16) } else { scaled(value) as u8 };
    values.iter().map(level).collect()
}

/// Rows of f32 from the bottom up, whose order of bytes is the sign of the scale: clipped to levels, the fraction cut off, as Pillow
/// does.
fn floats(scale: String, bytes: &[u8], width: usize, area: usize) -> Result<Vec<u8>, DecodeError> {
    let scale: f64 = scale
        .parse()
        .ok()
        .filter(|scale: &f64| scale.is_finite() && *scale != 0.0)
        .ok_or_else(|| corrupt("its scale is not a finite number other than zero"))?;
    let (values, _) = bytes.get(..4 * area).ok_or(TRUNCATED)?.as_chunks::<4>();
    let value = |&bytes: &[u8; 4]| if scale < 0.0 { f32::from_le_bytes(bytes) } else { f32::from_be_bytes(bytes) };
    // `as` saturates.
    Ok(values.chunks_exact(width).rev().flatten().map(|bytes| value(bytes) as u8).collect())
}
