//! Installing weights: from a file and from a server on the loopback, whole, broken, truncated, tampered and resumed.
//!
//! The published file cannot be part of a test; a generated checkpoint of the same layout takes its place, and its
//! digest that of the published one.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use crate::support::{checkpoint_bytes, sha256_hex};
use gan_metrics::error::Blamed;
use gan_metrics::extractor::install::{
    AddressError, Checkpoint, InstallError, InstallObserver, Installed, Mismatch, Source, install as install_for,
};
use gan_metrics::extractor::weights::inception_v3;
use gan_metrics::extractor::weights::onnx::{ModelFile, metadata};
use gan_metrics::{Blame, Interrupt};

static PTH: LazyLock<Arc<Vec<u8>>> = LazyLock::new(|| Arc::new(checkpoint_bytes(&inception_v3::seeded_state_dict(0))));

fn checkpoint(urls: Vec<String>) -> Checkpoint {
    Checkpoint { bytes: PTH.len() as u64, sha256: sha256_hex([&**PTH]), urls }
}

/// An install that nobody watches or stops.
fn install(checkpoint: &Checkpoint, source: &Source, folder: &Path) -> Result<Installed, InstallError> {
    install_for(checkpoint, source, folder, &mut (), &Interrupt::new())
}

/// Keeps what it is told, and asks to stop after so many bytes.
#[derive(Default)]
struct Watcher {
    seen: Vec<u64>,
    waits: usize,
    told: Option<std::sync::mpsc::Sender<()>>,
    stop_after: Option<u64>,
    interrupt: Interrupt,
}

impl InstallObserver for Watcher {
    fn waiting(&mut self) {
        self.waits += 1;
        if let Some(told) = &self.told {
            told.send(()).unwrap();
        }
    }

    fn arrived(&mut self, done: u64, total: u64) {
        assert_eq!(total, PTH.len() as u64);
        self.seen.push(done);
        if self.stop_after.is_some_and(|bytes| done > bytes) {
            self.interrupt.request();
        }
    }
}

/// What a server does with one request.
#[derive(Clone)]
enum Answer {
    /// Sends what was asked for.
    Serve(Arc<Vec<u8>>),
    /// Promises everything and hangs up after so many bytes.
    HangUp(Arc<Vec<u8>>, usize),
    /// Ignores the range and sends everything.
    NoRanges(Arc<Vec<u8>>),
    /// A status without content.
    Status(&'static str),
}

/// A server that gives one answer a request, in turn; and the ranges it was asked for.
struct Server {
    url: String,
    ranges: Arc<Mutex<Vec<Option<String>>>>,
}

impl Server {
    fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/weights.pth", listener.local_addr().unwrap());
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&ranges);
        thread::spawn(move || {
            for (answer, stream) in answers.into_iter().zip(listener.incoming()) {
                let mut stream = stream.unwrap();
                let mut range = None;
                for line in BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
                        range = Some(value.to_owned());
                    }
                }
                log.lock().unwrap().push(range.clone());
                let start = range.and_then(|range| range.trim_end_matches('-').parse::<usize>().ok());
                let (status, body, whole) = match &answer {
                    Answer::Serve(bytes) | Answer::HangUp(bytes, _) if start.is_some() => {
                        ("206 Partial Content", &bytes[start.unwrap()..], bytes.len())
                    }
                    Answer::Serve(bytes) | Answer::HangUp(bytes, _) | Answer::NoRanges(bytes) => {
                        ("200 OK", &bytes[..], bytes.len())
                    }
                    Answer::Status(status) => (*status, &[][..], 0),
                };
                let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
                if status.starts_with("206") {
                    head += &format!("Content-Range: bytes {}-{}/{whole}\r\n", start.unwrap(), whole - 1);
                }
                let sent = match answer {
                    Answer::HangUp(_, bytes) => &body[..bytes],
                    _ => body,
                };
                // The client hangs up on what it does not want.
                let _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(sent));
            }
        });
        Self { url, ranges }
    }

    fn ranges(&self) -> Vec<Option<String>> {
        self.ranges.lock().unwrap().clone()
    }
}

/// Files in a folder that are neither the network nor its digest nor the lock.
fn leftovers(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let expected = ["inception-v3.onnx", "inception-v3.onnx.sha256", ".inception-v3.lock"];
    names.filter(|name| !expected.contains(&name.as_str())).collect()
}

#[test]
fn a_copy_on_disk_is_installed_once() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.pth");
    fs::write(&copy, &**PTH).unwrap();
    let models = folder.path().join("models");
    let checkpoint = checkpoint(vec![]);
    let source = Source::File(copy.clone());

    let Installed::Now(path) = install(&checkpoint, &source, &models).unwrap() else { panic!("not new") };
    let file = ModelFile::from_file(&path).unwrap();
    assert_eq!(file.metadata[metadata::SOURCE], format!("sha256:{}", checkpoint.sha256));
    assert_eq!(leftovers(&models), [] as [&str; 0]);
    // The second time nothing is read.
    fs::remove_file(&copy).unwrap();
    assert_eq!(install(&checkpoint, &source, &models).unwrap(), Installed::Before(path.clone()));

    // A damaged network is noticed, and so not taken for installed.
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = install(&checkpoint, &source, &models).unwrap_err();
    assert!(matches!(error, InstallError::Io { path, .. } if path == copy));
}

#[test]
fn a_truncated_and_a_tampered_copy_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.pth");
    let models = folder.path().join("models");
    let refused = |bytes: &[u8]| {
        fs::write(&copy, bytes).unwrap();
        let error = install(&checkpoint(vec![]), &Source::File(copy.clone()), &models).unwrap_err();
        assert!(!models.join("inception-v3.onnx").exists());
        error.to_string()
    };
    assert!(refused(&PTH[..1000]).contains("has 1000 bytes where the published file has"));
    let mut tampered = PTH.to_vec();
    tampered[5000] ^= 1;
    assert!(refused(&tampered).contains("has the sha256"));
}

#[test]
fn a_transfer_that_breaks_off_goes_on_where_it_stopped() {
    let models = tempfile::tempdir().unwrap();
    let server = Server::start(vec![Answer::HangUp(Arc::clone(&PTH), 300_000), Answer::Serve(Arc::clone(&PTH))]);
    let mut watcher = Watcher::default();
    let source = Source::Url(server.url.clone());
    install_for(&checkpoint(vec![]), &source, models.path(), &mut watcher, &Interrupt::new()).unwrap();
    assert_eq!(server.ranges(), [None, Some("300000-".to_owned())]);
    let Watcher { seen, waits: 0, .. } = watcher else { panic!("nobody else installs") };
    assert_eq!(seen.last(), Some(&(PTH.len() as u64)));
    assert!(seen.is_sorted());
    assert_eq!(leftovers(models.path()), [] as [&str; 0]);
}

#[test]
fn the_next_command_goes_on_too_and_a_server_without_ranges_starts_again() {
    let models = tempfile::tempdir().unwrap();
    let server = Server::start(vec![Answer::Serve(Arc::clone(&PTH)), Answer::NoRanges(Arc::clone(&PTH))]);
    let source = Source::Url(server.url.clone());
    // The user stops it after the first bytes.
    let mut watcher = Watcher { stop_after: Some(100_000), ..Watcher::default() };
    let interrupt = watcher.interrupt.clone();
    let error = install_for(&checkpoint(vec![]), &source, models.path(), &mut watcher, &interrupt).unwrap_err();
    assert_eq!(error.blame(), Blame::Interrupted);
    assert!(error.to_string().ends_with("bytes: they are kept, and the next attempt goes on from there"), "{error}");
    let InstallError::Interrupted { done, .. } = error else { panic!("{error}") };
    install(&checkpoint(vec![]), &source, models.path()).unwrap();
    assert_eq!(server.ranges(), [None, Some(format!("{done}-"))]);
}

#[test]
fn wrong_content_is_refused_and_forgotten() {
    let models = tempfile::tempdir().unwrap();
    let mut tampered = PTH.to_vec();
    tampered[7000] ^= 1;
    let mut longer = PTH.to_vec();
    longer.push(0);
    let server = Server::start(vec![Answer::Serve(Arc::new(tampered)), Answer::Serve(Arc::new(longer))]);
    let source = Source::Url(server.url.clone());
    let attempt = || {
        let InstallError::Download { mut failures, kept: 0 } =
            install(&checkpoint(vec![]), &source, models.path()).unwrap_err()
        else {
            panic!("bytes of another file are kept")
        };
        failures.remove(0).1
    };
    assert!(matches!(attempt(), AddressError::OtherFile(Mismatch::Digest { .. })));
    assert!(matches!(attempt(), AddressError::OtherFile(Mismatch::Length { .. })));
    // Both began anew, and nothing is left of either.
    assert_eq!(server.ranges(), [None, None]);
    assert_eq!(leftovers(models.path()), [] as [&str; 0]);
}

#[test]
fn the_second_address_helps_out_and_failures_are_listed() {
    let models = tempfile::tempdir().unwrap();
    let gone = Server::start(vec![Answer::Status("404 Not Found"); 6]);
    let error = install(&checkpoint(vec![gone.url.clone()]), &Source::Published, models.path()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&format!("{}: the server answered with status 404", gone.url)), "{message}");
    assert!(message.contains("nothing has arrived") && message.contains("HTTPS_PROXY"), "{message}");

    let good = Server::start(vec![Answer::Serve(Arc::clone(&PTH))]);
    let both = checkpoint(vec![gone.url.clone(), good.url.clone()]);
    install(&both, &Source::Published, models.path()).unwrap();
    assert_eq!(good.ranges(), [None]);
}

#[test]
fn concurrent_installs_wait_for_each_other() {
    let models = tempfile::tempdir().unwrap();
    let server = Server::start(vec![Answer::Serve(Arc::clone(&PTH))]);
    let source = Source::Url(server.url.clone());
    let outcomes: Vec<_> = thread::scope(|scope| {
        let both = [(), ()].map(|()| scope.spawn(|| install(&checkpoint(vec![]), &source, models.path())));
        both.map(|thread| thread.join().unwrap().unwrap()).into()
    });
    let new = outcomes.iter().filter(|outcome| matches!(outcome, Installed::Now(_))).count();
    assert_eq!((new, outcomes.len()), (1, 2));
    assert_eq!(server.ranges().len(), 1);
}

#[test]
fn waiting_for_another_install_is_told_once_and_can_be_stopped() {
    let models = tempfile::tempdir().unwrap();
    let lock = fs::File::create(models.path().join(".inception-v3.lock")).unwrap();
    lock.lock().unwrap();
    let (checkpoint, interrupt) = (checkpoint(vec![]), Interrupt::new());
    let (told, is_told) = std::sync::mpsc::channel();
    let mut watcher = Watcher { told: Some(told), ..Watcher::default() };
    let stop = interrupt.clone();
    let error = thread::scope(|scope| {
        scope.spawn(move || {
            // Long enough for it to be told again.
            is_told.recv().unwrap();
            thread::sleep(std::time::Duration::from_millis(500));
            stop.request();
        });
        install_for(&checkpoint, &Source::Published, models.path(), &mut watcher, &interrupt).unwrap_err()
    });
    assert!(matches!(error, InstallError::InterruptedWaiting { .. }), "{error}");
    assert_eq!((error.blame(), watcher.waits), (Blame::Interrupted, 1));
}

#[test]
fn a_login_page_in_the_place_of_the_file_spoils_nothing_that_has_arrived() {
    let models = tempfile::tempdir().unwrap();
    let page = Arc::new(b"<html>Welcome to the hotel's network</html>".to_vec());
    let server = Server::start(vec![
        Answer::HangUp(Arc::clone(&PTH), 200_000),
        Answer::NoRanges(page),
        Answer::Serve(Arc::clone(&PTH)),
    ]);
    let source = Source::Url(server.url.clone());
    let error = install(&checkpoint(vec![]), &source, models.path()).unwrap_err();
    let InstallError::Download { failures, kept: 200_000 } = &error else { panic!("{error}") };
    assert!(matches!(failures[1].1, AddressError::OtherFile(Mismatch::Length { .. })), "{error}");
    install(&checkpoint(vec![]), &source, models.path()).unwrap();
    assert_eq!(server.ranges(), [None, Some("200000-".to_owned()), Some("200000-".to_owned())]);
}
