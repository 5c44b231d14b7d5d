//! What paths alone do not tell of the sets.

use std::path::{Path, PathBuf};

use clap::Args;

use super::network::{ExtractArgs, NoEffect, OnBadImageArg, first_given};
use crate::cli::numbers::whole;
use crate::error::{Blame, Blamed};
use crate::evaluate::{Input, has_array};
use crate::extractor::parse_range;
use crate::image::{Choice, DataSet, Reading, Unreadable};

/// What paths alone do not tell of the sets.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadingArgs {
    /// Array of an .npz file to read images or features from, if the file has one of that name; statistics beside it are
    /// then not used. For a .pkl file with several sets of statistics, the one to take, such as fd_dinov2.
    #[arg(long, value_name = "NAME", help_heading = "Images")]
    pub array: Option<String>,
    /// Values of black and white in arrays of floating-point numbers, such as 0,1, and in the output of a generator [default
    /// for a generator: as the file says, else -1,1].
    #[arg(long, value_name = "BLACK,WHITE", allow_hyphen_values = true, value_parser = parse_pixel_range)]
    #[arg(help_heading = "Images")]
    pub pixel_range: Option<[f32; 2]>,
    /// Take only this many images of each set, chosen at random.
    #[arg(long, value_name = "N", value_parser = whole(1..=u32::MAX), help_heading = "Images")]
    pub num: Option<u32>,
    /// Seed of the choice: the same seed takes the same images [default: 0].
    #[arg(long, value_name = "SEED", requires = "num", value_parser = whole(0..=u32::MAX), help_heading = "Images")]
    pub num_seed: Option<u32>,
}

/// An array that no file has.
#[derive(Debug, thiserror::Error)]
#[error(
    "--array {0} would have no effect: no .npz file that was given has an array of that name, and no .pkl file statistics"
)]
pub struct NoSuchArray(String);

impl Blamed for NoSuchArray {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

/// Images are to be chosen of a set that is measured already.
#[derive(Debug, thiserror::Error)]
#[error(
    "--num has nothing to choose from in {}, which holds {what} of all its images: {}", path.display(),
    if *has_images { "give the images alone with --array arr_0, or drop --num" } else { "give its images, or drop --num" }
)]
pub struct NothingToChoose {
    path: PathBuf,
    what: &'static str,
    has_images: bool,
}

impl Blamed for NothingToChoose {
    fn blame(&self) -> Blame {
        Blame::Input
    }
}

impl ReadingArgs {
    /// How sets are read; `extract` says what is done about bad images.
    pub fn reading(&self, extract: &ExtractArgs) -> Reading {
        let unreadable = match extract.on_bad_image {
            Some(OnBadImageArg::Skip) => Unreadable::Listed,
            Some(OnBadImageArg::Stop) | None => Unreadable::Refused,
        };
        let choice = self.num.map(|images| Choice { images: images as usize, seed: self.num_seed.unwrap_or_default() });
        Reading { array: self.array.clone(), pixel_range: self.pixel_range, unreadable, choice }
    }

    /// Refuses an array that none of the files has.
    pub fn check_array<'a>(&self, mut paths: impl Iterator<Item = &'a Path>) -> Result<(), NoSuchArray> {
        match &self.array {
            Some(name) if !paths.any(|path| has_array(path, name)) => Err(NoSuchArray(name.clone())),
            _ => Ok(()),
        }
    }

    /// Refuses a range where no set that was opened has floating-point numbers.
    pub fn check_range<'a, T: MayBeFloat + 'a>(&self, mut sets: impl Iterator<Item = &'a T>) -> Result<(), NoEffect> {
        let unused = self.pixel_range.is_some() && !sets.any(MayBeFloat::is_float);
        first_given(
            &[("--pixel-range", unused)],
            "it is for images that are floating-point numbers, and for --generator; none was given",
        )
    }

    /// Refuses a choice of images where a set that was opened has nothing to choose from. Of images that are to be generated there are as
    /// many as are asked for.
    pub fn check_num<'a>(&self, mut sets: impl Iterator<Item = &'a Input>) -> Result<(), NothingToChoose> {
        let is_whole = |input: &&Input| !input.holds_images() || input.has_statistics_apart();
        match sets.find(is_whole).filter(|_| self.num.is_some()) {
            Some(input) => Err(NothingToChoose {
                path: input.path().to_owned(),
                what: match input {
                    Input::Features(..) => "features",
                    _ => "statistics",
                },
                has_images: input.holds_images(),
            }),
            None => Ok(()),
        }
    }

    /// Refuses whatever was given, for a run that reads no set.
    pub fn refuse(&self) -> Result<(), NoEffect> {
        let flags = [
            ("--array", self.array.is_some()),
            ("--pixel-range", self.pixel_range.is_some()),
            ("--num", self.num.is_some()),
        ];
        first_given(&flags, "it is for sets that are read, and none is")
    }
}

/// A set whose images may be floating-point numbers.
pub trait MayBeFloat {
    /// Whether they are.
    fn is_float(&self) -> bool;
}

impl MayBeFloat for DataSet {
    fn is_float(&self) -> bool {
        self.is_float()
    }
}

impl MayBeFloat for Input {
    fn is_float(&self) -> bool {
        matches!(self, Input::ToGenerate(_)) || self.images().is_some_and(DataSet::is_float)
    }
}

/// The values of black and white.
pub fn parse_pixel_range(text: &str) -> Result<[f32; 2], String> {
    parse_range(text).ok_or_else(|| "expected two numbers that differ, such as -1,1 or 0,1".into())
}
