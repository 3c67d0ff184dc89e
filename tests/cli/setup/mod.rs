//! Setup as a user runs it: its commands, bad input, and other users and file systems than the tests run with.

mod bad_input;
mod commands;
mod flakes;
mod place;
mod replacing;
