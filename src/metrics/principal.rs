//! Principal components, for pictures of two sets.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use super::error::{MetricError, both_have, same_dimension};
use super::rows::BLOCK;
use crate::interrupt::Interrupt;
use crate::linalg::{add_gram_lower, eigh, matmul};
use crate::stats::Features;

/// Two sets seen along the directions in which both together vary most.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// Coordinates of the real images, n×k, from the common mean.
    pub real: Array2<f64>,
    /// Coordinates of the fake images.
    pub fake: Array2<f64>,
    /// Share of the total variance of both sets together that each direction has, in descending order.
    pub shares: Vec<f64>,
}

/// The first `k` principal components of both sets together, and each set's coordinates along them.
///
/// The directions come from the scatter of all images about their common mean, so that neither set is favoured but by its
/// number of images; a component's sign is that which makes its largest entry positive. All in f64.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, a set is empty, k is zero or above the dimension, or the decomposition fails.
pub fn principal(real: &Features, fake: &Features, k: usize) -> Result<Principal, MetricError> {
    principal_until(real, fake, k, &Interrupt::new())
}

/// [`principal`] that can be stopped.
pub(crate) fn principal_until(
    real: &Features,
    fake: &Features,
    k: usize,
    interrupt: &Interrupt,
) -> Result<Principal, MetricError> {
    let dim = same_dimension(real, fake)?;
    both_have(1, [real.len(), fake.len()], "a principal component", "give images")?;
    if k == 0 || k > dim {
        let (parameter, range) = ("the number of components", "at least 1 and at most the dimension of the features");
        return Err(MetricError::Parameter { parameter, value: k.to_string(), range });
    }
    let total = (real.len() + fake.len()) as f64;
    let sum = |set: &Features| {
        set.view().rows().into_iter().fold(Array1::<f64>::zeros(dim), |sum, row| sum + row.mapv(f64::from))
    };
    let mean = (sum(real) + sum(fake)) / total;
    let centred = |rows: ArrayView2<'_, f32>| rows.mapv(f64::from) - &mean;
    let mut scatter = Array2::zeros((dim, dim));
    for set in [real, fake] {
        for rows in set.view().axis_chunks_iter(Axis(0), BLOCK) {
            interrupt.check()?;
            add_gram_lower(&mut scatter, centred(rows).view());
        }
    }
    let variance: f64 = scatter.diag().sum();
    let decomposition = interrupt.deserting(move || eigh(&scatter))??;
    // Eigenvalues ascend.
    let mut axes = decomposition.vectors.slice(s![.., dim - k..]).to_owned();
    axes.invert_axis(Axis(1));
    for mut axis in axes.columns_mut() {
        let largest = axis.fold(0.0_f64, |largest, &entry| if entry.abs() > largest.abs() { entry } else { largest });
        if largest < 0.0 {
            axis.mapv_inplace(|entry| -entry);
        }
    }
    let shares = decomposition.values.iter().rev().take(k);
    let shares = shares.map(|value| if variance > 0.0 { value.max(0.0) / variance } else { 0.0 }).collect();
    let along = |set: &Features| {
        let mut coordinates = Array2::zeros((set.len(), k));
        let view = set.view();
        let blocks = view.axis_chunks_iter(Axis(0), BLOCK).zip(coordinates.axis_chunks_iter_mut(Axis(0), BLOCK));
        blocks.for_each(|(rows, mut into)| into.assign(&matmul(centred(rows).view(), axes.view())));
        coordinates
    };
    Ok(Principal { real: along(real), fake: along(fake), shares })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn finds_the_direction_in_which_the_sets_differ() {
        let real = Features::new(array![[0.0, 5.0, 1.0], [0.0, 7.0, 1.0]]).unwrap();
        let fake = Features::new(array![[10.0, 6.0, 1.0], [10.0, 6.0, 1.0]]).unwrap();
        let found = principal(&real, &fake, 2).unwrap();
        // 4·25 of the scatter along the first axis, 2 along the second.
        assert!((found.shares[0] - 100.0 / 102.0).abs() < 1e-12 && (found.shares[1] - 2.0 / 102.0).abs() < 1e-12);
        for (row, expected) in [(found.real.row(0), [-5.0, -1.0]), (found.fake.row(1), [5.0, 0.0])] {
            assert!(row.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{row}");
        }
    }

    #[test]
    fn sets_without_variance_lie_in_one_point() {
        let same = Features::new(array![[1.0, 2.0], [1.0, 2.0]]).unwrap();
        let found = principal(&same, &same, 1).unwrap();
        assert_eq!((found.shares, found.real.sum()), (vec![0.0], 0.0));
        assert!(principal(&same, &same, 3).is_err() && principal(&same, &same, 0).is_err());
    }
}
