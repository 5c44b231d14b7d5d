//! Feature files as archives of NumPy arrays.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use super::{FeatureFile, Found, Names, PART, Raw};
use crate::output::OutputWriter;
use crate::stats::archive::{ArrayArchive, ArrayArchiveWriter, Listed};
use crate::stats::fault::Fault;

/// What the array of the features is called: by this crate, by dgm-eval, by score_sde, and by many a script.
const FEATURES: [&str; 5] = ["features", "reps", "pool_3", "feats", "act"];

/// Matrices that are something else: beside features, or of statistics.
const OTHERS: [&str; 11] =
    ["logits", "spatial", "mu", "sigma", "mean", "cov", "m", "s", "mu_s", "sigma_s", "covariance"];

/// The array that holds the features: the one that is asked for, one of a name that is known, or else the only matrix of
/// floating-point numbers in a file without images.
pub(super) fn features_in<'a>(arrays: &'a [Listed], asked: Option<&str>) -> Option<&'a str> {
    let named = |name: &str| arrays.iter().find(|array| array.name == name);
    if let Some(asked) = asked.and_then(named) {
        return asked.is_float_matrix().then_some(&asked.name);
    }
    if let Some(known) = FEATURES.into_iter().filter_map(named).find(|array| array.is_float_matrix()) {
        return Some(&known.name);
    }
    let images = |array: &Listed| {
        let header = array.header.as_ref();
        header.is_some_and(|header| header.shape.len() > 2 && header.number().is_some_and(|number| number.is_byte()))
    };
    let mut matrices = arrays.iter().filter(|array| array.is_float_matrix() && !OTHERS.contains(&&*array.name));
    match (matrices.next(), matrices.next()) {
        (Some(only), None) if !arrays.iter().any(images) => Some(&only.name),
        // Whoever names an array so means it: what is wrong with it is said when it is read.
        _ => named(FEATURES[0]).map(|array| &*array.name),
    }
}

/// Whether the archive has features.
pub(super) fn has_features(path: &Path, asked: Option<&str>) -> bool {
    features_in(&ArrayArchive::listed_in(path), asked).is_some()
}

pub(super) fn read(path: &Path, asked: Option<&str>) -> Result<Raw, Fault> {
    let mut archive = ArrayArchive::open(path)?;
    if archive.has(PART) {
        return Err(Fault::Malformed("it holds a part of a set: merge it with the other parts".into()));
    }
    let name = features_in(archive.arrays(), asked).map(str::to_owned);
    let features = match &name {
        Some(name) => archive.matrix(name)?,
        None => None,
    };
    // A file of this crate has them as text; what else is called so may be anything.
    let names = match archive.strings("names")? {
        Some(names) if features.as_ref().is_some_and(|rows| rows.nrows() == names.len()) => Some(Names::List(names)),
        Some(_) => None,
        None if archive.is_bytes("names") => archive.text("names")?.map(Names::Json),
        None => None,
    };
    let rows = features.as_ref().map_or(0, |rows| rows.nrows());
    Ok(Raw {
        features: features.map(Found::Memory),
        array: name,
        logits: archive.matrix("logits")?,
        spatial: archive.matrix("spatial")?,
        names,
        labels: labels(&mut archive, rows)?,
        provenance: if archive.is_bytes("provenance") { archive.text("provenance")? } else { None },
    })
}

/// The class of each image: a text of this crate, or whole numbers of another tool, one for each row.
fn labels(archive: &mut ArrayArchive<BufReader<File>>, rows: usize) -> Result<Option<Vec<String>>, Fault> {
    if archive.is_bytes("labels")
        && let Some(Ok(labels)) = archive.text("labels").ok().flatten().map(|text| serde_json::from_str(&text))
    {
        return Ok(Some(labels));
    }
    if let Some(labels) = archive.strings("labels")? {
        return Ok(Some(labels).filter(|labels| labels.len() == rows));
    }
    let Ok(Some(labels)) = archive.vector("labels") else { return Ok(None) };
    let are_classes = labels.len() == rows && labels.iter().all(|label| label.fract() == 0.0);
    Ok(are_classes.then(|| labels.iter().map(|label| label.to_string()).collect()))
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
