//! What the world tells the monitor.

use std::sync::Arc;

use crate::config::{Action, KeyChord};
use crate::source::Snapshot;

use super::columns::ProcessColumn;
use super::setup::{SetupOutcome, SetupReading};
use super::state::{Panel, Tab};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A sample was taken.
    Sampled(Arc<Snapshot>),
    /// There is no sample yet: the driver is being opened, and this is what takes so long.
    Opening(String),
    /// No sample could be taken.
    Outage(Arc<Outage>),
    /// A key was pressed.
    Key(KeyChord),
    /// Something on the screen was clicked.
    Clicked(Hit),
    /// The wheel was turned by so many rows, down being positive.
    Scrolled(Hit, i32),
    /// The terminal has this many columns and rows.
    Resized(u16, u16),
    /// Setup was read, or why it could not be.
    SetupRead(Box<Result<SetupReading, String>>),
    /// The module was written, or why it was not.
    SetupWritten(SetupOutcome),
    /// The draft could not be kept, and why.
    DraftNotKept(String),
}

/// What lies under a cell of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The name of a tab.
    Tab(Tab),
    /// A panel.
    Panel(Panel),
    /// A GPU, by its position in the inventory.
    Gpu(usize),
    /// A row of the GPU tab, by its number.
    GpuRow(usize),
    /// An entry of the timeline, by its row in the list.
    HealthRow(usize),
    /// A process, by its row in the sorted list.
    Process(usize),
    /// The head of a column of the process list.
    Column(ProcessColumn),
    /// A row of the tab Setup, by its number among the options.
    SetupRow(usize),
    /// A line of a menu of the tab Setup.
    MenuRow(usize),
    /// A key in the footer, by what it does.
    Action(Action),
    /// The help, wherever on it.
    Help,
    /// The notice.
    Notice,
}

/// Why there is no sample, and what of a driver was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outage {
    /// The sentence of the source, which ends in what to do.
    pub message: String,
    /// What was looked for and what was found there, one line each.
    pub findings: Vec<String>,
}
