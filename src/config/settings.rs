//! The settings table: one row per setting. Defaults, the file and the command line are made from the rows.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use super::error::ConfigError;
use super::gpus::GpuSelection;
use super::interval::Interval;
use super::log_file::LogFile;
use super::span::Span;
use super::temperature::TemperatureUnit;
use crate::model::read_user_file;

/// Declares [`Config`] and [`Overlay`] from one row per setting: name, type, value name for the command line, and its
/// default where it has one.
macro_rules! settings {
    (
        $( $(#[doc = $doc:literal])+ $name:ident : $kind:ty = $value_name:literal, $default:expr; )+
    ) => {
        /// Every setting, decided.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config {
            $( $(#[doc = $doc])+ pub $name: $kind, )+
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $( $name: $default, )+ }
            }
        }

        impl Config {
            /// These settings, but for what the overlay says otherwise.
            #[must_use]
            pub fn with(self, overlay: Overlay) -> Self {
                Self {
                    $( $name: overlay.$name.unwrap_or(self.$name), )+
                }
            }
        }

        /// What one place says about the settings: a file, or the command line.
        #[derive(Clone, Debug, Default, PartialEq, Deserialize, clap::Args)]
        #[serde(deny_unknown_fields)]
        pub struct Overlay {
            $(
                $(#[doc = $doc])+
                #[arg(long, value_name = $value_name, allow_negative_numbers = true)]
                pub $name: Option<$kind>,
            )+
        }
    };
}

settings! {
    /// Time from one sample to the next, from 250ms to 1h; a plain number is seconds
    interval: Interval = "TIME", Interval::default();
    /// Which GPUs: all, visible (to CUDA), or a list such as 0,3 or 0-3 of indices, UUIDs and PCI addresses
    gpus: GpuSelection = "LIST", GpuSelection::All;
    // `theme::DEFAULT`, which this layer cannot name.
    /// Colours: a theme's name or a file
    theme: String = "THEME", "nvsdk-dark".to_owned();
    /// Unit of temperatures: celsius or fahrenheit
    temperature: TemperatureUnit = "UNIT", TemperatureUnit::default();
    /// Time that the charts show, from 1m to 24h; it becomes the next of their steps
    span: Span = "TIME", Span::default();
    /// A file that the monitor adds a line to whenever something happens to the driver or a GPU
    log: LogFile = "FILE", LogFile::default();
}

impl Overlay {
    /// Reads the text of a settings file; `path` is where it came from.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::from_toml(path.to_owned(), text, &error))
    }

    /// Reads a settings file; none is there for most users.
    pub fn read(path: &Path) -> Result<Option<Self>, ConfigError> {
        match read_user_file(path) {
            Ok(text) => Self::parse(&text, path).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::{CommandFactory, Parser};

    use super::{Config, Overlay};
    use crate::config::TemperatureUnit;

    /// The program.
    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        overlay: Overlay,
    }

    const ALL: &str = "interval = \"2.5s\"\ngpus = \"0,3\"\ntheme = \"mono\"\n\
                       temperature = \"fahrenheit\"\nspan = \"1h\"\nlog = \"/tmp/a.log\"\n";

    fn wrong(text: &str) -> String {
        Overlay::parse(text, Path::new("config.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_file_and_the_command_line_say_the_same() {
        let file = Overlay::parse(ALL, Path::new("config.toml")).unwrap();
        let words = ALL.replace('"', "").replace(" = ", "=");
        let words = words.lines().map(|line| format!("--{line}"));
        let line = Program::try_parse_from(std::iter::once("program".to_owned()).chain(words));
        assert_eq!(line.unwrap().overlay, file);
        Program::command().debug_assert();
        assert_eq!(Program::command().get_about().map(ToString::to_string).unwrap(), "The program");
    }

    #[test]
    fn the_later_overlay_wins_and_the_rest_stays() {
        let says = |text| Overlay::parse(text, Path::new("x")).unwrap();
        let config = Config::default().with(says(ALL)).with(says("interval = \"1m\""));
        assert_eq!(config.interval.to_string(), "1m");
        assert_eq!(config.temperature, TemperatureUnit::Fahrenheit);
        assert_eq!(Config::default().with(Overlay::default()), Config::default());
    }

    #[test]
    fn an_error_says_where_and_what_to_do() {
        assert_eq!(
            wrong("theme = \"mono\"\n  interval = \"soon\""),
            "config.toml, line 2, column 14: \"soon\" is no time; write seconds, or a number and a unit, such as 250ms, 1s, \
             2.5s, 1m or 1h; correct the line or remove it"
        );
        assert!(wrong("interval = 5").contains(
            "column 12: invalid type: integer `5`, expected a time such as \"1s\" or \"250ms\"; correct"
        ));
        assert!(wrong("\nintervall = \"1s\"").contains(
            "line 2, column 1: unknown field `intervall`, expected one of `interval`, `gpus`, `theme`"
        ));
        assert!(wrong("theme = \"ä\" x").starts_with("config.toml, line 1, column 13: "));
        assert!(wrong("theme = \"").starts_with("config.toml, line 1, column 1"));
    }

    #[test]
    fn a_file_that_is_not_there_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Overlay::read(&folder.path().join("config.toml")).unwrap(), None);
        let error = Overlay::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("cannot be read"), "{error}");
    }
}
