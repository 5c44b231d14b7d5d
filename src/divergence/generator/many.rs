//! The terms of many pairs at once: the same functions as in the table, without branches and without calls, so that the
//! compiler makes vector instructions of the loops.
//!
//! Plain multiplications and additions alone, none of them fused: a sum has the same bits on every machine.

use rayon::prelude::*;

use super::Generator;
use crate::divergence::masses::{compensated_sum, lane_sum};

/// Pairs whose terms are held at once: they stay in the nearest cache.
const BLOCK: usize = 1024;
/// Pairs from which a second thread is worth waking.
const MANY: usize = 1 << 15;
/// Where both masses are at least this large, no ratio, product of two differences or quotient of them leaves the range of
/// normal numbers.
const ORDINARY: f64 = 1e-140;

/// Writes the terms of pairs of ordinary masses; the first argument is the divergence's parameter.
pub(super) type Terms = fn(f64, &[f64], &[f64], &mut [f64]);

impl Generator {
    /// Σ [`Generator::excess`] over pairs of masses. Deterministic: the order of addition does not depend on threads.
    pub(crate) fn total_excess(&self, p: &[f64], q: &[f64]) -> f64 {
        debug_assert_eq!(p.len(), q.len());
        let of_block = |(p, q): (&[f64], &[f64])| self.excess_of_block(p, q);
        let blocks: Vec<f64> = if p.len() < MANY {
            p.chunks(BLOCK).zip(q.chunks(BLOCK)).map(of_block).collect()
        } else {
            p.par_chunks(BLOCK).zip(q.par_chunks(BLOCK)).map(of_block).collect()
        };
        compensated_sum(blocks)
    }

    fn excess_of_block(&self, p: &[f64], q: &[f64]) -> f64 {
        let Some(terms) = self.row.many else {
            return compensated_sum(p.iter().zip(q).map(|(p, q)| self.excess(*p, *q)));
        };
        let mut excess = [0.0; BLOCK];
        if least(p).min(least(q)) >= ORDINARY {
            let excess = &mut excess[..p.len()];
            terms(self.parameter, p, q, excess);
            return lane_sum(excess);
        }
        // Pairs with a zero, or with masses that no ratio can be made of, are few or cheap: the others move together.
        let (mut kept_p, mut kept_q, mut kept, mut rest) = ([0.0; BLOCK], [0.0; BLOCK], 0, Vec::new());
        for (&p, &q) in p.iter().zip(q) {
            if p.min(q) >= ORDINARY {
                (kept_p[kept], kept_q[kept]) = (p, q);
                kept += 1;
            } else {
                rest.push(self.excess(p, q));
            }
        }
        let excess = &mut excess[..kept];
        terms(self.parameter, &kept_p[..kept], &kept_q[..kept], excess);
        compensated_sum(rest.into_iter().chain([lane_sum(excess)]))
    }
}

/// The smallest of many numbers, or 1.
fn least(values: &[f64]) -> f64 {
    let smaller = |a: f64, b: f64| if b < a { b } else { a };
    let (lanes, rest) = values.as_chunks::<8>();
    let mut least = [1.0; 8];
    for lane in lanes {
        for (least, value) in least.iter_mut().zip(lane) {
            *least = smaller(*least, *value);
        }
    }
    least.into_iter().chain(rest.iter().copied()).fold(1.0, smaller)
}

/// ln(p/q), or what it is made of.
#[derive(Clone, Copy)]
struct Logarithm {
    /// p/q lies between √½ and √2.
    near: bool,
    /// k of p/q = 2^k·m.
    exponent: f64,
    /// s = (m − 1)/(m + 1), so that ln m = 2s + tail.
    s: f64,
    /// 2 artanh(s) − 2s.
    tail: f64,
}

// ln 2 in two parts, the first with zeros at its end, and the minimax polynomial of 2 artanh(s)/s − 2: those of FreeBSD's
// e_log.c, with an error below 2^−58.45 for |s| below 0.1716.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const TAIL: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];

impl Logarithm {
    /// Of two ordinary masses whose difference is known.
    #[inline(always)]
    fn of_ratio(p: f64, q: f64, difference: f64) -> Self {
        /// The bits of √½.
        const HALF_ROOT: u64 = 0x3fe6_a09e_667f_3bcd;
        /// The bits of 2^52, whose last place is 1: whole numbers put there become floating-point numbers.
        const UNIT: u64 = 0x4330_0000_0000_0000;
        const EXPONENTS: u64 = 0xfff0_0000_0000_0000;
        /// Keeps exponents positive while they are shifted.
        const BIAS: u64 = 1024;
        let bits = (p / q).to_bits();
        let shifted = bits.wrapping_sub(HALF_ROOT).wrapping_add(BIAS << 52);
        let exponent = f64::from_bits((shifted >> 52) | UNIT) - (f64::from_bits(UNIT) + BIAS as f64);
        let mantissa = f64::from_bits(bits.wrapping_sub((shifted & EXPONENTS).wrapping_sub(BIAS << 52)));
        let near = exponent == 0.0;
        // The difference of two masses that nearly agree is exact, and the mantissa of their ratio is not.
        let over = if near { difference } else { mantissa - 1.0 };
        let under = if near { p + q } else { mantissa + 1.0 };
        let s = over / under;
        let z = s * s;
        // Even and odd terms apart shorten the chain of operations.
        let w = z * z;
        let even = TAIL[0] + w * (TAIL[2] + w * (TAIL[4] + w * TAIL[6]));
        let odd = TAIL[1] + w * (TAIL[3] + w * TAIL[5]);
        Logarithm { near, exponent, s, tail: s * z * (even + z * odd) }
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self.exponent * LN_2_HIGH + (2.0 * self.s + (self.tail + self.exponent * LN_2_LOW))
    }
}

/// p ln(p/q) − p + q. Near p = q it is (p−q)·s + p·tail, in which nothing cancels.
#[inline(always)]
fn kullback_leibler(p: f64, q: f64, difference: f64) -> f64 {
    let logarithm = Logarithm::of_ratio(p, q, difference);
    let near = difference * logarithm.s + p * logarithm.tail;
    let far = p * logarithm.value() - difference;
    if logarithm.near { near } else { far }
}

#[inline(always)]
fn skewed_jensen_shannon(weight: f64, p: f64, q: f64) -> f64 {
    let (other, difference) = (1.0 - weight, p - q);
    let mixture = weight * p + other * q;
    weight * kullback_leibler(p, mixture, other * difference)
        + other * kullback_leibler(q, mixture, -(weight * difference))
}

/// Functions of [`Terms`] from formulas of a parameter and two masses.
macro_rules! terms {
    ($($name:ident = |$parameter:ident, $p:ident, $q:ident| $term:expr;)*) => {$(
        pub(super) fn $name(parameter: f64, p: &[f64], q: &[f64], terms: &mut [f64]) {
            // Not a closure: the loop must become part of the function that is compiled for the wider instructions.
            struct Loop<'a>(f64, &'a [f64], &'a [f64], &'a mut [f64]);

            impl pulp::NullaryFnOnce for Loop<'_> {
                type Output = ();

                #[inline(always)]
                fn call(self) {
                    let Loop($parameter, p, q, terms) = self;
                    for ((term, &$p), &$q) in terms.iter_mut().zip(p).zip(q) {
                        *term = $term;
                    }
                }
            }

            pulp::Arch::new().dispatch(Loop(parameter, p, q, terms));
        }
    )*};
}

terms! {
    total_variation_terms = |_parameter, p, q| 0.5 * (p - q).abs();
    kullback_leibler_terms = |_parameter, p, q| kullback_leibler(p, q, p - q);
    reverse_kullback_leibler_terms = |_parameter, p, q| kullback_leibler(q, p, q - p);
    jeffreys_terms = |_parameter, p, q| (p - q) * Logarithm::of_ratio(p, q, p - q).value();
    pearson_terms = |_parameter, p, q| (p - q) * ((p - q) / q);
    neyman_terms = |_parameter, p, q| (p - q) * ((p - q) / p);
    squared_hellinger_terms = |_parameter, p, q| {
        let root = (p - q) / (p.sqrt() + q.sqrt());
        root * root
    };
    le_cam_terms = |_parameter, p, q| 0.5 * (p - q) * ((p - q) / (p + q));
    jensen_shannon_terms = |_parameter, p, q| skewed_jensen_shannon(0.5, p, q);
    twice_jensen_shannon_terms = |_parameter, p, q| 2.0 * skewed_jensen_shannon(0.5, p, q);
    weighted_jensen_shannon_terms = |weight, p, q| skewed_jensen_shannon(weight, p, q);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::random::Random;

    /// Rounding units by which a term of this module may differ from that of the table; both are a few off the truth.
    const UNITS: f64 = 16.0;

    #[test]
    fn terms_are_those_of_the_table() {
        let mut random = Random::new(4);
        let mut pairs = Vec::new();
        for _ in 0..20_000 {
            let p = (-200.0 * random.uniform().powi(3)).exp();
            let apart = [1e-15, 1e-9, 1e-4, 0.1, 1.0, 30.0][random.below(6)] * random.normal();
            pairs.push((p, (p * apart.exp()).clamp(ORDINARY, 1.0)));
        }
        // Either side of the ends of the range in which the difference is used.
        let root = 2.0_f64.sqrt();
        pairs.extend(
            [root.next_down(), root, root.next_up()].into_iter().flat_map(|r| [(0.5 * r, 0.5), (0.5, 0.5 * r)]),
        );
        for generator in Generator::catalogue() {
            let Some(terms) = generator.row.many else { continue };
            let (p, q): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            let mut many = vec![f64::NAN; pairs.len()];
            terms(generator.parameter, &p, &q, &mut many);
            for ((p, q), many) in pairs.iter().zip(many) {
                let one = generator.excess(*p, *q);
                assert!(
                    (many - one).abs() <= UNITS * f64::EPSILON * one,
                    "{generator} of {p:e} and {q:e}: {many:e} {one:e}"
                );
            }
        }
    }

    #[test]
    fn zeros_and_tiny_masses_count_as_they_do_alone() {
        let mut random = Random::new(8);
        let n = 3 * BLOCK + 17;
        let mut masses = || -> Vec<f64> {
            let one = |random: &mut Random| match random.below(5) {
                0 => 0.0,
                1 => 1e-300 * random.uniform(),
                _ => random.uniform() / n as f64,
            };
            (0..n).map(|_| one(&mut random)).collect()
        };
        let (p, q) = (masses(), masses());
        for generator in Generator::catalogue() {
            let expected = compensated_sum(p.iter().zip(&q).map(|(p, q)| generator.excess(*p, *q)));
            let total = generator.total_excess(&p, &q);
            assert!(
                total == expected || (total / expected - 1.0).abs() < 4.0 * f64::EPSILON,
                "{generator}: {total} {expected}"
            );
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let mut random = Random::new(9);
        let [p, q] = [(); 2].map(|()| (0..MANY + 5).map(|_| random.uniform()).collect::<Vec<f64>>());
        let blocks = p.chunks(BLOCK).zip(q.chunks(BLOCK));
        let alone = compensated_sum(blocks.map(|(p, q)| Generator::JENSEN_SHANNON.excess_of_block(p, q)));
        assert_eq!(Generator::JENSEN_SHANNON.total_excess(&p, &q), alone);
    }
}
