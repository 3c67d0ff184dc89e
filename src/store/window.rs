//! What is read from the store: the columns of a chart, and the statistics of a stretch of time.

use std::time::Duration;

use super::bucket::Bucket;
use super::ring::{Cell, Ring};
use super::series::Series;
use super::{Store, micros};

/// The columns of a chart, the newest last.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// How long one column is. Columns begin at its multiples on the samples' clock, so that their content stays the
    /// same while they move to the left.
    pub step: Duration,
    /// What was read in each column; `None` is a gap. The last column is that of the newest tick.
    pub columns: Vec<Option<Bucket>>,
    /// How many of the last columns are still being filled: the last, and those that share a row of the ring with it.
    pub open: usize,
}

/// What the readings of a stretch of time say together, in the metric's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Their minimum, mean and maximum.
    pub all: Bucket,
    /// The newest of them: beyond ten minutes, the mean of the newest bucket.
    pub last: f32,
    /// 95 of 100 are no higher. Only known where every reading is kept, which is up to ten minutes.
    pub p95: Option<f32>,
}

impl Store {
    /// The last `span` of a series in `columns` columns, up to `until_us` or, without, to the newest tick.
    ///
    /// Columns before the first sample, and those older than the series is kept for, are gaps.
    #[must_use]
    pub fn window(
        &self,
        series: Series,
        span: Duration,
        columns: u16,
        until_us: Option<u64>,
    ) -> Window {
        let span_us = micros(span);
        let step_us = span_us.checked_div(columns.into()).unwrap_or(span_us).max(1);
        let mut window = Window {
            step: Duration::from_micros(step_us),
            columns: vec![None; columns.into()],
            open: 0,
        };
        let newest_us =
            self.newest_us.map(|newest_us| newest_us.min(until_us.unwrap_or(newest_us)));
        if let (Some(newest_us), Some(column)) = (newest_us, self.roster.column(series)) {
            let grid = Grid { step_us, newest_us };
            window.open = match self.coarse_for(column, span_us, step_us) {
                None => grid.fill(&self.fine, column, &mut window.columns),
                Some(ring) => grid.fill(ring, column, &mut window.columns),
            };
        }
        window
    }

    /// The value of the newest tick.
    #[must_use]
    pub fn latest(&self, series: Series) -> Option<f32> {
        let column = self.roster.column(series)?;
        let (_, value) = self.fine.column(column, 0).next_back()?;
        Some(value).filter(|value| value.is_finite())
    }

    /// The statistics of the last `span` of a series, if it has a reading in it.
    #[must_use]
    pub fn summary(&self, series: Series, span: Duration) -> Option<Summary> {
        let column = self.roster.column(series)?;
        let span_us = micros(span);
        let after_us = self.newest_us?.checked_sub(span_us);
        let since_us = after_us.map_or(0, |after_us| after_us.saturating_add(1));
        if let Some(ring) = self.coarse_for(column, span_us, 0) {
            return summary(buckets_since(ring, column, since_us));
        }
        let summary = summary(buckets_since(&self.fine, column, since_us))?;
        let readings = buckets_since(&self.fine, column, since_us).map(|reading| reading.mean);
        Some(Summary { p95: percentile_95(&mut readings.collect::<Vec<_>>()), ..summary })
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

    /// Fills `columns` from one column of `ring`. Returns how many of the last are still being filled.
    fn fill<T: Cell>(
        &self,
        ring: &Ring<T>,
        column: usize,
        columns: &mut [Option<Bucket>],
    ) -> usize {
        // A column of which the ring no longer has all would change while it leaves.
        let whole = usize::try_from(ring.resolution.span_us / self.step_us).unwrap_or(usize::MAX);
        let columns = columns.split_at_mut(columns.len().saturating_sub(whole.max(1))).1;
        let count = columns.len();
        // What was known before the first column may hold into it.
        let first = ring.rows_before(self.start_us(count)).saturating_sub(1);
        let mut open = 0;
        let rows = ring.column(column, first);
        let mut rows = rows.take_while(|(stamp, _)| stamp.first_us <= self.newest_us).peekable();
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
            open = count - here.unwrap_or(0);
        }
        open
    }
}

/// What one column of `ring` holds from `since_us` on, oldest first.
fn buckets_since<T: Cell>(
    ring: &Ring<T>,
    column: usize,
    since_us: u64,
) -> impl Iterator<Item = Bucket> {
    ring.column(column, ring.rows_before(since_us)).filter_map(|(_, cell)| cell.bucket())
}

fn summary(mut buckets: impl Iterator<Item = Bucket>) -> Option<Summary> {
    let first = buckets.next()?;
    let (all, newest) = buckets.fold((first, first), |(all, _), next| (all.join(next), next));
    Some(Summary { all, last: newest.mean, p95: None })
}

/// The lowest reading that at least 95 of 100 do not exceed.
fn percentile_95(readings: &mut [f32]) -> Option<f32> {
    let rank = (readings.len() * 95).div_ceil(100).checked_sub(1)?;
    Some(*readings.select_nth_unstable_by(rank, f32::total_cmp).1)
}
