//! The rows of `check`.

use gan_metrics::score::Metric;

use super::rows::row;
use super::scores::NET;
use super::{Case, Row, choice, effect, refused};

/// A report that is judged, in which nothing is worse.
pub(super) const USUAL: &str = "base.json --baseline base.json --tolerance 1%";

/// Flags of a network and the cache, with a value.
const OF_WORK: [&str; 23] = [
    "--array one",
    "--num 3",
    "--pixel-range 0,1",
    "--extractor inception-v3",
    "--layer 64",
    "--model net.onnx",
    "--input-size 4",
    "--mean 1",
    "--std 1",
    "--layout nchw",
    "--input-name images",
    "--features-output pool3",
    "--pooling flatten",
    "--logits-output sfid",
    "--resize tf1",
    "--on-bad-image skip",
    "--engine auto",
    "--device cpu",
    "--ort-library run",
    "--batch-size 2",
    "--threads 2",
    "--cache use",
    "--cache-limit 1G",
];

pub(super) fn all() -> Vec<Row> {
    [own(), outputs(), work(), parameters()].into_iter().flatten().collect()
}

fn own() -> Vec<Row> {
    let worse = "worse.json --baseline base.json";
    vec![
        row(
            "check",
            "--baseline",
            [
                choice("worse.json --tolerance 1%", "--baseline base.json", "--baseline worse.json").exits(1, 0),
                refused("base.json --baseline real.npz", &["real.npz is a feature file, not a JSON report"]),
            ],
        ),
        row(
            "check",
            "--tolerance",
            [
                choice(worse, "--tolerance 1%", "--tolerance 1000").exits(1, 0),
                effect("base.json --baseline base.json", "--tolerance 1%").exits(2, 0),
                refused(&format!("{worse} --tolerance -1%"), &["--tolerance", "`-1%` is not a tolerance", "3sigma"]),
                refused(&format!("{worse} --tolerance fit=1%"), &["no score is called `fit`"]),
                refused(&format!("{worse} --tolerance 1%,vendi=1%"), &["vendi would have no effect", "it has fid"]),
                refused(&format!("{worse} --tolerance 1%,fid=2%"), &["1% would have no effect"]),
                refused(&format!("{worse} --tolerance fid=2sigma"), &["a tolerance in sigma", "no interval of fid"]),
            ],
        ),
    ]
}

fn outputs() -> Vec<Row> {
    let nowhere =
        |flag: &str| refused(&format!("{USUAL} {flag} nowhere/file"), &["cannot write to", "nowhere does not exist"]);
    vec![
        row("check", "--json", [effect(USUAL, "--json")]),
        row("check", "--output", [effect(USUAL, "--output report.txt"), nowhere("--output")]),
        row("check", "--quiet", [effect(&format!("{USUAL} --json"), "--quiet").aloud()]),
        row("check", "--junit", [effect(USUAL, "--junit junit.xml"), nowhere("--junit")]),
        row(
            "check",
            "--append",
            [
                effect(USUAL, "--append log.jsonl"),
                nowhere("--append"),
                refused(&format!("{USUAL} --append images.npy"), &["images.npy", "last line is not complete JSON"]),
            ],
        ),
        row(
            "check",
            "--github",
            [
                effect(USUAL, "--github"),
                refused(&format!("{USUAL} --github --json"), &["--github", "name a file for that with -o"]),
            ],
        ),
    ]
}

/// How scores are computed: nothing of it holds for a report. What it does for sets is the same as in `score`, of which the code is.
fn work() -> Vec<Row> {
    let sets = format!("photos.zip others.zip --baseline images.json --tolerance 1% {NET}");
    let refusals = OF_WORK.into_iter().map(|given| {
        let flag = given.split(' ').next().expect("a text has a first part");
        let arguments = format!("{USUAL} {given}");
        row("check", flag, [Case::Unseen, refused(&arguments, &[flag, "would have no effect"])])
    });
    let generator =
        ["--latent normal:3", "--images 12", "--latent-seed 1", "--generator-classes 3"].into_iter().map(|given| {
            let flag = given.split(' ').next().expect("a text has a first part");
            row("check", flag, [Case::Unseen, refused(&format!("{USUAL} {given}"), &[flag, "it is for --generator"])])
        });
    let seed = refused(&format!("{USUAL} --num-seed 1"), &["--num"]);
    let shown = [
        row("check", "--num-seed", [Case::Unseen, seed]),
        row("check", "--layer", [effect(&sets, "--layer 64").exits(0, 2)]),
        row("check", "--resize", [effect(&sets, "--resize clean").exits(0, 2)]),
        row("check", "--batch-size", [effect(&format!("{sets} --json"), "--batch-size 2")]),
        row(
            "check",
            "--generator",
            [
                choice(
                    &format!("photos.zip --baseline images.json --tolerance 1000 {NET} --images 12"),
                    "--generator gen.onnx",
                    "--generator gen2.onnx",
                ),
                refused(&format!("{sets} --generator gen.onnx"), &["given twice", "--generator", "drop one"]),
            ],
        ),
    ];
    refusals.chain(generator).chain(shown).collect()
}

fn parameters() -> Vec<Row> {
    let flags = Metric::all().flat_map(|metric| {
        let about = metric.about();
        about.parameters.iter().map(move |parameter| format!("--{}-{}", about.name, parameter.name))
    });
    let of_files = "real.npz fake.npz --baseline base.json --tolerance 1%";
    let rows = flags.map(|flag| {
        let computed = refused(&format!("{USUAL} {flag} 1"), &[&flag, "the scores of a report were computed already"]);
        let unused = refused(&format!("{of_files} {flag} 1"), &[&flag]);
        row("check", &flag, [Case::Unseen, computed, unused])
    });
    rows.collect()
}
