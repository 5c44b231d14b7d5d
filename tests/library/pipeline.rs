//! A pass with a network that works beside it: batches in flight, the order of what comes of them, and how it stops.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gan_metrics::Interrupt;
use gan_metrics::evaluate::{
    EvaluateError, FeatureSink, GatherError, PassObserver, PassOptions, PassSummary, Portion, run,
};
use gan_metrics::extractor::{
    BATCHES_IN_FLIGHT, Channels, EngineError, EngineInfo, Extraction, ExtractorInfo, FeatureExtractor, InputSpec,
    Layout, Normalization, Number, Ticket,
};
use gan_metrics::image::{ImageError, ImageSource, ResizeMode, RgbImage};
use gan_metrics::stats::Features;
use ndarray::{ArrayView4, s};

/// Images of one grey each, which is their index; it counts how many were loaded.
struct Greys {
    images: usize,
    bad: Option<usize>,
    loaded: Arc<AtomicUsize>,
}

impl Greys {
    fn new(images: usize) -> Self {
        Self { images, bad: None, loaded: Arc::default() }
    }
}

impl ImageSource for Greys {
    fn len(&self) -> usize {
        self.images
    }

    fn name(&self, index: usize) -> Cow<'_, str> {
        format!("grey {index}").into()
    }

    fn load(&self, index: usize) -> Result<RgbImage, ImageError> {
        self.loaded.fetch_add(1, Ordering::SeqCst);
        match self.bad {
            Some(bad) if bad == index => Err(ImageError::OutOfRange { index, len: bad }),
            _ => Ok(RgbImage::new(2, 2, vec![index as u8; 12]).unwrap()),
        }
    }
}

/// The grey of each image, which is known when `ready` says so, with the number of batches that were submitted by then.
struct Beside {
    info: ExtractorInfo,
    batch_size: usize,
    poison: Option<f32>,
    in_flight: Arc<AtomicUsize>,
    most_in_flight: usize,
    submitted: usize,
    ready: Arc<dyn Fn(usize) + Send + Sync>,
}

impl Beside {
    fn new(batch_size: usize) -> Self {
        let engine = EngineInfo {
            name: "test".into(),
            version: "0".into(),
            provider: "cpu".into(),
            library: None,
            reason: None,
        };
        let info = ExtractorInfo {
            name: "greys".into(),
            model_sha256: String::new(),
            features_output: "grey".into(),
            logits_output: None,
            spatial_output: None,
            pooling: None,
            engine,
        };
        let (in_flight, ready) = (Arc::default(), Arc::new(|_| ()));
        Self { info, batch_size, poison: None, in_flight, most_in_flight: 0, submitted: 0, ready }
    }
}

impl FeatureExtractor for Beside {
    fn info(&self) -> &ExtractorInfo {
        &self.info
    }

    fn input(&self) -> &InputSpec {
        const NORMALIZATION: Normalization = Normalization::uniform(0.0, 1.0);
        &InputSpec {
            width: 2,
            height: 2,
            layout: Layout::Nchw,
            normalization: NORMALIZATION,
            channels: Channels::Rgb,
            number: Number::Float32,
        }
    }

    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn extract(&mut self, images: ArrayView4<'_, f32>) -> Result<Extraction, EngineError> {
        let greys = images.slice(s![.., ..1, 0, 0]);
        let greys = greys.mapv(|grey| if Some(grey) == self.poison { f32::NAN } else { grey });
        let failed = |source| EngineError::Output { output: "grey".into(), source };
        Ok(Extraction { features: Features::new(greys).map_err(failed)?, logits: None, spatial: None })
    }

    fn submit(&mut self, images: ArrayView4<'_, f32>) -> Ticket {
        let outcome = self.extract(images);
        self.most_in_flight = self.most_in_flight.max(1 + self.in_flight.fetch_add(1, Ordering::SeqCst));
        self.submitted += 1;
        let (in_flight, ready, batch) = (self.in_flight.clone(), self.ready.clone(), self.submitted);
        Ticket::new(move || {
            ready(batch);
            in_flight.fetch_sub(1, Ordering::SeqCst);
            outcome
        })
    }
}

/// Keeps the indices and the greys that it is given.
#[derive(Default)]
struct Kept(Vec<(usize, f32)>);

impl FeatureSink for Kept {
    fn take(&mut self, indices: &[usize], extraction: Extraction) -> Result<(), GatherError> {
        self.0.extend(indices.iter().copied().zip(extraction.features.view().iter().copied()));
        Ok(())
    }
}

fn pass(
    images: &Greys,
    extractor: &mut dyn FeatureExtractor,
    (observer, interrupt): (&mut dyn PassObserver, &Interrupt),
) -> (Kept, Result<PassSummary, EvaluateError>) {
    let mut kept = Kept::default();
    let options = PassOptions::new(ResizeMode::Tf1);
    let outcome = run(&Portion::of(images), extractor, options, &mut kept, observer, interrupt);
    (kept, outcome)
}

#[test]
fn results_are_in_the_order_of_the_images_and_two_batches_are_in_flight() {
    let images = Greys::new(60);
    let mut extractor = Beside::new(2);
    // A batch is done when the third after it is being decoded: the two before that one then wait for the network.
    let (loaded, total) = (images.loaded.clone(), images.images);
    extractor.ready = Arc::new(move |batch| {
        while loaded.load(Ordering::SeqCst) < total.min(2 * (batch + 3)) {
            std::thread::yield_now();
        }
    });
    let (kept, outcome) = pass(&images, &mut extractor, (&mut (), &Interrupt::new()));
    assert_eq!(outcome.unwrap().images, 60);
    assert_eq!(kept.0, (0..60).map(|index| (index, index as f32)).collect::<Vec<_>>());
    assert_eq!(extractor.most_in_flight, BATCHES_IN_FLIGHT);
}

#[test]
fn an_extractor_that_only_extracts_gives_the_same() {
    struct Plain(Beside);
    impl FeatureExtractor for Plain {
        fn info(&self) -> &ExtractorInfo {
            self.0.info()
        }
        fn input(&self) -> &InputSpec {
            self.0.input()
        }
        fn batch_size(&self) -> usize {
            self.0.batch_size()
        }
        fn extract(&mut self, images: ArrayView4<'_, f32>) -> Result<Extraction, EngineError> {
            self.0.extract(images)
        }
    }
    for batch_size in [1, 3, 7, 64] {
        let images = Greys::new(20);
        let (beside, first) = pass(&images, &mut Beside::new(batch_size), (&mut (), &Interrupt::new()));
        let (plain, second) = pass(&images, &mut Plain(Beside::new(batch_size)), (&mut (), &Interrupt::new()));
        assert_eq!((beside.0, first.unwrap().images), (plain.0, second.unwrap().images));
    }
}

#[test]
fn the_first_error_in_the_order_of_the_images_is_the_one_reported() {
    // The network fails on an image of the batch after that of the bad one, or of the batch before.
    let cases = [(5, "there is no image 5", 3), (9, "grey 7: output `grey`: row 1, column 0 holds NaN", 6)];
    for (bad, expected, before) in cases {
        let images = Greys { bad: Some(bad), ..Greys::new(30) };
        let mut extractor = Beside { poison: Some(7.0), ..Beside::new(3) };
        let (kept, outcome) = pass(&images, &mut extractor, (&mut (), &Interrupt::new()));
        let message = outcome.unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
        assert_eq!(kept.0.len(), before, "what was before it reached the sink");
    }
}

#[test]
fn an_interrupt_stops_a_pass_within_a_batch_whatever_is_in_flight() {
    struct After(usize, Interrupt);
    impl PassObserver for After {
        fn images_done(&mut self, done: usize, _total: usize) {
            if done >= self.0 {
                self.1.request();
            }
        }
    }
    let interrupt = Interrupt::new();
    let mut observer = After(6, interrupt.clone());
    let (kept, outcome) = pass(&Greys::new(40), &mut Beside::new(2), (&mut observer, &interrupt));
    assert!(matches!(outcome, Err(EvaluateError::Interrupted { done: 6, total: 40 })), "{outcome:?}");
    assert_eq!(kept.0.len(), 6);
}
