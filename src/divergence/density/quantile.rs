//! Quantiles: distribution functions inverted by Newton's method inside a bracket.

use super::Density;
use crate::divergence::quadrature::Place;

/// Which tail a probability belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    Lower,
    Upper,
}

/// Steps that bisection alone would take from the largest number to the last digit of the smallest.
const MOST_STEPS: usize = 2200;
/// The share of the scale beyond which a first-order error of a quantile is not believed.
const LINEAR: f64 = 1e-3;

impl Density {
    /// The x with P(X ≤ x) = `probability`, or with P(X > x) = `probability` for the upper tail, to the last digits.
    pub(crate) fn quantile(&self, probability: f64, tail: Tail) -> f64 {
        let (low, high) = self.parts.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, component)| {
            let (lower, upper) = component.support();
            (low.min(lower), high.max(upper))
        });
        let is_above = |x: f64| match tail {
            Tail::Lower => self.cdf(x) >= probability,
            Tail::Upper => self.survival(x) <= probability,
        };
        // Widen from the centre until the quantile is inside.
        let (centre, scale) = self.parts[0].1.centre_and_scale();
        let widen = |sign: f64, done: &dyn Fn(f64) -> bool| {
            (0..2000).map(|k| centre + sign * scale * 1.5_f64.powi(k)).find(|x| done(*x) || x.is_infinite())
        };
        let low = if low.is_finite() { low } else { widen(-1.0, &|x| !is_above(x)).unwrap_or(f64::MIN) };
        let high = if high.is_finite() { high } else { widen(1.0, &|x| is_above(x)).unwrap_or(f64::MAX) };
        self.inverted(probability, tail, (low, high))
    }

    /// The quantile inside a bracket. Newton's method on ln P, which is nearly straight in the tails, and bisection where a
    /// step leaves the bracket or the bracket does not shrink.
    fn inverted(&self, probability: f64, tail: Tail, (mut low, mut high): (f64, f64)) -> f64 {
        let (mut x, mut width) = (0.5 * (low + high), high - low);
        for step in 0..MOST_STEPS {
            let reached = self.probability(Place::at(x), tail);
            let is_above = if tail == Tail::Lower { reached >= probability } else { reached <= probability };
            if is_above {
                high = x
            } else {
                low = x
            }
            let slope = match tail {
                Tail::Lower => self.pdf(x) / reached,
                Tail::Upper => -self.pdf(x) / reached,
            };
            let newton = x - (reached / probability).ln() / slope;
            let middle = 0.5 * (low + high);
            let stalls = step % 4 == 3 && high - low > 0.5 * width;
            if step % 4 == 3 {
                width = high - low;
            }
            let next = if newton > low && newton < high && !stalls { newton } else { middle };
            if middle <= low || middle >= high || (next == newton && (next - x).abs() <= f64::EPSILON * x.abs()) {
                return if next == newton { next } else { high };
            }
            x = next;
        }
        x
    }

    /// How far off a quantile may be, given the rounding of the distribution function.
    pub(crate) fn rounding_of_quantile(&self, quantile: f64, probability: f64, tail: Tail) -> f64 {
        let error = probability * self.rounding_of_probability(probability);
        let representation = f64::EPSILON * quantile.abs();
        let scale = self.parts.iter().map(|(_, component)| component.centre_and_scale().1).fold(0.0, f64::max);
        let linear = error / self.pdf(quantile);
        if linear <= LINEAR * scale {
            return linear + representation;
        }
        // In a gap between the components a rounding error takes the quantile across, and no further.
        (self.quantile(probability + error, tail) - self.quantile(probability - error, tail)).abs() + representation
    }
}
