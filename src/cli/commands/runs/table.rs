//! Runs side by side: as text, as JSON and as curves.

use serde::Serialize;

use super::record::Recorded;
use crate::metrics::{Curve, Panel, Style};

/// What was found of all runs.
#[derive(Debug, Serialize)]
pub struct Table {
    /// Samples of each run.
    pub samples: usize,
    /// Names of the scores, in the order of the values.
    pub scores: Vec<String>,
    /// A line a run.
    pub lines: Vec<Line>,
    /// What real samples score.
    pub real: Vec<Option<f64>>,
    /// How many real samples were held against how many others.
    pub real_samples: [usize; 2],
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Folder.
    pub run: String,
    /// Model, objective and regularizers.
    pub game: String,
    /// Seed of the training.
    pub seed: u64,
    /// Steps.
    pub steps: u64,
    /// Seconds of these steps.
    pub seconds: f64,
    /// One for each score, `null` where it failed.
    pub values: Vec<Option<f64>>,
}

impl Line {
    /// Of a run that is not scored yet.
    pub fn of(run: &Recorded) -> Self {
        Line {
            run: run.path.display().to_string(),
            game: run.game(),
            seed: run.trained.config.seed,
            steps: run.trained.step,
            seconds: run.seconds,
            values: Vec::new(),
        }
    }

    /// With its scores.
    pub fn with(self, values: Vec<Option<f64>>) -> Self {
        Line { values, ..self }
    }
}

/// Four digits, more of what is large.
fn number(value: Option<f64>) -> String {
    match value {
        None => "failed".into(),
        Some(value) if value.abs() >= 1000.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.4}"),
    }
}

impl Table {
    /// Columns of text, the real samples last.
    pub fn text(&self) -> String {
        let heads = ["run", "game", "seed", "steps", "seconds"].map(String::from).into_iter();
        let head: Vec<String> = heads.chain(self.scores.iter().cloned()).collect();
        let of_line = |line: &Line| -> Vec<String> {
            let facts = [
                line.run.clone(),
                line.game.clone(),
                line.seed.to_string(),
                line.steps.to_string(),
                format!("{:.1}", line.seconds),
            ];
            facts.into_iter().chain(line.values.iter().map(|&value| number(value))).collect()
        };
        let [some, others] = self.real_samples;
        let real = ["real samples".into(), format!("{some} against {others}")].into_iter();
        let real = real.chain((0..3).map(|_| String::new())).chain(self.real.iter().map(|&value| number(value)));
        let rows: Vec<Vec<String>> =
            std::iter::once(head).chain(self.lines.iter().map(of_line)).chain([real.collect()]).collect();
        let widths: Vec<usize> = (0..rows[0].len())
            .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default())
            .collect();
        /// Columns of words, which stand on the left.
        const WORDS: usize = 2;
        let field = |(column, text): (usize, &String)| {
            let width = widths[column];
            if column < WORDS { format!("{text:<width$}") } else { format!("{text:>width$}") }
        };
        let line =
            |row: &Vec<String>| row.iter().enumerate().map(field).collect::<Vec<_>>().join("  ").trim_end().to_owned();
        let note = format!("{} samples of each run\n", self.samples);
        rows.iter().map(|row| line(row) + "\n").collect::<String>() + &note
    }

    /// A panel a score: a dot a run at the seconds that it took, and a line at what real samples score.
    pub fn panels(&self) -> Vec<Panel> {
        let longest = self.lines.iter().map(|line| line.seconds).fold(0.0, f64::max);
        let panel = |(place, name): (usize, &String)| {
            let of_run = |line: &Line| {
                let points = line.values[place].map(|value| (line.seconds, value)).into_iter().collect();
                Curve { label: line.run.clone(), points, style: Style::Dots }
            };
            let real = self.real[place].map(|value| vec![(0.0, value), (longest, value)]).unwrap_or_default();
            let curves = self.lines.iter().map(of_run).chain([Curve::line("real samples", real)]).collect();
            Panel { title: name.clone(), x_label: "seconds of training".into(), curves }
        };
        self.scores.iter().enumerate().map(panel).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let line = |run: &str, seconds: f64, values: Vec<Option<f64>>| Line {
            run: run.into(),
            game: "points hinge".into(),
            seed: 0,
            steps: 100,
            seconds,
            values,
        };
        Table {
            samples: 500,
            scores: vec!["modes".into(), "sliced_w2".into()],
            lines: vec![line("a", 1.0, vec![Some(8.0), Some(0.125)]), line("bb", 12.5, vec![Some(1.0), None])],
            real: vec![Some(8.0), Some(0.0125)],
            real_samples: [500, 400],
        }
    }

    #[test]
    fn columns_stand_under_their_heads() {
        let expected = "\
run           game             seed  steps  seconds   modes  sliced_w2
a             points hinge        0    100      1.0  8.0000     0.1250
bb            points hinge        0    100     12.5  1.0000     failed
real samples  500 against 400                        8.0000     0.0125
500 samples of each run
";
        assert_eq!(table().text(), expected);
    }

    #[test]
    fn what_failed_has_no_dot_and_real_samples_a_line() {
        let panels = table().panels();
        let points: Vec<usize> = panels[1].curves.iter().map(|curve| curve.points.len()).collect();
        assert_eq!((panels.len(), points), (2, vec![1, 0, 2]));
        assert_eq!(panels[0].curves[2].points[1], (12.5, 8.0));
    }
}
