//! Ctrl-C and SIGTERM in every stage: the program ends soon, with the code 130, true words and nothing left behind.
#![cfg(unix)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{PipeReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use gan_metrics::gan::train::checkpoint;
use gan_metrics::metrics::RandomState;
use gan_metrics::stats::{FeatureFile, Features};
use ndarray::{Array2, Array4};
use tempfile::TempDir;

use crate::support::{fails, program, program_at, succeeds, text};

/// The aim is one second; a busy machine may need more. Uninterrupted, the work would take far longer.
const SOON: Duration = Duration::from_secs(5);
/// How long a stage may take to begin.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program at work in its own folder, with its output in files.
struct Running {
    folder: TempDir,
    child: Child,
}

impl Running {
    /// Starts it in `folder`, which also holds its home and its temporaries.
    fn start<A: AsRef<OsStr>>(folder: TempDir, arguments: impl IntoIterator<Item = A>) -> Self {
        Self::start_by(Command::new(assert_cmd::cargo::cargo_bin("gan-metrics")), folder, arguments)
    }

    /// The same by a command that runs the program with more arguments in its own place.
    fn start_by<A: AsRef<OsStr>>(command: Command, folder: TempDir, arguments: impl IntoIterator<Item = A>) -> Self {
        let [stdout, stderr] = ["stdout", "stderr"].map(|name| File::create(folder.path().join(name)).unwrap().into());
        Self::start_with([stdout, stderr], command, folder, arguments)
    }

    fn start_with<A: AsRef<OsStr>>(
        [stdout, stderr]: [Stdio; 2],
        mut command: Command,
        folder: TempDir,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("tmp")).unwrap();
        command.args(arguments).current_dir(folder.path());
        command.env("GAN_METRICS_HOME", path("home")).env("TMPDIR", path("tmp"));
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
        Self { folder, child }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn stderr(&self) -> String {
        fs::read(self.path("stderr")).map_or(String::new(), |stderr| text(&stderr))
    }

    /// Waits until a stage has begun.
    fn wait(&mut self, begun: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !begun(self) {
            assert_eq!(self.child.try_wait().unwrap(), None, "it ended before: {}", self.stderr());
            assert!(started.elapsed() < PATIENCE, "the stage did not begin: {}", self.stderr());
            sleep(Duration::from_millis(10));
        }
    }

    fn signal(&mut self, name: &str) {
        assert_eq!(self.child.try_wait().unwrap(), None, "it ended before the signal: {}", self.stderr());
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Sees it end soon, as one that was interrupted; gives its last words.
    fn ends(&mut self) -> String {
        let signalled = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(signalled.elapsed() < SOON, "it goes on: {}", self.stderr()),
            }
            sleep(Duration::from_millis(10));
        };
        let stderr = self.stderr();
        assert_eq!(status.code(), Some(130), "{stderr}");
        stderr
    }

    /// Signals, and sees it end soon without temporaries.
    fn interrupted_by(mut self, signal: &str) -> (String, TempDir) {
        self.signal(signal);
        let words = self.ends();
        assert_eq!(files(&self.path("tmp")), [] as [&str; 0], "temporaries are left");
        let Self { folder, .. } = self;
        (words, folder)
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The head of an array file of images.
fn npy_header(images: u64, side: u64) -> Vec<u8> {
    let mut dictionary =
        format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({images}, {side}, {side}, 3), }}");
    dictionary += &" ".repeat(117 - dictionary.len());
    dictionary.push('\n');
    [b"\x93NUMPY\x01\x00".as_slice(), &(dictionary.len() as u16).to_le_bytes(), dictionary.as_bytes()].concat()
}

/// Black images that take no room on the disk.
fn black(folder: &Path, name: &str, images: u64, side: u64) {
    let mut file = File::create(folder.join(name)).unwrap();
    file.write_all(&npy_header(images, side)).unwrap();
    file.set_len(128 + images * side * side * 3).unwrap();
}

/// A few images that can be trained on.
fn noise(folder: &Path, name: &str) {
    let pixel = |(n, y, x, _): (usize, usize, usize, usize)| (n * 97 + y * (n + 3) * 7 + x * 11) as u8;
    ndarray_npy::write_npy(folder.join(name), &Array4::from_shape_fn((16, 16, 16, 1), pixel)).unwrap();
}

const SMALL: [&str; 8] = ["--size", "16", "--width", "4", "--latent-size", "8", "--batch-size", "8"];

fn train<'a>(data: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "--data", data, "--out", "run", "--steps", "1000000"], &SMALL[..], more].concat()
}

/// The same set so often that reading it takes minutes.
fn repeated(data: &'static str, times: usize) -> Vec<&'static str> {
    let mut arguments = train(data, &[]);
    arguments.extend(["--data", data].repeat(times));
    arguments
}

#[test]
fn listing_a_folder() {
    let folder = folder();
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    (0..2000).for_each(|index| fs::write(images.join(format!("{index}.png")), b"no image").unwrap());
    let running = Running::start(folder, repeated("images", 3000));
    sleep(Duration::from_millis(500));
    let (words, folder) = running.interrupted_by("-INT");
    assert_eq!(words, "interrupted while opening `images`\n");
    assert!(!folder.path().join("run").exists());
}

#[test]
fn decompressing_an_archive() {
    let folder = folder();
    let gzip = |bytes: &[u8]| {
        let mut gzip = GzEncoder::new(vec![], Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    // 64 GB in one file of as many parts as that takes.
    let (head, zeros) = (gzip(&npy_header(1 << 20, 145)), gzip(&vec![0; 1 << 26]));
    // A name may be anything; the terminal sees none of it.
    let name = "images\n\u{1b}[31m.npy.gz";
    let mut file = File::create(folder.path().join(name)).unwrap();
    file.write_all(&head).unwrap();
    (0..1000).for_each(|_| file.write_all(&zeros).unwrap());
    let running = Running::start(folder, train(name, &[]));
    sleep(Duration::from_millis(300));
    let (words, _) = running.interrupted_by("-TERM");
    assert_eq!(words, "interrupted while opening `images\\n\\u{1b}[31m.npy.gz`\n");
}

#[test]
fn reading_the_training_images() {
    let folder = folder();
    black(folder.path(), "images.npy", 20, 1000);
    let running = Running::start(folder, repeated("images.npy", 500));
    sleep(Duration::from_secs(1));
    let (words, folder) = running.interrupted_by("-INT");
    assert_eq!(words, "interrupted while reading the images of images.npy\n");
    assert!(!folder.path().join("run").exists());
}

#[test]
fn hashing_for_the_cache() {
    let folder = folder();
    // 200 GB.
    black(folder.path(), "images.npy", 1 << 20, 256);
    let network = ["--extractor", "efficientnet-lite0", "--engine", "tract", "--cache", "use"];
    let running = Running::start(folder, ["features", "images.npy", "-o", "x.npz"].into_iter().chain(network));
    sleep(Duration::from_secs(5));
    let (words, folder) = running.interrupted_by("-TERM");
    assert!(words.starts_with("interrupted"), "{words}");
    assert!(!folder.path().join("x.npz").exists());
}

#[test]
fn a_pass_through_a_network() {
    let folder = folder();
    black(folder.path(), "real.npy", 2, 16);
    black(folder.path(), "fake.npy", 5000, 16);
    let network = ["--extractor", "efficientnet-lite0", "--engine", "tract", "--batch-size", "1", "--cache", "use"];
    let mut running = Running::start(folder, ["fid", "real.npy", "fake.npy"].into_iter().chain(network));
    // The first set is done, the other one goes through the network.
    let cached = |folder: &Path| folder.exists() && files(folder).iter().any(|name| name.ends_with(".npz"));
    running.wait(|running| cached(&running.path("home/features")));
    sleep(Duration::from_secs(1));
    let (words, folder) = running.interrupted_by("-TERM");
    assert!(words.starts_with("interrupted after ") && words.ends_with(" of 5000 images\n"), "{words}");
    assert!(cached(&folder.path().join("home/features")));
}

#[test]
fn training_saves_the_step_that_it_was_at() {
    let folder = folder();
    noise(folder.path(), "images.npy");
    let mut running = Running::start(folder, train("images.npy", &["--checkpoint-every", "2"]));
    let state = |folder: &Path| checkpoint::trained(&folder.join("run/checkpoint.safetensors"));
    running.wait(|running| state(running.folder.path()).is_ok_and(|state| state.step >= 2));
    let (words, folder) = running.interrupted_by("-INT");
    let step = state(folder.path()).unwrap().step;
    assert_eq!(words, format!("interrupted after step {step}: the run is saved, go on with --resume\n"));
    let rows = fs::read_to_string(folder.path().join("run/metrics.csv")).unwrap();
    assert_eq!(rows.lines().count() as u64, 1 + step);
    let more = (step + 1).to_string();
    let resume = ["train", "--resume", "--out", "run", "--data", "images.npy", "--steps", &more, "-q"];
    succeeds(program().current_dir(folder.path()).args(resume).output().unwrap());
}

#[test]
fn a_signal_that_is_ignored_stays_ignored_and_the_others_are_handled() {
    for ignored in ["INT", "HUP"] {
        let folder = folder();
        noise(folder.path(), "images.npy");
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("trap '' {ignored}; exec \"$0\" \"$@\"")]);
        shell.arg(assert_cmd::cargo::cargo_bin("gan-metrics"));
        // Only the beginning is saved before the end.
        let mut running = Running::start_by(shell, folder, train("images.npy", &["--checkpoint-every", "1000000"]));
        let state = |folder: &Path| checkpoint::trained(&folder.join("run/checkpoint.safetensors"));
        running.wait(|running| state(running.folder.path()).is_ok());
        sleep(Duration::from_millis(500));
        running.signal(&format!("-{ignored}"));
        sleep(Duration::from_millis(500));
        let (words, folder) = running.interrupted_by("-TERM");
        let step = state(folder.path()).unwrap().step;
        assert!(step > 0);
        assert_eq!(words, format!("interrupted after step {step}: the run is saved, go on with --resume\n"));
    }
}

#[test]
fn scoring_in_training_ends_the_run_after_its_step() {
    let folder = folder();
    noise(folder.path(), "images.npy");
    let scores = ["--score-every", "1", "--score-images", "5000", "--engine", "tract"];
    let mut running = Running::start(folder, train("images.npy", &scores));
    running
        .wait(|running| running.path("run/metrics.csv").exists() && running.path("run/samples/0000000.png").exists());
    sleep(Duration::from_secs(2));
    let (words, folder) = running.interrupted_by("-TERM");
    assert!(words.ends_with("\ninterrupted after step 1: the run is saved, go on with --resume\n"), "{words}");
    let rows = fs::read_to_string(folder.path().join("run/metrics.csv")).unwrap();
    assert!(rows.lines().nth(1).unwrap().starts_with("1,"), "{rows}");
}

/// A run of one step, and the program that generates from it into the folder `out`.
fn generating(batch_size: &str) -> Running {
    let folder = folder();
    noise(folder.path(), "images.npy");
    fs::create_dir(folder.path().join("out")).unwrap();
    let arguments = ["train", "--data", "images.npy", "--out", "run", "--steps", "1", "-q"];
    succeeds(program().current_dir(folder.path()).args(arguments).args(SMALL).output().unwrap());
    let arguments = ["generate", "--checkpoint", "run/checkpoint.safetensors", "-n", "100000000", "-o", "out/x.npz"];
    let mut running = Running::start(folder, arguments.into_iter().chain(["--batch-size", batch_size]));
    running.wait(|running| !files(&running.path("out")).is_empty());
    running
}

#[test]
fn generating_leaves_nothing() {
    let running = generating("64");
    let (words, folder) = running.interrupted_by("-INT");
    assert!(words.starts_with("interrupted after "), "{words}");
    assert!(words.ends_with(" of 100000000 images, none of which is kept\n"), "{words}");
    assert_eq!(files(&folder.path().join("out")), [] as [&str; 0]);
}

/// Two signals while a batch of images is computed, between two looks at the first.
fn signalled_twice() -> Running {
    let mut running = generating("60000");
    running.signal("-INT");
    running.signal("-TERM");
    assert_eq!(running.ends(), "interrupted\n");
    running
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    signalled_twice();
}

#[test]
fn a_second_signal_leaves_no_temporaries() {
    let running = signalled_twice();
    for folder in ["out", "tmp"] {
        assert_eq!(files(&running.path(folder)), [] as [&str; 0]);
    }
}

#[test]
fn two_signals_at_any_time_end_it_without_a_crash_or_temporaries() {
    let mut folder = folder();
    black(folder.path(), "images.npy", 300, 16);
    fs::create_dir(folder.path().join("out")).unwrap();
    let arguments = ["features", "images.npy", "--extractor", "efficientnet-lite0", "-q", "-o", "out/x.npz"];
    for run in 0..30 {
        let mut running = Running::start(folder, arguments);
        sleep(Duration::from_millis(20 + 15 * run));
        let signals = format!("kill -INT {0}; sleep 0.003; kill -TERM {0}", running.child.id());
        Command::new("sh").args(["-c", &signals]).stderr(Stdio::null()).status().unwrap();
        let status = running.child.wait().unwrap();
        // It may have ended before, and before it handles signals they end it.
        let expected = matches!(status.code(), Some(0 | 130)) || matches!(status.signal(), Some(2 | 15));
        assert!(expected, "{status}: {}", running.stderr());
        assert_eq!(files(&running.path("tmp")), [] as [&str; 0]);
        assert!(files(&running.path("out")).iter().all(|name| name == "x.npz"));
        folder = running.folder;
    }
}

/// Features of two sets, whose report takes no time.
fn features(folder: &Path) {
    for (name, shift) in [("real.npz", 0.0), ("fake.npz", 1.0)] {
        let values = Array2::from_shape_fn((8, 2), |(row, column)| (row * (column + 2)) as f32 + shift);
        let features = Features::new(values).unwrap();
        let file = FeatureFile { features, logits: None, spatial: None, names: None, labels: None, provenance: None };
        file.write(&folder.join(name)).unwrap();
    }
}

/// A pipe that takes no more, and its end that nobody reads.
fn full_pipe() -> (PipeReader, Stdio) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut filler = writer.try_clone().unwrap();
    // However much the pipe takes, this thread goes on until it is closed.
    std::thread::spawn(move || while filler.write_all(&[0; 4096]).is_ok() {});
    sleep(Duration::from_millis(200));
    (reader, writer.into())
}

#[test]
fn a_report_that_nobody_reads_does_not_keep_it() {
    for (stdout_is_full, stderr_is_full) in [(true, false), (false, true), (true, true)] {
        let folder = folder();
        features(folder.path());
        let file = |name: &str| File::create(folder.path().join(name)).unwrap();
        let ((_out, full_stdout), (_err, full_stderr)) = (full_pipe(), full_pipe());
        let stdout = if stdout_is_full { full_stdout } else { file("stdout").into() };
        let stderr = if stderr_is_full { full_stderr } else { file("stderr").into() };
        let program = Command::new(assert_cmd::cargo::cargo_bin("gan-metrics"));
        let fid = ["fid", "real.npz", "fake.npz", "--json"];
        let mut running = Running::start_with([stdout, stderr], program, folder, fid);
        sleep(Duration::from_secs(1));
        running.signal("-TERM");
        let words = running.ends();
        assert!(stderr_is_full || words.ends_with("interrupted\n"), "{words}");
    }
}

/// A server that gives the beginning of an answer, and falls silent.
fn silent_server(beginning: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/weights.pth", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // As much of the request as comes at once.
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(&beginning).unwrap();
        // Until the client hangs up.
        let _ = stream.read(&mut [0]);
    });
    url
}

fn install(url: &str) -> [&str; 5] {
    ["model", "install", "inception-v3", "--from", url]
}

#[test]
fn a_download_from_a_server_that_never_answers() {
    let running = Running::start(folder(), install(&silent_server(vec![])));
    sleep(Duration::from_secs(1));
    let (words, folder) = running.interrupted_by("-INT");
    assert_eq!(words, "interrupted after 0 of 95628359 bytes: nothing has arrived that could be kept\n");
    assert_eq!(files(&folder.path().join("home/models")), [".inception-v3.lock"]);
}

#[test]
fn a_download_that_falls_silent() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 95628359\r\n\r\n";
    let url = silent_server([head.as_bytes(), &[7; 1000]].concat());
    let mut running = Running::start(folder(), install(&url));
    const PART: &str = "home/models/.inception-v3.pth.part";
    running.wait(|running| fs::metadata(running.path(PART)).is_ok_and(|part| part.len() == 1000));
    let (words, folder) = running.interrupted_by("-TERM");
    let expected = "interrupted after 1000 of 95628359 bytes: they are kept, and the next attempt goes on from there\n";
    assert_eq!(words, expected);
    assert_eq!(fs::read(folder.path().join(PART)).unwrap(), [7; 1000]);
}

#[test]
fn waiting_for_another_install() {
    let folder = folder();
    let models = folder.path().join("home/models");
    fs::create_dir_all(&models).unwrap();
    let lock = File::create(models.join(".inception-v3.lock")).unwrap();
    lock.lock().unwrap();
    let mut running = Running::start(folder, install("http://127.0.0.1:9/weights.pth"));
    running.wait(|running| running.stderr() == "waiting for another install to end\n");
    let (words, _) = running.interrupted_by("-INT");
    assert!(words.contains("interrupted while waiting for another install into "), "{words}");
}

#[test]
fn a_command_that_never_asks_ends_at_the_first_signal() {
    let folder = folder();
    // A transport problem that takes minutes.
    for (name, shift) in [("p.npy", 0.0), ("q.npy", 1.0)] {
        let mut random = RandomState::new(5);
        let points = Array2::from_shape_simple_fn((3000, 8), || random.standard_normal() + shift);
        ndarray_npy::write_npy(folder.path().join(name), &points).unwrap();
    }
    let running = Running::start(folder, ["divergence", "w2", "p.npy", "q.npy"]);
    sleep(Duration::from_millis(500));
    assert_eq!(running.interrupted_by("-TERM").0, "interrupted\n");
}

#[test]
fn pipes_and_devices_are_refused_at_once() {
    let folder = folder();
    noise(folder.path(), "images.npy");
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    for (what, path) in [("pipe", "pipe"), ("device", "/dev/zero")] {
        let refused = |code: i32, arguments: &[&str]| {
            let mut command = program_at(folder.path());
            let output = command.current_dir(folder.path()).args(arguments).timeout(SOON).output().unwrap();
            fails(output, code, &[path, &format!("this is a {what}, not a regular file")]);
        };
        refused(2, &["fid", path, "images.npy", "--extractor", "efficientnet-lite0"]);
        refused(3, &["fid", "images.npy", "images.npy", "--model", path]);
        refused(3, &["fid", "images.npy", "--generator", path]);
        refused(2, &["model", "install", "inception-v3", "--from", path]);
        refused(2, &["model", "convert", path, "-o", "x.onnx"]);
        refused(2, &["model", "info", path]);
        refused(2, &["generate", "--checkpoint", path, "-n", "1", "-o", "x.npz"]);
        if what == "pipe" {
            assert!(Command::new("mkfifo").arg(folder.path().join("p.csv")).status().is_ok());
            let mut command = program_at(folder.path());
            let output = command.current_dir(folder.path()).args(["divergence", "kl", "p.csv", "0.5,0.5"]);
            fails(output.timeout(SOON).output().unwrap(), 2, &["p.csv", "this is a pipe, not a regular file"]);
        }
        refused(2, &["train", "--data", path, "--out", "run", "--steps", "1"]);
    }
}

#[test]
fn compressed_zeros_are_refused_without_being_decompressed() {
    let folder = folder();
    let path = folder.path().join("zeros.tar.gz");
    let mut gzip = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    gzip.write_all(&vec![0; 1 << 20]).unwrap();
    gzip.finish().unwrap();
    // Whatever follows is not looked at.
    File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    let output = program().arg("fid").args([&path, &path]).timeout(SOON).output().unwrap();
    fails(output, 2, &["zeros.tar.gz", "begins with 00 00 00"]);
}

#[test]
fn a_report_is_printed_where_warnings_cannot_be() {
    let folder = folder();
    let name = |bytes: &[u8]| folder.path().join(OsString::from_vec(bytes.to_vec()));
    let (real, fake) = (name(b"real\xff.npz"), name(b"fake.npz"));
    for (path, shift) in [(&real, 0.0), (&fake, 1.0)] {
        let values = Array2::from_shape_fn((8, 2), |(row, column)| (row * (column + 2)) as f32 + shift);
        let features = Features::new(values).unwrap();
        FeatureFile { features, logits: None, spatial: None, names: None, labels: None, provenance: None }
            .write(path)
            .unwrap();
    }
    let fid = |stderr: Stdio| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("gan-metrics"));
        command.args(["fid", "--json"]).args([&real, &fake]).stderr(stderr).output().unwrap()
    };
    let usual = fid(Stdio::piped());
    assert!(text(&usual.stderr).contains("warning: "), "there is something to lose");
    let full = fid(File::options().write(true).open("/dev/full").unwrap().into());
    let without_time = |report: String| -> Vec<String> {
        report.lines().filter(|line| !line.contains("seconds")).map(String::from).collect()
    };
    assert_eq!(without_time(succeeds(full)), without_time(succeeds(usual)));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(fid(writer.into()).status.code(), Some(0));
}

#[test]
fn scoring_stops_while_it_computes() {
    let folder = folder();
    let path = folder.path().join("features.npy");
    let mut random = gan_metrics::metrics::RandomState::new(1);
    let values = Array2::from_shape_simple_fn((3000, 64), || random.standard_normal() as f32);
    ndarray_npy::write_npy(&path, &values).unwrap();
    // A hundred thousand subsets take minutes.
    let kid = ["kid", "features.npy", "features.npy", "--subsets", "100000"];
    let running = Running::start(folder, kid);
    sleep(Duration::from_secs(1));
    let (words, folder) = running.interrupted_by("-TERM");
    assert_eq!(words, "interrupted\n");
    assert!(fs::read(folder.path().join("stdout")).unwrap().is_empty());
}
