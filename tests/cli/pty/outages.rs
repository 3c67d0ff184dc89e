//! Drivers and GPUs that come, go and hang while the monitor runs.

use std::fs;

use super::terminal::Terminal;
use super::{USUAL, assert_leaves};
use crate::support::{Machine, program};

const OUTAGE: &str = "No GPUs to show";

/// The library is put where the program was told to look, and later its driver says that it is gone.
#[test]
fn a_driver_that_comes_and_goes_is_followed() {
    let machine = Machine::scenario(
        "preset = \"h100\"\n[lib]\nclock = \"real\"\n[[fault]]\ndo = \"driver-reload\"\nat = \"3s\"\ndown = \"1h\"\n",
    );
    let late = machine.folder.path().join("late.so");
    let mut command = program(&["--interval", "250ms"]);
    machine.aim(&mut command, &late);
    let mut terminal = Terminal::start(&command, USUAL);
    terminal.wait_for_text(OUTAGE);
    fs::copy(&machine.variant.library, &late).unwrap();
    let text = terminal.wait_for_text("H100");
    assert!(!text.contains(OUTAGE), "{text}");
    let text = terminal.wait_for_text(OUTAGE);
    assert!(!text.contains("H100"), "{text}");
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}

#[test]
fn a_gpu_that_hangs_is_told_and_stops_nothing_else() {
    let machine = Machine::scenario(
        "preset = \"h100\"\n[[fault]]\ngpu = 3\nfn = \"nvmlDeviceGetTemperatureV\"\nhang = \"until-released\"\n",
    );
    let mut terminal = Terminal::start(&machine.command(&["--interval", "250ms"]), USUAL);
    terminal.wait_for_text("H100");
    terminal.send("3");
    terminal.send("1");
    terminal.wait_for_text("stuck");
    terminal.send("?");
    terminal.wait_for_text("Leave");
    terminal.send("?");
    terminal.send("q");
    assert_leaves(&mut terminal, 0);
}
