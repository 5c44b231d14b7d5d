//! A file of JSON lines that grows by a line a run.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::OutputError;
use super::target::Target;
use super::{begin, temporary_for};

/// Longest last line that is looked at, in bytes. A line of a log has a few hundred; what is longer is another kind of file.
const LONGEST: u64 = 1 << 20;

/// A file of JSON lines to append to, which is known to be one.
///
/// Lines are added to the end by a single write under an advisory lock, so that runs side by side do not mix theirs. A file whose last
/// line is not complete JSON, such as one that another program was killed at, is refused: what is appended to it would be lost too.
///
/// Dropped without being appended to, it leaves everything as it was.
///
/// ```
/// use gan_metrics::output::JsonLines;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("log.jsonl");
/// for run in 0..2 {
///     let log = JsonLines::claim(&path)?;
///     log.append(&format!(r#"{{"run":{run}}}"#))?;
/// }
/// assert_eq!(std::fs::read_to_string(&path)?, "{\"run\":0}\n{\"run\":1}\n");
///
/// std::fs::write(&path, "{\"run\":")?;
/// assert!(JsonLines::claim(&path).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    place: PathBuf,
}

impl JsonLines {
    /// Makes sure that lines can be appended to a file, or a new one can be made.
    ///
    /// # Errors
    /// [`OutputError::NotRegular`] when something else than a regular file is there, [`OutputError::BrokenLine`] when its last line is
    /// not complete JSON; those of [`Output::claim`](super::Output::claim).
    pub fn claim(path: &Path) -> Result<Self, OutputError> {
        Self::of(path, Target::of(path)?)
    }

    pub(super) fn of(path: &Path, target: Target) -> Result<Self, OutputError> {
        let Target::File(place) = target else { return Err(OutputError::NotRegular { path: path.into() }) };
        match OpenOptions::new().read(true).append(true).open(&place) {
            Ok(mut file) => check_last_line(path, &mut file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A file that can be made here is removed at once.
                begin(path, &place, |_| temporary_for(&place))?;
            }
            Err(error) => return Err(OutputError::at(path, error)),
        }
        Ok(Self { path: path.into(), place })
    }

    /// Appends a line, given without its end.
    ///
    /// # Errors
    /// [`OutputError`] when the file has become one that [`Self::claim`] refuses, or cannot be written to; it is then as it was.
    ///
    /// # Panics
    /// When the line has an end of line in it.
    pub fn append(self, line: &str) -> Result<(), OutputError> {
        assert!(!line.contains('\n'), "one line is appended at a time");
        let at = |error| OutputError::at(&self.path, error);
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&self.place).map_err(at)?;
        // It is given back when the file is closed. Where nothing can be locked, one write is all that can be done.
        let _ = file.lock();
        check_last_line(&self.path, &mut file)?;
        let before = file.metadata().map_err(at)?.len();
        let line = format!("{line}\n");
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a line would keep every later run from appending.
            let _ = file.set_len(before);
        }
        written.map_err(at)
    }
}

/// Makes sure that a file is empty, or that its last line ends and is JSON.
fn check_last_line(path: &Path, file: &mut File) -> Result<(), OutputError> {
    let broken = |reason: String| OutputError::BrokenLine { path: path.into(), reason };
    let text = last_bytes(file).map_err(|error| OutputError::at(path, error))?;
    let Some(ended) = text.strip_suffix(b"\n") else {
        return if text.is_empty() { Ok(()) } else { Err(broken("it does not end".into())) };
    };
    let start = ended.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    if start == 0 && text.len() as u64 == LONGEST {
        return Err(broken(format!("it has more than {LONGEST} bytes")));
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(&ended[start..]).map_err(|error| broken(error.to_string()))?;
    Ok(())
}

/// The end of a file.
fn last_bytes(file: &mut File) -> io::Result<Vec<u8>> {
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(LONGEST)))?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Blame, Blamed};
    use crate::output::Outputs;
    use std::fs;

    #[test]
    fn a_file_that_is_not_of_json_lines_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let refused = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            let error = JsonLines::claim(&path).unwrap_err();
            assert_eq!(error.blame(), Blame::Input);
            assert_eq!(fs::read(&path).unwrap(), content);
            error.to_string().replace(&path.display().to_string(), "log")
        };
        assert_eq!(
            refused(b"{\"a\":1}\n{\"a\":2}"),
            "cannot append to log: its last line is not complete JSON (it does not end); repair or remove the line, or name \
             another file"
        );
        assert!(refused(b"{\"a\":1}\n{\"a\":\n").contains("EOF while parsing a value at line 1"));
        assert!(refused(b"step,fid\n1,2\n").contains("trailing characters"));
        assert!(refused(b"{}\n\n").contains("EOF while parsing"));
        assert!(refused(b"\xff\n").contains("expected value"));
        let long = [&b"\""[..], &vec![b'x'; LONGEST as usize], b"\"\n"].concat();
        assert!(refused(&long).contains("it has more than 1048576 bytes"));
        let error = JsonLines::claim(folder.path()).unwrap_err();
        assert!(matches!(error, OutputError::Folder { .. }));
        assert!(matches!(JsonLines::claim(&folder.path().join("no/log")), Err(OutputError::NoFolder { .. })));
        let error = JsonLines::claim(Path::new("/dev/null")).unwrap_err().to_string();
        assert_eq!(error, "cannot append to /dev/null: it is not a regular file; name one, which need not exist");
    }

    #[test]
    fn a_claim_makes_no_file_and_what_breaks_after_it_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = JsonLines::claim(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(&path, "half").unwrap();
        assert!(matches!(log.append("{}"), Err(OutputError::BrokenLine { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "half");
    }

    #[test]
    fn runs_side_by_side_do_not_mix_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let line = |run: usize| format!("[{run},\"{}\"]", "x".repeat(5000));
        std::thread::scope(|scope| {
            for run in 0..8 {
                let path = &path;
                scope.spawn(move || JsonLines::claim(path).unwrap().append(&line(run)).unwrap());
            }
        });
        let mut lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(String::from).collect();
        lines.sort();
        assert_eq!(lines, (0..8).map(line).collect::<Vec<_>>());
    }

    #[test]
    fn it_is_no_other_file_of_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let [input, log] = ["input", "log"].map(|name| folder.path().join(name));
        fs::write(&input, "{}\n").unwrap();
        let mut outputs = Outputs::beside([&input]);
        assert!(matches!(outputs.claim_lines(&input), Err(OutputError::Input { .. })));
        outputs.claim_lines(&log).unwrap();
        assert!(matches!(outputs.claim(&log), Err(OutputError::Twice { .. })));
    }
}
