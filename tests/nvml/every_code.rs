//! Every function that the source uses, with every answer that NVML knows: the other values stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::Machine;
use nvsdk_top::model::{Absent, Sample};
use nvsdk_top::source::SourceError;

/// Every `nvmlReturn_t` but success, and one that no header has.
fn codes() -> impl Iterator<Item = u32> {
    (1..=30).chain([777, 999])
}

type Values = BTreeMap<String, Result<f64, Absent>>;

/// What a sample says that does not depend on when it was taken.
fn values(sample: &Sample) -> Values {
    let of_gpu = |(number, gpu): (usize, &nvsdk_top::model::GpuSample)| {
        let slots: Vec<_> = gpu.values.iter().collect();
        slots
            .into_iter()
            .map(move |(slot, reading)| (format!("{number} {}", slot.key()), reading.value))
    };
    sample.gpus.iter().enumerate().flat_map(of_gpu).collect()
}

/// Whether a value may be missing when one function fails: it is the same, told by an older function, or has a reason.
fn is_honest(before: Result<f64, Absent>, after: Result<f64, Absent>) -> bool {
    match (before, after) {
        (_, Err(why)) => why != Absent::NotReadYet,
        (Ok(before), Ok(after)) => before.to_bits() == after.to_bits() || after != 0.0,
        (Err(_), Ok(after)) => after != 0.0,
    }
}

/// Runs every function that a healthy sample of the preset calls through every code, and counts the cases.
fn run(preset: &str) -> usize {
    let mut machine = Machine::preset(preset);
    let expected = values(&machine.sampled());
    let called = machine.fake.calls().into_iter().filter(|call| call.count > 0);
    let functions: BTreeSet<_> = called.map(|call| call.function).collect();
    for function in &functions {
        for code in codes() {
            machine
                .fake
                .update(&format!("[[fault]]\nfn = \"{function}\"\ncode = {code}\n"))
                .unwrap();
            machine.restart();
            match machine.whole() {
                Ok(snapshot) => check(&expected, &values(&snapshot.sample), function, code),
                Err(error) => check_error(&error, function, code),
            }
        }
    }
    assert_eq!(machine.fake.violations(), Vec::<String>::new());
    functions.len() * codes().count()
}

#[test]
fn no_answer_of_one_function_spoils_the_others() {
    let cases: usize = std::thread::scope(|scope| {
        let runs =
            ["rtx4090", "h100-mig", "old-driver"].map(|preset| scope.spawn(move || run(preset)));
        runs.map(|run| run.join().unwrap()).into_iter().sum()
    });
    println!("{cases} cases of a function and an answer");
    assert!(cases > 3000, "{cases}");
}

fn check(expected: &Values, found: &Values, function: &str, code: u32) {
    let mut different = BTreeSet::new();
    for (key, before) in expected {
        // Without an answer to how many fans, links or instances there are, there is one place for the reason.
        let Some(after) = found.get(key) else {
            let may_go = ["fan_", "nvlink_", "gpu_instance_"].iter().any(|part| key.contains(part));
            assert!(may_go, "{function} {code}: {key} is gone");
            continue;
        };
        assert!(is_honest(*before, *after), "{function} {code}: {key} {before:?} became {after:?}");
        if before != after {
            // The links of a GPU count as one, and so do several GPUs.
            different.insert(key.replace(|c: char| c.is_ascii_digit(), ""));
        }
    }
    // A handle decides over a whole GPU, identity and the driver's version over what is asked of it; a getter only over
    // what it fills.
    let decides = [
        "nvmlDeviceGetHandleBy",
        "nvmlDeviceGetName",
        "nvmlDeviceGetMigMode",
        "nvmlDeviceGetFieldValues",
        "nvmlSystemGetDriverVersion",
    ];
    if !decides.iter().any(|prefix| function.starts_with(prefix)) {
        // One call for a sample of all counters, and one for each MIG device.
        let of_all = ["nvmlGpm", "nvmlDeviceGetMig", "nvmlDeviceGetMaxMig", "nvmlDeviceGetGpuInst"];
        let most = if of_all.iter().any(|prefix| function.starts_with(prefix)) { 40 } else { 9 };
        assert!(different.len() <= most, "{function} {code} changed {different:?}");
    }
}

fn check_error(error: &SourceError, function: &str, code: u32) {
    let may_fail = ["nvmlInitWithFlags", "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2"];
    assert!(may_fail.contains(&function), "{function} {code}: {error}");
    let sentence = error.to_string();
    assert!(sentence.contains(';') && !sentence.contains('\n'), "{sentence}");
}
