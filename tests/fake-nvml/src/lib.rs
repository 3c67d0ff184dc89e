//! A library with NVML's C ABI that answers from a scenario instead of from a driver.
//!
//! Built as a shared library it takes the place of `libnvidia-ml.so.1`; as a Rust library it gives
//! tests [`Fake`], a loaded copy with a clock, a call log and faults of its own.
//!
//! A child process chooses by environment: `FAKE_NVML_SCENARIO` (a file) or `FAKE_NVML_PRESET` (a
//! name), `FAKE_NVML_CLOCK` (`real` or `virtual`), and `FAKE_NVML_CALLS` (a file that the counts
//! are written to). With neither scenario nor preset there is no driver.
//!
//! ```toml
//! preset = "h100"                     # what the tables below are laid over
//! [lib]
//! missing = ["nvmlDeviceGetTemperatureV"]
//! [each.metrics]                      # for every GPU
//! util = "square(period=4s, lo=0, hi=97, phase={i}*500ms) + noise(every=1s, lo=0, hi=2)"
//! [[fault]]
//! gpu = 3
//! fn = "nvmlDeviceGetPcie*"
//! at = "10s"
//! code = 999
//! ```

mod abi;
mod cast;
mod code;
mod control;
mod entry;
mod event_sets;
mod exports;
mod fake;
mod fault;
mod location;
mod log;
mod metric;
mod patch;
mod presets;
mod scenario;
mod source;
mod state;
mod units;
mod values;
mod wave_text;
mod waveform;
mod world;

pub use fake::{Fake, FakeError, Variant};
pub use location::library_path;
pub use log::{CallCount, LoggedCall};
pub use presets::{preset_toml, presets};
