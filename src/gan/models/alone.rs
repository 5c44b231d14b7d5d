//! What systems share in which one player learns by itself.

use super::ModelSpec;
use crate::gan::error::GanError;
use crate::gan::optim::Rule;
use crate::gan::real::Real;
use crate::gan::systems::{Measure, PlayerSpec, player};
use crate::gan::tape::Var;
use crate::gan::tensor::Tensor;
use crate::gan::train::{Latent, Step, TrainConfig};

pub(super) use player::MODEL;

/// The player, with its networks.
pub(super) fn players(networks: Vec<&'static str>, rule: Rule) -> Vec<PlayerSpec> {
    vec![PlayerSpec { name: MODEL, networks, rule }]
}

/// Its loss, what else is told of a step, and the norm of the gradient.
pub(super) fn measures(more: &[Measure]) -> Vec<Measure> {
    let loss = Measure::new("model_loss").shown("loss").drawn("losses", "model");
    let gradient = Measure::new("model_gradient").drawn("gradient norms", "model");
    [&[loss], more, &[gradient]].concat()
}

/// Refuses what means nothing where there is one player.
pub(super) fn check(spec: &ModelSpec) -> Result<(), GanError> {
    match spec.discriminator_width {
        Some(width) => Err(GanError::setting("the discriminator's width", width, "left out: this model has none")),
        None => Ok(()),
    }
}

/// Length of z where there is none.
pub(super) const NO_LATENT: usize = 1;

/// The same where there is no z either.
pub(super) fn check_without_latent(spec: &ModelSpec) -> Result<(), GanError> {
    check_no_latent(spec)?;
    check(spec)
}

/// Refuses a z where there is none.
pub(super) fn check_no_latent(spec: &ModelSpec) -> Result<(), GanError> {
    match spec.latent {
        NO_LATENT => Ok(()),
        other => Err(GanError::setting(
            "the length of z",
            other,
            format!("left at {NO_LATENT}: this model starts from no z"),
        )),
    }
}

/// The same where pixels are bits: images in colour are refused too.
pub(super) fn check_bits(spec: &ModelSpec) -> Result<(), GanError> {
    match spec.channels {
        1 => check_without_latent(spec),
        channels => Err(GanError::setting("the number of channels", channels, "1 (gray): this model takes bits")),
    }
}

/// Refuses any other distribution than the one that the model is made for.
pub(super) fn check_normal(config: &TrainConfig) -> Result<(), GanError> {
    match config.latent {
        Latent::Normal => Ok(()),
        other => Err(GanError::setting("the distribution of z", other, "normal for this model")),
    }
}

/// Images in \[0, 1\] as bits: 1 from a half on, which is what bytes from 128 on are.
pub(super) fn bits(images: &Tensor) -> Tensor {
    Tensor::from_fn(images.shape(), |i| if images.data()[i] >= 0.5 { 1.0 } else { 0.0 })
}

/// −Σ x·ln p + (1−x)·ln(1−p) over the values of each sample, in nats, where `logits` are those of p: N numbers. Where x are
/// bits it is −ln of their probability; where they are shares it is a cross entropy.
pub(super) fn cross_entropy_of_bits<T: Real>(logits: &Var<T>, x: &Var<T>) -> Result<Var<T>, GanError> {
    logits.softplus().sub(&x.mul(logits)?)?.sum_rows()
}

/// The probability that belongs to a logit.
pub(super) fn probability(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

/// What models of which the likelihood is known are compared by.
pub(super) const BITS_PER_DIMENSION: Measure =
    Measure::new("bits_per_dimension").shown("bits/dim").drawn("bits per dimension", "model");

/// Takes note of a loss in nats an image, as bits for each of its `dimensions`.
pub(super) fn record_bits(step: &mut Step<'_>, loss: &Var, dimensions: usize) -> Result<(), GanError> {
    let bits = f64::from(loss.item()?) / (dimensions as f64 * std::f64::consts::LN_2);
    step.record(BITS_PER_DIMENSION.name, bits);
    Ok(())
}

/// The values in f64.
pub(super) fn numbers_of(values: &Var) -> Vec<f64> {
    values.value().data().iter().map(|&value| f64::from(value)).collect()
}

/// How many images there are, which must be of a shape.
pub(super) fn count_of(images: &Tensor, image: &[usize]) -> Result<usize, GanError> {
    match images.shape() {
        [count, others @ ..] if others == image => Ok(*count),
        other => Err(GanError::shape("images", format!("expected a batch of {image:?}, got shape {other:?}"))),
    }
}

/// Images of a batch, one by one.
pub(super) fn each(images: &Tensor) -> impl Iterator<Item = Tensor> + '_ {
    let shape = [&[1], &images.shape()[1..]].concat();
    let length: usize = shape.iter().product();
    images
        .data()
        .chunks(length.max(1))
        .map(move |image| Tensor::new(&shape, image.to_vec()).expect("an image of the batch"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::models::PixelRange;

    #[test]
    fn bytes_from_128_on_are_1() {
        let bytes = Tensor::from_fn(&[256], |byte| PixelRange::Unit.from_byte(byte as u8));
        assert!(bits(&bytes).data().iter().enumerate().all(|(byte, &bit)| (bit == 1.0) == (byte >= 128)));
    }

    #[test]
    fn a_cross_entropy_is_that_of_the_definition_and_does_not_overflow() {
        let tensor = |values: &[f64]| Var::constant(Tensor::new(&[2, 2], values.to_vec()).unwrap());
        let cost = cross_entropy_of_bits(&tensor(&[0.5, -2.0, 1e3, -1e3]), &tensor(&[1.0, 0.25, 1.0, 1.0])).unwrap();
        let [p, q] = [0.5_f64, -2.0].map(|logit| 1.0 / (1.0 + (-logit).exp()));
        let expected = -(p.ln() + 0.25 * q.ln() + 0.75 * (1.0 - q).ln());
        assert!((cost.value().data()[0] - expected).abs() < 1e-14);
        assert_eq!(cost.value().data()[1], 1e3);
    }
}
