//! Laws and hard cases of the sample-quality metrics, across all of them.

use gan_metrics::metrics::{
    Balls, Boundary, Directions, DuplicateOptions, Estimator, ExtrapolationOptions, Kernel, KidOptions, Length,
    MetricError, MifidOptions, MmdOptions, PrdcOptions, Set, VendiOptions, duplicates_between, duplicates_within, fid,
    fid_infinity, kid, mifid, mind, mmd, per_class_fid, prdc, vendi,
};
use gan_metrics::stats::{Features, Logits};
use ndarray::{Array2, Axis, concatenate};

use crate::support::gaussian;
use crate::support::made_features::Made;

fn kid_of_few() -> KidOptions {
    KidOptions::TORCH_FIDELITY.with_subsets(10).with_subset_size(30)
}

const DIRECTIONS: Directions = Directions::Seeded { count: 64, seed: 1 };

fn unbiased_rbf() -> MmdOptions {
    MmdOptions::CMMD
        .with_kernel(Kernel::Gaussian { sigma: 3.0 })
        .with_estimator(Estimator::Unbiased)
        .with_length(Length::AsGiven)
        .with_scale(1.0)
}

fn features(values: Array2<f32>) -> Features {
    Features::new(values).unwrap()
}

fn set(seed: u32, n: usize, d: usize) -> Features {
    Made::new(seed, n, d).features()
}

#[test]
fn equal_sets_are_as_good_as_it_gets() {
    let a = set(1, 120, 16);
    let seen = prdc(&a, &a, PrdcOptions::PRDC).unwrap();
    assert_eq!((seen.precision, seen.recall, seen.coverage), (1.0, 1.0, 1.0));
    // Each image is in its own ball, and in those of the images that have it among their four nearest others, the open
    // ball being one image short of k.
    assert_eq!(seen.density, 1.0);
    assert_eq!(mind(&a, &a, &DIRECTIONS).unwrap().value, 0.0);
    let biased = unbiased_rbf().with_estimator(Estimator::Biased);
    assert!(mmd(&a, &a, biased).unwrap().value.abs() < 1e-9);
    // The unbiased one leaves the diagonal out within the sets, but not between them.
    assert!(mmd(&a, &a, unbiased_rbf()).unwrap().value < 0.0);
    let copied = mifid(&a, &a, MifidOptions::BAI).unwrap();
    assert!(copied.distance < 1e-15 && copied.value == 0.0, "{copied:?}");
    let copies = duplicates_between(&a, &a, DuplicateOptions::default()).unwrap();
    assert_eq!((copies.identical, copies.images), (120, 120));
}

#[test]
fn sets_may_be_exchanged() {
    let (a, b) = (set(2, 90, 8), Made { shift: 0.4, ..Made::new(3, 70, 8) }.features());
    let (there, back) = (prdc(&a, &b, PrdcOptions::TORCH_FIDELITY), prdc(&b, &a, PrdcOptions::TORCH_FIDELITY));
    let (there, back) = (there.unwrap(), back.unwrap());
    assert_eq!((there.precision, there.recall, there.f_score), (back.recall, back.precision, back.f_score));
    let close = |x: f64, y: f64| assert!((x - y).abs() <= 1e-12 * x.abs().max(1.0), "{x} and {y}");
    close(mmd(&a, &b, unbiased_rbf()).unwrap().value, mmd(&b, &a, unbiased_rbf()).unwrap().value);
    close(mind(&a, &b, &DIRECTIONS).unwrap().value, mind(&b, &a, &DIRECTIONS).unwrap().value);
    let exchanged = kid_of_few().with_draws_first(Set::Real);
    assert_eq!(kid(&a, &b, kid_of_few()).unwrap(), kid(&b, &a, exchanged).unwrap());
}

#[test]
fn moving_and_stretching_both_sets_does_what_it_should() {
    let (a, b) = (Made::new(4, 90, 8).values(), Made { shift: 0.4, ..Made::new(5, 70, 8) }.values());
    let score = |a: &Array2<f32>, b: &Array2<f32>| {
        let (a, b) = (features(a.clone()), features(b.clone()));
        (prdc(&a, &b, PrdcOptions::PRDC).unwrap(), mind(&a, &b, &DIRECTIONS).unwrap().value)
    };
    let (shares, distance) = score(&a, &b);
    for factor in [2.0_f32.powi(-100), 2.0_f32.powi(-10), 2.0_f32.powi(60)] {
        let (same, stretched) = score(&(&a * factor), &(&b * factor));
        assert_eq!(same, shares, "by {factor}");
        assert!((stretched / f64::from(factor).powi(2) / distance - 1.0).abs() < 1e-12, "by {factor}");
    }
    // Steps of 1/64 survive an offset of 1e5 exactly.
    let steps = |values: &Array2<f32>| values.mapv(|value| (value * 64.0).round() / 64.0);
    let (a, b) = (steps(&a), steps(&b));
    let ((shares, distance), (moved, far)) = (score(&a, &b), score(&(&a + 1e5), &(&b + 1e5)));
    assert_eq!(shares, moved);
    assert!((far / distance - 1.0).abs() < 1e-6, "{far} and {distance}");
}

#[test]
fn constant_features_have_a_value_everywhere() {
    let (a, b) = (features(Array2::from_elem((40, 6), 0.25)), features(Array2::from_elem((50, 6), 0.75)));
    // μ differ by ½ in six dimensions.
    assert_eq!(fid(&gaussian(&a), &gaussian(&b)).unwrap().value, 1.5);
    let apart = prdc(&a, &b, PrdcOptions::TORCH_FIDELITY).unwrap();
    assert_eq!(
        (apart.precision, apart.recall, apart.f_score, apart.density, apart.coverage),
        (0.0, 0.0, 0.0, 0.0, 0.0)
    );
    // Balls of radius zero: closed ones contain their centre, open ones contain nothing.
    let together = prdc(&a, &a, PrdcOptions::TORCH_FIDELITY).unwrap();
    assert_eq!((together.precision, together.recall, together.density, together.coverage), (1.0, 1.0, 0.0, 0.0));
    // k = (1/16 + 1)³, (9/16 + 1)³ and (3/16 + 1)³ everywhere.
    let expected = 1.0625_f64.powi(3) + 1.5625_f64.powi(3) - 2.0 * 1.1875_f64.powi(3);
    let distance = kid(&a, &b, kid_of_few()).unwrap();
    // Features lie off the common centre by what f32 cannot hold of it.
    assert!((distance.mean - expected).abs() < 1e-6 && distance.std < 1e-12, "{distance:?}");
    assert!((vendi(&a, VendiOptions::default()).unwrap().value - 1.0).abs() < 1e-12);
    // 3d times the mean of (½·Σu)² over directions, whose mean is d/4/d.
    let distance = mind(&a, &b, &Directions::Seeded { count: 4000, seed: 3 }).unwrap();
    assert!((distance.value - 4.5).abs() < 5.0 * distance.standard_error, "{distance:?}");
    assert_eq!(duplicates_within(&a, DuplicateOptions::default()).unwrap().identical, 40);
}

/// Products are rounded in f32; a tile left out or counted twice would show in earlier digits.
const KID_TOLERANCE: f64 = 1e-6;

#[test]
fn one_subset_of_every_image_is_the_discrepancy_by_definition() {
    // More rows than two panels, and a last panel that is not full.
    let n = 1100;
    let (a, b) = (Made::new(8, n, 6).values(), Made { shift: 0.4, ..Made::new(9, n, 6) }.values());
    let mean = |x: &Array2<f32>, y: &Array2<f32>, different: bool| {
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (i, x) in x.rows().into_iter().enumerate() {
            for y in y.rows().into_iter().enumerate().filter(|&(j, _)| !different || i != j).map(|(_, y)| y) {
                let inner: f64 = x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
                sum += (inner / 6.0 + 1.0).powi(3);
                pairs += 1.0;
            }
        }
        sum / pairs
    };
    let expected = mean(&a, &a, true) + mean(&b, &b, true) - 2.0 * mean(&a, &b, false);
    let every = kid_of_few().with_subsets(1).with_subset_size(n);
    let seen = kid(&features(a), &features(b), every).unwrap();
    assert!((seen.mean - expected).abs() < KID_TOLERANCE * expected.max(1.0), "{seen:?} for {expected}");
    assert_eq!(seen.std, 0.0);
}

#[test]
fn repeated_images_count_as_many() {
    let (a, b) = (Made::new(6, 60, 5).values(), set(7, 50, 5));
    let thrice = features(concatenate![Axis(0), a.view(), a.view(), a.view()]);
    let once = features(a);
    // Every image has two copies: the nearest neighbours of order 3k + 2 are those of order k.
    let balls = |neighbours| Balls { neighbours, boundary: Boundary::Closed };
    let options = |neighbours| {
        PrdcOptions::default().with_precision_recall(balls(neighbours)).with_density_coverage(balls(neighbours))
    };
    let (repeated, plain) = (prdc(&thrice, &b, options(11)).unwrap(), prdc(&once, &b, options(3)).unwrap());
    assert_eq!(repeated.precision, plain.precision);
    assert_eq!(repeated.coverage, plain.coverage);
    let close = |x: f64, y: f64| assert!((x - y).abs() <= 1e-6 * y.abs(), "{x} and {y}");
    close(mind(&thrice, &b, &DIRECTIONS).unwrap().value, mind(&once, &b, &DIRECTIONS).unwrap().value);
    let biased = unbiased_rbf().with_estimator(Estimator::Biased);
    close(mmd(&thrice, &b, biased).unwrap().value, mmd(&once, &b, biased).unwrap().value);
    close(vendi(&thrice, VendiOptions::default()).unwrap().value, vendi(&once, VendiOptions::default()).unwrap().value);
    let found = duplicates_within(&thrice, DuplicateOptions::default()).unwrap();
    assert_eq!((found.identical, found.typical), (180, 0.0));
}

#[test]
fn one_image_or_too_few_is_an_error_that_says_so() {
    let (one, many) = (set(8, 1, 4), set(9, 50, 4));
    let needed = |error: MetricError| match error {
        MetricError::TooFew { set, images, needed, .. } => (set, images, needed),
        other => panic!("{other}"),
    };
    assert_eq!(needed(kid(&many, &one, kid_of_few()).unwrap_err()), (Set::Fake, 1, 30));
    assert_eq!(needed(prdc(&one, &many, PrdcOptions::TORCH_FIDELITY).unwrap_err()), (Set::Real, 1, 6));
    assert_eq!(needed(mmd(&one, &many, MmdOptions::CMMD).unwrap_err()), (Set::Real, 1, 2));
    assert_eq!(needed(mifid(&many, &one, MifidOptions::BAI).unwrap_err()), (Set::Fake, 1, 2));
    assert_eq!(needed(duplicates_within(&one, DuplicateOptions::default()).unwrap_err()), (Set::Fake, 1, 2));
    let infinity = fid_infinity(&gaussian(&many), &one, ExtrapolationOptions::CHONG_FORSYTH);
    assert_eq!(needed(infinity.unwrap_err()), (Set::Fake, 1, 3));
    let message = kid(&many, &one, KidOptions::TORCH_FIDELITY).unwrap_err().to_string();
    assert!(message.contains("the real set has 50 images") && message.contains("at least 1000"), "{message}");
    assert!(mind(&one, &many, &DIRECTIONS).is_ok(), "one projected image is a distribution");
}

#[test]
fn unlike_dimensions_are_an_error_everywhere() {
    let (a, b) = (set(10, 50, 4), set(11, 50, 5));
    let expected = MetricError::Dimension { real: 4, fake: 5 };
    assert_eq!(kid(&a, &b, kid_of_few()).unwrap_err(), expected);
    assert_eq!(mmd(&a, &b, MmdOptions::CMMD).unwrap_err(), expected);
    assert_eq!(prdc(&a, &b, PrdcOptions::PRDC).unwrap_err(), expected);
    assert_eq!(mind(&a, &b, &DIRECTIONS).unwrap_err(), expected);
    assert_eq!(mifid(&a, &b, MifidOptions::BAI).unwrap_err(), expected);
    assert_eq!(duplicates_between(&a, &b, DuplicateOptions::default()).unwrap_err(), expected);
    assert_eq!(per_class_fid(&a, &["x"; 50], &b, &["x"; 50]).unwrap_err(), expected);
    assert_eq!(fid_infinity(&gaussian(&a), &b, ExtrapolationOptions::CHONG_FORSYTH).unwrap_err(), expected);
}

#[test]
fn parameters_out_of_range_are_errors() {
    let a = set(12, 50, 4);
    let parameter = |error: MetricError| matches!(error, MetricError::Parameter { .. });
    for kernel in [Kernel::Gaussian { sigma: 0.0 }, Kernel::Polynomial { degree: 0, gamma: None, coef0: 1.0 }] {
        assert!(parameter(kid(&a, &a, kid_of_few().with_kernel(kernel)).unwrap_err()));
    }
    assert!(parameter(kid(&a, &a, kid_of_few().with_subsets(0)).unwrap_err()));
    assert!(parameter(kid(&a, &a, kid_of_few().with_subset_size(1)).unwrap_err()));
    let balls = Balls { neighbours: 0, boundary: Boundary::Open };
    assert!(parameter(prdc(&a, &a, PrdcOptions::PRDC.with_precision_recall(balls)).unwrap_err()));
    assert!(parameter(mind(&a, &a, &Directions::Seeded { count: 0, seed: 0 }).unwrap_err()));
    assert!(parameter(vendi(&a, VendiOptions::default().with_order(-1.0)).unwrap_err()));
    assert!(parameter(mifid(&a, &a, MifidOptions::BAI.with_threshold(0.0)).unwrap_err()));
    assert!(parameter(
        duplicates_within(&a, DuplicateOptions::default().with_threshold(f64::NAN).with_limit(1)).unwrap_err()
    ));
    let directions = Directions::Given { directions: Array2::ones((3, 7)) };
    assert_eq!(mind(&a, &a, &directions).unwrap_err(), MetricError::Directions { directions: 7, features: 4 });
    let zero = features(Array2::zeros((5, 3)));
    assert_eq!(mmd(&zero, &zero, MmdOptions::CMMD).unwrap_err(), MetricError::ZeroRow { set: Set::Real, row: 0 });
    assert_eq!(vendi(&zero, VendiOptions::default()).unwrap_err(), MetricError::ZeroRow { set: Set::Fake, row: 0 });
}

#[test]
fn features_that_are_not_finite_never_arrive() {
    let mut values = Made::new(13, 20, 4).values();
    values[(17, 2)] = f32::NAN;
    let message = Features::new(values.clone()).unwrap_err().to_string();
    assert!(message.starts_with("row 17, column 2 holds NaN"), "{message}");
    assert!(Logits::new(values).is_err());
}

#[test]
fn leakage_is_found() {
    let real = Made::new(14, 400, 32).values();
    let mut fake = Made::new(15, 300, 32).values();
    // Three copies, one of them with a little noise.
    fake.row_mut(5).assign(&real.row(17));
    fake.row_mut(200).assign(&real.row(399));
    let noisy = &real.row(42) + &(&fake.row(9) * 0.01);
    fake.row_mut(100).assign(&noisy);
    let found = duplicates_between(&features(real), &features(fake), DuplicateOptions::default()).unwrap();
    assert_eq!((found.images, found.identical), (3, 2));
    let pairs: Vec<_> = found.pairs.iter().map(|pair| (pair.first, pair.second)).collect();
    assert_eq!(pairs, [(17, 5), (399, 200), (42, 100)]);
    assert!(found.pairs[2].distance < 0.02 * found.typical, "{found:?}");
}

#[test]
fn classes_are_scored_one_by_one() {
    let (real, fake) = (set(16, 90, 6), set(17, 80, 6));
    let real_labels: Vec<String> = (0..90).map(|row| ["cat", "dog", "eel"][row % 3].into()).collect();
    let mut fake_labels: Vec<String> = (0..80).map(|row| ["dog", "cat"][row % 2].into()).collect();
    fake_labels[0] = "yak".into();
    let classes = per_class_fid(&real, &real_labels, &fake, &fake_labels).unwrap();
    let counts: Vec<_> =
        classes.iter().map(|class| (class.label.as_str(), class.real_images, class.fake_images)).collect();
    assert_eq!(counts, [("cat", 30, 40), ("dog", 30, 39), ("eel", 30, 0), ("yak", 0, 1)]);
    let rows = |set: &Features, labels: &[String], label: &str| {
        let rows: Vec<usize> = (0..set.len()).filter(|&row| labels[row] == label).collect();
        gaussian(&features(set.view().select(Axis(0), &rows)))
    };
    let cats = fid(&rows(&real, &real_labels, "cat"), &rows(&fake, &fake_labels, "cat")).unwrap().value;
    assert_eq!(classes.iter().map(|class| class.fid.is_some()).collect::<Vec<_>>(), [true, true, false, false]);
    assert!((classes[0].fid.unwrap() / cats - 1.0).abs() < 1e-12);
    let error = per_class_fid(&real, &real_labels[..3], &fake, &fake_labels).unwrap_err();
    assert_eq!(error, MetricError::Labels { set: Set::Real, images: 90, labels: 3 });
}

#[test]
fn unbiased_estimates_are_unbiased() {
    // Two samples of one distribution: the mean over many pairs of samples is zero within its error.
    let value = |seed| mmd(&set(seed, 20, 3), &set(seed + 1000, 25, 3), unbiased_rbf()).unwrap().value;
    let values: Vec<f64> = (100..500).map(value).collect();
    let mean = values.iter().sum::<f64>() / 400.0;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 399.0).sqrt();
    assert!(mean.abs() < 4.0 * deviation / 20.0, "{mean} with deviation {deviation}");
    assert!(values.iter().any(|&value| value < 0.0) && values.iter().any(|&value| value > 0.0));
}
