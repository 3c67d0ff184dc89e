//! `metrics`: what the tables hold.

use std::io::{self, BufWriter, Write};

use super::{Failure, terminal_width};
use crate::cli::Exit;
use crate::export::reference;

/// Prints every metric and every reason for the absence of one.
pub(super) fn run() -> Result<Exit, Failure> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    for (number, list) in reference::all().iter().enumerate() {
        if number > 0 {
            writeln!(stdout)?;
        }
        list.write(&mut stdout, terminal_width())?;
    }
    stdout.flush()?;
    Ok(Exit::Ok)
}
