//! Machines for tests: folders with the files that a real one would have.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::model::{Architecture, Sysroot};
use crate::setup::facts::{Facts, Nvml, NvmlGpu, Surroundings, read};

/// A store path of this name.
pub(in crate::setup::facts) fn store(name: &str) -> String {
    format!("/nix/store/{}-{name}", "0123456789abcdfghijklmnpqrsvwxyz")
}

/// A machine in a folder that goes away with it.
pub(in crate::setup::facts) struct TestMachine {
    folder: tempfile::TempDir,
    pub(in crate::setup::facts) surroundings: Surroundings,
}

impl TestMachine {
    /// A machine with nothing on it.
    pub(in crate::setup::facts) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), surroundings: Surroundings::default() }
    }

    pub(in crate::setup::facts) fn sysroot(&self) -> Sysroot {
        Sysroot::new(self.folder.path())
    }

    pub(in crate::setup::facts) fn facts(&self) -> Facts {
        read(&self.sysroot(), &self.surroundings)
    }

    fn place(&self, path: &str) -> PathBuf {
        let place = self.sysroot().path(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        place
    }

    pub(in crate::setup::facts) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.place(path), content).unwrap();
        self
    }

    pub(in crate::setup::facts) fn files(&self, files: &[(&str, &str)]) -> &Self {
        for (path, content) in files {
            self.file(path, content);
        }
        self
    }

    pub(in crate::setup::facts) fn folder(&self, path: &str) -> &Self {
        fs::create_dir_all(self.place(path)).unwrap();
        self
    }

    pub(in crate::setup::facts) fn link(&self, path: &str, target: impl AsRef<Path>) -> &Self {
        symlink(target, self.place(path)).unwrap();
        self
    }

    pub(in crate::setup::facts) fn pipe(&self, path: &str) -> &Self {
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, self.place(path), kind, mode, 0).unwrap();
        self
    }

    /// A device on the PCI bus, with or without a driver.
    pub(in crate::setup::facts) fn pci(
        &self,
        address: &str,
        ids: [&str; 3],
        driver: Option<&str>,
    ) -> &Self {
        let folder = format!("/sys/bus/pci/devices/{address}");
        for (attribute, value) in ["vendor", "device", "class"].iter().zip(ids) {
            self.file(&format!("{folder}/{attribute}"), format!("{value}\n"));
        }
        if let Some(driver) = driver {
            self.folder(&format!("/sys/bus/pci/drivers/{driver}"));
            self.link(&format!("{folder}/driver"), format!("../../drivers/{driver}"));
        }
        self
    }

    /// The kernel with these modules loaded.
    pub(in crate::setup::facts) fn modules(&self, names: &[&str]) -> &Self {
        for name in names {
            self.folder(&format!("/sys/module/{name}"));
        }
        self
    }

    /// NVIDIA's driver loaded, its open module or its proprietary one.
    pub(in crate::setup::facts) fn driver(&self, version: &str, is_open: bool) -> &Self {
        let product =
            if is_open { "Open Kernel Module for x86_64" } else { "x86_64 Kernel Module" };
        let text = format!("NVRM version: NVIDIA UNIX {product}  {version}  Release Build\n");
        self.file("/proc/driver/nvidia/version", text).modules(&["nvidia", "nvidia_uvm"])
    }

    /// Both of the driver's libraries in a folder.
    pub(in crate::setup::facts) fn libraries(&self, folder: &str, version: &str) -> &Self {
        for library in ["libcuda.so", "libnvidia-ml.so"] {
            self.file(&format!("{folder}/{library}.{version}"), "ELF");
            self.link(&format!("{folder}/{library}.1"), format!("{library}.{version}"));
        }
        self
    }

    /// A NixOS system in the store with a kernel and NVIDIA's driver.
    pub(in crate::setup::facts) fn nixos_system(
        &self,
        name: &str,
        kernel: &str,
        driver_package: &str,
    ) -> String {
        let system = store(&format!("nixos-system-{name}"));
        let [linux, modules] =
            [store(&format!("linux-{kernel}")), store(&format!("{name}-kernel-modules"))];
        let package = store(driver_package);
        let module = format!("lib/modules/{kernel}/kernel/drivers/video/nvidia.ko.xz");
        self.file(&format!("{linux}/bzImage"), "kernel")
            .file(&format!("{package}/{module}"), "module")
            .folder(&format!("{modules}/lib/modules/{kernel}/kernel/drivers"))
            .link(
                &format!("{modules}/lib/modules/{kernel}/kernel/drivers/video"),
                format!("{package}/lib/modules/{kernel}/kernel/drivers/video"),
            )
            .link(&format!("{system}/kernel"), format!("{linux}/bzImage"))
            .link(&format!("{system}/kernel-modules"), modules)
            .file(&format!("{system}/nixos-version"), "25.11.20251120.abcdef0\n")
            .file(&format!("{system}/system"), "x86_64-linux");
        system
    }

    /// NVML with GPUs at these addresses.
    pub(in crate::setup::facts) fn nvml(&mut self, addresses: &[&str]) -> &Self {
        let gpu = |(index, address): (u32, &&str)| NvmlGpu {
            index,
            uuid: Ok(format!("GPU-{index:08}")),
            pci_bus_id: Ok((*address).to_owned()),
            name: Ok("NVIDIA H100 80GB HBM3".to_owned()),
            architecture: Ok(Architecture(9)),
            compute_capability: Ok((9, 0)),
            mig: Ok(false),
            persistence_mode: Ok(true),
        };
        self.surroundings.nvml = Ok(Nvml {
            cuda_version: Ok("13.0".to_owned()),
            gpus: (0..).zip(addresses).map(gpu).collect(),
        });
        self
    }

    pub(in crate::setup::facts) fn variable(&mut self, name: &str, value: &str) -> &Self {
        self.surroundings.environment.insert(name.to_owned(), value.to_owned());
        self
    }
}
