//! What the monitor knows and how it changes: pure, without input, output, clock or widgets.

mod columns;
mod effect;
mod event;
mod help;
pub mod setup;
mod state;
mod update;

pub use columns::{Align, PROCESS_COLUMNS, ProcessColumn};
pub use effect::Effect;
pub use event::{Event, Hit, Outage};
pub use help::HelpLine;
pub use state::{Held, List, Mode, Panel, State, Stream, Tab};
pub use update::update;
