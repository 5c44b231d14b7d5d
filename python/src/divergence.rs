//! Divergences between distributions.

use gan_metrics::divergence::continuous::{self, DensityDivergence};
use gan_metrics::divergence::estimators::{Bins, Histogram, knn_kullback_leibler};
use gan_metrics::divergence::gaussian::{GaussianDivergence, wasserstein_2};
use gan_metrics::divergence::transport::{
    WassersteinOrder, sliced_wasserstein, wasserstein_densities, wasserstein_line, wasserstein_samples,
};
use gan_metrics::divergence::{
    Base, Density, Distribution, Divergence, Estimate, GaussianPair, Generator, Integral, MultivariateNormal,
    divergence as discrete,
};
use gan_metrics::ndarray::ArrayView2;
use gan_metrics::{Blame, Result, error::Blamed};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::work;

/// What has no value.
#[derive(Debug)]
struct Unavailable(String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

impl Blamed for Unavailable {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// P or Q, of which Python has found out what it is.
#[derive(FromPyObject)]
pub enum Given<'py> {
    Density(String),
    Gaussian(PyReadonlyArray1<'py, f64>, PyReadonlyArray2<'py, f64>),
    Probabilities(PyReadonlyArray1<'py, f64>),
    Samples(PyReadonlyArray2<'py, f64>),
}

/// The same without Python.
enum Known<'a> {
    Density(&'a str),
    Gaussian(gan_metrics::ndarray::ArrayView1<'a, f64>, ArrayView2<'a, f64>),
    Probabilities(Vec<f64>),
    Samples(ArrayView2<'a, f64>),
}

impl Given<'_> {
    fn lend(&self) -> Known<'_> {
        match self {
            Given::Density(text) => Known::Density(text),
            Given::Gaussian(mean, covariance) => Known::Gaussian(mean.as_array(), covariance.as_array()),
            Given::Probabilities(array) => Known::Probabilities(array.as_array().to_vec()),
            Given::Samples(array) => Known::Samples(array.as_array()),
        }
    }
}

/// How a value is computed where there is a choice.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    normalize: bool,
    base: Option<f64>,
    estimator: Option<String>,
    bins: Option<usize>,
    pseudocount: f64,
    neighbours: usize,
    slices: Option<usize>,
    samples: usize,
    seed: u64,
    points: Option<Vec<f64>>,
}

/// A value, how it was computed, and what is known of its error: a bound, or the ends of a 95 % interval.
type Found = (f64, &'static str, Option<f64>, Option<(f64, f64)>);

fn exact(value: f64, method: &'static str) -> Found {
    (value, method, None, None)
}

fn bounded(Integral { value, error_bound, .. }: Integral) -> Found {
    (value, "quadrature", Some(error_bound), None)
}

fn estimated(Estimate { value, lower, upper, .. }: Estimate, method: &'static str) -> Found {
    (value, method, None, Some((lower, upper)))
}

/// The divergence of P from Q by its name.
#[pyfunction]
pub fn divergence(py: Python<'_>, name: &str, p: Given<'_>, q: Given<'_>, options: Options) -> PyResult<Found> {
    let (p, q) = (p.lend(), q.lend());
    work::run(py, move |_| match order(name)? {
        Some(order) => transport(order, p, q, &options),
        None => {
            let kind: Divergence = name.parse()?;
            let factor = match options.base {
                Some(base) => kind.unit(Base::new(base)?)?,
                None => 1.0,
            };
            let (value, method, bound, interval) = of_kind(kind, p, q, &options)?;
            let scaled = interval.map(|(lower, upper)| (lower * factor, upper * factor));
            Ok((value * factor, method, bound.map(|bound| bound * factor), scaled))
        }
    })
}

/// The order of a Wasserstein distance: w1, w2, w1.5, emd.
fn order(name: &str) -> Result<Option<WassersteinOrder>> {
    let name = name.to_ascii_lowercase();
    let inner = name.strip_prefix("wasserstein(").and_then(|rest| rest.strip_suffix(')'));
    let text = if name == "emd" { Some("1") } else { inner.or_else(|| name.strip_prefix('w')) };
    Ok(text.and_then(|text| text.trim().parse().ok()).map(WassersteinOrder::new).transpose()?)
}

fn distributions(p: Vec<f64>, q: Vec<f64>, normalize: bool) -> Result<[Distribution; 2]> {
    let of = |values| if normalize { Distribution::normalized(values) } else { Distribution::new(values) };
    Ok([of(p)?, of(q)?])
}

fn of_kind(kind: Divergence, p: Known<'_>, q: Known<'_>, options: &Options) -> Result<Found> {
    Ok(match (p, q) {
        (Known::Probabilities(p), Known::Probabilities(q)) => {
            let [p, q] = distributions(p, q, options.normalize)?;
            exact(discrete(kind, &p, &q)?, "exact")
        }
        (Known::Density(p), Known::Density(q)) => {
            let (p, q): (Density, Density) = (p.parse()?, q.parse()?);
            match continuous::divergence(kind, &p, &q)? {
                DensityDivergence::Quadrature(integral) => bounded(integral),
                found => exact(found.value(), "closed-form"),
            }
        }
        (Known::Gaussian(mp, cp), Known::Gaussian(mq, cq)) => {
            let (p, q) = (
                MultivariateNormal::new(mp.to_owned(), cp.to_owned())?,
                MultivariateNormal::new(mq.to_owned(), cq.to_owned())?,
            );
            match GaussianPair::new(&p, &q)?.divergence(kind, options.samples, options.seed)? {
                GaussianDivergence::ClosedForm(value) => exact(value, "closed-form"),
                GaussianDivergence::MonteCarlo(estimate) => estimated(estimate, "monte-carlo"),
            }
        }
        (Known::Samples(p), Known::Samples(q)) => of_samples(kind, p, q, options)?,
        _ => return Err(mixed()),
    })
}

fn mixed() -> gan_metrics::Error {
    let forms = "two lists of probabilities, two densities, two Gaussians, or two arrays of samples";
    Unavailable(format!("p and q are of different kinds: give {forms}")).into()
}

fn of_samples(kind: Divergence, p: ArrayView2<'_, f64>, q: ArrayView2<'_, f64>, options: &Options) -> Result<Found> {
    match options.estimator.as_deref() {
        Some("knn") => {
            let exchanged = kind == Divergence::F(Generator::REVERSE_KULLBACK_LEIBLER);
            if !exchanged && kind != Divergence::F(Generator::KULLBACK_LEIBLER) {
                return Err(Unavailable("nearest neighbours estimate kl and reverse-kl only".into()).into());
            }
            let (p, q) = if exchanged { (q, p) } else { (p, q) };
            Ok(exact(knn_kullback_leibler(p, q, options.neighbours)?.value, "nearest-neighbours"))
        }
        Some("histogram") if p.ncols() == 1 && q.ncols() == 1 => {
            let (p, q): (Vec<f64>, Vec<f64>) = (p.iter().copied().collect(), q.iter().copied().collect());
            let bins = options.bins.map_or(Bins::FreedmanDiaconis, Bins::Count);
            let (p, q) = Histogram::new(&p, &q, bins)?.distributions(options.pseudocount)?;
            Ok(exact(discrete(kind, &p, &q)?, "plug-in"))
        }
        Some("histogram") => {
            Err(Unavailable("a histogram is of samples of one dimension: use estimator=\"knn\"".into()).into())
        }
        _ => Err(Unavailable("samples need an estimator: \"histogram\" or \"knn\"".into()).into()),
    }
}

fn transport(order: WassersteinOrder, p: Known<'_>, q: Known<'_>, options: &Options) -> Result<Found> {
    Ok(match (p, q) {
        (Known::Probabilities(p), Known::Probabilities(q)) => {
            let [p, q] = distributions(p, q, options.normalize)?;
            let points = |of: &Distribution| {
                options.points.clone().unwrap_or_else(|| (0..of.len()).map(|index| index as f64).collect())
            };
            exact(wasserstein_line(&points(&p), &p, &points(&q), &q, order)?, "exact")
        }
        (Known::Density(p), Known::Density(q)) => bounded(wasserstein_densities(&p.parse()?, &q.parse()?, order)?),
        (Known::Gaussian(mp, cp), Known::Gaussian(mq, cq)) if order == WassersteinOrder::TWO => {
            let (p, q) = (
                MultivariateNormal::new(mp.to_owned(), cp.to_owned())?,
                MultivariateNormal::new(mq.to_owned(), cq.to_owned())?,
            );
            exact(wasserstein_2(&p, &q)?, "closed-form")
        }
        (Known::Gaussian(..), Known::Gaussian(..)) => {
            return Err(Unavailable("of Gaussians only w2 has a formula: draw samples for other orders".into()).into());
        }
        (Known::Samples(p), Known::Samples(q)) => match options.slices {
            Some(directions) => estimated(sliced_wasserstein(p, q, order, directions, options.seed)?, "sliced"),
            None => exact(wasserstein_samples(p, q, order)?, "exact"),
        },
        _ => return Err(mixed()),
    })
}
