//! The facts of a machine that bear on its NVIDIA SDK, as plain data: each with the place that it was read from.
//!
//! They travel as JSON and come back the same, so that one machine's configuration can be held against the facts of
//! another.

mod cdi;
mod cuda;
mod driver;
mod engines;
mod environment;
mod evidence;
mod files;
mod generations;
mod gpus;
mod kernel;
mod nodes;
mod persistenced;
mod services;
mod surroundings;
mod system;
#[cfg(test)]
mod tests;
mod versions;

use serde::{Deserialize, Serialize};

pub use cdi::{CDI_FOLDERS, Cdi, Role, Spec, Trouble};
pub use cuda::{Cuda, SdkFile, Toolkit};
pub use driver::{Driver, LIBRARY_FOLDERS, Library, LoadedDriver};
pub use engines::{Engine, Engines};
pub use environment::Environment;
pub use evidence::Evidence;
pub use generations::{BuiltDriver, Generation, Generations, Pending};
pub use gpus::{Gpu, GpuArchitecture, PciDevice, PciKind};
pub use kernel::{Kernel, Lockdown, Modules};
pub use nodes::DeviceNode;
pub use persistenced::Persistenced;
pub use services::{SERVICES, Service, UNIT_PROPERTIES, UnitState};
pub use surroundings::{Nvml, NvmlGpu, Surroundings, VARIABLES};
pub use system::{Distribution, System};

use crate::model::Sysroot;
use files::Files;

/// Everything that was found out about a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The machine itself.
    pub system: System,
    /// Its kernel.
    pub kernel: Kernel,
    /// NVIDIA's driver and what belongs to it.
    pub driver: Driver,
    /// The NVIDIA GPUs.
    pub gpus: Evidence<Vec<Gpu>>,
    /// Other display controllers, and `NVSwitches`.
    pub other_devices: Evidence<Vec<PciDevice>>,
    /// The systems that a NixOS machine has at hand.
    pub generations: Generations,
    /// The services around the driver.
    pub services: Vec<Service>,
    /// The persistence daemon.
    pub persistenced: Persistenced,
    /// The specs that give GPUs to containers.
    pub cdi: Cdi,
    /// What runs containers.
    pub engines: Engines,
    /// CUDA toolkits.
    pub cuda: Cuda,
    /// What the environment leads to.
    pub environment: Environment,
    /// The device nodes of the GPUs.
    pub device_nodes: Evidence<Vec<DeviceNode>>,
}

impl Facts {
    /// A service of [`SERVICES`].
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The NVIDIA GPUs, as far as they are known.
    pub fn gpus(&self) -> &[Gpu] {
        self.gpus.known().map_or(&[], Vec::as_slice)
    }

    /// The other devices of a kind.
    pub fn devices(&self, kind: PciKind) -> impl Iterator<Item = &PciDevice> {
        let devices = self.other_devices.known().map_or(&[][..], Vec::as_slice);
        devices.iter().filter(move |device| device.kind == kind)
    }
}

/// Reads the facts of the machine below `sysroot`. It starts no process, wakes no GPU and reads a bounded number of
/// small files; it may still wait for a disk, so it does not belong on the thread that draws.
pub fn read(sysroot: &Sysroot, surroundings: &Surroundings) -> Facts {
    let files = Files(sysroot);
    let system = system::read(files, surroundings);
    let driver = driver::read(files, surroundings);
    let (gpus, other_devices) = gpus::read(files, surroundings);
    let services = services::read(files, surroundings);
    let environment = environment::read(files, surroundings);
    let cdi = cdi::read(&cdi::Machine {
        files,
        driver: driver.loaded.known().map(|loaded| loaded.version.as_str()),
        gpus: gpus.known().map_or(&[], Vec::as_slice),
        boot_time: system.boot_time_unix_seconds.known().copied(),
    });
    Facts {
        kernel: kernel::read(files),
        generations: generations::read(files),
        persistenced: persistenced::read(files, &services),
        engines: engines::read(files, &services),
        cuda: cuda::read(files, surroundings, &environment),
        device_nodes: nodes::read(files),
        system,
        driver,
        gpus,
        other_devices,
        services,
        cdi,
        environment,
    }
}
