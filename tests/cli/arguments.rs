//! The command line, exit codes and pipes, with the demo as the machine.

use std::fs::File;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::program;

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    assert!(output.stderr.is_empty());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs what must fail with this code, and gives what it says.
fn fails(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_wrong_command_line_is_2() {
    assert!(fails(&["--onse"], 2).contains("--once"));
    let presets = fails(&["--once", "--demo=v100"], 2);
    for preset in ["geforce", "laptop", "laptop-asleep", "h100", "mig", "gb10"] {
        assert!(presets.contains(preset), "{presets}");
    }
    assert!(fails(&["--once", "--select", "power_drw_watts"], 2).contains("power_draw_watts"));
    assert!(fails(&["--once", "--demo", "--format", "xml"], 2).contains("json"));
    for alone in [&["--pretty"][..], &["--fast"], &["--select", "host"], &["--format", "table"]] {
        assert!(fails(alone, 2).contains("--once"), "{alone:?}");
    }
    assert!(fails(&["--once", "--demo", "--pretty", "--format", "table"], 2).contains("--pretty"));
}

#[test]
fn a_number_below_zero_is_told_what_is_wanted() {
    for (option, words) in [
        ("--interval", "is no time; write seconds"),
        ("--span", "there are 1m, 5m"),
        ("--gpus", "names no GPU"),
    ] {
        assert!(fails(&["--demo", option, "-1"], 2).contains(words), "{option}");
    }
}

#[test]
fn an_argument_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let odd = std::ffi::OsStr::from_bytes(b"--select=\xff\x1b[2J");
    let output = program(&["--once", "--demo"]).arg(odd).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = program(&["--once", "--demo"]).env("NVSDK_TOP_NVML", "").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn without_once_it_says_that_there_is_no_monitor() {
    let message = fails(&["--demo"], 2);
    assert!(message.starts_with("nvsdk-top: ") && message.lines().count() == 1, "{message}");
    assert!(message.contains("--once"));
}

#[test]
fn help_and_version_are_no_failures() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    for (exit, meaning) in nvsdk_top::cli::EXIT_CODES {
        assert!(help.contains(&format!("  {}  {meaning}", *exit as u8)), "{help}");
    }
    let version = String::from_utf8(run(&["--version"]).stdout).unwrap();
    assert_eq!(version.trim(), concat!("nvsdk-top ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn once_is_one_line_and_pretty_is_many() {
    let lines =
        |arguments: &[&str]| String::from_utf8(run(arguments).stdout).unwrap().lines().count();
    assert_eq!(lines(&["--once", "--demo"]), 1);
    assert!(lines(&["--once", "--demo", "--pretty"]) > 100);
}

#[test]
fn a_rate_is_read_twice_or_left_out() {
    let power = |arguments: &[&str]| json(arguments)["gpus"][0].clone();
    let select = "--select=power_average_watts";
    let whole = power(&["--once", "--demo", select]);
    assert!(whole["power_average_watts"].as_f64().is_some_and(|watts| watts > 1.0), "{whole}");
    let fast = power(&["--once", "--demo", select, "--fast"]);
    assert!(fast["power_average_watts"].is_null());
    assert_eq!(fast["absent"]["power_average_watts"], "left_out");
}

#[test]
fn only_what_is_selected_is_written() {
    let all = json(&["--once", "--demo=mig"]);
    assert!(all["processes"].is_array() && all["host"]["cpu_percent"].is_number());
    let busy = json(&["--once", "--demo=h100", "--select", "busy_percent"]);
    assert!(busy.get("processes").is_none() && busy["host"].get("cpu_percent").is_none());
    let gpu = busy["gpus"][0].as_object().unwrap();
    assert!(gpu.contains_key("busy_percent") && !gpu.contains_key("memory_used_bytes"));
    assert!(["index", "uuid", "pci_bus_id", "name"].iter().all(|key| gpu.contains_key(*key)));
    let processes = json(&["--once", "--demo=h100", "--select", "processes"]);
    assert!(processes["processes"].as_array().is_some_and(|list| !list.is_empty()));
    assert!(processes["gpus"][0].get("busy_percent").is_none());
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        program(&["--once", "--demo"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_full_disk_is_1_and_says_so() {
    for arguments in [&["--once", "--demo"][..], &["--help"]] {
        let full = File::create("/dev/full").unwrap();
        let output = program(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.starts_with("nvsdk-top: cannot write"), "{message}");
        assert_eq!(message.lines().count(), 1);
    }
}

#[test]
fn the_table_says_that_it_is_a_demo() {
    let output = run(&["--once", "--demo=geforce", "--format", "table"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().lines().next().unwrap().contains("DEMO"));
}

#[test]
fn a_demo_can_be_asleep() {
    let gpu = json(&["--once", "--demo", "laptop-asleep"])["gpus"][0].clone();
    assert_eq!(
        (&gpu["state"], &gpu["absent"]["busy_percent"]),
        (&"asleep".into(), &"asleep".into())
    );
}

#[test]
fn metrics_lists_every_number_and_every_reason() {
    use nvsdk_top::model::{Absent, HostMetric, Metric, ProcessMetric};
    let output = run(&["metrics"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let listed = |id: &str| text.lines().any(|line| line.split(' ').next() == Some(id));
    let gpu = Metric::ALL.iter().map(|metric| metric.spec().id.replace("{}", "N"));
    let process = ProcessMetric::ALL.iter().map(|metric| metric.spec().id.to_owned());
    let host = HostMetric::ALL.iter().map(|metric| metric.spec().id.to_owned());
    let reasons = Absent::ALL.iter().map(|why| why.id().into_owned());
    for id in gpu.chain(process).chain(host).chain(reasons) {
        assert!(listed(&id), "{id}");
    }
}

#[test]
fn metrics_asks_no_driver_and_takes_no_options() {
    let output = program(&["metrics"]).env("NVSDK_TOP_NVML", "/nonexistent").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    for wrong in [&["metrics", "--once"][..], &["--once", "metrics"], &["--demo", "metrics"]] {
        fails(wrong, 2);
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert!(program(&["metrics"]).stdout(writer).status().unwrap().success());
}
