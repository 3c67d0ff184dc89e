//! Producers of samples. Everything above reads [`Snapshot`]s and does not know which producer made them.

mod clock;
pub mod demo;
pub mod host;
pub mod nvml;

use std::sync::Arc;
use std::time::Duration;

pub use clock::{Clock, ManualClock, SystemClock};

use crate::model::{Cost, Inventory, MetricSet, Sample, derive, leave_out};

/// A producer of samples. It may block for as long as the request allows, and is owned by one thread.
pub trait Source: Send {
    /// Takes one sample.
    ///
    /// # Errors
    /// When there is no driver to ask; a GPU that does not answer is no error but a state of its sample.
    fn sample(&mut self, request: &Request) -> Result<Snapshot, SourceError>;

    /// Reads GPUs that are left to sleep too, from the next sample on and for a while.
    fn wake(&mut self) {}
}

/// One sample together with the inventory that says what it is a sample of.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Shared by all samples of a generation.
    pub inventory: Arc<Inventory>,
    /// The sample.
    pub sample: Sample,
    /// What the samples cost until now; a demo asks no driver.
    pub cost: Option<Cost>,
}

/// What a sample shall hold and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Only these metrics of the GPUs are read.
    pub metrics: MetricSet,
    /// Whether the processes on the GPUs are read.
    pub processes: bool,
    /// How long to wait, and for what.
    pub patience: Patience,
}

/// How long a sample may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// One of a series: what is slow joins the next sample, with its own time.
    Tick {
        /// From one sample to the next.
        interval: Duration,
    },
    /// A single sample: everything is waited for, at most this long.
    Whole {
        /// After this time the GPUs that have not answered are left out.
        limit: Duration,
    },
    /// A single sample of what does not block: the rest says that it was left out.
    Quick {
        /// After this time the GPUs that have not answered are left out.
        limit: Duration,
    },
}

/// Why a source has no sample to give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No NVML library could be loaded.
    #[error("{0}")]
    NoLibrary(String),
    /// There is no NVML library in any of the usual places.
    #[error(
        "no NVML library found (tried {}); install the NVIDIA driver, or name its libnvidia-ml.so.1 with --nvml-lib",
        tried.join(", ")
    )]
    NothingFound {
        /// The places.
        tried: Vec<String>,
    },
    /// The library is there and the kernel driver is not.
    #[error("{0}")]
    NoDriver(String),
    /// The driver is there and cannot be used.
    #[error("{0}")]
    Driver(String),
    /// The driver is being opened, which may take seconds for each GPU.
    #[error("{0}")]
    Opening(String),
}

impl SourceError {
    /// The same without the places, for those who list them elsewhere.
    pub const NOTHING_FOUND: &str = "no NVML library found; install the NVIDIA driver, or name its libnvidia-ml.so.1 \
                                     with --nvml-lib";
}

/// A source with its previous sample, so that each sample has its rates.
pub struct Feed {
    source: Box<dyn Source>,
    previous: Option<Arc<Snapshot>>,
}

impl Feed {
    /// Starts with no previous sample.
    #[must_use]
    pub fn new(source: Box<dyn Source>) -> Self {
        Self { source, previous: None }
    }

    /// Reads GPUs that are left to sleep too, from the next sample on and for a while.
    pub fn wake(&mut self) {
        self.source.wake();
    }

    /// Takes one sample and derives its rates; of a quick one they are left out.
    ///
    /// # Errors
    /// Those of [`Source::sample`]; the next sample then starts anew.
    pub fn next(&mut self, request: &Request) -> Result<Arc<Snapshot>, SourceError> {
        let previous = self.previous.take();
        let previous = previous.as_ref().map(|before| (&*before.inventory, &before.sample));
        let mut snapshot = self.source.sample(request)?;
        let longest_gap_us = request.patience.longest_gap_us();
        derive(previous, &snapshot.inventory, &mut snapshot.sample, longest_gap_us);
        let mut snapshot = Arc::new(snapshot);
        self.previous = Some(snapshot.clone());
        if matches!(request.patience, Patience::Quick { .. }) {
            leave_out(&mut Arc::make_mut(&mut snapshot).sample);
        }
        Ok(snapshot)
    }
}

impl Patience {
    /// Readings further apart than this are not joined to a rate.
    fn longest_gap_us(self) -> u64 {
        let longest = match self {
            Self::Tick { interval } => interval.saturating_mul(3).max(Duration::from_secs(6)),
            Self::Whole { limit } | Self::Quick { limit } => limit * 3,
        };
        u64::try_from(longest.as_micros()).unwrap_or(u64::MAX)
    }
}
