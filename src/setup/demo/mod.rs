//! A simulated machine for Setup: the facts and the configuration of a server that waits for a reboot.

use std::sync::Arc;

use super::declared::{Asked, Configuration, Entry, Environment};
use super::facts::Facts;
use super::{Draft, Setup};
use crate::model::Sysroot;

/// The files of the simulated configuration, the entry first.
const FILES: &[(&str, &str)] = &[
    ("/etc/nixos/configuration.nix", include_str!("configuration.nix")),
    ("/etc/nixos/hardware-configuration.nix", include_str!("hardware-configuration.nix")),
    ("/etc/nixos/gpu.nix", include_str!("gpu.nix")),
];

/// What was found out about the simulated machine.
const FACTS: &str = include_str!("facts.json");

/// Setup on the simulated machine. The same at every call, and nothing is read from the disk for it.
///
/// # Errors
/// The facts that the program comes with are not those that it reads; a test makes sure that they are.
pub fn setup() -> Result<Setup, serde_json::Error> {
    let facts = facts()?;
    Ok(Setup::new(Arc::new(facts), configuration().map(Arc::new), &Draft::default()).0)
}

/// The facts of the simulated machine.
///
/// # Errors
/// As for [`setup`].
pub fn facts() -> Result<Facts, serde_json::Error> {
    serde_json::from_str(FACTS)
}

/// The configuration of the simulated machine.
fn configuration() -> Option<Configuration> {
    let (file, _) = FILES.first()?;
    let asked = Asked { config: Some(file.into()), flake: None };
    let entry = Entry::find(&asked, &Environment::default(), &Sysroot::default())?;
    Some(Configuration::of_texts(&entry, FILES))
}

#[cfg(test)]
mod tests {
    use super::setup;
    use crate::setup::{Stated, Value};

    #[test]
    fn the_simulated_machine_has_something_to_say_of_most_options() {
        let setup = setup().unwrap();
        let read = setup.configuration.as_deref().unwrap();
        assert_eq!((read.files.len(), &read.problems[..]), (3, &[][..]));
        let stated = |path| setup.row(path).unwrap().stated.value().cloned();
        assert_eq!(stated("driver.package"), Some(Value::Text("production".to_owned())));
        assert_eq!(stated("persistenced"), Some(Value::Bool(true)));
        assert!(setup.row("persistenced").unwrap().differs());
        assert!(matches!(setup.row("podman").unwrap().stated, Stated::NotFound { .. }));
        assert!(setup.plan().is_empty(), "nobody chose anything");
        assert!(!setup.facts.generations.pending().is_empty());
    }
}
