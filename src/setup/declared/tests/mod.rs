//! The reader against whole configurations, against every way to write the same thing, and against files that are not
//! what they should be.

mod bad_input;
mod configurations;
mod entry;
mod spelling;

use super::{Configuration, Declared, Definition, Entry, Found, Limits};
use crate::model::Sysroot;
use crate::setup::nix::{AttrPath, Expr};
use std::path::{Path, PathBuf};

const OPEN: &str = "hardware.nvidia.open";

/// The folder of one of the configurations of the tests.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configurations").join(name)
}

fn entry(file: &Path, host: Option<&str>) -> Entry {
    Entry {
        file: file.to_owned(),
        is_flake: file.ends_with("flake.nix"),
        host: host.map(str::to_owned),
        this_host: None,
        found: Found::Asked,
        sysroot: Sysroot::default(),
    }
}

fn read(file: &Path) -> Configuration {
    Configuration::read(&entry(file, None), Limits::default())
}

/// A configuration of these files; the first is where it begins.
fn written(files: &[(&str, &str)]) -> (tempfile::TempDir, Configuration) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let configuration = read(&folder.path().join(files[0].0));
    (folder, configuration)
}

fn declared(configuration: &Configuration, path: &str) -> Declared {
    configuration.declared(&AttrPath::dotted(path))
}

/// The value of an option that is known.
fn value(configuration: &Configuration, path: &str) -> Expr {
    match declared(configuration, path) {
        Declared::Value { value, .. } => value,
        other => panic!("{path}: {other}"),
    }
}

/// File name and line of a place.
fn at(definition: &Definition) -> (String, usize) {
    (name(&definition.place.file), definition.place.line)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
