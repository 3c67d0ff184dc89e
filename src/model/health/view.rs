//! What a rule gets to see: a GPU at this instant, the machine around it, and the minute before.

use std::time::Duration;

use crate::model::{GpuSample, HostMetric, Metric, Sample, Unit};

/// How far rules look back.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// The mean of a metric over the last minute, or over as much of it as there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recent {
    /// The mean, in the metric's unit.
    pub mean: f64,
    /// For how long there were readings, in seconds.
    pub seconds: f64,
}

impl Recent {
    /// The length of time in words: `the last minute`, `the last 20 s`.
    pub(super) fn period(self) -> String {
        // The history is kept in steps, so that a minute of it may be a few seconds short.
        if (50.0..70.0).contains(&self.seconds) {
            "the last minute".to_owned()
        } else {
            format!("the last {}", Unit::Seconds.show(self.seconds))
        }
    }
}

/// The readings before the sample that is looked at.
pub trait Past {
    /// The last minute of a GPU's metric up to the newest sample, if there is anything of it.
    fn recent(&self, gpu: usize, metric: Metric) -> Option<Recent>;
    /// The last minute of one of the machine's numbers up to the newest sample, if there is anything of it.
    fn recent_of_host(&self, metric: HostMetric) -> Option<Recent>;
    /// What a GPU's metric was so long before the newest sample, where that is known.
    fn before(&self, gpu: usize, metric: Metric, ago: Duration) -> Option<f64>;
}

/// The past of a sample that stands alone.
#[derive(Clone, Copy, Debug)]
pub struct NoPast;

impl Past for NoPast {
    fn recent(&self, _: usize, _: Metric) -> Option<Recent> {
        None
    }

    fn recent_of_host(&self, _: HostMetric) -> Option<Recent> {
        None
    }

    fn before(&self, _: usize, _: Metric, _: Duration) -> Option<f64> {
        None
    }
}

/// A machine and its past, as all rules see it.
pub(super) struct Scene<'a> {
    pub(super) sample: &'a Sample,
    pub(super) past: &'a dyn Past,
    /// How busy each GPU was in the last minute.
    pub(super) busy: Vec<Option<Recent>>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(sample: &'a Sample, past: &'a dyn Past) -> Self {
        let gpus = 0..sample.gpus.len();
        Self { sample, past, busy: gpus.map(|gpu| past.recent(gpu, Metric::Busy)).collect() }
    }
}

/// One GPU of a scene, as one rule sees it.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) scene: &'a Scene<'a>,
    /// The GPU's position in the inventory.
    pub(super) gpu: usize,
    pub(super) now: &'a GpuSample,
    /// Whether the rule held at the sample before.
    pub(super) held: bool,
}

impl View<'_> {
    /// The value of a metric of the GPU now.
    pub(super) fn value(&self, metric: Metric) -> Option<f64> {
        self.now.values.value(metric)
    }

    /// The last minute of a metric of the GPU.
    pub(super) fn recent(&self, metric: Metric) -> Option<Recent> {
        self.scene.past.recent(self.gpu, metric)
    }

    /// What a counter of the GPU has grown by in the last minute.
    pub(super) fn growth(&self, counter: Metric) -> Option<f64> {
        let before = self.scene.past.before(self.gpu, counter, MINUTE)?;
        // A counter that began anew says nothing of the minute.
        self.value(counter).map(|now| now - before).filter(|grown| *grown >= 0.0)
    }

    /// Whether `value` is as high as it takes for the rule to begin to hold, or to go on.
    pub(super) fn is_over(&self, value: f64, edge: Edge) -> bool {
        value >= if self.held { edge.ends } else { edge.begins }
    }

    /// Whether `value` is as low as it takes for the rule to begin to hold, or to go on.
    pub(super) fn is_under(&self, value: f64, edge: Edge) -> bool {
        value <= if self.held { edge.ends } else { edge.begins }
    }
}

/// Where a rule begins to hold, and where it no longer does: a number in between changes nothing, so that a verdict
/// stays while its number moves a little.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) begins: f64,
    pub(super) ends: f64,
}

/// An [`Edge`].
pub(super) const fn edge(begins: f64, ends: f64) -> Edge {
    Edge { begins, ends }
}
