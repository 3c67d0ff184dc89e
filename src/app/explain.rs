//! What there is to say about each number of a tab: the lines of `i`.

use std::borrow::Cow;

use crate::model::{Absent, HostMetric, MetricSpec, ProcessMetric, Reading, Slot};
use crate::source::{host, nvml};

use super::state::{Panel, State, Tab};

/// A number that can be explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// Whose it is.
    pub of: Subject,
    /// Its value, or why there is none.
    pub value: Result<f64, Absent>,
    /// Microseconds since it was read, where that is known.
    pub age_us: Option<u64>,
}

/// Whose number it is, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The selected GPU's.
    Gpu(Slot),
    /// The selected process's.
    Process(ProcessMetric),
    /// The machine's.
    Host(HostMetric),
}

impl Subject {
    /// The row of the number's table.
    #[must_use]
    pub fn spec(self) -> &'static MetricSpec {
        match self {
            Self::Gpu(slot) => slot.metric.spec(),
            Self::Process(metric) => metric.spec(),
            Self::Host(metric) => metric.spec(),
        }
    }

    /// Where it comes from: NVML's functions and fields, or files.
    #[must_use]
    pub fn origin(self) -> Cow<'static, str> {
        match self {
            Self::Gpu(slot) => nvml::asks(slot.metric).into(),
            Self::Process(metric) => nvml::asks_of_process(metric).into(),
            Self::Host(metric) => host::file_of(metric).into(),
        }
    }

    /// Its key in JSON.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Gpu(slot) => slot.key().into_owned(),
            Self::Process(_) | Self::Host(_) => self.spec().id.to_owned(),
        }
    }
}

impl State {
    /// The numbers of what is selected here: those of the GPU, or of the process, and behind them the machine's.
    #[must_use]
    pub fn explained(&self) -> Vec<Explained> {
        let Some((_, sample)) = self.shown() else { return Vec::new() };
        let of_process = match self.tab {
            Tab::Processes => true,
            Tab::Overview => self.focus == Panel::Processes && self.lists_processes(),
            _ => false,
        };
        let host = HostMetric::ALL.iter().map(|metric| Explained {
            of: Subject::Host(*metric),
            value: sample.host(*metric),
            age_us: Some(0),
        });
        let own = if of_process { self.of_process() } else { self.of_gpu(sample.monotonic_us) };
        own.into_iter().chain(host).collect()
    }

    fn of_process(&self) -> Vec<Explained> {
        let processes = self.sorted_processes();
        let selected = self.processes.row(processes.len()).and_then(|row| processes.get(row));
        let of = |metric: &ProcessMetric| Explained {
            of: Subject::Process(*metric),
            value: selected.map_or(Err(Absent::NotFound), |process| process.get(*metric)),
            age_us: None,
        };
        ProcessMetric::ALL.iter().map(of).collect()
    }

    fn of_gpu(&self, now_us: u64) -> Vec<Explained> {
        let of = |(slot, reading): (Slot, Reading)| Explained {
            of: Subject::Gpu(slot),
            value: reading.value,
            age_us: Some(now_us.saturating_sub(reading.at_us)),
        };
        self.gpu_numbers().into_iter().map(of).collect()
    }
}
