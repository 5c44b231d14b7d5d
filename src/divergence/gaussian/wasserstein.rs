//! The 2-Wasserstein distance of Gaussians, which has a formula.

use ndarray::Array2;

use super::{MultivariateNormal, MultivariateNormalError, check_dimensions};
use crate::divergence::masses::compensated_sum;
use crate::linalg;

/// Traces that cancel to less than this share are not subtracted.
const NEAR: f64 = 1e-3;
/// Steps of the iteration for nearby covariances, each of which gains at least three binary digits.
const MOST_STEPS: usize = 40;

/// The 2-Wasserstein distance of two Gaussians, √(‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)): the square root of what FID
/// reports (Dowson and Landau 1982). The covariances may be singular.
///
/// # Errors
/// [`MultivariateNormalError::DimensionMismatch`], or a failed eigendecomposition.
pub fn wasserstein_2(p: &MultivariateNormal, q: &MultivariateNormal) -> Result<f64, MultivariateNormalError> {
    check_dimensions(p, q)?;
    let shift = compensated_sum(p.mean().iter().zip(q.mean()).map(|(a, b)| (a - b) * (a - b)));
    let traces = compensated_sum(p.covariance().diag().iter().chain(q.covariance().diag()).copied());
    let factor = |gaussian: &MultivariateNormal| linalg::CovarianceFactor::of_covariance(gaussian.covariance());
    let cross = factor(p)?.trace_sqrt_product(&factor(q)?)?;
    let far = (traces - 2.0 * cross).max(0.0);
    let of_covariances = if far < NEAR * traces { nearby(p.covariance(), q.covariance())?.unwrap_or(far) } else { far };
    Ok((shift + of_covariances).sqrt())
}

/// tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½) of nearby covariances, from their difference; `None` if they are not near enough.
///
/// In eigenvectors of Σ₁ = diag(λ), with X = (Σ₁^½Σ₂Σ₁^½)^½ − Σ₁, it is Σ Xᵢⱼ²/λᵢ, and X solves
/// XΣ₁ + Σ₁X + X² = Σ₁^½(Σ₂ − Σ₁)Σ₁^½.
fn nearby(first: &Array2<f64>, second: &Array2<f64>) -> Result<Option<f64>, MultivariateNormalError> {
    let difference = second - first;
    if difference.iter().all(|entry| *entry == 0.0) {
        return Ok(Some(0.0));
    }
    let linalg::Eigh { values, vectors } = linalg::eigh(first)?;
    let largest = values.iter().copied().fold(0.0, f64::max);
    // Where Σ₁ has no extent, what Σ₂ has is not near.
    if values.iter().any(|value| *value <= values.len() as f64 * f64::EPSILON * largest) {
        return Ok(None);
    }
    let rotated = linalg::matmul(linalg::matmul(vectors.t(), difference.view()).view(), vectors.view());
    let roots = values.mapv(f64::sqrt);
    let right = Array2::from_shape_fn(rotated.dim(), |(i, j)| roots[i] * roots[j] * rotated[(i, j)]);
    let divided = |matrix: &Array2<f64>| {
        Array2::from_shape_fn(matrix.dim(), |(i, j)| 0.5 * (matrix[(i, j)] + matrix[(j, i)]) / (values[i] + values[j]))
    };
    let distance = |x: &Array2<f64>| compensated_sum(x.indexed_iter().map(|((i, _), x)| x * x / values[i]));
    let mut x = divided(&right);
    let mut last = distance(&x);
    for _ in 0..MOST_STEPS {
        x = divided(&(&right - &linalg::matmul(x.view(), x.view())));
        let next = distance(&x);
        let step = (next - last).abs();
        if step <= 4.0 * f64::EPSILON * next {
            return Ok(Some(next));
        }
        if !next.is_finite() {
            break;
        }
        last = next;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};

    use super::*;

    fn centred(covariance: Array2<f64>) -> MultivariateNormal {
        MultivariateNormal::new(Array1::zeros(covariance.nrows()), covariance).unwrap()
    }

    #[test]
    fn commuting_covariances_are_compared_elementwise() {
        let p = MultivariateNormal::new(array![1.0, 2.0], array![[4.0, 0.0], [0.0, 9.0]]).unwrap();
        let q = MultivariateNormal::new(array![0.0, 0.0], array![[1.0, 0.0], [0.0, 0.0]]).unwrap();
        let expected: f64 = 1.0 + 4.0 + 1.0 + 9.0;
        assert!((wasserstein_2(&p, &q).unwrap() - expected.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn equal_gaussians_are_at_distance_zero() {
        for covariance in
            [array![[2.0, 0.3], [0.3, 0.8]], array![[1.0, 1.0], [1.0, 1.0]], array![[1.0, 0.1], [0.1, 0.01]]]
        {
            let gaussian = centred(covariance);
            assert_eq!(wasserstein_2(&gaussian, &gaussian).unwrap(), 0.0);
        }
    }

    #[test]
    fn nearby_gaussians_keep_their_digits() {
        // Powers of two, so that the deviations are exact: √(Σ(σ − σ′)²).
        let e = (-20.0_f64).exp2();
        let (p, q) = (centred(array![[1.0, 0.0], [0.0, 4.0]]), {
            centred(array![[(1.0 + e) * (1.0 + e), 0.0], [0.0, (2.0 - e) * (2.0 - e)]])
        });
        let distance = wasserstein_2(&p, &q).unwrap();
        assert!((distance / (e * 2.0_f64.sqrt()) - 1.0).abs() < 1e-9, "{distance:e}");
        // Rotated by 45° against each other, by mpmath with 40 digits.
        let (p, q) = (centred(array![[2.0, 0.5], [0.5, 1.0]]), centred(array![[2.0, 0.5 + e], [0.5 + e, 1.0]]));
        let distance = wasserstein_2(&p, &q).unwrap();
        assert!((distance / ROTATED - 1.0).abs() < 1e-9, "{distance:e}");
    }

    const ROTATED: f64 = 5.886_206_473_704_262e-7;
}
