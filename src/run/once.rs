//! `--once`: one sample, whole or quick, and its exit code.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Failure, terminal_width};
use crate::cli::{Cli, Exit, Format};
use crate::export::{Selection, json, table};
use crate::model::Sample;
use crate::source::{Feed, Patience, Request, Snapshot, SourceError};
use crate::theme::{Environment, Glyphs};

/// Drivers renew their energy counters and utilisation samples at least this often.
const BETWEEN_READINGS: Duration = Duration::from_millis(110);
/// Long enough for a call that hangs to have been named as stuck, which takes 5 s.
const WHOLE: Patience = Patience::Whole { limit: Duration::from_millis(5500) };
const QUICK: Patience = Patience::Quick { limit: Duration::from_secs(1) };

/// Takes one sample and prints it.
pub(super) fn run(cli: &Cli, feed: &mut Feed) -> Result<Exit, Failure> {
    let selection = cli.select.unwrap_or_else(Selection::all);
    let snapshot = if cli.fast {
        feed.next(&request(&selection, QUICK))
    } else {
        whole(feed, &selection, thread::sleep)
    }?;
    let mut stdout = BufWriter::new(io::stdout().lock());
    match (cli.format(), cli.pretty) {
        (Format::Json, false) => {
            json::write(&mut stdout, &snapshot, &selection, json::Layout::Line)
        }
        (Format::Json, true) => {
            json::write(&mut stdout, &snapshot, &selection, json::Layout::Pretty)
        }
        (Format::Table, _) => {
            let mut text = Vec::new();
            table::write(&mut text, &snapshot, &selection, terminal_width())?;
            let glyphs = Glyphs::detect(&Environment::new(|name| std::env::var(name).ok()));
            stdout.write_all(glyphs.spelled(&String::from_utf8_lossy(&text)).as_bytes())
        }
    }?;
    stdout.flush()?;
    Ok(exit(&snapshot.sample))
}

fn exit(sample: &Sample) -> Exit {
    if sample.gpus.iter().any(|gpu| gpu.state.is_trouble()) { Exit::Partial } else { Exit::Ok }
}

/// Everything that is selected: what needs two readings is read, then after a pause everything.
fn whole(
    feed: &mut Feed,
    selection: &Selection,
    pause: impl FnOnce(Duration),
) -> Result<Arc<Snapshot>, SourceError> {
    let twice = selection.needed_twice();
    if twice == Selection::NONE {
        return feed.next(&request(selection, WHOLE));
    }
    let first = feed.next(&request(&twice, WHOLE))?;
    pause(BETWEEN_READINGS);
    let mut whole = feed.next(&request(selection, WHOLE))?;
    // What was told with the first reading happened too.
    let events = &mut Arc::make_mut(&mut whole).sample.events.new;
    events.splice(..0, first.sample.events.new.iter().cloned());
    Ok(whole)
}

fn request(selection: &Selection, patience: Patience) -> Request {
    Request { metrics: selection.needed(), processes: selection.processes, patience }
}

#[cfg(test)]
mod tests {
    use super::{BETWEEN_READINGS, QUICK, exit, request, whole};
    use crate::cli::Exit;
    use crate::export::Selection;
    use crate::model::{Absent, GpuState, Metric};
    use crate::source::demo::{Demo, PRESETS};
    use crate::source::{Feed, ManualClock, Request, Snapshot, Source, SourceError};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    /// A demo that remembers what it was asked.
    struct Watched {
        demo: Demo,
        asked: Arc<Mutex<Vec<Request>>>,
    }

    impl Source for Watched {
        fn sample(&mut self, request: &Request) -> Result<Snapshot, SourceError> {
            self.asked.lock().unwrap().push(*request);
            self.demo.sample(request)
        }
    }

    /// What the selection gives, for how long it paused and what it asked.
    fn take(list: &str, fast: bool) -> (Arc<Snapshot>, Duration, Vec<Request>) {
        let clock = Arc::new(ManualClock::at(0));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let demo = Demo::new(&PRESETS[0], Arc::clone(&clock) as _);
        let mut feed = Feed::new(Box::new(Watched { demo, asked: Arc::clone(&asked) }));
        let selection: Selection = list.parse().unwrap();
        let mut paused = Duration::ZERO;
        let snapshot = if fast {
            feed.next(&request(&selection, QUICK))
        } else {
            whole(&mut feed, &selection, |pause| {
                clock.advance(pause);
                paused = pause;
            })
        };
        let asked = asked.lock().unwrap().clone();
        (snapshot.unwrap(), paused, asked)
    }

    fn mean_power(snapshot: &Snapshot) -> Result<f64, Absent> {
        snapshot.sample.gpus[0].values.get(Metric::PowerAverage).value
    }

    #[test]
    fn a_level_is_read_once() {
        let (snapshot, paused, asked) = take("busy_percent", false);
        assert_eq!((paused, asked.len()), (Duration::ZERO, 1));
        assert!(snapshot.sample.gpus[0].values.value(Metric::Busy).is_some());
    }

    #[test]
    fn only_the_counter_of_a_rate_is_read_twice() {
        let (snapshot, paused, asked) = take("busy_percent,power_average_watts", false);
        assert_eq!((paused, asked.len()), (BETWEEN_READINGS, 2));
        assert!(asked[0].metrics.contains(Metric::Energy) && !asked[0].processes);
        assert!(!asked[0].metrics.contains(Metric::Busy));
        assert!(asked[1].metrics.contains_any(&[Metric::Busy]));
        assert!(mean_power(&snapshot).is_ok());
    }

    #[test]
    fn what_keeps_its_own_previous_reading_is_read_twice_too() {
        assert!(take("processes", false).2[0].processes);
        assert_eq!(take("host", false).2.len(), 2);
    }

    #[test]
    fn a_gpu_that_does_not_answer_makes_it_partial() {
        let mut sample = take("busy_percent", false).0.sample.clone();
        assert_eq!(exit(&sample), Exit::Ok);
        sample.gpus[2].state = GpuState::Asleep { age_us: 0, at_least: true };
        assert_eq!(exit(&sample), Exit::Ok);
        sample.gpus[2].state = GpuState::Lost { age_us: 0 };
        assert_eq!(exit(&sample), Exit::Partial);
    }

    #[test]
    fn what_happened_before_is_told_once_however_often_is_read() {
        for (list, readings) in [("busy_percent", 1), ("power_average_watts", 2)] {
            let (snapshot, _, asked) = take(list, false);
            assert_eq!((asked.len(), snapshot.sample.events.new.len()), (readings, 1), "{list}");
        }
    }

    #[test]
    fn fast_reads_once() {
        let (snapshot, _, asked) = take("gpus,processes,host", true);
        assert_eq!(asked.len(), 1);
        assert_eq!(mean_power(&snapshot), Err(Absent::LeftOut));
    }
}
