//! NVIDIA's own Python bindings read the same library, and every number must be the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use nvsdk_top::model::Metric;
use serde_json::Value;

use crate::skip::{say, skip};
use crate::support::Machine;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/witness/read_nvml.py");

/// Keys of a GPU that NVML does not answer: the program's own.
const OWN: [&str; 5] = ["state", "health", "absent", "age_microseconds", "ages_microseconds"];
/// Keys of a process that NVML's lists answer; the others come from the host or from samples between two calls.
const OF_PROCESSES: [&str; 6] =
    ["pid", "gpu_index", "type", "gpu_memory_bytes", "gpu_instance", "compute_instance"];

/// A number of its own for each metric and GPU, so that one taken for another is seen. They lie where they can be real.
const NUMBERS: &str = r#"
[each.metrics]
util = "ramp(period=100s, lo=0, hi=100, phase={i}*3s) + 61"
mem_util = "ramp(period=100s, lo=0, hi=100, phase={i}*2s) + 17"
encoder = 31
decoder = 43
temperature = "ramp(period=100s, lo=0, hi=100, phase={i}*1s) + 53"
fan = 107
power = "234567mW"
energy = "ramp(period=100s, lo=0, hi=1000000, phase={i}*1s) + 5123456789123"
graphics_clock = 1401
sm_clock = 1373
memory_clock = 2503
video_clock = 1249
pstate = 3
clock_reasons = 0x10000000d6f
memory_used = "3001MiB"
pcie_generation = 2
pcie_width = 4
pcie_tx = 1234567000
pcie_rx = 2345678000
"#;

/// Processes in every list and in two, of unknown size, and more than a first guess has room for.
const PROCESSES: &str = r#"
[[gpu]]
preset = "rtx4090"
process = [
    { pid = 11, kind = "MPS", mem = "11MiB" },
    { pid = 12, kind = "G" },
    { pid = 13, kind = "C+G", mem = "13MiB" },
    { pid = 4194303, kind = "C", mem = "17GiB" },
    { pid = 21 }, { pid = 22 }, { pid = 23 }, { pid = 24 }, { pid = 25 }, { pid = 26 }, { pid = 27 }, { pid = 28 },
    { pid = 31 }, { pid = 32 }, { pid = 33 }, { pid = 34 }, { pid = 35 }, { pid = 36 }, { pid = 37 }, { pid = 38 },
]
"#;

/// A Python that has nvidia-ml-py, if there is one.
fn python() -> Option<OsString> {
    let own = || {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
        path.exists().then(|| path.into_os_string())
    };
    let python = std::env::var_os("NVSDK_TOP_PYTHON").or_else(own)?;
    let found = Command::new(&python).args(["-c", "import pynvml"]).output();
    found.is_ok_and(|output| output.status.success()).then_some(python)
}

/// What the witness reads of the machine.
fn testimony(python: &OsString, machine: &Machine) -> Value {
    let folder: PathBuf = machine.variant.library.parent().unwrap().to_owned();
    let mut command = Command::new(python);
    command.arg(SCRIPT).env_clear().env("LD_LIBRARY_PATH", folder);
    command
        .env("FAKE_NVML_SCENARIO", &machine.variant.scenario)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A number is the same whether it is written as a whole or with a point.
fn is_same(ours: &Value, theirs: &Value) -> bool {
    match (ours.as_f64(), theirs.as_f64()) {
        (Some(ours), Some(theirs)) => ours.to_bits() == theirs.to_bits(),
        _ if theirs.get("error").is_some() => ours.is_null(),
        _ => ours == theirs,
    }
}

/// What NVML says of the link of a chip beside the processor is true of no link, and is left out on purpose.
fn is_no_link(ours: &Value, key: &str, theirs: &Value) -> bool {
    ours["absent"][key] == "integrated" && theirs.is_number()
}

/// Compares the keys of one object, and adds what differs to the list.
fn compare<'a>(
    place: &str,
    ours: &Value,
    theirs: &Value,
    keys: impl Iterator<Item = &'a str>,
    differences: &mut Vec<String>,
) -> usize {
    let mut compared = 0;
    for key in keys {
        compared += 1;
        let (our, their) = (&ours[key], theirs.get(key));
        if !their.is_some_and(|their| is_same(our, their) || is_no_link(ours, key, their)) {
            differences.push(format!("{place} {key}: {our}, and the witness says {their:?}"));
        }
    }
    compared
}

/// Whether the key is of a metric that is made of two readings.
fn is_made(key: &str) -> bool {
    let is_it = |id: &str| match id.split_once("{}") {
        Some((start, end)) => key.starts_with(start) && key.ends_with(end),
        None => key == id,
    };
    let mut specs = Metric::ALL.iter().map(|metric| metric.spec());
    specs.any(|spec| spec.kind.needs_two_readings() && is_it(spec.id))
}

fn keys(object: &Value) -> impl Iterator<Item = &str> {
    object.as_object().unwrap().keys().map(String::as_str)
}

/// How many values of the machine are the same, if all are.
fn agreed(python: &OsString, name: &str, machine: &Machine) -> usize {
    let (ours, theirs) = (machine.once(0), testimony(python, machine));
    let mut differences = Vec::new();
    let driver = keys(&theirs["driver"]);
    let mut compared = compare(name, &ours["driver"], &theirs["driver"], driver, &mut differences);
    for (list, asks) in [("gpus", None), ("processes", Some(OF_PROCESSES))] {
        let (ours, theirs) = (ours[list].as_array().unwrap(), theirs[list].as_array().unwrap());
        assert_eq!(ours.len(), theirs.len(), "{name}: {list}\n{ours:?}\n{theirs:?}");
        for (number, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            // Every key that either side has.
            let both = keys(ours).chain(keys(theirs).filter(|key| ours.get(key).is_none()));
            let asked = both.filter(|key| match asks {
                Some(keys) => keys.contains(key),
                None => !OWN.contains(key) && !is_made(key),
            });
            let place = format!("{name} {list}[{number}]");
            compared += compare(&place, ours, theirs, asked, &mut differences);
        }
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    compared
}

#[test]
fn nvidia_ml_py_reads_the_same_numbers() {
    let test = "witness_nvidia_ml_py";
    let Some(python) = python() else {
        return skip(test, "nvidia-ml-py, in .venv or in the Python of NVSDK_TOP_PYTHON");
    };
    let mut compared = 0;
    for preset in fake_nvml::presets() {
        let plain = format!("preset = {preset:?}\n");
        let numbered = plain.clone() + NUMBERS;
        let deprecated = plain.clone() + "[lib]\ncuda14 = true\n";
        for (variant, toml) in [("", plain), (" numbered", numbered), (" cuda14", deprecated)] {
            compared += agreed(&python, &format!("{preset}{variant}"), &Machine::scenario(&toml));
        }
    }
    compared += agreed(&python, "processes", &Machine::scenario(PROCESSES));
    say(&format!("{test}: {compared} values compared, all the same"));
    // Over 70 of each of 15 GPUs, three times, and the processes.
    assert!(compared > 3000, "{compared}");
}
