//! The fake driver as a foreign program meets it: loaded by its path, called by symbol.
#![expect(unsafe_code, reason = "calls a C library")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on"
)]

mod abi;
mod faults;
mod lifecycle;
mod lists;
mod presets;
mod scenarios;
mod support;
