//! Every flag of every command has an effect, or is refused: a walk over the program's own `--help`, held against a table.
//!
//! A flag that `--help` shows and the table does not know fails the walk by name, and so does a row for a flag that is not
//! there. Runs start in a folder of their own with a copy of the inputs, and what is compared is what two equal runs have
//! in common: exit code, standard output, and the files written.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use gan_metrics::stats::{FeatureFile, Features, Logits};
use ndarray::{Array1, Array2, Array4};
use rayon::prelude::*;

use crate::support::{program, program_at, text};

/// Commands whose flags are not walked yet.
const NOT_YET: &[&str] = &[
    "fid",
    "is",
    "score",
    "kid",
    "prdc",
    "mind",
    "mmd",
    "mifid",
    "vendi",
    "fid-infinity",
    "duplicates",
    "features",
    "stats",
];

/// What clap adds to every command.
const EVERYWHERE: [&str; 2] = ["--help", "--version"];

/// What is known of a flag in each of these commands that has it.
struct Row {
    commands: Vec<&'static str>,
    flag: &'static str,
    cases: Vec<Case>,
}

/// Arguments are separated by blanks; `{}` stands for the usual ones of the command, [`rows::usual`].
enum Case {
    /// Two runs that differ in the flag alone, and end differently.
    Effect {
        one: String,
        other: String,
        /// How they exit, if not by success.
        exits: Option<[i32; 2]>,
    },
    /// A run in which the flag has no effect or no sense: exit code 2, a message with these parts, and nothing written.
    Refused { arguments: String, parts: Vec<&'static str> },
    /// The outcome is the same by design: a row says why.
    Unseen,
}

/// Arguments of which the flag is one, and those without it.
fn between(one: String, other: String) -> Case {
    Case::Effect { one, other, exits: None }
}

/// A flag of which two values make a difference.
fn choice(base: &str, one: &str, other: &str) -> Case {
    between(format!("{base} {one}"), format!("{base} {other}"))
}

/// A flag that makes a difference by being there.
fn effect(base: &str, with: &str) -> Case {
    choice(base, "", with)
}

fn refused(arguments: &str, parts: &[&'static str]) -> Case {
    Case::Refused { arguments: arguments.into(), parts: parts.into() }
}

impl Case {
    /// The runs end with these codes.
    fn exits(mut self, one: i32, other: i32) -> Self {
        if let Case::Effect { exits, .. } = &mut self {
            *exits = Some([one, other]);
        }
        self
    }

    /// The runs that it looks at. The first of an effect is repeated, to know what is the same every time.
    fn runs(&self, command: &str) -> Vec<(String, usize)> {
        let line = |arguments: &str| format!("{command} {}", arguments.replace("{}", &rows::usual(command)));
        match self {
            Case::Effect { one, other, .. } => vec![(line(one), 2), (line(other), 1)],
            Case::Refused { arguments, .. } => vec![(line(arguments), 1)],
            Case::Unseen => Vec::new(),
        }
    }

    /// What is wrong with it, if anything, given how its runs ended.
    fn problem(&self, runs: &[(String, usize)], outcomes: &BTreeMap<String, Vec<Outcome>>) -> Option<String> {
        match (self, runs) {
            (Case::Effect { exits, .. }, [(one, _), (other, _)]) => {
                let ([first, echo, ..], [second, ..]) = (&outcomes[one][..], &outcomes[other][..]) else {
                    unreachable!("each ran as often as it is looked at")
                };
                let ends = [first.exit, second.exit];
                // A run that is refused says nothing about what the flag does, unless that is the point.
                if exits.map_or(ends.contains(&2), |exits| ends != exits) {
                    return Some(format!(
                        "`{one}` and `{other}` exit with {ends:?}: {}{}",
                        first.stderr, second.stderr
                    ));
                }
                let differs = first.differs_from(echo, second);
                (!differs).then(|| format!("`{one}` and `{other}` end in the same way"))
            }
            (Case::Refused { parts, .. }, [(line, _)]) => {
                let Outcome { exit, stdout, stderr, files } = &outcomes[line][0];
                let missing = parts.iter().find(|part| !stderr.contains(**part));
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
    for (name, step) in [("images.npy", 0.618_034), ("other.npy", 0.414_214)] {
        let mut level = (0..).map(wave(step)).map(|x| (255.0 * x) as u8);
        let images = Array4::from_shape_simple_fn((12, 4, 4, 1), || level.next().unwrap());
        ndarray_npy::write_npy(path(name), &images).unwrap();
    }
    for (name, step) in [("real.npz", 0.618_034), ("fake.npz", 0.414_214)] {
        let mut value = (0..).map(wave(step)).map(|x| x as f32);
        let mut matrix = |columns| Array2::from_shape_simple_fn((40, columns), || value.next().unwrap());
        let file = FeatureFile {
            features: Features::new(matrix(5)).unwrap(),
            logits: Some(Logits::new(matrix(3) * 8.0).unwrap()),
            spatial: None,
            names: None,
            provenance: None,
        };
        file.write(&path(name)).unwrap();
    }
    fs::write(path("broken.pth"), "not a checkpoint").unwrap();
    for (name, seed) in [("run", "1"), ("run2", "2")] {
        let arguments = format!("{} --out {name} --steps 2 --threads 1 --seed {seed} -q", rows::training());
        let trained = program().current_dir(folder).arg("train").args(arguments.split_whitespace()).output().unwrap();
        assert!(trained.status.success(), "{}", text(&trained.stderr));
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

/// Runs the program on a copy of the inputs.
fn run(inputs: &BTreeMap<PathBuf, Vec<u8>>, arguments: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in inputs {
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
    fn pieces(&self) -> BTreeMap<String, Vec<u8>> {
        let mut pieces = BTreeMap::from([("exit".to_owned(), self.exit.to_string().into_bytes())]);
        let mut add = |name: &str, content: &[u8]| match std::str::from_utf8(content) {
            Ok(text) => {
                for (number, line) in text.lines().enumerate() {
                    for (column, word) in line.split([' ', ',', '\t']).filter(|word| !word.is_empty()).enumerate() {
                        pieces.insert(format!("{name}:{number}:{column}"), word.into());
                    }
                }
            }
            Err(_) => drop(pieces.insert(name.to_owned(), content.to_vec())),
        };
        add("stdout", &self.stdout);
        // The message of a run that fails is what it comes to.
        add("stderr", if self.exit == 0 { "" } else { &self.stderr }.as_bytes());
        self.files.iter().for_each(|(name, content)| add(&name.display().to_string(), content));
        pieces
    }

    /// Whether another run ended differently in anything that `echo`, a run equal to this one, has in common with it.
    fn differs_from(&self, echo: &Outcome, other: &Outcome) -> bool {
        let (pieces, echo, other) = (self.pieces(), echo.pieces(), other.pieces());
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
        let has_flag = |command: &&str| all.get(*command).is_some_and(|flags| flags.contains(row.flag));
        row.commands.iter().copied().filter(has_flag).collect()
    };
    for row in rows.iter().filter(|row| commands_of(row).is_empty()) {
        problems.push(format!("{} is in the table, and none of {:?} has it", row.flag, row.commands));
    }
    let walked = |command: &str| !NOT_YET.contains(&command);
    for (command, flags) in all.iter().filter(|(command, _)| walked(command)) {
        for flag in flags {
            let of_flag = || rows.iter().filter(|row| row.flag == flag && row.commands.contains(&command.as_str()));
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
            Case::Unseen => true,
        };
        if !row.cases.iter().all(shows) {
            problems.push(format!("{:?} {}: a case has another flag", row.commands, row.flag));
        }
    }
    for command in NOT_YET.iter().filter(|command| !all.contains_key(**command)) {
        problems.push(format!("{command} is not walked, and is no command"));
    }

    let cases = rows.iter().flat_map(|row| {
        let commands = commands_of(row).into_iter().filter(|command| walked(command));
        commands.flat_map(|command| row.cases.iter().map(move |case| (case, case.runs(command))))
    });
    let cases: Vec<(&Case, Vec<(String, usize)>)> = cases.collect();
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
