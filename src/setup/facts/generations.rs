//! The systems that a NixOS machine has at hand: the booted one, the current one and that of the next boot.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Evidence;
use super::files::Files;
use super::versions::{driver_version, store_name, store_path};
use crate::model::{Absent, Fact, KernelModule};

/// Where a driver's module lies below `lib/modules/KERNEL`, besides the folders right below that.
const MODULE_FOLDERS: &[&str] = &["misc", "kernel/drivers/video", "updates/dkms"];
/// A module's file, compressed or not.
const MODULE_FILES: &[&str] = &["nvidia.ko.xz", "nvidia.ko", "nvidia.ko.zst", "nvidia.ko.gz"];

/// The three systems. On another distribution none of them is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generations {
    /// The one that was started.
    pub booted: Generation,
    /// The one that was switched to last.
    pub current: Generation,
    /// The one that the boot loader will start.
    pub next_boot: Generation,
}

/// A built NixOS system, as far as the names in the store tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its store path; the source is the link.
    pub store_path: Evidence<String>,
    /// Its NixOS version, such as `25.11.20251120.abc`.
    pub nixos_version: Evidence<String>,
    /// The store path of its kernel.
    pub kernel: Evidence<String>,
    /// The version of its kernel.
    pub kernel_version: Evidence<String>,
    /// The store path of its kernel's modules.
    pub kernel_modules: Evidence<String>,
    /// The NVIDIA driver among them; not found where it has none.
    pub driver: Evidence<BuiltDriver>,
}

/// An NVIDIA driver that was built for a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltDriver {
    /// Its version.
    pub version: String,
    /// Which of the two modules it is.
    pub flavour: KernelModule,
}

/// A difference that only a reboot closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pending {
    /// The current system has another kernel than the running one.
    Kernel,
    /// The current system has other kernel modules, and so perhaps another driver, than the running kernel.
    KernelModules,
    /// The next boot starts another system than the current one.
    NextBoot,
}

impl Generations {
    /// What waits for a reboot; nothing where the links do not tell.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        fn differ(one: &Evidence<String>, other: &Evidence<String>) -> bool {
            matches!((one.known(), other.known()), (Some(one), Some(other)) if one != other)
        }
        let Self { booted, current, next_boot } = self;
        let differences = [
            (Pending::Kernel, differ(&booted.kernel, &current.kernel)),
            (Pending::KernelModules, differ(&booted.kernel_modules, &current.kernel_modules)),
            (Pending::NextBoot, differ(&current.store_path, &next_boot.store_path)),
        ];
        differences.into_iter().filter_map(|(what, differs)| differs.then_some(what)).collect()
    }
}

pub(super) fn read(files: Files<'_>) -> Generations {
    Generations {
        booted: generation(files, "/run/booted-system"),
        current: generation(files, "/run/current-system"),
        next_boot: generation(files, "/nix/var/nix/profiles/system"),
    }
}

fn generation(files: Files<'_>, link: &str) -> Generation {
    let kernel = files.resolve(format!("{link}/kernel"));
    let kernel_source = format!("{link}/kernel");
    let kernel_version = kernel.as_ref().map_err(|why| *why).and_then(|path| {
        let version = store_name(path).and_then(kernel_version);
        version.map(str::to_owned).ok_or(Absent::Malformed)
    });
    let modules = format!("{link}/kernel-modules");
    Generation {
        store_path: Evidence::new(link, files.resolve(link).and_then(|path| in_store(&path))),
        nixos_version: files.line(&format!("{link}/nixos-version")),
        kernel: Evidence::new(&kernel_source, kernel.and_then(|path| in_store(&path))),
        kernel_version: Evidence::new(kernel_source, kernel_version),
        kernel_modules: Evidence::new(
            &modules,
            files.resolve(&modules).and_then(|path| in_store(&path)),
        ),
        driver: driver(files, &modules),
    }
}

/// The store path of a resolved path.
fn in_store(path: &Path) -> Fact<String> {
    let path = store_path(path).ok_or(Absent::Malformed)?;
    Ok(path.to_string_lossy().into_owned())
}

/// The version in the name of a kernel: `linux-6.12.40`, `linux-zen-6.15.2`.
fn kernel_version(name: &str) -> Option<&str> {
    let starts = name.match_indices('-').map(|(at, _)| &name[at + 1..]);
    starts.into_iter().find(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// The driver whose module the kernel's modules hold, told by the name of the package that the file leads into.
fn driver(files: Files<'_>, modules: &str) -> Evidence<BuiltDriver> {
    let found = module_file(files, &format!("{modules}/lib/modules"));
    found.and_then(|real| store_name(real).and_then(built_driver).ok_or(Absent::Malformed))
}

/// The first `nvidia.ko` in the places where builds put it.
fn module_file(files: Files<'_>, folder: &str) -> Evidence<PathBuf> {
    let kernels = match files.names(folder) {
        Ok(names) => names,
        Err(why) => return Evidence::new(folder, Err(why)),
    };
    // A system has one kernel; a few more do no harm.
    for kernel in kernels.iter().take(4) {
        let kernel = format!("{folder}/{kernel}");
        let below = files.names(&kernel).unwrap_or_default();
        let places = MODULE_FOLDERS.iter().copied().chain(below.iter().map(String::as_str));
        for place in places.take(32) {
            for file in MODULE_FILES {
                let path = format!("{kernel}/{place}/{file}");
                if let Ok(real) = files.resolve(&path) {
                    return Evidence::new(path, Ok(real));
                }
            }
        }
    }
    Evidence::new(folder, Err(Absent::NotFound))
}

fn built_driver(name: &str) -> Option<BuiltDriver> {
    let is_open = name.split('-').any(|word| word == "open");
    Some(BuiltDriver {
        version: driver_version(name)?.to_owned(),
        flavour: if is_open { KernelModule::Open } else { KernelModule::Proprietary },
    })
}

impl<T> Evidence<T> {
    /// The same place with what `change` makes of the value, or why it cannot.
    fn and_then<U>(&self, change: impl FnOnce(&T) -> Fact<U>) -> Evidence<U> {
        let fact = self.fact.as_ref().map_err(|why| *why).and_then(change);
        Evidence { fact, source: self.source.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kernels() {
        assert_eq!(kernel_version("linux-6.12.40"), Some("6.12.40"));
        assert_eq!(kernel_version("linux-zen-6.15.2"), Some("6.15.2"));
        assert_eq!(kernel_version("linux-6.18-rc1"), Some("6.18-rc1"));
        assert_eq!(kernel_version("linux"), None);
    }

    #[test]
    fn names_of_drivers() {
        let driver = |name| built_driver(name).map(|it| (it.version, it.flavour));
        let version = || "580.95.05".to_owned();
        let open = driver("nvidia-open-6.12.40-580.95.05");
        assert_eq!(open, Some((version(), KernelModule::Open)));
        let proprietary = driver("nvidia-x11-580.95.05-6.12.40-bin");
        assert_eq!(proprietary, Some((version(), KernelModule::Proprietary)));
        assert_eq!(driver("linux-6.12.40-modules"), None);
    }
}
