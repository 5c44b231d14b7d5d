//! Sets in several files, lists, choices and Parquet: each is the images that it names, in the order that it says.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use gan_metrics::Interrupt;
use gan_metrics::image::{Choice, DataSet, DataSetKind, Reading};

const PARQUET: &str = "tests/fixtures/image/parquet";

/// A PNG of one level.
fn png(level: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(4, 4, image::Rgb([level; 3]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn tar(path: &Path, images: &[(&str, u8)]) {
    let mut tar = tar::Builder::new(fs::File::create(path).unwrap());
    for (name, level) in images {
        let bytes = png(*level);
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
        // What stands beside an image in a WebDataset.
        let class = b"3";
        header.set_size(1);
        tar.append_data(&mut header, Path::new(name).with_extension("cls"), &class[..]).unwrap();
    }
    tar.finish().unwrap();
}

/// Three shards of two images each.
fn shards(folder: &Path) {
    for shard in 0..3_u8 {
        let first = 20 * shard;
        let images = [("000.png", first), ("001.png", first + 10)];
        tar(&folder.join(format!("train-{shard:06}.tar")), &images);
    }
}

/// The level of each image.
fn levels(set: &DataSet) -> Vec<u8> {
    (0..set.len()).map(|index| set.load(index).unwrap().pixels()[0]).collect()
}

fn refusal(path: impl AsRef<Path>) -> String {
    DataSet::open(path.as_ref()).unwrap_err().to_string()
}

#[test]
fn shards_are_one_set_however_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    shards(folder.path());
    for name in ["", "train-{000000..000002}.tar", "train-*.tar", "train-00000[0-2].tar", "train-00000{0,1,2}.tar"] {
        let set = DataSet::open(&folder.path().join(name)).unwrap();
        assert_eq!(set.kind(), DataSetKind::Shards, "{name}");
        assert_eq!(levels(&set), [0, 10, 20, 30, 40, 50], "{name}");
        assert_eq!(set.name(3), "001.png");
    }
    let reversed = DataSet::open(&folder.path().join("train-{000002..000000}.tar")).unwrap();
    assert_eq!(levels(&reversed), [40, 50, 20, 30, 0, 10]);
    assert!(refusal(folder.path().join("train-{000000..000003}.tar")).contains("train-000003.tar` does not exist"));
    assert!(refusal(folder.path().join("test-*.tar")).contains("no file matches"));
    // Beside images, shards are files like any other.
    fs::write(folder.path().join("x.png"), png(7)).unwrap();
    assert_eq!(levels(&DataSet::open(folder.path()).unwrap()), [7]);
}

#[test]
fn a_file_with_the_name_of_a_pattern_is_that_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a{0..1}*.tar");
    tar(&path, &[("1.png", 9)]);
    let set = DataSet::open(&path).unwrap();
    assert_eq!((set.kind(), levels(&set)), (DataSetKind::Tar, vec![9]));
}

/// A list in a folder of its own, given by its path behind an @.
fn list(folder: &Path, content: &str) -> PathBuf {
    let path = folder.join("list.txt");
    fs::write(&path, content).unwrap();
    PathBuf::from(format!("@{}", path.display()))
}

#[test]
fn a_list_names_images_and_sets_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    shards(folder.path());
    fs::create_dir(folder.path().join("more")).unwrap();
    for (name, level) in [("a.png", 101), ("b.png", 102), ("more/c.png", 103)] {
        fs::write(folder.path().join(name), png(level)).unwrap();
    }
    let content = "\u{feff}# chosen by hand\nb.png\r\na.png\n\ntrain-000001.tar\nmore\nmore/c.png";
    let set = DataSet::open(&list(folder.path(), content)).unwrap();
    assert_eq!(set.kind(), DataSetKind::List);
    assert_eq!(levels(&set), [102, 101, 20, 30, 103, 103]);
    assert_eq!((set.name(0), set.name(5)), ("b.png".into(), "more/c.png".into()));
    // One image that is not there does not keep the others from being listed, and fails by its name.
    let set = DataSet::open(&list(folder.path(), "a.png\nnone.png\n")).unwrap();
    assert!(set.load(1).unwrap_err().to_string().contains("none.png"));

    assert!(refusal(list(folder.path(), "# nothing\n\n")).contains("names no image"));
    assert!(refusal(list(folder.path(), "a.png\nx.tar\n")).contains("x.tar` does not exist"));
    assert!(refusal(list(folder.path(), "a.png\n@list.txt\n")).contains("line 2 of the list"));
    assert!(refusal(list(folder.path(), "a.png\n\0\0")).contains("line 2 of the list"));
    assert!(refusal(format!("@{}", folder.path().display())).contains("folder, not a file"));
    assert!(refusal("@none.txt").contains("none.txt"));
}

#[test]
fn a_choice_is_of_the_whole_set() {
    let folder = tempfile::tempdir().unwrap();
    shards(folder.path());
    let chosen = |images, seed| {
        let reading = Reading { choice: Some(Choice { images, seed }), ..Reading::default() };
        DataSet::open_as(folder.path(), &reading, &Interrupt::new())
    };
    // numpy: i = arange(6); RandomState(1).shuffle(i); sort(i[:4])
    assert_eq!(levels(&chosen(4, 1).unwrap()), [0, 10, 20, 40]);
    let error = chosen(7, 1).unwrap_err().to_string();
    assert!(error.contains("has 6 images, fewer than the 7"), "{error}");
}

#[test]
fn parquet_holds_images_in_the_order_of_its_rows_and_their_classes() {
    let set = DataSet::open(&Path::new(PARQUET).join("colours.parquet")).unwrap();
    assert_eq!((set.kind(), set.len()), (DataSetKind::Parquet, 7));
    assert_eq!(levels(&set), [0, 10, 20, 30, 40, 50, 60]);
    assert_eq!(set.labels().unwrap(), ["cat", "dog", "dog", "cat", "dog", "cat", "dog"]);
    assert_eq!(set.name(6), "6.png");
    let zstd = DataSet::open(&Path::new(PARQUET).join("zstd.parquet")).unwrap();
    assert_eq!((levels(&zstd), zstd.labels()), (levels(&set), set.labels()));
    let plain = DataSet::open(&Path::new(PARQUET).join("plain.parquet")).unwrap();
    assert_eq!((levels(&plain), plain.labels()), (vec![0, 10], None));
    assert_eq!(plain.name(1), "row 1");
}

#[test]
fn classes_in_parquet_are_whole_numbers_of_any_width_or_strings() {
    let of = |name: &str| DataSet::open(&Path::new(PARQUET).join(format!("labels_{name}.parquet"))).unwrap();
    for (name, largest) in [
        ("int8", i8::MAX.to_string()),
        ("int16", i16::MAX.to_string()),
        ("int32", i32::MAX.to_string()),
        ("uint8", u8::MAX.to_string()),
        ("uint16", u16::MAX.to_string()),
        ("uint32", u32::MAX.to_string()),
        ("uint64", u64::MAX.to_string()),
    ] {
        assert_eq!(of(name).labels().unwrap(), ["cat", "dog", "dog", &*largest], "{name}");
    }
    for name in ["string", "dictionary"] {
        assert_eq!(of(name).labels().unwrap(), ["cat", "dog", "dog", "bird"], "{name}");
    }
    for (name, reason) in [
        ("missing", "its column `label` has no value in row 2"),
        ("float", "its column `label` is of type DOUBLE"),
        ("list", "its column `label.list.element` is of type INT64: classes are whole numbers or strings, one a row"),
    ] {
        let set = of(name);
        assert_eq!((levels(&set), set.labels()), (vec![0, 10, 20, 30], None), "images need no classes");
        assert!(set.untold_classes().unwrap().contains(reason), "{:?}", set.untold_classes());
    }
    let plain = DataSet::open(&Path::new(PARQUET).join("plain.parquet")).unwrap();
    assert_eq!(plain.untold_classes(), Some("it has no column `label`"));
}

#[test]
fn archives_are_read_in_every_compression_alone_as_shards_and_in_lists() {
    let compressed = Path::new("tests/fixtures/image/compressed");
    let folder = tempfile::tempdir().unwrap();
    for extension in ["bz2", "gz", "xz", "zst"] {
        let name = format!("images.tar.{extension}");
        let set = DataSet::open(&compressed.join(&name)).unwrap();
        assert_eq!((set.kind(), levels(&set)), (DataSetKind::Tar, vec![0, 10, 20, 30]), "{name}");
        assert_eq!(
            (set.name(3), set.labels().unwrap()),
            ("dog/3.png".into(), &["0", "1", "0", "1"].map(String::from)[..])
        );
        fs::copy(compressed.join(&name), folder.path().join(&name)).unwrap();
    }
    let array = DataSet::open(&compressed.join("images.npy.xz")).unwrap();
    assert_eq!((array.kind(), levels(&array)), (DataSetKind::Npy, vec![1, 2, 3]));
    for name in [PathBuf::new(), "images.tar.{bz2,gz,xz,zst}".into(), "images.tar.*".into()] {
        let set = DataSet::open(&folder.path().join(&name)).unwrap();
        assert_eq!((set.kind(), levels(&set)), (DataSetKind::Shards, [0, 10, 20, 30].repeat(4)), "{name:?}");
    }
    let listed = DataSet::open(&list(folder.path(), "images.tar.zst\nimages.tar.bz2\n")).unwrap();
    assert_eq!(levels(&listed), [0, 10, 20, 30].repeat(2));
    // Beside images, each may be a part that was not unpacked.
    fs::write(folder.path().join("x.png"), png(7)).unwrap();
    fs::write(folder.path().join("labels.csv.gz"), "").unwrap();
    let set = DataSet::open(folder.path()).unwrap();
    assert_eq!((levels(&set), set.passed_over()["archive"]), (vec![7], 4));
}

#[test]
fn parquet_without_clear_images_is_refused_by_what_it_has() {
    let of = |name: &str| refusal(Path::new(PARQUET).join(name));
    assert!(of("pair.parquet").contains("several columns of images (before, after)"));
    assert!(of("numbers.parquet").contains("no column of images") && of("numbers.parquet").contains("label, score"));
    assert!(of("brotli.parquet").contains("compressed with brotli"), "{}", of("brotli.parquet"));
    let copies = of("copies.parquet");
    assert!(copies.contains("1000 times its length: they repeat an image again and again"), "{copies}");
    let missing = DataSet::open(&Path::new(PARQUET).join("missing.parquet")).unwrap();
    assert!(missing.load(0).is_ok());
    assert!(missing.load(1).unwrap_err().to_string().contains("missing.parquet/row 1"));
}

#[test]
fn damaged_parquet_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(Path::new(PARQUET).join("colours.parquet")).unwrap();
    let path = folder.path().join("x.parquet");
    // The crate that reads it panics here.
    let mut damaged = fs::read(Path::new(PARQUET).join("plain.parquet")).unwrap();
    (damaged[364], damaged[615], damaged[616]) = (116, 255, 255);
    fs::write(&path, &damaged).unwrap();
    assert!(refusal(&path).contains("its pages are damaged"), "{}", refusal(&path));
    for length in [4, 8, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(refusal(&path).contains("x.parquet"), "{length} bytes");
    }
}
