//! The few images whose labels a system learns from.

use super::data::TrainingSet;
use crate::gan::error::GanError;
use crate::gan::random::Random;

/// Images of a training set that have labels, and what decides which of them comes next: they are drawn with replacement.
#[derive(Debug, Clone)]
pub(super) struct Labelled {
    /// Their indices, class after class.
    images: Vec<u32>,
    random: Random,
}

impl Labelled {
    /// So many of a set, of each class as many as of the others; what is left over goes to the first ones. `random` chooses them,
    /// and draws from them afterwards.
    ///
    /// # Errors
    /// [`GanError::Data`] when a class has too few images, or is not known.
    pub fn choose(data: &TrainingSet, count: usize, mut random: Random) -> Result<Self, GanError> {
        let unknown = || GanError::Data("their classes are not known".into());
        let (names, classes) = data.class_names().zip(data.classes()).ok_or_else(unknown)?;
        let mut images = Vec::with_capacity(count);
        for (class, name) in names.iter().enumerate() {
            let of_class = (0..).zip(classes).filter(|&(_, &of_image)| of_image as usize == class);
            let mut of_class: Vec<u32> = of_class.map(|(index, _)| index).collect();
            let wanted = count / names.len() + usize::from(class < count % names.len());
            if of_class.len() < wanted {
                let problem = format!(
                    "there are {} of class `{name}`, and {wanted} of them are to have labels: fewer labels in all are needed",
                    of_class.len()
                );
                return Err(GanError::Data(problem));
            }
            random.shuffle(&mut of_class);
            images.extend_from_slice(&of_class[..wanted]);
        }
        Ok(Labelled { images, random })
    }

    /// The next ones.
    pub fn next(&mut self, size: usize) -> Vec<u32> {
        (0..size).map(|_| self.images[self.random.below(self.images.len())]).collect()
    }

    /// What decides which come next.
    pub fn state(&self) -> [u64; 4] {
        self.random.state()
    }

    /// Goes on where it was.
    pub fn set_state(&mut self, state: [u64; 4]) {
        self.random = Random::from_state(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> TrainingSet {
        let names = ["a", "b", "c"].map(String::from).into();
        TrainingSet::new(1, 1, vec![0; 12]).unwrap().with_classes(names, (0..12).map(|i| i % 3).collect()).unwrap()
    }

    #[test]
    fn every_class_has_its_share_and_the_seed_chooses() {
        let chosen = |seed| Labelled::choose(&data(), 7, Random::new(seed)).unwrap();
        let counts = [0, 1, 2].map(|class| chosen(1).images.iter().filter(|&&image| image % 3 == class).count());
        assert_eq!(counts, [3, 2, 2]);
        assert_eq!(chosen(1).images, chosen(1).images);
        assert_ne!(chosen(1).images, chosen(2).images);
        let mut distinct = chosen(1).images;
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 7);
    }

    #[test]
    fn only_chosen_images_come_and_go_on_where_they_were() {
        let mut labelled = Labelled::choose(&data(), 3, Random::new(1)).unwrap();
        let drawn = labelled.next(50);
        assert!(drawn.iter().all(|image| labelled.images.contains(image)));
        assert!(labelled.images.iter().all(|image| drawn.contains(image)));
        let state = labelled.state();
        let next = labelled.next(9);
        labelled.set_state(state);
        assert_eq!(labelled.next(9), next);
    }

    #[test]
    fn a_class_with_too_few_images_is_named() {
        let message = Labelled::choose(&data(), 15, Random::new(1)).unwrap_err().to_string();
        let expected = "cannot train on these images: there are 4 of class `a`, and 5 of them are to have labels: \
                        fewer labels in all are needed";
        assert_eq!(message, expected);
        let unknown = TrainingSet::new(1, 1, vec![0; 4]).unwrap();
        assert!(Labelled::choose(&unknown, 2, Random::new(1)).is_err());
    }
}
