//! What a set of images is made of: enough to tell whether two sets are the same images, and whether two that should differ in
//! nothing but their generator differ in how they were kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Aspect ratios that differ by more are not the same: rounding to whole pixels moves one by less.
const ASPECT_TOLERANCE: f64 = 0.01;

/// Content, encodings and sizes of some images. Those of the parts of a set merge, in any order, to those of the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// By which sets of the same images are known: equal for the same images in the same order, however they were cut into parts.
    pub content: ContentSum,
    /// Numbers of images by how they were encoded, such as `JPEG quality 90 4:2:0`.
    pub encodings: BTreeMap<String, u64>,
    /// Widths and heights; `None` for no image.
    pub sizes: Option<Sizes>,
    /// Images that were left out, since they could not be decoded.
    #[serde(default)]
    pub left_out: u64,
}

/// Widths and heights of some images, in pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Smallest and largest width.
    pub width: [u32; 2],
    /// Smallest and largest height.
    pub height: [u32; 2],
    /// Images whose aspect ratio is not that of the network's input, and that are squeezed to it.
    pub squeezed: u64,
    /// Images that are smaller than the network's input, on one side at least.
    pub enlarged: u64,
    /// How many images have each size, by width and height; empty where there are more than 32 sizes.
    #[serde(default)]
    pub counts: Vec<SizeCount>,
}

/// The images of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeCount {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Number of images.
    pub images: u64,
    /// Index of the first of them.
    pub first: usize,
}

/// Sizes of which the images are counted: of photographs, which have a size each, nobody needs the list.
const SIZES_COUNTED: usize = 32;

/// The sum modulo 2²⁵⁶ of the SHA-256 of each index with the digest of its image. A sum does not depend on the order, and no
/// two sets share one by accident.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentSum([u64; 4]);

impl ContentSum {
    fn of(index: usize, digest: &[u8; 32]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update((index as u64).to_le_bytes());
        hasher.update(digest);
        let bytes: [u8; 32] = hasher.finalize().into();
        let (words, _) = bytes.as_chunks::<8>();
        Self(std::array::from_fn(|word| u64::from_le_bytes(words[word])))
    }

    fn add(&mut self, other: Self) {
        let mut carry = false;
        for (ours, theirs) in self.0.iter_mut().zip(other.0) {
            let (sum, first) = ours.overflowing_add(theirs);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*ours, carry) = (sum, first || second);
        }
    }
}

/// In hexadecimal, the highest digits first.
impl From<ContentSum> for String {
    fn from(sum: ContentSum) -> Self {
        sum.0.iter().rev().map(|word| format!("{word:016x}")).collect()
    }
}

impl TryFrom<String> for ContentSum {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` are not 64 hexadecimal digits");
        let word = |place: usize| {
            let digits = text.get(16 * (3 - place)..16 * (4 - place)).filter(|_| text.len() == 64);
            u64::from_str_radix(digits.ok_or_else(wrong)?, 16).map_err(|_| wrong())
        };
        Ok(Self([word(0)?, word(1)?, word(2)?, word(3)?]))
    }
}

impl Census {
    /// Counts an image of this digest, encoding, width and height, which is resized to the width and height of the network's
    /// input.
    pub fn add(&mut self, index: usize, digest: &[u8; 32], encoding: String, size: [u32; 2], input: [u32; 2]) {
        self.content.add(ContentSum::of(index, digest));
        *self.encodings.entry(encoding).or_default() += 1;
        let [width, height] = size.map(f64::from);
        let aspect = width / height * f64::from(input[1]) / f64::from(input[0]);
        let one = Sizes {
            width: [size[0]; 2],
            height: [size[1]; 2],
            squeezed: u64::from((aspect.ln()).abs() > ASPECT_TOLERANCE),
            enlarged: u64::from(size[0] < input[0] || size[1] < input[1]),
            counts: vec![SizeCount { width: size[0], height: size[1], images: 1, first: index }],
        };
        self.add_sizes(&one);
    }

    /// Counts the images of another part of the set.
    pub fn merge(&mut self, other: &Self) {
        self.content.add(other.content);
        for (encoding, images) in &other.encodings {
            *self.encodings.entry(encoding.clone()).or_default() += images;
        }
        self.left_out += other.left_out;
        other.sizes.iter().for_each(|sizes| self.add_sizes(sizes));
    }

    fn add_sizes(&mut self, other: &Sizes) {
        let Some(ours) = &mut self.sizes else {
            self.sizes = Some(other.clone());
            return;
        };
        let both = |a: [u32; 2], b: [u32; 2]| [a[0].min(b[0]), a[1].max(b[1])];
        ours.width = both(ours.width, other.width);
        ours.height = both(ours.height, other.height);
        ours.squeezed += other.squeezed;
        ours.enlarged += other.enlarged;
        // Once there were too many in one part, there are in the whole.
        let is_counted = !ours.counts.is_empty() && !other.counts.is_empty();
        other.counts.iter().filter(|_| is_counted).for_each(|&count| add_count(&mut ours.counts, count));
        if !is_counted || ours.counts.len() > SIZES_COUNTED {
            ours.counts.clear();
        }
    }
}

impl Sizes {
    /// The size that most of the images have, if most have one.
    pub fn usual(&self) -> Option<SizeCount> {
        let most = self.counts.iter().max_by_key(|count| count.images).copied();
        most.filter(|most| 2 * most.images > self.counts.iter().map(|count| count.images).sum())
    }
}

/// Adds images of a size to the counts, which are sorted by size.
fn add_count(counts: &mut Vec<SizeCount>, other: SizeCount) {
    match counts.binary_search_by_key(&(other.width, other.height), |count| (count.width, count.height)) {
        Ok(place) => {
            counts[place].images += other.images;
            counts[place].first = counts[place].first.min(other.first);
        }
        Err(place) => counts.insert(place, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(images: &[usize]) -> Census {
        let mut census = Census::default();
        for &index in images {
            census.add(index, &[index as u8; 32], "PNG".into(), [10 + index as u32, 20], [20, 20]);
        }
        census
    }

    #[test]
    fn parts_merge_to_the_whole_in_any_order() {
        let whole = census(&[0, 1, 2, 3, 4]);
        for (first, second) in [(&[0, 1][..], &[2, 3, 4][..]), (&[4, 0, 2], &[3, 1])] {
            let mut merged = census(first);
            merged.merge(&census(second));
            assert_eq!(merged, whole);
        }
        assert_ne!(census(&[0, 1]).content, census(&[0, 2]).content);
        assert_eq!(whole.encodings, BTreeMap::from([("PNG".to_owned(), 5)]));
        let counts = (0..5).map(|at| SizeCount { width: 10 + at, height: 20, images: 1, first: at as usize }).collect();
        let sizes = Sizes { width: [10, 14], height: [20, 20], squeezed: 5, enlarged: 5, counts };
        assert_eq!(whole.sizes, Some(sizes));
    }

    #[test]
    fn many_sizes_are_not_counted_whatever_the_parts() {
        let all: Vec<usize> = (0..SIZES_COUNTED + 1).collect();
        let whole = census(&all);
        assert!(whole.sizes.as_ref().unwrap().counts.is_empty());
        let (first, second) = all.split_at(20);
        let mut merged = census(second);
        merged.merge(&census(first));
        merged.merge(&census(&[]));
        assert_eq!(merged, whole);
        assert_eq!(census(&all[1..]).sizes.unwrap().counts.len(), SIZES_COUNTED);
    }

    #[test]
    fn the_usual_size_is_that_of_most() {
        let mut census = census(&[0, 7]);
        assert_eq!(census.sizes.as_ref().unwrap().usual(), None);
        census.add(3, &[1; 32], "PNG".into(), [10, 20], [20, 20]);
        let usual = SizeCount { width: 10, height: 20, images: 2, first: 0 };
        assert_eq!(census.sizes.unwrap().usual(), Some(usual));
    }

    #[test]
    fn the_order_of_the_images_is_part_of_the_content() {
        let swapped = |digests: [u8; 2]| {
            let mut census = Census::default();
            for (index, digest) in digests.into_iter().enumerate() {
                census.add(index, &[digest; 32], "PNG".into(), [8, 8], [8, 8]);
            }
            census.content
        };
        assert_ne!(swapped([1, 2]), swapped([2, 1]));
    }

    #[test]
    fn a_sum_carries_and_survives_as_text() {
        let mut sum = ContentSum([u64::MAX, u64::MAX, 0, u64::MAX]);
        sum.add(ContentSum([1, 0, 0, 1]));
        assert_eq!(sum, ContentSum([0, 0, 1, 0]));
        let text = String::from(census(&[3]).content);
        assert_eq!(ContentSum::try_from(text).unwrap(), census(&[3]).content);
        assert!(ContentSum::try_from("é".repeat(32)).is_err());
    }
}
