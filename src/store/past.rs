//! What the health rules read of the history.

use std::time::Duration;

use super::ring::{Cell, Ring};
use super::series::Series;
use super::{SECOND_US, Store, micros};
use crate::model::{HostMetric, Metric, Past, Recent};

/// How far [`Past::recent`] looks back.
const MINUTE: Duration = Duration::from_secs(60);

impl Past for Store {
    fn recent(&self, gpu: usize, metric: Metric) -> Option<Recent> {
        self.last_minute(Series::gpu(gpu, metric))
    }

    fn recent_of_host(&self, metric: HostMetric) -> Option<Recent> {
        self.last_minute(Series::Host(metric))
    }

    fn before(&self, gpu: usize, metric: Metric, ago: Duration) -> Option<f64> {
        let column = self.roster.column(Series::gpu(gpu, metric))?;
        let at_us = self.newest_us?.checked_sub(micros(ago))?;
        let number = self.fine.rows_before(at_us.saturating_add(1)).checked_sub(1)?;
        let (stamp, cell) = self.fine.column(column, number).next()?;
        // What was known at one tick holds until the next, and no longer.
        let known = cell.bucket().filter(|_| !self.is_gap(at_us - stamp.first_us))?;
        Some(known.mean.into())
    }
}

impl Store {
    /// The last minute of a series. Steps of 10 s are read where they are kept, since the rules ask for many series.
    fn last_minute(&self, series: Series) -> Option<Recent> {
        let column = self.roster.column(series)?;
        let [steps, _] = &self.coarse;
        if column < self.roster.day() {
            self.mean_of(steps, column)
        } else {
            self.mean_of(&self.fine, column)
        }
    }

    fn mean_of<T: Cell>(&self, ring: &Ring<T>, column: usize) -> Option<Recent> {
        let (newest_us, since_us) = (self.newest_us?, self.since_us(MINUTE)?);
        let rows = ring.column(column, ring.rows_before(since_us));
        let mut known = rows.filter_map(|(stamp, cell)| Some((stamp, cell.bucket()?)));
        let (first, bucket) = known.next()?;
        let mean = known.fold(bucket, |all, (_, bucket)| all.join(bucket)).mean;
        // The first reading stands for the interval before it.
        let elapsed_us = (newest_us - first.first_us).saturating_add(self.interval_us);
        Some(Recent { mean: mean.into(), seconds: elapsed_us as f64 / SECOND_US as f64 })
    }
}
