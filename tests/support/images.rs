//! Images with something to learn.

use gan_metrics::gan::Random;

/// White discs of random size and place on black, gray, `size` in square.
pub fn discs(seed: u64, images: usize, size: usize) -> Vec<u8> {
    let (mut random, quarter) = (Random::new(seed), size as f64 / 4.0);
    let mut samples = Vec::with_capacity(images * size * size);
    for _ in 0..images {
        let [x, y] = [(); 2].map(|()| quarter + 2.0 * quarter * random.uniform());
        let r = 0.5 * quarter + 0.75 * quarter * random.uniform();
        for i in 0..size * size {
            let (dx, dy) = ((i % size) as f64 - x, (i / size) as f64 - y);
            samples.push(if dx * dx + dy * dy < r * r { 255 } else { 0 });
        }
    }
    samples
}
