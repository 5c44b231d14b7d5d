//! The rows of commands that compute scores, and of those that write features and statistics.

use std::collections::BTreeMap;

use gan_metrics::metrics::{Better, Kind, Parameter, Range};
use gan_metrics::score::{Metric, ScoreNumber};

use super::rows::row;
use super::{Case, Row, between, choice, effect, refused};

/// A small network beside the images, which offers all that scores need of it.
pub(super) const NET: &str = "--model net.onnx --engine tract";

fn metric(name: &str) -> Option<Metric> {
    name.parse().ok()
}

/// The commands of one score each.
fn singles() -> Vec<&'static str> {
    Metric::all().map(|metric| metric.about().name).collect()
}

/// All commands that compute scores.
pub(super) fn scoring() -> Vec<&'static str> {
    [&["score"][..], &singles()].concat()
}

/// All commands that look at images.
pub(super) fn looking() -> Vec<&'static str> {
    [&["features", "stats"][..], &scoring()].concat()
}

/// All of some commands but for some.
pub(super) fn but(commands: &[&'static str], without: &[&str]) -> Vec<&'static str> {
    commands.iter().copied().filter(|command| !without.contains(command)).collect()
}

fn compares(command: &str) -> bool {
    metric(command).is_none_or(|metric| metric.about().compares())
}

/// The arguments of a command that looks at images: `{}` stands for files, which need no network, `{sets}` for images,
/// `{real}` for the same without the set that is judged.
pub(super) fn fill(command: &str, arguments: &str) -> Option<String> {
    let (sets, real, files) = match command {
        "features" => ("photos.zip -o out.npz", "", format!("photos.zip -o out.npz {NET}")),
        "stats" => ("photos.zip -o out.npz", "", "real.npz -o out.npz".to_owned()),
        command if !scoring().contains(&command) => return None,
        command if compares(command) => ("photos.zip others.zip", "photos.zip", "real.npz fake.npz".to_owned()),
        _ => ("photos.zip", "", "fake.npz".to_owned()),
    };
    let more = match command {
        "score" => " --metrics fid",
        "kid" => " --subset-size 6",
        _ => "",
    };
    let filled = arguments.replace("{}", &(files + more));
    Some(filled.replace("{sets}", &(sets.to_owned() + more)).replace("{real}", &(real.to_owned() + more)))
}

pub(super) fn rows(commands: &[&'static str], flag: &str, cases: impl IntoIterator<Item = Case>) -> Row {
    Row { commands: commands.into(), flag: flag.into(), cases: cases.into_iter().collect() }
}

pub(super) fn all() -> Vec<Row> {
    let tables = [
        common(),
        many(),
        parameters(),
        out_of_range(),
        bounds(),
        network(),
        of_files(),
        cache(),
        generator(),
        reading(),
    ];
    tables.into_iter().flatten().collect()
}

/// What all scores have in common.
fn common() -> Vec<Row> {
    let all = scoring();
    let (of_two, of_one): (Vec<&str>, Vec<&str>) = all.iter().partition(|command| compares(command));
    let may_have_interval = |metric: &Metric| metric.about().interval.is_some();
    let names = |metrics: &mut dyn Iterator<Item = Metric>| metrics.map(|metric| metric.about().name).collect();
    let with: Vec<&str> = names(&mut Metric::all().filter(may_have_interval));
    let without: Vec<&str> = names(&mut Metric::all().filter(|metric| !may_have_interval(metric)));
    vec![
        rows(&all, "--json", [effect("{}", "--json")]),
        rows(
            &all,
            "--output",
            [
                effect("{}", "--output report.txt"),
                refused("{} --output nowhere/report.txt", &["cannot write to", "nowhere does not exist"]),
            ],
        ),
        row("features", "--output", [choice(&format!("photos.zip {NET}"), "--output a.npz", "--output a.safetensors")]),
        row("features", "--output", [refused(&format!("photos.zip {NET} --output a.csv"), &["a.csv", ".safetensors"])]),
        row("stats", "--output", [choice("real.npz", "--output a.npz", "--output b.npz")]),
        rows(
            &["features", "stats"],
            "--shard",
            [
                choice(&format!("{{sets}} {NET}"), "--shard 1/2", "--shard 2/2"),
                refused(&format!("{{sets}} {NET} --shard 0/2"), &["--shard", "INDEX/COUNT"]),
                refused(&format!("{{sets}} {NET} --shard 1/13"), &["shard 1/13 of 12 images is empty"]),
                refused(&format!("{{sets}} {NET} --shard 1/2 --cache use"), &["--cache", "would have no effect"]),
                refused(&format!("photos.zip -o out.npy {NET} --shard 1/2"), &["out.npy", ".npz"]),
            ],
        ),
        row("stats", "--shard", [refused("{} --shard 1/2", &["--shard", "would have no effect", "holds no images"])]),
        row(
            "merge",
            "--output",
            [
                choice("one.npz two.npz", "--output a.npz", "--output a.safetensors"),
                refused("one.npz two.npz --output a.csv", &["a.csv", ".safetensors"]),
                refused("one.npz --output a.npz", &["6 of the 12 images", "shard 2/2"]),
            ],
        ),
        row(
            "merge",
            "--images",
            [
                choice("p.npz q.npz -o out.npz", "--images 40,40", "--images 40,80"),
                refused("one.npz two.npz -o out.npz --images 6", &["--images gives 1 numbers, but 0"]),
                refused("p.npz q.npz -o out.npz --images 0,1", &["--images", "0"]),
                refused("real-stats.npz fake-stats.npz -o out.npz --images 40", &["--images gives 1 numbers, but 0"]),
            ],
        ),
        // Text has its warnings on standard output.
        rows(&of_two, "--quiet", [effect("{} --json", "--quiet").aloud()]),
        rows(&of_one, "--quiet", [effect(&format!("{{sets}} {NET} --json"), "--quiet").aloud()]),
        rows(
            &["features", "stats"],
            "--quiet",
            [effect(&format!("spoilt -o out.npz {NET} --on-bad-image skip"), "--quiet").aloud()],
        ),
        rows(
            &all,
            "--preset",
            [
                effect("{}", "--preset dgm-eval"),
                refused("{} --preset tensorflow", &["--preset", "no preset is called `tensorflow`"]),
            ],
        ),
        row("score", "--preset", [choice("real.npz fake.npz -q", "--preset adm", "--preset pytorch-fid")]),
        rows(
            &[&["score"][..], &with].concat(),
            "--ci",
            [
                effect("{}", "--ci 95"),
                refused("{} --ci 100", &["--ci", "a percentage between 0 and 100"]),
                refused(&format!("{{sets}} {NET} --ci 95"), &["--ci", "set has 12 images", "at least 40"]),
            ],
        ),
        rows(&without, "--ci", [Case::Never, refused("{} --ci 95", &["--ci", "has no confidence interval"])]),
        row("fid", "--ci", [choice("{}", "--ci 95", "--ci 50%")]),
        row("fid", "--ci", [effect("real.npz fake.npz real.npz", "--ci none")]),
        row(
            "fid",
            "--ci",
            ["0", "-5", "nan", "x"]
                .map(|value| refused(&format!("{{}} --ci {value}"), &["--ci", "a percentage between 0 and 100"])),
        ),
        rows(&["fid"], "--ci", [refused("real-stats.npz fake-stats.npz --ci 95", &["--ci", "statistics hold only"])]),
    ]
}

/// What `score` alone has, but for parameters and bounds.
fn many() -> Vec<Row> {
    let pictures = "real.npz fake.npz --metrics fid";
    let spatial = format!("photos.zip -o out.npz {NET}");
    let plain = "photos.zip -o out.npz --model plain.onnx --engine tract";
    vec![
        row(
            "score",
            "--metrics",
            [
                choice("real.npz fake.npz", "--metrics fid", "--metrics vendi"),
                choice("real.npz fake.npz", "--metrics fid", "--metrics all"),
                refused("real.npz fake.npz --metrics fit", &["--metrics", "no score is called `fit`"]),
                refused("real-stats.npz fake-stats.npz --metrics kid", &["KID needs the features", "real set"]),
            ],
        ),
        row(
            "score",
            "--per-class",
            [
                effect("{}", "--per-class"),
                refused(
                    "real-stats.npz fake-stats.npz --metrics fid --per-class",
                    &["per-class FID needs", "real set"],
                ),
            ],
        ),
        row(
            "score",
            "--plot",
            [
                effect("{}", "--plot plot.svg"),
                effect(&format!("{{sets}} {NET}"), "--plot plot.png"),
                refused("{} --plot plot.gif", &["plot.gif names another format", ".svg or .png"]),
            ],
        ),
        row(
            "score",
            "--html",
            [
                effect("{}", "--html page.html"),
                refused(&format!("{pictures} --html page.svg --plot page.svg"), &["one file"]),
            ],
        ),
        row(
            "features",
            "--spatial",
            [
                effect(&spatial, "--spatial"),
                refused(
                    &format!("photos.zip -o out.npy {NET} --spatial"),
                    &["--spatial", "the features alone", ".npz"],
                ),
                refused(&format!("{plain} --spatial"), &["spatial features", "use inception-v3"]),
            ],
        ),
    ]
}

/// Other parameters that must be given with one, in whichever command of the score.
fn beside(metric: &str, parameter: &str) -> Vec<(&'static str, &'static str)> {
    let subsets = ("subset-size", "6");
    match (metric, parameter) {
        ("kid", "subset-size") => Vec::new(),
        ("kid", "sigma") => vec![subsets, ("kernel", "rbf")],
        ("kid", _) => vec![subsets],
        ("duplicates", "limit") => vec![("threshold", "3")],
        _ => Vec::new(),
    }
}

/// The command of one score and `score`, each with a flag of its own for a parameter; and a run with some parameters.
#[expect(clippy::type_complexity, reason = "a function in a tuple cannot have an alias")]
pub(super) fn spellings(
    metric: &'static str,
    parameter: &str,
) -> [(&'static str, String, impl Fn(&[(&str, &str)]) -> String); 2] {
    ["score", metric].map(|command| {
        let (sets, prefix) = match command {
            "score" => (format!("real.npz fake.npz --metrics {metric}"), format!("--{metric}-")),
            _ if compares(command) => ("real.npz fake.npz".to_owned(), "--".to_owned()),
            _ => ("fake.npz".to_owned(), "--".to_owned()),
        };
        let flag = format!("{prefix}{parameter}");
        let run = move |given: &[(&str, &str)]| {
            let words = given.iter().map(|(name, value)| format!(" {prefix}{name} {value}"));
            sets.clone() + &words.collect::<String>()
        };
        (command, flag, run)
    })
}

/// A value of each parameter with which the score is another.
const VALUES: [(&str, &str, &str); 31] = [
    ("is", "splits", "5"),
    ("is", "order", "as-given"),
    ("is", "seed", "1"),
    ("is", "ddof", "1"),
    ("kid", "subsets", "5"),
    ("kid", "subset-size", "8"),
    ("kid", "kernel", "rbf"),
    ("kid", "sigma", "2"),
    ("kid", "seed", "1"),
    ("prdc", "k", "4"),
    ("realism", "k", "4"),
    ("realism", "form", "dgm-eval"),
    ("mind", "directions", "10"),
    ("mind", "source", "numpy"),
    ("mind", "seed", "1"),
    ("mifid", "threshold", "0.0000001"),
    ("mifid", "mean-over", "fake"),
    ("mmd", "kernel", "polynomial"),
    ("mmd", "sigma", "2"),
    ("mmd", "estimator", "unbiased"),
    ("mmd", "length", "as-given"),
    ("mmd", "scale", "1"),
    ("vendi", "order", "inf"),
    ("fid-infinity", "points", "5"),
    ("fid-infinity", "smallest", "10"),
    ("fid-infinity", "seed", "1"),
    ("is-infinity", "points", "5"),
    ("is-infinity", "smallest", "10"),
    ("is-infinity", "seed", "1"),
    ("duplicates", "threshold", "2"),
    ("duplicates", "limit", "2"),
];

/// Parameters of the scores. Reports in text do not repeat them, so that what differs is the score.
fn parameters() -> Vec<Row> {
    let mut table = Vec::new();
    for (metric, parameter, value) in VALUES {
        for (command, flag, run) in spellings(metric, parameter) {
            let others = beside(metric, parameter);
            let one = match (metric, parameter) {
                // The usual size is that of larger sets.
                ("kid", "subset-size") => run(&[(parameter, "6")]),
                _ => run(&others),
            };
            table.push(row(command, &flag, [between(one, run(&[&others[..], &[(parameter, value)]].concat()))]));
        }
    }
    // The same code refuses all parameters of a score.
    let names: BTreeMap<&str, (&str, &str)> =
        VALUES.iter().rev().map(|&(metric, parameter, value)| (metric, (parameter, value))).collect();
    for (metric, (parameter, value)) in names {
        let flag = format!("--{metric}-{parameter}");
        let computed = if metric == "vendi" { "fid" } else { "vendi" };
        let arguments = format!("real.npz fake.npz --metrics {computed} {flag} {value}");
        table.push(row(
            "score",
            &flag,
            [refused(&arguments, &[&flag, "would have no effect", "not among the scores"])],
        ));
    }
    table
}

/// Values that a parameter does not take, each with what it must be.
fn beyond(parameter: &Parameter) -> Vec<(String, String)> {
    let all = |values: &[&str], range: &str| values.iter().map(|value| (value.to_string(), range.to_owned())).collect();
    match &parameter.kind {
        Kind::Count { least, most } => {
            let outside =
                [least.checked_sub(1), most.checked_add(1)].into_iter().flatten().map(|count| count.to_string());
            let values: Vec<String> = outside.chain(["-1".to_owned(), "1.5".to_owned()]).collect();
            let range = format!("a whole number from {least} to {most}");
            values.into_iter().map(|value| (value, range.clone())).collect()
        }
        Kind::Seed => all(&["-1", "4294967296"], "a whole number from 0 to 4294967295"),
        Kind::Number(Range::UpToInfinity) => all(&["nan", "-1", "x"], "zero or more, or inf"),
        Kind::Number(Range::NotNegative) => all(&["nan", "inf", "-1", "x"], "zero or more, and finite"),
        Kind::Number(Range::UpToOne) => all(&["nan", "0", "1.5", "x"], "above 0 and at most 1"),
        Kind::Number(Range::Positive) => all(&["nan", "inf", "0", "-1", "x"], "positive and finite"),
        Kind::Choice(choices) => {
            let names: Vec<&str> = choices.iter().map(|choice| choice.name).collect();
            all(&["neither"], &format!("one of {}", names.join(", ")))
        }
    }
}

/// What parameters are refused for, by the registry, and by what only a score knows of its own.
fn out_of_range() -> Vec<Row> {
    let mut rows = Vec::new();
    for about in Metric::all().map(|metric| metric.about()) {
        for parameter in about.parameters {
            for (command, flag, run) in spellings(about.name, parameter.name) {
                let others = beside(about.name, parameter.name);
                let refusals = beyond(parameter).into_iter().map(|(value, range)| {
                    let given = [&others[..], &[(parameter.name, &*value)]].concat();
                    refused(&run(&given), &[&flag, &format!("`{value}`: it must be {range}")])
                });
                // What a value may be does not depend on the command.
                let most = if command == "score" { 1 } else { usize::MAX };
                rows.push(row(command, &flag, refusals.take(most)));
                let Some((other, wanted)) = parameter.only_with else { continue };
                let others = about.parameters.iter().find(|parameter| parameter.name == other).map(|other| &other.kind);
                let Some(Kind::Choice(choices)) = others else { continue };
                let refusals = choices.iter().filter(|choice| choice.name != wanted).map(|choice| {
                    let without = format!("has no effect where {other} is {}: it is for {other} {wanted}", choice.name);
                    refused(&run(&[(other, choice.name), (parameter.name, "1")]), &[&flag, &without])
                });
                rows.push(row(command, &flag, refusals));
            }
        }
    }
    let particular = [
        ("is", "ddof", vec![("splits", "1"), ("ddof", "1")], vec!["ddof 1 needs at least 2 splits"]),
        ("is", "splits", vec![("splits", "41")], vec!["40 images cannot be cut into 41 splits"]),
        ("kid", "subset-size", vec![("subset-size", "41")], vec!["real set has 40 images", "at least 41"]),
        ("prdc", "k", vec![("k", "40")], vec!["real set has 40 images", "at least 41"]),
        ("realism", "k", vec![("k", "40")], vec!["real set has 40 images", "at least 41"]),
        ("fid-infinity", "smallest", vec![("smallest", "40")], vec!["fake set has 40 images", "at least 41"]),
        ("is-infinity", "smallest", vec![("smallest", "40")], vec!["fake set has 40 images", "at least 41"]),
    ];
    for (metric, parameter, given, parts) in particular {
        for (command, flag, run) in spellings(metric, parameter) {
            rows.push(row(command, &flag, [refused(&run(&given), &parts)]));
        }
    }
    rows
}

/// Bounds decide the exit code.
fn bounds() -> Vec<Row> {
    let decides = |arguments: &str, flag: &str, [met, missed]: [String; 2]| {
        choice(arguments, &format!("{flag} {met}"), &format!("{flag} {missed}")).exits(0, 1)
    };
    let mut rows = Vec::new();
    for number in ScoreNumber::all() {
        let (metric, quantity) = (number.metric().about().name, number.quantity());
        let (flag, other, limits) = match quantity.better {
            Better::Lower => ("--fail-above", "--fail-below", ["1000000", "-1000000"]),
            Better::Higher => ("--fail-below", "--fail-above", ["-1000000", "1000000"]),
        };
        let is_alone = ScoreNumber::of(number.metric()).len() == 1;
        let named = limits.map(|limit| format!("{}={limit}", quantity.name));
        let [above, below] = [named.clone(), [named[1].clone(), named[0].clone()]];
        let sets = format!("real.npz fake.npz --metrics {metric}");
        let sets = if metric == "kid" { format!("{sets} --kid-subset-size 6") } else { sets };
        rows.push(row("score", flag, [decides(&sets, flag, above.clone())]));
        rows.push(row("score", other, [decides(&sets, other, below.clone())]));
        if is_alone {
            let not_a_number = refused(&format!("{{}} {flag} nan"), &[flag, "a finite number"]);
            rows.push(row(metric, flag, [decides("{}", flag, limits.map(String::from)), not_a_number]));
        } else {
            rows.push(row(metric, flag, [decides("{}", flag, above)]));
            rows.push(row(metric, other, [decides("{}", other, below)]));
        }
    }
    for flag in ["--fail-above", "--fail-below"] {
        let named = ["score", "prdc", "realism"];
        let uncomputed = refused(&format!("{{}} {flag} vendi=1"), &["a bound on vendi"]);
        let nameless = refused(&format!("{{}} {flag} 1"), &[flag, "expected NAME=VALUE"]);
        let unknown = refused(&format!("{{}} {flag} fit=1"), &[flag, "no score is called `fit`"]);
        let endless = refused(&format!("{{}} {flag} fid=inf"), &[flag, "a finite number"]);
        rows.push(self::rows(&named, flag, [uncomputed, nameless, unknown, endless]));
    }
    rows
}

/// Which network sees the images, and how. All commands have these flags from one struct and hand it to the same code, so
/// that what they do is looked at in a few; refusals are looked at in all.
fn network() -> Vec<Row> {
    let shown = |commands: &[&'static str], flag: &str, cases: Vec<Case>| {
        [rows(commands, flag, cases), rows(&but(&looking(), commands), flag, [Case::Unseen])]
    };
    let seen = |flag: &str, cases: Vec<Case>| shown(&["features", "stats", "score"], flag, cases);
    let changes = |with: &str| effect(&format!("{{sets}} {NET}"), with);
    let wrong = |arguments: &str, parts: &[&str]| refused(&format!("{{sets}} {NET} {arguments}"), parts);
    // A network that leaves the size of its input open.
    let open = format!("{{sets}} --model open.onnx {SCALE}");
    let without_engine = "{sets} --model net.onnx";
    let nowhere = "{sets} --model net.onnx --ort-library nowhere";
    let spoilt = |command, base: &str| {
        let base = format!("{base} {NET}");
        let cases = [choice(&base, "--on-bad-image stop", "--on-bad-image skip").exits(2, 0)];
        row(command, "--on-bad-image", cases)
    };
    let shown_rows = [
        // Beside the others here, the built-in network is large.
        shown(
            &["features"],
            "--extractor",
            vec![
                effect("spoilt -o out.npz --on-bad-image skip --engine tract", "--extractor efficientnet-lite0")
                    .exits(3, 0),
                wrong("--extractor inception-v3", &["--extractor", "--model", "cannot be used with"]),
                refused("{sets} --extractor resnet", &["`resnet` names no extractor", "efficientnet-lite0"]),
            ],
        ),
        seen(
            "--layer",
            vec![
                changes("--layer 64"),
                wrong("--layer 65", &["`65` is not a layer", "64, 192, 768 or 2048"]),
                wrong("--layer 64 --features-output sfid", &["--layer", "--features-output", "cannot be used with"]),
                refused(
                    "{sets} --model plain.onnx --engine tract --layer 64",
                    &["plain.onnx", "--layer is for inception-v3"],
                ),
                refused("{sets} --extractor efficientnet-lite0 --layer 64", &["--layer is for inception-v3"]),
            ],
        ),
        seen("--model", vec![choice("{sets} --engine tract", "--model net.onnx", "--model plain.onnx")]),
        seen(
            "--input-size",
            vec![
                choice(&format!("{open} --layout nchw"), "--input-size 8", "--input-size 9"),
                choice(&format!("{open} --layout nchw"), "--input-size 8", "--input-size 8x9"),
                wrong("--input-size 5", &["net.onnx takes", "[N, 3, 4, 4]", "N×3×5×5", "--input-size"]),
                wrong("--input-size 0", &["--input-size", "1 to 8192 pixels"]),
            ],
        ),
        seen(
            "--mean",
            vec![
                changes("--mean 1"),
                changes("--mean imagenet"),
                wrong("--mean 1,2", &["--mean", "number, or three separated"]),
                wrong("--mean 0.5 --std 0.5", &["on a scale of 0 to 1", "127.5", "--mean and --std"]),
            ],
        ),
        seen(
            "--std",
            vec![
                changes("--std 1"),
                changes("--std clip"),
                wrong("--std 1,2", &["--std", "number, or three separated"]),
                wrong("--std inf", &["--std", "positive number"]),
            ],
        ),
        seen(
            "--layout",
            vec![
                choice(&format!("{open} --input-size 8"), "--layout nchw", "--layout nhwc").exits(0, 3),
                wrong("--layout nhwc", &["net.onnx takes", "[N, 3, 4, 4]", "--layout"]),
            ],
        ),
        seen(
            "--pooling",
            vec![
                choice(&format!("{{sets}} --model map.onnx {SCALE}"), "--pooling spatial-mean", "--pooling flatten"),
                wrong("--pooling flatten", &["pool3", "would have no effect", "--pooling"]),
                wrong("--pooling max", &["--pooling", "`max` is not a way of pooling"]),
            ],
        ),
        // Files with several inputs, among which it chooses, run on ONNX Runtime alone.
        seen(
            "--input-name",
            vec![
                changes("--input-name nothing").exits(0, 2),
                wrong("--input-name nothing", &["no input `nothing`", "it has `images`", "--input-name"]),
            ],
        ),
        seen(
            "--features-output",
            vec![
                changes("--features-output sfid"),
                wrong("--features-output nothing", &["no output `nothing`", "`pool3`", "--features-output"]),
            ],
        ),
        shown(
            &["features", "is"],
            "--logits-output",
            vec![
                changes("--logits-output sfid"),
                wrong("--logits-output nothing", &["no output `nothing`", "`pool3`", "--logits-output"]),
            ],
        ),
        seen("--resize", vec![changes("--resize torch"), wrong("--resize bilinear", &["--resize", "bilinear", "tf1"])]),
        // Features have no trace of the engine but in their last bits.
        seen("--engine", vec![effect(nowhere, "--engine tract").exits(4, 2)]),
        [
            row("score", "--engine", [choice(without_engine, "--engine tract", "--engine onnxruntime")]),
            rows(&looking(), "--engine", [refused("{sets} --engine fast", &["--engine", "onnxruntime", "tract"])]),
        ],
        seen(
            "--device",
            vec![
                changes("--device cuda").exits(0, 4),
                refused("{sets} --device gpu", &["`gpu` names no device", "cuda:N"]),
            ],
        ),
        seen("--ort-library", vec![choice(without_engine, "--ort-library nowhere", "--ort-library run").exits(4, 4)]),
        // The size of a batch is in reports, and changes nothing else but the last bits.
        shown(&["score", "fid"], "--batch-size", vec![effect(&format!("{{sets}} {NET} --json"), "--batch-size 2")]),
        // The same work, however many threads share it.
        [
            rows(&looking(), "--threads", [Case::Unseen]),
            rows(&looking(), "--ort-library", [wrong("--ort-library run", &["--ort-library", "--engine tract"])]),
        ],
        [
            rows(&but(&looking(), &["features", "stats", "score"]), "--on-bad-image", [Case::Unseen]),
            spoilt("score", "photos.zip spoilt --metrics fid"),
        ],
        [spoilt("features", "spoilt -o out.npz"), spoilt("stats", "spoilt -o out.npz")],
    ];
    // What describes a custom network has no sense without one.
    let descriptions = DESCRIPTIONS.map(|given| {
        let arguments = format!("{{sets}} {given}");
        rows(&looking(), flag_of(given), [refused(&arguments, &[flag_of(given), "a custom network", "with --model"])])
    });
    shown_rows.into_iter().flatten().chain(descriptions).collect()
}

/// What the networks of the fixtures need to have said.
const SCALE: &str = "--mean 127.5 --std 127.5 --engine tract";

/// What is said of a custom network.
const DESCRIPTIONS: [&str; 8] = [
    "--input-size 4",
    "--mean 1",
    "--std 1",
    "--layout nchw",
    "--input-name images",
    "--features-output pool3",
    "--pooling flatten",
    "--logits-output sfid",
];

fn flag_of(given: &str) -> &str {
    given.split(' ').next().expect("a text has a first part")
}

/// Files need no network, and nothing that is said of one.
fn of_files() -> Vec<Row> {
    let commands = but(&looking(), &["features"]);
    let others = [
        "--extractor inception-v3",
        "--layer 64",
        "--model net.onnx",
        "--resize tf1",
        "--on-bad-image skip",
        "--engine auto",
        "--device cpu",
        "--batch-size 2",
        "--threads 2",
        "--ort-library run",
    ];
    let network = others.map(|given| {
        let refusal = refused(&format!("{{}} {given}"), &[flag_of(given), "would have no effect", "no network runs"]);
        rows(&commands, flag_of(given), [refusal])
    });
    let cache = ["--cache use", "--cache off"].map(|given| {
        rows(
            &commands,
            "--cache",
            [refused(&format!("{{}} {given}"), &["--cache", "would have no effect", "none runs"])],
        )
    });
    let of_statistics = others.map(|given| {
        let arguments = format!("real-stats.npz fake-stats.npz --metrics fid {given}");
        row("score", flag_of(given), [refused(&arguments, &[flag_of(given), "no network runs"])])
    });
    network.into_iter().chain(cache).chain(of_statistics).collect()
}

fn cache() -> Vec<Row> {
    let (all, few) = (looking(), ["features", "stats", "score"]);
    let used = format!("{{sets}} {NET} --cache use");
    let not_used = ["", "--cache off"].map(|cache| {
        let arguments = format!("{{sets}} {NET} {cache} --cache-limit 1G");
        refused(&arguments, &["--cache-limit", "would have no effect", "--cache use"])
    });
    let unread = refused(&format!("{used} --cache-limit lots"), &["--cache-limit", "a number of bytes"]);
    vec![
        rows(&few, "--cache", [effect(&format!("{{sets}} {NET}"), "--cache use")]),
        rows(&few, "--cache-limit", [effect(&used, "--cache-limit 1K"), unread]),
        // All commands have these from one struct and use the same cache.
        rows(&but(&all, &few), "--cache", [Case::Unseen]),
        rows(&but(&all, &few), "--cache-limit", [Case::Unseen]),
        rows(&all, "--cache-limit", not_used),
    ]
}

/// A generator in the place of images.
fn generator() -> Vec<Row> {
    let all = scoring();
    let flags = [
        ("--generator", ["gen.onnx", "gen2.onnx"]),
        ("--latent", ["normal:3", "uniform:3"]),
        ("--images", ["12", "13"]),
        ("--latent-seed", ["1", "2"]),
        ("--pixel-range", ["-1,1", "0,1"]),
    ];
    let few = ["score", "is"];
    let mut table = Vec::new();
    for (flag, values) in flags {
        let others = [("--generator", "gen.onnx"), ("--images", "12")].into_iter().filter(|(other, _)| *other != flag);
        let others: String = others.map(|(other, value)| format!(" {other} {value}")).collect();
        let [one, other] = values.map(|value| format!("{flag} {value}"));
        table.push(rows(&few, flag, [choice(&format!("{{real}} {NET}{others}"), &one, &other)]));
        // All commands have these from one struct and hand them to the same code.
        table.push(rows(&but(&all, &["score", "is", "per-class"]), flag, [Case::Unseen]));
        let arguments = format!("{{real}} {NET}{others} {one}");
        let classless = refused(&arguments, &["per-class FID needs the class of every image of the fake set"]);
        // Its sets may be arrays of floating-point numbers.
        let heeded = if flag == "--pixel-range" { Case::Unseen } else { Case::Never };
        table.push(rows(&["per-class"], flag, [heeded, classless]));
        if flag != "--generator" {
            let alone = refused(&format!("{{}} {one}"), &[flag, "would have no effect", "--generator"]);
            table.push(rows(&all, flag, [alone]));
        }
    }
    let of = |wrong: &str| format!("{{real}} {NET} --generator gen.onnx {wrong}");
    let classes = format!("{{real}} {NET} --generator gen_labels.onnx --latent normal --images 12");
    let flag = "--generator-classes";
    let classless = &["per-class FID needs the class of every image of the fake set"];
    table.extend([
        rows(&few, "--generator", [refused(&classes, &["gen_labels.onnx takes labels", flag])]),
        rows(&few, flag, [choice(&classes, "--generator-classes 3", "--generator-classes 4")]),
        rows(
            &few,
            flag,
            [
                refused(&of("--generator-classes 3"), &["gen.onnx takes no labels", flag]),
                refused(&of("--generator-classes 0"), &[flag, "from 1 to 65535"]),
            ],
        ),
        rows(&but(&all, &["score", "is", "per-class"]), flag, [Case::Unseen]),
        rows(&["per-class"], flag, [Case::Never, refused(&format!("{classes} {flag} 3"), classless)]),
        rows(&all, flag, [refused("{} --generator-classes 3", &[flag, "would have no effect", "--generator"])]),
    ]);
    table.extend([
        rows(&all, "--generator", [refused("{} --generator gen.onnx", &["given twice", "--generator", "drop one"])]),
        rows(
            &few,
            "--latent",
            [
                refused(&of("--latent cauchy"), &["--latent", "normal, uniform"]),
                refused(&of("--latent normal:0"), &["--latent", "a length such as 100"]),
                refused(&of("--latent normal:4"), &["gen.onnx", "not 4 numbers", "--latent"]),
            ],
        ),
        rows(&few, "--pixel-range", [refused(&of("--pixel-range 1,1"), &["--pixel-range", "two numbers that differ"])]),
        rows(&few, "--images", [refused(&of("--images 4294967296"), &["--images", "4294967295"])]),
    ]);
    table
}

/// What paths do not tell of the sets: all commands have these from one struct and hand them to the same code.
fn reading() -> Vec<Row> {
    let all = looking();
    let few = ["features", "stats", "score"];
    let mut table = Vec::new();
    for (command, sets) in
        few.into_iter().zip(["choice.npz -o out.npz", "choice.npz -o out.npz", "choice.npz choices.npz --metrics fid"])
    {
        let base = format!("{sets} {NET}");
        let ranged = format!("{base} --pixel-range 0,1");
        let ranges = format!("{base} --array one");
        table.push(row(command, "--array", [choice(&ranged, "--array one", "--array two")]));
        table.push(row(
            command,
            "--pixel-range",
            [
                choice(&ranges, "--pixel-range 0,1", "--pixel-range 0,2"),
                refused(&format!("{ranges} --pixel-range 1,1"), &["--pixel-range", "two numbers that differ"]),
            ],
        ));
    }
    for (command, sets) in
        few.into_iter().zip(["photos.zip -o out.npz", "photos.zip -o out.npz", "photos.zip others.zip --metrics fid"])
    {
        let base = format!("{sets} {NET}");
        table.push(row(
            command,
            "--num",
            [
                choice(&base, "--num 5", "--num 7"),
                refused(&format!("{base} --num 13"), &["photos.zip` has 12 images, fewer than the 13"]),
                refused(&format!("{base} --num 0"), &["--num", "a whole number from 1"]),
            ],
        ));
        table.push(row(
            command,
            "--num-seed",
            [
                choice(&format!("{base} --num 5"), "--num-seed 1", "--num-seed 2"),
                refused(&format!("{base} --num-seed 1"), &["--num"]),
                refused(&format!("{base} --num 5 --num-seed -1"), &["--num-seed", "a whole number from 0"]),
            ],
        ));
    }
    let unchosen = refused("{} --num 5", &["--num has nothing to choose from"]);
    table.extend([
        rows(&but(&all, &few), "--num", [Case::Unseen]),
        rows(&but(&all, &few), "--num-seed", [Case::Unseen]),
        rows(&but(&all, &["features"]), "--num", [unchosen]),
    ]);
    let nothing = refused("{} --array nothing", &["--array nothing", "would have no effect", "no .npz file"]);
    let unused = refused("{} --pixel-range 0,1", &["--pixel-range", "would have no effect"]);
    table.extend([
        rows(&but(&all, &few), "--array", [Case::Unseen]),
        rows(&all, "--array", [nothing]),
        rows(&["features", "stats"], "--pixel-range", [unused]),
    ]);
    table
}
