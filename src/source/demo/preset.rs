//! What a row of the demo's tables says.

use super::families::Family;
use super::signal::Signal;
use super::wave::Wave;
use crate::model::{
    Absent, Architecture, EventKind, Fact, FactValue, GpuFact, HostMetric, Instances, Metric,
    ProcessKinds,
};

/// One simulated machine.
#[derive(Debug)]
pub struct Preset {
    /// The name after `--demo=`.
    pub name: &'static str,
    /// What the machine is, in one line.
    pub about: &'static str,
    /// The name of the machine.
    pub(super) host: &'static str,
    /// The versions of the driver and of CUDA.
    pub(super) versions: (&'static str, &'static str),
    pub(super) gpus: &'static [GpuRow],
    /// NVLinks through switches between each two GPUs.
    pub(super) nvlinks: u32,
    pub(super) processes: &'static [ProcessRow],
    /// What happens on it, the earliest first.
    pub(super) events: &'static [EventRow],
    pub(super) host_load: Wave,
    pub(super) host_signals: &'static [(HostMetric, Signal)],
}

/// Something that happens to a simulated GPU.
#[derive(Debug)]
pub(super) struct EventRow {
    /// Seconds after the demo's start; below zero, before it.
    pub(super) at_s: f64,
    pub(super) gpu: usize,
    pub(super) kind: EventKind,
    /// The process that is to blame, and the kernel's words; empty where only NVML tells of it.
    pub(super) process: Option<(u32, &'static str)>,
    pub(super) message: &'static str,
    pub(super) instance: Option<(u32, u32)>,
}

/// A product.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) name: &'static str,
    pub(super) architecture: Architecture,
    pub(super) compute_capability: (i32, i32),
    pub(super) vbios: &'static str,
    pub(super) has_serial: bool,
    pub(super) fans: u16,
    pub(super) nvlinks: u16,
    /// Watts when idle and at full load.
    pub(super) power: (f64, f64),
    /// Degrees Celsius when idle and after long full load.
    pub(super) temperature: (f64, f64),
    /// Degrees Celsius at which the board slows down.
    pub(super) slowdown: f64,
    /// Memory that is in use while no process holds any, in bytes.
    pub(super) memory_at_rest: f64,
    /// A fact that is not here is not supported by the board.
    pub(super) facts: &'static [(GpuFact, FactValue)],
    /// A metric that is not here is not supported by the board.
    pub(super) signals: &'static [(Metric, Signal)],
    /// What the board has in common with others; the first that knows a metric counts.
    pub(super) families: &'static [Family],
}

/// One GPU of a machine.
#[derive(Debug)]
pub(super) struct GpuRow {
    pub(super) board: &'static Board,
    pub(super) pci_bus_id: &'static str,
    pub(super) mig: Fact<bool>,
    pub(super) mig_devices: &'static [MigRow],
    /// The NUMA node and the processors that are near to it, where it differs by GPU.
    pub(super) near: Option<(&'static str, &'static str)>,
    pub(super) load: Wave,
    /// Seconds by which this GPU runs behind others with the same load.
    pub(super) lag_s: f64,
    /// Above 0 while the GPU is awake; without a wave it never sleeps.
    pub(super) awake: Option<Wave>,
    /// What this GPU does otherwise than its board.
    pub(super) but: &'static [(Metric, Signal)],
}

impl GpuRow {
    /// The parts of the GPU that metrics have several values for.
    pub(super) fn instances(&self) -> Instances {
        let gpu_instances = u16::try_from(self.mig_devices.len()).unwrap_or(u16::MAX);
        Instances { fans: self.board.fans, nvlinks: self.board.nvlinks, gpu_instances }
    }
}

/// One MIG device, alone in its GPU instance.
#[derive(Debug)]
pub(super) struct MigRow {
    pub(super) gpu_instance: u32,
    pub(super) profile: &'static str,
    /// MiB of memory.
    pub(super) memory: u64,
}

/// A process on one GPU.
#[derive(Debug)]
pub(super) struct ProcessRow {
    /// The position of its GPU.
    pub(super) gpu: usize,
    pub(super) pid: u32,
    pub(super) kinds: ProcessKinds,
    /// MIG GPU instance and compute instance.
    pub(super) instance: Option<(u32, u32)>,
    pub(super) user: (u32, &'static str),
    pub(super) command: &'static str,
    /// Seconds that it has run when the demo starts.
    pub(super) age_s: u32,
    /// GiB of GPU memory.
    pub(super) memory: Wave,
    /// Shares of the GPU's load.
    pub(super) sm: Result<f64, Absent>,
    pub(super) encoder: Result<f64, Absent>,
    /// Percent of one core.
    pub(super) cpu: f64,
    /// GiB of host memory.
    pub(super) resident: f64,
}
