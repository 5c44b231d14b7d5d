//! What scores see of a generator that loses modes on purpose: the Inception Score sees nothing while there is one good image of
//! every class, and the scores of diversity fall.

use gan_metrics::metrics::{InceptionScoreOptions, PrdcOptions, Splits, VendiOptions, inception_score, prdc, vendi};
use gan_metrics::stats::{Features, Logits};
use ndarray::Array2;

use crate::support::made_features::Made;

const CLASSES: usize = 10;
const OF_A_CLASS: usize = 60;
const DIMENSIONS: usize = 16;
/// Distance of a class from the middle, in deviations within a class: a classifier has no doubt.
const APART: f32 = 12.0;

/// Images as a network sees them: classes apart, images of a class about their centre. From a class's image of this number on, all
/// are its first.
fn images(seed: u32, from: usize) -> Array2<f32> {
    let noise = Made::new(seed, CLASSES * OF_A_CLASS, DIMENSIONS).features().view().to_owned();
    Array2::from_shape_fn(noise.dim(), |(image, column)| {
        let (class, place) = (image % CLASSES, image / CLASSES);
        let centre = if column == class { APART } else { 0.0 };
        centre + noise[[if place < from { image } else { class }, column]]
    })
}

/// Inception Score, precision, recall, coverage, Vendi score.
fn scores(real: &Array2<f32>, made: &Array2<f32>) -> [f64; 5] {
    let features = |rows: &Array2<f32>| Features::new(rows.clone()).unwrap();
    // A classifier of the classes: its logits are the coordinates that tell them.
    let logits = Logits::new(made.slice(ndarray::s![.., ..CLASSES]).to_owned()).unwrap();
    let whole = InceptionScoreOptions::default().with_splits(Splits::Even(1));
    let seen = prdc(&features(real), &features(made), PrdcOptions::PRDC).unwrap();
    let diversity = vendi(&features(made), VendiOptions::default()).unwrap().value;
    [inception_score(&logits, whole).unwrap().mean, seen.precision, seen.recall, seen.coverage, diversity]
}

#[test]
fn the_inception_score_is_blind_to_one_perfect_image_of_each_class() {
    let real = images(1, OF_A_CLASS);
    let all: Vec<[f64; 5]> =
        [OF_A_CLASS, OF_A_CLASS / 2, OF_A_CLASS / 6, 0].map(|from| scores(&real, &images(2, from))).into();
    println!("Inception Score, precision, recall, coverage, Vendi score: {all:?}");
    for pair in all.windows(2) {
        let ([before, _, recall, coverage, vendi], now) = (pair[0], pair[1]);
        assert!(now[0] >= before - 0.02, "{pair:?}");
        // Recall falls where a neighbour among so many is the image itself.
        assert!(now[2] <= recall && now[3] < coverage && now[4] < vendi, "{pair:?}");
    }
    let last = all[3];
    assert!(last[0] > 9.99 && last[2] == 0.0 && last[3] < 0.2, "{last:?}");
    // Ten images, whatever their number; their directions are a little less than orthogonal.
    assert!((last[4] - 10.0).abs() < 0.2, "{last:?}");
}
