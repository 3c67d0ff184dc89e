//! The terminal: what is switched on at the start is switched off at the end, however the end comes.

mod encode;
mod errors;
mod writer;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, QueueSelector, Termios};
use rustix::termios::{tcflush, tcgetattr, tcgetwinsize, tcsetattr};

pub(super) use writer::Writer;

/// Alternate screen, no cursor, bracketed paste, mouse clicks and wheel with coordinates beyond 223.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1000h\x1b[?1006h";
/// The same in reverse. A frame that was cut off is ended first, and colours are put back.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// How long a terminal that takes no bytes may hold up the end.
const PATIENCE: Duration = Duration::from_millis(150);
/// How long it may hold up the last bytes after those before them were thrown away.
const LAST_PATIENCE: Duration = Duration::from_millis(40);

/// A terminal that does not say how large it is, as on a serial line, is taken for one of this size.
const USUAL_SIZE: (u16, u16) = (80, 24);
/// No larger picture is drawn, whatever the terminal says.
const LARGEST_SIZE: (u16, u16) = (1000, 500);

/// Line editing as it was before the program's.
static LINE_EDITING: Mutex<Option<Termios>> = Mutex::new(None);
/// Whether the next frame has to switch the screen to the program's ways.
static ENTER_IS_DUE: AtomicBool = AtomicBool::new(false);
/// Whether the screen is switched to the program's ways. It is locked while bytes are written, so possibly for long.
static SCREEN_IS_OURS: Mutex<bool> = Mutex::new(false);
/// How often the terminal was taken: giving it back late does not undo a later taking. It changes under the lock of
/// `LINE_EDITING`.
static TAKEN: AtomicU64 = AtomicU64::new(0);
/// Whether what is being written is no longer wanted.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// The terminal in the program's ways; dropping this switches it back.
pub(super) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
    }
}

/// Takes the terminal. Its screen is switched with the first frame.
pub(super) fn enter() -> io::Result<Guard> {
    take()?;
    Ok(Guard)
}

/// Switches the terminal to the program's ways, also where it is not known how it stands, as after a stop.
pub(super) fn take() -> io::Result<()> {
    let mut before = lock(&LINE_EDITING);
    TAKEN.fetch_add(1, Ordering::SeqCst);
    let found = tcgetattr(stdin())?;
    let mut raw = found.clone();
    raw.make_raw();
    // A program that was stopped without being asked finds the shell's line editing, or still its own.
    let is_foreign = found.local_modes != raw.local_modes || found.input_modes != raw.input_modes;
    tcsetattr(stdin(), OptionalActions::Now, &raw)?;
    if is_foreign || before.is_none() {
        *before = Some(found);
    }
    GIVEN_UP.store(false, Ordering::SeqCst);
    ENTER_IS_DUE.store(true, Ordering::SeqCst);
    errors::catch();
    Ok(())
}

/// Switches back what was switched, at most once, and says whether the terminal took it.
///
/// What is being written comes first. From a terminal that takes no bytes, what it has not taken is thrown away; where it
/// does not even take the last few bytes, it gets its line editing back at least.
pub(super) fn leave() -> bool {
    if lock(&LINE_EDITING).is_none() {
        return true;
    }
    let is_done = give_back();
    errors::release(is_done);
    is_done
}

fn give_back() -> bool {
    let taken = TAKEN.load(Ordering::SeqCst);
    let (done, finished) = mpsc::sync_channel(1);
    let work = move || {
        restore(taken, || false);
        // Nobody may be waiting any more.
        let _ = done.send(());
    };
    if std::thread::Builder::new().name("restore".to_owned()).spawn(work).is_err() {
        // Where no thread is to be had the waiting is done here.
        GIVEN_UP.store(true, Ordering::SeqCst);
        let end = Instant::now() + PATIENCE;
        restore(taken, || Instant::now() >= end);
        return true;
    }
    if finished.recv_timeout(PATIENCE).is_ok() {
        return true;
    }
    GIVEN_UP.store(true, Ordering::SeqCst);
    // A terminal that is gone cannot be restored, and there is nobody to tell.
    let _ = tcflush(stdout(), QueueSelector::OFlush);
    let is_done = finished.recv_timeout(LAST_PATIENCE).is_ok();
    restore_line_editing(taken);
    is_done
}

/// Switches back what was switched when the terminal was taken for the `taken`th time, unless it was taken again since.
/// It may wait for the terminal to take the bytes.
fn restore(taken: u64, is_called_off: impl Fn() -> bool) {
    let is_taken_again = || TAKEN.load(Ordering::SeqCst) != taken;
    let mut is_ours = lock(&SCREEN_IS_OURS);
    if is_taken_again() {
        return;
    }
    ENTER_IS_DUE.store(false, Ordering::SeqCst);
    if std::mem::take(&mut *is_ours) {
        let _ = write(LEAVE, || is_taken_again() || is_called_off());
    }
    restore_line_editing(taken);
}

/// At once, since line editing changes nothing about the bytes that the terminal has still to take.
fn restore_line_editing(taken: u64) {
    let mut before = lock(&LINE_EDITING);
    if TAKEN.load(Ordering::SeqCst) != taken {
        return;
    }
    if let Some(before) = before.take() {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
    }
}

/// Writes a frame, after switching the screen where that is due. One for a screen that is not the program's is dropped.
fn write_frame(bytes: &[u8]) -> io::Result<()> {
    let mut is_ours = lock(&SCREEN_IS_OURS);
    if ENTER_IS_DUE.swap(false, Ordering::SeqCst) {
        *is_ours = true;
        write(ENTER, || GIVEN_UP.load(Ordering::SeqCst))?;
    }
    if !*is_ours {
        return Ok(());
    }
    write(bytes, || GIVEN_UP.load(Ordering::SeqCst))
}

/// Writes straight to the descriptor: a lock on standard output would be held by a writer that is blocked.
///
/// A write that waits in the kernel cannot be called off and keeps all others out, so the waiting is done here: while
/// the terminal has room, it takes as little as this at once.
fn write(bytes: &[u8], is_called_off: impl Fn() -> bool) -> io::Result<()> {
    const LITTLE: usize = 1024;
    const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    let mut left = bytes;
    while !left.is_empty() && !is_called_off() {
        let terminal = stdout();
        let ready = poll(&mut [PollFd::new(&terminal, PollFlags::OUT)], Some(&STEP));
        match ready.and_then(|ready| match ready {
            0 => Ok(0),
            _ => rustix::io::write(terminal, &left[..left.len().min(LITTLE)]),
        }) {
            Ok(written) => left = &left[written..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Columns and rows of the terminal.
pub(super) fn size() -> (u16, u16) {
    let told = tcgetwinsize(stdout()).map(|size| (size.ws_col, size.ws_row));
    let (columns, rows) =
        told.ok().filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or(USUAL_SIZE);
    (columns.min(LARGEST_SIZE.0), rows.min(LARGEST_SIZE.1))
}

/// A thread that crashed leaves nothing half done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
