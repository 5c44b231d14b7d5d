//! `gan-metrics score REAL FAKE`: every score that is asked for, from one pass over each set.

use std::collections::BTreeSet;

use gan_metrics::Result;
use gan_metrics::evaluate::Collector;
use gan_metrics::image::{DataSet, ResizeMode};
use gan_metrics::metrics::{
    Directions, DuplicateOptions, ExtrapolationOptions, InceptionScoreOptions, KidOptions, MifidOptions, MmdOptions,
    PrdcOptions, VendiOptions, duplicates_between, duplicates_within, fid, fid_infinity, inception_score,
    inception_score_infinity, kid, mifid, mind, mmd, prdc, vendi,
};
use gan_metrics::report::{Defined, Duplicates, InceptionScoreReport, Metrics, SetReport};
use gan_metrics::stats::{Features, Gaussian, Logits};

use super::inception_score::NoLogits;
use super::{Clock, Running, Verbosity, report, report_of_pass, warnings_of_run};
use crate::cli::args::{MetricArg, PresetArg, ScoreArgs};
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::cli::plan::NetworkPlan;
use crate::cli::progress;

/// The definitions that a tool is known for.
struct Definitions {
    resize: ResizeMode,
    kid: KidOptions,
    prdc: PrdcOptions,
    directions: Directions,
    metrics: &'static [MetricArg],
}

impl Definitions {
    fn of(preset: PresetArg) -> Self {
        use MetricArg::{Fid, Is, Kid, Prdc};
        let torch_fidelity = Self {
            resize: ResizeMode::Tf1,
            kid: KidOptions::TORCH_FIDELITY,
            prdc: PrdcOptions::TORCH_FIDELITY,
            directions: Directions::TORCH_FIDELITY,
            metrics: &[Fid, Is, Kid, Prdc],
        };
        match preset {
            PresetArg::TorchFidelity => torch_fidelity,
            PresetArg::PytorchFid => Self { resize: ResizeMode::Torch, metrics: &[Fid], ..torch_fidelity },
            PresetArg::CleanFid => Self { resize: ResizeMode::Clean, metrics: &[Fid, Kid], ..torch_fidelity },
        }
    }
}

/// A set after its pass.
struct Extracted {
    gaussian: Gaussian,
    features: Features,
    logits: Option<Logits>,
    report: SetReport,
}

/// Runs the images through the network once and keeps what the scores need.
fn extract(images: &DataSet, running: &mut Running, verbosity: Verbosity) -> Result<Extracted> {
    let mut collector = Collector::of_statistics().with_features().with_logits();
    let summary = running.pass(images, &mut collector, verbosity)?;
    let features = collector.features().expect("a pass that succeeds has images");
    let logits = collector.logits();
    Ok(Extracted { gaussian: collector.gaussian()?, features, logits, report: report_of_pass(images, summary) })
}

/// Scores the second set against the first.
pub fn run(args: &ScoreArgs) -> Result<Outcome> {
    progress::watch_for_interrupts();
    let mut clock = Clock::start();
    let mut definitions = Definitions::of(args.preset);
    if let Some(size) = args.kid_subset_size {
        definitions.kid.subset_size = size;
    }
    let wanted: BTreeSet<MetricArg> = match &args.metrics[..] {
        [] => definitions.metrics.iter().copied().collect(),
        metrics if metrics.contains(&MetricArg::All) => MetricArg::EACH.into_iter().collect(),
        metrics => metrics.iter().copied().collect(),
    };
    let sets = [DataSet::open(&args.real)?, DataSet::open(&args.fake)?];
    let mut running = Running::start(NetworkPlan::with_resize(&args.extract, definitions.resize)?)?;
    let verbosity = args.output.quiet.into();
    let [real, fake] = &sets;
    let real = extract(real, &mut running, verbosity)?;
    let fake = extract(fake, &mut running, verbosity)?;

    let metrics = clock.metrics(|| compute(&wanted, &definitions, &real, &fake))?;
    let sets = vec![real.report, fake.report];
    let warnings = warnings_of_run(Some(&running), &sets);
    output::emit(&report("score", metrics, Some(&running), sets, warnings, None, clock), &args.output)?;
    Ok(Outcome::Success)
}

fn compute(
    wanted: &BTreeSet<MetricArg>,
    definitions: &Definitions,
    real: &Extracted,
    fake: &Extracted,
) -> Result<Metrics> {
    let mut metrics = Metrics::default();
    let (x, y) = (&real.features, &fake.features);
    for metric in wanted {
        match metric {
            MetricArg::Fid => metrics.fid = Some(fid(&real.gaussian, &fake.gaussian)?.into()),
            MetricArg::Is => {
                let options = InceptionScoreOptions::default();
                let score = inception_score(fake.logits.as_ref().ok_or(NoLogits)?, options)?;
                metrics.inception_score = Some(InceptionScoreReport::new(score, options));
            }
            MetricArg::Kid => metrics.kid = Some(Defined::new(kid(x, y, definitions.kid)?, definitions.kid)),
            MetricArg::Prdc => metrics.prdc = Some(Defined::new(prdc(x, y, definitions.prdc)?, definitions.prdc)),
            MetricArg::Mind => {
                let directions = definitions.directions.clone();
                metrics.mind = Some(Defined::new(mind(x, y, &directions)?, directions));
            }
            MetricArg::Mifid => {
                let options = MifidOptions::default();
                metrics.mifid = Some(Defined::new(mifid(x, y, options)?, options));
            }
            MetricArg::Mmd => {
                let options = MmdOptions::default();
                metrics.mmd = Some(Defined::new(mmd(x, y, options)?, options));
            }
            MetricArg::Vendi => {
                let options = VendiOptions::default();
                metrics.vendi = Some(Defined::new(vendi(y, options)?, options));
            }
            MetricArg::FidInfinity => {
                let options = ExtrapolationOptions::default();
                metrics.fid_infinity = Some(Defined::new(fid_infinity(&real.gaussian, y, options)?, options));
            }
            MetricArg::IsInfinity => {
                let options = ExtrapolationOptions::default();
                let score = inception_score_infinity(fake.logits.as_ref().ok_or(NoLogits)?, options)?;
                metrics.inception_score_infinity = Some(Defined::new(score, options));
            }
            MetricArg::Duplicates => {
                let options = DuplicateOptions::default();
                let found = Duplicates {
                    within_fake: duplicates_within(y, options)?,
                    between: duplicates_between(x, y, options)?,
                };
                metrics.duplicates = Some(Defined::new(found, options));
            }
            MetricArg::All => unreachable!("replaced by each of them"),
        }
    }
    Ok(metrics)
}
