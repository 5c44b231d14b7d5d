//! Where generated images go.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Blame, Blamed};
use crate::{Result, atomic};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::array::{ArrayFile, Failure, Shape};
use super::pixels::{encode, interleaved};
use crate::cli::output::OutputError;

/// The folder to make is there and has files in it.
#[derive(Debug, thiserror::Error)]
#[error("{} is there already and not empty: choose another folder for -o, or remove it", .0.display())]
struct Occupied(PathBuf);

impl Blamed for Occupied {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Gives batches of planar images until there are no more.
type Next<'a> = dyn FnMut() -> Result<Option<Vec<u8>>> + 'a;

/// Writes all batches to a path, in the form that its extension names, whole or not at all.
pub fn write(path: &Path, shape: Shape, next: &mut Next<'_>) -> Result<()> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("npy") => ArrayFile::write(path, shape, |file| push_all(file, next)),
        Some("npz") => npz(path, shape, next),
        Some("zip") => zip(path, shape, next),
        _ => folder(path, shape, next),
    }
}

fn push_all(file: &mut ArrayFile<'_>, next: &mut Next<'_>) -> Result<()> {
    while let Some(images) = next()? {
        file.push(&images)?;
    }
    Ok(())
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true)
}

fn npz(path: &Path, shape: Shape, next: &mut Next<'_>) -> Result<()> {
    let written = atomic::write(path, |file| -> Result<(), Failure> {
        let mut archive = ZipWriter::new(file);
        archive.start_file("arr_0.npy", options()).map_err(io::Error::from)?;
        archive.write_all(&shape.npy_header())?;
        push_all(&mut ArrayFile::within(path, shape, &mut archive), next)?;
        archive.finish().map_err(io::Error::from)?;
        Ok(())
    });
    written.map_err(|failure| failure.at(path))
}

/// Calls `take(name, PNG)` for every image.
fn each_png(
    shape: Shape,
    next: &mut Next<'_>,
    mut take: impl FnMut(&str, &[u8]) -> io::Result<()>,
) -> Result<(), Failure> {
    let digits = (shape.images - 1).to_string().len().max(5);
    let mut index = 0;
    while let Some(images) = next()? {
        for image in images.chunks_exact(shape.image_len()) {
            let png = encode(&interleaved(image, shape.channels), shape)?;
            take(&format!("{index:0digits$}.png"), &png)?;
            index += 1;
        }
    }
    Ok(())
}

fn zip(path: &Path, shape: Shape, next: &mut Next<'_>) -> Result<()> {
    let written = atomic::write(path, |file| -> Result<(), Failure> {
        let mut archive = ZipWriter::new(file);
        each_png(shape, next, |name, png| {
            archive.start_file(name, options()).map_err(io::Error::from)?;
            archive.write_all(png)
        })?;
        archive.finish().map_err(io::Error::from)?;
        Ok(())
    });
    written.map_err(|failure| failure.at(path))
}

/// Fills a temporary folder next to the one that is asked for, and renames it.
fn folder(path: &Path, shape: Shape, next: &mut Next<'_>) -> Result<()> {
    let failure = |source| OutputError::at(path, source);
    match fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            Some(_) => return Err(Occupied(path.to_owned()).into()),
            None => fs::remove_dir(path).map_err(failure)?,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failure(error).into()),
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new().prefix(".gan-metrics-").tempdir_in(parent).map_err(failure)?;
    let written = each_png(shape, next, |name, png| fs::write(temporary.path().join(name), png));
    written.map_err(|failure| failure.at(path))?;
    allow_reading(temporary.path()).map_err(failure)?;
    fs::rename(temporary.path(), path).map_err(failure)?;
    // Renamed away: there is nothing left to remove.
    let _ = temporary.keep();
    Ok(())
}

/// Temporary folders are private to the user; a result should be as readable as any folder that the user makes.
#[cfg(unix)]
fn allow_reading(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn allow_reading(_: &Path) -> io::Result<()> {
    Ok(())
}
