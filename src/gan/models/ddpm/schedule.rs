//! How much of an image is left after so many steps, and the way back.

use crate::gan::error::GanError;
use crate::gan::tensor::Tensor;

/// ᾱ_t for every time t, in f64: the share of an image's variance that is left.
#[derive(Debug, Clone)]
pub(super) struct Schedule(Vec<f64>);

impl Schedule {
    /// ᾱ_t = Π (1 − β) with β growing in equal steps from 1e-4·1000/T to 0.02·1000/T (Ho, Jain and Abbeel 2020, for T = 1000).
    pub fn linear(steps: usize) -> Self {
        let scale = 1000.0 / steps as f64;
        let [first, last] = [1e-4 * scale, 0.02 * scale];
        let beta = |t: usize| first + (last - first) * t as f64 / (steps - 1) as f64;
        let left = (0..steps).scan(1.0, |left, t| {
            *left *= 1.0 - beta(t);
            Some(*left)
        });
        Schedule(left.collect())
    }

    /// √ᾱ_t·x + √(1−ᾱ_t)·ε for each image and its time.
    pub fn noisy(&self, images: &Tensor, noise: &Tensor, times: &[usize]) -> Tensor {
        let image = images.len() / times.len().max(1);
        Tensor::from_fn(images.shape(), |i| {
            let left = self.0[times[i / image]];
            (left.sqrt() * f64::from(images.data()[i]) + (1.0 - left).sqrt() * f64::from(noise.data()[i])) as f32
        })
    }

    /// So many times from the last to the first, as evenly spread as whole numbers can be.
    fn times(&self, count: usize) -> Vec<usize> {
        let last = self.0.len() - 1;
        let at = |i: usize| (last as f64 * i as f64 / (count - 1) as f64).round() as usize;
        (0..count).rev().map(at).collect()
    }

    /// From noise to images by DDIM without further noise (Song, Meng and Ermon 2021, η = 0): at each of `count` times, at
    /// least 2, x̂₀ = (x − √(1−ᾱ)·ε)/√ᾱ is clipped to the bounds, ε is taken anew from it, and x becomes
    /// √ᾱ′·x̂₀ + √(1−ᾱ′)·ε of the next time; after the last one ᾱ′ = 1.
    pub fn ddim(
        &self,
        noise: Tensor,
        count: usize,
        [low, high]: [f32; 2],
        noise_in: impl Fn(&Tensor, usize) -> Result<Tensor, GanError>,
    ) -> Result<Tensor, GanError> {
        let times = self.times(count);
        let mut x = noise;
        for (i, &time) in times.iter().enumerate() {
            let left = self.0[time];
            let left_next = times.get(i + 1).map_or(1.0, |&next| self.0[next]);
            let seen = noise_in(&x, time)?;
            x = Tensor::from_fn(x.shape(), |i| {
                let (x, noise) = (f64::from(x.data()[i]), f64::from(seen.data()[i]));
                let image = ((x - (1.0 - left).sqrt() * noise) / left.sqrt()).clamp(f64::from(low), f64::from(high));
                let noise = (x - left.sqrt() * image) / (1.0 - left).sqrt();
                (left_next.sqrt() * image + (1.0 - left_next).sqrt() * noise) as f32
            });
        }
        Ok(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_at_the_end_is_what_numpy_finds() {
        for (steps, expected) in [(1000, 4.0358e-5), (200, 3.0318e-5)] {
            let left = *Schedule::linear(steps).0.last().unwrap();
            assert!((left / expected - 1.0).abs() < 2e-5, "{left}");
        }
    }

    #[test]
    fn times_begin_at_the_last_and_end_at_the_first() {
        let schedule = Schedule::linear(200);
        for count in [2, 20, 50, 200] {
            let times = schedule.times(count);
            assert_eq!((times[0], times[count - 1], times.len()), (199, 0, count));
            assert!(times.windows(2).all(|pair| pair[0] > pair[1]));
        }
    }

    #[test]
    fn noisy_images_keep_their_share() {
        let schedule = Schedule(vec![0.64, 0.25]);
        let [image, noise] = [1.0, -2.0].map(|value| Tensor::full(&[2, 1, 1, 1], value));
        let noisy = schedule.noisy(&image, &noise, &[0, 1]);
        let expected = [0.8 - 2.0 * 0.6, 0.5 - 2.0 * 0.75_f32.sqrt()];
        assert!(noisy.data().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{noisy:?}");
    }

    /// Normal data N(1, ½²): the noise that is to be expected in x is known, and what DDIM makes of standard normal noise has
    /// the mean and the deviation that follow from it.
    #[test]
    fn normal_data_come_back_with_the_deviation_that_theory_gives() {
        const MEAN: f64 = 1.0;
        const VARIANCE: f64 = 0.25;
        for (steps, count, expected) in [
            (1000, 1000, 0.4985),
            (1000, 50, 0.4719),
            (1000, 20, 0.4305),
            (200, 200, 0.4928),
            (200, 50, 0.4727),
            (200, 20, 0.4331),
        ] {
            let schedule = Schedule::linear(steps);
            let noise_in = |x: &Tensor, time: usize| {
                let left = schedule.0[time];
                let scale = (1.0 - left).sqrt() / (left * VARIANCE + 1.0 - left);
                Ok(Tensor::from_fn(x.shape(), |i| (scale * (f64::from(x.data()[i]) - left.sqrt() * MEAN)) as f32))
            };
            let ends = Tensor::new(&[2], vec![-1.0, 1.0]).unwrap();
            let ends = schedule.ddim(ends, count, [f32::NEG_INFINITY, f32::INFINITY], noise_in).unwrap();
            let [low, high] = [0, 1].map(|i| f64::from(ends.data()[i]));
            // The way is linear: a deviation of 1 becomes half the distance of −1 and 1.
            assert!(((high - low) / 2.0 - expected).abs() < 2e-4, "{steps}, {count}: {low} {high}");
            assert!(((high + low) / 2.0 - MEAN).abs() < 0.02, "{steps}, {count}: {low} {high}");
        }
    }

    #[test]
    fn the_least_loss_on_normal_data_is_what_numpy_finds() {
        // Of the best guess of ε, whose error has the variance ᾱ·s²/(ᾱ·s² + 1 − ᾱ).
        let schedule = Schedule::linear(1000);
        for (variance, expected) in [(0.25, 0.17305), (1.0, 0.27551)] {
            let losses = schedule.0.iter().map(|left| left * variance / (left * variance + 1.0 - left));
            let mean = losses.sum::<f64>() / 1000.0;
            assert!((mean - expected).abs() < 1e-5, "{mean}");
        }
    }

    #[test]
    fn images_stay_within_their_bounds() {
        let noise = Tensor::from_fn(&[5], |i| i as f32 - 2.0);
        let images = Schedule::linear(200).ddim(noise, 10, [-1.0, 1.0], |x, _| Ok(Tensor::zeros(x.shape()))).unwrap();
        assert!(images.data().iter().all(|x| x.abs() <= 1.0) && images.data()[4] == 1.0, "{images:?}");
    }
}
