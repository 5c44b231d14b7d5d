//! Scores of points: which modes of known data they hit, and how far they are from real ones.

use ndarray::Array2;

use crate::Result;
use crate::divergence::transport::{WassersteinOrder, sliced_wasserstein};
use crate::gan::train::{Gaussians, ImageSampler, Trained, TrainingSet};

/// Directions of the sliced distance.
const DIRECTIONS: usize = 100;

/// What points are scored against.
pub struct PointScores {
    count: usize,
    distribution: Option<Gaussians>,
    /// Real points, N×d: fresh ones where the distribution is known, else those of the data.
    real: Array2<f64>,
}

impl PointScores {
    /// Scores of so many generated points, against points of a known distribution, or those that were learnt from.
    pub fn new(data: &TrainingSet, distribution: Option<Gaussians>, count: usize) -> Self {
        let dimensions = data.shape()[0];
        let real = match &distribution {
            Some(mixture) => mixture.draw(count, 1),
            None => data.coordinates().iter().take(count * dimensions).copied().collect(),
        };
        PointScores { count, distribution, real: rows(&real, dimensions) }
    }

    /// What is computed, in the order of [`Self::score`].
    pub fn names(&self) -> &'static [&'static str] {
        match self.distribution {
            Some(_) => &["modes", "high_quality", "imbalance", "sliced_w2"],
            None => &["sliced_w2"],
        }
    }

    /// Scores of fresh points of a seed.
    pub fn score(&self, trained: Trained, seed: u64) -> Result<Vec<Option<f64>>> {
        self.of_points(ImageSampler::new(trained, seed).draw(self.count)?.values.data())
    }

    /// Scores of given points, one after the other.
    pub fn of_points(&self, points: &[f32]) -> Result<Vec<Option<f64>>> {
        let made = rows(points, self.real.ncols());
        let distance = sliced_wasserstein(self.real.view(), made.view(), WassersteinOrder::TWO, DIRECTIONS, 0)?.value;
        let modes = self.distribution.as_ref().map(|mixture| {
            let found = mixture.coverage(points);
            // Without points near a mode there are no shares to compare.
            [
                Some(found.modes as f64),
                Some(found.high_quality),
                Some(found.imbalance).filter(|value| value.is_finite()),
            ]
        });
        Ok(modes.into_iter().flatten().chain([Some(distance)]).collect())
    }
}

fn rows(points: &[f32], dimensions: usize) -> Array2<f64> {
    let shape = (points.len() / dimensions, dimensions);
    let points = points.iter().map(|&value| f64::from(value)).collect();
    Array2::from_shape_vec(shape, points).expect("whole points")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_points_are_all_there_and_near() {
        /// Of 2,000 points against as many others: 0.02 was measured.
        const NEAR: f64 = 0.05;
        let ring: Gaussians = "gaussians:8".parse().unwrap();
        let scores = PointScores::new(&ring.data().unwrap(), Some(ring.clone()), 2000);
        let values: Vec<f64> = scores.of_points(&ring.draw(2000, 7)).unwrap().into_iter().flatten().collect();
        assert_eq!((values.len(), values[0]), (scores.names().len(), 8.0));
        assert!(values[1] > 0.98 && values[2] < 1e-3 && values[3] < NEAR, "{values:?}");
        // One point of the ring: as far from the others as the circle is wide, but for the mean over directions.
        let collapsed: Vec<f32> = [1.0, 0.0].repeat(2000);
        let values: Vec<f64> = scores.of_points(&collapsed).unwrap().into_iter().flatten().collect();
        assert_eq!((values[0], values[1]), (1.0, 1.0));
        // E|x − c|² = 1 + 1 + 2·0.05², half of which lies along a direction.
        assert!((values[3] - 1.0025_f64.sqrt()).abs() < 0.1, "{values:?}");
    }

    #[test]
    fn points_of_unknown_origin_have_a_distance() {
        let data = TrainingSet::points(3, (0..30).map(|i| i as f32).collect()).unwrap();
        let scores = PointScores::new(&data, None, 10);
        assert_eq!(
            (scores.names(), scores.of_points(data.coordinates()).unwrap()),
            (&["sliced_w2"][..], vec![Some(0.0)])
        );
    }
}
