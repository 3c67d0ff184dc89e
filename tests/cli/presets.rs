//! One sample of each fake machine: what stands in `snapshots/` was compared with the machine by eye.

use crate::common::write_pci_gpu;
use crate::support::Machine;

/// What differs from run to run and from machine to machine. The machine's own keys are indented by four spaces, those
/// of GPUs and processes by six.
const FILTERS: [(&str, &str); 7] = [
    (r#""time": "[^"]+""#, r#""time": "[time]""#),
    (r#""(monotonic|age)_microseconds": \d+"#, r#""${1}_microseconds": "[time]""#),
    (r#"(?s),\n      "ages_microseconds": \{.*?\}"#, ""),
    (r#"(?s),\n  "cost": \{.*?\n  \}"#, ""),
    (r#"(?m)^    "(name|kernel)": ".*""#, r#"    "$1": "[$1]""#),
    (r#"(?m)^    "library": ".*""#, r#"    "library": "[library]""#),
    (r#""user_id": \d+"#, r#""user_id": "[id]""#),
];

fn assert_once(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (what, instead) in FILTERS {
        settings.add_filter(what, instead);
    }
    settings.bind(|| insta::assert_snapshot!(format!("once__{name}"), text));
}

/// What the preset says in its TOML behind `key = `, for the first that says so.
fn fact<'a>(preset: &'a str, key: &str) -> Option<&'a str> {
    let value = preset.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
    Some(value.trim_matches('"'))
}

/// The preset with a `/proc` that goes with it: its kernel driver, and its first process.
fn machine(name: &str) -> Machine {
    let preset = fake_nvml::preset_toml(name).unwrap();
    let machine = Machine::preset(name);
    machine.write_totals();
    machine.write_kernel_driver(fact(preset, "driver").unwrap(), name != "old-driver");
    if let Some((pid, path)) = fact(preset, "pid")
        .zip(fact(&preset[preset.find("[[gpu.process]]").unwrap_or(0)..], "name"))
    {
        let name = path.rsplit('/').next().unwrap();
        machine.write_process(pid.parse().unwrap(), name, &[path, "--for", "a test"]);
    }
    machine
}

#[test]
fn once_of_every_preset() {
    for preset in fake_nvml::presets() {
        let machine = machine(preset);
        if *preset == "laptop" {
            write_pci_gpu(&machine.root(), "0000:01:00.0", "active");
        }
        assert_once(preset, &machine.says(&["--once", "--pretty"], 0));
    }
}

#[test]
fn a_laptop_whose_gpu_sleeps_is_told_without_the_library() {
    let machine = machine("laptop");
    write_pci_gpu(&machine.root(), "0000:01:00.0", "suspended");
    let information = "Model: \t\t NVIDIA GeForce RTX 4060 Laptop GPU\nGPU UUID: \t GPU-????????-????-????-????-????????????\n";
    machine.write("/proc/driver/nvidia/gpus/0000:01:00.0/information", information);
    let calls = machine.folder.path().join("calls");
    let mut command = machine.command(&["--once", "--pretty"]);
    let output = command.env("FAKE_NVML_CALLS", &calls).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    assert_once("laptop_asleep", &String::from_utf8(output.stdout).unwrap());
    assert!(!calls.exists(), "the library was called");

    // The same file does come to be once there is something to call for.
    write_pci_gpu(&machine.root(), "0000:01:00.0", "active");
    let output = machine.command(&["--once"]).env("FAKE_NVML_CALLS", &calls).output().unwrap();
    assert!(output.status.success());
    assert!(calls.exists());
}
