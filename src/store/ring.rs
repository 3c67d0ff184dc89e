//! Rows of readings in order of time, of which the newest takes the place of the oldest.

use std::collections::VecDeque;

use super::bucket::Bucket;

/// What a row holds for one series.
pub(super) trait Cell: Copy {
    /// No reading.
    const GAP: Self;

    /// Adds a reading, which must be finite.
    fn absorb(&mut self, value: f32);

    /// The readings, if there are any.
    fn bucket(self) -> Option<Bucket>;
}

/// A single reading; a gap is NaN.
impl Cell for f32 {
    const GAP: Self = Self::NAN;

    fn absorb(&mut self, value: f32) {
        *self = value;
    }

    fn bucket(self) -> Option<Bucket> {
        self.is_finite().then(|| Bucket::of(self))
    }
}

impl Cell for Option<Bucket> {
    const GAP: Self = None;

    fn absorb(&mut self, value: f32) {
        *self = Some(Bucket::joined_to(*self, Bucket::of(value)));
    }

    fn bucket(self) -> Option<Bucket> {
        self
    }
}

/// When a row was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The row's first tick, in microseconds.
    pub(super) first_us: u64,
    /// Whether no tick was missed between the row before and this one.
    pub(super) follows: bool,
}

/// The shape of a ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolution {
    /// Ticks of the same `step_us` microseconds share a row; 1 gives each tick its own.
    pub(super) step_us: u64,
    /// For how long rows are kept, in microseconds.
    pub(super) span_us: u64,
    /// How many rows there can be.
    pub(super) rows: usize,
}

/// One row for each step in which there was a tick; a row has one cell for each series.
///
/// All memory is reserved at once and written only as rows are begun, so that what time has not reached costs
/// address space but no pages.
#[derive(Clone, Debug)]
pub(super) struct Ring<T> {
    pub(super) resolution: Resolution,
    width: usize,
    /// The place of the oldest row in `cells`.
    oldest: usize,
    /// The rows' stamps, oldest first.
    stamps: VecDeque<Stamp>,
    /// `width` cells for each place.
    cells: Vec<T>,
}

impl<T: Cell> Ring<T> {
    /// An empty ring whose rows have `width` cells.
    pub(super) fn new(resolution: Resolution, width: usize) -> Self {
        Self {
            resolution,
            width,
            oldest: 0,
            stamps: VecDeque::with_capacity(resolution.rows),
            cells: Vec::with_capacity(resolution.rows * width),
        }
    }

    /// A ring with the newest rows of this one, whose cells are taken from the columns in `sources`.
    pub(super) fn rearranged(&self, resolution: Resolution, sources: &[Option<usize>]) -> Self {
        let mut new = Self::new(resolution, sources.len());
        for number in self.stamps.len().saturating_sub(resolution.rows)..self.stamps.len() {
            let row = self.row(number);
            new.stamps.push_back(self.stamps[number]);
            new.cells.extend(sources.iter().map(|source| source.map_or(T::GAP, |from| row[from])));
        }
        new
    }

    /// Forgets every row.
    pub(super) fn clear(&mut self) {
        self.oldest = 0;
        self.stamps.clear();
        self.cells.clear();
    }

    /// Adds the readings of a tick, one for each column from the first; what is not finite is a gap. Returns the
    /// row. Ticks must come in order of time.
    pub(super) fn push(
        &mut self,
        at_us: u64,
        follows: bool,
        values: impl Iterator<Item = f32>,
    ) -> &[T] {
        if !self.is_open_at(at_us) {
            self.begin_row(Stamp { first_us: at_us, follows });
        }
        let newest = self.place(self.stamps.len() - 1);
        let row = &mut self.cells[newest];
        for (cell, value) in row.iter_mut().zip(values) {
            if value.is_finite() {
                cell.absorb(value);
            }
        }
        row
    }

    /// Whether the newest row is of the step in which `at_us` lies.
    fn is_open_at(&self, at_us: u64) -> bool {
        let step_us = self.resolution.step_us;
        self.stamps.back().is_some_and(|newest| newest.first_us / step_us == at_us / step_us)
    }

    fn begin_row(&mut self, stamp: Stamp) {
        if self.stamps.len() < self.resolution.rows {
            self.cells.resize(self.cells.len() + self.width, T::GAP);
        } else {
            let reused = self.place(0);
            self.cells[reused].fill(T::GAP);
            self.stamps.pop_front();
            self.oldest = (self.oldest + 1) % self.resolution.rows;
        }
        self.stamps.push_back(stamp);
    }

    /// Where the cells of row `number` are, counted from the oldest row.
    fn place(&self, number: usize) -> std::ops::Range<usize> {
        let start = (self.oldest + number) % self.resolution.rows * self.width;
        start..start + self.width
    }

    fn row(&self, number: usize) -> &[T] {
        &self.cells[self.place(number)]
    }

    /// How many rows were begun before `at_us`.
    pub(super) fn rows_before(&self, at_us: u64) -> usize {
        self.stamps.partition_point(|stamp| stamp.first_us < at_us)
    }

    /// One column from row `number` on, oldest first.
    pub(super) fn column(
        &self,
        column: usize,
        number: usize,
    ) -> impl DoubleEndedIterator<Item = (Stamp, T)> {
        (number..self.stamps.len())
            .map(move |number| (self.stamps[number], self.row(number)[column]))
    }

    /// The bytes that have been written.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.cells.as_slice()) + self.stamps.len() * size_of::<Stamp>()
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Cell, Resolution, Ring};
    use proptest::prelude::*;

    const EVERY_TICK: Resolution = Resolution { step_us: 1, span_us: 1000, rows: 4 };

    fn column<T: Cell>(ring: &Ring<T>, column: usize) -> Vec<(u64, Option<f32>)> {
        let rows = ring.column(column, 0);
        rows.map(|(stamp, cell)| (stamp.first_us, cell.bucket().map(|b| b.mean))).collect()
    }

    #[test]
    fn what_is_not_finite_is_a_gap() {
        let mut ring = Ring::<f32>::new(EVERY_TICK, 4);
        let row = ring.push(7, false, [1.0, f32::NAN, f32::INFINITY].into_iter());
        assert_eq!(
            row.iter().map(|cell| cell.is_nan()).collect::<Vec<_>>(),
            [false, true, true, true]
        );
        assert_eq!(column(&ring, 0), [(7, Some(1.0))]);
        assert_eq!(column(&ring, 3), [(7, None)]);
    }

    #[test]
    fn ticks_of_one_step_share_a_row() {
        let mut ring = Ring::<Option<Bucket>>::new(Resolution { step_us: 10, ..EVERY_TICK }, 2);
        for (at_us, value) in [(8, 1.0), (9, 3.0), (10, 5.0), (39, f32::NAN)] {
            ring.push(at_us, true, [value, 0.0].into_iter());
        }
        assert_eq!(column(&ring, 0), [(8, Some(2.0)), (10, Some(5.0)), (39, None)]);
    }

    #[test]
    fn a_reused_row_forgets_what_it_held() {
        let mut ring = Ring::<f32>::new(EVERY_TICK, 1);
        for at_us in 0..4 {
            ring.push(at_us, true, [1.0].into_iter());
        }
        ring.push(4, true, std::iter::empty());
        assert_eq!(column(&ring, 0)[3], (4, None));
    }

    #[test]
    fn columns_are_taken_along() {
        let mut ring = Ring::<f32>::new(EVERY_TICK, 2);
        for at_us in 1u8..=6 {
            let value = f32::from(at_us);
            ring.push(at_us.into(), true, [value, -value].into_iter());
        }
        let fewer = Resolution { rows: 2, ..EVERY_TICK };
        let mut ring = ring.rearranged(fewer, &[Some(1), None, Some(0)]);
        assert_eq!(column(&ring, 0), [(5, Some(-5.0)), (6, Some(-6.0))]);
        assert_eq!(column(&ring, 1), [(5, None), (6, None)]);
        ring.push(7, true, [7.0; 3].into_iter());
        assert_eq!(column(&ring, 2), [(6, Some(6.0)), (7, Some(7.0))]);
    }

    proptest! {
        #[test]
        fn rows_are_read_in_the_order_they_were_pushed(ticks in 0u16..20, rows in 1usize..6) {
            let mut ring = Ring::<f32>::new(Resolution { rows, ..EVERY_TICK }, 3);
            let reserved = ring.cells.capacity();
            for tick in 0..ticks {
                ring.push(tick.into(), true, [0.0, tick.into()].into_iter());
            }
            let kept = ticks.saturating_sub(rows.try_into().unwrap())..ticks;
            let expected: Vec<_> = kept.map(|tick| (u64::from(tick), Some(f32::from(tick)))).collect();
            prop_assert!(expected.len() <= rows);
            prop_assert_eq!(column(&ring, 1), expected);
            prop_assert_eq!(ring.cells.capacity(), reserved, "nothing is allocated while time passes");
        }
    }
}
