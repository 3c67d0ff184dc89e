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
