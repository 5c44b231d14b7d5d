//! What discriminators give on top of their features.

use super::{MinibatchStatistic, ModelSpec, Tells, Wanted};
use crate::gan::layers::{Activation, Clamp, Linear, MinibatchDeviation, MinibatchDiscrimination};
use crate::gan::networks::{GraphBuilder, Source, name};
use crate::gan::objectives::CriticKind;

/// Length of an autoencoder's code: far fewer numbers than pixels, so that not everything passes.
pub(super) const CODE: usize = 32;

/// Kernels of minibatch discrimination and the length of the vectors that they compare.
const MINIBATCH: [usize; 2] = [32, 5];

/// Units between the features and a code that is told.
const HIDDEN: usize = 128;

/// Logarithms of variances are kept within these: beyond them a number is told as well as exactly, or not at all.
const LOG_VARIANCES: [f64; 2] = [-5.0, 5.0];

/// The features that heads stand on: also what is asked for of the batch.
pub(super) fn features(graph: &mut GraphBuilder, flat: Source, length: usize, spec: &ModelSpec) -> (Source, usize) {
    match spec.minibatch_statistic {
        None => (flat, length),
        Some(MinibatchStatistic::Deviation) => (graph.node(MinibatchDeviation, &[flat]), length + 1),
        Some(MinibatchStatistic::Discrimination) => {
            let [kernels, dimensions] = MINIBATCH;
            let with = graph.node(MinibatchDiscrimination { inputs: length, kernels, dimensions }, &[flat]);
            (with, length + kernels)
        }
    }
}

/// Gives the network its outputs but for an autoencoder's: features, the verdict where `logit` has not been made yet, and
/// what else is told.
pub(super) fn finish(
    graph: &mut GraphBuilder,
    (features, length): (Source, usize),
    logit: Option<Source>,
    spec: &ModelSpec,
    wanted: &Wanted<'_>,
) {
    graph.output(name::FEATURES, features);
    match wanted.critic {
        CriticKind::Logit => {
            let logit = logit.unwrap_or_else(|| graph.node(Linear::new(length, 1), &[features]));
            graph.output(name::LOGIT, logit);
        }
        CriticKind::Classes => {
            let classes = graph.node(Linear::new(length, spec.classes), &[features]);
            graph.output(name::CLASSES, classes);
        }
        CriticKind::Autoencoder => {}
    }
    match wanted.wish.tells {
        Tells::Nothing => {}
        Tells::Class => {
            let classes = graph.node(Linear::new(length, spec.classes), &[features]);
            graph.output(name::CLASSES, classes);
        }
        Tells::Code { numbers } => {
            let hidden = graph.chain(features, [Linear::new(length, HIDDEN).into(), Activation::LeakyRelu(0.1).into()]);
            let category = graph.node(Linear::new(HIDDEN, spec.classes), &[hidden]);
            let mean = graph.node(Linear::new(HIDDEN, numbers), &[hidden]);
            let [low, high] = LOG_VARIANCES;
            let log_variance = graph.chain(hidden, [Linear::new(HIDDEN, numbers).into(), Clamp { low, high }.into()]);
            graph.output(name::CLASSES, category).output(name::MEAN, mean).output(name::LOG_VARIANCE, log_variance);
        }
    }
}
