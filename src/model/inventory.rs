//! What a machine has: its GPUs, its driver and itself. It changes rarely; a [`super::Sample`] refers to it.

use serde::{Deserialize, Serialize};

use super::absent::Absent;
use super::architecture::Architecture;
use super::gpu_fact::GpuFacts;
use super::metric::{Instances, Layout};
use super::topology::GpuPair;

/// A lasting fact, or why it is not known.
pub type Fact<T> = Result<T, Absent>;

/// Everything that lasts longer than a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// Grows by one whenever the driver or its GPUs below changed.
    pub generation: u64,
    /// Where the data comes from.
    pub origin: Origin,
    /// The machine.
    pub host: Host,
    /// The driver.
    pub driver: Driver,
    /// The GPUs, in the order of their index.
    pub gpus: Vec<Gpu>,
    /// What joins each two GPUs. It is filled in while samples are taken, without a new generation.
    pub topology: Vec<GpuPair>,
}

impl Inventory {
    /// Where this inventory has a GPU that stands at `position` of another: the one of the same UUID or, as long as that is
    /// not known of both, the one at the same place, if nothing speaks against it.
    #[must_use]
    pub fn place_of(&self, gpu: &Gpu, position: usize) -> Option<usize> {
        let is_it = |known: &Gpu| known.uuid.is_ok() && known.uuid == gpu.uuid;
        let differs = |a: &Fact<String>, b: &Fact<String>| a.is_ok() && b.is_ok() && a != b;
        let may_be = |known: &&Gpu| {
            !differs(&known.uuid, &gpu.uuid) && !differs(&known.pci_bus_id, &gpu.pci_bus_id)
        };
        let by_uuid = self.gpus.iter().position(is_it);
        by_uuid.or_else(|| self.gpus.get(position).filter(may_be).map(|_| position))
    }
}

/// Where a sample comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This machine's driver.
    Nvml,
    /// Simulated; the preset's name.
    Demo(&'static str),
}

/// The machine around the GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its network name.
    pub name: String,
    /// The release of its kernel.
    pub kernel: Fact<String>,
}

/// The driver and its library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    /// Version of the kernel driver, such as `580.95.05`.
    pub version: Fact<String>,
    /// Version of the NVML library.
    pub nvml_version: Fact<String>,
    /// Newest CUDA that the driver supports, such as `13.0`.
    pub cuda_version: Fact<String>,
    /// Which kernel module is loaded.
    pub kernel_module: Fact<KernelModule>,
    /// The library that was loaded, as it was asked for.
    pub library: Fact<String>,
    /// Whether the machine computes in confidence.
    pub confidential_compute: Fact<ConfidentialCompute>,
}

/// The confidential-compute feature of a machine, as the driver tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfidentialCompute {
    /// It is off.
    Off,
    /// It is on.
    On,
    /// It is on, and open to developers' tools.
    DeveloperTools,
    /// A number of the feature that this program does not know.
    Unknown(u32),
}

impl ConfidentialCompute {
    /// The states as JSON spells them, but the unknown one.
    pub const IDS: [&str; 3] = ["off", "on", "developer_tools"];

    /// The state as JSON spells it.
    #[must_use]
    pub fn id(self) -> std::borrow::Cow<'static, str> {
        match self {
            Self::Off => Self::IDS[0].into(),
            Self::On => Self::IDS[1].into(),
            Self::DeveloperTools => Self::IDS[2].into(),
            Self::Unknown(number) => format!("unknown_{number}").into(),
        }
    }
}

/// The two kernel modules that NVIDIA ships.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelModule {
    /// The open one.
    Open,
    /// The proprietary one.
    Proprietary,
}

impl KernelModule {
    /// The module as JSON spells it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Proprietary => "proprietary",
        }
    }
}

/// One GPU's identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpu {
    /// NVML's index; it can change between boots.
    pub index: u32,
    /// The identity that lasts: `GPU-…`.
    pub uuid: Fact<String>,
    /// PCI address in the kernel's form, `0000:18:00.0`.
    pub pci_bus_id: Fact<String>,
    /// The product's name.
    pub name: Fact<String>,
    /// Its architecture.
    pub architecture: Fact<Architecture>,
    /// CUDA compute capability, major and minor.
    pub compute_capability: Fact<(i32, i32)>,
    /// Version of its VBIOS.
    pub vbios_version: Fact<String>,
    /// The board's serial number.
    pub serial: Fact<String>,
    /// Whether it is divided into MIG instances.
    pub mig: Fact<bool>,
    /// What else lasts about it.
    pub facts: GpuFacts,
    /// What MIG has divided it into.
    pub mig_devices: Fact<Vec<MigDevice>>,
    /// Which slots its samples have.
    pub layout: Layout,
}

/// One MIG device: a compute instance of a GPU instance, as programs see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigDevice {
    /// The identity that lasts: `MIG-…`.
    pub uuid: Fact<String>,
    /// The GPU instance that it is in.
    pub gpu_instance: Fact<u32>,
    /// Which of that instance's compute instances it is.
    pub compute_instance: Fact<u32>,
    /// Its size as NVIDIA names it, such as `1g.10gb`; worked out from its slices and its memory.
    pub profile: Fact<String>,
    /// Its memory in bytes, which all compute instances of its GPU instance share.
    pub memory_total_bytes: Fact<u64>,
}

impl Gpu {
    /// A GPU of which nothing is known for the one reason `why`.
    #[must_use]
    pub fn unknown(index: u32, why: Absent) -> Self {
        Self {
            index,
            uuid: Err(why),
            pci_bus_id: Err(why),
            name: Err(why),
            architecture: Err(why),
            compute_capability: Err(why),
            vbios_version: Err(why),
            serial: Err(why),
            mig: Err(why),
            facts: GpuFacts::absent(why),
            mig_devices: Err(why),
            layout: Layout::new(Instances::default()),
        }
    }

    /// The GPU instances that its MIG devices are in, in order. Their positions are the numbers of the metrics that have a
    /// value for each.
    #[must_use]
    pub fn gpu_instances(&self) -> Vec<u32> {
        let devices = self.mig_devices.as_deref().unwrap_or_default();
        let mut instances: Vec<_> =
            devices.iter().filter_map(|device| device.gpu_instance.ok()).collect();
        instances.sort_unstable();
        instances.dedup();
        instances
    }
}
