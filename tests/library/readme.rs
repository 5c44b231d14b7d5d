//! The Rust code of the README runs.

use gan_metrics::evaluate::{Evaluator, NetworkChoice};
use gan_metrics::image::ImageArray;
use gan_metrics::metrics::Set;
use gan_metrics::score::Request;
use ndarray::Array4;

/// The code in the README.
fn in_a_training_loop(real: &Array4<u8>, fake: &Array4<f32>) -> gan_metrics::Result<f64> {
    let mut run = Evaluator::new(&NetworkChoice::builtin(), Request::of(["fid", "is", "prdc"])?)?;
    run.update(Set::Real, &ImageArray::nhwc(real.view())?)?;
    run.update(Set::Fake, &ImageArray::nchw_f32(fake.view(), [-1.0, 1.0])?)?;
    let scores = run.compute()?;
    println!("FID {:.4}, recall {:.3}", scores.number("fid").unwrap(), scores.number("recall").unwrap());
    Ok(scores.number("fid").unwrap())
}

#[test]
fn the_code_of_the_readme_runs() {
    let real = Array4::from_shape_fn((12, 16, 16, 3), |(n, y, x, c)| (n * 17 + y * (c + 3) + x * 5) as u8);
    let fake = real.mapv(|byte| f32::from(byte) / 127.5 - 1.0).permuted_axes([0, 3, 1, 2]);
    // The same images in another layout.
    assert!(in_a_training_loop(&real, &fake.as_standard_layout().to_owned()).unwrap() < 1e-6);
}

#[test]
fn the_readme_has_this_code() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, code) = readme.split_once("```rust\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    let mut here = include_str!("readme.rs").lines().map(str::trim);
    for line in code.lines().filter(|line| !line.is_empty()) {
        assert!(here.any(|own| own == line), "{line}");
    }
}
