//! Which series are kept, and in which column of the rings each of them is.

use std::cmp::Reverse;

use crate::model::{Gpu, History, HostMetric, Layout, Metric, Sample, Slot};

/// The name of one series of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// A slot of the GPU at this position of the inventory.
    Gpu(usize, Slot),
    /// A number of the machine.
    Host(HostMetric),
}

impl Series {
    /// A metric of the GPU at `position` of the inventory; of a fan's, the first fan.
    #[must_use]
    pub const fn gpu(position: usize, metric: Metric) -> Self {
        Self::Gpu(position, Slot { metric, instance: 0 })
    }

    /// For how long it is kept.
    #[must_use]
    pub const fn history(self) -> History {
        match self {
            Self::Gpu(_, slot) => slot.metric.spec().history,
            Self::Host(metric) => metric.spec().history,
        }
    }

    /// What the sample says of it; NaN where it says nothing.
    pub(super) fn value(self, sample: &Sample) -> f32 {
        let value = match self {
            Self::Gpu(position, slot) => sample
                .gpus
                .get(position)
                .and_then(|gpu| gpu.values.instances(slot.metric).get(slot.instance as usize))
                .and_then(|reading| reading.value.ok()),
            Self::Host(metric) => sample.host(metric).ok(),
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what f32 cannot hold becomes infinite"
        )]
        let narrowed = value.unwrap_or(f64::NAN) as f32;
        narrowed
    }

    /// Its place among the columns: what is kept for a day comes first, so that the coarse rings' columns are the
    /// first of the fine ring's.
    fn rank(self) -> (Reverse<History>, Option<usize>, usize, u32) {
        let history = Reverse(self.history());
        match self {
            Self::Host(metric) => (history, None, metric as usize, 0),
            Self::Gpu(gpu, slot) => (history, Some(gpu), slot.metric as usize, slot.instance),
        }
    }
}

/// What of a GPU decides where its readings go.
#[derive(Clone, Debug)]
struct KnownGpu {
    uuid: Option<String>,
    layout: Layout,
}

/// The series of an inventory in the order of their columns.
#[derive(Clone, Debug)]
pub(super) struct Roster {
    gpus: Vec<KnownGpu>,
    series: Vec<Series>,
    day: usize,
}

impl Roster {
    /// The series of a machine with these GPUs.
    pub(super) fn new(gpus: &[Gpu]) -> Self {
        let of_host = HostMetric::ALL.iter().map(|&metric| Series::Host(metric));
        let of_gpus = gpus.iter().enumerate().flat_map(|(position, gpu)| {
            gpu.layout.slots().map(move |slot| Series::Gpu(position, slot))
        });
        let mut series: Vec<_> =
            of_host.chain(of_gpus).filter(|series| series.history() > History::Newest).collect();
        series.sort_unstable_by_key(|series| series.rank());
        let known = |gpu: &Gpu| KnownGpu { uuid: gpu.uuid.clone().ok(), layout: gpu.layout };
        Self {
            day: series.partition_point(|series| series.history() == History::Day),
            gpus: gpus.iter().map(known).collect(),
            series,
        }
    }

    /// Whether these GPUs would give the same roster.
    pub(super) fn describes(&self, gpus: &[Gpu]) -> bool {
        self.gpus.len() == gpus.len()
            && self.gpus.iter().zip(gpus).all(|(known, gpu)| {
                known.uuid.as_ref() == gpu.uuid.as_ref().ok() && known.layout == gpu.layout
            })
    }

    /// Every series in the order of the columns.
    pub(super) fn series(&self) -> &[Series] {
        &self.series
    }

    /// How many columns from the first are kept for a day.
    pub(super) fn day(&self) -> usize {
        self.day
    }

    /// The column of a series that is kept.
    pub(super) fn column(&self, series: Series) -> Option<usize> {
        self.series.binary_search_by_key(&series.rank(), |series| series.rank()).ok()
    }

    /// For each column of this roster, the column of `old` that holds its past.
    pub(super) fn sources_in(&self, old: &Self) -> Vec<Option<usize>> {
        let positions: Vec<_> =
            (0..self.gpus.len()).map(|gpu| self.position_in(old, gpu)).collect();
        let source = |series: &Series| match *series {
            Series::Gpu(gpu, slot) => old.column(Series::Gpu(positions[gpu]?, slot)),
            Series::Host(_) => old.column(*series),
        };
        self.series.iter().map(source).collect()
    }

    /// Where the GPU at `position` was in `old`: the one with its UUID. Where either UUID is not known it is the one
    /// at the same position, unless that has gone elsewhere.
    fn position_in(&self, old: &Self, position: usize) -> Option<usize> {
        let has = |gpus: &[KnownGpu], uuid: &Option<String>| {
            uuid.as_ref()
                .and_then(|uuid| gpus.iter().position(|gpu| gpu.uuid.as_ref() == Some(uuid)))
        };
        let uuid = &self.gpus[position].uuid;
        has(&old.gpus, uuid).or_else(|| {
            let before = &old.gpus.get(position)?.uuid;
            let may_be_the_same = uuid.is_none() || before.is_none();
            (may_be_the_same && has(&self.gpus, before).is_none()).then_some(position)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Roster, Series};
    use crate::model::{Absent, Gpu, History, HostMetric, Instances, Layout, Metric, Slot};

    fn gpu(uuid: &str, fans: u16) -> Gpu {
        let known = if uuid.is_empty() { Err(Absent::NotReadYet) } else { Ok(uuid.to_owned()) };
        Gpu {
            uuid: known,
            layout: Layout::new(Instances { fans, ..Instances::default() }),
            ..Gpu::unknown(0, Absent::NotReadYet)
        }
    }

    fn roster(uuids: &[&str]) -> Roster {
        Roster::new(&uuids.iter().map(|uuid| gpu(uuid, 1)).collect::<Vec<_>>())
    }

    /// Where each GPU of `new` was in `old`.
    fn moves(old: &[&str], new: &[&str]) -> Vec<Option<usize>> {
        let (old, new) = (roster(old), roster(new));
        (0..new.gpus.len()).map(|gpu| new.position_in(&old, gpu)).collect()
    }

    #[test]
    fn a_gpu_is_known_by_its_uuid_else_by_its_position() {
        assert_eq!(moves(&["a", "b"], &["b", "c", "a"]), [Some(1), None, Some(0)]);
        assert_eq!(moves(&["", ""], &["", "", ""]), [Some(0), Some(1), None]);
        assert_eq!(moves(&["", "b"], &["a", ""]), [Some(0), Some(1)]);
        assert_eq!(moves(&["a", "b"], &["", "a"]), [None, Some(0)], "a went elsewhere");
        assert_eq!(moves(&["a"], &["b"]), [None]);
        assert_eq!(moves(&["a"], &[]), []);
    }

    #[test]
    fn every_kept_series_has_its_own_column_and_those_of_a_day_come_first() {
        let roster = Roster::new(&[gpu("a", 3), gpu("b", 0)]);
        for (column, &series) in roster.series().iter().enumerate() {
            assert_eq!(roster.column(series), Some(column));
            assert_eq!(series.history() == History::Day, column < roster.day());
        }
        assert_eq!(roster.column(Series::gpu(0, Metric::Energy)), None, "only the newest");
        assert_eq!(roster.column(Series::Host(HostMetric::CpuCount)), None, "only the newest");
        assert_eq!(roster.column(Series::gpu(2, Metric::Busy)), None, "no such GPU");
        let fan = |gpu, instance| Series::Gpu(gpu, Slot { metric: Metric::Fan, instance });
        assert!(roster.column(fan(0, 2)).is_some());
        assert_eq!(roster.column(fan(1, 1)), None, "no such fan");
    }

    #[test]
    fn only_what_moves_columns_makes_a_new_roster() {
        let before = [gpu("a", 1), gpu("b", 1)];
        let roster = Roster::new(&before);
        let mut renamed = before.clone();
        renamed[0].name = Ok("GPU".to_owned());
        assert!(roster.describes(&renamed));
        assert!(!roster.describes(&before[..1]));
        assert!(!roster.describes(&[gpu("a", 1), gpu("b", 2)]));
        assert!(!roster.describes(&[gpu("b", 1), gpu("a", 1)]));
    }
}
