//! The command line, as types.

use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::export::Selection;
use crate::setup::declared::FlakeName;
use crate::setup::{Mode, Release};
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
#[expect(clippy::struct_excessive_bools, reason = "a switch of the command line is a bool")]
pub struct Cli {
    /// What to do instead of taking samples
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Print one sample and leave
    #[arg(long, group = "printed")]
    pub once: bool,

    /// Print what each call to the driver costs here, and leave
    #[arg(long, group = "printed", conflicts_with = "demo")]
    pub bench_nvml: bool,

    /// How it is printed [default: json with --once, table with --bench-nvml]
    #[arg(long, value_enum, requires = "printed")]
    pub format: Option<Format>,

    /// Indent the JSON
    #[arg(long, requires = "printed")]
    pub pretty: bool,

    /// Leave out what needs a second reading or makes the driver measure
    #[arg(long, requires = "once")]
    pub fast: bool,

    /// Only these, with commas between them: gpus, processes, host, cost, or numbers of a GPU as
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

    /// Wake GPUs that sleep and keep them awake, instead of leaving them alone
    #[arg(long, conflicts_with = "demo")]
    pub wake: bool,

    /// The settings of the monitor, which win over those of the file.
    #[command(flatten)]
    pub settings: crate::config::Overlay,

    /// The folder that stands for / when /proc, /sys and /etc are read
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    pub root: PathBuf,
}

impl Cli {
    /// How what is asked for is printed.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format.unwrap_or(if self.bench_nvml { Format::Table } else { Format::Json })
    }

    /// The NVML library that the user names; an environment variable without a text names none.
    #[must_use]
    pub fn nvml_library(&self) -> Option<&Path> {
        self.nvml_lib.as_deref().filter(|path| !path.as_os_str().is_empty())
    }
}

/// What the program does besides taking samples.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List every number there is, and every reason why one can be absent
    Metrics,
    /// Hold the declared NVIDIA SDK configuration of NixOS against the machine, and write the module that closes the
    /// difference
    Setup(Box<SetupArguments>),
}

/// What is done about the SDK's configuration, and which one it is.
#[derive(Clone, Debug, Args)]
#[command(after_help = exit_codes_help())]
pub struct SetupArguments {
    /// What is done.
    #[command(subcommand)]
    pub action: SetupAction,

    /// The module that the configuration begins with [default: what the environment names, else /etc/nixos]
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "flake")]
    pub config: Option<PathBuf>,

    /// The flake that the configuration is in, and its host
    #[arg(long, value_name = "DIR#HOST", global = true)]
    pub flake: Option<FlakeName>,

    /// Facts of another machine, as `setup show --json` prints them there, in place of this one's; - reads standard
    /// input
    #[arg(long, value_name = "FILE", global = true)]
    pub facts: Option<PathBuf>,

    /// The release of NixOS to write for [default: the machine's]
    #[arg(long, global = true, value_parser = release_parser())]
    pub release: Option<Release>,

    /// Whose options are written: those of nixpkgs, or hardware.nvidia-sdk of the upstream flake [default: those that
    /// the configuration has already]
    #[arg(long, global = true, value_parser = mode_parser())]
    pub mode: Option<Mode>,

    /// The folder that stands for /
    #[arg(long, value_name = "DIR", default_value = "/", global = true, hide = true)]
    pub root: PathBuf,

    /// The NVML library to load instead of the driver's own
    #[arg(
        long = "nvml-lib",
        value_name = "PATH",
        env = "NVSDK_TOP_NVML",
        global = true,
        hide = true,
        value_parser = OsStringValueParser::new().map(PathBuf::from),
    )]
    pub nvml: Option<PathBuf>,
}

/// What is done about the SDK's configuration.
#[derive(Clone, Debug, Subcommand)]
pub enum SetupAction {
    /// Show what runs, what is declared and what is wanted
    Show {
        /// Print JSON, which --facts reads
        #[arg(long)]
        json: bool,
    },
    /// Choose what an option is to be; it is kept in the draft until it is written
    Set {
        /// The option, as `setup show` names it; or release, or mode
        #[arg(value_name = "PATH")]
        path: String,
        /// true or false, or a word; of a list several, or with commas between them
        #[arg(value_name = "VALUE", required = true)]
        values: Vec<String>,
    },
    /// Forget what was chosen
    Discard,
    /// Show what would be written; the exit code is 5 if anything would
    Diff {
        /// A choice for this time only, over the draft
        #[arg(long = "set", value_name = "PATH=VALUE")]
        sets: Vec<String>,
    },
    /// Write the module, after showing what changes and asking
    Write {
        /// A choice for this time only, over the draft
        #[arg(long = "set", value_name = "PATH=VALUE")]
        sets: Vec<String>,
        /// The file to write, in place of the one that follows from the configuration; - prints the module
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write without asking
        #[arg(long)]
        yes: bool,
        /// Show everything and write nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// How a sample is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One line of JSON
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
    /// What was held against each other differs.
    Differs = 5,
    /// The monitor was ended by SIGHUP; 128 and the signal's number, as shells have it.
    HungUp = 129,
    /// The monitor was ended by SIGINT.
    Interrupted = 130,
    /// The monitor was ended by SIGQUIT.
    QuitBySignal = 131,
    /// The monitor was ended by SIGTERM.
    Terminated = 143,
}

/// Each exit code as `--help` explains it.
pub const EXIT_CODES: &[(Exit, &str)] = &[
    (Exit::Ok, "done, also when the reader of a pipe left early"),
    (Exit::Failure, "the output could not be written, or another failure"),
    (Exit::Usage, "the command line is wrong, or the monitor has no terminal to draw on"),
    (Exit::NoDriver, "no NVIDIA driver or NVML library that works"),
    (Exit::Partial, "a GPU did not answer; the others are printed"),
    (Exit::Differs, "setup diff found something to change"),
    (Exit::HungUp, "SIGHUP ended the monitor"),
    (Exit::Interrupted, "SIGINT ended the monitor; ctrl-c pressed as a key is 0, as q is"),
    (Exit::QuitBySignal, "SIGQUIT ended the monitor"),
    (Exit::Terminated, "SIGTERM ended the monitor"),
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

fn release_parser() -> impl TypedValueParser<Value = Release> {
    PossibleValuesParser::new(Release::ALL.map(Release::name)).try_map(|name| {
        let known = Release::ALL.into_iter().find(|release| release.name() == name);
        known.ok_or("there is no such release")
    })
}

fn mode_parser() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(Mode::ALL.map(Mode::word)).try_map(|word| {
        Mode::ALL.into_iter().find(|mode| mode.word() == word).ok_or("there is no such mode")
    })
}
