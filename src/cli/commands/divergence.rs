//! `gan-metrics divergence`: the divergence between two distributions, however they are given.
//!
//! Raw arguments become a [`Plan`] (what to compute, of what, how), the plan a list of [`Row`]s, and the rows a table or
//! JSON.

mod compute;
mod input;
mod output;
mod picture;

use std::path::PathBuf;

use crate::divergence::estimators::Bins;
use crate::divergence::transport::{Order, Sinkhorn};
use crate::divergence::variational::CriticFeatures;
use crate::divergence::{Base, Divergence};
use crate::error::{Blame, Blamed};
use crate::output::Outputs;

use crate::cli::exit::Outcome;
use crate::cli::{output as out, plot};
use input::{Pair, Reading};

/// Compute the divergence between two distributions
///
/// P and Q are each probabilities (`0.2,0.8`), a file of them (`.csv`), a density (`'normal(0,1)'`,
/// `'0.3*laplace(0,1)+0.7*gamma(2,1)'`), samples, one a row (`.npy`), or the mean and covariance of a Gaussian (`.npz`
/// with mu and sigma).
#[derive(Debug, Clone, clap::Args)]
pub struct DivergenceArgs {
    /// A divergence such as kl, js, tv, alpha(0.5), renyi(2), or w1, w2, `wasserstein(3)`, all, gan-value
    measure: String,
    /// P, if not given by --p
    #[arg(value_name = "P", required_unless_present = "p", conflicts_with = "p", requires = "second")]
    first: Option<String>,
    /// Q, if not given by --q
    #[arg(value_name = "Q", required_unless_present = "q", conflicts_with = "q")]
    second: Option<String>,
    /// The first distribution, P
    #[arg(long, allow_hyphen_values = true)]
    p: Option<String>,
    /// The second distribution, Q
    #[arg(long, allow_hyphen_values = true)]
    q: Option<String>,
    /// Divide weights or counts by their sum
    #[arg(long)]
    normalize: bool,
    /// Logarithms to this base instead of nats, for divergences that are logarithms
    #[arg(long)]
    base: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Draw f, f*, both distributions and the integrand
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// How to estimate a divergence from samples
    #[arg(long, value_enum)]
    estimator: Option<EstimatorArg>,
    /// Bins of the histogram estimator (default: by Freedman and Diaconis)
    #[arg(long)]
    bins: Option<usize>,
    /// Added to every bin of the histogram estimator
    #[arg(long, default_value_t = 0.0)]
    pseudocount: f64,
    /// Which neighbour the knn estimator uses
    #[arg(long, default_value_t = 5)]
    neighbours: usize,
    /// The critic of the variational bound: linear in these features, or a network
    #[arg(long, value_enum, default_value_t = CriticArg::Quadratic)]
    critic: CriticArg,
    /// Number of cosines of the fourier critic
    #[arg(long, default_value_t = 200)]
    cosines: usize,
    /// Length scale of the fourier critic, in standard deviations
    #[arg(long, default_value_t = 1.0)]
    bandwidth: f64,
    /// Units in each of the two hidden layers of the mlp critic
    #[arg(long, value_name = "UNITS", default_value_t = 32)]
    hidden: usize,
    /// Points that probabilities belong to, for transport (default: 0, 1, 2, …)
    #[arg(long, value_name = "X0,X1,…", allow_hyphen_values = true)]
    points: Option<String>,
    /// Entropic transport with this regularization instead of exact transport, for probabilities
    #[arg(long, value_name = "REGULARIZATION")]
    sinkhorn: Option<f64>,
    /// Sliced transport with so many directions instead of exact transport, for samples
    #[arg(long, value_name = "DIRECTIONS")]
    slices: Option<usize>,
    /// Monte Carlo samples where Gaussians have no formula
    #[arg(long, default_value_t = 100_000)]
    samples: usize,
    /// Seed of everything random
    #[arg(long, default_value_t = 2020)]
    seed: u64,
}

/// How to estimate a divergence from samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EstimatorArg {
    /// Count into common bins (one dimension)
    Histogram,
    /// Distances to nearest neighbours (kl and reverse-kl only)
    Knn,
    /// A lower bound with a trained critic
    Variational,
}

/// The critic of the variational bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CriticArg {
    /// The coordinates
    Linear,
    /// Coordinates and their products
    Quadratic,
    /// Coordinates and random cosines
    Fourier,
    /// A network with two hidden layers
    Mlp,
}

/// Arguments that do not go together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentsError {
    /// Samples and no estimator.
    #[error("a divergence of samples must be estimated: choose --estimator histogram, knn or variational")]
    EstimatorMissing,
    /// An estimator and no samples.
    #[error("--estimator is for samples (.npy), but P and Q are {kind}, whose divergences are computed: drop it")]
    EstimatorUnused {
        /// What P and Q are.
        kind: &'static str,
    },
    /// An option that means nothing here.
    #[error("{option} is for {purpose}, but P and Q are {kind}: drop it")]
    OptionUnused {
        /// The option.
        option: &'static str,
        /// What it is for.
        purpose: &'static str,
        /// What P and Q are.
        kind: &'static str,
    },
    /// The combination is not available.
    #[error("{what} is not available for {kind}: {remedy}")]
    Unavailable {
        /// What was asked for.
        what: String,
        /// What P and Q are.
        kind: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
}

impl Blamed for ArgumentsError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// What to compute.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Measure {
    One(Divergence),
    All,
    GanValue,
    Wasserstein(Order),
}

/// How to treat samples.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Estimator {
    Histogram { bins: Bins, pseudocount: f64 },
    Neighbours(usize),
    Variational(Critic),
}

/// The critic of a variational bound.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Critic {
    Linear(CriticFeatures),
    Network { hidden: usize },
}

/// How to transport.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Transport {
    Exact,
    Sinkhorn(Sinkhorn),
    Sliced(usize),
}

/// Validated arguments.
#[derive(Debug)]
struct Plan {
    measure: Measure,
    pair: Pair,
    base: Base,
    estimator: Option<Estimator>,
    transport: Transport,
    points: Option<Vec<f64>>,
    samples: usize,
    seed: u64,
}

impl DivergenceArgs {
    /// P and Q, as they were typed.
    fn distributions(&self) -> [&str; 2] {
        // clap has made sure that each is given once.
        let given = [(&self.p, &self.first), (&self.q, &self.second)];
        given.map(|(option, positional)| option.as_deref().or(positional.as_deref()).unwrap_or_default())
    }
}

impl Plan {
    fn new(args: &DivergenceArgs) -> crate::Result<Self> {
        let measure = parse_measure(&args.measure)?;
        let base = args.base.map_or(Ok(Base::E), Base::new)?;
        if let (Measure::One(divergence), Some(_)) = (measure, args.base) {
            divergence.unit(base)?;
        }
        let reading = if args.normalize { Reading::Normalized } else { Reading::AsIs };
        let [p, q] = args.distributions();
        let pair = Pair::read(p, q, reading)?;
        let kind = pair.kind();
        let unused = |option, purpose| ArgumentsError::OptionUnused { option, purpose, kind };
        let transport = match (args.sinkhorn, args.slices) {
            (Some(_), _) if !matches!(pair, Pair::Distributions(..)) => Err(unused("--sinkhorn", "probabilities"))?,
            (_, Some(_)) if !matches!(pair, Pair::Samples(..)) => Err(unused("--slices", "samples"))?,
            (Some(regularization), _) => Transport::Sinkhorn(Sinkhorn::new(regularization)?),
            (None, Some(directions)) => Transport::Sliced(directions),
            (None, None) => Transport::Exact,
        };
        let points = match (&args.points, &pair) {
            (Some(text), Pair::Distributions(..)) => Some(input::numbers(text)?),
            (Some(_), _) => Err(unused("--points", "probabilities"))?,
            (None, _) => None,
        };
        let estimator = args.estimator.map(|estimator| estimator.with(args));
        match (&pair, estimator, measure) {
            (Pair::Samples(..), None, Measure::One(_) | Measure::All) => Err(ArgumentsError::EstimatorMissing)?,
            (Pair::Samples(..), _, _) | (_, None, _) => {}
            (_, Some(_), _) => Err(ArgumentsError::EstimatorUnused { kind })?,
        }
        Ok(Plan { measure, pair, base, estimator, transport, points, samples: args.samples, seed: args.seed })
    }
}

impl EstimatorArg {
    fn with(self, args: &DivergenceArgs) -> Estimator {
        match self {
            EstimatorArg::Histogram => Estimator::Histogram {
                bins: args.bins.map_or(Bins::FreedmanDiaconis, Bins::Count),
                pseudocount: args.pseudocount,
            },
            EstimatorArg::Knn => Estimator::Neighbours(args.neighbours),
            EstimatorArg::Variational => Estimator::Variational(match args.critic {
                CriticArg::Linear => Critic::Linear(CriticFeatures::Linear),
                CriticArg::Quadratic => Critic::Linear(CriticFeatures::Quadratic),
                CriticArg::Fourier => {
                    Critic::Linear(CriticFeatures::RandomFourier { count: args.cosines, bandwidth: args.bandwidth })
                }
                CriticArg::Mlp => Critic::Network { hidden: args.hidden },
            }),
        }
    }
}

fn parse_measure(text: &str) -> crate::Result<Measure> {
    let lower = text.to_ascii_lowercase();
    if let Some(order) = lower.strip_prefix("wasserstein(").and_then(|rest| rest.strip_suffix(')'))
        && let Ok(order) = order.trim().parse()
    {
        return Ok(Measure::Wasserstein(Order::new(order)?));
    }
    Ok(match lower.as_str() {
        "all" => Measure::All,
        "gan-value" => Measure::GanValue,
        "w1" | "emd" => Measure::Wasserstein(Order::ONE),
        "w2" => Measure::Wasserstein(Order::TWO),
        _ => Measure::One(text.parse()?),
    })
}

/// Computes what the arguments ask for and prints it.
///
/// # Errors
/// Any error of reading, checking or computing; nothing is printed then. An error of writing the plot comes after the result.
pub fn run(args: &DivergenceArgs) -> crate::Result<Outcome> {
    let mut outputs = Outputs::beside(args.distributions());
    let plot = args.plot.as_deref().map(|path| outputs.claim(path)).transpose()?;
    let plan = Plan::new(args)?;
    let picture = match plot {
        Some(file) => Some((file, plot::svg(&picture::panels(&plan)?)?)),
        None => None,
    };
    let report = output::Report { kind: plan.pair.kind(), rows: compute::rows(&plan)? };
    out::to_stdout(&if args.json { report.to_json() } else { report.to_text() })?;
    if let Some((file, svg)) = picture {
        file.write_all(svg.as_bytes())?;
    }
    Ok(Outcome::Success)
}
