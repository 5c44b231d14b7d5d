use super::*;
use crate::gan::testing::sample;

/// A critic whose gradient is (3, 4) everywhere.
fn linear(x: &Var) -> Result<Var, GanError> {
    x.matmul(&Var::constant(Tensor::new(&[2, 1], vec![3.0, 4.0])?))
}

fn penalty(name: &str) -> f32 {
    let narrow = |seed| {
        let wide = sample(&[5, 2], seed);
        Tensor::from_fn(&[5, 2], |i| wide.data()[i] as f32)
    };
    let (real, fake) = (narrow(1), narrow(2));
    let mut one = name.parse::<RegularizerSpec>().unwrap().make();
    let images = Images { real: &real, fake: &fake, random: &mut Random::new(1), critic: &mut linear };
    one.on_images(images).unwrap().unwrap().item().unwrap()
}

#[test]
fn penalties_of_a_linear_critic_are_known() {
    for (name, expected) in [("gradient-penalty:2", 2.0 * 16.0), ("r1:2", 25.0), ("r2:0.5", 6.25), ("dragan:1", 16.0)] {
        let found = penalty(name);
        assert!((found - expected).abs() < 1e-4, "{name}: {found}");
    }
}

#[test]
fn names_round_trip_and_unknown_ones_are_refused() {
    for entry in RegularizerEntry::all() {
        let spec: RegularizerSpec = entry.name().parse().unwrap();
        assert_eq!(spec.to_string(), format!("{}:{}", entry.name(), entry.default_weight()));
        assert_eq!(spec.to_string().parse::<RegularizerSpec>().unwrap(), spec);
    }
    for text in ["nonsense", "r1:", "r1:x", "r1:0", "clip:-1", "r1:inf"] {
        assert!(text.parse::<RegularizerSpec>().is_err(), "{text}");
    }
}

#[test]
fn slopes_differentiate_by_the_critic() {
    // v = w²·x₁x₂ summed: E‖∇v‖² = w⁴(x₁² + x₂²), whose derivative by w is 4w³(…).
    let w = Var::leaf(Tensor::scalar(1.5_f64));
    let at = Tensor::new(&[1, 2], vec![2.0, -1.0]).unwrap();
    let product = Var::constant(Tensor::new(&[2, 2], vec![0.0, 0.5, 0.5, 0.0]).unwrap());
    let squared = mean_squared_slope(&at, |x| w.square().mul(&x.matmul(&product)?.mul(x)?.sum())).unwrap();
    assert!((squared.item().unwrap() - 1.5_f64.powi(4) * 5.0).abs() < 1e-12);
    let slope = crate::gan::grad(&squared, &[&w], crate::gan::Differentiability::Once).unwrap().remove(0);
    assert!((slope.item().unwrap() - 4.0 * 1.5_f64.powi(3) * 5.0).abs() < 1e-12);
}

#[test]
fn a_mean_of_weights_holds_them_back() {
    let mut one = "historical-averaging:0.5".parse::<RegularizerSpec>().unwrap().make();
    let mut weight = Parameter { name: "w".into(), value: Tensor::scalar(1.0) };
    assert!(one.on_weights("x", &[Var::leaf(weight.value.clone())]).unwrap().is_none(), "there is no history yet");
    for value in [2.0, 4.0] {
        weight.value = Tensor::scalar(value);
        one.after_step("x", &mut [&mut weight]);
    }
    // θ̄ = (2 + 4)/2.
    let term = |one: &mut dyn Regularizer| one.on_weights("x", &[Var::leaf(Tensor::scalar(5.0))]).unwrap();
    assert_eq!(term(one.as_mut()).unwrap().item().unwrap(), 0.5 * 4.0);
    let mut state = SavedState::default();
    one.save(&mut state);
    let mut restored = "historical-averaging:0.5".parse::<RegularizerSpec>().unwrap().make();
    restored.restore(&state).unwrap();
    assert_eq!(term(restored.as_mut()).unwrap().item().unwrap(), 2.0);
}

#[test]
fn clipped_weights_stay_within_bounds() {
    let mut one = "clip:0.5".parse::<RegularizerSpec>().unwrap().make();
    let mut weight = Parameter { name: "w".into(), value: Tensor::new(&[3], vec![-2.0, 0.1, 0.7]).unwrap() };
    one.after_step("generator", &mut [&mut weight]);
    assert_eq!(weight.value.data(), [-2.0, 0.1, 0.7]);
    one.after_step("discriminator", &mut [&mut weight]);
    assert_eq!(weight.value.data(), [-0.5, 0.1, 0.5]);
}
