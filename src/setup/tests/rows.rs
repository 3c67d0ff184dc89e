//! What is wanted, and what it still needs.

use std::slice::from_ref;

use super::*;
use crate::model::KernelModule;
use crate::setup::facts::{BuiltDriver, Distribution, LoadedDriver};
use crate::setup::{Because, Effect, Mode, Need, OPTIONS, Stated};

#[test]
fn a_look_plans_nothing() {
    let machine = || machine(&[9], false, "x86_64");
    let folder = Folder::of(&[("configuration.nix", FRESH)]);
    let looked = folder.setup(machine(), &[]);
    assert_eq!(looked.plan(), crate::setup::Plan::default());
    assert_eq!(looked.row("driver.open").unwrap().wanted, None, "nothing is wanted by default");
    let nowhere = Setup::new(Arc::new(machine()), None, &Draft::default()).0;
    assert!(nowhere.plan().is_empty());
}

#[test]
fn what_is_declared_comes_before_what_runs() {
    let text = "{ hardware.nvidia.nvidiaPersistenced = true; }";
    let setup = setup(text, no_machine(), &[]);
    let row = setup.row("persistenced").unwrap();
    assert_eq!(row.wanted, Some((ON, Because::Declared)));
    assert_eq!(row.running.value, Some(OFF));
    assert_eq!(setup.need(row), Some(Need::Rebuild));
    let podman = setup.row("podman").unwrap();
    assert_eq!(podman.wanted, Some((OFF, Because::Running)));
    assert_eq!(setup.need(podman), None);
}

#[test]
fn what_is_built_needs_a_reboot() {
    let text = "{ services.xserver.videoDrivers = [ \"nvidia\" ]; hardware.nvidia.open = false; hardware.nvidia.nvidiaPersistenced = true; }";
    let need = |facts: Facts, path| {
        let setup = setup(text, facts, &[]);
        setup.need(setup.row(path).unwrap())
    };
    let built =
        |flavour| Evidence::new("", Ok(BuiltDriver { version: "595.71.05".to_owned(), flavour }));
    let mut facts = no_machine();
    // Another system waits for the boot, which says nothing of these options.
    facts.generations.current.store_path = Evidence::new("", Ok("a".to_owned()));
    facts.generations.next_boot.store_path = Evidence::new("", Ok("b".to_owned()));
    assert_eq!(need(facts.clone(), "enable"), Some(Need::Rebuild));
    facts.generations.next_boot.driver = built(KernelModule::Open);
    assert_eq!(need(facts.clone(), "enable"), Some(Need::Reboot));
    assert_eq!(need(facts.clone(), "persistenced"), Some(Need::Rebuild), "a switch may do");
    assert_eq!(need(facts.clone(), "driver.open"), None, "nothing runs that differs");
    let loaded = LoadedDriver { version: "595.71.05".to_owned(), flavour: KernelModule::Open };
    facts.driver.loaded = Evidence::new("", Ok(loaded));
    assert_eq!(need(facts.clone(), "driver.open"), Some(Need::Rebuild));
    facts.generations.next_boot.driver = built(KernelModule::Proprietary);
    assert_eq!(need(facts, "driver.open"), Some(Need::Reboot));
}

#[test]
fn what_only_a_file_says_that_nothing_imports_needs_the_import() {
    let folder = Folder::of(&[("configuration.nix", FRESH)]);
    let written = folder.setup(no_machine(), &[("podman", ON)]);
    let file = written.plan().file.unwrap();
    folder.write("nvsdk-top.nix", &file.after);
    let need = |path: &str| {
        let setup = folder.setup(no_machine(), &[]);
        setup.need(setup.row(path).unwrap())
    };
    assert_eq!((need("podman"), need("docker")), (Some(Need::Import), None));
    let imported = FRESH.replace("imports = [", "imports = [ ./nvsdk-top.nix");
    folder.write("configuration.nix", &imported);
    assert_eq!(need("podman"), Some(Need::Rebuild));
}

/// A driver that is taken out stays loaded until the boot.
#[test]
fn a_driver_that_is_not_built_any_more_needs_a_reboot() {
    let mut facts = no_machine();
    let loaded = LoadedDriver { version: "595.71.05".to_owned(), flavour: KernelModule::Open };
    facts.driver.loaded = Evidence::new("", Ok(loaded));
    let text = "{ hardware.nvidia-sdk.enable = false; }";
    let need = |facts: Facts| {
        let setup = setup(text, facts, &[]);
        setup.need(setup.row("enable").unwrap())
    };
    assert_eq!(need(facts.clone()), Some(Need::Rebuild), "it is not known what is built");
    facts.generations.next_boot.kernel_modules = Evidence::new("", Ok("modules".to_owned()));
    assert_eq!(need(facts), Some(Need::Reboot));
}

#[test]
fn a_choice_that_is_declared_is_none() {
    let text = "{ hardware.nvidia.open = true; }";
    let mut setup = setup(text, no_machine(), &[("driver.open", ON)]);
    assert!(!setup.row("driver.open").unwrap().is_changed());
    setup.choose("driver.open", OFF).unwrap();
    assert_eq!(setup.draft().values.len(), 1);
    setup.forget("driver.open");
    assert!(setup.draft().is_empty() && setup.plan().is_empty());
    for (path, value) in [
        ("driver.open", word("x")),
        ("no.such", ON),
        ("users", words(&["A b"])),
        ("components", words(&["x"])),
    ] {
        assert!(setup.choose(path, value).is_err(), "{path}");
    }
}

/// The first plan for a machine has to evaluate.
#[test]
fn a_driver_brings_what_it_needs() {
    let wanted = |architectures: &[u32], choices: &[(&str, Value)]| {
        let setup = setup(FRESH, machine(architectures, false, "x86_64"), choices);
        ["driver.open", "unfree"].map(|path| setup.row(path).unwrap().wanted.clone())
    };
    let needed = |value| Some((value, Because::Needed));
    let enable = ("enable", ON);
    assert_eq!(wanted(&[6], from_ref(&enable)), [needed(ON), needed(word("list"))]);
    assert_eq!(wanted(&[], from_ref(&enable)), [needed(ON), needed(word("list"))]);
    assert_eq!(wanted(&[9, 5], from_ref(&enable)), [needed(OFF), needed(word("list"))]);
    assert_eq!(wanted(&[10, 5], from_ref(&enable))[0], needed(ON), "Blackwell runs on no other");
    let old = ("driver.package", word("legacy_470"));
    assert_eq!(wanted(&[6], &[enable.clone(), old]), [needed(OFF), needed(word("list"))]);
    assert_eq!(wanted(&[6], &[("podman", ON)]), [None, None]);
    let own_word = ("unfree", word("all"));
    assert_eq!(wanted(&[6], &[enable, own_word])[1], Some((word("all"), Because::Chosen)));
}

#[test]
fn a_gpu_of_a_virtual_machine_asks_for_no_module() {
    let mut facts = machine(&[9, 5], true, "x86_64");
    let gpus = facts.gpus.fact.as_mut().unwrap();
    gpus[1].kernel_driver = Evidence::new("", Ok("vfio-pci".to_owned()));
    let setup = setup(FRESH, facts, &[("enable", ON)]);
    assert_eq!(setup.row("driver.open").unwrap().wanted, Some((ON, Because::Needed)));
}

#[test]
fn a_system_that_the_flake_writes_out_is_what_it_is_made_for() {
    let machine_of = |line: &str, module: &str| {
        let flake = format!(
            "{{ outputs = {{ nixpkgs, ... }}: {{ nixosConfigurations.a = nixpkgs.lib.nixosSystem {{ {line} modules = [ ./configuration.nix ]; }}; }}; }}"
        );
        let folder = Folder::of(&[("flake.nix", &flake), ("configuration.nix", module)]);
        let mut entry = folder.read().entry;
        entry.file = folder.path().join("flake.nix");
        entry.is_flake = true;
        let read = Configuration::read(&entry, Limits::default());
        let facts = machine(&[9], false, "x86_64");
        let draft = Draft { entry: None, values: [("datacenter".to_owned(), ON)].into() };
        let setup = Setup::new(Arc::new(facts), Some(Arc::new(read)), &draft).0;
        let is_refused = setup.blockers().iter().any(|found| found.id == "datacenter-platform");
        assert_eq!(is_refused, setup.machine().as_deref() == Some("aarch64"));
        setup.machine()
    };
    let arm = "system = \"aarch64-linux\";";
    assert_eq!(machine_of(arm, "{ }").as_deref(), Some("aarch64"));
    assert_eq!(machine_of("", "{ }").as_deref(), Some("x86_64"));
    assert_eq!(machine_of("inherit system;", "{ }").as_deref(), Some("x86_64"));
    let platform = "{ nixpkgs.hostPlatform = \"x86_64-linux\"; }";
    assert_eq!(machine_of(arm, platform).as_deref(), Some("x86_64"), "the module says it itself");
}

/// A machine with NixOS, whose driver runs.
fn with_driver() -> Facts {
    let mut facts = machine(&[9], false, "x86_64");
    let nixos = Distribution {
        id: "nixos".to_owned(),
        id_like: Vec::new(),
        version_id: "26.05".to_owned(),
        name: "NixOS".to_owned(),
    };
    facts.system.distribution = Evidence::new("", Ok(nixos));
    let built = BuiltDriver { version: "595.71.05".to_owned(), flavour: KernelModule::Open };
    facts.generations.current.driver = Evidence::new("", Ok(built));
    facts
}

/// It may be permitted by what was not read; where all was read, an environment variable is no part of the configuration.
#[test]
fn a_machine_that_runs_the_driver_permits_it_where_not_all_was_read() {
    let choices = [("enable", ON), ("systemPackages", ON)];
    let of = |text: &str| {
        let setup = setup(text, with_driver(), &choices);
        let is_told = setup.findings().iter().any(|finding| finding.id == "unfree-refused");
        let is_written = setup.plan().file.unwrap().after.contains("allowUnfree");
        (setup.row("unfree").unwrap().wanted.clone(), is_written, is_told)
    };
    assert_eq!(of(FRESH), (Some((word("list"), Because::Needed)), true, false));
    let partly = FRESH.replace("imports = [", "imports = [ x.y");
    assert_eq!(of(&partly), (Some((word("none"), Because::Running)), false, true));
    let permitted = FRESH.replace("{ imports", "{ nixpkgs.config.allowUnfree = true; imports");
    assert_eq!(of(&permitted), (Some((word("all"), Because::Declared)), false, false));
    let looked = setup(FRESH, with_driver(), &[("podman", ON)]);
    assert_eq!(looked.row("unfree").unwrap().wanted, Some((word("none"), Because::Running)));
    assert!(!looked.plan().file.unwrap().after.contains("allowUnfree"));
}

#[test]
fn a_machine_without_displays_does_without_their_settings() {
    let of = |text: &str, facts: Facts, choices: &[(&str, Value)]| {
        let plan = setup(text, facts, choices).plan();
        plan.file.unwrap().after.contains("nvidiaSettings = lib.mkOverride 900 false;")
    };
    let enable = [("enable", ON)];
    assert!(of(FRESH, with_driver(), &enable));
    assert!(!of(FRESH, with_driver(), &[("podman", ON)]), "the driver is not ours");
    let mut desktop = with_driver();
    desktop.system.display_manager = Evidence::new("", Ok(true));
    assert!(!of(FRESH, desktop, &enable));
    assert!(!of(FRESH, no_machine(), &enable), "nothing says what it shows");
    for line in ["programs.sway.enable = true;", "services.displayManager.sddm.enable = true;"] {
        assert!(!of(
            &FRESH.replace("{ imports", &format!("{{ {line} imports")),
            with_driver(),
            &enable
        ));
    }
    let partly = FRESH.replace("imports = [", "imports = [ x.y");
    assert!(!of(&partly, with_driver(), &enable), "a desktop may be there");
}

#[test]
fn the_mode_is_that_of_our_own_file_else_upstreams_where_it_is_used() {
    let mode = |text: &str| setup(text, no_machine(), &[]).mode;
    assert_eq!(mode(FRESH), Mode::Standalone);
    assert_eq!(mode("{ hardware.nvidia-sdk.enable = true; }"), Mode::Snippet);
    assert_eq!(
        mode("{ inputs, ... }: { imports = [ inputs.nvidia-sdk.nixosModules.default ]; }"),
        Mode::Snippet
    );
    let own = "# nvsdk-top:model v1 mode=standalone body=x\n{ hardware.nvidia-sdk.enable = true; }";
    assert_eq!(mode(own), Mode::Standalone);
}

#[test]
fn what_cannot_be_told_is_not_guessed() {
    for text in [
        "{ lib, ... }: { hardware.nvidia.nvidiaPersistenced = lib.mkIf true false; }",
        "{ x, ... }: { hardware.nvidia.nvidiaPersistenced = x; }",
        "{ hardware.nvidia = import ./nvidia.nix; }",
        "{ imports = [ { hardware.nvidia.nvidiaPersistenced = true; } { hardware.nvidia.nvidiaPersistenced = false; } ]; }",
    ] {
        let setup = setup(text, no_machine(), &[]);
        let row = setup.row("persistenced").unwrap();
        assert!(matches!(row.stated, Stated::Unknown { .. } | Stated::Conflict(_)), "{text}");
        assert_eq!(row.wanted, None, "{text}");
    }
}

#[test]
fn options_of_the_driver_wait_for_the_boot() {
    for option in OPTIONS {
        let expected = if option.section == "Driver" { Effect::Boot } else { Effect::Switch };
        assert_eq!(option.effect, expected, "{}", option.path);
        assert!(!option.standalone.is_empty(), "{}", option.path);
    }
}
