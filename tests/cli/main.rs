//! The program as a user runs it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/skip.rs"]
mod skip;

mod arguments;
mod bench;
mod libraries;
mod nix;
mod presets;
mod processes;
mod pty;
mod setup;
mod support;
mod trouble;
mod witness;
