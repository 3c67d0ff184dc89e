//! `--bench-nvml`: what each call costs.

use serde_json::Value;

use crate::common::write_pci_gpu;
use crate::support::{Machine, program, sentence};

fn bench(machine: &Machine, arguments: &[&str]) -> Value {
    let arguments = [&["--bench-nvml", "--format", "json"], arguments].concat();
    serde_json::from_str(&machine.says(&arguments, 0)).unwrap()
}

fn row<'a>(functions: &'a Value, name: &str) -> &'a Value {
    functions.as_array().unwrap().iter().find(|row| row["function"] == name).unwrap()
}

#[test]
fn each_call_of_each_gpu_has_its_times_or_its_reason() {
    let machine = Machine::preset("h100-mig");
    let bench = bench(&machine, &[]);
    assert_eq!(bench["schema"], "nvsdk-top-bench/1");
    assert_eq!(row(&bench["functions"], "nvmlInitWithFlags")["calls"], 1);
    for gpu in bench["gpus"].as_array().unwrap() {
        let power = row(&gpu["functions"], "nvmlDeviceGetPerformanceState");
        assert!(power["calls"] == 100 && power["absent"].is_null(), "{power}");
        let times = ["median", "p99", "worst"]
            .map(|name| power[format!("{name}_microseconds")].as_f64().unwrap());
        assert!(0.0 < times[0] && times.is_sorted(), "{power}");
        let fan = row(&gpu["functions"], "nvmlDeviceGetNumFans");
        assert!(fan["calls"].as_u64() >= Some(1), "{fan}");
    }
    let table = machine.says(&["--bench-nvml"], 0);
    assert!(
        table.contains("nvmlDeviceGetPerformanceState  ") && table.contains("MEDIAN"),
        "{table}"
    );
}

#[test]
fn what_is_slow_is_called_less_often_and_what_is_not_supported_once() {
    let preset = fake_nvml::preset_toml("laptop").unwrap();
    let slow = "[[fault]]\nfn = \"nvmlDeviceGetPerformanceState\"\nlatency = \"300ms\"\nlatency_real = true\n";
    let machine = Machine::scenario(&format!("{preset}\n{slow}"));
    let bench = bench(&machine, &[]);
    let functions = &bench["gpus"][0]["functions"];
    let power = row(functions, "nvmlDeviceGetPerformanceState");
    assert!(power["calls"].as_u64() < Some(10), "{power}");
    assert!(power["median_microseconds"].as_f64() >= Some(300_000.0), "{power}");
    let limits = row(functions, "nvmlDeviceGetPowerManagementLimitConstraints");
    assert_eq!((&limits["absent"], &limits["calls"]), (&"not_supported".into(), &1.into()));
}

#[test]
fn a_gpu_that_sleeps_is_left_alone_unless_it_is_to_be_woken() {
    let machine = Machine::preset("laptop");
    write_pci_gpu(&machine.root(), "0000:01:00.0", "suspended");
    let asleep = bench(&machine, &[]);
    assert_eq!(asleep["gpus"][0]["absent"], "asleep");
    assert!(asleep["gpus"][0]["functions"].is_null());
    let woken = bench(&machine, &["--wake"]);
    assert!(woken["gpus"][0]["functions"].is_array());
}

#[test]
fn it_needs_a_driver_and_is_for_itself() {
    let output = program(&["--bench-nvml", "--nvml-lib", "/nowhere/lib.so"]).output().unwrap();
    assert!(sentence(&output, 3).contains("/nowhere/lib.so"));
    for wrong in [["--bench-nvml", "--demo"], ["--bench-nvml", "--once"]] {
        let output = program(&wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
