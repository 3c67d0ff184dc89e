//! The NVIDIA GPUs on the PCI bus, seen without waking any.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::{Absent, Fact, PciAddress, Sysroot};

/// A PCI device's state of runtime power management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeStatus {
    /// It is awake.
    Active,
    /// It sleeps.
    Suspended,
    /// It is falling asleep.
    Suspending,
    /// It is waking up.
    Resuming,
    /// It has no runtime power management, and so is awake.
    Unsupported,
    /// Its driver failed to suspend or resume it.
    Error,
    /// The kernel does not say, or says something new.
    Unknown,
}

impl RuntimeStatus {
    /// Whether a call to the driver would wake the device.
    #[must_use]
    pub fn is_asleep(self) -> bool {
        matches!(self, Self::Suspended | Self::Suspending)
    }

    fn read(path: &Path) -> Self {
        match super::read_once(path, &mut [0; 16]).map(<[u8]>::trim_ascii) {
            Ok(b"active") => Self::Active,
            Ok(b"suspended") => Self::Suspended,
            Ok(b"suspending") => Self::Suspending,
            Ok(b"resuming") => Self::Resuming,
            Ok(b"unsupported") => Self::Unsupported,
            Ok(b"error") => Self::Error,
            _ => Self::Unknown,
        }
    }
}

/// An NVIDIA GPU on the PCI bus, with or without a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PciGpu {
    /// Where it sits.
    pub address: PciAddress,
    /// Whether it was awake when last looked at.
    pub runtime_status: RuntimeStatus,
    /// The kernel driver it is bound to: `nvidia`, `nouveau`, `vfio-pci`, …
    pub driver: Option<String>,
    /// Whether runtime power management may suspend it, as `power/control` said when it was last looked at.
    pub may_suspend: Option<bool>,
    /// Whether a display was lit through it when it was last looked at.
    pub drives_display: bool,
    folder: PathBuf,
    status_path: PathBuf,
}

impl PciGpu {
    /// Looks again whether it is awake: one small file, which wakes nothing.
    pub fn refresh(&mut self) -> RuntimeStatus {
        self.runtime_status = RuntimeStatus::read(&self.status_path);
        self.runtime_status
    }

    /// Looks whether it may sleep and whether it drives a display: files that the kernel keeps in memory.
    pub fn look_at_power(&mut self) {
        let control = super::read_text(&self.folder.join("power/control"));
        self.may_suspend = match control.as_deref().map(str::trim_ascii) {
            Ok("auto") => Some(true),
            Ok("on") => Some(false),
            _ => None,
        };
        self.drives_display = drives_display(&self.folder.join("drm"));
    }
}

/// Whether a connector of the graphics cards in this folder is enabled: `card1/card1-eDP-1/enabled`.
fn drives_display(folder: &Path) -> bool {
    let below = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let mut connectors = below(folder).flat_map(|card| below(&card.path()));
    connectors.any(|connector| {
        let enabled = super::read_text(&connector.path().join("enabled"));
        enabled.is_ok_and(|word| word.trim_ascii() == "enabled")
    })
}

/// The devices that are bound to NVIDIA's driver, by address: one folder, whatever else is on the bus.
#[must_use]
pub fn bound_gpus(sysroot: &Sysroot) -> Vec<PciAddress> {
    let entries = fs::read_dir(sysroot.path("/sys/bus/pci/drivers/nvidia"));
    let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut bound: Vec<_> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    bound.sort_unstable();
    bound
}

/// The NVIDIA GPUs in `/sys/bus/pci/devices`, by address.
///
/// Only attributes that the kernel keeps in memory are read: `config` would wake a device.
///
/// # Errors
/// [`Absent::NotFound`] when the machine has no PCI bus, else why it cannot be read.
pub fn pci_gpus(sysroot: &Sysroot) -> Result<Vec<PciGpu>, Absent> {
    let devices = fs::read_dir(sysroot.path("/sys/bus/pci/devices"))
        .map_err(|error| super::absence(&error))?;
    let mut gpus: Vec<_> = devices.flatten().filter_map(|device| gpu_in(&device.path())).collect();
    gpus.sort_by_key(|gpu| gpu.address);
    Ok(gpus)
}

/// The device in this folder of sysfs, if it is an NVIDIA GPU: a VGA (0x0300) or a 3D (0x0302) controller.
fn gpu_in(folder: &Path) -> Option<PciGpu> {
    let address = folder.file_name()?.to_str()?.parse().ok()?;
    let attribute = |name| super::read_text(&folder.join(name)).ok();
    if attribute("vendor")?.trim_end() != "0x10de" {
        return None;
    }
    let class = attribute("class")?;
    if !class.starts_with("0x0300") && !class.starts_with("0x0302") {
        return None;
    }
    let status_path = folder.join("power/runtime_status");
    let driver = fs::read_link(folder.join("driver")).ok();
    let driver = driver.as_deref().and_then(Path::file_name);
    Some(PciGpu {
        address,
        runtime_status: RuntimeStatus::read(&status_path),
        driver: driver.map(|name| name.to_string_lossy().into_owned()),
        may_suspend: None,
        drives_display: false,
        folder: folder.to_owned(),
        status_path,
    })
}

/// What the kernel driver knows of a GPU without NVML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuInformation {
    /// The product's name.
    pub name: Fact<String>,
    /// The identity that lasts: `GPU-…`; the driver has it once the GPU has been used since the driver was loaded.
    pub uuid: Fact<String>,
    /// Version of its VBIOS, known from the same time on.
    pub vbios_version: Fact<String>,
}

/// What `/proc/driver/nvidia/gpus/ADDRESS/information` says of a GPU.
///
/// # Errors
/// [`Absent::NotFound`] when NVIDIA's driver does not drive it, else why it cannot be read.
pub fn gpu_information(sysroot: &Sysroot, address: PciAddress) -> Result<GpuInformation, Absent> {
    let path = format!("/proc/driver/nvidia/gpus/{address}/information");
    Ok(parse_information(&super::read_text(&sysroot.path(path))?))
}

fn parse_information(text: &str) -> GpuInformation {
    let field = |key| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let (_, value) =
            lines.into_iter().find(|(name, _)| name.trim() == key).ok_or(Absent::NotFound)?;
        let value = value.trim();
        // The driver fills what it does not know yet with question marks: `GPU-????????-…`.
        let is_known = !value.is_empty() && value != "N/A" && !value.contains("??");
        if is_known { Ok(value.to_owned()) } else { Err(Absent::Unknown) }
    };
    GpuInformation {
        name: field("Model"),
        uuid: field("GPU UUID"),
        vbios_version: field("Video BIOS"),
    }
}

#[cfg(test)]
mod tests {
    use super::{RuntimeStatus, gpu_information, parse_information, pci_gpus};
    use crate::model::{Absent, PciAddress, Sysroot};
    use proptest::prelude::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    fn device(sysroot: &Sysroot, address: &str, vendor: &str, class: &str) -> PathBuf {
        let folder = sysroot.path(format!("/sys/bus/pci/devices/{address}"));
        fs::create_dir_all(folder.join("power")).unwrap();
        fs::write(folder.join("vendor"), format!("{vendor}\n")).unwrap();
        fs::write(folder.join("class"), format!("{class}\n")).unwrap();
        fs::write(folder.join("power/runtime_status"), "active\n").unwrap();
        folder
    }

    #[test]
    fn gpus_are_found_among_the_devices_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        assert_eq!(pci_gpus(&sysroot), Err(Absent::NotFound));

        device(&sysroot, "10000:01:00.0", "0x10de", "0x030200");
        let laptop = device(&sysroot, "0000:01:00.0", "0x10de", "0x030000");
        symlink("../../../../bus/pci/drivers/nvidia", laptop.join("driver")).unwrap();
        device(&sysroot, "0000:01:00.1", "0x10de", "0x040300");
        device(&sysroot, "0000:00:02.0", "0x8086", "0x030000");
        fs::create_dir(sysroot.path("/sys/bus/pci/devices/not-an-address")).unwrap();
        fs::create_dir(sysroot.path("/sys/bus/pci/devices/0000:05:00.0")).unwrap();

        let mut gpus = pci_gpus(&sysroot).unwrap();
        let found: Vec<_> =
            gpus.iter().map(|g| (g.address.to_string(), g.driver.clone())).collect();
        let nvidia = Some("nvidia".to_owned());
        assert_eq!(found, [("0000:01:00.0".into(), nvidia), ("10000:01:00.0".into(), None)]);

        fs::write(laptop.join("power/runtime_status"), "suspended\n").unwrap();
        assert_eq!(gpus[0].runtime_status, RuntimeStatus::Active);
        assert!(gpus[0].refresh().is_asleep());
        fs::write(laptop.join("power/runtime_status"), "unsupported\n").unwrap();
        assert_eq!(gpus[0].refresh(), RuntimeStatus::Unsupported);
        fs::write(laptop.join("power/runtime_status"), "a word of a kernel to come\n").unwrap();
        assert_eq!(gpus[0].refresh(), RuntimeStatus::Unknown);
        fs::remove_dir_all(&laptop).unwrap();
        assert_eq!(gpus[0].refresh(), RuntimeStatus::Unknown);
    }

    #[test]
    fn information_with_what_is_not_known_yet() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        let address: PciAddress = "0000000F:01:00.0".parse().unwrap();
        assert_eq!(gpu_information(&sysroot, address), Err(Absent::NotFound));

        let path = sysroot.path("/proc/driver/nvidia/gpus/000f:01:00.0/information");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = "Model: \t\t NVIDIA Test GPU: Founders\nIRQ:   \t\t 31\n\
                    GPU UUID: \t GPU-????????-????-????-????-????????????\nVideo BIOS: \t 96.00.11.22.33\n";
        fs::write(path, text).unwrap();
        let information = gpu_information(&sysroot, address).unwrap();
        assert_eq!(information.name.as_deref(), Ok("NVIDIA Test GPU: Founders"));
        assert_eq!(information.uuid, Err(Absent::Unknown));
        assert_eq!(information.vbios_version.as_deref(), Ok("96.00.11.22.33"));
    }

    #[test]
    fn an_empty_value_is_not_known_and_a_missing_line_not_found() {
        let information = parse_information("Model: \t\t \nVideo BIOS: \t N/A\n");
        assert_eq!(information.name, Err(Absent::Unknown));
        assert_eq!(information.uuid, Err(Absent::NotFound));
        assert_eq!(information.vbios_version, Err(Absent::Unknown));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            parse_information(&text);
        }
    }
}
