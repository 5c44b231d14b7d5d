//! The report as one HTML file that needs nothing beside it.

use std::fmt::Write;

use serde_json::{Map, Value as Json};

use super::Report;
use super::pictures::Pictures;
use super::pictures::data_uri::data_uri;
use super::text::percent;
use crate::metrics::{Metric, ScoreNumber, Table, readable};
use crate::score::Scores;

const STYLE: &str = "\
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: 0 } h2 { font-size: 1.15rem; margin-top: 2rem } .quiet { color: #59636e }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .7rem; vertical-align: top }
tr { border-bottom: 1px solid #d9dee4 } td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.definition { font: 12px/1.5 ui-monospace, monospace; color: #59636e; overflow-wrap: anywhere }
.warning { border-left: 4px solid #c98a00; background: #fff8e5; padding: .5rem .9rem; margin: .5rem 0 }
figure { margin: 1rem 0; overflow-x: auto } figcaption { color: #59636e } svg, img { max-width: 100%; height: auto }
pre { overflow-x: auto; background: #f6f8fa; padding: .8rem; font-size: 12px }";

/// The page of a report and its pictures.
pub fn page(report: &Report, pictures: &Pictures) -> String {
    let paths: Vec<String> = report.sets.iter().map(|set| escaped(&set.path.display().to_string())).collect();
    let title = format!("gan-metrics {}: {}", report.command, paths.join(" against "));
    let mut body = format!(
        "<h1>{}</h1>\n<p class=\"quiet\">gan-metrics {}, definitions of {} where nothing else was asked for</p>\n",
        title, report.version, report.preset
    );
    let mut add = |part: String| body.push_str(&part);
    for warning in &report.warnings {
        let (message, remedy) = (escaped(&warning.message), escaped(&warning.remedy));
        add(format!("<p class=\"warning\"><strong>{}</strong>: {message}; {remedy}</p>\n", warning.code));
    }
    for failure in &report.failed {
        let (what, reason) = (failure.what(), escaped(&failure.reason));
        add(format!("<p class=\"warning\"><strong>{what}</strong> failed: {reason}</p>\n"));
    }
    add(format!("<h2>Scores</h2>\n{}", scores(&report.metrics)));
    for (_, value) in report.metrics.iter() {
        if let Some(rows) = value.table.as_ref().filter(|table| !table.rows.is_empty()) {
            add(format!("<h2>{}</h2>\n{}", escaped(&rows.title), table(rows)));
        }
    }
    if let Some(svg) = &pictures.panels {
        add(format!("<h2>Pictures</h2>\n<figure>{svg}</figure>\n"));
    }
    for grid in &pictures.grids {
        let (source, width) = (data_uri(&grid.png), grid.width());
        let caption = escaped(&grid.title);
        add(format!(
            "<figure><figcaption>{caption}</figcaption><img width=\"{width}\" alt=\"{caption}\" src=\"{source}\"></figure>\n"
        ));
    }
    add(format!("<h2>Sets</h2>\n{}", sets(report)));
    add(format!("<h2>How it was computed</h2>\n{}", origin(report)));
    let json = escaped(&report.to_json());
    add(format!("<details><summary>The whole report, as JSON</summary><pre>{json}</pre></details>\n"));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style></head>\n<body>\n{body}</body>\n\
         </html>\n"
    )
}

/// Each number of each score, with its interval, and the definition.
fn scores(scores: &Scores) -> String {
    let mut rows = String::new();
    for (metric, value) in scores.iter() {
        let Some(fields) = value.json.as_object() else { continue };
        let definition = fields.get("definition").map_or(String::new(), |definition| escaped(&definition.to_string()));
        for (row, (name, number)) in numbers(fields).into_iter().enumerate() {
            let interval = interval_of(scores, metric, &name).unwrap_or_default();
            let (title, definition) = if row == 0 { (metric.about().title, definition.as_str()) } else { ("", "") };
            let name = escaped(&name.replace('_', " "));
            writeln!(
                rows,
                "<tr><td>{title}</td><td>{name}</td><td class=\"number\">{number}</td><td class=\"number\">{interval}</td>\
                 <td class=\"definition\">{definition}</td></tr>"
            )
            .expect("a String takes any text");
        }
    }
    let level = scores.intervals().map(|intervals| intervals.definition.level);
    let heading = level.map_or(String::new(), |level| format!("{} % interval", percent(level)));
    format!(
        "<table>\n<tr><th>score</th><th></th><th>value</th><th>{heading}</th><th>definition</th></tr>\n{rows}</table>\n"
    )
}

/// The interval of the number in a field of a score.
fn interval_of(scores: &Scores, metric: Metric, field: &str) -> Option<String> {
    let number = ScoreNumber::of(metric).find(|number| number.quantity().field == field)?;
    let found = scores.interval(number)?;
    let of = found.of.map_or(String::new(), |of| format!("<br>of {}", escaped(of)));
    Some(format!("{} to {}{of}", readable(found.interval.lower), readable(found.interval.upper)))
}

/// The numbers of a score, those of its parts included, by name.
fn numbers(score: &Map<String, Json>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in score.iter().filter(|(name, _)| *name != "definition") {
        match value {
            Json::Number(_) => found.push((name.clone(), rounded(value))),
            Json::Object(part) => {
                found.extend(numbers(part).into_iter().map(|(of, number)| (format!("{name} {of}"), number)));
            }
            _ => {}
        }
    }
    found
}

fn rounded(number: &Json) -> String {
    match (number.as_u64(), number.as_f64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(number)) => readable(number),
        _ => String::new(),
    }
}

fn table(table: &Table) -> String {
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
        cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect()
    };
    let row = |row: &Vec<String>| format!("<tr>{}</tr>\n", cells("td", &mut row.iter().map(String::as_str)));
    let rows: String = table.rows.iter().map(row).collect();
    format!("<table>\n<tr>{}</tr>\n{rows}</table>\n", cells("th", &mut table.columns.iter().copied()))
}

fn sets(report: &Report) -> String {
    let mut rows = String::new();
    for set in &report.sets {
        let images = set.images.map_or("unknown".into(), |images| images.to_string());
        let path = escaped(&set.path.display().to_string());
        let (kind, skipped) = (escaped(&set.kind), set.skipped.len());
        writeln!(
            rows,
            "<tr><td>{path}</td><td>{kind}</td><td class=\"number\">{images}</td><td class=\"number\">{skipped}</td></tr>"
        )
        .expect("a String takes any text");
    }
    format!("<table>\n<tr><th>set</th><th>kind</th><th>images</th><th>left out</th></tr>\n{rows}</table>\n")
}

fn origin(report: &Report) -> String {
    let mut lines = Vec::new();
    if let Some(extractor) = &report.extractor {
        let engine = &extractor.engine;
        lines.push(format!("network {}, weights {}", extractor.name, extractor.model_sha256));
        lines.push(format!("output {}", extractor.features_output));
        lines.push(format!("{} {} on {}", engine.name, engine.version, engine.provider));
    } else {
        lines.push("no network: both sets came from files".into());
    }
    if let Some(preparation) = &report.preparation {
        let (width, height) = (preparation.width, preparation.height);
        lines.push(format!("images resized to {width}×{height} as {}", preparation.resize));
    }
    lines.push(format!("{:.2} s, of which {:.2} s for the scores", report.total_seconds, report.metric_seconds));
    let items: String = lines.iter().map(|line| format!("<li>{}</li>", escaped(line))).collect();
    format!("<ul>{items}</ul>\n")
}

/// Text as markup that shows it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_cannot_be_markup() {
        assert_eq!(escaped("<b>&\"</b>"), "&lt;b&gt;&amp;&quot;&lt;/b&gt;");
    }

    #[test]
    fn numbers_of_parts_carry_the_name_of_the_part() {
        let score = serde_json::json!({
            "value": 1.5, "points": [[1, 2]], "within": {"images": 3, "pairs": []}, "definition": {"k": 5},
        });
        let found = numbers(score.as_object().unwrap());
        assert_eq!(found, [("value".into(), "1.500000".into()), ("within images".into(), "3".into())]);
    }
}
