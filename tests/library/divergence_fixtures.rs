//! The divergence calculator against mpmath at 50 digits, scipy and POT: `python_ref/make_divergence_fixtures.py`.

use gan_metrics::divergence::estimators::knn_kullback_leibler;
use gan_metrics::divergence::gaussian::wasserstein_2;
use gan_metrics::divergence::transport::{
    Sinkhorn, WassersteinOrder, cost_matrix, optimal_transport, sliced_wasserstein_along, wasserstein_line,
    wasserstein_samples,
};
use gan_metrics::divergence::{
    Density, Distribution, Divergence, GaussianPair, Generator, MultivariateNormal, continuous, divergence,
};
use ndarray::{Array1, Array2};
use serde_json::Value;

use crate::support;

/// What the issue of cancellation and of extreme probabilities may cost: nothing beyond rounding of powers and logarithms.
const DISCRETE: f64 = 1e-12;
/// Functions of one argument.
const GENERATOR: f64 = 1e-13;
/// Eigendecompositions of matrices with condition numbers of about 100.
const GAUSSIAN: f64 = 1e-11;
/// The error bound that quadrature aims for, and rounding of log-densities.
const QUADRATURE: f64 = 1e-12;
/// statrs's complementary error function in the tails; densities and the other functions are far closer.
const SPECIAL: f64 = 1e-9;
/// POT's network simplex and exact one-dimensional transport, in f64.
const TRANSPORT: f64 = 1e-12;
/// Both stop when their marginals are off by less than 1e-12.
const SINKHORN: f64 = 1e-9;

fn fixture(name: &str) -> Value {
    support::fixture(&format!("divergence/{name}"))
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<_> = value.as_array().unwrap().iter().map(numbers).collect();
    let columns = rows[0].len();
    Array2::from_shape_vec((rows.len(), columns), rows.concat()).unwrap()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, f64)> {
    value.as_object().unwrap().iter().map(|(name, value)| (name, number(value)))
}

/// Relative error; infinities must agree.
fn assert_close(actual: f64, expected: f64, tolerance: f64, what: &str) {
    let close = (actual - expected).abs() <= tolerance * expected.abs();
    assert!(actual == expected || close, "{what}: {actual:e} instead of {expected:e}");
}

#[test]
fn generators_and_conjugates() {
    for case in fixture("generators.json").as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let generator: Generator = name.parse().unwrap();
        let (u, slope) = (number(&case["u"]), number(&case["slope"]));
        let what = |part: &str| format!("{part} of {name} at {u}");
        // Near a zero of the function its terms set the scale, not its value.
        let scaled = |actual: f64, expected: f64, scale: f64, what: &str| {
            assert!((actual - expected).abs() <= GENERATOR * expected.abs().max(scale), "{what}: {actual} {expected}");
        };
        scaled(generator.f(u), number(&case["f"]), 1.0, &what("f"));
        scaled(generator.slope(u), slope, 1.0, &what("f′"));
        // The conjugate is as steep as u, and its argument has been rounded.
        scaled(generator.conjugate(slope), number(&case["conjugate"]), 1.0 + u * slope.abs(), &what("f*"));
    }
}

#[test]
fn discrete_distributions_to_full_precision() {
    for case in fixture("discrete.json").as_array().unwrap() {
        let distribution = |key: &str| Distribution::new(numbers(&case[key])).unwrap();
        let (p, q) = (distribution("p"), distribution("q"));
        for (name, expected) in entries(&case["values"]) {
            let kind: Divergence = name.parse().unwrap();
            let actual = divergence(kind, &p, &q).unwrap();
            let what = format!("{name} of {}", case["title"]);
            assert_close(actual, expected, DISCRETE, &what);
        }
    }
}

#[test]
fn gaussians() {
    for case in fixture("gaussian.json").as_array().unwrap() {
        let gaussian = |which: &str| {
            let mean = Array1::from(numbers(&case[format!("mean_{which}")]));
            MultivariateNormal::new(mean, matrix(&case[format!("covariance_{which}")])).unwrap()
        };
        let (p, q) = (gaussian("p"), gaussian("q"));
        let pair = GaussianPair::new(&p, &q).unwrap();
        for (name, expected) in entries(&case["values"]) {
            let actual = pair.closed_form(name.parse().unwrap()).unwrap();
            assert_close(actual, expected, GAUSSIAN, &format!("{name} in {} dimensions", p.dim()));
        }
        let expected = number(&case["wasserstein_2"]);
        // W₂² is a difference of traces: what is lost is relative to these.
        let traces = p.covariance().diag().sum() + q.covariance().diag().sum();
        let error = (wasserstein_2(&p, &q).unwrap().powi(2) - expected * expected).abs();
        assert!(error <= 1e-14 * traces, "W2 in {} dimensions: off by {error}", p.dim());
    }
}

#[test]
fn densities_by_quadrature() {
    let fixture = fixture("densities.json");
    for case in fixture["pairs"].as_array().unwrap() {
        let density = |key: &str| case[key].as_str().unwrap().parse::<Density>().unwrap();
        let (p, q) = (density("p"), density("q"));
        let values: Vec<_> = entries(&case["values"]).collect();
        assert!(!values.is_empty(), "no reference values for {p} and {q}");
        for (name, expected) in values {
            let integral = continuous::by_quadrature(name.parse().unwrap(), &p, &q).unwrap();
            let what = format!("{name} of {p} and {q}");
            assert_close(integral.value, expected, QUADRATURE, &what);
            let error = (integral.value - expected).abs();
            assert!(error <= integral.error_bound, "{what}: bound {} but error {error}", integral.error_bound);
        }
    }
    for case in fixture["functions"].as_array().unwrap() {
        let density: Density = case["density"].as_str().unwrap().parse().unwrap();
        let columns = ["cdf", "survival", "pdf"].map(|key| numbers(&case[key]));
        for (index, x) in numbers(&case["points"]).into_iter().enumerate() {
            let actual = [density.cdf(x), density.survival(x), density.pdf(x)];
            for (actual, column) in actual.into_iter().zip(&columns) {
                assert_close(actual, column[index], SPECIAL, &format!("{density} at {x}"));
            }
        }
    }
}

#[test]
fn transport() {
    for case in fixture("transport.json").as_array().unwrap() {
        let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
        let distribution = |key: &str| Distribution::new(numbers(&case[key])).unwrap();
        let (p, q) = (distribution("p"), distribution("q"));
        let cost = |order| cost_matrix(x.view(), y.view(), order).unwrap();
        let exact = |order| optimal_transport(&p, &q, cost(order).view()).unwrap().cost;
        assert_close(exact(WassersteinOrder::ONE), number(&case["emd_euclidean"]), TRANSPORT, "emd2, Euclidean");
        assert_close(exact(WassersteinOrder::TWO), number(&case["emd_squared"]), TRANSPORT, "emd2, squared");
        let uniform = wasserstein_samples(x.view(), y.view(), WassersteinOrder::ONE).unwrap();
        assert_close(uniform, number(&case["emd_uniform"]), TRANSPORT, "emd2, uniform");

        let sinkhorn = Sinkhorn::new(number(&case["regularization"])).unwrap();
        let sinkhorn = sinkhorn.with_tolerance(1e-12).unwrap().with_max_iterations(100_000);
        let entropic = sinkhorn.plan(&p, &q, cost(WassersteinOrder::TWO).view()).unwrap();
        assert_close(entropic.cost, number(&case["sinkhorn"]), SINKHORN, "sinkhorn2");

        let directions = matrix(&case["directions"]);
        let sliced = sliced_wasserstein_along(x.view(), y.view(), WassersteinOrder::TWO, directions.view()).unwrap();
        assert_close(sliced.value, number(&case["sliced_2"]), TRANSPORT, "sliced_wasserstein_distance");

        let (first_x, first_y) = (x.column(0).to_vec(), y.column(0).to_vec());
        let line = |order| wasserstein_line(&first_x, &p, &first_y, &q, order).unwrap();
        assert_close(
            line(WassersteinOrder::ONE),
            number(&case["first_coordinate_1"]),
            TRANSPORT,
            "wasserstein_distance",
        );
        let squared = line(WassersteinOrder::TWO).powi(2);
        assert_close(squared, number(&case["first_coordinate_squared_2"]), TRANSPORT, "wasserstein_1d");
    }
}

#[test]
fn nearest_neighbours() {
    let fixture = fixture("neighbours.json");
    let (p, q) = (matrix(&fixture["p"]), matrix(&fixture["q"]));
    for (neighbours, expected) in entries(&fixture["values"]) {
        let estimate = knn_kullback_leibler(p.view(), q.view(), neighbours.parse().unwrap()).unwrap();
        assert_close(estimate.value, expected, TRANSPORT, &format!("k = {neighbours}"));
    }
}

/// Covariances with known relative eigenvalues in the dimension of Inception features.
///
/// Takes minutes without optimisation: `cargo test --release -- --ignored large_gaussians`.
#[test]
#[ignore = "two eigendecompositions in 2048 dimensions"]
fn large_gaussians() {
    check_householder_gaussians(2048);
}

#[test]
fn middling_gaussians() {
    check_householder_gaussians(96);
}

/// P and Q have covariances H·D·H with one Householder reflection H, so that every divergence is a sum over D.
fn check_householder_gaussians(dim: usize) {
    let normal = Array1::from_shape_fn(dim, |i| ((i as f64 + 1.0) * 0.7).sin());
    let normal = &normal / normal.dot(&normal).sqrt();
    let reflected = |diagonal: &Array1<f64>| {
        let weighted = diagonal * &normal;
        let quadratic = normal.dot(&weighted);
        Array2::from_shape_fn((dim, dim), |(i, j)| {
            let plain = if i == j { diagonal[i] } else { 0.0 };
            plain - 2.0 * (normal[i] * weighted[j] + weighted[i] * normal[j]) + 4.0 * quadratic * normal[i] * normal[j]
        })
    };
    let variances_p = Array1::from_shape_fn(dim, |i| 1.0 + 0.5 * (i as f64).cos());
    let variances_q = Array1::from_shape_fn(dim, |i| 1.5 + (0.3 * i as f64).sin());
    let zero = Array1::zeros(dim);
    let p = MultivariateNormal::new(zero.clone(), reflected(&variances_p)).unwrap();
    let q = MultivariateNormal::new(zero, reflected(&variances_q)).unwrap();
    let ratios = || variances_p.iter().zip(&variances_q).map(|(p, q)| p / q);
    let kl: f64 = ratios().map(|ratio| 0.5 * (ratio - 1.0 - ratio.ln())).sum();
    let bhattacharyya: f64 = ratios().map(|ratio| 0.5 * (0.5 * (ratio + 1.0) / ratio.sqrt()).ln()).sum();
    let pair = GaussianPair::new(&p, &q).unwrap();
    let value = |name: &str| pair.closed_form(name.parse().unwrap()).unwrap();
    assert_close(value("kl"), kl, GAUSSIAN, "KL");
    assert_close(value("bhattacharyya"), bhattacharyya, GAUSSIAN, "Bhattacharyya");
    let squared: f64 = variances_p.iter().zip(&variances_q).map(|(p, q)| (p.sqrt() - q.sqrt()).powi(2)).sum();
    assert_close(wasserstein_2(&p, &q).unwrap(), squared.sqrt(), GAUSSIAN, "W2");
}
