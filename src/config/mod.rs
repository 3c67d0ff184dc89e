//! What the user decides: settings, keys, and where the files are that say so.

mod action;
mod error;
mod gpus;
mod interval;
mod keymap;
mod keys;
mod log_file;
mod paths;
mod settings;
mod span;
mod temperature;

pub use action::{Action, ActionSpec, Context};
pub use error::ConfigError;
pub use gpus::{GpuName, GpuSelection, GpuSelectionError, Picked};
pub use interval::{Interval, IntervalError};
pub use keymap::{Binding, Keymap};
pub use keys::{KeyChord, KeyChordError};
pub use log_file::LogFile;
pub use paths::Paths;
pub use settings::{Config, Overlay};
pub use span::{Span, SpanError};
pub use temperature::{TemperatureUnit, TemperatureUnitError};

/// Reads a setting from the text that the command line has, too; `$like` ends "expected …".
macro_rules! deserialize_from_text {
    ($type:ty, $like:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($like)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
use deserialize_from_text;
