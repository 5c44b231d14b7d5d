//! Which options matter for what is computed: a table, so that none is passed over in silence.

use clap::ValueEnum;

use crate::divergence::GaussianPair;
use crate::error::{Blame, Blamed};
use crate::report::plot::FormatError;

use super::input::{self, Kind};
use super::{CriticArg, DivergenceArgs, EstimatorArg, Measure, Quantity, Test};

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
    /// The discriminator is of other points.
    #[error("--discriminator gives {given} probabilities, and P and Q have {entries} entries: give one for each")]
    Discriminator {
        /// How many it gives.
        given: usize,
        /// How many there are.
        entries: usize,
    },
    /// The picture would not be what its name says.
    #[error(transparent)]
    Format(#[from] FormatError),
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

/// Checks that the measure is of such P and Q.
fn check_kind(measure: Measure, kind: Kind) -> Result<(), ArgumentsError> {
    let unavailable =
        |what: &str, remedy| ArgumentsError::Unavailable { what: what.to_owned(), subject: kind.name(), remedy };
    match (measure, kind) {
        (Measure::Test(test), _) => test.check(kind),
        (Measure::MutualInformation, Kind::Samples) => Ok(()),
        (Measure::MutualInformation, _) => {
            Err(unavailable("mutual information", "give samples of both, observed together, one a row (.npy)"))
        }
        (Measure::One(_) | Measure::GanValue | Measure::Wasserstein(_), Kind::Fit) => {
            Err(unavailable("a divergence", "ask for ks, cvm or ad, or give both as samples or as densities"))
        }
        _ => Ok(()),
    }
}

/// Checks that every option given has an effect on these quantities of P and Q.
pub(super) fn check(
    args: &DivergenceArgs,
    measure: Measure,
    quantities: &[Quantity],
    kind: Kind,
) -> Result<(), ArgumentsError> {
    check_kind(measure, kind)?;
    let divergences = || {
        quantities.iter().filter_map(|quantity| match quantity {
            Quantity::Divergence(divergence) => Some(*divergence),
            Quantity::Wasserstein(_) | Quantity::Test(_) | Quantity::MutualInformation => None,
        })
    };
    let transports = quantities.iter().any(|quantity| matches!(quantity, Quantity::Wasserstein(_)));
    let (of_probabilities, of_samples) = (kind == Kind::Probabilities, kind == Kind::Samples);
    let informs = measure == Measure::MutualInformation;
    let estimates = of_samples && (informs || divergences().next().is_some());
    if estimates && args.estimator.is_none() {
        return Err(ArgumentsError::EstimatorMissing);
    }
    let estimator = args.estimator.filter(|_| estimates);
    let estimates_by = |which| estimator == Some(which);
    let variational = estimates_by(EstimatorArg::Variational);
    let critic = |which| variational && args.critic() == which;
    let has_formula = |divergence| kind == Kind::Gaussians && GaussianPair::has_formula(divergence);
    let is_gaussian = matches!(kind, Kind::Gaussians | Kind::Mixtures);
    let integrates = is_gaussian && divergences().any(|divergence| !has_formula(divergence));
    let tests = quantities.iter().any(|quantity| matches!(quantity, Quantity::Test(_)));
    let by_kernel = quantities.contains(&Quantity::Test(Test::Mmd));
    let slices = transports && of_samples;
    let is_random = integrates || tests || variational || (slices && args.slices.is_some());

    let usage = |option, given, applies, purpose| Usage { option, given, applies, purpose };
    let (histogram, knn) = (estimates_by(EstimatorArg::Histogram), estimates_by(EstimatorArg::Knn));
    let smooths = histogram && !informs;
    let (fourier, mlp) = (critic(CriticArg::Fourier), critic(CriticArg::Mlp));
    // The picture of probabilities has them at their points.
    let of_game = measure == Measure::GanValue && kind == Kind::Densities;
    let places = of_game || (of_probabilities && (transports || args.plot.is_some()));
    let texts = args.distributions()?;
    let tables = of_probabilities && texts.into_iter().any(input::is_table);
    let archives = texts.into_iter().any(input::is_archive);
    let entropic = transports && of_probabilities && args.sinkhorn.is_some();
    let exact = matches!(measure, Measure::Wasserstein(_))
        && (of_probabilities || of_samples)
        && args.sinkhorn.is_none()
        && args.slices.is_none();
    let logarithms = informs || divergences().any(|divergence| divergence.is_in_nats());
    let usages = [
        usage("--normalize", args.normalize, of_probabilities, "probabilities"),
        usage("--base", args.base.is_some(), logarithms, "divergences that are logarithms"),
        usage("--estimator", args.estimator.is_some(), estimates, "divergences of samples (.npy)"),
        usage("--bins", args.bins.is_some(), histogram, "--estimator histogram"),
        usage("--pseudocount", args.pseudocount.is_some(), smooths, "--estimator histogram of divergences"),
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
        usage(
            "--discriminator",
            args.discriminator.is_some(),
            measure == Measure::GanValue && of_probabilities,
            "gan-value of probabilities",
        ),
        usage("--sinkhorn-tolerance", args.sinkhorn_tolerance.is_some(), entropic, "--sinkhorn"),
        usage("--sinkhorn-iterations", args.sinkhorn_iterations.is_some(), entropic, "--sinkhorn"),
        usage("--transport-plan", args.transport_plan.is_some(), exact, "exact transport of probabilities or samples"),
        usage("--potentials", args.potentials.is_some(), exact, "exact transport of probabilities or samples"),
        usage("--sinkhorn", args.sinkhorn.is_some(), transports && of_probabilities, "transport of probabilities"),
        usage("--slices", args.slices.is_some(), slices, "transport of samples"),
        usage("--samples", args.samples.is_some(), integrates, "divergences of Gaussians that have no formula"),
        usage("--array", args.array.is_some(), archives, "samples in .npz files"),
        usage("--draws", args.draws.is_some(), tests, "p-values of samples"),
        usage("--kernel-length", args.kernel_length.is_some(), by_kernel, "mmd"),
        usage("--seed", args.seed.is_some(), is_random, "Monte Carlo, p-values, --slices and --estimator variational"),
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
