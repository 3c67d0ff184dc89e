//! What a machine's GPUs said at one instant: a value or the reason for its absence in every slot.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::absent::Absent;
use super::event::Events;
use super::metric::{HostMetric, Layout, Metric, ProcessMetric, Slot};
use super::unit::Unit;

/// One reading: the value or why there is none, and when it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The value in the metric's unit.
    pub value: Result<f64, Absent>,
    /// When it was read, in microseconds of the source's monotonic clock.
    pub at_us: u64,
}

/// The readings of one GPU, one for each slot of its layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    layout: Layout,
    readings: Vec<Reading>,
}

impl Values {
    /// Every slot absent for the same reason.
    #[must_use]
    pub fn absent(layout: Layout, why: Absent, at_us: u64) -> Self {
        Self { layout, readings: vec![Reading { value: Err(why), at_us }; layout.len()] }
    }

    /// The layout of the slots.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The reading of a metric that has one value; of a fan's, the first fan.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Reading {
        self.readings[self.layout.slots_of(metric).start]
    }

    /// The value of a metric that has one.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        self.get(metric).value.ok()
    }

    /// Every instance of a metric.
    #[must_use]
    pub fn instances(&self, metric: Metric) -> &[Reading] {
        &self.readings[self.layout.slots_of(metric)]
    }

    /// Every instance of a metric, to be written.
    pub fn instances_mut(&mut self, metric: Metric) -> &mut [Reading] {
        &mut self.readings[self.layout.slots_of(metric)]
    }

    /// Every slot with its reading, in table order.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, Reading)> + '_ {
        self.layout.slots().zip(self.readings.iter().copied())
    }

    /// Every reading in table order, to be written.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Reading> {
        self.readings.iter_mut()
    }

    /// Makes every slot absent and leaves the times as they are, which then tell when each was last read.
    pub fn forget(&mut self, why: Absent) {
        for reading in &mut self.readings {
            reading.value = Err(why);
        }
    }
}

/// How a GPU is to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuState {
    /// It answers.
    Live,
    /// Runtime power management has suspended it, and it is left alone.
    Asleep {
        /// Microseconds since it fell asleep, or was first seen to sleep.
        age_us: u64,
        /// Whether it was asleep already when it was first seen.
        at_least: bool,
    },
    /// It was idle or is awake only for a moment, and is left alone so that it can sleep.
    LetGo {
        /// Microseconds since it is left alone.
        age_us: u64,
    },
    /// It has missed two ticks; `call` is the NVML function it is in, if any.
    Stale {
        /// Microseconds since it last answered.
        age_us: u64,
        /// The function that is being called.
        call: Option<Cow<'static, str>>,
    },
    /// One call has taken five seconds.
    Stuck {
        /// Microseconds since the call began.
        age_us: u64,
        /// The function that is being called.
        call: Cow<'static, str>,
    },
    /// NVML knows it and does not give it to this user.
    Refused {
        /// Why.
        why: Absent,
    },
    /// NVML says that it is off the bus.
    Lost {
        /// Microseconds since it was found lost.
        age_us: u64,
    },
}

impl GpuState {
    /// The state as JSON spells it.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Asleep { .. } => "asleep",
            Self::LetGo { .. } => "let_go",
            Self::Stale { .. } => "stale",
            Self::Stuck { .. } => "stuck",
            Self::Refused { .. } => "refused",
            Self::Lost { .. } => "lost",
        }
    }

    /// Whether the GPU should have answered and did not.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        !matches!(self, Self::Live | Self::Asleep { .. } | Self::LetGo { .. })
    }

    /// Microseconds since the GPU fell asleep, was let go of, last answered, was called or was found lost, where that is
    /// known.
    #[must_use]
    pub fn age_us(&self) -> Option<u64> {
        match self {
            Self::Live | Self::Asleep { at_least: true, .. } | Self::Refused { .. } => None,
            Self::Asleep { age_us, at_least: false }
            | Self::LetGo { age_us }
            | Self::Stale { age_us, .. }
            | Self::Stuck { age_us, .. }
            | Self::Lost { age_us } => Some(*age_us),
        }
    }

    /// The NVML function that the GPU is in, where it is known.
    #[must_use]
    pub fn call(&self) -> Option<&str> {
        match self {
            Self::Stale { call, .. } => call.as_deref(),
            Self::Stuck { call, .. } => Some(call),
            Self::Live
            | Self::Asleep { .. }
            | Self::LetGo { .. }
            | Self::Refused { .. }
            | Self::Lost { .. } => None,
        }
    }
}

/// Of a GPU that slept when it was first seen nothing is told that is shorter than this.
const WORTH_TELLING_US: u64 = 60_000_000;

/// What is the matter, to stand after the name of the GPU: `stuck in nvmlDeviceGetTemperatureV for 12 s`.
impl fmt::Display for GpuState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |age_us: u64| Unit::Seconds.show(age_us as f64 / 1e6);
        let text = match self {
            Self::Live => "live",
            Self::Asleep { age_us, at_least: true } if *age_us < WORTH_TELLING_US => {
                "asleep, and left to sleep"
            }
            Self::Asleep { age_us, at_least: true } => {
                return write!(f, "asleep for at least {}", show(*age_us));
            }
            Self::Asleep { .. } => "asleep",
            Self::LetGo { age_us } => {
                return write!(f, "let go for {}, so that it can sleep", show(*age_us));
            }
            Self::Stale { call: None, .. } => "not answering",
            Self::Stale { call: Some(_), .. } => "not answering in ",
            Self::Stuck { .. } => "stuck in ",
            Self::Refused { why } => return write!(f, "not to be had: {}", why.sentence()),
            Self::Lost { .. } => "off the bus",
        };
        write!(f, "{text}{}", self.call().unwrap_or_default())?;
        match self.age_us() {
            Some(age_us) => write!(f, " for {}", show(age_us)),
            None => Ok(()),
        }
    }
}

/// One GPU at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuSample {
    /// How it is to be reached.
    pub state: GpuState,
    /// Its readings.
    pub values: Values,
}

/// In which of NVML's process lists a process stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessKinds {
    /// It has a compute context.
    pub compute: bool,
    /// It has a graphics context.
    pub graphics: bool,
    /// It computes through an MPS server.
    pub mps: bool,
}

impl ProcessKinds {
    /// The kinds as nvidia-smi writes them: `C`, `G`, `C+G`, `M`.
    #[must_use]
    pub fn letters(self) -> &'static str {
        match (self.compute, self.graphics, self.mps) {
            (true, true, true) => "C+G+M",
            (true, true, false) => "C+G",
            (true, false, true) => "C+M",
            (false, true, true) => "G+M",
            (true, false, false) => "C",
            (false, true, false) => "G",
            (false, false, true) => "M",
            (false, false, false) => "-",
        }
    }
}

/// What the host knows of a process, for as long as it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// When it started, in seconds since 1970.
    pub start_unix_s: u64,
    /// The user it runs as.
    pub user_id: u32,
    /// That user's name, where there is one.
    pub user: Option<Arc<str>>,
    /// The kernel's short name for it.
    pub name: Arc<str>,
    /// Its command line, arguments joined by spaces; its short name in brackets where it has none.
    pub command: Arc<str>,
}

/// A process on one GPU; on several GPUs it is there several times.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// Which of the inventory's GPUs, by position.
    pub gpu: usize,
    /// In which lists it stands.
    pub kinds: ProcessKinds,
    /// MIG GPU instance it runs in.
    pub gpu_instance: Option<u32>,
    /// MIG compute instance it runs in.
    pub compute_instance: Option<u32>,
    /// Its numbers.
    pub values: [Result<f64, Absent>; ProcessMetric::COUNT],
    /// Who it is.
    pub identity: Result<Arc<ProcessIdentity>, Absent>,
}

impl Process {
    /// One of its numbers, or why it is absent.
    pub fn get(&self, metric: ProcessMetric) -> Result<f64, Absent> {
        self.values[metric as usize]
    }
}

/// Something that could not be had, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleError {
    /// Which of the inventory's GPUs it is about, by position.
    pub gpu: Option<usize>,
    /// What happened and what to do.
    pub message: String,
}

/// A machine at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The generation of the inventory that this sample fills.
    pub generation: u64,
    /// When the sample was closed, in microseconds since 1970, for people.
    pub unix_us: u64,
    /// The same instant on the source's monotonic clock, for differences.
    pub monotonic_us: u64,
    /// One for each GPU of the inventory, in its order.
    pub gpus: Vec<GpuSample>,
    /// The processes on the GPUs, by GPU and pid.
    pub processes: Vec<Process>,
    /// The machine's own numbers.
    pub host: [Result<f64, Absent>; HostMetric::COUNT],
    /// What could not be had.
    pub errors: Vec<SampleError>,
    /// What happened since the sample before.
    pub events: Events,
}

impl Sample {
    /// One of the machine's own numbers, or why it is absent.
    pub fn host(&self, metric: HostMetric) -> Result<f64, Absent> {
        self.host[metric as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::GpuState;

    #[test]
    fn trouble_reads_as_a_sentence() {
        let call = "nvmlDeviceGetTemperatureV";
        let stuck = GpuState::Stuck { age_us: 12_300_000, call: call.into() };
        assert_eq!(stuck.to_string(), "stuck in nvmlDeviceGetTemperatureV for 12 s");
        let stale = GpuState::Stale { age_us: 2_000_000, call: None };
        assert_eq!(stale.to_string(), "not answering for 2 s");
        let lost = GpuState::Lost { age_us: 61_000_000 };
        assert_eq!(lost.to_string(), "off the bus for 1:01");
        let asleep = |age_us, at_least| GpuState::Asleep { age_us, at_least }.to_string();
        assert_eq!(asleep(61_000_000, false), "asleep for 1:01");
        assert_eq!(asleep(61_000_000, true), "asleep for at least 1:01");
        assert_eq!(asleep(2_000_000, true), "asleep, and left to sleep");
        let let_go = GpuState::LetGo { age_us: 61_000_000 };
        assert_eq!(let_go.to_string(), "let go for 1:01, so that it can sleep");
    }
}
