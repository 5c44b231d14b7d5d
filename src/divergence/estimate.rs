//! Values that carry a sampling error.

/// The two-sided 95% quantile of the standard normal distribution.
pub(crate) const NORMAL_QUANTILE_95: f64 = 1.959_963_984_540_054;

/// An average over samples with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The average.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the 95% confidence interval (normal approximation).
    pub lower: f64,
    /// Upper end of the 95% confidence interval.
    pub upper: f64,
    /// Number of samples averaged.
    pub samples: usize,
}

impl Estimate {
    /// Of a mean and its standard error.
    pub(crate) fn new(value: f64, standard_error: f64, samples: usize) -> Self {
        let half_width = NORMAL_QUANTILE_95 * standard_error;
        Estimate { value, standard_error, lower: value - half_width, upper: value + half_width, samples }
    }
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
    fn running_mean_is_the_mean() {
        let running: RunningMean = [1e9 + 1.0, 1e9 + 2.0, 1e9 + 6.0].into_iter().collect();
        assert_eq!(running.mean(), 1e9 + 3.0);
        // Variance 7, divided by three values.
        assert!((running.variance_of_mean() - 7.0 / 3.0).abs() < 1e-6);
    }
}
