//! `--bench-nvml`: what each call to the driver costs here.

use std::io::{self, BufWriter, Write};

use super::{Failure, nvml_options, terminal_width};
use crate::cli::{Cli, Exit, Format};
use crate::export::bench::{write_json, write_table};
use crate::source::nvml::bench;

/// How often each call is made.
const CALLS: usize = 100;

/// Measures and prints.
pub(super) fn run(cli: &Cli) -> Result<Exit, Failure> {
    let bench = bench(&nvml_options(cli), CALLS)?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    match cli.format() {
        Format::Json => write_json(&mut stdout, &bench, cli.pretty),
        Format::Table => write_table(&mut stdout, &bench, terminal_width()),
    }?;
    stdout.flush()?;
    let all_answered = bench.gpus.iter().all(|gpu| {
        let why = gpu.calls.as_ref().err();
        why.is_none_or(|why| matches!(why, crate::model::Absent::Asleep))
    });
    Ok(if all_answered { Exit::Ok } else { Exit::Partial })
}
