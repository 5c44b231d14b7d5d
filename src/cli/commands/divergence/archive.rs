//! Arrays of `.npz` files: samples by the name of an array, and mixtures of Gaussians.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ndarray::{Array, Array1, Array2, ArrayD, Axis, Dimension, Ix1, Ix2};

use super::input::{InputError, unusable};
use crate::divergence::{Distribution, GaussianMixture, MultivariateNormal};
use crate::stats::archive::ArrayArchive;
use crate::stats::fault::Fault;

/// An array that is named.
///
/// # Errors
/// [`InputError::Format`] when there is none of this name, or it cannot be read.
pub(super) fn array(path: &Path, expected: &'static str, name: &str) -> Result<ArrayD<f64>, InputError> {
    of_archive(path, expected, &mut open_archive(path, expected)?, name)
}

/// Whether a file holds a mixture, by the names of its arrays.
pub(super) fn holds_mixture(path: &Path) -> bool {
    is_mixture(&ArrayArchive::names_in(path))
}

fn open_archive(path: &Path, expected: &'static str) -> Result<ArrayArchive<BufReader<File>>, InputError> {
    ArrayArchive::open(path).map_err(|fault| damaged(path, expected, fault))
}

fn damaged(path: &Path, expected: &'static str, fault: Fault) -> InputError {
    match fault {
        Fault::Io(source) => InputError::File { path: path.display().to_string(), source },
        Fault::Malformed(reason) => unusable(path, expected, reason),
    }
}

/// An array of an archive, by its name.
fn of_archive<D: Dimension>(
    path: &Path,
    expected: &'static str,
    archive: &mut ArrayArchive<BufReader<File>>,
    name: &str,
) -> Result<Array<f64, D>, InputError> {
    let array = archive.doubles(name).map_err(|fault| damaged(path, expected, fault))?;
    array.ok_or_else(|| {
        unusable(path, expected, format!("it has no array `{name}`, but {}", archive.names().join(", ")))
    })
}

/// The arrays of a mixture, as scikit-learn calls its attributes, without the underscore behind.
const MIXTURE: [&str; 3] = ["weights", "means", "covariances"];

/// What a mixture's array is called in an archive of these arrays.
fn mixture_array(names: &[String], array: &str) -> Option<String> {
    names.iter().find(|name| name.strip_suffix('_').unwrap_or(name) == array).cloned()
}

fn is_mixture(names: &[String]) -> bool {
    MIXTURE.iter().all(|array| mixture_array(names, array).is_some())
}

/// Weights (k), means (k×d) and covariances (k×d×d, or k×d of independent coordinates).
pub(super) fn mixture(path: &Path) -> crate::Result<GaussianMixture> {
    const EXPECTED: &str = "mixture of Gaussians";
    let mut archive = open_archive(path, EXPECTED)?;
    let names = archive.names();
    let [weights, means, covariances] = MIXTURE.map(|array| mixture_array(&names, array).unwrap_or_default());
    let weights: Array1<f64> = of_archive(path, EXPECTED, &mut archive, &weights)?;
    let means: Array2<f64> = of_archive(path, EXPECTED, &mut archive, &means)?;
    let covariances: ArrayD<f64> = of_archive(path, EXPECTED, &mut archive, &covariances)?;
    let unfit = || {
        let (means, covariances) = (means.shape(), covariances.shape());
        unusable(path, EXPECTED, format!("covariances of shape {covariances:?} do not fit means of shape {means:?}"))
    };
    let (count, dimensions) = means.dim();
    let covariances: Vec<Array2<f64>> = match *covariances.shape() {
        [k, d, e] if (k, d, e) == (count, dimensions, dimensions) => (covariances.axis_iter(Axis(0)))
            .map(|covariance| covariance.to_owned().into_dimensionality::<Ix2>().expect("it has two axes left"))
            .collect(),
        [k, d] if (k, d) == (count, dimensions) => (covariances.axis_iter(Axis(0)))
            .map(|variances| Array2::from_diag(&variances.into_dimensionality::<Ix1>().expect("it has one axis left")))
            .collect(),
        _ => return Err(unfit().into()),
    };
    let components = means.outer_iter().zip(covariances);
    let components: Result<Vec<MultivariateNormal>, _> =
        components.map(|(mean, covariance)| MultivariateNormal::new(mean.to_owned(), covariance)).collect();
    let weights = Distribution::new(weights.to_vec()).map_err(|error| unusable(path, EXPECTED, error))?;
    Ok(GaussianMixture::new(&weights, components?)?)
}
