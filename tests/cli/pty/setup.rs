//! The tab Setup in a terminal, from the first key to the written file.

use nvsdk_top::setup::OPTIONS;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::write;
use crate::support::program;

use super::terminal::Terminal;
use super::{USUAL, assert_leaves};

const CONFIGURATION: &str = "\
{ config, ... }:
{
  imports = [ ./hardware-configuration.nix ];
  services.xserver.videoDrivers = [ \"nvidia\" ];
  hardware.graphics.enable = true;
  hardware.nvidia.open = true;
}
";

/// A machine with NixOS and a configuration, and a home for the draft.
fn machine(root: &Path) -> Command {
    write(root, "/etc/os-release", "ID=nixos\nVERSION_ID=\"25.11\"\nPRETTY_NAME=\"NixOS 25.11\"\n");
    write(root, "/etc/nixos/configuration.nix", CONFIGURATION);
    write(root, "/etc/nixos/hardware-configuration.nix", "{ }\n");
    fs::create_dir(root.join("home")).unwrap();
    let mut command = program(&["--nvml-lib", "/nowhere/libnvidia-ml.so.1"]);
    command.arg("--root").arg(root).env("HOME", root.join("home"));
    command.env("NIXOS_CONFIG", "/etc/nixos/configuration.nix").env("LANG", "C.UTF-8");
    command
}

fn open(command: &Command) -> Terminal {
    let mut terminal = Terminal::start(command, USUAL);
    terminal.wait_for_text("No GPUs to show");
    terminal.send("5");
    terminal.wait_for_text("Nothing to write: nothing is chosen that is not declared.");
    terminal
}

/// Selects `persistenced` and turns it on.
fn choose(terminal: &mut Terminal) {
    let rows = OPTIONS.iter().position(|option| option.path == "persistenced").unwrap();
    terminal.send(&"\x1b[B".repeat(rows));
    terminal.wait_for_text("▸ persistenced");
    terminal.send(" ");
    terminal.wait_for_text("1 change, takes effect at the next boot");
}

#[test]
fn a_change_becomes_a_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let command = machine(root);
    let mut terminal = open(&command);
    choose(&mut terminal);
    terminal.send("w");
    terminal.wait_for_text("Write it?");
    let file = root.join("etc/nixos/nvsdk-top.nix");
    assert!(!file.exists());
    terminal.send("y");
    let steps =
        ["What to do next", "./nvsdk-top.nix to imports", "sudo nixos-rebuild boot", "reboot"];
    terminal.wait_for("next steps", |screen| {
        let text = screen.contents();
        steps.iter().all(|step| text.contains(step))
    });
    let written = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = written.lines().skip(2).collect();
    let wanted = [
        "{ lib, ... }:",
        "",
        "{",
        "  hardware.nvidia.nvidiaPersistenced = lib.mkOverride 900 true;",
    ];
    assert!(written.lines().nth(1).unwrap().contains("mode=standalone"), "{written}");
    for line in wanted {
        assert!(lines.contains(&line), "{line}: {written}");
    }
    assert_eq!(
        fs::read_to_string(root.join("etc/nixos/configuration.nix")).unwrap(),
        CONFIGURATION
    );
    terminal.send("\r");
    // The file is read as it is, and may be written again.
    let text = terminal.wait_for_text("nothing imports it; add it to imports in");
    assert!(text.contains("nixos-rebuild build"), "{text}");
    assert!(!root.join("home/.local/state/nvsdk-top/draft.toml").exists());
    terminal.send(" ");
    terminal.wait_for_text("1 change, takes effect at the next boot");
    terminal.send("w");
    terminal.wait_for_text("Write it?");
    terminal.send("y");
    terminal.wait_for_text("What to do next");
    let again = fs::read_to_string(&file).unwrap();
    assert!(again.contains("nvidiaPersistenced = lib.mkOverride 900 false;"), "{again}");
    terminal.send("\r");
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

#[test]
fn what_was_chosen_is_there_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let command = machine(folder.path());
    let mut terminal = open(&command);
    choose(&mut terminal);
    let draft = folder.path().join("home/.local/state/nvsdk-top/draft.toml");
    terminal.wait_for("kept draft", |_| draft.exists());
    let text = fs::read_to_string(&draft).unwrap();
    assert!(text.contains("/etc/nixos/configuration.nix"), "it says whose it is: {text}");
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
    let mut terminal = Terminal::start(&command, USUAL);
    terminal.wait_for_text("No GPUs to show");
    terminal.send("5");
    terminal.wait_for_text("1 change, takes effect at the next boot");
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

#[test]
fn a_file_that_changed_meanwhile_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let command = machine(folder.path());
    let mut terminal = open(&command);
    choose(&mut terminal);
    terminal.send("w");
    terminal.wait_for_text("Write it?");
    let file = folder.path().join("etc/nixos/nvsdk-top.nix");
    fs::write(&file, "{ }\n").unwrap();
    terminal.send("y");
    terminal.wait_for_text("Not written");
    assert_eq!(fs::read_to_string(&file).unwrap(), "{ }\n");
    terminal.send("qq");
    assert_leaves(&mut terminal, 0);
}
