//! The driver while it is open: a tick is closed from what the workers of its GPUs report.

use std::sync::{Arc, Weak};
use std::time::Instant;

use super::device::{Fate, absent_for};
use super::mailbox::Share;
use super::opening::Opened;
use super::processes::{GpuProcess, UTILIZATION};
use super::raw::Library;
use super::seat::{Seat, Worker};
use super::worker::{self, News, Order, Report, Start};
use super::{NvmlOptions, asleep_gpu};
use crate::model::{
    Absent, Driver, Gpu, GpuSample, GpuState, Process, ProcessMetric, SampleError, Sysroot,
};
use crate::source::host::{ProcessReader, ProcessReading};
use crate::source::{Clock, Patience, Request, SourceError};

/// A GPU that missed so many ticks of a series in a row is stale.
const STALE_TICKS: u32 = 2;

/// The open driver.
pub(super) struct Session {
    library: Arc<Library>,
    driver: Driver,
    seats: Vec<Seat>,
    sysroot: Sysroot,
    clock: Arc<dyn Clock>,
    reports: Share<Report>,
    /// Whether the driver's or a GPU's lasting facts changed since they were last taken.
    changed: bool,
}

/// Whose answers a tick waits for.
pub(super) struct Awaited {
    /// Whether the slow answers are waited for too.
    whole: bool,
    /// Of each seat, whether it took an order. One that was still busy has missed its turn.
    gpus: Vec<bool>,
}

impl Session {
    /// A session with a seat for each GPU. `before` are the GPUs of the session before it, if there was one.
    pub(super) fn new(opened: Opened, before: &[Gpu], options: &NvmlOptions) -> Self {
        let now_us = options.clock.monotonic_us();
        let count = opened.gpus.len();
        let seat = |(position, (address, pci)): (usize, (worker::Address, _))| {
            let known = before.get(position).filter(|_| before.len() == count).cloned();
            let gpu = known.unwrap_or_else(|| Gpu::unknown(address.index(), Absent::NotReadYet));
            Seat::new(gpu, address, pci, now_us)
        };
        Self {
            library: opened.library,
            driver: opened.driver,
            seats: opened.gpus.into_iter().enumerate().map(seat).collect(),
            sysroot: options.sysroot.clone(),
            clock: options.clock.clone(),
            reports: Share::new(),
            changed: true,
        }
    }

    /// Begins a tick: gives every worker that is free its order, and says of which GPUs an answer is awaited.
    pub(super) fn begin(&mut self, request: &Request) -> Awaited {
        self.hear(0, Instant::now());
        self.start_workers();
        let order = Order {
            metrics: request.metrics,
            processes: request.processes,
            quick: matches!(request.patience, Patience::Quick { .. }),
        };
        let now_us = self.clock.monotonic_us();
        let whole = !matches!(request.patience, Patience::Tick { .. });
        Awaited {
            whole,
            gpus: self.seats.iter_mut().map(|seat| seat.begin(order, now_us)).collect(),
        }
    }

    /// Ends a tick: waits for the answers, at the latest until `deadline`.
    pub(super) fn finish(&mut self, awaited: &Awaited, deadline: Instant) {
        loop {
            let gpus = self.seats.iter().zip(&awaited.gpus);
            let awaited = gpus.filter(|(seat, asked)| **asked && seat.is_awaited(awaited.whole));
            let missing = awaited.count();
            if missing == 0 || self.hear(missing, deadline) == 0 {
                break;
            }
        }
        self.seats.iter_mut().for_each(Seat::end);
    }

    /// Starts the workers of GPUs that are awake and have none.
    fn start_workers(&mut self) {
        let gpus = self.seats.len();
        for (position, seat) in self.seats.iter_mut().enumerate() {
            if seat.pci.as_mut().is_some_and(|pci| pci.refresh().is_asleep()) {
                seat.release();
                continue;
            }
            if !matches!(seat.worker, Worker::None) {
                continue;
            }
            let orders = Share::new();
            let to_worker = orders.other();
            let start = Start {
                position,
                address: seat.address.clone(),
                gpus,
                library: self.library.clone(),
                clock: self.clock.clone(),
                watch: seat.watch.clone(),
                reports: self.reports.mailbox(),
            };
            let thread = std::thread::Builder::new().name(format!("gpu-{position}"));
            match thread.spawn(move || worker::work(&start, &to_worker)) {
                Ok(_) => seat.worker = Worker::Idle(orders),
                Err(_) => seat.refused(Absent::NotReadYet, self.clock.monotonic_us()),
            }
        }
    }

    /// Takes in what the workers report, once there are `wanted` reports or the deadline has come; says how many there were.
    fn hear(&mut self, wanted: usize, deadline: Instant) -> usize {
        let reports = self.reports.take(wanted, deadline);
        let count = reports.len();
        for report in reports {
            self.take_in(report);
        }
        count
    }

    fn take_in(&mut self, Report { position, news }: Report) {
        let now_us = self.clock.monotonic_us();
        let Some(seat) = self.seats.get_mut(position) else { return };
        match news {
            News::Found(gpu) => {
                seat.found(*gpu, now_us);
                self.changed = true;
            }
            News::Refused(failure) => {
                seat.refused(absent_for(failure), now_us);
                self.changed = true;
            }
            News::Tick { values, processes, fate, done } => {
                seat.read(*values, done, now_us);
                seat.judge(fate, now_us);
                seat.processes = processes.unwrap_or_default();
            }
            News::Slow(values) => seat.read(*values, true, now_us),
        }
    }

    /// Why the session is over, if it is: the driver went away, or gives none of its GPUs.
    pub(super) fn failure(&self) -> Option<SourceError> {
        let gone = |seat: &Seat| seat.fate == Fate::DriverGone;
        let refused = |seat: &Seat| match seat.worker {
            Worker::Refused(why) if why != Absent::GpuLost => Some(why),
            _ => None,
        };
        let why = self.seats.iter().map(refused).collect::<Option<Vec<_>>>().unwrap_or_default();
        if let Some(why) = why.first() {
            return Some(SourceError::Driver(format!(
                "the driver gives none of its {} GPUs: {}; look at the permissions of /dev/nvidia* and at the kernel log (dmesg)",
                self.seats.len(),
                why.sentence()
            )));
        }
        let all_gone = self.seats.iter().any(gone) && !self.some_gpu_answers();
        all_gone.then(|| {
            SourceError::NoDriver(
                "the NVIDIA driver was unloaded or replaced; load it again, or reboot".to_owned(),
            )
        })
    }

    /// Whether some GPU answered the tick that just ended.
    pub(super) fn some_gpu_answers(&self) -> bool {
        self.seats.iter().any(Seat::is_alive)
    }

    /// Whether every GPU answered the tick that just ended, or sleeps.
    pub(super) fn every_gpu_is_well(&self) -> bool {
        self.seats.iter().all(|seat| seat.is_alive() || matches!(seat.worker, Worker::None))
    }

    /// Looks anew for the GPUs that are lost or refused.
    pub(super) fn look_for_lost_gpus(&mut self) {
        let lost = self.seats.iter_mut().filter(|seat| seat.lost_since_us.is_some());
        lost.for_each(Seat::release);
    }

    /// For how long some GPU has been off the bus or refused.
    pub(super) fn lost_for_us(&self) -> Option<u64> {
        let now_us = self.clock.monotonic_us();
        let lost = self.seats.iter().filter_map(|seat| seat.lost_since_us);
        lost.map(|since_us| now_us.saturating_sub(since_us)).max()
    }

    /// The library, which stays loaded until the last worker has ended.
    pub(super) fn library(&self) -> Weak<Library> {
        Arc::downgrade(&self.library)
    }

    /// The lasting facts, if they changed since they were last taken.
    pub(super) fn take_changes(&mut self) -> Option<(Driver, Vec<Gpu>)> {
        let changed = std::mem::take(&mut self.changed);
        let gpu = |seat: &Seat| match (&seat.worker, &seat.pci) {
            (Worker::None, Some(pci)) => asleep_gpu(&self.sysroot, pci, seat.gpu.index),
            _ => seat.gpu.clone(),
        };
        changed.then(|| (self.driver.clone(), self.seats.iter().map(gpu).collect()))
    }

    /// The GPUs at the end of the tick.
    pub(super) fn gpus(&self, patience: Patience) -> Vec<GpuSample> {
        let may_miss = match patience {
            Patience::Tick { .. } => STALE_TICKS,
            Patience::Whole { .. } | Patience::Quick { .. } => 1,
        };
        let now_us = self.clock.monotonic_us();
        self.seats.iter().map(|seat| seat.sample(now_us, may_miss)).collect()
    }

    /// The processes on those of `gpus` that answer, joined with what the host knows of them.
    pub(super) fn processes(&self, gpus: &[GpuSample], host: &mut ProcessReader) -> Vec<Process> {
        let live = |(_, (seat, gpu)): &(usize, (&Seat, &GpuSample))| {
            gpu.state == GpuState::Live && !seat.processes.list.is_empty()
        };
        let seats = || self.seats.iter().zip(gpus).enumerate().filter(live);
        let on_gpus = || {
            seats().flat_map(|(gpu, (seat, _))| {
                seat.processes.list.iter().map(move |process| (gpu, process))
            })
        };
        let mut pids: Vec<_> = on_gpus().map(|(_, process)| process.pid).collect();
        pids.sort_unstable();
        pids.dedup();
        let known = host.read(&pids);
        on_gpus().map(|(gpu, process)| joined(gpu, process, known)).collect()
    }

    /// What could not be had, beyond what the states of the GPUs tell.
    pub(super) fn errors(&self, gpus: &[GpuSample]) -> Vec<SampleError> {
        let incomplete = |(gpu, (seat, now)): (usize, (&Seat, &GpuSample))| {
            let why = seat.processes.incomplete.filter(|_| now.state == GpuState::Live)?;
            let message = format!("its processes may not all be listed: {}", why.sentence());
            Some(SampleError { gpu: Some(gpu), message })
        };
        self.seats.iter().zip(gpus).enumerate().filter_map(incomplete).collect()
    }
}

/// A process as its GPU knows it, with what the host knows; `known` is sorted by pid.
fn joined(gpu: usize, process: &GpuProcess, known: &[ProcessReading]) -> Process {
    let host = known.binary_search_by_key(&process.pid, |reading| reading.pid);
    let host = host.ok().and_then(|position| known.get(position));
    let of_host = |pick: fn(&ProcessReading) -> Result<f64, Absent>| {
        host.map_or(Err(Absent::NotReadYet), pick)
    };
    let mut values = [Err(Absent::NotReadYet); ProcessMetric::COUNT];
    let used = UTILIZATION.into_iter().zip(process.utilization);
    let others = [
        (ProcessMetric::GpuMemory, process.memory_bytes),
        (ProcessMetric::Cpu, of_host(|reading| reading.cpu_percent)),
        (ProcessMetric::ResidentMemory, of_host(|reading| reading.resident_memory_bytes)),
        (ProcessMetric::RunTime, of_host(|reading| reading.run_time_seconds)),
    ];
    for (metric, value) in used.chain(others) {
        values[metric as usize] = value;
    }
    Process {
        pid: process.pid,
        gpu,
        kinds: process.kinds,
        gpu_instance: process.gpu_instance,
        compute_instance: process.compute_instance,
        values,
        identity: host.map_or(Err(Absent::NotReadYet), |reading| reading.identity.clone()),
    }
}
