use std::io::{Read, SeekFrom};

use super::temporary::sweep;
use super::*;
use crate::error::Blamed;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn a_failed_write_leaves_the_old_file_and_no_temporary() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    write::<io::Error>(&path, |file| file.write_all(b"old")).unwrap();
    let failed = Output::claim(&path).unwrap().fill(|file| {
        file.write_all(b"half")?;
        Err(io::Error::other("the disk is on fire"))
    });
    assert_eq!(failed.unwrap_err().to_string(), format!("cannot write to {}: the disk is on fire", path.display()));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["x.npz"]);
}

#[test]
fn a_claim_changes_nothing_until_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let [new, old] = ["new", "old"].map(|name| folder.path().join(name));
    fs::write(&old, b"old").unwrap();
    let outputs = [&new, &old].map(|path| Output::claim(path).unwrap());
    assert!(!new.exists());
    assert_eq!(names(folder.path()).len(), 3, "a temporary for each");
    drop(outputs);
    assert_eq!(names(folder.path()), ["old"]);
    assert_eq!(fs::read(&old).unwrap(), b"old");
}

#[test]
fn what_cannot_be_written_is_refused_when_it_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("file"), b"").unwrap();
    let refused = |path: &Path, parts: &[&str]| {
        let error = Output::claim(path).unwrap_err();
        assert_eq!(error.blame(), crate::Blame::Input, "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "`{part}` is not in: {error}");
        }
    };
    refused(&folder.join("no/x"), &["no/x: the folder ", "no does not exist; create it first"]);
    refused(folder, &["is a folder; name a file in it"]);
    refused(&folder.join("new/"), &["new/`: this does not name a file"]);
    refused(&folder.join(".."), &["is a folder"]);
    refused(Path::new(""), &["``: this does not name a file"]);
    refused(&folder.join("file/x"), &["file/x: ", "file is not a folder"]);
    assert_eq!(names(folder), ["file"]);
    let kind = write::<io::Error>(&folder.join("no/x"), |_| Ok(())).unwrap_err().kind();
    assert_eq!(kind, io::ErrorKind::NotFound);
}

#[test]
fn a_folder_appears_whole_or_not_at_all() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("images");
    let failed = OutputFolder::claim(&path).unwrap().write(|folder| {
        fs::write(folder.join("0.png"), b"0")?;
        Err(io::Error::other("no more images"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "no more images");
    assert!(names(parent.path()).is_empty());
    OutputFolder::claim(&path).unwrap().write(|folder| fs::write(folder.join("0.png"), b"0")).unwrap();
    assert_eq!((names(parent.path()), names(&path)), (vec!["images".into()], vec!["0.png".into()]));

    let refused = |path: &Path| OutputFolder::claim(path).unwrap_err().to_string();
    assert!(
        refused(&path).ends_with("images is there already and not empty: choose another folder, or empty it first")
    );
    assert!(refused(&path.join("0.png")).ends_with("0.png is not a folder"));
    assert!(refused(&path.join("a/b")).ends_with("a does not exist; create it first"));
}

#[test]
fn an_empty_folder_is_filled_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let images = ["0.png", "1.png", "2.png"];
    let fill = |folder: &Path| images.iter().try_for_each(|name| fs::write(folder.join(name), name));
    let failed = OutputFolder::claim(path).unwrap().write(|folder| {
        fill(folder)?;
        Err(io::Error::other("interrupted"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "interrupted");
    assert!(names(path).is_empty());
    OutputFolder::claim(path).unwrap().write(fill).unwrap();
    assert_eq!(names(path), images);
    assert_eq!(fs::read(path.join("1.png")).unwrap(), b"1.png");
}

#[test]
fn what_killed_processes_left_is_swept_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let live = [Output::claim(&path.join("x")).unwrap(), Output::claim(&path.join("y")).unwrap()];
    let live_folder = OutputFolder::claim(&path.join("z")).unwrap();
    let mut kept = names(path);
    assert_eq!(kept.len(), 3);
    fs::write(path.join(".gan-metrics-0123456789abcdef.part"), b"half a file").unwrap();
    fs::create_dir(path.join(".gan-metrics-AbC123.part")).unwrap();
    fs::write(path.join(".gan-metrics-AbC123.part/0.png"), b"an image").unwrap();
    let foreign = [".gan-metrics-notes", "gan-metrics-1.part", ".part", "x.npz", ".other-1.part"];
    for name in foreign {
        fs::write(path.join(name), b"of somebody").unwrap();
    }
    sweep(path);
    kept.extend(foreign.map(String::from));
    kept.sort();
    assert_eq!(names(path), kept);
    // They are of use still.
    for output in live {
        output.write_all(b"whole").unwrap();
    }
    live_folder.write(|folder| fs::write(folder.join("0.png"), b"0")).unwrap();
    assert_eq!(fs::read(path.join("y")).unwrap(), b"whole");
    assert_eq!(names(&path.join("z")), ["0.png"]);
    sweep(&path.join("missing"));
}

#[test]
fn a_sweep_takes_nothing_from_those_who_work_beside_it() {
    const FILES: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                scope.spawn(move || {
                    for index in 0..FILES {
                        let file = folder.join(format!("file {worker} {index}"));
                        Output::claim(&file).unwrap().write_all(b"whole").unwrap();
                        let images = OutputFolder::claim(&folder.join(format!("folder {worker} {index}"))).unwrap();
                        images.write(|folder| fs::write(folder.join("0.png"), b"0")).unwrap();
                    }
                })
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            sweep(folder);
        }
    });
    assert_eq!(names(folder).len(), 2 * 4 * FILES);
}

#[test]
fn a_temporary_that_was_cleaned_up_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let output = Output::claim(&path).unwrap();
    fs::remove_file(folder.path().join(&names(folder.path())[0])).unwrap();
    output.write_all(b"whole").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"whole");
    assert_eq!(names(folder.path()), ["x"]);
}

#[test]
fn who_named_a_path_that_cannot_be_is_to_blame_and_who_filled_the_disk_is_not() {
    use io::ErrorKind::{AlreadyExists, NotADirectory, NotFound, PermissionDenied, StorageFull};
    let blame = |kind: io::ErrorKind| OutputError::at(Path::new("x"), kind.into()).blame();
    for kind in [AlreadyExists, NotADirectory, NotFound, PermissionDenied] {
        assert_eq!(blame(kind), crate::Blame::Input, "{kind}");
    }
    assert_eq!(blame(StorageFull), crate::Blame::Machine);
}

#[test]
fn temporaries_go_with_their_owner() {
    let folder = TemporaryFolder::new().unwrap();
    let path = folder.path().to_owned();
    fs::write(path.join("images.npy"), b"many").unwrap();
    assert!(path.is_dir());
    drop(folder);
    assert!(!path.exists());
}

#[test]
fn no_two_outputs_are_one_file_and_none_is_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("set")).unwrap();
    fs::write(path("set/0.png"), b"an image").unwrap();
    fs::write(path("features.npz"), b"features").unwrap();
    let mut outputs = Outputs::beside([path("features.npz"), path("set"), path("missing")]);
    let report = outputs.claim(&path("report.json")).unwrap();
    let refused = |outputs: &mut Outputs, path: &Path| outputs.claim(path).unwrap_err().to_string();
    let twice = refused(&mut outputs, &path("./report.json"));
    assert!(twice.contains("report.json are one file: give each output a path of its own"), "{twice}");
    let twice = refused(&mut outputs, &path("set/../report.json"));
    assert!(twice.contains("are one file"), "{twice}");
    let input = refused(&mut outputs, &path("features.npz"));
    assert!(input.contains("it is the input") && input.ends_with("features.npz; choose another path"), "{input}");
    assert!(refused(&mut outputs, &path("missing")).contains("it is the input"));
    assert!(refused(&mut outputs, &path("set")).contains("it is a folder"));
    // In a folder that is read, new files alone.
    outputs.claim(&path("set/report.json")).unwrap();
    for image in ["set/0.png", "set/../set/0.png"] {
        let inside = refused(&mut outputs, &path(image));
        assert!(
            inside.contains("0.png: it is a file of the input folder ") && inside.contains("set; choose"),
            "{inside}"
        );
    }
    fs::write(path("beside.json"), b"old").unwrap();
    outputs.claim(&path("set/../beside.json")).unwrap();
    assert_eq!(fs::read(path("set/0.png")).unwrap(), b"an image");
    report.write_all(b"{}").unwrap();
    assert_eq!(fs::read(path("features.npz")).unwrap(), b"features");
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn permissions_are_those_of_any_new_file_or_of_the_replaced_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        // Whatever the umask of the tests is.
        fs::write(path("any"), b"").unwrap();
        fs::create_dir(path("any folder")).unwrap();
        Output::claim(&path("new")).unwrap().write_all(b"").unwrap();
        assert_eq!(mode(&path("new")), mode(&path("any")));
        OutputFolder::claim(&path("new folder")).unwrap().write::<io::Error>(|_| Ok(())).unwrap();
        assert_eq!(mode(&path("new folder")), mode(&path("any folder")));
        for kept in [0o600, 0o664, 0o640] {
            fs::set_permissions(path("new"), fs::Permissions::from_mode(kept)).unwrap();
            Output::claim(&path("new")).unwrap().write_all(b"again").unwrap();
            assert_eq!(mode(&path("new")), kept);
        }
        let private = TemporaryFolder::new().unwrap();
        assert_eq!(mode(private.path()), 0o700);
    }

    #[test]
    fn links_stay_and_what_they_point_to_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("real")).unwrap();
        fs::write(path("real/x"), b"old").unwrap();
        symlink("real/x", path("link")).unwrap();
        symlink("link", path("link to the link")).unwrap();
        symlink("real/new", path("dangling")).unwrap();
        symlink("real", path("folder")).unwrap();
        symlink("circle", path("circle")).unwrap();
        let output = Output::claim(&path("link to the link")).unwrap();
        assert_eq!(names(&path("real")).len(), 2, "the temporary is beside the file");
        output.write_all(b"new").unwrap();
        assert_eq!(fs::read(path("real/x")).unwrap(), b"new");
        Output::claim(&path("dangling")).unwrap().write_all(b"first").unwrap();
        assert_eq!(fs::read(path("real/new")).unwrap(), b"first");
        Output::claim(&path("folder/x")).unwrap().write_all(b"newer").unwrap();
        assert_eq!(fs::read(path("real/x")).unwrap(), b"newer");
        assert!(matches!(Output::claim(&path("circle")).unwrap_err(), OutputError::Io { .. }));
        for link in ["link", "link to the link", "dangling", "folder"] {
            assert!(path(link).is_symlink(), "{link}");
        }
        assert_eq!(names(&path("real")), ["new", "x"]);

        let mut outputs = Outputs::beside([path("real/x")]);
        assert!(matches!(outputs.claim(&path("link")).unwrap_err(), OutputError::Input { .. }));
        fs::hard_link(path("real/x"), path("same")).unwrap();
        assert!(matches!(outputs.claim(&path("same")).unwrap_err(), OutputError::Input { .. }));
        let _claimed = outputs.claim(&path("dangling")).unwrap();
        assert!(matches!(outputs.claim(&path("real/new")).unwrap_err(), OutputError::Twice { .. }));

        // Images of a set may be links, and be in folders that are.
        fs::create_dir(path("set")).unwrap();
        symlink("../real/x", path("set/image")).unwrap();
        symlink("../real", path("set/class")).unwrap();
        symlink("set", path("link to the set")).unwrap();
        for set in ["set", "link to the set"] {
            let mut outputs = Outputs::beside([path(set)]);
            for image in ["set/image", "set/class/x", "link to the set/image"] {
                assert!(matches!(outputs.claim(&path(image)).unwrap_err(), OutputError::InFolder { .. }), "{image}");
            }
            outputs.claim(&path("set/class/y")).unwrap();
        }
    }

    #[test]
    fn a_link_to_an_empty_folder_is_filled() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("real")).unwrap();
        symlink("real", path("link")).unwrap();
        let inode = fs::metadata(path("real")).unwrap().ino();
        OutputFolder::claim(&path("link")).unwrap().write(|folder| fs::write(folder.join("0"), b"0")).unwrap();
        assert!(path("link").is_symlink());
        assert_eq!(names(&path("real")), ["0"]);
        assert_eq!(fs::metadata(path("real")).unwrap().ino(), inode, "a mount point cannot be replaced");
    }

    #[test]
    fn a_pipe_is_written_through_when_the_content_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        // Nobody reads yet: a claim that opened the pipe would wait here.
        let output = Output::claim(&path).unwrap();
        let mut outputs = Outputs::beside([&path]);
        let twice = [outputs.claim(&path).unwrap(), outputs.claim(&path).unwrap()];
        drop(twice);
        let reader = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut content = String::new();
                File::open(path).unwrap().read_to_string(&mut content).map(|_| content)
            }
        });
        // As a zip archive is written: the head last.
        let out_of_order = |file: &mut OutputWriter<'_>| {
            file.write_all(b"????body")?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(b"head")
        };
        output.fill(out_of_order).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), "headbody");
        assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
        assert_eq!(names(folder.path()), ["pipe"]);
    }

    /// A copy of a device of memory: `/dev/null` is 3, `/dev/full` 7. Tests that fail must not replace the real ones.
    fn device(path: &Path, minor: &str) -> bool {
        let made = Command::new("mknod").arg(path).args(["c", "1", minor]).output();
        let usable = made.is_ok_and(|made| made.status.success()) && File::options().append(true).open(path).is_ok();
        if !usable {
            eprintln!("SKIPPED: devices cannot be made here");
        }
        usable
    }

    #[test]
    fn devices_are_written_through_and_stay_devices() {
        let folder = tempfile::tempdir().unwrap();
        let [null, full] = ["null", "full"].map(|name| folder.path().join(name));
        if !device(&null, "3") || !device(&full, "7") {
            return;
        }
        symlink("null", folder.path().join("link")).unwrap();
        for path in [&null, &folder.path().join("link")] {
            Output::claim(path).unwrap().write_all(b"nowhere").unwrap();
        }
        let error = Output::claim(&full).unwrap().write_all(b"too much").unwrap_err();
        assert_eq!(error.blame(), crate::Blame::Machine);
        assert!(error.to_string().contains("full: No space left on device"), "{error}");
        for path in [&null, &full] {
            assert!(fs::symlink_metadata(path).unwrap().file_type().is_char_device());
        }
        assert!(folder.path().join("link").is_symlink());
    }

    #[test]
    fn a_link_or_a_pipe_with_the_name_of_a_temporary_is_not_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("theirs")).unwrap();
        fs::write(path("theirs/x"), b"x").unwrap();
        symlink("theirs", path(".gan-metrics-1.part")).unwrap();
        symlink("theirs/x", path(".gan-metrics-2.part")).unwrap();
        assert!(Command::new("mkfifo").arg(path(".gan-metrics-3.part")).status().unwrap().success());
        sweep(folder.path());
        assert_eq!(names(folder.path()).len(), 4);
        assert_eq!(names(&path("theirs")), ["x"]);
    }
}
