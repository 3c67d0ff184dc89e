//! The command line, as types.

use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};

use crate::export::Selection;
use crate::source::demo::{PRESETS, Preset};

/// Shows what NVIDIA GPUs do, and why a number is missing where one is.
#[derive(Debug, Parser)]
#[command(
    name = "nvsdk-top",
    version,
    after_help = exit_codes_help(),
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to do instead of taking samples
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Print one sample and leave
    #[arg(long)]
    pub once: bool,

    /// How the sample is printed
    #[arg(long, value_enum, default_value_t, requires = "once")]
    pub format: Format,

    /// Indent the JSON
    #[arg(long, requires = "once")]
    pub pretty: bool,

    /// Leave out what needs a second reading or makes the driver measure
    #[arg(long, requires = "once")]
    pub fast: bool,

    /// Only these, with commas between them: gpus, processes, host, or numbers of a GPU as
    /// `nvsdk-top metrics` lists them
    #[arg(long, value_name = "LIST", requires = "once")]
    pub select: Option<Selection>,

    /// Simulated GPUs, labelled as such, instead of the driver's
    #[arg(
        long,
        value_name = "PRESET",
        num_args = 0..=1,
        default_missing_value = PRESETS[0].name,
        value_parser = preset_parser(),
    )]
    pub demo: Option<&'static Preset>,

    /// The NVML library to load instead of the driver's own
    #[arg(
        long,
        value_name = "PATH",
        env = "NVSDK_TOP_NVML",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
    )]
    nvml_lib: Option<PathBuf>,

    /// The settings of the monitor, which win over those of the file.
    #[command(flatten)]
    pub settings: crate::config::Overlay,

    /// The folder that stands for / when /proc, /sys and /etc are read
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    pub root: PathBuf,
}

impl Cli {
    /// The NVML library that the user names; an environment variable without a text names none.
    #[must_use]
    pub fn nvml_library(&self) -> Option<&Path> {
        self.nvml_lib.as_deref().filter(|path| !path.as_os_str().is_empty())
    }
}

/// What the program does besides taking samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// List every number there is, and every reason why one can be absent
    Metrics,
}

/// How a sample is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One line of JSON
    #[default]
    Json,
    /// A table for a terminal
    Table,
}

/// What the program's exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what was asked; whoever reads its output may leave early.
    Ok = 0,
    /// Something else failed.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// There is no driver to ask.
    NoDriver = 3,
    /// Some GPU did not answer.
    Partial = 4,
}

/// Each exit code as `--help` explains it.
pub const EXIT_CODES: &[(Exit, &str)] = &[
    (Exit::Ok, "done, also when the reader of a pipe left early"),
    (Exit::Failure, "the output could not be written, or another failure"),
    (Exit::Usage, "the command line is wrong"),
    (Exit::NoDriver, "no NVIDIA driver or NVML library that works"),
    (Exit::Partial, "a GPU did not answer; the others are printed"),
];

fn exit_codes_help() -> String {
    let rows = EXIT_CODES.iter().map(|(exit, meaning)| format!("\n  {}  {meaning}", *exit as u8));
    format!("Exit codes:{}", rows.collect::<String>())
}

fn preset_parser() -> impl TypedValueParser<Value = &'static Preset> {
    let names = PRESETS.iter().map(|preset| PossibleValue::new(preset.name).help(preset.about));
    PossibleValuesParser::new(names).try_map(|name| {
        PRESETS.iter().find(|preset| preset.name == name).ok_or("there is no such preset")
    })
}
