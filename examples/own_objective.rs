//! A game and a pair of networks of one's own, trained by the same trainer as those of the library.
//!
//! cargo run --example own_objective

use gan_metrics::gan::layers::{Activation, Initializer, Layer, Linear, Reshape};
use gan_metrics::gan::models::{ModelSpec, PixelRange};
use gan_metrics::gan::networks::{Graph, name};
use gan_metrics::gan::objectives::{Defaults, Game, Objective};
use gan_metrics::gan::optim::Rule;
use gan_metrics::gan::systems::{Adversarial, Condition, Discriminating, Pair};
use gan_metrics::gan::train::{TrainConfig, Trainer, TrainingSet, checkpoint};
use gan_metrics::gan::{GanError, Var};

/// The critic minimises E e^(−v(x)) + E e^(v(G(z))), the generator E e^(−v(G(z))): boosting's loss as a game.
struct Exponential;

impl Objective for Exponential {
    fn critic_loss(&mut self, game: &Game<'_>) -> Result<Var, GanError> {
        let [real, fake] = game.logits()?;
        real.neg().exp().mean().add(&fake.exp().mean())
    }

    fn generator_loss(&mut self, game: &Game<'_>) -> Result<Var, GanError> {
        Ok(game.fake.logit()?.neg().exp().mean())
    }
}

const SIZE: usize = 8;
const LATENT: usize = 4;

/// Networks with two hidden layers each.
fn networks() -> Result<Pair, GanError> {
    let perceptron = |inputs: usize, outputs: usize| -> Vec<Layer> {
        vec![
            Linear::new(inputs, 32).into(),
            Activation::LeakyRelu(0.2).into(),
            Linear::new(32, 32).into(),
            Activation::LeakyRelu(0.2).into(),
            Linear::new(32, outputs).into(),
        ]
    };
    let mut to_images = perceptron(LATENT, SIZE * SIZE);
    to_images.extend([Activation::Sigmoid.into(), Reshape { shape: vec![1, SIZE, SIZE] }.into()]);
    let mut to_verdict: Vec<Layer> = vec![Reshape { shape: vec![SIZE * SIZE] }.into()];
    to_verdict.extend(perceptron(SIZE * SIZE, 1));
    let initializer = Initializer::XavierUniform;
    Ok(Pair {
        generator: Graph::chain((name::Z, &[LATENT]), to_images, name::IMAGES, initializer)?,
        discriminator: Graph::chain((name::IMAGES, &[1, SIZE, SIZE]), to_verdict, name::LOGIT, initializer)?,
        condition: Condition::None,
        range: PixelRange::Unit,
    })
}

fn system() -> Result<Box<Adversarial>, GanError> {
    let defaults = Defaults::both(Rule::adam(1e-3, 0.5, 0.999), 1);
    let discriminating = Discriminating { steps: 1, real_label: 1.0 };
    Ok(Box::new(Adversarial::new(
        "mine, exponential",
        networks()?,
        Box::new(Exponential),
        vec![],
        defaults,
        discriminating,
    )?))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Stripes of any phase.
    let image = |phase: usize| (0..SIZE * SIZE).map(move |i| if (i + phase) % 4 < 2 { 230 } else { 20 });
    let data = TrainingSet::new(1, SIZE, (0..64).flat_map(image).collect())?;
    // Of the model only the sizes of the images count here.
    let sizes = ModelSpec { size: SIZE, latent: LATENT, ..ModelSpec::named("mlp")? };
    let config = TrainConfig { batch_size: 32, ..TrainConfig::new(sizes) };

    let mut trainer = Trainer::with_system(config, system()?, data.clone())?;
    trainer.run(200, &mut ())?;
    let (event, _) = trainer.step()?;
    println!("after {} steps: {:?}", trainer.steps(), event.values);

    // It resumes like any other run.
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("checkpoint.safetensors");
    checkpoint::save(&trainer, &file)?;
    let mut resumed = checkpoint::resume_system(&file, system()?, data)?;
    resumed.run(300, &mut ())?;
    println!("after {} steps: {} bytes of images", resumed.steps(), resumed.samples(16)?.len());
    Ok(())
}
