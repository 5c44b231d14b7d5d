//! What a generator is given besides z.

use crate::gan::error::GanError;
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Batch, Step};

/// What a generator is given besides z, as rows of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    None,
    /// The class of an image, one-hot: in training that of the real image in the same place of the batch.
    Class {
        /// How many there are.
        classes: usize,
    },
    /// A code of its own, which nothing in the data tells: a category, one-hot, then numbers that are uniform on \[−1, 1).
    Code {
        /// How many categories there are.
        categories: usize,
        /// How many numbers follow.
        numbers: usize,
    },
}

impl Condition {
    /// Length of a row.
    pub fn len(self) -> usize {
        match self {
            Condition::None => 0,
            Condition::Class { classes } => classes,
            Condition::Code { categories, numbers } => categories + numbers,
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The rows of a batch in training.
    ///
    /// # Errors
    /// [`GanError::Data`] when a class is needed and not known, [`GanError::Shape`] when the feed has no more.
    pub fn draw(self, step: &mut Step<'_>, batch: &Batch) -> Result<Option<Var>, GanError> {
        match self {
            Condition::None => Ok(None),
            Condition::Class { classes } => {
                let of_images = batch.classes.as_ref();
                let of_images = of_images.ok_or_else(|| GanError::Data("their classes are not known".into()))?;
                Ok(Some(Var::constant(one_hot(of_images, classes))))
            }
            Condition::Code { categories, numbers } => {
                let category = Var::constant(one_hot(&step.classes(categories)?, categories));
                if numbers == 0 {
                    return Ok(Some(category));
                }
                let numbers = Var::constant(step.uniform(&[step.batch_size(), numbers], -1.0, 1.0)?);
                Ok(Some(Var::concat(&[&category, &numbers], 1)?))
            }
        }
    }
}

/// Classes as rows with a single 1: N×K.
pub fn one_hot(of_samples: &[usize], classes: usize) -> Tensor {
    let shape = [of_samples.len(), classes];
    Tensor::from_fn(&shape, |i| if of_samples[i / classes] == i % classes { 1.0 } else { 0.0 })
}
