//! The parts of nvsdk-top, in layers: `model` stands below all, `run` above. ARCHITECTURE.md lists what each may use
//! and walks through them; `tests/tidy` holds them to it.

pub mod app;
pub mod cli;
pub mod config;
pub mod export;
pub mod model;
pub mod run;
pub mod setup;
pub mod source;
pub mod store;
pub mod theme;
pub mod ui;
