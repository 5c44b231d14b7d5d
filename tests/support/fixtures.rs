//! What the scripts of `python_ref` wrote. Tests run in the root of the package.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// A file in `tests/fixtures`.
pub fn fixture_file(path: &str) -> File {
    let path = Path::new("tests/fixtures").join(path);
    File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A JSON file in `tests/fixtures`.
pub fn fixture<T: DeserializeOwned>(path: &str) -> T {
    serde_json::from_reader(BufReader::new(fixture_file(path))).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Digest of all the parts, one after the other, in small letters.
pub fn sha256_hex<B: AsRef<[u8]>>(parts: impl IntoIterator<Item = B>) -> String {
    let mut digest = Sha256::new();
    parts.into_iter().for_each(|part| digest.update(part));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
