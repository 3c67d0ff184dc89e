//! GPUs that runtime power management has suspended are left to sleep.

use std::time::{Duration, Instant};

use crate::common::{LIMIT, Machine, told, write, write_pci_gpu};
use fake_nvml::Fake;
use nvsdk_top::model::{Absent, GpuState, Metric};
use nvsdk_top::source::Snapshot;

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
        assert!(matches!(snapshot.sample.gpus[0].state, GpuState::Asleep { at_least: true, .. }));
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
    assert!(matches!(snapshot.sample.gpus[1].state, GpuState::Asleep { .. }));
    assert_eq!(machine.calls(None, Some(1)), 0);
    write_pci_gpu(machine.sysroot.path(), addresses[1], "active");
    let snapshot = machine.whole().unwrap();
    assert_eq!(snapshot.sample.gpus[1].state, GpuState::Live);
    assert_eq!(snapshot.inventory.gpus[1].index, 1);
}

const SECOND: Duration = Duration::from_secs(1);

/// The laptop, whose GPU may sleep and does nothing.
fn idle_laptop(runtime_status: &str) -> Machine {
    let machine = laptop(runtime_status);
    control(&machine, LAPTOP, "auto");
    machine
}

fn control(machine: &Machine, address: &str, word: &str) {
    let path = format!("/sys/bus/pci/devices/{address}/power/control");
    write(machine.sysroot.path(), &path, &format!("{word}\n"));
}

/// Ticks for so many seconds and gives the last snapshot.
fn ticks(machine: &mut Machine, seconds: u64) -> Snapshot {
    let mut last = None;
    for _ in 0..seconds {
        machine.advance(SECOND);
        let snapshot = machine.tick().unwrap();
        if !is_resting(&snapshot) {
            settle(machine);
        }
        last = Some(snapshot);
    }
    last.unwrap()
}

/// Waits until the GPU was read to the end, for which these seconds are too short.
fn settle(machine: &mut Machine) {
    let start = Instant::now();
    while matches!(state(&machine.whole().unwrap(), 0), GpuState::Stale { .. }) {
        assert!(start.elapsed() < LIMIT, "it is not read");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn is_resting(snapshot: &Snapshot) -> bool {
    matches!(state(snapshot, 0), GpuState::Asleep { .. } | GpuState::LetGo { .. })
}

/// Ticks until the GPU is read.
fn until_live(machine: &mut Machine) {
    machine.tick_until(|snapshot| state(snapshot, 0) == &GpuState::Live);
    settle(machine);
}

/// Ticks until the GPU is let go of, and says after how many seconds.
fn seconds_until_let_go(machine: &mut Machine) -> u64 {
    let mut last = None;
    let seconds = (1..300).find(|_| {
        let snapshot = ticks(machine, 1);
        let is_over = is_let_go(&snapshot);
        last = Some(snapshot.sample.gpus);
        is_over
    });
    seconds.ok_or(last).unwrap()
}

fn state(snapshot: &Snapshot, gpu: usize) -> &GpuState {
    &snapshot.sample.gpus[gpu].state
}

fn is_let_go(snapshot: &Snapshot) -> bool {
    matches!(state(snapshot, 0), GpuState::LetGo { .. })
}

/// Ticks until the GPU is let go of, and waits until NVML is shut down.
fn until_let_go(machine: &mut Machine) {
    seconds_until_let_go(machine);
    let start = Instant::now();
    while machine.calls(Some("nvmlShutdown"), None) == 0 {
        assert!(start.elapsed() < LIMIT, "NVML was not shut down");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_idle_gpu_that_may_sleep_is_let_go_of_and_nothing_is_called_after() {
    let mut machine = idle_laptop("active");
    until_live(&mut machine);
    let early = ticks(&mut machine, 8);
    assert_eq!(state(&early, 0), &GpuState::Live, "it was idle for too short a time");
    until_let_go(&mut machine);
    machine.fake.clear_log();
    let later = ticks(&mut machine, 30);
    assert!(matches!(state(&later, 0), GpuState::LetGo { age_us } if *age_us >= 30_000_000));
    assert_eq!(later.sample.gpus[0].values.get(Metric::Busy).value, Err(Absent::LetGo));
    assert_eq!(later.inventory.gpus, early.inventory.gpus, "it is known as it was");
    write_pci_gpu(machine.sysroot.path(), LAPTOP, "suspended");
    ticks(&mut machine, 1);
    let asleep = ticks(&mut machine, 60);
    let expected = GpuState::Asleep { age_us: 60_000_000, at_least: false };
    assert_eq!(state(&asleep, 0), &expected);
    assert_eq!(machine.calls(None, None), 0);
}

#[test]
fn what_looks_at_a_sleeping_gpu_for_a_moment_does_not_have_it_read() {
    let mut machine = idle_laptop("suspended");
    ticks(&mut machine, 1);
    for _ in 0..5 {
        write_pci_gpu(machine.sysroot.path(), LAPTOP, "active");
        assert!(is_let_go(&ticks(&mut machine, 1)));
        write_pci_gpu(machine.sysroot.path(), LAPTOP, "suspended");
        assert!(matches!(state(&ticks(&mut machine, 1), 0), GpuState::Asleep { .. }));
    }
    assert_eq!(machine.calls(None, None), 0);
    write_pci_gpu(machine.sysroot.path(), LAPTOP, "active");
    machine.tick_until(|snapshot| state(snapshot, 0) == &GpuState::Live);
}

#[test]
fn a_gpu_that_was_let_go_of_is_read_again_once_another_program_has_the_driver_open() {
    let mut machine = idle_laptop("active");
    let open = |machine: &Machine, count: u32| {
        write(machine.sysroot.path(), "/sys/module/nvidia/refcnt", &format!("{count}\n"));
    };
    open(&machine, 14);
    until_let_go(&mut machine);
    open(&machine, 11);
    assert!(is_let_go(&ticks(&mut machine, 20)));
    open(&machine, 12);
    assert!(is_let_go(&ticks(&mut machine, 2)), "it may be a short look");
    machine.tick_until(|snapshot| state(snapshot, 0) == &GpuState::Live);
}

#[test]
fn a_key_wakes_the_gpu_for_a_minute() {
    let mut machine = idle_laptop("suspended");
    ticks(&mut machine, 5);
    machine.wake();
    until_live(&mut machine);
    write_pci_gpu(machine.sysroot.path(), LAPTOP, "active");
    assert_eq!(state(&ticks(&mut machine, 30), 0), &GpuState::Live);
    assert!(seconds_until_let_go(&mut machine) > 5, "it was asked for");
}

#[test]
fn asked_to_wake_gpus_it_reads_them_and_lets_go_of_none() {
    let mut machine = idle_laptop("suspended").waking();
    until_live(&mut machine);
    write_pci_gpu(machine.sysroot.path(), LAPTOP, "active");
    assert_eq!(state(&ticks(&mut machine, 120), 0), &GpuState::Live);
    assert_eq!(machine.calls(Some("nvmlShutdown"), None), 0);
}

#[test]
fn a_gpu_is_kept_that_is_busy_or_may_not_sleep_or_drives_a_display_or_is_read_once() {
    let kept = |change: fn(&mut Machine)| {
        let mut machine = idle_laptop("active");
        change(&mut machine);
        until_live(&mut machine);
        assert_eq!(state(&ticks(&mut machine, 40), 0), &GpuState::Live);
        assert_eq!(machine.calls(Some("nvmlShutdown"), None), 0);
    };
    kept(|machine| control(machine, LAPTOP, "on"));
    kept(|machine| {
        let connector = format!("/sys/bus/pci/devices/{LAPTOP}/drm/card1/card1-eDP-1/enabled");
        write(machine.sysroot.path(), &connector, "enabled\n");
    });
    kept(|machine| {
        let idle = fake_nvml::preset_toml("laptop").unwrap();
        machine.fake.update(&idle.replace("\nutil = 0", "\nutil = 3")).unwrap();
    });
    let mut machine = idle_laptop("active");
    for _ in 0..40 {
        assert_eq!(machine.sampled().gpus[0].state, GpuState::Live);
        machine.advance(SECOND);
    }
    assert_eq!(machine.calls(Some("nvmlShutdown"), None), 0);
}

#[test]
fn beside_a_gpu_that_cannot_sleep_only_the_idle_one_is_let_go_of() {
    let addresses = [LAPTOP, "0000:41:00.0"];
    let preset = fake_nvml::preset_toml("laptop").unwrap();
    let unset: Vec<_> = preset
        .lines()
        .filter(|line| !line.starts_with("bdf") && !line.starts_with("uuid"))
        .collect();
    let list = format!("[[gpu]]\ncount = 2\nbdf = {addresses:?}");
    let fake = Fake::scenario(&unset.join("\n").replacen("[[gpu]]", &list, 1)).unwrap();
    let mut machine = Machine::new(fake, tempfile::tempdir().unwrap());
    for (address, word) in addresses.into_iter().zip(["on", "auto"]) {
        write_pci_gpu(machine.sysroot.path(), address, "active");
        control(&machine, address, word);
    }
    until_live(&mut machine);
    let start = Instant::now();
    while !matches!(state(&ticks(&mut machine, 1), 1), GpuState::LetGo { .. }) {
        assert!(start.elapsed() < LIMIT, "it is not let go of");
    }
    until_live(&mut machine);
    machine.fake.clear_log();
    let later = ticks(&mut machine, 20);
    assert_eq!(state(&later, 0), &GpuState::Live);
    assert!(told(&later.sample.gpus[0], Metric::Temperature).is_ok());
    assert!(matches!(state(&later, 1), GpuState::LetGo { .. }));
    assert_eq!(machine.calls(None, Some(1)), 0);
    assert_eq!(machine.calls(Some("nvmlInitWithFlags"), None), 0, "and it is left at that");
}
