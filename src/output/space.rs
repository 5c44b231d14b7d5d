//! Room for temporary files.

use std::io;
use std::path::Path;

/// Bytes that a temporary file in this folder may take: half of what is free, so that whatever else needs the disk finds as much.
///
/// # Errors
/// Of the system, when the folder is not there.
pub(crate) fn spare_bytes(folder: &Path) -> io::Result<u64> {
    Ok(free_bytes(folder)? / 2)
}

/// What a user may still write to the disk of a folder.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Not known without calls that are unsafe: a full disk is an error like any other then.
#[cfg(not(unix))]
fn free_bytes(_: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}
