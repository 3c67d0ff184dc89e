//! What the user's own files say, and what of it is theirs to change.

use super::*;
use crate::setup::{Because, Mode, Outcome, Plan, Refusal, Severity, Stated};

const DRIVER: &str =
    "{ services.xserver.videoDrivers = [ \"nvidia\" ]; hardware.nvidia.open = true; }";

fn text(plan: &Plan) -> &str {
    plan.file.as_ref().map_or("", |file| file.after.as_str())
}

/// What stands there and what belongs there, of each change that is not written.
fn replaced(plan: &Plan) -> Vec<(&str, &str)> {
    let replaced = plan.changes.iter().filter_map(|change| match &change.outcome {
        Outcome::NotWritten { old, line, .. } => Some((old.as_str(), line.as_str())),
        _ => None,
    });
    replaced.collect()
}

fn finding(setup: &Setup, id: &str) -> Option<(Severity, String)> {
    let finding = setup.findings().into_iter().find(|finding| finding.id == id)?;
    Some((finding.severity, finding.sentence))
}

#[test]
fn what_is_shown_stands_in_the_file_and_replacing_it_declares_what_is_wanted() {
    let text = "{ lib, ... }:\n{\n  hardware.nvidia = {\n    open = lib.mkDefault false; # mine\n  };\n}\n";
    let folder = Folder::of(&[("configuration.nix", text)]);
    let before = folder.setup(no_machine(), &[("driver.open", ON)]);
    let plan = before.plan();
    let [(old, line)] = replaced(&plan)[..] else { panic!("{plan:?}") };
    assert_eq!(text.matches(old).count(), 1);
    folder.write("configuration.nix", &text.replace(old, line));
    let after = folder.setup(no_machine(), &[]);
    assert_eq!(after.row("driver.open").unwrap().stated.value(), Some(&ON));
}

#[test]
fn a_permission_that_goes_further_is_the_users_to_take_back() {
    let all = "{ nixpkgs.config = { allowUnfree = true; }; services.xserver.videoDrivers = [ \"nvidia\" ]; }";
    for (choice, lists) in [("list", true), ("none", false)] {
        let plan = setup(all, no_machine(), &[("unfree", word(choice))]).plan();
        assert_eq!(replaced(&plan), [("allowUnfree = true;", "allowUnfree = false;")], "{choice}");
        assert_eq!(text(&plan).contains("nvidia-x11"), lists, "{choice}");
    }
    let list = "{ nixpkgs.config.allowUnfreePackages = [ \"nvidia-x11\" ]; }";
    let plan = setup(list, no_machine(), &[("unfree", word("none"))]).plan();
    assert_eq!(replaced(&plan)[0].1, "take nixpkgs.config.allowUnfreePackages out");
    let same = setup(all, no_machine(), &[("unfree", word("all"))]).plan();
    assert!(same.is_empty());
}

#[test]
fn a_driver_that_nothing_permits_is_permitted_with_what_is_written() {
    let list = setup(DRIVER, no_machine(), &[("unfree", word("list"))]).plan();
    assert!(text(&list).contains("nvidia-x11") && text(&list).contains("nvidia-settings"));
    let choices = &[("components", words(&["cudnn"])), ("unfree", word("list"))];
    let parts = setup(DRIVER, no_machine(), choices).plan();
    assert!(text(&parts).contains("\"cudnn\"") && text(&parts).contains("nvidia-x11"));
    let permitted = DRIVER.replace("{ services", "{ nixpkgs.config.allowUnfree = true; services");
    let permitted = setup(&permitted, no_machine(), &[("components", words(&["cudnn"]))]).plan();
    assert!(!text(&permitted).contains("nvidia-x11"), "their own permission is enough");
}

#[test]
fn a_driver_that_nothing_permits_is_told_of_without_a_choice() {
    let looked = setup(DRIVER, no_machine(), &[]);
    let (severity, sentence) = finding(&looked, "unfree-refused").unwrap();
    assert_eq!(severity, Severity::Warning);
    assert!(sentence.ends_with("set unfree to list"), "{sentence}");
    assert_eq!(finding(&setup(FRESH, no_machine(), &[]), "unfree-refused"), None);
}

#[test]
fn variables_of_the_toolkit_go_together_or_not_at_all() {
    let other = "{ environment.variables.CUDA_PATH = \"/opt/cuda\"; }";
    let plan = setup(other, no_machine(), &[("systemPackages", ON)]).plan();
    assert!(text(&plan).contains("cudatoolkit") && !text(&plan).contains("CUDA_HOME"));
    assert_eq!(replaced(&plan)[0].0, "environment.variables.CUDA_PATH = \"/opt/cuda\";");
}

const UPSTREAM: &str = "{ pkgs, inputs, ... }: { imports = [ inputs.nvidia-sdk.nixosModules.default ];
    hardware.nvidia-sdk.enable = true; environment.systemPackages = with pkgs; [ cudnn cutensor ]; }";

#[test]
fn what_upstream_takes_by_itself_is_declared() {
    let setup = setup(UPSTREAM, no_machine(), &[]);
    let row = setup.row("persistenced").unwrap();
    assert_eq!(row.stated, Stated::Value { value: ON, places: Vec::new() });
    assert_eq!(row.wanted, Some((ON, Because::Declared)));
    let podman = setup.row("podman").unwrap();
    assert!(podman.stated.is_not_found(), "it is no option of upstream's");
    let off = UPSTREAM.replace("enable = true", "enable = false");
    let off = super::setup(&off, no_machine(), &[]);
    assert!(off.row("persistenced").unwrap().stated.is_not_found());
    let fresh = UPSTREAM.replace("hardware.nvidia-sdk.enable = true;", "");
    let fresh = super::setup(&fresh, no_machine(), &[("enable", ON)]);
    assert_eq!(fresh.row("persistenced").unwrap().wanted, Some((OFF, Because::Running)));
    assert!(text(&fresh.plan()).contains("persistenced = lib.mkOverride 900 true;"));
}

#[test]
fn packages_of_the_upstream_overlay_are_the_components() {
    let looked = setup(UPSTREAM, no_machine(), &[]);
    let components = looked.row("components").unwrap().stated.value().cloned();
    assert_eq!(components, Some(words(&["cudnn", "libcutensor"])));
    let choices = &[("components", words(&["cudnn", "libcutensor", "nccl"]))];
    let plan = setup(UPSTREAM, no_machine(), choices).plan();
    assert!(
        text(&plan).contains("cudaPackages.nccl") && !text(&plan).contains("cudaPackages.cudnn")
    );
    let standalone = &[(Setup::MODE, word(Mode::Standalone.word()))];
    let standalone = setup(UPSTREAM, no_machine(), standalone);
    assert!(standalone.row("components").unwrap().stated.is_not_found());
    assert!(standalone.plan().refusals.iter().all(|why| !matches!(why, Refusal::Foreign(_))));
}

#[test]
fn root_is_always_there() {
    let user = |name: &str| setup(FRESH, no_machine(), &[("users", words(&[name]))]);
    assert_eq!(finding(&user("root"), "unknown-user"), None);
    assert!(finding(&user("alice"), "unknown-user").is_some());
}

#[test]
fn components_too_need_a_driver_that_runs_them() {
    let with = |components: &[&str]| {
        let old = ("driver.package", word("legacy_470"));
        let choices =
            &[("enable", ON), old, ("driver.open", OFF), ("components", words(components))];
        finding(&setup(FRESH, machine(&[2], false, "x86_64"), choices), "cuda-and-driver")
    };
    assert_eq!(with(&["cudnn"]).unwrap().0, Severity::Error);
    assert_eq!(with(&[]), None);
}

#[test]
fn a_daemon_that_keeps_awake_what_is_to_sleep_is_told_of() {
    let text = "{ hardware.nvidia.powerManagement.finegrained = true; }";
    let daemon = |text: &str, on| {
        finding(&setup(text, no_machine(), &[("persistenced", on)]), "persistenced-finegrained")
    };
    assert!(daemon(text, ON).unwrap().1.contains("configuration.nix:1"));
    assert_eq!((daemon(text, OFF), daemon(FRESH, ON)), (None, None));
}

#[test]
fn imports_that_were_not_read_are_named() {
    let unread = |count: usize| {
        let imports = "inputs.x.y\n".repeat(count);
        let text = format!("{{ inputs, ... }}: {{ imports = [\n{imports}]; }}");
        finding(&setup(&text, no_machine(), &[]), "not-read")
    };
    assert_eq!(unread(0), None);
    let (severity, one) = unread(1).unwrap();
    assert_eq!(severity, Severity::Warning);
    assert!(one.starts_with("1 import was not read") && one.contains("configuration.nix:2 (it is"));
    assert!(unread(3).unwrap().1.contains("configuration.nix:4"));
    let five = unread(5).unwrap().1;
    assert!(five.ends_with(" and 2 more") && !five.contains("configuration.nix:5"), "{five}");
}
