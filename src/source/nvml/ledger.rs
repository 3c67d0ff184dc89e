//! The source's own cost: what the calls of all threads took, and which ticks came late.

use std::time::Duration;

use super::watch::{Spent, Watch};
use crate::model::{Absent, CallCost, Cost, Fact, Lane};
use crate::source::Patience;

/// Rates are those of the last one or two of these.
const WINDOW_US: u64 = 30_000_000;

/// What taking samples has cost since the start.
pub(super) struct Ledger {
    rows: Vec<Row>,
    /// The row that was entered last: all GPUs call the functions in the same order.
    last: usize,
    ticks: u64,
    late: u64,
    dropped: u64,
    /// Calls since the sample before.
    calls: u64,
    /// When the last tick of a series was begun, and how far apart they were to be.
    begun: Option<(u64, Duration)>,
    /// When the window before began, and what the processor time was then.
    before: Mark,
    window: Mark,
}

#[derive(Clone, Copy)]
struct Mark {
    at_us: u64,
    cpu_us: Fact<u64>,
}

/// One function.
struct Row {
    function: &'static str,
    lane: Lane,
    calls: u64,
    total_ns: u64,
    worst_ns: u64,
    /// Calls in this window, and in the one before.
    recent: [u64; 2],
}

impl Ledger {
    /// A ledger in which nothing stands.
    pub(super) fn new(at_us: u64, cpu_us: Fact<u64>) -> Self {
        let start = Mark { at_us, cpu_us };
        Self {
            rows: Vec::new(),
            last: 0,
            ticks: 0,
            late: 0,
            dropped: 0,
            calls: 0,
            begun: None,
            before: start,
            window: start,
        }
    }

    /// A sample is begun. In a series those are counted that should have been begun since the last one.
    ///
    /// A gap as long as a rate is not drawn over is a machine that was suspended, and no tick that was missed.
    pub(super) fn begin(&mut self, patience: Patience, now_us: u64) {
        self.ticks += 1;
        self.calls = 0;
        let Patience::Tick { interval } = patience else {
            self.begun = None;
            return;
        };
        if let Some((begun_us, before)) = self.begun.filter(|(_, before)| *before == interval) {
            let interval_us = u64::try_from(before.as_micros()).unwrap_or(u64::MAX).max(1);
            let gap_us = now_us.saturating_sub(begun_us);
            if gap_us <= patience.longest_gap_us() {
                // Half an interval more or less is no tick.
                self.dropped += ((gap_us + interval_us / 2) / interval_us).saturating_sub(1);
            }
        }
        self.begun = Some((now_us, interval));
    }

    /// The sample was closed before everything was there that it waited for.
    pub(super) fn was_late(&mut self) {
        self.late += 1;
    }

    /// Takes over what a thread's calls took.
    pub(super) fn settle(&mut self, watch: &Watch) {
        watch.settle(|spent| self.add(spent));
    }

    fn add(&mut self, spent: &Spent) {
        let count = self.rows.len();
        let mut rows = (1..=count).map(|step| (self.last + step) % count);
        let known = rows.find(|&row| self.rows[row].function == spent.function);
        self.last = known.unwrap_or_else(|| {
            let (function, lane) = (spent.function, spent.lane);
            let row = Row { function, lane, calls: 0, total_ns: 0, worst_ns: 0, recent: [0; 2] };
            self.rows.push(row);
            count
        });
        let (row, calls) = (&mut self.rows[self.last], u64::from(spent.calls));
        row.lane = spent.lane;
        row.calls += calls;
        row.total_ns += spent.total_ns;
        row.worst_ns = row.worst_ns.max(spent.worst_ns);
        row.recent[0] += calls;
        self.calls += calls;
    }

    /// What everything has cost until now.
    pub(super) fn cost(&mut self, now_us: u64, cpu_us: Fact<u64>) -> Cost {
        let elapsed_us = now_us.saturating_sub(self.before.at_us);
        let seconds = if elapsed_us > 0 {
            Ok(elapsed_us as f64 / 1e6)
        } else {
            Err(Absent::NeedsTwoReadings)
        };
        let rate = |calls: u64| seconds.map(|seconds| calls as f64 / seconds);
        let function = |row: &Row| CallCost {
            function: row.function.into(),
            lane: row.lane,
            calls: row.calls,
            calls_per_second: rate(row.recent.iter().sum()),
            mean_us: row.total_ns as f64 / 1e3 / row.calls.max(1) as f64,
            worst_us: row.worst_ns as f64 / 1e3,
        };
        let mut functions: Vec<_> = self.rows.iter().map(function).collect();
        functions.sort_by(|a, b| b.total_us().total_cmp(&a.total_us()));
        let used_us = self.before.cpu_us.and_then(|before| Ok(cpu_us?.saturating_sub(before)));
        let cost = Cost {
            ticks: self.ticks,
            ticks_late: self.late,
            ticks_dropped: self.dropped,
            calls: self.calls,
            calls_per_second: rate(self.rows.iter().flat_map(|row| row.recent).sum()),
            cpu_percent: used_us.and_then(|us| Ok(us as f64 / 1e4 / seconds?)),
            functions,
        };
        self.turn(now_us, cpu_us);
        cost
    }

    /// Begins a new window where this one is over.
    fn turn(&mut self, now_us: u64, cpu_us: Fact<u64>) {
        if now_us.saturating_sub(self.window.at_us) < WINDOW_US {
            return;
        }
        self.before = self.window;
        self.window = Mark { at_us: now_us, cpu_us };
        for row in &mut self.rows {
            row.recent = [0, row.recent[0]];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;
    use crate::model::{Absent, Cost};
    use crate::source::nvml::watch::Watch;
    use crate::source::{Clock, ManualClock, Patience};
    use std::time::Duration;

    const TICK: Patience = Patience::Tick { interval: Duration::from_secs(1) };

    /// The cost after ticks that are so many milliseconds apart, each with two calls of 3 ms.
    fn after(gaps_ms: &[u64]) -> Cost {
        let (clock, watch) = (ManualClock::at(0), Watch::default());
        let mut ledger = Ledger::new(0, Ok(0));
        let mut cost = ledger.cost(0, Ok(0));
        for gap_ms in gaps_ms {
            clock.advance(Duration::from_millis(*gap_ms));
            ledger.begin(TICK, clock.monotonic_us());
            for _ in 0..2 {
                watch.during(&clock, "call", || ());
            }
            ledger.settle(&watch);
            cost = ledger.cost(clock.monotonic_us(), Ok(clock.monotonic_us() / 50));
        }
        cost
    }

    #[test]
    fn rates_are_those_of_the_last_minute() {
        let cost = after(&[1000; 300]);
        assert_eq!((cost.ticks, cost.ticks_dropped, cost.calls), (300, 0, 2));
        assert_eq!(cost.functions[0].calls, 600);
        assert!((cost.calls_per_second.unwrap() - 2.0).abs() < 0.1);
        assert!((cost.cpu_percent.unwrap() - 2.0).abs() < 0.1);
        assert_eq!(after(&[0]).calls_per_second, Err(Absent::NeedsTwoReadings));
    }

    #[test]
    fn a_tick_that_was_not_begun_is_dropped_and_a_machine_that_slept_dropped_none() {
        assert_eq!(after(&[1000, 1400, 600, 1000]).ticks_dropped, 0);
        assert_eq!(after(&[1000, 1600, 1000, 3000]).ticks_dropped, 3);
        assert_eq!(after(&[1000, 60_000, 1000]).ticks_dropped, 0);
    }
}
