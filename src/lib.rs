//! The parts of nvsdk-top, lowest layer first; each may use those above it in this list.
//!
//! ARCHITECTURE.md walks through them.

pub mod model;
pub mod source;
