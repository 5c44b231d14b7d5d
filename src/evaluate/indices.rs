//! Which images of a set something is of.

use serde::{Deserialize, Serialize};

/// Indices of images, each once, in the order in which they came. What comes in even steps, as all of a folder or every third image
/// does, takes no memory an image.
///
/// ```
/// use gan_metrics::evaluate::Indices;
///
/// let mut every_third: Indices = [2, 5, 8].into_iter().collect();
/// assert_eq!(every_third.to_string(), "2, 5, … 8");
/// every_third.extend([9, 10]);
/// assert_eq!(every_third.iter().collect::<Vec<_>>(), [2, 5, 8, 9, 10]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Indices(Vec<Run>);

/// `first, first + step, …`, of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    first: usize,
    step: usize,
    len: usize,
}

impl Run {
    fn last(&self) -> usize {
        self.first + self.step * (self.len - 1)
    }
}

impl Indices {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.0.iter().map(|run| run.len).sum()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The indices, in their order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().flat_map(|run| (0..run.len).map(|place| run.first + run.step * place))
    }

    /// The last one.
    pub fn last(&self) -> Option<usize> {
        self.0.last().map(Run::last)
    }

    /// The first one.
    pub fn first(&self) -> Option<usize> {
        self.0.first().map(|run| run.first)
    }

    /// Whether they come in ascending order.
    pub fn is_ascending(&self) -> bool {
        self.0.windows(2).all(|runs| runs[0].last() < runs[1].first)
    }

    fn push(&mut self, index: usize) {
        match self.0.last_mut() {
            Some(run) if run.len == 1 && index > run.first => (run.step, run.len) = (index - run.first, 2),
            Some(run) if index == run.last() + run.step => run.len += 1,
            _ => self.0.push(Run { first: index, step: 1, len: 1 }),
        }
    }

    /// Whether runs that were read from a file are ones: none is empty, none stands still, none leaves the range of indices.
    pub(super) fn are_valid(&self) -> bool {
        let valid = |run: &Run| {
            let length = run.step.checked_mul(run.len.wrapping_sub(1));
            run.len > 0 && run.step > 0 && length.is_some_and(|length| run.first.checked_add(length).is_some())
        };
        let sum = self.0.iter().try_fold(0_usize, |sum, run| sum.checked_add(run.len));
        self.0.iter().all(valid) && sum.is_some()
    }

    /// The index that comes twice, if one does.
    pub fn doubled(&self) -> Option<usize> {
        if self.is_ascending() {
            return None;
        }
        let mut sorted: Vec<usize> = self.iter().collect();
        sorted.sort_unstable();
        sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }

    /// Those below `total` that are not among them.
    pub fn missing(&self, total: usize) -> Self {
        let mut sorted: Vec<usize> = self.iter().collect();
        sorted.sort_unstable();
        let (mut gaps, mut next) = (Vec::new(), 0);
        for index in sorted.into_iter().filter(|&index| index < total).chain([total]) {
            if index > next {
                gaps.push(Run { first: next, step: 1, len: index - next });
            }
            next = index.saturating_add(1).max(next);
        }
        Self(gaps)
    }
}

impl Extend<usize> for Indices {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, indices: I) {
        indices.into_iter().for_each(|index| self.push(index));
    }
}

impl FromIterator<usize> for Indices {
    fn from_iter<I: IntoIterator<Item = usize>>(indices: I) -> Self {
        let mut collected = Self::default();
        collected.extend(indices);
        collected
    }
}

/// For people: `0–99, 200, 300–399`.
impl std::fmt::Display for Indices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        /// Runs that are shown; the rest is counted.
        const SHOWN: usize = 4;
        for (place, run) in self.0.iter().take(SHOWN).enumerate() {
            f.write_str(if place == 0 { "" } else { ", " })?;
            let (first, last) = (run.first, run.last());
            match run {
                Run { len: 1, .. } => write!(f, "{first}")?,
                Run { len: 2, .. } => write!(f, "{first}, {last}")?,
                Run { step: 1, .. } => write!(f, "{first}–{last}")?,
                Run { step, .. } => write!(f, "{first}, {}, … {last}", first + step)?,
            }
        }
        let rest: usize = self.0.iter().skip(SHOWN).map(|run| run.len).sum();
        if rest > 0 { write!(f, " and {rest} more") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_steps_are_one_run_and_nothing_is_lost() {
        let cases: [(&[usize], usize); 5] =
            [(&[0, 1, 2, 3], 1), (&[2, 5, 8], 1), (&[0, 1, 2, 9, 4], 3), (&[7], 1), (&[5, 3], 2)];
        for (given, runs) in cases {
            let indices: Indices = given.iter().copied().collect();
            assert_eq!(indices.iter().collect::<Vec<_>>(), given);
            assert_eq!((indices.0.len(), indices.len()), (runs, given.len()), "{given:?}");
            assert!(indices.are_valid());
        }
        let million: Indices = (0..1_000_000).collect();
        assert_eq!(million.0.len(), 1);
    }

    #[test]
    fn what_is_missing_or_doubled_is_found() {
        let indices: Indices = [4, 5, 6, 0, 1, 5].into_iter().collect();
        assert!(!indices.is_ascending());
        assert_eq!(indices.doubled(), Some(5));
        assert_eq!(indices.missing(9).to_string(), "2, 3, 7, 8");
        assert_eq!((0..9).collect::<Indices>().missing(9), Indices::default());
        assert_eq!([0, 10, 20, 5, 6, 7].into_iter().collect::<Indices>().to_string(), "0, 10, … 20, 5–7");
    }

    #[test]
    fn runs_of_a_hostile_file_are_not_believed() {
        for text in [
            r#"[{"first":0,"step":1,"len":0}]"#,
            r#"[{"first":3,"step":0,"len":2}]"#,
            r#"[{"first":1,"step":18446744073709551615,"len":3}]"#,
        ] {
            assert!(!serde_json::from_str::<Indices>(text).unwrap().are_valid(), "{text}");
        }
    }
}
