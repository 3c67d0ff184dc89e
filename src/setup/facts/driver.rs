//! The driver: what is loaded, and the libraries and firmware that lie ready for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::files::Files;
use super::versions::{is_driver_version, library_version};
use super::{Evidence, Surroundings};
use crate::model::KernelModule;
use crate::source::host;

const VERSION: &str = "/proc/driver/nvidia/version";

/// The libraries that must fit the loaded driver.
const LIBRARIES: &[&str] = &["libcuda.so.1", "libnvidia-ml.so.1"];

/// Where distributions keep them; NixOS first, since a machine that has it uses it.
pub const LIBRARY_FOLDERS: &[&str] = &[
    "/run/opengl-driver/lib",
    "/usr/lib/wsl/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
    "/usr/lib/aarch64-linux-gnu/nvidia/current",
    "/usr/lib/aarch64-linux-gnu/nvidia",
    "/usr/lib64",
    "/usr/lib",
];

const FIRMWARE_FOLDERS: &[&str] = &["/run/current-system/firmware/nvidia", "/lib/firmware/nvidia"];

/// The driver as the kernel has it, and what belongs to it outside the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// The driver that is loaded.
    pub loaded: Evidence<LoadedDriver>,
    /// What it was loaded with, such as `PreserveVideoMemoryAllocations`, as the driver writes the values.
    pub parameters: Evidence<BTreeMap<String, String>>,
    /// The newest CUDA that it supports, such as `13.0`.
    pub cuda_version: Evidence<String>,
    /// Every place that holds one of its libraries, in the order in which they are found.
    pub libraries: Vec<Library>,
    /// The versions of the driver that firmware is installed for; the open module needs its own.
    pub firmware_versions: Evidence<Vec<String>>,
}

/// The kernel driver that is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedDriver {
    /// Its version, such as `580.95.05`.
    pub version: String,
    /// Which of the two modules it is.
    pub flavour: KernelModule,
}

/// A library of the driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// The name that programs ask for, such as `libcuda.so.1`.
    pub name: String,
    /// Where it lies in truth; the source is the path that was looked at.
    pub path: Evidence<String>,
    /// The driver's version that its real name ends in.
    pub version: Option<String>,
}

impl Driver {
    /// The first library of this name, which is the one that programs get.
    #[must_use]
    pub fn library(&self, name: &str) -> Option<&Library> {
        self.libraries.iter().find(|library| library.name == name && library.path.fact.is_ok())
    }

    /// The first library that belongs to another driver than the loaded one: until the next boot, nothing that uses it
    /// works.
    #[must_use]
    pub fn mismatch(&self) -> Option<&Library> {
        let loaded = self.loaded.known()?;
        LIBRARIES.iter().filter_map(|name| self.library(name)).find(|library| {
            library.version.as_ref().is_some_and(|version| *version != loaded.version)
        })
    }
}

pub(super) fn read(files: Files<'_>, surroundings: &Surroundings) -> Driver {
    // That reader trusts the file to be the kernel's own.
    let loaded = files
        .text(VERSION)
        .and_then(|_| host::kernel_driver(files.0))
        .map(|driver| LoadedDriver { version: driver.version, flavour: driver.module });
    let nvml = surroundings.nvml.as_ref().map_err(|why| *why);
    Driver {
        loaded: Evidence::new(VERSION, loaded),
        parameters: files.read("/proc/driver/nvidia/params", |text| Some(parameters(text))),
        cuda_version: Evidence::new("NVML", nvml.and_then(|nvml| nvml.cuda_version.clone())),
        libraries: libraries(files),
        firmware_versions: firmware(files),
    }
}

fn parameters(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

fn libraries(files: Files<'_>) -> Vec<Library> {
    let places = LIBRARIES
        .iter()
        .flat_map(|name| LIBRARY_FOLDERS.iter().map(move |folder| (*name, *folder)));
    places.filter_map(|(name, folder)| library(files, name, folder)).collect()
}

/// The library in this folder, if the folder has it or does not let this user see.
fn library(files: Files<'_>, name: &str, folder: &str) -> Option<Library> {
    let path = format!("{folder}/{name}");
    let real = files.resolve(&path);
    if real == Err(crate::model::Absent::NotFound) {
        return None;
    }
    let file_name = real.as_ref().ok().and_then(|real| real.file_name()?.to_str());
    let version = file_name.and_then(library_version).map(str::to_owned);
    let real = real.map(|real| real.to_string_lossy().into_owned());
    Some(Library { name: name.to_owned(), path: Evidence::new(path, real), version })
}

/// NVIDIA's firmware lies in folders named by the driver; those of nouveau are named by chips.
fn firmware(files: Files<'_>) -> Evidence<Vec<String>> {
    let names = |folder| {
        let names = files.names(folder);
        Evidence::new(folder, names).map(|names| {
            names.into_iter().filter(|name| is_driver_version(name)).collect::<Vec<_>>()
        })
    };
    let [first, second] = [FIRMWARE_FOLDERS[0], FIRMWARE_FOLDERS[1]];
    names(first).or_else(|| names(second))
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn parameters_keep_the_drivers_words() {
        let text = "ResmanDebugLevel: 4294967295\nRmMsg: \"\"\nPreserveVideoMemoryAllocations: 1\nno pair\n";
        let parameters = parameters(text);
        assert_eq!(parameters.len(), 3);
        assert_eq!(parameters["PreserveVideoMemoryAllocations"], "1");
        assert_eq!(parameters["RmMsg"], "\"\"");
    }
}
