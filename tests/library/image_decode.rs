//! Decoding against Pillow, over the files that `python_ref/make_image_fixtures.py` made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::LazyLock;

use gan_metrics::image::{DecodeError, Format, RgbImage, decode};
use ndarray::Array3;
use ndarray_npy::NpzReader;
use proptest::prelude::*;

fn fixtures() -> PathBuf {
    PathBuf::from("tests/fixtures/image")
}

static FILES: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let entries = fs::read_dir(fixtures().join("decode")).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
});

/// Files that Pillow reads and that are refused here, in their own words, rather than approximated.
fn unsupported(name: &str) -> bool {
    name.starts_with("unsupported_")
}

#[test]
fn every_file_that_pillow_reads_gives_pillows_pixels() {
    let mut decoded = NpzReader::new(File::open(fixtures().join("decoded.npz")).unwrap()).unwrap();
    let mut differing = vec![];
    let mut compared = 0;
    for name in decoded.names().unwrap() {
        let expected: Array3<u8> = decoded.by_name(&name).unwrap();
        let name = name.trim_end_matches(".npy");
        if unsupported(name) {
            continue;
        }
        compared += 1;
        let (height, width, _) = expected.dim();
        let expected = RgbImage::new(width as u32, height as u32, expected.into_raw_vec_and_offset().0).unwrap();
        match decode(&FILES[name]) {
            Ok(image) if image == expected => {}
            Ok(image) if (image.width(), image.height()) != (expected.width(), expected.height()) => {
                differing.push(format!("{name}: {}×{}, not {width}×{height}", image.width(), image.height()));
            }
            Ok(image) => {
                let pairs = image.pixels().iter().zip(expected.pixels());
                let differences: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).filter(|&d| d > 0).collect();
                let worst = differences.iter().max().unwrap();
                differing.push(format!("{name}: {} values differ, by up to {worst}", differences.len()));
            }
            Err(error) => differing.push(format!("{name}: {error}")),
        }
    }
    assert!(differing.is_empty(), "{} of {compared} files differ:\n{}", differing.len(), differing.join("\n"));
    assert!(compared >= 140, "only {compared} files were compared");
}

/// Over the files of `python_ref/make_pnm_fixtures.py`.
#[test]
fn portable_anymaps_have_the_pixels_of_pillow_or_are_refused_as_there() {
    let folder = fixtures().join("pnm");
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let mut decoded = NpzReader::new(File::open(fixtures().join("pnm.npz")).unwrap()).unwrap();
    let names = decoded.names().unwrap();
    for name in &names {
        let expected: Array3<u8> = decoded.by_name(name).unwrap();
        let name = name.trim_end_matches(".npy");
        let (height, width, _) = expected.dim();
        let image = decode(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((image.width() as usize, image.height() as usize), (width, height), "{name}");
        assert_eq!(image.pixels(), expected.as_slice().unwrap(), "{name}");
    }
    assert_eq!(names.len(), 23);
    let refused: BTreeMap<String, String> =
        serde_json::from_reader(File::open(folder.join("refused.json")).unwrap()).unwrap();
    for (name, words) in &refused {
        let error = decode(&read(name)).map(|_| ()).unwrap_err();
        assert_eq!(
            matches!(error, DecodeError::Truncated { .. }),
            name.starts_with("truncated"),
            "{name}: {error}, {words}"
        );
    }
    assert_eq!(refused.len(), 9);
}

#[test]
fn every_file_that_pillow_refuses_is_refused() {
    let refused: BTreeMap<String, String> =
        serde_json::from_reader(File::open(fixtures().join("refused.json")).unwrap()).unwrap();
    for (name, words) in &refused {
        assert!(decode(&FILES[name]).is_err(), "{name} decodes here; Pillow: {words}");
    }
    let truncated = |name: &str, format| {
        assert_eq!(decode(&FILES[name]).unwrap_err(), DecodeError::Truncated { format }, "{name}");
    };
    truncated("truncated.png", Format::Png);
    truncated("truncated.jpg", Format::Jpeg);
    truncated("truncated_progressive.jpg", Format::Jpeg);
    truncated("truncated_header.jpg", Format::Jpeg);
    truncated("truncated.gif", Format::Gif);
    truncated("truncated.bmp", Format::Bmp);
    truncated("truncated.tif", Format::Tiff);
}

#[test]
fn what_is_not_established_is_refused_by_name() {
    let mut seen = 0;
    for (name, bytes) in FILES.iter().filter(|(name, _)| unsupported(name)) {
        let error = decode(bytes).unwrap_err();
        assert!(matches!(error, DecodeError::Unsupported { .. }), "{name}: {error}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn a_bomb_is_refused_before_its_pixels_are_allocated() {
    // A PNG and a JPEG whose headers announce the largest size there is; neither has the data.
    let mut png = FILES["one_pixel.png"].clone();
    png[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let crc = {
        let mut crc = flate2::Crc::new();
        crc.update(&png[12..29]);
        crc.sum()
    };
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let error = decode(&png).unwrap_err();
    assert_eq!(error, DecodeError::TooLarge { width: 0x7fff_ffff, height: 0x7fff_ffff });

    let mut jpeg = FILES["444_1x1.jpg"].clone();
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert_eq!(decode(&jpeg).unwrap_err(), DecodeError::TooLarge { width: 65_500, height: 65_500 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_after_any_signature_never_panic(
        signature in prop::sample::select(vec![
            &b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..], b"\xff\xd8\xff", b"RIFF\x20\0\0\0WEBPVP8 ", b"GIF89a", b"II*\0",
            b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", b"",
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut bytes = signature.to_vec();
        bytes.extend(tail);
        // An image is as good an outcome as an error: what counts is that there is one.
        let _ = decode(&bytes);
    }

    #[test]
    fn damaged_and_shortened_files_never_panic(
        which in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
            let mut bytes = FILES.values().nth(which.index(FILES.len())).unwrap().clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = decode(&bytes);
    }
}
