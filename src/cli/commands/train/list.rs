//! What can be trained: the lists of the library, as text.

use std::fmt::Write;

use crate::gan::models::ModelEntry;
use crate::gan::objectives::ObjectiveEntry;
use crate::gan::regularizers::RegularizerEntry;

/// A name as it is given, what is behind it, and where it was first described.
type Row = (String, &'static str, &'static str);

/// Models, objectives and regularizers with their papers.
pub fn text() -> String {
    let models = ModelEntry::all().iter().map(|entry| (entry.name().to_owned(), entry.about(), entry.paper()));
    let objectives = ObjectiveEntry::all().iter().map(|entry| (entry.usage(), entry.about(), entry.paper()));
    let weighted = |entry: &RegularizerEntry| format!("{}:{}", entry.name(), entry.default_weight());
    let regularizers = RegularizerEntry::all().iter().map(|entry| (weighted(entry), entry.about(), entry.paper()));
    [
        section("Models, --model", models),
        section("Objectives, --objective", objectives),
        section("Regularizers with their default weight, --regularizer", regularizers),
    ]
    .join("\n")
}

fn section(title: &str, rows: impl Iterator<Item = Row>) -> String {
    let mut text = format!("{title}\n");
    for (name, about, paper) in rows {
        writeln!(text, "  {name:<28}{about} ({paper})").expect("texts take everything");
    }
    text
}
