//! What is read from the store: the columns of a chart, and what a stretch of time says together.

use std::time::Duration;

use super::bucket::Bucket;
use super::ring::{Cell, Ring};
use super::series::Series;
use super::{Store, micros};

impl Store {
    /// The last `span` of a series in `columns` columns up to the newest tick, the newest last; `None` is a gap.
    ///
    /// Columns before the first sample, and those older than the series is kept for, are gaps. Columns begin at the
    /// multiples of their length on the samples' clock, so that their content stays the same while they move to the
    /// left.
    #[must_use]
    pub fn window(&self, series: Series, span: Duration, columns: u16) -> Vec<Option<Bucket>> {
        let span_us = micros(span);
        let step_us = span_us.checked_div(columns.into()).unwrap_or(span_us).max(1);
        let mut window = vec![None; columns.into()];
        if let (Some(newest_us), Some(column)) = (self.newest_us, self.roster.column(series)) {
            let grid = Grid { step_us, newest_us };
            match self.coarse_for(column, span_us, step_us) {
                None => grid.fill(&self.fine, column, &mut window),
                Some(ring) => grid.fill(ring, column, &mut window),
            }
        }
        window
    }

    /// The readings of the last `span` of a series together, if there are any.
    #[must_use]
    pub fn summary(&self, series: Series, span: Duration) -> Option<Bucket> {
        let (column, since_us) = (self.roster.column(series)?, self.since_us(span)?);
        match self.coarse_for(column, micros(span), 0) {
            None => summary(&self.fine, column, since_us),
            Some(ring) => summary(ring, column, since_us),
        }
    }

    /// Whether a series has a reading in the last `span`.
    #[must_use]
    pub fn is_known(&self, series: Series, span: Duration) -> bool {
        let (Some(column), Some(since_us)) = (self.roster.column(series), self.since_us(span))
        else {
            return false;
        };
        match self.coarse_for(column, micros(span), 0) {
            None => is_known(&self.fine, column, since_us),
            Some(ring) => is_known(ring, column, since_us),
        }
    }

    /// The first moment of the last `span`.
    pub(super) fn since_us(&self, span: Duration) -> Option<u64> {
        let after_us = self.newest_us?.checked_sub(micros(span));
        Some(after_us.map_or(0, |after_us| after_us.saturating_add(1)))
    }

    /// The coarse ring to read, if not the fine one: of those that reach back far enough the coarsest whose rows are
    /// no longer than a column, else the finest.
    fn coarse_for(
        &self,
        column: usize,
        span_us: u64,
        step_us: u64,
    ) -> Option<&Ring<Option<Bucket>>> {
        let [.., longest] = &self.coarse;
        if column >= self.roster.day() {
            return None;
        }
        let reaches = |ring: &&Ring<_>| ring.resolution.span_us >= span_us;
        let is_no_longer = |ring: &&Ring<_>| ring.resolution.step_us <= step_us;
        let coarsest = self.coarse.iter().rev().filter(reaches).find(is_no_longer);
        if coarsest.is_some() || self.fine.resolution.span_us >= span_us {
            return coarsest;
        }
        self.coarse.iter().find(reaches).or(Some(longest))
    }
}

/// Columns of `step_us` on the samples' clock, up to that of the newest tick.
struct Grid {
    step_us: u64,
    newest_us: u64,
}

impl Grid {
    /// Which of `count` columns, the newest last, holds the tick at `at_us`; `None` if it is older than all.
    fn index(&self, at_us: u64, count: usize) -> Option<usize> {
        let age = usize::try_from(self.newest_us / self.step_us - at_us / self.step_us).ok()?;
        count.checked_sub(1)?.checked_sub(age)
    }

    /// When the first of `count` columns begins.
    fn start_us(&self, count: usize) -> u64 {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        (self.newest_us / self.step_us).saturating_add(1).saturating_sub(count) * self.step_us
    }

    /// Fills `columns` from one column of `ring`.
    fn fill<T: Cell>(&self, ring: &Ring<T>, column: usize, columns: &mut [Option<Bucket>]) {
        // A column of which the ring no longer has all would change while it leaves.
        let whole = usize::try_from(ring.resolution.span_us / self.step_us).unwrap_or(usize::MAX);
        let columns = columns.split_at_mut(columns.len().saturating_sub(whole.max(1))).1;
        let count = columns.len();
        // What was known before the first column may hold into it.
        let first = ring.rows_before(self.start_us(count)).saturating_sub(1);
        let mut rows = ring.column(column, first).peekable();
        while let Some((stamp, cell)) = rows.next() {
            let here = self.index(stamp.first_us, count);
            let known = cell.bucket();
            if let (Some(here), Some(known)) = (here, known) {
                columns[here] = Some(Bucket::joined_to(columns[here], known));
            }
            let after = here.map_or(0, |here| here + 1);
            let until = match rows.peek() {
                None => count,
                Some((next, _)) if next.follows => self.index(next.first_us, count).unwrap_or(0),
                Some(_) => after,
            };
            // Columns between this row's and the next one's have no row of their own.
            if let Some(between) = columns.get_mut(after..until) {
                between.fill(known);
            }
        }
    }
}

/// What one column of `ring` holds from `since_us` on.
fn summary<T: Cell>(ring: &Ring<T>, column: usize, since_us: u64) -> Option<Bucket> {
    let rows = ring.column(column, ring.rows_before(since_us));
    rows.filter_map(|(_, cell)| cell.bucket()).reduce(Bucket::join)
}

/// Whether one column of `ring` holds anything from `since_us` on, looked for from the newest row.
fn is_known<T: Cell>(ring: &Ring<T>, column: usize, since_us: u64) -> bool {
    ring.column(column, ring.rows_before(since_us)).rev().any(|(_, cell)| cell.bucket().is_some())
}
