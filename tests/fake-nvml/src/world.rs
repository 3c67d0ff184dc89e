//! A scenario made ready to be asked: GPUs with parsed waveforms, faults in order.

use toml::Value;

use crate::cast;
use crate::fault::{Fault, Happening, Reload};
use crate::metric::Metric;
use crate::scenario::{
    Action, GpuSpec, InstanceSpec, LibSpec, NumberOrEach, OneOrEach, ProcessKind, ProcessSpec,
    Scenario,
};
use crate::values::Quantity;
use crate::wave_text;
use crate::waveform::{Metrics, Wave, hash};

/// As many GPUs as a handle has room for.
pub(crate) const MOST_GPUS: usize = 64;

/// Everything an answer is computed from, apart from the time.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// False where no scenario was chosen: there is no driver.
    pub(crate) loaded: bool,
    pub(crate) lib: LibSpec,
    pub(crate) gpus: Vec<Gpu>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) reloads: Vec<Reload>,
    /// What event sets tell of, the earliest first.
    pub(crate) happenings: Vec<Happening>,
    /// Goes up whenever a scenario replaces another.
    pub(crate) generation: u32,
}

/// One GPU.
#[derive(Debug)]
pub(crate) struct Gpu {
    pub(crate) spec: GpuSpec,
    pub(crate) index: u32,
    pub(crate) uuid: String,
    pub(crate) serial: Option<String>,
    pub(crate) bdf: Bdf,
    pub(crate) numa_node: Option<u32>,
    /// The numbers of the processors near to it.
    pub(crate) processors: Option<Vec<u32>>,
    pub(crate) metrics: Metrics,
    pub(crate) processes: Vec<Process>,
    pub(crate) instances: Vec<Instance>,
    /// The periods in which the GPU is off the bus.
    pub(crate) lost: Vec<(u64, u64)>,
}

/// A place on the PCI bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bdf {
    pub(crate) domain: u32,
    pub(crate) bus: u32,
    pub(crate) device: u32,
}

/// One process on a GPU.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) spec: ProcessSpec,
    pub(crate) pid: u32,
    pub(crate) mem: Option<Wave>,
    pub(crate) sm: Option<Wave>,
    pub(crate) mem_util: Option<Wave>,
    pub(crate) enc: Option<Wave>,
    pub(crate) dec: Option<Wave>,
}

/// One MIG device.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) spec: InstanceSpec,
    pub(crate) slot: u32,
    pub(crate) uuid: String,
    pub(crate) used: Wave,
    pub(crate) util: Option<Wave>,
}

impl World {
    pub(crate) fn build(scenario: Scenario, generation: u32) -> Result<Self, String> {
        let Scenario { lib, gpu, fault } = scenario;
        let mut gpus = Vec::new();
        for (table, spec) in gpu.into_iter().enumerate() {
            for copy in 0..spec.count {
                let index = cast::count(gpus.len());
                let gpu = Gpu::build(spec.clone(), copy, index, lib.seed);
                gpus.push(gpu.map_err(|error| format!("in gpu[{table}]: {error}"))?);
            }
        }
        if gpus.len() > MOST_GPUS {
            return Err(format!("{} GPUs are more than {MOST_GPUS}", gpus.len()));
        }
        let mut faults = Vec::new();
        let mut reloads = Vec::new();
        let mut happenings = Vec::new();
        for (i, spec) in fault.into_iter().enumerate() {
            let fault = Fault::new(spec).map_err(|error| format!("in fault[{i}]: {error}"))?;
            match fault.spec.action {
                Some(Action::Event) => happenings.push(Happening::of(&fault)),
                Some(Action::DriverReload) => reloads.push(Reload::of(&fault)),
                Some(Action::Lost) => {
                    let chosen = |gpu: &&mut Gpu| fault.spec.gpu.is_none_or(|of| of == gpu.index);
                    gpus.iter_mut().filter(chosen).for_each(|gpu| gpu.lost.push(fault.span));
                }
                None => faults.push(fault),
            }
        }
        reloads.sort_by_key(|reload| reload.from);
        happenings.sort_by_key(|happening| happening.at);
        Ok(Self { loaded: true, lib, gpus, faults, reloads, happenings, generation })
    }

    /// The reload, if any, that is the last to have begun.
    pub(crate) fn last_reload(&self, now: u64) -> Option<&Reload> {
        self.reloads.iter().rev().find(|reload| reload.from <= now)
    }

    /// How often the driver was reloaded by now.
    pub(crate) fn epoch(&self, now: u64) -> u32 {
        cast::count(self.reloads.iter().filter(|reload| reload.from <= now).count())
    }

    /// Since when the driver has been loaded: where its counters start.
    pub(crate) fn origin(&self, now: u64) -> u64 {
        self.last_reload(now).map_or(0, |reload| reload.to)
    }

    pub(crate) fn driver(&self, now: u64) -> &str {
        let mut reloads = self.reloads.iter().rev().filter(|reload| reload.from <= now);
        reloads.find_map(|reload| reload.driver.as_deref()).unwrap_or(&self.lib.driver)
    }

    /// The generation that handles of this GPU carry now: all older ones are stale.
    pub(crate) fn generation_of(&self, gpu: &Gpu, now: u64) -> u32 {
        let returns = gpu.lost.iter().filter(|(_, to)| *to <= now).count();
        (self.generation + self.epoch(now) + cast::count(returns)) & 0xff
    }
}

impl Gpu {
    fn build(mut spec: GpuSpec, copy: u32, index: u32, seed: u64) -> Result<Self, String> {
        spec.module_id = spec.module_id.map(|first| first + copy);
        let uuid = match text_for(spec.uuid.as_ref(), copy) {
            Some(uuid) => uuid?,
            None => uuid_from(hash(seed, u64::from(index))),
        };
        let bdf = match text_for(spec.bdf.as_ref(), copy) {
            Some(text) => Bdf::parse(&text?)?,
            None => Bdf { domain: 0, bus: 1 + index, device: 0 },
        };
        let metrics = read_metrics(&spec, copy, hash(seed, u64::from(index) + 1000))?;
        let processes = spec.process.iter().enumerate().map(|(i, process)| {
            Process::build(process, copy).map_err(|error| format!("process[{i}].{error}"))
        });
        let processes = processes.collect::<Result<Vec<_>, _>>()?;
        let instances = read_instances(&spec, copy)?;
        if !instances.is_empty() && index >= 16 {
            return Err("only the first 16 GPUs can have MIG devices".into());
        }
        let serial = spec.serial.as_ref().map(|text| text.replace("{i}", &copy.to_string()));
        let numa_node = match &spec.numa_node {
            None => None,
            Some(NumberOrEach::One(node)) => Some(*node),
            Some(NumberOrEach::Each(list)) => Some(entry_for(list, copy)?),
        };
        let processors = text_for(spec.cpu_affinity.as_ref(), copy).transpose()?;
        let processors = processors.map(|text| read_numbers(&text)).transpose()?;
        Ok(Self {
            spec,
            index,
            uuid,
            serial,
            bdf,
            numa_node,
            processors,
            metrics,
            processes,
            instances,
            lost: Vec::new(),
        })
    }

    pub(crate) fn mig_enabled(&self) -> bool {
        self.spec.mig.as_ref().is_some_and(|mig| mig.enabled)
    }

    pub(crate) fn lost_at(&self, now: u64) -> bool {
        self.lost.iter().any(|(from, to)| (*from..*to).contains(&now))
    }

    pub(crate) fn instance(&self, slot: u32) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.slot == slot)
    }
}

impl Bdf {
    /// Reads `[domain:]bus:device[.function]`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not a PCI address such as 0000:01:00.0");
        let parts: Vec<&str> = text.split('.').next().unwrap_or(text).split(':').collect();
        let hex = |part: &str| u32::from_str_radix(part, 16).map_err(|_| bad());
        match parts[..] {
            [bus, device] => Ok(Self { domain: 0, bus: hex(bus)?, device: hex(device)? }),
            [domain, bus, device] => {
                Ok(Self { domain: hex(domain)?, bus: hex(bus)?, device: hex(device)? })
            }
            _ => Err(bad()),
        }
    }
}

impl Process {
    fn build(spec: &ProcessSpec, copy: u32) -> Result<Self, String> {
        let wave = |key: &str, text: &Option<Quantity>| match text {
            None => Ok(None),
            Some(text) => read_wave(&text.0, copy).map_err(|error| format!("{key}: {error}")),
        };
        Ok(Self {
            pid: spec.pid + spec.pid_step * copy,
            mem: wave("mem", &spec.mem)?,
            sm: wave("sm", &spec.sm)?,
            mem_util: wave("mem_util", &spec.mem_util)?,
            enc: wave("enc", &spec.enc)?,
            dec: wave("dec", &spec.dec)?,
            spec: spec.clone(),
        })
    }

    pub(crate) fn alive(&self, now: u64) -> bool {
        let from = self.spec.from.map_or(0, |at| at.0);
        let to = self.spec.to.map_or(u64::MAX, |at| at.0);
        (from..to).contains(&now)
    }

    pub(crate) fn computes(&self) -> bool {
        matches!(self.spec.kind, ProcessKind::C | ProcessKind::Both)
    }

    pub(crate) fn draws(&self) -> bool {
        matches!(self.spec.kind, ProcessKind::G | ProcessKind::Both)
    }
}

fn read_wave(text: &str, copy: u32) -> Result<Option<Wave>, String> {
    wave_text::parse(&text.replace("{i}", &copy.to_string()))
}

/// Parses `[gpu.metrics]`; a MIG-enabled GPU has none of the utilisation family.
fn read_metrics(spec: &GpuSpec, copy: u32, seed: u64) -> Result<Metrics, String> {
    const NOT_WITH_MIG: &[Metric] = &[
        Metric::Util,
        Metric::MemUtil,
        Metric::Encoder,
        Metric::Decoder,
        Metric::Jpeg,
        Metric::Ofa,
    ];
    let mut metrics = Metrics::new(seed);
    for (key, value) in &spec.metrics {
        let metric = Metric::from_name(key).ok_or_else(|| {
            let names: Vec<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
            format!("metrics.{key}: no such metric, expected one of {}", names.join(", "))
        })?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(_) | Value::Float(_) => value.to_string(),
            _ => return Err(format!("metrics.{key}: expected a number or a waveform")),
        };
        let wave = read_wave(&text, copy).map_err(|error| format!("metrics.{key}: {error}"))?;
        metrics.set(metric, wave);
    }
    for metric in Metric::ALL {
        let refused = |error| format!("metrics.{}: {error}", metric.name());
        metrics.check(*metric).map_err(refused)?;
    }
    if spec.mig.as_ref().is_some_and(|mig| mig.enabled) {
        for metric in NOT_WITH_MIG {
            metrics.set(*metric, None);
        }
    }
    Ok(metrics)
}

fn read_instances(spec: &GpuSpec, copy: u32) -> Result<Vec<Instance>, String> {
    let mut instances: Vec<Instance> = Vec::new();
    for (i, spec) in spec.mig.iter().flat_map(|mig| &mig.instance).enumerate() {
        let used =
            read_wave(&spec.used.0, copy).map_err(|e| format!("mig.instance[{i}].used: {e}"))?;
        let next = instances.last().map_or(0, |last| last.slot + 1);
        instances.push(Instance {
            slot: spec.slot.unwrap_or(next),
            uuid: spec.uuid.replace("{i}", &copy.to_string()),
            used: used.unwrap_or(Wave::Const(0.0)),
            util: match &spec.util {
                None => None,
                Some(text) => {
                    read_wave(&text.0, copy).map_err(|e| format!("mig.instance[{i}].util: {e}"))?
                }
            },
            spec: spec.clone(),
        });
    }
    Ok(instances)
}

/// The text for one of the GPUs that a table stands for.
fn text_for(text: Option<&OneOrEach>, copy: u32) -> Option<Result<String, String>> {
    Some(match text? {
        OneOrEach::One(text) => Ok(text.replace("{i}", &copy.to_string())),
        OneOrEach::Each(list) => entry_for(list, copy),
    })
}

/// The entry for one of the GPUs that a table stands for.
fn entry_for<T: Clone>(list: &[T], copy: u32) -> Result<T, String> {
    let entry = usize::try_from(copy).ok().and_then(|copy| list.get(copy).cloned());
    entry.ok_or_else(|| format!("a list has no entry for copy {copy}"))
}

/// Reads a list such as `0-55,112-167`.
fn read_numbers(text: &str) -> Result<Vec<u32>, String> {
    let bad = |_| format!("`{text}` is not a list such as 0-55,112-167");
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().map_err(bad)?, last.parse().map_err(bad)?);
        numbers.extend(first..=last);
    }
    Ok(numbers)
}

/// A UUID in NVML's form out of a hash.
fn uuid_from(seed: u64) -> String {
    let (a, b) = (hash(seed, 1), hash(seed, 2));
    format!(
        "GPU-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff
    )
}
