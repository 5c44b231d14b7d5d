//! Values that are refused, and flags of which nothing would come.

use super::scores::{NET, but, looking, rows, scoring, spellings};
use super::{Row, effect, refused};

pub(super) fn all() -> Vec<Row> {
    let tables = [without_effect(), senseless(), unclear(), values_that_a_score_refuses()];
    tables.into_iter().flatten().collect()
}

/// Nothing would come of these flags.
fn without_effect() -> Vec<Row> {
    let all_of = "real-stats.npz fake-stats.npz --metrics all";
    vec![
        // The sets allow no KID, which `all` then leaves out.
        rows(
            &["score"],
            "--kid-subsets",
            [refused(&format!("{all_of} --kid-subsets 5"), &["--kid-subsets", "would have no effect"])],
        ),
        // Statistics are of the features alone.
        rows(
            &["stats"],
            "--logits-output",
            [refused(&format!("{{sets}} {NET} --logits-output sfid"), &["--logits-output", "would have no effect"])],
        ),
    ]
}

/// Values that no network can be given.
fn senseless() -> Vec<Row> {
    let wrong = |flag: &str, values: &[&str], range: &str| {
        let refusals = values.iter().map(|value| refused(&format!("{{sets}} {NET} {flag} {value}"), &[flag, range]));
        rows(&["features", "fid"], flag, refusals)
    };
    vec![
        // All images would become infinities or no numbers, of which bounded layers make features that are all the same.
        wrong("--mean", &["nan", "inf", "1,2,nan"], "finite"),
        wrong("--std", &["nan", "inf", "0", "1,0,1", "-1"], "positive"),
        // A file of two inputs, of which one is fed.
        rows(
            &["features"],
            "--input-name",
            [effect(
                "{sets} --model two.onnx --engine tract --mean 0 --std 1 --features-output two",
                "--input-name second",
            )
            .exits(2, 0)],
        ),
    ]
}

/// What a value must be is said, and which numbers there are.
fn unclear() -> Vec<Row> {
    let (looking, scoring) = (looking(), scoring());
    let drawn = but(&scoring, &["per-class"]);
    let of = |wrong: &str| format!("{{real}} {NET} --generator gen.onnx {wrong}");
    let network = |flag: &str, values: [&str; 2]| {
        let refusals = values
            .map(|value| refused(&format!("{{sets}} --model net.onnx {flag} {value}"), &[flag, "from 1 to 65535"]));
        rows(&looking, flag, refusals)
    };
    vec![
        network("--batch-size", ["0", "65536"]),
        network("--threads", ["0", "65536"]),
        rows(&drawn, "--images", [refused(&of("--images 0"), &["--images", "from 1 to 4294967295"])]),
        rows(
            &drawn,
            "--latent-seed",
            [refused(&of("--latent-seed -1"), &["--latent-seed", "a whole number from 0 to 18446744073709551615"])],
        ),
        rows(&["prdc"], "--fail-above", [refused("{} --fail-above vendi=1", &["vendi", "precision, recall"])]),
        rows(&["realism"], "--fail-above", [refused("{} --fail-above vendi=1", &["vendi", "realism, realism-median"])]),
    ]
}

/// A value that only the score knows to be wrong: the flag is named all the same.
fn values_that_a_score_refuses() -> Vec<Row> {
    let spelt = spellings("is", "ddof");
    spelt
        .map(|(command, flag, run)| {
            rows(&[command], &flag, [refused(&run(&[("splits", "1"), ("ddof", "1")]), &[&flag])])
        })
        .into_iter()
        .collect()
}
