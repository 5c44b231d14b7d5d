//! What a run measured: a row a step in `metrics.csv`, and curves of bounded length for the plot.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use gan_metrics::Result;
use gan_metrics::gan::train::StepEvent;

use crate::cli::output::{self, OutputError};
use crate::cli::plot::{Curve, Panel};

const HEADER: &str = "step,discriminator_loss,generator_loss,real_score,fake_score_before,fake_score_after,\
                      discriminator_gradient,generator_gradient,seconds,images_per_second,fid";
/// Columns of the header.
const COLUMNS: usize = 11;

/// A step: the numbers of its row after the step itself, but for the score.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    step: u64,
    values: [f64; 9],
}

impl Row {
    fn of(event: &StepEvent) -> Self {
        let values = [
            event.discriminator_loss,
            event.generator_loss,
            event.real_score,
            event.fake_score_before,
            event.fake_score_after,
            event.discriminator_gradient,
            event.generator_gradient,
            event.seconds,
            event.images_per_second,
        ];
        Self { step: event.step, values }
    }

    /// A whole line of the file and the score in it; `None` for the header and for a line that a killed process left.
    fn parse(line: &str) -> Option<(Self, Option<f64>)> {
        let fields: Vec<&str> = line.split(',').collect();
        let [step, values @ .., fid] = fields.as_slice() else { return None };
        let values: Vec<f64> = values.iter().map(|value| value.parse().ok()).collect::<Option<_>>()?;
        let row = Self { step: step.parse().ok()?, values: values.try_into().ok()? };
        (fields.len() == COLUMNS).then_some((row, fid.parse().ok()))
    }
}

/// Means over groups of steps: when there are too many groups, neighbours become one.
#[derive(Debug)]
struct Trace {
    /// Steps of a whole group.
    group: usize,
    groups: Vec<(Row, usize)>,
}

impl Trace {
    const MOST: usize = 800;

    fn push(&mut self, row: Row) {
        match self.groups.last_mut() {
            Some((sum, count)) if *count < self.group => {
                sum.values.iter_mut().zip(row.values).for_each(|(sum, value)| *sum += value);
                sum.step = row.step;
                *count += 1;
            }
            _ => self.groups.push((row, 1)),
        }
        if self.groups.len() > Self::MOST {
            let pairs = self.groups.chunks(2).map(|pair| {
                let (mut sum, mut count) = pair[0];
                for (other, more) in &pair[1..] {
                    sum.values.iter_mut().zip(other.values).for_each(|(sum, value)| *sum += value);
                    sum.step = other.step;
                    count += more;
                }
                (sum, count)
            });
            self.groups = pairs.collect();
            self.group *= 2;
        }
    }

    fn curve(&self, label: &str, column: usize) -> Curve {
        let point = |(sum, count): &(Row, usize)| (sum.step as f64, sum.values[column] / *count as f64);
        Curve::line(label, self.groups.iter().map(point).collect())
    }
}

/// The measurements of a run.
pub struct History {
    path: PathBuf,
    file: BufWriter<File>,
    trace: Trace,
    scores: Vec<(u64, f64)>,
}

impl History {
    /// Goes on after `steps` steps: rows beyond them, of a process that was killed after its last checkpoint, are
    /// dropped.
    pub fn open(path: &Path, steps: u64) -> Result<Self> {
        let failure = |source| OutputError::at(path, source);
        let mut trace = Trace { group: 1, groups: Vec::new() };
        let mut scores = Vec::new();
        let mut text = format!("{HEADER}\n");
        if steps > 0 && path.exists() {
            for line in fs::read_to_string(path).map_err(failure)?.lines() {
                let Some((row, fid)) = Row::parse(line).filter(|(row, _)| row.step <= steps) else { continue };
                trace.push(row);
                scores.extend(fid.map(|fid| (row.step, fid)));
                text.extend([line, "\n"]);
            }
        }
        output::to_file(path, text.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path).map_err(failure)?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), trace, scores })
    }

    /// Takes a step, and the score of the generator after it if there is one.
    pub fn push(&mut self, event: &StepEvent, fid: Option<f64>) -> Result<()> {
        let row = Row::of(event);
        let values = row.values.map(|value| format!("{value}")).join(",");
        let score = fid.map(|fid| fid.to_string()).unwrap_or_default();
        let written = writeln!(self.file, "{},{values},{score}", row.step);
        written.map_err(|source| OutputError::at(&self.path, source))?;
        self.trace.push(row);
        self.scores.extend(fid.map(|fid| (row.step, fid)));
        Ok(())
    }

    /// Hands everything to the file.
    pub fn flush(&mut self) -> Result<()> {
        Ok(self.file.flush().map_err(|source| OutputError::at(&self.path, source))?)
    }

    /// Losses, outputs of the discriminator, gradients, and the score where it was computed.
    pub fn panels(&self) -> Vec<Panel> {
        let panel =
            |title: &str, curves: Vec<Curve>| Panel { title: title.to_owned(), x_label: "step".to_owned(), curves };
        let trace = |label, column| self.trace.curve(label, column);
        let mut panels = vec![
            panel("losses", vec![trace("discriminator", 0), trace("generator", 1)]),
            panel("mean outputs of D", vec![trace("real", 2), trace("generated", 3)]),
            panel("gradient norms", vec![trace("discriminator", 5), trace("generator", 6)]),
        ];
        if !self.scores.is_empty() {
            let points = self.scores.iter().map(|&(step, fid)| (step as f64, fid)).collect();
            panels.push(panel("FID", vec![Curve::line("FID", points)]));
        }
        panels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(step: u64) -> StepEvent {
        StepEvent {
            step,
            discriminator_loss: step as f64,
            generator_loss: 2.0,
            real_score: 0.5,
            fake_score_before: 0.25,
            fake_score_after: 0.125,
            discriminator_gradient: 1.0,
            generator_gradient: 3.0,
            seconds: 0.5,
            images_per_second: 128.0,
        }
    }

    #[test]
    fn rows_beyond_the_checkpoint_and_half_written_ones_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut history = History::open(&path, 0).unwrap();
        for step in 1..=5 {
            history.push(&event(step), (step == 2).then_some(12.5)).unwrap();
        }
        history.flush().unwrap();
        drop(history);
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"6,0.1,0.").unwrap();
        let mut history = History::open(&path, 3).unwrap();
        history.push(&event(4), None).unwrap();
        history.flush().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let steps: Vec<&str> = text.lines().map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(steps, ["step", "1", "2", "3", "4"]);
        assert_eq!(text.lines().next().unwrap().split(',').count(), COLUMNS);
        assert_eq!(history.scores, [(2, 12.5)]);
        assert_eq!(history.panels().len(), 4);
    }

    #[test]
    fn curves_of_long_runs_are_short_and_keep_the_mean() {
        let mut trace = Trace { group: 1, groups: Vec::new() };
        let steps = 100_000;
        (1..=steps).for_each(|step| trace.push(Row::of(&event(step))));
        assert!(trace.groups.len() <= Trace::MOST);
        let (sum, count) = trace.groups.iter().fold((0.0, 0), |(sum, n), (row, m)| (sum + row.values[0], n + m));
        assert_eq!((sum / count as f64, count as u64), ((steps + 1) as f64 / 2.0, steps));
        assert_eq!(trace.curve("x", 0).points.last().unwrap().0, steps as f64);
    }
}
