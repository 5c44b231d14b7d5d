//! `gan-metrics divergence`: the divergence between two distributions, however they are given.
//!
//! Raw arguments become a [`Plan`] (what to compute, of what, how), the plan a list of [`Row`]s, and the rows a table or
//! JSON.

mod compute;
mod coupling;
mod input;
mod listing;
mod options;
mod output;
mod picture;
mod table;

use std::path::PathBuf;

use crate::divergence::estimators::{Bins, Histogram};
use crate::divergence::transport::{Order, Sinkhorn};
use crate::divergence::variational::CriticFeatures;
use crate::divergence::{Base, Divergence, GaussianPair, Generator, TransportError};
use crate::gan::variational::MlpCritic;
use crate::output::Outputs;

use crate::cli::exit::Outcome;
use crate::cli::numbers::{seed, whole};
use crate::cli::output as out;
use crate::report::plot;
pub(super) use input::samples;
use input::{Kind, Pair, Reading};
use options::ArgumentsError;
use picture::Picture;

const NEIGHBOURS: usize = 5;
const COSINES: usize = 200;
const BANDWIDTH: f64 = 1.0;
const UNITS: usize = 32;
const SAMPLES: usize = 100_000;
const SEED: u64 = 2020;

/// Compute the divergence between two distributions
///
/// P and Q are each probabilities (`0.2,0.8`), a file of them (`.csv`), a density (`'normal(0,1)'`,
/// `'0.3*laplace(0,1)+0.7*gamma(2,1)'`), samples, one a row (`.npy`), or the mean and covariance of a Gaussian (`.npz`
/// with mu and sigma).
#[derive(Debug, Clone, Default, PartialEq, clap::Args)]
pub struct DivergenceArgs {
    /// A divergence such as kl, js, tv, alpha(0.5), renyi(2), or w1, w2, w3, all, gan-value; `list` prints their names
    measure: String,
    /// P, if not given by --p
    #[arg(value_name = "P", conflicts_with = "p")]
    first: Option<String>,
    /// Q, if not given by --q
    #[arg(value_name = "Q", conflicts_with = "q")]
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
    /// Bins of the histogram estimator [default: by Freedman and Diaconis]
    #[arg(long, value_parser = whole(1..=Histogram::MOST_BINS))]
    bins: Option<usize>,
    /// Added to every bin of the histogram estimator [default: 0]
    #[arg(long)]
    pseudocount: Option<f64>,
    #[arg(long, help = format!("Which neighbour the knn estimator uses [default: {NEIGHBOURS}]"))]
    #[arg(value_parser = whole(1..=usize::MAX))]
    neighbours: Option<usize>,
    /// The critic of the variational bound: linear in these features, or a network [default: quadratic]
    #[arg(long, value_enum)]
    critic: Option<CriticArg>,
    #[arg(long, help = format!("Number of cosines of the fourier critic [default: {COSINES}]"))]
    #[arg(value_parser = whole(1..=usize::MAX))]
    cosines: Option<usize>,
    #[arg(long)]
    #[arg(help = format!("Length scale of the fourier critic, in standard deviations [default: {BANDWIDTH}]"))]
    bandwidth: Option<f64>,
    #[arg(long, value_name = "UNITS", value_parser = whole(1..=MlpCritic::MOST_UNITS))]
    #[arg(help = format!("Units in each of the two hidden layers of the mlp critic [default: {UNITS}]"))]
    hidden: Option<usize>,
    /// The column of .csv, .txt and .tsv files that holds the probabilities, by its heading or its number from 1
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Points that probabilities belong to, for transport [default: 0, 1, 2, …]; points at which `gan-value` tells D*
    /// of densities
    #[arg(long, value_name = "X0,X1,…", allow_hyphen_values = true)]
    points: Option<String>,
    /// Entropic transport with this regularization instead of exact transport, for probabilities
    #[arg(long, value_name = "REGULARIZATION")]
    sinkhorn: Option<f64>,
    #[arg(
        long,
        value_name = "SUM",
        help = "Sinkhorn's iteration ends where its marginals are off by this [default: 1e-9]"
    )]
    sinkhorn_tolerance: Option<f64>,
    #[arg(long, value_name = "N", value_parser = whole(1..=usize::MAX))]
    #[arg(help = "Sinkhorn's iteration gives up after so many steps [default: 10000]")]
    sinkhorn_iterations: Option<usize>,
    /// Write the exact transport plan: from,to,mass
    #[arg(long, value_name = "FILE.csv")]
    transport_plan: Option<PathBuf>,
    /// Write the dual potentials of exact transport; of w1 on common points, the Kantorovich–Rubinstein function
    #[arg(long, value_name = "FILE.csv")]
    potentials: Option<PathBuf>,
    /// Sliced transport with so many directions instead of exact transport, for samples
    #[arg(long, value_name = "DIRECTIONS", value_parser = whole(2..=usize::MAX))]
    slices: Option<usize>,
    #[arg(long, help = format!("Monte Carlo samples where Gaussians have no formula [default: {SAMPLES}]"))]
    #[arg(value_parser = whole(GaussianPair::FEWEST_SAMPLES..=GaussianPair::MOST_SAMPLES))]
    samples: Option<usize>,
    #[arg(long, value_parser = seed, help = format!("Seed of everything random [default: {SEED}]"))]
    seed: Option<u64>,
}

impl DivergenceArgs {
    /// The texts of P and Q.
    fn distributions(&self) -> Result<[&str; 2], ArgumentsError> {
        let [p, q] = [(&self.p, &self.first), (&self.q, &self.second)]
            .map(|(option, positional)| option.as_deref().or(positional.as_deref()));
        let missing = |which| ArgumentsError::Missing { which };
        Ok([p.ok_or_else(|| missing('P'))?, q.ok_or_else(|| missing('Q'))?])
    }

    fn sinkhorn(&self, regularization: f64) -> Result<Sinkhorn, TransportError> {
        let mut sinkhorn = Sinkhorn::new(regularization)?;
        if let Some(tolerance) = self.sinkhorn_tolerance {
            sinkhorn = sinkhorn.with_tolerance(tolerance)?;
        }
        Ok(self.sinkhorn_iterations.map_or(sinkhorn, |iterations| sinkhorn.with_max_iterations(iterations)))
    }

    fn critic(&self) -> CriticArg {
        self.critic.unwrap_or(CriticArg::Quadratic)
    }
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

/// A number to compute.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Quantity {
    Divergence(Divergence),
    Wasserstein(Order),
}

impl Quantity {
    fn name(self) -> String {
        match self {
            Quantity::Divergence(divergence) => divergence.to_string(),
            Quantity::Wasserstein(order) => format!("wasserstein({})", order.get()),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Quantity::Divergence(divergence) => divergence.title(),
            Quantity::Wasserstein(_) => "Wasserstein",
        }
    }
}

/// Validated arguments.
#[derive(Debug)]
struct Plan {
    measure: Measure,
    quantities: Vec<Quantity>,
    pair: Pair,
    base: Base,
    estimator: Option<Estimator>,
    transport: Transport,
    points: Option<Vec<f64>>,
    samples: usize,
    seed: u64,
    picture: Option<Picture>,
}

impl Plan {
    fn new(args: &DivergenceArgs) -> crate::Result<Self> {
        let measure = Measure::parse(&args.measure)?;
        let [p, q] = args.distributions()?;
        let kind = Kind::of_both(p, q)?;
        let quantities = measure.quantities(kind, args.estimator);
        options::check(args, measure, &quantities, kind)?;
        let picture = args.plot.as_deref().map(|path| Picture::new(path, measure, kind)).transpose()?;
        let transport = match (args.sinkhorn, args.slices) {
            (Some(regularization), _) => Transport::Sinkhorn(args.sinkhorn(regularization)?),
            (None, Some(directions)) => Transport::Sliced(directions),
            (None, None) => Transport::Exact,
        };
        let reading = Reading { normalized: args.normalize, column: args.column.as_deref() };
        Ok(Plan {
            measure,
            quantities,
            base: args.base.map_or(Ok(Base::E), Base::new)?,
            estimator: args.estimator.map(|estimator| estimator.with(args)),
            transport,
            points: args.points.as_deref().map(input::numbers).transpose()?,
            samples: args.samples.unwrap_or(SAMPLES),
            seed: args.seed.unwrap_or(SEED),
            picture,
            pair: Pair::read(kind, p, q, reading)?,
        })
    }
}

impl EstimatorArg {
    fn with(self, args: &DivergenceArgs) -> Estimator {
        match self {
            EstimatorArg::Histogram => Estimator::Histogram {
                bins: args.bins.map_or(Bins::FreedmanDiaconis, Bins::Count),
                pseudocount: args.pseudocount.unwrap_or(0.0),
            },
            EstimatorArg::Knn => Estimator::Neighbours(args.neighbours.unwrap_or(NEIGHBOURS)),
            EstimatorArg::Variational => Estimator::Variational(match args.critic() {
                CriticArg::Linear => Critic::Linear(CriticFeatures::Linear),
                CriticArg::Quadratic => Critic::Linear(CriticFeatures::Quadratic),
                CriticArg::Fourier => Critic::Linear(CriticFeatures::RandomFourier {
                    count: args.cosines.unwrap_or(COSINES),
                    bandwidth: args.bandwidth.unwrap_or(BANDWIDTH),
                }),
                CriticArg::Mlp => Critic::Network { hidden: args.hidden.unwrap_or(UNITS) },
            }),
        }
    }

    /// Whether it estimates a divergence.
    fn estimates(self, divergence: Divergence) -> bool {
        match self {
            EstimatorArg::Histogram => true,
            EstimatorArg::Knn => compute::neighbour_order(divergence).is_some(),
            EstimatorArg::Variational => matches!(divergence, Divergence::F(_)),
        }
    }
}

impl Measure {
    fn parse(text: &str) -> crate::Result<Self> {
        let lower = text.to_ascii_lowercase();
        if let Some(order) = lower.strip_prefix("wasserstein(").and_then(|rest| rest.strip_suffix(')'))
            && let Ok(order) = order.trim().parse()
        {
            return Ok(Measure::Wasserstein(Order::new(order)?));
        }
        Ok(match lower.as_str() {
            "all" => Measure::All,
            "gan-value" => Measure::GanValue,
            "emd" => Measure::Wasserstein(Order::ONE),
            // w1, w2, w1.5.
            _ if let Some(order) = lower.strip_prefix('w').and_then(|order| order.parse().ok()) => {
                Measure::Wasserstein(Order::new(order)?)
            }
            _ => Measure::One(text.parse()?),
        })
    }

    /// What is computed for it of P and Q of a kind; of all, what is available.
    fn quantities(self, kind: Kind, estimator: Option<EstimatorArg>) -> Vec<Quantity> {
        match self {
            Measure::One(divergence) => vec![Quantity::Divergence(divergence)],
            Measure::GanValue => {
                [Generator::GAN, Generator::JENSEN_SHANNON].map(|f| Quantity::Divergence(Divergence::F(f))).into()
            }
            Measure::Wasserstein(order) => vec![Quantity::Wasserstein(order)],
            Measure::All => {
                let is_available = |divergence: &Divergence| match kind {
                    Kind::Gaussians => GaussianPair::is_available(*divergence),
                    Kind::Samples => estimator.is_some_and(|estimator| estimator.estimates(*divergence)),
                    Kind::Probabilities | Kind::Densities => true,
                };
                // Between Gaussians only W₂ has a formula.
                let orders = if kind == Kind::Gaussians { vec![Order::TWO] } else { vec![Order::ONE, Order::TWO] };
                let divergences = Divergence::catalogue().filter(is_available).map(Quantity::Divergence);
                divergences.chain(orders.into_iter().map(Quantity::Wasserstein)).collect()
            }
        }
    }
}

/// Computes what the arguments ask for and prints it.
///
/// # Errors
/// Any error of reading, checking or computing what was named; nothing is printed then. What fails among all is printed in its
/// row, and the exit code is that of its cause. An error of writing the plot comes after the result.
pub fn run(args: &DivergenceArgs) -> crate::Result<Outcome> {
    if args.measure.eq_ignore_ascii_case("list") {
        options::check_list(args)?;
        let listing = listing::Listing::new();
        out::to_stdout(&if args.json { listing.to_json() } else { listing.to_text() })?;
        return Ok(Outcome::Success);
    }
    let [p, q] = args.distributions()?;
    let mut outputs = Outputs::beside([p, q]);
    let mut claimed = |path: &Option<PathBuf>| path.as_deref().map(|path| outputs.claim(path)).transpose();
    let (plot, transport_plan, potentials) =
        (claimed(&args.plot)?, claimed(&args.transport_plan)?, claimed(&args.potentials)?);
    let plan = Plan::new(args)?;
    let drawn = match (plot, &plan.picture) {
        (Some(file), Some(picture)) => Some((file, plot::svg(&picture.panels(&plan))?)),
        _ => None,
    };
    let (rows, blame) = compute::rows(&plan)?;
    let coupled = transport_plan.is_some() || potentials.is_some();
    let coupling = coupled.then(|| coupling::Coupling::of(&plan)).transpose()?;
    let report = output::Report { kind: plan.pair.kind().name(), p: p.to_owned(), q: q.to_owned(), rows };
    out::to_stdout(&if args.json { report.to_json() } else { report.to_text() })?;
    if let Some((file, svg)) = drawn {
        file.write_all(svg.as_bytes())?;
    }
    if let Some(coupling) = coupling {
        for (file, text) in [(transport_plan, coupling.plan), (potentials, coupling.potentials)] {
            file.map_or(Ok(()), |file| file.write_all(text.as_bytes()))?;
        }
    }
    Ok(blame.map_or(Outcome::Success, Outcome::from))
}
