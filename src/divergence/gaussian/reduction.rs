//! Two covariances taken to common coordinates in twice the precision: Σ_q to the unit matrix and Σ_p to a diagonal one.
//!
//! With the Cholesky factors, L_q⁻¹L_p = USVᵀ: S² are the variances of P in units of Q and Uᵀ takes the whitened coordinates to
//! the common ones. One-sided Jacobi rotations find small singular values with the same relative error as large ones.

use ndarray::{Array1, Array2};

use super::double::Double;

/// Sweeps after which rotations have long become negligible: they converge quadratically.
const MOST_SWEEPS: usize = 40;
/// Columns whose cosine is below this are orthogonal.
const ORTHOGONAL: f64 = 1e-28;

/// A coordinate: the shift of the means and variance − 1, both in units of Q, and the variance.
pub(super) struct Reduced {
    pub shift: f64,
    pub variance: f64,
    pub stretch: f64,
}

/// The common coordinates, or `P` or `Q`, whose covariance is not positive definite.
pub(super) fn reduce(shift: &Array1<f64>, p: &Array2<f64>, q: &Array2<f64>) -> Result<Vec<Reduced>, char> {
    let (lower_p, lower_q) = (cholesky(p).ok_or('P')?, cholesky(q).ok_or('Q')?);
    let dim = shift.len();
    let mut columns: Vec<Vec<Double>> = (0..dim)
        .map(|column| solve(&lower_q, (0..dim).map(|row| lower_p[row].get(column).copied().unwrap_or(Double::ZERO))))
        .collect();
    orthogonalize(&mut columns);
    let whitened = solve(&lower_q, shift.iter().map(|entry| Double::from(*entry)));
    let reduced = columns.iter().map(|column| {
        let variance = dot(column, column);
        Reduced {
            shift: (dot(column, &whitened) / variance.sqrt()).rounded(),
            variance: variance.rounded(),
            stretch: (variance - Double::ONE).rounded(),
        }
    });
    Ok(reduced.collect())
}

fn dot(a: &[Double], b: &[Double]) -> Double {
    a.iter().zip(b).map(|(a, b)| *a * *b).sum()
}

/// The rows of the lower triangular factor.
fn cholesky(matrix: &Array2<f64>) -> Option<Vec<Vec<Double>>> {
    let mut rows: Vec<Vec<Double>> = Vec::with_capacity(matrix.nrows());
    for i in 0..matrix.nrows() {
        let mut row: Vec<Double> = Vec::with_capacity(i + 1);
        for (j, above) in rows.iter().enumerate() {
            // The mean of both triangles, which rounding may have made differ.
            let entry = (Double::from(matrix[(i, j)]) + Double::from(matrix[(j, i)])) * Double::from(0.5);
            row.push((entry - dot(&row, &above[..j])) / above[j]);
        }
        let pivot = Double::from(matrix[(i, i)]) - dot(&row, &row);
        if pivot.rounded() <= 0.0 {
            return None;
        }
        row.push(pivot.sqrt());
        rows.push(row);
    }
    Some(rows)
}

/// L⁻¹b.
fn solve(lower: &[Vec<Double>], right: impl Iterator<Item = Double>) -> Vec<Double> {
    let mut solution = Vec::with_capacity(lower.len());
    for (row, entry) in lower.iter().zip(right) {
        let known = dot(&row[..row.len() - 1], &solution);
        solution.push((entry - known) / row[row.len() - 1]);
    }
    solution
}

/// Rotates pairs of columns until all are orthogonal to each other (Hestenes 1958).
fn orthogonalize(columns: &mut [Vec<Double>]) {
    for _ in 0..MOST_SWEEPS {
        let mut rotated = false;
        for right in 1..columns.len() {
            let (before, after) = columns.split_at_mut(right);
            for left in before {
                rotated |= rotate(left, &mut after[0]);
            }
        }
        if !rotated {
            break;
        }
    }
}

fn rotate(left: &mut [Double], right: &mut [Double]) -> bool {
    let (a, b, c) = (dot(left, left), dot(right, right), dot(left, right));
    if c.rounded().abs() <= ORTHOGONAL * (a.rounded() * b.rounded()).sqrt() {
        return false;
    }
    let ratio = (b - a) / (c + c);
    let sign = Double::from(1.0_f64.copysign(ratio.rounded()));
    let tangent = sign / (sign * ratio + (Double::ONE + ratio * ratio).sqrt());
    let cosine = Double::ONE / (Double::ONE + tangent * tangent).sqrt();
    let sine = cosine * tangent;
    for (x, y) in left.iter_mut().zip(right) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
    true
}
