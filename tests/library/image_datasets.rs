//! Sets of images: every container gives the same images, and what is wrong with one is said.

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use gan_metrics::Interrupt;
use gan_metrics::error::{Blame, Blamed};
use gan_metrics::image::{DataSet, DataSetError, DataSetKind, ImageError, Reading, RgbImage, Unreadable};
use ndarray::{Array1, Array2, Array4, ShapeBuilder};
use ndarray_npy::{NpzWriter, WriteNpyExt};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const SIDE: u32 = 6;

fn images(count: usize) -> Vec<RgbImage> {
    let image = |i: usize| (0..3 * SIDE * SIDE).map(|j| (i as u32 * 37 + j * j) as u8).collect();
    (0..count).map(|i| RgbImage::new(SIDE, SIDE, image(i)).unwrap()).collect()
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    let buffer = image::RgbImage::from_raw(image.width(), image.height(), image.pixels().to_vec()).unwrap();
    buffer.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Names in an order that is not sorted, some of them in folders, one of them without a telling extension.
fn named(images: &[RgbImage]) -> Vec<(&'static str, Vec<u8>)> {
    let names = ["b/10.png", "a.png", "c/d/last", "b/9.PNG", "B.png"];
    assert_eq!(names.len(), images.len());
    names.into_iter().zip(images.iter().map(png)).collect()
}

/// The names as a set lists them, with the index of the image that each of them stands for.
const SORTED: [(&str, usize); 5] = [("B.png", 4), ("a.png", 1), ("b/10.png", 0), ("b/9.PNG", 3), ("c/d/last", 2)];

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn zip_of(files: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tar_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(vec![]);
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(vec![], Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn nhwc(images: &[RgbImage]) -> Array4<u8> {
    let samples = images.iter().flat_map(|image| image.pixels().to_vec()).collect();
    Array4::from_shape_vec((images.len(), SIDE as usize, SIDE as usize, 3), samples).unwrap()
}

fn npy(array: &Array4<u8>) -> Vec<u8> {
    let mut bytes = vec![];
    array.write_npy(&mut bytes).unwrap();
    bytes
}

fn idx(shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|length| length.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn npz(path: &Path, compressed: bool, arrays: &[(&str, &Array4<u8>)]) {
    let file = File::create(path).unwrap();
    let mut npz = if compressed { NpzWriter::new_compressed(file) } else { NpzWriter::new(file) };
    for (name, array) in arrays {
        npz.add_array(*name, *array).unwrap();
    }
    npz.add_array("arr_1", &Array1::<i64>::zeros(arrays[0].1.dim().0)).unwrap();
    npz.finish().unwrap();
}

fn open(path: &Path) -> DataSet {
    DataSet::open(path).unwrap_or_else(|error| panic!("{error}"))
}

fn error_of(path: &Path) -> DataSetError {
    DataSet::open(path).map(|set| set.len()).unwrap_err()
}

fn assert_files(path: &Path, kind: DataSetKind, images: &[RgbImage]) {
    let set = open(path);
    assert_eq!((set.kind(), set.len(), set.is_empty(), set.path()), (kind, images.len(), false, path));
    for (index, (name, image)) in SORTED.into_iter().enumerate() {
        assert_eq!(set.name(index), name);
        assert_eq!(set.load(index).unwrap(), images[image], "{name} in {kind}");
    }
}

#[test]
fn folders_and_archives_hold_the_same_images_in_the_same_order() {
    let folder = TempDir::new().unwrap();
    let images = images(5);
    let mut files = named(&images);
    let directory = folder.path().join("images");
    for (name, bytes) in &files {
        write(&directory.join(name), bytes);
    }
    // None of these is an image of the set.
    files.push(("labels.txt", b"cat".to_vec()));
    files.push((".hidden.png", png(&images[0])));
    files.push(("b/.checkpoints/x.png", png(&images[0])));
    for (name, bytes) in &files[5..] {
        write(&directory.join(name), bytes);
    }
    fs::create_dir(directory.join("empty")).unwrap();
    assert_files(&directory, DataSetKind::Directory, &images);

    let path = |name: &str| folder.path().join(name);
    write(&path("stored.zip"), zip_of(&files, CompressionMethod::Stored));
    write(&path("deflated.zip"), zip_of(&files, CompressionMethod::Deflated));
    write(&path("a.tar"), tar_of(&files));
    write(&path("a.tar.gz"), gzip(&tar_of(&files)));
    // The content decides, not the extension.
    write(&path("a.bin"), zip_of(&files, CompressionMethod::Stored));
    for name in ["stored.zip", "deflated.zip", "a.bin"] {
        assert_files(&path(name), DataSetKind::Zip, &images);
    }
    for name in ["a.tar", "a.tar.gz"] {
        assert_files(&path(name), DataSetKind::Tar, &images);
    }
}

#[test]
fn arrays_hold_the_same_images() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let images = images(7);
    let array = nhwc(&images);
    let flat = array.as_slice().unwrap();
    npz(&path("a.npz"), false, &[("arr_0", &array)]);
    npz(&path("b.npz"), true, &[("arr_0", &array)]);
    write(&path("c.npy"), npy(&array));
    write(&path("c.npy.gz"), gzip(&npy(&array)));
    write(&path("d.idx"), idx(&[7, SIDE, SIDE, 3], flat));
    write(&path("d.idx.gz"), gzip(&idx(&[7, SIDE, SIDE, 3], flat)));
    for (name, kind) in [
        ("a.npz", DataSetKind::Npz),
        ("b.npz", DataSetKind::Npz),
        ("c.npy", DataSetKind::Npy),
        ("c.npy.gz", DataSetKind::Npy),
        ("d.idx", DataSetKind::Idx),
        ("d.idx.gz", DataSetKind::Idx),
    ] {
        let set = open(&path(name));
        assert_eq!((set.kind(), set.len()), (kind, 7), "{name}");
        assert_eq!(set.name(6), format!("{name}[6]"));
        for (index, image) in images.iter().enumerate() {
            assert_eq!(set.load(index).unwrap(), *image, "{name}[{index}]");
        }
    }
}

#[test]
fn gray_arrays_are_repeated_in_every_channel() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let gray: Vec<u8> = (0..2 * 4 * 5).collect();
    write(&path("mnist"), idx(&[2, 4, 5], &gray));
    write(&path("n1.npy"), npy(&Array4::from_shape_vec((2, 4, 5, 1), gray.clone()).unwrap()));
    for name in ["mnist", "n1.npy"] {
        let image = open(&path(name)).load(1).unwrap();
        assert_eq!((image.width(), image.height()), (5, 4));
        assert_eq!(image, RgbImage::from_gray(5, 4, &gray[20..]).unwrap());
    }
}

#[test]
fn many_threads_load_at_once() {
    let folder = TempDir::new().unwrap();
    let images = images(5);
    let files = named(&images);
    for (name, bytes) in &files {
        write(&folder.path().join("images").join(name), bytes);
    }
    write(&folder.path().join("a.zip"), zip_of(&files, CompressionMethod::Deflated));
    npz(&folder.path().join("a.npz"), true, &[("arr_0", &nhwc(&images))]);
    for name in ["images", "a.zip", "a.npz"] {
        let set = open(&folder.path().join(name));
        let expected: Vec<RgbImage> = (0..5).map(|index| set.load(index).unwrap()).collect();
        std::thread::scope(|scope| {
            for start in 0..4 {
                let (set, expected) = (&set, &expected);
                scope.spawn(move || {
                    for step in 0..200 {
                        let index = (start + step) % 5;
                        assert_eq!(set.load(index).unwrap(), expected[index]);
                    }
                });
            }
        });
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_no_folder_is_entered_twice() {
    use std::os::unix::fs::symlink;
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("root");
    let images = images(2);
    write(&root.join("z/0.png"), png(&images[0]));
    write(&folder.path().join("elsewhere/1.png"), png(&images[1]));
    symlink(root.join("z"), root.join("a")).unwrap();
    symlink(&root, root.join("z/cycle")).unwrap();
    symlink(folder.path().join("elsewhere"), root.join("linked")).unwrap();
    symlink(folder.path().join("elsewhere/1.png"), root.join("again.png")).unwrap();
    let set = open(&root);
    let names: Vec<_> = (0..set.len()).map(|index| set.name(index).into_owned()).collect();
    // `a` is another name of `z`, which is a real folder; a linked file counts as often as it is named.
    assert_eq!(names, ["again.png", "linked/1.png", "z/0.png"]);

    symlink(root.join("nowhere.png"), root.join("dangling.png")).unwrap();
    let error = error_of(&root);
    assert!(error.to_string().contains("dangling.png"), "{error}");
    assert_eq!(error.blame(), Blame::Input);
}

#[test]
fn links_in_a_tar_archive_lead_to_their_files() {
    let image = &images(1)[0];
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.tar");
    let with_links = |links: &[(tar::EntryType, &str, &str)]| {
        let bytes = png(image);
        let mut tar = tar::Builder::new(vec![]);
        for &(kind, name, target) in links {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(0);
            tar.append_link(&mut header, name, target).unwrap();
        }
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, "x/real.png", bytes.as_slice()).unwrap();
        write(&path, tar.into_inner().unwrap());
    };
    use tar::EntryType::{Link, Symlink};
    with_links(&[
        (Symlink, "a_chain.png", "y/soft.png"),
        (Link, "hard.png", "x/real.png"),
        (Symlink, "y/soft.png", "../x/real.png"),
        (Symlink, "folder", "x"),
    ]);
    let set = open(&path);
    let names: Vec<_> = (0..set.len()).map(|index| set.name(index).into_owned()).collect();
    assert_eq!(names, ["a_chain.png", "hard.png", "x/real.png", "y/soft.png"]);
    for index in 0..set.len() {
        assert_eq!(set.load(index).unwrap(), *image);
    }

    with_links(&[(Symlink, "out.png", "/somewhere/else.png")]);
    let error = error_of(&path);
    assert!(matches!(error, DataSetError::DanglingLink { .. }), "{error}");
}

#[test]
fn an_image_that_does_not_decode_is_listed_and_named() {
    let folder = TempDir::new().unwrap();
    let whole = png(&images(1)[0]);
    let root = folder.path().join("set");
    write(&root.join("a/half.png"), &whole[..whole.len() / 2]);
    write(&root.join("b/empty.jpg"), b"");
    write(&root.join("c/text.png"), b"no image");
    let set = open(&root);
    assert_eq!(set.len(), 3);
    for (index, words) in [(0, "truncated"), (1, "empty"), (2, "6e 6f 20 69 6d 61 67 65")] {
        let error = set.load(index).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, ImageError::Decode { .. }), "{message}");
        assert!(message.contains(words) && message.contains(&*set.name(index)), "{message}");
        assert_eq!(error.blame(), Blame::Input);
    }
    assert!(matches!(set.load(3), Err(ImageError::OutOfRange { index: 3, len: 3 })));
}

#[test]
fn a_damaged_archive_entry_is_found_by_its_checksum() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.zip");
    let bytes = png(&images(1)[0]);
    let mut zip = zip_of(&[("x.png", bytes.clone())], CompressionMethod::Stored);
    let at = zip.windows(bytes.len()).position(|window| window == bytes).unwrap();
    zip[at + bytes.len() - 1] ^= 1;
    write(&path, &zip);
    let error = open(&path).load(0).unwrap_err();
    assert!(matches!(&error, ImageError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("a.zip/x.png") && error.to_string().contains("CRC-32"), "{error}");

    let mut deflated = zip_of(&[("x.png", vec![7; 5000])], CompressionMethod::Deflated);
    let start = 30 + "x.png".len();
    deflated[start + 3] ^= 0xff;
    write(&path, &deflated);
    assert!(matches!(open(&path).load(0), Err(ImageError::Damaged { .. })));
}

#[test]
fn a_missing_path_is_reported_from_its_first_missing_part() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("runs/7/samples");
    let error = error_of(&path);
    let DataSetError::Missing { missing, .. } = &error else { panic!("{error}") };
    assert_eq!(*missing, folder.path().join("runs"));
    assert!(error.to_string().contains("there is no `runs` in"), "{error}");
    let error = error_of(Path::new("no-such-folder-here/x"));
    assert!(error.to_string().ends_with("there is no `no-such-folder-here` in `.`"), "{error}");
}

#[test]
fn what_holds_no_images_says_what_it_holds() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(&path("notes/a.txt"), b"a");
    write(&path("notes/sub/b.TXT"), b"b");
    write(&path("notes/weights.pt"), b"c");
    let error = error_of(&path("notes"));
    assert!(error.to_string().ends_with("holds no image: found 3 other files (1 .pt, 2 .txt)"), "{error}");
    fs::create_dir(path("empty")).unwrap();
    assert!(matches!(error_of(&path("empty")), DataSetError::NoImages { .. }));
    write(&path("texts.zip"), zip_of(&[("a.txt", b"a".to_vec())], CompressionMethod::Stored));
    assert!(matches!(error_of(&path("texts.zip")), DataSetError::NoImages { .. }));
    write(&path("one.png"), png(&images(1)[0]));
    assert!(matches!(error_of(&path("one.png")), DataSetError::SingleImage { .. }));
    write(&path("model.bin"), b"\x81\x02}q");
    let error = error_of(&path("model.bin"));
    assert!(matches!(error, DataSetError::UnknownContainer { .. }) && error.to_string().ends_with("81 02 7d 71"));
    write(&path("nothing"), b"");
    assert!(matches!(error_of(&path("nothing")), DataSetError::UnknownContainer { .. }));
}

#[test]
fn statistics_are_told_from_images() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("stats.npz");
    let mut npz = NpzWriter::new_compressed(File::create(&path).unwrap());
    npz.add_array("mu", &Array1::<f64>::zeros(4)).unwrap();
    npz.add_array("sigma", &Array2::<f64>::eye(4)).unwrap();
    npz.finish().unwrap();
    assert!(matches!(error_of(&path), DataSetError::StatisticsFile { .. }));
}

#[test]
fn arrays_that_are_no_images_are_refused_with_their_type_and_shape() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write_f32 = |path: &Path| {
        let mut npz = NpzWriter::new(File::create(path).unwrap());
        npz.add_array("arr_0", &Array4::<f32>::zeros((1, 2, 2, 3))).unwrap();
        npz.finish().unwrap();
    };
    write_f32(&path("f32.npz"));
    let error = error_of(&path("f32.npz"));
    assert!(matches!(error, DataSetError::UnknownRange { .. }) && error.to_string().contains("`<f4`"), "{error}");

    for (shape, hint) in [((2, 8, 8, 4), "[..., :3]"), ((2, 8, 8, 2), ""), ((0, 8, 8, 3), "zero")] {
        write(&path("shape.npy"), npy(&Array4::zeros(shape)));
        let error = error_of(&path("shape.npy"));
        assert!(matches!(error, DataSetError::ArrayShape { .. }) && error.to_string().contains(hint), "{error}");
    }
    write(&path("labels"), idx(&[5], &[1, 2, 3, 4, 5]));
    assert!(matches!(error_of(&path("labels")), DataSetError::ArrayShape { .. }));
    write(&path("fortran.npy"), {
        let array = Array4::<u8>::zeros((2, 3, 4, 3).f());
        npy(&array)
    });
    assert!(matches!(error_of(&path("fortran.npy")), DataSetError::ArrayShape { .. }));

    let whole = npy(&nhwc(&images(2)));
    write(&path("short.npy"), &whole[..whole.len() - 1]);
    assert!(matches!(error_of(&path("short.npy")), DataSetError::CorruptArray { .. }));
    write(&path("header.npy"), &whole[..40]);
    assert!(matches!(error_of(&path("header.npy")), DataSetError::CorruptArray { .. }));
    write(&path("short.idx"), idx(&[2, 4, 4], &[0; 31]));
    assert!(matches!(error_of(&path("short.idx")), DataSetError::CorruptArray { .. }));

    let mut npz = NpzWriter::new(File::create(path("two.npz")).unwrap());
    npz.add_array("first", &nhwc(&images(2))).unwrap();
    npz.add_array("second", &nhwc(&images(2))).unwrap();
    npz.finish().unwrap();
    let error = error_of(&path("two.npz"));
    assert!(matches!(error, DataSetError::NoArray { .. }) && error.to_string().contains("`first` (|u1"), "{error}");
}

/// An archive that Python compressed.
fn compressed(extension: &str) -> Vec<u8> {
    fs::read(format!("tests/fixtures/image/compressed/images.tar.{extension}")).unwrap()
}

#[test]
fn truncated_archives_are_refused_when_they_are_opened() {
    let folder = TempDir::new().unwrap();
    let images = images(5);
    let files = named(&images);
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    for (name, whole) in [
        ("a.zip", zip_of(&files, CompressionMethod::Deflated)),
        ("a.tar.gz", gzip(&tar_of(&files))),
        ("b.npy.gz", gzip(&npy(&nhwc(&images)))),
        ("a.tar.bz2", compressed("bz2")),
        ("a.tar.xz", compressed("xz")),
        ("a.tar.zst", compressed("zst")),
    ] {
        write(&path(name), &whole[..whole.len() / 2]);
        let error = error_of(&path(name));
        assert!(matches!(error, DataSetError::CorruptArchive { .. }), "{name}: {error}");
        assert_eq!(error.blame(), Blame::Input);
    }
    let tar = tar_of(&files[..1]);
    write(&path("a.tar"), &tar[..600]);
    assert!(matches!(error_of(&path("a.tar")), DataSetError::CorruptArchive { .. }));
    // Between two entries.
    let whole = tar_of(&files);
    let second = (512 + files[0].1.len()).next_multiple_of(512);
    write(&path("a.tar"), &whole[..second]);
    let error = error_of(&path("a.tar")).to_string();
    assert!(error.contains("without the mark of its end"), "{error}");
    write(&path("a.tar"), &whole[..whole.len() - 512]);
    assert_eq!(open(&path("a.tar")).len(), 5, "one block of zeros is an end");
}

#[test]
fn opening_stops_when_it_is_asked_to() {
    let folder = TempDir::new().unwrap();
    let images = images(5);
    let files = named(&images);
    let path = |name: &str| folder.path().join(name);
    write(&path("folder/a.png"), &files[0].1);
    write(&path("a.zip"), zip_of(&files, CompressionMethod::Stored));
    write(&path("a.tar"), tar_of(&files));
    write(&path("a.npy.gz"), gzip(&npy(&nhwc(&images))));
    npz(&path("a.npz"), true, &[("arr_0", &nhwc(&images))]);
    let interrupt = Interrupt::new();
    for name in ["folder", "a.zip", "a.tar", "a.npy.gz", "a.npz"] {
        assert!(DataSet::open_with(&path(name), &interrupt).is_ok(), "{name}");
    }
    interrupt.request();
    for name in ["folder", "a.zip", "a.tar", "a.npy.gz", "a.npz"] {
        let error = DataSet::open_with(&path(name), &interrupt).map(|set| set.len()).unwrap_err();
        assert!(matches!(&error, DataSetError::Interrupted { path: set } if *set == path(name)), "{name}: {error}");
        assert_eq!(error.blame(), Blame::Interrupted);
    }
}

#[test]
fn compressions_that_are_not_read_are_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.tar.xz");
    for (head, name) in [
        (&b"7z\xbc\xaf\x27\x1c\x00\x04"[..], "7-Zip"),
        (b"Rar!\x1a\x07\x01\x00", "RAR"),
        (&gzip(&gzip(b"content")), "gzip inside another compression"),
        (&gzip(&compressed("xz")), "xz inside another compression"),
    ] {
        write(&path, head);
        let error = error_of(&path).to_string();
        assert!(error.contains(&format!("is compressed with {name}, which is not supported")), "{error}");
    }
    // The method is a number in the header of the entry and in the directory.
    let mut zip = zip_of(&named(&images(5))[..1], CompressionMethod::Stored);
    let directory = zip.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    zip[8] = 12;
    zip[directory + 10] = 12;
    write(&path, zip);
    let error = error_of(&path).to_string();
    assert!(error.contains("is stored as bzip2, which is not supported"), "{error}");
}

/// Images of classes, each called by a name and a class by `dataset.json`, folders or both.
fn entries(names: &[&'static str]) -> Vec<(&'static str, Vec<u8>)> {
    names.iter().copied().zip(images(names.len()).iter().map(png)).collect()
}

#[test]
fn classes_are_those_of_a_json_file_beside_the_images() {
    let folder = TempDir::new().unwrap();
    let json = br#"{"labels": [["00000/a.png", 1], ["00000/b.png", [0.5, 0.25]], ["00001/c.png", 1]]}"#;
    let mut files = entries(&["00000/a.png", "00000/b.png", "00001/c.png"]);
    files.push(("dataset.json", json.to_vec()));
    for (name, bytes) in &files {
        write(&folder.path().join("images").join(name), bytes);
    }
    write(&folder.path().join("images.zip"), zip_of(&files, CompressionMethod::Deflated));
    write(&folder.path().join("images.tar"), tar_of(&files));
    for name in ["images", "images.zip", "images.tar"] {
        assert_eq!(open(&folder.path().join(name)).labels().unwrap(), ["1", "0", "1"], "{name}");
    }
    files[3].1 = br#"{"labels": [["00000/a.png", 1]]}"#.to_vec();
    write(&folder.path().join("images.zip"), zip_of(&files, CompressionMethod::Stored));
    let error = error_of(&folder.path().join("images.zip")).to_string();
    assert!(error.starts_with("`dataset.json` has no class for 2 images"), "{error}");
}

#[test]
fn separators_of_windows_are_separators_where_there_are_no_others() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.zip");
    write(&path, zip_of(&entries(&["cat\\0.png", "dog\\1.png"]), CompressionMethod::Stored));
    assert_eq!(open(&path).name(1), "dog/1.png");
    write(&path, zip_of(&entries(&["cat\\0.png", "dog/1.png"]), CompressionMethod::Stored));
    assert_eq!(open(&path).name(0), "cat\\0.png", "a name of Unix");
}

#[test]
fn images_that_are_not_decoded_here_are_counted() {
    let folder = TempDir::new().unwrap();
    let mut files = entries(&["0.png"]);
    let avif = [&b"\0\0\0\x20ftypavif"[..], &[0; 40]].concat();
    files.extend([("1.avif", avif.clone()), ("2", avif), ("3.tga", vec![0; 64]), ("4.txt", b"text".to_vec())]);
    write(&folder.path().join("a.tar"), tar_of(&files));
    for (name, bytes) in &files {
        write(&folder.path().join("images").join(name), bytes);
    }
    for name in ["images", "a.tar"] {
        let set = open(&folder.path().join(name));
        let expected = [("AVIF".to_owned(), 2), ("TGA".to_owned(), 1)];
        assert_eq!((set.len(), set.passed_over()), (1, expected.into()), "{name}");
    }
    fs::remove_file(folder.path().join("images/0.png")).unwrap();
    let error = error_of(&folder.path().join("images")).to_string();
    assert!(error.ends_with("AVIF, TGA is not decoded here: convert these images to PNG"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_refused_or_fail_to_load() {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in entries(&["0.png", "2.png"]) {
        write(&folder.path().join(name), bytes);
    }
    for name in ["1.png", "notes.txt"] {
        std::os::unix::fs::symlink("/nonexistent", folder.path().join(name)).unwrap();
    }
    let error = error_of(folder.path());
    assert!(matches!(&error, DataSetError::DeadLink { path, .. } if path.ends_with("1.png")), "{error}");
    let reading = Reading { unreadable: Unreadable::Listed, ..Reading::default() };
    let set = DataSet::open_as(folder.path(), &reading, &Interrupt::new()).unwrap();
    assert_eq!((set.len(), &*set.name(1)), (3, "1.png"), "what is not an image is no reason to stop");
    assert!(set.load(0).is_ok() && set.load(2).is_ok());
    assert!(matches!(set.load(1), Err(ImageError::Read { .. })));
}
