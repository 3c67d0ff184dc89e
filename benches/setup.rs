//! What Setup costs: reading a machine and a configuration of 2,000 lines, planning, and a keystroke. Prints a table for
//! BENCHMARKS.md.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "the table is the purpose")]

use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nvsdk_top::model::Sysroot;
use nvsdk_top::setup::declared::{Configuration, Entry, Found, Limits};
use nvsdk_top::setup::facts::{self, Surroundings};
use nvsdk_top::setup::{Draft, Setup, Value, diff};

const RUNS: usize = 51;

/// The median and the worst of some runs.
fn measure(mut work: impl FnMut()) -> (Duration, Duration) {
    work();
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    (times[RUNS / 2], times[RUNS - 1])
}

/// Ten modules of 200 lines each.
fn configuration(folder: &Path) -> Entry {
    let mut main =
        "{ config, pkgs, ... }:\n\n{\n  imports = [\n    ./hardware-configuration.nix\n".to_owned();
    for number in 1..10 {
        writeln!(main, "    ./module-{number}.nix").unwrap();
    }
    main +=
        "  ];\n  services.xserver.videoDrivers = [ \"nvidia\" ];\n  hardware.nvidia.open = true;\n";
    fs::write(folder.join("hardware-configuration.nix"), "{ }\n").unwrap();
    for number in 0..10 {
        let mut text =
            if number == 0 { main.clone() } else { "{ lib, pkgs, ... }:\n\n{\n".to_owned() };
        while text.lines().count() < 199 {
            let line = text.lines().count();
            writeln!(text, "  services.example-{number}.instances.\"node-{line}\".settings.port = lib.mkDefault {line};").unwrap();
        }
        text += "}\n";
        let name = if number == 0 {
            "configuration.nix".to_owned()
        } else {
            format!("module-{number}.nix")
        };
        fs::write(folder.join(name), text).unwrap();
    }
    Entry {
        file: folder.join("configuration.nix"),
        is_flake: false,
        host: None,
        this_host: None,
        found: Found::Asked,
        sysroot: Sysroot::default(),
    }
}

/// A machine with eight GPUs on its bus, below a folder.
fn machine(root: &Path) {
    for number in 0..8 {
        let device = root.join(format!("sys/bus/pci/devices/0000:{:02x}:00.0", 0x18 + number * 16));
        fs::create_dir_all(&device).unwrap();
        for (name, text) in [("vendor", "0x10de"), ("device", "0x2330"), ("class", "0x030200")] {
            fs::write(device.join(name), text).unwrap();
        }
    }
    for (path, text) in [
        (
            "proc/driver/nvidia/version",
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\n",
        ),
        ("etc/os-release", "ID=nixos\nVERSION_ID=\"26.05\"\n"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn main() {
    let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    machine(root.path());
    let entry = configuration(folder.path());
    let (sysroot, surroundings) = (Sysroot::new(root.path()), Surroundings::default());
    let facts = Arc::new(facts::read(&sysroot, &surroundings));
    let values = ["enable", "persistenced", "container.enable", "systemPackages"];
    let values = values.map(|path| (path.to_owned(), Value::Bool(true))).into_iter().collect();
    let draft = Draft { entry: None, values };

    println!("| what | median | worst of {RUNS} |\n|---|---|---|");
    let row = |what: &str, (median, worst): (Duration, Duration)| {
        println!(
            "| {what} | {:.2} ms | {:.2} ms |",
            median.as_secs_f64() * 1e3,
            worst.as_secs_f64() * 1e3
        );
    };
    row(
        "facts of a machine",
        measure(|| {
            black_box(facts::read(&sysroot, &surroundings));
        }),
    );
    row(
        "read, plan and diff 2,000 lines",
        measure(|| {
            let configuration = Arc::new(Configuration::read(&entry, Limits::default()));
            assert_eq!(configuration.files.len(), 11);
            let (setup, _) = Setup::new(Arc::clone(&facts), Some(configuration), &draft);
            let file = setup.plan().file.unwrap();
            black_box(diff("", &file.after));
        }),
    );
    let configuration = Arc::new(Configuration::read(&entry, Limits::default()));
    let (mut setup, _) = Setup::new(facts, Some(configuration), &draft);
    let mut is_on = false;
    row(
        "a keystroke: choose, plan, check and diff",
        measure(|| {
            is_on = !is_on;
            setup.choose("podman", Value::Bool(is_on)).unwrap();
            black_box(setup.findings());
            black_box(diff("", &setup.plan().file.unwrap().after));
        }),
    );
}
