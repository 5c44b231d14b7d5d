//! Whether what a network says of an image depends on the others in its batch.

use ndarray::{ArrayD, ArrayViewD, Axis};

use super::engine::{Engine, EngineError, EngineInfo, ShortBatches};

/// How far an image may be from itself in another batch, relative to its length: beyond rounding in half precision.
const TOLERANCE: f64 = 1e-3;

/// An engine that runs the first batch of several images once more, with the first image in all places. In a batch of one size, an
/// image that has the same neighbours or others is the same to rounding, unless the network looks at the batch as a whole.
pub(super) struct Probed {
    engine: Box<dyn Engine>,
    outputs: Vec<String>,
    is_known: bool,
}

impl Probed {
    pub(super) fn new(engine: Box<dyn Engine>, outputs: &[&str]) -> Self {
        Self { engine, outputs: outputs.iter().map(|&output| output.into()).collect(), is_known: false }
    }

    fn probe(&mut self, batch: &[ArrayViewD<'_, f32>], found: &[ArrayD<f32>]) -> Result<(), EngineError> {
        match dependence(&mut *self.engine, batch, found)? {
            Some((output, relative)) => {
                Err(EngineError::BatchDependent { output: self.outputs[output].clone(), relative })
            }
            None => Ok(()),
        }
    }
}

/// The first output of which the first row of a batch differs when that row is in all places, and by how much, relative to its length; `None`
/// where all are the same to rounding.
pub(super) fn dependence(
    engine: &mut dyn Engine,
    batch: &[ArrayViewD<'_, f32>],
    found: &[ArrayD<f32>],
) -> Result<Option<(usize, f64)>, EngineError> {
    let alone: Vec<ArrayD<f32>> = batch
        .iter()
        .map(|input| {
            let first = input.slice_axis(Axis(0), (..1).into());
            first.broadcast(input.raw_dim()).expect("one row becomes many").to_owned()
        })
        .collect();
    let alone: Vec<_> = alone.iter().map(|input| input.view()).collect();
    let again = engine.run(&alone)?;
    let apart = found.iter().zip(&again).map(|(found, again)| {
        // What changes its shape with the batch is found by whoever takes the outputs.
        let [found, again] = [found, again].map(|values| values.index_axis(Axis(0), 0));
        if found.shape() == again.shape() { distance(found, again) } else { f64::INFINITY }
    });
    Ok(apart.enumerate().find(|&(_, relative)| relative > TOLERANCE))
}

/// |a − b| / max(|a|, |b|) in the Euclidean norm.
fn distance(a: ArrayViewD<'_, f32>, b: ArrayViewD<'_, f32>) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let [of_a, of_b] = [&a, &b].map(|values| norm(&mut values.iter().map(|&value| f64::from(value))));
    let apart = norm(&mut a.iter().zip(&b).map(|(&a, &b)| f64::from(a) - f64::from(b)));
    if apart == 0.0 { 0.0 } else { apart / of_a.max(of_b) }
}

impl Engine for Probed {
    fn info(&self) -> &EngineInfo {
        self.engine.info()
    }

    fn short_batches(&self) -> ShortBatches {
        self.engine.short_batches()
    }

    fn run(&mut self, batch: &[ArrayViewD<'_, f32>]) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let found = self.engine.run(batch)?;
        if !self.is_known && batch.first().is_some_and(|batch| batch.len_of(Axis(0)) > 1) {
            self.is_known = true;
            self.probe(batch, &found)?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives each row plus a share of the mean of the batch; counts its runs.
    struct Mixing {
        info: EngineInfo,
        share: f32,
        runs: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    }

    impl Engine for Mixing {
        fn info(&self) -> &EngineInfo {
            &self.info
        }

        fn short_batches(&self) -> ShortBatches {
            ShortBatches::Padded
        }

        fn run(&mut self, batch: &[ArrayViewD<'_, f32>]) -> Result<Vec<ArrayD<f32>>, EngineError> {
            self.runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mean = batch[0].mean_axis(Axis(0)).expect("a batch has images");
            Ok(vec![&batch[0] + &(mean * self.share)])
        }
    }

    fn probed(share: f32) -> (Probed, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
        let [name, version, provider] = ["mixing", "0", "cpu"].map(String::from);
        let info = EngineInfo { name, version, provider, library: None, reason: None };
        let runs = std::sync::Arc::default();
        let engine = Mixing { info, share, runs: std::sync::Arc::clone(&runs) };
        (Probed::new(Box::new(engine), &["mixed"]), runs)
    }

    #[test]
    fn the_first_batch_of_several_images_tells() {
        let batch = ndarray::array![[1.0f32, 2.0], [3.0, -4.0]].into_dyn();
        let (mut plain, runs) = probed(0.0);
        for _ in 0..3 {
            assert_eq!(plain.run(&[batch.view()]).unwrap()[0], batch);
        }
        assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 4);
        let (mut mixing, _) = probed(0.01);
        // Nothing can be told from one image.
        mixing.run(&[batch.slice_axis(Axis(0), (..1).into())]).unwrap();
        let error = mixing.run(&[batch.view()]).unwrap_err();
        assert!(matches!(&error, EngineError::BatchDependent { output, .. } if output == "mixed"), "{error}");
        // Rounding is no dependence.
        probed(1e-5).0.run(&[batch.view()]).unwrap();
    }
}
