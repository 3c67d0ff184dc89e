//! The built program, and a machine made of files for it to look at.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fake_nvml::{Fake, Variant};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::write;

/// The program, with nothing of this process's environment.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nvsdk-top"));
    command.args(arguments).env_clear();
    command
}

/// A folder with a fake driver whose clock stands still, and with the `/proc` and `/sys` that go with it.
pub(crate) struct Machine {
    pub(crate) folder: TempDir,
    pub(crate) variant: Variant,
}

impl Machine {
    pub(crate) fn preset(name: &str) -> Self {
        Self::scenario(&format!("preset = {name:?}\n"))
    }

    pub(crate) fn scenario(toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let variant = Fake::write_variant(&folder.path().join("driver"), toml).unwrap();
        let machine = Self { folder, variant };
        fs::create_dir(machine.root()).unwrap();
        machine
    }

    /// One whose processes are those of the machine that the test runs on, but whose PCI bus is not.
    pub(crate) fn with_real_proc(toml: &str) -> Self {
        let machine = Self::scenario(toml);
        symlink("/proc", machine.root().join("proc")).unwrap();
        machine
    }

    /// What stands for `/`.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// Writes a file of the machine.
    pub(crate) fn write(&self, absolute: &str, text: &str) {
        write(&self.root(), absolute, text);
    }

    /// What the loaded kernel driver says of itself.
    pub(crate) fn write_kernel_driver(&self, version: &str, is_open: bool) {
        let product =
            if is_open { "Open Kernel Module for x86_64" } else { "x86_64 Kernel Module" };
        let line = format!(
            "NVRM version: NVIDIA UNIX {product}  {version}  Release Build  (builder@host)\n"
        );
        self.write("/proc/driver/nvidia/version", &line);
    }

    /// Totals that stand still.
    pub(crate) fn write_totals(&self) {
        let processors =
            "cpu  40 0 20 940 0 0 0 0\ncpu0 20 0 10 470 0 0 0 0\ncpu1 20 0 10 470 0 0 0 0\n";
        self.write("/proc/stat", &format!("{processors}btime 1763990000\n"));
        self.write("/proc/uptime", "10000.00 18000.00\n");
        self.write("/proc/loadavg", "0.75 1.50 2.25 3/456 7890\n");
        let memory = "MemTotal:       65536000 kB\nMemFree:        8192000 kB\nMemAvailable:   49152000 kB\n";
        let swap = "SwapTotal:      16384000 kB\nSwapFree:       14336000 kB\n";
        self.write("/proc/meminfo", &[memory, swap].concat());
        for (resource, some, full) in
            [("cpu", "1.25", "0.00"), ("memory", "0.50", "0.25"), ("io", "3.00", "2.75")]
        {
            let line =
                |kind, average| format!("{kind} avg10={average} avg60=0.00 avg300=0.00 total=0\n");
            self.write(
                &format!("/proc/pressure/{resource}"),
                &(line("some", some) + &line("full", full)),
            );
        }
    }

    /// A process of the user `alice` with 1000 resident pages, started 100 s after boot.
    pub(crate) fn write_process(&self, pid: u32, name: &str, command: &[&str]) {
        let fields = "S 1 4 4 0 -1 4194560 9 0 0 0 300 200 5 6 20 0 3 0 10000 8192 1000 1 2 3";
        self.write(&format!("/proc/{pid}/stat"), &format!("{pid} ({name}) {fields}\n"));
        self.write(&format!("/proc/{pid}/cmdline"), &(command.join("\0") + "\0"));
        let user = fs::metadata(self.root()).unwrap().uid();
        self.write("/etc/passwd", &format!("alice:x:{user}:{user}::/home/alice:/bin/sh\n"));
    }

    /// The program, looking at this machine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(&[]);
        self.aim(command.args(arguments), &self.variant.library);
        command
    }

    /// Lets a command look at this machine through that library.
    pub(crate) fn aim(&self, command: &mut Command, library: &Path) {
        command.arg("--nvml-lib").arg(library).arg("--root").arg(self.root());
        command.env("FAKE_NVML_SCENARIO", &self.variant.scenario);
    }

    /// What the program says with this exit code, and nothing on standard error.
    pub(crate) fn says(&self, arguments: &[&str], code: i32) -> String {
        let output = self.command(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), errors.as_str()), (Some(code), ""), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// One sample as JSON, with this exit code.
    pub(crate) fn once(&self, code: i32) -> Value {
        serde_json::from_str(&self.says(&["--once"], code)).unwrap()
    }
}

/// The one line that a program says on standard error when it fails with this code.
pub(crate) fn sentence(output: &Output, code: i32) -> String {
    let message = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(code), &b""[..]),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
    assert_harmless(&message);
    message.strip_prefix("nvsdk-top: ").unwrap().trim_end().to_owned()
}

/// Nothing in the text but line ends moves a cursor, changes a colour or turns the order of words around.
pub(crate) fn assert_harmless(text: &str) {
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(acts), "{text:?}");
}
