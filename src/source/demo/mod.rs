//! Simulated machines for trying the program: every number is a pure function of the preset and the time.

mod boards;
mod events;
mod families;
mod preset;
mod presets;
mod signal;
mod wave;

use std::sync::Arc;

use super::{Clock, Request, Snapshot, Source, SourceError};
use crate::model::{
    Absent, CommonAncestor, ConfidentialCompute, Driver, FactValue, Gpu, GpuFact, GpuFacts,
    GpuPair, GpuSample, GpuState, Host, HostMetric, Inventory, KernelModule, Layout, LinksBetween,
    Metric, MigDevice, Origin, Per, Process, ProcessIdentity, ProcessMetric, Sample, Values,
};
use events::EventScript;
pub use preset::Preset;
use preset::{GpuRow, MigRow, ProcessRow};
pub use presets::PRESETS;
use signal::{Moment, Signal};
use wave::{mix, mix_text};

const MIB: f64 = 1_048_576.0;

/// A simulated machine.
pub struct Demo {
    preset: &'static Preset,
    clock: Arc<dyn Clock>,
    /// When it started, on the clock for differences.
    start_us: u64,
    inventory: Arc<Inventory>,
    /// Who the preset's processes are, in its order.
    identities: Vec<Arc<ProcessIdentity>>,
    events: EventScript,
}

impl Demo {
    /// The machine of `preset`, which starts now.
    #[must_use]
    pub fn new(preset: &'static Preset, clock: Arc<dyn Clock>) -> Self {
        let start_unix_s = clock.unix_us() / 1_000_000;
        let identity = |row| Arc::new(identity(row, start_unix_s));
        Self {
            events: EventScript::new(preset, clock.unix_us()),
            preset,
            start_us: clock.monotonic_us(),
            clock,
            inventory: Arc::new(inventory(preset)),
            identities: preset.processes.iter().map(identity).collect(),
        }
    }

    /// Seconds from its start to a time of its clock.
    fn elapsed(&self, at_us: u64) -> f64 {
        at_us.saturating_sub(self.start_us) as f64 / 1e6
    }

    fn gpu(&self, position: usize, at_us: u64, request: &Request) -> GpuSample {
        let row = &self.preset.gpus[position];
        let layout = Layout::new(row.instances());
        let t = self.elapsed(at_us);
        if !is_awake(row, t) {
            let values = Values::absent(layout, Absent::Asleep, at_us);
            let state = GpuState::Asleep { age_us: 0, at_least: true };
            return GpuSample { state, values };
        }
        let moment = self.moment(position, t);
        let mut values = Values::absent(layout, Absent::NotReadYet, at_us);
        for &metric in Metric::ALL.iter().filter(|metric| request.metrics.contains(**metric)) {
            let mut tables =
                [row.but, row.board.signals].into_iter().chain(row.board.families.iter().copied());
            let signal = tables.find_map(|table| signal_of(table, metric));
            let signal = signal.unwrap_or(Signal::Absent(absent(metric)));
            for (instance, reading) in (0..).zip(values.instances_mut(metric)) {
                reading.value = moment.value(signal, metric, instance);
            }
        }
        GpuSample { state: GpuState::Live, values }
    }

    fn moment(&self, position: usize, t: f64) -> Moment<'static> {
        let row = &self.preset.gpus[position];
        let on_it = self.preset.processes.iter().filter(|process| process.gpu == position);
        let held: f64 = on_it.map(|process| memory(process, t)).sum();
        Moment::new(row, seed(self.preset, position), t, row.board.memory_at_rest + held)
    }

    fn processes(&self, t: f64) -> Vec<Process> {
        self.preset
            .processes
            .iter()
            .zip(&self.identities)
            .filter(|(row, _)| is_awake(&self.preset.gpus[row.gpu], t))
            .map(|(row, identity)| Process {
                pid: row.pid,
                gpu: row.gpu,
                kinds: row.kinds,
                gpu_instance: row.instance.map(|(gpu_instance, _)| gpu_instance),
                compute_instance: row.instance.map(|(_, compute_instance)| compute_instance),
                values: process_values(row, self.moment(row.gpu, t).load(), t),
                identity: Ok(Arc::clone(identity)),
            })
            .collect()
    }

    fn host(&self, t: f64) -> [Result<f64, Absent>; HostMetric::COUNT] {
        let load = self.preset.host_load.at(t);
        let mut values = [Err(Absent::NotFound); HostMetric::COUNT];
        for &(metric, signal) in self.preset.host_signals {
            values[metric as usize] = signal.of_load(load, metric.spec().unit);
        }
        values
    }
}

impl Source for Demo {
    fn sample(&mut self, request: &Request) -> Result<Snapshot, SourceError> {
        let at_us = self.clock.monotonic_us();
        let t = self.elapsed(at_us);
        let sample = Sample {
            generation: self.inventory.generation,
            unix_us: self.clock.unix_us(),
            monotonic_us: at_us,
            gpus: (0..self.preset.gpus.len()).map(|n| self.gpu(n, at_us, request)).collect(),
            processes: if request.processes { self.processes(t) } else { Vec::new() },
            host: self.host(t),
            errors: Vec::new(),
            events: self.events.take(t),
        };
        Ok(Snapshot { inventory: Arc::clone(&self.inventory), sample, cost: None })
    }
}

fn is_awake(row: &GpuRow, t: f64) -> bool {
    row.awake.is_none_or(|awake| awake.at(t) > 0.0)
}

fn signal_of(table: &[(Metric, Signal)], metric: Metric) -> Option<Signal> {
    table.iter().find(|(of, _)| *of == metric).map(|(_, signal)| *signal)
}

/// Gibibytes as bytes, in whole mebibytes.
fn bytes(gib: f64) -> f64 {
    (gib * 1024.0).round() * MIB
}

fn memory(row: &ProcessRow, t: f64) -> f64 {
    bytes(row.memory.at(t))
}

fn process_values(
    row: &ProcessRow,
    load: f64,
    t: f64,
) -> [Result<f64, Absent>; ProcessMetric::COUNT] {
    let percent = |share: f64| (share * load * 100.0).round();
    let known = [
        (ProcessMetric::GpuMemory, Ok(memory(row, t))),
        (ProcessMetric::Sm, row.sm.map(percent)),
        (ProcessMetric::MemoryController, row.sm.map(|share| percent(0.6 * share))),
        (ProcessMetric::Encoder, row.encoder.map(percent)),
        (ProcessMetric::Decoder, row.encoder.map(|_| 0.0)),
        (ProcessMetric::Cpu, Ok((row.cpu * (0.9 + 0.1 * load)).round())),
        (ProcessMetric::ResidentMemory, Ok(bytes(row.resident))),
        (ProcessMetric::RunTime, Ok(f64::from(row.age_s) + t.floor())),
    ];
    let mut values = [Err(Absent::NotSupported); ProcessMetric::COUNT];
    for (metric, value) in known {
        values[metric as usize] = value;
    }
    values
}

fn identity(row: &ProcessRow, start_unix_s: u64) -> ProcessIdentity {
    let program = row.command.split(' ').next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    ProcessIdentity {
        start_unix_s: start_unix_s.saturating_sub(u64::from(row.age_s)),
        user_id: row.user.0,
        user: Some(row.user.1.into()),
        name: name.into(),
        command: row.command.into(),
    }
}

fn inventory(preset: &'static Preset) -> Inventory {
    let (driver, cuda) = preset.versions;
    Inventory {
        generation: 1,
        origin: Origin::Demo(preset.name),
        host: Host { name: preset.host.to_owned(), kernel: Ok("6.12.40".to_owned()) },
        driver: Driver {
            version: Ok(driver.to_owned()),
            nvml_version: Ok(format!("13.{driver}")),
            cuda_version: Ok(cuda.to_owned()),
            kernel_module: Ok(KernelModule::Open),
            library: Err(Absent::Simulated),
            confidential_compute: Ok(ConfidentialCompute::Off),
        },
        gpus: (0..).zip(preset.gpus).map(|(index, row)| gpu(preset, index, row)).collect(),
        topology: topology(preset),
    }
}

fn gpu(preset: &Preset, index: u32, row: &GpuRow) -> Gpu {
    let seed = seed(preset, index as usize);
    let serial = 1_650_000_000_000 + seed % 10_000_000_000;
    Gpu {
        index,
        uuid: Ok(uuid(seed)),
        pci_bus_id: Ok(row.pci_bus_id.to_owned()),
        name: Ok(row.board.name.to_owned()),
        architecture: Ok(row.board.architecture),
        compute_capability: Ok(row.board.compute_capability),
        vbios_version: Ok(row.board.vbios.to_owned()),
        serial: if row.board.has_serial {
            Ok(serial.to_string())
        } else {
            Err(Absent::NotSupported)
        },
        mig: row.mig,
        facts: facts(row),
        mig_devices: Ok(row.mig_devices.iter().map(|part| mig_device(seed, part)).collect()),
        layout: Layout::new(row.instances()),
    }
}

fn facts(row: &GpuRow) -> GpuFacts {
    let mut facts = GpuFacts::absent(Absent::NotSupported);
    if let Some(Signal::Absent(why)) = signal_of(row.board.signals, Metric::MemoryTotal) {
        facts.set(GpuFact::MemoryBusWidth, Err(why));
        facts.set(GpuFact::MemoryBandwidthPeak, Err(why));
    }
    for (fact, value) in row.board.facts {
        facts.set(*fact, Ok(value.clone()));
    }
    if let Some((node, processors)) = row.near {
        facts.set(GpuFact::NumaAffinity, Ok(FactValue::Text(node.into())));
        facts.set(GpuFact::CpuAffinity, Ok(FactValue::Text(processors.into())));
    }
    facts
}

fn mig_device(seed: u64, part: &MigRow) -> MigDevice {
    let uuid = uuid(mix(seed ^ u64::from(part.gpu_instance)));
    MigDevice {
        uuid: Ok(uuid.replacen("GPU", "MIG", 1)),
        gpu_instance: Ok(part.gpu_instance),
        compute_instance: Ok(0),
        profile: Ok(part.profile.to_owned()),
        memory_total_bytes: Ok(part.memory << 20),
    }
}

/// GPUs near to the same processor lie below one of its host bridges each.
fn topology(preset: &Preset) -> Vec<GpuPair> {
    let rows = preset.gpus;
    let each = (0..rows.len()).flat_map(|first| (first + 1..rows.len()).map(move |it| [first, it]));
    let pair = |gpus: [usize; 2]| {
        let same_node = rows[gpus[0]].near == rows[gpus[1]].near;
        GpuPair {
            gpus,
            common_ancestor: Ok(CommonAncestor(if same_node { 40 } else { 50 })),
            nvlinks: Ok(LinksBetween { count: preset.nvlinks, through_switch: preset.nvlinks > 0 }),
        }
    };
    each.map(pair).collect()
}

/// Why a GPU has no value of a metric that its tables do not have.
fn absent(metric: Metric) -> Absent {
    match metric.spec().per {
        Per::GpuInstance => Absent::NotMig,
        Per::One | Per::Fan | Per::NvLink => Absent::NotSupported,
    }
}

/// What the numbers of one GPU vary by.
fn seed(preset: &Preset, position: usize) -> u64 {
    mix_text(position as u64, preset.name)
}

fn uuid(seed: u64) -> String {
    let (a, b) = (mix(seed), mix(!seed));
    let tail = b & 0xffff_ffff_ffff;
    format!(
        "GPU-{:08x}-{:04x}-{:04x}-{:04x}-{tail:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xffff,
        b >> 48
    )
}

#[cfg(test)]
mod tests {
    use super::signal::UPTIME_S;
    use super::{Demo, PRESETS, Preset};
    use crate::model::{Absent, GpuState, HostMetric, Metric, MetricSet, ProcessMetric, Unit};
    use crate::source::{Clock, Feed, ManualClock, Patience, Request, Snapshot, Source};
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::time::Duration;

    const REQUEST: Request = Request {
        metrics: MetricSet::NONE,
        processes: true,
        patience: Patience::Whole { limit: Duration::from_secs(5) },
    };

    /// What the preset says at each of these times after its start.
    fn snapshots(preset: &'static Preset, times: [Duration; 2]) -> [Snapshot; 2] {
        let clock = Arc::new(ManualClock::at(1_700_000_000_000_000));
        let mut feed = Feed::new(Box::new(Demo::new(preset, Arc::clone(&clock) as _)));
        let request = Request { metrics: MetricSet::all(), ..REQUEST };
        times.map(|time| {
            clock.advance(time.saturating_sub(Duration::from_micros(clock.monotonic_us())));
            Arc::unwrap_or_clone(feed.next(&request).unwrap())
        })
    }

    fn preset() -> impl Strategy<Value = &'static Preset> {
        (0..PRESETS.len()).prop_map(|n| &PRESETS[n])
    }

    #[test]
    fn the_tables_are_whole() {
        for preset in PRESETS {
            assert_eq!(PRESETS.iter().filter(|other| other.name == preset.name).count(), 1);
            assert!(preset.processes.iter().all(|process| process.gpu < preset.gpus.len()));
            assert!(preset.processes.is_sorted_by_key(|process| (process.gpu, process.pid)));
            for gpu in preset.gpus {
                assert!(
                    (gpu.load.at(UPTIME_S) - gpu.load.at(0.0)).abs() < 1e-9,
                    "not whole periods"
                );
                assert!(gpu.board.power.0 > 0.01 * gpu.board.power.1, "energy would shrink");
            }
        }
    }

    #[test]
    fn the_laptop_sleeps_between_its_work() {
        let laptop = PRESETS.iter().find(|preset| preset.name == "laptop").unwrap();
        let [work, rest] = snapshots(laptop, [5, 80].map(Duration::from_secs));
        assert_eq!(work.sample.gpus[0].state, GpuState::Live);
        assert!(matches!(rest.sample.gpus[0].state, GpuState::Asleep { .. }));
        assert!(rest.sample.processes.is_empty());
    }

    #[test]
    fn it_starts_with_the_program_and_not_with_the_machine() {
        let clock = Arc::new(ManualClock::at(0));
        let state = |clock: &Arc<ManualClock>| {
            let laptop = PRESETS.iter().find(|preset| preset.name == "laptop").unwrap();
            let sample = Demo::new(laptop, Arc::clone(clock) as _).sample(&REQUEST).unwrap().sample;
            (sample.gpus[0].state.clone(), sample.processes[0].get(ProcessMetric::RunTime))
        };
        let fresh = state(&clock);
        clock.advance(Duration::from_secs(80));
        assert_eq!(state(&clock), fresh);
    }

    #[test]
    fn what_was_not_asked_for_is_not_read() {
        let mut demo = Feed::new(Box::new(Demo::new(&PRESETS[0], Arc::new(ManualClock::at(0)))));
        let request =
            Request { metrics: MetricSet::NONE.with(Metric::Busy), processes: false, ..REQUEST };
        let sample = &demo.next(&request).unwrap().sample;
        assert!(sample.processes.is_empty());
        assert!(sample.gpus[0].values.get(Metric::Busy).value.is_ok());
        assert!(sample.gpus[0].values.get(Metric::Temperature).value.is_err());
    }

    #[test]
    fn a_quick_sample_is_as_the_drivers() {
        let mut demo = Feed::new(Box::new(Demo::new(&PRESETS[0], Arc::new(ManualClock::at(0)))));
        let patience = Patience::Quick { limit: Duration::from_secs(1) };
        let request = Request { metrics: MetricSet::all(), patience, ..REQUEST };
        let sample = &demo.next(&request).unwrap().sample;
        let left_out = Err(Absent::LeftOut);
        for metric in [Metric::PcieRx, Metric::PcieTx, Metric::PowerAverage] {
            assert_eq!(sample.gpus[0].values.get(metric).value, left_out, "{metric:?}");
        }
        assert_eq!(sample.processes[0].get(ProcessMetric::Cpu), left_out);
        assert_eq!(sample.host(HostMetric::Cpu), left_out);
        assert!(sample.processes[0].get(ProcessMetric::Sm).is_ok());
        assert!(sample.gpus[0].values.value(Metric::PcieLinkGeneration).is_some());
        assert_eq!(sample.gpus[0].values.get(Metric::Fan).value, Err(Absent::NotSupported));
    }

    proptest! {
        #[test]
        fn the_same_time_says_the_same(preset in preset(), s in 0..100_000u64) {
            let times = [s, s + 1].map(Duration::from_secs);
            prop_assert_eq!(snapshots(preset, times), snapshots(preset, times));
        }

        #[test]
        fn numbers_agree_with_one_another(preset in preset(), ms in 0..100_000_000u64) {
            let [_, later] = snapshots(preset, [ms, ms + 1000].map(Duration::from_millis));
            for gpu in &later.sample.gpus {
                let value = |metric| gpu.values.value(metric);
                for (slot, reading) in gpu.values.iter() {
                    let least = if slot.metric.spec().unit == Unit::Celsius { -273.0 } else { 0.0 };
                    prop_assert!(reading.value.is_ok_and(|v| v.is_finite() && v >= least) || reading.value.is_err(), "{}", slot.key());
                }
                if let (Some(draw), Some(mean)) = (value(Metric::PowerDraw), value(Metric::PowerAverage)) {
                    prop_assert!((draw - mean).abs() < 0.01, "{draw} W and {mean} W over the same second");
                }
                if let Some(total) = value(Metric::MemoryTotal) {
                    let parts = [Metric::MemoryUsed, Metric::MemoryReserved, Metric::MemoryFree];
                    let sum: f64 = parts.iter().filter_map(|part| value(*part)).sum();
                    prop_assert!((total - sum).abs() < 1.0);
                }
            }
        }
    }
}
