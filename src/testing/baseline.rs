//! Scores beside the tests, and what is held against them.

use std::env;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::samples::Samples;
use crate::error::{Blame, Blamed};
use crate::image::ImageSource;
use crate::output::{Output, OutputError};
use crate::report::{Judgement, JudgementError, Recorded, RecordedError, Tolerance, Tolerances};
use crate::score::{ScoreNumber, Scores};

/// The environment variable that has baselines written instead of compared with, when it is `1`.
pub const BLESS: &str = "GAN_METRICS_BLESS";

/// Images that are kept of a set where nothing is said: a page of eight by eight.
const IMAGES: usize = 64;

/// Why scores cannot be held against a baseline.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// There is no baseline yet.
    #[error(
        "there is no baseline at {}: run the test once with the environment variable {BLESS}=1, look at the scores that it writes \
         there, and commit the file",
        path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The baseline cannot be read.
    #[error(transparent)]
    Recorded(#[from] RecordedError),
    /// The scores cannot be judged by it.
    #[error(transparent)]
    Judgement(#[from] JudgementError),
    /// Scores that failed, or none at all, would become the baseline.
    #[error("the scores cannot become a baseline: {reason}")]
    NotBlessed {
        /// What is wrong with them.
        reason: String,
    },
    /// The baseline, or an image, cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Blamed for BaselineError {
    fn blame(&self) -> Blame {
        match self {
            BaselineError::Recorded(error) => error.blame(),
            BaselineError::Judgement(error) => error.blame(),
            BaselineError::Output(error) => error.blame(),
            BaselineError::Missing { .. } | BaselineError::NotBlessed { .. } => Blame::Input,
        }
    }
}

/// The scores that samples must not fall behind, in a file.
///
/// The file is a JSON report: one that [`Self::assert`] wrote, or that of a run (`gan-metrics score --json`). Of the scores that are held
/// against it, their definitions and the number of generated images are compared too; the network that they were computed with is not
/// known to [`Scores`], and is for the test to keep the same.
#[derive(Debug, Clone)]
#[must_use = "a baseline does nothing until it is asserted"]
pub struct Baseline {
    path: PathBuf,
    tolerances: Tolerances,
    folder: Option<PathBuf>,
    most: usize,
}

impl Baseline {
    /// The scores in a file. Tests run in the folder of the package's `Cargo.toml`, from which a relative path starts.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), tolerances: Tolerances::default(), folder: None, most: IMAGES }
    }

    /// How much worse each number may be; [`Tolerance::STANDARD`] where nothing is said, which takes intervals of both.
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerances = self.tolerances.all(tolerance);
        self
    }

    /// How much worse one of the numbers may be.
    ///
    /// ```
    /// use gan_metrics::report::Tolerance;
    /// use gan_metrics::testing::Baseline;
    ///
    /// let baseline = Baseline::at("tests/baseline.json")
    ///     .tolerance(Tolerance::percent(2.0))
    ///     .tolerance_of("kid".parse()?, Tolerance::absolute(0.001));
    /// # let _ = baseline;
    /// # Ok::<(), gan_metrics::Error>(())
    /// ```
    pub fn tolerance_of(mut self, number: ScoreNumber, tolerance: Tolerance) -> Self {
        self.tolerances = self.tolerances.with(number, tolerance);
        self
    }

    /// Writes the images as PNG files into a folder when a number is worse. The folder is made where it does not exist; images that an
    /// earlier test left in it are removed, and nothing else. It is one test's own: tests run side by side.
    pub fn keep_images(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Keeps so many images at most, the first ones of the set, instead of 64.
    pub fn most_images(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Holds scores against the baseline, without a panic and without writing anything; `images` is the number of generated images.
    ///
    /// # Errors
    /// [`BaselineError`] when there is no baseline, it cannot be read, or the scores cannot be compared with it.
    pub fn judge(&self, scores: &Scores, images: usize) -> Result<Judgement, BaselineError> {
        let baseline = Recorded::read(&self.path).map_err(|error| match error {
            RecordedError::Io { source, path } if source.kind() == ErrorKind::NotFound => {
                BaselineError::Missing { path }
            }
            other => other.into(),
        })?;
        Ok(Judgement::of(&Recorded::of_scores(scores, images), &baseline, &self.tolerances)?)
    }

    /// Makes scores the baseline; `images` is the number of generated images.
    ///
    /// # Errors
    /// [`BaselineError`] when a score failed or there is none, or the file cannot be written; it is then as it was.
    pub fn bless(&self, scores: &Scores, images: usize) -> Result<(), BaselineError> {
        let recorded = Recorded::of_scores(scores, images);
        if let Some(failure) = recorded.failed().first() {
            let reason = format!("{} failed ({})", failure.score, failure.reason);
            return Err(BaselineError::NotBlessed { reason });
        }
        if recorded.numbers().len() == 0 {
            return Err(BaselineError::NotBlessed { reason: "there is no number among them".into() });
        }
        Ok(Output::claim(&self.path)?.write_all(recorded.to_json().as_bytes())?)
    }

    /// Fails the test when a number is worse than the baseline's by more than its tolerance. With `GAN_METRICS_BLESS=1` in the
    /// environment, it writes the baseline instead.
    ///
    /// `images` are the generated images that the scores are of: their number is compared, and with [`Self::keep_images`] they are
    /// kept when a number is worse.
    ///
    /// # Panics
    /// With a table of the numbers when one is worse or missing, and with the [`BaselineError`] when the scores cannot be compared.
    #[track_caller]
    pub fn assert(&self, scores: &Scores, images: &dyn ImageSource) {
        let is_to_bless = env::var_os(BLESS).is_some_and(|value| value == "1");
        if let Err(complaint) = self.outcome(scores, images, is_to_bless) {
            panic!("{complaint}");
        }
    }

    /// What [`Self::assert`] does; an error is what it panics with.
    fn outcome(&self, scores: &Scores, images: &dyn ImageSource, is_to_bless: bool) -> Result<(), String> {
        let samples = self.folder.as_deref().map(Samples::of);
        if is_to_bless {
            return self.bless(scores, images.len()).map_err(|error| error.to_string());
        }
        let judgement = self.judge(scores, images.len()).map_err(|error| error.to_string())?;
        // What an earlier test left would be taken for the samples of this one.
        let removed = samples.as_ref().map_or(Ok(()), Samples::remove);
        if judgement.passed() {
            return removed.map_err(|error| error.to_string());
        }
        let kept = samples.map(|samples| removed.and_then(|()| samples.keep(images, self.most)));
        let kept = match kept {
            None => String::new(),
            Some(Ok(kept)) => format!("{kept}\n"),
            Some(Err(error)) => format!("the images could not be kept: {error}\n"),
        };
        Err(format!(
            "the samples are worse than those of {}\n{}{kept}if that is meant to be, run the test once with {BLESS}=1",
            self.path.display(),
            judgement.to_text()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{RgbImage, decode};
    use crate::interrupt::Interrupt;
    use crate::score::{Request, SetData, score};
    use crate::stats::{Features, Gaussian};
    use ndarray::Array2;
    use std::fs;

    /// Scores of two sets of 30 images, of which the generated one is off by so much.
    fn scores(shift: f32) -> Scores {
        let set = |shift: f32, turn: f32| {
            let values = Array2::from_shape_fn((30, 3), |(i, j)| ((7 * i + 3 * j) as f32 * turn).sin() + shift);
            let features = Features::new(values).unwrap();
            SetData {
                statistics: Some(Gaussian::of(&features).unwrap()),
                features: Some(features),
                ..SetData::default()
            }
        };
        let request = Request::of(["fid", "mmd"]).unwrap();
        score(&request, Some(&set(0.0, 0.37)), &set(shift, 0.53), &Interrupt::new()).unwrap()
    }

    fn images(n: u8) -> Vec<RgbImage> {
        (0..n).map(|level| RgbImage::new(1, 1, vec![level; 3]).unwrap()).collect()
    }

    #[test]
    fn what_was_blessed_passes_and_what_is_worse_fails_with_its_images() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("baseline.json"), folder.path().join("new/bad"));
        let baseline = Baseline::at(&path).tolerance(Tolerance::percent(5.0)).keep_images(&kept).most_images(3);
        let missing = baseline.outcome(&scores(0.5), &images(5), false).unwrap_err();
        assert!(missing.contains("there is no baseline at ") && missing.contains("GAN_METRICS_BLESS=1"), "{missing}");
        assert!(!path.exists());

        baseline.outcome(&scores(0.5), &images(5), true).unwrap();
        baseline.outcome(&scores(0.5), &images(5), false).unwrap();
        baseline.outcome(&scores(0.1), &images(5), false).unwrap();
        assert!(!kept.exists(), "better samples leave nothing");

        let complaint = baseline.outcome(&scores(1.0), &images(5), false).unwrap_err();
        for part in [
            "\nfid ",
            "WORSE\n",
            "FAILED: worse than the baseline: fid, mmd",
            "\n3 of the 5 images are in ",
            "GAN_METRICS_BLESS=1",
        ] {
            assert!(complaint.contains(part), "`{part}` is not in:\n{complaint}");
        }
        let last = decode(&fs::read(kept.join("sample-00002.png")).unwrap()).unwrap();
        assert_eq!(last.pixels(), [2; 3]);
        fs::write(kept.join("sample-mine.png"), b"").unwrap();
        // Samples that are good again leave none of the bad ones, and touch nothing else.
        baseline.outcome(&scores(0.5), &images(5), false).unwrap();
        let left: Vec<_> = fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["sample-mine.png"]);
        // Other numbers of images are not compared.
        let complaint = baseline.outcome(&scores(0.5), &images(4), false).unwrap_err();
        assert!(complaint.contains("images of the fake set: 4 in the run, 5 in the baseline"), "{complaint}");
    }

    #[test]
    #[should_panic(expected = "the samples are worse than those of")]
    fn an_assertion_panics() {
        let folder = tempfile::tempdir().unwrap();
        let baseline = Baseline::at(folder.path().join("baseline.json")).tolerance(Tolerance::absolute(0.0));
        baseline.bless(&scores(0.1), 1).unwrap();
        baseline.assert(&scores(0.2), &images(1));
    }

    #[test]
    fn what_says_nothing_does_not_become_a_baseline() {
        let folder = tempfile::tempdir().unwrap();
        let baseline = Baseline::at(folder.path().join("baseline.json"));
        let error = baseline.bless(&Scores::default(), 1).unwrap_err();
        assert_eq!(error.to_string(), "the scores cannot become a baseline: there is no number among them");
        let failed = score(&Request::of(["fid"]).unwrap(), None, &SetData::default(), &Interrupt::new()).unwrap();
        let error = baseline.bless(&failed, 1).unwrap_err().to_string();
        assert!(error.starts_with("the scores cannot become a baseline: fid failed ("), "{error}");
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    }

    #[test]
    fn the_tolerance_of_a_number_goes_before_that_of_all() {
        let folder = tempfile::tempdir().unwrap();
        let baseline = Baseline::at(folder.path().join("baseline.json")).tolerance(Tolerance::percent(0.0));
        baseline.bless(&scores(0.5), 9).unwrap();
        let lenient = ["fid", "mmd"].into_iter().fold(baseline.clone(), |baseline, name| {
            baseline.tolerance_of(name.parse().unwrap(), Tolerance::absolute(1e3))
        });
        assert!(!baseline.judge(&scores(0.6), 9).unwrap().passed());
        // That of all others has no effect then, and is refused.
        assert!(matches!(
            lenient.judge(&scores(0.6), 9),
            Err(BaselineError::Judgement(JudgementError::UnusedOthers { .. }))
        ));
    }
}
