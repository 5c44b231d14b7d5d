//! An engine on a thread of its own, so that its caller prepares the next batch and reduces the last one meanwhile.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use ndarray::{ArrayD, ArrayViewD};

use super::engine::{Engine, EngineError, EngineInfo};

/// Batches that can be with an engine at a time: the one that it runs, and the next. With fewer it would wait for its
/// caller between two batches; more would take memory and gain nothing.
pub const BATCHES_IN_FLIGHT: usize = 2;

type Outputs = Result<Vec<ArrayD<f32>>, EngineError>;

/// A batch on its way to the engine.
struct Job {
    shape: Vec<usize>,
    values: Vec<f32>,
    reply: Sender<Outputs>,
    /// Gone when nobody waits for the outputs any more.
    wanted: Weak<()>,
}

/// The outputs of a batch, to come.
pub(super) struct Pending {
    outputs: Receiver<Outputs>,
    _wanted: Arc<()>,
}

impl Pending {
    /// Waits for them.
    pub(super) fn wait(self) -> Outputs {
        self.outputs.recv().expect("every batch that is wanted is answered")
    }
}

/// The thread of an engine.
pub(super) struct Worker {
    info: EngineInfo,
    /// `None` when no more batches come.
    jobs: Option<Sender<Job>>,
    /// Buffers of batches that are done with, of which there are [`BATCHES_IN_FLIGHT`] in all.
    free: Receiver<Vec<f32>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start(engine: Box<dyn Engine>) -> Result<Self, EngineError> {
        let info = engine.info().clone();
        let (jobs, receiver) = channel();
        let (done, free) = sync_channel(BATCHES_IN_FLIGHT);
        for _ in 0..BATCHES_IN_FLIGHT {
            done.send(Vec::new()).expect("its receiver is here");
        }
        let thread = thread::Builder::new()
            .name(info.name.clone())
            .spawn(move || work(engine, &receiver, &done))
            .map_err(|source| EngineError::Thread { source })?;
        Ok(Self { info, jobs: Some(jobs), free, thread: Some(thread) })
    }

    /// What runs, and where.
    pub(super) fn info(&self) -> &EngineInfo {
        &self.info
    }

    /// Hands over a batch of that shape, which `fill` writes into an empty buffer. Waits while there are
    /// [`BATCHES_IN_FLIGHT`] already.
    pub(super) fn submit(&mut self, shape: Vec<usize>, fill: impl FnOnce(&mut Vec<f32>)) -> Pending {
        let mut values = self.free.recv().expect("the thread returns the buffer of every batch");
        values.clear();
        fill(&mut values);
        let (reply, outputs) = channel();
        let wanted = Arc::new(());
        let job = Job { shape, values, reply, wanted: Arc::downgrade(&wanted) };
        let jobs = self.jobs.as_ref().expect("it is there until the end");
        jobs.send(job).unwrap_or_else(|_| unreachable!("the thread takes batches until the end"));
        Pending { outputs, _wanted: wanted }
    }
}

impl Drop for Worker {
    /// Waits for the batch that runs; those that nobody waits for are not begun.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It catches the panics of the engine, so that it has none.
            let _ = thread.join();
        }
    }
}

/// Runs batches until no more come.
fn work(mut engine: Box<dyn Engine>, jobs: &Receiver<Job>, free: &SyncSender<Vec<f32>>) {
    let mut broken: Option<String> = None;
    for Job { shape, values, reply, wanted } in jobs {
        if wanted.strong_count() > 0 {
            // An engine that panicked may be half-way through anything: it is not run again.
            let outputs = match &broken {
                None => catch_unwind(AssertUnwindSafe(|| run(&mut *engine, &shape, &values))).unwrap_or_else(|panic| {
                    let reason = broken.insert(reason_of(&*panic)).clone();
                    Err(EngineError::Panicked { engine: engine.info().name.clone(), reason })
                }),
                Some(reason) => {
                    Err(EngineError::Panicked { engine: engine.info().name.clone(), reason: reason.clone() })
                }
            };
            // Its ticket may have been dropped meanwhile.
            let _ = reply.send(outputs);
        }
        // There is room for every buffer; at the end nobody takes them any more.
        let _ = free.send(values);
    }
}

fn run(engine: &mut dyn Engine, shape: &[usize], values: &[f32]) -> Outputs {
    engine.run(&[ArrayViewD::from_shape(shape, values).expect("a batch has the values of its shape")])
}

fn reason_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|&text| text.to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason was given".into())
}

#[cfg(test)]
mod tests {
    use super::super::engine::ShortBatches;
    use super::*;
    use crate::error::{Blame, Blamed};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Doubles its input; panics at −1 and fails at −2. Each batch waits for a permit where there are permits.
    struct Doubling {
        info: EngineInfo,
        permits: Option<Mutex<Receiver<()>>>,
        runs: Arc<AtomicUsize>,
        buffers: Arc<Mutex<Vec<usize>>>,
    }

    impl Doubling {
        fn new() -> Self {
            let info = EngineInfo {
                name: "doubling".into(),
                version: "0".into(),
                provider: "cpu".into(),
                library: None,
                reason: None,
            };
            Self { info, permits: None, runs: Arc::default(), buffers: Arc::default() }
        }
    }

    impl Engine for Doubling {
        fn info(&self) -> &EngineInfo {
            &self.info
        }

        fn short_batches(&self) -> ShortBatches {
            ShortBatches::AsTheyAre
        }

        fn run(&mut self, batch: &[ArrayViewD<'_, f32>]) -> Outputs {
            let batch = &batch[0];
            if let Some(permits) = &self.permits {
                permits.lock().unwrap().recv().unwrap();
            }
            self.runs.fetch_add(1, Ordering::Relaxed);
            self.buffers.lock().unwrap().push(batch.as_ptr() as usize);
            match batch[[0, 0]] {
                -1.0 => panic!("provoked by a test"),
                -2.0 => Err(EngineError::Shape { output: "doubled".into(), got: vec![], batch: 1 }),
                _ => Ok(vec![batch * 2.0]),
            }
        }
    }

    fn submit(worker: &mut Worker, value: f32) -> Pending {
        worker.submit(vec![1, 1], |values| values.push(value))
    }

    fn value(outputs: Outputs) -> f32 {
        outputs.unwrap()[0][[0, 0]]
    }

    #[test]
    fn outputs_are_those_of_their_batch_in_whatever_order_they_are_asked_for() {
        let mut worker = Worker::start(Box::new(Doubling::new())).unwrap();
        for round in 0..20 {
            let round = round as f32;
            let (first, second) = (submit(&mut worker, round), submit(&mut worker, round + 0.5));
            assert_eq!((value(second.wait()), value(first.wait())), (2.0 * round + 1.0, 2.0 * round));
        }
    }

    #[test]
    fn two_batches_are_in_flight_and_their_buffers_are_used_again() {
        let (permit, permits) = channel();
        let engine = Doubling { permits: Some(Mutex::new(permits)), ..Doubling::new() };
        let buffers = engine.buffers.clone();
        let mut worker = Worker::start(Box::new(engine)).unwrap();
        // Neither has run when both are submitted: submitting does not wait for the engine.
        let mut flight: Vec<_> = (0..BATCHES_IN_FLIGHT).map(|index| submit(&mut worker, index as f32)).collect();
        for next in BATCHES_IN_FLIGHT..10 {
            permit.send(()).unwrap();
            assert_eq!(value(flight.remove(0).wait()), 2.0 * (next - BATCHES_IN_FLIGHT) as f32);
            flight.push(submit(&mut worker, next as f32));
        }
        for pending in flight {
            permit.send(()).unwrap();
            pending.wait().unwrap();
        }
        drop(worker);
        let mut buffers = Arc::into_inner(buffers).unwrap().into_inner().unwrap();
        assert_eq!(buffers.len(), 10);
        buffers.sort_unstable();
        buffers.dedup();
        assert_eq!(buffers.len(), BATCHES_IN_FLIGHT);
    }

    #[test]
    fn an_error_concerns_its_batch_and_a_panic_all_that_follow() {
        let mut worker = Worker::start(Box::new(Doubling::new())).unwrap();
        let (failed, fine) = (submit(&mut worker, -2.0), submit(&mut worker, 3.0));
        assert!(matches!(failed.wait(), Err(EngineError::Shape { .. })));
        assert_eq!(value(fine.wait()), 6.0);
        let (panicked, after) = (submit(&mut worker, -1.0), submit(&mut worker, 3.0));
        for pending in [panicked, after, submit(&mut worker, 3.0)] {
            let error = pending.wait().unwrap_err();
            assert_eq!(error.blame(), Blame::Bug);
            assert_eq!(error.to_string(), "doubling panicked: provoked by a test");
        }
    }

    #[test]
    fn what_nobody_waits_for_is_not_begun() {
        let (permit, permits) = channel();
        let engine = Doubling { permits: Some(Mutex::new(permits)), ..Doubling::new() };
        let runs = engine.runs.clone();
        let mut worker = Worker::start(Box::new(engine)).unwrap();
        let (first, second) = (submit(&mut worker, 1.0), submit(&mut worker, 2.0));
        drop(second);
        permit.send(()).unwrap();
        assert_eq!(value(first.wait()), 2.0);
        drop(worker);
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_batch_that_is_waited_for_outlives_its_worker() {
        let mut worker = Worker::start(Box::new(Doubling::new())).unwrap();
        let pending = submit(&mut worker, 4.0);
        drop(worker);
        assert_eq!(value(pending.wait()), 8.0);
    }
}
