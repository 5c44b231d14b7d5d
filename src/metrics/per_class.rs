//! Fréchet distance class by class.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::{MetricError, Set, same_dimension};
use super::fid::fid;
use super::rows::gaussian_of;
use crate::stats::Features;

/// The Fréchet distance of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassFid {
    /// The label.
    pub label: String,
    /// Real images of the class.
    pub real_images: usize,
    /// Fake images of the class.
    pub fake_images: usize,
    /// The distance; `None` when either set has fewer than two images of the class, which have no covariance.
    pub fid: Option<f64>,
}

/// The Fréchet distance between the real and the fake images of each class, by label in ascending order; classes that
/// only one set has are among them, without a distance.
///
/// It sees a generator that is good on average and fails on some classes, or mixes them up. Classes have fewer images than the
/// set, so that these distances are biased upwards far more than that of the whole: compare them with those of other
/// generators at the same numbers of images, not with the overall distance.
///
/// # Errors
/// [`MetricError`] when the dimensions differ, or the labels are not one per image.
pub fn per_class_fid<L: AsRef<str>>(
    real: &Features,
    real_labels: &[L],
    fake: &Features,
    fake_labels: &[L],
) -> Result<Vec<ClassFid>, MetricError> {
    same_dimension(real, fake)?;
    let mut classes: BTreeMap<&str, [Vec<usize>; 2]> = BTreeMap::new();
    for (which, (set, features, labels)) in
        [(Set::Real, real, real_labels), (Set::Fake, fake, fake_labels)].into_iter().enumerate()
    {
        if labels.len() != features.len() {
            return Err(MetricError::Labels { set, images: features.len(), labels: labels.len() });
        }
        for (row, label) in labels.iter().enumerate() {
            classes.entry(label.as_ref()).or_default()[which].push(row);
        }
    }
    let class = |(label, [real_rows, fake_rows]): (&str, [Vec<usize>; 2])| -> Result<_, MetricError> {
        let fid = if real_rows.len() >= 2 && fake_rows.len() >= 2 {
            Some(fid(&gaussian_of(real, &real_rows)?, &gaussian_of(fake, &fake_rows)?)?.value)
        } else {
            None
        };
        Ok(ClassFid { label: label.into(), real_images: real_rows.len(), fake_images: fake_rows.len(), fid })
    };
    classes.into_iter().map(class).collect()
}
