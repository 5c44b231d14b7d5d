//! Feature files as archives of NumPy arrays.

use std::io;
use std::path::Path;

use super::{FeatureFile, Found, PART, Raw};
use crate::output::OutputWriter;
use crate::stats::archive::{ArrayArchive, ArrayArchiveWriter};
use crate::stats::fault::Fault;

/// Whether the archive has an array `features`.
pub(super) fn has_features(path: &Path) -> bool {
    ArrayArchive::names_in(path).iter().any(|name| name == "features")
}

pub(super) fn read(path: &Path) -> Result<Raw, Fault> {
    let mut archive = ArrayArchive::open(path)?;
    if archive.has(PART) {
        return Err(Fault::Malformed("it holds a part of a set: merge it with the other parts".into()));
    }
    Ok(Raw {
        features: archive.matrix("features")?.map(Found::Memory),
        logits: archive.matrix("logits")?,
        spatial: archive.matrix("spatial")?,
        names: archive.text("names")?,
        provenance: archive.text("provenance")?,
    })
}

pub(super) fn read_provenance(path: &Path) -> Result<String, Fault> {
    let text = ArrayArchive::open(path)?.text("provenance")?;
    text.ok_or_else(|| Fault::Malformed("it has no array `provenance`".into()))
}

pub(super) fn write(content: &FeatureFile, file: &mut OutputWriter<'_>) -> io::Result<()> {
    let mut archive = ArrayArchiveWriter::new(file);
    for (name, matrix) in content.matrices() {
        archive.array(name, &matrix)?;
    }
    for (name, text) in content.texts() {
        archive.text(name, text)?;
    }
    archive.finish().map(|_| ())
}
