//! What the program shows of each configuration as it is, held against what the configuration evaluates to.

use std::fs;

use nvsdk_top::setup::{Mode, OPTIONS};
use serde_json::Value as Json;

use super::existing::CONFIGURATIONS;
use super::machines::{MACHINES, machine};
use super::yielded::{Expectations, Expected};
use super::{Question, RELEASES, evaluate_all, is_there};
use crate::support::program;

/// A value of an option as the program's JSON has it.
fn value(json: &Json) -> nvsdk_top::setup::Value {
    serde_json::from_value(json.clone()).unwrap()
}

#[test]
fn each_configuration_is_shown_as_it_evaluates() {
    if !is_there("each_configuration_is_shown_as_it_evaluates") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut expectations, mut declared) = (Expectations::default(), 0);
    let (facts, system) = machine(MACHINES[0]);
    let file = folder.path().join("facts.json");
    fs::write(&file, serde_json::to_vec(&*facts).unwrap()).unwrap();
    for (number, existing) in CONFIGURATIONS.iter().enumerate() {
        let checkout = existing.copy_to(folder.path().join(number.to_string()), system);
        let mut command = program(&["setup", "show", "--json", "--facts"]);
        command.arg(&file).args(checkout.entry()).env("HOME", folder.path());
        command.env("XDG_STATE_HOME", folder.path());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{}: {said}", existing.name());
        let shown: Json = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(shown["plan"]["file"], Json::Null, "{}: nothing was chosen", existing.name());
        let is_snippet = shown["mode"] == "snippet";
        let options = OPTIONS.iter().zip(shown["options"].as_array().unwrap());
        let values: Vec<_> = options
            .filter(|(_, shown)| shown["declared"]["state"] == "value")
            .map(|(option, shown)| (option.path, value(&shown["declared"]["value"])))
            .collect();
        declared += values.len();
        let mode = if is_snippet { Mode::Snippet } else { Mode::Standalone };
        for release in RELEASES {
            let name = format!("{}, {release}", existing.name());
            let expected = Expected::Values(values.clone(), mode);
            expectations.add(name, checkout.question(release), expected);
        }
    }
    assert!(declared > 40, "{declared}");
    expectations.check();
}

/// As NixOS has it: whoever hands packages over configures them there.
#[test]
fn packages_that_are_handed_to_a_host_are_not_configured_beside_it() {
    if !is_there("packages_that_are_handed_to_a_host_are_not_configured_beside_it") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("unfree.nix");
    fs::write(&module, "{ nixpkgs.config.allowUnfree = true; }").unwrap();
    let hosts = CONFIGURATIONS.iter().filter(|it| it.folder == "helper-function");
    let checkouts: Vec<_> =
        hosts.map(|host| host.copy_to(folder.path().join(host.name()), "x86_64-linux")).collect();
    assert_eq!(checkouts.len(), 2);
    let questions: Vec<_> = checkouts
        .iter()
        .map(|checkout| Question {
            modules: vec![module.clone()],
            ..checkout.question(RELEASES[0])
        })
        .collect();
    for answer in evaluate_all(&questions) {
        let [failed] = &answer.failed_assertions[..] else { panic!("{answer:?}") };
        assert!(failed.starts_with("packages-given: "), "{failed}");
    }
}
