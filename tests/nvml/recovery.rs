//! What changes below the program: it notices, tells the truth meanwhile, and comes back.

use std::time::{Duration, Instant};

use crate::common::{LIMIT, Machine, told, write, write_pci_gpu};
use fake_nvml::Fake;
use nvsdk_top::model::{GpuState, Metric, MetricSet, ProcessMetric};
use nvsdk_top::source::{Patience, Request};

const SECOND: Duration = Duration::from_secs(1);
const ADDRESSES: [&str; 2] = ["0000:01:00.0", "0000:41:00.0"];

/// Two GPUs with these states of runtime power management.
fn two_gpus(runtime_status: [&str; 2]) -> Machine {
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let unset: Vec<_> = preset.lines().filter(|line| !line.starts_with("bdf")).collect();
    let list = format!("[[gpu]]\ncount = 2\nbdf = {ADDRESSES:?}");
    let fake = Fake::scenario(&unset.join("\n").replacen("[[gpu]]", &list, 1)).unwrap();
    let sysroot = tempfile::tempdir().unwrap();
    for (address, status) in ADDRESSES.into_iter().zip(runtime_status) {
        write_pci_gpu(sysroot.path(), address, status);
    }
    Machine::new(fake, sysroot)
}

/// Takes samples of a series, a second of the clocks apart, until the source has none to give.
fn tick_until_outage(machine: &mut Machine) {
    let start = Instant::now();
    while machine.tick().is_ok() {
        assert!(start.elapsed() < LIMIT, "the outage was not noticed");
        machine.advance(SECOND);
    }
}

fn whole(metrics: MetricSet, processes: bool) -> Request {
    Request { metrics, processes, patience: Patience::Whole { limit: LIMIT } }
}

#[test]
fn a_driver_that_goes_beside_a_sleeping_gpu_is_noticed() {
    let mut machine = two_gpus(["active", "suspended"]);
    machine.sampled();
    let reload = "[[fault]]\nat = \"1s\"\ndo = \"driver-reload\"\ndown = \"3s\"\nnew_driver = \"590.48.01\"\n";
    machine.fake.update(reload).unwrap();
    machine.advance(Duration::from_millis(1100));
    assert!(machine.whole().is_err());
    machine.tick_until(|snapshot| snapshot.sample.gpus[0].values.value(Metric::Busy).is_some());
}

#[test]
fn a_driver_that_goes_beside_a_stuck_gpu_is_noticed() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    let hang =
        "[[fault]]\nfn = \"nvmlDeviceGetTemperatureV\"\ngpu = 2\nhang = \"until-released\"\n";
    machine.fake.update(hang).unwrap();
    machine.tick_until(|snapshot| matches!(snapshot.sample.gpus[2].state, GpuState::Stuck { .. }));
    machine.fake.update("[[fault]]\nfn = \"nvmlDeviceGet*\"\ncode = 1\n").unwrap();
    tick_until_outage(&mut machine);
    machine.fake.update("fault = []\n").unwrap();
    machine.fake.release();
}

#[test]
fn a_shutdown_that_hangs_holds_nobody_up() {
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let lost = "[[fault]]\nfn = \"nvmlDeviceGetHandleByIndex_v2\"\ncode = 15\n";
    let hang = "[[fault]]\nfn = \"nvmlShutdown\"\nhang = \"until-released\"\n";
    let mut machine = Machine::scenario(&format!("{preset}\n{lost}{hang}"));
    let first = machine.whole().unwrap();
    assert!(matches!(first.sample.gpus[0].state, GpuState::Lost { .. }));
    machine.advance(Duration::from_secs(31));
    // That this comes back is the test: the library is closed after it.
    machine.whole().unwrap();
    machine.fake.release();
}

#[test]
fn a_driver_that_refuses_its_gpus_is_opened_ever_less_often() {
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let refused = "[[fault]]\nfn = \"nvmlDeviceGetHandleByIndex_v2\"\ncode = 4\n";
    let mut machine = Machine::scenario(&format!("{preset}\n{refused}"));
    for _ in 0..120 {
        assert!(machine.whole().is_err());
        machine.advance(SECOND);
    }
    let opened = machine.calls(Some("nvmlInitWithFlags"), None);
    assert!((2..=9).contains(&opened), "{opened} times in two minutes");
}

#[test]
fn a_lost_gpu_does_not_make_the_driver_be_opened_anew_below_the_others() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    machine.fake.update("[[fault]]\ngpu = 3\ndo = \"lost\"\n").unwrap();
    for _ in 0..200 {
        machine.advance(SECOND);
        let sample = machine.sampled();
        assert_eq!(sample.gpus[4].state, GpuState::Live);
    }
    assert_eq!(machine.calls(Some("nvmlInitWithFlags"), None), 1);
}

#[test]
fn a_start_that_hangs_after_the_driver_went_is_told_as_what_it_is() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    let gone = "[[fault]]\nfn = \"nvmlDeviceGet*\"\ncode = 9\n";
    let hang = "[[fault]]\nfn = \"nvmlInitWithFlags\"\nhang = \"until-released\"\n";
    machine.fake.update(&format!("{gone}{hang}")).unwrap();
    tick_until_outage(&mut machine);
    let stuck = machine.tick_until(|snapshot| {
        matches!(&snapshot.sample.gpus[0].state, GpuState::Stuck { call, .. } if call == "nvmlInitWithFlags")
    });
    assert!(stuck.sample.gpus[0].state.age_us() >= Some(5_000_000));
    machine.fake.update("fault = []\n").unwrap();
    machine.fake.release();
    machine.tick_until(|snapshot| snapshot.sample.gpus[0].state == GpuState::Live);
}

#[test]
fn what_was_not_asked_for_is_not_told() {
    let mut machine = Machine::preset("h100");
    assert!(!machine.sampled().processes.is_empty());
    machine.advance(Duration::from_secs(3600));
    let temperature = MetricSet::NONE.with(Metric::Temperature);
    let sample = machine.request(&whole(temperature, false)).unwrap().sample;
    assert_eq!(sample.processes, []);
    assert_eq!(told(&sample.gpus[0], Metric::Busy), Err("not_read_yet".to_owned()));
    let sample = machine.sampled();
    assert!(told(&sample.gpus[0], Metric::Busy).is_ok());
    assert!(told(&sample.gpus[0], Metric::ClockSmMaximum).is_ok());
}

#[test]
fn a_lost_gpu_keeps_its_name_though_something_about_it_was_never_known() {
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let unknown = "[[fault]]\nfn = \"nvmlDeviceGetVbiosVersion\"\ncode = 999\n";
    let mut machine = Machine::scenario(&format!("{preset}\n{unknown}"));
    let before = machine.whole().unwrap();
    machine.fake.update("[[fault]]\nfn = \"nvmlDeviceGet*\"\ncode = 15\n").unwrap();
    machine.advance(Duration::from_secs(11));
    let after = machine.whole().unwrap();
    assert!(matches!(after.sample.gpus[0].state, GpuState::Lost { .. }));
    assert_eq!(after.inventory.gpus[0].name, before.inventory.gpus[0].name);
    assert_eq!(after.inventory.gpus[0].layout, before.inventory.gpus[0].layout);
}

#[test]
fn a_gpu_that_leaves_mig_mode_is_asked_for_everything_again() {
    let preset = fake_nvml::preset_toml("h100-mig").unwrap();
    let mut machine = Machine::scenario(preset);
    machine.sampled();
    machine.fake.update(&preset.replace("enabled = true", "enabled = false")).unwrap();
    machine.advance(Duration::from_secs(11));
    let after = machine.whole().unwrap();
    assert_eq!(after.inventory.gpus[0].mig, Ok(false));
    assert!(told(&after.sample.gpus[0], Metric::Busy).is_ok());
}

#[test]
fn a_lost_gpu_of_which_one_function_says_something_else_is_lost() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    let odd = "[[fault]]\ngpu = 3\nfn = \"nvmlDeviceGetUtilizationRates\"\ncode = 999\n";
    let lost = "[[fault]]\ngpu = 3\nfn = \"nvmlDevice*\"\ncode = 15\n";
    machine.fake.update(&format!("{odd}{lost}")).unwrap();
    machine.advance(SECOND);
    assert!(matches!(machine.sampled().gpus[3].state, GpuState::Lost { .. }));
}

#[test]
fn a_gpu_that_falls_asleep_again_is_left_alone_again() {
    let mut machine = two_gpus(["active", "suspended"]);
    machine.sampled();
    write_pci_gpu(machine.sysroot.path(), ADDRESSES[1], "active");
    assert_eq!(machine.sampled().gpus[1].state, GpuState::Live);
    write_pci_gpu(machine.sysroot.path(), ADDRESSES[1], "suspended");
    machine.fake.clear_log();
    machine.advance(SECOND);
    assert!(matches!(machine.sampled().gpus[1].state, GpuState::Asleep { .. }));
    assert_eq!(machine.calls(None, Some(1)), 0);
}

#[test]
fn use_does_not_flicker_where_it_is_asked_for_more_often_than_it_is_sampled() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    for _ in 0..16 {
        machine.advance(Duration::from_millis(50));
        let sample = machine.sampled();
        assert!(sample.processes[0].get(ProcessMetric::Sm).unwrap() > 0.0);
    }
}

/// Puts a GPU among those that the driver's folder lists.
fn bind(machine: &Machine, address: &str) {
    write_pci_gpu(machine.sysroot.path(), address, "active");
    let link = machine.sysroot.path().join("sys/bus/pci/drivers/nvidia").join(address);
    std::os::unix::fs::symlink(format!("../../devices/{address}"), link).unwrap();
}

fn gpus_at(addresses: &[&str]) -> String {
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let unset: Vec<_> = preset.lines().filter(|line| !line.starts_with("bdf")).collect();
    let list = format!("[[gpu]]\ncount = {}\nbdf = {addresses:?}", addresses.len());
    unset.join("\n").replacen("[[gpu]]", &list, 1)
}

#[test]
fn a_gpu_that_is_plugged_in_appears_and_one_that_is_unbound_goes() {
    let mut machine = Machine::scenario(&gpus_at(&ADDRESSES[..1]));
    bind(&machine, ADDRESSES[0]);
    let one = machine.tick_until(|snapshot| snapshot.sample.gpus[0].state == GpuState::Live);
    assert_eq!(one.sample.gpus.len(), 1);
    machine.fake.update(&gpus_at(&ADDRESSES)).unwrap();
    bind(&machine, ADDRESSES[1]);
    let both = machine.tick_until(|snapshot| {
        let gpus = &snapshot.sample.gpus;
        gpus.len() == 2 && gpus.iter().all(|gpu| gpu.state == GpuState::Live)
    });
    assert_eq!(both.inventory.gpus[1].pci_bus_id.as_deref(), Ok(ADDRESSES[1]));
    assert_eq!(both.inventory.gpus[0].uuid, one.inventory.gpus[0].uuid);
    machine.fake.update(&gpus_at(&ADDRESSES[..1])).unwrap();
    let folder = machine.sysroot.path().join("sys/bus/pci");
    std::fs::remove_file(folder.join("drivers/nvidia").join(ADDRESSES[1])).unwrap();
    std::fs::remove_dir_all(folder.join("devices").join(ADDRESSES[1])).unwrap();
    machine.tick_until(|snapshot| {
        snapshot.sample.gpus.len() == 1 && snapshot.sample.gpus[0].state == GpuState::Live
    });
    for _ in 0..30 {
        machine.advance(SECOND);
        machine.sampled();
    }
    assert_eq!(machine.calls(Some("nvmlInitWithFlags"), None), 3, "and then it is left at that");
}

#[test]
fn what_one_gpu_says_anew_blanks_no_rate_of_the_others() {
    let preset = fake_nvml::preset_toml("h100").unwrap();
    let unknown = "[[fault]]\ngpu = 3\nfn = \"nvmlDeviceGetSerial\"\ncode = 999\n";
    let mut machine = Machine::scenario(&format!("{preset}\n{unknown}"));
    machine.whole().unwrap();
    machine.advance(Duration::from_secs(1));
    let before = machine.whole().unwrap();
    machine.fake.update("fault = []\n").unwrap();
    for _ in 0..12 {
        machine.advance(SECOND);
        let sample = machine.sampled();
        for gpu in &sample.gpus {
            assert!(told(gpu, Metric::PowerAverage).is_ok());
        }
    }
    let after = machine.whole().unwrap();
    assert!(after.inventory.generation > before.inventory.generation, "there was news");
}

#[test]
fn a_driver_that_is_upgraded_below_the_program_is_told_with_both_versions_until_it_is_loaded() {
    let mut machine = Machine::preset("h100");
    let version =
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  590.48.01  Release Build\n";
    write(machine.sysroot.path(), "/proc/driver/nvidia/version", version);
    machine.sampled();
    let devices = "[[fault]]\nfn = \"nvmlDevice*\"\ncode = 18\n";
    let start = "[[fault]]\nfn = \"nvmlInit*\"\ncode = 18\n";
    machine.fake.update(&format!("{devices}{start}")).unwrap();
    tick_until_outage(&mut machine);
    machine.advance(Duration::from_secs(2));
    let error = machine.whole().unwrap_err().to_string();
    assert!(error.contains("580.95.05") && error.contains("590.48.01"), "{error}");
    machine.fake.update("fault = []\n").unwrap();
    machine.tick_until(|snapshot| {
        snapshot.sample.gpus.iter().all(|gpu| gpu.values.value(Metric::Busy).is_some())
    });
}

#[test]
fn a_gpu_that_is_reset_says_why_meanwhile_and_its_counters_start_again() {
    let preset = fake_nvml::preset_toml("h100").unwrap();
    let mut machine = Machine::scenario(preset);
    machine.sampled();
    machine.advance(SECOND);
    machine.sampled();
    machine.fake.update("[[fault]]\ngpu = 2\nfn = \"nvmlDeviceGet*\"\ncode = 16\n").unwrap();
    machine.advance(SECOND);
    let sample = machine.sampled();
    assert_eq!(told(&sample.gpus[2], Metric::Busy), Err("nvml_error_16".to_owned()));
    assert!(told(&sample.gpus[3], Metric::PowerAverage).is_ok());
    machine.fake.update("fault = []\n").unwrap();
    machine.advance(SECOND);
    let sample = machine.sampled();
    assert!(told(&sample.gpus[2], Metric::Busy).is_ok());
    assert_eq!(
        told(&sample.gpus[2], Metric::PowerAverage),
        Err("needs_two_readings".to_owned()),
        "what it was before the reset is not joined to what it is"
    );
}
