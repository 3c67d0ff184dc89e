//! Each check at, below and above its threshold.

mod blocking;
mod unsure;

use std::slice::from_ref;

use super::{CHECKS, Setup, Severity};
use crate::model::KernelModule;
use crate::setup::Value;
use crate::setup::facts::{Evidence, Facts, LoadedDriver, PciDevice, PciKind};
use crate::setup::tests::{FRESH, OFF, ON, machine, no_machine, setup, word, words};

use Severity::{Error, Warning};

/// What a check says of a setup.
fn found(setup: &Setup, id: &str) -> Option<Severity> {
    assert!(CHECKS.iter().any(|check| check.id == id), "no check {id}");
    let findings = setup.findings();
    for finding in &findings {
        assert!(
            finding.sentence.contains(": ") || finding.sentence.contains("so read"),
            "what to do: {}",
            finding.sentence
        );
        assert!(crate::setup::option(finding.option).is_some(), "{}", finding.id);
    }
    let own = findings.iter().filter(|finding| finding.id == id);
    let gravest = own.map(|finding| finding.severity).max();
    let blocks = setup.blockers().iter().any(|blocker| blocker.id == id);
    assert!(!blocks || gravest == Some(Error), "{id}");
    gravest
}

fn fresh(facts: Facts, choices: &[(&str, Value)], id: &str) -> Option<Severity> {
    found(&setup(FRESH, facts, choices), id)
}

fn gpus(architectures: &[u32]) -> Facts {
    machine(architectures, false, "x86_64")
}

#[test]
fn every_check_has_a_name_of_its_own() {
    for (place, check) in CHECKS.iter().enumerate() {
        assert!(CHECKS[..place].iter().all(|other| other.id != check.id), "{}", check.id);
        for option in check.with.iter().chain([&check.option]) {
            assert!(crate::setup::option(option).is_some(), "{}: {option}", check.id);
        }
    }
}

#[test]
fn nothing_is_found_on_a_machine_that_fits() {
    let choices =
        [("enable", ON), ("persistenced", ON), ("container.enable", ON), ("systemPackages", ON)];
    for architecture in [6, 7, 8, 9, 10, 13] {
        for release in ["25.11", "26.05"] {
            let choices = [choices.as_slice(), &[(Setup::RELEASE, word(release))]].concat();
            let setup = setup(FRESH, gpus(&[architecture]), &choices);
            assert_eq!(setup.findings(), [], "architecture {architecture}");
        }
    }
}

#[test]
fn the_open_module_needs_turing() {
    let open = |facts, value| {
        fresh(facts, &[("enable", ON), ("driver.open", value)], "open-before-turing")
    };
    assert_eq!(open(gpus(&[5]), ON), Some(Error));
    assert_eq!(open(gpus(&[6]), ON), None);
    assert_eq!(open(gpus(&[9, 5]), ON), Some(Error));
    assert_eq!(open(gpus(&[5]), OFF), None);
    assert_eq!(
        open(machine(&[5], true, "x86_64"), ON),
        Some(Warning),
        "a chip's number is a guess"
    );
}

#[test]
fn blackwell_needs_the_open_module() {
    let open = |facts, value| {
        fresh(facts, &[("enable", ON), ("driver.open", value)], "proprietary-on-blackwell")
    };
    assert_eq!(open(gpus(&[10]), OFF), Some(Error));
    assert_eq!(open(gpus(&[13]), OFF), Some(Error));
    assert_eq!(open(gpus(&[9]), OFF), None);
    assert_eq!(open(gpus(&[10]), ON), None);
    assert_eq!(open(machine(&[10], true, "x86_64"), OFF), Some(Warning));
}

#[test]
fn grace_needs_the_open_module() {
    let open = |architecture, processor, value| {
        let facts = machine(&[architecture], false, processor);
        fresh(facts, &[("enable", ON), ("driver.open", value)], "proprietary-on-grace")
    };
    assert_eq!(open(9, "aarch64", OFF), Some(Error));
    assert_eq!(open(8, "aarch64", OFF), None);
    assert_eq!(open(9, "x86_64", OFF), None);
    assert_eq!(open(9, "aarch64", ON), None);
}

#[test]
fn old_gpus_have_a_last_driver() {
    let branch = |architecture, branch: &str, release: &str| {
        let choices =
            [("enable", ON), ("driver.package", word(branch)), (Setup::RELEASE, word(release))];
        fresh(gpus(&[architecture]), &choices, "driver-too-new")
    };
    for architecture in [3, 4, 5] {
        assert_eq!(branch(architecture, "production", "25.11"), None, "580");
        assert_eq!(branch(architecture, "latest", "25.11"), Some(Error), "590");
        assert_eq!(branch(architecture, "production", "26.05"), Some(Error), "595");
        assert_eq!(branch(architecture, "legacy_580", "26.05"), None);
    }
    assert_eq!(branch(6, "latest", "26.05"), None);
    assert_eq!(branch(2, "legacy_535", "25.11"), Some(Error));
    assert_eq!(branch(2, "legacy_470", "25.11"), None);
    let default =
        fresh(gpus(&[5]), &[("enable", ON), (Setup::RELEASE, word("26.05"))], "driver-too-new");
    assert_eq!(default, Some(Error), "where no branch is named it is stable");
}

#[test]
fn blackwell_has_a_first_driver() {
    let branch = |architecture, branch: &str| {
        let choices = [("enable", ON), ("driver.package", word(branch))];
        fresh(gpus(&[architecture]), &choices, "driver-too-old")
    };
    assert_eq!(branch(10, "legacy_535"), Some(Error));
    assert_eq!(branch(9, "legacy_535"), None);
    assert_eq!(branch(10, "dc_570"), None, "570");
    assert_eq!(branch(10, "production"), None);
}

#[test]
fn a_driver_without_the_open_module() {
    let branch = |branch: &str, open, id| {
        let choices = [("enable", ON), ("driver.package", word(branch)), ("driver.open", open)];
        fresh(gpus(&[]), &choices, id)
    };
    assert_eq!(branch("legacy_470", ON, "no-open-module"), Some(Error));
    assert_eq!(branch("legacy_470", OFF, "no-open-module"), None);
    assert_eq!(branch("legacy_535", ON, "no-open-module"), None);
    let theirs = |text: &str| {
        let choices =
            [("enable", ON), ("driver.package", word("legacy_470")), ("driver.open", OFF)];
        found(&setup(text, gpus(&[]), &choices), "no-open-module")
    };
    assert_eq!(theirs("{ hardware.nvidia.open = true; }"), Some(Error), "theirs stays");
    assert_eq!(theirs("{ hardware.nvidia.open = false; }"), None);
    let both = "{ x, ... }: { hardware.nvidia.open = true; hardware.nvidia.package = x; }";
    assert_eq!(theirs(both), None, "nothing of it is written");
    assert_eq!(branch("legacy_470", OFF, "licence"), Some(Warning));
    assert_eq!(branch("legacy_535", OFF, "licence"), None);
}

#[test]
fn cuda_needs_a_driver() {
    let branch = |branch: &str, packages: &[(&str, Value)]| {
        let choices = [&[("enable", ON), ("driver.package", word(branch))], packages].concat();
        fresh(gpus(&[]), &choices, "cuda-and-driver")
    };
    let toolkit = &[("systemPackages", ON)][..];
    assert_eq!(branch("legacy_470", toolkit), Some(Error));
    assert_eq!(branch("legacy_535", toolkit), Some(Warning));
    assert_eq!(branch("legacy_580", toolkit), None);
    assert_eq!(branch("legacy_470", &[]), None);
    assert_eq!(branch("legacy_470", &[("users", words(&["alice"]))]), Some(Error));
}

const UPSTREAM: &str = "{ inputs, ... }: { imports = [ inputs.nvidia-sdk.nixosModules.default ]; }";

#[test]
fn cuda_13_is_not_for_gpus_before_turing() {
    let before = |text: &str, architecture| {
        let choices =
            [("enable", ON), ("systemPackages", ON), ("driver.package", word("legacy_580"))];
        found(&setup(text, gpus(&[architecture]), &choices), "cuda-before-turing")
    };
    assert_eq!(before(UPSTREAM, 5), Some(Warning));
    assert_eq!(before(UPSTREAM, 6), None);
    assert_eq!(before(FRESH, 5), None, "nixpkgs has CUDA 12");
}

#[test]
fn a_laptop_does_without_the_daemon() {
    let on = |battery, value| {
        let mut facts = no_machine();
        facts.system.battery = Evidence::new("", Ok(battery));
        fresh(facts, &[("persistenced", value)], "laptop-persistenced")
    };
    assert_eq!(on(true, ON), Some(Warning));
    assert_eq!((on(false, ON), on(true, OFF)), (None, None));
}

#[test]
fn a_jetson_has_another_driver() {
    let on = |tegra, value| {
        let mut facts = no_machine();
        facts.system.tegra = Evidence::new("", Ok(tegra));
        fresh(facts, &[("enable", value)], "jetson")
    };
    assert_eq!(on(true, ON), Some(Error));
    assert_eq!((on(false, ON), on(true, OFF)), (None, None));
}

#[test]
fn boards_with_switches_need_the_fabric_manager() {
    let with = |switch: bool, processor, choices: &[(&str, Value)]| {
        let mut facts = machine(&[9], false, processor);
        let text = |text: &str| text.to_owned();
        let device = PciDevice {
            kind: PciKind::NvSwitch,
            pci_bus_id: text("0000:05:00.0"),
            prime_bus_id: text("PCI:5@0:0:0"),
            pci_device_id: text("0x22a3"),
        };
        facts.other_devices = Evidence::new("", Ok(if switch { vec![device] } else { Vec::new() }));
        fresh(facts, choices, "nvswitch")
    };
    assert_eq!(with(true, "x86_64", &[("enable", ON)]), Some(Warning));
    assert_eq!(with(false, "x86_64", &[("enable", ON)]), None);
    assert_eq!(with(true, "aarch64", &[("enable", ON)]), None, "Grace takes the production branch");
    assert_eq!(with(true, "x86_64", &[("datacenter", ON)]), None);
}

#[test]
fn datacenter_goes_without_displays_and_with_its_branches() {
    let dc = ("datacenter", ON);
    let branch = |name: &str| ("driver.package", word(name));
    let facts = || gpus(&[9]);
    assert_eq!(fresh(facts(), &[dc.clone(), ("enable", ON)], "two-drivers"), Some(Error));
    assert_eq!(fresh(facts(), from_ref(&dc), "two-drivers"), None);
    assert_eq!(fresh(loaded(), from_ref(&dc), "two-drivers"), None, "it is not declared");
    assert_eq!(
        fresh(facts(), &[dc.clone(), branch("production")], "datacenter-branch"),
        Some(Error)
    );
    assert_eq!(fresh(facts(), &[dc.clone(), branch("dc_580")], "datacenter-branch"), None);
    assert_eq!(fresh(facts(), from_ref(&dc), "datacenter-branch"), None, "nixpkgs takes dc itself");
    assert_eq!(fresh(facts(), &[("enable", ON), branch("dc")], "datacenter-branch"), Some(Error));
    let mut runs = loaded();
    let unit = "nvidia-fabricmanager.service";
    let manager = runs.services.iter_mut().find(|service| service.name == unit).unwrap();
    manager.pids = Evidence::new("", Ok(vec![700]));
    assert_eq!(fresh(runs.clone(), &[("podman", ON)], "datacenter-branch"), None, "it only runs");
    assert_eq!(fresh(runs, &[("enable", ON)], "datacenter-branch"), None, "it is left");
    let arm = || machine(&[9], false, "aarch64");
    assert_eq!(fresh(arm(), from_ref(&dc), "datacenter-platform"), Some(Error));
    assert_eq!(fresh(facts(), from_ref(&dc), "datacenter-platform"), None);
    assert_eq!(found(&setup(UPSTREAM, facts(), from_ref(&dc)), "datacenter-upstream"), Some(Error));
    assert_eq!(fresh(facts(), &[dc], "datacenter-upstream"), None);
}

#[test]
fn the_container_toolkit_needs_the_driver() {
    let container = |text: &str, choices: &[(&str, Value)]| {
        let choices = [&[("container.enable", ON)], choices].concat();
        found(&setup(text, no_machine(), &choices), "container-without-driver")
    };
    assert_eq!(container("{ }", &[]), Some(Error));
    assert_eq!(
        container("{ imports = [ x.y ]; }", &[]),
        Some(Warning),
        "it may be where nothing was read"
    );
    assert_eq!(container("{ }", &[("enable", ON)]), None);
    assert_eq!(container("{ }", &[("datacenter", ON)]), None);
    assert_eq!(container(BY_EXPRESSION, &[]), None, "the expression may have it");
    assert_eq!(container("{ x, ... }: { hardware.nvidia.datacenter.enable = x; }", &[]), None);
    let suppressed = "{ hardware.nvidia-container-toolkit.suppressNvidiaDriverAssertion = true; }";
    assert_eq!(container(suppressed, &[]), None);

    let choices = [("container.enable", ON)];
    let running = |text| found(&setup(text, loaded(), &choices), "container-without-driver");
    assert_eq!(running("{ }"), Some(Error), "it runs, and nothing declares it");
    assert_eq!(running("{ imports = [ x.y ]; }"), None, "what was not read may declare it");
}

/// A machine that runs a driver.
fn loaded() -> Facts {
    let mut facts = gpus(&[9]);
    let driver = LoadedDriver { version: "580.119.02".to_owned(), flavour: KernelModule::Open };
    facts.driver.loaded = Evidence::new("", Ok(driver));
    facts
}

/// Drivers that would have to be evaluated.
const BY_EXPRESSION: &str = "{ lib, ... }: { services.xserver.videoDrivers = [ \"nvidia\" ] ++ lib.optional true \"modesetting\"; }";

#[test]
fn a_user_has_to_be_declared() {
    let users = |text: &str| {
        found(&setup(text, no_machine(), &[("users", words(&["alice", "bob"]))]), "unknown-user")
    };
    let both =
        "{ users.users.alice.isNormalUser = true; users.users.bob = { isNormalUser = true; }; }";
    assert_eq!(users(both), None);
    assert_eq!(users("{ users.users.alice.isNormalUser = true; }"), Some(Error));
    assert_eq!(users("{ imports = [ x.y ]; }"), Some(Warning));
    assert_eq!(users("{ name, ... }: { users.users.${name} = { }; }"), Some(Warning));
    assert_eq!(users("{ users.users = import ./users.nix; }"), Some(Warning));
    let root = setup("{ }", no_machine(), &[("users", words(&["root"]))]);
    assert_eq!(found(&root, "unknown-user"), None);
}

#[test]
fn unfree_packages_have_to_be_permitted() {
    let none = |text: &str| {
        found(
            &setup(text, no_machine(), &[("enable", ON), ("unfree", word("none"))]),
            "unfree-refused",
        )
    };
    assert_eq!(none("{ }"), Some(Error));
    assert_eq!(none("{ imports = [ x.y ]; }"), Some(Warning));
    assert_eq!(none("{ nixpkgs.config.allowUnfree = true; }"), None);
    assert_eq!(none("{ nixpkgs.config = { allowUnfreePackages = [ ]; }; }"), None);
    let list = setup("{ }", no_machine(), &[("enable", ON)]);
    assert_eq!(found(&list, "unfree-refused"), None);
}

#[test]
fn old_options_are_shown_with_their_place() {
    let old = |text: &str| found(&setup(text, no_machine(), &[]), "old-option");
    assert_eq!(old("{ hardware.opengl.enable = true; }"), Some(Warning));
    assert_eq!(old("{ hardware.opengl.driSupport = true; }"), Some(Error));
    assert_eq!(old("{ hardware.nvidia-sdk.cudaVersion = \"13\"; }"), Some(Error));
    assert_eq!(old("{ hardware.nvidia-sdk.nvidiaPersistenced = true; }"), Some(Error));
    assert_eq!(old("{ virtualisation.docker.enableNvidia = true; }"), Some(Warning));
    assert_eq!(old("{ virtualisation.docker.enableNvidia = false; }"), None);
    assert_eq!(old("{ hardware.graphics.enable = true; }"), None);
    let setup = setup("{\n virtualisation.podman.enableNvidia = true; }", no_machine(), &[]);
    assert!(setup.findings()[0].sentence.contains("configuration.nix:2"));
}

#[test]
fn arm_has_no_32_bit_libraries() {
    let arm = |text: &str, processor| {
        found(&setup(text, machine(&[9], false, processor), &[]), "32-bit-on-arm")
    };
    let on = "{ hardware.graphics.enable32Bit = true; }";
    assert_eq!(arm(on, "aarch64"), Some(Error));
    assert_eq!(arm(on, "x86_64"), None);
    assert_eq!(arm("{ hardware.graphics.enable32Bit = false; }", "aarch64"), None);
    let declared =
        "{ nixpkgs.hostPlatform = \"x86_64-linux\"; hardware.graphics.enable32Bit = true; }";
    assert_eq!(arm(declared, "aarch64"), None, "the machine that it is for");
}

#[test]
fn what_upstreams_module_sets_is_not_set_beside_it() {
    let clash = |line: &str| {
        let text =
            UPSTREAM.replace("; }", &format!("; hardware.nvidia-sdk.enable = true; {line} }}"));
        let text = text.replace("inputs, ...", "inputs, lib, config, ...");
        found(&setup(&text, no_machine(), &[]), "upstream-clash")
    };
    assert_eq!(clash("hardware.nvidia.nvidiaPersistenced = true;"), Some(Error));
    assert_eq!(clash("hardware.nvidia.nvidiaPersistenced = false;"), None);
    assert_eq!(clash("hardware.nvidia.nvidiaPersistenced = lib.mkForce true;"), None);
    assert_eq!(clash("hardware.nvidia.package = config.x;"), Some(Error));
    assert_eq!(clash("hardware.nvidia.modesetting.enable = true;"), None);
    assert_eq!(clash(""), None);
    assert_eq!(clash("hardware.nvidia.open = true;"), None, "upstream's default");
    assert_eq!(clash("hardware.nvidia.open = false;"), Some(Error));
    let off = "hardware.nvidia-sdk.driver.open = false;";
    assert_eq!(clash(&format!("{off} hardware.nvidia.open = false;")), None);
    assert_eq!(clash(&format!("{off} hardware.nvidia.open = true;")), Some(Error));
    assert_eq!(clash("hardware.nvidia-container-toolkit.enable = true;"), None);
    assert_eq!(clash("hardware.nvidia-container-toolkit.enable = false;"), Some(Error));
    for unsure in ["lib.mkIf config.x false", "config.x", "lib.mkIf config.x (lib.mkDefault true)"]
    {
        let expected = (!unsure.contains("mkDefault")).then_some(Warning);
        assert_eq!(clash(&format!("hardware.nvidia.open = {unsure};")), expected, "{unsure}");
    }
    let sure = "hardware.nvidia-sdk.driver.open = config.x; hardware.nvidia.open = true;";
    assert_eq!(clash(sure), Some(Warning), "what upstream sets cannot be told");
}
