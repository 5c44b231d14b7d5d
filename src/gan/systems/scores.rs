//! What critics say of whole batches, and the columns for it.

use super::Measure;
use crate::gan::error::GanError;
use crate::gan::tape::Var;

/// Mean of a critic's outputs: of the probabilities σ(v) where they are any.
pub(super) fn mean_score(output: &Var, probabilities: bool) -> f64 {
    let value = |v: &f32| {
        let v = f64::from(*v);
        if probabilities { 1.0 / (1.0 + (-v).exp()) } else { v }
    };
    output.value().data().iter().map(value).sum::<f64>() / output.value().len() as f64
}

/// −E ln σ(v) where the images are to be taken for real, −E ln(1 − σ(v)) where for generated ones.
pub(super) fn taken_for(real: bool, v: &Var) -> Var {
    if real { v.neg().softplus().mean() } else { v.softplus().mean() }
}

/// Cross entropy of both: what a critic minimises that is to tell them apart.
///
/// # Errors
/// [`GanError::Shape`] never.
pub(super) fn told_apart(real: &Var, fake: &Var) -> Result<Var, GanError> {
    taken_for(true, real).add(&taken_for(false, fake))
}

/// Columns of a game: losses, then the mean outputs of the critic under these headings where it gives a number for an image, then
/// values of its own, then the norms of gradients.
pub(super) fn columns(
    headings: Option<[&'static str; 2]>,
    own: impl IntoIterator<Item = &'static str>,
) -> Vec<Measure> {
    let (losses, outputs, gradients) = ("losses", "mean outputs of D", "gradient norms");
    let mut measures = vec![
        Measure::new("discriminator_loss").shown("loss D").drawn(losses, "discriminator"),
        Measure::new("generator_loss").shown("loss G").drawn(losses, "generator"),
    ];
    if let Some([of_real, of_fake]) = headings {
        measures.extend([
            Measure::new("real_score").shown(of_real).drawn(outputs, "real"),
            Measure::new("fake_score_before").shown(of_fake).drawn(outputs, "generated"),
            Measure::new("fake_score_after"),
        ]);
    }
    measures.extend(own.into_iter().map(|name| Measure::new(name).shown(name).drawn(name, name)));
    measures.extend([
        Measure::new("discriminator_gradient").drawn(gradients, "discriminator"),
        Measure::new("generator_gradient").drawn(gradients, "generator"),
    ]);
    measures
}
