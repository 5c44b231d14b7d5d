//! Two samples against each other.

use ndarray::ArrayView2;

use super::line::Pooled;
use super::pairwise::Pairs;
use super::{Significance, check_draws};
use crate::divergence::estimators::{EstimatorError, check_samples};
use crate::divergence::random::Random;

/// A statistic of two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TwoSample {
    /// max |F_n − G_m|, on the line.
    KolmogorovSmirnov,
    /// Anderson's (1962) T, nm/(n+m)² times the sum of (F_n − G_m)² over all samples but for a constant, on the line.
    CramerVonMises,
    /// √(2E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖) over all pairs (Székely and Rizzo 2004).
    Energy,
    /// E k(X, X′) + E k(Y, Y′) − 2E k(X, Y) over pairs of different samples, the unbiased estimate of MMD² (Gretton et al.
    /// 2012), which may be negative, with k(x, y) = exp(−‖x − y‖²/(2·length²)).
    Mmd {
        /// The length of the kernel; by default the median distance between all samples.
        length: Option<f64>,
    },
}

impl TwoSample {
    /// Whether samples must be of one dimension.
    pub fn is_of_the_line(self) -> bool {
        matches!(self, TwoSample::KolmogorovSmirnov | TwoSample::CramerVonMises)
    }
}

/// Whether two samples, one a row (n×d and m×d), are of one distribution: under that hypothesis it does not matter which of
/// them are called P, so that the p-value comes from permutations.
///
/// ```
/// use gan_metrics::divergence::significance::{TwoSample, two_sample};
/// use ndarray::array;
///
/// let (p, q) = (array![[0.0], [1.0], [2.0], [3.0]], array![[10.0], [11.0], [12.0], [13.0]]);
/// let test = two_sample(TwoSample::KolmogorovSmirnov, p.view(), q.view(), 9999, 1)?;
/// // 2 of the 70 ways to choose four of eight.
/// assert!(test.statistic == 1.0 && (test.p_value - 2.0 / 70.0).abs() < 0.01);
/// # Ok::<(), gan_metrics::Error>(())
/// ```
///
/// # Errors
/// [`EstimatorError`] when there are fewer than two samples of either, one is not finite, dimensions do not fit, the pairs are
/// more than memory is given to, or the number of draws is out of range.
pub fn two_sample(
    test: TwoSample,
    p: ArrayView2<'_, f64>,
    q: ArrayView2<'_, f64>,
    draws: usize,
    seed: u64,
) -> Result<Significance, EstimatorError> {
    check_draws(draws)?;
    check_samples(p, q, (2, 2))?;
    if !test.is_of_the_line() {
        let pairs = Pairs::new(test, p, q)?;
        return Ok(Significance::new(pairs.statistic(), pairs.permuted(draws, seed).into_iter()));
    }
    if p.ncols() != 1 {
        return Err(EstimatorError::NotOnTheLine { columns: p.ncols() });
    }
    let column = |samples: ArrayView2<'_, f64>| samples.iter().copied().collect::<Vec<f64>>();
    let pooled = Pooled::new(&column(p), &column(q));
    let statistic = |of_p: &[bool]| match test {
        TwoSample::KolmogorovSmirnov => pooled.kolmogorov_smirnov(of_p),
        _ => pooled.cramer_von_mises(of_p),
    };
    let (mut random, mut labels) = (Random::new(seed), pooled.of_p.clone());
    let others = (0..draws).map(|_| {
        random.shuffle(&mut labels);
        statistic(&labels)
    });
    Ok(Significance::new(statistic(&pooled.of_p), others))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn levels_are_held_under_the_hypothesis() {
        let mut random = Random::new(3);
        let tests = [
            (TwoSample::KolmogorovSmirnov, 1),
            (TwoSample::CramerVonMises, 1),
            (TwoSample::Energy, 2),
            (TwoSample::Mmd { length: None }, 2),
        ];
        for (test, dimensions) in tests {
            let mut rejected = 0;
            for trial in 0..300 {
                let mut sample = |n| Array2::from_shape_simple_fn((n, dimensions), || random.normal());
                let (p, q) = (sample(7), sample(12));
                rejected += usize::from(two_sample(test, p.view(), q.view(), 99, trial).unwrap().p_value <= 0.1);
            }
            // 30 of 300 are expected, with a deviation of 5.2; statistics that take few values reject less often.
            assert!((5..=56).contains(&rejected), "{test:?}: {rejected}");
        }
    }

    #[test]
    fn a_shift_is_seen() {
        let mut random = Random::new(4);
        let p = Array2::from_shape_simple_fn((60, 3), || random.normal());
        let q = Array2::from_shape_simple_fn((80, 3), || 1.0 + random.normal());
        for test in [TwoSample::Energy, TwoSample::Mmd { length: Some(2.0) }] {
            assert_eq!(two_sample(test, p.view(), q.view(), 999, 1).unwrap().p_value, 0.001, "{test:?}");
        }
    }

    #[test]
    fn ties_are_one_place() {
        let (p, q) = (array![[0.0], [0.0], [1.0]], array![[0.0], [1.0], [1.0]]);
        let test = two_sample(TwoSample::KolmogorovSmirnov, p.view(), q.view(), 999, 1).unwrap();
        assert!((test.statistic - 1.0 / 3.0).abs() < 1e-15);
        // 10 of the 20 choices of three of six have two or more zeros of P more or fewer … than Q: by counting, 1/3 is the least.
        assert_eq!(test.p_value, 1.0);
    }

    #[test]
    fn what_does_not_work_is_named() {
        let (one, two) = (array![[0.0], [1.0]], array![[0.0, 1.0], [1.0, 2.0]]);
        let error = two_sample(TwoSample::KolmogorovSmirnov, two.view(), two.view(), 9, 1).unwrap_err();
        assert_eq!(error, EstimatorError::NotOnTheLine { columns: 2 });
        assert!(two_sample(TwoSample::Energy, one.view(), two.view(), 9, 1).is_err());
        assert!(two_sample(TwoSample::Mmd { length: Some(0.0) }, one.view(), one.view(), 9, 1).is_err());
        assert!(two_sample(TwoSample::Energy, one.view(), one.view(), 0, 1).is_err());
        let many = Array2::zeros((20_000, 1));
        let error = two_sample(TwoSample::Energy, many.view(), one.view(), 9, 1).unwrap_err();
        assert!(error.to_string().contains("at most 16384"), "{error}");
    }
}
