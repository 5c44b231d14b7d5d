//! The files that a path with wildcards names. The names of files need not be UTF-8, which those that `glob` lists must be.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use glob::Pattern;

use super::error::DataSetError;

/// What matches, sorted; `None` where a part of the path is not a pattern that is understood.
///
/// # Errors
/// [`DataSetError::Io`] when a folder cannot be listed.
pub(super) fn matching(text: &str) -> Result<Option<Vec<PathBuf>>, DataSetError> {
    let mut found = vec![PathBuf::new()];
    for part in Path::new(text).components() {
        let name = part.as_os_str().to_str().expect("a part of a text is a text");
        found = match part {
            Component::Normal(_) if name == "**" => everywhere(found)?,
            Component::Normal(_) if super::pattern::is_wild(name) => {
                let Ok(pattern) = Pattern::new(name) else { return Ok(None) };
                let mut matching = Vec::new();
                for folder in found {
                    let entries = list(&folder)?.into_iter().filter(|entry| {
                        let name = entry.file_name().expect("an entry has a name");
                        pattern.matches(&name.to_string_lossy())
                    });
                    matching.extend(entries);
                }
                matching
            }
            _ => found
                .into_iter()
                .map(|folder| folder.join(part))
                .filter(|path| path.symlink_metadata().is_ok())
                .collect(),
        };
    }
    found.sort();
    Ok(Some(found))
}

/// Folders, and all below them; links are not followed.
fn everywhere(folders: Vec<PathBuf>) -> Result<Vec<PathBuf>, DataSetError> {
    let (mut all, mut seen, mut pending) = (Vec::new(), HashSet::new(), folders);
    while let Some(folder) = pending.pop() {
        if seen.insert(folder.clone()) {
            let below = list(&folder)?;
            pending.extend(below.into_iter().filter(|path| path.symlink_metadata().is_ok_and(|found| found.is_dir())));
            all.push(folder);
        }
    }
    Ok(all)
}

/// What is in a folder; nothing where it is something else.
fn list(folder: &Path) -> Result<Vec<PathBuf>, DataSetError> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(here)
        .and_then(|entries| entries.map(|entry| Ok(folder.join(entry?.file_name()))).collect::<io::Result<Vec<_>>>());
    match entries {
        Err(error) if matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::NotFound) => Ok(Vec::new()),
        other => other.map_err(|source| DataSetError::Io { path: here.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matches of a pattern below a folder with some files, relative to it.
    fn matches(pattern: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a/1.tar", "a/2.tar", "a/x.zip", "b/1.tar", "b/deep/3.tar", "top.tar"] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = matching(&format!("{}/{pattern}", folder.path().display())).unwrap().unwrap();
        found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn wildcards_match_in_any_part_of_a_path() {
        assert_eq!(matches("*.tar"), ["top.tar"]);
        assert_eq!(matches("?/*.tar"), ["a/1.tar", "a/2.tar", "b/1.tar"]);
        assert_eq!(matches("[ab]/1.tar"), ["a/1.tar", "b/1.tar"]);
        assert_eq!(matches("**/*.tar"), ["a/1.tar", "a/2.tar", "b/1.tar", "b/deep/3.tar", "top.tar"]);
        assert_eq!(matches("b/**/3.tar"), ["b/deep/3.tar"]);
        assert_eq!(matches("top.tar/*"), [""; 0]);
        assert!(matching("/tmp/[a").unwrap().is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_not_utf8_are_among_the_matches() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.png"));
        std::fs::write(&path, "").unwrap();
        assert_eq!(matching(&format!("{}/*.png", folder.path().display())).unwrap().unwrap(), [path]);
    }
}
