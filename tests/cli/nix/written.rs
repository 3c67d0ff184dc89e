//! Whole modules, written and evaluated.

use std::fs;
use std::path::Path;

use nvsdk_top::setup::nix::{AttrPath, Expr, Marker, Mode, Module, Priority};
use serde_json::{Value, json};

use super::{Evaluation, evaluate, evaluate_all, everywhere, is_there};

const VERSION: &str = "580.173.02";
const HASHES: [(&str, &str); 5] = [
    ("sha256_64bit", "sha256-jY65AB4FqaimY9PV0wT+tk7yhE7hhczf2VJ4aCD0bhs="),
    ("sha256_aarch64", "sha256-1lvVYIfvTXjwSoCNp4g8NaWQHF/TfpXRUKdgLrqXqoA="),
    ("openSha256", "sha256-lhloZdf6XbaAFTZBF1DxE0Nv9VC6obY8UPf0VyfVepE="),
    ("settingsSha256", "sha256-dfdu/3tnwHUfP7WoeQFNOMalMlpmUWjeMDIOnu+yi8E="),
    ("persistencedSha256", "sha256-j8YM1w231X+JIP3c3TpUNurEBumEu1stVjzFGWu1JXE="),
];

fn name(path: &str) -> Expr {
    Expr::Name(AttrPath::dotted(path))
}

fn text(text: &str) -> Expr {
    Expr::text(text).unwrap()
}

fn texts(all: &[&str]) -> Expr {
    Expr::List(all.iter().map(|one| text(one)).collect())
}

fn module(mode: Mode, comment: &str, entries: Vec<(&str, Expr, Priority)>) -> Module {
    let mut module = Module::new(mode, &[comment]).unwrap();
    for (path, value, priority) in entries {
        module.set(AttrPath::dotted(path), value, priority).unwrap();
    }
    module
}

/// A driver that is named by its version and hashes.
fn pinned() -> Expr {
    let given = [("version", VERSION)].into_iter().chain(HASHES);
    let arguments = given.map(|(name, value)| (AttrPath::dotted(name), text(value))).collect();
    let function = name("config.boot.kernelPackages.nvidiaPackages.mkDriver");
    Expr::Call(Box::new(function), vec![Expr::Set(arguments)])
}

fn snippet() -> Module {
    let plain = Priority::PLAIN;
    let comment =
        "nvsdk-top: hardware.nvidia-sdk (import the upstream module and overlay in your flake)";
    module(
        Mode::Snippet,
        comment,
        vec![
            ("hardware.nvidia-sdk.enable", Expr::Bool(true), plain),
            ("hardware.nvidia-sdk.driver.open", Expr::Bool(true), plain),
            ("hardware.nvidia-sdk.driver.package", pinned(), plain),
            ("hardware.nvidia-sdk.systemPackages", Expr::Bool(true), plain),
            ("hardware.nvidia-sdk.monitoring", Expr::Bool(true), plain),
            ("hardware.nvidia-sdk.persistenced", Expr::Bool(true), plain),
            ("hardware.nvidia-sdk.container.enable", Expr::Bool(true), plain),
        ],
    )
}

fn standalone() -> Module {
    let (plain, own) = (Priority::PLAIN, Priority::OWN);
    let comment = "nvsdk-top: options of nixpkgs only";
    let is_x86 = name("pkgs.stdenv.hostPlatform.isx86_64");
    let tools = Expr::List(vec![name("pkgs.btop-cuda"), name("pkgs.git")]);
    module(
        Mode::Standalone,
        comment,
        vec![
            (
                "nixpkgs.config.allowUnfreePackages",
                texts(&["nvidia-x11", "nvidia-settings"]),
                plain,
            ),
            ("services.xserver.videoDrivers", texts(&["nvidia"]), plain),
            ("hardware.nvidia.open", Expr::Bool(true), own),
            ("hardware.nvidia.package", pinned(), own),
            ("hardware.nvidia.modesetting.enable", Expr::Bool(true), own),
            ("hardware.nvidia.nvidiaSettings", Expr::Bool(true), own),
            ("hardware.nvidia.nvidiaPersistenced", Expr::Bool(true), own),
            ("hardware.graphics.enable", Expr::Bool(true), own),
            ("hardware.graphics.enable32Bit", is_x86, own),
            ("hardware.nvidia-container-toolkit.enable", Expr::Bool(true), own),
            ("hardware.nvidia-container-toolkit.device-name-strategy", text("uuid"), own),
            ("virtualisation.podman.enable", Expr::Bool(true), own),
            ("environment.systemPackages", tools, plain),
        ],
    )
}

/// Holds a module's text against a file of this folder.
fn assert_written(module: &Module, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/nix").join(file);
    let text = module.to_string();
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{file}");
    assert_eq!(text, module.clone().to_string(), "the same bytes again");
    assert_eq!(nixfmt_rs::format(&text).unwrap(), text, "as nixfmt writes it");
    let mode = if file.starts_with("snippet") { Mode::Snippet } else { Mode::Standalone };
    assert_eq!(Marker::read(&text), Some(Marker { mode, is_hand_edited: false }));
}

#[test]
fn each_mode_is_written_as_its_sample() {
    assert_written(&snippet(), "snippet.nix");
    assert_written(&standalone(), "standalone.nix");
}

/// What comes of the module on both systems and releases.
fn evaluated(module: &Module, sdk: bool) -> Vec<Evaluation> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nvsdk-top.nix");
    fs::write(&path, module.to_string()).unwrap();
    evaluate_all(&everywhere(&[&path], sdk))
}

#[test]
fn the_standalone_sample_evaluates_everywhere() {
    if !is_there("the_standalone_sample_evaluates_everywhere") {
        return;
    }
    for evaluation in evaluated(&standalone(), false) {
        assert!(evaluation.ok, "{evaluation:?}");
        assert_eq!(evaluation.warnings, [""; 0]);
        let nvidia = &evaluation.values["hardware.nvidia"];
        assert_eq!(nvidia["package"], json!(format!("nvidia-x11-{VERSION}")));
        let hashes: Value =
            HASHES.into_iter().map(|(name, hash)| (name.to_owned(), json!(hash))).collect();
        assert_eq!(nvidia["packageArgs"], hashes);
        assert_eq!((&nvidia["open"], &nvidia["nvidiaPersistenced"]), (&json!(true), &json!(true)));
    }
}

#[test]
fn the_snippet_sample_evaluates_where_the_upstream_module_does() {
    if !is_there("the_snippet_sample_evaluates_where_the_upstream_module_does") {
        return;
    }
    let [x86_old, x86_new, arm_old, arm_new] = evaluated(&snippet(), true).try_into().unwrap();
    for evaluation in [x86_old, x86_new] {
        assert!(evaluation.ok, "{evaluation:?}");
        let package = &evaluation.values["hardware.nvidia-sdk"]["driver"]["package"];
        assert_eq!(*package, json!(format!("nvidia-x11-{VERSION}")));
    }
    for evaluation in [arm_old, arm_new] {
        // The upstream module asks for 32-bit libraries on every system.
        let message = evaluation.failed_assertions.join("\n");
        assert!(message.contains("graphics-32bit-platform"), "{evaluation:?}");
    }
}

#[test]
fn what_the_user_sets_is_stronger_than_what_is_written() {
    if !is_there("what_the_user_sets_is_stronger_than_what_is_written") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("nvsdk-top.nix"), folder.path().join("gpu.nix"));
    fs::write(&ours, standalone().to_string()).unwrap();
    let user = "{ hardware.nvidia.nvidiaPersistenced = false; services.xserver.videoDrivers = [ \"modesetting\" ]; }";
    fs::write(&theirs, user).unwrap();
    let both = evaluate(&[&theirs, &ours], "x86_64-linux", "26.05", false);
    assert!(both.ok, "{both:?}");
    assert_eq!(both.values["hardware.nvidia"]["nvidiaPersistenced"], json!(false));
    let drivers = both.values["services.xserver.videoDrivers"].as_array().unwrap();
    assert!(
        drivers.contains(&json!("nvidia")) && drivers.contains(&json!("modesetting")),
        "{drivers:?}"
    );
    let plain = module(
        Mode::Standalone,
        "",
        vec![("hardware.nvidia.nvidiaPersistenced", Expr::Bool(true), Priority::PLAIN)],
    );
    fs::write(&ours, plain.to_string()).unwrap();
    let clash = evaluate(&[&theirs, &ours], "x86_64-linux", "26.05", false);
    assert!(clash.error.unwrap().contains("conflicting definition values"));
}
