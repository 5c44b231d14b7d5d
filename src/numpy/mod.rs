//! NumPy's array files: what their headers say, and the values behind them.

mod header;
#[cfg(test)]
mod tests;
mod values;

/// What mean and covariance of features are called in an archive: by pytorch-fid and all that follow it, and by older tools.
pub(crate) const STATISTICS: [[&str; 2]; 3] = [["mu", "sigma"], ["mean", "cov"], ["m", "s"]];

#[cfg(feature = "images")]
pub(crate) use header::LONGEST_HEADER;
pub(crate) use header::{Header, MAGIC};
pub(crate) use values::{Number, texts};
