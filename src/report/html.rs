//! The report as one HTML file that needs nothing beside it: what a reader asks first comes first, the definitions are folded.

use std::fmt::Write;

use serde_json::Value as Json;

use super::pictures::Pictures;
use super::pictures::data_uri::data_uri;
use super::text::{bounded, percent};
use super::unlike::range_of;
use super::{Report, SetReport};
use crate::metrics::{Metric, Number, Quantity, ScoreInterval, ScoreNumber, Table};
use crate::score::{Scores, Verdict};
use crate::stats::Census;

const STYLE: &str = include_str!("html.css");

/// The page of a report and its pictures.
pub fn page(report: &Report, pictures: &Pictures) -> String {
    let names: Vec<String> = report.sets.iter().rev().map(|set| escaped(&set.path.display().to_string())).collect();
    let title = names.join(" against ");
    let mut body = format!("<header>\n<h1>{title}</h1>\n<p class=\"quiet\">{}</p>\n</header>\n", subtitle(report));
    let mut section = |title: &str, content: String| {
        if !content.is_empty() {
            write!(body, "<section>\n<h2>{title}</h2>\n{content}</section>\n").expect("a String takes any text");
        }
    };
    section("Scores", cards(report) + &bounds(&report.bounds));
    section("Before you use these numbers", notes(report));
    section("Pictures", figures(pictures));
    for (_, value) in report.metrics.iter() {
        if let Some(rows) = value.table.as_ref().filter(|table| !table.rows.is_empty()) {
            section(&escaped(&rows.title), table(rows));
        }
    }
    section("Sets", sets(&report.sets));
    section("How it was computed", origin(report) + &definitions(&report.metrics) + &json(report));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>gan-metrics: {title}</title>\n<style>\n{STYLE}</style></head>\n\
         <body>\n{body}</body>\n</html>\n"
    )
}

fn subtitle(report: &Report) -> String {
    let network =
        report.extractor.as_ref().map_or(String::new(), |extractor| format!(", features of {}", extractor.name));
    escaped(&format!(
        "gan-metrics {}, command {}, definitions of {}{network}",
        report.version, report.command, report.preset
    ))
}

/// A card for each number, and for each score that failed.
fn cards(report: &Report) -> String {
    let mut cards = String::new();
    for (metric, value) in report.metrics.iter() {
        for (number, found) in ScoreNumber::of(metric).zip(&value.numbers) {
            cards += &card(number.quantity(), found, report.metrics.interval(number));
        }
    }
    for failure in &report.failed {
        let (what, reason) = (escaped(&failure.what()), escaped(&failure.reason));
        cards += &format!(
            "<article class=\"card failed\"><h3>{what}</h3><p class=\"value\">failed</p><p>{reason}</p></article>\n"
        );
    }
    if cards.is_empty() { cards } else { format!("<div class=\"cards\">\n{cards}</div>\n") }
}

fn card(quantity: &Quantity, found: &Number, interval: Option<&ScoreInterval>) -> String {
    let value = headline(found.value);
    let spread =
        found.spread.map_or(String::new(), |spread| format!(" <span class=\"spread\">± {}</span>", headline(spread)));
    let mut lines = Vec::new();
    if let Some(ScoreInterval { interval, of }) = interval {
        let of = of.map_or(String::new(), |of| format!(", of {of}"));
        let [low, high] = [interval.lower, interval.upper].map(headline);
        lines.push(format!("{low} to {high} with {} % confidence{of}", percent(interval.level)));
    }
    lines.extend(found.note.clone());
    lines.push(format!("{} is better{}", quantity.better, range(quantity.range)));
    let lines: String = lines.iter().map(|line| format!("<p class=\"quiet\">{}</p>", escaped(line))).collect();
    format!(
        "<article class=\"card\"><h3>{}</h3><p class=\"value\">{value}{spread}</p>{}{lines}</article>\n",
        escaped(quantity.title),
        track(quantity, found, interval)
    )
}

/// Where a number lies between its least and its greatest, where it has both.
fn track(quantity: &Quantity, found: &Number, interval: Option<&ScoreInterval>) -> String {
    let [low, high] = quantity.range;
    if !(low.is_finite() && high.is_finite() && found.value.is_finite()) {
        return String::new();
    }
    let at = |value: f64| (100.0 * (value - low) / (high - low)).clamp(0.0, 100.0);
    let bar = match interval {
        Some(ScoreInterval { interval, .. }) => {
            let (left, right) = (at(interval.lower), at(interval.upper));
            format!("<i class=\"interval\" style=\"left:{left:.1}%;width:{:.1}%\"></i>", right - left)
        }
        None => String::new(),
    };
    format!("<div class=\"track\">{bar}<i class=\"at\" style=\"left:{:.1}%\"></i></div>", at(found.value))
}

/// A number as a headline: four or five digits. The definitions have all of them.
fn headline(number: f64) -> String {
    match number.abs() {
        0.0 => "0".into(),
        magnitude if !(1e-3..1e6).contains(&magnitude) => format!("{number:.3e}"),
        magnitude if magnitude >= 100.0 => format!("{number:.2}"),
        magnitude if magnitude >= 1.0 => format!("{number:.3}"),
        _ => format!("{number:.4}"),
    }
}

fn range([low, high]: [f64; 2]) -> String {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => format!(", from {low} to {high}"),
        (true, false) => format!(", from {low} up"),
        _ => String::new(),
    }
}

fn bounds(verdicts: &[Verdict]) -> String {
    let line = |verdict: &Verdict| {
        let class = if verdict.met { "met" } else { "missed" };
        format!("<p class=\"bound {class}\">{}</p>\n", escaped(&bounded(verdict)))
    };
    verdicts.iter().map(line).collect()
}

fn notes(report: &Report) -> String {
    let warning = |warning: &super::WarningReport| {
        let (message, remedy) = (escaped(&warning.message), escaped(&warning.remedy));
        format!("<p class=\"note\"><strong>{}</strong>: {message}; {remedy}</p>\n", warning.code)
    };
    report.warnings.iter().map(warning).collect()
}

fn figures(pictures: &Pictures) -> String {
    let mut figures = String::new();
    for grid in &pictures.grids {
        let (source, width) = (data_uri(&grid.png), grid.width());
        let caption = escaped(&grid.title);
        figures += &format!(
            "<figure><figcaption>{caption}</figcaption><img width=\"{width}\" alt=\"{caption}\" src=\"{source}\"></figure>\n"
        );
    }
    if let Some(svg) = &pictures.panels {
        figures += &format!("<figure>{svg}</figure>\n");
    }
    figures
}

fn table(table: &Table) -> String {
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
        cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect()
    };
    let row = |row: &Vec<String>| format!("<tr>{}</tr>\n", cells("td", &mut row.iter().map(String::as_str)));
    let rows: String = table.rows.iter().map(row).collect();
    format!(
        "<div class=\"wide\"><table>\n<tr>{}</tr>\n{rows}</table></div>\n",
        cells("th", &mut table.columns.iter().copied())
    )
}

/// What is known of the sets, side by side.
fn sets(sets: &[SetReport]) -> String {
    let facts: Vec<Vec<(&str, String)>> = sets.iter().map(facts).collect();
    let names = facts.iter().flatten().map(|(name, _)| *name);
    let mut rows: Vec<&str> = Vec::new();
    names.for_each(|name| {
        if !rows.contains(&name) {
            rows.push(name)
        }
    });
    let row = |name: &&str| {
        let of_set = |facts: &Vec<(&str, String)>| {
            let content = facts.iter().find(|(of, _)| of == name).map_or("–".into(), |(_, content)| escaped(content));
            format!("<td>{content}</td>")
        };
        format!("<tr><th>{name}</th>{}</tr>\n", facts.iter().map(of_set).collect::<String>())
    };
    format!("<div class=\"wide\"><table>\n{}</table></div>\n", rows.iter().map(row).collect::<String>())
}

/// What is known of a set: a name for each thing, and what it is.
fn facts(set: &SetReport) -> Vec<(&'static str, String)> {
    let mut facts = vec![("path", set.path.display().to_string()), ("kind", set.kind.clone())];
    let images = set.images.map_or("unknown".into(), |images| images.to_string());
    facts.push(("images", images));
    facts.extend(
        set.chosen
            .as_ref()
            .map(|chosen| ("chosen", format!("{} of {}, seed {}", chosen.images, chosen.of, chosen.seed))),
    );
    if !set.skipped.is_empty() {
        let shown: Vec<&str> = set.skipped.iter().take(3).map(|skipped| skipped.name.as_str()).collect();
        let more = if set.skipped.len() > shown.len() { ", …" } else { "" };
        facts.push(("left out", format!("{}: {}{more}", set.skipped.len(), shown.join(", "))));
    }
    if let Some(Census { encodings, sizes, .. }) =
        set.provenance.as_ref().and_then(|provenance| provenance.census.as_ref())
    {
        facts.extend(sizes.as_ref().map(|sizes| ("size", range_of(sizes))));
        let mut encodings: Vec<(&String, &u64)> = encodings.iter().collect();
        encodings.sort_by(|a, b| b.1.cmp(a.1));
        let shown: Vec<String> = encodings.iter().take(3).map(|(name, images)| format!("{name} ({images})")).collect();
        let more = if encodings.len() > shown.len() { ", …" } else { "" };
        facts.push(("encoding", format!("{}{more}", shown.join(", "))));
    }
    if let (Some(seconds), Some(images)) = (&set.seconds, set.images)
        && seconds.total > 0.0
    {
        facts.push(("speed", format!("{:.1} images/s", images as f64 / seconds.total)));
    }
    facts
}

fn origin(report: &Report) -> String {
    let mut facts = Vec::new();
    if let Some(extractor) = &report.extractor {
        let engine = &extractor.engine;
        facts.push(("network", extractor.name.clone()));
        facts.push(("weights", format!("sha256 {}", extractor.model_sha256)));
        facts.push(("features", format!("output {}", extractor.features_output)));
        facts.push(("engine", format!("{} {} on {}", engine.name, engine.version, engine.provider)));
    } else {
        facts.push(("network", "none: both sets came from files".into()));
    }
    if let Some(preparation) = &report.preparation {
        let (width, height) = (preparation.width, preparation.height);
        facts.push(("images", format!("resized to {width}×{height} by {}", preparation.resize)));
    }
    facts.push((
        "time",
        format!("{:.2} s, of which {:.2} s for the scores", report.total_seconds, report.metric_seconds),
    ));
    let items: String = facts.iter().map(|(name, fact)| format!("<dt>{name}</dt><dd>{}</dd>", escaped(fact))).collect();
    format!("<dl>{items}</dl>\n")
}

/// Every number of each score in full, with the definition.
fn definitions(scores: &Scores) -> String {
    let folded = |(metric, value): (Metric, &crate::metrics::Value)| {
        let about = metric.about();
        let mut content =
            format!("<p class=\"quiet\">{}; wants {} images</p>\n", escaped(about.summary), escaped(about.wants));
        let numbers = value.json.as_object().map(|fields| numbers("", fields)).unwrap_or_default();
        let row = |(name, number): &(String, String)| {
            format!("<tr><td>{}</td><td class=\"number\">{number}</td></tr>\n", escaped(name))
        };
        if !numbers.is_empty() {
            content += &format!(
                "<div class=\"wide\"><table>\n{}</table></div>\n",
                numbers.iter().map(row).collect::<String>()
            );
        }
        if let Some(definition) = value.json.get("definition") {
            content += &format!("<p><code>{}</code></p>\n", escaped(&definition.to_string()));
        }
        format!("<details><summary>{}</summary>\n{content}</details>\n", escaped(about.title))
    };
    scores.iter().map(folded).collect()
}

/// The numbers of a score, those of its parts included, by name.
fn numbers(of: &str, score: &serde_json::Map<String, Json>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in score.iter().filter(|(name, _)| *name != "definition") {
        let name = format!("{of}{}", name.replace('_', " "));
        match value {
            Json::Number(number) => found.push((name, number.to_string())),
            Json::Object(part) => found.extend(numbers(&format!("{name} "), part)),
            _ => {}
        }
    }
    found
}

fn json(report: &Report) -> String {
    let json = escaped(&report.to_json());
    format!("<details class=\"json\"><summary>The whole report, as JSON</summary><pre>{json}</pre></details>\n")
}

/// Text as markup that shows it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Interval, Replicates};

    #[test]
    fn what_comes_from_outside_cannot_be_markup() {
        assert_eq!(escaped("<b>&\"</b>"), "&lt;b&gt;&amp;&quot;&lt;/b&gt;");
    }

    #[test]
    fn numbers_of_parts_carry_the_name_of_the_part() {
        let score = serde_json::json!({
            "value": 1.5, "points": [[1, 2]], "within": {"all_images": 3, "pairs": []}, "definition": {"k": 5},
        });
        let found = numbers("", score.as_object().unwrap());
        assert_eq!(found, [("value".into(), "1.5".into()), ("within all images".into(), "3".into())]);
    }

    #[test]
    fn headlines_have_the_digits_that_a_reader_compares() {
        let shown = [0.0, 2.257130, 80.295622, 1234.5678, 0.671, -0.000264680, 7.5e8].map(headline);
        assert_eq!(shown, ["0", "2.257", "80.296", "1234.57", "0.6710", "-2.647e-4", "7.500e8"]);
    }

    #[test]
    fn a_share_and_its_interval_lie_on_a_track_and_a_distance_does_not() {
        let number = |value| Number { value, spread: None, note: None, range: [0.0, 1.0] };
        let (value, without) = (0.5, Replicates::default());
        let interval =
            Interval { value, standard_error: 0.1, bias: 0.0, lower: 0.25, upper: 0.75, level: 0.95, without };
        let interval = ScoreInterval { interval, of: None };
        let share = card(&Quantity::share("recall", "recall", "recall"), &number(0.5), Some(&interval));
        assert!(share.contains("left:25.0%;width:50.0%") && share.contains("left:50.0%"), "{share}");
        assert!(
            share.contains("0.2500 to 0.7500 with 95 % confidence") && share.contains("higher is better, from 0 to 1"),
            "{share}"
        );
        let distance = card(&Quantity::distance("fid", "FID"), &number(3.0), None);
        assert!(!distance.contains("track") && distance.contains("lower is better, from 0 up"), "{distance}");
    }
}
