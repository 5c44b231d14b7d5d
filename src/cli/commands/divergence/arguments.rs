//! The raw arguments, and how samples are estimated by them.

use std::path::PathBuf;

use super::options::ArgumentsError;
use super::{Critic, Estimator, compute};
use crate::cli::numbers::{seed, whole};
use crate::divergence::estimators::{Bins, Histogram};
use crate::divergence::significance::Significance;
use crate::divergence::transport::Sinkhorn;
use crate::divergence::variational::CriticFeatures;
use crate::divergence::{Divergence, GaussianPair, TransportError};
use crate::gan::variational::MlpCritic;

const NEIGHBOURS: usize = 5;
const COSINES: usize = 200;
const BANDWIDTH: f64 = 1.0;
const UNITS: usize = 32;
pub(super) const SAMPLES: usize = 100_000;
pub(super) const SEED: u64 = 2020;
pub(super) const DRAWS: usize = 999;

/// Compute the divergence between two distributions
///
/// P and Q are each probabilities (`0.2,0.8`), a file of them (`.csv`), a density (`'normal(0,1)'`,
/// `'0.3*laplace(0,1)+0.7*gamma(2,1)'`), samples, one per row (`.npy`), the mean and covariance of a Gaussian (`.npz` with
/// mu and sigma), or a mixture of Gaussians (`.npz` with weights, means and covariances). P may be samples and Q a density.
#[derive(Debug, Clone, Default, PartialEq, clap::Args)]
pub struct DivergenceArgs {
    /// A divergence such as kl, js, tv, alpha(0.5), renyi(2), or w1, w2, w3, all, gan-value, mutual-information, or a test of
    /// samples such as ks, energy, mmd; `list` prints their names
    pub(super) measure: String,
    /// P, if not given by --p
    #[arg(value_name = "P", conflicts_with = "p")]
    pub(super) first: Option<String>,
    /// Q, if not given by --q
    #[arg(value_name = "Q", conflicts_with = "q")]
    pub(super) second: Option<String>,
    /// The first distribution, P
    #[arg(long, allow_hyphen_values = true)]
    pub(super) p: Option<String>,
    /// The second distribution, Q
    #[arg(long, allow_hyphen_values = true)]
    pub(super) q: Option<String>,
    /// Divide weights or counts by their sum
    #[arg(long)]
    pub(super) normalize: bool,
    /// Logarithms to this base instead of nats, for divergences that are logarithms
    #[arg(long)]
    pub(super) base: Option<f64>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Draw f, f*, both distributions and the integrand, as SVG or PNG
    #[arg(long, value_name = "FILE.svg|png")]
    pub(super) plot: Option<PathBuf>,
    /// How to estimate a divergence from samples
    #[arg(long, value_enum)]
    pub(super) estimator: Option<EstimatorArg>,
    /// Bins of the histogram estimator [default: by Freedman and Diaconis]
    #[arg(long, value_parser = whole(1..=Histogram::MOST_BINS))]
    pub(super) bins: Option<usize>,
    /// Added to every bin of the histogram estimator [default: 0]
    #[arg(long)]
    pub(super) pseudocount: Option<f64>,
    #[arg(long, help = format!("Which neighbour the knn estimator uses [default: {NEIGHBOURS}]"))]
    #[arg(value_parser = whole(1..=usize::MAX))]
    pub(super) neighbours: Option<usize>,
    /// The critic of the variational bound: linear in these features, or a network [default: quadratic]
    #[arg(long, value_enum)]
    pub(super) critic: Option<CriticArg>,
    #[arg(long, help = format!("Number of cosines of the fourier critic [default: {COSINES}]"))]
    #[arg(value_parser = whole(1..=usize::MAX))]
    pub(super) cosines: Option<usize>,
    #[arg(long)]
    #[arg(help = format!("Length scale of the fourier critic, in standard deviations [default: {BANDWIDTH}]"))]
    pub(super) bandwidth: Option<f64>,
    #[arg(long, value_name = "UNITS", value_parser = whole(1..=MlpCritic::MOST_UNITS))]
    #[arg(help = format!("Units in each of the two hidden layers of the mlp critic [default: {UNITS}]"))]
    pub(super) hidden: Option<usize>,
    /// The column of .csv, .txt and .tsv files that holds the probabilities, by its heading or its number from 1
    #[arg(long, value_name = "NAME")]
    pub(super) column: Option<String>,
    /// The array of .npz files that holds samples, one per row
    #[arg(long, value_name = "NAME")]
    pub(super) array: Option<String>,
    /// Points that probabilities belong to, for transport [default: 0, 1, 2, …]; points at which `gan-value` gives D* of
    /// densities
    #[arg(long, value_name = "X0,X1,…", allow_hyphen_values = true)]
    pub(super) points: Option<String>,
    /// A discriminator, given by its probability of "from P" at each entry, or a file of these: `gan-value` of probabilities
    /// gives the value of the game for it
    #[arg(long, value_name = "D0,D1,…")]
    pub(super) discriminator: Option<String>,
    /// Entropic transport with this regularization instead of exact transport, for probabilities
    #[arg(long, value_name = "REGULARIZATION")]
    pub(super) sinkhorn: Option<f64>,
    #[arg(
        long,
        value_name = "SUM",
        help = "Sinkhorn's iteration ends when its marginals are off by at most this [default: 1e-9]"
    )]
    pub(super) sinkhorn_tolerance: Option<f64>,
    #[arg(long, value_name = "N", value_parser = whole(1..=usize::MAX))]
    #[arg(help = "Sinkhorn's iteration gives up after this many steps [default: 10000]")]
    pub(super) sinkhorn_iterations: Option<usize>,
    /// Write the exact transport plan: from,to,mass
    #[arg(long, value_name = "FILE.csv")]
    pub(super) transport_plan: Option<PathBuf>,
    /// Write the dual potentials of exact transport; for w1 on common points, the Kantorovich–Rubinstein function
    #[arg(long, value_name = "FILE.csv")]
    pub(super) potentials: Option<PathBuf>,
    /// Sliced transport with this many directions instead of exact transport, for samples
    #[arg(long, value_name = "DIRECTIONS", value_parser = whole(2..=usize::MAX))]
    pub(super) slices: Option<usize>,
    #[arg(long, help = format!("Monte Carlo samples if Gaussians have no formula [default: {SAMPLES}]"))]
    #[arg(value_parser = whole(GaussianPair::FEWEST_SAMPLES..=GaussianPair::MOST_SAMPLES))]
    pub(super) samples: Option<usize>,
    #[arg(long, value_name = "N", value_parser = whole(1..=Significance::MOST_DRAWS))]
    #[arg(help = format!("Draws under the hypothesis, from which p-values are computed [default: {DRAWS}]"))]
    pub(super) draws: Option<usize>,
    /// Length of the Gaussian kernel of mmd [default: the median distance between samples]
    #[arg(long, value_name = "LENGTH")]
    pub(super) kernel_length: Option<f64>,
    #[arg(long, value_parser = seed, help = format!("Seed of everything random [default: {SEED}]"))]
    pub(super) seed: Option<u64>,
}

impl DivergenceArgs {
    /// The texts of P and Q.
    pub(super) fn distributions(&self) -> Result<[&str; 2], ArgumentsError> {
        let [p, q] = [(&self.p, &self.first), (&self.q, &self.second)]
            .map(|(option, positional)| option.as_deref().or(positional.as_deref()));
        let missing = |which| ArgumentsError::Missing { which };
        Ok([p.ok_or_else(|| missing('P'))?, q.ok_or_else(|| missing('Q'))?])
    }

    pub(super) fn sinkhorn(&self, regularization: f64) -> Result<Sinkhorn, TransportError> {
        let mut sinkhorn = Sinkhorn::new(regularization)?;
        if let Some(tolerance) = self.sinkhorn_tolerance {
            sinkhorn = sinkhorn.with_tolerance(tolerance)?;
        }
        Ok(self.sinkhorn_iterations.map_or(sinkhorn, |iterations| sinkhorn.with_max_iterations(iterations)))
    }

    pub(super) fn critic(&self) -> CriticArg {
        self.critic.unwrap_or(CriticArg::Quadratic)
    }
}

/// How to estimate a divergence from samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum EstimatorArg {
    /// Count into common bins (one dimension each)
    Histogram,
    /// Distances to nearest neighbours (kl, reverse-kl and mutual-information)
    Knn,
    /// A lower bound with a trained critic
    Variational,
}

/// The critic of the variational bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum CriticArg {
    /// The coordinates
    Linear,
    /// Coordinates and their products
    Quadratic,
    /// Coordinates and random cosines
    Fourier,
    /// A network with two hidden layers
    Mlp,
}

impl EstimatorArg {
    pub fn with(self, args: &DivergenceArgs) -> Estimator {
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
    pub fn estimates(self, divergence: Divergence) -> bool {
        match self {
            EstimatorArg::Histogram => true,
            EstimatorArg::Knn => compute::neighbour_order(divergence).is_some(),
            EstimatorArg::Variational => matches!(divergence, Divergence::F(_)),
        }
    }
}
