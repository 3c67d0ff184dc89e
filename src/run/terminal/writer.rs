//! The thread that owns the terminal's output, so that a slow or stopped terminal delays nothing else.

use std::sync::{Arc, Condvar, Mutex};

use ratatui::buffer::Buffer;

use super::encode::encode;
use super::{lock, write_frame};

/// Hands frames to the writing thread, which draws the newest and passes over those that it was too slow for.
///
/// The thread ends with the program. While the screen is not the program's, frames go nowhere.
pub(in crate::run) struct Writer(Arc<Slot>);

/// The next thing to write, of which there is at most one.
#[derive(Default)]
struct Slot {
    next: Mutex<Next>,
    filled: Condvar,
}

#[derive(Default)]
struct Next {
    frame: Option<Buffer>,
    /// Whether the terminal shows something else than the last frame.
    redraw: bool,
    /// A buffer that was written, to be drawn into again.
    spare: Option<Buffer>,
}

impl Writer {
    /// Starts the thread.
    pub(in crate::run) fn start() -> std::io::Result<Self> {
        let slot = Arc::new(Slot::default());
        let shared = slot.clone();
        std::thread::Builder::new().name("writer".to_owned()).spawn(move || draw(&shared))?;
        Ok(Self(slot))
    }

    /// Makes `frame` the next to be shown, and gives back a buffer to draw the one after it into.
    pub(in crate::run) fn show(&self, frame: Buffer) -> Buffer {
        let mut next = lock(&self.0.next);
        let unseen = next.frame.replace(frame);
        let spare = unseen.or_else(|| next.spare.take()).unwrap_or_default();
        self.0.filled.notify_one();
        spare
    }

    /// Has the next frame drawn whole, since something else was written over the last.
    pub(in crate::run) fn redraw(&self) {
        lock(&self.0.next).redraw = true;
    }
}

fn draw(slot: &Slot) {
    let mut shown = Buffer::default();
    let mut bytes = Vec::new();
    loop {
        let next = slot.filled.wait_while(lock(&slot.next), |next| next.frame.is_none());
        let mut next = next.unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(frame) = next.frame.take() else { continue };
        if std::mem::take(&mut next.redraw) {
            shown = Buffer::default();
        }
        drop(next);
        bytes.clear();
        encode(&shown, &frame, &mut bytes);
        // A terminal that went away ends the program by its hangup, not here.
        drop(write_frame(&bytes));
        let old = std::mem::replace(&mut shown, frame);
        lock(&slot.next).spare = Some(old);
    }
}
