use super::*;
use crate::gan::networks::{Network, Outputs};
use crate::gan::testing::sample;
use crate::gan::train::{ImageSampler, Trainer, TrainingSet};
use crate::gan::{Differentiability, grad};

type Named = Vec<(&'static str, Network<f64>)>;

/// In f64, with weights that change what goes through.
fn flow(image: [usize; 3]) -> (Flow, Named) {
    let flow = Flow::new(image, 3);
    let mut random = Random::new(2);
    let mut make = |(name, graph)| {
        let mut network = Network::new(graph, &mut random).unwrap();
        for parameter in network.parameters_mut() {
            parameter.value = random.normal(parameter.value.shape(), 0.0, 0.3);
        }
        (name, network)
    };
    let networks = flow.networks().into_iter().map(&mut make).collect();
    (flow, networks)
}

fn pass(networks: &Named) -> impl FnMut(&'static str, &Var<f64>) -> Result<Outputs<f64>, GanError> + '_ {
    |name, x| networks.iter().find(|(known, _)| *known == name).unwrap().1.evaluate(&[x])
}

#[test]
fn the_way_back_is_the_inverse() {
    for image in [[1, 4, 4], [3, 6, 6]] {
        let (flow, networks) = flow(image);
        let y = Var::constant(sample(&[&[3], image.as_slice()].concat(), 1));
        let flowed = flow.forward(&y, &mut pass(&networks)).unwrap();
        let back = flow.inverse(&flowed.numbers, &mut pass(&networks)).unwrap();
        let difference = back.sub(&y).unwrap();
        assert!(difference.value().data().iter().all(|x| x.abs() < 1e-9));
        assert!(flowed.log_determinant.value().data().iter().all(|x| x.abs() > 0.1), "nothing was tested");
    }
}

/// ln |det| by elimination with pivots.
fn log_determinant(mut rows: Vec<Vec<f64>>) -> f64 {
    let mut sum = 0.0;
    for step in 0..rows.len() {
        let pivot = (step..rows.len()).max_by(|&a, &b| rows[a][step].abs().total_cmp(&rows[b][step].abs())).unwrap();
        rows.swap(step, pivot);
        sum += rows[step][step].abs().ln();
        let top = rows[step].clone();
        for row in &mut rows[step + 1..] {
            let factor = row[step] / top[step];
            row.iter_mut().zip(&top).for_each(|(value, top)| *value -= factor * top);
        }
    }
    sum
}

#[test]
fn the_determinant_is_that_of_the_jacobian() {
    for image in [[1, 2, 2], [1, 4, 4], [3, 2, 2]] {
        let (flow, networks) = flow(image);
        let y = Var::leaf(sample(&[&[1], image.as_slice()].concat(), 1));
        let flowed = flow.forward(&y, &mut pass(&networks)).unwrap();
        let flat: Vec<Var<f64>> = flowed.numbers.iter().map(|z| z.reshape(&[1, z.value().len()]).unwrap()).collect();
        let z = Var::concat(&[&flat[0], &flat[1]], 1).unwrap();
        let row = |i| {
            let output = z.slice(1, i..i + 1).unwrap().sum();
            grad(&output, &[&y], Differentiability::Once).unwrap()[0].value().data().to_vec()
        };
        let expected = log_determinant((0..z.value().len()).map(row).collect());
        let ours = flowed.log_determinant.item().unwrap();
        assert!((ours - expected).abs() < 1e-9, "{ours} is not {expected}");
    }
}

#[test]
fn no_pixel_is_kept_by_every_coupling() {
    let (flow, networks) = flow([1, 2, 2]);
    let y = Var::leaf(sample(&[1, 1, 2, 2], 1));
    let flowed = flow.forward(&y, &mut pass(&networks)).unwrap();
    // What is kept by every coupling would come out as it went in.
    let went_in = y.space_to_depth(2).unwrap();
    let came_out = Var::concat(&[&flowed.numbers[1], &flowed.numbers[0]], 1).unwrap();
    assert!(came_out.sub(&went_in).unwrap().value().data().iter().all(|x| x.abs() > 1e-6));
}

fn spec(size: usize, width: usize) -> ModelSpec {
    ModelSpec { size, width, ..ModelSpec::named("realnvp").unwrap() }
}

#[test]
fn a_fresh_flow_changes_nothing_and_its_likelihood_is_that_of_the_formula() {
    let system = TrainConfig::new(spec(4, 3)).system().unwrap();
    let networks = Networks::new(system.networks(), &mut Random::new(1)).unwrap();
    let images = Tensor::from_fn(&[2, 1, 4, 4], |i| PixelRange::Unit.from_byte((7 * i) as u8));
    let likely = system.log_likelihood(&networks, &images, &mut Random::new(3)).unwrap();
    let mut random = Random::new(3);
    for (image, likely) in images.data().chunks(16).zip(likely) {
        let noise: Tensor = random.fork().uniforms(&[16], 0.0, 1.0);
        let density = |(pixel, noise): (&f32, &f32)| {
            let u = (f64::from(*pixel) * 255.0 + f64::from(*noise)) / 256.0;
            let p = 0.05 + 0.9 * u;
            let y = (p / (1.0 - p)).ln();
            let normal = -0.5 * y * y - 0.5 * std::f64::consts::TAU.ln();
            normal + (0.9 / (p * (1.0 - p))).ln() - 256.0_f64.ln()
        };
        let expected: f64 = image.iter().zip(noise.data()).map(density).sum();
        assert!((likely - expected).abs() < 1e-4, "{likely} is not {expected}");
    }
}

#[test]
fn bytes_survive_noise() {
    let bytes = Tensor::from_fn(&[1, 1, 16, 16], |byte| PixelRange::Unit.from_byte(byte as u8));
    for noise in [0.02, 0.5, 0.98] {
        let noise = Tensor::full(bytes.shape(), noise);
        assert_eq!(quantised(&dequantised(&bytes, &noise)), bytes);
    }
    let far = quantised(&Tensor::new(&[2], vec![-30.0, 30.0]).unwrap());
    assert_eq!(far.data(), [0.0, 1.0]);
}

#[test]
fn it_learns_bytes_to_their_entropy() {
    // Two pixels between 96 and 111, the others equal to them up to noise of the same kind: 4 bits a byte.
    let mut random = Random::new(1);
    let mut bytes = Vec::new();
    for _ in 0..2048 {
        let [a, b] = [(); 2].map(|()| 96 + random.below(16));
        let [c, d] = [a, b].map(|pixel| 2 * (pixel - 48) + random.below(16));
        bytes.extend([a, b, c, d].map(|byte| byte as u8));
    }
    let rules = [(MODEL.to_owned(), Rule::adam(5e-3, 0.9, 0.999))].into();
    let config = TrainConfig { batch_size: 64, rules, ..TrainConfig::new(spec(2, 6)) };
    let mut trainer = Trainer::new(config, TrainingSet::new(1, 2, bytes).unwrap()).unwrap();
    trainer.run(300, &mut ()).unwrap();
    let event = trainer.step().unwrap().0;
    let bits = event.value("bits_per_dimension").unwrap();
    // A flow from normal numbers cannot have the edges of a uniform distribution, which cost ½·log₂(2πe/12) ≈ 0.25 bits.
    assert!((3.9..4.6).contains(&bits), "{bits}");
    let nats = event.value("model_loss").unwrap();
    assert!((bits - nats / (4.0 * std::f64::consts::LN_2)).abs() < 1e-6);
    let drawn = ImageSampler::new(trainer.trained().unwrap(), 1).next(50).unwrap();
    let like = drawn.chunks(4).filter(|x| (90..=117).contains(&x[0]) && (80..=150).contains(&x[2])).count();
    assert!(like >= 40, "{like} of 50: {drawn:?}");
    let mut parts = ImageSampler::new(trainer.trained().unwrap(), 1);
    let parts = [parts.next(20).unwrap(), parts.next(30).unwrap()].concat();
    assert!(drawn.iter().zip(&parts).all(|(a, b)| a.abs_diff(*b) <= 1), "batches change images");
}

#[test]
fn odd_sizes_are_refused() {
    let message = spec(5, 3).validate().unwrap_err().to_string();
    assert_eq!(message, "the image size = 5 is out of range: it must be even for this model");
}
