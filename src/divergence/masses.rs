//! Two masses at one point, p under P and q under Q, kept so that nothing cancels when they nearly agree and nothing
//! overflows when they are far apart.

use std::f64::consts::LN_2;

/// Below this |ln(p/q)| the difference p − q of two floating-point numbers is exact (Sterbenz), so ratios are taken
/// through it.
const NEAR: f64 = LN_2;

/// Masses, or densities, p and q at one point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Masses {
    /// Mass under P.
    pub p: f64,
    /// Mass under Q.
    pub q: f64,
    /// p − q.
    pub difference: f64,
    /// ln(p/q).
    pub log_ratio: f64,
}

impl Masses {
    /// Of two positive finite masses.
    pub fn new(p: f64, q: f64) -> Self {
        Self::with_difference(p, q, p - q)
    }

    /// Of two positive finite masses whose difference is known better than `p - q` would give it.
    pub fn with_difference(p: f64, q: f64, difference: f64) -> Self {
        let ratio = p / q;
        let log_ratio = if (0.5..=2.0).contains(&ratio) {
            (difference / q).ln_1p()
        } else if ratio.is_normal() {
            ratio.ln()
        } else {
            p.ln() - q.ln()
        };
        Masses { p, q, difference, log_ratio }
    }

    /// Of two finite log masses, both divided by the larger mass, and the logarithm of that mass.
    ///
    /// The smaller mass may underflow to zero; `log_ratio` stays exact.
    pub fn from_logs(log_p: f64, log_q: f64) -> (Self, f64) {
        let log_ratio = log_p - log_q;
        let masses = if log_ratio <= 0.0 {
            Masses { p: log_ratio.exp(), q: 1.0, difference: log_ratio.exp_m1(), log_ratio }
        } else {
            Masses { p: 1.0, q: (-log_ratio).exp(), difference: -(-log_ratio).exp_m1(), log_ratio }
        };
        (masses, log_p.max(log_q))
    }

    /// The masses with P and Q exchanged.
    pub fn swapped(self) -> Self {
        Masses { p: self.q, q: self.p, difference: -self.difference, log_ratio: -self.log_ratio }
    }

    /// The masses of P and of the mixture πP + (1−π)Q.
    pub fn against_mixture(self, weight: f64) -> Self {
        let mixture = weight * self.p + (1.0 - weight) * self.q;
        Self::with_difference(self.p, mixture, (1.0 - weight) * self.difference)
    }

    /// p ln(p/q) − p + q ≥ 0.
    pub fn kullback_leibler(self) -> f64 {
        if self.p == 0.0 {
            self.q
        } else if self.log_ratio.abs() < NEAR {
            self.p * ln_1p_deficit(-self.difference / self.p)
        } else {
            self.p * self.log_ratio - self.difference
        }
    }

    /// scale·((p/q)^exponent − 1), also where the power alone would overflow.
    pub fn scaled_power_m1(self, scale: f64, exponent: f64) -> f64 {
        let log_power = exponent * self.log_ratio;
        if log_power.abs() < 1.0 {
            return scale * log_power.exp_m1();
        }
        let ratio = self.p / self.q;
        // The logarithm loses digits when it is large, so it serves only where the ratio cannot be represented.
        let power = if ratio.is_normal() { ratio.powf(exponent) } else { log_power.exp() };
        if power.is_finite() { scale * power - scale } else { (log_power + scale.ln()).exp() }
    }
}

/// x − ln(1+x) for x > −1, to full relative precision: about x²/2 near zero.
///
/// With r = x/(2+x), ln(1+x) = 2·atanh(r) and x − 2r = r·x, so the leading terms never have to cancel.
pub(crate) fn ln_1p_deficit(x: f64) -> f64 {
    if !(-0.5..=1.0).contains(&x) {
        return x - x.ln_1p();
    }
    let r = x / (2.0 + x);
    let r_squared = r * r;
    // |r| ≤ 1/3, so 18 terms reach 3^-36 < 2^-53.
    let series = (0..18).rev().fold(0.0, |sum, k| sum * r_squared + 1.0 / (2 * k + 3) as f64);
    r * (x - 2.0 * r_squared * series)
}

/// Sum with Neumaier's compensation: the error does not grow with the number of terms.
pub(crate) fn compensated_sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for term in terms {
        let next = sum + term;
        if next.is_finite() {
            lost += if sum.abs() >= term.abs() { (sum - next) + term } else { (term - next) + sum };
        }
        sum = next;
    }
    sum + lost
}

/// Sum of finite terms with Knuth's compensation, in lanes that the compiler makes vector instructions of.
pub(crate) fn lane_sum(terms: &[f64]) -> f64 {
    let (lanes, rest) = terms.as_chunks::<8>();
    let (mut sums, mut lost) = ([0.0; 8], [0.0; 8]);
    for terms in lanes {
        for (lane, term) in terms.iter().enumerate() {
            let (before, sum) = (sums[lane], sums[lane] + term);
            let added = sum - before;
            lost[lane] += (before - (sum - added)) + (term - added);
            sums[lane] = sum;
        }
    }
    compensated_sum(sums.into_iter().chain(lost).chain(rest.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deficit_follows_its_series_and_its_definition() {
        for x in [1e-300, -1e-12, 1e-9, -1e-5] {
            let series = x * x * (0.5 - x * (1.0 / 3.0 - x / 4.0));
            assert!((ln_1p_deficit(x) - series).abs() <= 4.0 * f64::EPSILON * series, "{x}");
        }
        // Either side of the switch and in the middle of the series' range; 50-digit values.
        for (x, expected) in [
            (-0.5, 0.193_147_180_559_945_3),
            (1.0, 0.306_852_819_440_054_7),
            (0.25, 0.026_856_448_685_790_24),
            (-0.75, 0.636_294_361_119_890_6),
        ] {
            assert!((ln_1p_deficit(x) - expected).abs() <= 8.0 * f64::EPSILON * expected, "{x}");
        }
    }

    #[test]
    fn compensated_sum_recovers_what_plain_addition_loses() {
        assert_eq!(compensated_sum([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(compensated_sum([1.0, f64::INFINITY]), f64::INFINITY);
        assert_eq!(compensated_sum([]), 0.0);
        let mut terms = vec![1.0; 33];
        (terms[3], terms[11]) = (1e100, -1e100);
        assert_eq!((lane_sum(&terms), lane_sum(&terms[..3])), (31.0, 3.0));
    }

    #[test]
    fn log_masses_agree_with_masses() {
        let (scaled, log_scale) = Masses::from_logs(0.3_f64.ln(), 0.2_f64.ln());
        let masses = Masses::new(0.3, 0.2);
        let rescaled = scaled.kullback_leibler() * log_scale.exp();
        assert!((rescaled - masses.kullback_leibler()).abs() < 1e-16);
        let (far, _) = Masses::from_logs(-5.0, -2000.0);
        assert_eq!((far.q, far.log_ratio), (0.0, 1995.0));
    }
}
