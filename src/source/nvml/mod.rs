//! The source that asks NVIDIA's driver: the only place that names NVML's functions.
//!
//! A crew of threads makes the calls (`crew`, `reader`), the session closes a tick from what they report, and this module
//! opens and closes the driver around it. Whatever hangs, hangs in a thread that nothing waits for.

mod asks;
mod backoff;
mod bench;
mod crew;
mod device;
mod engines;
mod events;
mod facts;
mod fields;
mod fill;
mod gpm;
mod identity;
mod ledger;
mod links;
mod locate;
mod mailbox;
mod mig;
mod opening;
mod probes;
mod processes;
mod raw;
mod reader;
mod schedule;
mod seat;
mod session;
mod silence;
mod sleep;
mod topology;
mod watch;

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

pub use asks::{asks, asks_of_process};
pub use bench::{Bench, CallTimes, GpuBench, bench};

use backoff::Backoff;
use events::{EventDesk, NvmlEvent};
use ledger::Ledger;
use opening::{Opened, driver_facts};
use raw::Library;
use session::Session;
use sleep::Dormitory;
use watch::Watch;

use super::host::{HostReader, PciAddress, ProcessReader, identity};
use super::{Clock, Patience, Request, Snapshot, Source, SourceError};
use crate::model::{
    Absent, Driver, Events, Fact, Gpu, GpuSample, GpuState, Host, HostMetric, Inventory, Origin,
    Process, Sample, SampleError, Sysroot,
};

/// What an [`NvmlSource`] is opened with.
#[derive(Clone)]
pub struct NvmlOptions {
    /// The library to load; where it is `None`, the usual places are searched.
    pub library: Option<PathBuf>,
    /// Where `/proc` and `/sys` hang.
    pub sysroot: Sysroot,
    /// Time, for ages and rates. Waiting is done in real time.
    pub clock: Arc<dyn Clock>,
    /// Whether GPUs that sleep are woken, and none is let go of.
    pub wake: bool,
}

/// This machine's GPUs through NVML.
///
/// The library is loaded by the first sample, and again after the driver went away; while every GPU sleeps, or was let
/// go of so that it can, it is not touched at all.
pub struct NvmlSource {
    options: NvmlOptions,
    state: State,
    /// Which GPUs are left alone.
    dormitory: Dormitory,
    /// What the samples cost.
    ledger: Ledger,
    identity: Host,
    host: HostReader,
    processes: ProcessReader,
    events: EventDesk,
    /// The newest inventory, shared by the samples of its generation; of generation 0 before there was one.
    inventory: Arc<Inventory>,
    /// The library of the session before, which may still be loaded.
    retired: Weak<Library>,
    /// How long to wait before the driver is opened again.
    backoff: Backoff,
    /// How long a GPU may be lost before the driver is opened anew for it.
    lost_backoff: Backoff,
}

enum State {
    /// Nothing is loaded; until `retry_us` the answer is `error`.
    Closed { retry_us: u64, error: SourceError },
    /// Nothing is loaded, and the next sample opens the driver.
    Ready,
    /// A thread loads and initialises.
    Opening { result: Receiver<Result<Opened, SourceError>>, watch: Arc<Watch> },
    /// The GPUs are read.
    Open(Session),
}

impl NvmlSource {
    /// A source that has not touched the driver yet.
    #[must_use]
    pub fn new(options: NvmlOptions) -> Self {
        let identity = identity(&options.sysroot);
        let inventory = Inventory {
            generation: 0,
            origin: Origin::Nvml,
            host: identity.clone(),
            driver: driver_facts(&options.sysroot),
            gpus: Vec::new(),
            topology: Vec::new(),
        };
        Self {
            host: HostReader::new(&options.sysroot),
            processes: ProcessReader::new(options.sysroot.clone(), options.clock.clone()),
            dormitory: Dormitory::new(options.sysroot.clone(), options.wake),
            ledger: Ledger::new(options.clock.monotonic_us(), options.clock.cpu_us()),
            events: EventDesk::new(&options.sysroot),
            state: State::Ready,
            retired: Weak::new(),
            identity,
            inventory: Arc::new(inventory),
            backoff: Backoff::of_driver(),
            lost_backoff: Backoff::of_lost_gpu(),
            options,
        }
    }

    fn now_us(&self) -> u64 {
        self.options.clock.monotonic_us()
    }

    /// Starts the thread that loads and initialises: `nvmlInit` may take seconds for each GPU, or for ever.
    fn start_opening(&self) -> State {
        let (sender, result) = mpsc::channel();
        let watch = Arc::new(Watch::default());
        let (options, shown, retired) = (self.options.clone(), watch.clone(), self.retired.clone());
        let addresses = self.dormitory.addresses();
        let open = move || {
            opening::wait_for_unload(&retired);
            let opened = Opened::open(&options, addresses, &shown);
            // Where nobody waits any more the library is closed again here.
            drop(sender.send(opened));
        };
        // Where no thread is to be had, the end of the channel tells it.
        drop(std::thread::Builder::new().name("opening".to_owned()).spawn(open));
        State::Opening { result, watch }
    }

    /// Takes the open session, getting as far towards one as `wait` allows.
    fn take_session(&mut self, wait: Duration) -> Result<Session, SourceError> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Open(session) => Ok(session),
            State::Closed { retry_us, error } if self.now_us() < retry_us => {
                self.state = State::Closed { retry_us, error: error.clone() };
                Err(error)
            }
            State::Closed { .. } | State::Ready => {
                self.state = self.start_opening();
                self.take_session(wait)
            }
            State::Opening { result, watch } => match result.recv_timeout(wait) {
                Ok(Ok(opened)) => {
                    let session = Session::new(opened, &self.inventory.gpus, &self.options);
                    self.retired = session.library();
                    self.ledger.settle(&watch);
                    Ok(session)
                }
                Ok(Err(error)) => Err(self.close(error)),
                Err(RecvTimeoutError::Timeout) => {
                    let error = still_opening(&watch, self.now_us());
                    self.state = State::Opening { result, watch };
                    Err(error)
                }
                Err(RecvTimeoutError::Disconnected) => Err(self.close(SourceError::Driver(
                    "no thread is to be had to open NVML; raise the limit of tasks (ulimit -u)"
                        .to_owned(),
                ))),
            },
        }
    }

    /// Looks who sleeps. Gives the GPUs and their states where all are left alone.
    fn look_for_sleep(&mut self, patience: Patience) -> Option<Vec<(PciAddress, GpuState)>> {
        let now_us = self.now_us();
        if matches!(self.state, State::Closed { retry_us, .. } if retry_us <= now_us) {
            self.dormitory.forget_list();
        }
        let is_series = matches!(patience, Patience::Tick { .. });
        let came_or_went = self.dormitory.look(now_us, is_series);
        match self.state {
            State::Closed { retry_us, .. } if now_us < retry_us => return None,
            // NVML knows only those GPUs that were there when it was opened.
            State::Open(_) if came_or_went => self.reopen(),
            State::Ready => self.dormitory.look_for_use(now_us),
            _ => {}
        }
        self.dormitory.all_rest(now_us)
    }

    /// Whether the GPUs that could sleep have been idle for so long that they are let go of. A single sample lets go of
    /// none.
    fn may_let_go(&mut self, session: &Session, gpus: &[GpuSample], request: &Request) -> bool {
        let now_us = self.now_us();
        for (address, is_idle) in session.idle(gpus, request) {
            self.dormitory.note(address, is_idle, now_us);
        }
        matches!(request.patience, Patience::Tick { .. }) && self.dormitory.let_go(now_us)
    }

    /// Lets go of the driver; the next sample that needs it opens it anew.
    fn reopen(&mut self) {
        if !matches!(self.state, State::Ready) {
            retire(std::mem::replace(&mut self.state, State::Ready));
        }
    }

    /// Lets go of the driver for a while.
    fn close(&mut self, error: SourceError) -> SourceError {
        let retry_us = self.now_us() + self.backoff.take();
        self.state = State::Closed { retry_us, error: error.clone() };
        error
    }

    /// Makes these facts the inventory, in a new generation if any of them is new.
    fn renew(&mut self, driver: Driver, gpus: Vec<Gpu>) {
        let generation = self.inventory.generation;
        let host = self.identity.clone();
        let before = &self.inventory.topology;
        let topology =
            if before.len() == pairs_of(gpus.len()) { before.clone() } else { Vec::new() };
        let mut next = Inventory { generation, origin: Origin::Nvml, host, driver, gpus, topology };
        if generation == 0 || *self.inventory != next {
            next.generation += 1;
            self.inventory = Arc::new(next);
        }
    }

    fn snapshot(
        &mut self,
        host: [Result<f64, Absent>; HostMetric::COUNT],
        gpus: Vec<GpuSample>,
        processes: Vec<Process>,
        errors: Vec<SampleError>,
        events: Events,
    ) -> Snapshot {
        let sample = Sample {
            generation: self.inventory.generation,
            unix_us: self.options.clock.unix_us(),
            monotonic_us: self.now_us(),
            gpus,
            processes,
            host,
            errors,
            events,
        };
        let cost = self.ledger.cost(sample.monotonic_us, self.options.clock.cpu_us());
        Snapshot { inventory: self.inventory.clone(), sample, cost: Some(cost) }
    }

    fn take_events(&mut self, told: Vec<(usize, NvmlEvent)>, listening: Vec<Fact<u64>>) -> Events {
        self.events.take(&*self.options.clock, &self.inventory.gpus, told, listening)
    }

    /// Puts the session back, and now and then looks for GPUs that are lost.
    ///
    /// A handle that is asked for anew may bring one back, and costs the others nothing. Only where none answers is the
    /// whole driver opened anew: that may hang, and would take the others away.
    fn keep(&mut self, mut session: Session) {
        if session.some_gpu_answers() {
            self.backoff = Backoff::of_driver();
        }
        if session.every_gpu_is_well() {
            self.lost_backoff = Backoff::of_lost_gpu();
        }
        if session.lost_for_us().is_some_and(|lost_us| lost_us >= self.lost_backoff.next_us) {
            self.lost_backoff.take();
            if !session.some_gpu_answers() {
                retire(State::Open(session));
                return;
            }
            session.look_for_lost_gpus();
        }
        self.state = State::Open(session);
    }
}

/// Lets go of the driver in a thread of its own: shutting NVML down may hang like any other call.
fn retire(state: State) {
    let ending = std::thread::Builder::new().name("closing".to_owned());
    drop(ending.spawn(move || drop(state)));
}

impl Drop for NvmlSource {
    fn drop(&mut self) {
        retire(std::mem::replace(&mut self.state, State::Ready));
    }
}

impl Source for NvmlSource {
    fn sample(&mut self, request: &Request) -> Result<Snapshot, SourceError> {
        self.ledger.begin(request.patience, self.now_us());
        if let Some(resting) = self.look_for_sleep(request.patience) {
            self.reopen();
            return Ok(self.resting(resting));
        }
        let mut session = match self.take_session(request.patience.wait_for_opening()) {
            Ok(session) => session,
            Err(SourceError::Opening(_)) if self.inventory.generation > 0 => {
                return Ok(self.out_of_reach());
            }
            Err(error) => return Err(error),
        };
        let deadline = Instant::now() + request.patience.wait();
        let awaited = session.begin(request, &self.dormitory);
        // While the GPUs answer there is time for the machine around them, and their answers gather meanwhile.
        let host = self.host.read();
        session.finish(&awaited, deadline, &mut self.ledger);
        if let Some(error) = session.failure() {
            retire(State::Open(session));
            return Err(self.close(error));
        }
        if let Some((driver, gpus)) = session.take_changes() {
            self.renew(driver, gpus);
        }
        if let Some(topology) = session.take_topology() {
            // The samples before are still of this inventory's GPUs, so it stays the same generation.
            Arc::make_mut(&mut self.inventory).topology = topology;
        }
        let gpus = session.gpus(request.patience);
        let processes = session.processes(&gpus, &mut self.processes);
        let errors = session.errors(&gpus);
        let events = self.take_events(session.take_events(), session.listening());
        if self.may_let_go(&session, &gpus, request) {
            retire(State::Open(session));
        } else {
            self.keep(session);
        }
        Ok(self.snapshot(host, gpus, processes, errors, events))
    }

    fn wake(&mut self) {
        self.dormitory.wake(self.now_us());
    }
}

fn still_opening(watch: &Watch, now_us: u64) -> SourceError {
    let call = watch.in_call();
    let function = call.map_or("the NVML library", |call| call.function);
    let since_us = call.map_or(now_us, |call| call.since_us);
    let seconds = now_us.saturating_sub(since_us) as f64 / 1e6;
    SourceError::Opening(format!(
        "{function} has not come back for {seconds:.1} s; without nvidia-persistenced every GPU is set up anew, which takes seconds; if it stays so, look at the kernel log (dmesg) for lines with NVRM"
    ))
}

impl Patience {
    /// How long to wait for GPUs.
    fn wait(self) -> Duration {
        match self {
            Self::Tick { interval } => (interval / 4).min(Duration::from_millis(100)),
            Self::Whole { limit } | Self::Quick { limit } => limit,
        }
    }

    /// How long to wait for the driver to open: a single sample is of no use without it, however long it takes.
    fn wait_for_opening(self) -> Duration {
        match self {
            Self::Tick { .. } => self.wait(),
            Self::Whole { .. } | Self::Quick { .. } => LONGEST_OPENING,
        }
    }
}

/// Without nvidia-persistenced a machine with eight GPUs takes half of this.
const LONGEST_OPENING: Duration = Duration::from_secs(60);

/// How many pairs so many GPUs make.
fn pairs_of(gpus: usize) -> usize {
    gpus * gpus.saturating_sub(1) / 2
}
