//! Each configuration of `tests/configurations`: what is declared in it, and what a module for it has to know.

use super::*;
use crate::setup::declared::{Evidence, NewFile, Nowhere};

fn host(name: &str, host: &str) -> Configuration {
    Configuration::read(&entry(&folder(name).join("flake.nix"), Some(host)), Limits::default())
}

fn module(name: &str) -> Configuration {
    read(&folder(name).join("configuration.nix"))
}

/// Files read, parts not followed, problems.
fn counts(configuration: &Configuration) -> (usize, usize, usize) {
    (configuration.files.len(), configuration.not_followed.len(), configuration.problems.len())
}

fn branch(name: &str) -> Expr {
    Expr::Name(
        AttrPath::dotted("config.boot.kernelPackages.nvidiaPackages").join(&AttrPath::new([name])),
    )
}

fn nvidia_driver() -> Expr {
    Expr::List(vec![Expr::Text("nvidia".to_owned())])
}

/// Where a file of our own would go, below the configuration's folder.
fn new_file(configuration: &Configuration, below: &str) -> Option<String> {
    match configuration.new_file() {
        NewFile::Beside { file, .. } => {
            Some(file.strip_prefix(folder(below)).unwrap().display().to_string())
        }
        _ => None,
    }
}

#[test]
fn channels() {
    let read = module("channels");
    assert_eq!(counts(&read), (2, 0, 0));
    assert_eq!(value(&read, OPEN), Expr::Bool(true));
    assert_eq!(value(&read, "hardware.nvidia.package"), branch("stable"));
    assert_eq!(value(&read, "services.xserver.videoDrivers"), nvidia_driver());
    assert_eq!(at(read.definitions(&AttrPath::dotted(OPEN))[0]), ("configuration.nix".into(), 32));
    assert_eq!(
        declared(&read, "hardware.nvidia.nvidiaPersistenced").to_string(),
        "not found in the 2 files read (0 imports not followed)"
    );
    assert_eq!(new_file(&read, "channels").unwrap(), "nvsdk-top.nix");
    assert_eq!(read.evidence(), Evidence::default());
}

#[test]
fn a_flake_with_one_host() {
    let read = read(&folder("flake").join("flake.nix"));
    assert_eq!(read.flake.as_ref().unwrap().host.as_deref(), Some("tower"));
    assert_eq!(counts(&read), (4, 1, 0));
    assert_eq!(read.not_followed[0].text, "home-manager.nixosModules.home-manager");
    let Declared::Value { value: open, definitions } = declared(&read, OPEN) else { panic!() };
    assert_eq!((open, definitions[0].priority.0), (Expr::Bool(true), 50));
    assert_eq!(value(&read, "hardware.nvidia.package"), branch("production"));
    assert_eq!(value(&read, "hardware.nvidia.powerManagement.enable"), Expr::Bool(true));
    assert_eq!(value(&read, "hardware.nvidia.modesetting.enable"), Expr::Bool(true));
    assert_eq!(value(&read, "home-manager.useGlobalPkgs"), Expr::Bool(true));
    assert_eq!(new_file(&read, "flake").unwrap(), "nvsdk-top.nix");
}

#[test]
fn a_flake_with_several_hosts() {
    let rack = host("multi-host", "rack");
    assert_eq!(counts(&rack), (5, 0, 0));
    assert_eq!(value(&rack, "hardware.nvidia.nvidiaSettings"), Expr::Bool(false));
    assert_eq!(value(&rack, OPEN), Expr::Bool(true));
    assert_eq!(new_file(&rack, "multi-host").unwrap(), "hosts/rack/nvsdk-top.nix");

    let desk = host("multi-host", "desk");
    assert_eq!(counts(&desk), (4, 0, 0));
    assert!(matches!(declared(&desk, OPEN), Declared::NotFound { files_read: 4, .. }));
    assert_eq!(new_file(&desk, "multi-host").unwrap(), "hosts/desk/nvsdk-top.nix");

    let none = host("multi-host", "shelf");
    assert_eq!(none.new_file(), NewFile::Nowhere(Nowhere::NoHostFile));
    let problem = none.problems[0].to_string();
    assert!(problem.contains("shelf is not among its hosts, which are desk, rack"), "{problem}");
    let mut named = entry(&folder("multi-host").join("flake.nix"), None);
    assert_eq!(Configuration::read(&named, Limits::default()).problems.len(), 1);
    named.this_host = Some("desk".to_owned());
    let by_name = Configuration::read(&named, Limits::default());
    assert_eq!(by_name.flake.unwrap().host.as_deref(), Some("desk"));
}

#[test]
fn a_laptop_with_nixos_hardware() {
    let read = read(&folder("nixos-hardware").join("flake.nix"));
    assert_eq!(counts(&read), (3, 2, 0));
    assert_eq!(value(&read, "hardware.nvidia.prime.nvidiaBusId"), Expr::Text("PCI:1:0:0".into()));
    assert_eq!(value(&read, "hardware.nvidia.prime.offload.enableOffloadCmd"), Expr::Bool(true));
    let missing = declared(&read, "hardware.nvidia.dynamicBoost.enable").to_string();
    assert_eq!(missing, "not found in the 3 files read (2 imports not followed)");
}

#[test]
fn bindings_and_conditions_are_unknown() {
    let read = module("let");
    let open = declared(&read, OPEN);
    assert!(open.to_string().ends_with("configuration.nix:24)"), "{open}");
    assert!(matches!(open, Declared::Unknown { text, .. } if text == "hasTuring"));
    assert!(matches!(declared(&read, "hardware.nvidia.package"), Declared::Unknown { .. }));
    assert_eq!(value(&read, "hardware.nvidia.modesetting.enable"), Expr::Bool(true));
    assert_eq!(value(&read, "services.xserver.videoDrivers"), nvidia_driver());
    let toolkit = read.definitions(&AttrPath::dotted("hardware.nvidia-container-toolkit.enable"));
    assert!(toolkit[0].conditional && toolkit[0].value == Expr::Bool(true));
    assert!(matches!(
        declared(&read, "hardware.nvidia-container-toolkit.enable"),
        Declared::Unknown { .. }
    ));
    assert_eq!(new_file(&read, "let").unwrap(), "nvsdk-top.nix");
}

#[test]
fn a_dendritic_flake_has_no_place_for_a_file() {
    let read = read(&folder("dendritic").join("flake.nix"));
    assert_eq!(counts(&read), (1, 1, 0));
    assert!(
        matches!(read.new_file(), NewFile::Nowhere(Nowhere::ImportTree(place)) if place.line == 8)
    );
    assert_eq!(read.evidence().import_tree.len(), 1);
}

#[test]
fn the_upstream_module_is_seen_in_all_its_places() {
    let read = read(&folder("upstream-module").join("flake.nix"));
    assert_eq!(counts(&read), (3, 1, 0));
    let evidence = read.evidence();
    let files = |places: &[super::super::Place]| {
        places.iter().map(|place| name(&place.file)).collect::<Vec<_>>()
    };
    assert_eq!(files(&evidence.sdk_options), ["configuration.nix", "configuration.nix"]);
    assert_eq!(files(&evidence.sdk_inputs), ["flake.nix", "flake.lock"]);
    assert_eq!(files(&evidence.sdk_imports), ["configuration.nix"]);
    assert_eq!(value(&read, "hardware.nvidia-sdk.driver.open"), Expr::Bool(true));
    assert_eq!(files(&evidence.packages_given), [""; 0]);
    assert_eq!(files(&module("upstream-module").evidence().sdk_inputs), ["flake.lock"]);
}

#[test]
fn the_complete_example_of_the_module() {
    let read = module("seed-example");
    assert_eq!(read.evidence().sdk_options.len(), 6);
    assert_eq!(value(&read, "hardware.nvidia-sdk.container.enable"), Expr::Bool(true));
    assert_eq!(value(&read, "virtualisation.docker.enableNvidia"), Expr::Bool(true));
    let Expr::With(_, packages) = value(&read, "environment.systemPackages") else { panic!() };
    assert!(matches!(*packages, Expr::List(packages) if packages.len() == 5));
}

#[test]
fn a_legacy_driver_in_a_folder() {
    let read = module("legacy-driver");
    assert_eq!(counts(&read), (3, 0, 0));
    assert_eq!(value(&read, "hardware.nvidia.package"), branch("legacy_470"));
    assert_eq!(value(&read, "nixpkgs.config.nvidia.acceptLicense"), Expr::Bool(true));
    assert!(matches!(
        declared(&read, "nixpkgs.config.allowUnfreePredicate"),
        Declared::Unknown { .. }
    ));
}

#[test]
fn variables_beside_docker() {
    let read = module("docker-nvidia");
    assert_eq!(value(&read, "virtualisation.docker.enableNvidia"), Expr::Bool(true));
    assert_eq!(read.under(&AttrPath::dotted("environment.variables")).len(), 2);
    assert!(matches!(declared(&read, "environment.variables.CUDA_PATH"), Declared::Unknown { .. }));
}

#[test]
fn a_server_with_a_pinned_driver() {
    let read = module("server");
    assert_eq!(counts(&read), (3, 1, 0));
    assert_eq!(read.not_followed[0].text, "./. + \"/gpu.nix\"");
    assert_eq!(value(&read, "services.openssh.enable"), Expr::Bool(true));
    let Expr::Call(function, arguments) = value(&read, "hardware.nvidia.package") else { panic!() };
    assert_eq!(*function, branch("mkDriver"));
    assert!(matches!(&arguments[..], [Expr::Set(entries)] if entries.len() == 6));
    let alice = value(&read, "users.users.alice.packages");
    assert_eq!(
        alice,
        Expr::List(vec![Expr::Name(AttrPath::dotted("pkgs.cudaPackages.nsight_compute"))])
    );
}

#[test]
fn hosts_that_a_function_makes() {
    let attic = host("helper-function", "attic");
    assert_eq!(counts(&attic), (1, 1, 0));
    assert_eq!(attic.not_followed[0].text, "mkHost \"attic\"");
    assert_eq!(attic.new_file(), NewFile::Nowhere(Nowhere::NoHostFile));

    let cellar = host("helper-function", "cellar");
    assert_eq!(counts(&cellar), (3, 1, 0));
    assert_eq!(cellar.not_followed[0].text, "self.commonModules");
    assert_eq!(cellar.evidence().packages_given.len(), 1);
    assert_eq!(new_file(&cellar, "helper-function").unwrap(), "hosts/nvsdk-top.nix");
}
