//! Which errors keep a change from being written, and which are only shown.

use super::*;
use crate::setup::tests::Folder;

#[test]
fn what_stops_the_evaluation_is_in_the_way_of_every_change() {
    assert!(
        crate::setup::checks::EVERY
            .iter()
            .eq(crate::setup::OPTIONS.iter().map(|option| &option.path))
    );
    let text = "{ hardware.opengl.driSupport = true; }";
    let objections = |choices: &[(&str, Value)]| {
        let setup = setup(text, gpus(&[9]), choices);
        assert_eq!(found(&setup, "old-option"), Some(Error));
        setup.objections(&setup.plan(), true).len()
    };
    assert_eq!((objections(&[("podman", ON)]), objections(&[])), (1, 0));
}

#[test]
fn an_error_is_in_the_way_of_what_it_is_about_alone() {
    let text = "{ services.xserver.videoDrivers = [ \"nvidia\" ]; hardware.nvidia.open = true; }";
    let objections = |choices: &[(&str, Value)]| {
        let setup = setup(text, gpus(&[5]), choices);
        assert_eq!(found(&setup, "open-before-turing"), Some(Error));
        setup.objections(&setup.plan(), true)
    };
    assert_eq!(objections(&[("podman", ON)]), [""; 0]);
    assert_eq!(objections(&[]), [""; 0]);
    for choice in [("driver.package", word("latest")), ("datacenter", ON)] {
        let objections = objections(from_ref(&choice));
        assert!(objections.iter().any(|it| it.contains("set driver.open to false")), "{choice:?}");
    }
    let fresh = setup(FRESH, gpus(&[5]), &[("enable", ON), ("driver.open", ON)]);
    let objections = fresh.objections(&fresh.plan(), false);
    assert_eq!(objections.len(), 1, "{objections:?}");
}

#[test]
fn an_error_in_our_own_file_does_not_keep_it_from_being_written() {
    let folder = Folder::of(&[("configuration.nix", FRESH)]);
    let fits = folder.setup(gpus(&[6]), &[("enable", ON), ("driver.open", ON)]);
    folder.apply(&fits);
    // The GPU was exchanged for an older one.
    let other = folder.setup(gpus(&[5]), &[("podman", ON)]);
    assert_eq!(found(&other, "open-before-turing"), Some(Error));
    assert_eq!(other.objections(&other.plan(), true), [""; 0]);
    let worse = folder.setup(gpus(&[5]), &[("driver.package", word("legacy_470"))]);
    assert!(!worse.objections(&worse.plan(), true).is_empty());
}

#[test]
fn a_module_that_merely_runs_is_in_the_way_only_where_it_would_be_written() {
    let mut facts = gpus(&[10]);
    let flavour = KernelModule::Proprietary;
    let driver = LoadedDriver { version: "580.119.02".to_owned(), flavour };
    facts.driver.loaded = Evidence::new("", Ok(driver));
    let drivers = "{ services.xserver.videoDrivers = [ \"nvidia\" ]; }";
    let of = |choice| found(&setup(drivers, facts.clone(), &[choice]), "proprietary-on-blackwell");
    assert_eq!(of(("podman", ON)), None);
    assert_eq!(of(("persistenced", ON)), None);
    assert_eq!(of(("driver.package", word("production"))), Some(Error), "it is said beside it");
    let mut arm = machine(&[9], false, "aarch64");
    arm.driver.loaded = facts.driver.loaded.clone();
    let grace = setup(drivers, arm, &[("podman", ON)]);
    assert_eq!(found(&grace, "proprietary-on-grace"), None);
}

#[test]
fn upstreams_32_bit_libraries_are_forbidden_on_arm() {
    let of = |line: &str, processor, choices: &[(&str, Value)]| {
        let enabled = format!("; hardware.nvidia-sdk.enable = true; {line} }}");
        let text = UPSTREAM.replace("; }", &enabled).replace("inputs, ...", "inputs, lib, ...");
        found(&setup(&text, machine(&[9], false, processor), choices), "32-bit-on-arm")
    };
    assert_eq!(of("", "aarch64", &[]), Some(Error));
    assert_eq!(of("", "x86_64", &[]), None);
    assert_eq!(of("", "aarch64", &[("docker", ON)]), None, "what is written forbids them");
    let here = "hardware.nvidia-sdk.monitoring = true;";
    assert_eq!(of(here, "aarch64", &[("monitoring", OFF)]), Some(Error), "nothing is written");
    let off = "hardware.graphics.enable32Bit = false;";
    assert_eq!(of(off, "aarch64", &[("docker", ON)]), Some(Error), "the two differ");
    assert_eq!(of(&off.replace("false", "lib.mkForce false"), "aarch64", &[]), None);
    assert_eq!(of(&off.replace("false", "x.y"), "aarch64", &[]), None, "it may");
    assert_eq!(of("imports = [ x.y ];", "aarch64", &[]), Some(Warning), "it may be elsewhere");
}
