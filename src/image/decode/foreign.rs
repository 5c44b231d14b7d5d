//! What is not decoded here, and what it is called: so that nobody has to read hexadecimal digits.

use crate::numpy::MAGIC;

/// Contents by their signatures, at an offset.
const IMAGES: [(usize, &[u8], &str); 19] = [
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
    (4, b"ftypheim", "HEIC"),
    (4, b"ftyphevc", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"8BPS", "Photoshop"),
    (0, b"DDS ", "DDS"),
    (0, b"qoif", "QOI"),
    (0, b"\x01\xda", "SGI"),
    (0, b"\0\0\x01\0", "ICO"),
];

/// What lies in the place of images by mistake.
const OTHERS: [(usize, &[u8], &str); 4] = [
    (0, b"version https://git-lfs", "a Git LFS pointer without its content"),
    (0, b"<!DOCTYPE", "an HTML page"),
    (0, b"<!doctype", "an HTML page"),
    (0, b"<html", "an HTML page"),
];

/// Extensions of images whose content has no signature, or none that is looked at.
const EXTENSIONS: [(&str, &str); 15] = [
    ("tga", "TGA"),
    ("pcx", "PCX"),
    ("avif", "AVIF"),
    ("heic", "HEIC"),
    ("heif", "HEIF"),
    ("jxl", "JPEG XL"),
    ("jp2", "JPEG 2000"),
    ("j2k", "JPEG 2000"),
    ("exr", "OpenEXR"),
    ("hdr", "Radiance HDR"),
    ("psd", "Photoshop"),
    ("ico", "ICO"),
    ("sgi", "SGI"),
    ("dds", "DDS"),
    ("qoi", "QOI"),
];

/// The name of a signature that content has.
fn named(head: &[u8], signatures: &[(usize, &[u8], &'static str)]) -> Option<&'static str> {
    let found = |offset: usize, signature| head.get(offset..).is_some_and(|rest| rest.starts_with(signature));
    signatures.iter().find(|&&(offset, signature, _)| found(offset, signature)).map(|&(.., name)| name)
}

/// An array of bytes, as some tools keep an image: labels and latents are of other types.
fn array_of_bytes(head: &[u8]) -> Option<&'static str> {
    (head.starts_with(MAGIC) && head.windows(5).any(|window| window == b"'|u1'")).then_some("NumPy")
}

/// What content is, where it is known and not decoded.
pub(super) fn content(head: &[u8]) -> Option<&'static str> {
    named(head, &IMAGES).or_else(|| array_of_bytes(head)).or_else(|| named(head, &OTHERS))
}

/// Of which format an image is that is not decoded here, by its content or its extension (in small letters); `None` for whatever is
/// not known to be an image.
pub(crate) fn image(head: &[u8], extension: &str) -> Option<&'static str> {
    let by_extension = || EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|&(_, name)| name);
    named(head, &IMAGES).or_else(|| array_of_bytes(head)).or_else(by_extension)
}
