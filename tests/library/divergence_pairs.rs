//! Random pairs of densities: the printed error bound is a bound. `python_ref/make_divergence_pairs.py` makes the pairs,
//! and their divergences by other means.

use std::fs::File;
use std::io::BufReader;

use gan_metrics::divergence::continuous::{self, DensityDivergence};
use gan_metrics::divergence::transport::{WassersteinOrder, wasserstein_densities};
use gan_metrics::divergence::{Density, Integral};
use rayon::prelude::*;
use serde_json::Value;

use crate::support;

/// Rounding of formulas, and of the references' last digits.
const FORMULA: f64 = 1e-14;
/// The same for each unit of a large value's logarithm, since what is rounded is an exponent: 2 ε were seen.
const EXPONENT: f64 = 4.0 * f64::EPSILON;
/// What a bound may come to: no bound at all would also hold.
const LARGEST_BOUND: f64 = 1e-9;
/// The pairs of the long test.
const MANY: &str = "target/divergence-pairs.json";

fn computed(name: &str, p: &Density, q: &Density) -> gan_metrics::Result<Integral> {
    if let Some(order) = name.strip_prefix("wasserstein(").and_then(|rest| rest.strip_suffix(')')) {
        return Ok(wasserstein_densities(p, q, WassersteinOrder::new(order.parse().unwrap()).unwrap())?);
    }
    Ok(match continuous::divergence(name.parse().unwrap(), p, q)? {
        DensityDivergence::Quadrature(integral) => integral,
        DensityDivergence::ClosedForm { value } => {
            let size = value.abs().max(1.0);
            Integral { value, error_bound: size * FORMULA.max(EXPONENT * size.ln()), evaluations: 0 }
        }
    })
}

/// How a value of a pair is further off than it says, or why there is none.
fn outside(name: &str, p: &Density, q: &Density, expected: f64) -> Option<String> {
    let integral = match computed(name, p, q) {
        Ok(integral) => integral,
        Err(error) => return Some(format!("{name} {p} {q}: {error}; it is {expected}")),
    };
    let off = (integral.value - expected).abs();
    // The reference is rounded to a double.
    let is_bounded = off <= integral.error_bound + f64::EPSILON * expected.abs();
    let is_tight = integral.error_bound <= LARGEST_BOUND * (1.0 + expected.abs());
    let is_fine = integral.value == expected || (is_bounded && is_tight);
    (!is_fine).then(|| format!("{name} {p} {q}: {integral:?} is off by {off:e} from {expected}"))
}

/// How many values the pairs have, and what is said of those that are further off than they say.
fn all_outside(pairs: &Value) -> (usize, Vec<String>) {
    let of_pair = |pair: &Value| {
        let [p, q] = ["p", "q"].map(|key| pair[key].as_str().unwrap().parse::<Density>().unwrap());
        let values = pair["values"].as_object().unwrap().iter();
        values.map(|(name, value)| outside(name, &p, &q, value.as_str().unwrap().parse().unwrap())).collect::<Vec<_>>()
    };
    let checked: Vec<_> = pairs.as_array().unwrap().par_iter().flat_map_iter(of_pair).collect();
    (checked.len(), checked.into_iter().flatten().collect())
}

#[test]
fn bounds_hold_for_random_pairs() {
    let (count, found) = all_outside(&support::fixture("divergence/pairs.json"));
    assert!(count > 80 && found.is_empty(), "{found:#?}");
}

#[test]
#[ignore = "needs target/divergence-pairs.json, and minutes"]
fn bounds_hold_for_many_random_pairs() {
    let file = File::open(MANY).unwrap_or_else(|error| panic!("{MANY}: {error}; see make_divergence_pairs.py"));
    let (count, found) = all_outside(&serde_json::from_reader(BufReader::new(file)).unwrap());
    println!("{} of {count} outside their bounds", found.len());
    assert!(found.is_empty(), "{found:#?}");
}
