//! Setup as a whole: machines and configurations that are made up, choices, and what is planned for them.

mod flakes;
mod plans;
mod round_trip;
mod rows;
mod theirs;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::declared::{Configuration, Entry, Found, Limits};
use super::facts::{self, Evidence, Facts, Gpu, GpuArchitecture, Surroundings};
use super::{Draft, Setup, Value};
use crate::model::{Absent, Architecture, Sysroot};

/// What a new machine has in its configuration.
pub(super) const FRESH: &str = "{ ... }: { imports = [ ./hardware-configuration.nix ]; }";

/// A machine without anything.
pub(super) fn no_machine() -> Facts {
    let folder = tempfile::tempdir().unwrap();
    facts::read(&Sysroot::new(folder.path()), &Surroundings::default())
}

/// A machine with GPUs of these architectures, of an `x86_64` or another processor.
pub(super) fn machine(architectures: &[u32], likely: bool, processor: &str) -> Facts {
    fn none<T>() -> Evidence<T> {
        Evidence::new("made up", Err(Absent::NotFound))
    }
    let gpu = |number: &u32| Gpu {
        index: none(),
        pci_bus_id: none(),
        prime_bus_id: none(),
        pci_device_id: none(),
        kernel_driver: none(),
        uuid: none(),
        name: Evidence::new("made up", Ok(format!("GPU {number}"))),
        architecture: Evidence::new(
            "made up",
            Ok(GpuArchitecture { name: Architecture(*number), likely }),
        ),
        compute_capability: none(),
        mig: none(),
        persistence_mode: none(),
        gsp_firmware_version: none(),
    };
    let mut facts = no_machine();
    facts.gpus = Evidence::new("made up", Ok(architectures.iter().map(gpu).collect()));
    facts.system.machine = Evidence::new("uname", Ok(processor.to_owned()));
    facts
}

/// A folder with a configuration: `configuration.nix` and further files.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("hardware-configuration.nix", "{ }");
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn read(&self) -> Configuration {
        let entry = Entry {
            file: self.0.path().join("configuration.nix"),
            is_flake: false,
            host: None,
            this_host: None,
            found: Found::Asked,
            sysroot: Sysroot::default(),
        };
        Configuration::read(&entry, Limits::default())
    }

    pub(super) fn setup(&self, facts: Facts, choices: &[(&str, Value)]) -> Setup {
        let values = choices.iter().map(|(path, value)| ((*path).to_owned(), value.clone()));
        let draft = Draft { entry: None, values: values.collect() };
        let (setup, complaints) = Setup::new(Arc::new(facts), Some(Arc::new(self.read())), &draft);
        assert_eq!(complaints, [""; 0]);
        setup
    }

    /// Writes what is planned, with the import line that the user would write.
    pub(super) fn apply(&self, setup: &Setup) -> String {
        assert!(
            setup
                .configuration
                .as_ref()
                .is_some_and(|read| read.entry.file.starts_with(self.path()))
        );
        let plan = setup.plan();
        assert_eq!(plan.refusals, []);
        let file = plan.file.unwrap();
        fs::write(file.path.as_ref().unwrap(), &file.after).unwrap();
        if let Some(importer) = file.importer {
            let text = fs::read_to_string(&importer).unwrap();
            fs::write(importer, text.replacen("imports = [", "imports = [ ./nvsdk-top.nix", 1))
                .unwrap();
        }
        file.after
    }
}

/// A configuration of one file.
pub(super) fn setup(text: &str, facts: Facts, choices: &[(&str, Value)]) -> Setup {
    Folder::of(&[("configuration.nix", text)]).setup(facts, choices)
}

pub(super) const ON: Value = Value::Bool(true);
pub(super) const OFF: Value = Value::Bool(false);

pub(super) fn word(word: &str) -> Value {
    Value::Text(word.to_owned())
}

pub(super) fn words(words: &[&str]) -> Value {
    Value::List(words.iter().map(|word| (*word).to_owned()).collect())
}
