use super::*;
use crate::gan::networks::Network;
use crate::gan::testing::sample;
use crate::gan::train::{Latent, Trainer, TrainingSet};

fn spec(model: &str, size: usize, channels: usize, latent: usize) -> ModelSpec {
    ModelSpec { size, channels, latent, ..ModelSpec::named(model).unwrap() }
}

fn small(latent: usize) -> (Vae, Networks) {
    let spec = ModelSpec { width: 3, ..spec("vae", 3, 1, latent) };
    let Autoencoder { encoder, decoder } = fully_connected(&spec).unwrap();
    let vae = Vae { title: "vae".into(), encoder, decoder, beta: 1.0 };
    let mut networks = Networks::new(vae.networks(), &mut Random::new(4)).unwrap();
    // Weights of another kind than those at first, which say nothing yet of the variance.
    let mut random = Random::new(5);
    for parameter in networks.iter_mut().flat_map(|(_, network)| network.parameters_mut()) {
        parameter.value = random.normal(parameter.value.shape(), 0.0, 0.7);
    }
    (vae, networks)
}

fn counts(spec: &ModelSpec, networks: fn(&ModelSpec) -> Result<Autoencoder, GanError>) -> [usize; 2] {
    let Autoencoder { encoder, decoder } = networks(spec).unwrap();
    [encoder, decoder].map(|graph| Network::<f32>::new(graph, &mut Random::new(1)).unwrap().parameter_count())
}

#[test]
fn parameter_counts_are_those_of_the_examples() {
    // 784-400-(20, 20), 20-400-784 of PyTorch's example has 652,824.
    assert_eq!(counts(&spec("vae", 28, 1, 20), fully_connected).iter().sum::<usize>(), 652_824);
    assert_eq!(counts(&spec("vae-conv", 28, 1, 20), convolutional), [440_072, 440_545]);
    assert_eq!(counts(&spec("vae-conv", 32, 3, 64), convolutional), [427_872, 298_595]);
}

#[test]
fn the_divergence_is_zero_at_the_prior_and_that_of_samples_elsewhere() {
    let codes = |mean: Tensor<f64>, log_variance: Tensor<f64>| Codes {
        mean: Var::constant(mean),
        log_variance: Var::constant(log_variance),
    };
    let zero = || Tensor::zeros(&[1, 3]);
    assert_eq!(codes(zero(), zero()).divergence().unwrap().item().unwrap(), 0.0);
    let there = codes(sample(&[1, 3], 1), sample(&[1, 3], 2));
    let count = 200_000;
    let noise = sample(&[count, 3], 3);
    let z = there.at(&Var::constant(noise.clone())).unwrap();
    let log_variance: f64 = there.log_variance.value().data().iter().sum();
    let terms: Vec<f64> = z
        .value()
        .data()
        .chunks(3)
        .zip(noise.data().chunks(3))
        .map(|(z, noise)| {
            let squares = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>();
            0.5 * (squares(z) - squares(noise) - log_variance)
        })
        .collect();
    let mean = terms.iter().sum::<f64>() / count as f64;
    let variance = terms.iter().map(|term| (term - mean).powi(2)).sum::<f64>() / count as f64;
    let exact = there.divergence().unwrap().item().unwrap();
    // Five standard errors.
    assert!((exact - mean).abs() < 5.0 * (variance / count as f64).sqrt(), "{exact} is not {mean}");
}

/// ln p(x) by the trapezoid rule over a code of one number.
fn exact(networks: &Networks, image: &Tensor) -> f64 {
    const POINTS: usize = 4001;
    let at = |i: usize| -8.0 + 16.0 * i as f64 / (POINTS - 1) as f64;
    let z = Var::constant(Tensor::from_fn(&[POINTS, 1], |i| at(i) as f32));
    let logits = networks.get(DECODER).unwrap().evaluate(&[&z]).unwrap().get(name::LOGITS).unwrap().clone();
    let copies = Var::constant(image.clone()).broadcast_to(logits.shape()).unwrap();
    let costs = alone::numbers_of(&alone::cross_entropy_of_bits(&logits, &copies).unwrap());
    let density = |z: f64| (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    let sum: f64 = costs.iter().enumerate().map(|(i, cost)| density(at(i)) * (-cost).exp()).sum();
    (sum * 16.0 / (POINTS - 1) as f64).ln()
}

#[test]
fn bounds_are_below_the_exact_likelihood_and_close_in_on_it() {
    let (vae, networks) = small(1);
    let mut random = Random::new(6);
    for seed in 0..4 {
        let image = Random::new(seed).uniforms(&[1, 1, 3, 3], 0.0, 1.0);
        let exact = exact(&networks, &image);
        let mut mean_of = |codes: usize, times: usize| {
            let bounds = (0..times).map(|_| vae.weighed(&networks, &image, codes, &mut random).unwrap());
            bounds.sum::<f64>() / times as f64
        };
        let (elbo, weighed, close) = (mean_of(1, 4000), mean_of(20, 400), mean_of(50_000, 1));
        assert!(elbo < weighed && weighed < exact + 0.02, "{elbo}, {weighed}, {exact}");
        assert!((close - exact).abs() < 0.02, "{close} is not {exact}");
        let codes = vae.codes(&networks, &image).unwrap();
        assert!(exact - elbo > 0.01 && codes.divergence().unwrap().item().unwrap() > 0.1, "nothing was tested");
    }
}

#[test]
fn likelihoods_do_not_depend_on_how_images_are_cut_into_batches() {
    let (vae, networks) = small(2);
    let images = Random::new(1).uniforms(&[3, 1, 3, 3], 0.0, 1.0);
    let whole = vae.log_likelihood(&networks, &images, &mut Random::new(2)).unwrap();
    let mut random = Random::new(2);
    let one_by_one = alone::each(&images).map(|image| vae.log_likelihood(&networks, &image, &mut random).unwrap()[0]);
    assert_eq!(whole, one_by_one.collect::<Vec<_>>());
    assert_eq!(vae.reconstruct(&networks, &images, &mut random).unwrap().shape(), images.shape());
}

#[test]
fn it_learns_to_tell_two_patterns() {
    let patterns = [[255, 255, 0, 0, 255, 255, 0, 0, 0], [0, 0, 255, 255, 0, 0, 255, 255, 255]];
    let data: Vec<u8> = (0..16).flat_map(|i| patterns[i % 2]).collect();
    let spec = ModelSpec { width: 16, ..spec("vae", 3, 1, 2) };
    let rule = Rule::adam(1e-2, 0.9, 0.999);
    let config = TrainConfig { batch_size: 16, rules: [(MODEL.to_owned(), rule)].into(), ..TrainConfig::new(spec) };
    let mut trainer = Trainer::new(config, TrainingSet::new(1, 3, data).unwrap()).unwrap();
    trainer.run(400, &mut ()).unwrap();
    let event = trainer.step().unwrap().0;
    let loss = event.value("model_loss").unwrap();
    let parts = event.value("reconstruction_nats").unwrap() + event.value("kl_nats").unwrap();
    assert!((loss - parts).abs() < 1e-5);
    // One bit is what an image tells; nine are what its pixels would by themselves.
    assert!(loss < 1.2 && loss > std::f64::consts::LN_2 - 0.05, "{loss}");
    let images = Tensor::from_fn(&[2, 1, 3, 3], |i| f32::from(patterns[i / 9][i % 9]) / 255.0);
    let again = trainer.system().reconstruct(trainer.networks(), &images, &mut Random::new(1)).unwrap();
    assert!(again.data().iter().zip(images.data()).all(|(a, b)| (a - b).abs() < 0.2), "{again:?}");
}

#[test]
fn another_prior_is_refused() {
    let config = TrainConfig { latent: Latent::Uniform, ..TrainConfig::new(spec("vae", 3, 1, 2)) };
    let message = config.validate().unwrap_err().to_string();
    assert_eq!(message, "the distribution of z = uniform is out of range: it must be normal for this model");
    let wide = ModelSpec { discriminator_width: Some(3), ..spec("vae", 3, 1, 2) };
    assert!(wide.validate().unwrap_err().to_string().contains("left out: this model has none"));
}

#[test]
fn beta_weighs_the_divergence_and_nothing_else() {
    let measured = |beta: Option<f64>| {
        let config = TrainConfig { beta, batch_size: 4, seed: 5, ..TrainConfig::new(spec("vae", 3, 1, 4)) };
        let data = TrainingSet::new(1, 3, (0..72).map(|i| (3 * i) as u8).collect()).unwrap();
        let (event, _) = Trainer::new(config, data).unwrap().step().unwrap();
        ["model_loss", "reconstruction_nats", "kl_nats"].map(|name| event.value(name).unwrap())
    };
    let ([loss, rec, kl], [weighed, rec_again, kl_again]) = (measured(None), measured(Some(4.0)));
    // The first step is taken from the same weights with the same noise.
    assert_eq!((rec, kl), (rec_again, kl_again));
    assert!((loss - rec - kl).abs() < 1e-5 && (weighed - rec - 4.0 * kl).abs() < 1e-5, "{loss} {weighed} {rec} {kl}");
}
