//! PyTorch's random numbers on the CPU, bit for bit, since torch-fidelity draws the directions of MIND with them.

use rand_mt::Mt;

/// Numbers that one step of the vectorised generator makes.
const BLOCK: usize = 16;

/// `torch.Generator("cpu").manual_seed(seed)`.
///
/// Source: the behaviour of PyTorch 2.x on x86-64 with AVX2 or newer, whose wheels make normal numbers in f32 eight at
/// a time with polynomials of the Cephes library (Moshier), fused multiply-adds included. Equality is tested on
/// fixtures: every bit for 16 numbers and more. Fewer are made one at a time in f64, where the last bit is up to the
/// system's mathematical library.
#[derive(Debug, Clone)]
pub struct TorchGenerator(Mt);

impl TorchGenerator {
    /// A generator in the state after `manual_seed(seed)`, which keeps the lower 32 bits.
    pub fn new(seed: u64) -> Self {
        Self(Mt::new(seed as u32))
    }

    /// `torch.randperm(n)`: the numbers `0..n` shuffled by Fisher–Yates from the front, by remainders of 32-bit draws.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut permutation: Vec<usize> = (0..n).collect();
        for first in 0..n.saturating_sub(1) {
            let draw = self.0.next_u32() as usize % (n - first);
            permutation.swap(first, first + draw);
        }
        permutation
    }

    /// `torch.randn(n)` in f32, for a contiguous tensor of `n` numbers in all.
    pub fn normal(&mut self, n: usize) -> Vec<f32> {
        if n < BLOCK {
            return self.few_normal(n);
        }
        let mut numbers: Vec<f32> = (0..n).map(|_| self.uniform()).collect();
        numbers.as_chunks_mut::<BLOCK>().0.iter_mut().for_each(box_muller);
        if !n.is_multiple_of(BLOCK) {
            // The last block begins anew, and reaches back over numbers that are already there.
            let mut last = std::array::from_fn(|_| self.uniform());
            box_muller(&mut last);
            numbers[n - BLOCK..].copy_from_slice(&last);
        }
        numbers
    }

    /// Uniform on \[0, 1), 24 bits.
    fn uniform(&mut self) -> f32 {
        (self.0.next_u32() & 0xff_ffff) as f32 * (-24.0_f32).exp2()
    }

    /// Uniform on \[0, 1), 53 bits.
    fn uniform_f64(&mut self) -> f64 {
        let (high, low) = (u64::from(self.0.next_u32()), u64::from(self.0.next_u32()));
        (((high << 32) | low) & ((1 << 53) - 1)) as f64 * (-53.0_f64).exp2()
    }

    fn few_normal(&mut self, n: usize) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(n + 1);
        while numbers.len() < n {
            let (angle, radius) = (self.uniform_f64(), self.uniform_f64());
            let (sin, cos) = (std::f64::consts::TAU * angle).sin_cos();
            let radius = (-2.0 * (-radius).ln_1p()).sqrt();
            numbers.extend([(radius * cos) as f32, (radius * sin) as f32]);
        }
        numbers.truncate(n);
        numbers
    }
}

/// Turns eight pairs of uniform numbers, `(u[i], u[i + 8])`, into normal ones.
fn box_muller(numbers: &mut [f32; BLOCK]) {
    for first in 0..BLOCK / 2 {
        let radius = (-2.0 * ln(1.0 - numbers[first])).sqrt();
        let (sin, cos) = sin_cos(std::f32::consts::TAU * numbers[first + BLOCK / 2]);
        numbers[first] = radius * cos;
        numbers[first + BLOCK / 2] = radius * sin;
    }
}

/// A polynomial with the coefficient of the highest power first, by fused multiply-adds.
fn horner(x: f32, coefficients: &[f32]) -> f32 {
    coefficients.iter().copied().reduce(|sum, next| sum.mul_add(x, next)).unwrap_or_default()
}

/// Coefficients of the logarithm of Cephes, written as there.
#[expect(clippy::excessive_precision, reason = "the digits of the source; they round to the same f32")]
const LOG: [f32; 9] = [
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
];

/// ln 2 in two parts, the first with few bits.
const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];

/// Natural logarithm of a positive normal number, to the bits of the vectorised one.
fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = ((bits >> 23) as i32 - 126) as f32;
    let mantissa = f32::from_bits(bits & 0x007f_ffff | 0.5_f32.to_bits());
    let (exponent, x) = if mantissa < std::f32::consts::FRAC_1_SQRT_2 {
        (exponent - 1.0, mantissa - 1.0 + mantissa)
    } else {
        (exponent, mantissa - 1.0)
    };
    let square = x * x;
    let tail = (horner(x, &LOG) * x).mul_add(square, exponent * LN_2[1]);
    exponent.mul_add(LN_2[0], x + (-square).mul_add(0.5, tail))
}

/// π/4 in three parts, the first two with few bits.
#[expect(clippy::excessive_precision, reason = "the digits of the source; they round to the same f32")]
const QUARTER_PI: [f32; 3] = [0.785_156_25, 2.418_756_484_985_351_562_5e-4, 3.774_894_977_445_941_08e-8];
/// Coefficients of the sine of Cephes.
#[expect(clippy::excessive_precision, reason = "the digits of the source; they round to the same f32")]
const SIN: [f32; 3] = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
/// Coefficients of the cosine of Cephes.
#[expect(clippy::excessive_precision, reason = "the digits of the source; they round to the same f32")]
const COS: [f32; 3] = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];
/// 4/π.
const PER_OCTANT: f32 = 4.0 * std::f32::consts::FRAC_1_PI;

/// Sine and cosine of an angle in [0, 2π], to the bits of the vectorised ones.
fn sin_cos(x: f32) -> (f32, f32) {
    // The even octant nearest to the angle.
    let octant = ((x * PER_OCTANT) as i32 + 1) & !1;
    let x = QUARTER_PI.iter().fold(x, |x, &part| (octant as f32).mul_add(-part, x));
    let square = x * x;
    let cos = (horner(square, &COS) * square).mul_add(square, -(square * 0.5)) + 1.0;
    let sin = (horner(square, &SIN) * square).mul_add(x, x);
    let (sin, cos) = if octant & 2 == 0 { (sin, cos) } else { (cos, sin) };
    let negate = |value: f32, condition| if condition { -value } else { value };
    (negate(sin, octant & 4 != 0), negate(cos, (octant - 2) & 4 == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_and_the_circle_are_right() {
        // Cephes promises 2 ulp on these ranges.
        for i in 1..=4096_u16 {
            let x = f32::from(i) / 4096.0;
            assert!((ln(x) - x.ln()).abs() <= 2.0 * f32::EPSILON * x.ln().abs(), "ln {x}");
            let angle = std::f32::consts::TAU * x;
            let (sin, cos) = sin_cos(angle);
            let (exact_sin, exact_cos) = f64::from(angle).sin_cos();
            assert!((f64::from(sin) - exact_sin).abs() < 2.0 * f64::from(f32::EPSILON), "sin {angle}");
            assert!((f64::from(cos) - exact_cos).abs() < 2.0 * f64::from(f32::EPSILON), "cos {angle}");
        }
    }

    #[test]
    fn small_and_empty_requests() {
        assert!(TorchGenerator::new(0).permutation(0).is_empty());
        assert_eq!(TorchGenerator::new(0).permutation(1), [0]);
        assert!(TorchGenerator::new(0).normal(0).is_empty());
        for n in 0..40 {
            assert_eq!(TorchGenerator::new(n).normal(n as usize).len(), n as usize);
        }
    }
}
