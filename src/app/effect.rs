//! What an update asks the world for.

use std::time::Duration;

/// Something that only the program's outer layer can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Restore the terminal and leave.
    Quit,
    /// Stop, as a shell's job control does it.
    Suspend,
    /// Take samples so far apart from now on.
    SetInterval(Duration),
    /// Take a sample now.
    SampleNow,
    /// Draw the whole screen again.
    Redraw,
    /// Show simulated GPUs instead of the driver that is not there.
    StartDemo,
}
