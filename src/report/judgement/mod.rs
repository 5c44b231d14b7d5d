//! Whether a run is worse than a baseline: a regression test on the quality of samples.

mod comparability;
mod tolerance;

use serde::{Serialize, Serializer};

use super::recorded::Recorded;
use super::text::escaped;
use crate::error::{Blame, Blamed};
use crate::metrics::{Better, ScoreNumber, readable};
use crate::score::FailedPart;
use comparability::Comparison;
pub use tolerance::{Tolerance, ToleranceError, Tolerances};

/// Relative to the larger of two numbers, what their difference may be off by rounding: limits such as 0.5 − 0.01 are not numbers
/// of binary floating point, and a number that is equal to one in decimals keeps to it.
const ROUNDING: f64 = 1e-12;

/// The part that a report plays in a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The run that is judged.
    Run,
    /// What it is compared with.
    Baseline,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Role::Run => "run",
            Role::Baseline => "baseline",
        })
    }
}

/// Why a run cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JudgementError {
    /// The baseline has no numbers.
    #[error("the baseline has no number to compare with: make it of a run that computes scores")]
    Empty,
    /// Numbers of the baseline could not be judged.
    #[error(
        "the baseline has scores that this version does not know ({}): update gan-metrics, or make a new baseline",
        scores.join(", ")
    )]
    UnknownScores {
        /// Their fields in the report.
        scores: Vec<String>,
    },
    /// The numbers of both mean different things.
    #[error("the run and the baseline cannot be compared:\n  {}\nrun as the baseline did, or make a new baseline", differences.join("\n  "))]
    Incomparable {
        /// In which ways they differ.
        differences: Vec<String>,
    },
    /// A tolerance is counted in standard errors, and one is not there.
    #[error("{}", no_standard_error(numbers, *role, *is_standard))]
    NoStandardError {
        /// Of which numbers.
        numbers: Vec<ScoreNumber>,
        /// The report that lacks it.
        role: Role,
        /// Whether that is the tolerance because nothing was said.
        is_standard: bool,
    },
    /// A tolerance of a number that is not judged.
    #[error(
        "the tolerance of {number} would have no effect: the baseline has no such number; it has {}",
        listed(known)
    )]
    Unused {
        /// The number.
        number: ScoreNumber,
        /// The numbers of the baseline.
        known: Vec<ScoreNumber>,
    },
    /// A tolerance of all numbers that have none of their own, and there are none.
    #[error("the tolerance {tolerance} would have no effect: every number of the baseline has one of its own")]
    UnusedOthers {
        /// The tolerance.
        tolerance: Tolerance,
    },
    /// A tolerance is not one.
    #[error(transparent)]
    Tolerance(#[from] ToleranceError),
}

impl Blamed for JudgementError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

fn listed(numbers: &[ScoreNumber]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn no_standard_error(numbers: &[ScoreNumber], role: Role, is_standard: bool) -> String {
    let numbers = listed(numbers);
    if is_standard {
        format!(
            "there is no tolerance for {numbers}, and without confidence intervals none can be derived: the {role} has none; \
             give a tolerance, such as 2%, or compute both with intervals"
        )
    } else {
        format!(
            "a tolerance in sigma takes the standard errors of both, and the {role} has no interval of {numbers}: compute \
             both with intervals, or give another tolerance, such as 2%"
        )
    }
}

/// What became of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeVerdict {
    /// It is at most as much worse or better as the tolerance.
    Within,
    /// It is better by more than the tolerance.
    Better,
    /// It is worse by more than the tolerance.
    Worse,
    /// The run does not have it.
    Missing,
}

impl ChangeVerdict {
    /// Whether the run passes as far as this number is concerned.
    pub fn passes(self) -> bool {
        matches!(self, ChangeVerdict::Within | ChangeVerdict::Better)
    }
}

impl std::fmt::Display for ChangeVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            ChangeVerdict::Within => "within",
            ChangeVerdict::Better => "better",
            ChangeVerdict::Worse => "WORSE",
            ChangeVerdict::Missing => "MISSING",
        })
    }
}

/// A number of a run beside that of the baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The number.
    pub score: ScoreNumber,
    /// Which values are better.
    pub better: Better,
    /// Its value in the run; `None` when it is missing.
    pub value: Option<f64>,
    /// Its value in the baseline.
    pub baseline: f64,
    /// How much larger the run's is.
    pub change: Option<f64>,
    /// How much worse it may be.
    #[serde(serialize_with = "as_text")]
    pub tolerance: Tolerance,
    /// The same in the unit of the number; `None` when that takes a standard error of the missing number.
    pub allowed: Option<f64>,
    /// What became of it.
    pub verdict: ChangeVerdict,
    /// Why it is missing, where the run tells.
    pub reason: Option<String>,
}

fn as_text<S: Serializer>(tolerance: &Tolerance, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(tolerance)
}

impl Change {
    /// A sentence on what became of the number, for people. It is one line, whatever the reason holds.
    ///
    /// ```text
    /// fid 12.900000, baseline 12.500000: worse by 0.400000, more than the 0.250000 allowed (2%)
    /// ```
    pub fn sentence(&self) -> String {
        let Self { score, baseline, tolerance, verdict, .. } = self;
        let allowed = self.allowed.map_or(String::new(), readable);
        let (value, size) = (self.value.map_or(String::new(), readable), self.change.map_or(0.0, f64::abs));
        let (baseline, size) = (readable(*baseline), readable(size));
        match verdict {
            ChangeVerdict::Within => {
                format!("{score} {value}, baseline {baseline}: a change of {size} within {allowed} ({tolerance})")
            }
            ChangeVerdict::Better => {
                format!("{score} {value}, baseline {baseline}: better by {size}, more than {allowed} ({tolerance})")
            }
            ChangeVerdict::Worse => format!(
                "{score} {value}, baseline {baseline}: worse by {size}, more than the {allowed} allowed ({tolerance})"
            ),
            ChangeVerdict::Missing => {
                let reason = self.reason.as_ref().map_or(String::new(), |reason| format!(": {}", escaped(reason)));
                format!("{score} is missing{reason}; the baseline is {baseline}")
            }
        }
    }
}

/// A run beside a baseline, number by number.
///
/// A number fails that is worse than the baseline's by more than its tolerance, and so does one that the run lacks. One that is
/// better passes, however much.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// One for each number of the baseline, in the order of reports.
    pub changes: Vec<Change>,
    /// What could not be compared since a report does not tell, each as a sentence.
    pub unknown: Vec<String>,
}

impl Judgement {
    /// Judges a run.
    ///
    /// ```
    /// use gan_metrics::report::{Judgement, Recorded, Tolerance, Tolerances};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let report = |name: &str, fid: f64| -> gan_metrics::Result<Recorded> {
    ///     let path = folder.path().join(name);
    ///     std::fs::write(&path, format!(r#"{{ "schema": 1, "metrics": {{ "fid": {{ "value": {fid} }} }} }}"#))?;
    ///     Ok(Recorded::read(&path)?)
    /// };
    /// let (baseline, run) = (report("baseline.json", 10.0)?, report("run.json", 10.3)?);
    /// let judged = |percent| Judgement::of(&run, &baseline, &Tolerances::default().all(Tolerance::percent(percent)));
    /// assert!(judged(5.0)?.passed() && !judged(2.0)?.passed());
    /// # Ok::<(), gan_metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`JudgementError`] when the numbers of both do not mean the same, when a tolerance needs a standard error that is not
    /// there, and what [`Self::check`] finds.
    pub fn of(run: &Recorded, baseline: &Recorded, tolerances: &Tolerances) -> Result<Self, JudgementError> {
        Self::check(baseline, tolerances)?;
        let found = comparable(run, baseline)?;
        // A number that is missing fails whatever its tolerance is.
        check_standard_errors(run, Role::Run, baseline, tolerances, |number| run.number(number).is_some())?;
        let changes = baseline.numbers().map(|(number, value)| change(number, value, run, baseline, tolerances));
        Ok(Self { changes: changes.collect(), unknown: found.unknown })
    }

    /// Checks all that is known before there is a run.
    ///
    /// # Errors
    /// [`JudgementError`] when the baseline has no numbers or scores that are not known, a tolerance is not one, has no effect, or needs a standard error that
    /// the baseline does not have.
    pub fn check(baseline: &Recorded, tolerances: &Tolerances) -> Result<(), JudgementError> {
        let unknown = baseline.unknown_scores();
        if !unknown.is_empty() {
            return Err(JudgementError::UnknownScores { scores: unknown.into_iter().map(String::from).collect() });
        }
        let known: Vec<ScoreNumber> = baseline.numbers().map(|(number, _)| number).collect();
        if known.is_empty() {
            return Err(JudgementError::Empty);
        }
        for (number, tolerance) in tolerances.by_number() {
            tolerance.check()?;
            if !known.contains(&number) {
                return Err(JudgementError::Unused { number, known });
            }
        }
        if let Some(tolerance) = tolerances.others() {
            tolerance.check()?;
            if known.iter().all(|&number| tolerances.by_number().any(|(other, _)| other == number)) {
                return Err(JudgementError::UnusedOthers { tolerance });
            }
        }
        check_standard_errors(baseline, Role::Baseline, baseline, tolerances, |_| true)
    }

    /// Checks that the sets and the network of a run can be compared with those of a baseline, before there are
    /// [scores](Recorded::foreseen).
    ///
    /// # Errors
    /// [`JudgementError::Incomparable`].
    pub fn check_run(run: &Recorded, baseline: &Recorded) -> Result<(), JudgementError> {
        comparable(run, baseline).map(|_| ())
    }

    /// Whether no number fails.
    pub fn passed(&self) -> bool {
        self.changes.iter().all(|change| change.verdict.passes())
    }

    /// A table of the numbers and a line on the whole, for people.
    pub fn to_text(&self) -> String {
        let titles = ["score", "value", "baseline", "change", "allowed", "verdict"].map(str::to_owned);
        let rows: Vec<[String; 6]> = [titles].into_iter().chain(self.changes.iter().map(row)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        let mut text = String::new();
        for row in &rows {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            text += cells.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        for change in self.changes.iter().filter(|change| change.verdict == ChangeVerdict::Missing) {
            text += &format!("{}\n", change.sentence());
        }
        text + &self.summary() + "\n"
    }

    /// A line on the whole.
    pub fn summary(&self) -> String {
        let of = |verdict: ChangeVerdict| {
            let changes = self.changes.iter().filter(|change| change.verdict == verdict);
            changes.map(|change| change.score).collect::<Vec<_>>()
        };
        let (worse, missing, better) =
            (of(ChangeVerdict::Worse), of(ChangeVerdict::Missing), of(ChangeVerdict::Better));
        let mut parts = Vec::new();
        if !worse.is_empty() {
            parts.push(format!("worse than the baseline: {}", listed(&worse)));
        }
        if !missing.is_empty() {
            parts.push(format!("missing: {}", listed(&missing)));
        }
        if !better.is_empty() {
            parts.push(format!("better than the baseline: {}", listed(&better)));
        }
        let outcome = if self.passed() { "passed" } else { "FAILED" };
        if parts.is_empty() {
            format!("{outcome}: within the tolerance")
        } else {
            format!("{outcome}: {}", parts.join("; "))
        }
    }
}

/// Compares two reports, of which the numbers must mean the same.
fn comparable(run: &Recorded, baseline: &Recorded) -> Result<Comparison, JudgementError> {
    let found = comparability::compare(run, baseline);
    match found.differences.is_empty() {
        true => Ok(found),
        false => Err(JudgementError::Incomparable { differences: found.differences }),
    }
}

/// The cells of a change.
fn row(change: &Change) -> [String; 6] {
    let difference = change.change.map_or(String::new(), |difference| {
        let percent = match change.baseline {
            0.0 => String::new(),
            baseline => format!(" ({:+.2} %)", 100.0 * difference / baseline.abs()),
        };
        let sign = if difference < 0.0 { "" } else { "+" };
        format!("{sign}{}{percent}", readable(difference))
    });
    let allowed = change.allowed.map_or_else(
        || change.tolerance.to_string(),
        |allowed| match change.tolerance {
            absolute if absolute == Tolerance::absolute(allowed) => readable(allowed),
            other => format!("{} ({other})", readable(allowed)),
        },
    );
    let value = change.value.map_or_else(|| "–".to_owned(), readable);
    [change.score.to_string(), value, readable(change.baseline), difference, allowed, change.verdict.to_string()]
}

/// Checks that a report has the standard errors that tolerances need of it.
fn check_standard_errors(
    report: &Recorded,
    role: Role,
    baseline: &Recorded,
    tolerances: &Tolerances,
    concerns: impl Fn(ScoreNumber) -> bool,
) -> Result<(), JudgementError> {
    let numbers = baseline.numbers().map(|(number, _)| number).filter(|&number| concerns(number));
    let lacking = numbers.filter(|&number| tolerances.of(number).needs_standard_errors());
    let lacking = lacking.filter(|&number| report.interval(number).is_none());
    let (said, standard): (Vec<_>, Vec<_>) = lacking.partition(|&number| tolerances.covers(number));
    for (numbers, is_standard) in [(said, false), (standard, true)] {
        if !numbers.is_empty() {
            return Err(JudgementError::NoStandardError { numbers, role, is_standard });
        }
    }
    Ok(())
}

/// Judges a number.
fn change(number: ScoreNumber, before: f64, run: &Recorded, baseline: &Recorded, tolerances: &Tolerances) -> Change {
    let (better, tolerance, value) = (number.quantity().better, tolerances.of(number), run.number(number));
    // An error below zero is none.
    let error =
        |report: &Recorded| Some(report.interval(number)?.interval.standard_error).filter(|&error| error >= 0.0);
    let errors = [baseline, run].map(error);
    let errors = match errors {
        [Some(a), Some(b)] => Some([a, b]),
        _ => None,
    };
    // What allows everything judges nothing.
    let allowed = tolerance.allowed(before, errors).filter(|allowed| allowed.is_finite());
    let change = value.map(|value| value - before);
    let verdict = match (value, change, allowed) {
        (Some(value), Some(change), Some(allowed)) => {
            let limit = allowed + ROUNDING * value.abs().max(before.abs());
            let worsening = match better {
                Better::Lower => change,
                Better::Higher => -change,
            };
            match () {
                () if worsening > limit => ChangeVerdict::Worse,
                () if worsening < -limit => ChangeVerdict::Better,
                () => ChangeVerdict::Within,
            }
        }
        _ => ChangeVerdict::Missing,
    };
    let name = number.metric().about().name;
    let failure = run.failed().iter().find(|failure| failure.score == name && failure.part == FailedPart::Score);
    let reason = failure.filter(|_| value.is_none()).map(|failure| failure.reason.clone());
    Change { score: number, better, value, baseline: before, change, tolerance, allowed, verdict, reason }
}

#[cfg(test)]
mod tests;
