//! Divergences between distributions: f-divergences, their conjugates and variational bounds, transport distances.
//!
//! Everything starts from the definition D_f(P‖Q) = E_q\[f(p/q)\] with a convex f. [`generator`] holds the table of
//! generators f with everything that f-GANs need of them; the other modules say where the expectation can be computed:
//!
//! | given | module | exact? |
//! |---|---|---|
//! | probabilities of finitely many points | [`discrete`] | to rounding |
//! | means and covariances | [`gaussian`] | formulas; Monte Carlo with an interval where there is none |
//! | densities on the line | [`continuous`] | formulas; quadrature with an error bound where there is none |
//! | samples | [`estimators`], [`variational`] | estimates; lower bounds with an interval |
//! | samples, and samples or a density | [`significance`] | statistics with p-values |
//!
//! [`transport`] holds the Wasserstein distances, [`game`] the theorems on GANs that connect the two.

mod closed_form;
pub mod continuous;
mod density;
pub mod discrete;
mod estimate;
pub mod estimators;
pub mod game;
pub mod gaussian;
pub mod generator;
mod kind;
mod masses;
mod quadrature;
pub(crate) mod random;
pub mod significance;
pub mod transport;
pub mod variational;

pub use density::{Density, DensityError};
pub use discrete::{Distribution, DistributionError, divergence};
pub use estimate::Estimate;
pub use estimators::EstimatorError;
pub use gaussian::{GaussianMixture, GaussianPair, MultivariateNormal, MultivariateNormalError};
pub use generator::{ConjugateDomain, Generator, GeneratorError};
pub use kind::{Base, Divergence, DivergenceError, RenyiOrder};
pub use quadrature::{Integral, QuadratureError};
pub use transport::TransportError;
pub use variational::VariationalError;
