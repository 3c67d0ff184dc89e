//! What each kind of GPU answers.

use std::time::{Duration, Instant};

use crate::common::{LIMIT, Machine, told};
use nvsdk_top::model::{Absent, GpuState, Metric};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

#[test]
fn every_preset_answers_and_is_only_read() {
    for preset in fake_nvml::presets() {
        let mut machine = Machine::preset(preset);
        let snapshot = machine.whole().unwrap();
        assert!(!snapshot.sample.gpus.is_empty(), "{preset}");
        for gpu in &snapshot.sample.gpus {
            assert_eq!(gpu.state, GpuState::Live, "{preset}");
            assert!(gpu.values.value(Metric::Temperature).is_some(), "{preset}");
            let unread = gpu.values.iter().filter(|(_, r)| r.value == Err(Absent::NotReadYet));
            assert_eq!(unread.count(), 0, "{preset}");
        }
        assert_eq!(machine.fake.violations(), Vec::<String>::new(), "{preset}");
    }
}

#[test]
fn eight_h100_are_eight_gpus_with_all_that_they_have() {
    let mut machine = Machine::preset("h100");
    let snapshot = machine.whole().unwrap();
    assert_eq!(snapshot.inventory.gpus.len(), 8);
    let gpu = &snapshot.inventory.gpus[1];
    assert_eq!(gpu.index, 1);
    assert_eq!(gpu.pci_bus_id.as_deref(), Ok("0000:2a:00.0"));
    assert_eq!(gpu.compute_capability, Ok((9, 0)));
    assert_eq!(gpu.architecture.map(|a| a.to_string()).as_deref(), Ok("Hopper"));
    assert_eq!(snapshot.inventory.driver.version.as_deref(), Ok("580.95.05"));
    assert_eq!(snapshot.inventory.driver.cuda_version.as_deref(), Ok("13.0"));
    let values = &snapshot.sample.gpus[1];
    assert_eq!(told(values, Metric::MemoryTotal), Ok(81559.0 * 1024.0 * 1024.0));
    let parts = [Metric::MemoryUsed, Metric::MemoryReserved, Metric::MemoryFree];
    let sum: f64 = parts.iter().map(|part| told(values, *part).unwrap()).sum();
    assert_eq!(Ok(sum), told(values, Metric::MemoryTotal), "memory adds up");
    assert_eq!(told(values, Metric::PowerMaximumLimit), Ok(700.0));
    assert_eq!(told(values, Metric::ClockMemoryMaximum), Ok(2619.0));
    assert_eq!(told(values, Metric::PcieLinkGenerationMaximum), Ok(5.0));
    assert_eq!(told(values, Metric::Fan), Err("not_supported".to_owned()));
    assert_eq!(told(values, Metric::PowerAverage), Err("needs_two_readings".to_owned()));
}

#[test]
fn mean_power_is_the_growth_of_energy() {
    let mut machine = Machine::preset("h100");
    let first = machine.sampled();
    machine.advance(std::time::Duration::from_millis(500));
    let second = machine.sampled();
    let energy = |sample: &nvsdk_top::model::Sample| told(&sample.gpus[0], Metric::Energy).unwrap();
    let mean = told(&second.gpus[0], Metric::PowerAverage).unwrap();
    assert!((mean - (energy(&second) - energy(&first)) / 0.5).abs() < 1e-6);
    assert!((50.0..=710.0).contains(&mean), "{mean}");
}

#[test]
fn a_geforce_has_fans_one_by_one() {
    let mut machine = Machine::preset("rtx4090");
    let sample = machine.sampled();
    let fans = sample.gpus[0].values.instances(Metric::Fan);
    assert!(fans.len() >= 2 && fans.iter().all(|fan| fan.value.is_ok()));
}

#[test]
fn a_gpu_in_mig_mode_says_so_where_it_is_silent() {
    let mut machine = Machine::preset("h100-mig");
    let snapshot = machine.whole().unwrap();
    assert_eq!(snapshot.inventory.gpus[0].mig, Ok(true));
    let gpu = &snapshot.sample.gpus[0];
    for metric in [Metric::Busy, Metric::EncoderUtilization, Metric::DecoderUtilization] {
        assert_eq!(told(gpu, metric), Err("mig".to_owned()));
    }
    assert!(told(gpu, Metric::MemoryUsed).is_ok());
    assert!(snapshot.sample.processes.iter().any(|process| process.gpu_instance.is_some()));
}

#[test]
fn a_chip_shares_the_hosts_memory_and_has_no_link() {
    let mut machine = Machine::preset("gb10");
    let sample = machine.sampled();
    assert_eq!(told(&sample.gpus[0], Metric::MemoryUsed), Err("unified_memory".to_owned()));
    assert_eq!(told(&sample.gpus[0], Metric::PcieLinkGeneration), Err("integrated".to_owned()));
    assert!(told(&sample.gpus[0], Metric::Busy).is_ok());
}

#[test]
fn an_old_driver_is_read_by_its_older_functions() {
    let mut machine = Machine::preset("old-driver");
    let sample = machine.sampled();
    let gpu = &sample.gpus[0];
    assert!(told(gpu, Metric::MemoryUsed).unwrap() > 0.0);
    assert_eq!(told(gpu, Metric::MemoryReserved), Err("included_in_used".to_owned()));
    for metric in [Metric::Temperature, Metric::SlowdownMargin, Metric::ClockEventReasons] {
        assert!(told(gpu, metric).is_ok(), "{metric:?}");
    }
    assert!(!sample.processes.is_empty());
    for process in &sample.processes {
        assert!(process.get(nvsdk_top::model::ProcessMetric::GpuMemory).unwrap() < 64.0 * GIB);
    }
}

#[test]
fn a_driver_that_dropped_what_it_deprecated_is_read_whole() {
    let preset = fake_nvml::preset_toml("h100").unwrap();
    let mut before = Machine::scenario(preset);
    let mut after = Machine::scenario(&preset.replacen("[lib]", "[lib]\ncuda14 = true", 1));
    let (before, after) = (before.sampled(), after.sampled());
    for (old, new) in before.gpus.iter().zip(&after.gpus) {
        for ((slot, old), (_, new)) in old.values.iter().zip(new.values.iter()) {
            assert_eq!(old.value, new.value, "{}", slot.key());
        }
    }
}

#[test]
fn a_gpu_is_called_at_most_40_times_a_second() {
    for preset in fake_nvml::presets() {
        let mut machine = Machine::preset(preset);
        machine.sampled();
        machine.fake.clear_log();
        let seconds = 60;
        for _ in 0..seconds {
            machine.advance(Duration::from_secs(1));
            machine.sampled();
        }
        let calls = machine.calls(None, Some(0));
        assert!(calls <= 40 * seconds, "{preset}: {} a second", calls / seconds);
    }
}

#[test]
fn the_caller_never_calls_the_driver_itself() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    machine.restart();
    let start = Instant::now();
    while machine.calls(Some("nvmlShutdown"), None) == 0 {
        assert!(start.elapsed() < LIMIT, "the driver was not closed");
        std::thread::sleep(Duration::from_millis(1));
    }
    let link = std::fs::read_link("/proc/thread-self").unwrap();
    let own: u32 = link.file_name().unwrap().to_str().unwrap().parse().unwrap();
    for call in machine.fake.call_log() {
        assert_ne!(call.thread, own, "{}", call.function);
    }
}

#[test]
fn a_driver_that_cannot_count_fans_tells_the_first() {
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let missing = "[lib]\nmissing = [\"nvmlDeviceGetNumFans\"]";
    let sample = Machine::scenario(&preset.replacen("[lib]", missing, 1)).sampled();
    assert!(told(&sample.gpus[0], Metric::Fan).is_ok());
}
