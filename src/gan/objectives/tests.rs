use super::*;
use crate::divergence::Generator;
use crate::gan::tensor::Tensor;
use crate::gan::testing::{check_first_derivatives, sample};

/// Every objective of the list, and every divergence of the calculator as an f-GAN.
fn all() -> Vec<ObjectiveSpec> {
    let plain = ObjectiveEntry::all().iter().filter(|entry| !entry.name().starts_with("f-gan"));
    let mut specs: Vec<ObjectiveSpec> = plain.map(|entry| entry.name().parse().unwrap()).collect();
    for generator in Generator::catalogue() {
        specs.extend(["f-gan", "f-gan-minimax"].map(|game| format!("{game}:{generator}").parse().unwrap()));
    }
    specs
}

/// Those whose critic gives a number.
fn with_logits() -> impl Iterator<Item = ObjectiveSpec> {
    all().into_iter().filter(|spec| spec.make::<f64>().critic() == CriticKind::Logit)
}

fn outputs(logit: &Var<f64>) -> Outputs<f64> {
    // Features of a critic whose last layer is the identity.
    [name::LOGIT, name::FEATURES].into_iter().map(|name| (name.to_owned(), logit.clone())).collect()
}

/// The losses of both players, given v on real and on generated images.
fn losses(objective: &mut dyn Objective<f64>, real: &Var<f64>, fake: &Var<f64>, real_label: f64) -> [Var<f64>; 2] {
    let (of_real, of_fake) = (outputs(real), outputs(fake));
    let verdict = |images, outputs| Verdict { images, outputs };
    let (real, fake) = (verdict(real, &of_real), verdict(fake, &of_fake));
    let game = Game { real: Some(real), fake, condition: None, real_label };
    let alone = Game { real: objective.generator_sees_real().then_some(real), ..game };
    [objective.critic_loss(&game).unwrap(), objective.generator_loss(&alone).unwrap()]
}

fn items(spec: &str, real: f64, fake: f64) -> [f64; 2] {
    let batch = |v| Var::constant(Tensor::full(&[4, 1], v));
    let mut objective = spec.parse::<ObjectiveSpec>().unwrap().make();
    losses(objective.as_mut(), &batch(real), &batch(fake), 1.0).map(|loss| loss.item().unwrap())
}

#[test]
fn names_round_trip_and_unknown_ones_are_refused() {
    for spec in all() {
        assert_eq!(spec.to_string().parse::<ObjectiveSpec>().unwrap(), spec);
        assert_eq!(serde_json::from_str::<ObjectiveSpec>(&serde_json::to_string(&spec).unwrap()).unwrap(), spec);
    }
    for text in ["nonsense", "f-gan", "f-gan:nonsense", "hinge:3", "wasserstein:-1", "wasserstein-gp:x"] {
        assert!(text.parse::<ObjectiveSpec>().is_err(), "{text}");
    }
    assert_eq!(ObjectiveSpec::default().to_string(), "non-saturating");
    let message = "nonsense".parse::<ObjectiveSpec>().unwrap_err().to_string();
    assert!(
        message.contains("no objective called `nonsense`: expected one of non-saturating, minimax, f-gan:DIVERGENCE")
    );
}

#[test]
fn derivatives_of_both_losses() {
    for spec in with_logits() {
        let loss = |player: usize| {
            let spec = spec.clone();
            move |x: &[Var<f64>]| Ok(losses(spec.make().as_mut(), &x[0], &x[1], 0.9)[player].clone())
        };
        check_first_derivatives(&[sample(&[4, 1], 1), sample(&[4, 1], 2)], loss(0));
        // What features are matched to is not differentiated.
        if spec.entry().name() != "feature-matching" {
            check_first_derivatives(&[sample(&[4, 1], 1), sample(&[4, 1], 3)], loss(1));
        }
    }
}

#[test]
fn the_label_changes_the_loss_where_it_is_used() {
    let (real, fake) = (Var::constant(sample(&[6, 1], 1)), Var::constant(sample(&[6, 1], 2)));
    for spec in with_logits() {
        let mut objective = spec.make();
        let mut loss = |label| losses(objective.as_mut(), &real, &fake, label)[0].item().unwrap();
        let differ = loss(1.0) != loss(0.9);
        assert_eq!(objective.has_probabilities(), differ, "{spec}");
    }
}

#[test]
fn the_f_gan_of_the_original_game_is_the_original_game() {
    for (ours, original) in [("f-gan:gan", "non-saturating"), ("f-gan-minimax:gan", "minimax")] {
        for (f_gan, gan) in items(ours, 0.7, -0.4).into_iter().zip(items(original, 0.7, -0.4)) {
            assert!((f_gan - gan).abs() < 1e-14, "{ours}: {f_gan} {gan}");
        }
    }
}

#[test]
fn both_generators_of_total_variation_are_one() {
    // f*(t) = t.
    assert_eq!(items("f-gan:total-variation", 0.3, -1.2), items("f-gan-minimax:total-variation", 0.3, -1.2));
}

#[test]
fn relativistic_games_of_a_constant_critic_are_known() {
    for v in [-2.0, 0.0, 5.0] {
        for loss in items("relativistic", v, v) {
            assert!((loss - 2.0_f64.ln()).abs() < 1e-14);
        }
        assert_eq!(items("relativistic-least-squares", v, v), [1.0, 1.0]);
    }
    // The critic of least squares is best where the difference is 1.
    assert_eq!(items("relativistic-least-squares", 3.5, 2.5)[0], 0.0);
}

/// The losses of both players of an autoencoder that makes `reconstructions` of images.
fn energies(objective: &mut dyn Objective<f64>, reconstructions: [&Var<f64>; 2], code: &Var<f64>) -> [Var<f64>; 2] {
    let images = Var::constant(Tensor::zeros(reconstructions[0].shape()));
    let outputs = reconstructions.map(|reconstruction| {
        let named = [(name::RECONSTRUCTION, reconstruction), (name::CODE, code)];
        named.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect::<Outputs<f64>>()
    });
    let [real, fake] = outputs.each_ref().map(|outputs| Verdict { images: &images, outputs });
    let game = Game { real: Some(real), fake, condition: None, real_label: 1.0 };
    [objective.critic_loss(&game).unwrap(), objective.generator_loss(&game).unwrap()]
}

#[test]
fn energies_have_a_margin_and_codes_pull_away() {
    let level = |value: f64| Var::constant(Tensor::full(&[2, 3], value));
    let codes = |values: Vec<f64>| Var::constant(Tensor::new(&[2, 2], values).unwrap());
    let mut objective = "ebgan:0.5".parse::<ObjectiveSpec>().unwrap().make();
    let mut of = |real, fake, code: Vec<f64>| {
        energies(objective.as_mut(), [&level(real), &level(fake)], &codes(code)).map(|loss| loss.item().unwrap())
    };
    // e = 0.01 and 0.25, so that 0.25 is short of the margin; orthogonal codes do not pull.
    let [critic, generator] = of(0.1, 0.5, vec![1.0, 0.0, 0.0, 2.0]);
    assert!((critic - 0.26).abs() < 1e-12 && (generator - 0.25).abs() < 1e-12, "{critic} {generator}");
    // Beyond the margin the critic is content; codes on one line, whatever their sign, pull with all the weight.
    let [critic, generator] = of(0.1, 1.0, vec![1.0, 1.0, -2.0, -2.0]);
    assert!((critic - 0.01).abs() < 1e-12 && (generator - 1.1).abs() < 1e-9, "{critic} {generator}");
}

#[test]
fn the_balance_moves_by_its_rate_and_is_kept() {
    let level = |value: f64| Var::constant(Tensor::full(&[2, 3], value));
    let spec: ObjectiveSpec = "began:0.5".parse().unwrap();
    let mut objective = spec.make();
    let code = level(0.0);
    for _ in 0..30 {
        energies(objective.as_mut(), [&level(0.8), &level(-0.1)], &code);
    }
    let values = |objective: &dyn Objective<f64>| objective.values();
    // 30 steps of 0.001·(0.5·0.8 − 0.1); M = 0.8 + |0.4 − 0.1|.
    let [(_, k), (_, convergence)] = values(objective.as_ref())[..] else { panic!("k and M") };
    assert!((k - 0.009).abs() < 1e-15 && (convergence - 1.1).abs() < 1e-12, "{k} {convergence}");
    let critic = energies(objective.as_mut(), [&level(0.8), &level(-0.1)], &code)[0].item().unwrap();
    assert!((critic - (0.8 - 0.009 * 0.1)).abs() < 1e-12);
    let mut state = SavedState::default();
    objective.save(&mut state);
    let mut restored: Box<dyn Objective<f64>> = spec.make();
    restored.restore(&state).unwrap();
    assert_eq!(values(restored.as_ref())[0], values(objective.as_ref())[0]);
}

#[test]
fn derivatives_of_energies() {
    for name in ["ebgan:3", "began"] {
        for player in 0..2 {
            let spec: ObjectiveSpec = name.parse().unwrap();
            check_first_derivatives(&[sample(&[4, 3], 1), sample(&[4, 3], 2), sample(&[4, 5], 3)], |x| {
                Ok(energies(spec.make().as_mut(), [&x[0], &x[1]], &x[2])[player].clone())
            });
        }
    }
}

#[test]
fn matched_features_cost_nothing() {
    let batch = Var::constant(sample(&[6, 1], 1));
    let mut objective = "feature-matching".parse::<ObjectiveSpec>().unwrap().make();
    assert_eq!(losses(objective.as_mut(), &batch, &batch, 1.0)[1].item().unwrap(), 0.0);
    let shifted = batch.shift(0.5);
    assert!((losses(objective.as_mut(), &batch, &shifted, 1.0)[1].item().unwrap() - 0.25).abs() < 1e-12);
}

/// A verdict of named numbers on images that nobody looks at.
fn verdict<'a>(images: &'a Var<f64>, outputs: &'a Outputs<f64>) -> Verdict<'a, f64> {
    Verdict { images, outputs }
}

fn named(values: &[(&str, &Var<f64>)]) -> Outputs<f64> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone())).collect()
}

fn rows(width: usize, values: &[f64]) -> Var<f64> {
    Var::constant(Tensor::new(&[values.len() / width, width], values.to_vec()).unwrap())
}

#[test]
fn an_auxiliary_classifier_adds_its_cross_entropies() {
    let (logit, classes) = (rows(1, &[0.0, 0.0]), rows(2, &[1.0, 0.0, 0.0, 1.0]));
    let outputs = named(&[(name::LOGIT, &logit), (name::CLASSES, &rows(2, &[2.0, 0.0, 1.0, -1.0]))]);
    let of = verdict(&logit, &outputs);
    let game = Game { real: Some(of), fake: of, condition: Some(&classes), real_label: 1.0 };
    let mut objective = AuxiliaryClassifier::new(ObjectiveSpec::default().make::<f64>());
    // Cross entropies softplus(−2) and softplus(2), the same for both sides.
    let told = ((1.0 + (-2.0_f64).exp()).ln() + (1.0 + 2.0_f64.exp()).ln()) / 2.0;
    let ln_2 = 2.0_f64.ln();
    assert!((objective.critic_loss(&game).unwrap().item().unwrap() - (2.0 * ln_2 + 2.0 * told)).abs() < 1e-12);
    assert!((objective.generator_loss(&game).unwrap().item().unwrap() - (ln_2 + told)).abs() < 1e-12);
    assert_eq!(objective.values(), [("class_accuracy", 0.5)]);
}

#[test]
fn the_bound_of_information_is_the_entropy_where_the_code_is_told() {
    let (logit, code) = (rows(1, &[0.0, 0.0]), rows(3, &[1.0, 0.0, 0.5, 0.0, 1.0, -0.25]));
    let mut objective = MutualInformation::new(ObjectiveSpec::default().make::<f64>(), 2, 1);
    let mut bounds = |category: &[f64], mean: &[f64], log_variance: f64| {
        let (category, mean) = (rows(2, category), rows(1, mean));
        let outputs = named(&[
            (name::LOGIT, &logit),
            (name::CLASSES, &category),
            (name::MEAN, &mean),
            (name::LOG_VARIANCE, &rows(1, &[log_variance; 2])),
        ]);
        let of = verdict(&logit, &outputs);
        let game = Game { real: Some(of), fake: of, condition: Some(&code), real_label: 1.0 };
        let loss = objective.generator_loss(&game).unwrap().item().unwrap();
        let values = objective.values();
        assert!((loss - (2.0_f64.ln() - values[0].1 - 0.1 * values[1].1)).abs() < 1e-12);
        [values[0].1, values[1].1]
    };
    let [category, number] = bounds(&[50.0, 0.0, 0.0, 50.0], &[0.5, -0.25], 0.0);
    assert!((category - 2.0_f64.ln()).abs() < 1e-12);
    // With a variance of 1 not even the exact number is worth anything: ln 2 − ½ ln 2π.
    assert!((number - (2.0_f64.ln() - 0.5 * std::f64::consts::TAU.ln())).abs() < 1e-12 && number < 0.0);
    let [category, number] = bounds(&[0.0; 4], &[0.5, -0.25], -4.0);
    assert!(category.abs() < 1e-12 && (number - (2.0 - 0.2257913526)).abs() < 1e-9, "{category} {number}");
}

/// What a game is never played without stays with it under another head.
#[test]
fn games_keep_their_regularizers_beside_other_heads() {
    for spec in all() {
        let alone = spec.make::<f64>();
        let classified = AuxiliaryClassifier::new(spec.make::<f64>());
        let informed = MutualInformation::new(spec.make::<f64>(), 3, 2);
        for dressed in [&classified as &dyn Objective<f64>, &informed] {
            assert_eq!((dressed.critic(), dressed.regularizers()), (alone.critic(), alone.regularizers()), "{spec}");
        }
    }
}

#[test]
fn sorting_with_certainty_is_worth_the_entropy_of_the_classes() {
    let certain = rows(2, &[60.0, 0.0, 0.0, 60.0]);
    let even = rows(2, &[0.0; 4]);
    let losses = |real: &Var<f64>, fake: &Var<f64>| {
        let (of_real, of_fake) = (named(&[(name::CLASSES, real)]), named(&[(name::CLASSES, fake)]));
        let (real, fake) = (verdict(real, &of_real), verdict(fake, &of_fake));
        let game = Game { real: Some(real), fake, condition: None, real_label: 1.0 };
        let mut objective = Categorical::default();
        let critic: Var<f64> = objective.critic_loss(&game).unwrap();
        [critic.item().unwrap(), objective.generator_loss(&game).unwrap().item().unwrap()]
    };
    let ln_2 = 2.0_f64.ln();
    let close = |found: [f64; 2], expected: [f64; 2]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-10);
    assert!(close(losses(&even, &even), [-ln_2, 0.0]));
    assert!(close(losses(&certain, &even), [-2.0 * ln_2, 0.0]));
    assert!(close(losses(&certain, &certain), [-ln_2, -ln_2]));
    check_first_derivatives(&[sample(&[4, 3], 1), sample(&[4, 3], 2)], |x| {
        let (of_real, of_fake) = (named(&[(name::CLASSES, &x[0])]), named(&[(name::CLASSES, &x[1])]));
        let game = Game {
            real: Some(verdict(&x[0], &of_real)),
            fake: verdict(&x[1], &of_fake),
            condition: None,
            real_label: 1.0,
        };
        Categorical::default().critic_loss(&game)
    });
}

#[test]
fn a_smoothed_critic_is_best_at_the_label() {
    // With real images only, the loss is least where σ(v) is the label.
    let none = Var::constant(Tensor::full(&[1], -1e3));
    let at = (0.9_f64 / 0.1).ln();
    let mut objective = ObjectiveSpec::default().make();
    let mut loss = |v: f64| {
        let real = Var::constant(Tensor::full(&[1], v));
        losses(objective.as_mut(), &real, &none, 0.9)[0].item().unwrap()
    };
    assert!(loss(at) < loss(at - 0.01) && loss(at) < loss(at + 0.01));
}

#[test]
fn a_critic_without_doubt_has_won() {
    for spec in with_logits() {
        let mut objective: Box<dyn Objective<f64>> = spec.make();
        let batch = |v| Var::constant(Tensor::full(&[4, 1], v));
        if let Some(bound) = objective.won_below() {
            let mut loss = |v: f64| losses(objective.as_mut(), &batch(v), &batch(-v), 1.0)[0].item().unwrap();
            assert!(loss(0.1) > bound, "{spec}");
            // Those of least squares have a distance that is far enough.
            let (sure, squared) = (loss(8.0), spec.to_string().ends_with("least-squares"));
            assert!(sure < bound || squared, "{spec}: {sure}");
        }
    }
    assert!(items("least-squares", 1.0, 0.0)[0] < 0.01);
    assert!(items("relativistic-least-squares", 0.5, -0.5)[0] < 0.01);
}
