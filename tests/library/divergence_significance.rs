//! Test statistics, mutual information and mixtures of Gaussians against scipy, POT and numpy:
//! `python_ref/make_significance_fixtures.py`.

use gan_metrics::divergence::estimators::{histogram_mutual_information, knn_mutual_information};
use gan_metrics::divergence::significance::{GoodnessOfFit, Significance, TwoSample, goodness_of_fit, two_sample};
use gan_metrics::divergence::{Distribution, GaussianMixture, Generator, MultivariateNormal};
use ndarray::{Array1, Array2};
use serde_json::Value;

use crate::support;

/// Sums of at most a few thousand terms in another order.
const STATISTIC: f64 = 1e-12;
/// Differences of digammas, of size 5.
const INFORMATION: f64 = 1e-13;
/// scipy's optimiser stops at a gradient of 1e-10 at best.
const OPTIMUM: f64 = 1e-7;
/// Eigendecompositions of well-conditioned matrices.
const COMPONENTS: f64 = 1e-10;
const DRAWS: usize = 4999;
/// Standard errors that a p-value of so many draws, or a Monte Carlo mean, may be off: once in 15,000 times.
const ERRORS: f64 = 4.0;

fn fixture(name: &str) -> Value {
    support::fixture(&format!("divergence/{name}"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<_> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn assert_close(actual: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (actual - expected).abs() <= tolerance * (1.0 + expected.abs()),
        "{what}: {actual:e} instead of {expected:e}"
    );
}

/// The approximations of p-values that scipy makes for few samples are off by up to this.
const APPROXIMATION: f64 = 0.01;

fn check(test: Significance, expected: &Value, what: &str) {
    assert_close(test.statistic, expected[0].as_f64().unwrap(), STATISTIC, what);
    if let Some(p_value) = expected[1].as_f64() {
        let error = (p_value * (1.0 - p_value) / DRAWS as f64).sqrt() + 1.0 / DRAWS as f64;
        let allowed = ERRORS * error + APPROXIMATION;
        assert!((test.p_value - p_value).abs() < allowed, "{what}: p = {} instead of {p_value}", test.p_value);
    }
}

#[test]
fn goodness_of_fit_is_scipys() {
    for case in fixture("significance.json")["goodness"].as_array().unwrap() {
        let (samples, density) = (numbers(&case["samples"]), case["density"].as_str().unwrap());
        let of = |test| goodness_of_fit(test, &samples, &density.parse().unwrap(), DRAWS, 1).unwrap();
        let what = format!("{} samples against {density}", samples.len());
        check(of(GoodnessOfFit::KolmogorovSmirnov), &case["ks"], &what);
        check(of(GoodnessOfFit::CramerVonMises), &case["cvm"], &what);
        let statistic = of(GoodnessOfFit::AndersonDarling).statistic;
        assert_close(statistic, case["ad"].as_f64().unwrap(), STATISTIC, &what);
    }
}

#[test]
fn two_samples_are_scipys() {
    for case in fixture("significance.json")["two_samples"].as_array().unwrap() {
        let (p, q) = (matrix(&case["p"]), matrix(&case["q"]));
        let of = |test| two_sample(test, p.view(), q.view(), DRAWS, 1).unwrap();
        let what = format!("{} and {} samples", p.nrows(), q.nrows());
        for (test, name) in [(TwoSample::KolmogorovSmirnov, "ks"), (TwoSample::CramerVonMises, "cvm")] {
            if case[name].is_array() {
                check(of(test), &case[name], &format!("{name} of {what}"));
            }
        }
        for (test, name) in [
            (TwoSample::Energy, "energy"),
            (TwoSample::Mmd { length: None }, "mmd"),
            (TwoSample::Mmd { length: Some(2.0) }, "mmd_length_2"),
        ] {
            assert_close(of(test).statistic, case[name].as_f64().unwrap(), STATISTIC, &format!("{name} of {what}"));
        }
    }
}

#[test]
fn mutual_information_is_its_definition() {
    for case in fixture("mutual-information.json").as_array().unwrap() {
        let (x, y) = (matrix(&case["x"]), matrix(&case["y"]));
        for (neighbours, expected) in case["knn"].as_object().unwrap() {
            let estimate = knn_mutual_information(x.view(), y.view(), neighbours.parse().unwrap()).unwrap();
            assert_close(estimate.value, expected.as_f64().unwrap(), INFORMATION, neighbours);
        }
        for (bins, expected) in case["histogram"].as_object().into_iter().flatten() {
            let column = |values: &Array2<f64>| values.iter().copied().collect::<Vec<f64>>();
            let value = histogram_mutual_information(&column(&x), &column(&y), bins.parse().ok()).unwrap();
            assert_close(value, expected.as_f64().unwrap(), INFORMATION, bins);
        }
    }
}

fn mixture(value: &Value) -> GaussianMixture {
    let covariances = value["covariances"].as_array().unwrap();
    let parts = value["means"].as_array().unwrap().iter().zip(covariances);
    let gaussians = parts.map(|(mean, covariance)| {
        let covariance = matrix(covariance);
        // numpy's products are symmetric to rounding.
        MultivariateNormal::new(Array1::from(numbers(mean)), 0.5 * (&covariance + &covariance.t())).unwrap()
    });
    GaussianMixture::new(&Distribution::new(numbers(&value["weights"])).unwrap(), gaussians.collect()).unwrap()
}

#[test]
fn mixtures_are_those_of_quadrature_and_pot() {
    for case in fixture("mixtures.json").as_array().unwrap() {
        let (p, q) = (mixture(&case["p"]), mixture(&case["q"]));
        let expected = |name: &str| case[name].as_f64().unwrap();
        let bounds = p.kullback_leibler_bounds(&q).unwrap();
        assert_close(bounds.variational, expected("variational"), COMPONENTS, "variational");
        assert_close(bounds.matched, expected("matched"), COMPONENTS, "matched");
        assert_close(bounds.upper, expected("upper"), OPTIMUM, "upper");
        assert_close(p.wasserstein_2_bound(&q).unwrap(), expected("wasserstein_2"), COMPONENTS, "W₂");
        for (generator, name) in [(Generator::KULLBACK_LEIBLER, "kl"), (Generator::JENSEN_SHANNON, "js")] {
            let Some(truth) = case[name].as_f64() else { continue };
            let estimate = p.divergence(&q, generator, 50_000, 1).unwrap();
            assert!((estimate.value - truth).abs() < ERRORS * estimate.standard_error, "{name}: {estimate:?} {truth}");
            if name == "kl" {
                assert!(bounds.upper >= truth, "{bounds:?} {truth}");
            }
        }
    }
}
