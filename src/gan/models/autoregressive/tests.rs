use super::*;
use crate::gan::networks::Network;
use crate::gan::testing::sample;
use crate::gan::train::{ImageSampler, Latent, Trainer, TrainingSet};
use crate::gan::{Differentiability, grad};

const MODELS: [&str; 2] = ["made", "pixelcnn"];

fn spec(model: &str, size: usize, width: usize) -> ModelSpec {
    ModelSpec { size, width, ..ModelSpec::named(model).unwrap() }
}

fn graph(spec: &ModelSpec) -> Graph {
    TrainConfig::new(spec.clone()).system().unwrap().networks().remove(0).1
}

/// In f64, with biases too.
fn network(model: &str) -> Network<f64> {
    let mut random = Random::new(3);
    let mut network = Network::new(graph(&spec(model, 3, 20)), &mut random).unwrap();
    for parameter in network.parameters_mut() {
        parameter.value = random.normal(parameter.value.shape(), 0.0, 0.8);
    }
    network
}

fn logits(network: &Network<f64>, images: &Var<f64>) -> Var<f64> {
    network.evaluate(&[images]).unwrap().get(name::LOGITS).unwrap().clone()
}

#[test]
fn parameter_counts_are_those_of_the_papers() {
    let count = |spec: &ModelSpec| Network::<f32>::new(graph(spec), &mut Random::new(1)).unwrap().parameter_count();
    assert_eq!(count(&spec("made", 28, 500)), 785_284);
    assert_eq!(count(&spec("pixelcnn", 28, 16)), 19_649);
    assert_eq!(count(&spec("pixelcnn", 28, 32)), 74_625);
}

#[test]
fn probabilities_of_all_images_add_up_to_one() {
    let images = Var::constant(Tensor::from_fn(&[512, 1, 3, 3], |i| f64::from((i / 9) as u32 >> (i % 9) & 1)));
    for model in MODELS {
        let network = network(model);
        let costs = alone::cross_entropy_of_bits(&logits(&network, &images), &images).unwrap();
        let total: f64 = costs.value().data().iter().map(|cost| (-cost).exp()).sum();
        assert!((total - 1.0).abs() < 1e-12, "{model}: {total}");
    }
}

#[test]
fn a_pixel_depends_on_all_before_it_and_on_no_other() {
    for model in MODELS {
        let network = network(model);
        // Many images: at a single one ReLUs may hide what an output depends on.
        let x = Var::leaf(sample(&[64, 1, 3, 3], 1));
        let logits = logits(&network, &x).reshape(&[64, 9]).unwrap();
        for pixel in 0..9 {
            let output = logits.slice(1, pixel..pixel + 1).unwrap().sum();
            let gradient = grad(&output, &[&x], Differentiability::Once).unwrap().remove(0);
            let mut slopes = [0.0_f64; 9];
            for (i, slope) in gradient.value().data().iter().enumerate() {
                slopes[i % 9] = slopes[i % 9].max(slope.abs());
            }
            let (before, after) = slopes.split_at(pixel);
            assert!(after.iter().all(|&slope| slope == 0.0), "{model}, pixel {pixel}: {slopes:?}");
            assert!(before.iter().all(|&slope| slope > 0.0), "{model}, pixel {pixel}: {slopes:?}");
        }
    }
}

#[test]
fn a_pixel_is_drawn_from_the_part_that_it_depends_on() {
    for (model, family) in [("made", MADE), ("pixelcnn", PIXELCNN)] {
        let spec = spec(model, 20, 3);
        let graph = (family.network)(&spec, [20; 2]).unwrap();
        let mut network = Network::new(graph.clone(), &mut Random::new(1)).unwrap();
        let mut random = Random::new(2);
        for parameter in network.parameters_mut() {
            parameter.value = random.normal(parameter.value.shape(), 0.0, 0.4);
        }
        let system = Autoregressive { spec, graph, family };
        let images = alone::bits(&random.uniforms(&[2, 1, 20, 20], 0.0, 1.0));
        let whole = network.evaluate(&[&Var::constant(images.clone())]).unwrap();
        let whole = whole.get(name::LOGITS).unwrap().value().data();
        let mut parts = Parts::new();
        for place in [[0, 0], [0, 19], [3, 5], [10, 0], [10, 10], [19, 8], [19, 19]] {
            let logits = system.logits_at(&network, &mut parts, &images, place).unwrap();
            let at = place[0] * 20 + place[1];
            for (logit, expected) in logits.iter().zip([whole[at], whole[400 + at]]) {
                assert!((logit - expected).abs() < 1e-4 * expected.abs().max(1.0), "{model}, {place:?}");
            }
        }
        // One network for each size of a part.
        assert_eq!(parts.len(), if model == "made" { 1 } else { 4 });
    }
}

/// All sixteen images of 2×2 as often as independent bits of these quarters would have them.
fn independent() -> (TrainingSet, f64) {
    const QUARTERS: [usize; 4] = [1, 2, 3, 3];
    let mut bytes = Vec::new();
    for i in 0..256_usize {
        bytes.extend((0..4).map(|pixel| if (i >> (2 * pixel) & 3) < QUARTERS[pixel] { 200 } else { 90 }));
    }
    let entropy = |share: f64| -share * share.ln() - (1.0 - share) * (1.0 - share).ln();
    let nats = QUARTERS.iter().map(|&quarters| entropy(quarters as f64 / 4.0)).sum();
    (TrainingSet::new(1, 2, bytes).unwrap(), nats)
}

/// Trained until the loss is within `tolerance` of the least one, in nats an image.
fn trained(model: &str, data: TrainingSet, least: f64, tolerance: f64) -> Trainer {
    const MOST_STEPS: u64 = 3000;
    let rules = [(MODEL.to_owned(), Rule::adam(5e-3, 0.9, 0.999))].into();
    let config = TrainConfig { batch_size: data.len(), rules, ..TrainConfig::new(spec(model, data.shape()[1], 16)) };
    let mut trainer = Trainer::new(config, data).unwrap();
    loop {
        let event = trainer.step().unwrap().0;
        let (loss, bits) = (event.value("model_loss").unwrap(), event.value("bits_per_dimension").unwrap());
        assert!((bits * 4.0 * std::f64::consts::LN_2 - loss).abs() < 1e-6);
        // The data are the whole distribution: nothing can be better than it.
        assert!(loss > least - 1e-5, "{model}: {loss} is less than {least}");
        if loss < least + tolerance {
            return trainer;
        }
        assert!(event.step < MOST_STEPS, "{model}: {loss} is not {least} yet");
    }
}

#[test]
fn independent_bits_are_learnt_to_their_entropy() {
    for model in MODELS {
        let (data, nats) = independent();
        trained(model, data, nats, 2e-3);
    }
}

#[test]
fn samples_are_those_of_the_distribution_however_they_are_cut_into_batches() {
    // The last pixel is the exclusive or of the first two, the third always 1.
    let images = [[0, 0, 255, 0], [0, 255, 255, 255], [255, 0, 255, 255], [255, 255, 255, 0]];
    for model in MODELS {
        let data = TrainingSet::new(1, 2, images.concat()).unwrap();
        let trainer = trained(model, data, 4.0_f64.ln(), 5e-3);
        let trained = || trainer.trained().unwrap();
        let mut sampler = ImageSampler::new(trained(), 1);
        let drawn = sampler.next(400).unwrap();
        let share = |image: &[u8; 4]| drawn.chunks(4).filter(|drawn| drawn == image).count() as f64 / 400.0;
        // Four standard errors are 0.087.
        assert!(
            images.iter().all(|image| (share(image) - 0.25).abs() < 0.1),
            "{model}: {:?}",
            images.map(|i| share(&i))
        );
        let mut parts = ImageSampler::new(trained(), 1);
        let parts = [parts.next(13).unwrap(), parts.next(27).unwrap()].concat();
        assert_eq!(parts, drawn[..40 * 4], "{model}");
        let all = Tensor::from_fn(&[4, 1, 2, 2], |i| f32::from(images[i / 4][i % 4]) / 255.0);
        let random = &mut Random::new(1);
        let likely = trainer.system().log_likelihood(trainer.networks(), &all, random).unwrap();
        assert!(likely.iter().all(|nats| (nats + 4.0_f64.ln()).abs() < 0.2), "{model}: {likely:?}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let message = |spec: ModelSpec| spec.validate().unwrap_err().to_string();
    assert!(message(ModelSpec { channels: 3, ..spec("made", 8, 6) }).contains("1 (gray): this model takes bits"));
    assert!(message(ModelSpec { latent: 5, ..spec("pixelcnn", 8, 6) }).contains("this model starts from no z"));
    assert!(message(spec("made", 1, 6)).contains("at least 2 for this model"));
    let config = TrainConfig { latent: Latent::Uniform, ..TrainConfig::new(spec("made", 8, 6)) };
    assert!(config.validate().is_err());
}
