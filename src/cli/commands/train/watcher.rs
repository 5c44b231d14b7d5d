//! Watches a run: writes its folder, shows its progress, scores its generator.

use crate::error::{Blame, Blamed};
use crate::gan::train::{CollapseWarning, Control, Observer, StepEvent, Trainer};
use crate::{Error, Interrupt, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::history::History;
use super::plan::Plan;
use super::scoring::Scorer;
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::{progress, terminal};
use crate::report::plot;

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
    bar: ProgressBar,
    interrupt: Interrupt,
}

impl Watcher {
    /// Begins, or goes on after the trainer's steps.
    pub fn new(plan: Plan, trainer: &Trainer) -> Result<Self> {
        let quantities = plan.scorer.as_ref().map_or(&[][..], Scorer::numbers);
        let history = History::open(&plan.folder.metrics(), trainer.steps(), quantities)?;
        let bar = if plan.quiet { ProgressBar::hidden() } else { ProgressBar::new(plan.steps) };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta} left");
        bar.set_style(style.expect("the template is well-formed"));
        bar.set_position(trainer.steps());
        let watcher = Self { plan, history, bar, interrupt: progress::interrupt() };
        watcher.introduce(trainer)?;
        if trainer.steps() == 0 {
            watcher.plan.folder.save(trainer)?;
            watcher.plan.folder.write_samples(trainer)?;
        }
        Ok(watcher)
    }

    fn introduce(&self, trainer: &Trainer) -> Result<()> {
        let config = trainer.config();
        let (data, networks) = (trainer.data(), &config.networks);
        let counts = [trainer.generator(), trainer.discriminator()].map(|network| network.parameter_count());
        let model = match networks {
            crate::gan::models::ModelSpec::Mlp { .. } => "mlp",
            _ => "dcgan",
        };
        let mut text = format!(
            "{} images of {}×{}×{}; {model} with {} + {} parameters; {}, batches of {}, {} threads\n",
            data.len(),
            data.channels(),
            data.size(),
            data.size(),
            counts[0],
            counts[1],
            config.objective,
            config.batch_size,
            rayon::current_num_threads(),
        );
        let mut names = String::new();
        if let Some(scorer) = &self.plan.scorer {
            names.extend(scorer.numbers().iter().map(|quantity| format!("{quantity:>12}")));
        }
        text += &format!("    step    loss D    loss G      D(x)   D(G(z))   images/s{names}\n");
        self.tell(&text)
    }

    fn tell(&self, text: &str) -> Result<()> {
        if self.plan.quiet { Ok(()) } else { self.bar.suspend(|| output::to_stdout(text)) }
    }

    /// Writes everything but the checkpoint.
    fn record(&mut self, trainer: &Trainer) -> Result<()> {
        self.history.flush()?;
        self.plan.folder.write_curves(&plot::svg(&self.history.panels())?)?;
        self.plan.folder.write_samples(trainer)
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

impl Observer for Watcher {
    fn step(&mut self, event: &StepEvent, trainer: &Trainer) -> Result<Control, Error> {
        let step = event.step;
        self.bar.set_position(step);
        self.bar.set_message(format!("D {:.3} G {:.3}", event.discriminator_loss, event.generator_loss));
        let is_saved = step.is_multiple_of(self.plan.checkpoint_every);
        // Saved first: a score takes time, and the process may die meanwhile.
        if is_saved {
            self.plan.folder.save(trainer)?;
        }
        let scores = match &mut self.plan.scorer {
            Some(scorer) if scorer.is_due(step) => match scorer.score(trainer) {
                Ok(scores) => Some(scores),
                Err(error) => {
                    // The step is done all the same, and has its row; of two errors the first is told.
                    let _ = self.history.push(event, None);
                    return Err(error);
                }
            },
            _ => None,
        };
        self.history.push(event, scores.as_deref())?;
        if step.is_multiple_of(self.plan.sample_every) {
            self.record(trainer)?;
        }
        if is_saved || scores.is_some() || step == self.plan.steps {
            let scores: String = scores
                .iter()
                .flatten()
                .map(|score| score.map_or(format!("{:>12}", "failed"), |score| format!("{score:12.5}")))
                .collect();
            self.tell(&format!(
                "{step:8}{:10.4}{:10.4}{:10.4}{:10.4}{:11.1}{scores}\n",
                event.discriminator_loss,
                event.generator_loss,
                event.real_score,
                event.fake_score_before,
                event.images_per_second,
            ))?;
        }
        if step < self.plan.steps {
            self.interrupt.check()?;
        }
        Ok(Control::Continue)
    }

    fn warning(&mut self, warning: &CollapseWarning) {
        if !self.plan.quiet {
            self.bar.suspend(|| terminal::say(&format!("warning: {warning}")));
        }
    }
}
