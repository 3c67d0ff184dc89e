//! The program: reads the command line, does what it asks, and turns how that went into an exit code.

mod bench;
mod crash;
mod metrics;
mod monitor;
mod once;
pub mod setup;
mod terminal;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use crate::cli::{Cli, Command, Exit, Format};
use crate::config::Overlay;
use crate::model::{Sysroot, printable};
use crate::source::demo::Demo;
use crate::source::nvml::{NvmlOptions, NvmlSource};
use crate::source::{Feed, Source, SourceError, SystemClock};

/// Why the program could not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(&'static str),
    /// A value on the command line that only the tables can judge.
    #[error("{0}")]
    Value(String),
    #[error(transparent)]
    Facts(#[from] setup::FactsError),
    #[error("{0}")]
    Setup(String),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("cannot write the output: {0}; free some space or write elsewhere")]
    Output(#[from] io::Error),
    #[error("the terminal does not answer: {0}; try another, or take one sample with --once")]
    Terminal(io::Error),
    #[error("cannot start a thread: {0}; raise the limit of tasks (ulimit -u)")]
    Thread(io::Error),
    #[error("cannot open the log {}: {error}; name another file with --log", path.display())]
    Log { path: PathBuf, error: io::Error },
    #[error("the thread {0} crashed; start the program again")]
    Crash(String),
}

impl Failure {
    fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Value(_) => Exit::Usage,
            Self::Source(_) => Exit::NoDriver,
            Self::Facts(_)
            | Self::Setup(_)
            | Self::Output(_)
            | Self::Terminal(_)
            | Self::Thread(_)
            | Self::Log { .. }
            | Self::Crash(_) => Exit::Failure,
        }
    }
}

/// Runs the program with these arguments, of which the first is its own name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    crash::install();
    let exit = match Cli::try_parse_from(arguments) {
        Ok(cli) => run(cli),
        Err(message) => match message.print() {
            _ if message.use_stderr() => Exit::Usage,
            Err(error) => report(&error.into()),
            Ok(()) => Exit::Ok,
        },
    };
    ExitCode::from(exit as u8)
}

fn run(cli: Cli) -> Exit {
    if let Err(failure) = check(&cli) {
        return report(&failure);
    }
    let work = || {
        if let Some(command) = cli.command {
            match command {
                Command::Metrics => metrics::run(),
                Command::Setup(arguments) => setup::command::run(&arguments),
            }
        } else if cli.once {
            once::run(&cli, &mut Feed::new(open_source(&cli)))
        } else if cli.bench_nvml {
            bench::run(&cli)
        } else {
            monitor::run(cli)
        }
    };
    // A crash was reported when it happened, and unwinding further would run the exit handlers.
    let Ok(done) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) else {
        leave(Exit::Failure)
    };
    leave(done.unwrap_or_else(|failure| report(&failure)))
}

/// What clap cannot tell.
fn check(cli: &Cli) -> Result<(), Failure> {
    if (cli.once || cli.bench_nvml) && cli.settings != Overlay::default() {
        return Err(Failure::Usage(
            "--interval, --gpus, --theme, --temperature and --span are for the monitor; leave them out with --once and --bench-nvml",
        ));
    }
    if cli.pretty && cli.format() != Format::Json {
        return Err(Failure::Usage("--pretty is for JSON; leave it out or use --format json"));
    }
    Ok(())
}

/// The producer that the command line names.
fn open_source(cli: &Cli) -> Box<dyn Source> {
    match cli.demo {
        Some(preset) => Box::new(Demo::new(preset, Arc::new(SystemClock))),
        None => Box::new(NvmlSource::new(nvml_options(cli))),
    }
}

/// How the command line has the driver read.
fn nvml_options(cli: &Cli) -> NvmlOptions {
    NvmlOptions {
        library: cli.nvml_library().map(Path::to_owned),
        sysroot: Sysroot::new(&cli.root),
        clock: Arc::new(SystemClock),
        wake: cli.wake,
    }
}

/// The columns of the terminal that standard output is, if it is one.
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Says on one line what went wrong. A pipe whose reader has left is no failure.
fn report(failure: &Failure) -> Exit {
    if matches!(failure, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
        return Exit::Ok;
    }
    // There is nobody left to tell when standard error is closed too.
    let _ = writeln!(io::stderr(), "nvsdk-top: {}", printable(&failure.to_string()));
    failure.exit()
}

/// Ends the process at once.
///
/// Returning from `main`, like `std::process::exit`, runs the exit handlers of every loaded library, and NVIDIA's wait
/// there for a call that hangs. Shutting NVML down first would race with the threads that are still inside it; the
/// kernel takes back what a process held. Everything written was flushed before.
fn leave(exit: Exit) -> ! {
    signal_hook::low_level::exit(i32::from(exit as u8))
}
