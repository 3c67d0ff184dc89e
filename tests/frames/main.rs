//! What people get to see: the monitor's frames and the keys that lead to them, and a snapshot as JSON and as a table.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod anything;
mod export;
mod health;
mod pictures;
mod roles;
mod script;
mod setup;
mod support;
mod svg;
