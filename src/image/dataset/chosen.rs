//! Some of the images of a set, chosen at random.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::DataSet;
use super::error::ImageError;
use super::source::{Kept, Source};
use crate::random_state::RandomState;

/// How many images are taken of a set, and by which seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// How many, at least 1.
    pub images: usize,
    /// Seed of NumPy's `RandomState`, by whose shuffle the data sets of StyleGAN and EDM choose (`max_size`, `random_seed`).
    pub seed: u32,
}

/// The chosen images, in the order that they have in the set.
#[derive(Debug)]
pub(super) struct Chosen {
    of: DataSet,
    choice: Choice,
    indices: Vec<usize>,
    labels: Option<Vec<String>>,
}

impl Chosen {
    /// Of a set with at least as many images.
    pub(super) fn new(of: DataSet, choice: Choice) -> Self {
        let mut indices: Vec<usize> = (0..of.len()).collect();
        // As there, nothing is shuffled where all are taken.
        if choice.images < of.len() {
            indices = RandomState::new(choice.seed).permutation(of.len());
            indices.truncate(choice.images);
            indices.sort_unstable();
        }
        let labels = of.labels().map(|labels| indices.iter().map(|&index| labels[index].clone()).collect());
        Self { of, choice, indices, labels }
    }
}

impl Source for Chosen {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn name(&self, _: &Path, index: usize) -> Cow<'_, str> {
        self.of.name(self.indices[index])
    }

    fn described(&self, _: &Path, index: usize) -> String {
        self.of.described(self.indices[index])
    }

    fn read(&self, index: usize, image: &str) -> Result<Kept, ImageError> {
        self.of.source.read(self.indices[index], image)
    }

    fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    fn untold_classes(&self) -> Option<&str> {
        self.of.untold_classes()
    }

    fn passed_over(&self) -> BTreeMap<String, u64> {
        self.of.passed_over()
    }

    fn array(&self) -> Option<&str> {
        self.of.array()
    }

    fn unused_statistics(&self) -> usize {
        self.of.unused_statistics()
    }

    fn is_float(&self) -> bool {
        self.of.is_float()
    }

    fn choice(&self) -> Option<(Choice, usize)> {
        Some((self.choice, self.of.len()))
    }

    fn verify(&self, _: &Path, interrupt: &crate::Interrupt) -> Result<(), super::DataSetError> {
        self.of.verify(interrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array4;

    #[test]
    fn the_images_are_those_that_stylegan_chooses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        ndarray_npy::write_npy(&path, &Array4::from_shape_fn((10, 1, 1, 3), |(image, ..)| image as u8)).unwrap();
        let chosen = |images, seed| {
            let set = DataSet::open(&path)?.chosen(Choice { images, seed })?;
            Ok::<_, super::super::DataSetError>(
                (0..set.len()).map(|index| set.load(index).unwrap().pixels()[0]).collect::<Vec<u8>>(),
            )
        };
        // numpy: r = numpy.random.RandomState(s); i = numpy.arange(10); r.shuffle(i); numpy.sort(i[:n])
        assert_eq!(chosen(4, 0).unwrap(), [2, 4, 8, 9]);
        assert_eq!(chosen(6, 7).unwrap(), [0, 1, 2, 5, 8, 9]);
        assert_eq!(chosen(10, 7).unwrap(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(chosen(11, 0).unwrap_err().to_string().contains("has 10 images, fewer than the 11"));
        assert_eq!(DataSet::open(&path).unwrap().chosen(Choice { images: 4, seed: 0 }).unwrap().name(0), "x.npy[2]");
    }
}
