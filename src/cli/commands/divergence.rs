//! `gan-metrics divergence`: the divergence between two distributions, however they are given.
//!
//! Raw arguments become a [`Plan`] (what to compute, of what, how), the plan a list of [`Row`]s, and the rows a table or
//! JSON.

mod archive;
mod arguments;
mod compute;
mod coupling;
mod input;
mod line;
mod listing;
mod options;
mod output;
mod picture;
mod table;
mod test;

use std::path::PathBuf;

use crate::divergence::estimators::Bins;
use crate::divergence::transport::{Sinkhorn, WassersteinOrder};
use crate::divergence::variational::CriticFeatures;
use crate::divergence::{Base, Divergence, GaussianMixture, GaussianPair, Generator};
use crate::output::Outputs;

use crate::cli::exit::Outcome;
use crate::cli::output as out;
use crate::report::plot;
pub use arguments::DivergenceArgs;
use arguments::{CriticArg, DRAWS, EstimatorArg, SAMPLES, SEED};
pub(super) use input::samples;
use input::{Kind, Pair, Reading};
use picture::Picture;
use test::Test;

/// What to compute.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Measure {
    One(Divergence),
    All,
    GanValue,
    Wasserstein(WassersteinOrder),
    Test(Test),
    MutualInformation,
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
    Wasserstein(WassersteinOrder),
    Test(Test),
    MutualInformation,
}

impl Quantity {
    fn name(self) -> String {
        match self {
            Quantity::Divergence(divergence) => divergence.to_string(),
            Quantity::Wasserstein(order) => format!("wasserstein({})", order.get()),
            Quantity::Test(test) => test.name().to_owned(),
            Quantity::MutualInformation => MUTUAL_INFORMATION.to_owned(),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Quantity::Divergence(divergence) => divergence.title(),
            Quantity::Wasserstein(_) => "Wasserstein",
            Quantity::Test(test) => test.title(),
            Quantity::MutualInformation => "Mutual information",
        }
    }
}

const MUTUAL_INFORMATION: &str = "mutual-information";

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
    discriminator: Option<Vec<f64>>,
    samples: usize,
    draws: usize,
    kernel_length: Option<f64>,
    seed: u64,
    picture: Option<Picture>,
}

impl Plan {
    fn new(args: &DivergenceArgs) -> crate::Result<Self> {
        let measure = Measure::parse(&args.measure)?;
        let [p, q] = args.distributions()?;
        let kind = Kind::of_both(p, q, args.array.as_deref())?;
        let quantities = measure.quantities(kind, args.estimator);
        options::check(args, measure, &quantities, kind)?;
        let picture = args.plot.as_deref().map(|path| Picture::new(path, measure, kind)).transpose()?;
        let transport = match (args.sinkhorn, args.slices) {
            (Some(regularization), _) => Transport::Sinkhorn(args.sinkhorn(regularization)?),
            (None, Some(directions)) => Transport::Sliced(directions),
            (None, None) => Transport::Exact,
        };
        let reading =
            Reading { normalized: args.normalize, column: args.column.as_deref(), array: args.array.as_deref() };
        Ok(Plan {
            measure,
            quantities,
            base: args.base.map_or(Ok(Base::E), Base::new)?,
            estimator: args.estimator.map(|estimator| estimator.with(args)),
            transport,
            points: args.points.as_deref().map(input::numbers).transpose()?,
            discriminator: args.discriminator.as_deref().map(input::discriminator).transpose()?,
            samples: args.samples.unwrap_or(SAMPLES),
            draws: args.draws.unwrap_or(DRAWS),
            kernel_length: args.kernel_length,
            seed: args.seed.unwrap_or(SEED),
            picture,
            pair: Pair::read(kind, p, q, reading)?,
        })
    }
}

impl Measure {
    fn parse(text: &str) -> crate::Result<Self> {
        let lower = text.to_ascii_lowercase();
        if let Some(order) = lower.strip_prefix("wasserstein(").and_then(|rest| rest.strip_suffix(')'))
            && let Ok(order) = order.trim().parse()
        {
            return Ok(Measure::Wasserstein(WassersteinOrder::new(order)?));
        }
        Ok(match lower.as_str() {
            "all" => Measure::All,
            "gan-value" => Measure::GanValue,
            MUTUAL_INFORMATION | "mi" => Measure::MutualInformation,
            _ if let Some(test) = Test::parse(&lower) => Measure::Test(test),
            "emd" => Measure::Wasserstein(WassersteinOrder::ONE),
            // w1, w2, w1.5.
            _ if let Some(order) = lower.strip_prefix('w').and_then(|order| order.parse().ok()) => {
                Measure::Wasserstein(WassersteinOrder::new(order)?)
            }
            _ => Measure::One(text.parse()?),
        })
    }

    /// What it is of P and Q.
    fn relation(self) -> &'static str {
        match self {
            Measure::Test(_) => "T(P, Q)",
            Measure::MutualInformation => "I(P; Q)",
            Measure::One(_) | Measure::All | Measure::GanValue | Measure::Wasserstein(_) => "D(P‖Q)",
        }
    }

    /// What is computed for it of P and Q of a kind; of all, what is available.
    fn quantities(self, kind: Kind, estimator: Option<EstimatorArg>) -> Vec<Quantity> {
        match self {
            Measure::One(divergence) => vec![Quantity::Divergence(divergence)],
            Measure::GanValue => {
                [Generator::GAN, Generator::JENSEN_SHANNON].map(|f| Quantity::Divergence(Divergence::F(f))).into()
            }
            Measure::Wasserstein(order) => vec![Quantity::Wasserstein(order)],
            Measure::Test(test) => vec![Quantity::Test(test)],
            Measure::MutualInformation => vec![Quantity::MutualInformation],
            Measure::All if kind == Kind::Fit => {
                Test::ALL.into_iter().filter(|test| test.is_of(kind)).map(Quantity::Test).collect()
            }
            Measure::All => {
                let is_available = |divergence: &Divergence| match kind {
                    Kind::Gaussians => GaussianPair::is_available(*divergence),
                    Kind::Mixtures => GaussianMixture::is_available(*divergence),
                    Kind::Samples => estimator.is_some_and(|estimator| estimator.estimates(*divergence)),
                    Kind::Probabilities | Kind::Densities => true,
                    Kind::Fit => false,
                };
                // Between Gaussians only W₂ has a formula, and between their mixtures only it has a bound.
                let orders = if matches!(kind, Kind::Gaussians | Kind::Mixtures) {
                    vec![WassersteinOrder::TWO]
                } else {
                    vec![WassersteinOrder::ONE, WassersteinOrder::TWO]
                };
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
        (Some(file), Some(picture)) => Some((file, plot::picture(&picture.panels(&plan), picture.format())?)),
        _ => None,
    };
    let (rows, blame) = compute::rows(&plan)?;
    let coupled = transport_plan.is_some() || potentials.is_some();
    let coupling = coupled.then(|| coupling::Coupling::of(&plan)).transpose()?;
    let report = output::Report {
        relation: plan.measure.relation(),
        kind: plan.pair.kind().name(),
        p: p.to_owned(),
        q: q.to_owned(),
        rows,
    };
    out::to_stdout(&if args.json { report.to_json() } else { report.to_text() })?;
    if let Some((file, picture)) = drawn {
        file.write_all(&picture)?;
    }
    if let Some(coupling) = coupling {
        for (file, text) in [(transport_plan, coupling.plan), (potentials, coupling.potentials)] {
            file.map_or(Ok(()), |file| file.write_all(text.as_bytes()))?;
        }
    }
    Ok(blame.map_or(Outcome::Success, Outcome::from))
}
