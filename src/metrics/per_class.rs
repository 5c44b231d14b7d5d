//! Fréchet distance class by class.

use std::collections::BTreeMap;

use serde::Serialize;

use super::definitions::Definitions;
use super::error::{MetricError, Set, same_dimension};
use super::fid::fid;
use super::score::{About, Counts, Need, Score, Sets};
use super::value::{Curve, Panel, Style, Table, Value, readable};
use crate::interrupt::Interrupt;
use crate::stats::{Features, Gaussian};

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
/// [`MetricError`] when the dimensions differ, the labels are not one per image, or no class is in both sets.
pub fn per_class_fid<L: AsRef<str>>(
    real: &Features,
    real_labels: &[L],
    fake: &Features,
    fake_labels: &[L],
) -> Result<Vec<ClassFid>, MetricError> {
    per_class_until([real, fake], [real_labels, fake_labels], &Interrupt::new())
}

fn per_class_until<L: AsRef<str>>(
    [real, fake]: [&Features; 2],
    [real_labels, fake_labels]: [&[L]; 2],
    interrupt: &Interrupt,
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
    if !classes.values().any(|rows| rows.iter().all(|rows| !rows.is_empty())) {
        // Enough to see in what they differ.
        const SHOWN: usize = 3;
        let [of_real, of_fake] = [0, 1].map(|which| {
            let has = |(label, rows): (&&str, &[Vec<usize>; 2])| (!rows[which].is_empty()).then(|| (*label).to_owned());
            classes.iter().filter_map(has).take(SHOWN).collect()
        });
        return Err(MetricError::NoCommonClass { of_real, of_fake });
    }
    let class = |(label, [real_rows, fake_rows]): (&str, [Vec<usize>; 2])| -> Result<_, MetricError> {
        let fid = if real_rows.len() >= 2 && fake_rows.len() >= 2 {
            let of = |set, rows: &[usize]| Gaussian::of_rows(set, rows, interrupt);
            Some(fid(&of(real, &real_rows)?, &of(fake, &fake_rows)?)?.value)
        } else {
            None
        };
        Ok(ClassFid { label: label.into(), real_images: real_rows.len(), fake_images: fake_rows.len(), fid })
    };
    classes.into_iter().map(class).collect()
}

/// Per-class Fréchet distance.
pub(super) struct Row;

static ABOUT: About = About {
    name: "per-class",
    key: "per_class_fid",
    title: "per-class FID",
    summary: "Fréchet distance of each class",
    wants: "as FID, of each class",
    real: &[Need::Features, Need::Labels],
    fake: &[Need::Features, Need::Labels],
    // Classes have too few images.
    interval: None,
    only_by_name: true,
    ..About::OF_FEATURES
};

impl Score for Row {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, _: Counts, _: &Definitions) -> Result<(), MetricError> {
        Ok(())
    }

    fn compute(&self, sets: &Sets<'_>, _: &Definitions, interrupt: &Interrupt) -> Result<Value, MetricError> {
        let classes = per_class_until(sets.features()?, sets.labels()?, interrupt)?;
        let row = |class: &ClassFid| {
            let fid = class.fid.map_or("too few images".into(), readable);
            vec![class.label.clone(), fid, class.real_images.to_string(), class.fake_images.to_string()]
        };
        let table = Table {
            title: "FID of each class".into(),
            columns: vec!["class", "FID", "real", "generated"],
            rows: classes.iter().map(row).collect(),
        };
        let bars = classes.iter().enumerate().filter_map(|(number, class)| Some((number as f64, class.fid?)));
        let panel = Panel {
            title: "FID of each class".into(),
            x_label: "number of the class, in the order of the report".into(),
            curves: vec![Curve { label: "FID".into(), points: bars.collect(), style: Style::Bars }],
        };
        Ok(Value::new(&ABOUT, &classes).table(table).panel(panel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn sets_without_a_class_in_common_are_refused_by_what_they_have() {
        let features =
            Features::new(Array2::from_shape_fn((4, 2), |(row, column)| (row * row + column) as f32)).unwrap();
        let fids = |real: [&str; 4], fake: [&str; 4]| per_class_fid(&features, &real, &features, &fake);
        let found = fids(["a", "a", "b", "b"], ["a", "a", "c", "c"]).unwrap();
        assert_eq!(found.iter().map(|class| class.fid).collect::<Vec<_>>(), [Some(0.0), None, None]);
        let error = fids(["a", "a", "b", "b"], ["0", "1", "2", "3"]).unwrap_err().to_string();
        assert!(error.contains("the real set has a, b, the fake set 0, 1, 2;"), "{error}");
    }
}
