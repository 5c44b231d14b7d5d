//! What a poll of a training loop costs: the FID of some generated images against a reference that stays, its network and its
//! algebra apart. `cargo bench --bench poll`.

use std::path::Path;
use std::time::Instant;

use gan_metrics::evaluate::{Evaluator, NetworkChoice};
use gan_metrics::image::{DataSet, RgbImage};
use gan_metrics::metrics::Set;
use gan_metrics::score::Request;

/// Polls of each size; the first one factorises the reference.
const POLLS: usize = 4;

fn digits(name: &str, images: usize) -> gan_metrics::Result<Vec<RgbImage>> {
    let set = DataSet::open(&Path::new("tests/data/digits").join(name))?;
    (0..images.min(set.len())).map(|index| Ok(set.load(index)?)).collect()
}

fn main() -> gan_metrics::Result<()> {
    let real = digits("first.idx.gz", usize::MAX)?;
    let started = Instant::now();
    let mut run = Evaluator::new(&NetworkChoice::builtin(), Request::of(["fid"])?)?;
    let engine = run.network().info().engine.clone();
    println!(
        "{} {} on {}, started in {:.2} s",
        engine.name,
        engine.version,
        engine.provider,
        started.elapsed().as_secs_f64()
    );
    let started = Instant::now();
    run = run.with_reference_images(&real, None)?;
    println!("reference of {} images: {:.2} s", real.len(), started.elapsed().as_secs_f64());
    for images in [128, 2000] {
        let fake = digits("second.idx.gz", images)?;
        for _ in 0..POLLS {
            run.reset(Set::Fake);
            let started = Instant::now();
            run.update(Set::Fake, &fake)?;
            let network = started.elapsed().as_secs_f64();
            let scores = run.compute()?;
            let algebra = started.elapsed().as_secs_f64() - network;
            let fid = scores.number("fid").expect("there are images");
            println!("{} images: network {network:.3} s, FID {:.1} ms: {fid:.4}", fake.len(), 1e3 * algebra);
        }
    }
    Ok(())
}
