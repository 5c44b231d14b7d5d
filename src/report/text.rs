//! The report as text.

use std::fmt::Write;

use super::{CacheUse, Report, SetReport};
use crate::score::{Bound, Defined, Duplicates, FidReport, Scores, Verdict};

/// Names of skipped images that are listed; the rest is counted. JSON lists all.
const SKIPPED_SHOWN: usize = 5;

/// Pairs of near-duplicates that are named; JSON lists as many as were asked for.
const PAIRS_SHOWN: usize = 5;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut line = |content: String| writeln!(text, "{content}").expect("a String takes any text");
    render_scores(&report.metrics, &mut line);
    line(format!("{:<17} those of {}, where nothing else was asked for", "definitions", report.preset));
    for Verdict { bound, value, met } in &report.bounds {
        let verdict = if *met { "met" } else { "NOT met" };
        let Bound { score, side, limit } = bound;
        line(format!("{:<17} {verdict}: {score} {value:.6}, {side} {limit}", "bound"));
    }
    if let Some(extractor) = &report.extractor {
        let engine = &extractor.engine;
        line(format!(
            "{:<17} {} (sha256 {:.12}…), output {}",
            "extractor", extractor.name, extractor.model_sha256, extractor.features_output
        ));
        line(format!("{:<17} {} {} on {}", "engine", engine.name, engine.version, engine.provider));
        if let Some(reason) = &engine.reason {
            line(format!("{:<17} {reason}", ""));
        }
    }
    if let Some(preparation) = &report.preparation {
        line(format!(
            "{:<17} {} to {}×{}, batches of {}",
            "resize", preparation.resize, preparation.width, preparation.height, preparation.batch_size
        ));
    }
    for set in &report.sets {
        line(describe(set));
        for skipped in set.skipped.iter().take(SKIPPED_SHOWN) {
            line(format!("{:<17}   skipped {}: {}", "", skipped.name, skipped.reason));
        }
        if set.skipped.len() > SKIPPED_SHOWN {
            line(format!("{:<17}   and {} more", "", set.skipped.len() - SKIPPED_SHOWN));
        }
    }
    line(format!(
        "{:<17} {:.2} s, of which {:.2} s for the metrics",
        "time", report.total_seconds, report.metric_seconds
    ));
    text
}

fn render_scores(metrics: &Scores, line: &mut dyn FnMut(String)) {
    for (name, distance) in [("FID", &metrics.fid), ("sFID", &metrics.sfid)] {
        if let Some(FidReport { value, mean_term, trace_term, .. }) = distance {
            line(format!("{name:<17} {value:.6}"));
            line(format!("{:<17} means {mean_term:.6}, covariances {trace_term:.6}", ""));
        }
    }
    if let Some(score) = &metrics.inception_score {
        line(format!("{:<17} {:.6} ± {:.6} ({} splits)", "Inception Score", score.mean, score.std, score.splits));
    }
    if let Some(Defined { score, definition }) = &metrics.kid {
        let subsets = format!("{} subsets of {}", definition.subsets, definition.subset_size);
        line(format!("{:<17} {:.6} ± {:.6} ({subsets})", "KID", score.mean, score.std));
    }
    if let Some(Defined { score, definition }) = &metrics.prdc {
        let options = definition.options;
        let (pair, other) = (options.precision_recall.neighbours, options.density_coverage.neighbours);
        line(format!("{:<17} {:.6} (k = {pair})", "precision", score.precision));
        line(format!("{:<17} {:.6}", "recall", score.recall));
        line(format!("{:<17} {:.6}", "F-score", score.f_score));
        line(format!("{:<17} {:.6} (k = {other})", "density", score.density));
        line(format!("{:<17} {:.6}", "coverage", score.coverage));
    }
    if let Some(Defined { score, .. }) = &metrics.mind {
        line(format!("{:<17} {:.6} ± {:.6} over directions", "MIND", score.value, score.standard_error));
    }
    if let Some(Defined { score, .. }) = &metrics.mifid {
        line(format!("{:<17} {:.6} (distance to the real images {:.6})", "MiFID", score.value, score.distance));
    }
    if let Some(Defined { score, .. }) = &metrics.mmd {
        line(format!("{:<17} {:.6}", "MMD", score.value));
    }
    if let Some(Defined { score, .. }) = &metrics.vendi {
        line(format!("{:<17} {:.6}", "Vendi score", score.value));
    }
    for (name, found) in [("FID∞", &metrics.fid_infinity), ("IS∞", &metrics.inception_score_infinity)] {
        if let Some(Defined { score, .. }) = found {
            let error = score.standard_error.map_or(String::new(), |error| format!(" ± {error:.6}"));
            line(format!("{name:<17} {:.6}{error}", score.value));
        }
    }
    if let Some(Defined { score, .. }) = &metrics.duplicates {
        let Duplicates { within_real, within_fake, between } = score;
        for (number, (of, found)) in [
            ("generated images look like another one", within_fake),
            ("generated images look like a real one", between),
            ("real images look like another one", within_real),
        ]
        .into_iter()
        .enumerate()
        {
            let title = if number == 0 { "near-duplicates" } else { "" };
            line(format!("{title:<17} {} {of}", found.found.images));
            for [first, second] in found.names.iter().flatten().take(PAIRS_SHOWN) {
                line(format!("{:<17}   {second} and {first}", ""));
            }
        }
    }
    if let Some(classes) = &metrics.per_class_fid {
        for (number, class) in classes.iter().enumerate() {
            let title = if number == 0 { "per-class FID" } else { "" };
            let fid = class.fid.map_or("too few images".into(), |fid| format!("{fid:.6}"));
            let (real, fake) = (class.real_images, class.fake_images);
            line(format!("{title:<17} {fid} {} ({real} real, {fake} generated)", class.label));
        }
    }
    if let Some(intervals) = &metrics.intervals {
        let level = 100.0 * intervals.definition.level;
        for (name, found) in &intervals.scores {
            let of = found.of.map_or(String::new(), |of| format!(" of {of}"));
            let (low, high, bias) = (found.interval.lower, found.interval.upper, found.interval.bias);
            line(format!("{:<17} {level}% {name}: {low:.6} to {high:.6}, bias {bias:+.6}{of}", "interval"));
        }
    }
}

fn describe(set: &SetReport) -> String {
    let images = set.images.map_or("an unknown number of images".into(), |images| format!("{images} images"));
    let rate = match (&set.seconds, set.images) {
        (Some(seconds), Some(images)) if seconds.total > 0.0 => format!(
            ", {:.1} images/s (network {:.2} s, decoding {:.2} s)",
            images as f64 / seconds.total,
            seconds.network,
            seconds.decode
        ),
        _ if set.cache == Some(CacheUse::Hit) => ", features from the cache".into(),
        _ => String::new(),
    };
    format!("{:<17} {} ({}), {images}{rate}", "set", set.path.display(), set.kind)
}
