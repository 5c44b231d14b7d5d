//! Numbers of twice the precision, as the unevaluated sum of two: 32 digits for matrices that have lost 14 of their 16.

use std::iter::Sum;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// high + low, where |low| is at most half a unit in the last place of high (Dekker 1971).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Double {
    high: f64,
    low: f64,
}

impl Double {
    pub const ZERO: Double = Double { high: 0.0, low: 0.0 };
    pub const ONE: Double = Double { high: 1.0, low: 0.0 };

    /// The nearest floating-point number.
    pub fn rounded(self) -> f64 {
        self.high + self.low
    }

    /// The square root of a number that is not negative.
    pub fn sqrt(self) -> Self {
        if self.high <= 0.0 {
            return Self::ZERO;
        }
        // A Newton step doubles the digits of the root.
        let root = Double::from(self.high.sqrt());
        root + (self - root * root) / (root + root)
    }

    /// The exact sum of two numbers.
    fn exact_sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let part = high - a;
        Double { high, low: (a - (high - part)) + (b - part) }
    }
}

impl From<f64> for Double {
    fn from(high: f64) -> Self {
        Double { high, low: 0.0 }
    }
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (high, low) = (Self::exact_sum(self.high, other.high), Self::exact_sum(self.low, other.low));
        let sum = Self::exact_sum(high.high, high.low + low.high);
        Self::exact_sum(sum.high, sum.low + low.low)
    }
}

impl Neg for Double {
    type Output = Self;

    fn neg(self) -> Self {
        Double { high: -self.high, low: -self.low }
    }
}

impl Sub for Double {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Double {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let high = self.high * other.high;
        let low = self.high.mul_add(other.high, -high) + (self.high * other.low + self.low * other.high);
        Self::exact_sum(high, low)
    }
}

impl Div for Double {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self - Double::from(first) * other;
        let second = rest.high / other.high;
        let rest = rest - Double::from(second) * other;
        Self::exact_sum(first, second) + Double::from(rest.high / other.high)
    }
}

impl Sum for Double {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_thirty_digits() {
        let third = Double::ONE / Double::from(3.0);
        assert!((third + third + third - Double::ONE).rounded().abs() < 1e-31);
        let root = Double::from(2.0).sqrt();
        assert!((root * root - Double::from(2.0)).rounded().abs() < 1e-31);
        let tiny = Double::from(1e-25);
        assert!(((Double::ONE + tiny - Double::ONE).rounded() / 1e-25 - 1.0).abs() < 1e-6);
        assert_eq!(Double::ZERO.sqrt(), Double::ZERO);
    }
}
