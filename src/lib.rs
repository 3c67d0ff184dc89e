//! The parts of nvsdk-top, in layers: `model`, `source` and `export`. Each uses only those named
//! before it; `tests/tidy.rs` holds them to it.
//!
//! ARCHITECTURE.md walks through them.

pub mod export;
pub mod model;
pub mod source;
