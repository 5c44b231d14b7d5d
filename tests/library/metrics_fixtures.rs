//! Sample-quality metrics against their definitions in f64 and against the peers' own code:
//! `python_ref/make_metrics_fixtures.py`.

use gan_metrics::metrics::{
    Boundary, Directions, DuplicateOptions, Estimator, ExtrapolationOptions, InceptionScoreOptions, JackknifeOptions,
    Kernel, KidOptions, Length, MetricError, MifidOptions, MmdOptions, Prdc, PrdcOptions, Set, TorchGenerator,
    VendiOptions, duplicates_between, duplicates_within, fid, fid_infinity, inception_score, inception_score_infinity,
    jackknife, kid, mifid, mind, mmd, prdc, vendi,
};
use gan_metrics::stats::{Features, Logits};
use serde_json::Value;

use crate::support::made_features::Made;
use crate::support::{self, gaussian, sha256_hex};

/// FID against its definition and the peers' square roots, relative.
const FID: f64 = 1e-6;
/// KID against its definition in f64: products of features of ordinary size in f32, of which a Gaussian kernel between far
/// rows keeps every error. Relative to the kernel's values, which are about one for ordinary features.
const KID_DEFINITION: f64 = 1e-7;
/// KID against the peers, whose sums are f32 as well, absolute.
const KID_PEERS: f64 = 1e-6;
/// Inception Score, absolute.
const INCEPTION_SCORE: f64 = 1e-6;
/// MIND against its definition in f64: projections in f32.
const MIND: f64 = 1e-5;
/// CMMD's form, absolute on its scale of a thousand.
const CMMD: f64 = 1e-6;
/// Eigenvalues and cosines of f32 features, in f64, relative.
const SPECTRAL: f64 = 1e-9;
/// Lines through Fréchet distances, and jackknives: differences of distances, relative to the distance.
const EXTRAPOLATION: f64 = 1e-6;

fn fixture(name: &str) -> Value {
    support::fixture(&format!("metrics/{name}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn count(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn made(value: &Value) -> Features {
    let or = |key: &str, default| value.get(key).map_or(default, number);
    let (seed, n, d) = (count(&value["seed"]) as u32, count(&value["n"]), count(&value["d"]));
    Made { seed, n, d, shift: or("shift", 0.0), offset: or("offset", 0.0), scale: or("scale", 1.0) }.features()
}

/// Calls `test` with the name, the sets and the fixture of each case.
fn for_each_case(test: impl Fn(&str, &Features, &Features, &Value)) {
    for (name, case) in fixture("sets.json").as_object().unwrap() {
        test(name, &made(&case["real"]), &made(&case["fake"]), case);
    }
}

/// Run with `--nocapture` to see how far off everything is.
fn assert_within(actual: f64, expected: f64, tolerance: f64, what: &str) {
    println!("{what}: {actual}, off by {:.1e}", (actual - expected).abs());
    assert!((actual - expected).abs() <= tolerance, "{what}: {actual} instead of {expected}");
}

/// How large the kernel is, so that an error can be judged: `max(1, mean ‖x‖²/d)³` for the polynomial one.
fn polynomial_size(sets: [&Features; 2]) -> f64 {
    let square = |set: &Features| {
        let sum: f64 = set.view().iter().map(|&value| f64::from(value).powi(2)).sum();
        sum / (set.len() * set.dim()) as f64
    };
    sets.map(square).into_iter().fold(1.0, f64::max).powi(3)
}

fn kid_options(case: &Value) -> KidOptions {
    let definition = &case["definition"];
    KidOptions::TORCH_FIDELITY
        .with_subsets(count(&definition["kid_subsets"]))
        .with_subset_size(count(&definition["kid_subset_size"]))
}

/// The subsets of the slower references.
fn fewer(case: &Value) -> KidOptions {
    let subsets = &case["definition"]["rbf_subsets"];
    KidOptions::TORCH_FIDELITY.with_subsets(count(&subsets[0])).with_subset_size(count(&subsets[1]))
}

#[test]
fn fid_equals_its_definition_and_the_peers() {
    for_each_case(|name, real, fake, case| {
        let value = fid(&gaussian(real), &gaussian(fake)).unwrap().value;
        let expected = number(&case["definition"]["fid"]);
        // Of equal sets a rounding error is left, relative to the total variance, which is about 10.
        let tolerance = if name == "same" { 1e-11 } else { FID * expected };
        assert_within(value, expected, tolerance, &format!("{name}, definition"));
        let Some(peers) = case.get("peers") else { return };
        let torch_fidelity = number(&peers["torch_fidelity"]["frechet_inception_distance"]);
        assert_within(value, torch_fidelity, FID * expected, &format!("{name}, torch-fidelity"));
        // Its square root is of no use for singular covariances.
        if let Some(pytorch_fid) = peers.get("pytorch_fid") {
            assert_within(value, number(&pytorch_fid["fid"]), FID * expected, &format!("{name}, pytorch-fid"));
        }
    });
}

#[test]
fn kid_equals_its_definition_and_the_peers() {
    for_each_case(|name, real, fake, case| {
        let (definition, options) = (&case["definition"], kid_options(case));
        let size = polynomial_size([real, fake]);
        let result = kid(real, fake, options).unwrap();
        let polynomial = &definition["kid_polynomial"];
        assert_within(result.mean, number(&polynomial["mean"]), KID_DEFINITION * size, &format!("{name}, mean"));
        assert_within(result.std, number(&polynomial["std"]), KID_DEFINITION * size, &format!("{name}, std"));

        let rbf = fewer(case)
            .with_kernel(Kernel::Gaussian { sigma: number(&definition["rbf_sigma"]) })
            .with_seed(7)
            .with_draws_first(Set::Real);
        let rbf = kid(real, fake, rbf).unwrap();
        assert_within(rbf.mean, number(&definition["kid_rbf"]["mean"]), KID_DEFINITION, &format!("{name}, rbf mean"));
        assert_within(rbf.std, number(&definition["kid_rbf"]["std"]), KID_DEFINITION, &format!("{name}, rbf std"));

        let Some(peers) = case.get("peers") else { return };
        let peer = &peers["torch_fidelity"];
        let key = |end: &str| format!("kernel_inception_distance_{end}");
        assert_within(result.mean, number(&peer[key("mean")]), KID_PEERS, &format!("{name}, torch-fidelity"));
        assert_within(result.std, number(&peer[key("std")]), KID_PEERS, &format!("{name}, torch-fidelity"));
        let rbf = kid(real, fake, fewer(case).with_kernel(Kernel::SIGMA_10)).unwrap();
        assert_within(rbf.mean, number(&peer["rbf"][key("mean")]), KID_PEERS, &format!("{name}, torch-fidelity rbf"));
        let clean = &peers["clean_fid"];
        let result = kid(real, fake, fewer(case).with_seed(count(&clean["kid_seed"]) as u32)).unwrap();
        assert_within(result.mean, number(&clean["kid"]), KID_PEERS, &format!("{name}, clean-fid"));
    });
}

#[test]
fn mean_discrepancies_equal_their_definitions() {
    for_each_case(|name, real, fake, case| {
        let definition = &case["definition"];
        let sigma = number(&definition["rbf_sigma"]);
        let plain = |kernel, estimator| {
            MmdOptions::default()
                .with_kernel(kernel)
                .with_estimator(estimator)
                .with_length(Length::AsGiven)
                .with_scale(1.0)
        };
        let value = |options| mmd(real, fake, options).unwrap().value;
        let rbf = value(plain(Kernel::Gaussian { sigma }, Estimator::Unbiased));
        assert_within(rbf, number(&definition["mmd_rbf_unbiased"]), KID_DEFINITION, &format!("{name}, rbf"));
        let biased = value(plain(Kernel::KID, Estimator::Biased));
        let tolerance = KID_DEFINITION * polynomial_size([real, fake]);
        assert_within(biased, number(&definition["mmd_polynomial_biased"]), tolerance, &format!("{name}, polynomial"));
        assert_within(value(MmdOptions::CMMD), number(&definition["cmmd"]), CMMD, &format!("{name}, CMMD"));
    });
}

fn prdc_with(real: &Features, fake: &Features, neighbours: usize, boundary: Boundary) -> Prdc {
    let balls = gan_metrics::metrics::Balls { neighbours, boundary };
    prdc(real, fake, PrdcOptions::default().with_precision_recall(balls).with_density_coverage(balls)).unwrap()
}

#[test]
fn precision_recall_density_and_coverage_equal_their_definitions_and_the_peers() {
    for_each_case(|name, real, fake, case| {
        for (key, k, boundary) in [("prdc_closed_3", 3, Boundary::Closed), ("prdc_open_5", 5, Boundary::Open)] {
            let found = prdc_with(real, fake, k, boundary);
            let expected = &case["definition"][key];
            for (what, value) in [
                ("precision", found.precision),
                ("recall", found.recall),
                ("f_score", found.f_score),
                ("density", found.density),
                ("coverage", found.coverage),
            ] {
                // Exact: the same whole numbers, divided once.
                assert_within(value, number(&expected[what]), 1e-15, &format!("{name}, {key}, {what}"));
            }
        }
        let Some(peers) = case.get("peers") else { return };
        let found = prdc(real, fake, PrdcOptions::TORCH_FIDELITY).unwrap();
        // torch-fidelity divides in f32.
        let peer = &peers["torch_fidelity"];
        assert_eq!(found.precision as f32, number(&peer["precision"]) as f32, "{name}");
        assert_eq!(found.recall as f32, number(&peer["recall"]) as f32, "{name}");
        assert_within(found.f_score, number(&peer["f_score"]), f64::from(f32::EPSILON), name);
        let found = prdc(real, fake, PrdcOptions::PRDC).unwrap();
        for (what, value) in [
            ("precision", found.precision),
            ("recall", found.recall),
            ("density", found.density),
            ("coverage", found.coverage),
        ] {
            assert_within(value, number(&peers["prdc"][what]), 1e-15, &format!("{name}, prdc, {what}"));
        }
    });
}

#[test]
fn mind_equals_its_definition_in_both_ways_of_drawing() {
    for_each_case(|name, real, fake, case| {
        let seeded = Directions::Seeded { count: 100, seed: 2020 };
        for (key, directions) in [("mind_seeded", seeded), ("mind_torch_fidelity", Directions::TORCH_FIDELITY)] {
            let found = mind(real, fake, &directions).unwrap();
            let expected = &case["definition"][key];
            let tolerance = MIND * number(&expected["value"]).abs();
            assert_within(found.value, number(&expected["value"]), tolerance, &format!("{name}, {key}"));
            assert_within(
                found.standard_error,
                number(&expected["standard_error"]),
                tolerance,
                &format!("{name}, {key}"),
            );
        }
    });
}

#[test]
fn memorisation_and_diversity_equal_their_definitions() {
    for_each_case(|name, real, fake, case| {
        let definition = &case["definition"];
        let found = mifid(real, fake, MifidOptions::TORCHMETRICS).unwrap();
        let expected = &definition["mifid"];
        // Equal sets: the definition's cosines are 1 within a few roundings.
        assert_within(found.distance, number(&expected["distance"]), 1e-13, &format!("{name}, distance"));
        assert_within(found.penalty, number(&expected["penalty"]), 1e-13, &format!("{name}, penalty"));
        for (order, expected) in [0.5, 1.0, 2.0, f64::INFINITY].into_iter().zip(definition["vendi"].as_array().unwrap())
        {
            // Far from the origin all eigenvalues but one are at the rounding error, and order 1/2 takes their roots.
            if name == "offset" && order < 1.0 {
                continue;
            }
            let found = vendi(fake, VendiOptions::default().with_order(order)).unwrap().value;
            // Order 1/2 takes roots of eigenvalues that rounding may have made, 1e-8 each.
            let tolerance = if order < 1.0 { 1e-6 } else { SPECTRAL };
            let expected = number(expected);
            assert_within(found, expected, tolerance * expected, &format!("{name}, Vendi of order {order}"));
        }
    });
}

#[test]
fn nearest_images_equal_their_definition() {
    for_each_case(|name, real, fake, case| {
        let everything = DuplicateOptions::default().with_threshold(f64::MAX).with_limit(usize::MAX);
        let definition = &case["definition"];
        let between = duplicates_between(real, fake, everything).unwrap();
        assert_eq!((between.images, between.pairs.len()), (fake.len(), fake.len()), "{name}");
        for (row, expected) in definition["nearest_between"].as_array().unwrap().iter().enumerate() {
            let pair = between.pairs.iter().find(|pair| pair.second == row).unwrap();
            assert_eq!(pair.first, count(expected), "{name}, image {row}");
        }
        let within = duplicates_within(fake, everything).unwrap();
        for (row, expected) in definition["nearest_within"].as_array().unwrap().iter().enumerate() {
            let (first, second) = (row.min(count(expected)), row.max(count(expected)));
            assert!(
                within.pairs.iter().any(|pair| (pair.first, pair.second) == (first, second)),
                "{name}, image {row}"
            );
        }
        assert_eq!(between.identical, if name == "same" { fake.len() } else { 0 }, "{name}");
    });
}

#[test]
fn extrapolations_and_intervals_equal_their_definitions() {
    for_each_case(|name, real, fake, case| {
        let Some(expected) = case["definition"].get("fid_infinity") else { return };
        let found = fid_infinity(&gaussian(real), fake, ExtrapolationOptions::CHONG_FORSYTH).unwrap();
        for (point, score) in found.points.iter().zip(expected["scores"].as_array().unwrap()) {
            assert_within(point.1, number(score), FID * number(score), &format!("{name}, {} images", point.0));
        }
        let scale = number(&expected["scores"][0]);
        assert_within(found.value, number(&expected["value"]), EXTRAPOLATION * scale, name);
        let slope = number(&expected["slope"]);
        assert_within(found.slope, slope, EXTRAPOLATION * slope, name);
        let error = found.standard_error.unwrap();
        assert_within(error, number(&expected["standard_error"]), EXTRAPOLATION * scale, name);

        let options = JackknifeOptions::default().with_groups(6).with_level(0.9);
        let score = |real: &Features, fake: &Features| -> Result<f64, MetricError> {
            Ok(fid(&gaussian(real), &gaussian(fake))?.value)
        };
        let found = jackknife(real, fake, options, score).unwrap();
        let expected = &case["definition"]["jackknife_fid"];
        for (what, value) in [
            ("value", found.value),
            ("standard_error", found.standard_error),
            ("bias", found.bias),
            ("lower", found.lower),
            ("upper", found.upper),
        ] {
            assert_within(value, number(&expected[what]), EXTRAPOLATION * found.value, &format!("{name}, {what}"));
        }
    });
}

#[test]
fn inception_scores_equal_their_definition_and_torch_fidelity() {
    let expected = fixture("inception_score.json");
    let factor = number(&expected["factor"]) as f32;
    let made = Made::new(count(&expected["seed"]) as u32, count(&expected["n"]), count(&expected["classes"]));
    let logits = Logits::new(made.values() * factor).unwrap();
    let found = inception_score(&logits, InceptionScoreOptions::default()).unwrap();
    let peer = &expected["torch_fidelity"];
    for (value, key) in [(found.mean, "mean"), (found.std, "std")] {
        assert_within(value, number(&expected[key]), 1e-12 * found.mean, "definition");
        assert_within(value, number(&peer[format!("inception_score_{key}")]), INCEPTION_SCORE, "torch-fidelity");
    }
    let found = inception_score_infinity(&logits, ExtrapolationOptions::CHONG_FORSYTH).unwrap();
    let expected = &expected["infinity"];
    assert_within(found.value, number(&expected["value"]), 1e-10, "infinity");
    assert_within(found.slope, number(&expected["slope"]), 1e-8, "slope");
}

#[test]
fn random_numbers_equal_those_of_pytorch() {
    for case in fixture("torch_random.json").as_array().unwrap() {
        let (seed, n) = (case["seed"].as_u64().unwrap(), count(&case["n"]));
        let numbers = TorchGenerator::new(seed).normal(n);
        for (found, expected) in numbers.iter().zip(case["first"].as_array().unwrap()) {
            let expected = number(expected);
            assert!((f64::from(*found) - expected).abs() <= f64::from(f32::EPSILON) * expected.abs(), "{seed}, {n}");
        }
        // Below 16 numbers, PyTorch asks the system's mathematical library.
        if n >= 16 {
            let digest = sha256_hex(numbers.iter().map(|value| value.to_le_bytes()));
            assert_eq!(digest, case["randn_sha256"].as_str().unwrap(), "{seed}, {n}");
        }
        let order = TorchGenerator::new(seed).permutation(n);
        let digest = sha256_hex(order.iter().map(|&index| (index as u64).to_le_bytes()));
        assert_eq!(digest, case["randperm_sha256"].as_str().unwrap(), "{seed}, {n}");
    }
}
