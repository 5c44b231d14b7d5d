//! What the library says in its own words, in the words of the command line: the flag that helps.

use crate::Error;
use crate::evaluate::cache::CacheError;
use crate::evaluate::{BoundError, EvaluateError, PartialError};
use crate::extractor::{EngineChoice, EngineError, ModelError, ModelSetting, OnnxGeneratorError};
use crate::gan::systems::player;
use crate::gan::train::CollapseWarning;
use crate::image::DataSetError;
use crate::metrics::{InceptionScoreError, MetricError};
use crate::report::{ComparabilityError, JudgementError, RecordedError};
use crate::score::{Metric, Need, PlanError};
use crate::stats::StatsFileError;

/// How the flags of a score's parameters are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flags {
    /// `--subset-size`, in the command of that score.
    Plain,
    /// `--kid-subset-size`, among those of many scores.
    Prefixed,
    /// There are none.
    Missing,
}

/// The command that was typed, with the network that is built in, where it takes that one.
pub type OwnCommand<'a> = dyn Fn() -> Option<String> + 'a;

/// The flag that helps with an error, if one does.
pub fn of(error: &Error, flags: Flags, built_in: &OwnCommand<'_>) -> Option<String> {
    if let Some(EvaluateError::Image(_)) = error.downcast_ref() {
        return Some("to go on without such images, use --on-bad-image skip".into());
    }
    if let Some(CacheError::TooLarge { .. }) = error.downcast_ref() {
        return Some("raise the limit with --cache-limit".into());
    }
    if let Some(BoundError { number, left_out: None }) = error.downcast_ref() {
        return Some(format!("add {} to --metrics", number.metric().about().name));
    }
    if let Some(JudgementError::NoStandardError { .. }) = error.downcast_ref() {
        return Some("give the tolerance with --tolerance; make reports with intervals by `score --ci 95`".into());
    }
    if let Some(RecordedError::OtherFile { .. }) = error.downcast_ref() {
        return Some("`score --json -o FILE` makes such a report".into());
    }
    if let Some(PartialError::Incomplete { .. }) = error.downcast_ref() {
        return Some("put all parts of the set together with `gan-metrics merge`".into());
    }
    if let Some(DataSetError::DeadLink { .. } | DataSetError::UnreadableFile { .. }) = error.downcast_ref() {
        return Some("to go on without such images, use --on-bad-image skip".into());
    }
    if let Some(DataSetError::UnknownRange { .. }) = error.downcast_ref() {
        return Some("give the values of black and white with --pixel-range, such as 0,1 or -1,1".into());
    }
    if let Some(DataSetError::NoArray { .. }) = error.downcast_ref() {
        return Some("name the array with --array".into());
    }
    if let Some(StatsFileError::Several { .. }) = error.downcast_ref() {
        return Some("name one with --array; `stats FILE --array NAME -o x.npz` writes it alone".into());
    }
    if let Some(hint) = of_network(error, built_in) {
        return Some(hint);
    }
    if let Some(ComparabilityError::Incomparable { .. }) = error.downcast_ref() {
        return Some(
            "how much each of these usually moves a score: `gan-metrics explain`, with the same reports".into(),
        );
    }
    match error.downcast_ref()? {
        PlanError::Score { metric, reason } => of_score(*metric, reason, flags),
        PlanError::NoInterval { .. } => Some("the intervals were asked for with --ci".into()),
        _ => None,
    }
}

/// Of a network, a generator, and the engine that runs them.
fn of_network(error: &Error, built_in: &OwnCommand<'_>) -> Option<String> {
    match (error.downcast_ref(), error.downcast_ref(), error.downcast_ref()) {
        (Some(EvaluateError::Engine(error)), ..) | (_, Some(OnnxGeneratorError::Engine(error)), _) => of_engine(error),
        (_, Some(OnnxGeneratorError::Model(error)), _) | (.., Some(error)) => of_model(error, built_in),
        (_, Some(OnnxGeneratorError::Classes { .. }), _) => Some("give it with --generator-classes".into()),
        (_, Some(OnnxGeneratorError::NoLabels { .. }), _) => Some("drop --generator-classes".into()),
        (_, Some(OnnxGeneratorError::Range { .. }), _) => Some("give them with --pixel-range, such as -1,1".into()),
        (_, Some(OnnxGeneratorError::Bytes { .. }), _) => Some("drop --pixel-range".into()),
        (_, Some(OnnxGeneratorError::Latent { .. }), _) => Some("give it with --latent, such as normal:100".into()),
        _ => of_engine(error.downcast_ref()?),
    }
}

fn of_engine(error: &EngineError) -> Option<String> {
    let hint = match error {
        EngineError::NoLibrary { .. } => {
            "name the library with --ort-library, or use the built-in engine with --engine tract"
        }
        EngineError::Device { engine: EngineChoice::Tract, .. } => "use --engine onnxruntime, or --device cpu",
        EngineError::Device { .. } => "choose another with --device",
        EngineError::Model { engine: EngineChoice::Tract, .. } => "ONNX Runtime may take it: --engine onnxruntime",
        EngineError::Model { .. } => "export it in float32; the built-in engine may take it as it is: --engine tract",
        EngineError::BatchSize { fixed, .. } => {
            return Some(format!("leave --batch-size out, or use --batch-size {fixed}"));
        }
        EngineError::Axes { .. } => POOLING,
        _ => return None,
    };
    Some(hint.into())
}

/// How to go on without the weights of inception-v3.
fn of_weights(built_in: Option<String>) -> String {
    let mut ways = vec![
        ("gan-metrics model install inception-v3".to_owned(), "downloads them (91 MiB)"),
        (
            "gan-metrics model install inception-v3 --from FILE".to_owned(),
            "takes your copy of pt_inception-2015-12-05-6726825d.pth",
        ),
    ];
    ways.extend(built_in.map(|command| {
        (command, "uses the built-in network, now; its scores are its own, not comparable with published FIDs")
    }));
    let way = |(index, (command, what)): (usize, (String, &str))| format!("\n  {}. {command}\n     {what}", index + 1);
    let ways: String = ways.into_iter().enumerate().map(way).collect();
    format!("ways to go on:{ways}")
}

fn of_model(error: &ModelError, built_in: &OwnCommand<'_>) -> Option<String> {
    match error {
        ModelError::NotInstalled { .. } => Some(of_weights(built_in())),
        ModelError::Damaged { .. } => Some("remove it with `gan-metrics model remove inception-v3`".into()),
        ModelError::NotPublished { .. } => Some("use it as a custom network with --model".into()),
        ModelError::NoLayers { .. } => {
            Some("--layer is for inception-v3; an output is named with --features-output".into())
        }
        ModelError::Shape { setting, .. } => Some(format!("leave {} out, or change it", flag(*setting))),
        ModelError::Unnormalized { setting, .. } => Some(format!("change or drop {}", flag(*setting))),
        ModelError::Scale { .. } => {
            Some("give them with --mean and --std; --mean imagenet --std imagenet are ImageNet's".into())
        }
        ModelError::Normalization { .. } => Some("give them with --mean and --std".into()),
        ModelError::ManyRows { .. } => Some(POOLING.into()),
        ModelError::Pooling { no_effect: true, .. } => Some("drop --pooling".into()),
        ModelError::Pooling { .. } => Some(POOLING.into()),
        ModelError::NoSuchName { setting, .. } => Some(format!("name one with {}", flag(*setting))),
        ModelError::Unspecified { setting, .. } => Some(format!("give it with {}", flag(*setting))),
        _ => None,
    }
}

/// The flags that a warning of a training run speaks of.
pub fn of_collapse(warning: &CollapseWarning) -> &'static str {
    match warning {
        CollapseWarning::Won { .. } => "--critic-learning-rate, --regularizer r1, --objective wasserstein-gp",
        CollapseWarning::VanishingGradient { player: player::GENERATOR, .. } => {
            "--objective non-saturating, --objective wasserstein-gp"
        }
        CollapseWarning::VanishingGradient { .. } => "--objective, --learning-rate",
        CollapseWarning::Exploding { .. } => "--learning-rate, --clip-norm, --objective",
        CollapseWarning::LowDiversity { .. } => "--learning-rate, --batch-size, --objective wasserstein-gp",
    }
}

/// How features of many rows an image become one.
const POOLING: &str = "choose with --pooling spatial-mean, token-mean, first-token or flatten, or name another output with --features-output";

/// The flag that says of a custom network what its file leaves open.
fn flag(setting: ModelSetting) -> &'static str {
    match setting {
        ModelSetting::Size => "--input-size",
        ModelSetting::Layout => "--layout",
        ModelSetting::Mean => "--mean",
        ModelSetting::Std => "--std",
        ModelSetting::Input => "--input-name",
        ModelSetting::Features => "--features-output",
        ModelSetting::Layer => "--layer",
        ModelSetting::Logits => "--logits-output",
    }
}

fn of_score(metric: Metric, reason: &MetricError, flags: Flags) -> Option<String> {
    let parameter = match reason {
        MetricError::Missing { need: Need::Logits, .. } => return Some("name the output with --logits-output".into()),
        MetricError::Missing { need: Need::Spatial, .. } => {
            return Some("feature files hold them when written with `features --spatial`".into());
        }
        MetricError::TooFew { parameter, .. } => (*parameter)?,
        MetricError::InceptionScore(InceptionScoreError::Splits { .. }) => "splits",
        MetricError::InceptionScore(InceptionScoreError::Deviation { .. }) => "ddof",
        _ => return None,
    };
    match flags {
        Flags::Plain => Some(format!("change it with --{parameter}")),
        Flags::Prefixed => Some(format!("change it with --{}-{parameter}", metric.about().name)),
        Flags::Missing => None,
    }
}
