//! The rules at, below and above their thresholds, and the table as a whole.

mod load;
mod over_time;
mod parts;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::{Finding, Past, RULES, Recent, findings};
use crate::model::{
    Absent, Events, GpuSample, GpuState, HostMetric, Instances, Layout, Metric, Process,
    ProcessKinds, ProcessMetric, Sample, Severity, Values,
};

const GIB: f64 = 1_073_741_824.0;

/// A machine and what is known of its past.
#[derive(Clone)]
struct Case {
    sample: Sample,
    recent: HashMap<(usize, Metric), Recent>,
    host: HashMap<HostMetric, Recent>,
    before: HashMap<(Metric, u64), f64>,
}

impl Past for Case {
    fn recent(&self, gpu: usize, metric: Metric) -> Option<Recent> {
        self.recent.get(&(gpu, metric)).copied()
    }

    fn recent_of_host(&self, metric: HostMetric) -> Option<Recent> {
        self.host.get(&metric).copied()
    }

    fn before(&self, gpu: usize, metric: Metric, ago: Duration) -> Option<f64> {
        self.before.get(&(metric, ago.as_secs())).copied().filter(|_| gpu == 0)
    }
}

impl Case {
    /// So many GPUs of which nothing is known.
    fn of(gpus: usize) -> Self {
        let layout = Layout::new(Instances::default());
        let values = Values::absent(layout, Absent::NotSupported, 0);
        let sample = Sample {
            events: Events::default(),
            generation: 1,
            unix_us: 1_700_000_000_000_000,
            monotonic_us: 0,
            gpus: vec![GpuSample { state: GpuState::Live, values }; gpus],
            processes: Vec::new(),
            host: [Err(Absent::NotFound); HostMetric::COUNT],
            errors: Vec::new(),
        };
        Self { sample, recent: HashMap::new(), host: HashMap::new(), before: HashMap::new() }
    }

    /// One GPU of which these values are known.
    fn with(values: &[(Metric, f64)]) -> Self {
        values.iter().fold(Self::of(1), |case, (metric, value)| case.now(*metric, *value))
    }

    fn now(self, metric: Metric, value: f64) -> Self {
        self.now_of(0, metric, value)
    }

    fn now_of(mut self, gpu: usize, metric: Metric, value: f64) -> Self {
        self.sample.gpus[gpu].values.instances_mut(metric)[0].value = Ok(value);
        self
    }

    fn minute(self, metric: Metric, mean: f64) -> Self {
        self.seconds(0, metric, mean, 60.0)
    }

    fn seconds(mut self, gpu: usize, metric: Metric, mean: f64, seconds: f64) -> Self {
        self.recent.insert((gpu, metric), Recent { mean, seconds });
        self
    }

    fn host_minute(mut self, metric: HostMetric, mean: f64) -> Self {
        self.host.insert(metric, Recent { mean, seconds: 60.0 });
        self
    }

    fn host_now(mut self, metric: HostMetric, value: f64) -> Self {
        self.sample.host[metric as usize] = Ok(value);
        self
    }

    fn before(mut self, metric: Metric, seconds: u64, value: f64) -> Self {
        self.before.insert((metric, seconds), value);
        self
    }

    fn state(mut self, state: GpuState) -> Self {
        self.sample.gpus[0].state = state;
        self
    }

    fn process(mut self, gpu: usize, pid: u32) -> Self {
        self.sample.processes.push(Process {
            pid,
            gpu,
            kinds: ProcessKinds { compute: true, ..ProcessKinds::default() },
            gpu_instance: None,
            compute_instance: None,
            values: [Err(Absent::NotSupported); ProcessMetric::COUNT],
            identity: Err(Absent::NotFound),
        });
        self
    }

    fn findings(&self) -> Vec<Finding> {
        findings(&self.sample, self).swap_remove(0)
    }

    /// The ids of what is found for the first GPU.
    fn ids(&self) -> Vec<&'static str> {
        self.findings().iter().map(|finding| finding.rule.id).collect()
    }

    /// What the rule with this id says of the first GPU.
    fn says(&self, id: &str) -> Option<String> {
        assert!(RULES.iter().any(|rule| rule.id == id), "{id}");
        self.findings().into_iter().find(|found| found.rule.id == id).map(|found| found.sentence)
    }
}

/// Whether a rule holds for each of several values.
fn holds<const N: usize>(id: &str, values: [f64; N], case: impl Fn(f64) -> Case) -> [bool; N] {
    values.map(|value| case(value).says(id).is_some())
}

#[test]
fn every_rule_is_whole() {
    let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len(), "ids are unique");
    assert!(RULES.is_sorted_by_key(|rule| std::cmp::Reverse(rule.severity)), "severest first");
    for (number, rule) in RULES.iter().enumerate() {
        assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", rule.id);
        assert!(rule.severity > Severity::None, "{}", rule.id);
        let is_plain =
            |c: char| c.is_lowercase() || c.is_numeric() || rule.when.starts_with("PCIe");
        let starts_well = rule.when.starts_with(is_plain)
            || ["ECC", "NVLink", "PCIe"].iter().any(|name| rule.when.starts_with(name));
        assert!(starts_well && !rule.when.ends_with('.'), "{}", rule.id);
        assert!(
            rule.advice.ends_with('.') && rule.advice.starts_with(char::is_uppercase),
            "{}",
            rule.id
        );
        for id in rule.unless {
            let place = RULES.iter().position(|other| other.id == *id);
            assert!(place.is_some_and(|place| place < number), "{id} is looked at before");
        }
    }
}

#[test]
fn sentences_stand_behind_the_name_of_the_gpu() {
    let case = everything();
    let found = case.findings();
    assert!(found.len() > 10, "{:?}", case.ids());
    for Finding { rule, sentence } in found {
        assert!(!sentence.is_empty() && !sentence.ends_with(['.', ' ']), "{}: {sentence}", rule.id);
        assert!(!sentence.contains("  ") && !sentence.contains("NaN"), "{}: {sentence}", rule.id);
    }
}

/// A GPU that has nearly every trouble.
fn everything() -> Case {
    let now = [
        (Metric::RecoveryAction, 1.0),
        (Metric::RemapFailure, 1.0),
        (Metric::RemapPending, 1.0),
        (Metric::RetiredPagesPending, 1.0),
        (Metric::EccUncorrectedVolatile, 2.0),
        (Metric::EccCorrectedVolatile, 50.0),
        (Metric::PcieReplays, 50.0),
        (Metric::NvLinkRecoveries, 5.0),
        (Metric::ClockEventReasons, f64::from(0x4 | 0x8 | 0x20)),
        (Metric::SlowdownMargin, 0.0),
        (Metric::PcieLinkWidth, 8.0),
        (Metric::PcieLinkWidthMaximum, 16.0),
        (Metric::PcieLinkGeneration, 1.0),
        (Metric::PcieLinkGenerationMaximum, 5.0),
        (Metric::Busy, 100.0),
        (Metric::MemoryTotal, 80.0 * GIB),
        (Metric::MemoryUsed, 79.0 * GIB),
        (Metric::MemoryFree, GIB),
    ];
    Case::with(&now)
        .before(Metric::EccCorrectedVolatile, 60, 0.0)
        .before(Metric::PcieReplays, 60, 0.0)
        .before(Metric::NvLinkRecoveries, 60, 0.0)
        .before(Metric::MemoryUsed, 60, 78.0 * GIB)
        .before(Metric::MemoryUsed, 120, 77.0 * GIB)
}

#[test]
fn what_is_not_known_is_nothing_to_tell() {
    assert_eq!(Case::of(1).ids(), [""; 0]);
    assert_eq!(Case::of(3).findings(), []);
}

#[test]
fn a_state_is_told_in_its_own_words() {
    let stuck = GpuState::Stuck { age_us: 12_000_000, call: "nvmlDeviceGetName".into() };
    for (id, state) in [
        ("lost", GpuState::Lost { age_us: 0 }),
        ("stuck", stuck),
        ("stale", GpuState::Stale { age_us: 0, call: None }),
        ("refused", GpuState::Refused { why: Absent::NoPermission }),
        ("asleep", GpuState::Asleep { age_us: 0, at_least: false }),
    ] {
        let case = Case::of(1).state(state.clone());
        assert_eq!(case.ids(), [id]);
        assert_eq!(case.says(id), Some(state.to_string()));
    }
}
