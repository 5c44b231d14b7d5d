//! Parts that a set is cut into.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Blame, Blamed};

/// One of some parts of a set, counted from 1.
///
/// ```
/// use gan_metrics::evaluate::Shard;
///
/// let second: Shard = "2/3".parse()?;
/// assert_eq!(second.range(10), 3..6);
/// assert!("0/3".parse::<Shard>().is_err() && "4/3".parse::<Shard>().is_err());
/// # Ok::<(), gan_metrics::evaluate::ShardError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: usize,
    count: usize,
}

/// What is not a shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a shard: expected INDEX/COUNT with an index from 1 to the count, such as 2/8")]
pub struct ShardError(String);

impl Blamed for ShardError {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

impl Shard {
    /// The whole as one part.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Part `index` of `count`, from 1.
    ///
    /// # Errors
    /// [`ShardError`] unless 1 ≤ index ≤ count.
    pub fn new(index: usize, count: usize) -> Result<Self, ShardError> {
        match (1..=count).contains(&index) {
            true => Ok(Self { index, count }),
            false => Err(ShardError(format!("{index}/{count}"))),
        }
    }

    /// Number of parts.
    pub fn count(self) -> usize {
        self.count
    }

    /// The images of a set of `total` that are in this part when each part is of images that follow each other: the parts
    /// differ by at most one image in size, and together they are the set.
    pub fn range(self, total: usize) -> Range<usize> {
        let bound = |part: usize| (part as u128 * total as u128 / self.count as u128) as usize;
        bound(self.index - 1)..bound(self.index)
    }

    /// The index within the set of the image that is at `place` in this part when images are dealt out in turn, as PyTorch's
    /// `DistributedSampler` does.
    pub fn dealt(self, place: usize) -> usize {
        place * self.count + self.index - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let wrong = || ShardError(text.to_owned());
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse().map_err(|_| wrong());
        Self::new(number(index)?, number(count)?).map_err(|_| wrong())
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;

    fn try_from(text: String) -> Result<Self, ShardError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_set_and_of_nearly_equal_size() {
        for (total, count) in [(0, 1), (10, 3), (7, 7), (2, 5), (1_000_003, 64)] {
            let ranges: Vec<_> = (1..=count).map(|index| Shard::new(index, count).unwrap().range(total)).collect();
            assert_eq!((ranges[0].start, ranges[count - 1].end), (0, total));
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            let sizes = || ranges.iter().map(ExactSizeIterator::len);
            assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1);
        }
        let dealt = |index| (0..3).map(move |place| Shard::new(index, 2).unwrap().dealt(place));
        assert_eq!(dealt(1).chain(dealt(2)).collect::<Vec<_>>(), [0, 2, 4, 1, 3, 5]);
    }

    #[test]
    fn what_is_not_a_shard_is_named() {
        for text in ["", "1", "1/0", "0/1", "-1/2", "3/2", "1/2/3", "a/b"] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is not a shard")), "{error}");
        }
        assert_eq!(" 2 / 8".parse::<Shard>().unwrap().to_string(), "2/8");
    }
}
