//! What of a sample is wanted.

use std::cmp::Ordering;
use std::str::FromStr;

use crate::model::{
    HostMetric, Instances, Kind, Layout, Metric, MetricSet, ProcessMetric, TableMetric,
};

/// Which parts of a sample are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// These numbers of each GPU.
    pub metrics: MetricSet,
    /// The processes on the GPUs.
    pub processes: bool,
    /// The machine's own numbers.
    pub host: bool,
    /// What the samples cost.
    pub cost: bool,
}

impl Selection {
    /// Nothing but who the GPUs are.
    pub const NONE: Self =
        Self { metrics: MetricSet::NONE, processes: false, host: false, cost: false };

    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self { metrics: MetricSet::all(), processes: true, host: true, cost: true }
    }

    /// What has to be read for it: a rate needs its counter.
    #[must_use]
    pub fn needed(&self) -> MetricSet {
        self.counters().fold(self.metrics, MetricSet::with)
    }

    /// What has to be read twice for it.
    #[must_use]
    pub fn needed_twice(&self) -> Self {
        Self {
            metrics: self.counters().chain(self.means()).collect(),
            processes: self.processes && any_needs_two::<ProcessMetric>(),
            host: self.host && any_needs_two::<HostMetric>(),
            cost: false,
        }
    }

    /// What the producer itself needs two readings for.
    fn means(&self) -> impl Iterator<Item = Metric> {
        let is_mean = |metric: &&Metric| metric.spec().kind == Kind::Interval;
        let selected = |metric: &&Metric| self.metrics.contains(**metric);
        Metric::ALL.iter().filter(selected).filter(is_mean).copied()
    }

    /// Whether enough is read for the health rules: what was not looked at is not well for that.
    #[must_use]
    pub fn tells_health(&self) -> bool {
        self.metrics == MetricSet::all()
    }

    fn counters(&self) -> impl Iterator<Item = Metric> {
        let selected = Metric::ALL.iter().filter(|metric| self.metrics.contains(**metric));
        selected.filter_map(|metric| metric.spec().kind.counter())
    }
}

fn any_needs_two<M: TableMetric>() -> bool {
    M::ALL.iter().any(|metric| metric.spec().kind.needs_two_readings())
}

/// A name that selects nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is neither a part (gpus, processes, host, cost) nor a number of a GPU; {}", match near.as_slice() {
    [] => "`nvsdk-top metrics` lists those".to_owned(),
    near => format!("similar: {}", near.join(", ")),
})]
pub struct UnknownName {
    name: String,
    near: Vec<String>,
}

/// The parts beside the single metrics.
const PARTS: [&str; 4] = ["gpus", "processes", "host", "cost"];

impl FromStr for Selection {
    type Err = UnknownName;

    /// Reads names with commas between them: metrics of a GPU, `gpus` for all of those, `processes`, `host`,
    /// `cost`.
    fn from_str(list: &str) -> Result<Self, UnknownName> {
        let mut selection = Self::NONE;
        for name in list.split(',').map(str::trim) {
            match name {
                "gpus" => selection.metrics = MetricSet::all(),
                "processes" => selection.processes = true,
                "host" => selection.host = true,
                "cost" => selection.cost = true,
                _ => {
                    let metric = metric(name).ok_or_else(|| UnknownName::new(name))?;
                    selection.metrics = selection.metrics.with(metric);
                }
            }
        }
        Ok(selection)
    }
}

/// The metric of this name; a fan's key stands for all fans.
fn metric(name: &str) -> Option<Metric> {
    let by_name = Metric::ALL.iter().copied().find(|metric| select_name(*metric) == name);
    let by_key = || Layout::new(Instances::MOST).slots().find(|slot| slot.key() == name);
    by_name.or_else(|| by_key().map(|slot| slot.metric))
}

/// What selects a metric: its id; all fans go by one name.
fn select_name(metric: Metric) -> String {
    metric.spec().id.replace("{}_", "")
}

impl UnknownName {
    fn new(name: &str) -> Self {
        let wanted = name.to_lowercase();
        let likeness = |known: &str| strsim::jaro_winkler(&wanted, known);
        let names = PARTS.map(str::to_owned).into_iter();
        let mut near: Vec<_> = names
            .chain(Metric::ALL.iter().map(|metric| select_name(*metric)))
            .filter(|known| {
                likeness(known) > 0.8
                    || (wanted.len() > 2 && known.contains(&wanted))
                    || holds(known, &wanted)
            })
            .collect();
        near.sort_by(|a, b| {
            let rank = |known: &str| (holds(known, &wanted), likeness(known));
            rank(b).partial_cmp(&rank(a)).unwrap_or(Ordering::Equal)
        });
        near.truncate(4);
        Self { name: name.to_owned(), near }
    }
}

/// Whether the number is one of this part, which is only selected as a whole.
fn holds(part: &str, number: &str) -> bool {
    match part {
        "processes" => ProcessMetric::ALL.iter().any(|metric| metric.spec().id == number),
        "host" => HostMetric::ALL.iter().any(|metric| metric.spec().id == number),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Selection, select_name};
    use crate::model::{Metric, MetricSet};

    #[test]
    fn every_metric_can_be_selected() {
        for &metric in Metric::ALL {
            let selection: Selection = select_name(metric).parse().unwrap();
            assert_eq!(selection.metrics, MetricSet::NONE.with(metric));
        }
        let fans = MetricSet::NONE.with(Metric::Fan);
        assert_eq!("fan_percent".parse::<Selection>().unwrap().metrics, fans);
        assert_eq!("fan_1_percent".parse::<Selection>().unwrap().metrics, fans);
        let whole: Selection = "gpus, processes,host, cost".parse().unwrap();
        assert_eq!(whole, Selection::all());
    }

    #[test]
    fn a_wrong_name_brings_the_similar_ones() {
        let message = |list: &str| list.parse::<Selection>().unwrap_err().to_string();
        assert!(message("busy_percent,power_drw_watts").contains("power_draw_watts"));
        assert!(message("temperature").contains("temperature_celsius"));
        let cpu = message("cpu_percent");
        let (_, near) = cpu.split_once("similar: ").unwrap();
        assert!(near.contains("processes") && near.contains("host"), "{cpu}");
        assert!(message("run_time_seconds").contains("similar: processes"));
        assert!(message("GPUs").contains("similar: gpus"));
        assert!(message("process").contains("processes"));
        assert!(message("xyzzy").contains("`nvsdk-top metrics`"));
        assert!(message("state").contains("number of a GPU"));
        assert!(
            message("\u{1b}[2J").starts_with("\"\\u{1b}[2J\""),
            "nothing reaches the terminal raw"
        );
        assert!("".parse::<Selection>().is_err());
    }

    #[test]
    fn a_rate_reads_its_counter_and_twice() {
        let rate: Selection = "power_average_watts".parse().unwrap();
        assert!(rate.needed().contains(Metric::Energy));
        assert_eq!(rate.needed_twice().metrics, MetricSet::NONE.with(Metric::Energy));
        let mean: Selection = "sm_active_percent".parse().unwrap();
        assert_eq!(mean.needed_twice().metrics, MetricSet::NONE.with(Metric::SmActive));
        let level: Selection = "power_draw_watts".parse().unwrap();
        assert_eq!(level.needed_twice(), Selection::NONE);
        assert!("host".parse::<Selection>().unwrap().needed_twice().host);
    }
}
