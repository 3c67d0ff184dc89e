//! The parts of nvsdk-top, in layers: `model`, `store`, `source`, `export`, `cli` and `run`. Each uses only those
//! named before it; `tests/tidy.rs` holds them to it.
//!
//! ARCHITECTURE.md walks through them.

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
