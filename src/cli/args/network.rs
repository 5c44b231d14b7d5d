//! Which network sees the images, and how.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::numbers::whole;
use crate::error::{Blame, Blamed};
use crate::evaluate::{ModelChoice, NetworkChoice, OnBadImage};
use crate::extractor::{
    CustomModel, Device, EngineChoice, ExtractorId, FeatureLayer, Layout, NetworkOptions, Pooling, parse_triple,
};
use crate::image::ResizeMode;
use crate::score::Preset;

/// Which network sees the images, and how.
#[derive(Debug, Clone, Args)]
pub struct ExtractArgs {
    /// Network: inception-v3 (the scores of the literature) or efficientnet-lite0 (built in; its scores are not comparable
    /// with published ones).
    #[arg(long, value_name = "NAME", conflicts_with = "model", help_heading = "Network")]
    #[arg(value_parser = |text: &str| text.parse::<ExtractorId>())]
    pub extractor: Option<ExtractorId>,
    /// Layer of inception-v3 that serves as features: 64, 192, 768 or 2048 [default: 2048].
    #[arg(long, value_name = "LAYER", help_heading = "Network", conflicts_with = "features_output")]
    #[arg(value_parser = |text: &str| text.parse::<FeatureLayer>())]
    pub layer: Option<FeatureLayer>,
    /// A custom ONNX network.
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub model: Option<PathBuf>,
    /// Input size of --model: WIDTHxHEIGHT, or one number for a square.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Network")]
    pub input_size: Option<(u32, u32)>,
    /// Mean that --model subtracts, on the 0–255 scale: one number, R,G,B, or the name imagenet or clip.
    #[arg(long, value_name = "MEAN", value_parser = mean, help_heading = "Network")]
    pub mean: Option<[f32; 3]>,
    /// Standard deviation that --model divides by, on the 0–255 scale: one number, R,G,B, or the name imagenet or clip.
    #[arg(long, value_name = "STD", value_parser = std, help_heading = "Network")]
    pub std: Option<[f32; 3]>,
    /// Order of the axes of --model's input.
    #[arg(long, value_enum, help_heading = "Network")]
    pub layout: Option<LayoutArg>,
    /// Name of --model's input.
    #[arg(long, value_name = "NAME", help_heading = "Network")]
    pub input_name: Option<String>,
    /// Output of --model that serves as features.
    #[arg(long, value_name = "NAME", help_heading = "Network")]
    pub features_output: Option<String>,
    /// How features of many positions or tokens become one row per image: spatial-mean (N×C×H×W), token-mean or first-token
    /// (N×T×C), or flatten [default: the mean over positions; for tokens, one must be chosen].
    #[arg(long, value_name = "HOW", help_heading = "Network")]
    #[arg(value_parser = |text: &str| text.parse::<Pooling>())]
    pub pooling: Option<Pooling>,
    /// Output of --model that serves as logits.
    #[arg(long, value_name = "NAME", help_heading = "Network")]
    pub logits_output: Option<String>,
    /// How images are resized: tf1 (torch-fidelity, original TensorFlow; the default), torch (pytorch-fid) or clean
    /// (clean-fid).
    #[arg(long, value_name = "MODE", help_heading = "Images")]
    #[arg(value_parser = |text: &str| text.parse::<ResizeMode>())]
    pub resize: Option<ResizeMode>,
    /// What to do with an image that cannot be decoded [default: stop].
    #[arg(long, value_enum, help_heading = "Images")]
    pub on_bad_image: Option<OnBadImageArg>,
    /// What runs the network [default: auto].
    #[arg(long, value_enum, help_heading = "Engine")]
    pub engine: Option<EngineArg>,
    /// Where it runs: auto, cpu, cuda, cuda:N, tensorrt, openvino or coreml [default: auto].
    #[arg(long, help_heading = "Engine")]
    pub device: Option<Device>,
    /// Library file or folder of ONNX Runtime, instead of searching for it.
    #[arg(long, value_name = "PATH", help_heading = "Engine")]
    pub ort_library: Option<PathBuf>,
    /// Images in a batch [default: 16, or as many as --model takes].
    #[arg(long, value_name = "N", value_parser = whole(1..=u16::MAX), help_heading = "Engine")]
    pub batch_size: Option<u16>,
    /// Threads that the network runs on [default: all cores, of ONNX Runtime the physical ones].
    #[arg(long, value_name = "N", value_parser = whole(1..=u16::MAX), help_heading = "Engine")]
    pub threads: Option<u16>,
}

/// A flag that would have no effect.
#[derive(Debug, thiserror::Error)]
#[error("{flag} would have no effect: {reason}")]
pub struct NoEffect {
    /// The flag.
    pub flag: &'static str,
    /// Why.
    pub reason: &'static str,
}

impl Blamed for NoEffect {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// The first of some flags that was given.
pub fn first_given(flags: &[(&'static str, bool)], reason: &'static str) -> Result<(), NoEffect> {
    match flags.iter().find(|(_, given)| *given) {
        Some(&(flag, _)) => Err(NoEffect { flag, reason }),
        None => Ok(()),
    }
}

impl ExtractArgs {
    /// What describes a custom network, and whether it was given.
    fn of_model(&self) -> [(&'static str, bool); 8] {
        [
            ("--input-size", self.input_size.is_some()),
            ("--mean", self.mean.is_some()),
            ("--std", self.std.is_some()),
            ("--layout", self.layout.is_some()),
            ("--input-name", self.input_name.is_some()),
            ("--features-output", self.features_output.is_some()),
            ("--pooling", self.pooling.is_some()),
            ("--logits-output", self.logits_output.is_some()),
        ]
    }

    /// Refuses flags that no run could heed beside the others.
    pub fn check(&self) -> Result<(), NoEffect> {
        if self.model.is_none() {
            // Not by clap, which forgets what a flag requires where something present conflicts with that.
            first_given(&self.of_model(), "it describes a custom network: name one with --model")?;
        }
        if self.engine == Some(EngineArg::Tract) {
            let for_another = [("--ort-library", self.ort_library.is_some())];
            first_given(&for_another, "it is for ONNX Runtime, and --engine tract was asked for")?;
        }
        Ok(())
    }

    /// Refuses whatever was given, for a run in which no network looks at images.
    pub fn refuse(&self) -> Result<(), NoEffect> {
        let others = [
            ("--extractor", self.extractor.is_some()),
            ("--layer", self.layer.is_some()),
            ("--model", self.model.is_some()),
            ("--resize", self.resize.is_some()),
            ("--on-bad-image", self.on_bad_image.is_some()),
            ("--engine", self.engine.is_some()),
            ("--device", self.device.is_some()),
            ("--batch-size", self.batch_size.is_some()),
            ("--threads", self.threads.is_some()),
            ("--ort-library", self.ort_library.is_some()),
        ];
        let flags = [&others[..], &self.of_model()].concat();
        first_given(&flags, "no network runs, since nothing that was given holds images")
    }

    /// The files that a run reads besides its sets.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.model.iter().chain(&self.ort_library).map(PathBuf::as_path)
    }

    /// The network and how it is run, where nothing is said as the preset.
    pub fn choice(&self, preset: Preset) -> NetworkChoice {
        let standard = NetworkChoice::of(preset);
        let model = match &self.model {
            None => ModelChoice::Known(self.extractor.unwrap_or_default(), self.layer),
            Some(path) => ModelChoice::Custom(CustomModel {
                path: path.clone(),
                size: self.input_size,
                mean: self.mean,
                std: self.std,
                layout: self.layout.map(Into::into),
                input: self.input_name.clone(),
                features: self.features_output.clone(),
                pooling: self.pooling,
                logits: self.logits_output.clone(),
                layer: self.layer,
            }),
        };
        let on_bad_image = match self.on_bad_image {
            Some(OnBadImageArg::Skip) => OnBadImage::Skip,
            Some(OnBadImageArg::Stop) | None => OnBadImage::Stop,
        };
        let resize = self.resize.unwrap_or(standard.resize);
        NetworkChoice { model, resize, on_bad_image, options: self.options() }
    }

    /// How a network is run.
    pub fn options(&self) -> NetworkOptions {
        let standard = NetworkOptions::default();
        NetworkOptions {
            engine: self.engine.map_or(standard.engine, Into::into),
            device: self.device.unwrap_or(standard.device),
            batch_size: self.batch_size.map(Into::into),
            threads: self.threads.map(Into::into),
            library: self.ort_library.clone(),
            spatial: standard.spatial,
        }
    }
}

/// Order of the axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LayoutArg {
    /// Batch, channel, row, column.
    Nchw,
    /// Batch, row, column, channel.
    Nhwc,
}

impl From<LayoutArg> for Layout {
    fn from(layout: LayoutArg) -> Self {
        match layout {
            LayoutArg::Nchw => Layout::Nchw,
            LayoutArg::Nhwc => Layout::Nhwc,
        }
    }
}

/// What to do about a bad image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnBadImageArg {
    /// Stop with an error that names it and the reason.
    Stop,
    /// Go on without it, and report it.
    Skip,
}

/// What runs the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// ONNX Runtime if it is found, otherwise tract.
    Auto,
    /// ONNX Runtime or an error.
    Onnxruntime,
    /// The built-in engine: needs no installation, several times slower.
    Tract,
}

impl From<EngineArg> for EngineChoice {
    fn from(engine: EngineArg) -> Self {
        match engine {
            EngineArg::Auto => EngineChoice::Auto,
            EngineArg::Onnxruntime => EngineChoice::OnnxRuntime,
            EngineArg::Tract => EngineChoice::Tract,
        }
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| match text.parse::<u32>() {
        Ok(side) if (1..=8192).contains(&side) => Ok(side),
        _ => Err("expected WIDTHxHEIGHT or one number, 1 to 8192 pixels".to_owned()),
    };
    match text.split_once(['x', '×']) {
        Some((width, height)) => Ok((side(width)?, side(height)?)),
        None => side(text).map(|side| (side, side)),
    }
}

fn triple(text: &str) -> Result<[f32; 3], String> {
    let finite = parse_triple(text).filter(|triple| triple.iter().all(|value| value.is_finite()));
    finite.ok_or_else(|| "expected one finite number, or three separated by commas".into())
}

/// Statistics of data sets, on the 0–255 scale: name, mean, standard deviation.
const NAMED: [(&str, [f32; 3], [f32; 3]); 2] = [
    ("imagenet", [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
    ("clip", [122.770_935, 116.746_01, 104.093_735], [68.500_534, 66.632_16, 70.323_166]),
];

fn named(text: &str) -> Option<([f32; 3], [f32; 3])> {
    NAMED.into_iter().find(|(name, ..)| *name == text).map(|(_, mean, std)| (mean, std))
}

fn mean(text: &str) -> Result<[f32; 3], String> {
    named(text).map_or_else(|| triple(text), |(mean, _)| Ok(mean))
}

fn std(text: &str) -> Result<[f32; 3], String> {
    named(text).map_or_else(|| positive_triple(text), |(_, std)| Ok(std))
}

fn positive_triple(text: &str) -> Result<[f32; 3], String> {
    let positive = triple(text).ok().filter(|triple| triple.iter().all(|&value| value > 0.0));
    positive.ok_or_else(|| "expected one positive number, or three separated by commas".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_deviations_have_names() {
        assert_eq!(mean("imagenet"), Ok([0.485, 0.456, 0.406].map(|value: f64| (value * 255.0) as f32)));
        assert_eq!(std("imagenet"), Ok([0.229, 0.224, 0.225].map(|value: f64| (value * 255.0) as f32)));
        let (clip_mean, clip_std) =
            ([0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_54, 0.261_302_58, 0.275_777_11]);
        assert_eq!(mean("clip"), Ok(clip_mean.map(|value: f64| (value * 255.0) as f32)));
        assert_eq!(std("clip"), Ok(clip_std.map(|value: f64| (value * 255.0) as f32)));
        for text in ["inf", "nan", "0", "-1", "1,0,1", "1e39"] {
            assert!(std(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("299"), Ok((299, 299)));
        assert_eq!(size("224x160"), Ok((224, 160)));
        for text in ["0", "x", "224x", "10000", "-3"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
