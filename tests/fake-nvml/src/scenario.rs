//! The form of a scenario file.

use serde::Deserialize;
use toml::Table;

use crate::values::{Bytes, Micros, Quantity};

/// A scenario after its presets were filled in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Scenario {
    pub(crate) lib: LibSpec,
    pub(crate) gpu: Vec<GpuSpec>,
    pub(crate) fault: Vec<FaultSpec>,
}

/// The library and the driver as a whole.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LibSpec {
    pub(crate) driver: String,
    pub(crate) nvml: String,
    pub(crate) cuda: i32,
    /// Symbols that this library lacks.
    pub(crate) missing: Vec<String>,
    /// Functions that answer 26.
    pub(crate) deprecated: Vec<String>,
    /// Everything that CUDA 14 is to drop answers 26.
    pub(crate) cuda14: bool,
    pub(crate) process_abi: ProcessAbi,
    pub(crate) seed: u64,
    pub(crate) clock: ClockKind,
    pub(crate) start_unix_us: Option<u64>,
    pub(crate) timestamp_base: TimestampBase,
    pub(crate) pid_view: PidView,
    /// Whether single calls are logged; counts always are.
    pub(crate) log: bool,
}

impl Default for LibSpec {
    fn default() -> Self {
        Self {
            driver: "580.95.05".into(),
            nvml: "13.580.95.05".into(),
            cuda: 13_000,
            missing: Vec::new(),
            deprecated: Vec::new(),
            cuda14: false,
            process_abi: ProcessAbi::V2,
            seed: 1,
            clock: ClockKind::Virtual,
            start_unix_us: None,
            timestamp_base: TimestampBase::Unix,
            pid_view: PidView::Host,
            log: true,
        }
    }
}

/// The record that stands behind the `_v3` process lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum ProcessAbi {
    #[serde(rename = "v1")]
    V1,
    #[serde(rename = "v2")]
    V2,
    #[serde(rename = "v2+cc")]
    V2Cc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClockKind {
    Virtual,
    Real,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TimestampBase {
    Unix,
    Boot,
}

/// Which pids the process lists show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PidView {
    Host,
    Container,
    Empty,
}

/// One GPU, or `count` of them; texts may hold `{i}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GpuSpec {
    pub(crate) count: u32,
    pub(crate) name: String,
    pub(crate) brand: u32,
    pub(crate) architecture: u32,
    pub(crate) compute_capability: Option<[i32; 2]>,
    pub(crate) uuid: Option<OneOrEach>,
    pub(crate) bdf: Option<OneOrEach>,
    pub(crate) serial: Option<String>,
    pub(crate) vbios: Option<String>,
    pub(crate) board_part: Option<String>,
    pub(crate) pci_device_id: u32,
    pub(crate) pci_subsystem_id: u32,
    pub(crate) minor: Option<u32>,
    /// Of the first GPU; the others count up from it.
    pub(crate) module_id: Option<u32>,
    /// Where the GPU is near to; a number, or one for each.
    pub(crate) numa_node: Option<NumberOrEach>,
    /// The processors near to it, as `0-55,112-167`; a text, or one for each.
    pub(crate) cpu_affinity: Option<OneOrEach>,
    pub(crate) cores: Option<u32>,
    pub(crate) fans: u32,
    pub(crate) memory: Option<Bytes>,
    pub(crate) memory_reserved: Bytes,
    pub(crate) memory_bus_width: Option<u32>,
    pub(crate) bar1: Option<Bytes>,
    pub(crate) protected_memory: Option<Bytes>,
    pub(crate) pcie: Option<PcieSpec>,
    pub(crate) power_limit: Option<PowerSpec>,
    pub(crate) max_clock: ClocksSpec,
    pub(crate) threshold: ThresholdSpec,
    pub(crate) t_limit: TLimitSpec,
    pub(crate) persistence: Option<bool>,
    pub(crate) compute_mode: Option<u32>,
    pub(crate) display_active: Option<bool>,
    pub(crate) display_mode: Option<bool>,
    pub(crate) ecc: Option<bool>,
    pub(crate) accounting: Option<bool>,
    pub(crate) gsp: Option<bool>,
    /// Whether performance monitoring between two samples is there.
    pub(crate) gpm: bool,
    pub(crate) virtualization: u32,
    pub(crate) addressing: Option<u32>,
    pub(crate) power_source: Option<u32>,
    /// The types of events that can be registered for.
    pub(crate) event_types: u64,
    /// Functions (`*` allowed) that answer `NOT_SUPPORTED` on this GPU.
    pub(crate) unsupported: Vec<String>,
    pub(crate) metrics: Table,
    pub(crate) process: Vec<ProcessSpec>,
    pub(crate) mig: Option<MigSpec>,
    pub(crate) nvlink: Option<NvlinkSpec>,
    pub(crate) c2c: Option<C2cSpec>,
}

impl Default for GpuSpec {
    fn default() -> Self {
        Self {
            count: 1,
            name: "NVIDIA Test GPU".into(),
            brand: 0,
            architecture: u32::MAX,
            compute_capability: None,
            uuid: None,
            bdf: None,
            serial: None,
            vbios: None,
            board_part: None,
            pci_device_id: 0x0000_10DE,
            pci_subsystem_id: 0,
            minor: None,
            module_id: None,
            numa_node: None,
            cpu_affinity: None,
            cores: None,
            fans: 0,
            memory: None,
            memory_reserved: Bytes(0),
            memory_bus_width: None,
            bar1: None,
            protected_memory: None,
            pcie: None,
            power_limit: None,
            max_clock: ClocksSpec::default(),
            threshold: ThresholdSpec::default(),
            t_limit: TLimitSpec::default(),
            persistence: None,
            compute_mode: Some(0),
            display_active: Some(false),
            display_mode: Some(false),
            ecc: None,
            accounting: None,
            gsp: None,
            gpm: false,
            virtualization: 0,
            addressing: None,
            power_source: None,
            event_types: 0x81df,
            unsupported: Vec::new(),
            metrics: Table::new(),
            process: Vec::new(),
            mig: None,
            nvlink: None,
            c2c: None,
        }
    }
}

/// A text for every GPU, with `{i}` in it, or a list of texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub(crate) enum OneOrEach {
    One(String),
    Each(Vec<String>),
}

/// A number for every GPU, or a list of numbers.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected a number or a list of numbers")]
pub(crate) enum NumberOrEach {
    One(u32),
    Each(Vec<u32>),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PcieSpec {
    pub(crate) max_generation: u32,
    pub(crate) max_width: u32,
    /// What the GPU alone could do; the system's maximum where it is left out.
    pub(crate) gpu_generation: Option<u32>,
}

/// Power limits; NVML counts them in milliwatts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PowerSpec {
    pub(crate) min: Quantity,
    pub(crate) max: Quantity,
    pub(crate) default: Quantity,
    pub(crate) current: Option<Quantity>,
    pub(crate) enforced: Option<Quantity>,
}

/// The highest clocks in MHz.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClocksSpec {
    pub(crate) graphics: Option<u32>,
    pub(crate) sm: Option<u32>,
    pub(crate) memory: Option<u32>,
    pub(crate) video: Option<u32>,
}

/// Temperatures in °C at which something happens.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ThresholdSpec {
    pub(crate) shutdown: Option<u32>,
    pub(crate) slowdown: Option<u32>,
    pub(crate) memory_max: Option<u32>,
    pub(crate) gpu_max: Option<u32>,
}

/// The same, as Ada and later tell it: relative to the T.Limit, so below zero.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TLimitSpec {
    /// The absolute temperature at which the margin is zero.
    pub(crate) at: Option<i32>,
    pub(crate) shutdown: Option<i32>,
    pub(crate) slowdown: Option<i32>,
    pub(crate) memory_max: Option<i32>,
    pub(crate) gpu_max: Option<i32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProcessSpec {
    pub(crate) pid: u32,
    /// Added once per GPU where the table stands for several.
    #[serde(default)]
    pub(crate) pid_step: u32,
    /// The pid inside the container, where it has one.
    pub(crate) container_pid: Option<u32>,
    #[serde(default)]
    pub(crate) kind: ProcessKind,
    /// Absent: the driver does not know.
    pub(crate) mem: Option<Quantity>,
    pub(crate) sm: Option<Quantity>,
    pub(crate) mem_util: Option<Quantity>,
    pub(crate) enc: Option<Quantity>,
    pub(crate) dec: Option<Quantity>,
    pub(crate) from: Option<Micros>,
    pub(crate) to: Option<Micros>,
    pub(crate) gi: Option<u32>,
    pub(crate) ci: Option<u32>,
    pub(crate) name: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum ProcessKind {
    #[default]
    C,
    G,
    #[serde(rename = "C+G")]
    Both,
    #[serde(rename = "MPS")]
    Mps,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MigSpec {
    pub(crate) enabled: bool,
    pub(crate) pending: Option<bool>,
    #[serde(default = "most_mig_devices")]
    pub(crate) max: u32,
    #[serde(default)]
    pub(crate) instance: Vec<InstanceSpec>,
}

fn most_mig_devices() -> u32 {
    7
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstanceSpec {
    /// The index to enumerate it at; the next free one where it is left out.
    pub(crate) slot: Option<u32>,
    pub(crate) gi: u32,
    #[serde(default)]
    pub(crate) ci: u32,
    pub(crate) uuid: String,
    pub(crate) profile: String,
    pub(crate) memory: Bytes,
    pub(crate) used: Quantity,
    /// Percent of time in which the instance computes, for performance monitoring.
    pub(crate) util: Option<Quantity>,
    #[serde(default)]
    pub(crate) multiprocessors: u32,
    #[serde(default)]
    pub(crate) slices: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NvlinkSpec {
    pub(crate) links: u32,
    /// Links that are up; all where it is left out.
    pub(crate) active: Option<u32>,
    /// NVML's enumeration: 6 is NVLink 4.0.
    pub(crate) version: u32,
    /// MB/s per link and direction.
    pub(crate) speed: u32,
    #[serde(default)]
    pub(crate) switch: bool,
}

/// The links to the processor of the same module.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct C2cSpec {
    pub(crate) links: u32,
    /// MB/s per link and direction.
    pub(crate) speed: u32,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FaultSpec {
    pub(crate) at: Option<Micros>,
    pub(crate) until: Option<Micros>,
    pub(crate) gpu: Option<u32>,
    /// A function, or a pattern with `*`.
    #[serde(rename = "fn")]
    pub(crate) function: Option<String>,
    /// Only this id of nvmlDeviceGetFieldValues.
    pub(crate) field: Option<u32>,
    pub(crate) code: Option<u32>,
    pub(crate) latency: Option<Micros>,
    /// Sleep even where the clock is virtual.
    pub(crate) latency_real: bool,
    pub(crate) hang: Option<Hang>,
    #[serde(rename = "do")]
    pub(crate) action: Option<Action>,
    /// How long the driver is gone when it is reloaded.
    pub(crate) down: Option<Micros>,
    pub(crate) new_driver: Option<String>,
    pub(crate) probability: Option<f64>,
    /// Stands in for every number of the answer.
    pub(crate) value: Option<i64>,
    pub(crate) text: Option<BadText>,
    pub(crate) text_literal: Option<String>,
    /// So many more entries in a list when it is read than when its size was asked for.
    pub(crate) grow: Option<u32>,
    /// The bit of an event's type; an Xid's where it is left out.
    #[serde(rename = "type")]
    pub(crate) event_type: Option<u64>,
    /// The number that goes with an event.
    pub(crate) data: Option<u64>,
    /// The MIG instances that an event happens to.
    pub(crate) gpu_instance: Option<u32>,
    pub(crate) compute_instance: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Hang {
    #[serde(rename = "until-released")]
    UntilReleased,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    Lost,
    DriverReload,
    /// Something that event sets tell of.
    Event,
}

/// How a text comes out wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BadText {
    NoNul,
    InvalidUtf8,
    Escape,
    Bidi,
    Empty,
    Long,
}
