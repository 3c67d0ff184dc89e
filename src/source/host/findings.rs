//! What of a driver there is on a machine whose GPUs cannot be read.

use super::{kernel_driver, pci_gpus};
use crate::model::{Absent, Sysroot};

/// One line for each thing that was looked for.
#[must_use]
pub fn findings(sysroot: &Sysroot) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::findings;
    use crate::model::Sysroot;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn each_thing_that_is_there_or_not_has_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        let no_driver = "/proc/driver/nvidia/version: not there, no NVIDIA driver is loaded";
        assert_eq!(findings(&sysroot), [no_driver, "PCI: not found on this machine"]);

        let devices = sysroot.path("/sys/bus/pci/devices");
        fs::create_dir_all(&devices).unwrap();
        assert_eq!(findings(&sysroot), [no_driver, "PCI: no NVIDIA GPU"]);

        for (address, driver) in [("0000:01:00.0", Some("nouveau")), ("0000:02:00.0", None)] {
            let device = devices.join(address);
            fs::create_dir(&device).unwrap();
            fs::write(device.join("vendor"), "0x10de\n").unwrap();
            fs::write(device.join("class"), "0x030000\n").unwrap();
            if let Some(driver) = driver {
                symlink(format!("../../drivers/{driver}"), device.join("driver")).unwrap();
            }
        }
        fs::create_dir_all(sysroot.path("/proc/driver/nvidia")).unwrap();
        let version = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build  (x@y)\n";
        fs::write(sysroot.path("/proc/driver/nvidia/version"), version).unwrap();
        let expected = [
            "/proc/driver/nvidia/version: open 580.82.07",
            "PCI 0000:01:00.0: an NVIDIA GPU, bound to nouveau",
            "PCI 0000:02:00.0: an NVIDIA GPU, bound to no driver",
        ];
        assert_eq!(findings(&sysroot), expected);
    }
}
