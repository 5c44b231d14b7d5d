//! Fréchet distance class by class.

use std::collections::BTreeMap;

use serde::Serialize;

use super::definitions::Definitions;
use super::error::{MetricError, Set, same_dimension};
use super::fid::fid_until;
use super::score::{About, Counts, Need, Score, Sets};
use super::value::{Caution, Curve, Panel, Style, Table, Value, readable};
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
/// [`MetricError`] when the dimensions differ, or the labels are not one per image.
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
    let class = |(label, [real_rows, fake_rows]): (&str, [Vec<usize>; 2])| -> Result<_, MetricError> {
        let fid = if real_rows.len() >= 2 && fake_rows.len() >= 2 {
            let of = |set, rows: &[usize]| Gaussian::of_rows(set, rows, interrupt);
            Some(fid_until(&of(real, &real_rows)?, &of(fake, &fake_rows)?, interrupt)?.value)
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
            let fid = match (class.fid, class.real_images, class.fake_images) {
                (Some(fid), ..) => readable(fid),
                (None, _, 0) => "only real".into(),
                (None, 0, _) => "only generated".into(),
                (None, ..) => "too few images".into(),
            };
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
        let value = Value::new(&ABOUT, &classes).table(table).panel(panel);
        let is_common = |class: &ClassFid| class.real_images > 0 && class.fake_images > 0;
        Ok(if classes.iter().any(is_common) { value } else { value.caution(Caution::NoCommonClass) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::SetData;
    use ndarray::Array2;

    #[test]
    fn sets_without_a_class_in_common_are_cautioned_about() {
        let features =
            Features::new(Array2::from_shape_fn((4, 2), |(row, column)| (row * row + column) as f32)).unwrap();
        let of = |fake: [&str; 4]| {
            let labels = |labels: [&str; 4]| Some(labels.map(str::to_owned).to_vec());
            let [real, fake] = [["a", "a", "b", "b"], fake].map(|of| SetData {
                features: Some(features.clone()),
                labels: labels(of),
                ..SetData::default()
            });
            let sets = Sets { score: ABOUT.title, real: Some(&real), fake: &fake };
            Row.compute(&sets, &Definitions::default(), &Interrupt::new()).unwrap()
        };
        let common = of(["a", "a", "c", "c"]);
        let fids: Vec<String> = common.table.unwrap().rows.into_iter().map(|row| row[1].clone()).collect();
        assert_eq!((fids[1..].to_vec(), common.cautions), (vec!["only real".into(), "only generated".into()], vec![]));
        assert_eq!(of(["0", "1", "2", "3"]).cautions, [Caution::NoCommonClass]);
    }
}
