//! Laws of the factorisations. They hold for both back ends.

use ndarray::{Array1, Array2, Axis, array, s};
use proptest::prelude::*;
use rand_mt::Mt64;

use super::*;

/// Reconstruction error allowed per unit of the norm: √d·ε with room for the constant of the solvers.
fn tolerance(dim: usize) -> f64 {
    (dim as f64).sqrt() * f64::EPSILON * 100.0
}

fn random(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut generator = Mt64::new(seed);
    Array2::from_shape_simple_fn((rows, columns), || generator.next_u64() as f64 / u64::MAX as f64 - 0.5)
}

fn covariance(samples: &Array2<f64>) -> Array2<f64> {
    let centred = samples - &samples.mean_axis(Axis(0)).unwrap();
    centred.t().dot(&centred) / (samples.nrows() - 1) as f64
}

fn norm_of(a: &Array1<f64>) -> f64 {
    a.dot(a).sqrt()
}

fn norm(a: &Array2<f64>) -> f64 {
    a.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[test]
fn products_agree_with_the_obvious_ones_in_every_layout() {
    let (a, b) = (random(13, 40, 1), random(40, 29, 2));
    let expected = a.dot(&b);
    assert!(norm(&(matmul(a.view(), b.view()) - &expected)) < tolerance(40));
    let (at, bt) = (a.t().as_standard_layout().into_owned(), b.t().as_standard_layout().into_owned());
    assert!(norm(&(matmul(at.t(), bt.t()) - &expected)) < tolerance(40));
    let strided = random(26, 80, 3);
    let strided = strided.slice(s![..;2, ..;-2]);
    assert!(norm(&(matmul(strided, b.view()) - &strided.dot(&b))) < tolerance(40));
}

#[test]
fn gram_fills_the_lower_triangle_only() {
    let rows = random(31, 17, 4);
    let mut gram = Array2::zeros((17, 17));
    add_gram_lower(&mut gram, rows.slice(s![..10, ..]));
    add_gram_lower(&mut gram, rows.slice(s![10.., ..]));
    let expected = rows.t().dot(&rows);
    for ((row, column), value) in gram.indexed_iter() {
        let expected = if column <= row { expected[(row, column)] } else { 0.0 };
        assert!((value - expected).abs() < tolerance(31), "({row}, {column}): {value} against {expected}");
    }
}

#[test]
fn eigh_reconstructs_and_sorts() {
    for dim in [1, 2, 7, 40, 130] {
        let a = covariance(&random(dim + 5, dim, 5));
        let Eigh { values, vectors } = eigh(&a).unwrap();
        assert!(values.windows(2).into_iter().all(|pair| pair[0] <= pair[1]));
        let reconstructed = (&vectors * &values).dot(&vectors.t());
        assert!(norm(&(&reconstructed - &a)) <= tolerance(dim) * norm(&a), "dimension {dim}");
        let identity = vectors.t().dot(&vectors);
        assert!(norm(&(identity - Array2::<f64>::eye(dim))) <= tolerance(dim) * (dim as f64).sqrt());
    }
}

#[test]
fn eigenvalues_are_those_of_the_decomposition() {
    for dim in [1, 2, 40, 130] {
        let a = covariance(&random(dim + 5, dim, 15));
        let (alone, with_vectors) = (eigenvalues(&a).unwrap(), eigh(&a).unwrap().values);
        assert!(norm_of(&(&alone - &with_vectors)) <= tolerance(dim) * norm(&a), "dimension {dim}");
    }
}

#[test]
fn only_the_lower_triangle_is_read() {
    let a = array![[2.0, 1e9], [1.0, 2.0]];
    let values = eigh(&a).unwrap().values;
    assert!((values[0] - 1.0).abs() < 1e-14 && (values[1] - 3.0).abs() < 1e-14, "{values}");
    let lower = cholesky(&a).unwrap().unwrap();
    assert_eq!(lower[(0, 1)], 0.0);
    assert!((lower[(1, 0)] - 0.5_f64.sqrt()).abs() < 1e-15);
}

#[test]
fn cholesky_declines_what_is_not_positive_definite() {
    assert!(cholesky(&array![[1.0, 2.0], [2.0, 1.0]]).unwrap().is_none());
}

#[test]
fn singular_values_descend_and_ignore_the_orientation() {
    let a = random(12, 30, 6);
    let (tall, wide) = (singular_values(&a.t().to_owned()).unwrap(), singular_values(&a).unwrap());
    assert_eq!(wide.len(), 12);
    assert!(wide.windows(2).into_iter().all(|pair| pair[0] >= pair[1]));
    assert!((&tall - &wide).iter().all(|difference| difference.abs() < tolerance(30)));
    let squares: f64 = wide.iter().map(|value| value * value).sum();
    assert!((squares - norm(&a).powi(2)).abs() < tolerance(30) * squares);
}

#[test]
fn a_matrix_without_entries_has_no_values() {
    for (rows, columns) in [(0, 0), (0, 5), (5, 0)] {
        assert_eq!(singular_values(&Array2::zeros((rows, columns))).unwrap().len(), 0, "{rows}×{columns}");
    }
    let empty = Array2::zeros((0, 0));
    assert_eq!(eigenvalues(&empty).unwrap().len(), 0);
    assert_eq!(eigh(&empty).unwrap().vectors.dim(), (0, 0));
    assert_eq!(cholesky(&empty).unwrap().map(|factor| factor.dim()), Some((0, 0)));
}

#[test]
fn sqrtm_squares_to_its_argument_even_when_singular() {
    for (samples, dim) in [(60, 20), (9, 20)] {
        let sigma = covariance(&random(samples, dim, 7));
        let root = sqrtm(&sigma).unwrap();
        assert!(norm(&(root.dot(&root) - &sigma)) < tolerance(dim) * norm(&sigma));
        assert!(norm(&(&root - &root.t())) < tolerance(dim));
    }
}

#[test]
fn factors_from_covariance_eigenvectors_and_samples_agree() {
    // Fewer samples than dimensions on one side, so that all three kinds of factor occur.
    let (few, many) = (random(15, 24, 8), random(200, 24, 9));
    let full = CovarianceFactor::of_covariance(&covariance(&many)).unwrap();
    let singular = CovarianceFactor::of_covariance(&covariance(&few)).unwrap();
    let samples = CovarianceFactor::of_samples(few.view());
    assert_eq!((full.spectrum().rank, singular.spectrum().rank, samples.spectrum().rank), (24, 14, 14));
    let (a, b) = (full.trace_sqrt_product(&singular).unwrap(), full.trace_sqrt_product(&samples).unwrap());
    assert!((a - b).abs() < 1e-12 * b, "{a} against {b}");
    assert!((singular.trace() - samples.trace()).abs() < 1e-12 * samples.trace());
    let c = samples.trace_sqrt_product(&full).unwrap();
    assert!((b - c).abs() < 1e-13 * b, "not symmetric: {b} against {c}");
}

#[test]
fn trace_of_the_root_of_a_square_is_the_trace() {
    let factor = CovarianceFactor::of_covariance(&covariance(&random(90, 30, 10))).unwrap();
    let trace = factor.trace_sqrt_product(&factor).unwrap();
    assert!((trace - factor.trace()).abs() < tolerance(30) * trace);
}

/// A random orthogonal matrix: the eigenvectors of a random symmetric one.
fn orthogonal(dim: usize, seed: u64) -> Array2<f64> {
    let a = random(dim, dim, seed);
    eigh(&(&a + &a.t())).unwrap().vectors
}

/// A covariance with the eigenvalues `largest·condition^(−i/(d−1))`, in the given basis.
fn graded(basis: &Array2<f64>, largest: f64, condition: f64) -> Array2<f64> {
    let last = (basis.ncols() - 1) as f64;
    let values = Array1::from_iter((0..basis.ncols()).map(|i| largest * condition.powf(-(i as f64) / last)));
    let sigma = (basis * &values).dot(&basis.t());
    (&sigma + &sigma.t()) / 2.0
}

#[test]
fn the_trace_is_exact_at_every_condition_number() {
    // In one basis, the trace is Σ√(λᵢμᵢ). Both sides of the switch between eigenvalues and singular values. Rounding
    // the matrices themselves moves an eigenvalue by ε·λmax, which the last case is full of.
    let dim = 120;
    let basis = orthogonal(dim, 20);
    for (condition, bound) in [(1.0, 1e-13), (1e2, 1e-13), (1e4, 1e-13), (1e6, 1e-12), (1e8, 1e-11), (1e10, 1e-9)] {
        let [a, b] =
            [(3.0, condition), (0.5, condition)].map(|(largest, condition)| graded(&basis, largest, condition));
        let [a, b] = [a, b].map(|sigma| CovarianceFactor::of_covariance(&sigma).unwrap());
        let ratio = |i: usize| f64::powf(condition, -(i as f64) / (dim - 1) as f64);
        let expected: f64 = (0..dim).map(|i| 1.5_f64.sqrt() * ratio(i)).sum();
        let trace = a.trace_sqrt_product(&b).unwrap();
        assert!((trace - expected).abs() <= bound * expected, "condition {condition:e}: {trace} against {expected}");
    }
}

#[test]
fn eigenvalues_and_singular_values_give_one_trace() {
    // Different bases; the slow way is always right to a few roundings. At 1e8 and beyond it is the only way.
    let (first, second) = (orthogonal(90, 21), orthogonal(90, 22));
    for (condition, by_gram) in [(1.0, true), (1e2, true), (1e4, true), (1e8, false), (1e12, false)] {
        let [a, b] = [graded(&first, 7.0, condition), graded(&second, 1.0, condition)]
            .map(|sigma| CovarianceFactor::of_covariance(&sigma).unwrap());
        let product = matmul(a.factor().t(), b.factor());
        let slow = singular_values(&product).unwrap().sum();
        let quick = covariance::nuclear_norm_by_gram(&product).unwrap();
        assert_eq!(quick.is_some(), by_gram, "condition {condition:e}");
        if let Some(quick) = quick {
            assert!((quick - slow).abs() <= 1e-12 * slow, "condition {condition:e}: {quick} against {slow}");
        }
        assert!((a.trace_sqrt_product(&b).unwrap() - slow).abs() <= 1e-12 * slow);
    }
}

#[test]
fn few_samples_have_the_trace_of_their_covariance() {
    // Contrasts beside an explicit covariance, singular and not, beside each other, and with samples that repeat: then a
    // contrast is zero and only the singular values will do.
    let dim = 60;
    let (few, fewer) = (random(30, dim, 31), random(12, dim, 32));
    let mut repeated = few.clone();
    let row = repeated.row(3).to_owned();
    repeated.row_mut(4).assign(&row);
    let full = CovarianceFactor::of_covariance(&covariance(&random(200, dim, 33))).unwrap();
    for samples in [few, fewer, repeated] {
        let sigma = covariance(&samples);
        let contrasts = CovarianceFactor::of_samples(samples.view());
        let explicit = CovarianceFactor::of_covariance(&sigma).unwrap();
        let rebuilt = contrasts.factor().dot(&contrasts.factor().t());
        assert!(norm(&(rebuilt - &sigma)) < tolerance(dim) * norm(&sigma));
        for other in [&full, &CovarianceFactor::of_samples(random(20, dim, 34).view())] {
            let slow = singular_values(&matmul(explicit.factor().t(), other.factor())).unwrap().sum();
            for trace in [contrasts.trace_sqrt_product(other), other.trace_sqrt_product(&contrasts)] {
                let trace = trace.unwrap();
                assert!((trace - slow).abs() <= 1e-9 * slow, "{trace} against {slow}");
            }
        }
    }
}

#[test]
fn commuting_covariances_have_the_closed_form() {
    let (a, b) = (array![[4.0, 0.0], [0.0, 9.0]], array![[25.0, 0.0], [0.0, 0.0]]);
    let (a, b) = (CovarianceFactor::of_covariance(&a).unwrap(), CovarianceFactor::of_covariance(&b).unwrap());
    assert!((a.trace_sqrt_product(&b).unwrap() - 10.0).abs() < 1e-14);
    assert_eq!(b.spectrum().rank, 1);
}

#[test]
fn a_zero_covariance_has_rank_zero() {
    let zero = CovarianceFactor::of_covariance(&Array2::zeros((3, 3))).unwrap();
    assert_eq!((zero.spectrum().rank, zero.trace()), (0, 0.0));
    let one = CovarianceFactor::of_covariance(&Array2::eye(3)).unwrap();
    assert_eq!(one.trace_sqrt_product(&zero).unwrap(), 0.0);
}

#[test]
fn rejects_what_is_no_covariance() {
    assert_eq!(
        CovarianceFactor::of_covariance(&Array2::zeros((2, 3))).unwrap_err(),
        LinalgError::NotSquare { rows: 2, columns: 3 }
    );
    assert!(matches!(
        CovarianceFactor::of_covariance(&array![[1.0, 0.0], [f64::NAN, 1.0]]).unwrap_err(),
        LinalgError::NotFinite { row: 1, column: 0, .. }
    ));
    assert!(matches!(
        CovarianceFactor::of_covariance(&array![[1.0, 2.0], [2.0, 1.0]]).unwrap_err(),
        LinalgError::Indefinite { .. }
    ));
}

#[test]
fn eigenvalues_that_sums_in_f32_make_negative_are_clipped_and_more_is_refused() {
    let of = |least: f64| CovarianceFactor::of_covariance(&array![[2.0, 0.0], [0.0, 2.0 * least]]);
    // 300 features of 512 dimensions summed in f32: -7.3e-6 of the largest.
    for least in [-7.3e-6, -0.99e-4] {
        let factor = of(least).unwrap();
        let clipped = factor.spectrum().clipped.unwrap();
        assert!(factor.spectrum().rank == 1 && (clipped - 2.0 * least).abs() < 1e-15, "{clipped:e}");
    }
    let refused = of(-1.01e-4).unwrap_err().to_string();
    assert!(refused.contains("was it summed in float32"), "{refused}");
}

proptest! {
    /// ‖F₁ᵀF₂‖_* ≤ ‖F₁‖·‖F₂‖: the Fréchet distance is never negative.
    #[test]
    fn cauchy_schwarz(seed in any::<u64>(), dim in 1_usize..12, n in 2_usize..30) {
        let a = CovarianceFactor::of_samples(random(n, dim, seed).view());
        let b = CovarianceFactor::of_covariance(&covariance(&random(n + 3, dim, seed ^ 1))).unwrap();
        let bound = (a.trace() * b.trace()).sqrt();
        prop_assert!(a.trace_sqrt_product(&b).unwrap() <= bound * (1.0 + tolerance(dim)));
    }
}

#[test]
fn triangular_factors_have_the_product_of_any_matrices() {
    for dim in [1, 2, 37, 150] {
        let [a, b] = [11, 12].map(|seed| cholesky(&covariance(&random(2 * dim + 2, dim, seed))).unwrap().unwrap());
        let product = matmul_lower_transposed(&a, &b);
        assert!(norm(&(product - a.t().dot(&b))) < tolerance(dim) * norm(&a) * norm(&b), "{dim}");
        let (wide, tall) = (random(dim, 2 * dim + 1, 13), random(5, dim, 14).reversed_axes());
        for any in [wide, tall] {
            let product = lower_transposed_times(&a, any.view());
            assert!(norm(&(product - a.t().dot(&any))) < tolerance(dim) * norm(&a) * norm(&any), "{dim}");
        }
    }
}

#[test]
fn views_of_every_layout_have_the_same_products() {
    let (a, b) = (random(5, 7, 1), random(7, 4, 2));
    let expected = a.dot(&b);
    let mut reversed = (a.clone(), b.clone());
    reversed.0.invert_axis(Axis(1));
    reversed.1.invert_axis(Axis(0));
    let transposed = (a.t().as_standard_layout().into_owned(), b.t().as_standard_layout().into_owned());
    let products = [
        matmul(a.view(), b.view()),
        matmul(reversed.0.view(), reversed.1.view()),
        matmul(transposed.0.t(), transposed.1.t()),
    ];
    for product in products {
        assert!(norm(&(product - &expected)) < tolerance(7) * norm(&expected));
    }
}

#[test]
fn no_factorisation_depends_on_the_scale() {
    let (a, b) = (covariance(&random(40, 12, 20)), covariance(&random(40, 12, 21)));
    // Fewer samples than dimensions, which no Cholesky takes.
    let singular = covariance(&random(6, 12, 22));
    let trace = |a: &Array2<f64>, b: &Array2<f64>| {
        let [a, b] = [a, b].map(|sigma| CovarianceFactor::of_covariance(sigma).unwrap());
        a.trace_sqrt_product(&b).unwrap()
    };
    for exponent in [-1000, -700, -560, -530, -200, 200, 500, 530, 1000] {
        let scale = 2.0_f64.powi(exponent);
        let near = |found: f64, expected: f64| {
            let relative = (found / scale / expected - 1.0).abs();
            assert!(relative < tolerance(12), "2^{exponent}: {found:e} is off by {relative:e}");
        };
        near(trace(&(&a * scale), &(&b * scale)), trace(&a, &b));
        near(trace(&(&a * scale), &(&singular * scale)), trace(&a, &singular));
        near(eigenvalues(&(&a * scale)).unwrap()[11], eigenvalues(&a).unwrap()[11]);
        near(eigh(&(&a * scale)).unwrap().values[0], eigh(&a).unwrap().values[0]);
        near(singular_values(&(&a * scale)).unwrap()[0], singular_values(&a).unwrap()[0]);
        let root = sqrtm(&(&a * scale)).unwrap();
        near(root.dot(&root)[(3, 3)], a[(3, 3)]);
    }
}
