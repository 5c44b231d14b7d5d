//! How long divergences take. Ids carry the sizes; inputs are made outside the timing from fixed formulas. The same
//! problems for scipy and POT, and both by turns: `python_ref/time_divergences.py`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gan_metrics::divergence::estimators::knn_kullback_leibler;
use gan_metrics::divergence::transport::{
    WassersteinOrder, cost_matrix, optimal_transport, sliced_wasserstein, wasserstein_line_samples,
};
use gan_metrics::divergence::{Distribution, Divergence, Generator, continuous, divergence};
use ndarray::Array2;

/// Points of a low-discrepancy sequence: the fractional parts of multiples of square roots.
fn points(n: usize, dim: usize, offset: f64) -> Array2<f64> {
    let primes = [2.0_f64, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0];
    Array2::from_shape_fn((n, dim), |(i, j)| ((i + 1) as f64 * primes[j].sqrt()).fract() + offset)
}

fn weights(n: usize, frequency: f64) -> Distribution {
    Distribution::normalized((0..n).map(|i| 1.1 + (frequency * i as f64).sin()).collect()).unwrap()
}

fn discrete(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("discrete");
    for n in [1_000, 100_000] {
        let (p, q) = (weights(n, 0.1), weights(n, 0.37));
        for generator in [Generator::KULLBACK_LEIBLER, Generator::JENSEN_SHANNON] {
            let id = BenchmarkId::new(generator.name(), n);
            group.bench_function(id, |b| b.iter(|| divergence(Divergence::F(generator), black_box(&p), &q)));
        }
    }
    group.finish();
}

fn densities(criterion: &mut Criterion) {
    let (p, q) = ("normal(0,1)".parse().unwrap(), "laplace(0.5,1)".parse().unwrap());
    let js = Divergence::F(Generator::JENSEN_SHANNON);
    criterion.bench_function("quadrature/jensen-shannon", |b| {
        b.iter(|| continuous::by_quadrature(js, black_box(&p), &q));
    });
}

fn transport(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("transport");
    group.sample_size(10);
    for n in [100, 500, 2000] {
        let cost = cost_matrix(points(n, 2, 0.0).view(), points(n, 2, 0.3).view(), WassersteinOrder::TWO).unwrap();
        let (p, q) = (weights(n, 0.1), weights(n, 0.37));
        group.bench_function(BenchmarkId::new("exact", n), |b| {
            b.iter(|| optimal_transport(&p, &q, black_box(cost.view())));
        });
    }
    let (x, y) = (points(20_000, 1, 0.0), points(20_000, 1, 0.3));
    let (x, y) = (x.into_raw_vec_and_offset().0, y.into_raw_vec_and_offset().0);
    group.bench_function(BenchmarkId::new("line", 20_000), |b| {
        b.iter(|| wasserstein_line_samples(black_box(&x), &y, WassersteinOrder::ONE));
    });
    for n in [1_000, 100_000] {
        let (x, y) = (points(n, 8, 0.0), points(n, 8, 0.3));
        group.bench_function(BenchmarkId::new("sliced-100", n), |b| {
            b.iter(|| sliced_wasserstein(black_box(x.view()), y.view(), WassersteinOrder::TWO, 100, 0));
        });
    }
    for (n, dimensions) in [(1_000, 8), (20_000, 2)] {
        let (x, y) = (points(n, dimensions, 0.0), points(n, dimensions, 0.3));
        group.bench_function(BenchmarkId::new("knn-kl", n), |b| {
            b.iter(|| knn_kullback_leibler(black_box(x.view()), y.view(), 5));
        });
    }
    group.finish();
}

criterion_group!(benches, discrete, densities, transport);
criterion_main!(benches);
