//! Every function that the source uses, with every answer that NVML knows: the other values stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::Machine;
use nvsdk_top::model::{Absent, Sample};
use nvsdk_top::source::SourceError;

/// Every `nvmlReturn_t` but success, and one that no header has.
fn codes() -> impl Iterator<Item = u32> {
    (1..=30).chain([777, 999])
}

/// The scenario with one function answering one code.
fn faulty(preset: &str, function: &str, code: u32) -> String {
    let scenario = fake_nvml::preset_toml(preset).unwrap();
    format!("{scenario}\n[[fault]]\nfn = \"{function}\"\ncode = {code}\n")
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

#[test]
fn no_answer_of_one_function_spoils_the_others() {
    let presets = ["rtx4090", "h100-mig", "old-driver"];
    let mut cases = 0;
    for preset in presets {
        let mut healthy = Machine::preset(preset);
        let expected = values(&healthy.sampled());
        let functions: BTreeSet<_> = healthy
            .fake
            .calls()
            .into_iter()
            .filter(|call| call.count > 0)
            .map(|call| call.function)
            .collect();
        for function in &functions {
            for code in codes() {
                cases += 1;
                let mut machine = Machine::scenario(&faulty(preset, function, code));
                match machine.whole() {
                    Ok(snapshot) => check(&expected, &values(&snapshot.sample), function, code),
                    Err(error) => check_error(&error, function, code),
                }
                assert_eq!(machine.fake.violations(), Vec::<String>::new(), "{function} {code}");
            }
        }
    }
    println!("{cases} cases of a function and an answer");
    assert!(cases > 2000, "{cases}");
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
