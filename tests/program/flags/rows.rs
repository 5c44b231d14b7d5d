//! The table: what each flag does, and where it is refused.

use super::{Case, Row, between, check, choice, effect, refusals, refused, scores};

/// A command line: `{}` stands for arguments with which the command does its work on the inputs of the walk, and scores
/// have [more](scores::fill) of the kind.
pub(super) fn line(command: &str, arguments: &str) -> String {
    let usual = match command {
        "train" => format!("{} --out new --steps 2", training()),
        "generate" => "--checkpoint run/checkpoint.safetensors -n 3 -o out.npy".into(),
        _ => String::new(),
    };
    let arguments = scores::fill(command, arguments).unwrap_or_else(|| arguments.replace("{}", &usual));
    command.split(' ').chain(arguments.split_whitespace()).collect::<Vec<_>>().join(" ")
}

/// What a small training run is made of.
pub(super) fn training() -> String {
    training_without("")
}

/// The same without a flag, which a row gives.
fn training_without(flag: &str) -> String {
    let all = [
        ("--data", "images.npy"),
        ("--model", "mlp"),
        ("--size", "4"),
        ("--width", "4"),
        ("--latent-size", "3"),
        ("--batch-size", "4"),
    ];
    let others = all.into_iter().filter(|(name, _)| *name != flag);
    others.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(" ")
}

/// Every row. A flag may have several.
pub(super) fn all() -> Vec<Row> {
    let tables = [
        divergence(),
        bounds_of_divergence(),
        runs(),
        settings(),
        watching(),
        making(),
        knowing(),
        comparing(),
        networks(),
        reports(),
        scores::all(),
    ];
    tables.into_iter().flatten().chain(check::all()).chain(refusals::all()).collect()
}

pub(super) fn row(command: &'static str, flag: &str, cases: impl IntoIterator<Item = Case>) -> Row {
    Row { commands: vec![command], flag: flag.into(), cases: cases.into_iter().collect() }
}

const LIST: &str = "kl 0.2,0.8 0.5,0.5";
const DENSITIES: &str = "kl normal(0,1) normal(1,2)";
const GAUSSIANS: &str = "kl p.npz q.npz";
const HISTOGRAM: &str = "kl p.npy q.npy --estimator histogram";
const KNN: &str = "kl p.npy q.npy --estimator knn";
const VARIATIONAL: &str = "js p.npy q.npy --estimator variational";
const FOURIER: &str = "js p.npy q.npy --estimator variational --critic fourier";
const MLP: &str = "js p.npy q.npy --estimator variational --critic mlp";
const TRANSPORT: &str = "w1 0.2,0.8 0.5,0.5";
const TRANSPORT_OF_SAMPLES: &str = "w1 p.npy q.npy";
const TRANSPORT_OF_GAUSSIANS: &str = "w2 p.npz q.npz";
const MONTE_CARLO: &str = "js p.npz q.npz";
const MIXTURES: &str = "kl mixture.npz mixture2.npz";
const FIT: &str = "ks p.npy normal(0.6,0.3)";
const TWO_SAMPLES: &str = "ks p.npy q.npy";
const KERNEL: &str = "mmd p.npy q.npy";
const INFORMATION: &str = "mi p.npy q.npy --estimator knn";
const COUNTED_INFORMATION: &str = "mi p.npy q.npy --estimator histogram";

const WITH_PLAN: [&str; 2] = [TRANSPORT, TRANSPORT_OF_SAMPLES];
const ENTROPIC: &str = "w1 0.2,0.8 0.5,0.5 --sinkhorn 0.1";
const TOLERANT: &str = "--sinkhorn-tolerance 0.5";
const STRICT: &str = "--sinkhorn-tolerance 1e-12";
const HASTY: &str = "--sinkhorn-iterations 1";
const PATIENT: &str = "--sinkhorn-iterations 5000";

/// All of them, so that an option is tried wherever it has no effect.
const TASKS: [&str; 18] = [
    LIST,
    DENSITIES,
    GAUSSIANS,
    HISTOGRAM,
    KNN,
    VARIATIONAL,
    FOURIER,
    MLP,
    TRANSPORT,
    TRANSPORT_OF_SAMPLES,
    TRANSPORT_OF_GAUSSIANS,
    MONTE_CARLO,
    MIXTURES,
    FIT,
    TWO_SAMPLES,
    KERNEL,
    INFORMATION,
    COUNTED_INFORMATION,
];

fn divergence() -> Vec<Row> {
    // Two values make a difference to each of some tasks, and the flag is refused in all others.
    let matters = |flag: &'static str, [one, other]: [&str; 2], tasks: &[&str], purpose: &'static str| {
        let [one, other] = [one, other].map(|value| format!("{flag} {value}"));
        let choices = tasks.iter().map(|task| choice(task, &one, &other));
        let elsewhere = TASKS.iter().filter(|task| !tasks.contains(task));
        let refusals =
            elsewhere.map(|task| refused(&format!("{task} {one}"), &[flag, purpose, "no effect", "drop it"]));
        row("divergence", flag, choices.chain(refusals))
    };
    let other_kinds = |flag: &'static str, with: &str, tasks: &[&str], purpose: &'static str| {
        let refusals = tasks.iter().map(|task| refused(&format!("{task} {with}"), &[flag, purpose, "no effect"]));
        row("divergence", flag, refusals)
    };
    let all_but_lists =
        TASKS.map(|task| if task == LIST || task == TRANSPORT { "w1 normal(0,1) normal(1,2)" } else { task });
    let all_but_transport_of_samples = TASKS.map(|task| if task == TRANSPORT_OF_SAMPLES { LIST } else { task });
    let without_plan: Vec<&str> =
        TASKS.into_iter().filter(|task| !WITH_PLAN.contains(task)).chain([ENTROPIC]).collect();
    let computed = [LIST, DENSITIES, GAUSSIANS, TRANSPORT, TRANSPORT_OF_SAMPLES, TRANSPORT_OF_GAUSSIANS, MONTE_CARLO];
    vec![
        row(
            "divergence",
            "--p",
            [
                choice("tv --q 0.5,0.5", "--p 0.2,0.8", "--p 0.1,0.9"),
                refused("tv 0.2,0.8 0.5,0.5 --p 0.1,0.9", &["--p", "cannot be used with"]),
            ],
        ),
        row(
            "divergence",
            "--q",
            [
                choice("tv --p 0.5,0.5", "--q 0.2,0.8", "--q 0.1,0.9"),
                refused("tv 0.2,0.8 0.5,0.5 --q 0.1,0.9", &["--q", "cannot be used with"]),
            ],
        ),
        row("divergence", "--json", [effect(LIST, "--json")]),
        row(
            "divergence",
            "--plot",
            [
                effect(LIST, "--plot kl.svg"),
                choice(LIST, "--plot kl.svg", "--plot kl.png"),
                refused("kl 0.2,0.8 0.5,0.5 --plot kl.pdf", &["kl.pdf names another format", "ends in .svg"]),
                refused("ks p.npy q.npy --plot ks.svg", &["--plot", "statistics of samples"]),
                refused("all 0.2,0.8 0.5,0.5 --plot all.svg", &["--plot", "name one"]),
                effect("w1 0.2,0.8 0.5,0.5", "--plot w1.svg"),
                effect("w1 normal(0,1) laplace(1,2)", "--plot w1.png"),
                refused("w2 0.2,0.8 0.5,0.5 --plot w2.svg", &["--plot", "it shows w1"]),
                refused("renyi(2) p.npz q.npz --plot renyi.svg", &["--plot", "give densities or probabilities"]),
            ],
        ),
        row("divergence", "--normalize", [effect("kl 1,4 7,7", "--normalize").exits(2, 0)]),
        other_kinds("--normalize", "--normalize", &all_but_lists, "is for probabilities"),
        row(
            "divergence",
            "--base",
            [
                effect(LIST, "--base 2"),
                effect("all 0.2,0.8 0.5,0.5", "--base 2"),
                refused("kl 0.2,0.8 0.5,0.5 --base 1", &["1 is not a base"]),
            ],
        ),
        other_kinds("--base", "--base 2", &["tv 0.2,0.8 0.5,0.5", TRANSPORT, TRANSPORT_OF_SAMPLES], "logarithms"),
        row("divergence", "--estimator", [choice("kl p.npy q.npy", "--estimator histogram", "--estimator knn")]),
        other_kinds("--estimator", "--estimator knn", &computed, "divergences of samples"),
        matters("--bins", ["3", "5"], &[HISTOGRAM, COUNTED_INFORMATION], "--estimator histogram"),
        matters("--pseudocount", ["1", "2"], &[HISTOGRAM], "--estimator histogram"),
        matters("--neighbours", ["3", "5"], &[KNN, INFORMATION], "--estimator knn"),
        row("divergence", "--critic", [choice(VARIATIONAL, "--critic linear", "--critic quadratic")]),
        other_kinds(
            "--critic",
            "--critic mlp",
            &[&computed[..], &[HISTOGRAM, KNN]].concat(),
            "--estimator variational",
        ),
        matters("--cosines", ["3", "5"], &[FOURIER], "--critic fourier"),
        matters("--bandwidth", ["1", "2"], &[FOURIER], "--critic fourier"),
        matters("--hidden", ["3", "5"], &[MLP], "--critic mlp"),
        matters("--points", ["0,2", "0,-3"], &[TRANSPORT], "transport of probabilities"),
        row("divergence", "--points", [effect("kl 0.2,0.8 0.5,0.5 --plot kl.svg", "--points 0,3")]),
        row("divergence", "--points", [effect("gan-value normal(0,1) normal(1,2)", "--points 0,3")]),
        row(
            "divergence",
            "--discriminator",
            [
                choice("gan-value 0.2,0.8 0.5,0.5", "--discriminator 0.5,0.5", "--discriminator 0.3,0.6"),
                refused("gan-value 0.2,0.8 0.5,0.5 --discriminator 0.5", &["--discriminator gives 1", "2 entries"]),
                refused("gan-value 0.2,0.8 0.5,0.5 --discriminator 0.5,2", &["entry 1", "is 2", "from 0 to 1"]),
            ],
        ),
        matters("--discriminator", ["0.5,0.5", "0.3,0.6"], &[], "gan-value of probabilities"),
        row("divergence", "--column", [choice("tv table.csv 0.3,0.7", "--column p", "--column 2")]),
        matters("--column", ["p", "q"], &[], "files of probabilities"),
        matters("--sinkhorn", ["0.5", "1"], &[TRANSPORT], "transport of probabilities"),
        row("divergence", "--sinkhorn-tolerance", [choice(ENTROPIC, TOLERANT, STRICT)]),
        matters("--sinkhorn-tolerance", ["0.5", "1"], &[], "is for --sinkhorn"),
        row("divergence", "--sinkhorn-iterations", [choice(ENTROPIC, HASTY, PATIENT).exits(2, 0)]),
        matters("--sinkhorn-iterations", ["5", "6"], &[], "is for --sinkhorn"),
        row("divergence", "--transport-plan", WITH_PLAN.map(|task| effect(task, "--transport-plan plan.csv"))),
        other_kinds("--transport-plan", "--transport-plan plan.csv", &without_plan, "is for exact transport"),
        row("divergence", "--potentials", WITH_PLAN.map(|task| effect(task, "--potentials dual.csv"))),
        other_kinds("--potentials", "--potentials dual.csv", &without_plan, "is for exact transport"),
        row("divergence", "--slices", [choice("w1 real.npy fake.npy", "--slices 3", "--slices 5")]),
        other_kinds("--slices", "--slices 3", &all_but_transport_of_samples, "transport of samples"),
        matters("--samples", ["100", "200"], &[MONTE_CARLO, MIXTURES], "Gaussians that have no formula"),
        matters("--draws", ["99", "199"], &[FIT, TWO_SAMPLES, KERNEL], "p-values of samples"),
        matters("--kernel-length", ["0.5", "2"], &[KERNEL], "is for mmd"),
        row(
            "divergence",
            "--kernel-length",
            [refused("mmd p.npy q.npy --kernel-length 0", &["length = 0", "positive"])],
        ),
        row(
            "divergence",
            "--array",
            [
                choice("energy samples.npz samples2.npz", "--array one", "--array two"),
                refused("energy samples.npz samples2.npz --array three", &["no array `three`", "one, two"]),
            ],
        ),
        other_kinds("--array", "--array one", &[LIST, DENSITIES, TRANSPORT_OF_SAMPLES], "samples in .npz files"),
        matters(
            "--seed",
            ["1", "2"],
            &[MONTE_CARLO, MIXTURES, VARIATIONAL, FOURIER, MLP, FIT, TWO_SAMPLES, KERNEL],
            "Monte Carlo",
        ),
        row("divergence", "--seed", [choice("w1 real.npy fake.npy --slices 3", "--seed 1", "--seed 2")]),
    ]
}

/// Numbers that would exhaust the memory or the patience, and such as are none.
fn bounds_of_divergence() -> Vec<Row> {
    let bounds = [
        ("--bins", HISTOGRAM, "from 1 to 1000000"),
        ("--neighbours", KNN, "P has 40 samples"),
        ("--cosines", FOURIER, "at most 6710886 features"),
        ("--hidden", MLP, "from 1 to 4096"),
        ("--slices", TRANSPORT_OF_SAMPLES, "2 to 67108864"),
        ("--samples", MONTE_CARLO, "from 4 to 1000000000"),
        ("--draws", TWO_SAMPLES, "from 1 to 10000000"),
    ];
    let refusals = |(flag, task, bound)| {
        let beyond = ["1000000000000", "18446744073709551615"].map(|value| (value, bound));
        let no_numbers = ["18446744073709551616", "-1", "0"].map(|value| (value, "expected a whole number"));
        let cases = beyond.into_iter().chain(no_numbers);
        row("divergence", flag, cases.map(|(value, part)| refused(&format!("{task} {flag} {value}"), &[part])))
    };
    let seed =
        refused("js p.npz q.npz --seed -1", &["'-1'", "--seed", "a whole number from 0 to 18446744073709551615"]);
    bounds.into_iter().map(refusals).chain([row("divergence", "--seed", [seed])]).collect()
}

fn runs() -> Vec<Row> {
    let without_data = format!("{} --out new --steps 2 -q", training_without("--data"));
    let resumed = "--data images.npy --out run --steps 3 -q";
    vec![
        row("train", "--data", [choice(&without_data, "--data images.npy", "--data other.npy")]),
        row(
            "train",
            "--data",
            [
                choice("--width 8 --batch-size 8 --out new --steps 1 -q", "--data gaussians:8", "--data gaussians:25"),
                refused("--data gaussians:9 --out new --steps 1", &["gaussians:9", "gaussians:8 (a ring)"]),
                refused("--data gaussians:8 --model mlp --out new --steps 1", &["are points", "--model points"]),
                refused("--data gaussians:8 --size 8 --out new --steps 1", &["--size", "points takes points"]),
                refused("--data gaussians:8 --channels 1 --out new --steps 1", &["--channels", "points takes points"]),
                refused("--data images.npy --model points --out new --steps 1", &["images.npy", "dimensions"]),
            ],
        ),
        row(
            "train",
            "--pixel-range",
            [
                choice(
                    &format!("--data floats.npy {} --out new --steps 2 -q", training_without("--data")),
                    "--pixel-range 0,1",
                    "--pixel-range 0,4",
                ),
                refused("{} --pixel-range 0,1", &["--pixel-range", "would have no effect"]),
                refused("--data gaussians:8 --out new --steps 1 --pixel-range 0,1", &["--pixel-range", "points"]),
            ],
        ),
        row("train", "--out", [choice(&format!("{} --steps 2 -q", training()), "--out new", "--out newer")]),
        row(
            "train",
            "--steps",
            [
                choice(&format!("{} --out new -q", training()), "--steps 2", "--steps 3"),
                refused("--out run --resume --steps 2", &["has 2 steps already"]),
            ],
        ),
        row(
            "train",
            "--resume",
            [
                effect(resumed, "--resume").exits(2, 0),
                refused("--out new --steps 3 --resume", &["holds no run to resume"]),
            ],
        ),
        row("train", "--quiet", [effect("{}", "--quiet")]),
    ]
}

/// What a run begins with, and keeps when it goes on.
fn settings() -> Vec<Row> {
    // What is refused as well: a value, and a part of the message.
    let setting = |flag: &'static str, [one, other]: [&str; 2], out_of_range: &[(&str, &'static str)]| {
        let base = format!("{} --out new --steps 2 -q", training_without(flag));
        let [one, other] = [one, other].map(|value| format!("{flag} {value}"));
        let resumed = format!("--out run --steps 3 --resume {other}");
        let cases = [choice(&base, &one, &other), refused(&resumed, &["--resume", flag, "cannot be used with"])];
        let beyond = out_of_range.iter().map(|(value, part)| refused(&format!("{base} {flag} {value}"), &[*part]));
        row("train", flag, cases.into_iter().chain(beyond))
    };
    const SIZE: &str = "from 1 to 1048576";
    let sizes = [("0", SIZE), ("-1", SIZE), ("1000000000000", SIZE), ("18446744073709551615", SIZE)];
    let together = |flag, value: &str| {
        let convolutional = "--data images.npy --out new --steps 2 --size 64 --latent-size 4 --width 4 --batch-size 4";
        let arguments = convolutional.replace(&format!("{flag} 4"), &format!("{flag} {value}"));
        row("train", flag, [refused(&arguments, &["GiB of memory", "at most 64 GiB"])])
    };
    let wide = "--data images.npy --out new --steps 2 --size 64 --width 512 --latent-size 1048576";
    let labelled = "--data halves.npz --size 16 --width 2 --batch-size 4 --out new --steps 1 -q --model classifier";
    let finding =
        "--data images.npy --size 16 --width 2 --latent-size 3 --batch-size 4 --out new --steps 1 -q --model catgan";
    let labels = ["wasserstein", "wasserstein-gp", "least-squares", "hinge", "f-gan:gan"].map(|objective| {
        let arguments = format!("{{}} --objective {objective} --real-label 0.9");
        refused(&arguments, &["--real-label", "minimax and non-saturating", "has none: drop it"])
    });
    const BATCH: &str = "from 2 to 1048576";
    let batches = [("1", BATCH), ("1000000000000", BATCH), ("100000", "fewer than a batch of 100000")];
    const POSITIVE: &str = "must be positive";
    let rates = [("0", POSITIVE), ("-1", POSITIVE), ("inf", POSITIVE), ("nan", POSITIVE)];
    let models = "--data images.npy --size 16 --width 2 --latent-size 3 --batch-size 4 --out new --steps 1 -q";
    vec![
        row(
            "train",
            "--model",
            [
                choice(models, "--model mlp", "--model dcgan"),
                refused("--out run --steps 3 --resume --model mlp", &["--resume", "--model", "cannot be used with"]),
            ],
        ),
        setting("--size", ["4", "5"], &sizes),
        setting("--size", ["6", "7"], &[("100000", "at most 64 GiB")]),
        setting("--channels", ["1", "3"], &[("2", "1 (gray) or 3 (RGB)"), ("4", "from 1 to 3")]),
        setting("--latent-size", ["3", "4"], &sizes),
        row("train", "--latent-size", [refused(wide, &["GiB of memory", "at most 64 GiB"])]),
        setting("--latent", ["normal", "uniform"], &[]),
        setting("--width", ["4", "5"], &sizes),
        together("--width", "100000"),
        setting("--batch-size", ["4", "5"], &batches),
        together("--batch-size", "1048576"),
        setting("--objective", ["hinge", "wasserstein"], &[]),
        setting("--regularizer", ["r1", "dragan:2"], &[("nonsense", "no regularizer called"), ("r1:-1", "positive")]),
        setting(
            "--critic-norm",
            ["none", "spectral"],
            &[("nonsense", "possible values: batch, layer, spectral, none")],
        ),
        setting(
            "--minibatch-statistic",
            ["discrimination", "deviation"],
            &[("nonsense", "possible values: discrimination, deviation")],
        ),
        row(
            "train",
            "--classes",
            [
                between(format!("{finding} --classes 2"), format!("{finding} --classes 3")),
                refused("{} --classes 3", &["--classes", "classes of their own", "mlp does not"]),
                refused(&format!("{finding} --classes 1"), &["--classes", "from 2 to 4096"]),
            ],
        ),
        row(
            "train",
            "--objective",
            [refused(&format!("{finding} --objective hinge"), &["--objective", "catgan plays its own"])],
        ),
        row("train", "--list", [between("--list".into(), "{}".into())]),
        row(
            "train",
            "--labels",
            [
                between(format!("{labelled} --labels 2"), format!("{labelled} --labels 4")),
                refused("{} --labels 20", &["the number of labels = 20", "0 for this model"]),
                refused("{} --labels 0", &["--labels", "from 1 to 1048576"]),
            ],
        ),
        setting("--critic-steps", ["1", "2"], &[("0", SIZE), ("1000000000000", SIZE)]),
        setting("--optimizer", ["sgd", "rmsprop"], &[("nonsense", "possible values: sgd, rmsprop, adam")]),
        setting("--learning-rate", ["0.1", "0.2"], &rates),
        setting("--critic-learning-rate", ["0.1", "0.2"], &rates),
        setting("--betas", ["0.5,0.9", "0.9,0.9"], &[("1,0.9", "in [0, 1)"), ("0.5", "two numbers with a comma")]),
        row(
            "train",
            "--beta",
            [
                choice(
                    "--data images.npy --model vae --size 4 --width 4 --batch-size 4 --out new --steps 2 -q",
                    "--beta 1",
                    "--beta 4",
                ),
                refused("{} --beta 4", &["--beta", "mlp has no codes"]),
                refused("--out run --steps 3 --resume --beta 4", &["--resume", "--beta", "cannot be used with"]),
            ],
        ),
        row("train", "--betas", [refused("{} --betas 0.5,0.9 --optimizer sgd", &["--betas", "Adam"])]),
        setting("--real-label", ["1", "0.9"], &[("0.5", "in (0.5, 1]"), ("1.1", "in (0.5, 1]")]),
        row("train", "--real-label", labels),
        setting("--average-decay", ["0.5", "0.9"], &[("1", "in [0, 1)"), ("-0.1", "in [0, 1)")]),
        setting("--clip-norm", ["0.001", "0.002"], &[("0", "positive and finite"), ("inf", "positive and finite")]),
        setting("--seed", ["1", "2"], &[("-1", "a whole number from 0 to 18446744073709551615")]),
    ]
}

fn watching() -> Vec<Row> {
    let scored = |every: &str, images: &str, engine: &str| {
        format!("{} --out new --steps 2 -q --score-every {every} --score-images {images} --engine {engine}", training())
    };
    // Without scores, and in runs that end before.
    let idle = |with: &str| refused(&format!("{{}} {with}"), &["required", "--score-every"]);
    let never = |flag: &'static str| {
        [
            refused(&format!("{{}} {flag} 3"), &[flag, "never comes in a run of 2 steps", "at most 2"]),
            refused(&format!("--out run --resume --steps 4 {flag} 5"), &[flag, "never comes in a run of 4 steps"]),
            refused(&format!("{{}} {flag} 0"), &[flag, "a whole number from 1"]),
        ]
    };
    let base = scored("2", "12", "tract");
    let library = format!("{} --out new --steps 2 --score-every 2 --score-images 4", training());
    vec![
        row("train", "--checkpoint-every", [choice("{}", "--checkpoint-every 1", "--checkpoint-every 2")]),
        row("train", "--checkpoint-every", never("--checkpoint-every")),
        row("train", "--sample-every", [choice("{}", "--sample-every 1", "--sample-every 2")]),
        row("train", "--sample-every", never("--sample-every")),
        row("train", "--score-every", [between(base.clone(), scored("1", "12", "tract"))]),
        row("train", "--score-every", never("--score-every")),
        row(
            "train",
            "--scores",
            [
                effect(&base, "--scores is"),
                idle("--scores is"),
                refused(
                    "--data gaussians:8 --out new --steps 1 --score-every 1 --scores fid",
                    &["--scores", "points have their own"],
                ),
            ],
        ),
        row(
            "train",
            "--score-images",
            [
                between(base.clone(), scored("2", "11", "tract")),
                idle("--score-images 4"),
                refused("{} --score-every 1 --score-images 1000000000000", &["from 2 to 1000000"]),
            ],
        ),
        row(
            "train",
            "--score-extractor",
            [effect(&base, "--score-extractor inception-v3").exits(0, 3), idle("--score-extractor efficientnet-lite0")],
        ),
        row("train", "--engine", [between(base.clone(), scored("2", "12", "onnxruntime")), idle("--engine tract")]),
        row("train", "--device", [effect(&base, "--device cuda").exits(0, 4), idle("--device cpu")]),
        row(
            "train",
            "--ort-library",
            [
                choice(&library, "--ort-library nowhere", "--ort-library run").exits(4, 4),
                idle("--ort-library nowhere"),
                refused(&format!("{base} --ort-library nowhere"), &["--ort-library", "--engine tract", "drop one"]),
            ],
        ),
        row(
            "train",
            "--threads",
            [
                choice("{}", "--threads 1", "--threads 2"),
                refused("--out run --resume --steps 3 --threads 2", &["began with --threads 1", "--threads 2", "drop"]),
                refused("{} --threads 65536", &["from 1 to 65535"]),
            ],
        ),
    ]
}

/// Commands that make something of a checkpoint.
fn making() -> Vec<Row> {
    let [one, other] = ["run", "run2"].map(|run| format!("--checkpoint {run}/checkpoint.safetensors"));
    let told = "--checkpoint told/checkpoint.safetensors".to_owned();
    let noisy = "--checkpoint noisy/checkpoint.safetensors".to_owned();
    let seen = format!("{noisy} --data images.npy");
    vec![
        row("generate", "--checkpoint", [choice("-n 3 -o out.npy -q", &one, &other)]),
        row(
            "generate",
            "--images",
            [
                choice(&format!("{one} -o out.npy -q"), "--images 3", "--images 4"),
                refused(&format!("{one} -o out.npy --images 4294967296"), &["from 1 to 4294967295"]),
            ],
        ),
        row("generate", "--output", [choice(&format!("{one} -n 3 -q"), "--output out.npy", "--output out.npz")]),
        row(
            "generate",
            "--seed",
            [
                effect("{} -q", "--seed 1"),
                refused("{} --seed -1", &["'-1'", "a whole number from 0 to 18446744073709551615"]),
            ],
        ),
        row(
            "generate",
            "--batch-size",
            [
                // Images depend on their batch by rounding only; the memory that they take does.
                Case::Unseen,
                refused("{} --batch-size 0", &["from 1 to 65535"]),
                refused("{} --batch-size 65536", &["from 1 to 65535"]),
            ],
        ),
        row(
            "generate",
            "--class",
            [
                choice(&format!("{told} -n 3 -o out.npy"), "--class 0", "--class 1"),
                refused(&format!("{one} -n 3 -o out.npy --class 1"), &["cannot make images of a class"]),
                refused(&format!("{one} -n 3 -o out.npy --class -1"), &["--class", "from 0 to 65535"]),
            ],
        ),
        row("generate", "--quiet", [effect("{}", "--quiet")]),
        row("interpolate", "--checkpoint", [choice("-o grid.png", &one, &other)]),
        row("interpolate", "--output", [choice(&one, "--output grid.png", "--output other.png")]),
        row(
            "interpolate",
            "--rows",
            [
                choice(&format!("{one} -o grid.png"), "--rows 2", "--rows 3"),
                refused(&format!("{one} -o grid.png --rows 0"), &["--rows", "from 1 to 64"]),
            ],
        ),
        row(
            "interpolate",
            "--columns",
            [
                choice(&format!("{one} -o grid.png"), "--columns 2", "--columns 3"),
                refused(&format!("{one} -o grid.png --columns 1"), &["--columns", "from 2 to 64"]),
            ],
        ),
        row("interpolate", "--seed", [choice(&format!("{one} -o grid.png"), "--seed 1", "--seed 2")]),
        row(
            "reconstruct",
            "--checkpoint",
            [
                choice("--data images.npy -o grid.png", &noisy, "--checkpoint noisy2/checkpoint.safetensors"),
                refused(&format!("{one} --data images.npy -o grid.png"), &["mlp cannot reconstruct images"]),
            ],
        ),
        row(
            "reconstruct",
            "--data",
            [choice(&format!("{noisy} -o grid.png"), "--data images.npy", "--data other.npy")],
        ),
        row("reconstruct", "--output", [choice(&seen, "--output grid.png", "--output other.png")]),
        row(
            "reconstruct",
            "--rows",
            [
                choice(&format!("{seen} -o grid.png --columns 3"), "--rows 1", "--rows 2"),
                refused(&format!("{seen} -o g.png --rows 0"), &["from 1 to 64"]),
            ],
        ),
        row(
            "reconstruct",
            "--columns",
            [
                choice(&format!("{seen} -o grid.png"), "--columns 2", "--columns 3"),
                refused(&format!("{seen} -o g.png --columns 0"), &["from 1 to 64"]),
            ],
        ),
        row("reconstruct", "--seed", [choice(&format!("{seen} -o grid.png"), "--seed 1", "--seed 2")]),
        row(
            "traverse",
            "--checkpoint",
            [
                choice("-o grid.png", &told, "--checkpoint told2/checkpoint.safetensors"),
                refused(&format!("{one} -o grid.png"), &["cannot be traversed", "neither a class nor a code"]),
            ],
        ),
        row("traverse", "--output", [choice(&told, "--output grid.png", "--output other.png")]),
        row(
            "traverse",
            "--columns",
            [
                choice(&format!("{told} -o grid.png"), "--columns 2", "--columns 3"),
                refused(&format!("{told} -o grid.png --columns 1"), &["--columns", "from 2 to 64"]),
            ],
        ),
        row("traverse", "--seed", [choice(&format!("{told} -o grid.png"), "--seed 1", "--seed 2")]),
        row("export", "--checkpoint", [choice("-o g.onnx", &one, &other)]),
        row("export", "--output", [choice(&one, "--output g.onnx", "--output h.onnx")]),
        row(
            "export",
            "--network",
            [
                choice(
                    "--checkpoint likely/checkpoint.safetensors -o g.onnx",
                    "--network generator",
                    "--network encoder",
                ),
                choice(
                    "--checkpoint sorting/checkpoint.safetensors -o g.onnx",
                    "--network generator",
                    "--network classifier",
                ),
                refused(&format!("{one} -o g.onnx --network encoder"), &["mlp cannot be written as an encoder"]),
                refused(&format!("{one} -o g.onnx --network classifier"), &["mlp cannot be written as a classifier"]),
            ],
        ),
        row(
            "generate",
            "--save-latents",
            [
                effect("{} -q", "--save-latents z.npz"),
                refused("{} --save-latents z.npy", &["--save-latents", ".npz"]),
                refused("{} --save-latents out.npy", &["--save-latents", ".npz"]),
                refused(&format!("{noisy} -n 2 -o out.npy --save-latents z.npz"), &["gsn cannot save", "no z"]),
            ],
        ),
        row(
            "reconstruct",
            "--pixel-range",
            [
                choice(&format!("{noisy} --data floats.npy -o grid.png"), "--pixel-range 0,1", "--pixel-range 0,4"),
                refused(&format!("{seen} -o grid.png --pixel-range 0,1"), &["--pixel-range", "would have no effect"]),
            ],
        ),
    ]
}

/// What a model knows of images.
fn knowing() -> Vec<Row> {
    let likely = "--checkpoint likely/checkpoint.safetensors";
    let usual = format!("{likely} --data images.npy");
    vec![
        row(
            "evaluate",
            "--checkpoint",
            [
                choice("--data images.npy", likely, "--checkpoint likely2/checkpoint.safetensors"),
                refused(
                    "--data images.npy --checkpoint run/checkpoint.safetensors",
                    &["mlp tells neither", "makes no codes"],
                ),
                refused(
                    "--data images.npy --checkpoint sorting/checkpoint.safetensors",
                    &["acgan tells classes", "are not known"],
                ),
            ],
        ),
        row("evaluate", "--data", [choice(likely, "--data images.npy", "--data other.npy")]),
        row(
            "evaluate",
            "--pixel-range",
            [
                choice(&format!("{likely} --data floats.npy"), "--pixel-range 0,1", "--pixel-range 0,4"),
                refused(&format!("{usual} --pixel-range 0,1"), &["--pixel-range", "would have no effect"]),
            ],
        ),
        row("evaluate", "--seed", [choice(&usual, "--seed 1", "--seed 2")]),
        row("evaluate", "--json", [effect(&usual, "--json")]),
        row("evaluate", "--output", [choice(&usual, "--output a.txt", "--output b.txt")]),
        // Nothing is said on the way.
        row("evaluate", "--quiet", [Case::Unseen]),
    ]
}

/// Runs against each other.
fn comparing() -> Vec<Row> {
    const NET: &str = "--engine tract";
    let dots = "dots1 dots2 --images 50";
    let images = format!("run run2 --images 8 --scores fid,vendi {NET}");
    let no_scores = |flag: &str| refused(&format!("{dots} {flag}"), &["points have their own"]);
    vec![
        row(
            "runs compare",
            "--data",
            [
                // Other data than they learnt from are refused.
                effect(dots, "--data gaussians:25").exits(0, 2),
                refused(&format!("{dots} --data gaussians:25"), &["not those that dots1 learnt from", "--data"]),
            ],
        ),
        row(
            "runs compare",
            "--scores",
            [
                choice(&format!("run run2 --images 8 {NET}"), "--scores fid", "--scores vendi"),
                no_scores("--scores fid"),
            ],
        ),
        row(
            "runs compare",
            "--images",
            [choice("dots1 dots2", "--images 50", "--images 60"), refused("dots1 --images 1", &["from 2 to 1000000"])],
        ),
        row(
            "runs compare",
            "--extractor",
            [effect(&images, "--extractor inception-v3").exits(0, 3), no_scores("--extractor efficientnet-lite0")],
        ),
        row(
            "runs compare",
            "--engine",
            [
                choice("run run2 --images 8 --scores fid --json", "--engine tract", "--engine onnxruntime"),
                no_scores("--engine tract"),
            ],
        ),
        row("runs compare", "--seed", [choice(dots, "--seed 1", "--seed 2")]),
        row("runs compare", "--plot", [choice(dots, "--plot a.svg", "--plot b.svg")]),
        row("runs compare", "--json", [effect(dots, "--json")]),
        row("runs compare", "--output", [choice(dots, "--output a.txt", "--output b.txt")]),
        row("runs compare", "--quiet", [effect(&images, "--quiet").aloud()]),
    ]
}

/// Commands about two reports.
fn reports() -> Vec<Row> {
    let both = |flag: &str, case: Case| scores::rows(&["compare", "explain"], flag, [case]);
    vec![
        both("--json", effect("base.json worse.json", "--json")),
        both("--output", choice("base.json worse.json", "--output found.txt", "--output other.txt")),
    ]
}

fn networks() -> Vec<Row> {
    vec![
        row(
            "model install",
            "--from",
            [
                choice("inception-v3", "--from broken.pth", "--from images.npy").exits(3, 3),
                refused("efficientnet-lite0 --from broken.pth", &["built in", "--from has no effect", "drop it"]),
            ],
        ),
        row("model install", "--quiet", [effect("efficientnet-lite0", "--quiet")]),
        row("model convert", "--output", [effect("broken.pth", "--output out.onnx").exits(2, 3)]),
        row("model export", "--output", [choice("efficientnet-lite0", "--output a.onnx", "--output b.onnx")]),
        row("doctor", "--ort-library", [choice("", "--ort-library nowhere", "--ort-library run")]),
    ]
}
