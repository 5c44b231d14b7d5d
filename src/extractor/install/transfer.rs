//! One answer of a server, received on a thread of its own: a read that waits for a silent server cannot be interrupted,
//! but the wait for the thread can.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::checkpoint::{Checkpoint, Mismatch};
use crate::interrupt::Interrupt;

/// How often the interrupt is asked while the server is silent.
const INTERVAL: Duration = Duration::from_millis(100);

/// Chunks that may wait to be written.
const QUEUE: usize = 4;

/// Why an address did not give the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There is no connection, or none that works.
    #[error("{0}")]
    Connection(String),
    /// The server answered with an error.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The server was silent for too long.
    #[error("the server was silent for {patience:?}")]
    Silent {
        /// How long it may be.
        patience: Duration,
    },
    /// The connection ended in the middle.
    #[error("the connection ended after {done} of {total} bytes")]
    BrokeOff {
        /// Bytes that have arrived.
        done: u64,
        /// Bytes of the file.
        total: u64,
    },
    /// The answer may be a file of any length, so that none of it is kept.
    #[error("the server does not say how long the file is")]
    NoLength,
    /// The server goes on from elsewhere.
    #[error("asked for what follows byte {asked}, the server answered with `{range}`")]
    Range {
        /// Where the answer should begin.
        asked: u64,
        /// Its header.
        range: String,
    },
    /// It is another file: the login page of a network, for example.
    #[error("it {0}")]
    OtherFile(Mismatch),
    /// What arrived in several parts is not the file; the parts are dropped.
    #[error("what arrived in parts {0}")]
    Parts(Mismatch),
}

impl AddressError {
    /// Whether the address has another file, so that trying it again is of no use.
    pub(super) fn is_other_file(&self) -> bool {
        matches!(self, AddressError::OtherFile(_) | AddressError::NoLength)
    }
}

/// Why a transfer ended early.
pub(super) enum TransferError {
    /// The address is at fault.
    Address(AddressError),
    /// It was asked to stop.
    Interrupted,
}

/// What the thread sends.
enum Event {
    /// The answer has the right length, and begins with this byte of the file.
    Accepted { start: u64 },
    /// The next bytes.
    Bytes(Vec<u8>),
}

/// A transfer in progress. When it is dropped, its thread ends with the next bytes, or when its patience does.
pub(super) struct Transfer {
    events: Receiver<Result<Event, AddressError>>,
}

impl Transfer {
    /// Asks for the bytes of the published file that follow the first `done`.
    pub(super) fn start(url: &str, done: u64, checkpoint: &Checkpoint, patience: Duration) -> Self {
        let (sender, events) = sync_channel(QUEUE);
        let (url, checkpoint, failed) = (url.to_owned(), checkpoint.clone(), sender.clone());
        let thread = thread::Builder::new().name("download".into()).spawn(move || {
            if let Err(error) = receive(&url, done, &checkpoint, patience, &sender) {
                // Nobody may be listening any more.
                let _ = sender.send(Err(error));
            }
        });
        if let Err(error) = thread {
            let _ = failed.send(Err(AddressError::Connection(error.to_string())));
        }
        Self { events }
    }

    /// Waits for an answer of the right length; gives the byte of the file that it begins with, which is 0 where the
    /// server cannot resume.
    pub(super) fn accepted(&self, interrupt: &Interrupt) -> Result<u64, TransferError> {
        match self.receive(interrupt)? {
            Some(Event::Accepted { start }) => Ok(start),
            Some(Event::Bytes(_)) | None => {
                Err(TransferError::Address(AddressError::Connection("the transfer ended without an answer".into())))
            }
        }
    }

    /// The next bytes; `None` at the end.
    pub(super) fn next(&self, interrupt: &Interrupt) -> Result<Option<Vec<u8>>, TransferError> {
        Ok(self.receive(interrupt)?.and_then(|event| match event {
            Event::Bytes(bytes) => Some(bytes),
            Event::Accepted { .. } => None,
        }))
    }

    fn receive(&self, interrupt: &Interrupt) -> Result<Option<Event>, TransferError> {
        loop {
            interrupt.check().map_err(|_| TransferError::Interrupted)?;
            match self.events.recv_timeout(INTERVAL) {
                Ok(event) => return event.map(Some).map_err(TransferError::Address),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// The thread's work: sends the answer piece by piece, until nobody listens.
fn receive(
    url: &str,
    done: u64,
    checkpoint: &Checkpoint,
    patience: Duration,
    sender: &SyncSender<Result<Event, AddressError>>,
) -> Result<(), AddressError> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_resolve(Some(patience))
        .timeout_connect(Some(patience))
        .timeout_per_read(Some(patience))
        .http_status_as_error(false)
        .user_agent(concat!("gan-metrics/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut request = agent.get(url);
    if done > 0 {
        request = request.header("Range", format!("bytes={done}-"));
    }
    let response = request.call().map_err(|error| address_error(error, patience))?;
    let start = accept(&response, done, checkpoint)?;
    if sender.send(Ok(Event::Accepted { start })).is_err() {
        return Ok(());
    }
    let mut body = response.into_body().into_reader().take(checkpoint.bytes - start);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let failed = |error| address_error(ureq::Error::from(error), patience);
        let read = body.read(&mut buffer).map_err(failed)?;
        if read == 0 || sender.send(Ok(Event::Bytes(buffer[..read].to_vec()))).is_err() {
            return Ok(());
        }
    }
}

fn address_error(error: ureq::Error, patience: Duration) -> AddressError {
    match error {
        ureq::Error::Timeout(_) => AddressError::Silent { patience },
        other => AddressError::Connection(other.to_string()),
    }
}

/// The byte of the file that an answer begins with, if it can be the published file by its length.
fn accept<B>(response: &ureq::http::Response<B>, done: u64, checkpoint: &Checkpoint) -> Result<u64, AddressError> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let (start, length) = match response.status().as_u16() {
        206 => {
            let range = header("Content-Range").unwrap_or_default();
            let unusable = || AddressError::Range { asked: done, range: range.into() };
            // bytes 5-20/21
            let (range, length) =
                range.strip_prefix("bytes ").and_then(|range| range.split_once('/')).ok_or_else(unusable)?;
            let start = range.split_once('-').and_then(|(start, _)| start.parse().ok());
            (start.filter(|&start: &u64| start == done).ok_or_else(unusable)?, length.parse().ok())
        }
        // A server that does not resume sends everything.
        200 => (0, header("Content-Length").and_then(|length| length.parse().ok())),
        status => return Err(AddressError::Status(status)),
    };
    checkpoint.check_length(length.ok_or(AddressError::NoLength)?).map_err(AddressError::OtherFile)?;
    Ok(start)
}
