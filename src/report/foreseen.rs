//! What the report of a run will say, as far as it is known before the run.

use serde::Serialize;

use super::SCHEMA;
use super::recorded::Recorded;
use crate::evaluate::{Evaluation, Input, NetworkPlan, OnBadImage, Preparation, SetReport};
use crate::extractor::Pooling;
use crate::score::Scores;

/// The fields of a report that are known, by the names that they have there.
#[derive(Serialize)]
struct Foreseen<'a> {
    schema: u32,
    metrics: &'a Scores,
    extractor: Option<Extractor<'a>>,
    preparation: Option<Preparation>,
    sets: Vec<SetReport>,
}

/// Of [`ExtractorInfo`](crate::extractor::ExtractorInfo), what does not depend on the engine.
#[derive(Serialize)]
struct Extractor<'a> {
    name: &'a str,
    model_sha256: &'a str,
    features_output: &'a str,
    logits_output: Option<&'a str>,
    pooling: Option<Pooling>,
}

impl Recorded {
    /// The sets and the network of a report that is to be made, without any score: what makes it incomparable with another one is
    /// known before the work.
    pub fn foreseen(evaluation: &Evaluation) -> Self {
        let network = evaluation.network();
        // How many images are left out is not known.
        let may_skip = network.is_some_and(|network| network.pass().on_bad_image == OnBadImage::Skip);
        let sets: Vec<SetReport> = evaluation
            .inputs()
            .map(|input| {
                let (kind, provenance) = match input {
                    Input::Features(_, file, _) => ("features", file.provenance.clone()),
                    Input::Statistics(_, file, _) => ("statistics", file.provenance.clone()),
                    Input::Images(_) | Input::Batch(_) | Input::ToGenerate(_) | Input::Generated(..) => {
                        ("images", None)
                    }
                };
                let images = input.count().filter(|_| !(may_skip && input.holds_images()));
                SetReport { provenance, ..SetReport::of(input.path(), kind, images.map(|images| images as u64)) }
            })
            .collect();
        let extractor = network.map(NetworkPlan::model).map(|model| Extractor {
            name: &model.name,
            model_sha256: &model.sha256,
            features_output: &model.features_output,
            logits_output: model.logits_output.as_deref(),
            pooling: model.pooling,
        });
        let (scores, preparation) = (Scores::default(), network.map(NetworkPlan::preparation));
        Self::reread(&Foreseen { schema: SCHEMA, metrics: &scores, extractor, preparation, sets })
    }
}
