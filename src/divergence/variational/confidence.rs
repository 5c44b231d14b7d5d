//! Confidence bounds on the mean of bounded values that hold for every distribution and every number of samples.
//!
//! A gambler who bets on each next value that the mean is above m cannot expect to win where it is not: the capital is at
//! least 1/risk with a probability of at most `risk` (Ville's inequality). So the means that made the capital that large are
//! excluded (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting"). Bets follow the
//! variance seen so far, which makes the bound as narrow as a normal interval where that would have been right.

/// The share of the capital that may be lost on one value.
const LARGEST_STAKE: f64 = 0.75;
/// Halvings of the interval that holds the bound.
const HALVINGS: usize = 40;

/// A number that the mean of independent values exceeds with a probability of at least 1 − risk.
///
/// Values outside the range are moved to its nearer end, so that the bound is one on the mean of what is left.
pub(super) fn lower_bound(values: &[f64], (low, high): (f64, f64), risk: f64) -> f64 {
    let width = high - low;
    if width <= 0.0 {
        return low;
    }
    let scaled: Vec<f64> = values.iter().map(|value| ((value - low) / width).clamp(0.0, 1.0)).collect();
    let stakes = stakes(&scaled, risk);
    let is_excluded = |mean: f64| {
        let mut log_capital = 0.0;
        scaled.iter().zip(&stakes).any(|(value, stake)| {
            log_capital += (stake.min(LARGEST_STAKE / mean) * (value - mean)).ln_1p();
            log_capital >= -risk.ln()
        })
    };
    let (mut excluded, mut possible) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let mean = 0.5 * (excluded + possible);
        if is_excluded(mean) { excluded = mean } else { possible = mean }
    }
    low + width * excluded
}

/// A number that the mean stays below with a probability of at least 1 − risk.
pub(super) fn upper_bound(values: &[f64], (low, high): (f64, f64), risk: f64) -> f64 {
    let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
    -lower_bound(&mirrored, (-high, -low), risk)
}

/// What to bet on each value, from those before it.
fn stakes(values: &[f64], risk: f64) -> Vec<f64> {
    let aim = -2.0 * risk.ln() / values.len() as f64;
    // As if one value of ½ with the largest variance had been seen.
    let (mut count, mut sum, mut squares) = (1.0, 0.5, 0.25);
    let next = |value: &f64| {
        let stake = (aim * count / squares).sqrt();
        (count, sum) = (count + 1.0, sum + value);
        squares += (value - sum / count) * (value - sum / count);
        stake
    };
    values.iter().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::random::Random;

    #[test]
    fn it_covers_rare_large_values() {
        // A mean that one value in two hundred carries: most samples of fifty have none, and a normal interval around
        // their mean is a point.
        let mut random = Random::new(1);
        let (share, runs) = (0.005, 2000);
        let mut missed = [0, 0];
        for _ in 0..runs {
            let values: Vec<f64> = (0..50).map(|_| f64::from(random.uniform() < share)).collect();
            missed[0] += usize::from(lower_bound(&values, (0.0, 1.0), 0.05) > share);
            missed[1] += usize::from(upper_bound(&values, (0.0, 1.0), 0.05) < share);
        }
        assert!(missed.into_iter().all(|missed| missed <= runs / 20), "{missed:?} of {runs}");
    }

    #[test]
    fn it_is_nearly_as_narrow_as_a_normal_interval() {
        let mut random = Random::new(2);
        let values: Vec<f64> = (0..5000).map(|_| 0.5 + 0.05 * (random.uniform() - 0.5)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let normal = 1.645 * 0.05 / 12.0_f64.sqrt() / (values.len() as f64).sqrt();
        let gap = mean - lower_bound(&values, (0.0, 1.0), 0.05);
        assert!(gap > normal && gap < 3.0 * normal, "{gap} {normal}");
        let above = upper_bound(&values, (0.0, 1.0), 0.05) - mean;
        assert!(above > normal && above < 3.0 * normal, "{above} {normal}");
    }

    #[test]
    fn a_single_point_is_its_own_bound() {
        assert_eq!(lower_bound(&[2.0, 2.0], (2.0, 2.0), 0.05), 2.0);
        let bound = lower_bound(&[0.0, 0.0, 0.0], (0.0, 1.0), 0.05);
        assert!((0.0..1e-9).contains(&bound), "{bound}");
    }
}
