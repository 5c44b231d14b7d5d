//! Adaptive Gauss–Kronrod quadrature over a whole line, half a line or an interval, for integrands that may be
//! singular at named points and decay at the ends.
//!
//! The line is cut at the points where the integrand may be rough. Towards each of them the variable becomes
//! y = −ln(distance), which turns every integrable power and logarithm into an exponential decay; the outer ends are
//! covered by panels of doubling length. All panels share one error budget, and the worst is halved until it is met. An
//! integrand with kinks at unknown points says on which side of them it is, and panels are cut there.

mod crossing;
mod panel;

use std::collections::BinaryHeap;

use crate::divergence::masses::compensated_sum;
use crate::error::{Blame, Blamed};
use panel::{Integrand, Map, NODES};

/// The relative error that is aimed for.
pub const RELATIVE_TOLERANCE: f64 = 1e-13;
/// A panel whose two rules agree to this many rounding errors of its absolute integral is as good as it gets.
const ROUNDING: f64 = 50.0 * f64::EPSILON;
/// What the hardest integrands of the tests take, tenfold.
const MAX_EVALUATIONS: usize = 400_000;
/// Scales, or factors of e, beyond which an integrand that vanishes on a whole panel has come to its end.
const FAR_OUT: f64 = 64.0;
/// 0.618^80 < 2^−53.
const GOLDEN_STEPS: usize = 80;

/// Why an integral was not obtained.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuadratureError {
    /// The error bound stays too large.
    #[error(
        "the integral did not converge: {value:e} ± {error_bound:.0e} after {evaluations} evaluations; the integrand has more \
         detail than adaptive quadrature resolves"
    )]
    NotConverged {
        /// The best value.
        value: f64,
        /// Its error bound.
        error_bound: f64,
        /// Evaluations of the integrand.
        evaluations: usize,
    },
    /// The integrand is NaN somewhere.
    #[error("the integrand is not a number at {point}: please report this pair of densities")]
    NotANumber {
        /// Where.
        point: f64,
    },
}

impl Blamed for QuadratureError {
    fn blame(&self) -> Blame {
        match self {
            QuadratureError::NotConverged { .. } => Blame::Input,
            QuadratureError::NotANumber { .. } => Blame::Bug,
        }
    }
}

/// The value of an integral and how far off it may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Integral {
    /// The value; ∞ if the integrand is infinite on a set that the rule sees.
    pub value: f64,
    /// Sum of the disagreements between the 10-point Gauss and the 21-point Kronrod rule, far above the true error of
    /// the latter for smooth integrands, plus rounding, also of the integrand itself, and the estimated remainder of the
    /// tails.
    pub error_bound: f64,
    /// Evaluations of the integrand.
    pub evaluations: usize,
}

impl Integral {
    /// The integral under a differentiable function with this value and this slope.
    pub(crate) fn mapped(self, value: f64, slope: f64) -> Self {
        Integral { value, error_bound: self.error_bound * slope.abs(), ..self }
    }
}

/// A point of the line as a landmark and an offset from it: close to the landmark the offset keeps its digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub base: f64,
    pub offset: f64,
}

impl Place {
    /// A plain point.
    pub fn at(x: f64) -> Self {
        Place { base: 0.0, offset: x }
    }

    /// The point itself.
    pub fn x(self) -> f64 {
        self.base + self.offset
    }

    /// The distance to another point, exact where that is the landmark.
    pub fn minus(self, x: f64) -> f64 {
        (self.base - x) + self.offset
    }
}

/// A value of an integrand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    pub value: f64,
    /// How far off rounding may have put it, beyond a few units in the last place.
    pub noise: f64,
    /// A smooth function that changes its sign where the integrand has a kink; 0 where rounding hides its sign, and for
    /// integrands without kinks.
    pub side: f64,
}

impl From<f64> for Sample {
    fn from(value: f64) -> Self {
        Sample { value, noise: 0.0, side: 0.0 }
    }
}

impl Sample {
    fn scaled(self, factor: f64) -> Self {
        Sample { value: self.value * factor, noise: self.noise * factor, ..self }
    }
}

/// Where to integrate: between the outermost landmarks and, if `scale` says how far the integrand reaches, beyond.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Domain {
    /// Points where the integrand may be rough, ascending, without duplicates; at least one.
    pub landmarks: Vec<f64>,
    /// Length of the first panel below the first landmark; `None` if the domain ends there.
    pub lower_scale: Option<f64>,
    /// Length of the first panel above the last landmark; `None` if the domain ends there.
    pub upper_scale: Option<f64>,
}

impl Domain {
    /// Adds points where the integrand may be rough.
    pub fn add_landmarks(&mut self, landmarks: impl IntoIterator<Item = f64>) {
        self.landmarks.extend(landmarks);
        self.landmarks.sort_by(f64::total_cmp);
        self.landmarks.dedup();
    }

    /// Adds the place of a peak, unless that is a pole at one of the landmarks.
    pub fn add_peak(&mut self, peak: Place) {
        let span = self.landmarks[self.landmarks.len() - 1] - self.landmarks[0];
        if peak.offset.abs() > f64::EPSILON * span {
            self.add_landmarks([peak.x()]);
        }
    }
}

/// Integrates over the domain.
///
/// # Errors
/// [`QuadratureError`] when the error bound cannot be brought to `RELATIVE_TOLERANCE` of the absolute integral or the
/// integrand is NaN somewhere. An integrand that is +∞ somewhere gives ∞.
pub(crate) fn integrate<S: Into<Sample>>(
    domain: &Domain,
    function: impl Fn(Place) -> S,
) -> Result<Integral, QuadratureError> {
    let mut integrand = Integrand { function, evaluations: 0 };
    let mut panels = BinaryHeap::new();
    let mut remainder = 0.0;
    for map in maps(domain) {
        let grid = map.grid();
        let mut is_over = false;
        for ends in grid.windows(2) {
            let panels_here = integrand.panels(map, ends[0], ends[1])?;
            // An integrand that has underflowed far out stays zero.
            is_over = ends[0] >= FAR_OUT && panels_here.iter().all(|panel| panel.absolute == 0.0);
            for panel in panels_here {
                if panel.value == f64::INFINITY {
                    return Ok(Integral { value: f64::INFINITY, error_bound: 0.0, evaluations: integrand.evaluations });
                }
                panels.push(panel);
            }
            if is_over {
                break;
            }
        }
        if !is_over {
            remainder += integrand.remainder(map, grid[grid.len() - 1])?;
        }
    }
    loop {
        let sum = |part: fn(&panel::Panel) -> f64| compensated_sum(panels.iter().map(part));
        let value = sum(|panel| panel.value);
        let (error, noise, absolute) =
            (sum(|panel| panel.error), sum(|panel| panel.noise), sum(|panel| panel.absolute));
        let error_bound = error + noise + remainder + ROUNDING * absolute;
        let evaluations = integrand.evaluations;
        if error <= RELATIVE_TOLERANCE * absolute + noise {
            return if remainder.is_finite() {
                Ok(Integral { value, error_bound, evaluations })
            } else {
                Err(QuadratureError::NotConverged { value, error_bound, evaluations })
            };
        }
        if evaluations > MAX_EVALUATIONS || !error_bound.is_finite() {
            return Err(QuadratureError::NotConverged { value, error_bound, evaluations });
        }
        // Several halvings per pass keep the sums above from dominating.
        for _ in 0..1 + panels.len() / 8 {
            let Some(worst) = panels.pop() else { break };
            let centre = 0.5 * (worst.low + worst.high);
            for (low, high) in [(worst.low, centre), (centre, worst.high)] {
                panels.extend(integrand.panels(worst.map, low, high)?);
            }
        }
    }
}

/// Where a function that may be −∞ is largest, and how large it is there: the best node of the first panels, improved
/// by golden-section search inside its panel.
pub(crate) fn maximum(domain: &Domain, function: impl Fn(Place) -> f64) -> (Place, f64) {
    let value = |map: Map, y: f64| function(map.place(y).0);
    let mut best = (f64::NEG_INFINITY, Map::Tail { base: domain.landmarks[0], scale: 0.0 }, 0.0, 0.0);
    for map in maps(domain) {
        for ends in map.grid().windows(2) {
            let (centre, half) = (0.5 * (ends[0] + ends[1]), 0.5 * (ends[1] - ends[0]));
            for y in NODES.iter().flat_map(|node| [centre - half * node, centre + half * node]) {
                let found = value(map, y);
                if found > best.0 {
                    best = (found, map, ends[0], ends[1]);
                }
            }
        }
    }
    let (_, map, mut low, mut high) = best;
    let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
    for _ in 0..GOLDEN_STEPS {
        let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        if value(map, left) >= value(map, right) { high = right } else { low = left }
    }
    let y = 0.5 * (low + high);
    (map.place(y).0, value(map, y))
}

fn maps(domain: &Domain) -> impl Iterator<Item = Map> {
    let inner = domain.landmarks.windows(2).flat_map(|ends| {
        let reach = 0.5 * (ends[1] - ends[0]);
        [Map::Approach { base: ends[0], reach }, Map::Approach { base: ends[1], reach: -reach }]
    });
    // Next to an outer landmark the integrand may be as rough as anywhere: the first scale is an approach too.
    let outer = |landmark: Option<&f64>, scale: Option<f64>, sign: f64| {
        landmark.copied().zip(scale).into_iter().flat_map(move |(base, scale)| {
            let reach = sign * scale;
            [Map::Approach { base, reach }, Map::Tail { base: base + reach, scale: reach }]
        })
    };
    let below = outer(domain.landmarks.first(), domain.lower_scale, -1.0);
    let above = outer(domain.landmarks.last(), domain.upper_scale, 1.0);
    inner.chain(below).chain(above)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    fn interval(landmarks: &[f64]) -> Domain {
        Domain { landmarks: landmarks.to_vec(), lower_scale: None, upper_scale: None }
    }

    fn check<S: Into<Sample>>(domain: &Domain, function: impl Fn(Place) -> S, expected: f64) {
        let integral = integrate(domain, function).unwrap();
        let error = (integral.value - expected).abs();
        assert!(error <= integral.error_bound, "{integral:?} but {expected}");
        assert!(integral.error_bound <= 1e-11 * expected.abs(), "{integral:?}");
    }

    #[test]
    fn rules_are_exact_for_polynomials_of_their_degree() {
        let map = Map::Tail { base: 0.0, scale: 1.0 };
        for (degree, kronrod) in [(0, true), (18, true), (30, true), (32, false)] {
            let mut integrand = Integrand { function: |place: Place| place.x().powi(degree), evaluations: 0 };
            let panel = integrand.panel(map, -1.0, 1.0).unwrap().0;
            let expected = 2.0 / f64::from(degree + 1);
            assert_eq!((panel.value - expected).abs() < 1e-15, kronrod, "degree {degree}");
            // The Gauss rule is exact to degree 19, so the disagreement vanishes up to there.
            assert_eq!(panel.error == 0.0, degree < 20, "degree {degree}");
        }
    }

    #[test]
    fn smooth_singular_and_infinite_integrals_come_within_their_bounds() {
        check(&interval(&[0.0, 1.0]), |at| at.x().exp(), std::f64::consts::E - 1.0);
        check(&interval(&[0.0, 1.0]), |at| at.minus(0.0).powf(-0.9), 10.0);
        check(&interval(&[0.0, 1.0]), |at| -at.minus(0.0).ln(), 1.0);
        // The singularity sits where plain coordinates have no digits left.
        check(&interval(&[0.0, 1.0]), |at| (-at.minus(1.0)).powf(-0.5), 2.0);
        let line = Domain { landmarks: vec![0.0], lower_scale: Some(1.0), upper_scale: Some(1.0) };
        check(&line, |at| (-0.5 * at.x() * at.x()).exp(), (2.0 * PI).sqrt());
        check(&line, |at| (-1e-6 * at.x().abs()).exp(), 2e6);
        let half = Domain { landmarks: vec![-1.0], lower_scale: None, upper_scale: Some(0.5) };
        check(&half, |at| (-at.minus(-1.0)).exp(), 1.0);
    }

    #[test]
    fn noise_is_neither_chased_nor_hidden() {
        // A relative error of 1e-6 that looks random to any rule.
        let noisy = |at: Place| {
            let value = (-at.x()).exp();
            Sample { value: value * (1.0 + 1e-6 * (1e9 * at.x()).sin()), noise: 1e-6 * value, side: 0.0 }
        };
        let integral = integrate(&interval(&[0.0, 1.0]), noisy).unwrap();
        assert!(integral.evaluations < 10_000, "{integral:?}");
        let expected = -(-1.0_f64).exp_m1();
        assert!((integral.value - expected).abs() <= integral.error_bound && integral.error_bound < 1.1e-6);
    }

    #[test]
    fn narrow_peaks_are_found_from_afar() {
        let line = Domain { landmarks: vec![0.0, 1e6], lower_scale: Some(1.0), upper_scale: Some(1.0) };
        let (place, value) = maximum(&line, |at| 3.0 - (at.x() - 123_456.7) * (at.x() - 123_456.7));
        assert!((place.x() - 123_456.7).abs() < 1e-2 && (value - 3.0).abs() < 1e-4, "{place:?} {value}");
        assert_eq!(maximum(&line, |_| f64::NEG_INFINITY).1, f64::NEG_INFINITY);
    }

    #[test]
    fn kinks_at_unknown_points_are_found() {
        check(&interval(&[0.0, 1.0]), |at| (at.x() - 1.0 / PI).abs(), 0.5 - 1.0 / PI + 1.0 / (PI * PI));
    }

    #[test]
    fn kinks_where_both_rules_agree_by_chance_are_cut() {
        // Somewhere on this path of kinks the disagreement of the rules passes through zero while the value is off.
        for step in 0..2000 {
            let kink = 0.2 + f64::from(step) * 1e-4;
            let with_side = |at: Place| Sample { value: (at.x() - kink).abs(), noise: 0.0, side: at.x() - kink };
            check(&interval(&[0.0, 1.0]), with_side, 0.5 - kink + kink * kink);
        }
        // Two kinks between neighbouring nodes.
        let squeezed = |at: Place| {
            let side = (at.x() - 0.71) * (at.x() - 0.71) - 1e-6;
            Sample { value: side.abs(), noise: 0.0, side }
        };
        let smooth = (0.29_f64.powi(3) + 0.71_f64.powi(3)) / 3.0 - 1e-6;
        check(&interval(&[0.0, 1.0]), squeezed, smooth + 8.0 / 3.0 * 1e-9);
    }

    #[test]
    fn what_does_not_converge_says_so() {
        let result = integrate(&interval(&[0.0, 1.0]), |at| 1.0 / at.x());
        assert!(matches!(result, Err(QuadratureError::NotConverged { .. })), "{result:?}");
        let result = integrate(&interval(&[0.0, 1.0]), |_| f64::NAN);
        assert!(matches!(result, Err(QuadratureError::NotANumber { .. })), "{result:?}");
        let infinite = integrate(&interval(&[0.0, 1.0]), |_| f64::INFINITY).unwrap();
        assert_eq!(infinite.value, f64::INFINITY);
    }
}
