//! The machines of `tests/machines`: what a program on them would find out, in the program's own words.
//!
//! A file has what is there, and everything else was not found. A fact is written as its value alone, without where it
//! was read; an entry of a list that has names stands below its name.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use nvsdk_top::model::{Absent, Sysroot};
use nvsdk_top::setup::facts::{self, Evidence, Facts, Gpu, Surroundings};
use serde_json::{Value, json};

/// The machines, by the names of their files.
pub(super) const MACHINES: &[&str] = &[
    "ada-workstation",
    "ampere-docker",
    "blackwell-desktop",
    "grace-hopper",
    "hopper-server",
    "maxwell-desktop",
    "turing-laptop",
];

/// A machine of which nothing is known but its processor.
pub(super) fn unknown(system: &str) -> Arc<Facts> {
    let folder = tempfile::tempdir().unwrap();
    let machine = Ok(system.split('-').next().unwrap().to_owned());
    let surroundings = Surroundings { machine, ..Surroundings::default() };
    Arc::new(facts::read(&Sysroot::new(folder.path()), &surroundings))
}

/// A machine, and its system.
pub(super) fn machine(name: &str) -> (Arc<Facts>, &'static str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/machines/{name}.json"));
    let there: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let is_arm = there["system"]["machine"] == "aarch64";
    let mut facts = serde_json::to_value(&*unknown("x86_64-linux")).unwrap();
    join(&mut facts, there, name);
    let facts: Facts = serde_json::from_value(facts).unwrap();
    (Arc::new(facts), if is_arm { "aarch64-linux" } else { "x86_64-linux" })
}

/// Takes in what is there; a key that no fact has is a mistake in the file.
fn join(facts: &mut Value, there: Value, place: &str) {
    match (facts, there) {
        (Value::Object(fact), there) if fact.contains_key("source") => {
            fact.remove("absent");
            let gpus = place.ends_with("/gpus");
            let value = if gpus { json!(of_gpus(&there)) } else { there };
            fact.insert("value".to_owned(), value);
        }
        (Value::Object(facts), Value::Object(there)) => {
            for (key, value) in there {
                let place = format!("{place}/{key}");
                assert!(facts.contains_key(&key), "{place} is no fact");
                join(&mut facts[&key], value, &place);
            }
        }
        (Value::Array(facts), Value::Object(there)) => {
            for (name, value) in there {
                let place = format!("{place}/{name}");
                let found = facts.iter_mut().find(|fact| fact["name"] == *name);
                assert!(found.is_some(), "{place} is no fact");
                join(found.unwrap(), value, &place);
            }
        }
        (facts, there) => *facts = there,
    }
}

/// GPUs, each with all of its facts.
fn of_gpus(there: &Value) -> Vec<Value> {
    fn none<T>() -> Evidence<T> {
        Evidence::new("made up", Err(Absent::NotFound))
    }
    let unknown = Gpu {
        index: none(),
        pci_bus_id: none(),
        prime_bus_id: none(),
        pci_device_id: none(),
        kernel_driver: none(),
        uuid: none(),
        name: none(),
        architecture: none(),
        compute_capability: none(),
        mig: none(),
        persistence_mode: none(),
        gsp_firmware_version: none(),
    };
    let unknown = serde_json::to_value(unknown).unwrap();
    let gpu = |there: &Value| {
        let mut gpu = unknown.clone();
        join(&mut gpu, there.clone(), "gpu");
        gpu
    };
    there.as_array().unwrap().iter().map(gpu).collect()
}
