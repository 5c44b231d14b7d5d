//! Watches a run: writes its folder, shows its progress, scores its generator.

use crate::error::{Blame, Blamed};
use crate::gan::train::{CollapseWarning, Observer, StepEvent, Trainer};
use crate::{Error, Interrupt, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::ControlFlow;

use super::history::History;
use super::plan::Plan;
use super::scoring::Scorer;
use crate::cli::exit::Outcome;
use crate::cli::{hints, output, progress, terminal};

/// The run was stopped between two steps.
#[derive(Debug, thiserror::Error)]
#[error("interrupted after step {step}: the run is saved, go on with --resume")]
struct Interrupted {
    step: u64,
}

impl Blamed for Interrupted {
    fn blame(&self) -> Blame {
        Blame::Interrupted
    }
}

/// The observer of a run.
pub struct Watcher {
    plan: Plan,
    history: History,
    /// The table of the steps that are shown.
    columns: Vec<Column>,
    bar: ProgressBar,
    interrupt: Interrupt,
}

impl Watcher {
    /// Begins, or goes on after the trainer's steps.
    pub fn new(plan: Plan, trainer: &Trainer) -> Result<Self> {
        let quantities = plan.scorer.as_ref().map_or_else(Vec::new, Scorer::names);
        let measures = trainer.system().measures();
        let history = History::open(&plan.folder.metrics(), trainer.steps(), &measures, &quantities)?;
        let bar = if plan.quiet { ProgressBar::hidden() } else { ProgressBar::new(plan.steps) };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta} left");
        bar.set_style(style.expect("the template is well-formed"));
        bar.set_position(trainer.steps());
        let shown =
            measures.iter().filter_map(|measure| Some(Column::of(measure.heading?, Shown::Measure(measure.name))));
        let scores = quantities.iter().enumerate().map(|(place, number)| Column::of(number, Shown::Score(place)));
        let columns = std::iter::once(Column::of("step", Shown::Step)).chain(shown);
        let columns = columns.chain([Column::of("images/s", Shown::Speed)]).chain(scores).collect();
        let watcher = Self { plan, history, columns, bar, interrupt: progress::interrupt() };
        watcher.introduce(trainer)?;
        if trainer.steps() == 0 {
            watcher.plan.folder.save(trainer)?;
            watcher.plan.folder.write_samples(trainer)?;
        }
        Ok(watcher)
    }

    fn introduce(&self, trainer: &Trainer) -> Result<()> {
        let config = trainer.config();
        let data = trainer.data();
        let counts = trainer.networks().iter().map(|(name, network)| format!("{name} {}", network.parameter_count()));
        let game = match config.networks.entry().plays() {
            true => format!("{}, ", config.objective),
            false => String::new(),
        };
        let kind = match data.shape() {
            [dimensions] => format!("points of {dimensions} numbers"),
            shape => format!("images of {}", shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")),
        };
        let mut text = format!(
            "{} {}; {}, parameters: {}; {game}batches of {}, {} threads\n",
            data.len(),
            kind,
            trainer.system().title(),
            counts.collect::<Vec<_>>().join(", "),
            config.batch_size,
            rayon::current_num_threads(),
        );
        if trainer.steps() > 0 {
            text += &format!("going on after step {}\n", trainer.steps());
        }
        text += &row(self.columns.iter().map(|column| (column.width(), column.heading.clone())));
        self.tell(&text)
    }

    fn tell(&self, text: &str) -> Result<()> {
        if self.plan.quiet { Ok(()) } else { self.bar.suspend(|| output::to_stdout(text)) }
    }

    /// Writes everything but the checkpoint.
    fn record(&mut self, trainer: &Trainer) -> Result<()> {
        self.history.flush()?;
        self.write_curves()?;
        self.plan.folder.write_samples(trainer)
    }

    fn write_curves(&self) -> Result<()> {
        self.plan.folder.write_curves(&self.history.panels())
    }

    /// Ends the run: after an error the last checkpoint stays, otherwise the last step is one.
    pub fn finish(mut self, trainer: &Trainer, trained: Result<()>) -> Result<Outcome> {
        self.bar.finish_and_clear();
        let interrupted = match trained {
            Ok(()) => false,
            // The observer alone stops, between two steps.
            Err(error) if error.blame() == Blame::Interrupted => true,
            Err(error) => {
                // One of the players may be a step ahead: not a state to save. The error is what the user needs to know,
                // not a second one on the way out.
                let _ = self.history.flush();
                let _ = self.write_curves();
                return Err(error);
            }
        };
        self.plan.folder.save(trainer)?;
        self.record(trainer)?;
        if interrupted {
            return Err(Interrupted { step: trainer.steps() }.into());
        }
        let checkpoint = self.plan.folder.checkpoint();
        self.tell(&format!("{} steps done: {}\n", trainer.steps(), checkpoint.display()))?;
        Ok(Outcome::Success)
    }
}

/// A column of the table of steps.
struct Column {
    heading: String,
    shown: Shown,
}

/// What stands in a column.
enum Shown {
    Step,
    /// A number of the system, by its name.
    Measure(&'static str),
    Speed,
    /// A score, by its place among those that were asked for.
    Score(usize),
}

impl Column {
    fn of(heading: &str, shown: Shown) -> Self {
        Column { heading: heading.to_owned(), shown }
    }

    fn width(&self) -> usize {
        /// Room for a number.
        const NARROWEST: usize = 11;
        self.heading.chars().count().max(NARROWEST)
    }
}

/// A line of the table. Columns never touch: a number that is wider than its column pushes the others on.
fn row(fields: impl Iterator<Item = (usize, String)>) -> String {
    let fields: Vec<String> = fields.map(|(width, field)| format!("{field:>width$}")).collect();
    fields.join(" ").trim_end().to_owned() + "\n"
}

/// Four decimals, or as many digits where the number is large.
fn number(value: f64) -> String {
    if value.abs() < 1e5 { format!("{value:.4}") } else { format!("{value:.4e}") }
}

impl Observer for Watcher {
    fn step(&mut self, event: &StepEvent, trainer: &Trainer) -> Result<ControlFlow<()>, Error> {
        let step = event.step;
        self.bar.set_position(step);
        let losses = event.values.iter().filter_map(|(name, loss)| Some((name.strip_suffix("_loss")?, loss)));
        let losses: Vec<String> = losses.map(|(player, loss)| format!("{player} {}", number(*loss))).collect();
        self.bar.set_message(losses.join(" "));
        let is_saved = step.is_multiple_of(self.plan.checkpoint_every);
        self.history.push(event)?;
        // Saved before a score, which takes time, and the process may die meanwhile; rows before the checkpoint that they lead
        // up to, so that a run that goes on from it has them all.
        if is_saved {
            self.history.flush()?;
            self.plan.folder.save(trainer)?;
        }
        let scores = match &mut self.plan.scorer {
            Some(scorer) if scorer.is_due(step) || step == self.plan.steps => Some(scorer.score(trainer)?),
            _ => None,
        };
        if let Some(scores) = &scores {
            for decline in self.history.declines(scores).iter().filter(|_| !self.plan.quiet) {
                self.bar.suspend(|| terminal::say(&format!("warning: step {step}: {decline}")));
            }
            self.history.score(scores)?;
        }
        if step.is_multiple_of(self.plan.sample_every) {
            self.record(trainer)?;
        }
        if is_saved || scores.is_some() || step == self.plan.steps {
            let scores = scores.as_deref().unwrap_or_default();
            let field = |column: &Column| match column.shown {
                Shown::Step => step.to_string(),
                Shown::Speed => format!("{:.1}", event.images_per_second),
                Shown::Measure(name) => event.value(name).map_or_else(String::new, number),
                Shown::Score(place) => match scores.get(place) {
                    None => String::new(),
                    Some(score) => score.map_or_else(|| "failed".to_owned(), number),
                },
            };
            self.tell(&row(self.columns.iter().map(|column| (column.width(), field(column)))))?;
        }
        if step < self.plan.steps {
            self.interrupt.check()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn warning(&mut self, warning: &CollapseWarning) {
        if !self.plan.quiet {
            let flags = hints::of_collapse(warning);
            self.bar.suspend(|| terminal::say(&format!("warning: {warning} ({flags})")));
        }
    }
}
