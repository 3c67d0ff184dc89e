//! Files that are no files, and content that nobody would write.

use proptest::prelude::*;

use super::machine::TestMachine;
use super::{laptop, travelled};
use crate::model::Absent;
use crate::setup::facts::Trouble;

#[test]
fn pipes_and_folders_in_the_place_of_files_hold_nobody_up() {
    let machine = TestMachine::new();
    machine
        .pipe("/proc/driver/nvidia/version")
        .pipe("/etc/os-release")
        .pipe("/etc/cdi/a.json")
        .pipe("/etc/docker/daemon.json")
        .pipe("/etc/nvidia-sdk-version")
        .folder("/proc/cmdline")
        .folder("/etc/cuda-version")
        .link("/run/current-system", "/run/current-system");
    let facts = machine.facts();
    assert_eq!(facts.driver.loaded.absent(), Some(Absent::Unreadable));
    assert_eq!(facts.system.distribution.absent(), Some(Absent::Unreadable));
    assert_eq!(facts.cuda.sdk_file.absent(), Some(Absent::Unreadable));
    assert_eq!(facts.kernel.flags.absent(), Some(Absent::Unreadable));
    assert_eq!(facts.engines.docker.configuration.absent(), Some(Absent::Unreadable));
    assert_eq!(facts.generations.current.store_path.absent(), Some(Absent::Unreadable));
    let why = Absent::Unreadable;
    assert_eq!(facts.cdi.specs[0].troubles, [Trouble::Unreadable { why }]);
}

/// The files whose content is parsed.
const PARSED: &[&str] = &[
    "/etc/os-release",
    "/proc/stat",
    "/proc/cmdline",
    "/proc/driver/nvidia/version",
    "/proc/driver/nvidia/params",
    "/proc/driver/nvidia/gpus/0000:01:00.0/information",
    "/sys/bus/pci/devices/0000:01:00.0/device",
    "/sys/kernel/security/lockdown",
    "/sys/fs/cgroup/system.slice/docker.service/cgroup.procs",
    "/etc/systemd/system/docker.service",
    "/etc/docker/daemon.json",
    "/etc/containerd/config.toml",
    "/etc/nvidia-sdk-version",
    "/usr/local/cuda/version.json",
    "/usr/local/cuda/version.txt",
    "/etc/cdi/a.json",
    "/etc/cdi/b.yaml",
    "/run/nvidia-persistenced/nvidia-persistenced.pid",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_bytes_in_any_file_are_survived(
        at in 0..PARSED.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        text in "\\PC{0,60}",
    ) {
        let machine = laptop();
        machine.file(PARSED[at], &bytes);
        let facts = machine.facts();
        prop_assert_eq!(travelled(&facts), facts);
        machine.file(PARSED[at], text);
        let facts = machine.facts();
        prop_assert_eq!(travelled(&facts), facts);
    }
}
