//! One install at a time.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{InstallError, InstallObserver, at};
use crate::extractor::registry::ExtractorId;
use crate::interrupt::Interrupt;

/// How often the lock is tried: a lock that blocks could not be interrupted.
const INTERVAL: Duration = Duration::from_millis(100);

/// Waits until no other install into `folder` is in progress. None begins while the file is open.
pub(super) fn acquire(
    folder: &Path,
    observer: &mut dyn InstallObserver,
    interrupt: &Interrupt,
) -> Result<File, InstallError> {
    let path = folder.join(format!(".{}.lock", ExtractorId::InceptionV3));
    let file = File::create(&path).map_err(at(&path))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(at(&path)(source)),
            Err(TryLockError::WouldBlock) if interrupt.is_requested() => {
                return Err(InstallError::InterruptedWaiting { folder: folder.into() });
            }
            Err(TryLockError::WouldBlock) => {
                if !told {
                    observer.waiting();
                    told = true;
                }
                thread::sleep(INTERVAL);
            }
        }
    }
}
