use super::*;
use serde_json::{Value as Json, json};

fn read(json: Json) -> Recorded {
    Recorded::from_json(json).unwrap()
}

/// A FID, which is better when low, and a recall, which is better when high; with standard errors or without.
fn report(fid: f64, recall: f64, errors: Option<f64>) -> Recorded {
    let mut metrics = json!({
        "fid": { "value": fid },
        "prdc": { "precision": 0.5, "recall": recall, "f_score": 0.5, "density": 1.0, "coverage": 0.5 },
    });
    if let Some(error) = errors {
        let interval = json!({ "value": 0, "standard_error": error, "bias": 0, "lower": 0, "upper": 0, "level": 0.95, "of": null });
        let keys = ["fid", "precision", "recall", "f_score", "density", "coverage"];
        metrics["intervals"]["scores"] = keys.iter().map(|key| ((*key).to_owned(), interval.clone())).collect();
    }
    read(json!({ "schema": 1, "metrics": metrics }))
}

fn judged(run: &Recorded, baseline: &Recorded, tolerances: &str) -> Judgement {
    Judgement::of(run, baseline, &tolerances.parse().unwrap()).unwrap()
}

fn verdict(judgement: &Judgement, name: &str) -> ChangeVerdict {
    judgement.changes.iter().find(|change| change.score.to_string() == name).unwrap().verdict
}

#[test]
fn only_a_change_for_the_worse_fails_from_the_side_on_which_the_number_gets_worse() {
    let baseline = report(10.0, 0.5, None);
    for (fid, recall, expected) in [
        (10.2, 0.49, [ChangeVerdict::Within; 2]),
        (9.8, 0.51, [ChangeVerdict::Within; 2]),
        (10.2001, 0.4899, [ChangeVerdict::Worse; 2]),
        (9.7999, 0.5101, [ChangeVerdict::Better; 2]),
        (5.0, 1.0, [ChangeVerdict::Better; 2]),
    ] {
        let found = judged(&report(fid, recall, None), &baseline, "2%");
        assert_eq!(["fid", "recall"].map(|name| verdict(&found, name)), expected, "{fid} {recall}");
        assert_eq!(found.passed(), expected[0] != ChangeVerdict::Worse);
    }
    // A number of decimals is on the limit though its binary rounding is beyond.
    assert!(judged(&report(10.0, 0.5 - 0.01, None), &baseline, "0.01").passed());
    assert!(judged(&report(10.0, 0.5, None), &baseline, "0").passed(), "equal is not worse");
}

#[test]
fn sigma_is_the_standard_error_of_the_change() {
    let baseline = report(10.0, 0.5, Some(0.03));
    // √(0.03² + 0.04²) = 0.05.
    let run = |fid| report(fid, 0.5, Some(0.04));
    assert_eq!(verdict(&judged(&run(10.1), &baseline, "2sigma"), "fid"), ChangeVerdict::Within);
    assert_eq!(verdict(&judged(&run(10.11), &baseline, "2sigma"), "fid"), ChangeVerdict::Worse);
    // Three where nothing is said.
    let standard = |fid| Judgement::of(&run(fid), &baseline, &Tolerances::default()).unwrap();
    assert!(standard(10.149).passed() && !standard(10.151).passed());
}

#[test]
fn a_missing_standard_error_is_said_with_what_to_do() {
    let (with, without) = (report(10.0, 0.5, Some(0.1)), report(10.0, 0.5, None));
    let error = |run, baseline, tolerances: &Tolerances| Judgement::of(run, baseline, tolerances).unwrap_err();
    assert_eq!(
        error(&without, &with, &"2%,kid=1".parse().unwrap()).to_string(),
        "the tolerance of kid would have no effect: the baseline has no such number; it has fid, precision, recall, \
         f-score, density, coverage"
    );
    assert_eq!(
        error(&with, &without, &Tolerances::default()).to_string(),
        "there is no tolerance for fid, precision, recall, f-score, density, coverage, and without confidence intervals none \
         can be derived: the baseline has none; give a tolerance, such as 2%, or compute both with intervals"
    );
    assert_eq!(
        error(&without, &with, &"2%,fid=2sigma".parse().unwrap()).to_string(),
        "a tolerance in sigma takes the standard errors of both, and the run has no interval of fid: compute both with \
         intervals, or give another tolerance, such as 2%"
    );
    let invalid = Tolerances::default().all(Tolerance::percent(f64::NAN));
    assert!(matches!(error(&with, &with, &invalid), JudgementError::Tolerance(_)));
    let all: Tolerances = "1,fid=1,precision=1,recall=1,f-score=1,density=1,coverage=1".parse().unwrap();
    assert_eq!(
        error(&with, &with, &all).to_string(),
        "the tolerance 1 would have no effect: every number of the baseline has one of its own"
    );
    let empty = read(json!({ "schema": 1, "metrics": {} }));
    assert_eq!(error(&with, &empty, &Tolerances::default()), JudgementError::Empty);
    let later = read(json!({ "schema": 1, "metrics": { "fid": { "value": 1 }, "fid2": { "value": 1 } } }));
    assert_eq!(
        error(&with, &later, &Tolerances::default()).to_string(),
        "the baseline has scores that this version does not know (fid2): update gan-metrics, or make a new baseline"
    );
}

#[test]
fn a_number_that_the_run_lacks_fails_by_name_and_with_the_reason() {
    let run = read(json!({
        "schema": 1, "metrics": { "prdc": { "precision": 0.5, "recall": 0.5, "f_score": 0.5, "density": 1.0, "coverage": 0.5 } },
        "failed": [{ "score": "fid", "part": "score", "reason": "it\u{7} is not finite" }],
    }));
    let found = judged(&run, &report(10.0, 0.5, None), "1%");
    assert!(!found.passed());
    assert_eq!(verdict(&found, "fid"), ChangeVerdict::Missing);
    let text = found.to_text();
    assert!(text.contains("\nfid is missing: it\\u{7} is not finite; the baseline is 10.000000\n"), "{text}");
    assert!(text.ends_with("\nFAILED: missing: fid\n"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_an_error_with_all_reasons() {
    let of = |images: u64, dim: u64| {
        read(json!({
            "schema": 1, "metrics": { "fid": { "value": 1.0, "dim": dim } }, "sets": [{ "images": 9 }, { "images": images }],
        }))
    };
    let error = Judgement::of(&of(10, 64), &of(20, 2048), &"1%".parse().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the run and the baseline cannot be compared:\n  images of the fake set: 10 in the run, 20 in the baseline\n  \
         FID, dim: 64 in the run, 2048 in the baseline\nrun as the baseline did, or make a new baseline"
    );
}

#[test]
fn the_text_is_a_line_a_number() {
    let found = judged(&report(10.5, 0.6, None), &report(10.0, 0.5, None), "2%,recall=0.01");
    assert_eq!(
        found.to_text(),
        "\
score      value      baseline   change                allowed        verdict
fid        10.500000  10.000000  +0.500000 (+5.00 %)   0.200000 (2%)  WORSE
precision  0.500000   0.500000   +0.000000 (+0.00 %)   0.010000 (2%)  within
recall     0.600000   0.500000   +0.100000 (+20.00 %)  0.010000       better
f-score    0.500000   0.500000   +0.000000 (+0.00 %)   0.010000 (2%)  within
density    1.000000   1.000000   +0.000000 (+0.00 %)   0.020000 (2%)  within
coverage   0.500000   0.500000   +0.000000 (+0.00 %)   0.010000 (2%)  within
FAILED: worse than the baseline: fid; better than the baseline: recall
"
    );
    let sentences: Vec<String> = found.changes.iter().take(3).map(Change::sentence).collect();
    assert_eq!(
        sentences,
        [
            "fid 10.500000, baseline 10.000000: worse by 0.500000, more than the 0.200000 allowed (2%)",
            "precision 0.500000, baseline 0.500000: a change of 0.000000 within 0.010000 (2%)",
            "recall 0.600000, baseline 0.500000: better by 0.100000, more than 0.010000 (0.01)",
        ]
    );
    let same = report(10.0, 0.5, None);
    assert!(judged(&same, &same, "0").to_text().ends_with("\npassed: within the tolerance\n"));
}
