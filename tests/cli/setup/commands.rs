//! The commands of Setup: what each shows, keeps and writes, with which exit code.

use std::cell::Cell;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::place::{CONFIGURATION, Place, Said, word};
use crate::common::write;
use crate::nix::{evaluate, is_there};
use crate::pty::terminal::Terminal;
use crate::support::Machine;

const CHOICE: [&str; 2] = ["--set", "docker=true"];

fn with<'a>(words: &[&'a str]) -> Vec<&'a str> {
    words.iter().copied().chain(CHOICE).collect()
}

#[test]
fn show_lists_every_option_and_plans_nothing() {
    let place = Place::new();
    let text = place.run(&["show"]).ok(0);
    for option in nvsdk_top::setup::OPTIONS {
        assert!(text.contains(&format!("  {} ", option.path)), "{} in {text}", option.path);
    }
    assert!(text.starts_with("NixOS 25.11"), "{text}");
    assert_eq!(place.run(&["diff"]).ok(0), "");
}

#[test]
fn show_says_how_what_runs_is_known() {
    let place = Place::new();
    let version =
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\n";
    write(&place.root(), "/proc/driver/nvidia/version", version);
    let text = place.run(&["show"]).ok(0);
    let (_, evidence) = text.split_once("How what runs is known").unwrap();
    for words in [
        "  driver.open: open\n",
        "/proc/driver/nvidia/version: open 580.95.05\n",
        "  persistenced: ",
    ] {
        assert!(evidence.contains(words), "no {words} in {text}");
    }
}

#[test]
fn every_import_that_was_not_followed_is_in_the_document() {
    let place = Place::new();
    let text = "{ inputs, ... }:\n{\n  imports = [\n    inputs.a.b\n    (import ./c.nix)\n    ./gone.nix\n    ./bad.nix\n  ];\n}\n";
    place.nix("configuration.nix", text);
    place.nix("bad.nix", "{ a = ; }");
    let json: Value = serde_json::from_str(&place.run(&["show", "--json"]).out).unwrap();
    let list = |name: &str| json["configuration"][name].as_array().unwrap().clone();
    let [one, two] = &list("not_followed")[..] else { panic!("{json}") };
    assert_eq!((&one["line"], &one["text"]), (&4.into(), &"inputs.a.b".into()));
    assert_eq!(one["file"], word(&place.path("configuration.nix")));
    assert!(one["why"].as_str().unwrap().contains("module of an input"), "{one}");
    assert_eq!((&two["line"], &two["column"]), (&5.into(), &6.into()), "{two}");
    let [gone, bad] = &list("problems")[..] else { panic!("{json}") };
    assert_eq!(
        (&gone["file"], &gone["line"]),
        (&word(&place.path("gone.nix")).into(), &Value::Null)
    );
    assert_eq!((&bad["file"], &bad["line"]), (&word(&place.path("bad.nix")).into(), &1.into()));
    assert_eq!(list("files"), [word(&place.path("configuration.nix"))]);
}

#[test]
fn a_machine_without_nixos_is_told_what_it_has_instead() {
    let place = Place::new();
    fs::remove_dir_all(place.path("")).unwrap();
    let release = place.root().join("etc/os-release");
    for (id, command) in [
        ("ID=ubuntu\nID_LIKE=debian", "sudo ubuntu-drivers install"),
        ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "sudo ubuntu-drivers install"),
        ("ID=debian", "sudo apt install nvidia-driver"),
        ("ID=fedora", "sudo dnf install akmod-nvidia"),
        ("ID=arch", "sudo pacman -S nvidia-open"),
    ] {
        fs::write(&release, id).unwrap();
        let text = place.run(&["show"]).ok(0);
        assert!(text.contains("not NixOS") && text.contains(command), "{id}: {text}");
        assert!(text.contains("not tried here"), "{text}");
    }
    fs::write(&release, "ID=gentoo").unwrap();
    assert!(!place.run(&["show"]).ok(0).contains("sudo"));
    let file = place.folder.path().join("gpu.nix");
    let said = place.run(&with(&["write", "--yes", "-o", word(&file)]));
    assert!(said.ok(0).contains(&format!("import {} in the", word(&file))));
    assert!(fs::read_to_string(&file).unwrap().contains("virtualisation.docker"));
    // Without a place to write to, the difference says so.
    let text = place.run(&with(&["diff"])).ok(5);
    assert!(text.contains("say with -o where"), "{text}");
}

#[test]
fn choices_are_kept_until_they_are_discarded() {
    let place = Place::new();
    assert!(
        place.run(&["set", "container.enable", "true"]).ok(0).contains("container.enable = true")
    );
    assert!(
        place.run(&["set", "users", "alice", "bob,eve"]).ok(0).contains("users = alice,bob,eve")
    );
    let text = place.run(&["diff"]).ok(5);
    assert!(text.contains("+  hardware.nvidia-container-toolkit.enable"), "{text}");
    assert!(text.contains("alice"), "{text}");
    assert!(place.run(&["show"]).ok(0).contains("to be written"));
    let text = place.run(&["discard"]).ok(0);
    assert!(text.contains("discarded container.enable = true"), "{text}");
    assert!(text.contains("discarded users = alice,bob,eve"), "{text}");
    assert_eq!(place.run(&["discard"]).ok(0), "nothing was chosen\n");
    assert_eq!(place.run(&["diff"]).ok(0), "");
}

#[test]
fn a_wrong_choice_is_refused_and_not_kept() {
    let place = Place::new();
    for (words, message) in [
        (&["driver.opne", "true"][..], "did you mean driver.open?"),
        (&["driver.open", "maybe"], "true or false"),
        (&["driver.package", "newest"], "driver.package is one of: stable"),
        (&["driver.package", "stable", "beta"], "takes one value"),
        (&["components", "cudnn,nothing"], "components has no nothing"),
        (&["release", "24.05"], "25.11, 26.05"),
        (&["users", "alice; evil = 1"], "no name of a user"),
        (&["users", "a\"b"], "no name of a user"),
        (&["users", "${builtins.abort 1}"], "no name of a user"),
        (&["users", "''"], "no name of a user"),
        (&["users", "a\nb"], "no name of a user"),
        (&["users", "\\"], "no name of a user"),
        (&["users", "../root"], "no name of a user"),
        (&["x; } evil = {", "true"], "there is no option"),
        (&["a.\"${b}\"", "true"], "there is no option"),
        (&["driver.package", "stable; evil = true"], "is one of"),
        (&["\u{1b}[2J", "true"], "there is no option"),
    ] {
        let words: Vec<_> = ["set"].iter().chain(words).copied().collect();
        place.refuses(&words, 2, &[message]);
        assert!(!place.state().exists(), "{words:?}");
        let assignment = format!("{}={}", words[1], words[2]);
        if words.len() == 3 {
            place.refuses(&["diff", "--set", &assignment], 2, &[message]);
        }
    }
    place.refuses(&["diff", "--set", "driver.open"], 2, &["write PATH=VALUE"]);
    place.refuses(&["diff", "--set", "=x"], 2, &["names no option; write PATH=VALUE"]);
}

#[test]
fn nothing_is_written_without_being_asked_for() {
    let place = Place::new();
    let before = place.files();
    let said = Said::of(&place.command(&with(&["write"])).stdin(Stdio::null()).output().unwrap());
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.out.contains("+++") && said.errors.contains("--yes"), "{said:?}");
    let text = place.run(&with(&["write", "--dry-run"])).ok(0);
    assert!(text.contains("+++") && text.contains("nixos-rebuild build"), "{text}");
    let module = place.run(&with(&["write", "-o", "-"])).ok(0);
    assert!(module.starts_with("# NVIDIA's SDK"), "{module}");
    assert_eq!(place.files(), before);
}

#[test]
fn what_is_written_is_what_was_shown_and_the_second_time_nothing() {
    let place = Place::new();
    let module = place.run(&with(&["write", "-o", "-"])).ok(0);
    let text = place.run(&with(&["write", "--yes"])).ok(0);
    let file = place.path("nvsdk-top.nix");
    assert_eq!(fs::read_to_string(&file).unwrap(), module);
    assert!(text.contains(&format!("Wrote {}.", file.display())), "{text}");
    assert!(text.contains("add ./nvsdk-top.nix to imports"), "{text}");
    assert!(text.contains("nixos-rebuild build"), "{text}");
    let text = place.run(&with(&["write", "--yes"])).ok(0);
    assert!(text.contains("nothing imports it") && text.contains("Nothing is to be"), "{text}");
    assert!(place.run(&["show"]).ok(0).contains("nvsdk-top.nix is there and nothing imports it"));
    let json: Value = serde_json::from_str(&place.run(&["show", "--json"]).ok(0)).unwrap();
    assert!(json["plan"]["not_imported"].as_str().unwrap().contains("add it to imports in"));
    assert_eq!(place.run(&["write", "-o", "-"]).ok(0), module);
    // What it says is known, so that it can be written again.
    let text = place.run(&["write", "--yes", "--set", "podman=true"]).ok(0);
    assert!(text.contains("add ./nvsdk-top.nix to imports"), "{text}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("docker.enable") && text.contains("podman.enable"), "{text}");
    place.run(&["write", "--yes", "--set", "podman=false", "--set", "docker=false"]).ok(0);
    assert!(!fs::read_to_string(&file).unwrap().contains("true"));
    place.run(&with(&["write", "--yes"])).ok(0);
    let imported = CONFIGURATION.replace("imports = [", "imports = [ ./nvsdk-top.nix");
    place.nix("configuration.nix", imported);
    assert_eq!(place.run(&with(&["diff"])).ok(0), "");
}

#[test]
fn a_written_draft_is_a_draft_no_more() {
    let place = Place::new();
    place.run(&["set", "docker", "true"]).ok(0);
    place.run(&["write", "--yes"]).ok(0);
    assert!(!place.state().join("draft.toml").exists(), "the file is read as it is");
    let imported = CONFIGURATION.replace("imports = [", "imports = [ ./nvsdk-top.nix");
    place.nix("configuration.nix", imported);
    place.run(&["set", "podman", "true"]).ok(0);
    let text = place.run(&["write", "--yes"]).ok(0);
    assert!(text.contains("What it held is in "), "{text}");
    assert!(!place.state().join("draft.toml").exists());
    assert_eq!(place.run(&["diff"]).ok(0), "");
}

#[test]
fn a_draft_is_for_the_configuration_that_was_read() {
    let place = Place::new();
    place.run(&["set", "docker", "true"]).ok(0);
    let other = place.nix("other/configuration.nix", CONFIGURATION);
    place.nix("other/hardware-configuration.nix", "{ }");
    let named = ["--config", word(&other)];
    let said = place.run(&[&["diff"][..], &named].concat());
    assert!(said.code == 0 && said.errors.contains("is left out here"), "{said:?}");
    let set = [&["set", "podman", "true"][..], &named].concat();
    place.refuses(&set, 1, &["/etc/nixos/configuration.nix; write that first"]);
    // By its own name it is the same configuration.
    let own = place.path("configuration.nix");
    place.run(&["diff", "--config", word(&own)]).ok(5);
    // What was written is in nobody's way.
    place.run(&["write", "--yes"]).ok(0);
    assert!(place.run(&set).ok(0).contains("podman = true"));
}

#[test]
fn nothing_is_rebuilt_where_nixos_is_not() {
    let place = Place::new();
    fs::write(place.root().join("etc/os-release"), "ID=debian").unwrap();
    let text = place.run(&with(&["write", "--yes"])).ok(0);
    assert!(text.contains("on the NixOS machine that it is for"), "{text}");
    assert!(!text.contains("sudo") && !text.contains("nixos-rebuild"), "{text}");
}

#[test]
fn what_the_users_files_set_is_left_to_them_with_its_place() {
    let place = Place::new();
    let text = CONFIGURATION
        .replace("boot.loader", "virtualisation.docker.enable = false;\n  boot.loader");
    place.nix("configuration.nix", text);
    let before = place.files();
    let text = place.run(&with(&["write", "--yes"])).ok(0);
    assert!(text.contains("/configuration.nix:5 to false"), "{text}");
    assert!(text.contains("#   virtualisation.docker.enable = true;"), "{text}");
    assert_eq!(place.files(), before);
    place.run(&with(&["diff"])).ok(5);
}

#[test]
fn the_facts_of_another_machine_travel_through_a_pipe() {
    let there = Place::new();
    there.run(&["set", "docker", "true"]).ok(0);
    let json = there.run(&["show", "--json"]).ok(0);
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "nvsdk-top-setup/1");
    assert_eq!(document["options"].as_array().unwrap().len(), nvsdk_top::setup::OPTIONS.len());
    let here = Place::new();
    let bare = document["facts"].to_string();
    for facts in [&json, &bare] {
        let mut command = here.command(&with(&["show", "--json", "--facts", "-"])[..4]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(facts.as_bytes()).unwrap();
        let said = child.wait_with_output().unwrap();
        let answer: Value = serde_json::from_slice(&said.stdout).unwrap();
        assert_eq!(answer["facts"], document["facts"]);
        // The other's choices are not facts.
        assert_eq!(answer["plan"]["file"], Value::Null);
    }
}

#[test]
fn facts_that_are_none_say_where() {
    let place = Place::new();
    let file = |text: &[u8]| {
        let path = place.folder.path().join("facts.json");
        fs::write(&path, text).unwrap();
        path
    };
    let deep = "[".repeat(200_000);
    for (text, words) in [
        (&b"{\n  oops\n}"[..], "line 2, column 3"),
        (b"", "line 1, column 0"),
        (b"{\"schema\":\"nvsdk-top/1\"}", "nvsdk-top-setup/1"),
        (deep.as_bytes(), "line 1, column "),
        (&vec![b' '; (16 << 20) + 1], "more than"),
    ] {
        place.refuses(&["diff", "--facts", word(&file(text))], 1, &[words]);
    }
    place.refuses(&["diff", "--facts", "/nowhere.json"], 1, &["/nowhere.json", "No such file"]);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let place = Place::new();
    for arguments in [&["show"][..], &["show", "--json"], &with(&["diff"])] {
        let mut child = place.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_terminal_is_asked_and_its_answer_counts() {
    let place = Place::new();
    let text =
        CONFIGURATION.replace("boot.loader", "nixpkgs.config.allowUnfree = true;\n  boot.loader");
    place.nix("configuration.nix", text);
    let sets =
        ["enable=true", "driver.package=production", "driver.open=true", "container.enable=true"];
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let words: Vec<_> = with(&["write"]).into_iter().chain(sets).collect();
    let command = place.command(&words);
    let before = place.files();
    for (answer, says) in [
        ("n\n", "Nothing was written."),
        ("\n", "Nothing was written."),
        ("\u{4}", "Nothing was written."),
    ] {
        let mut terminal = Terminal::start(&command, (120, 60));
        terminal.wait_for_text("write it? [y/N]");
        terminal.send(answer);
        assert_eq!(terminal.wait(), 0);
        terminal.wait_for_text(says);
        assert_eq!(place.files(), before);
    }
    let mut terminal = Terminal::start(&command, (120, 60));
    terminal.wait_for_text("write it? [y/N]");
    terminal.send("y\n");
    assert_eq!(terminal.wait(), 0);
    terminal.wait_for_text("nixos-rebuild");
    let file = place.path("nvsdk-top.nix");
    assert!(file.exists());
    if is_there("a_terminal_is_asked_and_its_answer_counts") {
        let modules = [place.path("configuration.nix"), file];
        let modules = [modules[0].as_path(), modules[1].as_path()];
        for release in ["25.11", "26.05"] {
            let answer = evaluate(&modules, "x86_64-linux", release, false);
            assert!(answer.ok, "{release}: {answer:?}");
            assert_eq!(answer.values["hardware.nvidia-container-toolkit"]["enable"], true);
            assert_eq!(answer.values["hardware.nvidia"]["open"], true);
        }
    }
}

#[test]
fn colours_are_for_terminals_whose_user_wants_them() {
    let place = Place::new();
    let is_coloured = |refuses: bool| {
        let mut command = place.command(&with(&["diff"]));
        if refuses {
            command.env("NO_COLOR", "1");
        }
        let mut terminal = Terminal::start(&command, (200, 60));
        assert_eq!(terminal.wait(), 5);
        let is_coloured = Cell::new(false);
        terminal.wait_for("difference", |screen| {
            is_coloured.set(has_colour(screen));
            screen.contents().contains("docker.enable")
        });
        is_coloured.get()
    };
    assert!(is_coloured(false));
    assert!(!is_coloured(true));
}

fn has_colour(screen: &vt100::Screen) -> bool {
    let (rows, columns) = screen.size();
    let places =
        (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
    let mut cells = places.filter_map(|(row, column)| screen.cell(row, column));
    cells.any(|cell| cell.fgcolor() != vt100::Color::Default)
}

/// A machine with systemd, and a folder for `PATH` with this script as `systemctl`.
fn with_systemctl(script: &str) -> (Place, PathBuf) {
    let place = Place::new();
    fs::create_dir_all(place.root().join("run/systemd/system")).unwrap();
    let bin = place.folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let tool = bin.join("systemctl");
    fs::write(&tool, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&tool, Permissions::from_mode(0o755)).unwrap();
    (place, bin)
}

#[test]
fn systemd_is_asked_once_and_nothing_else_is_started() {
    let script = "echo \"$@\" >> \"$HOME/asked\"
        printf 'Id=docker.service\\nLoadState=loaded\\nActiveState=failed\\nSubState=failed\\nResult=exit-code\\n'";
    let (place, bin) = with_systemctl(script);
    let mut command = place.command(&["show", "--json"]);
    let json = Said::of(&command.env("PATH", &bin).output().unwrap()).ok(0);
    let document: Value = serde_json::from_str(&json).unwrap();
    let services = document["facts"]["services"].as_array().unwrap();
    let docker = services.iter().find(|service| service["name"] == "docker.service").unwrap();
    assert_eq!(docker["state"]["value"]["active"], "failed", "{docker}");
    let asked = fs::read_to_string(place.folder.path().join("asked")).unwrap();
    assert_eq!(asked.lines().count(), 1, "{asked}");
    assert!(asked.starts_with("show ") && asked.contains("nvidia-persistenced.service"), "{asked}");
    // The facts of another machine need nothing of this one.
    let facts = place.folder.path().join("facts.json");
    fs::write(&facts, json).unwrap();
    let mut command = place.command(&["diff", "--facts", word(&facts)]);
    Said::of(&command.env("PATH", &bin).output().unwrap()).ok(0);
    assert_eq!(fs::read_to_string(place.folder.path().join("asked")).unwrap(), asked);
}

#[test]
fn nvml_is_asked_where_a_driver_is_loaded() {
    let machine = Machine::preset("h100");
    let persistence_modes = || {
        let text = machine.says(&["setup", "show", "--json"], 0);
        let document: Value = serde_json::from_str(&text).unwrap();
        let gpus = document["facts"]["gpus"]["value"].as_array().cloned().unwrap_or_default();
        gpus.iter().map(|gpu| gpu["persistence_mode"]["value"].clone()).collect::<Vec<_>>()
    };
    assert!(persistence_modes().iter().all(Value::is_null));
    machine.write_kernel_driver("580.95.05", true);
    let modes = persistence_modes();
    assert!(!modes.is_empty() && modes.iter().all(Value::is_boolean), "{modes:?}");
}

#[test]
fn a_question_that_hangs_is_not_waited_for() {
    let (place, bin) = with_systemctl("echo $$ > \"$HOME/pid\"; exec /bin/sleep 600");
    let left = place.folder.path().join("pid");
    let start = Instant::now();
    let mut command = place.command(&["show", "--json"]);
    let output = command.env("PATH", &bin).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(30));
    let pid = fs::read_to_string(&left).unwrap();
    let process = format!("/proc/{}/stat", pid.trim());
    // One that nobody has waited for yet is a zombie.
    while fs::read_to_string(&process).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(start.elapsed() < Duration::from_secs(60), "systemctl lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}
