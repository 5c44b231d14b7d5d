//! The report as text.

use std::fmt::Write;

use super::{Report, SetReport};

/// Names of skipped images that are listed; the rest is counted. JSON lists all.
const SKIPPED_SHOWN: usize = 5;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut line = |content: String| writeln!(text, "{content}").expect("a String takes any text");
    if let Some(fid) = &report.metrics.fid {
        line(format!("{:<17} {:.6}", "FID", fid.value));
        line(format!("{:<17} means {:.6}, covariances {:.6}", "", fid.mean_term, fid.trace_term));
    }
    if let Some(score) = &report.metrics.inception_score {
        line(format!("{:<17} {:.6} ± {:.6} ({} splits)", "Inception Score", score.mean, score.std, score.splits));
    }
    if let Some(within) = report.within_bound {
        line(format!("{:<17} {}", "bound", if within { "met" } else { "NOT met" }));
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

fn describe(set: &SetReport) -> String {
    let images = set.images.map_or("an unknown number of images".into(), |images| format!("{images} images"));
    let rate = match (&set.seconds, set.images) {
        (Some(seconds), Some(images)) if seconds.total > 0.0 => format!(
            ", {:.1} images/s (network {:.2} s, decoding {:.2} s)",
            images as f64 / seconds.total,
            seconds.network,
            seconds.decode
        ),
        _ => String::new(),
    };
    format!("{:<17} {} ({}), {images}{rate}", "set", set.path.display(), set.kind)
}
