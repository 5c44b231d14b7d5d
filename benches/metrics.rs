//! How long sample-quality metrics take at the sizes of the literature. Ids carry the sizes; inputs are made outside the
//! timing from a seed. The same problems for torch-fidelity, pytorch-fid, clean-fid and prdc:
//! `python_ref/time_metrics.py`. One problem alone: `cargo bench --bench metrics -- fid/algebra`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use gan_metrics::metrics::{Directions, KidOptions, MmdOptions, PrdcOptions, fid, kid, mind, mmd, prdc};
use gan_metrics::stats::{FeatureStatistics, Features, Gaussian};
use ndarray::Array2;
use rand_mt::Mt64;

/// Features as a pool3 layer gives them: not negative, of a spectrum that falls off, n×d. A mixing of a few hundred
/// factors, plus noise.
fn pool3(n: usize, d: usize, seed: u64) -> Features {
    let mut random = Mt64::new(seed);
    let mut uniform = || (random.next_u64() >> 40) as f32 / (1 << 24) as f32;
    let factors = Array2::from_shape_simple_fn((n, 64), &mut uniform);
    let mut mixing = Mt64::new(1);
    let weight = |factor: usize, bits: u64| ((bits >> 40) as f32 / (1 << 24) as f32 - 0.4) / (1 + factor) as f32;
    let mixing = Array2::from_shape_fn((64, d), |(factor, _)| weight(factor, mixing.next_u64()));
    let noise = Array2::from_shape_simple_fn((n, d), &mut uniform);
    Features::new(factors.dot(&mixing) + noise * 0.2).unwrap()
}

fn gaussian(features: &Features) -> Gaussian {
    let mut statistics = FeatureStatistics::new(features.dim());
    statistics.push(features).unwrap();
    statistics.finish().unwrap()
}

fn frechet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fid");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    let (real, fake) = (gaussian(&pool3(6000, 2048, 2)), gaussian(&pool3(6000, 2048, 3)));
    group.bench_function("algebra/2048", |b| b.iter(|| fid(black_box(&real), &fake).unwrap()));
    group.finish();
}

fn whole_frechet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fid");
    group.sample_size(10).measurement_time(Duration::from_secs(60));
    let (real, fake) = (pool3(50_000, 2048, 2), pool3(50_000, 2048, 3));
    group.bench_function("features/50000x2048", |b| {
        b.iter(|| fid(&gaussian(black_box(&real)), &gaussian(&fake)).unwrap())
    });
    group.finish();
}

fn others(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("metrics");
    group.sample_size(10).measurement_time(Duration::from_secs(60));
    let (real, fake) = (pool3(10_000, 2048, 2), pool3(10_000, 2048, 3));
    let (some, others) = (pool3(2_000, 2048, 2), pool3(2_000, 2048, 3));
    group.bench_function("kid/100x1000/2000x2048", |b| {
        b.iter(|| kid(black_box(&some), &others, KidOptions::TORCH_FIDELITY).unwrap());
    });
    group.bench_function("kid/100x1000/10000x2048", |b| {
        b.iter(|| kid(black_box(&real), &fake, KidOptions::TORCH_FIDELITY).unwrap());
    });
    group.bench_function("prdc/10000x2048", |b| {
        b.iter(|| prdc(black_box(&real), &fake, PrdcOptions::TORCH_FIDELITY).unwrap());
    });
    group.bench_function("mind/1000/10000x2048", |b| {
        b.iter(|| mind(black_box(&real), &fake, &Directions::TORCH_FIDELITY).unwrap());
    });
    group.bench_function("mmd/10000x2048", |b| {
        b.iter(|| mmd(black_box(&real), &fake, MmdOptions::CMMD).unwrap());
    });
    group.finish();
}

criterion_group!(benches, frechet, others, whole_frechet);
criterion_main!(benches);
