//! A panel of the domain and the pair of rules that is applied to it.

use super::crossing::{self, Node};
use super::{Place, QuadratureError, ROUNDING, Sample};

/// Abscissas of the 21-point Kronrod rule on \[0, 1\], outermost first; odd positions are those of the 10-point Gauss
/// rule (QUADPACK's qk21).
pub(super) const NODES: [f64; 11] = [
    0.995_657_163_025_808_1,
    0.973_906_528_517_171_7,
    0.930_157_491_355_708_2,
    0.865_063_366_688_984_5,
    0.780_817_726_586_416_9,
    0.679_409_568_299_024_4,
    0.562_757_134_668_604_7,
    0.433_395_394_129_247_2,
    0.294_392_862_701_460_2,
    0.148_874_338_981_631_22,
    0.0,
];
const KRONROD: [f64; 11] = [
    0.011_694_638_867_371_874,
    0.032_558_162_307_964_725,
    0.054_755_896_574_351_995,
    0.075_039_674_810_919_96,
    0.093_125_454_583_697_6,
    0.109_387_158_802_297_64,
    0.123_491_976_262_065_84,
    0.134_709_217_311_473_34,
    0.142_775_938_577_060_09,
    0.147_739_104_901_338_49,
    0.149_445_554_002_916_9,
];
const GAUSS: [f64; 5] = [
    0.066_671_344_308_688_14,
    0.149_451_349_150_580_6,
    0.219_086_362_515_982_04,
    0.269_266_719_309_996_35,
    0.295_524_224_714_752_87,
];

/// e^−700 of a reach, or less where that is a subnormal number, is the last distance from a landmark: functions of smaller ones, such
/// as quantiles of probabilities, have no digits.
const LAST_DEPTH: f64 = 700.0;
/// 2^1000 scales, where slow powers have decayed too.
const TAIL_DOUBLINGS: i32 = 1000;

/// A change of variables from y ≥ 0.
#[derive(Debug, Clone, Copy)]
pub(super) enum Map {
    /// x = base + reach·e^{−y}, towards the landmark.
    Approach { base: f64, reach: f64 },
    /// x = base + scale·y, away from the last landmark.
    Tail { base: f64, scale: f64 },
}

impl Map {
    pub fn place(self, y: f64) -> (Place, f64) {
        match self {
            Map::Approach { base, reach } => {
                let offset = reach * (-y).exp();
                (Place { base, offset }, offset.abs())
            }
            Map::Tail { base, scale } => (Place { base, offset: scale * y }, scale.abs()),
        }
    }

    /// Ends of the first panels.
    pub fn grid(self) -> Vec<f64> {
        let doubled = (0..=TAIL_DOUBLINGS).map(|k| f64::from(k).exp2());
        let end = match self {
            Map::Approach { reach, .. } => (reach.abs() / f64::MIN_POSITIVE).ln().clamp(1.0, LAST_DEPTH),
            Map::Tail { .. } => f64::INFINITY,
        };
        let mut grid = vec![0.0];
        grid.extend(doubled.take_while(|y| *y < end));
        if end.is_finite() {
            grid.push(end);
        }
        grid
    }
}

#[derive(Debug)]
pub(super) struct Panel {
    pub map: Map,
    pub low: f64,
    pub high: f64,
    /// The integral, by the Kronrod rule.
    pub value: f64,
    /// By how much the Gauss rule disagrees; 0 where rounding explains it.
    pub error: f64,
    /// The integral of the integrand's own noise.
    pub noise: f64,
    /// The integral of the absolute value.
    pub absolute: f64,
}

impl PartialEq for Panel {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Panel {}

impl PartialOrd for Panel {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Panel {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.error.total_cmp(&other.error)
    }
}

/// A function of places, and how often it was asked.
pub(super) struct Integrand<F> {
    pub function: F,
    pub evaluations: usize,
}

impl<S: Into<Sample>, F: Fn(Place) -> S> Integrand<F> {
    fn at(&mut self, map: Map, y: f64) -> Result<Sample, QuadratureError> {
        self.evaluations += 1;
        let (place, jacobian) = map.place(y);
        let sample: Sample = (self.function)(place).into();
        if sample.value.is_nan() {
            return Err(QuadratureError::NotANumber { point: place.x() });
        }
        // A vanishing integrand stays zero however long the panel.
        Ok(if sample.value == 0.0 { 0.0.into() } else { sample.scaled(jacobian) })
    }

    /// The panels that an interval makes: one, or more where the integrand has kinks inside.
    pub fn panels(&mut self, map: Map, low: f64, high: f64) -> Result<Vec<Panel>, QuadratureError> {
        let (whole, mut nodes) = self.panel(map, low, high)?;
        if whole.absolute == 0.0 || nodes.iter().all(|(_, side)| *side == 0.0) {
            return Ok(vec![whole]);
        }
        for end in [low, high] {
            nodes.push((end, self.at(map, end)?.side));
        }
        nodes.sort_by(|a, b| a.0.total_cmp(&b.0));
        // What is not a number at one of these points has no side.
        let cuts = crossing::crossings(&nodes, |y| self.at(map, y).map_or(0.0, |sample| sample.side));
        let inner: Vec<f64> = cuts.into_iter().filter(|cut| *cut > low && *cut < high).collect();
        if inner.is_empty() {
            return Ok(vec![whole]);
        }
        let ends: Vec<f64> = [low].into_iter().chain(inner).chain([high]).collect();
        ends.windows(2).map(|ends| Ok(self.panel(map, ends[0], ends[1])?.0)).collect()
    }

    /// Both rules on an interval, and the sides at their nodes.
    pub fn panel(&mut self, map: Map, low: f64, high: f64) -> Result<(Panel, Vec<Node>), QuadratureError> {
        let (centre, half) = (0.5 * (low + high), 0.5 * (high - low));
        let middle = self.at(map, centre)?;
        let mut nodes = vec![(centre, middle.side)];
        let (mut kronrod, mut gauss) = (KRONROD[10] * middle.value, 0.0);
        let (mut absolute, mut noise) = (KRONROD[10] * middle.value.abs(), KRONROD[10] * middle.noise);
        for (index, node) in NODES[..10].iter().enumerate() {
            let ends = [centre - half * node, centre + half * node];
            let [left, right] = [self.at(map, ends[0])?, self.at(map, ends[1])?];
            nodes.extend([(ends[0], left.side), (ends[1], right.side)]);
            kronrod += KRONROD[index] * (left.value + right.value);
            absolute += KRONROD[index] * (left.value.abs() + right.value.abs());
            noise += KRONROD[index] * (left.noise + right.noise);
            if index % 2 == 1 {
                gauss += GAUSS[index / 2] * (left.value + right.value);
            }
        }
        let (value, absolute, noise) = (half * kronrod, half * absolute, half * noise);
        let disagreement = half * (kronrod - gauss).abs();
        // Below the rounding floor halving changes nothing, so such a panel leaves the queue's top.
        let error = if disagreement <= ROUNDING * absolute + noise { 0.0 } else { disagreement };
        Ok((Panel { map, low, high, value, error, noise, absolute }, nodes))
    }

    /// What lies beyond the last panel, if the integrand goes on decaying as between the last two points: as a power, which is
    /// the slowest decay that there is.
    pub fn remainder(&mut self, map: Map, end: f64) -> Result<f64, QuadratureError> {
        let last = self.at(map, end)?.value.abs();
        if last == 0.0 {
            return Ok(0.0);
        }
        let step = 0.01 * end;
        let power = (self.at(map, end - step)?.value.abs() / last).ln() / (step / end);
        Ok(if power > 1.0 { last * end / (power - 1.0) } else { f64::INFINITY })
    }
}
