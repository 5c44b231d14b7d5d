//! The commands of one score each: their flags change a definition, the rest is [`crate::cli::scoring`].

use crate::Result;
use crate::metrics::{
    DegreesOfFreedom, Directions, DuplicateOptions, Estimator, ExtrapolationOptions, Kernel, Length, MifidOptions,
    MmdOptions, Order, Splits, VendiOptions,
};
use crate::score::{Metric, Quantity};

use crate::cli::args::{
    DuplicatesArgs, EstimatorArg, FidArgs, FidInfinityArgs, GeneratorArg, InceptionScoreArgs, KernelArg, KidArgs,
    LengthArg, MifidArgs, MindArgs, MmdArgs, OrderArg, PairArgs, PrdcArgs, ScoringArgs, VendiArgs,
};
use crate::cli::commands::generate::GeneratedSet;
use crate::cli::exit::Outcome;
use crate::cli::scoring::{Job, finish, run};

fn of_pair<'a>(command: &'static str, metric: Metric, pair: &'a PairArgs, args: &'a ScoringArgs) -> Job<'a> {
    Job::of(command, metric, Some(&pair.real), &pair.fake, args)
}

fn kernel(kernel: KernelArg, sigma: f64) -> Kernel {
    match kernel {
        KernelArg::Polynomial => Kernel::KID,
        KernelArg::Rbf => Kernel::Gaussian { sigma },
    }
}

/// `gan-metrics fid`
pub fn fid(args: &FidArgs) -> Result<Outcome> {
    let generated = args.generated.images(&args.scoring)?;
    let second = generated.as_ref().map(GeneratedSet::path).or_else(|| args.second.clone());
    let second = second.expect("either is there, as the arguments require");
    let mut job = Job::of("fid", Metric::Fid, Some(&args.first), &second, &args.scoring);
    job.bounds = args.bound.on(Quantity::Fid);
    let mut report = run(&job)?.report;
    if let (Some(generated), Some(set)) = (generated, report.sets.last_mut()) {
        generated.describe(set);
    }
    finish(report, &args.scoring)
}

/// `gan-metrics is`
pub fn inception_score(args: &InceptionScoreArgs) -> Result<Outcome> {
    let mut job = Job::of("is", Metric::InceptionScore, None, &args.images, &args.scoring);
    let options = &mut job.definitions.inception_score;
    if let Some(splits) = args.splits {
        options.splits = match options.splits {
            Splits::Equal(_) => Splits::Equal(splits),
            Splits::Even(_) | Splits::OfSize(_) => Splits::Even(splits),
        };
    }
    let seed_of_preset = match options.order {
        Order::Shuffled { seed } => seed,
        Order::AsGiven => 2020,
    };
    let shuffled = Order::Shuffled { seed: args.seed.unwrap_or(seed_of_preset) };
    options.order = match args.order {
        Some(OrderArg::AsGiven) => Order::AsGiven,
        Some(OrderArg::Shuffled) => shuffled,
        // A seed asks for shuffling.
        None if args.seed.is_some() => shuffled,
        None => options.order,
    };
    options.ddof = match args.ddof {
        Some(0) => DegreesOfFreedom::Population,
        Some(_) => DegreesOfFreedom::Sample,
        None => options.ddof,
    };
    job.bounds = args.bound.on(Quantity::Is);
    finish(run(&job)?.report, &args.scoring)
}

/// `gan-metrics kid`
pub fn kid(args: &KidArgs) -> Result<Outcome> {
    let mut job = of_pair("kid", Metric::Kid, &args.pair, &args.scoring);
    let options = &mut job.definitions.kid;
    options.subsets = args.subsets.unwrap_or(options.subsets);
    options.subset_size = args.subset_size.unwrap_or(options.subset_size);
    options.seed = args.seed.unwrap_or(options.seed);
    options.kernel = args.kernel.map_or(options.kernel, |kind| kernel(kind, args.sigma));
    job.bounds = args.bound.on(Quantity::Kid);
    finish(run(&job)?.report, &args.scoring)
}

/// `gan-metrics prdc`
pub fn prdc(args: &PrdcArgs) -> Result<Outcome> {
    let mut job = of_pair("prdc", Metric::Prdc, &args.pair, &args.scoring);
    if let Some(k) = args.k {
        let options = &mut job.definitions.prdc.options;
        options.precision_recall.neighbours = k;
        options.density_coverage.neighbours = k;
    }
    job.bounds = args.bounds.bounds();
    finish(run(&job)?.report, &args.scoring)
}

/// `gan-metrics mind`
pub fn mind(args: &MindArgs) -> Result<Outcome> {
    let mut job = of_pair("mind", Metric::Mind, &args.pair, &args.scoring);
    let count = args.directions;
    job.definitions.directions = match args.generator {
        GeneratorArg::Torch => Directions::TorchFidelity { count, seed: args.seed.into() },
        GeneratorArg::Numpy => Directions::Seeded { count, seed: args.seed },
    };
    job.bounds = args.bound.on(Quantity::Mind);
    finish(run(&job)?.report, &args.scoring)
}

/// `gan-metrics mmd`
pub fn mmd(args: &MmdArgs) -> Result<Outcome> {
    let mut job = of_pair("mmd", Metric::Mmd, &args.pair, &args.scoring);
    job.definitions.mmd = MmdOptions {
        kernel: kernel(args.kernel, args.sigma),
        estimator: match args.estimator {
            EstimatorArg::Biased => Estimator::Biased,
            EstimatorArg::Unbiased => Estimator::Unbiased,
        },
        length: match args.length {
            LengthArg::Unit => Length::Unit,
            LengthArg::AsGiven => Length::AsGiven,
        },
        scale: args.scale,
    };
    job.bounds = args.bound.on(Quantity::Mmd);
    finish(run(&job)?.report, &args.scoring)
}

/// `gan-metrics mifid`
pub fn mifid(args: &MifidArgs) -> Result<Outcome> {
    let mut job = of_pair("mifid", Metric::Mifid, &args.pair, &args.scoring);
    job.definitions.mifid = MifidOptions { threshold: args.threshold, mean_over: args.mean_over.into() };
    job.bounds = args.bound.on(Quantity::Mifid);
    finish(run(&job)?.report, &args.scoring)
}

/// `gan-metrics vendi`
pub fn vendi(args: &VendiArgs) -> Result<Outcome> {
    let mut job = Job::of("vendi", Metric::Vendi, None, &args.images, &args.scoring);
    job.definitions.vendi = VendiOptions { order: args.order };
    job.bounds = args.bound.on(Quantity::Vendi);
    finish(run(&job)?.report, &args.scoring)
}

/// `gan-metrics fid-infinity`
pub fn fid_infinity(args: &FidInfinityArgs) -> Result<Outcome> {
    let mut job = Job::of("fid-infinity", Metric::FidInfinity, Some(&args.real), &args.fake, &args.scoring);
    let FidInfinityArgs { points, smallest, seed, .. } = *args;
    job.definitions.extrapolation = ExtrapolationOptions { points, smallest, seed };
    job.bounds = args.bound.on(Quantity::FidInfinity);
    finish(run(&job)?.report, &args.scoring)
}

/// `gan-metrics duplicates`
pub fn duplicates(args: &DuplicatesArgs) -> Result<Outcome> {
    let mut job = of_pair("duplicates", Metric::Duplicates, &args.pair, &args.scoring);
    job.definitions.duplicates = DuplicateOptions { threshold: args.threshold, limit: args.limit };
    finish(run(&job)?.report, &args.scoring)
}
