//! Values that carry a sampling error.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The level of the intervals.
const LEVEL: f64 = 0.95;
/// Degrees of freedom from which a series is more accurate than an inverted distribution function.
const MANY: f64 = 1000.0;

/// An average over samples with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The average.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the 95% confidence interval, by Student's t.
    pub lower: f64,
    /// Upper end of the 95% confidence interval.
    pub upper: f64,
    /// Number of samples averaged.
    pub samples: usize,
}

impl Estimate {
    /// Of a mean and its standard error, which was estimated with so many degrees of freedom.
    pub(crate) fn new(value: f64, standard_error: f64, samples: usize, degrees_of_freedom: usize) -> Self {
        let half_width = quantile(degrees_of_freedom.max(1) as f64) * standard_error;
        Estimate { value, standard_error, lower: value - half_width, upper: value + half_width, samples }
    }
}

/// The two-sided quantile of Student's t.
fn quantile(degrees_of_freedom: f64) -> f64 {
    if degrees_of_freedom < MANY {
        let student = StudentsT::new(0.0, 1.0, degrees_of_freedom).expect("at least one degree of freedom");
        return student.inverse_cdf(0.5 * (1.0 + LEVEL));
    }
    // Cornish and Fisher's expansion about the normal quantile; its next term is below 3e-9.
    let z: f64 = 1.959_963_984_540_054;
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    z + first / degrees_of_freedom + second / (degrees_of_freedom * degrees_of_freedom)
}

/// Mean and squared standard error of the mean, in one pass (Welford 1962).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RunningMean {
    count: usize,
    mean: f64,
    squares: f64,
}

impl RunningMean {
    /// Counts one more value.
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (value - self.mean);
    }

    /// The mean so far.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The variance of the mean, with the unbiased variance of the values; needs two values.
    pub fn variance_of_mean(&self) -> f64 {
        self.squares / ((self.count - 1) as f64 * self.count as f64)
    }
}

impl FromIterator<f64> for RunningMean {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut mean = RunningMean::default();
        values.into_iter().for_each(|value| mean.push(value));
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_of_few_values_are_wider() {
        // Quantiles of Student's t by scipy.stats.t.ppf(0.975, n).
        for (degrees, expected) in
            [(1, 12.706204736), (4, 2.776445105), (100, 1.983971518), (1000, 1.962339080), (1_000_000, 1.959966357)]
        {
            let estimate = Estimate::new(0.0, 1.0, degrees + 1, degrees);
            assert!((estimate.upper / expected - 1.0).abs() < 1e-8, "{degrees}: {estimate:?}");
            assert_eq!(estimate.lower, -estimate.upper);
        }
    }

    #[test]
    fn running_mean_is_the_mean() {
        let running: RunningMean = [1e9 + 1.0, 1e9 + 2.0, 1e9 + 6.0].into_iter().collect();
        assert_eq!(running.mean(), 1e9 + 3.0);
        // Variance 7, divided by three values.
        assert!((running.variance_of_mean() - 7.0 / 3.0).abs() < 1e-6);
    }
}
