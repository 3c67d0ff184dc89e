//! `--once`: one sample, whole or quick, and its exit code.

use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::Duration;

use super::Failure;
use crate::cli::{Cli, Exit, Format};
use crate::export::{Selection, json, table};
use crate::model::{Absent, Sample};
use crate::source::{Feed, Patience, Request, Snapshot, SourceError};

/// Drivers renew their energy counters and utilisation samples at least this often.
const BETWEEN_READINGS: Duration = Duration::from_millis(110);
/// Long enough for a call that hangs to have been named as stuck, which takes 5 s.
const WHOLE: Patience = Patience::Whole { limit: Duration::from_millis(5500) };
const QUICK: Patience = Patience::Quick { limit: Duration::from_secs(1) };

/// Takes one sample and prints it.
pub(super) fn run(cli: &Cli, feed: &mut Feed) -> Result<Exit, Failure> {
    let selection = cli.select.unwrap_or_else(Selection::all);
    let snapshot =
        if cli.fast { quick(feed, &selection) } else { whole(feed, &selection, thread::sleep) }?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    match (cli.format, cli.pretty) {
        (Format::Json, false) => {
            json::write(&mut stdout, &snapshot, &selection, json::Layout::Line)
        }
        (Format::Json, true) => {
            json::write(&mut stdout, &snapshot, &selection, json::Layout::Pretty)
        }
        (Format::Table, _) => table::write(&mut stdout, &snapshot, &selection, terminal_width()),
    }?;
    stdout.flush()?;
    let partial = snapshot.sample.gpus.iter().any(|gpu| gpu.state.is_trouble());
    Ok(if partial { Exit::Partial } else { Exit::Ok })
}

/// Everything that is selected: what needs two readings is read, then after a pause everything.
fn whole(
    feed: &mut Feed,
    selection: &Selection,
    pause: impl FnOnce(Duration),
) -> Result<Snapshot, SourceError> {
    let twice = selection.needed_twice();
    if twice != Selection::NONE {
        feed.next(&request(&twice, WHOLE))?;
        pause(BETWEEN_READINGS);
    }
    feed.next(&request(selection, WHOLE))
}

/// What one reading can say.
fn quick(feed: &mut Feed, selection: &Selection) -> Result<Snapshot, SourceError> {
    let mut snapshot = feed.next(&request(selection, QUICK))?;
    leave_out_rates(&mut snapshot.sample);
    Ok(snapshot)
}

fn request(selection: &Selection, patience: Patience) -> Request {
    Request { metrics: selection.needed(), processes: selection.processes, patience }
}

/// There will be no second reading, by choice.
fn leave_out_rates(sample: &mut Sample) {
    let gpus = sample.gpus.iter_mut().flat_map(|gpu| gpu.values.iter_mut());
    let processes = sample.processes.iter_mut().flat_map(|process| &mut process.values);
    let values = gpus.map(|reading| &mut reading.value).chain(processes).chain(&mut sample.host);
    for value in values.filter(|value| **value == Err(Absent::NeedsTwoReadings)) {
        *value = Err(Absent::LeftOut);
    }
}

/// The columns of the terminal that standard output is, if it is one.
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
