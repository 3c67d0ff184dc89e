//! Which file a configuration begins with.

use super::*;
use crate::setup::declared::{Asked, Environment, FlakeName};
use std::fs;

/// Which variables are set, and which entry follows below a root with these files.
fn find(files: &[&str], environment: &Environment) -> Option<(String, Option<String>, Found)> {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{ }").unwrap();
    }
    let found = Entry::find(&Asked::default(), environment, &Sysroot::new(folder.path()))?;
    let file = found.file.strip_prefix(folder.path()).unwrap().display().to_string();
    Some((file, found.host, found.found))
}

const BOTH: &[&str] =
    &["etc/nixos/flake.nix", "etc/nixos/configuration.nix", "home/a/c.nix", "home/a/flake.nix"];

#[test]
fn each_place_counts_before_those_behind_it() {
    let text = |text: &str| Some(text.to_owned());
    let mut environment = Environment {
        nixos_config: text("/home/a/c.nix"),
        nix_path: text("nixpkgs=/x:nixos-config=/home/a/c.nix"),
        nh_os_flake: text("/home/a#box"),
        nh_flake: text("/home/a"),
        host: text("box"),
    };
    let file = |name: &str| name.to_owned();
    let expect = |environment: &Environment, name: &str, host: Option<&str>, found| {
        assert_eq!(find(BOTH, environment), Some((file(name), host.map(str::to_owned), found)));
    };
    expect(&environment, "home/a/c.nix", None, Found::Variable("NIXOS_CONFIG"));
    environment.nixos_config = text("");
    expect(&environment, "home/a/c.nix", None, Found::Variable("NIX_PATH"));
    // What NixOS puts there by itself names nothing.
    environment.nix_path = text("nixos-config=/etc/nixos/configuration.nix");
    expect(&environment, "home/a/flake.nix", Some("box"), Found::Variable("NH_OS_FLAKE"));
    environment.nh_os_flake = text("github:someone/somewhere");
    expect(&environment, "home/a/flake.nix", None, Found::Variable("NH_FLAKE"));
    environment.nh_flake = None;
    expect(&environment, "etc/nixos/flake.nix", None, Found::Usual);
    let channels = find(&BOTH[1..], &environment).unwrap();
    assert_eq!(channels.0, "etc/nixos/configuration.nix");
    assert_eq!(find(&[], &environment), None);
}

#[test]
fn what_is_asked_for_counts_first_and_need_not_be_there() {
    let asked = Asked { flake: Some("./repo#box".parse().unwrap()), ..Asked::default() };
    let environment =
        Environment { nixos_config: Some("/x.nix".to_owned()), ..Environment::default() };
    let found = Entry::find(&asked, &environment, &Sysroot::new("/nowhere")).unwrap();
    assert_eq!(found.to_string(), "./repo/flake.nix#box");
    assert!(found.is_flake);
    let asked = Asked { config: Some("/gone/gpu.nix".into()), ..asked };
    let found = Entry::find(&asked, &environment, &Sysroot::new("/nowhere")).unwrap();
    assert_eq!((found.to_string().as_str(), found.is_flake), ("/gone/gpu.nix", false));
    let read = Configuration::read(&found, Limits::default());
    assert_eq!(
        read.problems[0].to_string(),
        "/gone/gpu.nix is not there; correct the import, or add the file"
    );
}

#[test]
fn the_names_of_flakes() {
    let name = |text: &str| {
        text.parse::<FlakeName>()
            .ok()
            .map(|FlakeName { folder, host }| (folder.display().to_string(), host))
    };
    let of = |folder: &str, host: Option<&str>| Some((folder.to_owned(), host.map(str::to_owned)));
    assert_eq!(name(".#box"), of(".", Some("box")));
    assert_eq!(name("#box"), of(".", Some("box")));
    assert_eq!(name("/etc/nixos"), of("/etc/nixos", None));
    assert_eq!(name("path:/a/b?dir=c#"), of("/a/b", None));
    assert_eq!(name("git+file:///a#nixosConfigurations.\"b.c\""), of("/a", Some("b.c")));
    assert_eq!(name("github:a/b#c"), None);
}
