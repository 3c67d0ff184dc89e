//! The thread that reads keys and the mouse.
//!
//! It does not use crossterm's reader: that one never returns from a terminal that is gone, takes the two halves of a
//! sequence that a network tore apart for keys, and holds up other news while half a sequence is there.

mod parser;

use std::io;
use std::sync::mpsc::Sender;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::stdio::stdin;

use super::Message;
use crate::app::Event;
use crate::cli::Exit;
use crate::ui::Hits;
use parser::{Input, Parser};

/// Starts the thread. It ends with the program, since nothing wakes it from its reading.
pub(super) fn start(sender: Sender<Message>) -> io::Result<()> {
    let work = move || {
        // Nobody may be listening any more, or the terminal is gone and the program with it.
        let _ = read(&sender);
        let _ = sender.send(Message::Leave(Exit::HungUp));
    };
    std::thread::Builder::new().name("input".to_owned()).spawn(work).map(drop)
}

/// Reads until the terminal is gone.
fn read(sender: &Sender<Message>) -> rustix::io::Result<()> {
    let mut parser = Parser::default();
    let mut inputs = Vec::new();
    let mut bytes = [0; 1024];
    loop {
        let terminal = stdin();
        let mut descriptors = [PollFd::new(&terminal, PollFlags::IN)];
        match poll(&mut descriptors, parser.patience().as_ref()) {
            Ok(0) => parser.time_out(&mut inputs),
            // The kind of a descriptor that others share is theirs to choose.
            Ok(_) => match rustix::io::read(terminal, &mut bytes) {
                Ok(0) => return Ok(()),
                Ok(read) => parser.feed(&bytes[..read], &mut inputs),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error),
            },
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        for input in inputs.drain(..) {
            let message = match input {
                Input::Key(key) => Message::Event(Event::Key(key.into())),
                Input::Mouse(mouse) => Message::Mouse(mouse),
            };
            if sender.send(message).is_err() {
                return Ok(());
            }
        }
    }
}

/// Rows that one notch of the wheel is worth.
const NOTCH: i32 = 3;

/// What the mouse did to the picture.
pub(super) fn aim(mouse: MouseEvent, hits: &Hits) -> Option<Event> {
    let hit = hits.at(mouse.column, mouse.row)?;
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Event::Clicked(hit)),
        MouseEventKind::ScrollUp => Some(Event::Scrolled(hit, -NOTCH)),
        MouseEventKind::ScrollDown => Some(Event::Scrolled(hit, NOTCH)),
        _ => None,
    }
}
