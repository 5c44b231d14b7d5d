//! What happens to the files that users name for results: before the work, after it, and when it does not end well.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ndarray::Array4;

use crate::support::{fails, program, program_at, succeeds, text};

/// The shortest command that writes a file and has a result besides.
const PLOT: [&str; 5] = ["divergence", "kl", "0.5,0.5", "0.25,0.75", "--plot"];

fn binary() -> PathBuf {
    assert_cmd::cargo::cargo_bin("gan-metrics")
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn plot(to: &Path) -> Output {
    run(&[&PLOT[..], &[path(to)]].concat())
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

fn is_svg(path: &Path) -> bool {
    fs::read_to_string(path).unwrap().starts_with("<svg")
}

/// The checkpoint of a run of one step, whose images are gray, 16×16.
fn checkpoint(folder: &Path) -> PathBuf {
    let (data, out) = (folder.join("data.npy"), folder.join("run"));
    ndarray_npy::write_npy(&data, &Array4::<u8>::zeros((8, 16, 16, 1))).unwrap();
    let small = ["--size", "16", "--width", "4", "--latent-size", "8", "--batch-size", "8", "-q"];
    let arguments = ["train", "--data", path(&data), "--out", path(&out), "--steps", "1"];
    succeeds(run(&[&arguments[..], &small].concat()));
    out.join("checkpoint.safetensors")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "after a minute: no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A process that is killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already cannot be killed: that is what was wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process that has claimed an output in a folder and makes images for a long time.
fn working(folder: &Path, checkpoint: &Path) -> Running {
    let before = names(folder);
    let mut command = Command::new(binary());
    command.args([
        "generate",
        "--checkpoint",
        path(checkpoint),
        "-n",
        "10000000",
        "-o",
        path(&folder.join("long.npy")),
    ]);
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_until("temporary", || names(folder).iter().any(|name| !before.contains(name)));
    running
}

#[test]
fn what_cannot_be_written_is_told_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let [no, missing] = ["no/x", "missing"].map(|name| folder.path().join(name));
    let (no, missing, here) = (path(&no), path(&missing), path(folder.path()));
    let no_npy = format!("{no}.npy");
    let told = ["cannot write to", "no does not exist; create it first"];
    // The inputs are missing, too.
    fails(run(&["divergence", "w1", "missing.npy", "missing.npy", "--plot", no]), 2, &told);
    fails(run(&["export", "--checkpoint", missing, "-o", no]), 2, &told);
    fails(run(&["generate", "--checkpoint", missing, "-n", "1", "-o", &no_npy]), 2, &told);
    fails(run(&["generate", "--checkpoint", missing, "-n", "1", "-o", no]), 2, &told);
    fails(run(&["model", "convert", missing, "-o", no]), 2, &told);
    fails(run(&["model", "export", "inception-v3", "-o", no]), 2, &told);
    fails(run(&["model", "convert", missing, "-o", here]), 2, &["is a folder; name a file in it"]);
    // What the inputs lack is told next, and nothing is left.
    let output = folder.path().join("x");
    fails(run(&["model", "convert", missing, "-o", path(&output)]), 2, &["missing"]);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_folder_or_a_file_without_permission_is_told_before_anything_is_read() {
    const NOBODY: u32 = 65534;
    let folder = tempfile::tempdir().unwrap();
    let [locked, file] = ["locked", "open/file"].map(|name| folder.path().join(name));
    fs::create_dir(&locked).unwrap();
    fs::create_dir(folder.path().join("open")).unwrap();
    fs::write(&file, b"old").unwrap();
    for (path, mode) in [(folder.path(), 0o755), (&locked, 0o555), (file.parent().unwrap(), 0o777), (&file, 0o444)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let convert = |to: &Path| {
        let mut command = Command::new(binary());
        command.args(["model", "convert", "missing", "-o", path(to)]);
        // Root may write anywhere.
        if fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
            command.uid(NOBODY);
        }
        command.output()
    };
    let Ok(output) = convert(&locked.join("x")) else {
        eprintln!("SKIPPED: nobody may not run the program here");
        return;
    };
    fails(output, 2, &["cannot write to", "files cannot be created in the folder", "locked", "choose another folder"]);
    fails(convert(&file).unwrap(), 2, &["cannot write to", "open/file: Permission denied"]);
    assert_eq!(fs::read(&file).unwrap(), b"old");
}

#[test]
fn results_are_as_readable_as_the_umask_says_or_as_what_they_replace() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = checkpoint(folder.path());
    let [svg, images] = ["x.svg", "images"].map(|name| folder.path().join(name));
    let private = |arguments: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", r#"umask 077; exec "$0" "$@""#, path(&binary())]).args(arguments);
        succeeds(command.output().unwrap());
    };
    private(&[&PLOT[..], &[path(&svg)]].concat());
    assert_eq!(mode(&svg), 0o600);
    private(&["generate", "--checkpoint", path(&checkpoint), "-n", "2", "-o", path(&images), "-q"]);
    assert_eq!((mode(&images), mode(&images.join("00000.png"))), (0o700, 0o600));

    for kept in [0o600, 0o640, 0o664] {
        fs::set_permissions(&svg, fs::Permissions::from_mode(kept)).unwrap();
        succeeds(plot(&svg));
        assert_eq!(mode(&svg), kept);
    }
}

#[test]
fn links_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let [link, target] = ["link.svg", "real/x.svg"].map(|name| folder.path().join(name));
    fs::create_dir(folder.path().join("real")).unwrap();
    fs::write(&target, b"old").unwrap();
    symlink("real/x.svg", &link).unwrap();
    succeeds(plot(&link));
    assert!(link.is_symlink() && !target.is_symlink() && is_svg(&target));
    assert_eq!(names(folder.path()), ["link.svg", "real"]);
}

#[test]
fn pipes_devices_and_descriptors_are_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    let result = succeeds(plot(&pipe));
    assert!(reader.join().unwrap().starts_with("<svg"));
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());

    // A pipe, by another name.
    let printed = succeeds(plot(Path::new("/dev/stdout")));
    assert!(printed.starts_with(&result) && printed[result.len()..].starts_with("<svg"), "{printed}");
    // A file, of which this is the end.
    let log = folder.path().join("log");
    fs::write(&log, "before\n").unwrap();
    let arguments = [&PLOT[..], &["/dev/stdout"]].concat();
    let appended = fs::File::options().append(true).open(&log).unwrap();
    assert!(Command::new(binary()).args(&arguments).stdout(appended).status().unwrap().success());
    assert_eq!(fs::read_to_string(&log).unwrap(), format!("before\n{printed}"));
    let other = fs::File::create(&log).unwrap();
    assert!(Command::new(binary()).args(&arguments).stdout(other).status().unwrap().success());
    assert_eq!(fs::read_to_string(&log).unwrap(), printed);

    // Copies: a test that fails must not replace the real ones.
    let [null, full] = ["null", "full"].map(|name| folder.path().join(name));
    let device = |path: &Path, minor: &str| {
        let made = Command::new("mknod").arg(path).args(["c", "1", minor]).output();
        made.is_ok_and(|made| made.status.success()) && fs::File::options().append(true).open(path).is_ok()
    };
    if !device(&null, "3") || !device(&full, "7") {
        eprintln!("SKIPPED: devices cannot be made here");
        return;
    }
    assert_eq!(succeeds(plot(&null)), result);
    let failed = plot(&full);
    let stderr = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("cannot write to") && stderr.contains("full: No space left on device"), "{stderr}");
    // What was computed is printed all the same.
    assert_eq!(text(&failed.stdout), result);
    for device in [&null, &full] {
        assert!(fs::symlink_metadata(device).unwrap().file_type().is_char_device());
    }
}

#[test]
fn an_input_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let [input, link] = ["x.npz", "link.npz"].map(|name| folder.path().join(name));
    fs::write(&input, b"input").unwrap();
    symlink("x.npz", &link).unwrap();
    let (input_text, link) = (path(&input), path(&link));
    let told = ["cannot write to", "it is the input", "choose another path"];
    fails(run(&["model", "convert", input_text, "-o", input_text]), 2, &told);
    fails(run(&["export", "--checkpoint", input_text, "-o", link]), 2, &told);
    fails(run(&["generate", "--checkpoint", link, "-n", "1", "-o", input_text]), 2, &told);
    fails(run(&["divergence", "kl", input_text, "0.5,0.5", "--plot", input_text]), 2, &told);
    assert_eq!(fs::read(&input).unwrap(), b"input");
}

#[test]
fn a_file_of_an_input_folder_is_not_replaced() {
    const NETWORK: [&str; 4] = ["--extractor", "efficientnet-lite0", "--engine", "tract"];
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = checkpoint(folder.path());
    let [set, other] = ["set", "other"].map(|name| folder.path().join(name));
    for to in [&set, &other] {
        succeeds(run(&["generate", "--checkpoint", path(&checkpoint), "-n", "8", "-o", path(to), "-q"]));
    }
    let image = set.join("00000.png");
    let before = fs::read(&image).unwrap();
    let told = ["cannot write to", "00000.png: it is a file of the input folder", "set; choose another path"];
    let fid = ["fid", path(&set), path(&other), "-q"];
    fails(run(&[&fid[..], &NETWORK, &["-o", path(&image)]].concat()), 2, &told);
    fails(run(&[&["stats", path(&set), "-q", "-o", path(&image)], &NETWORK[..]].concat()), 2, &told);
    // An image may have any name.
    let array = set.join("x.npz");
    fs::copy(&image, &array).unwrap();
    fails(
        run(&[&["features", path(&set), "-q", "-o", path(&array)], &NETWORK[..]].concat()),
        2,
        &["x.npz: it is a file"],
    );
    fs::remove_file(&array).unwrap();
    assert_eq!(fs::read(&image).unwrap(), before);

    let report = set.join("report.json");
    succeeds(run(&[&fid[..], &NETWORK, &["--json", "-o", path(&report)]].concat()));
    assert!(fs::read(&report).unwrap().starts_with(b"{"));
    assert_eq!(names(&set).len(), 9);
}

#[test]
fn a_file_of_somebody_else_in_a_sticky_folder_is_written_in_place() {
    const NOBODY: u32 = 65534;
    if fs::metadata("/proc/self").is_ok_and(|me| me.uid() != 0) {
        eprintln!("SKIPPED: only root has files of two users");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [sticky, svg] = ["sticky", "sticky/x.svg"].map(|name| folder.path().join(name));
    fs::create_dir(&sticky).unwrap();
    // Longer than what takes its place.
    fs::write(&svg, vec![b'x'; 1 << 20]).unwrap();
    for (path, mode) in [(folder.path(), 0o755), (&sticky, 0o1777), (&svg, 0o666)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let inode = fs::metadata(&svg).unwrap().ino();
    let Ok(output) = Command::new(binary()).args(PLOT).arg(&svg).uid(NOBODY).output() else {
        eprintln!("SKIPPED: nobody may not run the program here");
        return;
    };
    succeeds(output);
    assert!(is_svg(&svg) && fs::read_to_string(&svg).unwrap().trim_end().ends_with("</svg>"));
    let found = fs::metadata(&svg).unwrap();
    assert_eq!((found.ino(), found.uid(), mode(&svg)), (inode, 0, 0o666));
    assert_eq!(names(&sticky), ["x.svg"]);
}

#[test]
fn a_full_disk_is_told_in_one_line_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = checkpoint(folder.path());
    let images = folder.path().join("images.npy");
    let generate = ["generate", "--checkpoint", path(&checkpoint), "-q", "-n"];
    succeeds(run(&[&generate[..], &["20", "-o", path(&images)]].concat()));
    let before = names(folder.path());
    // No file may be longer than 16 blocks of 512 or 1024 bytes; more is a failure as that of a full disk is.
    let limited = |arguments: &[&str], to: &Path| {
        let mut command = Command::new("sh");
        command.args(["-c", r#"trap "" XFSZ; ulimit -f 16; exec "$0" "$@""#, path(&binary())]).args(arguments);
        let output = command.args(["-o", path(to)]).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{stderr}");
        assert_eq!(stderr, format!("error: cannot write to {}: File too large (os error 27)\n", to.display()));
    };
    for name in ["x.zip", "x.npz", "x.npy"] {
        limited(&[&generate[..], &["400"]].concat(), &folder.path().join(name));
    }
    let network = ["--extractor", "efficientnet-lite0", "--engine", "tract", "-q"];
    for name in ["x.npz", "x.npy", "x.safetensors"] {
        limited(&[&["features", path(&images)], &network[..]].concat(), &folder.path().join(name));
    }
    limited(&[&["stats", path(&images)], &network[..]].concat(), &folder.path().join("x.npz"));
    assert_eq!(names(folder.path()), before);
}

#[test]
fn what_a_killed_process_left_is_removed_and_what_a_live_one_has_is_not() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let checkpoint = checkpoint(elsewhere.path());
    let temporaries = || names(folder.path()).into_iter().filter(|name| name.starts_with(".gan-metrics-")).collect();
    drop(working(folder.path(), &checkpoint));
    let left: Vec<String> = temporaries();
    assert_eq!(left.len(), 1);
    let live = working(folder.path(), &checkpoint);
    let of_the_live: Vec<String> = temporaries();
    assert!(of_the_live.len() == 1 && of_the_live != left, "{of_the_live:?} after {left:?}");
    succeeds(plot(&folder.path().join("x.svg")));
    assert_eq!(temporaries(), of_the_live);
    drop(live);
    succeeds(plot(&folder.path().join("x.svg")));
    assert_eq!(names(folder.path()), ["x.svg"]);
}

#[test]
fn generated_images_fill_an_empty_folder_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = checkpoint(folder.path());
    let generate = |to: &str| run(&["generate", "--checkpoint", path(&checkpoint), "-n", "3", "-o", to, "-q"]);
    let [empty, link] = ["empty", "link"].map(|name| folder.path().join(name));
    fs::create_dir(&empty).unwrap();
    symlink("empty", &link).unwrap();
    let inode = fs::metadata(&empty).unwrap().ino();
    succeeds(generate(path(&link)));
    assert_eq!(names(&empty), ["00000.png", "00001.png", "00002.png"]);
    assert_eq!(fs::metadata(&empty).unwrap().ino(), inode, "a mount point cannot be replaced");
    assert!(link.is_symlink());

    // Names that sound like files are not made folders, but for those that end as only a folder does.
    for name in ["x.png", "x.tar", "x.tar.gz", "x.JPEG"] {
        let to = folder.path().join(name);
        fails(
            generate(path(&to)),
            2,
            &["cannot write images to", name, ".zip (of PNGs), .npz or .npy file, or a folder"],
        );
        assert!(!to.exists());
    }
    for name in ["samples-1.5", "x.png/"] {
        let to = folder.path().join(name);
        succeeds(generate(path(&to)));
        assert_eq!(names(&to).len(), 3);
    }
}

#[test]
fn mount_points_are_filled_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = checkpoint(folder.path());
    for name in ["given.svg", "mounted.svg"] {
        fs::write(folder.path().join(name), b"old").unwrap();
    }
    fs::create_dir(folder.path().join("volume")).unwrap();
    // A file and a folder as containers are given them.
    let script = r#"
        mount --bind given.svg mounted.svg && mount -t tmpfs none volume || exit 77
        "$0" divergence kl 0.5,0.5 0.25,0.75 --plot mounted.svg > result &&
        "$0" generate --checkpoint "$1" -n 2 -o volume -q && ls -A volume > listed"#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, path(&binary()), path(&checkpoint)]).current_dir(folder.path());
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) if text(&output.stderr).contains("cannot write to") => panic!("{}", text(&output.stderr)),
        _ => {
            eprintln!("SKIPPED: nothing can be mounted here");
            return;
        }
    }
    assert!(is_svg(&folder.path().join("given.svg")));
    assert_eq!(fs::read_to_string(folder.path().join("listed")).unwrap(), "00000.png\n00001.png\n");
}

#[test]
fn an_empty_folder_is_empty_after_an_interrupt_and_after_a_kill_is_filled_again() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = checkpoint(folder.path());
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let mut command = Command::new(binary());
    command.args(["generate", "--checkpoint", path(&checkpoint), "-n", "100000000", "-o", path(&empty), "-q"]);
    command.stderr(Stdio::piped());
    let mut begin = || {
        let running = Running(command.spawn().unwrap());
        let begun = || fs::read_dir(&empty).unwrap().flatten().any(|temporary| !names(&temporary.path()).is_empty());
        wait_until("image", begun);
        running
    };
    let mut interrupted = begin();
    assert!(Command::new("kill").args(["-INT", &interrupted.0.id().to_string()]).status().unwrap().success());
    assert_eq!(interrupted.0.wait().unwrap().code(), Some(130));
    let mut stderr = String::new();
    interrupted.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(stderr.contains("interrupted"), "{stderr}");
    assert!(empty.is_dir() && names(&empty).is_empty());

    drop(begin());
    assert_eq!(names(&empty).len(), 1);
    succeeds(run(&["generate", "--checkpoint", path(&checkpoint), "-n", "2", "-o", path(&empty), "-q"]));
    assert_eq!(names(&empty), ["00000.png", "00001.png"]);
}

#[test]
fn the_cache_clears_what_is_its_own() {
    let home = tempfile::tempdir().unwrap();
    let features = home.path().join("features");
    fs::create_dir(&features).unwrap();
    let entry = format!("{}.npz", "0f".repeat(32));
    for name in [&entry, "mine.npz", ".gan-metrics-AbC123.part"] {
        fs::write(features.join(name), b"content").unwrap();
    }
    let cleared = succeeds(program_at(home.path()).args(["cache", "clear"]).output().unwrap());
    assert!(cleared.starts_with("removed 1 sets"), "{cleared}");
    assert_eq!(names(&features), ["mine.npz"]);
}
