//! Every flag of every command has an effect, or is refused: a walk over the program's own `--help`, held against a table.
//!
//! A flag that `--help` shows and the table does not know fails the walk by name, and so does a row for a flag that is not
//! there. Runs start in a folder of their own with a copy of the inputs, and what is compared is what two equal runs have
//! in common: exit code, standard output, and the files written.

mod check;
mod refusals;
mod rows;
mod scores;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use gan_metrics::extractor::weights::inception_v3;
use gan_metrics::extractor::weights::onnx::{Graph, GraphInput};
use gan_metrics::stats::{FeatureFile, Features, Gaussian, Logits, StatsFile};
use ndarray::{Array1, Array2, Array4};
use rayon::prelude::*;
use zip::write::SimpleFileOptions;

use crate::support::{noise, program, program_at, text};

/// What clap adds to every command.
const EVERYWHERE: [&str; 2] = ["--help", "--version"];

/// What is known of a flag in each of these commands that has it.
struct Row {
    commands: Vec<&'static str>,
    flag: String,
    cases: Vec<Case>,
}

/// Command lines, and how often each is run.
type Runs = Vec<(String, usize)>;

impl Row {
    /// What is known of the flag in one of the commands, and the runs that show it.
    fn cases_of(&self, command: &'static str) -> impl Iterator<Item = (&Case, Runs)> {
        self.cases.iter().map(move |case| (case, case.runs(command)))
    }
}

/// Arguments are separated by blanks; some words in braces stand for what differs between commands, [`rows::line`].
enum Case {
    /// Two runs that differ in the flag alone, and end differently.
    Effect {
        one: String,
        other: String,
        /// How they exit, if not by success.
        exits: Option<[i32; 2]>,
        /// Whether what succeeds says on standard error counts too.
        aloud: bool,
    },
    /// A run in which the flag has no effect or no sense: exit code 2, a message with these parts, and nothing written.
    Refused { arguments: String, parts: Vec<String> },
    /// The outcome is the same by design: a row says why.
    Unseen,
    /// No run of the command can heed the flag, which it has in common with others: it is always refused.
    Never,
}

/// Arguments of which the flag is one, and those without it.
fn between(one: String, other: String) -> Case {
    Case::Effect { one, other, exits: None, aloud: false }
}

/// A flag of which two values make a difference.
fn choice(base: &str, one: &str, other: &str) -> Case {
    between(format!("{base} {one}"), format!("{base} {other}"))
}

/// A flag that makes a difference by being there.
fn effect(base: &str, with: &str) -> Case {
    choice(base, "", with)
}

fn refused(arguments: &str, parts: &[&str]) -> Case {
    Case::Refused { arguments: arguments.into(), parts: parts.iter().map(ToString::to_string).collect() }
}

impl Case {
    /// The runs end with these codes.
    fn exits(mut self, one: i32, other: i32) -> Self {
        if let Case::Effect { exits, .. } = &mut self {
            *exits = Some([one, other]);
        }
        self
    }

    /// The difference may be in warnings and progress.
    fn aloud(mut self) -> Self {
        if let Case::Effect { aloud, .. } = &mut self {
            *aloud = true;
        }
        self
    }

    /// The runs that it looks at. The first of an effect is repeated, to know what is the same every time, unless the exit
    /// codes tell them apart.
    fn runs(&self, command: &str) -> Runs {
        let line = |arguments: &str| rows::line(command, arguments);
        match self {
            Case::Effect { one, other, exits: Some([first, second]), .. } if first != second => {
                vec![(line(one), 1), (line(other), 1)]
            }
            Case::Effect { one, other, .. } => vec![(line(one), 2), (line(other), 1)],
            Case::Refused { arguments, .. } => vec![(line(arguments), 1)],
            Case::Unseen | Case::Never => Vec::new(),
        }
    }

    /// What is wrong with it, if anything, given how its runs ended.
    fn problem(&self, runs: &[(String, usize)], outcomes: &BTreeMap<String, Vec<Outcome>>) -> Option<String> {
        match (self, runs) {
            (Case::Effect { exits, aloud, .. }, [(one, _), (other, _)]) => {
                let (firsts, second) = (&outcomes[one], &outcomes[other][0]);
                let first = &firsts[0];
                let ends = [first.exit, second.exit];
                // A run that is refused says nothing about what the flag does, unless that is the point.
                if exits.map_or(ends.contains(&2), |exits| ends != exits) {
                    return Some(format!(
                        "`{one}` and `{other}` exit with {ends:?}: {}{}",
                        first.stderr, second.stderr
                    ));
                }
                let differs = ends[0] != ends[1] || first.differs_from(&firsts[1], second, *aloud);
                (!differs).then(|| format!("`{one}` and `{other}` end in the same way"))
            }
            (Case::Refused { parts, .. }, [(line, _)]) => {
                let Outcome { exit, stdout, stderr, files } = &outcomes[line][0];
                let missing = parts.iter().find(|part| !stderr.contains(part.as_str()));
                let is_clean = *exit == 2 && stdout.is_empty() && files.is_empty();
                (!is_clean || missing.is_some()).then(|| {
                    let files: Vec<_> = files.keys().collect();
                    format!("`{line}` exits with {exit}, writes {files:?}, and lacks {missing:?} in: {stderr}")
                })
            }
            _ => None,
        }
    }
}

/// The flags of every command that takes any, by `--help`.
fn flags_of_all_commands() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        let output = program().args(command.split_whitespace()).arg("--help").output().unwrap();
        let help = text(&output.stdout);
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        // Deeper lines go on with the description before them.
        let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
        let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        open.extend(names.map(|name| format!("{command} {name}").trim().to_owned()));
        let flags = help.lines().filter_map(flag_of_line).filter(|flag| !EVERYWHERE.contains(flag));
        found.insert(command, flags.map(String::from).collect());
    }
    found
}

/// The long name that a line of help begins with; descriptions stand further in.
fn flag_of_line(line: &str) -> Option<&str> {
    let content = line.trim_start();
    let is_flag = content.starts_with('-') && line.len() - content.len() <= 6;
    let word = content.split_whitespace().find(|word| word.starts_with("--"))?;
    is_flag.then(|| word.trim_end_matches(','))
}

#[test]
fn help_is_read_as_it_is_written() {
    for (line, flag) in [
        ("      --seed <SEED>", Some("--seed")),
        ("  -q, --quiet            No progress", Some("--quiet")),
        ("          --width is the number of channels", None),
        ("  <NAME>  Network to install", None),
    ] {
        assert_eq!(flag_of_line(line), flag, "{line}");
    }
    let all = flags_of_all_commands();
    assert!(all["divergence"].contains("--sinkhorn") && all["model install"].contains("--from"));
    assert!(all["man"].is_empty() && all[""].is_empty());
}

/// Images of two classes, the same as floating-point numbers, and runs of models that know classes or reconstruct, or of points.
fn make_runs_of_classes(folder: &Path) {
    let images = Array4::from_shape_fn((12, 16, 16, 1), |(i, y, _, _)| if (y / 8) % 2 == i % 2 { 230_u8 } else { 20 });
    let mut file = ndarray_npy::NpzWriter::new(fs::File::create(folder.join("halves.npz")).unwrap());
    file.add_array("arr_0", &images).unwrap();
    file.add_array("arr_1", &Array1::from_iter((0..12_i64).map(|i| i % 2))).unwrap();
    file.finish().unwrap();
    ndarray_npy::write_npy(folder.join("floats.npy"), &images.mapv(|level| f32::from(level) / 255.0)).unwrap();
    let of_images = [
        ("told", "cgan", 1),
        ("told2", "cgan", 2),
        ("noisy", "gsn", 1),
        ("noisy2", "gsn", 2),
        ("likely", "vae", 1),
        ("likely2", "vae", 2),
        ("sorting", "acgan", 1),
    ];
    let of_images = of_images.map(|(name, model, seed)| {
        format!("--data halves.npz --model {model} --size 16 --width 16 --batch-size 4 --out {name} --seed {seed}")
    });
    let of_points =
        [1, 2].map(|seed| format!("--data gaussians:8 --width 8 --batch-size 8 --out dots{seed} --seed {seed}"));
    for arguments in of_images.into_iter().chain(of_points) {
        let arguments = format!("train {arguments} --steps 1 --threads 1 -q");
        let trained = program().current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
        assert!(trained.status.success(), "{}", text(&trained.stderr));
    }
}

/// Small inputs of every kind.
fn make_inputs(folder: &Path) {
    let path = |name: &str| folder.join(name);
    let wave = |step: f64| move |i: usize| (i as f64 * step).fract();
    for (name, step, shift) in [("p.npy", 0.618_034, 0.0), ("q.npy", 0.414_214, 0.25)] {
        ndarray_npy::write_npy(path(name), &Array1::from_shape_fn(40, wave(step)).mapv(|x| x + shift)).unwrap();
    }
    for (name, step) in [("real.npy", 0.618_034), ("fake.npy", 0.414_214)] {
        let plane = Array2::from_shape_fn((20, 2), |(i, j)| wave(step)(2 * i + j));
        ndarray_npy::write_npy(path(name), &plane).unwrap();
    }
    for (name, variance) in [("p.npz", 1.0), ("q.npz", 2.0)] {
        let mut file = ndarray_npy::NpzWriter::new(fs::File::create(path(name)).unwrap());
        file.add_array("mu", &Array1::from(vec![0.0, variance])).unwrap();
        file.add_array("sigma", &(Array2::<f64>::eye(2) * variance)).unwrap();
        file.finish().unwrap();
    }
    for (name, step) in [("samples.npz", 0.618_034), ("samples2.npz", 0.414_214)] {
        let mut file = ndarray_npy::NpzWriter::new(fs::File::create(path(name)).unwrap());
        for (array, stretch) in [("one", 1.0), ("two", 3.0)] {
            file.add_array(array, &Array2::from_shape_fn((20, 2), |(i, j)| (stretch * wave(step)(2 * i + j)).sin()))
                .unwrap();
        }
        file.finish().unwrap();
    }
    for (name, mean) in [("mixture.npz", 1.0), ("mixture2.npz", 2.0)] {
        let mut file = ndarray_npy::NpzWriter::new(fs::File::create(path(name)).unwrap());
        file.add_array("weights_", &Array1::from(vec![0.25, 0.75])).unwrap();
        file.add_array("means_", &Array2::from_shape_fn((2, 2), |(i, j)| mean * i as f64 + j as f64)).unwrap();
        file.add_array("covariances_", &Array2::from_elem((2, 2), 0.5 * mean)).unwrap();
        file.finish().unwrap();
    }
    for (name, step) in [("images.npy", 0.618_034), ("other.npy", 0.414_214)] {
        let mut level = (0..).map(wave(step)).map(|x| (255.0 * x) as u8);
        let images = Array4::from_shape_simple_fn((12, 4, 4, 1), || level.next().unwrap());
        ndarray_npy::write_npy(path(name), &images).unwrap();
    }
    for (name, step) in [("choice.npz", 0.618_034), ("choices.npz", 0.414_214)] {
        let mut level = (0..).map(wave(step)).map(|x| x as f32);
        let mut file = ndarray_npy::NpzWriter::new(fs::File::create(path(name)).unwrap());
        for array in ["one", "two"] {
            file.add_array(array, &Array4::from_shape_simple_fn((12, 4, 4, 3), || level.next().unwrap())).unwrap();
        }
        file.finish().unwrap();
    }
    fs::write(path("broken.pth"), "not a checkpoint").unwrap();
    fs::write(path("table.csv"), "p,q\n0.2,0.5\n0.8,0.5\n").unwrap();
    for (name, seed) in [("run", "1"), ("run2", "2")] {
        let arguments = format!("{} --out {name} --steps 2 --threads 1 --seed {seed} -q", rows::training());
        let trained = program().current_dir(folder).arg("train").args(arguments.split_whitespace()).output().unwrap();
        assert!(trained.status.success(), "{}", text(&trained.stderr));
    }
    make_runs_of_classes(folder);
    make_sets(folder);
    make_networks(folder);
    make_reports(folder);
    for (name, shard) in [("one.npz", "1/2"), ("two.npz", "2/2")] {
        let arguments = format!("features photos.zip --shard {shard} -q -o {name} {}", scores::NET);
        let written = program().current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
        assert!(written.status.success(), "{}", text(&written.stderr));
    }
}

/// Sets to score: images, features and statistics.
fn make_sets(folder: &Path) {
    for (name, seed) in [("photos.zip", 1), ("others.zip", 2)] {
        let mut noise = noise(seed);
        let mut archive = zip::ZipWriter::new(fs::File::create(folder.join(name)).unwrap());
        for index in 0..12 {
            let class = if index < 6 { "cat" } else { "dog" };
            archive.start_file(format!("{class}/{index}.png"), SimpleFileOptions::default()).unwrap();
            let pixels = (0..4 * 4 * 3).map(|_| (noise() >> 24) as u8).collect();
            archive.write_all(&png(pixels)).unwrap();
        }
        archive.finish().unwrap();
    }
    fs::create_dir(folder.join("spoilt")).unwrap();
    let whole = png((0..4 * 4 * 3).collect());
    for (name, bytes) in [("0.png", &whole[..]), ("1.png", &whole), ("2.png", &whole[..whole.len() / 2])] {
        fs::write(folder.join("spoilt").join(name), bytes).unwrap();
    }
    for (name, seed, shift) in [("real.npz", 3, 0.0), ("fake.npz", 4, 0.1), ("worse.npz", 4, 0.5)] {
        let mut noise = noise(seed);
        let mut matrix =
            |columns| Array2::from_shape_simple_fn((40, columns), || (noise() >> 16) as f32 / 65_536.0 + shift);
        let features = Features::new(matrix(5)).unwrap();
        let class = |row: usize| format!("{}/{row}.png", if row < 20 { "cat" } else { "dog" });
        let file = FeatureFile {
            logits: Some(Logits::new(matrix(3) * 8.0).unwrap()),
            spatial: Some(Features::new(matrix(4)).unwrap()),
            names: Some((0..40).map(class).collect()),
            labels: None,
            provenance: None,
            features,
        };
        file.write(&folder.join(name)).unwrap();
    }
    for (name, variance) in [("real-stats.npz", 1.0), ("fake-stats.npz", 2.0)] {
        let gaussian = Gaussian::new(Some(40), Array1::zeros(5), Array2::eye(5) * variance).unwrap();
        StatsFile { gaussian, provenance: None, spatial: None }.write(&folder.join(name)).unwrap();
    }
}

/// An RGB image of 4×4 pixels.
fn png(pixels: Vec<u8>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::from_raw(4, 4, pixels).unwrap().write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Networks that see these images, and generators of such images.
fn make_networks(folder: &Path) {
    // Inception-v3 by its name and the names of its outputs, so that it offers everything that scores need.
    let mut graph = Graph::new(inception_v3::NAME);
    let images = graph.input("images", &[3, 4, 4]);
    let bent = graph.sigmoid("bent", &images);
    let pool3 = graph.global_mean("pool3", &bent);
    graph.output(&pool3, &[3]);
    for (name, input) in [("features_64", &images), ("logits_unbiased", &images), ("sfid", &bent)] {
        let bent = graph.tanh(&format!("{name}.bent"), input);
        let value = graph.flatten(name, &bent);
        graph.output(&value, &[48]);
    }
    fs::write(folder.join("net.onnx"), graph.encode()).unwrap();
    let mut graph = Graph::new("plain");
    let images = graph.images("images", &GraphInput { size: 4, mean: [0.0; 3], std: [1.0; 3] });
    let features = graph.global_mean("features", &images);
    graph.output(&features, &[3]);
    fs::write(folder.join("plain.onnx"), graph.encode()).unwrap();
    let mut graph = Graph::new("two");
    let [first, second] = ["first", "second"].map(|name| graph.input(name, &[3, 4, 4]));
    for (name, input) in [("one", &first), ("two", &second)] {
        let value = graph.global_mean(name, input);
        graph.output(&value, &[3]);
    }
    fs::write(folder.join("two.onnx"), graph.encode()).unwrap();
    for name in ["open.onnx", "map.onnx", "gen_labels.onnx"] {
        fs::copy(Path::new("tests/fixtures/networks").join(name), folder.join(name)).unwrap();
    }
    for (run, name) in [("run", "gen.onnx"), ("run2", "gen2.onnx")] {
        let arguments = format!("export --checkpoint {run}/checkpoint.safetensors -o {name}");
        let exported = program().current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
        assert!(exported.status.success(), "{}", text(&exported.stderr));
    }
}

/// Reports to hold against each other: of features, two that differ, and of images.
fn make_reports(folder: &Path) {
    let images = format!("photos.zip others.zip {}", scores::NET);
    let reports = [("base.json", "real.npz fake.npz"), ("worse.json", "real.npz worse.npz"), ("images.json", &images)];
    for (name, sets) in reports {
        let arguments = format!("score {sets} --metrics fid --json -q -o {name}");
        let scored = program().current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
        assert!(scored.status.success(), "{}", text(&scored.stderr));
    }
}

/// All files below a folder, by their names in it.
fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(current) = open.pop() {
        for entry in fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => drop(files.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap())),
            }
        }
    }
    files
}

/// What a run left behind.
struct Outcome {
    exit: i32,
    stdout: Vec<u8>,
    stderr: String,
    /// Files that are new or changed.
    files: BTreeMap<PathBuf, Vec<u8>>,
}

/// Runs the program on a copy of the inputs that its arguments name.
fn run(inputs: &BTreeMap<PathBuf, Vec<u8>>, arguments: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let is_named = |path: &Path| path.iter().next().is_some_and(|top| arguments.contains(top.to_str().unwrap()));
    for (name, content) in inputs.iter().filter(|(name, _)| is_named(name)) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let home = folder.path().join("home");
    let output = program_at(home).current_dir(folder.path()).args(arguments.split_whitespace()).output().unwrap();
    let mut files = files_below(folder.path());
    files.retain(|name, content| inputs.get(name) != Some(content));
    let exit = output.status.code().unwrap_or(-1);
    Outcome { exit, stdout: output.stdout, stderr: text(&output.stderr), files }
}

impl Outcome {
    /// Everything that can be observed, in pieces, so that a time in one place does not hide the rest.
    fn pieces(&self, aloud: bool) -> BTreeMap<String, Vec<u8>> {
        let mut pieces = BTreeMap::from([("exit".to_owned(), self.exit.to_string().into_bytes())]);
        let mut add = |name: &str, content: &[u8]| match std::str::from_utf8(content) {
            Ok(text) => {
                // What a run took is the same in two of them by chance.
                for (number, line) in text.lines().filter(|line| !line.starts_with("time ")).enumerate() {
                    for (column, word) in line.split([' ', ',', '\t']).filter(|word| !word.is_empty()).enumerate() {
                        pieces.insert(format!("{name}:{number}:{column}"), word.into());
                    }
                }
            }
            Err(_) => drop(pieces.insert(name.to_owned(), content.to_vec())),
        };
        add("stdout", &self.stdout);
        // The message of a run that fails is what it comes to.
        add("stderr", if self.exit == 0 && !aloud { "" } else { &self.stderr }.as_bytes());
        self.files.iter().for_each(|(name, content)| add(&name.display().to_string(), content));
        pieces
    }

    /// Whether another run ended differently in anything that `echo`, a run equal to this one, has in common with it.
    fn differs_from(&self, echo: &Outcome, other: &Outcome, aloud: bool) -> bool {
        let [pieces, echo, other] = [self, echo, other].map(|outcome| outcome.pieces(aloud));
        let names: BTreeSet<&String> = pieces.keys().chain(other.keys()).collect();
        names.into_iter().any(|name| pieces.get(name) == echo.get(name) && pieces.get(name) != other.get(name))
    }
}

#[test]
fn every_flag_has_an_effect_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    make_inputs(folder.path());
    let inputs = files_below(folder.path());
    let all = flags_of_all_commands();
    let rows = rows::all();
    let mut problems = Vec::new();

    let commands_of = |row: &Row| -> Vec<&'static str> {
        let has_flag = |command: &&str| all.get(*command).is_some_and(|flags| flags.contains(&row.flag));
        row.commands.iter().copied().filter(has_flag).collect()
    };
    for row in rows.iter().filter(|row| commands_of(row).is_empty()) {
        problems.push(format!("{} is in the table, and none of {:?} has it", row.flag, row.commands));
    }
    for (command, flags) in &all {
        for flag in flags {
            let of_flag = || rows.iter().filter(|row| row.flag == *flag && row.commands.contains(&command.as_str()));
            let shows = |case: &Case| !matches!(case, Case::Refused { .. });
            if !of_flag().any(|row| row.cases.iter().any(shows)) {
                problems.push(format!("{command} {flag}: the table does not say what it does"));
            }
        }
    }
    for row in &rows {
        let has_flag = |arguments: &str| arguments.split_whitespace().any(|word| word == row.flag);
        let shows = |case: &Case| match case {
            Case::Effect { one, other, .. } => has_flag(one) || has_flag(other),
            Case::Refused { arguments, .. } => has_flag(arguments),
            Case::Unseen | Case::Never => true,
        };
        if !row.cases.iter().all(shows) {
            problems.push(format!("{:?} {}: a case has another flag", row.commands, row.flag));
        }
    }

    let of_row = |row| commands_of(row).into_iter().flat_map(move |command| row.cases_of(command));
    let cases: Vec<_> = rows.iter().flat_map(of_row).collect();
    let mut wanted: BTreeMap<&String, usize> = BTreeMap::new();
    for (line, times) in cases.iter().flat_map(|(_, runs)| runs) {
        let most = wanted.entry(line).or_default();
        *most = (*most).max(*times);
    }
    let repeated = |(line, times): (&String, usize)| (line.clone(), (0..times).map(|_| run(&inputs, line)).collect());
    let outcomes: BTreeMap<String, Vec<Outcome>> = wanted.into_par_iter().map(repeated).collect();
    problems.extend(cases.iter().filter_map(|(case, runs)| case.problem(runs, &outcomes)));
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}
