//! The names by which nixpkgs knows the unfree parts of what Setup writes.

use super::nix::{AttrPath, Expr};

/// The parts of the driver, which is always unfree.
const DRIVER: &[&str] = &["nvidia-x11", "nvidia-settings"];

/// The parts of a data centre driver.
const DATACENTER: &[&str] = &["nvidia-dc", "fabricmanager"];

/// The parts that `cudaPackages.cudatoolkit` joins; a list of names must have each.
const TOOLKIT: &[&str] = &[
    "cuda-merged",
    "cuda_cccl",
    "cuda_cudart",
    "cuda_cuobjdump",
    "cuda_cupti",
    "cuda_cuxxfilt",
    "cuda_gdb",
    "cuda_nvcc",
    "cuda_nvdisasm",
    "cuda_nvml_dev",
    "cuda_nvprune",
    "cuda_nvrtc",
    "cuda_nvtx",
    "cuda_profiler_api",
    "cuda_sanitizer_api",
    "libcublas",
    "libcufft",
    "libcurand",
    "libcusolver",
    "libcusparse",
    "libnpp",
    "libnvjitlink",
];

/// What packages beside the driver are, or are built from, as far as it is known: of those with one name nothing else is.
const PACKAGES: &[(&str, &[&str])] = &[
    ("pkgs.cudaPackages.cudatoolkit", TOOLKIT),
    ("pkgs.nvtopPackages.nvidia", TOOLKIT),
    ("pkgs.nvidia-sdk", &["nvidia-sdk"]),
    ("pkgs.cudaPackages.cudnn", &["cudnn"]),
    ("pkgs.cudaPackages.nccl", &["cuda_cccl", "cuda_cudart", "cuda_nvcc"]),
    ("pkgs.cudaPackages.tensorrt", &["tensorrt"]),
    ("pkgs.cudaPackages.libcutensor", &["libcutensor"]),
    ("pkgs.cudaPackages.nsight_systems", &["nsight_systems"]),
    ("pkgs.cudaPackages.nsight_compute", &["nsight_compute"]),
];

/// What upstream's module installs by itself.
const UPSTREAM: &[&str] = &["nvidia-sdk", "cuda"];

/// What brings unfree software beside packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Brings {
    /// The driver for displays.
    pub driver: bool,
    /// The driver for boards with `NVSwitch`.
    pub datacenter: bool,
    /// The upstream module, with its driver.
    pub upstream: bool,
}

/// Whether what a part of `cudaPackages` is built from is not known beyond its own name.
pub(super) fn is_partly_known(component: &str) -> bool {
    let package = format!("pkgs.cudaPackages.{component}");
    PACKAGES.iter().any(|(known, names)| *known == package && names.len() == 1)
}

/// The names to permit for these packages and what else is there, sorted.
pub(super) fn names(brings: Brings, packages: &[Expr]) -> Vec<String> {
    let parts = [
        (brings.driver || brings.upstream, DRIVER),
        (brings.datacenter, DATACENTER),
        (brings.upstream, UPSTREAM),
        (brings.upstream, TOOLKIT),
    ];
    let parts = parts.into_iter().filter(|(is_there, _)| *is_there);
    let of_packages = PACKAGES
        .iter()
        .filter(|(package, _)| packages.contains(&Expr::Name(AttrPath::dotted(package))));
    let all = parts.map(|(_, names)| names).chain(of_packages.map(|(_, names)| *names));
    let mut names: Vec<_> = all.flatten().map(|name| (*name).to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

/// The predicate that permits these names, for releases without a list of them, as nixfmt lays it out for an entry that
/// is indented so far.
pub(super) fn predicate(names: &[String], indent: usize) -> Expr {
    let elem = "builtins.elem (lib.getName pkg)";
    if let [only] = names {
        return Expr::Verbatim(format!("pkg: {elem} [ \"{only}\" ]"));
    }
    let (line, inner) = (format!("\n{:1$}", "", indent + 2), format!("\n{:1$}", "", indent + 4));
    let names: Vec<_> = names.iter().map(|name| format!("{inner}\"{name}\"")).collect();
    Expr::Verbatim(format!("{line}pkg:{line}{elem} [{}{line}]", names.concat()))
}

#[cfg(test)]
mod tests {
    use super::{Brings, names};
    use crate::setup::nix::{AttrPath, Expr};

    #[test]
    fn each_package_adds_its_parts() {
        let nothing = Brings::default();
        assert_eq!(names(nothing, &[]), [""; 0]);
        let driver = Brings { driver: true, ..nothing };
        assert_eq!(names(driver, &[]), ["nvidia-settings", "nvidia-x11"]);
        let datacenter = Brings { datacenter: true, ..nothing };
        assert_eq!(names(datacenter, &[]), ["fabricmanager", "nvidia-dc"]);
        let toolkit = Expr::Name(AttrPath::dotted("pkgs.cudaPackages.cudatoolkit"));
        assert!(names(nothing, &[toolkit]).contains(&"cuda_nvcc".to_owned()));
        let upstream = names(Brings { upstream: true, ..nothing }, &[]);
        assert!(
            ["nvidia-x11", "nvidia-sdk", "libnpp"]
                .iter()
                .all(|name| upstream.contains(&(*name).to_owned()))
        );
    }
}
