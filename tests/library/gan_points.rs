//! Games on points, whose outcome is known: the ring of Gaussians (Metz et al. 2017).

use gan_metrics::gan::models::ModelSpec;
use gan_metrics::gan::optim::Rule;
use gan_metrics::gan::train::CollapseWarning;
use gan_metrics::gan::train::{Coverage, Gaussians, ImageSampler, Observer, StepEvent, TrainConfig, Trainer};
use std::ops::ControlFlow;

/// What a game of an objective with regularizers has learnt of the ring after some steps.
fn learnt(objective: &str, regularizers: &[&str], steps: u64, change: impl Fn(&mut TrainConfig)) -> Coverage {
    let ring: Gaussians = "gaussians:8".parse().unwrap();
    let mut config = TrainConfig {
        batch_size: 256,
        seed: 1,
        objective: objective.parse().unwrap(),
        regularizers: regularizers.iter().map(|text| text.parse().unwrap()).collect(),
        ..TrainConfig::new(ModelSpec::named("points").unwrap())
    };
    change(&mut config);
    let seed = config.seed;
    let mut trainer = Trainer::new(config, ring.data().unwrap()).unwrap();
    trainer.run(steps, &mut ()).unwrap();
    let points = ImageSampler::new(trainer.trained().unwrap(), seed).draw(4096).unwrap();
    let found = ring.coverage(points.values.data());
    println!("{objective} {regularizers:?} after {steps}: {found:?}");
    found
}

fn as_it_is(_: &mut TrainConfig) {}

/// Of two seeds at least 0.44 of the samples were of high quality where it was measured, and of this one 0.86 or more: a slip of
/// rounding leads to other weights, not to other games.
#[test]
#[ignore = "four games of three thousand steps take two minutes on one core"]
fn games_that_are_known_to_end_well_end_on_the_whole_ring() {
    let penalised = [("non-saturating", &["r1:1"][..]), ("non-saturating", &["r1:1", "r2:1"])];
    for (objective, regularizers) in
        [("non-saturating", &[][..]), ("relativistic-least-squares", &[])].into_iter().chain(penalised)
    {
        let found = learnt(objective, regularizers, 3000, as_it_is);
        assert!(found.modes == 8 && found.high_quality > 0.6, "{objective} {regularizers:?}: {found:?}");
    }
}

/// Gathers what is told of a run.
#[derive(Default)]
struct Told {
    warnings: Vec<String>,
    gradients: Vec<f64>,
}

impl Observer for Told {
    fn step(&mut self, event: &StepEvent, _: &Trainer) -> gan_metrics::Result<ControlFlow<()>> {
        self.gradients.extend(event.value("generator_gradient"));
        Ok(ControlFlow::Continue(()))
    }

    fn warning(&mut self, warning: &CollapseWarning) {
        self.warnings.push(warning.to_string());
    }
}

/// Goodfellow et al. (2014), section 3: where the discriminator rejects samples with confidence, ln(1 − D) saturates and
/// −ln D does not.
#[test]
fn the_saturating_gradient_dies_while_the_critic_wins_and_the_other_lives() {
    let gradient = |objective: &str| {
        let config = TrainConfig {
            batch_size: 64,
            critic_steps: Some(10),
            objective: objective.parse().unwrap(),
            // The generator hardly moves, so that both games are the same but for its loss.
            rules: [("generator".to_owned(), Rule::adam(1e-7, 0.5, 0.9))].into(),
            ..TrainConfig::new(ModelSpec::named("points").unwrap())
        };
        let ring: Gaussians = "gaussians:8".parse().unwrap();
        let mut told = Told::default();
        Trainer::new(config, ring.data().unwrap()).unwrap().run(150, &mut told).unwrap();
        let last = &told.gradients[told.gradients.len() - 20..];
        println!("{objective}: {} at first, {} at last", told.gradients[0], last.iter().sum::<f64>() / 20.0);
        (told.gradients[0], last.iter().sum::<f64>() / 20.0)
    };
    let (saturating, living) = (gradient("minimax"), gradient("non-saturating"));
    // With D = ½ both losses have the same slope.
    assert!((saturating.0 / living.0 - 1.0).abs() < 0.5, "{saturating:?} {living:?}");
    // A twentieth where it was measured.
    assert!(saturating.1 < 0.2 * living.1, "{saturating:?} {living:?}");
}
