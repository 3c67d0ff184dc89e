//! The GPUs: what the PCI bus shows of them, joined with what the driver and NVML say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::files::Files;
use super::surroundings::NvmlGpu;
use super::{Evidence, Surroundings};
use crate::model::{Absent, Architecture, Fact};
use crate::source::host::PciAddress;

const DEVICES: &str = "/sys/bus/pci/devices";
const NVIDIA: u16 = 0x10de;

/// The first chip number of each architecture's ranges, lowest first; `None` for what is older or was never sold as a
/// display controller. Chips that are newer than this table count as its last row.
const CHIPS: &[(u16, Option<u32>)] = &[
    (0x0000, None),
    (0x0fc0, Some(2)),
    (0x1040, None),
    (0x1180, Some(2)),
    (0x1200, None),
    (0x1280, Some(2)),
    (0x1340, Some(3)),
    (0x15f0, Some(4)),
    (0x1600, Some(3)),
    (0x1b00, Some(4)),
    (0x1d80, Some(5)),
    (0x1e00, Some(6)),
    (0x2080, Some(7)),
    (0x2180, Some(6)),
    (0x2200, Some(7)),
    (0x2300, Some(9)),
    (0x2400, Some(7)),
    (0x2680, Some(8)),
    (0x2900, Some(10)),
];

/// An NVIDIA GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// NVML's index.
    pub index: Evidence<u32>,
    /// PCI address in the kernel's form, `0000:18:00.0`.
    pub pci_bus_id: Evidence<String>,
    /// PCI address in the form of PRIME's options, `PCI:24@0:0:0`.
    pub prime_bus_id: Evidence<String>,
    /// PCI device id, such as `0x2330`.
    pub pci_device_id: Evidence<String>,
    /// The kernel driver that it is bound to: `nvidia`, `nouveau`, `vfio-pci`, …; not found where there is none.
    pub kernel_driver: Evidence<String>,
    /// `GPU-…`.
    pub uuid: Evidence<String>,
    /// The product's name.
    pub name: Evidence<String>,
    /// Its architecture.
    pub architecture: Evidence<GpuArchitecture>,
    /// CUDA compute capability, such as `9.0`.
    pub compute_capability: Evidence<String>,
    /// Whether it is divided into MIG instances.
    pub mig: Evidence<bool>,
    /// Whether the driver keeps it set up while nobody uses it.
    pub persistence_mode: Evidence<bool>,
    /// The version of the firmware that runs on it; not found where none does.
    pub gsp_firmware_version: Evidence<String>,
}

/// An architecture, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuArchitecture {
    /// The architecture.
    pub name: Architecture,
    /// Whether it is only likely, since the number of the chip is all that is known.
    pub likely: bool,
}

/// Another device on the PCI bus that bears on the GPUs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PciDevice {
    /// What it is.
    pub kind: PciKind,
    /// PCI address in the kernel's form.
    pub pci_bus_id: String,
    /// PCI address in the form of PRIME's options.
    pub prime_bus_id: String,
    /// PCI device id.
    pub pci_device_id: String,
}

/// What a device is to the GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PciKind {
    /// A display controller of Intel's.
    IntelGpu,
    /// A display controller of AMD's.
    AmdGpu,
    /// The switch between the GPUs of an HGX board, which needs the fabric manager.
    NvSwitch,
}

/// A device as the bus shows it.
struct Device {
    address: PciAddress,
    vendor: u16,
    chip: u16,
    class: u32,
}

/// The GPUs, and the other devices that bear on them.
pub(super) fn read(
    files: Files<'_>,
    surroundings: &Surroundings,
) -> (Evidence<Vec<Gpu>>, Evidence<Vec<PciDevice>>) {
    let devices = devices(files);
    let reason = |why: &Absent| *why;
    let others = devices
        .as_ref()
        .map_err(reason)
        .map(|devices| devices.iter().filter_map(other_device).collect::<Vec<_>>());
    let nvml: &[NvmlGpu] = surroundings.nvml.as_ref().map_or(&[], |nvml| &nvml.gpus);
    let why_no_nvml = surroundings.nvml.as_ref().err().copied().unwrap_or(Absent::NotFound);
    let mut gpus = Vec::new();
    for device in devices.iter().flatten().filter(|device| device.is_nvidia_gpu()) {
        let address = device.address.to_string();
        let said = nvml.iter().find(|gpu| gpu.pci_bus_id.as_ref() == Ok(&address));
        gpus.push(gpu(files, Some(device), said.ok_or(why_no_nvml)));
    }
    // Where sysfs is hidden, as in some containers, NVML's GPUs are all there is. One without an address may be one
    // that the bus has shown already.
    for said in nvml {
        let is_another = said.pci_bus_id.is_ok() || devices.is_err();
        if is_another && !gpus.iter().any(|gpu: &Gpu| gpu.index.fact == Ok(said.index)) {
            gpus.push(gpu(files, None, Ok(said)));
        }
    }
    let is_told = devices.is_ok() || !gpus.is_empty();
    let gpus = if is_told { Ok(gpus) } else { Err(devices.err().unwrap_or(Absent::NotFound)) };
    (Evidence::new(DEVICES, gpus), Evidence::new(DEVICES, others))
}

impl Device {
    fn is_display(&self) -> bool {
        self.class >> 16 == 0x03
    }

    fn is_nvidia_gpu(&self) -> bool {
        self.vendor == NVIDIA && matches!(self.class >> 8, 0x0300 | 0x0302)
    }

    fn kind(&self) -> Option<PciKind> {
        match self.vendor {
            0x8086 if self.is_display() => Some(PciKind::IntelGpu),
            0x1002 if self.is_display() => Some(PciKind::AmdGpu),
            NVIDIA if self.class >> 8 == 0x0680 => Some(PciKind::NvSwitch),
            _ => None,
        }
    }
}

/// The display controllers and bridges of the bus; only what the kernel keeps in memory is read, so nothing wakes.
fn devices(files: Files<'_>) -> Fact<Vec<Device>> {
    let names = files.names(DEVICES)?;
    let mut devices: Vec<_> =
        names.iter().filter_map(|name| device(files, name.parse().ok()?, name)).collect();
    devices.sort_by_key(|device| device.address);
    Ok(devices)
}

fn device(files: Files<'_>, address: PciAddress, name: &str) -> Option<Device> {
    let number = |attribute: &str| {
        let line = files.line(&format!("{DEVICES}/{name}/{attribute}")).fact.ok()?;
        u32::from_str_radix(line.strip_prefix("0x")?, 16).ok()
    };
    let class = number("class")?;
    if class >> 16 != 0x03 && class >> 8 != 0x0680 {
        return None;
    }
    let id = |attribute| u16::try_from(number(attribute)?).ok();
    Some(Device { address, vendor: id("vendor")?, chip: id("device")?, class })
}

fn other_device(device: &Device) -> Option<PciDevice> {
    Some(PciDevice {
        kind: device.kind()?,
        pci_bus_id: device.address.to_string(),
        prime_bus_id: device.address.prime(),
        pci_device_id: hexadecimal(device.chip),
    })
}

fn hexadecimal(id: u16) -> String {
    format!("{id:#06x}")
}

/// One GPU, of which the bus, NVML or both know.
fn gpu(files: Files<'_>, device: Option<&Device>, said: Fact<&NvmlGpu>) -> Gpu {
    fn from_nvml<T>(fact: Fact<T>) -> Evidence<T> {
        Evidence::new("NVML", fact)
    }
    let address = device.map(|device| device.address);
    let address =
        address.or_else(|| said.ok()?.pci_bus_id.as_ref().ok()?.parse::<PciAddress>().ok());
    let folder = address.map_or(DEVICES.to_owned(), |address| format!("{DEVICES}/{address}"));
    let in_bus = |fact: Option<String>| Evidence::new(&folder, fact.ok_or(Absent::NotFound));
    let information = Information::read(files, address);
    let capability = said.and_then(|gpu| gpu.compute_capability);
    Gpu {
        index: from_nvml(said.map(|gpu| gpu.index)),
        pci_bus_id: in_bus(address.map(|address| address.to_string())),
        prime_bus_id: in_bus(address.map(|address| address.prime())),
        pci_device_id: in_bus(device.map(|device| hexadecimal(device.chip))),
        kernel_driver: kernel_driver(files, &folder),
        uuid: from_nvml(said.and_then(|gpu| gpu.uuid.clone()))
            .or_else(|| information.field("GPU UUID")),
        name: from_nvml(said.and_then(|gpu| gpu.name.clone()))
            .or_else(|| information.field("Model")),
        architecture: architecture(device, said, &folder),
        compute_capability: from_nvml(capability.map(|(major, minor)| format!("{major}.{minor}"))),
        mig: from_nvml(said.and_then(|gpu| gpu.mig)),
        persistence_mode: from_nvml(said.and_then(|gpu| gpu.persistence_mode)),
        gsp_firmware_version: information.field("GPU Firmware"),
    }
}

/// The name at the end of the link `driver`, which a device without a driver does not have.
fn kernel_driver(files: Files<'_>, folder: &str) -> Evidence<String> {
    let path = format!("{folder}/driver");
    let driver = files.resolve(&path).and_then(|driver| {
        let name = driver.file_name().ok_or(Absent::Malformed)?;
        Ok(name.to_string_lossy().into_owned())
    });
    Evidence::new(path, driver)
}

/// What the driver's own file says of a GPU, which also sleeping GPUs have.
struct Information(Evidence<BTreeMap<String, String>>);

impl Information {
    fn read(files: Files<'_>, address: Option<PciAddress>) -> Self {
        const FOLDER: &str = "/proc/driver/nvidia/gpus";
        let Some(address) = address else {
            return Self(Evidence::new(FOLDER, Err(Absent::NotFound)));
        };
        Self(files.read(&format!("{FOLDER}/{address}/information"), |text| {
            let pairs = text.lines().filter_map(|line| line.split_once(':'));
            let trimmed = |(key, value): (&str, &str)| (key.trim().into(), value.trim().into());
            Some(pairs.map(trimmed).collect())
        }))
    }

    /// A line's value. The driver fills what it does not know yet with question marks.
    fn field(&self, key: &str) -> Evidence<String> {
        let fact = self.0.fact.as_ref().map_err(|why| *why).and_then(|fields| {
            match fields.get(key).map(String::as_str) {
                None | Some("N/A") => Err(Absent::NotFound),
                Some(value) if value.is_empty() || value.contains("??") => Err(Absent::Unknown),
                Some(value) => Ok(value.to_owned()),
            }
        });
        Evidence::new(&self.0.source, fact)
    }
}

/// NVML's word, else what the compute capability tells, else what the number of the chip makes likely.
fn architecture(
    device: Option<&Device>,
    said: Fact<&NvmlGpu>,
    folder: &str,
) -> Evidence<GpuArchitecture> {
    let named = said.and_then(|gpu| gpu.architecture);
    let capability = || said.and_then(|gpu| gpu.compute_capability).ok().and_then(of_capability);
    let by_nvml = named.or_else(|why| capability().ok_or(why));
    let by_nvml = by_nvml.map(|name| GpuArchitecture { name, likely: false });
    Evidence::new("NVML", by_nvml).or_else(|| {
        let chip = device.and_then(|device| of_chip(device.chip)).ok_or(Absent::NotFound);
        let likely = chip.map(|name| GpuArchitecture { name, likely: true });
        Evidence::new(format!("{folder}/device"), likely)
    })
}

fn of_capability(capability: (i32, i32)) -> Option<Architecture> {
    let number = match capability {
        (3, _) => 2,
        (5, _) => 3,
        (6, _) => 4,
        (7, minor) if minor < 5 => 5,
        (7, _) => 6,
        (8, 9) => 8,
        (8, _) => 7,
        (9, _) => 9,
        (10..=12, _) => 10,
        _ => return None,
    };
    Some(Architecture(number))
}

fn of_chip(chip: u16) -> Option<Architecture> {
    let row = CHIPS.iter().rev().find(|(first, _)| *first <= chip)?;
    row.1.map(Architecture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_architecture_by_compute_capability() {
        let name = |capability| of_capability(capability).map(|it| it.to_string());
        for (capability, architecture) in [
            ((3, 5), "Kepler"),
            ((5, 2), "Maxwell"),
            ((6, 1), "Pascal"),
            ((7, 0), "Volta"),
            ((7, 2), "Volta"),
            ((7, 5), "Turing"),
            ((8, 6), "Ampere"),
            ((8, 9), "Ada"),
            ((9, 0), "Hopper"),
            ((10, 0), "Blackwell"),
            ((12, 1), "Blackwell"),
        ] {
            assert_eq!(name(capability).as_deref(), Some(architecture), "{capability:?}");
        }
        assert_eq!([name((2, 1)), name((13, 0)), name((-1, 0))], [None, None, None]);
    }

    #[test]
    fn the_architecture_by_the_number_of_the_chip() {
        let name = |chip| of_chip(chip).map(|it| it.to_string());
        for (chip, architecture) in [
            (0x0fc0, "Kepler"),
            (0x1380, "Maxwell"),
            (0x17c2, "Maxwell"),
            (0x1b80, "Pascal"),
            (0x1db6, "Volta"),
            (0x1e04, "Turing"),
            (0x2182, "Turing"),
            (0x20b0, "Ampere"),
            (0x2330, "Hopper"),
            (0x2684, "Ada"),
            (0x2900, "Blackwell"),
            (0x2b85, "Blackwell"),
            (0xffff, "Blackwell"),
        ] {
            assert_eq!(name(chip).as_deref(), Some(architecture), "{chip:#x}");
        }
        assert_eq!([name(0), name(0x0fbf), name(0x1201)], [None, None, None]);
        assert!(CHIPS.is_sorted_by_key(|row| row.0));
    }
}
