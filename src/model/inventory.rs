//! What a machine has: its GPUs, its driver and itself. It changes rarely; a [`super::Sample`] refers to it.

use serde::{Deserialize, Serialize};

use super::absent::Absent;
use super::architecture::Architecture;
use super::metric::{Instances, Layout};

/// A lasting fact, or why it is not known.
pub type Fact<T> = Result<T, Absent>;

/// Everything that lasts longer than a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// Grows by one whenever anything below changed.
    pub generation: u64,
    /// Where the data comes from.
    pub origin: Origin,
    /// The machine.
    pub host: Host,
    /// The driver.
    pub driver: Driver,
    /// The GPUs, in the order of their index.
    pub gpus: Vec<Gpu>,
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
    /// Which slots its samples have.
    pub layout: Layout,
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
            layout: Layout::new(Instances::default()),
        }
    }
}
