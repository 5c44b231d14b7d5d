//! Several sets scored against the same real one, and which of them is better.

use std::path::Path;

use serde::{Serialize, Serializer};

use super::comparison::{ComparabilityError, NumberComparison, many_tests, numbers};
use super::text::{self, entry, escaped};
use super::{Recorded, Report, SCHEMA, WarningReport, pretty};
use crate::metrics::RealImages;

/// Two of the sets, number by number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairComparison {
    /// Which two: places in [`SeriesReport::reports`].
    pub sets: [usize; 2],
    /// The numbers that both have, in the order of reports.
    pub numbers: Vec<NumberComparison>,
    /// Why the two cannot be compared, in which case there are no numbers.
    #[serde(serialize_with = "in_words")]
    pub obstacle: Option<ComparabilityError>,
}

fn in_words<S: Serializer>(obstacle: &Option<ComparabilityError>, serializer: S) -> Result<S::Ok, S::Error> {
    obstacle.as_ref().map(ToString::to_string).serialize(serializer)
}

/// The result of a command that scores several sets; serialised, it is the JSON that is documented in `docs/json.md`.
#[derive(Debug, Clone, Serialize)]
pub struct SeriesReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Version of this crate.
    pub version: &'static str,
    /// The command.
    pub command: &'static str,
    /// The report of each set that was judged, in the order of the arguments.
    pub reports: Vec<Report>,
    /// Every two of them.
    pub comparisons: Vec<PairComparison>,
}

impl SeriesReport {
    /// Compares reports of one run, which have the real set in common: its groups are paired, whatever is known of the images.
    pub fn new(command: &'static str, reports: Vec<Report>) -> Self {
        let recorded: Vec<Recorded> = reports.iter().map(Recorded::from).collect();
        let pairs =
            (0..recorded.len()).flat_map(|first| (first + 1..recorded.len()).map(move |second| [first, second]));
        let compared = |sets: [usize; 2]| {
            let (numbers, obstacle) = match numbers(sets.map(|set| &recorded[set]), RealImages::Paired) {
                Ok(numbers) => (numbers, None),
                Err(obstacle) => (Vec::new(), Some(obstacle)),
            };
            PairComparison { sets, numbers, obstacle }
        };
        let comparisons = pairs.map(compared).collect();
        Self { schema: SCHEMA, version: env!("CARGO_PKG_VERSION"), command, reports, comparisons }
    }

    /// The warnings of all reports, each once.
    pub fn warnings(&self) -> Vec<WarningReport> {
        let mut warnings: Vec<WarningReport> = Vec::new();
        for warning in self.reports.iter().flat_map(|report| &report.warnings) {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        warnings
    }

    /// JSON, indented, with a final newline.
    pub fn to_json(&self) -> String {
        pretty(self)
    }

    /// Text for people: each set with its scores, then the comparisons, then what all have in common.
    pub fn to_text(&self) -> String {
        let names = self.names();
        let mut out = String::new();
        for report in &self.reports {
            out += &report.sets.last().map(text::set).unwrap_or_default();
            out += &text::scores(report);
            out += &text::bounds(report);
            out.push('\n');
        }
        for PairComparison { sets, numbers, obstacle } in &self.comparisons {
            let pair = sets.map(|set| names[set].as_str());
            let images = sets.map(|set| self.reports[set].sets.last().and_then(|set| set.images));
            for number in numbers {
                out += &number.to_text(Some(pair), images);
            }
            if let Some(obstacle) = obstacle {
                out += &entry("", format!("{} against {}: {}", pair[0], pair[1], escaped(&obstacle.to_string())));
            }
            out.push('\n');
        }
        out += &many_tests(self.comparisons.iter().flat_map(|pair| &pair.numbers));
        if let Some(first) = self.reports.first() {
            out += &text::origin(first);
            if let [real, _] = first.sets.as_slice() {
                out += &text::set(real);
            }
        }
        out += &text::warnings(&self.warnings());
        let seconds = |of: fn(&Report) -> f64| self.reports.iter().map(of).sum();
        out + &text::time(seconds(|report| report.total_seconds), seconds(|report| report.metric_seconds))
    }

    /// What the sets are called: their last names where these differ, else their paths.
    fn names(&self) -> Vec<String> {
        let paths: Vec<&Path> =
            self.reports.iter().map(|report| report.sets.last().map_or(Path::new(""), |set| &set.path)).collect();
        let shown = |text: std::borrow::Cow<'_, str>| escaped(&text);
        let last: Vec<String> =
            paths.iter().map(|path| shown(path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())).collect();
        let differ = (1..last.len()).all(|place| !last[..place].contains(&last[place]));
        if differ { last } else { paths.iter().map(|path| shown(path.to_string_lossy())).collect() }
    }
}
