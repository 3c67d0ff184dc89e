//! Processes that try to be more than a line in a list.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{Machine, assert_harmless};

/// A real process that waits until its input is closed, as it is when this one ends, however it ends.
struct Waiting(Child);

impl Waiting {
    fn start(folder: &Path, name: &[u8], argument: &[u8]) -> Self {
        // The kernel names a process after the file that it was started by.
        let shell = folder.join(OsStr::from_bytes(name));
        symlink("/bin/sh", &shell).unwrap();
        let mut command = Command::new(shell);
        command.args(["-c", "echo; read line"]).arg(OsStr::from_bytes(argument));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Once it has said something it is what it is to be, and not still a copy of this program.
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        Self(child)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.stdin.take().unwrap().write_all(b"\n");
        self.0.wait().unwrap();
    }
}

#[test]
fn names_and_command_lines_cannot_steer_a_terminal() {
    let nasty: [(&[u8], &[u8]); 5] = [
        (b"\x1b[2J\x1b]0;x\x07", b"\x1b[31mred\x1b[0m \x1b]52;c;eA==\x07"),
        (b"\xff\xfe", b"caf\xe9 \xf0\x9f"),
        ("\u{202e}exe".as_bytes(), "photo\u{202e}gpj.exe \u{2066}x\u{200f}".as_bytes()),
        (b"two\nlines\r", b"first\nsecond\r\x08\x08\ttab"),
        (b") R 1 (", "c1 \u{9b}31m, \u{fffd}, 猫".as_bytes()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let children = nasty.map(|(name, argument)| Waiting::start(folder.path(), name, argument));
    let listed = children
        .iter()
        .map(|child| format!("[[gpu.process]]\npid = {}\nmem = \"64MiB\"\n", child.0.id()));
    let toml = format!("[[gpu]]\npreset = \"rtx4090\"\n{}", listed.collect::<String>());
    let machine = Machine::with_real_proc(&toml);

    let text = machine.says(&["--once"], 0);
    assert_harmless(&text);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (child, (name, argument)) in children.iter().zip(nasty) {
        let processes = json["processes"].as_array().unwrap();
        let process = processes.iter().find(|process| process["pid"] == child.0.id()).unwrap();
        assert_eq!(process["name"], *String::from_utf8_lossy(name));
        let command = process["command"].as_str().unwrap();
        assert!(
            command.ends_with(&format!(" {}", String::from_utf8_lossy(argument))),
            "{command:?}"
        );
    }

    let table = machine.says(&["--once", "--format", "table"], 0);
    assert_harmless(&table);
    let rows = children.iter().map(|child| child.0.id().to_string());
    for pid in rows {
        let lines = table.lines().filter(|line| line.split_whitespace().any(|word| word == pid));
        assert_eq!(lines.count(), 1, "{pid} has one line:\n{table}");
    }
}
