//! The driver while it is open: a tick is closed from what is reported of its GPUs.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::NvmlOptions;
use super::crew::Crew;
use super::device::{Fate, absent_for};
use super::events::NvmlEvent;
use super::fields::DriverVersion;
use super::ledger::Ledger;
use super::mailbox::Inbox;
use super::opening::Opened;
use super::processes::{GpuProcess, GpuProcesses, UTILIZATION};
use super::raw::Library;
use super::reader::{Address, Job, News, Order, Pass, Report, Start};
use super::seat::{Seat, Stage};
use super::sleep::{Dormitory, resting_gpu};
use super::topology::Peers;
use crate::model::{
    Absent, Driver, Fact, Gpu, GpuPair, GpuSample, GpuState, Metric, Process, ProcessMetric,
    SampleError, Sysroot,
};
use crate::source::host::PciAddress;
use crate::source::host::{ProcessReader, ProcessReading};
use crate::source::{Clock, Patience, Request, SourceError};

/// A GPU that missed so many ticks of a series in a row is stale.
const STALE_TICKS: u32 = 2;
/// GPUs that wait for so long get one more thread. Those that answer at once are all read by one thread in less; where a
/// call blocks, the others' values are to be there within some milliseconds.
const LONGEST_QUEUE: Duration = Duration::from_millis(1);

/// The open driver.
pub(super) struct Session {
    library: Arc<Library>,
    driver: Box<Driver>,
    driver_version: Option<DriverVersion>,
    seats: Vec<Seat>,
    crew: Crew<Job>,
    reports: Inbox<Report>,
    sysroot: Sysroot,
    clock: Arc<dyn Clock>,
    peers: Arc<Peers>,
    /// Whether the driver's or a GPU's lasting facts changed since they were last taken.
    changed: bool,
}

/// Whose answers a tick waits for.
pub(super) struct Awaited {
    /// Whether the slow answers are waited for too.
    whole: bool,
    /// Of each seat, whether its GPU was free to be read. One that is still being read has missed its turn.
    gpus: Vec<bool>,
}

impl Session {
    /// A session with a seat for each GPU. `before` are the GPUs of the session before it, if there was one.
    pub(super) fn new(opened: Opened, before: &[Gpu], options: &NvmlOptions) -> Self {
        let now_us = options.clock.monotonic_us();
        let count = opened.gpus.len();
        let seat = |(position, (address, pci)): (usize, (Address, _))| {
            let known = before.get(position).filter(|_| before.len() == count).cloned();
            let gpu = known.unwrap_or_else(|| Gpu::unknown(address.index(), Absent::NotReadYet));
            Seat::new(gpu, address, pci, now_us)
        };
        let reports = Inbox::new();
        let mailbox = reports.mailbox();
        Self {
            library: opened.library,
            driver_version: opened.driver.version.as_deref().ok().and_then(DriverVersion::parse),
            driver: Box::new(opened.driver),
            seats: opened.gpus.into_iter().enumerate().map(seat).collect(),
            crew: Crew::new(move |job: Job| job.run(&mailbox)),
            reports,
            sysroot: options.sysroot.clone(),
            clock: options.clock.clone(),
            peers: Arc::new(Peers::new(count)),
            changed: true,
        }
    }

    /// Begins a tick: has every GPU read that is free, and says of which an answer is awaited.
    pub(super) fn begin(&mut self, request: &Request, dormitory: &Dormitory) -> Awaited {
        // What nobody has begun by now, such as slow readings, is overtaken by the new order; what was said of it is heard
        // before.
        let untaken = self.crew.recall();
        self.hear(0, Instant::now());
        for Job { position, pass, .. } in untaken {
            self.seats[position].take_back(pass);
        }
        let now_us = self.clock.monotonic_us();
        for seat in &mut self.seats {
            seat.rest(seat.pci.and_then(|address| dormitory.rest_of(address, now_us)));
        }
        let order = Order {
            metrics: request.metrics,
            processes: request.processes,
            quick: matches!(request.patience, Patience::Quick { .. }),
            listen: matches!(request.patience, Patience::Tick { .. }),
        };
        let passes: Vec<_> = (0..self.seats.len()).map(|position| self.pass(position)).collect();
        let whole = !matches!(request.patience, Patience::Tick { .. });
        let awaited = Awaited { whole, gpus: passes.iter().map(Option::is_some).collect() };
        let job =
            |(position, pass): (usize, Option<Pass>)| Some(Job { position, order, pass: pass? });
        let mut jobs: Vec<_> = passes.into_iter().enumerate().filter_map(job).collect();
        jobs.sort_by_key(Job::slow_us);
        self.crew.put(jobs);
        self.crew.call();
        awaited
    }

    /// What is to be done for a seat, if its GPU is awake and not still being read.
    fn pass(&mut self, position: usize) -> Option<Pass> {
        let phase = position as f64 / self.seats.len() as f64;
        let seat = &mut self.seats[position];
        match std::mem::replace(&mut seat.stage, Stage::Reading) {
            Stage::Free(reader) => Some(Pass::Fast(reader)),
            Stage::Unfound => Some(Pass::First(Start {
                address: seat.address.clone(),
                phase,
                library: self.library.clone(),
                driver: self.driver_version,
                clock: self.clock.clone(),
                watch: seat.watch.clone(),
                position,
                peers: self.peers.clone(),
                listener: seat.listener.clone(),
            })),
            other => {
                seat.stage = other;
                None
            }
        }
    }

    /// Ends a tick: waits for the answers, at the latest until `deadline`, and enters what it cost.
    pub(super) fn finish(&mut self, awaited: &Awaited, deadline: Instant, ledger: &mut Ledger) {
        while let missing @ 1.. = self.missing(awaited) {
            let soon = deadline.min(Instant::now() + LONGEST_QUEUE);
            let until = if self.crew.is_behind() { soon } else { deadline };
            if self.hear(missing, until) < missing {
                if until == deadline {
                    ledger.was_late();
                    break;
                }
                self.crew.call();
            }
        }
        self.seats.iter_mut().for_each(Seat::end);
        self.seats.iter().for_each(|seat| ledger.settle(&seat.watch));
    }

    /// How many answers are still to come.
    fn missing(&self, awaited: &Awaited) -> usize {
        let gpus = self.seats.iter().zip(&awaited.gpus);
        gpus.filter(|(seat, asked)| **asked && seat.is_awaited(awaited.whole)).count()
    }

    /// Takes in what is reported, once there are `wanted` reports or the deadline has come; says how many there were.
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
            News::Crashed => seat.crashed(),
            News::Tick(tick, reader) => seat.ticked(*tick, reader, now_us),
            News::Slow(reader) => seat.finished(reader, now_us),
        }
    }

    /// Why the session is over, if it is: the driver went away, or gives none of its GPUs.
    pub(super) fn failure(&self) -> Option<SourceError> {
        let gone = |seat: &Seat| seat.fate == Fate::DriverGone;
        let refused = |seat: &Seat| match seat.stage {
            Stage::Refused(why) if why != Absent::GpuLost => Some(why),
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
        self.seats.iter().all(|seat| seat.is_alive() || matches!(seat.stage, Stage::Resting(_)))
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

    /// The library, which stays loaded until the last thread has let go of it.
    pub(super) fn library(&self) -> Weak<Library> {
        Arc::downgrade(&self.library)
    }

    /// The lasting facts, if they changed since they were last taken.
    pub(super) fn take_changes(&mut self) -> Option<(Driver, Vec<Gpu>)> {
        let changed = std::mem::take(&mut self.changed);
        let gpu = |seat: &Seat| match (&seat.stage, &seat.pci) {
            (Stage::Resting(_), Some(address)) => {
                let known = std::slice::from_ref(&seat.gpu);
                resting_gpu(&self.sysroot, *address, seat.gpu.index, known)
            }
            _ => seat.gpu.clone(),
        };
        changed.then(|| ((*self.driver).clone(), self.seats.iter().map(gpu).collect()))
    }

    /// What joins each two GPUs, if something was learned of it since it was last told.
    pub(super) fn take_topology(&self) -> Option<Vec<GpuPair>> {
        self.peers.take_news()
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

    /// Of each GPU whose address is known, whether it does nothing for anybody: 0 % busy, and no processes.
    pub(super) fn idle<'a>(
        &'a self,
        gpus: &'a [GpuSample],
        request: &Request,
    ) -> impl Iterator<Item = (PciAddress, bool)> + use<'a> {
        let lists = request.processes;
        self.seats.iter().zip(gpus).filter_map(move |(seat, now)| {
            let address = seat.gpu.pci_bus_id.as_ref().ok()?.parse().ok()?;
            let is_unused = lists && seat.processes == GpuProcesses::default();
            let is_idle = now.values.get(Metric::Busy).value == Ok(0.0);
            Some((address, is_unused && is_idle && now.state == GpuState::Live))
        })
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

    /// What NVML told that happened, each with its GPU's position.
    pub(super) fn take_events(&mut self) -> Vec<(usize, NvmlEvent)> {
        let seats = self.seats.iter_mut().enumerate();
        seats.flat_map(|(gpu, seat)| seat.events.drain(..).map(move |event| (gpu, event))).collect()
    }

    /// Of each GPU, which types of events NVML tells of.
    pub(super) fn listening(&self) -> Vec<Fact<u64>> {
        self.seats.iter().map(Seat::listening).collect()
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

#[cfg(test)]
mod tests {
    use super::{Awaited, Job, Order, Pass, Session, Stage};
    use crate::model::{GpuState, MetricSet, Sysroot};
    use crate::source::nvml::ledger::Ledger;
    use crate::source::nvml::sleep::Dormitory;
    use crate::source::nvml::watch::Watch;
    use crate::source::nvml::{NvmlOptions, Opened};
    use crate::source::{ManualClock, Patience, Request};
    use fake_nvml::Fake;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    const LIMIT: Duration = Duration::from_secs(20);
    const PATIENCE: Patience = Patience::Whole { limit: LIMIT };

    fn tick(session: &mut Session) -> Vec<GpuState> {
        let request = Request { metrics: MetricSet::all(), processes: true, patience: PATIENCE };
        let dormitory = Dormitory::new(Sysroot::default(), true);
        let awaited = session.begin(&request, &dormitory);
        session.finish(&awaited, Instant::now() + LIMIT, &mut Ledger::new(0, Ok(0)));
        session.gpus(PATIENCE).into_iter().map(|gpu| gpu.state).collect()
    }

    #[test]
    fn a_crash_costs_one_gpu_one_tick() {
        let fake = Fake::preset("h100").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let options = NvmlOptions {
            library: Some(fake.path().to_owned()),
            sysroot: Sysroot::new(folder.path()),
            clock: Arc::new(ManualClock::at(0)),
            wake: false,
        };
        let opened = Opened::open(&options, None, &Watch::default()).unwrap();
        let mut session = Session::new(opened, &[], &options);
        assert_eq!(tick(&mut session), [const { GpuState::Live }; 8]);

        let stage = std::mem::replace(&mut session.seats[2].stage, Stage::Reading);
        let Stage::Free(reader) = stage else { panic!("GPU 2 was read") };
        let order =
            Order { metrics: MetricSet::all(), processes: true, quick: false, listen: false };
        let no_such_row = Pass::Slow(reader, vec![usize::MAX]);
        session.crew.put([Job { position: 2, order, pass: no_such_row }]);
        session.crew.call();
        let awaited = Awaited { whole: true, gpus: vec![true; 8] };
        session.finish(&awaited, Instant::now() + LIMIT, &mut Ledger::new(0, Ok(0)));
        let states: Vec<_> = session.gpus(PATIENCE).into_iter().map(|gpu| gpu.state).collect();
        assert_eq!(states[2], GpuState::Stale { age_us: 0, call: None });

        assert_eq!(tick(&mut session), [const { GpuState::Live }; 8]);
    }
}
