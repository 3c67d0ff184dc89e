//! The readings of one GPU: what is read at every tick, and what so seldom or slowly that it comes after it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use super::device::{Device, Fate};
use super::events::{Listener, NvmlEvent};
use super::fields::DriverVersion;
use super::identity::{divisions, identify, is_incomplete, mig, with_known};
use super::mailbox::Mailbox;
use super::probes::{Fill, PROBES};
use super::processes::{self, GpuProcesses, UtilizationHistory};
use super::raw::{Failure, Library};
use super::schedule::Schedule;
use super::topology::Peers;
use super::watch::Watch;
use crate::model::{Absent, Fact, Gpu, Lane, MetricSet, Values};
use crate::source::Clock;

/// What is to be read at a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) metrics: MetricSet,
    pub(super) processes: bool,
    /// Whether calls that block for long are left out.
    pub(super) quick: bool,
    /// Whether the GPU's event set is emptied: in a series, where somebody waits for events.
    pub(super) listen: bool,
}

/// One pass over a GPU, for whichever thread is free.
pub(super) struct Job {
    /// The collector's position for the GPU.
    pub(super) position: usize,
    pub(super) order: Order,
    pub(super) pass: Pass,
}

/// What is done in a pass.
pub(super) enum Pass {
    /// Finds the GPU, and reads what every tick reads.
    First(Start),
    /// Reads what every tick reads.
    Fast(Box<Reader>),
    /// Reads what is slow: these rows of the probes.
    Slow(Box<Reader>, Vec<usize>),
}

/// What there is to say, and of which GPU.
pub(super) struct Report {
    pub(super) position: usize,
    pub(super) news: News,
}

/// What there is to say.
pub(super) enum News {
    /// The GPU was found, or is not what it was; said before any reading of it.
    Found(Box<Gpu>),
    /// The GPU cannot be had.
    Refused(Failure),
    /// Reading the GPU crashed, and its reader is gone.
    Crashed,
    /// What every tick reads, with the reader unless it goes on with what is slow.
    Tick(Box<Tick>, Option<Box<Reader>>),
    /// The order is carried out, also what is slow.
    Slow(Box<Reader>),
}

/// What every tick reads.
pub(super) struct Tick {
    pub(super) values: Values,
    /// `None` where the order did not ask for them.
    pub(super) processes: Option<GpuProcesses>,
    /// What all the answers of the tick together say.
    pub(super) fate: Fate,
    /// What NVML told that happened.
    pub(super) events: Vec<NvmlEvent>,
    /// Which types of events NVML tells of.
    pub(super) listening: Fact<u64>,
}

/// How to find a GPU.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// By NVML's index.
    Index(u32),
    /// By its PCI address, where some GPU sleeps and must not be touched.
    BusId { bus_id: String, index: u32 },
}

impl Address {
    /// NVML's index, or for a GPU reached by its address the one that it would have.
    pub(super) fn index(&self) -> u32 {
        match self {
            Self::Index(index) | Self::BusId { index, .. } => *index,
        }
    }
}

/// What is needed to find a GPU.
pub(super) struct Start {
    pub(super) address: Address,
    /// Which part of a period its slow calls are put off by, so that not all GPUs make theirs at once.
    pub(super) phase: f64,
    pub(super) library: Arc<Library>,
    /// The driver's version, where it is known.
    pub(super) driver: Option<DriverVersion>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) watch: Arc<Watch>,
    /// Its position among the GPUs of the session, and what those know of one another.
    pub(super) position: usize,
    pub(super) peers: Arc<Peers>,
    pub(super) listener: Arc<Mutex<Listener>>,
}

impl Job {
    /// When what is slow was last read of the GPU, so that each gets its turn.
    pub(super) fn slow_us(&self) -> u64 {
        match &self.pass {
            Pass::First(_) => 0,
            Pass::Fast(reader) | Pass::Slow(reader, _) => reader.slow_us,
        }
    }

    /// Carries the pass out and reports. Gives the pass over what is slow, where that is due.
    ///
    /// A crash is reported like everything else: it costs the other GPUs neither their thread nor their turn.
    pub(super) fn run(self, reports: &Mailbox<Report>) -> Option<Self> {
        let position = self.position;
        let say = |news| reports.put(Report { position, news });
        let run = AssertUnwindSafe(|| self.carry_out(&say));
        catch_unwind(run).unwrap_or_else(|_| {
            say(News::Crashed);
            None
        })
    }

    fn carry_out(self, say: &impl Fn(News)) -> Option<Self> {
        let mut reader = match self.pass {
            Pass::First(start) => match Reader::find(&start) {
                Ok(reader) => {
                    say(News::Found(Box::new(reader.gpu.clone())));
                    Box::new(reader)
                }
                Err(failure) => {
                    say(News::Refused(failure));
                    return None;
                }
            },
            Pass::Fast(reader) => reader,
            Pass::Slow(mut reader, due) => {
                reader.run(&due);
                reader.peers.read(reader.position, &mut reader.device);
                reader.slow_us = reader.clock.monotonic_us();
                say(News::Slow(reader));
                return None;
            }
        };
        if let Some(gpu) = reader.identify_again() {
            say(News::Found(Box::new(gpu)));
        }
        let later = reader.schedule.due_later(&self.order, reader.device.now_us());
        let tick = Box::new(reader.tick(&self.order));
        if later.is_empty() && !reader.peers.owes(reader.position) {
            say(News::Tick(tick, Some(reader)));
            return None;
        }
        say(News::Tick(tick, None));
        Some(Self { pass: Pass::Slow(reader, later), ..self })
    }
}

/// How far apart is asked again for what should last and could not be had.
pub(super) const ASK_AGAIN_US: u64 = 10_000_000;
/// How far apart is asked again for everything that should last: a user can change a mode.
const ASK_ALL_AGAIN_US: u64 = 60_000_000;

/// One GPU and what was read of it; a thread that has it is the only one to call the driver for that GPU.
pub(super) struct Reader {
    device: Device,
    pub(super) gpu: Gpu,
    /// When it last asked the GPU how it is divided.
    identified_us: u64,
    /// When it last asked the GPU everything that lasts.
    asked_all_us: u64,
    /// When it last read what is slow.
    slow_us: u64,
    /// The metrics of the last order.
    asked: MetricSet,
    pub(super) values: Values,
    schedule: Schedule,
    history: UtilizationHistory,
    listener: Arc<Mutex<Listener>>,
    clock: Arc<dyn Clock>,
    position: usize,
    peers: Arc<Peers>,
}

impl Reader {
    /// Gets the GPU's handle, which may set it up, and asks who it is.
    pub(super) fn find(start: &Start) -> Result<Self, Failure> {
        let Start { library, clock, watch, .. } = start;
        let handle = match &start.address {
            Address::Index(index) => {
                watch.during(&**clock, "nvmlDeviceGetHandleByIndex_v2", || {
                    library.device_by_index(*index)
                })
            }
            Address::BusId { bus_id, .. } => {
                watch.during(&**clock, "nvmlDeviceGetHandleByPciBusId_v2", || {
                    library.device_by_pci_bus_id(bus_id)
                })
            }
        }?;
        let mut device = Device::new(library.clone(), handle, clock.clone(), watch.clone());
        device.driver = start.driver;
        let gpu = identify(&mut device, start.address.index());
        start.peers.found(start.position, handle, gpu.pci_bus_id.clone());
        lock(&start.listener).begin(&device);
        let now_us = clock.monotonic_us();
        Ok(Self {
            values: Values::absent(gpu.layout, Absent::NotReadYet, now_us),
            schedule: Schedule::new(start.phase),
            history: UtilizationHistory::default(),
            listener: start.listener.clone(),
            clock: clock.clone(),
            device,
            gpu,
            identified_us: now_us,
            asked_all_us: now_us,
            slow_us: 0,
            asked: MetricSet::all(),
            position: start.position,
            peers: start.peers.clone(),
        })
    }

    /// Makes everything that it reads be read so many times, each as long as it takes less than `longest_us` in all.
    pub(super) fn measure(&mut self, times: usize, longest_us: u64) {
        let mut repeat = |read: &mut dyn FnMut(&mut Self)| {
            let start_us = self.clock.monotonic_us();
            for _ in 0..times {
                read(self);
                if self.clock.monotonic_us().saturating_sub(start_us) > longest_us {
                    return;
                }
            }
        };
        repeat(&mut |reader| drop(identify(&mut reader.device, reader.gpu.index)));
        for row in 0..PROBES.len() {
            repeat(&mut |reader| reader.run(&[row]));
        }
        repeat(&mut |reader| drop(processes::read(&mut reader.device, &mut reader.history)));
    }

    /// Asks the GPU now and then how MIG has divided it, and who it is while something about it could not be had. Gives
    /// what is new.
    fn identify_again(&mut self) -> Option<Gpu> {
        let now_us = self.clock.monotonic_us();
        if now_us.saturating_sub(self.identified_us) < ASK_AGAIN_US {
            return None;
        }
        self.identified_us = now_us;
        self.device.enter(Lane::Once);
        let mig = mig(&mut self.device);
        let switched = mig.is_ok() && self.gpu.mig.is_ok() && mig != self.gpu.mig;
        // Whatever is behind the number of an instance may be another one now.
        let divisions = divisions(&mut self.device, mig);
        let rearranged = divisions.is_ok() && divisions != self.gpu.mig_devices;
        let divided = switched || rearranged;
        let is_due = now_us.saturating_sub(self.asked_all_us) >= ASK_ALL_AGAIN_US;
        if !divided && !is_due && !is_incomplete(&self.gpu, &self.device) {
            return None;
        }
        self.asked_all_us = now_us;
        if divided {
            self.device.forget_refusals();
        }
        let gpu = with_known(identify(&mut self.device, self.gpu.index), &self.gpu);
        if divided || gpu.layout != self.gpu.layout {
            self.values = Values::absent(gpu.layout, Absent::NotReadYet, now_us);
            self.schedule.forget();
        }
        let is_new = gpu != self.gpu;
        self.gpu = gpu;
        is_new.then(|| self.gpu.clone())
    }

    /// Lets go of what the order does not ask for, so that an old value is not taken for a new one.
    fn forget_unasked(&mut self, order: &Order) {
        if self.asked == order.metrics {
            return;
        }
        self.asked = order.metrics;
        for (row, probe) in PROBES.iter().enumerate() {
            if order.metrics.contains_any(probe.fills) {
                continue;
            }
            self.schedule.forget_row(row);
            for metric in probe.fills {
                for reading in self.values.instances_mut(*metric) {
                    reading.value = Err(Absent::NotReadYet);
                }
            }
        }
    }

    /// Reads what every tick reads.
    fn tick(&mut self, order: &Order) -> Tick {
        self.device.begin_tick();
        self.forget_unasked(order);
        let due = self.schedule.due_now(order);
        self.run(&due);
        self.device.enter(Lane::Tick);
        let processes =
            order.processes.then(|| processes::read(&mut self.device, &mut self.history));
        let mut listener = lock(&self.listener);
        let events = if order.listen { listener.take(&self.device) } else { Vec::new() };
        let (values, fate) = (self.values.clone(), self.device.fate());
        Tick { values, processes, fate, events, listening: listener.types() }
    }

    fn run(&mut self, due: &[usize]) {
        let pass_us = self.clock.monotonic_us();
        let mut before_us = pass_us;
        for &row in due {
            self.device.enter(self.schedule.lane(row));
            Fill::new(&mut self.values, &*self.clock, pass_us).run(&PROBES[row], &mut self.device);
            let after_us = self.clock.monotonic_us();
            let mut filled =
                PROBES[row].fills.iter().flat_map(|metric| self.values.instances(*metric));
            let settled = filled.all(|reading| reading.value.err().is_none_or(Absent::lasts));
            self.schedule.ran(row, settled, before_us, after_us);
            before_us = after_us;
        }
    }
}

/// What a thread that crashed left is whole: the next reader begins anew.
fn lock(listener: &Mutex<Listener>) -> std::sync::MutexGuard<'_, Listener> {
    listener.lock().unwrap_or_else(PoisonError::into_inner)
}
