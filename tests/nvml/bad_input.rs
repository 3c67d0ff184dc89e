//! What no driver should answer.

use crate::common::{Machine, told};
use nvsdk_top::model::{Absent, Metric};

fn rtx_with(fault: &str) -> Machine {
    Machine::scenario(&format!("{}\n{fault}", fake_nvml::preset_toml("rtx4090").unwrap()))
}

#[test]
fn texts_of_every_kind_are_kept_and_bounded() {
    for text in ["no-nul", "invalid-utf8", "escape", "bidi"] {
        let fault = format!("[[fault]]\nfn = \"nvmlDeviceGetName\"\ntext = \"{text}\"\n");
        let snapshot = rtx_with(&fault).whole().unwrap();
        let name = snapshot.inventory.gpus[0].name.as_ref().unwrap();
        assert!(!name.is_empty() && name.len() <= 1024, "{text}: {name:?}");
        assert!(told(&snapshot.sample.gpus[0], Metric::Busy).is_ok());
    }
}

#[test]
fn impossible_numbers_are_absent_and_the_others_are_not() {
    let cases = [
        ("nvmlDeviceGetUtilizationRates", 4_000_000_000_i64, Metric::Busy),
        ("nvmlDeviceGetTemperature*", 2_000_000_000, Metric::Temperature),
        ("nvmlDeviceGetFieldValues", 4_000_000_000, Metric::PowerDraw),
        ("nvmlDeviceGetClockInfo", 4_000_000_000, Metric::ClockSm),
        ("nvmlDeviceGetCurrPcieLinkWidth", 4_000_000_000, Metric::PcieLinkWidth),
        ("nvmlDeviceGetPerformanceState", 77, Metric::PerformanceState),
    ];
    for (function, value, metric) in cases {
        let fault = format!("[[fault]]\nfn = \"{function}\"\nvalue = {value}\n");
        let sample = rtx_with(&fault).sampled();
        assert_eq!(sample.gpus[0].values.get(metric).value, Err(Absent::OutOfRange), "{function}");
        assert!(told(&sample.gpus[0], Metric::Energy).is_ok());
    }
}

#[test]
fn a_list_that_grows_between_two_calls_is_read_whole() {
    let sample =
        rtx_with("[[fault]]\nfn = \"nvmlDeviceGet*RunningProcess*\"\ngrow = 3\n").sampled();
    assert!(!sample.processes.is_empty());
}

#[test]
fn a_library_without_most_symbols_gives_what_it_has() {
    let kept = [
        "nvmlInit_v2",
        "nvmlShutdown",
        "nvmlDeviceGetCount_v2",
        "nvmlDeviceGetHandleByIndex_v2",
        "nvmlDeviceGetPowerUsage",
    ];
    let missing: Vec<_> = fake_nvml::Fake::functions_exported()
        .iter()
        .filter(|f| !kept.contains(f))
        .map(|f| format!("{f:?}"))
        .collect();
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let toml = preset.replacen("[lib]", &format!("[lib]\nmissing = [{}]", missing.join(",")), 1);
    let mut machine = Machine::scenario(&toml);
    let snapshot = machine.whole().unwrap();
    assert!(told(&snapshot.sample.gpus[0], Metric::PowerDraw).is_ok());
    assert_eq!(told(&snapshot.sample.gpus[0], Metric::Busy), Err("missing_symbol".to_owned()));
    assert_eq!(snapshot.inventory.gpus[0].name, Err(Absent::MissingSymbol));
}

#[test]
fn a_library_that_cannot_be_shut_down_is_left_loaded() {
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let mut machine =
        Machine::scenario(&preset.replacen("[lib]", "[lib]\nmissing = [\"nvmlShutdown\"]", 1));
    assert_eq!(machine.sampled().gpus.len(), 1);
}
