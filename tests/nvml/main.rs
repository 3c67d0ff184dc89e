//! The NVML source against a library with NVML's C ABI, loaded by the real loader in this process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod asks;
mod bad_input;
mod cost;
mod coverage;
mod engines;
mod events;
mod every_code;
mod fields;
mod gpm;
mod mig;
mod presets;
mod processes;
mod recovery;
mod sleep;
mod topology;
mod trouble;
