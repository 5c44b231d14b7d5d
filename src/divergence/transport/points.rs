//! Points, orders and ground costs.

use ndarray::{Array2, ArrayView2};

use super::TransportError;

/// The order r ≥ 1 of a Wasserstein distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WassersteinOrder(f64);

impl WassersteinOrder {
    /// W₁, the earth mover's distance.
    pub const ONE: WassersteinOrder = WassersteinOrder(1.0);
    /// W₂.
    pub const TWO: WassersteinOrder = WassersteinOrder(2.0);

    /// Takes an order.
    ///
    /// # Errors
    /// [`TransportError::Order`] unless it is finite and at least 1.
    pub fn new(order: f64) -> Result<Self, TransportError> {
        if order >= 1.0 && order.is_finite() {
            Ok(WassersteinOrder(order))
        } else {
            Err(TransportError::Order { order })
        }
    }

    /// The order as a number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// distance^r.
    pub(super) fn power(self, distance: f64) -> f64 {
        match self.0 {
            1.0 => distance,
            2.0 => distance * distance,
            order => distance.powf(order),
        }
    }

    /// cost^{1/r}.
    pub(super) fn root(self, cost: f64) -> f64 {
        match self.0 {
            1.0 => cost,
            2.0 => cost.sqrt(),
            order => cost.powf(1.0 / order),
        }
    }
}

/// Costs that are held at once: 2 GiB, of which the solvers need a small multiple.
pub(crate) const MOST_COSTS: usize = 1 << 28;

/// Checks samples, one a row.
pub(super) fn check_points(which: char, points: ArrayView2<'_, f64>) -> Result<(), TransportError> {
    if points.is_empty() {
        return Err(TransportError::NoSamples { which });
    }
    match points.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(TransportError::NotFinite { which, row, column, value }),
        None => Ok(()),
    }
}

/// Checks two sets of samples of one space.
pub(super) fn check_both(p: ArrayView2<'_, f64>, q: ArrayView2<'_, f64>) -> Result<(), TransportError> {
    check_points('P', p)?;
    check_points('Q', q)?;
    if p.ncols() == q.ncols() { Ok(()) } else { Err(TransportError::DimensionMismatch { p: p.ncols(), q: q.ncols() }) }
}

/// ‖xᵢ − yⱼ‖^order between the rows of x (n×d) and of y (m×d): n×m.
///
/// # Errors
/// [`TransportError`] when there are no points, a coordinate is not finite, the dimensions differ, or the matrix would have
/// more than 2²⁸ entries.
pub fn cost_matrix(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    order: WassersteinOrder,
) -> Result<Array2<f64>, TransportError> {
    check_both(x, y)?;
    let (p, q) = (x.nrows(), y.nrows());
    if p.checked_mul(q).is_none_or(|entries| entries > MOST_COSTS) {
        return Err(TransportError::TooLarge { p, q });
    }
    Ok(Array2::from_shape_fn((x.nrows(), y.nrows()), |(i, j)| {
        // The plain sum of squared differences: no cancellation, unlike the one by products.
        let square: f64 = x.row(i).iter().zip(y.row(j)).map(|(a, b)| (a - b) * (a - b)).sum();
        if order == WassersteinOrder::TWO { square } else { order.power(square.sqrt()) }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked_before_memory_is_taken() {
        let points = Array2::zeros((100_000, 1));
        let error = cost_matrix(points.view(), points.view(), WassersteinOrder::ONE).unwrap_err();
        assert_eq!(error, TransportError::TooLarge { p: 100_000, q: 100_000 });
        assert!(error.to_string().contains("take 80.0 GB"), "{error}");
    }
}
