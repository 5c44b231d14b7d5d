//! What there is to be careful about after a run.

use std::collections::BTreeSet;

use super::unlike;
use super::warning::{FEW_IMAGES, Warning};
use crate::evaluate::{Evaluated, Evaluator, Measured, MeasuredSet, SetReport};
use crate::extractor::{ExtractorId, ExtractorInfo, RangeSource};
use crate::metrics::{Caution, Set};
use crate::score::{Need, Scores, SetData};
use crate::stats::Features;

/// All warnings of a run, about the sets in the order of the arguments.
pub(super) fn of(done: &Evaluated) -> Vec<Warning> {
    let inputs: Vec<&MeasuredSet> = done.real.iter().chain([&done.fake]).collect();
    let sets: Vec<&Measured> = inputs.iter().map(|set| &set.measured).collect();
    let mut warnings = Vec::new();
    for left_out in &done.plan.left_out {
        warnings.push(Warning::LeftOut { metric: left_out.metric, reason: left_out.reason.to_string() });
    }
    let (never, here): (Vec<_>, Vec<_>) =
        done.plan.without_interval.iter().partition(|found| found.metric.about().interval.is_none());
    if !never.is_empty() {
        warnings.push(Warning::NoInterval { metrics: never.iter().map(|found| found.metric).collect(), reason: None });
    }
    for found in here {
        warnings.push(Warning::NoInterval { metrics: vec![found.metric], reason: Some(found.reason.to_string()) });
    }
    if let [real, fake] = sets[..] {
        warnings.extend(of_pair(&done.scores, [real, fake]));
    }
    if let [real, fake] = inputs[..] {
        warnings.extend(unlike::of_pair(real, fake));
    }
    warnings.extend(inputs.iter().flat_map(|set| unlike::of_set(set)));
    if done.scores.iter().any(|(_, value)| value.cautions.contains(&Caution::SortedByClass)) {
        warnings.push(Warning::SortedByClass { set: name(&done.fake.measured.report) });
    }
    if done.scores.iter().any(|(_, value)| value.cautions.contains(&Caution::NoCommonClass)) {
        warnings.push(Warning::NoCommonClass);
    }
    warnings.extend(sets.iter().filter_map(|set| not_cached(&set.report, set.not_cached.as_deref())));
    warnings.extend(sets.iter().filter_map(|set| pixel_range(&set.report)));
    warnings.extend(sets.iter().filter_map(|set| batch_dependent(&set.report)));
    warnings.extend(class_scores(done, &sets));
    warnings.extend(of_network(done.extractor.as_ref(), &sets));
    warnings.extend(sets.iter().filter_map(|set| skipped(&set.report)));
    warnings.extend(sets.iter().filter_map(|set| passed_over(&set.report)));
    warnings.extend(sets.iter().filter_map(|set| unused_statistics(&set.report)));
    warnings
}

/// All warnings of scores of images in memory.
pub(super) fn in_memory(run: &Evaluator, scores: &Scores) -> Vec<Warning> {
    let measured = |report: SetReport| Measured {
        data: SetData::default(),
        provenance: report.provenance.clone(),
        rows: Vec::new(),
        digests: BTreeSet::new(),
        report,
        not_cached: None,
    };
    let sets: Vec<Measured> = Set::BOTH.into_iter().filter_map(|set| run.set_report(set)).map(measured).collect();
    let sets: Vec<&Measured> = sets.iter().collect();
    let of_pair = match sets[..] {
        [real, fake] => of_pair(scores, [real, fake]),
        _ => Vec::new(),
    };
    let skipped = sets.iter().filter_map(|set| skipped(&set.report));
    of_pair.into_iter().chain(of_network(Some(run.network().info()), &sets)).chain(skipped).collect()
}

/// Warnings of what turned the images into features, in this run or in the one that wrote the files.
fn of_network(extractor: Option<&ExtractorInfo>, sets: &[&Measured]) -> Vec<Warning> {
    let of_files = || sets.iter().find_map(|set| Some(set.provenance.as_ref()?.extractor.clone()));
    let name = extractor.map(|info| info.name.clone()).or_else(of_files);
    let slow = extractor.is_some_and(|info| info.engine.name == "tract").then_some(Warning::Tract);
    let own = name.filter(|name| *name != ExtractorId::InceptionV3.to_string());
    slow.into_iter().chain(own.map(|name| Warning::OwnExtractor { name })).collect()
}

/// Beyond this, a value is not one of a hyperbolic tangent, whatever its last bits.
const BEYOND_TANH: f32 = 1.05;

/// The warning of values that were assumed to be from −1 to 1.
fn pixel_range(set: &SetReport) -> Option<Warning> {
    let generator = set.generator.as_ref().filter(|found| found.pixel_range_source == RangeSource::Assumed)?;
    let values @ [least, greatest] = generator.values;
    let is_unlike = !(-BEYOND_TANH..0.0).contains(&least) || greatest > BEYOND_TANH;
    is_unlike.then(|| Warning::PixelRange { set: name(set), values })
}

/// The warning of a generator that looks at a batch as a whole.
fn batch_dependent(set: &SetReport) -> Option<Warning> {
    let relative = set.generator.as_ref()?.batch_dependence?;
    Some(Warning::BatchDependent { set: name(set), relative })
}

/// Numbers of classes of networks for ImageNet: its own, with one for the background, and Inception's.
const IMAGENET_CLASSES: [usize; 3] = [1000, 1001, 1008];

/// The warning of features that are class scores, where a score looks at features.
fn class_scores(done: &Evaluated, sets: &[&Measured]) -> Option<Warning> {
    let info = done.extractor.as_ref()?;
    let looks_at_features = |set| {
        let needs = done.plan.request.needs(set);
        needs.contains(&Need::Features) || needs.contains(&Need::Statistics)
    };
    if !Set::BOTH.into_iter().any(looks_at_features) {
        return None;
    }
    let dim = sets.iter().find_map(|set| {
        let of_features = set.data.features.as_ref().map(Features::dim);
        of_features.or_else(|| Some(set.data.statistics.as_ref()?.dim()))
    })?;
    let also_logits = info.logits_output.as_ref() == Some(&info.features_output);
    let is_known = ExtractorId::ALL.iter().any(|id| id.to_string() == info.name);
    let is_one = also_logits || IMAGENET_CLASSES.contains(&dim) && !is_known;
    is_one.then(|| Warning::ClassScores { output: info.features_output.clone(), dim, also_logits })
}

/// The warning of images that were left out.
pub(super) fn skipped(set: &SetReport) -> Option<Warning> {
    let census = set.provenance.as_ref().and_then(|provenance| provenance.census.as_ref());
    // A file of features tells how many were left out when it was written.
    let count = census.map_or(0, |census| census.left_out).max(set.skipped.len() as u64);
    (count > 0).then(|| Warning::Skipped { set: name(set), count })
}

/// The warning of images of formats that are not decoded.
pub(super) fn passed_over(set: &SetReport) -> Option<Warning> {
    let formats = set.passed_over.clone();
    (!formats.is_empty()).then(|| Warning::PassedOver { set: name(set), formats })
}

/// The warning of statistics beside images that were not looked at.
pub(super) fn unused_statistics(set: &SetReport) -> Option<Warning> {
    let files = set.unused_statistics;
    (files > 0).then(|| Warning::UnusedStatistics { set: name(set), files })
}

/// The warning of features that were not kept.
pub(super) fn not_cached(set: &SetReport, reason: Option<&str>) -> Option<Warning> {
    Some(Warning::NotCached { set: name(set), reason: reason?.to_owned() })
}

pub(super) fn name(set: &SetReport) -> String {
    set.path.display().to_string()
}

/// What to be careful about when two sets are compared.
fn of_pair(scores: &Scores, pair: [&Measured; 2]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let cautions = || scores.iter().flat_map(|(_, value)| value.cautions.iter().copied());
    // The Fréchet distance of the highest dimension wants the most images.
    let frechet = cautions().filter_map(|caution| match caution {
        Caution::FewImages { dim } => Some(dim),
        _ => None,
    });
    let frechet = frechet.max();
    for (which, set) in Set::BOTH.into_iter().zip(pair) {
        if let Some(dim) = frechet
            && !set.report.has_statistics_apart()
            && let Some(images) = set.report.images.filter(|&images| images < FEW_IMAGES.max(dim as u64))
        {
            warnings.push(Warning::FewImages { set: name(&set.report), images, dim });
        }
        if set.provenance.is_none() || set.report.has_statistics_apart() {
            warnings.push(Warning::UnknownProvenance { set: name(&set.report) });
        }
        warnings.extend(cautions().filter_map(|caution| match caution {
            Caution::Clipped { set: whose, eigenvalue } if whose == which => {
                Some(Warning::Clipped { set: name(&set.report), eigenvalue })
            }
            _ => None,
        }));
        // The balls of one score are smaller than those of another, and more of them are points.
        let copies = cautions().filter_map(|caution| match caution {
            Caution::Copies { set: whose, images } if whose == which => Some(images),
            _ => None,
        });
        let copies =
            copies.max().map(|images| Warning::Copies { set: name(&set.report), images, of: set.report.images });
        warnings.extend(copies);
    }
    if let (Some(ours), Some(theirs)) = (&pair[0].provenance, &pair[1].provenance) {
        let differences = ours.differences(theirs);
        if !differences.is_empty() {
            warnings.push(Warning::Incomparable { differences });
        }
    }
    if let [Some(real), Some(fake)] = pair.map(|set| set.report.images)
        && real != fake
        && cautions().any(|caution| caution == Caution::NumberOfImages)
    {
        warnings.push(Warning::UnequalNumbers { real, fake });
    }
    let rounding = cautions().find_map(|caution| match caution {
        Caution::Rounding { error } => Some(Warning::Rounding { error }),
        _ => None,
    });
    if pair[0].data.same_as(&pair[1].data) {
        warnings.push(Warning::IdenticalSets);
    } else {
        warnings.extend(rounding);
    }
    warnings
}
