//! A file from the first address that gives it, taken up again where a transfer broke off.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::checkpoint::Checkpoint;
use super::transfer::{AddressError, Transfer, TransferError};
use super::{InstallError, InstallObserver, at};
use crate::interrupt::Interrupt;

/// How often an address is tried within one command.
const ATTEMPTS: usize = 3;

/// A download in progress.
pub(super) struct Download<'a> {
    pub(super) checkpoint: &'a Checkpoint,
    /// Where what has arrived is kept until it is whole.
    pub(super) part: &'a Path,
    /// How long a server may stay silent.
    pub(super) patience: Duration,
    pub(super) observer: &'a mut dyn InstallObserver,
    pub(super) interrupt: &'a Interrupt,
}

impl Download<'_> {
    /// The file, verified.
    pub(super) fn fetch(&mut self, urls: &[String]) -> Result<Vec<u8>, InstallError> {
        let mut failures = Vec::new();
        for url in urls {
            for _ in 0..ATTEMPTS {
                let error = match self.attempt(url)? {
                    Ok(bytes) => return Ok(bytes),
                    Err(error) => error,
                };
                let hopeless = error.is_other_file();
                let failure = (without_password(url), error);
                if failures.last() != Some(&failure) {
                    failures.push(failure);
                }
                if hopeless {
                    break;
                }
            }
        }
        Err(InstallError::Download { failures, kept: self.arrived()? })
    }

    /// The file, if this address gives all that is missing.
    fn attempt(&mut self, url: &str) -> Result<Result<Vec<u8>, AddressError>, InstallError> {
        let before = self.arrived()?;
        let resumed = match self.receive(url, before) {
            Ok(resumed) => resumed,
            Err(Failure::Address(error)) => return Ok(Err(error)),
            Err(Failure::Install(error)) => return Err(error),
        };
        let bytes = fs::read(self.part).map_err(at(self.part))?;
        Ok(match self.checkpoint.check(&bytes) {
            Ok(()) => Ok(bytes),
            Err(mismatch) => {
                // Going on from wrong bytes could never succeed.
                fs::remove_file(self.part).map_err(at(self.part))?;
                // Which of the parts was wrong is not known: the address may be right when it gives the whole.
                Err(if resumed { AddressError::Parts(mismatch) } else { AddressError::OtherFile(mismatch) })
            }
        })
    }

    /// Bytes that are kept.
    fn arrived(&self) -> Result<u64, InstallError> {
        match fs::metadata(self.part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            other => Ok(other.map_err(at(self.part))?.len()),
        }
    }

    /// Appends to the part what it lacks, and tells whether it held anything before.
    fn receive(&mut self, url: &str, before: u64) -> Result<bool, Failure> {
        let total = self.checkpoint.bytes;
        if before >= total {
            // Complete, or hopeless: the verification tells.
            return Ok(true);
        }
        let transfer = Transfer::start(url, before, self.checkpoint, self.patience);
        let start = transfer.accepted(self.interrupt).map_err(|error| self.failure(error))?;
        self.observer.arrived(start, total);
        let (mut done, mut file) = (start, None);
        while let Some(bytes) = transfer.next(self.interrupt).map_err(|error| self.failure(error))? {
            // What is there stays until something takes its place.
            let file = match &mut file {
                Some(file) => file,
                none => none.insert(self.open(start).map_err(at(self.part))?),
            };
            file.write_all(&bytes).map_err(at(self.part))?;
            done += bytes.len() as u64;
            self.observer.arrived(done, total);
        }
        match done < total {
            true => Err(Failure::Address(AddressError::BrokeOff { done, total })),
            false => Ok(start > 0),
        }
    }

    /// The part, cut to the bytes that the transfer goes on from.
    fn open(&self, start: u64) -> io::Result<File> {
        let file = OpenOptions::new().append(true).create(true).open(self.part)?;
        file.set_len(start)?;
        Ok(file)
    }

    fn failure(&self, error: TransferError) -> Failure {
        match (error, self.arrived()) {
            (TransferError::Address(error), _) => Failure::Address(error),
            (TransferError::Interrupted, Ok(done)) => {
                InstallError::Interrupted { done, total: self.checkpoint.bytes }.into()
            }
            (TransferError::Interrupted, Err(error)) => error.into(),
        }
    }
}

/// Why a file did not arrive.
enum Failure {
    /// The address is at fault, and another may do better.
    Address(AddressError),
    /// No address would.
    Install(InstallError),
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        Failure::Install(error)
    }
}

/// An address as it may be shown: user and password are left out.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match host.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => url.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::digest::sha256;
    use crate::error::{Blame, Blamed};

    /// A server that gives one answer a connection, in turn, and keeps the connections open.
    fn server(answers: Vec<Vec<u8>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/weights.pth", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let answer = |(answer, stream): (Vec<u8>, io::Result<std::net::TcpStream>)| {
                let mut stream = stream.unwrap();
                // The request; a GET is over after an empty line, and small enough to come at once.
                io::Read::read(&mut stream, &mut [0; 4096]).unwrap();
                stream.write_all(&answer).unwrap();
                stream
            };
            let open: Vec<_> = answers.into_iter().zip(listener.incoming()).map(answer).collect();
            std::thread::sleep(Duration::from_secs(20));
            drop(open);
        });
        url
    }

    fn ok(length: usize, body: &[u8]) -> Vec<u8> {
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes(), body].concat()
    }

    const CONTENT: &[u8] = b"the published weights";

    /// What comes of the addresses, and what is kept.
    fn outcome(urls: &[String], patience: Duration) -> (Result<Vec<u8>, InstallError>, Option<Vec<u8>>) {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("part");
        let checkpoint = Checkpoint { bytes: CONTENT.len() as u64, sha256: sha256(CONTENT), urls: vec![] };
        let mut download = Download {
            checkpoint: &checkpoint,
            part: &part,
            patience,
            observer: &mut (),
            interrupt: &Interrupt::new(),
        };
        let found = download.fetch(urls);
        (found, fs::read(part).ok())
    }

    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn a_page_of_another_length_is_not_kept() {
        // The login page of a network.
        let page = b"<html>log in</html>";
        let url = server(vec![ok(page.len(), page); 2]);
        let (found, kept) = outcome(std::slice::from_ref(&url), LONG);
        let message = found.as_ref().unwrap_err().to_string();
        assert!(message.contains("it has 19 bytes where the published file has 21"), "{message}");
        assert!(message.contains("nothing has arrived that could be kept"), "{message}");
        assert_eq!((found.unwrap_err().blame(), kept), (Blame::Model, None));
        let good = server(vec![ok(CONTENT.len(), CONTENT)]);
        assert_eq!(outcome(&[url, good], LONG).0.unwrap(), CONTENT);
    }

    #[test]
    fn an_answer_without_a_length_is_not_trusted() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let (found, kept) = outcome(&[server(vec![chunked.to_vec()])], LONG);
        let message = found.unwrap_err().to_string();
        assert!(message.contains("the server does not say how long the file is"), "{message}");
        assert_eq!(kept, None);
    }

    #[test]
    fn other_content_of_the_right_length_sends_to_the_next_address() {
        let wrong = [b'x'; CONTENT.len()];
        let [bad, good] = [ok(wrong.len(), &wrong), ok(CONTENT.len(), CONTENT)].map(|answer| server(vec![answer]));
        assert_eq!(outcome(&[bad, good], LONG).0.unwrap(), CONTENT);
    }

    #[test]
    fn a_server_that_lies_about_what_it_resumes_is_refused() {
        let (start, rest) = CONTENT.split_at(5);
        let lie = |range: &str| {
            let head = format!("HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\n", rest.len());
            [format!("{head}Content-Range: {range}\r\n\r\n").as_bytes(), rest].concat()
        };
        // Silent after five bytes, then two lies, then the truth.
        let short = Duration::from_millis(300);
        let total = CONTENT.len();
        let last = total - 1;
        let first = server(vec![
            ok(CONTENT.len(), start),
            lie(&format!("bytes 4-{last}/{total}")),
            lie(&format!("bytes 5-{last}/{}", total + 1)),
        ]);
        let second = server(vec![lie(&format!("bytes 5-{last}/{total}"))]);
        assert_eq!(outcome(&[first, second], short).0.unwrap(), CONTENT);
    }

    #[test]
    fn silence_is_bounded_before_and_in_the_body() {
        let started = Instant::now();
        let urls = [server(vec![vec![]; 3]), server(vec![ok(CONTENT.len(), &CONTENT[..5]), vec![], vec![]])];
        let (found, kept) = outcome(&urls, Duration::from_millis(200));
        let InstallError::Download { failures, kept: bytes } = found.unwrap_err() else { panic!("downloaded") };
        assert!(failures.iter().all(|(_, error)| matches!(error, AddressError::Silent { .. })), "{failures:?}");
        assert_eq!((bytes, kept.as_deref()), (5, Some(&CONTENT[..5])));
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("https://me:pass@host:8080/x@y"), "https://host:8080/x@y");
        assert_eq!(without_password("http://host?a@b"), "http://host?a@b");
    }
}
