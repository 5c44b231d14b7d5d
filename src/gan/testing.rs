//! Derivatives against central finite differences, in f64.

use super::error::GanError;
use super::random::Random;
use super::tape::{Differentiability, Var, grad};
use super::tensor::Tensor;

/// A step that balances the truncation error, h², against rounding, ε/h.
const STEP: f64 = 1e-5;

/// What is left of both errors, for values around one with third derivatives around ten; relative to the largest
/// derivative.
const TOLERANCE: f64 = 2e-8;

/// Normal numbers of a seed.
pub fn sample(shape: &[usize], seed: u64) -> Tensor<f64> {
    Random::new(seed).normal(shape, 0.0, 1.0)
}

type Function<'a> = &'a dyn Fn(&[Var<f64>]) -> Result<Var<f64>, GanError>;

fn leaves(at: &[Tensor<f64>]) -> Vec<Var<f64>> {
    at.iter().cloned().map(Var::leaf).collect()
}

/// ⟨r, f(x)⟩ with fixed random r, so that a wrong derivative of any output shows.
fn contracted(f: Function<'_>, x: &[Var<f64>]) -> Var<f64> {
    let y = f(x).unwrap();
    y.mul(&Var::constant(sample(y.shape(), 100))).unwrap().sum()
}

/// ⟨r, ∇⟨r, f(x)⟩⟩: a scalar whose gradient is made of second derivatives.
fn contracted_gradient(f: Function<'_>, x: &[Var<f64>]) -> Var<f64> {
    let all: Vec<_> = x.iter().collect();
    let gradients = grad(&contracted(f, x), &all, Differentiability::Again).unwrap();
    let products = gradients.iter().enumerate().map(|(i, gradient)| {
        let direction = Var::constant(sample(gradient.shape(), 200 + i as u64));
        gradient.mul(&direction).unwrap().sum()
    });
    products.reduce(|sum, product| sum.add(&product).unwrap()).unwrap()
}

fn check(at: &[Tensor<f64>], order: &str, scalar: impl Fn(&[Var<f64>]) -> Var<f64>) {
    let x = leaves(at);
    let all: Vec<_> = x.iter().collect();
    let gradients = grad(&scalar(&x), &all, Differentiability::Once).unwrap();
    let largest = gradients.iter().flat_map(|gradient| gradient.value().data()).fold(1.0_f64, |m, g| m.max(g.abs()));
    for (i, gradient) in gradients.iter().enumerate() {
        for (j, &ours) in gradient.value().data().iter().enumerate() {
            let moved = |step: f64| {
                let mut at = at.to_vec();
                at[i].data_mut()[j] += step;
                scalar(&leaves(&at)).item().unwrap()
            };
            let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            let error = (ours - difference).abs() / largest;
            assert!(error < TOLERANCE, "{order} derivative by input {i}, element {j}: {ours}, not {difference}");
        }
    }
}

/// Compares the gradient of every output with finite differences.
pub fn check_first_derivatives(at: &[Tensor<f64>], f: impl Fn(&[Var<f64>]) -> Result<Var<f64>, GanError>) {
    check(at, "first", |x| contracted(&f, x));
}

/// Compares the first and the second derivatives with finite differences.
pub fn check_derivatives(at: &[Tensor<f64>], f: impl Fn(&[Var<f64>]) -> Result<Var<f64>, GanError>) {
    check(at, "first", |x| contracted(&f, x));
    check(at, "second", |x| contracted_gradient(&f, x));
}
