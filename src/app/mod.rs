//! What the monitor knows and how it changes: pure, without input, output, clock or widgets.

mod columns;
mod effect;
mod event;
mod explain;
mod help;
pub mod setup;
mod state;
mod update;

pub use columns::{Align, PROCESS_COLUMNS, ProcessColumn, placed_columns};
pub use effect::Effect;
pub use event::{Event, Hit, Outage};
pub use explain::{Explained, Subject};
pub use help::{HELP_WIDTH, HelpLine};
pub use state::{Held, List, Mode, Panel, State, Stream, Tab};
pub use update::update;
