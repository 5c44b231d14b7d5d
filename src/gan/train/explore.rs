//! Walks through what a generator can make.

use super::latent::Latent;
use super::sampling::{Trained, sampling_stream};
use crate::gan::error::GanError;
use crate::gan::random::Random;
use crate::gan::systems::{Condition, one_hot};
use crate::gan::tensor::Tensor;

/// A generator that makes an image of z, walked through from the noise of a seed.
pub struct Explorer {
    trained: Trained,
    length: usize,
    seed: u64,
}

impl Explorer {
    /// Of a system that makes its images of z.
    ///
    /// # Errors
    /// [`GanError::Unable`] where it makes them in another way.
    pub fn new(trained: Trained, seed: u64) -> Result<Self, GanError> {
        let unable = || GanError::Unable { system: trained.system.title(), action: "make an image of given noise" };
        let length = trained.system.latent().ok_or_else(unable)?;
        Ok(Explorer { trained, length, seed })
    }

    /// What is walked through.
    pub fn trained(&self) -> &Trained {
        &self.trained
    }

    /// Images between pairs of images, as bytes: `rows` times `columns`, both ends included. Where z is normal, the way from one
    /// end to the other is an arc, on which lengths stay those of the distribution (White 2016); elsewhere it is straight.
    /// A class or code is the same all along a row: row after row the next class.
    ///
    /// # Errors
    /// [`GanError::Shape`] never, for the networks of the system.
    pub fn interpolations(&self, rows: usize, columns: usize) -> Result<Vec<u8>, GanError> {
        let mut random = sampling_stream(self.seed);
        let mut z = Vec::with_capacity(rows * columns * self.length);
        for _ in 0..rows {
            let [from, to] = [0, 1].map(|_| self.noise(1, &mut random));
            for column in 0..columns {
                let share = column as f64 / (columns - 1).max(1) as f64;
                z.extend(between(&from, &to, share, self.trained.config.latent));
            }
        }
        let condition = self.condition((0..rows * columns).map(|i| Code { class: i / columns, number: None }));
        self.decode(z, condition?)
    }

    /// Images of every class or category, as bytes, `columns` of each by the same noise; then, for each number of the code, as
    /// many rows in which it goes from −1 to 1 and all else stays the same.
    ///
    /// # Errors
    /// [`GanError::Unable`] where the generator is given neither a class nor a code.
    pub fn traversals(&self, columns: usize) -> Result<Vec<u8>, GanError> {
        let (classes, numbers) = match self.trained.system.condition() {
            Condition::None => {
                let system = self.trained.system.title();
                return Err(GanError::Unable {
                    system,
                    action: "be traversed: its generator is given neither a class nor a code",
                });
            }
            Condition::Class { classes } => (classes, 0),
            Condition::Code { categories, numbers } => (categories, numbers),
        };
        let mut random = sampling_stream(self.seed);
        let of_columns = self.noise(columns, &mut random);
        let mut z = of_columns.repeat(classes);
        let mut codes: Vec<Code> = (0..classes * columns).map(|i| Code { class: i / columns, number: None }).collect();
        for number in 0..numbers {
            for class in 0..classes {
                let value = |column: usize| 2.0 * column as f32 / (columns - 1).max(1) as f32 - 1.0;
                codes.extend((0..columns).map(|column| Code { class, number: Some((number, value(column))) }));
                z.extend(of_columns[..self.length].repeat(columns));
            }
        }
        let condition = self.condition(codes.into_iter())?;
        self.decode(z, condition)
    }

    fn noise(&self, count: usize, random: &mut Random) -> Vec<f32> {
        self.trained.config.latent.numbers(self.length, count, random)
    }

    /// Rows of what the generator is given besides z. Numbers of a code are 0 where nothing is said.
    fn condition(&self, codes: impl Iterator<Item = Code>) -> Result<Option<Tensor>, GanError> {
        let condition = self.trained.system.condition();
        let (classes, numbers) = match condition {
            Condition::None => return Ok(None),
            Condition::Class { classes } => (classes, 0),
            Condition::Code { categories, numbers } => (categories, numbers),
        };
        let (mut rows, mut count) = (Vec::new(), 0);
        for code in codes {
            rows.extend_from_slice(one_hot(&[code.class % classes], classes).data());
            let mut of_code = vec![0.0; numbers];
            if let Some((number, value)) = code.number {
                of_code[number] = value;
            }
            rows.extend(of_code);
            count += 1;
        }
        Tensor::new(&[count, condition.len()], rows).map(Some)
    }

    fn decode(&self, z: Vec<f32>, condition: Option<Tensor>) -> Result<Vec<u8>, GanError> {
        let Trained { system, networks, .. } = &self.trained;
        let z = Tensor::new(&[z.len() / self.length, self.length], z)?;
        let images = system.decode(networks, &z, condition.as_ref())?;
        let range = system.pixel_range();
        Ok(images.data().iter().map(|&value| range.to_byte(value)).collect())
    }
}

/// A class or category, and one number of the code.
struct Code {
    class: usize,
    number: Option<(usize, f32)>,
}

/// A point of the way from one vector to another.
fn between(from: &[f32], to: &[f32], share: f64, latent: Latent) -> Vec<f32> {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = product(from, to) / (product(from, from) * product(to, to)).sqrt();
    let angle = cosine.clamp(-1.0, 1.0).acos();
    /// Below this the arc is a straight line to the last digit of an f32.
    const SMALLEST_ANGLE: f64 = 1e-4;
    let [of_from, of_to] = match latent {
        Latent::Normal if angle.sin() > SMALLEST_ANGLE => {
            [1.0 - share, share].map(|part| (part * angle).sin() / angle.sin())
        }
        _ => [1.0 - share, share],
    };
    from.iter().zip(to).map(|(from, to)| (of_from * f64::from(*from) + of_to * f64::from(*to)) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arc_keeps_its_length_and_its_ends() {
        let (from, to) = ([3.0, 0.0], [0.0, 3.0]);
        let at = |share| between(&from, &to, share, Latent::Normal);
        assert_eq!((at(0.0), at(1.0)), (from.to_vec(), to.to_vec()));
        let middle = at(0.5);
        assert!((f64::from(middle[0]).hypot(middle[1].into()) - 3.0).abs() < 1e-6);
        assert_eq!(between(&from, &to, 0.5, Latent::Uniform), [1.5, 1.5]);
        assert_eq!(between(&from, &from, 0.3, Latent::Normal), from);
    }
}
