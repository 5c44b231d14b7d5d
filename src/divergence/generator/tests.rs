use proptest::prelude::*;

use super::*;
use crate::divergence::masses::compensated_sum;

/// Closed forms in f64 with a handful of roundings each.
const ROUNDING: f64 = 1e-13;
/// Central differences with a step of 1e-5·u: truncation 1e-10·f‴, rounding 1e-11.
const FINITE_DIFFERENCE: f64 = 1e-7;
/// Central differences of slopes with a step of 1e-4: truncation up to 1e-5 near a root of |v|, and the noise of powers
/// of 10⁷, 1e-9, divided by the step.
const DIFFERENCE_OF_SLOPES: f64 = 3e-5;

/// Every row, and the parametrised ones on both sides of where their formulas change.
fn all() -> Vec<Generator> {
    let mut all: Vec<_> = Generator::catalogue().collect();
    for alpha in [-1.5, -1.0, -1e-7, 1e-7, 0.3, 0.5, 0.7, 1.0 - 1e-7, 1.0 + 1e-7, 2.0, 3.0] {
        all.push(Generator::alpha(alpha).unwrap());
    }
    all.extend([0.05, 0.5, 0.9].map(|weight| Generator::weighted_jensen_shannon(weight).unwrap()));
    all.extend([1.2, 2.0, 2.5].map(|alpha| Generator::chi_alpha(alpha).unwrap()));
    all.extend([1.2, 2.0, 2.5].map(|alpha| Generator::reverse_chi_alpha(alpha).unwrap()));
    all
}

fn assert_close(actual: f64, expected: f64, tolerance: f64, what: impl fmt::Display) {
    let allowed = tolerance * expected.abs().max(1.0);
    assert!(
        actual == expected || (actual - expected).abs() <= allowed,
        "{what}: {actual} is not {expected} within {allowed}"
    );
}

const RATIOS: [f64; 11] = [1e-6, 0.01, 0.2, 0.49, 0.9, 1.0, 1.1, 1.9, 3.0, 40.0, 1e5];

#[test]
fn slopes_and_curvatures_are_derivatives() {
    for generator in all() {
        for u in RATIOS.into_iter().filter(|u| *u != 1.0) {
            let step = 1e-5 * u;
            let slope = (generator.f(u + step) - generator.f(u - step)) / (2.0 * step);
            let size = generator.f(u).abs() / u + slope.abs();
            let error = (generator.slope(u) - slope).abs();
            assert!(error <= FINITE_DIFFERENCE * size.max(1.0), "{generator} at {u}: off by {error}");
            let curvature = (generator.slope(u + step) - generator.slope(u - step)) / (2.0 * step);
            let size = generator.slope(u).abs() / u + curvature.abs();
            let error = (generator.curvature(u) - curvature).abs();
            assert!(error <= FINITE_DIFFERENCE * size.max(1.0), "{generator} at {u}: f″ off by {error}");
        }
    }
}

#[test]
fn limits_are_limits() {
    for generator in all() {
        let tiny = 1e-280;
        if generator.at_zero().is_finite() {
            // u ln u and u^0.3 still differ from zero there; u^1e-7 does not even get close.
            let slow = generator.parameter().is_some_and(|a| generator.name() == "alpha" && a < 0.01);
            assert!(slow || (generator.f(tiny) - generator.at_zero()).abs() < 1e-6, "{generator}");
        } else {
            assert!(generator.f(tiny) > 600.0, "{generator}");
        }
        let huge = 1e280;
        if generator.recession().is_finite() {
            let slow = generator.parameter().is_some_and(|a| generator.name() == "alpha" && (a - 1.0).abs() < 0.01);
            assert!(slow || (generator.f(huge) / huge - generator.recession()).abs() < 1e-6, "{generator}");
            assert!(slow || (generator.slope(huge) - generator.recession()).abs() < 1e-6, "{generator}");
        } else {
            assert!(generator.f(huge) / huge > 600.0, "{generator}");
        }
        if generator.slope_at_zero().is_finite() {
            // u^(α−1) with α − 1 = 1e-7 has not yet begun to fall.
            let slow = generator.parameter().is_some_and(|a| generator.name() == "alpha" && (a - 1.0).abs() < 0.01);
            let (slope, limit) = (generator.slope(tiny), generator.slope_at_zero());
            assert!(slow || (slope - limit).abs() < 1e-6 * limit.abs(), "{generator}: {slope} {limit}");
        } else {
            let slow = generator.parameter().is_some_and(|a| generator.name() == "weighted-jensen-shannon" && a < 1.0);
            assert!(slow || generator.slope(tiny) < -300.0, "{generator}");
        }
    }
}

#[test]
fn fenchel_young_is_tight_at_the_optimal_critic() {
    for generator in all() {
        for u in RATIOS {
            let t = generator.optimal_critic(u);
            let gap = generator.f(u) + generator.conjugate(t) - u * t;
            let size = generator.f(u).abs() + generator.conjugate(t).abs() + (u * t).abs();
            assert!(gap.abs() <= 1e-9 * size.max(1.0), "{generator} at u = {u}: gap {gap}");
        }
    }
}

#[test]
fn conjugate_slope_inverts_the_slope() {
    for generator in all().into_iter().filter(|g| *g != Generator::TOTAL_VARIATION) {
        for u in [0.01, 0.2, 0.9, 1.1, 3.0, 40.0] {
            assert_close(generator.conjugate_slope(generator.slope(u)), u, 1e-6, format!("{generator} at {u}"));
        }
    }
}

#[test]
fn biconjugate_gives_the_generator_back() {
    // f**(u) = sup_t (ut − f*(t)), by golden-section search over the domain of f*: an oracle that never sees f′.
    for generator in all() {
        let end = generator.conjugate_domain().end;
        for u in [0.05, 0.5, 1.0, 2.0, 8.0] {
            let objective = |w: f64| {
                // The distance to a near end covers all scales; otherwise ±1000 contains all slopes at these u.
                let t = if end < 1000.0 { end - w.exp() } else { -25.0 * w };
                u * t - generator.conjugate(t)
            };
            let (mut low, mut high) = (-40.0, 40.0);
            let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
            for _ in 0..200 {
                let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
                if objective(left) >= objective(right) { high = right } else { low = left }
            }
            let biconjugate = objective(0.5 * (low + high));
            assert_close(biconjugate, generator.f(u), 1e-6, format!("{generator} at {u}"));
        }
    }
}

#[test]
fn activations_increase_into_the_domain_of_the_conjugate() {
    // For α = 1 − 1e-7 the penalty overflows above v = −1e7, as documented.
    let overflows = |generator: &Generator| *generator == Generator::alpha(1.0 - 1e-7).unwrap();
    for generator in all().into_iter().filter(|generator| !overflows(generator)) {
        let domain = generator.conjugate_domain();
        let mut last = f64::NEG_INFINITY;
        for step in -30..=30 {
            // Off the points −½, −2, … where some f* change their formula and differences see both sides.
            let v = 0.5 * f64::from(step) + 0.013;
            let t = generator.activation(v);
            assert!(domain.contains(t), "{generator}: g({v}) = {t} is outside the domain");
            assert!(t > last, "{generator}: not increasing at {v}");
            last = t;
            assert_close(generator.penalty(v), generator.conjugate(t), 1e-7, format!("penalty of {generator} at {v}"));
            let h = 1e-6;
            let slope = (generator.penalty(v + h) - generator.penalty(v - h)) / (2.0 * h);
            assert_close(generator.penalty_slope(v), slope, 1e-5, format!("penalty slope of {generator} at {v}"));
            let slope = (generator.activation(v + h) - generator.activation(v - h)) / (2.0 * h);
            assert_close(generator.activation_slope(v), slope, 1e-5, format!("activation slope of {generator} at {v}"));
            let h = 1e-4;
            let curvature = (generator.penalty_slope(v + h) - generator.penalty_slope(v - h)) / (2.0 * h);
            let what = format!("penalty curvature of {generator} at {v}");
            assert_close(generator.penalty_curvature(v), curvature, DIFFERENCE_OF_SLOPES, what);
            let curvature = (generator.activation_slope(v + h) - generator.activation_slope(v - h)) / (2.0 * h);
            let what = format!("activation curvature of {generator} at {v}");
            assert_close(generator.activation_curvature(v), curvature, DIFFERENCE_OF_SLOPES, what);
        }
    }
}

#[test]
fn penalties_survive_outputs_that_saturate_the_activation() {
    assert_eq!(Generator::GAN.penalty(800.0), 800.0);
    assert_eq!(Generator::GAN.penalty_slope(800.0), 1.0);
    assert_eq!(Generator::REVERSE_KULLBACK_LEIBLER.penalty(800.0), 799.0);
    let weighted = Generator::weighted_jensen_shannon(0.3).unwrap();
    assert_close(weighted.penalty(600.0), 0.7 * (0.7_f64.ln() + 0.3_f64.ln() + 600.0), ROUNDING, "weighted JS");
    assert_close(weighted.penalty_slope(900.0), 0.7, ROUNDING, "weighted JS slope");
    assert_eq!([-900.0, 900.0].map(|v| weighted.penalty_curvature(v)), [0.0, 0.0]);
    // On both sides of where its formula changes, relative to its size.
    let [before, after] = [19.6, 19.65].map(|v: f64| weighted.penalty_curvature(v) * v.exp());
    assert_close(before / after, 1.0, 1e-6, "weighted JS curvature");
    for alpha in [1.2, 2.0, 2.5, 3.0] {
        let generator = Generator::reverse_chi_alpha(alpha).unwrap();
        // The conjugate is a parabola at the end of its domain; between 20 and 30 the formula changes.
        let expected = (0.5 * alpha * (alpha - 1.0)).sqrt();
        for v in [20.0, 22.0, 24.0, 26.0, 30.0, 50.0, 700.0_f64] {
            let what = format!("{generator} at {v}");
            assert_close(generator.penalty_slope(v) * (0.5 * v).exp(), expected, 2e-4, &what);
            assert_close(generator.penalty_curvature(v) * (0.5 * v).exp(), -0.5 * expected, 2e-4, &what);
        }
    }
    for generator in all() {
        let curvatures = [-50.0, 50.0].map(|v| (generator.penalty_curvature(v), generator.activation_curvature(v)));
        assert!(curvatures.iter().all(|(p, a)| !p.is_nan() && !a.is_nan()), "{generator}: {curvatures:?}");
    }
}

#[test]
fn thresholds_are_those_of_the_published_table() {
    for (name, threshold) in [
        ("kl", 1.0),
        ("reverse-kl", -1.0),
        ("pearson", 0.0),
        ("neyman", 0.0),
        ("squared-hellinger", 0.0),
        ("jeffreys", 0.0),
        ("js", 0.0),
        ("wjs(0.3)", 0.0),
        ("gan", -std::f64::consts::LN_2),
        ("alpha(3)", 0.0),
    ] {
        let generator: Generator = name.parse().unwrap();
        assert_close(generator.threshold(), threshold, ROUNDING, name);
    }
}

#[test]
fn only_the_gan_generator_is_not_zero_at_one() {
    for generator in all() {
        let expected = if generator == Generator::GAN { -(4.0_f64.ln()) } else { 0.0 };
        assert_close(generator.minimum(), expected, ROUNDING, generator);
    }
}

#[test]
fn names_round_trip() {
    for generator in all() {
        assert_eq!(generator.to_string().parse::<Generator>().unwrap(), generator);
        for alias in generator.aliases() {
            let text = generator.parameter().map_or(alias.to_string(), |value| format!("{alias}={value}"));
            assert_eq!(text.parse::<Generator>().unwrap(), generator);
        }
    }
    let printed: Generator = "alpha-as-printed(0.3)".parse().unwrap();
    assert_eq!(printed, Generator::alpha(0.7).unwrap());
    assert_eq!("pearson-chi2-as-printed".parse::<Generator>().unwrap(), Generator::NEYMAN_CHI_SQUARED);
    assert_eq!("neyman-chi2-as-printed".parse::<Generator>().unwrap(), Generator::PEARSON_CHI_SQUARED);
    assert_eq!("Jensen-Shannon-as-printed".parse::<Generator>().unwrap(), Generator::TWICE_JENSEN_SHANNON);
}

#[test]
fn unusable_names_say_what_to_write() {
    let message = |text: &str| text.parse::<Generator>().unwrap_err().to_string();
    assert!(message("kll").contains("`kll`") && message("kll").contains("kullback-leibler"));
    assert!(message("alpha").contains("alpha(1.5)"));
    assert!(message("alpha(1)").contains("kullback-leibler"));
    assert!(message("alpha(x)").contains("`x` is not a number"));
    assert!(message("kl(2)").contains("has no parameter"));
    assert!(message("chi-alpha(1)").contains("above 1"));
    assert!(message("wjs(nan)").contains("0 < π < 1"));
}

#[test]
fn excess_of_logs_reaches_as_far_as_masses_do() {
    for generator in all().into_iter().chain([1.01, 1.3].map(|alpha| Generator::alpha(alpha).unwrap())) {
        for (p, q) in [(1.0, 1e-80), (1.0, 1e-150), (1e-150, 1.0), (1e-120, 1e-300), (1e-300, 0.5)] {
            let (masses, logs) = (generator.excess(p, q), generator.excess_of_logs(p.ln(), q.ln()));
            // Logarithms of 1e-300 carry an error of 1e-13, which a cube triples.
            assert!(masses == logs || (masses - logs).abs() <= 1e-12 * masses, "{generator}: {masses} {logs}");
        }
        // Beyond what masses can represent, f-divergences are homogeneous: shifting both logarithms scales.
        let (near, far) = (generator.excess_of_logs(-1.0, -900.0), generator.excess_of_logs(-401.0, -1300.0));
        assert!(near.is_infinite() || (far.ln() + 400.0 - near.ln()).abs() < 1e-9, "{generator}: {near} {far}");
    }
}

fn positive() -> impl Strategy<Value = f64> {
    (-12.0..12.0_f64).prop_map(f64::exp)
}

fn generator() -> impl Strategy<Value = Generator> {
    let index = (0..all().len()).prop_map(|index| all()[index]);
    let parametrised = prop_oneof![
        (-3.0..4.0_f64).prop_filter_map("a pole", |a| Generator::alpha(a).ok()),
        (0.01..0.99_f64).prop_map(|w| Generator::weighted_jensen_shannon(w).unwrap()),
        (1.1..4.0_f64).prop_map(|a| Generator::chi_alpha(a).unwrap()),
        (1.1..4.0_f64).prop_map(|a| Generator::reverse_chi_alpha(a).unwrap()),
    ];
    prop_oneof![index, parametrised]
}

proptest! {
    #[test]
    fn generators_are_convex(generator in generator(), a in positive(), b in positive(), weight in 0.0..1.0_f64) {
        let middle = generator.f(weight * a + (1.0 - weight) * b);
        let chord = weight * generator.f(a) + (1.0 - weight) * generator.f(b);
        let size = generator.f(a).abs().max(generator.f(b).abs()).max(1.0);
        prop_assert!(middle <= chord + 1e-12 * size.max(a).max(b), "{generator}: {middle} > {chord}");
    }

    #[test]
    fn fenchel_young_holds(generator in generator(), u in positive(), v in -8.0..8.0_f64) {
        let t = generator.activation(v);
        let (f, conjugate) = (generator.f(u), generator.conjugate(t));
        let size = f.abs() + conjugate.abs() + (u * t).abs() + 1.0;
        prop_assert!(f + conjugate - u * t >= -1e-10 * size, "{generator}");
    }

    #[test]
    fn adjoint_exchanges_the_arguments(generator in generator(), u in positive()) {
        let adjoint = generator.adjoint();
        prop_assert_eq!(adjoint.adjoint().name(), generator.name());
        let expected = u * generator.f(1.0 / u);
        let size = expected.abs() + u + 1.0;
        prop_assert!((adjoint.f(u) - expected).abs() <= 1e-12 * size, "{generator}: {} {expected}", adjoint.f(u));
        prop_assert!((adjoint.excess(u, 1.0) - generator.excess(1.0, u)).abs() <= 1e-11 * size);
        // 1 − (1 − π) need not be π to the last digit.
        let (zero, recession) = (adjoint.at_zero(), generator.recession());
        prop_assert!(zero == recession || (zero - recession).abs() <= 1e-14 * recession, "{generator}");
    }

    #[test]
    fn excess_is_the_definition_without_its_linear_part(generator in generator(), p in positive(), q in positive()) {
        let u = p / q;
        let expected = q * compensated_sum([
            generator.f(u), -generator.f(1.0), -generator.threshold() * (u - 1.0),
        ]);
        let size = q * (generator.f(u).abs() + 2.0 + (generator.threshold() * u).abs());
        let excess = generator.excess(p, q);
        prop_assert!(excess >= 0.0, "{generator}: {excess}");
        prop_assert!((excess - expected).abs() <= 1e-12 * size, "{generator}: {excess} {expected}");
        let of_logs = generator.excess_of_logs(p.ln(), q.ln());
        prop_assert!((of_logs - excess).abs() <= 1e-11 * size + 1e-11 * (p + q), "{generator}: {of_logs} {excess}");
    }

    #[test]
    fn excess_is_homogeneous(generator in generator(), p in positive(), q in positive(), power in -400..400_i32) {
        let scale = 2.0_f64.powi(power);
        let (one, scaled) = (generator.excess(p, q), generator.excess(p * scale, q * scale) / scale);
        prop_assert!((one - scaled).abs() <= 1e-13 * one, "{generator}: {one} {scaled}");
    }
}
