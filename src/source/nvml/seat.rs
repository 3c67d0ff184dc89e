//! One GPU's place in a session: its reader while nobody reads, and what is known of it between the reports.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use super::device::Fate;
use super::events::{Listener, NvmlEvent};
use super::processes::GpuProcesses;
use super::reader::{Address, Pass, Reader, Tick};
use super::watch::{InCall, Watch};
use crate::model::{Absent, Fact, Gpu, GpuSample, GpuState, Values};
use crate::source::host::PciAddress;

/// A call that has not come back for this long is stuck.
const STUCK_US: u64 = 5_000_000;

/// One GPU's place.
pub(super) struct Seat {
    pub(super) gpu: Gpu,
    pub(super) address: Address,
    /// Where it sits, where some GPU is left alone.
    pub(super) pci: Option<PciAddress>,
    pub(super) stage: Stage,
    pub(super) watch: Arc<Watch>,
    /// The GPU's event set, which outlives its readers.
    pub(super) listener: Arc<Mutex<Listener>>,
    /// What NVML told that happened, and nobody has taken yet.
    pub(super) events: Vec<NvmlEvent>,
    /// Which types of events NVML tells of.
    listening: Fact<u64>,
    pub(super) processes: GpuProcesses,
    pub(super) fate: Fate,
    values: Values,
    /// When it last answered, on the source's monotonic clock.
    answered_us: u64,
    /// Whether it has answered since the tick before ended.
    answered: bool,
    /// Ticks in a row without an answer.
    missed: u32,
    /// Since when it is off the bus or refused.
    pub(super) lost_since_us: Option<u64>,
}

/// How far it is with the GPU.
pub(super) enum Stage {
    /// It is to be found, for the first time or anew.
    Unfound,
    /// It is left alone, for this is its state, and looked for when something else has woken it.
    Resting(GpuState),
    /// It can be read.
    Free(Box<Reader>),
    /// It was ordered to be read; the readings of the tick are still to come.
    Reading,
    /// The readings of the tick are there; what is slow is still to come.
    Finishing,
    /// It cannot be had.
    Refused(Absent),
}

impl Seat {
    pub(super) fn new(gpu: Gpu, address: Address, pci: Option<PciAddress>, now_us: u64) -> Self {
        Self {
            values: Values::absent(gpu.layout, Absent::NotReadYet, now_us),
            gpu,
            address,
            pci,
            stage: Stage::Unfound,
            watch: Arc::default(),
            listener: Arc::default(),
            events: Vec::new(),
            listening: Err(Absent::NotReadYet),
            processes: GpuProcesses::default(),
            fate: Fate::Answers,
            answered_us: now_us,
            answered: false,
            missed: 0,
            lost_since_us: None,
        }
    }

    /// Takes back a pass that nobody began.
    pub(super) fn take_back(&mut self, pass: Pass) {
        self.stage = match pass {
            Pass::First(_) => Stage::Unfound,
            Pass::Fast(reader) | Pass::Slow(reader, _) => Stage::Free(reader),
        };
    }

    /// Leaves the GPU alone while that is its state, and has it looked for afterwards. One that is being read goes on.
    pub(super) fn rest(&mut self, state: Option<GpuState>) {
        match (&self.stage, state) {
            (Stage::Reading | Stage::Finishing, _) => {}
            (_, Some(state)) => self.stage = Stage::Resting(state),
            (Stage::Resting(_), None) => self.stage = Stage::Unfound,
            (_, None) => {}
        }
    }

    /// Has the GPU looked for anew, unless it is being read.
    pub(super) fn release(&mut self) {
        if matches!(self.stage, Stage::Free(_) | Stage::Refused(_)) {
            self.stage = Stage::Unfound;
        }
    }

    /// Reading the GPU crashed: it is to be found anew, and whatever call it was in is over.
    pub(super) fn crashed(&mut self) {
        self.stage = Stage::Unfound;
        self.watch = Arc::default();
        self.listener = Arc::default();
    }

    /// Whether the order that the tick began with is still to be answered, or, with `whole`, to be carried out.
    pub(super) fn is_awaited(&self, whole: bool) -> bool {
        match self.stage {
            Stage::Reading => true,
            Stage::Finishing => whole,
            Stage::Unfound | Stage::Resting(_) | Stage::Free(_) | Stage::Refused(_) => false,
        }
    }

    /// Whether it answered the tick that just ended.
    pub(super) fn is_alive(&self) -> bool {
        let has_read = matches!(self.stage, Stage::Free(_) | Stage::Finishing);
        has_read && self.missed == 0 && self.fate == Fate::Answers
    }

    /// Ends a tick. An answer that came after the end of the one before counts for this one.
    pub(super) fn end(&mut self) {
        let answered = std::mem::take(&mut self.answered);
        let silent = !answered && !matches!(self.stage, Stage::Resting(_) | Stage::Refused(_));
        self.missed = if silent { self.missed.saturating_add(1) } else { 0 };
    }

    /// The GPU was found.
    pub(super) fn found(&mut self, gpu: Gpu, now_us: u64) {
        if self.values.layout() != gpu.layout {
            self.values = Values::absent(gpu.layout, Absent::NotReadYet, now_us);
        }
        self.gpu = gpu;
    }

    /// The GPU cannot be had. What was known of it from before still holds.
    pub(super) fn refused(&mut self, why: Absent, now_us: u64) {
        if self.gpu.name.is_err() {
            self.gpu = Gpu::unknown(self.address.index(), why);
        }
        self.values = Values::absent(self.gpu.layout, why, now_us);
        self.stage = Stage::Refused(why);
        self.lost_since_us = self.lost_since_us.or(Some(now_us));
    }

    /// The GPU was read as every tick reads it; without its reader, what is slow is still to come.
    pub(super) fn ticked(&mut self, tick: Tick, reader: Option<Box<Reader>>, now_us: u64) {
        self.answered(tick.values, now_us);
        self.processes = tick.processes.unwrap_or_default();
        self.fate = tick.fate;
        self.events.extend(tick.events);
        self.listening = tick.listening;
        self.lost_since_us = match tick.fate {
            Fate::Lost => self.lost_since_us.or(Some(now_us)),
            Fate::Answers | Fate::DriverGone => None,
        };
        self.stage = reader.map_or(Stage::Finishing, Stage::Free);
    }

    /// The order is carried out, also what is slow.
    pub(super) fn finished(&mut self, reader: Box<Reader>, now_us: u64) {
        self.answered(reader.values.clone(), now_us);
        self.stage = Stage::Free(reader);
    }

    fn answered(&mut self, values: Values, now_us: u64) {
        self.values = values;
        self.answered = true;
        self.answered_us = now_us;
    }

    /// Which types of events NVML tells of, or why it tells of none.
    pub(super) fn listening(&self) -> Fact<u64> {
        match &self.stage {
            Stage::Resting(state) => Err(absence(state).unwrap_or(Absent::NotReadYet)),
            Stage::Refused(why) => Err(*why),
            _ => self.listening,
        }
    }

    /// How the GPU is to be reached; `may_miss` ticks may pass without an answer.
    pub(super) fn state(&self, now_us: u64, may_miss: u32) -> GpuState {
        let age = |since_us| now_us.saturating_sub(since_us);
        match &self.stage {
            Stage::Resting(state) => return state.clone(),
            Stage::Refused(why) if *why != Absent::GpuLost => {
                return GpuState::Refused { why: *why };
            }
            _ => {}
        }
        if let Some(since_us) = self.lost_since_us {
            return GpuState::Lost { age_us: age(since_us) };
        }
        let call = self.watch.in_call();
        let stuck = call.is_some_and(|call| age(call.since_us) >= STUCK_US);
        if stuck || self.missed >= may_miss {
            silent_state(call, self.answered_us, now_us)
        } else {
            GpuState::Live
        }
    }

    /// The GPU at the end of a tick. What a GPU said before it fell silent is not what it says now, so it is absent.
    pub(super) fn sample(&self, now_us: u64, may_miss: u32) -> GpuSample {
        let state = self.state(now_us, may_miss);
        let mut values = self.values.clone();
        if let Some(why) = absence(&state) {
            values.forget(why);
        }
        GpuSample { state, values }
    }
}

/// Why a GPU in this state has no values, where it has none.
pub(super) fn absence(state: &GpuState) -> Option<Absent> {
    match state {
        GpuState::Live => None,
        GpuState::Asleep { .. } => Some(Absent::Asleep),
        GpuState::LetGo { .. } => Some(Absent::LetGo),
        GpuState::Stale { .. } => Some(Absent::Stale),
        GpuState::Stuck { .. } => Some(Absent::Stuck),
        GpuState::Lost { .. } => Some(Absent::GpuLost),
        GpuState::Refused { why } => Some(*why),
    }
}

/// The state of a GPU that has not answered since `answered_us`, and of the call that it is in.
pub(super) fn silent_state(call: Option<InCall>, answered_us: u64, now_us: u64) -> GpuState {
    let age = |since_us| now_us.saturating_sub(since_us);
    let name = |call: InCall| Cow::Borrowed(call.function);
    match call {
        Some(call) if age(call.since_us) >= STUCK_US => {
            GpuState::Stuck { age_us: age(call.since_us), call: name(call) }
        }
        call => GpuState::Stale { age_us: age(answered_us), call: call.map(name) },
    }
}
