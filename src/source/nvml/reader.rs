//! The readings of one GPU: what is read at every tick, and what so seldom or slowly that it comes after it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::device::{Device, Fate, Watch};
use super::identity::{identify, is_incomplete, mig, with_known};
use super::mailbox::Mailbox;
use super::probes::{Every, Fill, PROBES, Probe};
use super::processes::{self, GpuProcesses, UtilizationHistory};
use super::raw::{Failure, Library};
use crate::model::{Absent, Gpu, MetricSet, Values};
use crate::source::Clock;

/// What is to be read at a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) metrics: MetricSet,
    pub(super) processes: bool,
    /// Whether calls that block for long are left out.
    pub(super) quick: bool,
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
    pub(super) clock: Arc<dyn Clock>,
    pub(super) watch: Arc<Watch>,
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
        if later.is_empty() {
            say(News::Tick(tick, Some(reader)));
            return None;
        }
        say(News::Tick(tick, None));
        Some(Self { pass: Pass::Slow(reader, later), ..self })
    }
}

/// How far apart is asked again for what should last and could not be had.
const ASK_AGAIN_US: u64 = 10_000_000;

/// One GPU and what was read of it; a thread that has it is the only one to call the driver for that GPU.
pub(super) struct Reader {
    device: Device,
    gpu: Gpu,
    /// When it last asked the GPU who it is.
    identified_us: u64,
    /// When it last read what is slow.
    slow_us: u64,
    /// The metrics of the last order.
    asked: MetricSet,
    pub(super) values: Values,
    schedule: Schedule,
    history: UtilizationHistory,
    clock: Arc<dyn Clock>,
}

impl Reader {
    /// Gets the GPU's handle, which may set it up, and asks who it is.
    fn find(start: &Start) -> Result<Self, Failure> {
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
        let gpu = identify(&mut device, start.address.index());
        let now_us = clock.monotonic_us();
        Ok(Self {
            values: Values::absent(gpu.layout, Absent::NotReadYet, now_us),
            schedule: Schedule::new(start.phase),
            history: UtilizationHistory::default(),
            clock: clock.clone(),
            device,
            gpu,
            identified_us: now_us,
            slow_us: 0,
            asked: MetricSet::all(),
        })
    }

    /// Asks the GPU now and then whether it was divided or joined by MIG, and who it is while something about it could
    /// not be had. Gives what is new.
    fn identify_again(&mut self) -> Option<Gpu> {
        let now_us = self.clock.monotonic_us();
        if now_us.saturating_sub(self.identified_us) < ASK_AGAIN_US {
            return None;
        }
        self.identified_us = now_us;
        let mig = mig(&mut self.device);
        let divided = mig.is_ok() && self.gpu.mig.is_ok() && mig != self.gpu.mig;
        if !divided && !is_incomplete(&self.gpu, &self.device) {
            return None;
        }
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
        let processes =
            order.processes.then(|| processes::read(&mut self.device, &mut self.history));
        Tick { values: self.values.clone(), processes, fate: self.device.fate() }
    }

    fn run(&mut self, due: &[usize]) {
        let pass_us = self.clock.monotonic_us();
        let mut before_us = pass_us;
        for &row in due {
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

/// When each probe is due, learned from what it costs.
struct Schedule {
    rows: Vec<Row>,
    /// Which part of a period this GPU's slow calls are put off by.
    gpu_phase: f64,
}

#[derive(Clone, Default)]
struct Row {
    /// How long the probe takes: a mean in which the newest runs count most, in microseconds.
    cost_us: f64,
    /// When it is due next; `None` before it has run.
    due_us: Option<u64>,
}

/// A probe that takes longer than this on average is not waited for at every tick.
const SLOW_US: f64 = 10_000.0;
/// How far apart a probe is run that turned out to be slow.
const SLOW_SECONDS: u32 = 2;

impl Schedule {
    fn new(gpu_phase: f64) -> Self {
        Self { rows: vec![Row::default(); PROBES.len()], gpu_phase }
    }

    /// Everything is due again.
    fn forget(&mut self) {
        self.rows.fill(Row::default());
    }

    /// The probe is due again.
    fn forget_row(&mut self, row: usize) {
        self.rows[row] = Row::default();
    }

    fn every(&self, row: usize) -> Every {
        match PROBES[row].every {
            Every::Tick if self.rows[row].cost_us > SLOW_US => Every::Seconds(SLOW_SECONDS),
            every => every,
        }
    }

    /// The probes to run before the sample is published.
    fn due_now(&self, order: &Order) -> Vec<usize> {
        self.wanted(order).filter(|&row| self.every(row) == Every::Tick).collect()
    }

    /// The probes to run after it.
    fn due_later(&self, order: &Order, now_us: u64) -> Vec<usize> {
        let due = |row: &usize| match (self.every(*row), self.rows[*row].due_us) {
            (Every::Tick, _) => false,
            (_, None) => true,
            (_, Some(due_us)) => due_us <= now_us,
        };
        self.wanted(order).filter(due).collect()
    }

    fn wanted<'a>(&self, order: &'a Order) -> impl Iterator<Item = usize> + use<'a> {
        let wanted = |probe: &Probe| {
            order.metrics.contains_any(probe.fills) && !(order.quick && probe.blocks())
        };
        (0..self.rows.len()).filter(move |&row| wanted(&PROBES[row]))
    }

    /// The rows of one GPU are put off differently too: by multiples of the golden ratio, which spread any number of them.
    fn phase(&self, row: usize) -> f64 {
        const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;
        (self.gpu_phase + row as f64 * GOLDEN_RATIO).fract()
    }

    /// Notes that a probe has run. `settled` says that each of its values is there, or never will be.
    fn ran(&mut self, row: usize, settled: bool, before_us: u64, after_us: u64) {
        let first = self.rows[row].due_us.is_none();
        let cost_us = after_us.saturating_sub(before_us) as f64;
        let mean_us = &mut self.rows[row].cost_us;
        *mean_us = if first { cost_us } else { *mean_us + (cost_us - *mean_us) / 4.0 };
        let period_us = match self.every(row) {
            Every::Tick => 0.0,
            Every::Once if settled => f64::INFINITY,
            Every::Once => ASK_AGAIN_US as f64,
            Every::Seconds(seconds) => f64::from(seconds) * 1e6,
        };
        let phase = if first { self.phase(row) } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let wait_us = (period_us * (1.0 + phase)) as u64;
        self.rows[row].due_us = Some(before_us.saturating_add(wait_us));
    }
}

#[cfg(test)]
mod tests {
    use super::{Every, Order, PROBES, Schedule};
    use crate::model::{Metric, MetricSet};

    fn order(quick: bool) -> Order {
        Order { metrics: MetricSet::all(), processes: false, quick }
    }

    fn row_of(metric: Metric) -> usize {
        PROBES.iter().position(|probe| probe.fills.contains(&metric)).unwrap()
    }

    #[test]
    fn a_probe_that_proves_slow_is_no_longer_waited_for_and_comes_back_when_it_recovers() {
        let mut schedule = Schedule::new(0.0);
        let row = row_of(Metric::PowerDraw);
        schedule.ran(row, true, 0, 25_000);
        assert!(!schedule.due_now(&order(false)).contains(&row));
        assert!(!schedule.due_later(&order(false), 25_000).contains(&row));
        for run in 1..=6u64 {
            let at = run * 3_000_000;
            assert!(
                schedule.due_later(&order(false), at).contains(&row)
                    || schedule.every(row) == Every::Tick
            );
            schedule.ran(row, true, at, at + 100);
        }
        assert!(schedule.due_now(&order(false)).contains(&row));
    }

    #[test]
    fn facts_are_read_once() {
        let mut schedule = Schedule::new(0.0);
        let row = row_of(Metric::ClockSmMaximum);
        assert!(schedule.due_later(&order(false), 0).contains(&row));
        schedule.ran(row, false, 0, 10);
        assert!(!schedule.due_later(&order(false), 1_000_000).contains(&row));
        assert!(
            schedule.due_later(&order(false), 20_000_000).contains(&row),
            "it could not be had"
        );
        schedule.ran(row, true, 20_000_000, 20_000_010);
        assert!(!schedule.due_later(&order(false), u64::MAX - 1).contains(&row));
    }

    #[test]
    fn slow_calls_of_several_gpus_are_spread() {
        let row = row_of(Metric::PcieRx);
        let due = |phase| {
            let mut schedule = Schedule::new(phase);
            schedule.ran(row, true, 0, 20_000);
            schedule.rows[row].due_us.unwrap()
        };
        let apart = due(0.5).abs_diff(due(0.0));
        assert!(apart.abs_diff(1_000_000) <= 1, "half a period apart: {apart}");
    }

    #[test]
    fn quick_leaves_out_what_blocks() {
        let schedule = Schedule::new(0.0);
        assert!(!schedule.due_later(&order(true), 0).contains(&row_of(Metric::PcieRx)));
        assert!(schedule.due_later(&order(true), 0).contains(&row_of(Metric::ClockSmMaximum)));
    }
}
