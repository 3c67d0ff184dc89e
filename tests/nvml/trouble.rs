//! GPUs that hang, dawdle, fall off the bus, and drivers that go away.

use std::time::Duration;

use crate::common::{Machine, told};
use nvsdk_top::model::{Absent, GpuState, Metric};
use nvsdk_top::source::{Patience, SourceError};

fn h100_with(fault: &str) -> String {
    format!("{}\n{fault}", fake_nvml::preset_toml("h100").unwrap())
}

#[test]
fn a_gpu_that_hangs_is_stuck_by_itself_and_comes_back() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    machine
        .fake
        .update(
            "[[fault]]\nfn = \"nvmlDeviceGetTemperatureV\"\ngpu = 2\nhang = \"until-released\"\n",
        )
        .unwrap();
    let stuck = machine
        .tick_until(|snapshot| matches!(snapshot.sample.gpus[2].state, GpuState::Stuck { .. }));
    let GpuState::Stuck { age_us, call } = &stuck.sample.gpus[2].state else { unreachable!() };
    assert!(*age_us >= 5_000_000);
    assert_eq!(call, "nvmlDeviceGetTemperatureV");
    assert_eq!(told(&stuck.sample.gpus[2], Metric::Busy), Err("stuck".to_owned()));
    machine.tick_until(|snapshot| {
        let others = snapshot.sample.gpus.iter().enumerate().filter(|(number, _)| *number != 2);
        let now_us = snapshot.sample.monotonic_us;
        others
            .map(|(_, gpu)| gpu.values.get(Metric::Busy))
            .all(|busy| busy.value.is_ok() && busy.at_us == now_us)
    });
    assert!(stuck.sample.processes.iter().all(|process| process.gpu != 2));
    machine.fake.update("fault = []\n").unwrap();
    machine.fake.release();
    machine.tick_until(|snapshot| snapshot.sample.gpus[2].state == GpuState::Live);
}

#[test]
fn a_gpu_is_stale_after_two_missed_ticks_and_says_in_which_call() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    machine
        .fake
        .update("[[fault]]\nfn = \"nvmlDeviceGetUtilizationRates\"\ngpu = 0\nhang = \"until-released\"\n")
        .unwrap();
    let mut states = Vec::new();
    for _ in 0..3 {
        machine.advance(Duration::from_secs(1));
        states.push(machine.tick().unwrap().sample.gpus[0].state.clone());
    }
    assert_eq!(states[0], GpuState::Live, "one missed tick is no trouble");
    let GpuState::Stale { age_us, call } = &states[1] else { panic!("{states:?}") };
    assert_eq!((*age_us, call.as_deref()), (2_000_000, Some("nvmlDeviceGetUtilizationRates")));
    machine.fake.update("fault = []\n").unwrap();
    machine.fake.release();
    machine.tick_until(|snapshot| snapshot.sample.gpus[0].state == GpuState::Live);
}

#[test]
fn a_gpu_whose_slow_calls_hang_keeps_no_other_from_theirs() {
    let mut machine = Machine::scenario(&h100_with(
        "[[fault]]\nfn = \"nvmlDeviceGetPcieThroughput\"\ngpu = 0\nhang = \"until-released\"\n",
    ));
    let read = machine.tick_until(|snapshot| {
        let gpus = snapshot.sample.gpus.get(1..).unwrap_or_default();
        !gpus.is_empty() && gpus.iter().all(|gpu| gpu.values.value(Metric::PcieRx).is_some())
    });
    assert!(told(&read.sample.gpus[0], Metric::PcieRx).is_err());
    machine.fake.release();
}

#[test]
fn gpus_that_take_long_to_be_found_are_looked_for_side_by_side() {
    let mut machine = Machine::scenario(&h100_with(
        "[[fault]]\nfn = \"nvmlDeviceGetHandleByIndex_v2\"\nhang = \"until-released\"\n",
    ));
    let limit = Duration::from_secs(2);
    let sample = machine.sample(Patience::Whole { limit }).unwrap().sample;
    for gpu in &sample.gpus {
        let GpuState::Stale { call, .. } = &gpu.state else { panic!("{:?}", gpu.state) };
        assert_eq!(call.as_deref(), Some("nvmlDeviceGetHandleByIndex_v2"));
    }
    machine.fake.update("fault = []\n").unwrap();
    machine.fake.release();
    machine.tick_until(|snapshot| {
        snapshot.sample.gpus.iter().all(|gpu| gpu.values.value(Metric::Busy).is_some())
    });
}

#[test]
fn a_hanging_start_is_told_and_left() {
    let mut machine = Machine::scenario(&h100_with(
        "[[fault]]\nfn = \"nvmlInitWithFlags\"\nhang = \"until-released\"\n",
    ));
    let error = machine.tick().unwrap_err();
    assert!(matches!(error, SourceError::Opening(_)), "{error}");
    machine.fake.release();
    machine.tick_until(|snapshot| snapshot.sample.gpus.len() == 8);
}

#[test]
fn what_is_slow_joins_the_next_tick_with_its_own_time() {
    let mut machine = Machine::scenario(&h100_with(
        "[[fault]]\nfn = \"nvmlDeviceGetPcieThroughput\"\nhang = \"until-released\"\n",
    ));
    let first = machine.tick_until(|snapshot| {
        snapshot.sample.gpus.iter().all(|gpu| gpu.values.value(Metric::Busy).is_some())
    });
    for gpu in &first.sample.gpus {
        assert_eq!(told(gpu, Metric::PcieRx), Err("not_read_yet".to_owned()));
    }
    machine.fake.update("fault = []\n").unwrap();
    machine.fake.release();
    let later = machine.tick_until(|snapshot| {
        snapshot.sample.gpus.iter().all(|gpu| gpu.values.value(Metric::PcieRx).is_some())
    });
    for gpu in &later.sample.gpus {
        assert!(gpu.values.get(Metric::PcieRx).at_us <= later.sample.monotonic_us);
    }
}

#[test]
fn a_lost_gpu_says_so_and_is_looked_for_again() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    machine.fake.update("[[fault]]\ngpu = 3\ndo = \"lost\"\n").unwrap();
    machine.advance(Duration::from_secs(1));
    let lost = machine.whole().unwrap();
    assert!(
        matches!(lost.sample.gpus[3].state, GpuState::Lost { .. }),
        "{:?}",
        lost.sample.gpus[3].state
    );
    assert_eq!(told(&lost.sample.gpus[3], Metric::Busy), Err("gpu_lost".to_owned()));
    assert_eq!(lost.sample.gpus[4].state, GpuState::Live);
    machine.advance(Duration::from_secs(31));
    machine.whole().unwrap();
    let still = machine.whole().unwrap();
    assert!(matches!(still.sample.gpus[3].state, GpuState::Lost { .. }));
    assert_eq!(
        still.inventory.gpus[3].pci_bus_id, lost.inventory.gpus[3].pci_bus_id,
        "it keeps its name"
    );
    machine.fake.update("fault = []\n").unwrap();
    machine.advance(Duration::from_secs(61));
    machine.whole().unwrap();
    machine.tick_until(|snapshot| snapshot.sample.gpus[3].state == GpuState::Live);
    assert_eq!(machine.fake.violations(), Vec::<String>::new());
}

#[test]
fn a_driver_that_is_replaced_is_found_again() {
    let mut machine = Machine::preset("h100");
    let before = machine.whole().unwrap();
    machine.advance(Duration::from_secs(1));
    machine
        .fake
        .update("[[fault]]\nat = \"1s\"\ndo = \"driver-reload\"\ndown = \"3s\"\nnew_driver = \"590.48.01\"\n")
        .unwrap();
    machine.advance(Duration::from_millis(100));
    assert!(matches!(machine.whole(), Err(SourceError::NoDriver(_))));
    assert!(
        matches!(machine.whole(), Err(SourceError::NoDriver(_))),
        "it waits before it tries again"
    );
    let after = machine.tick_until(|snapshot| {
        snapshot.sample.gpus.len() == 8
            && snapshot.sample.gpus.iter().all(|gpu| gpu.values.value(Metric::Busy).is_some())
    });
    assert_eq!(after.inventory.driver.version.as_deref(), Ok("590.48.01"));
    assert!(after.inventory.generation > before.inventory.generation);
    assert_eq!(machine.fake.violations(), Vec::<String>::new());
}

#[test]
fn a_gpu_whose_every_call_fails_is_absent_with_the_reason_and_the_others_are_not() {
    let mut machine =
        Machine::scenario(&h100_with("[[fault]]\ngpu = 5\nfn = \"nvmlDeviceGet*\"\ncode = 17\n"));
    let sample = machine.sampled();
    for (_, reading) in sample.gpus[5].values.iter() {
        assert!(matches!(reading.value, Err(Absent::NvmlError(17))), "{:?}", reading.value);
    }
    assert!(told(&sample.gpus[4], Metric::Busy).is_ok());
}

#[test]
fn a_quick_sample_leaves_out_what_blocks() {
    let mut machine = Machine::preset("h100");
    let limit = crate::common::LIMIT;
    let sample = machine.sample(Patience::Quick { limit }).unwrap().sample;
    assert_eq!(told(&sample.gpus[0], Metric::PcieRx), Err("left_out".to_owned()));
    assert_eq!(told(&sample.gpus[0], Metric::PowerAverage), Err("left_out".to_owned()));
    assert!(told(&sample.gpus[0], Metric::PcieLinkGeneration).is_ok());
    assert_eq!(machine.calls(Some("nvmlDeviceGetPcieThroughput"), None), 0);
}

#[test]
fn what_could_not_be_had_once_is_asked_for_again() {
    let functions = ["nvmlDeviceGetMaxClockInfo", "nvmlDeviceGetUUID", "nvmlDeviceGetNumFans"];
    let fault = |function| format!("[[fault]]\nfn = \"{function}\"\ncode = 999\n");
    let faults: String = functions.map(fault).concat();
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let mut machine = Machine::scenario(&format!("{preset}\n{faults}"));
    let before = machine.whole().unwrap();
    assert_eq!(
        told(&before.sample.gpus[0], Metric::ClockSmMaximum),
        Err("nvml_error_999".to_owned())
    );
    assert_eq!(told(&before.sample.gpus[0], Metric::Fan), Err("nvml_error_999".to_owned()));
    assert!(before.inventory.gpus[0].uuid.is_err());
    machine.fake.update("fault = []\n").unwrap();
    machine.advance(Duration::from_secs(21));
    let after = machine.whole().unwrap();
    assert_eq!(told(&after.sample.gpus[0], Metric::ClockSmMaximum), Ok(3105.0));
    assert_eq!(after.sample.gpus[0].values.instances(Metric::Fan).len(), 2);
    assert!(after.inventory.gpus[0].uuid.is_ok());
    assert!(after.inventory.generation > before.inventory.generation);
}
