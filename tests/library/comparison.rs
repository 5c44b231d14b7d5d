//! The test of the difference of two scores keeps its word: p is uniform where there is no difference, and as often small as it
//! should be where there is one.

use std::ops::RangeInclusive;

use gan_metrics::metrics::{
    Difference, Estimator, JackknifeOptions, Kernel, Length, MetricError, MmdOptions, RandomState, RealImages,
    difference, fid, jackknife, mmd,
};
use gan_metrics::stats::{Features, Gaussian};
use ndarray::Array2;
use rayon::prelude::*;

/// Repetitions of an experiment.
const REPETITIONS: u32 = 200;

/// So many standard deviations of a binomial number are not exceeded by chance, in a run of these tests and in a thousand others.
const DEVIATIONS: f64 = 4.0;

/// Bound on the distance of Kolmogorov and Smirnov of 200 uniform numbers, which is exceeded with probability 10⁻⁴: 2.225/√200.
const KOLMOGOROV: f64 = 0.1573;

/// Dimension of the features.
const DIM: usize = 4;

/// Normal features, whose coordinates all have this mean and deviation. Those of real images have 0 and 1.
#[derive(Debug, Clone, Copy)]
struct Generator {
    mean: f64,
    deviation: f64,
}

const REAL: Generator = Generator { mean: 0.0, deviation: 1.0 };
const SHIFTED: Generator = Generator { mean: 0.5, deviation: 1.0 };
const NARROW: Generator = Generator { mean: 1.0, deviation: 0.7 };

impl Generator {
    fn images(self, random: &mut RandomState, images: usize) -> Features {
        let value = || (random.standard_normal() * self.deviation + self.mean) as f32;
        Features::new(Array2::from_shape_simple_fn((images, DIM), value)).unwrap()
    }

    /// Its Fréchet distance from the real images.
    fn distance(self) -> f64 {
        DIM as f64 * (self.mean.powi(2) + (self.deviation - 1.0).powi(2))
    }
}

/// A score, and how many groups and images its repetitions take: those of a kernel distance are slow.
#[derive(Clone, Copy)]
struct Scored {
    name: &'static str,
    score: fn(&Features, &Features) -> Result<f64, MetricError>,
    groups: usize,
    size: usize,
}

const FRECHET: Scored = Scored {
    name: "Fréchet",
    score: |real, fake| Ok(fid(&Gaussian::of(real)?, &Gaussian::of(fake)?)?.value),
    groups: 20,
    size: 120,
};

/// What the interval of a KID is of.
const KERNEL: Scored = Scored {
    name: "kernel",
    score: |real, fake| {
        let (kernel, estimator) = (Kernel::KID, Estimator::Unbiased);
        Ok(mmd(
            real,
            fake,
            MmdOptions::default()
                .with_kernel(kernel)
                .with_estimator(estimator)
                .with_length(Length::AsGiven)
                .with_scale(1.0),
        )?
        .value)
    },
    groups: 12,
    size: 48,
};

impl Scored {
    /// The difference of the scores of two generators, again and again; `unequal` sets differ in size.
    fn repeated(self, generators: [Generator; 2], unequal: bool, real: RealImages) -> Vec<Difference> {
        let [larger, smaller] = if unequal { [self.size * 2, self.size] } else { [self.size; 2] };
        let once = |seed: u32| {
            let mut random = RandomState::new(seed);
            let options = JackknifeOptions::default().with_groups(self.groups).with_seed(seed);
            let shared = REAL.images(&mut random, larger);
            let mut of = |generator: Generator| {
                let other = REAL.images(&mut random, larger);
                let reference = if real == RealImages::Paired { &shared } else { &other };
                jackknife(reference, &generator.images(&mut random, smaller), options, self.score).unwrap()
            };
            let (first, second) = (of(generators[0]), of(generators[1]));
            difference(&first, &second, real).unwrap()
        };
        (0..REPETITIONS).into_par_iter().map(once).collect()
    }
}

/// How often something of this probability happens in the repetitions.
fn expected(probability: f64) -> RangeInclusive<f64> {
    let repetitions = f64::from(REPETITIONS);
    let reach = DEVIATIONS * (repetitions * probability * (1.0 - probability)).sqrt();
    repetitions * probability - reach..=repetitions * probability + reach
}

fn significant(found: &[Difference]) -> f64 {
    found.iter().filter(|difference| difference.is_significant()).count() as f64
}

/// Largest distance of the distribution of p from the uniform one.
fn distance_from_uniform(found: &[Difference]) -> f64 {
    let mut p: Vec<f64> = found.iter().map(|difference| difference.p).collect();
    p.sort_by(f64::total_cmp);
    let n = p.len() as f64;
    let distance = |(rank, p): (usize, &f64)| (p - rank as f64 / n).abs().max((p - (rank + 1) as f64 / n).abs());
    p.iter().enumerate().map(distance).fold(0.0, f64::max)
}

#[test]
fn p_is_uniform_where_two_generators_are_equally_good() {
    for scored in [FRECHET, KERNEL] {
        for (generator, unequal) in [(SHIFTED, false), (NARROW, true)] {
            for real in [RealImages::Paired, RealImages::Independent] {
                let found = scored.repeated([generator; 2], unequal, real);
                let (count, distance) = (significant(&found), distance_from_uniform(&found));
                assert!(expected(0.05).contains(&count), "{}, {generator:?}, {real:?}: {count}", scored.name);
                assert!(distance < KOLMOGOROV, "{}, {generator:?}, {real:?}: {distance}", scored.name);
            }
        }
    }
}

#[test]
fn generators_that_cannot_be_told_from_real_images_are_seldom_called_different() {
    // Where a score is at its minimum it no longer varies linearly with the images. Then the jackknife takes the error for larger
    // than it is, and p is on the safe side.
    for scored in [FRECHET, KERNEL] {
        let count = significant(&scored.repeated([REAL; 2], false, RealImages::Paired));
        assert!(count <= *expected(0.05).end(), "{}: {count}", scored.name);
    }
}

#[test]
fn a_difference_is_found_as_often_as_its_error_allows_and_on_the_right_side() {
    let better = Generator { mean: 0.3, ..SHIFTED };
    for scored in [FRECHET, KERNEL] {
        for real in [RealImages::Paired, RealImages::Independent] {
            let (name, found) = (scored.name, scored.repeated([SHIFTED, better], false, real));
            let mean = |of: fn(&Difference) -> f64| found.iter().map(of).sum::<f64>() / f64::from(REPETITIONS);
            let (value, error) = (mean(|found| found.value), mean(|found| found.standard_error));
            if name == FRECHET.name {
                let truth = SHIFTED.distance() - better.distance();
                let reach = DEVIATIONS * error / f64::from(REPETITIONS).sqrt();
                assert!((value - truth).abs() < reach, "{value} for {truth}, within {reach}");
            }
            // The probability that a normal number around the difference exceeds the two deviations that are significant.
            let power = standard_normal_below(value / error - 2.0);
            let count = significant(&found);
            assert!((0.1..0.95).contains(&power), "{name}, {real:?}: {power} is no challenge");
            assert!(expected(power).contains(&count), "{name}, {real:?}: {count} with a power of {power}");
            let wrong = found.iter().filter(|found| found.is_significant() && found.value < 0.0).count();
            assert_eq!(wrong, 0, "{name}, {real:?}");
        }
    }
}

#[test]
fn the_same_real_images_make_a_test_sharper() {
    let mean_error = |real| {
        let found = FRECHET.repeated([SHIFTED; 2], false, real);
        found.iter().map(|found| found.standard_error).sum::<f64>() / f64::from(REPETITIONS)
    };
    let (paired, independent) = (mean_error(RealImages::Paired), mean_error(RealImages::Independent));
    assert!(paired < 0.9 * independent, "{paired} against {independent}");
}

/// Φ, by Simpson's rule from −8.
fn standard_normal_below(x: f64) -> f64 {
    let (steps, from) = (2000, -8.0);
    let step = (x - from) / f64::from(steps);
    let density = |index: i32| (-(from + step * f64::from(index)).powi(2) / 2.0).exp();
    let weight = |index: i32| if index == 0 || index == steps { 1.0 } else { 2.0 + 2.0 * f64::from(index % 2) };
    let sum: f64 = (0..=steps).map(|index| weight(index) * density(index)).sum();
    sum * step / 3.0 / std::f64::consts::TAU.sqrt()
}
