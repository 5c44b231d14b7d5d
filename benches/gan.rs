//! How long a full training step takes: k = 1, Adam, both players, images drawn and noise made inside the timing. The
//! throughput is that of real images. The same steps in PyTorch: `python_ref/time_gan.py`.

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use gan_metrics::gan::Random;
use gan_metrics::gan::models::ModelSpec;
use gan_metrics::gan::train::{TrainConfig, Trainer, TrainingSet};

/// Noise as images: what they show does not change the time.
fn trainer(size: usize, channels: usize, batch_size: usize) -> Trainer {
    let networks = ModelSpec { size, channels, ..ModelSpec::named("dcgan").expect("a name of the list") };
    let mut random = Random::new(1);
    let samples = (0..2 * batch_size * channels * size * size).map(|_| random.below(256) as u8).collect();
    let data = TrainingSet::new(channels, size, samples).expect("a whole number of images");
    Trainer::new(TrainConfig { batch_size, ..TrainConfig::new(networks) }, data).expect("valid settings")
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dcgan-step");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for (size, channels, batch) in [(64, 3, 64), (64, 3, 16), (32, 3, 64), (28, 1, 64)] {
        let mut trainer = trainer(size, channels, batch);
        group.throughput(Throughput::Elements(batch as u64));
        let id = BenchmarkId::from_parameter(format!("{size}x{size}x{channels}/batch{batch}"));
        group.bench_function(id, |bencher| bencher.iter(|| trainer.step().expect("finite losses")));
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
