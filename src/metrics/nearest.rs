//! The real images that a fake one resembles most.

use serde::Serialize;

use super::error::{MetricError, both_have, positive, same_dimension};
use super::neighbours::Distances;
use crate::interrupt::Interrupt;
use crate::stats::Features;

/// A real image near a fake one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Nearest {
    /// Its index in the real set.
    pub index: usize,
    /// Euclidean distance of the features.
    pub distance: f64,
}

/// The `k` real images nearest to each fake one (all of them where there are fewer), nearest first: for looking at them. A fake image far from all of them is
/// implausible, one very near to one of them perhaps a copy.
///
/// Exact, as [`prdc`](super::prdc); nothing is n×n in memory.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, k is zero, or a set has no image.
pub fn nearest_real(
    real: &Features,
    fake: &Features,
    k: usize,
    interrupt: &Interrupt,
) -> Result<Vec<Vec<Nearest>>, MetricError> {
    same_dimension(real, fake)?;
    positive("the number of neighbours", k)?;
    both_have(1, [real.len(), fake.len()], "a nearest neighbour", "give images")?;
    let neighbours = Distances::between(fake, real, interrupt).nearest_between(k.min(real.len()))?;
    let nearest = neighbours
        .into_iter()
        .map(|of| of.into_iter().map(|found| Nearest { index: found.index, distance: found.square.sqrt() }).collect());
    Ok(nearest.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn neighbours_come_nearest_first() {
        let real = Features::new(array![[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]]).unwrap();
        let fake = Features::new(array![[0.0, 0.0], [3.0, 3.0]]).unwrap();
        let found = nearest_real(&real, &fake, 2, &Interrupt::new()).unwrap();
        let of = |row: usize| found[row].iter().map(|nearest| (nearest.index, nearest.distance)).collect::<Vec<_>>();
        assert_eq!(of(0), [(0, 0.0), (2, 1.0)]);
        assert_eq!(of(1), [(1, 1.0), (2, 13.0_f64.sqrt())]);
        assert!(nearest_real(&real, &fake, 0, &Interrupt::new()).is_err());
        assert_eq!(nearest_real(&real, &fake, 9, &Interrupt::new()).unwrap()[0].len(), 3, "no more than there are");
    }
}
