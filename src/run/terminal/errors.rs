//! What libraries write to standard error while the screen is the program's: kept, and printed when it is given back.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, OnceLock};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_setfl, fstat};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::{dup2_stderr, stderr, stdout};
use rustix::termios::isatty;

use crate::model::printable;

/// How many bytes are kept, the last ones.
const MOST: usize = 64 * 1024;

/// Made when the terminal is taken first; nothing where standard error goes elsewhere than the screen.
static CATCH: OnceLock<Option<Catch>> = OnceLock::new();

/// A pipe that stands in for standard error, and what came through it.
struct Catch {
    real: OwnedFd,
    inlet: OwnedFd,
    outlet: OwnedFd,
    kept: Mutex<VecDeque<u8>>,
}

/// Keeps what is written to standard error away from the screen until [`release`].
pub(super) fn catch() {
    if let Some(catch) = CATCH.get_or_init(|| goes_to_the_screen().then(Catch::new)?.ok()) {
        // A screen that is written over is better than none.
        let _ = dup2_stderr(&catch.inlet);
    }
}

/// Lets standard error be what it was, and prints what was kept if the terminal takes bytes.
pub(super) fn release(is_printed: bool) {
    let Some(Some(catch)) = CATCH.get() else { return };
    let _ = dup2_stderr(&catch.real);
    let text = catch.take();
    if is_printed {
        // There is nobody left to tell when standard error is closed.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

fn goes_to_the_screen() -> bool {
    let screen = fstat(stdout()).map(|stat| stat.st_rdev);
    isatty(stderr()) && fstat(stderr()).map(|stat| stat.st_rdev) == screen
}

impl Catch {
    fn new() -> io::Result<Self> {
        let real = fcntl_dupfd_cloexec(stderr(), 3)?;
        let (outlet, inlet) = pipe_with(PipeFlags::CLOEXEC)?;
        // Only the reader's end: programs take a write to standard error that would block for a failure.
        fcntl_setfl(&outlet, OFlags::NONBLOCK)?;
        std::thread::Builder::new().name("errors".to_owned()).spawn(drain)?;
        Ok(Self { real, inlet, outlet, kept: Mutex::default() })
    }

    /// Reads what has come; of what was kept before the oldest leaves.
    fn read(&self) {
        let mut kept = super::lock(&self.kept);
        let mut bytes = [0; 4096];
        while let Some(read) = self.read_some(&mut bytes) {
            kept.extend(&bytes[..read]);
            let surplus = kept.len().saturating_sub(MOST);
            kept.drain(..surplus);
        }
    }

    fn read_some(&self, bytes: &mut [u8]) -> Option<usize> {
        loop {
            match rustix::io::read(&self.outlet, &mut *bytes) {
                Err(Errno::INTR) => {}
                read => return read.ok().filter(|read| *read > 0),
            }
        }
    }

    /// What was kept, in lines that cannot steer the terminal.
    fn take(&self) -> String {
        self.read();
        let kept = std::mem::take(&mut *super::lock(&self.kept));
        legible(&kept.into_iter().collect::<Vec<_>>())
    }
}

fn legible(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().flat_map(|line| [printable(line), "\n".into()]).collect()
}

/// Empties the pipe as it fills, so that nobody who writes to standard error has to wait.
fn drain() {
    let Some(catch) = CATCH.wait() else { return };
    loop {
        match poll(&mut [PollFd::new(&catch.outlet, PollFlags::IN)], None) {
            Ok(_) | Err(Errno::INTR) => catch.read(),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Catch, MOST, legible};
    use rustix::pipe::{PipeFlags, pipe_with};
    use std::sync::Mutex;

    #[test]
    fn the_last_bytes_are_kept() {
        let (outlet, inlet) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
        let catch =
            Catch { real: inlet.try_clone().unwrap(), inlet, outlet, kept: Mutex::default() };
        for letter in [b'a', b'b', b'c'] {
            for _ in 0..MOST / 2 / 1024 {
                rustix::io::write(&catch.inlet, &[letter; 1024]).unwrap();
                catch.read();
            }
        }
        let text = catch.take();
        assert_eq!(text.trim_end(), ["b", "c"].map(|letter| letter.repeat(MOST / 2)).concat());
        assert_eq!(catch.take(), "");
    }

    #[test]
    fn what_was_kept_cannot_steer_the_terminal() {
        assert_eq!(legible(b"one\x1b[2J\ntwo \xff"), "one\\u{1b}[2J\ntwo \u{fffd}\n");
    }
}
