//! Times the steps of `benches/gan.rs` in other Rust frameworks on the CPU: images per second, best of five rounds.
//!
//! Run from this folder, with `RAYON_NUM_THREADS` set to the threads to use:
//! `cargo run --release [burn|candle] [ROUNDS]`. Without a name both run, without a number of rounds there are five.
//! Where the variable is not set, candle takes a thread for each physical core, burn one for each logical core.
//!
//! Both run the networks, the losses and Adam exactly as `python_ref/time_gan.py` does, and in its order;
//! `cargo test --release` holds them to each other. What each does with the gradients that no step uses is said in its
//! module.

mod burn_step;
mod candle_step;

use std::time::Instant;

use burn_step::BurnStep;
use candle_step::CandleStep;

const ROUNDS: usize = 5;
const STEPS: usize = 3;
const LATENT: usize = 100;
const WIDTH: usize = 64;
const LEARNING_RATE: f64 = 2e-4;
const BETA_1: f64 = 0.5;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
const SLOPE: f64 = 0.2;

#[derive(Clone, Copy)]
struct Case {
    size: usize,
    channels: usize,
    batch: usize,
}

const CASES: [Case; 4] = [
    Case { size: 64, channels: 3, batch: 64 },
    Case { size: 64, channels: 3, batch: 16 },
    Case { size: 32, channels: 3, batch: 64 },
    Case { size: 28, channels: 1, batch: 64 },
];

/// A convolution of a network, transposed in the generator, without a bias.
#[derive(Clone, Copy)]
struct Layer {
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    /// Whether batch normalisation follows. It is never the last layer that has it.
    norm: bool,
}

/// The layers of generator and discriminator: `dcgan` of `python_ref/time_gan.py`.
fn dcgan(size: usize, channels: usize) -> (Vec<Layer>, Vec<Layer>) {
    let (start, doublings) = match size {
        28 => (7, 2),
        32 => (4, 3),
        64 => (4, 4),
        _ => panic!("no network makes images of {size} x {size} pixels"),
    };
    let whole = |inputs, outputs, norm| Layer { inputs, outputs, kernel: start, stride: 1, padding: 0, norm };
    let half = |inputs, outputs, norm| Layer { inputs, outputs, kernel: 4, stride: 2, padding: 1, norm };
    let widest = WIDTH << (doublings - 1);
    let mut generator = vec![whole(LATENT, widest, true)];
    let mut discriminator = vec![half(channels, WIDTH, false)];
    for i in 1..doublings {
        generator.push(half(widest >> (i - 1), widest >> i, true));
        discriminator.push(half(WIDTH << (i - 1), WIDTH << i, true));
    }
    generator.push(half(WIDTH, channels, false));
    discriminator.push(whole(widest, 1, false));
    (generator, discriminator)
}

/// The numbers that both frameworks start from (SplitMix64), so that the tests can compare them.
struct Random(u64);

impl Random {
    /// Uniform in ±`bound`.
    fn uniform(&mut self, bound: f32, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| {
                self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = self.0;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^= z >> 31;
                ((z >> 40) as f32 / (1 << 23) as f32 - 1.0) * bound
            })
            .collect()
    }

    /// Weights of a convolution with the standard deviation of DCGAN, 0.02.
    fn weights(&mut self, layer: Layer) -> Vec<f32> {
        self.uniform(0.02 * 3f32.sqrt(), layer.inputs * layer.outputs * layer.kernel * layer.kernel)
    }
}

/// A step of the discriminator on real and generated images, then one of the generator.
trait Step {
    /// Takes it on new noise; the losses are those of real, of generated images, and of the generator.
    fn step(&mut self) -> [f32; 3];
}

fn best_rate(case: Case, mut step: impl Step, rounds: usize) -> f64 {
    step.step();
    let round = |_| {
        let started = Instant::now();
        for _ in 0..STEPS {
            let losses = step.step();
            assert!(losses.iter().all(|loss| loss.is_finite()), "a loss is not finite: {losses:?}");
        }
        (STEPS * case.batch) as f64 / started.elapsed().as_secs_f64()
    };
    (0..rounds).map(round).fold(0.0, f64::max)
}

/// The version of a dependency that this was built with.
fn version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    let mut lines = include_str!("../Cargo.lock").lines().skip_while(|line| *line != name);
    lines.nth(1).and_then(|line| line.split('"').nth(1)).expect("a dependency is in Cargo.lock")
}

fn time<S: Step>(framework: &str, threads: usize, rounds: usize, new: impl Fn(Case) -> S) {
    println!("{framework}, {threads} threads");
    for case @ Case { size, channels, batch } in CASES {
        let rate = best_rate(case, new(case), rounds);
        println!("{size}x{size}x{channels}/batch{batch} {framework:13} {rate:8.1} images/s");
    }
}

fn main() {
    let (mut only, mut rounds) = (None, ROUNDS);
    for argument in std::env::args().skip(1) {
        match argument.parse() {
            Ok(count) if count > 0 => rounds = count,
            _ if argument == "burn" || argument == "candle" => only = Some(argument),
            _ => {
                eprintln!("usage: gan-metrics-peers [burn|candle] [ROUNDS], not {argument:?}");
                std::process::exit(2);
            }
        }
    }
    let chosen = |name| only.as_deref().is_none_or(|only| only == name);
    if chosen("burn") {
        let framework = format!("burn {}", version("burn"));
        time(&framework, rayon::current_num_threads(), rounds, BurnStep::new);
    }
    if chosen("candle") {
        let framework = format!("candle {}", version("candle-core"));
        time(&framework, candle_core::utils::get_num_threads(), rounds, CandleStep::new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Same weights, images and noise: the frameworks must go through the same losses, which every update changes. What
    /// they round differently grows with the steps: after three it stays below the tolerance.
    #[test]
    fn both_frameworks_train_alike() {
        for Case { size, channels, .. } in &CASES[1..] {
            let case = Case { size: *size, channels: *channels, batch: 4 };
            let (mut burn, mut candle) = (BurnStep::new(case), CandleStep::new(case));
            let mut random = Random(2);
            let mut before = [0.0; 3];
            for step in 0..3 {
                let noise = random.uniform(3f32.sqrt(), case.batch * LATENT);
                let losses = burn.step_on(burn.noise_from(noise.clone()));
                let noise = candle.noise_from(noise).and_then(|noise| candle.step_on(&noise));
                let others = noise.expect("candle takes the step");
                println!("{size}x{size}x{channels} step {step}: burn {losses:?}, candle {others:?}");
                for i in 0..3 {
                    let (a, b) = (losses[i], others[i]);
                    assert!(a.is_finite() && (a - b).abs() <= 3e-3 * a.abs().max(1.0), "{a} and {b}");
                    assert!((a - before[i]).abs() > 1e-3 * a.abs(), "loss {i} stands still at {a}");
                }
                before = losses;
            }
        }
    }
}
