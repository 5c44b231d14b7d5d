//! Which options matter for what is computed: a table, so that none is passed over in silence.

use clap::ValueEnum;

use crate::divergence::GaussianPair;
use crate::error::{Blame, Blamed};

use super::input::{self, Kind};
use super::{CriticArg, DivergenceArgs, EstimatorArg, Measure, Quantity};

/// Arguments that do not go together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentsError {
    /// P or Q is not given.
    #[error("{which} is missing: give both distributions, as `divergence kl P Q` or by --p and --q")]
    Missing {
        /// `P` or `Q`.
        which: char,
    },
    /// The list of names, and something that it is not about.
    #[error("`divergence list` prints what can be computed and takes --json alone: drop the rest")]
    ListAlone,
    /// Samples and no estimator.
    #[error("a divergence of samples must be estimated: choose --estimator histogram, knn or variational")]
    EstimatorMissing,
    /// An option that means nothing here.
    #[error("{option} is for {purpose}, it has no effect on {task}: drop it")]
    OptionUnused {
        /// The option.
        option: &'static str,
        /// What it is for.
        purpose: &'static str,
        /// What is computed, of what and how.
        task: String,
    },
    /// The combination is not available.
    #[error("{what} is not available for {subject}: {remedy}")]
    Unavailable {
        /// What was asked for.
        what: String,
        /// What it was asked for.
        subject: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
    /// The picture would not be what its name says.
    #[error("--plot draws SVG, and {path} names another format: choose a name that ends in .svg")]
    PlotFormat {
        /// The name.
        path: String,
    },
}

impl Blamed for ArgumentsError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// An option: whether it was given, whether it changes anything, and what it is for.
struct Usage {
    option: &'static str,
    given: bool,
    applies: bool,
    purpose: &'static str,
}

/// Checks that the list of names is asked for and nothing else.
pub(super) fn check_list(args: &DivergenceArgs) -> Result<(), ArgumentsError> {
    let alone = DivergenceArgs { measure: args.measure.clone(), json: args.json, ..DivergenceArgs::default() };
    if *args == alone { Ok(()) } else { Err(ArgumentsError::ListAlone) }
}

/// Checks that every option given has an effect on these quantities of P and Q.
pub(super) fn check(
    args: &DivergenceArgs,
    measure: Measure,
    quantities: &[Quantity],
    kind: Kind,
) -> Result<(), ArgumentsError> {
    let divergences = || {
        quantities.iter().filter_map(|quantity| match quantity {
            Quantity::Divergence(divergence) => Some(*divergence),
            Quantity::Wasserstein(_) => None,
        })
    };
    let transports = quantities.iter().any(|quantity| matches!(quantity, Quantity::Wasserstein(_)));
    let (of_probabilities, of_samples) = (kind == Kind::Probabilities, kind == Kind::Samples);
    let estimates = of_samples && divergences().next().is_some();
    if estimates && args.estimator.is_none() {
        return Err(ArgumentsError::EstimatorMissing);
    }
    let estimator = args.estimator.filter(|_| estimates);
    let estimates_by = |which| estimator == Some(which);
    let variational = estimates_by(EstimatorArg::Variational);
    let critic = |which| variational && args.critic() == which;
    let draws = kind == Kind::Gaussians && divergences().any(|divergence| !GaussianPair::has_formula(divergence));
    let slices = transports && of_samples;
    let is_random = draws || variational || (slices && args.slices.is_some());

    let usage = |option, given, applies, purpose| Usage { option, given, applies, purpose };
    let (histogram, knn) = (estimates_by(EstimatorArg::Histogram), estimates_by(EstimatorArg::Knn));
    let (fourier, mlp) = (critic(CriticArg::Fourier), critic(CriticArg::Mlp));
    // The picture of probabilities has them at their points.
    let of_game = measure == Measure::GanValue && kind == Kind::Densities;
    let places = of_game || (of_probabilities && (transports || args.plot.is_some()));
    let is_table = |text: &str| input::is_table(text);
    let tables = of_probabilities && args.distributions()?.into_iter().any(is_table);
    let entropic = transports && of_probabilities && args.sinkhorn.is_some();
    let exact = matches!(measure, Measure::Wasserstein(_))
        && (of_probabilities || of_samples)
        && args.sinkhorn.is_none()
        && args.slices.is_none();
    let logarithms = divergences().any(|divergence| divergence.is_in_nats());
    let usages = [
        usage("--normalize", args.normalize, of_probabilities, "probabilities"),
        usage("--base", args.base.is_some(), logarithms, "divergences that are logarithms"),
        usage("--estimator", args.estimator.is_some(), estimates, "divergences of samples (.npy)"),
        usage("--bins", args.bins.is_some(), histogram, "--estimator histogram"),
        usage("--pseudocount", args.pseudocount.is_some(), histogram, "--estimator histogram"),
        usage("--neighbours", args.neighbours.is_some(), knn, "--estimator knn"),
        usage("--critic", args.critic.is_some(), variational, "--estimator variational"),
        usage("--cosines", args.cosines.is_some(), fourier, "--critic fourier"),
        usage("--bandwidth", args.bandwidth.is_some(), fourier, "--critic fourier"),
        usage("--hidden", args.hidden.is_some(), mlp, "--critic mlp"),
        usage("--column", args.column.is_some(), tables, "files of probabilities"),
        usage(
            "--points",
            args.points.is_some(),
            places,
            "transport of probabilities, their pictures, and gan-value of densities",
        ),
        usage("--sinkhorn-tolerance", args.sinkhorn_tolerance.is_some(), entropic, "--sinkhorn"),
        usage("--sinkhorn-iterations", args.sinkhorn_iterations.is_some(), entropic, "--sinkhorn"),
        usage("--transport-plan", args.transport_plan.is_some(), exact, "exact transport of probabilities or samples"),
        usage("--potentials", args.potentials.is_some(), exact, "exact transport of probabilities or samples"),
        usage("--sinkhorn", args.sinkhorn.is_some(), transports && of_probabilities, "transport of probabilities"),
        usage("--slices", args.slices.is_some(), slices, "transport of samples"),
        usage("--samples", args.samples.is_some(), draws, "divergences of Gaussians that have no formula"),
        usage("--seed", args.seed.is_some(), is_random, "Monte Carlo, --slices and --estimator variational"),
    ];
    match usages.into_iter().find(|usage| usage.given && !usage.applies) {
        Some(Usage { option, purpose, .. }) => {
            let how = estimator.and_then(|estimator| estimator.to_possible_value());
            let how = how.map_or(String::new(), |how| format!(" by {}", how.get_name()));
            let task = format!("{} of {}{how}", args.measure, kind.name());
            Err(ArgumentsError::OptionUnused { option, purpose, task })
        }
        None => Ok(()),
    }
}
