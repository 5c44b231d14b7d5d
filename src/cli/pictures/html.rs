//! The report as one HTML file that needs nothing beside it.

use std::fmt::Write;

use crate::report::Report;
use serde_json::{Map, Value};

use super::{Pictures, data_uri};

const STYLE: &str = "\
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: 0 } h2 { font-size: 1.15rem; margin-top: 2rem } .quiet { color: #59636e }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .7rem; vertical-align: top }
tr { border-bottom: 1px solid #d9dee4 } td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.definition { font: 12px/1.5 ui-monospace, monospace; color: #59636e; overflow-wrap: anywhere }
.warning { border-left: 4px solid #c98a00; background: #fff8e5; padding: .5rem .9rem; margin: .5rem 0 }
figure { margin: 1rem 0; overflow-x: auto } figcaption { color: #59636e } svg, img { max-width: 100%; height: auto }
pre { overflow-x: auto; background: #f6f8fa; padding: .8rem; font-size: 12px }";

/// Titles of the parts of `metrics`; anything else goes by its own name.
const TITLES: [(&str, &str); 12] = [
    ("fid", "FID"),
    ("sfid", "sFID"),
    ("inception_score", "Inception Score"),
    ("kid", "KID"),
    ("prdc", "Precision, recall, density, coverage"),
    ("mind", "MIND"),
    ("mifid", "MiFID"),
    ("mmd", "MMD"),
    ("vendi", "Vendi score"),
    ("fid_infinity", "FID∞"),
    ("inception_score_infinity", "IS∞"),
    ("duplicates", "Near-duplicates"),
];

/// The page of a report and its pictures.
pub fn page(report: &Report, pictures: &Pictures) -> String {
    let whole = serde_json::to_value(report).expect("a report holds only plain values");
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
    let metrics = whole["metrics"].as_object().expect("the scores are an object");
    add(format!("<h2>Scores</h2>\n{}", scores(metrics)));
    if let Some(classes) = metrics.get("per_class_fid").and_then(Value::as_array) {
        add(format!("<h2>FID of each class</h2>\n{}", classes_table(classes)));
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
fn scores(metrics: &Map<String, Value>) -> String {
    let intervals = metrics.get("intervals").map(|intervals| &intervals["scores"]);
    let mut rows = String::new();
    let named = TITLES.iter().filter_map(|&(key, title)| Some((key, title, metrics.get(key)?.as_object()?)));
    for (key, title, score) in named {
        let definition = score.get("definition").map_or(String::new(), |definition| escaped(&definition.to_string()));
        let mut first = true;
        for (name, number) in numbers(score) {
            let interval = intervals.map(|of| if name == "value" || name == "mean" { &of[key] } else { &of[&name] });
            let interval = interval.filter(|interval| interval.is_object()).map_or(String::new(), |interval| {
                let of = interval["of"].as_str().map_or(String::new(), |of| format!("<br>of {}", escaped(of)));
                format!("{} to {}{of}", rounded(&interval["lower"]), rounded(&interval["upper"]))
            });
            let (title, definition) = if first { (title, definition.as_str()) } else { ("", "") };
            let name = escaped(&name.replace('_', " "));
            writeln!(
                rows,
                "<tr><td>{title}</td><td>{name}</td><td class=\"number\">{number}</td><td class=\"number\">{interval}</td>\
                 <td class=\"definition\">{definition}</td></tr>"
            )
            .expect("a String takes any text");
            first = false;
        }
    }
    let level = metrics.get("intervals").and_then(|intervals| intervals["definition"]["level"].as_f64());
    let heading = level.map_or(String::new(), |level| format!("{} % interval", 100.0 * level));
    format!(
        "<table>\n<tr><th>score</th><th></th><th>value</th><th>{heading}</th><th>definition</th></tr>\n{rows}</table>\n"
    )
}

/// The numbers of a score, those of its parts included, by name.
fn numbers(score: &Map<String, Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in score.iter().filter(|(name, _)| *name != "definition") {
        match value {
            Value::Number(_) => found.push((name.clone(), rounded(value))),
            Value::Object(part) => {
                found.extend(numbers(part).into_iter().map(|(of, number)| (format!("{name} {of}"), number)));
            }
            _ => {}
        }
    }
    found
}

fn rounded(number: &Value) -> String {
    match (number.as_u64(), number.as_f64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(number)) => format!("{number:.6}"),
        _ => String::new(),
    }
}

fn classes_table(classes: &[Value]) -> String {
    let mut rows = String::new();
    for (number, class) in classes.iter().enumerate() {
        let label = escaped(class["label"].as_str().unwrap_or_default());
        let fid = if class["fid"].is_null() { "too few images".into() } else { rounded(&class["fid"]) };
        let (real, fake) = (&class["real_images"], &class["fake_images"]);
        writeln!(
            rows,
            "<tr><td>{number}</td><td>{label}</td><td class=\"number\">{fid}</td><td class=\"number\">{real}</td>\
             <td class=\"number\">{fake}</td></tr>"
        )
        .expect("a String takes any text");
    }
    format!("<table>\n<tr><th></th><th>class</th><th>FID</th><th>real</th><th>generated</th></tr>\n{rows}</table>\n")
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

fn escaped(text: &str) -> String {
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
