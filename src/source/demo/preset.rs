//! What a row of the demo's tables says.

use super::signal::Signal;
use super::wave::Wave;
use crate::model::{Absent, Architecture, Fact, HostMetric, Instances, Metric, ProcessKinds};

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
    pub(super) processes: &'static [ProcessRow],
    pub(super) host_load: Wave,
    pub(super) host_signals: &'static [(HostMetric, Signal)],
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
    /// Watts when idle and at full load.
    pub(super) power: (f64, f64),
    /// Degrees Celsius when idle and after long full load.
    pub(super) temperature: (f64, f64),
    /// Degrees Celsius at which the board slows down.
    pub(super) slowdown: f64,
    /// Memory that is in use while no process holds any, in bytes.
    pub(super) memory_at_rest: f64,
    /// A metric that is not here is not supported by the board.
    pub(super) signals: &'static [(Metric, Signal)],
}

impl Board {
    /// The parts of the board that metrics have several values for.
    pub(super) fn instances(&self) -> Instances {
        Instances { fans: self.fans, ..Instances::default() }
    }
}

/// One GPU of a machine.
#[derive(Debug)]
pub(super) struct GpuRow {
    pub(super) board: &'static Board,
    pub(super) pci_bus_id: &'static str,
    pub(super) mig: Fact<bool>,
    pub(super) load: Wave,
    /// Seconds by which this GPU runs behind others with the same load.
    pub(super) lag_s: f64,
    /// Above 0 while the GPU is awake; without a wave it never sleeps.
    pub(super) awake: Option<Wave>,
    /// What this GPU does otherwise than its board.
    pub(super) but: &'static [(Metric, Signal)],
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
