//! Tests that need a program or a library from outside the project.

use std::fs::File;
use std::io::{Write as _, stderr};
use std::os::fd::AsFd as _;

/// Says that a test is not run for want of something that could be installed.
///
/// With `NVSDK_TOP_TEST_ALL=1` everything is to be there, and the test fails.
pub(crate) fn skip(test: &str, needs: &str) {
    let all = std::env::var_os("NVSDK_TOP_TEST_ALL").is_some_and(|value| value == "1");
    assert!(!all, "{test} needs {needs}, and NVSDK_TOP_TEST_ALL=1 lets no test be skipped");
    say_skipped(test, needs);
}

/// Says that a test does not fit the machine, whatever is installed.
pub(crate) fn say_skipped(test: &str, needs: &str) {
    say(&format!("SKIPPED {test}: needs {needs}"));
}

/// Writes a line where people see it: the harness keeps what the tests that pass print for itself, but not what
/// is written to standard error's own file.
pub(crate) fn say(line: &str) {
    let mut real = File::from(stderr().as_fd().try_clone_to_owned().unwrap());
    // One write, so that lines of tests side by side stay whole.
    real.write_all(format!("{line}\n").as_bytes()).unwrap();
}
