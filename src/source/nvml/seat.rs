//! One GPU's place in a session: its worker, and what is known of it between the worker's reports.

use std::borrow::Cow;
use std::sync::Arc;

use super::device::{Fate, InCall, Watch};
use super::mailbox::Share;
use super::processes::GpuProcesses;
use super::worker::{Address, Order};
use crate::model::{Absent, Gpu, GpuSample, GpuState, Values};
use crate::source::host::PciGpu;

/// A call that has not come back for this long is stuck.
const STUCK_US: u64 = 5_000_000;

/// One GPU's place.
pub(super) struct Seat {
    pub(super) gpu: Gpu,
    pub(super) address: Address,
    /// The GPU as the kernel sees it, where some GPU sleeps.
    pub(super) pci: Option<PciGpu>,
    pub(super) worker: Worker,
    pub(super) watch: Arc<Watch>,
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

/// What a seat's worker does.
pub(super) enum Worker {
    /// There is none yet; that of a GPU that sleeps is started when something else has woken it.
    None,
    /// It waits for an order.
    Idle(Share<Order>),
    /// It carries out an order; its readings of the tick are still to come.
    Reading(Share<Order>),
    /// Its readings of the tick are there; what is slow is still to come.
    Finishing(Share<Order>),
    /// The GPU cannot be had.
    Refused(Absent),
}

impl Seat {
    pub(super) fn new(gpu: Gpu, address: Address, pci: Option<PciGpu>, now_us: u64) -> Self {
        Self {
            values: Values::absent(gpu.layout, Absent::NotReadYet, now_us),
            gpu,
            address,
            pci,
            worker: Worker::None,
            watch: Arc::default(),
            processes: GpuProcesses::default(),
            fate: Fate::Answers,
            answered_us: now_us,
            answered: false,
            missed: 0,
            lost_since_us: None,
        }
    }

    /// Begins a tick: gives the worker its order if it is free, and says whether it was.
    ///
    /// One that is busy with an earlier order has missed its turn and is not waited for.
    pub(super) fn begin(&mut self, order: Order, now_us: u64) -> bool {
        match std::mem::replace(&mut self.worker, Worker::None) {
            Worker::Idle(orders) if orders.put(order) => {
                self.worker = Worker::Reading(orders);
                true
            }
            // The worker has ended without being told to.
            Worker::Idle(_) => {
                self.refused(Absent::Stale, now_us);
                false
            }
            busy => {
                self.worker = busy;
                false
            }
        }
    }

    /// Lets the worker go, for a GPU that fell asleep or is to be looked for anew. One inside a call is left there.
    pub(super) fn release(&mut self) {
        if matches!(self.worker, Worker::Idle(_) | Worker::Refused(_)) {
            self.worker = Worker::None;
        }
    }

    /// Whether the order that the tick began with is still to be answered, or, with `whole`, to be carried out.
    pub(super) fn is_awaited(&self, whole: bool) -> bool {
        match self.worker {
            Worker::Reading(_) => true,
            Worker::Finishing(_) => whole,
            Worker::None | Worker::Idle(_) | Worker::Refused(_) => false,
        }
    }

    /// Whether it answered the tick that just ended.
    pub(super) fn is_alive(&self) -> bool {
        let works = matches!(self.worker, Worker::Idle(_) | Worker::Finishing(_));
        works && self.missed == 0 && self.fate == Fate::Answers
    }

    /// Ends a tick. An answer that came after the end of the one before counts for this one.
    pub(super) fn end(&mut self) {
        let answered = std::mem::take(&mut self.answered);
        let silent = !answered && !matches!(self.worker, Worker::None | Worker::Refused(_));
        self.missed = if silent { self.missed.saturating_add(1) } else { 0 };
    }

    /// The worker has found its GPU.
    pub(super) fn found(&mut self, gpu: Gpu, now_us: u64) {
        if self.values.layout() != gpu.layout {
            self.values = Values::absent(gpu.layout, Absent::NotReadYet, now_us);
        }
        self.gpu = gpu;
    }

    /// The worker could not get its GPU. What was known of it from before still holds.
    pub(super) fn refused(&mut self, why: Absent, now_us: u64) {
        if self.gpu.name.is_err() {
            self.gpu = Gpu::unknown(self.address.index(), why);
        }
        self.values = Values::absent(self.gpu.layout, why, now_us);
        self.worker = Worker::Refused(why);
        self.lost_since_us = self.lost_since_us.or(Some(now_us));
    }

    /// The worker has read, and with `done` carried out its order.
    pub(super) fn read(&mut self, values: Values, done: bool, now_us: u64) {
        self.values = values;
        self.answered = true;
        self.answered_us = now_us;
        self.worker = match std::mem::replace(&mut self.worker, Worker::None) {
            Worker::Reading(orders) | Worker::Finishing(orders) if done => Worker::Idle(orders),
            Worker::Reading(orders) => Worker::Finishing(orders),
            other => other,
        };
    }

    /// What all answers of a tick together say.
    pub(super) fn judge(&mut self, fate: Fate, now_us: u64) {
        self.fate = fate;
        self.lost_since_us = match fate {
            Fate::Lost => self.lost_since_us.or(Some(now_us)),
            Fate::Answers | Fate::DriverGone => None,
        };
    }

    /// How the GPU is to be reached; `may_miss` ticks may pass without an answer.
    pub(super) fn state(&self, now_us: u64, may_miss: u32) -> GpuState {
        let age = |since_us| now_us.saturating_sub(since_us);
        match self.worker {
            Worker::None if self.pci.is_some() => return GpuState::Asleep,
            Worker::Refused(why) if why != Absent::GpuLost => return GpuState::Refused { why },
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
        let why = match &state {
            GpuState::Live => None,
            GpuState::Asleep => Some(Absent::Asleep),
            GpuState::Stale { .. } => Some(Absent::Stale),
            GpuState::Stuck { .. } => Some(Absent::Stuck),
            GpuState::Lost { .. } => Some(Absent::GpuLost),
            GpuState::Refused { why } => Some(*why),
        };
        if let Some(why) = why {
            values.forget(why);
        }
        GpuSample { state, values }
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
