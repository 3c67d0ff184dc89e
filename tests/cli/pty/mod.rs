//! The monitor in a terminal: what it shows, and that it gives the terminal back however it ends.

mod outages;
mod terminal;

use std::process::Stdio;
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

#[test]
fn it_shows_gpus_until_q() {
    let machine = Machine::preset("h100");
    let mut terminal = Terminal::start(&machine.command(&[]), USUAL);
    terminal.wait_for("GPUs", |screen| screen.contents().contains("H100") && is_whole(screen));
    assert!(terminal.is_raw());
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

#[test]
fn a_signal_ends_it_as_the_key_does() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let mut terminal = start_demo();
        terminal.signal(signal);
        assert_leaves(&mut terminal, 0);
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

#[test]
fn where_no_shell_would_continue_it_it_does_not_stop() {
    let mut terminal = start_demo();
    terminal.send("\x1a");
    terminal.wait_for_text("There is no shell to come back from");
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

/// Somebody else stopped it without asking, and wrote over its picture.
#[test]
fn after_a_stop_from_outside_it_takes_the_terminal_anew() {
    let mut terminal = start_demo();
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
    terminal.resize(1, 1);
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

#[test]
fn the_label_of_a_demo_is_on_every_tab() {
    let mut terminal = start_demo();
    for tab in ["1", "2", "3"] {
        terminal.send(tab);
        terminal.send("?");
        terminal.wait_for_text("DEMO");
        terminal.send("?");
        terminal.wait_for_text("DEMO");
    }
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let output = program(&["--demo"]).stdin(Stdio::null()).output().unwrap();
    let text = sentence(&output, 2);
    assert!(text.contains("ssh -t") && text.contains("--once"), "{text}");
}
