//! Means between two samples of performance counters: when there is one, and when there is a reason.

use std::time::{Duration, Instant};

use crate::common::{LIMIT, Machine, told};
use nvsdk_top::model::{Metric, Sample};

const SECOND: Duration = Duration::from_secs(1);

fn of(sample: &Sample, metric: Metric) -> Result<f64, String> {
    told(&sample.gpus[0], metric)
}

/// A machine whose GPU is as busy as can be, with a first sample taken.
fn busy() -> Machine {
    let preset = fake_nvml::preset_toml("h100").unwrap();
    let lines = preset.lines().filter(|line| !line.starts_with("util =")).collect::<Vec<_>>();
    let steady = lines.join("\n").replace("[gpu.metrics]", "[gpu.metrics]\nutil = 50");
    let mut machine = Machine::scenario(&steady);
    let first = machine.sampled();
    assert_eq!(of(&first, Metric::SmActive), Err("needs_two_readings".to_owned()));
    machine
}

fn fault(machine: &Machine, lines: &str) {
    machine.fake.update(&format!("[[fault]]\n{lines}\n")).unwrap();
}

#[test]
fn a_second_sample_gives_every_mean() {
    let mut machine = busy();
    machine.advance(SECOND);
    let sample = machine.sampled();
    let expected = [
        (Metric::SmActive, 44.0),
        (Metric::SmOccupancy, 20.5),
        (Metric::TensorActive, 31.0),
        (Metric::TensorDmma, 0.0),
        (Metric::DramBandwidth, 27.0),
        (Metric::Fp32Active, 5.5),
    ];
    for (metric, percent) in expected {
        let found = of(&sample, metric).unwrap();
        assert!((found - percent).abs() < 0.01, "{metric:?}: {found}");
    }
    let links = of(&sample, Metric::NvLinkMeanRx).unwrap();
    assert!((links - 18.0 * 5.5e9).abs() < 20_000.0, "{links} of 18 links");
    assert_eq!(of(&sample, Metric::C2cMeanRx), Err("not_supported".to_owned()));
}

#[test]
fn samples_too_close_keep_the_mean_and_those_too_far_apart_have_none() {
    let mut machine = busy();
    machine.advance(Duration::from_millis(100));
    assert_eq!(of(&machine.sampled(), Metric::SmActive), Err("needs_two_readings".to_owned()));
    machine.advance(Duration::from_millis(1));
    let first = machine.sampled();
    assert!(of(&first, Metric::SmActive).is_ok(), "101 ms after the first sample");
    let calls = machine.calls(Some("nvmlGpmMetricsGet"), None);
    machine.advance(Duration::from_millis(50));
    let second = machine.sampled();
    let [before, after] = [first, second].map(|sample| sample.gpus[0].values.get(Metric::SmActive));
    assert_eq!(before, after, "the same mean, of the same time");
    assert_eq!(machine.calls(Some("nvmlGpmMetricsGet"), None), calls);
    machine.advance(Duration::from_millis(9_949));
    assert!(of(&machine.sampled(), Metric::SmActive).is_ok(), "9.999 s");
    machine.advance(Duration::from_secs(10));
    assert_eq!(of(&machine.sampled(), Metric::SmActive), Err("gap".to_owned()));
    machine.advance(SECOND);
    assert!(of(&machine.sampled(), Metric::SmActive).is_ok());
}

#[test]
fn a_tick_takes_one_sample_and_asks_for_all_means_at_once() {
    let mut machine = busy();
    for _ in 0..5 {
        machine.advance(SECOND);
        machine.sampled();
    }
    assert_eq!(machine.calls(Some("nvmlGpmSampleGet"), Some(0)), 6);
    assert_eq!(machine.calls(Some("nvmlGpmMetricsGet"), None), 8 * 5);
    assert_eq!(machine.calls(Some("nvmlGpmSampleAlloc"), None), 8 * 2, "two samples in rotation");
    assert_eq!(machine.calls(Some("nvmlGpmQueryDeviceSupport"), Some(0)), 1);
}

#[test]
fn what_is_no_number_is_absent() {
    for value in [i64::MIN, -1, 102, i64::MAX] {
        let mut machine = busy();
        fault(&machine, &format!("fn = \"nvmlGpmMetricsGet\"\nvalue = {value}"));
        machine.advance(SECOND);
        let sample = machine.sampled();
        assert_eq!(of(&sample, Metric::SmActive), Err("out_of_range".to_owned()), "{value}");
        assert!(of(&sample, Metric::Busy).is_ok());
    }
    let mut machine = busy();
    fault(&machine, "fn = \"nvmlGpmMetricsGet\"\nvalue = 100");
    machine.advance(SECOND);
    assert_eq!(of(&machine.sampled(), Metric::SmActive), Ok(100.0));
}

#[test]
fn an_error_of_a_moment_is_over_with_it() {
    for function in ["nvmlGpmSampleGet", "nvmlGpmMetricsGet"] {
        let mut machine = busy();
        fault(&machine, &format!("fn = \"{function}\"\ncode = 999"));
        machine.advance(SECOND);
        assert_eq!(of(&machine.sampled(), Metric::SmActive), Err("nvml_error_999".to_owned()));
        machine.fake.update("fault = []\n").unwrap();
        machine.advance(SECOND);
        assert!(of(&machine.sampled(), Metric::SmActive).is_ok(), "{function}");
    }
}

#[test]
fn a_virtual_machine_that_is_refused_is_not_refused_again() {
    let preset = fake_nvml::preset_toml("h100").unwrap();
    let guest = preset.replacen("[[gpu]]", "[[gpu]]\nvirtualization = 2", 1);
    let refuse = "[[fault]]\nfn = \"nvmlGpmSampleGet\"\ncode = 999\n";
    let mut machine = Machine::scenario(&format!("{guest}\n{refuse}"));
    machine.sampled();
    for _ in 0..5 {
        machine.advance(SECOND);
        assert_eq!(of(&machine.sampled(), Metric::SmActive), Err("virtual_gpu".to_owned()));
    }
    assert_eq!(machine.calls(Some("nvmlGpmSampleGet"), Some(0)), 1);
}

#[test]
fn a_gpu_without_counters_is_asked_once() {
    let mut machine = Machine::preset("rtx4090");
    for _ in 0..3 {
        assert_eq!(of(&machine.sampled(), Metric::SmActive), Err("not_supported".to_owned()));
        machine.advance(SECOND);
    }
    assert_eq!(machine.calls(Some("nvmlGpmQueryDeviceSupport"), None), 1);
    assert_eq!(machine.calls(Some("nvmlGpmSampleAlloc"), None), 0);
}

#[test]
fn every_sample_is_freed_before_nvml_is_shut_down() {
    let mut machine = busy();
    machine.advance(SECOND);
    machine.sampled();
    machine.restart();
    let start = Instant::now();
    while machine.calls(Some("nvmlShutdown"), None) == 0 {
        assert!(start.elapsed() < LIMIT, "the driver was not closed");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(machine.calls(Some("nvmlGpmSampleFree"), None), 8 * 2);
    assert_eq!(machine.fake.violations(), Vec::<String>::new());
}

#[test]
fn a_gpu_that_hangs_in_a_sample_keeps_it() {
    let mut machine = busy();
    fault(&machine, "fn = \"nvmlGpmSampleGet\"\ngpu = 2\nhang = \"until-released\"");
    machine.tick_until(|snapshot| snapshot.sample.gpus[2].state.call() == Some("nvmlGpmSampleGet"));
    assert_eq!(machine.calls(Some("nvmlGpmSampleFree"), None), 0);
    machine.restart();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(machine.calls(Some("nvmlShutdown"), None), 0, "never below a call");
    machine.fake.release();
}
