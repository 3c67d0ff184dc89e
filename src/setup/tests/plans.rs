//! What is planned: what goes into our own file, what is the user's to change, and what is refused.

use super::*;
use crate::model::KernelModule;
use crate::setup::declared::Nowhere;
use crate::setup::facts::{Evidence, LoadedDriver, SdkFile};
use crate::setup::{Mode, Outcome, Plan, Refusal, Release, demo};

fn text(plan: &Plan) -> &str {
    &plan.file.as_ref().unwrap().after
}

/// The place, what is there and the line to paste, of each change that is not written.
fn by_hand(plan: &Plan) -> Vec<(usize, &str, &str)> {
    plan.not_written()
        .map(|change| match &change.outcome {
            Outcome::NotWritten { place, is, line, .. } => (place.line, is.as_str(), line.as_str()),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn plan(text: &str, choices: &[(&str, Value)]) -> Plan {
    setup(text, machine(&[9], false, "x86_64"), choices).plan()
}

#[test]
fn a_fresh_machine_gets_a_whole_module() {
    let plan =
        plan(FRESH, &[("enable", ON), ("persistenced", ON), (Setup::RELEASE, word("26.05"))]);
    let body = text(&plan).split_once("\n{").unwrap().1;
    assert_eq!(
        format!("{{{body}"),
        "{ lib, ... }:

{
  hardware.graphics.enable = lib.mkOverride 900 true;
  hardware.nvidia = {
    open = lib.mkOverride 900 true;
    nvidiaPersistenced = lib.mkOverride 900 true;
  };
  services.xserver.videoDrivers = [ \"nvidia\" ];
  nixpkgs.config.allowUnfreePackages = [
    \"nvidia-settings\"
    \"nvidia-x11\"
  ];
}
"
    );
    assert!(plan.at_boot && plan.not_written().next().is_none() && plan.notes.is_empty());
    let file = plan.file.unwrap();
    assert!(file.path.unwrap().ends_with("nvsdk-top.nix"));
    assert!(file.importer.unwrap().ends_with("configuration.nix") && file.before.is_none());
}

#[test]
fn what_waits_for_a_boot_is_not_switched_to() {
    let setup = demo::setup().unwrap();
    let podman = |facts: Facts| {
        let (mut setup, _) =
            Setup::new(facts.into(), setup.configuration.clone(), &Draft::default());
        setup.choose("podman", ON).unwrap();
        setup.plan().at_boot
    };
    let mut facts = demo::facts().unwrap();
    assert!(!facts.generations.pending().is_empty());
    assert!(podman(facts.clone()), "the driver of the next boot would come along");
    facts.generations.next_boot = facts.generations.current.clone();
    assert!(!podman(facts));
}

#[test]
fn a_driver_that_is_declared_and_not_built_is_not_switched_to() {
    let text = "{ services.xserver.videoDrivers = [ \"nvidia\" ]; hardware.nvidia.open = false; }";
    let mut facts = machine(&[9], false, "x86_64");
    assert!(setup(text, facts.clone(), &[("podman", ON)]).plan().at_boot, "no driver is loaded");
    let loaded =
        LoadedDriver { version: "580.95.05".to_owned(), flavour: KernelModule::Proprietary };
    facts.driver.loaded = Evidence::new("/proc/driver/nvidia/version", Ok(loaded));
    let plan = setup(text, facts.clone(), &[("podman", ON)]).plan();
    assert!(!plan.at_boot);
    facts.driver.loaded.fact.as_mut().unwrap().flavour = KernelModule::Open;
    assert!(setup(text, facts, &[("podman", ON)]).plan().at_boot, "the other module waits");
}

#[test]
fn what_only_runs_is_not_written_beside_another_choice() {
    let text = "{ services.xserver.videoDrivers = [ \"nvidia\" ]; }";
    let mut facts = machine(&[9], false, "x86_64");
    let loaded =
        LoadedDriver { version: "580.95.05".to_owned(), flavour: KernelModule::Proprietary };
    facts.driver.loaded = Evidence::new("/proc/driver/nvidia/version", Ok(loaded));
    let file = |choice| setup(text, facts.clone(), &[choice]).plan().file.unwrap().after;
    assert!(!file(("podman", ON)).contains("open"), "whatever sets it was not read");
    assert!(file(("driver.package", word("production"))).contains("hardware.nvidia"));
    assert!(
        file(("driver.package", word("production"))).contains("open = lib.mkOverride 900 false")
    );
}

#[test]
fn before_26_05_a_predicate_permits_the_names() {
    let plan = plan(FRESH, &[("enable", ON), (Setup::RELEASE, word("25.11"))]);
    let line =
        "nixpkgs.config.allowUnfreePredicate =\n    pkg:\n    builtins.elem (lib.getName pkg) [";
    let flat = text(&plan).split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains(&wanted) && flat.contains("\"nvidia-settings\" \"nvidia-x11\" ]"),
        "{flat}"
    );
}

#[test]
fn a_scalar_of_the_users_is_shown_and_not_written() {
    let whole = "hardware.nvidia.open = true;";
    for (text, is, line) in [
        ("{\n  hardware.nvidia.open = false;\n}", "false", whole),
        ("{\n  hardware.nvidia = { open =  false; };\n}", "false", "open =  true;"),
        (
            "{ lib, ... }: {\n  hardware.nvidia.open = lib.mkDefault false;\n}",
            "false",
            "hardware.nvidia.open = lib.mkDefault true;",
        ),
        (
            "{ lib, x, ... }: {\n  hardware.nvidia.open = lib.mkIf x true;\n}",
            "true, under a condition (mkIf, or if)",
            whole,
        ),
        (
            "{ lib, x, ... }: {\n  hardware.nvidia = lib.mkIf x { open = true; };\n}",
            "true, under a condition (mkIf, or if)",
            "hardware.nvidia.open = true; # outside of the condition",
        ),
        ("{ x, ... }: {\n  hardware.nvidia.open = x;\n}", "x", whole),
        ("{\n  hardware.nvidia = import ./n.nix;\n}", "import ./n.nix", whole),
        (
            "{ x, ... }: {\n  hardware.nvidia = { inherit (x) open; };\n}",
            "inherit (x) open;",
            whole,
        ),
    ] {
        let plan = plan(text, &[("driver.open", ON)]);
        assert_eq!(by_hand(&plan), [(2, is, line)], "{text}");
        assert!(plan.file.is_none() && !plan.is_empty(), "{text}");
    }
    let conflict =
        "{ imports = [ { hardware.nvidia.open = true; } { hardware.nvidia.open = false; } ]; }";
    assert_eq!(by_hand(&plan(conflict, &[("driver.open", ON)])).len(), 1);
}

#[test]
fn what_the_user_has_is_left_out() {
    let user = "{ pkgs, ... }: { nixpkgs.config.allowUnfree = true; hardware.nvidia.open = true; hardware.graphics.enable = true;\n\
                environment.variables.CUDA_PATH = \"${pkgs.cudaPackages.cudatoolkit}\"; }";
    let plan = plan(user, &[("enable", ON), ("systemPackages", ON)]);
    assert_eq!(by_hand(&plan), []);
    let text = text(&plan);
    assert!(
        !["open", "graphics", "CUDA_PATH", "allowUnfree"].iter().any(|name| text.contains(name)),
        "{text}"
    );
    assert!(text.contains("CUDA_HOME") && text.contains("videoDrivers"), "{text}");
}

#[test]
fn lists_join_where_priorities_let_them() {
    let choices = &[("enable", ON)];
    let other = plan("{ services.xserver.videoDrivers = [ \"intel\" ]; }", choices);
    assert!(text(&other).contains("videoDrivers = [ \"nvidia\" ]"));
    // An element beside this would switch the user's off.
    let weak = "{ lib, ... }: { services.xserver.videoDrivers = lib.mkDefault [ \"intel\" ]; }";
    let forced = "{ lib, ... }: { services.xserver.videoDrivers = lib.mkForce [ \"intel\" ]; }";
    for user in [weak, forced] {
        let plan = plan(user, choices);
        let [(1, _, line)] = by_hand(&plan)[..] else { panic!("{plan:?}") };
        assert_eq!(line, "add \"nvidia\" to services.xserver.videoDrivers");
        assert!(!text(&plan).contains("videoDrivers"));
    }
    let conditional =
        "{ lib, x, ... }: { services.xserver.videoDrivers = lib.mkIf x [ \"nvidia\" ]; }";
    assert!(text(&plan(conditional, choices)).contains("videoDrivers"));
    let theirs = "{ services.xserver.videoDrivers = [ \"nvidia\" ]; }";
    let off = plan(theirs, &[("enable", OFF)]);
    assert_eq!(by_hand(&off)[0].2, "take \"nvidia\" out of services.xserver.videoDrivers");
}

#[test]
fn a_driver_is_named_as_the_user_names_it() {
    let package = "{ config, ... }: { hardware.nvidia.package = config.boot.kernelPackages.nvidiaPackages.beta; }";
    let choices = &[("driver.package", word("production")), (Setup::RELEASE, word("26.05"))];
    let line = "hardware.nvidia.package = config.boot.kernelPackages.nvidiaPackages.production;";
    assert_eq!(by_hand(&plan(package, choices))[0].2, line);
    let branch = "{ hardware.nvidia.branch = \"beta\"; }";
    let old = &[("driver.package", word("production")), (Setup::RELEASE, word("25.11"))];
    assert_eq!(by_hand(&plan(branch, old))[0].2, "hardware.nvidia.branch = \"production\";");
    assert!(text(&plan(FRESH, choices)).contains("branch = lib.mkOverride 900 \"production\""));
    assert!(text(&plan(FRESH, old)).contains("nvidiaPackages.production"));
}

#[test]
fn a_licence_and_names_are_left_to_those_who_hand_packages() {
    let given = "{ pkgs, ... }: {\n  nixpkgs.pkgs = import ./pkgs.nix;\n}";
    let old = ("driver.package", word("legacy_470"));
    let plan_given = plan(given, &[("enable", ON), old.clone(), ("driver.open", OFF)]);
    assert!(!text(&plan_given).contains("nixpkgs.config"));
    let notes: Vec<_> = plan_given.notes.iter().map(ToString::to_string).collect();
    assert!(notes[0].contains("acceptLicense") && notes[1].contains("nvidia-x11"), "{notes:?}");
    assert!(notes.iter().all(|note| note.contains("configuration.nix:2")), "{notes:?}");
    let own = plan(FRESH, &[("enable", ON), old]);
    assert!(text(&own).contains("nvidia.acceptLicense = true;"), "{own:?}");
}

#[test]
fn a_predicate_of_the_users_is_not_dropped() {
    let user = "{ lib, ... }: {\n  nixpkgs.config.allowUnfreePredicate = p: builtins.elem (lib.getName p) [ \"nvidia-x11\" ];\n}";
    let plan = plan(user, &[("enable", ON)]);
    assert!(!text(&plan).contains("nixpkgs"));
    let [Refusal::Predicate(place, names)] = &plan.notes[..] else { panic!("{plan:?}") };
    assert_eq!((place.line, names.as_str()), (2, "nvidia-settings"));
}

#[test]
fn upstreams_module_shows_all_of_its_options() {
    let user = "{ inputs, ... }: { imports = [ ./hardware-configuration.nix inputs.nvidia-sdk.nixosModules.default ]; }";
    let on = |processor| setup(user, machine(&[9], false, processor), &[("enable", ON)]).plan();
    let x86 = on("x86_64");
    for line in [
        "enable",
        "open",
        "package",
        "systemPackages",
        "monitoring",
        "persistenced",
        "container.enable",
    ] {
        assert!(
            text(&x86).contains(&format!("    {line} = "))
                || text(&x86).contains(&format!("      {line} = ")),
            "{line}: {}",
            text(&x86)
        );
    }
    assert!(!text(&x86).contains("enable32Bit"));
    assert!(text(&on("aarch64")).contains("hardware.graphics.enable32Bit = lib.mkForce false;"));
    let other = setup(user, machine(&[9], false, "x86_64"), &[("podman", ON)]).plan();
    assert!(!text(&other).contains("nvidia-sdk = "), "what nobody chose is not written");
}

#[test]
fn modules_that_would_clash_are_refused() {
    let refusals = |text: &str, mode: Mode| {
        let choices = &[("enable", ON), (Setup::MODE, word(mode.word()))];
        setup(text, no_machine(), choices).plan().refusals
    };
    assert_eq!(refusals(FRESH, Mode::Snippet), [Refusal::NoUpstream]);
    assert_eq!(refusals(FRESH, Mode::Standalone), []);
    let mut facts = no_machine();
    facts.cuda.sdk_file = Evidence::new("/etc/nvidia-sdk-version", Ok(SdkFile::default()));
    let snippet = [("enable", ON), (Setup::MODE, word("snippet"))];
    let plan = |text: &str| setup(text, facts.clone(), &snippet).plan().refusals;
    assert_eq!(plan(FRESH), [Refusal::NoUpstream], "all was read, and nothing imports it");
    assert_eq!(plan("{ imports = [ (import ./x) ]; }"), []);
    let theirs = "{ hardware.nvidia-sdk.monitoring = true; }";
    assert!(matches!(refusals(theirs, Mode::Standalone)[..], [Refusal::HasUpstream(_)]));
    assert_eq!(refusals(theirs, Mode::Snippet), []);
}

#[test]
fn a_file_that_is_not_ours_is_not_written_over() {
    let imports = "{ imports = [ ./hardware-configuration.nix ./nvsdk-top.nix ]; }";
    let refused = |own: &str, imports: &str| {
        let folder = Folder::of(&[("configuration.nix", imports), ("nvsdk-top.nix", own)]);
        let mut setup = folder.setup(machine(&[9], false, "x86_64"), &[("enable", ON)]);
        setup.found_file = Some(own.into());
        setup.plan().refusals
    };
    let written = {
        let folder = Folder::of(&[("configuration.nix", FRESH)]);
        folder.apply(&folder.setup(no_machine(), &[("podman", ON)]))
    };
    let edited = format!("{written}# mine\n");
    for imports in [imports, FRESH] {
        assert!(matches!(refused("{ }", imports)[..], [Refusal::Foreign(_)]));
        assert!(matches!(refused(&edited, imports)[..], [Refusal::HandEdited(_)]));
    }
    assert_eq!(refused(&written, imports), []);
    assert_eq!(refused(&written, FRESH), [], "its content was read");
}

#[test]
fn our_own_file_is_read_where_nothing_imports_it() {
    let folder = Folder::of(&[("configuration.nix", FRESH)]);
    let written = folder.apply(&folder.setup(no_machine(), &[("podman", ON), ("docker", ON)]));
    folder.write("configuration.nix", FRESH);
    let setup = folder.setup(no_machine(), &[]);
    let own = setup.not_imported().unwrap().to_string();
    assert!(own.contains("nvsdk-top.nix is there and nothing imports it; add it to imports in"));
    assert!(own.ends_with("/configuration.nix"), "{own}");
    assert_eq!(setup.row("podman").unwrap().stated.value(), Some(&ON));
    assert!(setup.plan().is_empty());
    // It is written whole, and nothing of it is lost.
    let plan = folder.setup(no_machine(), &[("podman", OFF)]).plan();
    assert_eq!(plan.refusals, []);
    let file = plan.file.unwrap();
    assert_eq!(file.before.as_deref(), Some(written.as_str()));
    assert_eq!(file.importer, Some(folder.path().join("configuration.nix")));
    let on = "virtualisation.podman.enable = lib.mkOverride 900 true";
    assert_eq!(file.after, {
        let off = on.replace("true", "false");
        crate::setup::nix::Marker::read(&file.after).unwrap();
        let (head, _) = file.after.split_once("{ lib, ... }").unwrap();
        let (_, body) = written.split_once("{ lib, ... }").unwrap();
        format!("{head}{{ lib, ... }}{}", body.replace(on, &off))
    });
    // What the user changed is the user's.
    folder.write("nvsdk-top.nix", &format!("{written}# mine\n"));
    assert_eq!(folder.setup(no_machine(), &[]).not_imported(), None);
}

#[test]
fn without_a_configuration_there_is_a_text_and_no_place() {
    let draft = Draft { entry: None, values: [("podman".to_owned(), ON)].into() };
    let (setup, _) = Setup::new(Arc::new(no_machine()), None, &draft);
    let file = setup.plan().file.unwrap();
    assert_eq!(file.path, Err(Nowhere::NothingRead));
    assert!(file.after.contains("virtualisation.podman.enable"));
    assert_eq!(setup.release, Release::R2511, "what both releases have");
}

#[test]
fn what_is_next_is_about_the_configuration_that_was_read() {
    use crate::setup::next;
    let folder = Folder::of(&[("configuration.nix", FRESH)]);
    let mut read = folder.read();
    let file = folder.path().join("configuration.nix");
    assert_eq!(next::Entry::from(&read), next::Entry::File(file.clone()));
    read.entry.file = "configuration.nix".into();
    assert_eq!(next::Entry::from(&read), next::Entry::File(file), "for any folder");
    read.entry.is_flake = true;
    read.entry.file = folder.path().join("flake.nix");
    read.entry.this_host = Some("desk".to_owned());
    let flake =
        |host: &str| next::Entry::Flake { folder: folder.path().to_owned(), host: host.to_owned() };
    assert_eq!(next::Entry::from(&read), flake("desk"));
    read.entry.host = Some("rack".to_owned());
    assert_eq!(next::Entry::from(&read), flake("rack"));
}

#[test]
fn a_file_of_ours_that_became_the_users_is_theirs_by_another_name() {
    let folder = Folder::of(&[("configuration.nix", FRESH)]);
    let text = folder.apply(&folder.setup(no_machine(), &[("podman", ON)])) + "# mine\n";
    folder.write("nvsdk-top.nix", &text);
    let refusals = || folder.setup(no_machine(), &[("docker", ON)]).plan().refusals;
    assert!(matches!(refusals()[..], [Refusal::HandEdited(_)]), "{:?}", refusals());
    folder.write("mine.nix", &text);
    fs::remove_file(folder.path().join("nvsdk-top.nix")).unwrap();
    folder.write("configuration.nix", &FRESH.replace("imports = [", "imports = [ ./mine.nix"));
    let setup = folder.setup(no_machine(), &[("docker", ON)]);
    let file = folder.apply(&setup);
    assert!(file.contains("docker") && !file.contains("podman"), "what the other says is there");
    assert_eq!(folder.setup(no_machine(), &[]).row("podman").unwrap().stated.value(), Some(&ON));
}
