//! Writing for a host of a flake: what imports the file, and what git has to know of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::place::{Place, Said, word};
use crate::common::write;
use crate::skip::skip;

const CHOICE: [&str; 2] = ["--set", "docker=true"];

fn with<'a>(words: &[&'a str]) -> Vec<&'a str> {
    words.iter().copied().chain(CHOICE).collect()
}

/// A flake with one host and these modules, and the arguments that write a file for it.
fn flake(place: &Place, modules: &str) -> String {
    let text = format!(
        "{{ outputs = {{ nixpkgs, ... }}: {{ nixosConfigurations.box = nixpkgs.lib.nixosSystem {{ modules = [ {modules} ]; }}; }}; }}"
    );
    place.nix("flake.nix", text);
    format!("{}#box", word(&place.path("")))
}

#[test]
fn a_file_that_is_named_in_a_flake_without_a_place_is_imported_by_the_flake() {
    let place = Place::new();
    let named = flake(&place, "./box.nix");
    place.nix("box.nix", "{ }");
    let gpu = place.path("gpu.nix");
    let arguments = |more: &[&'static str]| {
        let words = [&["write", "--dry-run", "--flake", &named][..], more, &CHOICE].concat();
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |words: Vec<String>| place.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let without = run(arguments(&[]));
    assert!(without.code == 1 && without.errors.contains("say with -o where"), "{without:?}");
    let mut words = arguments(&["-o"]);
    words.insert(5, word(&gpu).to_owned());
    let said = run(words);
    let step = format!("in {} add ./gpu.nix to modules of box", word(&place.path("flake.nix")));
    assert!(said.code == 0 && said.out.contains(&step), "{said:?}");
}

#[test]
fn a_file_that_git_ignores_is_told_with_a_line_that_adds_it() {
    let place = Place::new();
    let named = flake(&place, "./configuration.nix");
    let git = |words: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.arg("-C").arg(place.path("")).args(words).env("HOME", place.folder.path());
        git.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|code| code.success())
    };
    if !git(&["init", "--quiet"]) {
        return skip("a_file_that_git_ignores_is_told_with_a_line_that_adds_it", "git");
    }
    let steps = |arguments: &[&str]| {
        let words = with(&[&["write", "--dry-run"], arguments].concat());
        let path = std::env::var_os("PATH").unwrap();
        let said = Said::of(&place.command(&words).env("PATH", path).output().unwrap());
        assert_eq!(said.code, 0, "{said:?}");
        said.out
    };
    let text = steps(&["--flake", &named]);
    assert!(text.contains(" add -N nvsdk-top.nix") && !text.contains("ignored"), "{text}");
    place.nix(".gitignore", "*.nix\n!configuration.nix\n");
    let text = steps(&["--flake", &named]);
    assert!(text.contains("nvsdk-top.nix is ignored by git"), "{text}");
    assert!(text.contains(" add -N -f nvsdk-top.nix"), "{text}");
    assert!(git(&["add", "-N", "-f", "flake.nix"]), "the line works");
    let text = steps(&["--config", word(&place.path("configuration.nix"))]);
    assert!(!text.contains("git -C"), "channels read it all the same: {text}");
    // What git knows is not ignored.
    assert_eq!(place.run(&with(&["write", "--yes", "--flake", &named])).code, 0);
    assert!(git(&["add", "-N", "-f", "nvsdk-top.nix"]));
    let text = steps(&["--flake", &named, "--set", "podman=true"]);
    assert!(text.contains(" add -N nvsdk-top.nix") && !text.contains("ignored"), "{text}");
}

#[test]
fn a_git_that_hangs_is_not_waited_for() {
    let place = Place::new();
    let named = flake(&place, "./configuration.nix");
    write(&place.path(""), ".git/HEAD", "ref: refs/heads/main\n");
    let bin = place.folder.path().join("bin");
    write(&bin, "git", "#!/bin/sh\necho \"$@\" > \"$HOME/asked\"\nexec /bin/sleep 600\n");
    fs::set_permissions(bin.join("git"), Permissions::from_mode(0o755)).unwrap();
    let start = Instant::now();
    let mut command = place.command(&with(&["write", "--dry-run", "--flake", &named]));
    let output = command.env("PATH", &bin).output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(30));
    let said = Said::of(&output);
    assert!(said.code == 0 && said.out.contains(" add -N nvsdk-top.nix"), "{said:?}");
    let asked = fs::read_to_string(place.folder.path().join("asked")).unwrap();
    assert!(asked.contains("check-ignore") && asked.lines().count() == 1, "{asked}");
}
