//! The kernel: its version and flags, the modules that matter for the GPUs, and what it refuses to load.

use serde::{Deserialize, Serialize};

use super::Evidence;
use super::files::Files;
use crate::model::Absent;

/// What the words of the command line that are kept begin with; the rest is nobody's business.
const FLAGS: &[&str] = &[
    "nvidia",
    "nouveau.",
    "nova_core.",
    "module_blacklist=",
    "modprobe.blacklist=",
    "rd.driver.blacklist=",
    "vfio-pci.",
    "ibt=",
    "nomodeset",
    "lockdown=",
    "module.sig_enforce",
];

/// UEFI's variable; behind four bytes of attributes it holds one byte.
const SECURE_BOOT: &str =
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// The running kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// Its release, such as `6.12.40`.
    pub release: Evidence<String>,
    /// The words of its command line that concern graphics and modules.
    pub flags: Evidence<Vec<String>>,
    /// Which modules are loaded.
    pub modules: Modules,
    /// Whether `nvidia_drm` sets the display's modes; some drivers let only root read it.
    pub nvidia_drm_modeset: Evidence<bool>,
    /// Whether UEFI starts only signed kernels.
    pub secure_boot: Evidence<bool>,
    /// How far the kernel is locked down.
    pub lockdown: Evidence<Lockdown>,
    /// Whether only signed modules are loaded.
    pub sig_enforce: Evidence<bool>,
}

/// Whether each of these modules is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modules {
    /// NVIDIA's driver.
    pub nvidia: Evidence<bool>,
    /// What CUDA needs.
    pub nvidia_uvm: Evidence<bool>,
    /// What displays need.
    pub nvidia_drm: Evidence<bool>,
    /// What `nvidia_drm` needs.
    pub nvidia_modeset: Evidence<bool>,
    /// `GPUDirect` with network cards.
    pub nvidia_peermem: Evidence<bool>,
    /// The kernel's own driver.
    pub nouveau: Evidence<bool>,
    /// The kernel's own driver for newer GPUs.
    pub nova_core: Evidence<bool>,
    /// What gives devices to virtual machines.
    pub vfio_pci: Evidence<bool>,
}

/// How far the kernel is locked down. NVIDIA's unsigned modules are only loaded with [`Lockdown::None`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lockdown {
    /// Not at all.
    None,
    /// What would change the running kernel is refused.
    Integrity,
    /// What would show the kernel's memory is refused too.
    Confidentiality,
}

impl Kernel {
    /// Whether the kernel refuses modules without a signature, and where it says so.
    #[must_use]
    pub fn refuses_unsigned_modules(&self) -> Option<&str> {
        let is_locked = |lockdown: &Lockdown| *lockdown != Lockdown::None;
        if self.lockdown.known().is_some_and(is_locked) {
            Some(&self.lockdown.source)
        } else {
            self.sig_enforce.is_true().then_some(self.sig_enforce.source.as_str())
        }
    }
}

pub(super) fn read(files: Files<'_>) -> Kernel {
    Kernel {
        release: files.line("/proc/sys/kernel/osrelease"),
        flags: files.read("/proc/cmdline", |text| Some(flags(text))),
        modules: modules(files),
        nvidia_drm_modeset: files.read("/sys/module/nvidia_drm/parameters/modeset", flag),
        secure_boot: secure_boot(files),
        lockdown: files.read("/sys/kernel/security/lockdown", lockdown),
        sig_enforce: files.read("/sys/module/module/parameters/sig_enforce", flag),
    }
}

fn modules(files: Files<'_>) -> Modules {
    let is_loaded = |name| files.presence(&format!("/sys/module/{name}"));
    Modules {
        nvidia: is_loaded("nvidia"),
        nvidia_uvm: is_loaded("nvidia_uvm"),
        nvidia_drm: is_loaded("nvidia_drm"),
        nvidia_modeset: is_loaded("nvidia_modeset"),
        nvidia_peermem: is_loaded("nvidia_peermem"),
        nouveau: is_loaded("nouveau"),
        nova_core: is_loaded("nova_core"),
        vfio_pci: is_loaded("vfio_pci"),
    }
}

fn flags(command_line: &str) -> Vec<String> {
    let words = command_line.split_whitespace();
    let is_kept = |word: &&str| FLAGS.iter().any(|start| word.starts_with(start));
    words.filter(is_kept).map(str::to_owned).collect()
}

/// A module's parameter of the kind yes or no.
fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "Y" | "1" => Some(true),
        "N" | "0" => Some(false),
        _ => None,
    }
}

/// The word in brackets: `none [integrity] confidentiality`.
fn lockdown(text: &str) -> Option<Lockdown> {
    let (_, rest) = text.split_once('[')?;
    match rest.split_once(']')?.0 {
        "none" => Some(Lockdown::None),
        "integrity" => Some(Lockdown::Integrity),
        "confidentiality" => Some(Lockdown::Confidentiality),
        _ => None,
    }
}

/// A machine that was started without UEFI has no Secure Boot.
fn secure_boot(files: Files<'_>) -> Evidence<bool> {
    const EFI: &str = "/sys/firmware/efi";
    if files.exists(EFI) == Ok(false) && files.exists("/sys/firmware") == Ok(true) {
        return Evidence::new(EFI, Ok(false));
    }
    let fact = files.bytes(SECURE_BOOT, 64).and_then(|bytes| match bytes.get(4) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(Absent::Malformed),
    });
    Evidence::new(SECURE_BOOT, fact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_flags_that_matter_are_kept() {
        let line = "init=/nix/store/x root=UUID=1 luks.key=secret nvidia-drm.modeset=1 \
                    nouveau.modeset=0 module_blacklist=nouveau ibt=off nomodeset\n";
        let kept = flags(line);
        assert_eq!(kept.len(), 5);
        assert!(kept.iter().all(|word| line.contains(word.as_str()) && !word.contains("secret")));
        assert_eq!(flags(""), [""; 0]);
    }

    #[test]
    fn the_word_in_brackets_is_the_lockdown() {
        assert_eq!(lockdown("[none] integrity confidentiality\n"), Some(Lockdown::None));
        assert_eq!(lockdown("none [integrity] confidentiality"), Some(Lockdown::Integrity));
        assert_eq!(lockdown("none integrity [confidentiality]"), Some(Lockdown::Confidentiality));
        for text in ["", "none", "[", "[]", "[none", "[new]"] {
            assert_eq!(lockdown(text), None, "{text}");
        }
    }

    #[test]
    fn a_parameter_is_yes_or_no_or_not_understood() {
        assert_eq!([flag("Y\n"), flag("1")], [Some(true); 2]);
        assert_eq!([flag("N\n"), flag("0")], [Some(false); 2]);
        assert_eq!([flag(""), flag("(null)"), flag("-1")], [None; 3]);
    }
}
