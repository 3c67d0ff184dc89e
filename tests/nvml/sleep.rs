//! GPUs that runtime power management has suspended are left to sleep.

use std::time::Duration;

use crate::common::{Machine, told, write, write_pci_gpu};
use fake_nvml::Fake;
use nvsdk_top::model::{GpuState, Metric};

const LAPTOP: &str = "0000:01:00.0";

fn laptop(runtime_status: &str) -> Machine {
    let sysroot = tempfile::tempdir().unwrap();
    write_pci_gpu(sysroot.path(), LAPTOP, runtime_status);
    let information = "Model: \t\t NVIDIA GeForce RTX 4060 Laptop GPU\nGPU UUID: \t GPU-????\n";
    write(sysroot.path(), &format!("/proc/driver/nvidia/gpus/{LAPTOP}/information"), information);
    let version = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (builder@host)\n";
    write(sysroot.path(), "/proc/driver/nvidia/version", version);
    Machine::new(Fake::preset("laptop").unwrap(), sysroot)
}

#[test]
fn while_every_gpu_sleeps_the_driver_is_not_touched() {
    let mut machine = laptop("suspended");
    for _ in 0..5 {
        let snapshot = machine.whole().unwrap();
        let gpu = &snapshot.inventory.gpus[0];
        assert_eq!(snapshot.sample.gpus[0].state, GpuState::Asleep);
        assert_eq!(gpu.name.as_deref(), Ok("NVIDIA GeForce RTX 4060 Laptop GPU"));
        assert_eq!(gpu.pci_bus_id.as_deref(), Ok(LAPTOP));
        assert_eq!(told(&snapshot.sample.gpus[0], Metric::Busy), Err("asleep".to_owned()));
        assert_eq!(snapshot.inventory.driver.version.as_deref(), Ok("580.95.05"));
        machine.advance(Duration::from_secs(1));
    }
    assert_eq!(machine.calls(None, None), 0);
}

#[test]
fn a_gpu_that_something_else_woke_is_read() {
    let mut machine = laptop("suspended");
    machine.sampled();
    write_pci_gpu(machine.sysroot.path(), LAPTOP, "active");
    let sample = machine.sampled();
    assert_eq!(sample.gpus[0].state, GpuState::Live);
    assert!(told(&sample.gpus[0], Metric::Temperature).is_ok());
}

#[test]
fn beside_one_that_is_awake_the_sleeper_is_not_touched() {
    let addresses = ["0000:01:00.0", "0000:41:00.0"];
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let unset: Vec<_> = preset.lines().filter(|line| !line.starts_with("bdf")).collect();
    let unset = unset.join("\n");
    let two = unset.replacen("[[gpu]]", &format!("[[gpu]]\ncount = 2\nbdf = {addresses:?}"), 1);
    let fake = Fake::scenario(&two).unwrap();
    let sysroot = tempfile::tempdir().unwrap();
    write_pci_gpu(sysroot.path(), addresses[0], "active");
    write_pci_gpu(sysroot.path(), addresses[1], "suspended");
    let mut machine = Machine::new(fake, sysroot);
    let snapshot = machine.whole().unwrap();
    assert_eq!(snapshot.sample.gpus[0].state, GpuState::Live);
    assert_eq!(snapshot.sample.gpus[1].state, GpuState::Asleep);
    assert_eq!(machine.calls(None, Some(1)), 0);
    write_pci_gpu(machine.sysroot.path(), addresses[1], "active");
    let snapshot = machine.whole().unwrap();
    assert_eq!(snapshot.sample.gpus[1].state, GpuState::Live);
    assert_eq!(snapshot.inventory.gpus[1].index, 1);
}
