//! The loaded kernel driver, as `/proc/driver/nvidia/version` names it.

use crate::model::{Absent, KernelModule, Sysroot};

/// The NVIDIA kernel driver that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelDriver {
    /// Its version, such as `580.95.05`; on a Jetson that of its Linux for Tegra.
    pub version: String,
    /// Which of the two modules it is.
    pub module: KernelModule,
}

/// The NVIDIA kernel driver that is loaded. Reading it wakes no GPU.
///
/// # Errors
/// [`Absent::NotFound`] when none is loaded, [`Absent::Unknown`] when the file has a form of its own.
pub fn kernel_driver(sysroot: &Sysroot) -> Result<KernelDriver, Absent> {
    let text = super::read_text(&sysroot.path("/proc/driver/nvidia/version"))?;
    parse(&text).ok_or(Absent::Unknown)
}

/// How often the driver is open, by programs and by other kernel modules. Reading it wakes no GPU.
#[must_use]
pub fn driver_use(sysroot: &Sysroot) -> Option<u64> {
    super::read_text(&sysroot.path("/sys/module/nvidia/refcnt")).ok()?.trim_ascii().parse().ok()
}

/// Both modules name themselves before the words `Kernel Module` and their version after them. What stands between
/// (`for` and the architecture) and what follows (builder, date) comes and goes with the driver.
fn parse(text: &str) -> Option<KernelDriver> {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("NVRM version:"))?;
    let (product, rest) = line.split_once("Kernel Module")?;
    let is_open = product.split_whitespace().any(|word| word == "Open");
    Some(KernelDriver {
        version: rest.split_whitespace().find(|word| is_version(word))?.to_owned(),
        module: if is_open { KernelModule::Open } else { KernelModule::Proprietary },
    })
}

/// Whether `word` is two or more numbers with points between them.
fn is_version(word: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    word.contains('.') && word.split('.').all(is_number)
}

#[cfg(test)]
mod tests {
    use super::{KernelDriver, kernel_driver, parse};
    use crate::model::{Absent, KernelModule, Sysroot};
    use proptest::prelude::*;

    fn parsed(text: &str) -> (String, KernelModule) {
        let KernelDriver { version, module } = parse(text).unwrap();
        (version, module)
    }

    #[test]
    fn every_form_of_the_open_module() {
        let with_date = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.12.34  Release Build  \
                         (root@forge)  Wed Jan  8 10:11:12 UTC 2025\nGCC version:  gcc version 13.2.0 (Debian)\n";
        assert_eq!(parsed(with_date), ("570.12.34".to_owned(), KernelModule::Open));
        let nixos = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.12.34  Release Build  (nixbld@)  \n";
        assert_eq!(parsed(nixos), ("570.12.34".to_owned(), KernelModule::Open));
        let two_parts = "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  570.77  Release Build  (u@h)";
        assert_eq!(parsed(two_parts), ("570.77".to_owned(), KernelModule::Open));
        let jetson = "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  36.2.0  Release Build  (u@h)  \
                      Mon Feb  5 01:02:03 PST 2024";
        assert_eq!(parsed(jetson), ("36.2.0".to_owned(), KernelModule::Open));
    }

    #[test]
    fn the_proprietary_module() {
        let text = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.11.22  Fri Mar  1 00:00:00 UTC 2024\n";
        assert_eq!(parsed(text), ("470.11.22".to_owned(), KernelModule::Proprietary));
    }

    #[test]
    fn a_form_of_its_own_is_no_version() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("GCC version:  gcc version 13.2.0"), None);
        assert_eq!(parse("NVRM version: NVIDIA UNIX x86_64 Kernel Module  unknown"), None);
    }

    #[test]
    fn no_driver_and_an_unreadable_one_differ() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        assert_eq!(kernel_driver(&sysroot), Err(Absent::NotFound));
        let path = sysroot.path("/proc/driver/nvidia/version");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "something else\n").unwrap();
        assert_eq!(kernel_driver(&sysroot), Err(Absent::Unknown));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            parse(&text);
            parse(&format!("NVRM version: {text}"));
        }

        #[test]
        fn a_version_comes_back(parts in proptest::collection::vec(0u16..1000, 2..4), is_open in any::<bool>()) {
            let version = parts.iter().map(u16::to_string).collect::<Vec<_>>().join(".");
            let product = if is_open { "Open Kernel Module for x86_64" } else { "x86_64 Kernel Module" };
            let driver = parse(&format!("NVRM version: NVIDIA UNIX {product}  {version}  Release Build")).unwrap();
            prop_assert_eq!(driver.version, version);
            prop_assert_eq!(driver.module == KernelModule::Open, is_open);
        }
    }
}
