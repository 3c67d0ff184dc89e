//! When each probe of a GPU is run: at every tick, later, or once, by the table and by what it was found to cost.

use super::probes::{Every, PROBES, Probe};
use super::reader::{ASK_AGAIN_US, Order};
use crate::model::Lane;

/// When each probe is due, learned from what it costs.
pub(super) struct Schedule {
    rows: Vec<Row>,
    /// Which part of a period this GPU's slow calls are put off by.
    gpu_phase: f64,
}

#[derive(Clone, Default)]
struct Row {
    /// How long the probe takes: a mean in which the newest runs count most, in microseconds.
    cost_us: f64,
    /// When it is due next; `None` before it has run.
    due_us: Option<u64>,
}

/// A probe that takes longer than this on average is not waited for at every tick.
const SLOW_US: f64 = 10_000.0;
/// How far apart a probe is run that turned out to be slow.
const SLOW_SECONDS: u32 = 2;

impl Schedule {
    pub(super) fn new(gpu_phase: f64) -> Self {
        Self { rows: vec![Row::default(); PROBES.len()], gpu_phase }
    }

    /// Everything is due again.
    pub(super) fn forget(&mut self) {
        self.rows.fill(Row::default());
    }

    /// The probe is due again.
    pub(super) fn forget_row(&mut self, row: usize) {
        self.rows[row] = Row::default();
    }

    fn every(&self, row: usize) -> Every {
        match PROBES[row].every {
            Every::Tick if self.rows[row].cost_us > SLOW_US => Every::Seconds(SLOW_SECONDS),
            every => every,
        }
    }

    pub(super) fn lane(&self, row: usize) -> Lane {
        match (self.every(row), PROBES[row].every) {
            (Every::Seconds(_), Every::Tick) => Lane::TooSlow,
            (Every::Seconds(_), _) => Lane::Slow,
            (Every::Tick, _) => Lane::Tick,
            (Every::Once, _) => Lane::Once,
        }
    }

    /// The probes to run before the sample is published.
    pub(super) fn due_now(&self, order: &Order) -> Vec<usize> {
        self.wanted(order).filter(|&row| self.every(row) == Every::Tick).collect()
    }

    /// The probes to run after it.
    pub(super) fn due_later(&self, order: &Order, now_us: u64) -> Vec<usize> {
        let due = |row: &usize| match (self.every(*row), self.rows[*row].due_us) {
            (Every::Tick, _) => false,
            (_, None) => true,
            (_, Some(due_us)) => due_us <= now_us,
        };
        self.wanted(order).filter(due).collect()
    }

    fn wanted<'a>(&self, order: &'a Order) -> impl Iterator<Item = usize> + use<'a> {
        let wanted = |probe: &Probe| {
            order.metrics.contains_any(probe.fills)
                && !(order.quick && probe.is_left_out_of_quick())
        };
        (0..self.rows.len()).filter(move |&row| wanted(&PROBES[row]))
    }

    /// The rows of one GPU are put off differently too: by multiples of the golden ratio, which spread any number of them.
    fn phase(&self, row: usize) -> f64 {
        const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;
        (self.gpu_phase + row as f64 * GOLDEN_RATIO).fract()
    }

    /// Notes that a probe has run. `settled` says that each of its values is there, or never will be.
    pub(super) fn ran(&mut self, row: usize, settled: bool, before_us: u64, after_us: u64) {
        let first = self.rows[row].due_us.is_none();
        let cost_us = after_us.saturating_sub(before_us) as f64;
        let mean_us = &mut self.rows[row].cost_us;
        *mean_us = if first { cost_us } else { *mean_us + (cost_us - *mean_us) / 4.0 };
        let period_us = match self.every(row) {
            Every::Tick => 0.0,
            Every::Once if settled => f64::INFINITY,
            Every::Once => ASK_AGAIN_US as f64,
            Every::Seconds(seconds) => f64::from(seconds) * 1e6,
        };
        let phase = if first { self.phase(row) } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let wait_us = (period_us * (1.0 + phase)) as u64;
        self.rows[row].due_us = Some(before_us.saturating_add(wait_us));
    }
}

#[cfg(test)]
mod tests {
    use super::{Every, Order, PROBES, Schedule};
    use crate::model::{Metric, MetricSet};

    fn order(quick: bool) -> Order {
        Order { metrics: MetricSet::all(), processes: false, quick, listen: false }
    }

    fn row_of(metric: Metric) -> usize {
        PROBES.iter().position(|probe| probe.fills.contains(&metric)).unwrap()
    }

    #[test]
    fn a_probe_that_proves_slow_is_no_longer_waited_for_and_comes_back_when_it_recovers() {
        let mut schedule = Schedule::new(0.0);
        let row = row_of(Metric::PowerDraw);
        schedule.ran(row, true, 0, 25_000);
        assert!(!schedule.due_now(&order(false)).contains(&row));
        assert!(!schedule.due_later(&order(false), 25_000).contains(&row));
        for run in 1..=6u64 {
            let at = run * 3_000_000;
            assert!(
                schedule.due_later(&order(false), at).contains(&row)
                    || schedule.every(row) == Every::Tick
            );
            schedule.ran(row, true, at, at + 100);
        }
        assert!(schedule.due_now(&order(false)).contains(&row));
    }

    #[test]
    fn facts_are_read_once() {
        let mut schedule = Schedule::new(0.0);
        let row = row_of(Metric::ClockSmMaximum);
        assert!(schedule.due_later(&order(false), 0).contains(&row));
        schedule.ran(row, false, 0, 10);
        assert!(!schedule.due_later(&order(false), 1_000_000).contains(&row));
        assert!(
            schedule.due_later(&order(false), 20_000_000).contains(&row),
            "it could not be had"
        );
        schedule.ran(row, true, 20_000_000, 20_000_010);
        assert!(!schedule.due_later(&order(false), u64::MAX - 1).contains(&row));
    }

    #[test]
    fn slow_calls_of_several_gpus_are_spread() {
        let row = row_of(Metric::PcieRx);
        let due = |phase| {
            let mut schedule = Schedule::new(phase);
            schedule.ran(row, true, 0, 20_000);
            schedule.rows[row].due_us.unwrap()
        };
        let apart = due(0.5).abs_diff(due(0.0));
        assert!(apart.abs_diff(1_000_000) <= 1, "half a period apart: {apart}");
    }

    #[test]
    fn quick_leaves_out_what_blocks() {
        let schedule = Schedule::new(0.0);
        assert!(!schedule.due_later(&order(true), 0).contains(&row_of(Metric::PcieRx)));
        assert!(schedule.due_later(&order(true), 0).contains(&row_of(Metric::ClockSmMaximum)));
    }
}
