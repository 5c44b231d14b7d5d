//! Kernels, and the maximum mean discrepancy that they define.

use ndarray::ArrayView2;
use serde::Serialize;

use super::error::MetricError;
use super::frame::{Frame, Pairs, Rows, Tile, map_between, map_within};
use super::parameter::{Arguments, Choice, Kind, Parameter, Range};
use crate::interrupt::{Interrupt, Interrupted};

/// A kernel `k(x, y)` on features of dimension d.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "name")]
pub enum Kernel {
    /// `(γ·xᵀy + c)^p`.
    Polynomial {
        /// Exponent p.
        degree: u32,
        /// Factor γ; `None` means 1/d.
        gamma: Option<f64>,
        /// Constant c.
        coef0: f64,
    },
    /// `exp(−‖x−y‖²/(2σ²))`.
    Gaussian {
        /// Bandwidth σ, in the units of the features.
        sigma: f64,
    },
}

/// The bandwidth of the Gaussian kernel.
pub(super) const SIGMA: Parameter = Parameter {
    name: "sigma",
    placeholder: "SIGMA",
    help: "Bandwidth of the rbf kernel",
    default: Some("10"),
    kind: Kind::Number(Range::Positive),
    only_with: Some(("kernel", "rbf")),
};

/// The choice of a kernel.
pub(super) const fn parameter(default: &'static str) -> Parameter {
    Parameter {
        name: "kernel",
        placeholder: "KERNEL",
        help: "Kernel",
        default: Some(default),
        kind: Kind::Choice(&[
            Choice { name: "polynomial", help: "(x·y/d + 1)³" },
            Choice { name: "rbf", help: "exp(−‖x−y‖²/2σ²)" },
        ]),
        only_with: None,
    }
}

impl Kernel {
    /// The kernel that arguments choose; `None` when they say nothing of it.
    pub(super) fn chosen(arguments: &Arguments) -> Option<Self> {
        let sigma = arguments.number("sigma");
        match arguments.choice("kernel") {
            Some("polynomial") => Some(Self::KID),
            // A bandwidth is for this kernel alone.
            Some(_) => Some(sigma.map_or(Self::SIGMA_10, |sigma| Kernel::Gaussian { sigma })),
            None => sigma.map(|sigma| Kernel::Gaussian { sigma }),
        }
    }

    /// `(xᵀy/d + 1)³`, the kernel of the Kernel Inception Distance.
    pub const KID: Self = Kernel::Polynomial { degree: 3, gamma: None, coef0: 1.0 };

    /// The Gaussian kernel of torch-fidelity's `kid_kernel=rbf` by default, and of CMMD: σ = 10.
    pub const SIGMA_10: Self = Kernel::Gaussian { sigma: 10.0 };

    /// Checks the parameters.
    pub(super) fn check(&self) -> Result<(), MetricError> {
        let finite = |parameter, value: f64, positive: bool| {
            if value.is_finite() && (!positive || value > 0.0) {
                return Ok(());
            }
            let range = if positive { "positive and finite" } else { "finite" };
            Err(MetricError::Parameter { parameter, value: value.to_string(), range })
        };
        match *self {
            Kernel::Polynomial { degree, gamma, coef0 } => {
                super::error::positive("the degree of the kernel", degree as usize)?;
                finite("the factor of the kernel", gamma.unwrap_or(1.0), true)?;
                finite("the constant of the kernel", coef0, false)
            }
            Kernel::Gaussian { sigma } => finite("the bandwidth of the kernel", sigma, true),
        }
    }

    /// Calls `visit` with each row of a tile: its index, and `k(x, y) − k₀` for the pairs of that row, where k₀ is 1 for
    /// the Gaussian kernel and 0 for the polynomial one. A constant cancels in every discrepancy, but in the sum of
    /// values close to one it would cost the digits.
    pub(super) fn for_each_row(&self, unit: f64, tile: &Tile<'_>, visit: impl FnMut(usize, &[f64])) {
        match *self {
            Kernel::Polynomial { degree, gamma, coef0 } => {
                let factor = unit * gamma.unwrap_or(1.0 / tile.rows.values().ncols() as f64);
                let base = |product: f32, i: usize, j: usize| {
                    factor * (f64::from(product) + tile.rows.alignments[i] + tile.columns.alignments[j]) + coef0
                };
                match degree {
                    // The usual degree, without a call per pair.
                    3 => rows_of_values(tile, visit, |product, i, j| {
                        let base = base(product, i, j);
                        base * base * base
                    }),
                    _ => rows_of_values(tile, visit, |product, i, j| base(product, i, j).powi(degree as i32)),
                }
            }
            Kernel::Gaussian { sigma } => {
                let factor = unit / (2.0 * sigma * sigma);
                rows_of_values(tile, visit, |product, i, j| {
                    let square = tile.rows.squares[i] + tile.columns.squares[j] - 2.0 * f64::from(product);
                    (-factor * square.max(0.0)).exp_m1()
                })
            }
        }
    }

    /// Sum over the pairs of a tile of `k(x, y) − k₀`.
    pub(super) fn sum(&self, unit: f64, tile: &Tile<'_>) -> f64 {
        let mut sum = 0.0;
        self.for_each_row(unit, tile, |_, values| sum += values.iter().sum::<f64>());
        sum
    }

    /// Sum over the rows of `k(x, x) − k₀`.
    fn diagonal(&self, unit: f64, rows: &Rows) -> f64 {
        match *self {
            Kernel::Polynomial { degree, gamma, coef0 } => {
                let factor = unit * gamma.unwrap_or(1.0 / rows.values().ncols() as f64);
                let inner = rows.squares.iter().zip(&rows.alignments).map(|(square, along)| square + 2.0 * along);
                inner.map(|inner| (factor * inner + coef0).powi(degree as i32)).sum()
            }
            Kernel::Gaussian { .. } => 0.0,
        }
    }
}

/// Inlined, so that each kernel gets a loop of its own.
#[inline(always)]
fn rows_of_values(tile: &Tile<'_>, mut visit: impl FnMut(usize, &[f64]), value: impl Fn(f32, usize, usize) -> f64) {
    let mut values = Vec::with_capacity(tile.columns.len());
    for (i, products) in tile.iter() {
        values.clear();
        values.extend(products.iter().enumerate().map(|(j, &product)| value(product, i, j)));
        visit(i, &values);
    }
}

/// Which estimate of the squared maximum mean discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Estimator {
    /// Means over pairs of different images: no bias, and negative about half of the time when both sets follow the
    /// same distribution. KID.
    Unbiased,
    /// Means over all pairs, an image with itself included: never negative, biased upwards by O(1/n). CMMD.
    Biased,
}

/// Sums of a kernel over pairs of different images within two sets, and over those between them.
pub(super) struct Sums {
    /// Over pairs `i < j` within the first set, and within the second.
    pub within: [f64; 2],
    /// Over all pairs of an image of the one with an image of the other.
    pub between: f64,
    /// Numbers of images.
    pub sizes: [usize; 2],
}

impl Sums {
    /// The squared discrepancy by [`Estimator::Unbiased`].
    pub fn unbiased(&self) -> f64 {
        self.discrepancy(|set, n| 2.0 * self.within[set] / (n * (n - 1.0)))
    }

    /// The squared discrepancy by [`Estimator::Biased`]; `diagonal` are the sums over each image with itself.
    fn biased(&self, diagonal: [f64; 2]) -> f64 {
        self.discrepancy(|set, n| (2.0 * self.within[set] + diagonal[set]) / (n * n))
    }

    /// From the mean over pairs within a set, given its number and its size.
    fn discrepancy(&self, within: impl Fn(usize, f64) -> f64) -> f64 {
        let sizes = self.sizes.map(|size| size as f64);
        within(0, sizes[0]) + within(1, sizes[1]) - 2.0 * (self.between / (sizes[0] * sizes[1]))
    }
}

/// The squared discrepancy of two sets of any size, tile by tile on all cores.
pub(super) fn discrepancy(
    kernel: Kernel,
    first: ArrayView2<'_, f32>,
    second: ArrayView2<'_, f32>,
    estimator: Estimator,
    interrupt: &Interrupt,
) -> Result<f64, Interrupted> {
    let frame = Frame::of(&[first, second], interrupt);
    let unit = frame.unit();
    let within = |set| {
        let sums = map_within(&frame, set, |tile| {
            let on_diagonal = tile.pairs == Pairs::Below;
            (kernel.sum(unit, tile), if on_diagonal { kernel.diagonal(unit, tile.rows) } else { 0.0 })
        })?;
        Ok(sums.iter().fold((0.0, 0.0), |(pairs, diagonal), sum| (pairs + sum.0, diagonal + sum.1)))
    };
    let ((w1, d1), (w2, d2)) = (within(first)?, within(second)?);
    let between = map_between(&frame, first, second, |tile| kernel.sum(unit, tile))?.iter().sum();
    let sizes = [first.nrows(), second.nrows()];
    let sums = Sums { within: [w1, w2], between, sizes };
    Ok(match estimator {
        Estimator::Unbiased => sums.unbiased(),
        Estimator::Biased => sums.biased([d1, d2]),
    })
}
