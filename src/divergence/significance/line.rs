//! Statistics of the line, from ranks and from probabilities.

use crate::divergence::masses::compensated_sum;

/// The probabilities of sorted samples under the hypothesis, from below and from above.
pub(super) struct Levels {
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
}

impl Levels {
    /// max |F_n − F|.
    pub fn kolmogorov_smirnov(&self) -> f64 {
        let n = self.lower.len() as f64;
        let gaps = (0_u32..).zip(&self.lower).map(|(below, u)| {
            let below = f64::from(below);
            (u - below / n).max((below + 1.0) / n - u)
        });
        gaps.fold(0.0, f64::max)
    }

    /// n ∫ (F_n − F)² dF.
    pub fn cramer_von_mises(&self) -> f64 {
        let n = self.lower.len() as f64;
        let middle = |index: u32| (f64::from(index) + 0.5) / n;
        1.0 / (12.0 * n) + compensated_sum((0..).zip(&self.lower).map(|(index, u)| (middle(index) - u).powi(2)))
    }

    /// n ∫ (F_n − F)²/(F(1 − F)) dF.
    pub fn anderson_darling(&self) -> f64 {
        let n = self.lower.len() as f64;
        let logs = self.lower.iter().zip(self.upper.iter().rev()).map(|(lower, upper)| lower.ln() + upper.ln());
        let weighted = (0_u32..).zip(logs).map(|(index, log)| (2.0 * f64::from(index) + 1.0) / n * log);
        -n - compensated_sum(weighted)
    }
}

/// Two samples as one, sorted: where one value ends and the next begins, so that ties are known.
pub(super) struct Pooled {
    /// Whether each is of P.
    pub of_p: Vec<bool>,
    /// The end of the run of equal values that each belongs to.
    run_ends: Vec<usize>,
    /// The mean rank, from 1, of that run.
    ranks: Vec<f64>,
}

impl Pooled {
    pub fn new(p: &[f64], q: &[f64]) -> Self {
        let mut all: Vec<(f64, bool)> =
            p.iter().map(|value| (*value, true)).chain(q.iter().map(|value| (*value, false))).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut run_ends, mut ranks) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
        for run in all.chunk_by(|a, b| a.0 == b.0) {
            let (start, end) = (run_ends.len(), run_ends.len() + run.len());
            run_ends.extend(std::iter::repeat_n(end, run.len()));
            ranks.extend(std::iter::repeat_n(0.5 * (start + end + 1) as f64, run.len()));
        }
        Pooled { of_p: all.into_iter().map(|(_, of_p)| of_p).collect(), run_ends, ranks }
    }

    /// max |F_n − G_m|.
    pub fn kolmogorov_smirnov(&self, of_p: &[bool]) -> f64 {
        let n = of_p.iter().filter(|of_p| **of_p).count();
        let m = of_p.len() - n;
        let (mut in_p, mut in_q, mut largest) = (0_usize, 0_usize, 0.0_f64);
        for (index, of_p) in of_p.iter().enumerate() {
            in_p += usize::from(*of_p);
            in_q += usize::from(!of_p);
            if self.run_ends[index] == index + 1 {
                largest = largest.max((in_p as f64 / n as f64 - in_q as f64 / m as f64).abs());
            }
        }
        largest
    }

    /// T of Anderson (1962), from mean ranks.
    pub fn cramer_von_mises(&self, of_p: &[bool]) -> f64 {
        let (mut in_p, mut in_q, mut sums) = (0.0, 0.0, [0.0; 2]);
        for (rank, of_p) in self.ranks.iter().zip(of_p) {
            let (count, sum) = if *of_p { (&mut in_p, &mut sums[0]) } else { (&mut in_q, &mut sums[1]) };
            *count += 1.0;
            *sum += (rank - *count) * (rank - *count);
        }
        let (n, m): (f64, f64) = (in_p, in_q);
        (n * sums[0] + m * sums[1]) / (n * m * (n + m)) - (4.0 * n * m - 1.0) / (6.0 * (n + m))
    }
}
