//! What an update asks the world for.

use std::time::Duration;

use super::setup::SetupOrder;
use crate::setup::Draft;

/// Something that only the program's outer layer can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Restore the terminal and leave.
    Quit,
    /// Stop, as a shell's job control does it.
    Suspend,
    /// Take samples so far apart from now on.
    SetInterval(Duration),
    /// Take a sample now.
    SampleNow,
    /// Read GPUs that are left to sleep too, which wakes them.
    Wake,
    /// Draw the whole screen again.
    Redraw,
    /// Show simulated GPUs instead of the driver that is not there.
    StartDemo,
    /// Read the machine, its configuration and the draft for the tab Setup.
    ReadSetup,
    /// Keep what the user chose for another day.
    SaveDraft(Draft),
    /// Write the module that the user agreed to.
    WriteSetup(Box<SetupOrder>),
}
