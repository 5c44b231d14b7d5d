//! Two-dimensional data whose modes are known: Gaussians on a ring or on a grid.

use std::fmt;
use std::str::FromStr;

use super::data::TrainingSet;
use crate::gan::error::GanError;
use crate::gan::random::Random;

/// Gaussians of equal weight and deviation in the plane: eight on a circle, or 25 on a grid, the data by which the literature
/// shows lost modes (Metz et al. 2017; Srivastava et al. 2017; Lin et al. 2018).
///
/// ```
/// use gan_metrics::gan::train::Gaussians;
///
/// let ring: Gaussians = "gaussians:8".parse()?;
/// let found = ring.coverage(&ring.draw(2000, 1));
/// assert_eq!(found.modes, 8);
/// // Within three deviations of its centre is a point of a Gaussian in the plane with probability 1 − e^(−9/2).
/// assert!((found.high_quality - 0.9889).abs() < 0.01);
/// # Ok::<(), gan_metrics::gan::GanError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussians {
    centres: Vec<[f64; 2]>,
    deviation: f64,
}

/// What points show of the modes of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// Modes with at least one point within [`Gaussians::NEAR`] deviations of their centre.
    pub modes: usize,
    /// Share of the points that lie so near to a centre.
    pub high_quality: f64,
    /// Divergence of Kullback and Leibler of the shares of the modes among these points from equal ones, in nats: 0 where each mode
    /// has as many, the logarithm of the number of modes where all points are in one. Infinite where no point is near a centre.
    pub imbalance: f64,
}

/// How the built-in data are called, before their number.
const NAME: &str = "gaussians:";

impl Gaussians {
    /// Deviations from a centre within which a point counts as one of it, as in Srivastava et al. (2017) and Lin et al. (2018).
    pub const NEAR: f64 = 3.0;
    /// Points of the data that a run learns from.
    pub const POINTS: usize = 50_000;
    /// Deviation of each.
    const DEVIATION: f64 = 0.05;

    /// So many on the circle of radius 1, the first at (1, 0).
    fn ring(count: usize) -> Self {
        let at = |mode: usize| {
            let (sine, cosine) = (std::f64::consts::TAU * mode as f64 / count as f64).sin_cos();
            [cosine, sine]
        };
        Gaussians { centres: (0..count).map(at).collect(), deviation: Self::DEVIATION }
    }

    /// So many by so many from (−1, −1) to (1, 1).
    fn grid(side: usize) -> Self {
        let at = |place: usize| 2.0 * place as f64 / (side - 1) as f64 - 1.0;
        let centres = (0..side * side).map(|mode| [at(mode % side), at(mode / side)]).collect();
        Gaussians { centres, deviation: Self::DEVIATION }
    }

    /// Whether a text is meant for the name of such data, right or wrong.
    pub fn is_named(text: &str) -> bool {
        text.starts_with(NAME)
    }

    /// Where the modes are.
    pub fn centres(&self) -> &[[f64; 2]] {
        &self.centres
    }

    /// Standard deviation of either coordinate about its centre.
    pub fn deviation(&self) -> f64 {
        self.deviation
    }

    /// Points, N×2: each mode in turn, so that all have as many.
    pub fn draw(&self, points: usize, seed: u64) -> Vec<f32> {
        /// A stream that no run draws from.
        const PURPOSE: u64 = 102;
        let mut random = Random::stream(seed, PURPOSE);
        let point = |index: usize| {
            let centre = self.centres[index % self.centres.len()];
            let noise = random.normal_pair();
            [0, 1].map(|axis| (centre[axis] + self.deviation * noise[axis]) as f32)
        };
        (0..points).flat_map(point).collect()
    }

    /// The data of a run: [`Self::POINTS`] points that are always the same.
    ///
    /// # Errors
    /// [`GanError::Data`] never.
    pub fn data(&self) -> Result<TrainingSet, GanError> {
        TrainingSet::points(2, self.draw(Self::POINTS, 0))
    }

    /// What points, N×2, show of the modes.
    pub fn coverage(&self, points: &[f32]) -> Coverage {
        let mut counts = vec![0_usize; self.centres.len()];
        for point in points.chunks_exact(2) {
            let distance = |centre: &[f64; 2]| (f64::from(point[0]) - centre[0]).hypot(f64::from(point[1]) - centre[1]);
            let distances = self.centres.iter().map(distance).enumerate();
            if let Some((mode, nearest)) = distances.min_by(|a, b| a.1.total_cmp(&b.1))
                && nearest <= Self::NEAR * self.deviation
            {
                counts[mode] += 1;
            }
        }
        let near: usize = counts.iter().sum();
        let share = |count: &usize| *count as f64 / near as f64;
        let surprise = |share: f64| if share > 0.0 { share * (share * counts.len() as f64).ln() } else { 0.0 };
        let imbalance = if near > 0 { counts.iter().map(share).map(surprise).sum() } else { f64::INFINITY };
        Coverage {
            modes: counts.iter().filter(|&&count| count > 0).count(),
            high_quality: near as f64 / (points.len() / 2).max(1) as f64,
            imbalance,
        }
    }
}

impl fmt::Display for Gaussians {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}{}", self.centres.len())
    }
}

impl FromStr for Gaussians {
    type Err = GanError;

    fn from_str(text: &str) -> Result<Self, GanError> {
        match text.strip_prefix(NAME) {
            Some("8") => Ok(Self::ring(8)),
            Some("25") => Ok(Self::grid(5)),
            _ => Err(GanError::UnknownName {
                what: "built-in data",
                name: text.to_owned(),
                known: "gaussians:8 (a ring), gaussians:25 (a grid)".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Gaussians {
        text.parse().unwrap()
    }

    #[test]
    fn modes_are_where_the_literature_has_them() {
        let (ring, grid) = (named("gaussians:8"), named("gaussians:25"));
        assert_eq!((ring.centres().len(), grid.centres().len()), (8, 25));
        assert!(ring.centres().iter().all(|[x, y]| (x.hypot(*y) - 1.0).abs() < 1e-12));
        assert_eq!(
            (grid.centres()[0], grid.centres()[1], grid.centres()[24]),
            ([-1.0, -1.0], [-0.5, -1.0], [1.0, 1.0])
        );
        assert_eq!((ring.to_string(), grid.to_string()), ("gaussians:8".to_owned(), "gaussians:25".to_owned()));
        let message = "gaussians:9".parse::<Gaussians>().unwrap_err().to_string();
        assert_eq!(
            message,
            "there is no built-in data called `gaussians:9`: expected one of gaussians:8 (a ring), gaussians:25 (a grid)"
        );
    }

    #[test]
    fn points_are_counted_by_the_modes_that_they_are_near() {
        let ring = named("gaussians:8");
        let centre = |mode: usize| ring.centres()[mode].map(|x| x as f32);
        // Two at a mode, one at another, one in the middle of nowhere.
        let points = [centre(0), centre(0), centre(3), [0.0, 0.0]].concat();
        let found = ring.coverage(&points);
        assert_eq!((found.modes, found.high_quality), (2, 0.75));
        let expected = 2.0 / 3.0 * (16.0_f64 / 3.0).ln() + 1.0 / 3.0 * (8.0_f64 / 3.0).ln();
        assert!((found.imbalance - expected).abs() < 1e-12, "{}", found.imbalance);
        // 2.9 deviations away is near, 3.1 is not.
        let beside = |deviations: f32| ring.coverage(&[1.0 + 0.05 * deviations, 0.0]).modes;
        assert_eq!((beside(2.9), beside(3.1)), (1, 0));
        let nowhere = ring.coverage(&[0.0, 0.0]);
        assert_eq!((nowhere.modes, nowhere.high_quality, nowhere.imbalance), (0, 0.0, f64::INFINITY));
    }

    #[test]
    fn the_data_show_every_mode_alike() {
        /// Five standard deviations of a share of 50,000 points.
        const TOLERANCE: f64 = 0.0024;
        for name in ["gaussians:8", "gaussians:25"] {
            let mixture = named(name);
            let data = mixture.data().unwrap();
            assert_eq!((data.len(), data.shape()), (Gaussians::POINTS, &[2][..]));
            let found = mixture.coverage(data.coordinates());
            assert_eq!(found.modes, mixture.centres().len());
            assert!((found.high_quality - (1.0 - (-4.5_f64).exp())).abs() < TOLERANCE, "{found:?}");
            assert!(found.imbalance < 1e-5, "{found:?}");
        }
    }
}
