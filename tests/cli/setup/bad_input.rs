//! Everything that can be wrong with the files around Setup: each is told with its place, and no file changes.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::geteuid;

use super::place::{CONFIGURATION, Place, Said, word};
use crate::pty::terminal::Terminal;
use crate::skip::say_skipped;

const NOBODY: u32 = 65534;
const WRITE: [&str; 4] = ["write", "--yes", "--set", "docker=true"];

fn fifo(path: &std::path::Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn a_configuration_that_cannot_be_read_says_where_it_is_wrong() {
    let deep = format!("{{ a = {}1{}; }}", "(".repeat(100_000), ")".repeat(100_000));
    let long = format!("{{ a = \"{}\"; }}", "x".repeat(1 << 20));
    for (text, words) in [
        (&b"{ a = 1;\n  b = ; }"[..], &["configuration.nix, line 2, column 7"][..]),
        (b"{\r\n  a = 1;\r\n  b = ;\r\n}\r\n", &["line 3, column 7"]),
        (b"", &["line 1, column 1"]),
        (b"{\n  a = \"\xff\"; }", &["line 2, column 8", "UTF-8"]),
        (deep.as_bytes(), &["line 1, column "]),
        (long.as_bytes(), &["larger than 1048576 bytes"]),
    ] {
        let place = Place::new();
        let file = place.nix("configuration.nix", text);
        for action in [&["show"][..], &["diff"], &WRITE] {
            let named: Vec<_> = action.iter().copied().chain(["--config", word(&file)]).collect();
            place.refuses(&named, 1, words);
        }
        // Where nobody names it, everything else is shown; but nothing is written beside it.
        let said = place.run(&["show"]);
        assert!(said.code == 0 && said.errors.contains(words[0]), "{said:?}");
        place.refuses(&WRITE, 1, words);
    }
}

/// Where a flake has several hosts, a file beside the modules of one may be imported by another.
#[test]
fn the_file_of_another_host_is_not_taken_for_ones_own() {
    let place = Place::new();
    let host =
        |name: &str| format!("{name} = nixpkgs.lib.nixosSystem {{ modules = [ ./{name}.nix ]; }};");
    let hosts = ["attic", "cellar"].map(host).join(" ");
    let flake =
        format!("{{ outputs = {{ nixpkgs, ... }}: {{ nixosConfigurations = {{ {hosts} }}; }}; }}");
    place.nix("flake.nix", flake);
    let module = "{ imports = [ ./hardware-configuration.nix ]; }";
    place.nix("attic.nix", module);
    place.nix("cellar.nix", module);
    let named = |host: &str| format!("{}#{host}", word(&place.path("")));
    let write = |host| [&WRITE[..], &["--flake", host]].concat();
    let [own, other] = ["cellar", "attic"].map(named);
    let said = place.run(&write(&own));
    assert!(said.code == 0 && said.errors.contains("what runs is of this machine"), "{said:?}");
    let of_cellar = fs::read(place.path("nvsdk-top-cellar.nix")).unwrap();
    place.nix("cellar.nix", module.replace("imports = [", "imports = [ ./nvsdk-top-cellar.nix"));
    let said = place.run(&["show", "--flake", &other]);
    assert!(said.code == 0 && !said.out.contains("nothing imports it"), "{said:?}");
    let said = place.run(&[&write(&other)[..], &["--set", "podman=true"]].concat());
    assert!(said.code == 0 && place.path("nvsdk-top-attic.nix").is_file(), "{said:?}");
    assert_eq!(fs::read(place.path("nvsdk-top-cellar.nix")).unwrap(), of_cellar);
}

#[test]
fn a_name_of_no_configuration_is_an_error() {
    let place = Place::new();
    let folder = place.path("empty");
    fs::create_dir(&folder).unwrap();
    place.nix("flake.nix", "{ outputs = { self, nixpkgs }: { nixosConfigurations = { a = nixpkgs.lib.nixosSystem { modules = [ ]; }; b = nixpkgs.lib.nixosSystem { modules = [ ]; }; }; }; }");
    let flake = place.path("");
    let other = place.folder.path().join("other.nix");
    for named in [["--config", word(&folder)], ["--flake", word(&flake)]] {
        for action in [&["show"][..], &["show", "--json"], &["write", "--yes", "-o", word(&other)]]
        {
            place.refuses(&[action, &named].concat(), 1, &[]);
        }
    }
    // One that is there and broken is in the way of nothing that is written elsewhere.
    let broken = place.nix("broken.nix", "{ a = ; }");
    let said = place.run(&[&WRITE[..], &["-o", word(&other), "--config", word(&broken)]].concat());
    assert!(said.code == 0 && said.errors.contains("line 1, column 7"), "{said:?}");
}

#[test]
fn an_imported_file_that_cannot_be_read_is_in_the_way_of_writing() {
    for (make, words) in [
        (
            (|place: &Place| drop(place.nix("hardware-configuration.nix", "{ a = ; }")))
                as fn(&Place),
            "line 1, column 7",
        ),
        (
            |place| fs::remove_file(place.path("hardware-configuration.nix")).unwrap(),
            "is not there",
        ),
        (
            |place| {
                let path = place.path("hardware-configuration.nix");
                fs::remove_file(&path).unwrap();
                fifo(&path);
            },
            "is no regular file",
        ),
        (
            |place| {
                let path = place.path("hardware-configuration.nix");
                fs::remove_file(&path).unwrap();
                symlink("hardware-configuration.nix", &path).unwrap();
            },
            "leads back to itself",
        ),
    ] {
        let place = Place::new();
        make(&place);
        place.refuses(&WRITE, 1, &["hardware-configuration.nix", words]);
        // The user who says where may.
        let file = place.folder.path().join("mine.nix");
        let arguments = [&WRITE[..], &["-o", word(&file)]].concat();
        let said = place.run(&arguments);
        assert!(said.code == 0 && said.errors.contains(words), "{said:?}");
    }
}

#[test]
fn what_stands_in_our_files_place_is_left_alone() {
    let place = Place::new();
    place.run(&WRITE).ok(0);
    let file = place.path("nvsdk-top.nix");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("true", "false")).unwrap();
    let other = ["write", "--yes", "--set", "podman=true"];
    place.refuses(&other, 1, &["nvsdk-top.nix was changed by hand"]);
    fs::write(&file, "{ }\n").unwrap();
    place.refuses(&other, 1, &["was not written by this program"]);
    fs::write(&file, b"\xff\xfe").unwrap();
    place.refuses(&other, 1, &["was not written by this program"]);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    place.refuses(&other, 1, &["nvsdk-top.nix is a folder"]);
    fs::remove_dir(&file).unwrap();
    fifo(&file);
    place.refuses(&other, 1, &["nvsdk-top.nix is a FIFO"]);
    fs::remove_file(&file).unwrap();
    symlink("nvsdk-top.nix", &file).unwrap();
    place.refuses(&other, 1, &["lead nowhere"]);
    fs::remove_file(&file).unwrap();
    let store = place.root().join("nix/store");
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join("abc-nvsdk-top.nix"), &text).unwrap();
    symlink(store.join("abc-nvsdk-top.nix"), &file).unwrap();
    place.refuses(&other, 1, &["in the Nix store"]);
    assert_eq!(fs::read_to_string(store.join("abc-nvsdk-top.nix")).unwrap(), text);
}

#[test]
fn a_file_that_is_named_is_held_to_the_same() {
    let place = Place::new();
    let file = place.nix("other.nix", "{ }\n");
    let folder = place.path("");
    let arguments = |file| [&WRITE[..], &["-o", file]].concat();
    place.refuses(&arguments(word(&file)), 1, &["was not written by this program"]);
    place.refuses(&arguments(word(&folder)), 1, &["folder"]);
    place.refuses(&arguments("/nowhere/at/all.nix"), 1, &["there is no folder"]);
    fs::remove_file(&file).unwrap();
    fifo(&file);
    place.refuses(&arguments(word(&file)), 1, &["is a FIFO"]);
}

#[test]
fn a_choice_that_would_not_work_is_not_written() {
    let place = Place::new();
    let arguments = ["write", "--yes", "--set", "container.enable=true"];
    place.refuses(&arguments, 1, &["nothing was written: ", "set enable to true"]);
    place.refuses(&[&arguments[..], &["-o", "-"]].concat(), 1, &["set enable to true"]);
    assert!(
        place.run(&["diff", "--set", "container.enable=true"]).ok(5).contains("# not possible: ")
    );
}

#[test]
fn what_is_wrong_already_is_shown_and_not_in_the_way() {
    let place = Place::new();
    let wrong = "hardware.nvidia-container-toolkit.enable = true;\n  system.stateVersion";
    place.nix("configuration.nix", CONFIGURATION.replace("system.stateVersion", wrong));
    let text = place.run(&["diff", "--set", "docker=true"]).ok(5);
    assert!(text.contains("# the container toolkit needs the driver"), "{text}");
    assert!(!text.contains("not possible"), "{text}");
    let text = place.run(&["write", "--yes", "--set", "docker=true"]).ok(0);
    assert!(text.contains("# the container toolkit needs the driver"), "{text}");
}

#[test]
fn no_second_file_gets_the_keys_of_an_imported_one() {
    let place = Place::new();
    place.run(&WRITE).ok(0);
    let imported = CONFIGURATION.replace("imports = [", "imports = [ ./nvsdk-top.nix");
    place.nix("configuration.nix", imported);
    let other = place.path("other.nix");
    let arguments = ["write", "--yes", "--set", "podman=true", "-o", word(&other)];
    place.refuses(&arguments, 1, &["nvsdk-top.nix is imported and sets the same keys"]);
}

#[test]
fn what_changes_while_the_user_thinks_is_not_written_over() {
    for (name, text) in [
        ("nvsdk-top.nix", "{ a = 1; }\n"),
        ("configuration.nix", &*CONFIGURATION.replace("25.11", "26.05")),
        ("hardware-configuration.nix", ""),
    ] {
        let place = Place::new();
        let command = place.command(&["write", "--set", "docker=true"]);
        let mut terminal = Terminal::start(&command, (200, 60));
        terminal.wait_for_text("write it? [y/N]");
        if text.is_empty() {
            fs::remove_file(place.path(name)).unwrap();
        } else {
            place.nix(name, text);
        }
        let before = place.files();
        terminal.send("y\n");
        assert_eq!(terminal.wait(), 1, "{name}");
        terminal.wait_for(name, |screen| {
            let text = screen.contents().replace('\n', "");
            text.contains("was changed") && text.contains(name)
        });
        assert_eq!(place.files(), before);
    }
}

#[test]
fn two_writers_at_once_leave_one_whole_file() {
    let place = Place::new();
    let start = |set: &str| {
        let mut command = place.command(&["write", "--yes", "--set", set]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for _ in 0..10 {
        let children = [start("docker=true"), start("podman=true")];
        for child in children {
            let output = child.wait_with_output().unwrap();
            let errors = String::from_utf8(output.stderr).unwrap();
            let is_told = ["was changed", "is being written", "nothing imports it yet"]
                .iter()
                .any(|words| errors.contains(words));
            assert!(output.status.success() || is_told, "{errors}");
        }
        let text = fs::read_to_string(place.path("nvsdk-top.nix")).unwrap();
        let marker = nvsdk_top::setup::nix::Marker::read(&text).unwrap();
        assert!(!marker.is_hand_edited, "{text}");
        fs::remove_file(place.path("nvsdk-top.nix")).unwrap();
        let names = place.files().into_keys();
        assert!(!names.into_iter().any(|path| word(&path).contains("/.nvsdk-top")));
    }
}

#[test]
fn a_user_who_may_not_write_gets_the_command_that_does() {
    const TEST: &str = "a_user_who_may_not_write_gets_the_command_that_does";
    if !geteuid().is_root() {
        return say_skipped(TEST, "root");
    }
    let place = Place::new();
    let mut path = place.path("").as_path().to_owned();
    while path.starts_with(place.folder.path()) {
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path.pop();
    }
    let state = place.folder.path().join("state");
    fs::create_dir(&state).unwrap();
    chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
    let copy = place.folder.path().join("program");
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_nvsdk-top")).arg(&copy).status();
    assert!(copied.unwrap().success());
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    let before = place.files();
    let mut command = Command::new(&copy);
    command.env_clear().arg("setup").args(WRITE).uid(NOBODY).gid(NOBODY).current_dir("/");
    place.aim(&mut command);
    let said = Said::of(&command.output().unwrap());
    assert_eq!(said.code, 1, "{said:?}");
    let (_, install) = said.errors.split_once("sudo install ").unwrap();
    assert!(install.contains("-o root -g root -m 0644"), "{install}");
    assert!(install.trim_end().ends_with("/root/etc/nixos/nvsdk-top.nix"), "{install}");
    assert!(said.out.contains("nixos-rebuild build"), "{said:?}");
    assert_eq!(place.files(), before);
    // The line does what it says.
    let script = format!("install {install}");
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    assert!(place.path("nvsdk-top.nix").exists());
    // A file of the configuration that this user may not read is told, and in the way.
    fs::set_permissions(place.path("hardware-configuration.nix"), Permissions::from_mode(0o600))
        .unwrap();
    let mut command = Command::new(&copy);
    command.env_clear().arg("setup").args(WRITE).uid(NOBODY).gid(NOBODY).current_dir("/");
    place.aim(&mut command);
    let said = Said::of(&command.args(["--set", "podman=true"]).output().unwrap());
    assert!(said.code == 1 && said.errors.contains("make it readable"), "{said:?}");
}

#[test]
fn a_full_disk_changes_nothing() {
    const TEST: &str = "a_full_disk_changes_nothing";
    let may_mount = || Command::new("unshare").args(["-m", "true"]).status();
    if !geteuid().is_root() || !may_mount().is_ok_and(|status| status.success()) {
        return say_skipped(TEST, "root, and mounts of its own");
    }
    let place = Place::new();
    let mut command = Command::new("unshare");
    // What fills the disk leaves no room for another page.
    let script = "cd \"$0\"; mount -t tmpfs -o size=64k none etc/nixos
        printf '%s' \"$CONFIGURATION\" > etc/nixos/configuration.nix; echo '{ }' > etc/nixos/hardware-configuration.nix
        dd if=/dev/zero of=etc/nixos/filler bs=4k 2>/dev/null || true
        sha256sum etc/nixos/*; \"$@\" || echo CODE $?; sha256sum etc/nixos/*; ls -A etc/nixos";
    command.args(["-m", "sh", "-ec", script]).arg(place.root());
    command.arg(env!("CARGO_BIN_EXE_nvsdk-top")).arg("setup").args(WRITE);
    command.env("CONFIGURATION", CONFIGURATION);
    place.aim(&mut command);
    let output = command.output().unwrap();
    let (out, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("CODE 1") && errors.contains("No space left"), "{out}{errors}");
    let sums: Vec<_> = out.lines().filter(|line| line.contains("  etc/nixos/")).collect();
    assert_eq!(sums.len(), 6, "{out}");
    assert_eq!(sums[..3], sums[3..]);
    assert!(!out.contains(".nvsdk-top"), "{out}");
}

#[test]
fn a_file_system_that_takes_no_changes_is_told() {
    const TEST: &str = "a_file_system_that_takes_no_changes_is_told";
    let may_mount = || Command::new("unshare").args(["-m", "true"]).status();
    if !geteuid().is_root() || !may_mount().is_ok_and(|status| status.success()) {
        return say_skipped(TEST, "root, and mounts of its own");
    }
    let place = Place::new();
    let before = place.files();
    let mut command = Command::new("unshare");
    let script = "cd \"$0\"; mount --bind etc/nixos etc/nixos; mount -o remount,bind,ro etc/nixos; exec \"$@\"";
    command.args(["-m", "sh", "-ec", script]).arg(place.root());
    command.arg(env!("CARGO_BIN_EXE_nvsdk-top")).arg("setup").args(WRITE);
    place.aim(&mut command);
    let said = Said::of(&command.output().unwrap());
    assert!(said.code == 1 && said.errors.contains("mounted read-only"), "{said:?}");
    assert_eq!(place.files(), before);
}

#[test]
fn a_garbage_draft_is_told_and_not_lost() {
    let place = Place::new();
    fs::create_dir_all(place.state()).unwrap();
    let draft = place.state().join("draft.toml");
    for (text, words) in [
        (&b"[values\n"[..], "line 1, column 8"),
        (b"[values]\n\"driver.open\" = 5\n", "line 2, column 17"),
        (b"\xff", "not UTF-8"),
        (b"[values]\n\"driver.open\" = \"yes\"\n", "driver.open is true or false"),
        (b"[values]\n\"x; } evil = {\" = true\n", "there is no option"),
        (b"[values]\nusers = [\"a; b\", \"${c}\"]\n", "no name of a user"),
        (b"[values]\n\"driver.package\" = \"a\\u0000''${b}\\\\\"\n", "driver.package is one of"),
    ] {
        fs::write(&draft, text).unwrap();
        let before = place.files();
        let said = place.run(&["diff"]);
        assert!(said.code == 0 && said.errors.contains(words), "{said:?}");
        assert_eq!((fs::read(&draft).unwrap().as_slice(), place.files()), (text, before));
    }
    fs::write(&draft, "[values\n").unwrap();
    let text = Said { errors: String::new(), ..place.run(&["set", "docker", "true"]) }.ok(0);
    let aside =
        text.lines().find_map(|line| line.strip_prefix("The draft that could not be read is in "));
    assert_eq!(fs::read(aside.unwrap().trim_end_matches('.')).unwrap(), b"[values\n");
    fs::remove_file(&draft).unwrap();
    fifo(&draft);
    let said = place.run(&["diff"]);
    assert!(said.errors.contains("it is no file"), "{said:?}");
}

#[test]
fn a_hostile_cdi_spec_is_a_fact_and_no_danger() {
    let bomb: String = (0..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        text + &format!("a{}: &a{} [*a{n}, *a{n}]\n", n + 1, n + 1)
    });
    for (name, text) in [
        ("cut.json", "{\"cdiVersion\": \"0.5.0\", \"kind\": \"nvidia.com/gpu\", \"dev".to_owned()),
        ("huge.json", format!("{{\"x\": \"{}\"}}", "x".repeat(20 << 20))),
        ("deep.json", "[".repeat(1 << 20)),
        ("bomb.yaml", bomb),
    ] {
        let place = Place::new();
        crate::common::write(&place.root(), &format!("/etc/cdi/{name}"), &text);
        fifo(&place.root().join("etc/cdi/pipe.yaml"));
        let start = std::time::Instant::now();
        let json = place.run(&["show", "--json"]).ok(0);
        assert!(start.elapsed() < Duration::from_secs(10), "{name}");
        assert!(json.len() < 1 << 20 && json.contains(name), "{name}: {} bytes", json.len());
    }
}
