//! What is loaded as the driver's library, and what is said where it is none that works.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nvsdk_top::model::printable;

use crate::skip::{say_skipped, skip};
use crate::support::{Machine, program, sentence};

/// What is said when the library is this, with exit code 3.
fn said_of(library: &Path) -> String {
    let mut command = program(&["--once", "--nvml-lib"]);
    sentence(&command.arg(library).output().unwrap(), 3)
}

#[test]
fn what_is_no_nvml_library_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    fs::write(&text, "no library\n").unwrap();
    let missing = folder.path().join("missing");
    let evil = folder.path().join("evil\u{1b}[2J\n\u{202e}");
    for (library, part) in [
        (Path::new("libc.so.6"), "not an NVML library"),
        (folder.path(), ": cannot read file data: Is a directory;"),
        (&text, ": file too short;"),
        (&missing, ": No such file or directory;"),
        (&evil, ": No such file or directory;"),
        (Path::new("/dev/null"), "cannot load"),
    ] {
        let sentence = said_of(library);
        assert!(sentence.contains(part) && sentence.contains("--nvml-lib"), "{sentence}");
        let name = printable(library.to_str().unwrap());
        assert_eq!(sentence.matches(&*name).count(), 1, "{sentence}");
    }
}

#[test]
fn a_machine_without_a_library_says_where_it_was_looked_for() {
    if Path::new("/proc/driver/nvidia/version").exists() {
        return say_skipped("no_library", "a machine without an NVIDIA driver");
    }
    // Some machines have the library without the driver, and say another sentence.
    let sentence = sentence(&program(&["--once"]).output().unwrap(), 3);
    assert!(
        sentence.starts_with("no NVML library found (tried libnvidia-ml.so.1, ")
            || sentence.starts_with("the NVIDIA kernel driver is not loaded ("),
        "{sentence}"
    );
}

#[test]
fn a_library_that_may_not_be_read_is_told_to_the_user_who_may_not() {
    let machine = Machine::preset("rtx4090");
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    // Another user reaches neither this one's folders nor perhaps the folder that the program was built in.
    open(machine.folder.path(), 0o755);
    let copy = machine.folder.path().join("nvsdk-top");
    fs::copy(env!("CARGO_BIN_EXE_nvsdk-top"), &copy).unwrap();
    open(&copy, 0o755);
    open(&machine.variant.library, 0o000);
    let mut command = Command::new(&copy);
    command.env_clear().arg("--once");
    machine.aim(&mut command, &machine.variant.library);
    // No mode keeps root out.
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    let sentence = sentence(&command.output().unwrap(), 3);
    assert!(
        sentence.contains("Permission denied") && sentence.contains("libnvidia-ml.so.1"),
        "{sentence}"
    );
}

#[test]
fn a_driver_that_is_not_loaded_is_3() {
    let machine = Machine::scenario("preset = \"h100\"\n[[fault]]\nfn = \"nvmlInit*\"\ncode = 9\n");
    let sentence = sentence(&machine.command(&["--once"]).output().unwrap(), 3);
    assert!(sentence.starts_with("the NVIDIA kernel driver is not loaded ("), "{sentence}");
    assert!(
        sentence.contains("version 13.580.95.05") && sentence.contains("modprobe nvidia"),
        "{sentence}"
    );
}

#[test]
fn a_library_of_another_driver_names_both_versions() {
    let machine =
        Machine::scenario("preset = \"h100\"\n[[fault]]\nfn = \"nvmlInit*\"\ncode = 18\n");
    machine.write_kernel_driver("590.48.01", true);
    let sentence = sentence(&machine.command(&["--once"]).output().unwrap(), 3);
    assert!(
        sentence.contains("driver 580.95.05 and the loaded kernel driver is 590.48.01"),
        "{sentence}"
    );
}

#[test]
fn a_driver_without_gpus_is_no_failure() {
    let machine = Machine::scenario("[lib]\ndriver = \"580.95.05\"\n");
    let json = machine.once(0);
    assert_eq!(json["gpus"], serde_json::json!([]));
    assert_eq!(json["driver"]["version"], "580.95.05");
    assert!(machine.says(&["--once", "--format", "table"], 0).contains("no GPU"));
}

#[test]
fn a_library_without_most_symbols_gives_what_it_has() {
    let kept = [
        "nvmlInit_v2",
        "nvmlDeviceGetCount_v2",
        "nvmlDeviceGetHandleByIndex_v2",
        "nvmlDeviceGetPowerUsage",
    ];
    let all = fake_nvml::Fake::functions_exported();
    let missing: Vec<_> = all.iter().filter(|name| !kept.contains(name)).collect();
    let machine =
        Machine::scenario(&format!("preset = \"rtx4090\"\n[lib]\nmissing = {missing:?}\n"));
    let gpu = &machine.once(0)["gpus"][0];
    assert_eq!(gpu["power_draw_watts"], 37.55);
    assert_eq!(gpu["absent"]["busy_percent"], "missing_symbol");
    assert_eq!(gpu["absent"]["uuid"], "missing_symbol");
}

/// NVIDIA's own library is the witness that the loader, the names of the functions and the codes are the real ones.
#[test]
fn nvidias_own_library_says_that_the_driver_is_not_loaded() {
    let test = "nvidias_own_library";
    if Path::new("/proc/driver/nvidia/version").exists() {
        return say_skipped(test, "a machine without an NVIDIA driver");
    }
    let Some(library) = std::env::var_os("NVSDK_TOP_NVIDIA_LIBRARY") else {
        return skip(test, "NVSDK_TOP_NVIDIA_LIBRARY, the path of NVIDIA's libnvidia-ml.so.1");
    };
    let library = Path::new(&library);
    let sentence = said_of(library);
    // The package is the one of Debian 12 or a later one; the file has its driver's version in its name.
    let file = fs::canonicalize(library).unwrap();
    let version = file.to_str().unwrap().rsplit_once(".so.").unwrap().1;
    let start =
        format!("the NVIDIA kernel driver is not loaded ({} is there, version ", library.display());
    let rest = sentence.strip_prefix(&start).unwrap_or_else(|| panic!("{sentence}"));
    let (told, advice) = rest.split_once(')').unwrap();
    assert!(told.ends_with(&format!(".{version}")), "{told} of {version}");
    assert!(advice.contains("modprobe nvidia"), "{advice}");
}
