//! The parsers of foreign bytes, each behind a function of bytes. Whatever they are given, they return: a value or an error, without a panic,
//! and without taking more memory than the bytes account for.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use gan_metrics::divergence::Density;
use gan_metrics::evaluate::Partial;
use gan_metrics::extractor::weights::pth::StateDict;
use gan_metrics::extractor::{CustomModel, EngineChoice, GeneratorFile, NetworkOptions, OnnxGenerator};
use gan_metrics::gan::train::checkpoint;
use gan_metrics::image::{DataSet, ResizeMode, decode};
use gan_metrics::report::Recorded;
use gan_metrics::stats::{FeatureFile, StatsFile};

/// A parser.
pub struct Parser {
    /// Name of the target.
    pub name: &'static str,
    /// Files that it reads, to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Reads some bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const PARSERS: &[Parser] = &[
    Parser { name: "image", seeds: images, run: |bytes| drop(decode(bytes)) },
    Parser { name: "npy", seeds: || fixtures("files", ".npy"), run: |bytes| set(bytes, "x.npy") },
    Parser { name: "npz", seeds: || fixtures("files", ".npz"), run: |bytes| set(bytes, "x.npz") },
    Parser { name: "idx", seeds: || vec![idx()], run: |bytes| set(bytes, "x.idx") },
    Parser { name: "tar", seeds: || vec![tar()], run: |bytes| set(bytes, "x.tar") },
    Parser { name: "compressed", seeds: || fixtures("image/compressed", ""), run: |bytes| set(bytes, "x.tar.xz") },
    Parser { name: "csv", seeds: tables, run: csv },
    Parser { name: "zip", seeds: || vec![zip()], run: |bytes| set(bytes, "x.zip") },
    Parser { name: "parquet", seeds: || fixtures("image/parquet", ".parquet"), run: |bytes| set(bytes, "x.parquet") },
    Parser { name: "list", seeds: || vec![b"# a\na.png\nx.tar\n\nfolder\n".to_vec()], run: list },
    Parser {
        name: "statistics",
        seeds: || fixtures("files", ".npz"),
        run: |bytes| at(bytes, "x.npz", |path| drop(StatsFile::read(path))),
    },
    Parser { name: "features", seeds: features, run: |bytes| at(bytes, "x.npz", |path| drop(FeatureFile::read(path))) },
    Parser { name: "part", seeds: || fixtures("files", ".npz"), run: |bytes| drop(Partial::from_bytes(bytes)) },
    Parser {
        name: "report",
        seeds: || vec![REPORT.to_vec()],
        run: |bytes| at(bytes, "x.json", |path| drop(Recorded::read(path))),
    },
    Parser { name: "pth", seeds: || fixtures("weights", ".pth"), run: |bytes| drop(StateDict::from_bytes(bytes)) },
    Parser { name: "onnx", seeds: || fixtures("networks", ".onnx"), run: |bytes| at(bytes, "x.onnx", onnx) },
    Parser {
        name: "checkpoint",
        seeds: || vec![safetensors()],
        run: |bytes| at(bytes, "x.safetensors", |path| drop(checkpoint::trained(path))),
    },
    Parser { name: "density", seeds: || DENSITIES.iter().map(|text| text.as_bytes().to_vec()).collect(), run: density },
    Parser { name: "pickle", seeds: || fixtures("files", ".pkl"), run: |bytes| at(bytes, "x.pkl", pickle) },
];

const REPORT: &[u8] =
    br#"{ "schema": 1, "metrics": { "fid": { "value": 12.5 } }, "failed": [], "sets": [{ "images": 7 }] }"#;

const DENSITIES: [&str; 4] =
    ["normal(0,1)", "0.5*laplace(0,1)+0.5*normal(1,2)", "uniform(-1,1)", "0.3*beta(2,3)+0.7*gamma(1,2)"];

/// Gives a file of these bytes, in a folder of its own.
fn at(bytes: &[u8], name: &str, read: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("there is room for the bytes");
    read(&path);
}

/// Reads a set of images, and the first and last of them.
fn look(path: &Path) {
    if let Ok(set) = DataSet::open(path) {
        for index in [0, set.len() - 1] {
            drop((set.name(index).len(), set.digest(index), set.load(index)));
        }
    }
}

fn set(bytes: &[u8], name: &str) {
    at(bytes, name, look);
}

fn pickle(path: &Path) {
    drop((StatsFile::sniff(path), StatsFile::sets_in(path), StatsFile::arrays_in(path, Some("fid"))));
    drop(StatsFile::read(path));
}

fn list(bytes: &[u8]) {
    at(bytes, "x.txt", |path| look(&PathBuf::from(format!("@{}", path.display()))));
}

/// Reads an image whose class the bytes are to tell.
fn csv(bytes: &[u8]) {
    at(bytes, "labels.csv", |path| {
        let folder = path.parent().expect("the file is in a folder");
        std::fs::write(folder.join("a.png"), png()).expect("there is room for an image");
        look(folder);
    });
}

fn tables() -> Vec<Vec<u8>> {
    let tables = ["file_name,label\na.png,cat\n", "\u{feff}text,file_name,label\r\n\"x, \"\"y\"\"\",\"a.png\",3\r\n"];
    tables.map(|table| table.as_bytes().to_vec()).into()
}

fn onnx(path: &Path) {
    drop(CustomModel { path: path.to_owned(), ..CustomModel::default() }.load(ResizeMode::default()));
    let file = GeneratorFile { path: path.to_owned(), latent_length: None, pixel_range: None, classes: None };
    // By the built-in engine, which is safe code.
    let options = NetworkOptions::default().with_engine(EngineChoice::Tract);
    drop(OnnxGenerator::load(&file, &options));
}

fn density(bytes: &[u8]) {
    if let Ok(density) = std::str::from_utf8(bytes).unwrap_or_default().parse::<Density>() {
        drop(density.to_string());
    }
}

/// The files of a folder of fixtures that end so.
fn fixtures(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The tests include this file into the crate above.
    let root = [root.join("tests/fixtures"), root.join("../tests/fixtures")].into_iter().find(|path| path.is_dir());
    let mut paths = Vec::new();
    let mut pending = vec![root.expect("the fixtures are there").join(folder)];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).expect("the fixtures can be listed") {
            let path = entry.expect("the fixtures can be listed").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let read = |path: PathBuf| std::fs::read(path).expect("the fixtures can be read");
    paths.into_iter().map(read).filter(|bytes| bytes.len() < 1 << 16).collect()
}

fn images() -> Vec<Vec<u8>> {
    let mut all = fixtures("image/decode", "");
    all.extend(fixtures("image/pnm", ""));
    all
}

fn features() -> Vec<Vec<u8>> {
    let mut all = fixtures("files", ".npz");
    all.extend(fixtures("files", ".npy"));
    all
}

fn png() -> Vec<u8> {
    fixtures("image/decode", "gray1.png").remove(0)
}

fn idx() -> Vec<u8> {
    let header = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3];
    header.into_iter().chain(0..18).collect()
}

fn tar() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["a.png", "b/c.png"] {
        let bytes = png();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes.as_slice()).expect("memory takes what is written");
    }
    tar.into_inner().expect("memory takes what is written")
}

fn zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, method) in [("a.png", zip::CompressionMethod::Stored), ("b/c.png", zip::CompressionMethod::Deflated)] {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        zip.start_file(name, options).expect("memory takes what is written");
        zip.write_all(&png()).expect("memory takes what is written");
    }
    zip.finish().expect("memory takes what is written").into_inner()
}

/// The smallest file with a tensor and metadata.
fn safetensors() -> Vec<u8> {
    let header = br#"{"__metadata__":{"format":"1"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    [&(header.len() as u64).to_le_bytes()[..], header, &[0; 4]].concat()
}
