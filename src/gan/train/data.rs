//! Images or points to learn from, and the order in which they come.

use std::collections::VecDeque;

use super::labelled::Labelled;
use crate::digest::sha256;
use crate::gan::error::GanError;
use crate::gan::models::PixelRange;
use crate::gan::networks::{check_bytes, numbers};
use crate::gan::random::Random;
use crate::gan::tensor::Tensor;

/// Square images of one size in memory, a byte a sample, with the class of each where it is known; or points, rows of numbers.
#[derive(Debug, Clone)]
pub struct TrainingSet {
    /// Of one image, C×H×W, or the length of a point.
    shape: Vec<usize>,
    /// One after the other.
    samples: Samples,
    labels: Option<Labels>,
    digest: String,
}

#[derive(Debug, Clone)]
enum Samples {
    Bytes(Vec<u8>),
    Numbers(Vec<f32>),
}

impl Samples {
    fn len(&self) -> usize {
        match self {
            Samples::Bytes(bytes) => bytes.len(),
            Samples::Numbers(numbers) => numbers.len(),
        }
    }
}

/// The class of every image.
#[derive(Debug, Clone)]
struct Labels {
    names: Vec<String>,
    of_images: Vec<u32>,
    digest: String,
}

/// A batch of a training set.
#[derive(Debug, Clone)]
pub struct Batch {
    /// N×C×H×W, in the range of the networks; N×d where they are points.
    pub images: Tensor,
    /// The class of each image, where the set has any.
    pub classes: Option<Vec<usize>>,
}

/// Where a step gets its batches and its noise from: the trainer draws them, a test gives them.
pub trait Feed {
    /// The next real batch.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there are no more.
    fn batch(&mut self, size: usize, range: PixelRange) -> Result<Batch, GanError>;

    /// The next batch of images whose labels are known where those of most are not.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there are none, or no more.
    fn labelled(&mut self, size: usize, range: PixelRange) -> Result<Batch, GanError> {
        let _ = (size, range);
        Err(GanError::shape("trainer", "a step asked for labelled images, and there are none"))
    }

    /// The next noise, which `draw` would draw.
    ///
    /// # Errors
    /// [`GanError::Shape`] when there is no more.
    fn noise(&mut self, draw: &mut dyn FnMut() -> Tensor) -> Result<Tensor, GanError>;
}

/// A feed of given tensors, in the order in which a system asks for them: for tests of steps.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Batches.
    pub batches: VecDeque<Batch>,
    /// Batches of labelled images.
    pub labelled: VecDeque<Batch>,
    /// z and all other noise that a system draws by name; dropout and penalties draw from the trainer's stream.
    pub noise: VecDeque<Tensor>,
}

impl Given {
    /// Adds an unlabelled batch, and z for as many generated images.
    #[must_use]
    pub fn round(mut self, real: Tensor, z: Tensor) -> Self {
        self.batches.push_back(Batch { images: real, classes: None });
        self.noise.push_back(z);
        self
    }
}

fn exhausted() -> GanError {
    GanError::shape("trainer", "a step asked for more than it was given")
}

impl Feed for Given {
    fn batch(&mut self, _: usize, _: PixelRange) -> Result<Batch, GanError> {
        self.batches.pop_front().ok_or_else(exhausted)
    }

    fn labelled(&mut self, _: usize, _: PixelRange) -> Result<Batch, GanError> {
        self.labelled.pop_front().ok_or_else(exhausted)
    }

    fn noise(&mut self, _: &mut dyn FnMut() -> Tensor) -> Result<Tensor, GanError> {
        self.noise.pop_front().ok_or_else(exhausted)
    }
}

/// A feed from a training set.
pub(super) struct Drawn<'a> {
    pub data: &'a TrainingSet,
    pub order: &'a mut Order,
    pub labelled: Option<&'a mut Labelled>,
}

impl Feed for Drawn<'_> {
    fn batch(&mut self, size: usize, range: PixelRange) -> Result<Batch, GanError> {
        Ok(self.data.batch(self.order.next(size), range))
    }

    fn labelled(&mut self, size: usize, range: PixelRange) -> Result<Batch, GanError> {
        match &mut self.labelled {
            Some(labelled) => Ok(self.data.batch(&labelled.next(size), range)),
            None => Err(GanError::shape("trainer", "the system says that it learns from the labels of no images")),
        }
    }

    fn noise(&mut self, draw: &mut dyn FnMut() -> Tensor) -> Result<Tensor, GanError> {
        Ok(draw())
    }
}

impl TrainingSet {
    /// Checks that so many images fit into memory, before any is read.
    ///
    /// # Errors
    /// [`GanError::Memory`] when they do not.
    pub fn check_memory(images: usize, channels: usize, size: usize) -> Result<(), GanError> {
        check_bytes("the images at this size", numbers(&[images, channels, size, size]))
    }

    /// Takes images as bytes, N×channels×size×size.
    ///
    /// # Errors
    /// [`GanError::Data`] when there is no image or the bytes do not make a whole number of images.
    pub fn new(channels: usize, size: usize, samples: Vec<u8>) -> Result<Self, GanError> {
        let image = channels * size * size;
        if image == 0 || samples.is_empty() || !samples.len().is_multiple_of(image) {
            let problem = format!(
                "{} bytes do not make a whole number of {channels}×{size}×{size} images; at least one is needed",
                samples.len()
            );
            return Err(GanError::Data(problem));
        }
        let digest = sha256(&samples);
        Ok(TrainingSet { shape: vec![channels, size, size], samples: Samples::Bytes(samples), labels: None, digest })
    }

    /// Takes points, N×dimensions, which networks see as they are.
    ///
    /// ```
    /// use gan_metrics::gan::train::TrainingSet;
    ///
    /// let data = TrainingSet::points(2, vec![0.0, 1.0, -1.0, 0.5])?;
    /// assert_eq!((data.len(), data.shape()), (2, &[2][..]));
    /// # Ok::<(), gan_metrics::gan::GanError>(())
    /// ```
    ///
    /// # Errors
    /// [`GanError::Data`] when there is no point, the numbers do not divide evenly into points, or one is not finite.
    pub fn points(dimensions: usize, numbers: Vec<f32>) -> Result<Self, GanError> {
        if dimensions == 0 || numbers.is_empty() || !numbers.len().is_multiple_of(dimensions) {
            let problem = format!(
                "{} numbers do not divide evenly into points of {dimensions}; at least one is needed",
                numbers.len()
            );
            return Err(GanError::Data(problem));
        }
        if let Some(place) = numbers.iter().position(|number| !number.is_finite()) {
            let (point, number) = (place / dimensions, numbers[place]);
            return Err(GanError::Data(format!("point {point} has the coordinate {number}")));
        }
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let digest = sha256(&bytes);
        Ok(TrainingSet { shape: vec![dimensions], samples: Samples::Numbers(numbers), labels: None, digest })
    }

    /// The same with the class of each image, as an index into the names of the classes.
    ///
    /// # Errors
    /// [`GanError::Data`] when there is not one for each image, or one is not a class.
    pub fn with_classes(self, names: Vec<String>, of_images: Vec<u32>) -> Result<Self, GanError> {
        if of_images.len() != self.len() {
            return Err(GanError::Data(format!("there are {} of them, and {} classes", self.len(), of_images.len())));
        }
        if let Some(class) = of_images.iter().find(|&&class| class as usize >= names.len()) {
            return Err(GanError::Data(format!("one is of class {class}, there are {} classes", names.len())));
        }
        let bytes: Vec<u8> = of_images.iter().flat_map(|class| class.to_le_bytes()).collect();
        let digest = sha256(&bytes);
        Ok(TrainingSet { labels: Some(Labels { names, of_images, digest }), ..self })
    }

    /// Names of the classes, where they are known.
    pub fn class_names(&self) -> Option<&[String]> {
        self.labels.as_ref().map(|labels| labels.names.as_slice())
    }

    /// The class of every image, where it is known.
    pub(super) fn classes(&self) -> Option<&[u32]> {
        self.labels.as_ref().map(|labels| labels.of_images.as_slice())
    }

    /// Number of images or points, at least 1.
    pub fn len(&self) -> usize {
        self.samples.len() / self.sample_len()
    }

    /// Always false: an empty set cannot be made.
    pub fn is_empty(&self) -> bool {
        self.samples.len() == 0
    }

    /// Shape of a sample: channels, rows and columns of an image, or the length of a point.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The bytes of images, N×channels×size×size; none where the samples are points.
    pub fn bytes(&self) -> &[u8] {
        match &self.samples {
            Samples::Bytes(bytes) => bytes,
            Samples::Numbers(_) => &[],
        }
    }

    /// The coordinates of points, N×dimensions; none where the samples are images.
    pub fn coordinates(&self) -> &[f32] {
        match &self.samples {
            Samples::Bytes(_) => &[],
            Samples::Numbers(numbers) => numbers,
        }
    }

    /// Samples `from` to `to` as networks see them, with their classes where they are known.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn range(&self, from: usize, to: usize, range: PixelRange) -> Batch {
        assert!(to <= self.len(), "the set has {} samples, not {to}", self.len());
        self.batch(&(from as u32..to as u32).collect::<Vec<u32>>(), range)
    }

    /// The first images as networks see them, N×C×H×W: at most so many.
    pub fn first(&self, count: usize, range: PixelRange) -> Tensor {
        self.range(0, count.min(self.len()), range).images
    }

    /// SHA-256 of the images or points, in hexadecimal: the same with classes and without.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// SHA-256 of the class of every image, in hexadecimal, where it is known.
    pub fn labels_digest(&self) -> Option<&str> {
        self.labels.as_ref().map(|labels| labels.digest.as_str())
    }

    fn sample_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The images of these indices as networks see them.
    fn batch(&self, indices: &[u32], range: PixelRange) -> Batch {
        let table: [f32; 256] = std::array::from_fn(|byte| range.from_byte(byte as u8));
        let length = self.sample_len();
        let mut values = Vec::with_capacity(indices.len() * length);
        for &index in indices {
            let place = index as usize * length..(index as usize + 1) * length;
            match &self.samples {
                Samples::Bytes(bytes) => values.extend(bytes[place].iter().map(|&byte| table[usize::from(byte)])),
                Samples::Numbers(numbers) => values.extend_from_slice(&numbers[place]),
            }
        }
        let shape = [&[indices.len()], self.shape.as_slice()].concat();
        let images = Tensor::new(&shape, values).expect("every sample has this length");
        let class = |labels: &Labels| indices.iter().map(|&index| labels.of_images[index as usize] as usize).collect();
        Batch { images, classes: self.labels.as_ref().map(class) }
    }
}

/// Indices in random order, every image once in an epoch; what is left at the end and fills no batch is passed over.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Generator at the start of the epoch, from which its order follows.
    epoch: Random,
    /// Generator after the order was drawn.
    next: Random,
    indices: Vec<u32>,
    position: usize,
}

impl Order {
    /// The order that a generator draws, and the place in it.
    pub fn new(images: usize, epoch: Random, position: usize) -> Self {
        let mut next = epoch.clone();
        let mut indices: Vec<u32> = (0..u32::try_from(images).expect("fewer than 2³² images")).collect();
        next.shuffle(&mut indices);
        Order { epoch, next, indices, position }
    }

    /// Everything that decides which images come next.
    pub fn state(&self) -> ([u64; 4], usize) {
        (self.epoch.state(), self.position)
    }

    /// The next batch. `size` is at most the number of images.
    pub fn next(&mut self, size: usize) -> &[u32] {
        if self.position + size > self.indices.len() {
            *self = Self::new(self.indices.len(), self.next.clone(), 0);
        }
        self.position += size;
        &self.indices[self.position - size..self.position]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_shows_every_image_once() {
        let mut order = Order::new(10, Random::new(1), 0);
        let first: Vec<u32> = order.next(5).to_vec();
        let mut seen = [first.clone(), order.next(5).to_vec()].concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
        assert_ne!(order.next(5), first);
        // A batch that does not fit begins a new epoch.
        assert_eq!(order.next(4).len(), 4);
    }

    #[test]
    fn an_order_goes_on_where_it_was() {
        let mut order = Order::new(7, Random::new(1), 0);
        for _ in 0..5 {
            order.next(3);
        }
        let (state, position) = order.state();
        let mut restored = Order::new(7, Random::from_state(state), position);
        for _ in 0..5 {
            assert_eq!(order.next(3), restored.next(3));
        }
    }

    #[test]
    fn batches_are_scaled_and_sets_checked() {
        let set = TrainingSet::new(1, 2, vec![0, 255, 51, 204, 1, 2, 3, 4]).unwrap();
        let batch = set.batch(&[0], PixelRange::Symmetric).images;
        assert_eq!((batch.shape(), &batch.data()[..2]), (&[1, 1, 2, 2][..], &[-1.0, 1.0][..]));
        assert_eq!(set.len(), 2);
        let message = TrainingSet::new(1, 2, vec![0; 7]).unwrap_err().to_string();
        assert!(message.contains("7 bytes do not make a whole number of 1×2×2 images"), "{message}");
        assert!(TrainingSet::new(3, 4, Vec::new()).is_err());
        let names = vec!["a".to_owned(), "b".to_owned()];
        let labelled = set.clone().with_classes(names.clone(), vec![1, 0]).unwrap();
        assert_eq!(labelled.batch(&[1, 0], PixelRange::Unit).classes, Some(vec![0, 1]));
        let others = set.clone().with_classes(names.clone(), vec![0, 1]).unwrap();
        assert_eq!((labelled.digest(), set.labels_digest()), (set.digest(), None));
        assert_ne!(labelled.labels_digest(), others.labels_digest());
        assert!(
            set.clone().with_classes(names.clone(), vec![1, 2]).is_err() && set.with_classes(names, vec![1]).is_err()
        );
    }
}
