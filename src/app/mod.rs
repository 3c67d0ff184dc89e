//! What the monitor knows and how it changes: pure, without input, output, clock or widgets.

mod columns;
mod cost;
mod effect;
mod event;
mod explain;
mod gpu_lines;
mod health;
mod help;
pub mod setup;
mod state;
mod update;
mod verdicts;

pub use columns::{Align, PROCESS_COLUMNS, ProcessColumn, placed_columns};
pub use cost::{COST_WIDTH, CostLine};
pub use effect::Effect;
pub use event::{Event, Hit, Outage};
pub use explain::{Explained, Subject};
pub use gpu_lines::GpuLine;
pub use health::{Entry, Filter, HealthTab, What};
pub use help::{HELP_WIDTH, HelpLine};
pub use state::{Held, List, Mode, Panel, State, Stream, Tab};
pub use update::update;
pub use verdicts::Verdicts;
