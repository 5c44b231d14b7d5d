//! How densities behave at the ends of intervals, which decides whether an integral over powers of them is finite, and
//! where quadrature has to look.

use super::{Component, Density};
use crate::divergence::quadrature::Domain;

/// An end of an interval, seen from inside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    MinusInfinity,
    PlusInfinity,
    /// A finite point approached from above.
    Above(f64),
    /// A finite point approached from below.
    Below(f64),
}

/// A function that grows without bound towards an end, in z: |x| → ∞ at an infinite end, the distance → 0 at a finite one. At a
/// finite end only logarithms grow.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Growing {
    /// |ln z|.
    Log,
    /// (ln z)².
    LogSquare,
    /// z^exponent.
    Power(f64),
    /// e^{rate·z}.
    Exponential(f64),
}

/// −ln p ≈ Σ coefficient·growing + constant towards an end.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Behaviour {
    /// The fastest first, each kind once, none with a coefficient of zero.
    terms: Vec<(Growing, f64)>,
}

impl Behaviour {
    fn of(terms: impl IntoIterator<Item = (Growing, f64)>) -> Self {
        let mut sorted: Vec<(Growing, f64)> = Vec::new();
        for (kind, coefficient) in terms {
            match sorted.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, sum)) => *sum += coefficient,
                None => sorted.push((kind, coefficient)),
            }
        }
        sorted.retain(|(_, coefficient)| *coefficient != 0.0);
        sorted.sort_by(|a, b| b.0.partial_cmp(&a.0).expect("exponents and rates are numbers"));
        Behaviour { terms: sorted }
    }

    /// p ~ z^power at an infinite end.
    fn tail_power(power: f64) -> Self {
        Self::of([(Growing::Log, -power)])
    }

    /// p ~ distance^power at a finite end, where |ln z| grows as the distance vanishes.
    fn end_power(power: f64) -> Self {
        Self::of([(Growing::Log, power)])
    }

    fn coefficient(&self, kind: Growing) -> f64 {
        self.terms.iter().find(|(known, _)| *known == kind).map_or(0.0, |(_, coefficient)| *coefficient)
    }

    /// The coefficient of z² in −ln p.
    pub fn quadratic(&self) -> f64 {
        self.coefficient(Growing::Power(2.0))
    }

    /// The coefficient of z in −ln p.
    pub fn linear(&self) -> f64 {
        self.coefficient(Growing::Power(1.0))
    }

    /// Of p^exponent·q^{1−exponent}.
    pub fn of_product(p: &Behaviour, q: &Behaviour, exponent: f64) -> Self {
        let kinds = || p.terms.iter().chain(&q.terms).map(|(kind, _)| *kind);
        let first_of_a_kind =
            kinds().enumerate().filter(|(index, kind)| !kinds().take(*index).any(|known| known == *kind));
        Self::of(first_of_a_kind.map(|(_, kind)| {
            let (p, q) = (exponent * p.coefficient(kind), (1.0 - exponent) * q.coefficient(kind));
            // What should cancel exactly may leave a rounding error.
            let rounding = 4.0 * f64::EPSILON * (p.abs() + q.abs());
            (kind, if (p + q).abs() <= rounding { 0.0 } else { p + q })
        }))
    }

    /// Of |x|^exponent·p at an infinite end.
    fn with_moment(&self, exponent: f64) -> Self {
        Self::of(self.terms.iter().copied().chain([(Growing::Log, -exponent)]))
    }

    /// Whether ∫ p·|ln(p/q)| is finite up to an infinite end.
    pub fn bears_log_ratio(&self, q: &Behaviour, end: End) -> bool {
        let with = |term: (Growing, f64)| Self::of(self.terms.iter().copied().chain([term])).is_integrable(end);
        match Self::difference(q, self).terms.first() {
            Some((Growing::Power(exponent), _)) => self.with_moment(*exponent).is_integrable(end),
            Some((Growing::Exponential(rate), _)) => with((Growing::Power(1.0), -rate)),
            // A density decays fast enough for logarithms and their powers.
            Some((Growing::Log | Growing::LogSquare, _)) | None => true,
        }
    }

    fn difference(a: &Behaviour, b: &Behaviour) -> Self {
        Self::of(a.terms.iter().copied().chain(b.terms.iter().map(|(kind, coefficient)| (*kind, -coefficient))))
    }

    /// Whether a function that behaves so has a finite integral up to the end.
    pub fn is_integrable(&self, end: End) -> bool {
        // z^power is integrable up to z = 0 for a power above −1, and up to infinity for one below −1.
        let slowest = match end {
            End::Above(_) | End::Below(_) => -1.0,
            End::MinusInfinity | End::PlusInfinity => 1.0,
        };
        match self.terms.first() {
            Some((Growing::Log, coefficient)) => *coefficient > slowest,
            Some((_, coefficient)) => *coefficient > 0.0,
            None => slowest < 0.0,
        }
    }

    /// Whether this density is eventually the larger one: its −ln p grows more slowly in the fastest term that differs.
    fn dominates(&self, other: &Behaviour) -> bool {
        Self::difference(self, other).terms.first().is_some_and(|(_, coefficient)| *coefficient < 0.0)
    }
}

impl Component {
    /// Behaviour at an end; `None` where the density is zero next to it.
    fn behaviour(self, end: End) -> Option<Behaviour> {
        let (lower, upper) = self.support();
        match end {
            End::MinusInfinity if lower.is_finite() => return None,
            End::PlusInfinity if upper.is_finite() => return None,
            End::Above(x) if x < lower || x >= upper => return None,
            End::Below(x) if x <= lower || x > upper => return None,
            _ => {}
        }
        let sign = match end {
            End::MinusInfinity => -1.0,
            End::PlusInfinity => 1.0,
            End::Above(x) | End::Below(x) => return Some(self.behaviour_at(x)),
        };
        let linear = |coefficient: f64| (Growing::Power(1.0), coefficient);
        Some(match self {
            Component::Normal { mean, deviation } => {
                let precision = 1.0 / (deviation * deviation);
                Behaviour::of([(Growing::Power(2.0), 0.5 * precision), linear(-sign * mean * precision)])
            }
            Component::Laplace { scale, .. } | Component::Logistic { scale, .. } => {
                Behaviour::of([linear(1.0 / scale)])
            }
            Component::Gamma { shape, rate } => Behaviour::of([linear(rate), (Growing::Log, 1.0 - shape)]),
            Component::Cauchy { .. } => Behaviour::tail_power(-2.0),
            Component::StudentT { freedom, .. } => Behaviour::tail_power(-freedom - 1.0),
            Component::LogNormal { mu, sigma } => {
                let precision = 1.0 / (sigma * sigma);
                Behaviour::of([(Growing::LogSquare, 0.5 * precision), (Growing::Log, 1.0 - mu * precision)])
            }
            Component::Weibull { shape, scale } => {
                Behaviour::of([(Growing::Power(shape), scale.powf(-shape)), (Growing::Log, 1.0 - shape)])
            }
            // exp(−z − e^{−z}) with z = (x − location)/scale.
            Component::Gumbel { scale, .. } if sign > 0.0 => Behaviour::of([linear(1.0 / scale)]),
            Component::Gumbel { location, scale } => {
                Behaviour::of([(Growing::Exponential(1.0 / scale), (location / scale).exp()), linear(-1.0 / scale)])
            }
            Component::Uniform { .. } | Component::Beta { .. } | Component::Triangular { .. } => Behaviour::default(),
        })
    }

    /// Behaviour next to a point of the support.
    fn behaviour_at(self, x: f64) -> Behaviour {
        match self {
            Component::Gamma { shape, .. } | Component::Weibull { shape, .. } if x == 0.0 => {
                Behaviour::end_power(shape - 1.0)
            }
            Component::Beta { a, .. } if x == 0.0 => Behaviour::end_power(a - 1.0),
            Component::Beta { b, .. } if x == 1.0 => Behaviour::end_power(b - 1.0),
            Component::LogNormal { mu, sigma } if x == 0.0 => {
                let precision = 1.0 / (sigma * sigma);
                Behaviour::of([(Growing::LogSquare, 0.5 * precision), (Growing::Log, mu * precision - 1.0)])
            }
            Component::Triangular { lower, mode, upper } if (x == lower && x < mode) || (x == upper && x > mode) => {
                Behaviour::end_power(1.0)
            }
            _ => Behaviour::default(),
        }
    }

    /// Points where the density is rough, and points that bracket its bulk.
    fn landmarks(self) -> Vec<f64> {
        const STEPS: [f64; 5] = [-8.0, -2.0, 0.0, 2.0, 8.0];
        let (centre, scale) = self.centre_and_scale();
        let (lower, upper) = self.support();
        let bulk = match self {
            Component::LogNormal { mu, sigma } => STEPS.map(|step| (mu + step * sigma).exp()),
            _ => STEPS.map(|step| centre + step * scale),
        };
        let inside = bulk.into_iter().filter(|x| *x > lower && *x < upper);
        inside.chain([lower, upper].into_iter().filter(|x| x.is_finite())).collect()
    }
}

impl Density {
    /// Behaviour at an end; `None` where the density is zero next to it.
    pub(crate) fn behaviour(&self, end: End) -> Option<Behaviour> {
        let all = self.parts.iter().filter_map(|(_, component)| component.behaviour(end));
        all.reduce(|best, next| if next.dominates(&best) { next } else { best })
    }

    /// Whether E|X|^order is finite.
    pub(crate) fn has_moment(&self, order: f64) -> bool {
        [End::MinusInfinity, End::PlusInfinity].into_iter().all(|end| {
            let mut behaviours = self.parts.iter().filter_map(|(_, component)| component.behaviour(end));
            behaviours.all(|behaviour| behaviour.with_moment(order).is_integrable(end))
        })
    }

    /// The union of the supports of both densities, with landmarks wherever one of them is rough.
    pub(crate) fn domain(&self, other: &Density) -> Domain {
        let components = || self.parts.iter().chain(&other.parts).map(|(_, component)| *component);
        let largest = components().map(|component| component.centre_and_scale().1).fold(0.0, f64::max);
        let reaches = |end: End| components().any(|component| component.behaviour(end).is_some());
        let mut domain = Domain {
            landmarks: Vec::new(),
            lower_scale: reaches(End::MinusInfinity).then_some(largest),
            upper_scale: reaches(End::PlusInfinity).then_some(largest),
        };
        domain.add_landmarks(components().flat_map(Component::landmarks));
        domain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_exist_where_the_tail_is_thin_enough() {
        for (density, order, exists) in [
            ("cauchy(0, 1)", 0.99, true),
            ("cauchy(0, 1)", 1.0, false),
            ("student(3, 0, 1)", 2.99, true),
            ("student(3, 0, 1)", 3.0, false),
            ("lognormal(0, 5)", 1000.0, true),
            ("weibull(0.1, 1)", 1000.0, true),
            ("gumbel(0, 1)", 1000.0, true),
            ("0.5*normal(0, 1) + 0.5*cauchy(0, 1)", 1.0, false),
        ] {
            assert_eq!(density.parse::<Density>().unwrap().has_moment(order), exists, "{density} {order}");
        }
    }

    #[test]
    fn the_heaviest_part_dominates_a_mixture() {
        let behaviour = |text: &str, end| text.parse::<Density>().unwrap().behaviour(end).unwrap();
        let heaviest =
            ["cauchy(0,1)", "student(2,0,1)", "lognormal(0,1)", "weibull(0.5,1)", "gamma(2,1)", "normal(0,1)"];
        for pair in heaviest.windows(2) {
            let mixture = format!("0.5*{} + 0.5*{}", pair[1], pair[0]);
            assert_eq!(behaviour(&mixture, End::PlusInfinity), behaviour(pair[0], End::PlusInfinity), "{mixture}");
        }
        let mixture = "0.5*gumbel(0,1) + 0.5*normal(0,1)";
        assert_eq!(behaviour(mixture, End::MinusInfinity), behaviour("normal(0,1)", End::MinusInfinity));
        let mixture = "0.5*gamma(2,1) + 0.5*lognormal(0,1)";
        assert_eq!(behaviour(mixture, End::Above(0.0)), Behaviour::end_power(1.0));
    }
}
