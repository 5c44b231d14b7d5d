//! The labels of the demo's digits belong to the images.

use std::fs::File;
use std::io::Read;

use flate2::read::GzDecoder;

const DIGITS: usize = 2048;
const PIXELS: usize = 28 * 28;

/// The bytes behind the header of an IDX file, which must announce axes of these lengths.
fn idx(name: &str, lengths: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(format!("tests/data/digits/{name}.idx.gz")).unwrap()).read_to_end(&mut bytes).unwrap();
    let magic = 0x0800 + lengths.len();
    let header: Vec<u8> = [&[magic], lengths].concat().iter().flat_map(|&n| (n as u32).to_be_bytes()).collect();
    assert_eq!(bytes[..header.len()], header, "{name}");
    bytes.split_off(header.len())
}

fn labelled(set: &str) -> (Vec<u8>, Vec<u8>) {
    let (images, labels) = (idx(set, &[DIGITS, 28, 28]), idx(&format!("{set}-labels"), &[DIGITS]));
    assert_eq!((images.len(), labels.len()), (DIGITS * PIXELS, DIGITS));
    (images, labels)
}

#[test]
fn mean_digits_of_one_set_classify_the_other() {
    let (images, labels) = labelled("first");
    let mut means = vec![[0.0; PIXELS]; 10];
    let counts: Vec<usize> = (0..10).map(|digit| labels.iter().filter(|&&label| label == digit).count()).collect();
    for (image, &label) in images.chunks_exact(PIXELS).zip(&labels) {
        let count = counts[usize::from(label)] as f64;
        means[usize::from(label)].iter_mut().zip(image).for_each(|(mean, &pixel)| *mean += f64::from(pixel) / count);
    }
    let (images, labels) = labelled("second");
    let distance = |mean: &[f64], image: &[u8]| -> f64 {
        mean.iter().zip(image).map(|(mean, &pixel)| (mean - f64::from(pixel)).powi(2)).sum()
    };
    let nearest = |image: &[u8]| {
        (0..10_u8)
            .min_by(|&a, &b| {
                let [a, b] = [a, b].map(|digit| distance(&means[usize::from(digit)], image));
                a.total_cmp(&b)
            })
            .unwrap()
    };
    let right = images.chunks_exact(PIXELS).zip(&labels).filter(|(image, label)| nearest(image) == **label).count();
    // What numpy finds with the same classifier; labels in another order would leave about a tenth.
    assert_eq!(right, 1621);
}
