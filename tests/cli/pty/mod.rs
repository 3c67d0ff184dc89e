//! The monitor in a terminal: what it shows, and that it gives the terminal back however it ends.

mod outages;
mod setup;
pub(crate) mod terminal;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Machine, program, sentence};
use terminal::{Terminal, is_taken, is_whole};

/// How late the program may be on a machine that does much else; it is late by a tenth of this where it has it to itself.
const GENEROUS: Duration = Duration::from_secs(2);

const USUAL: (u16, u16) = (120, 40);

fn start_demo() -> Terminal {
    let terminal = Terminal::start(&program(&["--demo"]), USUAL);
    terminal.wait_for("GPUs", |screen| screen.contents().contains("H100") && is_whole(screen));
    terminal
}

/// The program ends with this code in time, and leaves the terminal as it was.
fn assert_leaves(terminal: &mut Terminal, code: u32) {
    let start = Instant::now();
    assert_eq!(terminal.wait(), code);
    assert!(start.elapsed() < GENEROUS, "{:?}", start.elapsed());
    terminal.assert_restored();
}

/// The driver takes longer to open than a tick waits for it, and the next tick would be in an hour.
#[test]
fn it_shows_gpus_until_q() {
    let machine = Machine::scenario(
        "preset = \"h100\"\n[[fault]]\nfn = \"nvmlInit*\"\nlatency = \"400ms\"\nlatency_real = true\n",
    );
    let mut terminal = Terminal::start(&machine.command(&["--interval", "1h"]), USUAL);
    terminal.wait_for_text("nvmlInit");
    terminal.wait_for("GPUs", |screen| screen.contents().contains("H100") && is_whole(screen));
    assert!(terminal.is_raw());
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

#[test]
fn a_signal_ends_it_with_the_code_that_shells_give() {
    for (signal, code) in
        [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131)]
    {
        let mut terminal = start_demo();
        terminal.signal(signal);
        assert_leaves(&mut terminal, code);
    }
}

/// The shell stops the job, does something else, and continues it.
#[test]
fn it_stops_for_the_shell_and_comes_back_with_a_whole_picture() {
    let exe = env!("CARGO_BIN_EXE_nvsdk-top");
    let script = format!("{exe} --demo; echo STOP''PED; read line; fg; echo ENDED $?");
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-mc", &script]).env("PATH", "/usr/bin:/bin");
    let mut terminal = Terminal::start(&shell, USUAL);
    terminal.wait_for("GPUs", |screen| screen.contents().contains("H100") && is_whole(screen));
    terminal.send("\x1a");
    let text = terminal
        .wait_for("shell", |screen| !is_taken(screen) && screen.contents().contains("STOPPED"));
    assert!(!text.contains("H100"), "{text}");
    assert!(!terminal.is_raw());
    terminal.send("\n");
    terminal.wait_for("GPUs", |screen| {
        is_whole(screen) && screen.contents().contains("H100") && screen.contents().contains("DEMO")
    });
    assert!(terminal.is_raw());
    terminal.send("q");
    terminal.wait_for_text("ENDED 0");
    terminal.assert_restored();
}

/// Somebody else stopped it without asking, and wrote over its picture.
#[test]
fn after_a_stop_from_outside_it_takes_the_terminal_anew() {
    let mut terminal = start_demo();
    // It does not stop by itself where no shell would continue it.
    terminal.send("\x1a");
    terminal.wait_for_text("There is no shell to come back from");
    terminal.signal(Signal::STOP);
    terminal.erase();
    assert!(!terminal.text().contains("H100"));
    terminal.signal(Signal::CONT);
    terminal.wait_for("GPUs", |screen| screen.contents().contains("H100") && is_whole(screen));
    assert!(terminal.is_raw());
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

#[test]
fn sizes_that_change_faster_than_it_draws_end_in_a_right_picture() {
    let mut terminal = start_demo();
    // What a held picture shows depends on the size alone.
    terminal.send("p");
    let fresh = settled(&terminal);
    for step in 0..60 {
        terminal.resize(40 + step * 3 % 100, 10 + step * 7 % 50);
    }
    for (columns, rows) in [(400, 12), (20, 120), (1, 1)] {
        terminal.resize(columns, rows);
    }
    terminal.resize(USUAL.0, USUAL.1);
    terminal.wait_for("picture of before", |screen| screen.contents() == fresh);
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

/// The text once it has stayed the same for a while.
fn settled(terminal: &Terminal) -> String {
    let mut text = (terminal.text(), Instant::now());
    terminal.wait_for("picture that is held", |screen| screen.contents().contains("PAUSED"));
    while text.1.elapsed() < Duration::from_millis(300) {
        std::thread::sleep(Duration::from_millis(10));
        let now = terminal.text();
        if now != text.0 {
            text = (now, Instant::now());
        }
    }
    text.0
}

#[test]
fn a_terminal_that_takes_no_output_does_not_hold_up_the_end() {
    let mut terminal = start_demo();
    let block = terminal.shown();
    let block = block.block();
    // Whole pictures, until the terminal holds no more.
    for _ in 0..200 {
        terminal.send("\x0c");
        std::thread::sleep(Duration::from_millis(5));
    }
    terminal.send("q");
    let start = Instant::now();
    assert_eq!(terminal.wait(), 0);
    assert!(start.elapsed() < GENEROUS, "{:?}", start.elapsed());
    drop(block);
    terminal.assert_restored();
}

/// What a settings file can be instead of one, made at this path, and what is said of it.
type Spoiled = (fn(&Path), &'static str);

#[test]
fn settings_and_themes_that_cannot_be_used_are_told_and_stop_nothing() {
    let spoiled: [Spoiled; 6] = [
        (
            |file| rustix::fs::mkfifoat(rustix::fs::CWD, file, 0o600.into()).unwrap(),
            "no regular file",
        ),
        (
            |file| fs::write(file, "theme = \"mono\"\n  interval = \"soon\"").unwrap(),
            "line 2, column 14",
        ),
        (|file| fs::write(file, b"\xff\xfe\0").unwrap(), "cannot be read"),
        (|file| fs::create_dir(file).unwrap(), "Is a directory"),
        // As one that this user may not read; the test may run as one who may read all.
        (|file| symlink(file, file).unwrap(), "cannot be read"),
        (
            |file| {
                fs::remove_dir(file.parent().unwrap()).unwrap();
                fs::write(file.parent().unwrap(), "").unwrap();
            },
            "Not a directory",
        ),
    ];
    for (spoil, words) in spoiled {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("nvsdk-top");
        fs::create_dir(&folder).unwrap();
        spoil(&folder.join("config.toml"));
        let mut command = program(&["--demo"]);
        command.env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
        assert_tells(&command, &[words, "the defaults hold"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.toml");
    fs::write(&wrong, "roles = 3\nshapes = 4\n").unwrap();
    for (theme, words) in [
        ("/dev/zero", "no regular file; nvsdk-dark is used instead."),
        (wrong.to_str().unwrap(), "(and 1 more). The rest of the theme is used."),
    ] {
        assert_tells(&program(&["--demo", "--theme", theme]), &[words]);
    }
}

/// It shows the GPUs, and these words until a key is pressed.
fn assert_tells(command: &Command, words: &[&str]) {
    let mut terminal = Terminal::start(command, USUAL);
    terminal.wait_for("GPUs and what is wrong", |screen| {
        let text = screen.contents().split_whitespace().collect::<Vec<_>>().join(" ");
        text.contains("H100") && words.iter().all(|words| text.contains(words))
    });
    terminal.send("x");
    terminal.wait_for("footer", |screen| screen.contents().contains("F1 help"));
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

#[test]
fn a_plain_terminal_gets_plain_text() {
    for (variables, is_plain) in [
        ([("TERM", "vt100"), ("LANG", "C")], true),
        ([("NO_COLOR", "1"), ("LC_ALL", "C")], true),
        ([("TERM", "xterm-256color"), ("LANG", "C.UTF-8")], false),
    ] {
        let mut command = program(&["--demo"]);
        command.envs(variables);
        let mut terminal = Terminal::start(&command, USUAL);
        terminal.wait_for("GPUs", |screen| {
            let cells = (0..USUAL.1).flat_map(|y| (0..USUAL.0).map(move |x| (y, x)));
            let mut cells = cells.filter_map(|(y, x)| screen.cell(y, x));
            let default = vt100::Color::Default;
            let is_gray = cells.all(|cell| (cell.fgcolor(), cell.bgcolor()) == (default, default));
            let text = screen.contents();
            text.contains("H100") && text.is_ascii() == is_plain && is_gray == is_plain
        });
        terminal.send("q");
        assert_leaves(&mut terminal, 0);
    }
}

#[test]
fn where_it_cannot_draw_it_says_what_to_do() {
    let output = program(&["--demo"]).stdin(Stdio::null()).output().unwrap();
    let text = sentence(&output, 2);
    assert!(text.contains("ssh -t") && text.contains("--once"), "{text}");
    for term in ["dumb", ""] {
        let mut command = program(&["--demo"]);
        command.env("TERM", term);
        let mut terminal = Terminal::start(&command, USUAL);
        assert_eq!(terminal.wait(), 2);
        let text = terminal.wait_for_text("place the cursor");
        assert!(text.contains(&format!("TERM is {term:?}")), "{text}");
        terminal.assert_restored();
    }
}

/// A library without the scenario that it was told to play says so on standard error.
#[test]
fn what_a_library_writes_to_standard_error_comes_after_the_picture() {
    let machine = Machine::preset("h100");
    let mut command = machine.command(&["--interval", "250ms"]);
    command.env("FAKE_NVML_SCENARIO", "/nope");
    let mut terminal = Terminal::start(&command, USUAL);
    let text = terminal.wait_for_text("No GPUs to show");
    assert!(!text.contains("/nope"), "{text}");
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
    terminal.wait_for_text("/nope");
}
