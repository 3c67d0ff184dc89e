//! Flakes: which host's modules are read, who else imports them, and which release they are for.

use super::*;
use crate::setup::declared::{Configuration, NewFile};
use crate::setup::{Because, Release, Stated};

const BOTH: &str = "{ inputs.nixpkgs.url = \"github:NixOS/nixpkgs/nixos-26.05\";
  outputs = { nixpkgs, ... }: {
    nixosConfigurations.attic = nixpkgs.lib.nixosSystem { modules = [ ./hosts/attic.nix ]; };
    nixosConfigurations.cellar = nixpkgs.lib.nixosSystem { modules = [ ./hosts/cellar.nix ]; };
  }; }";

const HOST: &str = "{ imports = [ ./hardware-configuration.nix ]; }";

const HARDWARE: (&str, &str) = ("hosts/hardware-configuration.nix", "{ }");

fn flake(files: &[(&str, &str)], host: Option<&str>) -> (Folder, Configuration) {
    let folder = Folder::of(&[]);
    for (name, text) in files {
        fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        folder.write(name, text);
    }
    let mut entry = folder.read().entry;
    entry.file = folder.path().join("flake.nix");
    entry.is_flake = true;
    entry.host = host.map(str::to_owned);
    let read = Configuration::read(&entry, Limits::default());
    (folder, read)
}

fn of(read: Configuration, choices: &[(&str, Value)]) -> Setup {
    let values = choices.iter().map(|(path, value)| ((*path).to_owned(), value.clone()));
    let draft = Draft { entry: None, values: values.collect() };
    Setup::new(Arc::new(no_machine()), Some(Arc::new(read)), &draft).0
}

fn new_file(read: &Configuration) -> String {
    match read.new_file() {
        NewFile::Ours(file) | NewFile::Beside { file, .. } => {
            file.file_name().unwrap().to_string_lossy().into_owned()
        }
        NewFile::Nowhere(why) => why.to_string(),
    }
}

#[test]
fn hosts_beside_each_other_have_files_of_their_own() {
    let files = [("flake.nix", BOTH), ("hosts/attic.nix", HOST), ("hosts/cellar.nix", HOST)];
    let (_folder, read) = flake(&files, Some("cellar"));
    assert_eq!(new_file(&read), "nvsdk-top-cellar.nix");
    let alone = [("flake.nix", BOTH), ("hosts/cellar.nix", HOST)];
    let (_folder, read) = flake(&alone, Some("cellar"));
    assert_eq!(new_file(&read), "nvsdk-top.nix", "the other has no module there");
}

/// Its packages may be handed to it, and NixOS refuses to have those configured.
#[test]
fn what_nixpkgs_permits_is_left_alone_where_no_module_was_read() {
    let text =
        "{ outputs = { self, nixpkgs }: { nixosConfigurations.attic = self.lib.host ./.; }; }";
    let (_folder, read) = flake(&[("flake.nix", text)], Some("attic"));
    let notes = |choices: &[(&str, Value)], release: &str| {
        let release = (Setup::RELEASE, word(release));
        let plan = of(read.clone(), &[choices, &[release]].concat()).plan();
        assert!(!plan.file.unwrap().after.contains("nixpkgs"));
        plan.notes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let driver = notes(&[("enable", ON)], "26.05");
    let [note] = &driver[..] else { panic!("{driver:?}") };
    assert!(note.contains("flake.nix:1"), "{note}");
    assert!(note.ends_with("has allowUnfreePackages with nvidia-settings nvidia-x11"), "{note}");
    let older = notes(&[("enable", ON)], "25.11");
    assert!(older[0].ends_with("an allowUnfreePredicate for nvidia-settings nvidia-x11"));
    let old = [("enable", ON), ("driver.package", word("legacy_470")), ("unfree", word("all"))];
    let [licence, all] = &notes(&old, "26.05")[..] else { panic!("two notes") };
    assert!(licence.ends_with("has nvidia.acceptLicense = true"), "{licence}");
    assert!(all.ends_with("has allowUnfree = true"), "{all}");
}

#[test]
fn what_other_hosts_have_too_is_not_imported_into() {
    let one = BOTH.replace("attic.nix", "cellar.nix");
    let files = [("flake.nix", one.as_str()), ("hosts/cellar.nix", HOST), HARDWARE];
    let (folder, read) = flake(&files, Some("cellar"));
    let NewFile::Beside { file, importer } = read.new_file() else { panic!() };
    assert_eq!(file, folder.path().join("nvsdk-top-cellar.nix"));
    assert_eq!(importer, folder.path().join("flake.nix"));
    let setup = of(read, &[("podman", ON)]);
    assert_eq!(setup.objections(&setup.plan(), true), [""; 0]);
}

#[test]
fn our_file_is_not_changed_for_other_hosts_unasked() {
    let (_folder, alone) =
        flake(&[("flake.nix", BOTH), ("hosts/cellar.nix", HOST)], Some("cellar"));
    let written = of(alone, &[("podman", ON)]).plan().file.unwrap().after;
    let imported = HOST.replace("imports = [", "imports = [ ./nvsdk-top.nix");
    let objections = |flake_text: &str, is_planned| {
        let files = [
            ("flake.nix", flake_text),
            ("hosts/cellar.nix", &imported),
            ("hosts/nvsdk-top.nix", &written),
            HARDWARE,
        ];
        let (_folder, read) = flake(&files, Some("cellar"));
        let unchanged = of(read.clone(), &[]);
        assert_eq!(unchanged.plan().refusals, []);
        let setup = of(read, &[("docker", ON)]);
        setup.objections(&setup.plan(), is_planned)
    };
    let one = BOTH.replace("attic.nix", "cellar.nix");
    let told = objections(&one, true);
    assert!(told[0].contains("nvsdk-top.nix is a part of attic too"), "{told:?}");
    assert_eq!(objections(&one, false), [""; 0], "it is named then");
    assert_eq!(objections(BOTH, true), [""; 0]);
}

#[test]
fn hosts_that_a_function_makes_are_not_thought_away() {
    let told = |flake_text: &str, choices: &[(&str, Value)]| {
        let files =
            [("flake.nix", flake_text), ("hosts/cellar.nix", HOST), ("hosts/attic.nix", HOST)];
        let (_folder, read) = flake(&files, Some("cellar"));
        let findings = of(read, choices).findings();
        findings.into_iter().any(|finding| finding.id == "hosts-not-listed")
    };
    let choice = [("podman", ON)];
    assert!(!told(BOTH, &choice));
    let alone = "nixpkgs.lib.nixosSystem { modules = [ ./hosts/attic.nix ]; }";
    assert!(told(&BOTH.replace(alone, "mkHost ./hosts/attic.nix"), &choice));
    let set = "{ cellar = nixpkgs.lib.nixosSystem { modules = [ ./hosts/cellar.nix ]; }; }";
    let of_set = |more: &str| {
        format!("{{ outputs = {{ nixpkgs, ... }}: {{ nixosConfigurations = {set}{more}; }}; }}")
    };
    assert!(!told(&of_set(""), &choice));
    assert!(told(&of_set(" // builtins.mapAttrs mkHost ./hosts"), &choice));
    assert!(!told(&of_set(" // builtins.mapAttrs mkHost ./hosts"), &[]), "nothing is written");
    let many = "h = nixpkgs.lib.nixosSystem { modules = [ ]; }; ".repeat(40);
    assert!(told(&of_set(&format!(" // {{ {many} }}")), &choice), "too many to be looked at");
}

#[test]
fn the_release_is_that_of_the_flakes_nixpkgs() {
    let release = |url: &str| {
        let text = BOTH.replace("github:NixOS/nixpkgs/nixos-26.05", url);
        let (_folder, read) = flake(&[("flake.nix", &text)], Some("cellar"));
        let setup = of(read, &[]);
        (setup.release, setup.is_release_guessed)
    };
    for (url, expected) in [
        ("github:NixOS/nixpkgs/nixos-26.05", (Release::R2605, false)),
        ("github:NixOS/nixpkgs/nixos-25.11-small", (Release::R2511, false)),
        ("github:NixOS/nixpkgs?ref=nixos-unstable", (Release::R2605, false)),
        ("https://channels.nixos.org/nixos-26.05/nixexprs.tar.xz", (Release::R2605, false)),
        ("github:NixOS/nixpkgs", (Release::R2511, true)),
    ] {
        assert_eq!(release(url), expected, "{url}");
    }
    let text = BOTH.replace("/nixos-26.05", "");
    let lock = "{\"root\":\"r\",\"nodes\":{\"r\":{\"inputs\":{\"nixpkgs\":\"n\"}},\"n\":{\"original\":{\"ref\":\"nixos-26.05\"}}}}";
    let (_folder, read) = flake(&[("flake.nix", &text), ("flake.lock", lock)], Some("cellar"));
    assert_eq!(of(read, &[]).release, Release::R2605);
}

#[test]
fn where_no_module_was_read_nothing_is_known() {
    let tree = "{ outputs = inputs: inputs.parts.mkFlake { } (inputs.import-tree ./modules); }";
    let files = [("flake.nix", tree), ("modules/gpu.nix", "{ }")];
    for host in [None, Some("cellar")] {
        let (folder, read) = flake(&files, host);
        let below = |name: &str| read.is_below_import_tree(&folder.path().join(name));
        assert!(below("modules/nvsdk-top.nix") && below("modules/deep/nvsdk-top.nix"));
        assert!(!below("nvsdk-top.nix") && !below("other/nvsdk-top.nix"));
        assert_eq!(read.problems, [], "the host may be there");
        let setup = of(read, &[("enable", ON)]);
        let podman = setup.row("podman").unwrap();
        assert!(matches!(podman.stated, Stated::Unknown { .. }), "{:?}", podman.stated);
        assert_eq!(podman.wanted, None);
        let open = setup.row("driver.open").unwrap().wanted.clone();
        assert_eq!(open, Some((ON, Because::Needed)));
        let findings = setup.findings();
        let advice = findings.iter().find(|finding| finding.id == "not-read").unwrap();
        assert!(advice.sentence.contains("with -o FILE outside"), "{}", advice.sentence);
    }
    let (_folder, read) = flake(&[("flake.nix", "{ }")], Some("cellar"));
    let problem = read.problems[0].to_string();
    assert!(problem.contains("no host is written out in it"), "{problem}");
    let inline = "{ outputs = { nixpkgs, ... }: { nixosConfigurations.a = nixpkgs.lib.nixosSystem { modules = [ { hardware.nvidia.open = true; } ]; }; }; }";
    let (_folder, read) = flake(&[("flake.nix", inline)], None);
    assert!(of(read, &[]).row("podman").unwrap().stated.is_not_found(), "its module was read");
}

#[test]
fn a_module_that_is_named_in_place_of_its_flake_says_that_others_may_have_it() {
    let told = |files: &[(&str, &str)], choices: &[(&str, Value)]| {
        let folder = Folder::of(files);
        let setup = folder.setup(machine(&[9], false, "x86_64"), choices);
        let finding = setup.findings().into_iter().find(|found| found.id == "hosts-not-listed");
        finding.map(|finding| {
            finding.sentence.contains("--flake") && finding.sentence.contains("#HOST")
        })
    };
    let files = [("configuration.nix", FRESH), ("flake.nix", BOTH)];
    assert_eq!(told(&files, &[("podman", ON)]), Some(true));
    assert_eq!(told(&files, &[]), None, "nothing is written");
    assert_eq!(told(&files[..1], &[("podman", ON)]), None);
}

#[test]
fn packages_that_are_inherited_into_a_host_are_handed_to_it() {
    let given = BOTH.replace(
        "{ modules = [ ./hosts/cellar.nix",
        "{ inherit pkgs; modules = [ ./hosts/cellar.nix",
    );
    let places = |text: &str| {
        let (_folder, read) =
            flake(&[("flake.nix", text), ("hosts/cellar.nix", HOST)], Some("cellar"));
        read.evidence().packages_given.len()
    };
    assert_eq!((places(&given), places(BOTH)), (1, 0));
}
