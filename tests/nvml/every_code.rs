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
    let cases: usize = ["rtx4090", "h100-mig", "old-driver"].into_iter().map(run).sum();
    println!("{cases} cases of a function and an answer");
    assert!(cases > 3000, "{cases}");
}

fn check(expected: &Values, found: &Values, function: &str, code: u32) {
    let mut different = 0;
    for (key, before) in expected {
        // Without an answer to how many fans there are, there is one place for the reason.
        let Some(after) = found.get(key) else {
            assert!(key.contains("fan_"), "{function} {code}: {key} is gone");
            continue;
        };
        assert!(is_honest(*before, *after), "{function} {code}: {key} {before:?} became {after:?}");
        different += usize::from(before != after);
    }
    // A handle decides over a whole GPU and identity over what is asked of it; a getter only over what it fills.
    let decides = ["nvmlDeviceGetHandleBy", "nvmlDeviceGetName", "nvmlDeviceGetMigMode"];
    if !decides.iter().any(|prefix| function.starts_with(prefix)) {
        assert!(different <= 4, "{function} {code} changed {different} values");
    }
}

fn check_error(error: &SourceError, function: &str, code: u32) {
    let may_fail = ["nvmlInitWithFlags", "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2"];
    assert!(may_fail.contains(&function), "{function} {code}: {error}");
    let sentence = error.to_string();
    assert!(sentence.contains(';') && !sentence.contains('\n'), "{sentence}");
}
