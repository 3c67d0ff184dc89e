//! What is read by the id of a field: many at once, each with an answer of its own.

use std::time::Duration;

use crate::common::{Machine, told};
use nvsdk_top::model::{GpuSample, Metric, Sample};

/// Two samples a second apart; the second one.
fn second_sample(machine: &mut Machine) -> Sample {
    machine.sampled();
    machine.advance(Duration::from_secs(1));
    machine.sampled()
}

/// A preset whose GPUs do something else, from the start.
fn with_metrics(preset: &str, metrics: &str) -> Machine {
    Machine::scenario(&format!("preset = \"{preset}\"\n[each.metrics]\n{metrics}\n"))
}

fn refused(why: &str) -> Result<f64, String> {
    Err(why.to_owned())
}

const LIMITED: [Metric; 10] = [
    Metric::LimitedBySwPowerCap,
    Metric::LimitedBySyncBoost,
    Metric::LimitedByThermal,
    Metric::LimitedBySwThermal,
    Metric::LimitedByHwThermal,
    Metric::LimitedByPowerBrake,
    Metric::LimitedByBoardLimit,
    Metric::LimitedByLowUtilization,
    Metric::LimitedByReliability,
    Metric::LimitedByBaseClocks,
];

fn shares(gpu: &GpuSample) -> [Result<f64, String>; 10] {
    LIMITED.map(|metric| told(gpu, metric).map(f64::round))
}

#[test]
fn the_share_of_a_tick_that_the_clocks_were_limited_is_told_for_each_cause() {
    let toml = "limited_power = 0.2\nlimited_thermal = 0.15\nlimited_hw_thermal = 0.05\n\
                limited_power_brake = 0.4\nlimited_sync_boost = 1\nlimited_board = 0\n\
                limited_low_util = 0.6\nlimited_reliability = 0.7\nlimited_base_clocks = 0.8\n";
    let mut machine = with_metrics("h100", toml);
    let first = machine.sampled();
    assert!(shares(&first.gpus[0]).iter().all(|share| *share == refused("needs_two_readings")));
    machine.advance(Duration::from_secs(1));
    let expected = [20.0, 100.0, 15.0, 15.0, 5.0, 40.0, 0.0, 60.0, 70.0, 80.0].map(Ok);
    assert_eq!(shares(&machine.sampled().gpus[0]), expected);
}

#[test]
fn the_ids_that_moved_are_asked_by_the_version_of_the_driver() {
    for (driver, is_known) in [
        ("570.124.06", false),
        ("575.51.03", true),
        ("580.65.06", true),
        ("580.82.07", true),
        ("590.48.01", true),
    ] {
        let toml = "limited_thermal = 0.3\nlimited_hw_thermal = 0.2\nlimited_power_brake = 0.1\n";
        let mut machine = with_metrics("h100", toml);
        machine.fake.update(&format!("[lib]\ndriver = \"{driver}\"\n")).unwrap();
        let sample = second_sample(&mut machine);
        let told = shares(&sample.gpus[0]);
        let expected = if is_known {
            [30.0, 20.0, 10.0].map(Ok)
        } else {
            [(); 3].map(|()| refused("driver_too_old"))
        };
        assert_eq!(told[3..6], expected, "{driver}");
        assert_eq!(told[2], Ok(30.0), "the older counter is there in {driver}");
    }
}

#[test]
fn each_lane_is_one_call_and_a_refused_field_is_not_asked_again() {
    let mut machine = Machine::preset("rtx4090");
    machine.sampled();
    machine.fake.clear_log();
    for _ in 0..10 {
        machine.advance(Duration::from_secs(1));
        machine.sampled();
    }
    let calls = machine.calls(Some("nvmlDeviceGetFieldValues"), Some(0));
    assert!((10..=12).contains(&calls), "{calls}");
}

#[test]
fn a_field_that_fails_once_is_there_again() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    machine.fake.update("[[fault]]\nfield = 74\ncode = 999\n").unwrap();
    machine.advance(Duration::from_secs(1));
    let sample = machine.sampled();
    assert_eq!(told(&sample.gpus[0], Metric::LimitedBySwPowerCapTime), refused("nvml_error_999"));
    assert_eq!(told(&sample.gpus[0], Metric::LimitedBySyncBoostTime), Ok(0.0));
    machine.fake.update("fault = []\n").unwrap();
    machine.advance(Duration::from_secs(1));
    assert!(told(&machine.sampled().gpus[0], Metric::LimitedBySwPowerCapTime).is_ok());
}

#[test]
fn without_the_call_all_its_metrics_say_so() {
    let mut machine =
        Machine::scenario("preset = \"h100\"\n[lib]\nmissing = [\"nvmlDeviceGetFieldValues\"]\n");
    let sample = second_sample(&mut machine);
    let missing = || refused("missing_symbol");
    assert_eq!(shares(&sample.gpus[0])[0], missing());
    for metric in [Metric::RecoveryAction, Metric::EccMode, Metric::RemapPending] {
        assert_eq!(told(&sample.gpus[0], metric), missing(), "{metric:?}");
    }
    assert!(told(&sample.gpus[0], Metric::Busy).is_ok());
}

#[test]
fn what_tells_of_a_failing_gpu_is_read() {
    let toml = "recovery_action = 1\nremapped_corrected = 3\nremapped_uncorrected = 2\n\
                remap_pending = 1\nremap_failed = 1\necc_corrected = 40\necc_uncorrected = 1\n\
                pcie_replay = 7\nnvlink_errors = 5\n";
    let sample = with_metrics("h100", toml).sampled();
    for (metric, expected) in [
        (Metric::RecoveryAction, 1.0),
        (Metric::EccMode, 1.0),
        (Metric::EccCorrectedVolatile, 40.0),
        (Metric::EccUncorrectedAggregate, 1.0),
        (Metric::RemappedRowsCorrected, 3.0),
        (Metric::RemappedRowsUncorrected, 2.0),
        (Metric::RemapPending, 1.0),
        (Metric::RemapFailure, 1.0),
        (Metric::PcieReplays, 7.0),
        (Metric::NvLinkReplays, 5.0),
    ] {
        assert_eq!(told(&sample.gpus[0], metric), Ok(expected), "{metric:?}");
    }
    assert_eq!(told(&sample.gpus[0], Metric::RetiredPagesPending), refused("not_supported"));
    let old = Machine::preset("old-driver").sampled();
    assert_eq!(told(&old.gpus[0], Metric::RetiredPagesCorrected), Ok(1.0));
    assert_eq!(told(&old.gpus[0], Metric::RetiredPagesPending), Ok(0.0));
}

#[test]
fn replays_in_a_second_are_those_between_two_slow_readings() {
    let mut machine = with_metrics("h100", "pcie_replay = \"steps(0s:2, 5s:42)\"\n");
    machine.sampled();
    machine.advance(Duration::from_secs(20));
    let rate = told(&machine.sampled().gpus[0], Metric::PcieReplayRate).unwrap();
    assert!((rate - 2.0).abs() < 0.01, "{rate}");
    machine.advance(Duration::from_secs(1));
    let kept = told(&machine.sampled().gpus[0], Metric::PcieReplayRate).unwrap();
    assert_eq!(rate.to_bits(), kept.to_bits(), "it holds until the next slow reading");
}

#[test]
fn what_cannot_be_is_absent() {
    for (field, value, metric) in [
        (74, -1_i64, Metric::LimitedBySwPowerCapTime),
        (3, -1, Metric::EccCorrectedVolatile),
        (144, 0xFFFF_FFFF, Metric::RemapPending),
        (230, 0xFFFF_FFFF, Metric::RecoveryAction),
    ] {
        let mut machine = Machine::preset("h100");
        machine.fake.update(&format!("[[fault]]\nfield = {field}\nvalue = {value}\n")).unwrap();
        let sample = machine.sampled();
        assert_eq!(told(&sample.gpus[0], metric), refused("out_of_range"), "{metric:?}");
    }
}

#[test]
fn a_counter_that_goes_back_has_no_share() {
    let mut machine = with_metrics("h100", "limited_power = 0.5\n");
    machine.sampled();
    machine.advance(Duration::from_secs(2));
    machine.sampled();
    machine.fake.update("[[fault]]\nfield = 74\nvalue = 1000\n").unwrap();
    machine.advance(Duration::from_secs(1));
    let sample = machine.sampled();
    assert_eq!(told(&sample.gpus[0], Metric::LimitedBySwPowerCap), refused("counter_reset"));
}

#[test]
fn power_and_heat_are_told_for_the_gpu_its_memory_and_its_module() {
    let toml = "power = \"600W\"\npower_instant = \"640W\"\nmodule_power = \"910W\"\n\
                memory_temperature = 71\n";
    let sample = with_metrics("h100", toml).sampled();
    for (metric, expected) in [
        (Metric::PowerDraw, 600.0),
        (Metric::PowerInstant, 640.0),
        (Metric::PowerModule, 910.0),
        (Metric::MemoryTemperature, 71.0),
        (Metric::ShutdownTLimit, -8.0),
        (Metric::SlowdownTLimit, -2.0),
        (Metric::GpuMaximumTLimit, 0.0),
    ] {
        assert_eq!(told(&sample.gpus[0], metric), Ok(expected), "{metric:?}");
    }
}

#[test]
fn a_driver_without_the_fields_is_asked_by_older_functions() {
    let sample = Machine::preset("old-driver").sampled();
    assert!(told(&sample.gpus[0], Metric::PowerDraw).is_ok());
    assert_eq!(told(&sample.gpus[0], Metric::PowerInstant), refused("driver_too_old"));
    assert_eq!(told(&sample.gpus[0], Metric::ShutdownTLimit), refused("driver_too_old"));
    let links = sample.gpus[0].values.instances(Metric::NvLinkUp);
    assert_eq!(links.len(), 6);
    assert!(links.iter().all(|link| link.value == Ok(1.0)));
    assert_eq!(told(&sample.gpus[0], Metric::NvLinkVersion), Ok(2.0));
}

#[test]
fn what_goes_over_all_nvlinks_is_a_rate_whatever_the_links_count_by() {
    for (preset, links, version) in [("h100", 18, 6.0), ("b200", 18, 7.0), ("a100", 12, 4.0)] {
        let toml = "nvlink_tx = \"10GB/s\"\nnvlink_rx = \"4GB/s\"\n";
        let mut machine = with_metrics(preset, toml);
        let sample = second_sample(&mut machine);
        let gpu = &sample.gpus[0];
        let per_link = |metric| told(gpu, metric).unwrap() / f64::from(links) / 1e9;
        assert!((per_link(Metric::NvLinkTx) - 10.0).abs() < 1e-3, "{preset}");
        assert!((per_link(Metric::NvLinkRx) - 4.0).abs() < 1e-3, "{preset}");
        assert_eq!(told(gpu, Metric::NvLinkCount), Ok(links.into()));
        assert_eq!(told(gpu, Metric::NvLinkVersion), Ok(version));
        assert_eq!(gpu.values.instances(Metric::NvLinkUp).len(), usize::try_from(links).unwrap());
    }
}

#[test]
fn each_nvlink_is_up_or_down_with_its_speed_and_its_errors() {
    for (preset, speed, errors) in [("h100", 26_562e6, 3.0 * 5.0), ("b200", 53_125e6, 2.0 * 5.0)] {
        let mut machine = with_metrics(preset, "nvlink_errors = 5\n");
        let up = format!(
            "[[gpu]]\npreset = \"{preset}\"\n[gpu.metrics]\nnvlink_errors = 5\n[gpu.nvlink]\nactive = 17\n"
        );
        machine.fake.update(&up).unwrap();
        let sample = machine.sampled();
        let values = |metric| {
            let readings = sample.gpus[0].values.instances(metric).iter();
            readings.map(|reading| reading.value.unwrap()).collect::<Vec<_>>()
        };
        let up = values(Metric::NvLinkUp);
        assert_eq!((up[16], up[17], up.len()), (1.0, 0.0, 18), "{preset}");
        assert_eq!(values(Metric::NvLinkSpeed), [speed; 18], "{preset}");
        assert_eq!(values(Metric::NvLinkErrors), [errors; 18], "{preset}");
    }
}

#[test]
fn errors_are_counted_by_the_fields_that_the_generation_of_the_links_has() {
    let hopper = with_metrics("h100", "nvlink_errors = 5\n").sampled();
    assert_eq!(told(&hopper.gpus[0], Metric::NvLinkReplays), Ok(5.0));
    assert_eq!(told(&hopper.gpus[0], Metric::NvLinkReceiveErrors), refused("not_supported"));
    let blackwell = with_metrics("b200", "nvlink_errors = 5\n").sampled();
    assert_eq!(told(&blackwell.gpus[0], Metric::NvLinkReplays), refused("not_supported"));
    assert_eq!(told(&blackwell.gpus[0], Metric::NvLinkRecoveries), Ok(18.0 * 5.0));
    assert_eq!(told(&blackwell.gpus[0], Metric::NvLinkReceiveErrors), Ok(18.0 * 5.0));
}

#[test]
fn a_gpu_without_links_has_one_place_for_the_reason() {
    let sample = Machine::preset("rtx4090").sampled();
    for metric in [Metric::NvLinkUp, Metric::NvLinkSpeed, Metric::NvLinkErrors] {
        let readings = sample.gpus[0].values.instances(metric);
        assert_eq!(readings.len(), 1, "{metric:?}");
        assert_eq!(told(&sample.gpus[0], metric), refused("not_supported"));
    }
    for metric in [Metric::NvLinkCount, Metric::NvLinkTx, Metric::FabricState, Metric::C2cUp] {
        assert_eq!(told(&sample.gpus[0], metric), refused("not_supported"), "{metric:?}");
    }
}

#[test]
fn a_slot_that_is_slower_than_the_gpu_is_told_apart() {
    let sample = Machine::preset("b200").sampled();
    assert_eq!(told(&sample.gpus[0], Metric::PcieGpuGenerationMaximum), Ok(6.0));
    assert_eq!(told(&sample.gpus[0], Metric::PcieLinkGenerationMaximum), Ok(5.0));
}

#[test]
fn the_fabric_is_told_in_whichever_form_the_driver_has() {
    let newer = Machine::preset("h100").sampled();
    assert_eq!(told(&newer.gpus[0], Metric::FabricState), Ok(3.0));
    assert_eq!(told(&newer.gpus[0], Metric::FabricHealth), Ok(1.0));
    let mut older = Machine::preset("h100");
    older.fake.update("[lib]\ndriver = \"550.54.15\"\n").unwrap();
    let older = older.sampled();
    assert_eq!(told(&older.gpus[0], Metric::FabricState), Ok(3.0));
    assert_eq!(told(&older.gpus[0], Metric::FabricHealth), refused("driver_too_old"));
}

#[test]
fn links_to_the_processor_are_counted() {
    let toml = "preset = \"h100\"\n[each.c2c]\nlinks = 10\nspeed = 44712\n";
    let sample = Machine::scenario(toml).sampled();
    assert_eq!(told(&sample.gpus[0], Metric::C2cLinkCount), Ok(10.0));
    assert_eq!(told(&sample.gpus[0], Metric::C2cUp), Ok(1.0));
    assert_eq!(told(&sample.gpus[0], Metric::C2cBandwidth), Ok(44_712e6));
}

/// What can be had of a GPU whatever the driver has dropped.
#[test]
fn a_driver_that_has_dropped_all_deprecated_functions_is_still_fully_read() {
    for preset in ["h100", "rtx4090", "a100"] {
        let before = Machine::preset(preset).sampled();
        let newest = format!("preset = \"{preset}\"\n[lib]\ncuda14 = true\n");
        let after = Machine::scenario(&newest).sampled();
        for ((slot, before), (_, after)) in
            before.gpus[0].values.iter().zip(after.gpus[0].values.iter())
        {
            assert_eq!(
                before.value.is_ok(),
                after.value.is_ok(),
                "{preset} {}: {:?}",
                slot.key(),
                after.value
            );
        }
    }
}

#[test]
fn a_driver_that_stamps_its_readings_with_another_clock_has_the_same_rates() {
    for base in ["unix", "boot"] {
        let toml = format!(
            "preset = \"h100\"\n[lib]\ntimestamp_base = \"{base}\"\n[each.metrics]\nlimited_power = 0.25\n"
        );
        let sample = second_sample(&mut Machine::scenario(&toml));
        assert_eq!(shares(&sample.gpus[0])[0], Ok(25.0), "{base}");
    }
}

#[test]
fn a_driver_whose_version_is_unknown_is_asked_only_what_never_moved() {
    let mut machine = with_metrics("h100", "limited_power = 0.25\nlimited_thermal = 0.5\n");
    machine.fake.update("[lib]\ndriver = \"next\"\n[[fault]]\nfn = \"nvmlSystemGetDriverVersion\"\ncode = 999\n").unwrap();
    let sample = second_sample(&mut machine);
    assert_eq!(told(&sample.gpus[0], Metric::LimitedBySwThermal), refused("unknown"));
}
