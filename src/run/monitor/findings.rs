//! What of a driver there is on a machine whose GPUs cannot be read.

use crate::model::{Absent, Sysroot};
use crate::source::host::{kernel_driver, pci_gpus};

/// One line for each thing that was looked for.
pub(super) fn findings(sysroot: &Sysroot) -> Vec<String> {
    let loaded = match kernel_driver(sysroot) {
        Ok(driver) => {
            format!("/proc/driver/nvidia/version: {} {}", driver.module.id(), driver.version)
        }
        Err(Absent::NotFound) => {
            "/proc/driver/nvidia/version: not there, no NVIDIA driver is loaded".to_owned()
        }
        Err(why) => format!("/proc/driver/nvidia/version: {}", why.sentence()),
    };
    let gpus = match pci_gpus(sysroot) {
        Ok(gpus) if gpus.is_empty() => vec!["PCI: no NVIDIA GPU".to_owned()],
        Ok(gpus) => gpus
            .iter()
            .map(|gpu| {
                let driver = gpu.driver.as_deref().unwrap_or("no driver");
                format!("PCI {}: an NVIDIA GPU, bound to {driver}", gpu.address)
            })
            .collect(),
        Err(why) => vec![format!("PCI: {}", why.sentence())],
    };
    std::iter::once(loaded).chain(gpus).collect()
}
