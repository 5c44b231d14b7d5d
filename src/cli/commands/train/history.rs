//! What a run measured: a row a step in `metrics.csv`, and curves of bounded length for the plot.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::Result;
use crate::gan::systems::Measure;
use crate::gan::train::StepEvent;
use crate::output::OutputError;

use crate::cli::output;
use crate::report::plot::{Curve, Panel};

/// Columns of every run besides the numbers of its system; those of the scores follow.
const STEP: &str = "step";
const SPEED: [&str; 2] = ["seconds", "images_per_second"];

/// The columns before those of the scores.
fn columns(measures: &[Measure]) -> impl Iterator<Item = &'static str> {
    [STEP].into_iter().chain(measures.iter().map(|measure| measure.name)).chain(SPEED)
}

/// The first line of the file.
fn header(measures: &[Measure], scores: &[String]) -> String {
    columns(measures).map(String::from).chain(scores.iter().cloned()).collect::<Vec<_>>().join(",") + "\n"
}

/// The scores that the first line of a file names, behind so many other columns.
fn scores_of_header(line: &str, others: usize) -> Vec<String> {
    line.trim_end().split(',').skip(others).map(String::from).collect()
}

/// Scores of diversity, by their names in the file, with the least of their best values that a fall is told from: of 256 images, a share
/// of 0.2 halves by chance less than once in a thousand times, and one of 0.02 once in eight.
const DIVERSITY: [(&str, f64); 4] = [("coverage", 0.2), ("recall", 0.2), ("vendi", 1.0), ("modes", 1.0)];

/// Share of its best value below which a score of diversity says that modes were lost.
const LOST: f64 = 0.5;

/// A score of diversity that has fallen.
#[derive(Debug, Clone, PartialEq)]
pub struct Decline {
    name: &'static str,
    now: f64,
    best: f64,
    step: f64,
}

impl fmt::Display for Decline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, now, best, step } = self;
        write!(
            f,
            "samples have lost diversity, their {name} is {now:.4} and was {best:.4} at step {step}; try a smaller \
             --learning-rate, --regularizer r1, --minibatch-statistic deviation, or go back to an earlier checkpoint"
        )
    }
}

/// A step: the numbers of its row after the step itself, but for the scores.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    step: u64,
    values: Vec<f64>,
}

impl Row {
    fn of(event: &StepEvent) -> Self {
        let speed = [event.seconds, event.images_per_second];
        Self { step: event.step, values: event.values.iter().map(|(_, value)| *value).chain(speed).collect() }
    }

    /// A line of the file and the scores in it; `None` for the header and for a line that a killed process left.
    fn parse(line: &str, numbers: usize) -> Option<(Self, Vec<Option<f64>>)> {
        let mut fields = line.strip_suffix('\n')?.split(',');
        let step = fields.next()?.parse().ok()?;
        let values: Vec<f64> = fields.by_ref().take(numbers).map(|value| value.parse().ok()).collect::<Option<_>>()?;
        (values.len() == numbers).then(|| (Self { step, values }, fields.map(|score| score.parse().ok()).collect()))
    }

    /// The line.
    fn line(&self, scores: impl Iterator<Item = Option<f64>>) -> String {
        let scores = scores.map(|score| score.map(|score| score.to_string()).unwrap_or_default());
        let values = self.values.iter().map(f64::to_string).chain(scores);
        [self.step.to_string()].into_iter().chain(values).collect::<Vec<_>>().join(",") + "\n"
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
                sum.values.iter_mut().zip(&row.values).for_each(|(sum, value)| *sum += value);
                sum.step = row.step;
                *count += 1;
            }
            _ => self.groups.push((row, 1)),
        }
        if self.groups.len() > Self::MOST {
            let pairs = self.groups.chunks(2).map(|pair| {
                let (mut sum, mut count) = pair[0].clone();
                for (other, more) in &pair[1..] {
                    sum.values.iter_mut().zip(&other.values).for_each(|(sum, value)| *sum += value);
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
    measures: Vec<Measure>,
    trace: Trace,
    last: Option<Row>,
    /// What the run computes now.
    wanted: Vec<String>,
    /// The scores of the file, in the order of its columns, and their values by step.
    scores: Vec<ScoreCurve>,
}

/// A score and its values by step.
type ScoreCurve = (String, Vec<(f64, f64)>);

/// Adds what was computed of each score after a step.
fn extend(scores: &mut [ScoreCurve], step: u64, found: &[Option<f64>]) {
    for ((_, points), score) in scores.iter_mut().zip(found) {
        points.extend(score.map(|score| (step as f64, score)));
    }
}

impl History {
    /// Goes on after `steps` steps: rows beyond them, of a process that was killed after its last checkpoint, are
    /// dropped. A run that goes on with other scores keeps the columns of the earlier ones.
    pub fn open(path: &Path, steps: u64, measures: &[Measure], wanted: &[String]) -> Result<Self> {
        let failure = |source| OutputError::at(path, source);
        let earlier = match steps > 0 && path.exists() {
            true => fs::read_to_string(path).map_err(failure)?,
            false => String::new(),
        };
        let numbers = measures.len() + SPEED.len();
        let mut kept = scores_of_header(earlier.lines().next().unwrap_or_default(), 1 + numbers);
        kept.extend(wanted.iter().filter(|quantity| !kept.contains(quantity)).cloned().collect::<Vec<_>>());
        let mut text = header(measures, &kept);
        let mut scores: Vec<_> = kept.iter().map(|quantity| (quantity.clone(), Vec::new())).collect();
        let mut trace = Trace { group: 1, groups: Vec::new() };
        for line in earlier.split_inclusive('\n') {
            let Some((row, found)) = Row::parse(line, numbers).filter(|(row, _)| row.step <= steps) else { continue };
            let found = found.into_iter().chain(std::iter::repeat(None)).take(kept.len());
            let found: Vec<_> = found.collect();
            extend(&mut scores, row.step, &found);
            text += &row.line(found.into_iter());
            trace.push(row);
        }
        output::to_file(path, text.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path).map_err(failure)?;
        let (measures, wanted) = (measures.to_vec(), wanted.to_vec());
        let (path, file) = (path.to_owned(), BufWriter::new(file));
        Ok(Self { path, file, measures, trace, last: None, wanted, scores })
    }

    /// Takes a step. Its scores come with [`Self::score`], if there are any.
    pub fn push(&mut self, event: &StepEvent) -> Result<()> {
        let row = Row::of(event);
        self.write(&row.line(self.scores.iter().map(|_| None)))?;
        self.trace.push(row.clone());
        self.last = Some(row);
        Ok(())
    }

    /// Takes the scores of the generator after the last step, one for each that is wanted, `None` where it failed: its row is
    /// written anew. A process that dies while it scores leaves the row of that step all the same.
    pub fn score(&mut self, scores: &[Option<f64>]) -> Result<()> {
        let Some(row) = self.last.clone() else { return Ok(()) };
        let score = |quantity: &String| {
            let place = self.wanted.iter().position(|wanted| wanted == quantity)?;
            scores[place]
        };
        let found: Vec<_> = self.scores.iter().map(|(quantity, _)| score(quantity)).collect();
        extend(&mut self.scores, row.step, &found);
        self.flush()?;
        let without = row.line(found.iter().map(|_| None)).len() as u64;
        let failure = |source| OutputError::at(&self.path, source);
        let length = self.file.get_ref().metadata().map_err(failure)?.len();
        self.file.get_ref().set_len(length.saturating_sub(without)).map_err(failure)?;
        self.write(&row.line(found.into_iter()))
    }

    /// Which of these scores, one for each that is wanted, say that samples have lost much of the diversity that they had: the run has
    /// dropped modes. Of a generator that makes nothing good yet these scores are low, but they have not fallen.
    pub fn declines(&self, scores: &[Option<f64>]) -> Vec<Decline> {
        let of_score = |(name, score): (&String, &Option<f64>)| {
            let (name, least) = DIVERSITY.into_iter().find(|(known, _)| known == name)?;
            let now = (*score)?;
            let (_, points) = self.scores.iter().find(|(known, _)| known == name)?;
            let (step, best) = points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
            // Told when it falls, and not again until it has recovered.
            let before = points.last().map_or(best, |point| point.1);
            let is_new = now < LOST * best && before >= LOST * best;
            (is_new && best >= least).then_some(Decline { name, now, best, step })
        };
        self.wanted.iter().zip(scores).filter_map(of_score).collect()
    }

    fn write(&mut self, line: &str) -> Result<()> {
        Ok(self.file.write_all(line.as_bytes()).map_err(|source| OutputError::at(&self.path, source))?)
    }

    /// Hands everything to the file.
    pub fn flush(&mut self) -> Result<()> {
        Ok(self.file.flush().map_err(|source| OutputError::at(&self.path, source))?)
    }

    /// Losses, outputs of the discriminator, gradients, and each score that was computed.
    pub fn panels(&self) -> Vec<Panel> {
        let panel =
            |title: &str, curves: Vec<Curve>| Panel { title: title.to_owned(), x_label: "step".to_owned(), curves };
        let mut panels: Vec<Panel> = Vec::new();
        for (column, measure) in self.measures.iter().enumerate() {
            let Some([title, label]) = measure.plot else { continue };
            let curve = self.trace.curve(label, column);
            match panels.iter_mut().find(|panel| panel.title == title) {
                Some(panel) => panel.curves.push(curve),
                None => panels.push(panel(title, vec![curve])),
            }
        }
        let computed = self.scores.iter().filter(|(_, points)| !points.is_empty());
        panels.extend(computed.map(|(name, points)| panel(name, vec![Curve::line(name, points.clone())])));
        panels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURES: [Measure; 3] = [
        Measure::new("discriminator_loss").drawn("losses", "discriminator"),
        Measure::new("generator_loss").drawn("losses", "generator"),
        Measure::new("fake_score_after"),
    ];

    fn event(step: u64) -> StepEvent {
        let values = MEASURES.map(|measure| (measure.name, step as f64)).into();
        StepEvent { step, values, seconds: 0.5, images_per_second: 128.0 }
    }

    fn number(name: &str) -> String {
        name.to_owned()
    }

    #[test]
    fn rows_beyond_the_checkpoint_and_half_written_ones_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut history = History::open(&path, 0, &MEASURES, &[number("fid")]).unwrap();
        for step in 1..=5 {
            history.push(&event(step)).unwrap();
            if step == 2 {
                history.score(&[Some(12.5)]).unwrap();
            }
        }
        history.flush().unwrap();
        drop(history);
        // A row of a number that goes on in the next block of the disk.
        let half = b"3,3,3,3,0.5,128,1";
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(half).unwrap();
        let mut history = History::open(&path, 3, &MEASURES, &[number("kid"), number("fid")]).unwrap();
        history.push(&event(4)).unwrap();
        history.score(&[Some(0.25), Some(9.0)]).unwrap();
        history.push(&event(5)).unwrap();
        history.flush().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let ends = ["images_per_second,fid,kid", "128,,", "128,12.5,", "128,,", "128,9,0.25", "128,,"];
        assert_eq!(text.lines().count(), ends.len());
        for ((line, end), step) in text.lines().zip(ends).zip(["step", "1", "2", "3", "4", "5"]) {
            assert!(line.starts_with(&format!("{step},")) && line.ends_with(end), "{line}");
        }
        assert_eq!(history.scores[0], (number("fid"), vec![(2.0, 12.5), (4.0, 9.0)]));
        let titles: Vec<String> = history.panels().into_iter().map(|panel| panel.title).collect();
        assert_eq!(titles, ["losses", "fid", "kid"]);
    }

    #[test]
    fn diversity_that_was_lost_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = [number("fid"), number("coverage")];
        let mut history = History::open(&folder.path().join("metrics.csv"), 0, &MEASURES, &wanted).unwrap();
        let mut told = Vec::new();
        // What falls near zero is noise.
        let values = [(1, 0.05), (2, 0.01), (3, 0.8), (4, 0.5), (5, 0.3), (6, 0.2), (7, 0.7), (8, 0.1)];
        for (step, coverage) in values {
            history.push(&event(step)).unwrap();
            let scores = [Some(1.0), Some(coverage)];
            told.extend(history.declines(&scores).into_iter().map(|decline| (step, decline)));
            history.score(&scores).unwrap();
        }
        let steps: Vec<u64> = told.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [5, 8]);
        assert!(told[0].1.to_string().contains("their coverage is 0.3000 and was 0.8000 at step 3"), "{}", told[0].1);
        assert!(history.declines(&[Some(0.0), None]).is_empty());
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
