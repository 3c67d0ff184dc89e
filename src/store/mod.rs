//! The history of samples that charts are drawn from: a row for each tick for ten minutes, a row of minimum, mean
//! and maximum for each 10 s for two hours and for each minute for a day.
//!
//! - A row has a column for each series, so a sample is one pass over one row of each ring. The rings reserve their
//!   memory at once and write it only as time passes.
//! - A series is kept for as long as [`crate::model::History`] says: [`History::Day`](crate::model::History::Day) in
//!   all three rings, `TenMinutes` in the first only, `Newest` in none.
//! - A row holds what was known at its tick. A value that was not read again is still the value; one that is absent,
//!   or not finite, is a gap. How long an old reading may stand is for the source to say.
//! - Where no tick was missed, what was known at one tick holds until the next; where one was missed there is a gap.
//!   Nothing else is filled in.
//! - Time comes with the samples, and only [`Sample::monotonic_us`] counts.

mod bucket;
mod past;
mod ring;
mod series;
mod window;

use std::time::Duration;

use crate::model::{Inventory, Sample};
pub use bucket::Bucket;
use ring::{Resolution, Ring};
use series::Roster;
pub use series::Series;

const SECOND_US: u64 = 1_000_000;

/// A shorter interval is taken for this one, so that the memory has a bound.
const SHORTEST_INTERVAL_US: u64 = SECOND_US / 10;

/// Steps are counted from the clock's zero and a window from its newest tick, so that a span may touch one step more
/// than it has, and what holds at its start may have been read before it.
const SPARE_ROWS: usize = 3;

/// What is kept beyond ten minutes.
const COARSE: [Resolution; 2] = [
    resolution(10 * SECOND_US, 2 * 3600 * SECOND_US),
    resolution(60 * SECOND_US, 24 * 3600 * SECOND_US),
];

const fn resolution(step_us: u64, span_us: u64) -> Resolution {
    #[expect(clippy::cast_possible_truncation, reason = "at most 6000 rows")]
    let rows = (span_us / step_us) as usize + SPARE_ROWS;
    Resolution { step_us, span_us, rows }
}

/// The resolution that keeps every tick.
///
/// It has at least a row for each second, so that samples out of turn do not shorten the history.
fn every_tick(interval_us: u64) -> Resolution {
    let shortest_us = interval_us.clamp(SHORTEST_INTERVAL_US, SECOND_US);
    Resolution { step_us: 1, ..resolution(shortest_us, 600 * SECOND_US) }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The history of one machine.
///
/// A clone holds what was written so far, and no room for more than that.
#[derive(Clone, Debug)]
pub struct Store {
    interval_us: u64,
    /// The newest tick.
    newest_us: Option<u64>,
    roster: Roster,
    /// Every tick.
    fine: Ring<f32>,
    /// [`COARSE`].
    coarse: [Ring<Option<Bucket>>; 2],
}

impl Store {
    /// A history of samples that come once in `interval`.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        let interval_us = micros(interval);
        let roster = Roster::new(&[]);
        Self {
            interval_us,
            newest_us: None,
            fine: Ring::new(every_tick(interval_us), roster.series().len()),
            coarse: COARSE.map(|resolution| Ring::new(resolution, roster.day())),
            roster,
        }
    }

    /// From now on samples come once in `interval`. What is there stays: the room for it only grows.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval_us = micros(interval);
        let wanted = every_tick(self.interval_us);
        if wanted.rows > self.fine.resolution.rows {
            let columns: Vec<_> = (0..self.roster.series().len()).map(Some).collect();
            self.fine = self.fine.rearranged(wanted, &columns);
        }
    }

    /// Adds a sample of `inventory`.
    ///
    /// The history of a GPU follows its UUID through changes of the inventory, or its position where the UUID is not
    /// known; that of a GPU that is no longer there is dropped. A sample that is there already, or that is of another
    /// generation than `inventory`, changes nothing. One that is older than the newest is from another clock and
    /// begins a new history.
    pub fn push(&mut self, sample: &Sample, inventory: &Inventory) {
        let at_us = sample.monotonic_us;
        if sample.generation != inventory.generation || self.newest_us == Some(at_us) {
            return;
        }
        self.adopt(inventory);
        if self.newest_us.is_some_and(|newest_us| newest_us > at_us) {
            self.clear();
        }
        let follows = self.newest_us.is_some_and(|newest_us| !self.is_gap(at_us - newest_us));
        let values = self.roster.series().iter().map(|series| series.value(sample));
        let row = self.fine.push(at_us, follows, values);
        for ring in &mut self.coarse {
            ring.push(at_us, follows, row.iter().copied());
        }
        self.newest_us = Some(at_us);
    }

    /// The bytes of history that have been written so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.fine.bytes() + self.coarse.iter().map(Ring::bytes).sum::<usize>()
    }

    /// Whether ticks so far apart have one missing between them.
    fn is_gap(&self, elapsed_us: u64) -> bool {
        let interval_us = self.interval_us.max(SHORTEST_INTERVAL_US);
        elapsed_us > interval_us.saturating_add(interval_us / 2)
    }

    /// Moves the columns to where `inventory` has them.
    fn adopt(&mut self, inventory: &Inventory) {
        if self.roster.describes(&inventory.gpus) {
            return;
        }
        let roster = Roster::new(&inventory.gpus);
        let sources = roster.sources_in(&self.roster);
        self.fine = self.fine.rearranged(self.fine.resolution, &sources);
        for ring in &mut self.coarse {
            *ring = ring.rearranged(ring.resolution, &sources[..roster.day()]);
        }
        self.roster = roster;
    }

    fn clear(&mut self) {
        self.newest_us = None;
        self.fine.clear();
        self.coarse.iter_mut().for_each(Ring::clear);
    }
}

#[cfg(test)]
mod tests;
