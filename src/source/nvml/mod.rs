//! The source that asks NVIDIA's driver: the only place that names NVML's functions.
//!
//! A crew of threads makes the calls (`crew`, `reader`), the session closes a tick from what they report, and this module
//! opens and closes the driver around it. Whatever hangs, hangs in a thread that nothing waits for.

mod crew;
mod device;
mod identity;
mod locate;
mod mailbox;
mod opening;
mod probes;
mod processes;
mod raw;
mod reader;
mod seat;
mod session;

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use device::Watch;
use opening::Opened;
use raw::Library;
use session::Session;

use super::host::{
    HostReader, PciGpu, ProcessReader, gpu_information, identity, kernel_driver, pci_gpus,
};
use super::{Clock, Patience, Request, Snapshot, Source, SourceError};
use crate::model::{
    Absent, Driver, Fact, Gpu, GpuSample, GpuState, Host, HostMetric, Inventory, KernelModule,
    Origin, Process, Sample, SampleError, Sysroot, Values,
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
}

/// This machine's GPUs through NVML.
///
/// The library is loaded by the first sample, and again after the driver went away; while every GPU sleeps it is not
/// touched at all.
pub struct NvmlSource {
    options: NvmlOptions,
    state: State,
    identity: Host,
    host: HostReader,
    processes: ProcessReader,
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
        };
        Self {
            host: HostReader::new(&options.sysroot),
            processes: ProcessReader::new(options.sysroot.clone(), options.clock.clone()),
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

    /// The GPUs that NVIDIA's driver drives, as the kernel lists them; none where there is no PCI bus.
    fn driven_gpus(&self) -> Vec<PciGpu> {
        let mut gpus = pci_gpus(&self.options.sysroot).unwrap_or_default();
        gpus.retain(|gpu| gpu.driver.as_deref() == Some("nvidia"));
        gpus
    }

    /// Starts the thread that loads and initialises: `nvmlInit` may take seconds for each GPU, or for ever.
    fn start_opening(&self, gpus: Vec<PciGpu>) -> State {
        let (sender, result) = mpsc::channel();
        let watch = Arc::new(Watch::default());
        let (options, shown, retired) = (self.options.clone(), watch.clone(), self.retired.clone());
        let open = move || {
            opening::wait_for_unload(&retired);
            let opened = Opened::open(&options, gpus, &shown);
            // Where nobody waits any more the library is closed again here.
            drop(sender.send(opened));
        };
        // Where no thread is to be had, the end of the channel tells it.
        drop(std::thread::Builder::new().name("opening".to_owned()).spawn(open));
        State::Opening { result, watch }
    }

    /// Takes the open session, getting as far towards one as `wait` allows.
    fn take_session(&mut self, wait: Duration) -> Result<Found, SourceError> {
        match std::mem::replace(&mut self.state, State::Ready) {
            State::Open(session) => Ok(Found::Session(session)),
            State::Closed { retry_us, error } if self.now_us() < retry_us => {
                self.state = State::Closed { retry_us, error: error.clone() };
                Err(error)
            }
            State::Closed { .. } | State::Ready => {
                let gpus = self.driven_gpus();
                if !gpus.is_empty() && gpus.iter().all(|gpu| gpu.runtime_status.is_asleep()) {
                    return Ok(Found::Asleep(gpus));
                }
                self.state = self.start_opening(gpus);
                self.take_session(wait)
            }
            State::Opening { result, watch } => match result.recv_timeout(wait) {
                Ok(Ok(opened)) => {
                    let session = Session::new(opened, &self.inventory.gpus, &self.options);
                    self.retired = session.library();
                    Ok(Found::Session(session))
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
        let mut next = Inventory { generation, origin: Origin::Nvml, host, driver, gpus };
        if generation == 0 || *self.inventory != next {
            next.generation += 1;
            self.inventory = Arc::new(next);
        }
    }

    /// The sample of a machine whose GPUs all sleep, without a call to the driver.
    fn asleep(&mut self, sleeping: &[PciGpu]) -> Snapshot {
        let known = |(gpu, index)| asleep_gpu(&self.options.sysroot, gpu, index);
        let gpus: Vec<_> = sleeping.iter().zip(0..).map(known).collect();
        let driver = Driver {
            nvml_version: Err(Absent::Asleep),
            cuda_version: Err(Absent::Asleep),
            library: Err(Absent::Asleep),
            ..driver_facts(&self.options.sysroot)
        };
        self.renew(driver, gpus);
        self.silent(&GpuState::Asleep, Absent::Asleep)
    }

    /// A sample in which no GPU says anything.
    fn silent(&mut self, state: &GpuState, why: Absent) -> Snapshot {
        let now_us = self.now_us();
        let silent = |gpu: &Gpu| GpuSample {
            state: state.clone(),
            values: Values::absent(gpu.layout, why, now_us),
        };
        let gpus = self.inventory.gpus.iter().map(silent).collect();
        let host = self.host.read();
        self.snapshot(host, gpus, Vec::new(), Vec::new())
    }

    fn snapshot(
        &self,
        host: [Result<f64, Absent>; HostMetric::COUNT],
        gpus: Vec<GpuSample>,
        processes: Vec<Process>,
        errors: Vec<SampleError>,
    ) -> Snapshot {
        let sample = Sample {
            generation: self.inventory.generation,
            unix_us: self.options.clock.unix_us(),
            monotonic_us: self.now_us(),
            gpus,
            processes,
            host,
            errors,
        };
        Snapshot { inventory: self.inventory.clone(), sample }
    }

    /// The sample of GPUs that were there, while the driver is being opened anew.
    fn out_of_reach(&mut self) -> Snapshot {
        let now_us = self.now_us();
        let call = match &self.state {
            State::Opening { watch, .. } => watch.in_call(),
            _ => None,
        };
        let state = seat::silent_state(call, call.map_or(now_us, |call| call.since_us), now_us);
        let why =
            if matches!(state, GpuState::Stuck { .. }) { Absent::Stuck } else { Absent::Stale };
        self.silent(&state, why)
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

/// What there is to take a sample from.
enum Found {
    Session(Session),
    /// Every GPU sleeps.
    Asleep(Vec<PciGpu>),
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
        let mut session = match self.take_session(request.patience.wait_for_opening()) {
            Ok(Found::Session(session)) => session,
            Ok(Found::Asleep(gpus)) => return Ok(self.asleep(&gpus)),
            Err(SourceError::Opening(_)) if self.inventory.generation > 0 => {
                return Ok(self.out_of_reach());
            }
            Err(error) => return Err(error),
        };
        let deadline = Instant::now() + request.patience.wait();
        let awaited = session.begin(request);
        // While the GPUs answer there is time for the machine around them, and their answers gather meanwhile.
        let host = self.host.read();
        session.finish(&awaited, deadline);
        if let Some(error) = session.failure() {
            retire(State::Open(session));
            return Err(self.close(error));
        }
        if let Some((driver, gpus)) = session.take_changes() {
            self.renew(driver, gpus);
        }
        let gpus = session.gpus(request.patience);
        let processes = session.processes(&gpus, &mut self.processes);
        let errors = session.errors(&gpus);
        self.keep(session);
        Ok(self.snapshot(host, gpus, processes, errors))
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

/// A wait in microseconds that doubles every time that it was in vain.
struct Backoff {
    next_us: u64,
    longest_us: u64,
}

impl Backoff {
    fn of_driver() -> Self {
        Self { next_us: 1_000_000, longest_us: 30_000_000 }
    }

    /// Opening the driver anew costs the other GPUs some ticks, so a GPU that stays lost is tried less and less often.
    fn of_lost_gpu() -> Self {
        Self { next_us: 30_000_000, longest_us: 600_000_000 }
    }

    fn take(&mut self) -> u64 {
        let wait_us = self.next_us;
        self.next_us = (wait_us * 2).min(self.longest_us);
        wait_us
    }
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

/// A GPU that sleeps, as far as the kernel driver knows it.
fn asleep_gpu(sysroot: &Sysroot, gpu: &PciGpu, index: u32) -> Gpu {
    let known = gpu_information(sysroot, gpu.address);
    let fact = |pick: fn(super::host::GpuInformation) -> Fact<String>| {
        known.clone().and_then(pick).map_err(|_| Absent::Asleep)
    };
    Gpu {
        pci_bus_id: Ok(gpu.address.to_string()),
        name: fact(|known| known.name),
        uuid: fact(|known| known.uuid),
        vbios_version: fact(|known| known.vbios_version),
        ..Gpu::unknown(index, Absent::Asleep)
    }
}

/// What `/proc` says of the driver; NVML's own facts are for the caller.
fn driver_facts(sysroot: &Sysroot) -> Driver {
    let loaded = kernel_driver(sysroot);
    let module: Fact<KernelModule> =
        loaded.as_ref().map(|driver| driver.module).map_err(|why| *why);
    Driver {
        version: loaded.map(|driver| driver.version),
        nvml_version: Err(Absent::NotReadYet),
        cuda_version: Err(Absent::NotReadYet),
        kernel_module: module,
        library: Err(Absent::NotReadYet),
    }
}
