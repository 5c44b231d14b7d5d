//! The report as text.

use super::{ArraysReport, CacheUse, ChosenReport, Preparation, Report, SetReport, WarningReport};
use crate::evaluate::GeneratorReport;
use crate::extractor::RangeSource;
use crate::metrics::{Metric, Quantity, ScoreInterval, ScoreNumber, Value, readable};
use crate::score::{Bound, Scores, Verdict};

/// Names of skipped images that are listed; the rest is counted. JSON lists all.
const SKIPPED_SHOWN: usize = 5;

/// Rows of a table that are shown beneath the numbers that they explain; JSON has all.
const ROWS_SHOWN: usize = 5;

/// Text that comes from outside, such as the name of an image, without what a terminal would obey or a reader be misled by:
/// control characters appear as escapes.
pub fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let hidden = c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let escape = hidden.then(|| c.escape_default());
            escape.into_iter().flatten().chain((!hidden).then_some(c))
        })
        .collect()
}

/// A level as it was asked for: 57 is not 56.99999999999999.
pub(super) fn percent(level: f64) -> f64 {
    (level * 1e12).round() / 1e10
}

/// A line: a title in a column of its own, and what it is about.
pub(crate) fn entry(title: &str, content: impl std::fmt::Display) -> String {
    format!("{title:<17} {content}\n")
}

pub(super) fn render(report: &Report) -> String {
    let sets: String = report.sets.iter().map(set).collect();
    let (definitions, engine) = (definitions(report), engine(report));
    scores(report)
        + &definitions
        + &bounds(report)
        + &engine
        + &sets
        + &warnings(&report.warnings)
        + &time(report.total_seconds, report.metric_seconds)
}

/// The scores, and those that failed.
pub(super) fn scores(report: &Report) -> String {
    let mut text = String::new();
    for (metric, value) in report.metrics.iter() {
        text += &of_score(&report.metrics, metric, value);
    }
    for failure in &report.failed {
        text += &entry("FAILED", format!("{}: {}", failure.what(), escaped(&failure.reason)));
    }
    text
}

fn definitions(report: &Report) -> String {
    entry("definitions", format!("those of {}, where nothing else was asked for", report.preset))
}

/// What became of the bounds.
pub(super) fn bounds(report: &Report) -> String {
    let of_bound = |verdict: &Verdict| {
        let met = if verdict.met { "met" } else { "NOT met" };
        entry("bound", format!("{met}: {}", bounded(verdict)))
    };
    report.bounds.iter().map(of_bound).collect()
}

/// A number and its bound.
pub(super) fn bounded(Verdict { bound: Bound { score, side, limit }, value, .. }: &Verdict) -> String {
    format!("{score} {}, {side} {limit}", value.map_or("failed".to_owned(), readable))
}

/// By whose definitions and by which network the scores were computed.
pub(super) fn origin(report: &Report) -> String {
    definitions(report) + &engine(report)
}

fn engine(report: &Report) -> String {
    let mut text = String::new();
    if let Some(extractor) = &report.extractor {
        let engine = &extractor.engine;
        let (name, output) = (escaped(&extractor.name), escaped(&extractor.features_output));
        text += &entry("extractor", format!("{name} (sha256 {:.12}…), output {output}", extractor.model_sha256));
        text += &entry("engine", format!("{} {} on {}", engine.name, engine.version, engine.provider));
        if let Some(reason) = &engine.reason {
            text += &entry("", reason);
        }
    }
    if let Some(preparation) = &report.preparation {
        let Preparation { resize, width, height, batch_size, .. } = preparation;
        text += &entry("resize", format!("{resize} to {width}×{height}, batches of {batch_size}"));
    }
    text
}

/// A set, and what was left out of it.
pub(super) fn set(set: &SetReport) -> String {
    let mut text = entry("set", describe(set));
    if let Some(generator) = &set.generator {
        text += &entry("", escaped(&of_generator(generator)));
    }
    for skipped in set.skipped.iter().take(SKIPPED_SHOWN) {
        text += &entry("", format!("  skipped {}: {}", escaped(&skipped.name), escaped(&skipped.reason)));
    }
    if set.skipped.len() > SKIPPED_SHOWN {
        text += &entry("", format!("  and {} more", set.skipped.len() - SKIPPED_SHOWN));
    }
    text
}

/// What to be careful about.
pub(super) fn warnings(warnings: &[WarningReport]) -> String {
    let of_warning = |warning: &WarningReport| {
        entry("warning", format!("{}: {}; {}", warning.code, escaped(&warning.message), warning.remedy))
    };
    warnings.iter().map(of_warning).collect()
}

/// Seconds of the whole, and of the metrics.
pub(super) fn time(total: f64, metrics: f64) -> String {
    entry("time", format!("{total:.2} s, of which {metrics:.2} s for the metrics"))
}

/// The numbers of a score, each with its interval beneath, then whatever explains them.
fn of_score(scores: &Scores, metric: Metric, value: &Value) -> String {
    let mut text = String::new();
    for (number, found) in ScoreNumber::of(metric).zip(&value.numbers) {
        let spread = found.spread.map_or(String::new(), |spread| format!(" ± {}", readable(spread)));
        let note = found.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
        let Quantity { title, better, .. } = number.quantity();
        text += &entry(title, format!("{}{spread}{note}, {better} is better", readable(found.value)));
        if let Some(ScoreInterval { interval, of }) = scores.interval(number) {
            let of = of.map_or(String::new(), |of| format!(", of {of}"));
            let [low, high, bias] = [interval.lower, interval.upper, interval.bias].map(readable);
            let sign = if interval.bias < 0.0 { "" } else { "+" };
            let level = percent(interval.level);
            text += &entry("", format!("{level} % interval {low} to {high}, bias {sign}{bias}{of}"));
        }
    }
    let mut title = if value.numbers.is_empty() { metric.about().title } else { "" };
    for detail in &value.details {
        text += &entry(title, escaped(detail));
        title = "";
    }
    if let Some(table) = value.table.as_ref().filter(|_| value.details.is_empty()) {
        let shown = if title.is_empty() { ROWS_SHOWN } else { usize::MAX };
        for row in table.rows.iter().take(shown) {
            let cells = table.columns.iter().zip(row);
            let cells: Vec<String> = cells.map(|(column, cell)| format!("{column} {}", escaped(cell))).collect();
            text += &entry(title, format!("  {}", cells.join(", ")));
            title = "";
        }
    }
    text
}

/// Which array is what, for people: nothing where there is one alone.
fn of_arrays(arrays: &ArraysReport) -> String {
    let ArraysReport { images, features, statistics, spatial_statistics } = arrays;
    let named = [
        ("images", images),
        ("features", features),
        ("statistics", statistics),
        ("statistics of spatial features", spatial_statistics),
    ];
    let named = named.into_iter().filter_map(|(what, array)| Some(format!("{what} from {}", array.as_ref()?)));
    format!(": {}", escaped(&named.collect::<Vec<_>>().join("; ")))
}

/// From what images were generated, and what became black and white.
fn of_generator(generator: &GeneratorReport) -> String {
    let GeneratorReport { latent, seed, classes, pixel_range: [black, white], pixel_range_source, .. } = generator;
    let classes = classes.map_or(String::new(), |classes| format!(", labels of {classes} classes"));
    let source = match pixel_range_source {
        RangeSource::Given => "as given",
        RangeSource::File => "as its file says",
        RangeSource::Bytes => "bytes",
        RangeSource::Assumed => "assumed",
    };
    format!("  latents {latent}{classes}, seed {seed}, pixels from {black} to {white} ({source})")
}

fn describe(set: &SetReport) -> String {
    let images = set.images.map_or("an unknown number of images".into(), |images| format!("{images} images"));
    let chosen = set.chosen.map_or(String::new(), |ChosenReport { images, of, seed }| {
        format!(" ({images} chosen of {of} by seed {seed})")
    });
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
    let arrays = set.arrays.as_ref().map_or(String::new(), of_arrays);
    format!("{} ({}), {images}{chosen}{arrays}{rate}", escaped(&set.path.display().to_string()), set.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_cannot_command_a_terminal() {
        assert_eq!(escaped("b\u{1b}[2J\nad.png"), "b\\u{1b}[2J\\nad.png");
        assert_eq!(escaped("gnp.\u{202e}cod"), "gnp.\\u{202e}cod", "text that runs backwards");
        assert_eq!(escaped("Größe 🦊.png"), "Größe 🦊.png");
    }
}
