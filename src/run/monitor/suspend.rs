//! Stopping and coming back, as a shell's job control has it.

use rustix::process::{Signal, getpgrp, getpid, getsid, kill_current_process_group, kill_process};

use super::{Failure, Monitor, Turn};
use crate::app::{Event, update};
use crate::run::terminal;

impl Monitor {
    /// Stops the whole job, as the key does in other programs.
    pub(super) fn suspend(&mut self) -> Turn {
        // The group of a session's leader is nobody's job: nothing would ever continue it.
        if getsid(None).is_ok_and(|session| session == getpgrp()) {
            self.state.notice =
                Some("There is no shell to come back from; q leaves the program.".to_owned());
            return Turn::Continue(());
        }
        self.stop(|| kill_current_process_group(Signal::STOP))
    }

    /// Stops this process alone, as somebody asked for with a signal.
    pub(super) fn stop_alone(&mut self) -> Turn {
        self.stop(|| kill_process(getpid(), Signal::STOP))
    }

    /// Gives the terminal back, stops until the program is continued, and takes the terminal again.
    fn stop(&mut self, stop: impl FnOnce() -> rustix::io::Result<()>) -> Turn {
        terminal::leave();
        // Where the kernel refuses there is nothing to come back from either.
        let _ = stop();
        self.take_terminal()
    }

    /// Takes the terminal, however it stands.
    pub(super) fn take_terminal(&mut self) -> Turn {
        if let Err(error) = terminal::take() {
            return Turn::Break(Err(Failure::Terminal(error)));
        }
        self.fit();
        Turn::Continue(())
    }

    /// Draws the whole picture in the size that the terminal has now.
    ///
    /// Also where the size is the same as before: it may have been another in between, and what that cut off is gone.
    pub(super) fn fit(&mut self) {
        let (columns, rows) = terminal::size();
        update(&mut self.state, Event::Resized(columns, rows), &mut self.effects);
        self.writer.redraw();
    }
}
