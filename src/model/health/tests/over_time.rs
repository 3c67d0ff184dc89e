//! What is told over time: when it begins and ends, and what stays while a GPU is silent.

use super::Case;
use crate::model::{Absent, Change, Gpu, GpuState, Host, Inventory, Metric, Origin, Watch};

fn inventory(uuids: &[&str]) -> Inventory {
    let gpu = |uuid: &&str| Gpu {
        uuid: if uuid.is_empty() { Err(Absent::NotReadYet) } else { Ok((*uuid).to_owned()) },
        ..Gpu::unknown(0, Absent::NotReadYet)
    };
    Inventory {
        generation: 1,
        origin: Origin::Nvml,
        host: Host { name: "machine".to_owned(), kernel: Err(Absent::NotFound) },
        driver: crate::model::Driver {
            version: Err(Absent::NotFound),
            nvml_version: Err(Absent::NotFound),
            cuda_version: Err(Absent::NotFound),
            kernel_module: Err(Absent::NotFound),
            library: Err(Absent::NotFound),
            confidential_compute: Err(Absent::NotReadYet),
        },
        topology: Vec::new(),
        gpus: uuids.iter().map(gpu).collect(),
    }
}

/// A watch and how it is looked through, second by second.
struct Seconds {
    watch: Watch,
    inventory: Inventory,
    second: u64,
}

impl Seconds {
    fn new() -> Self {
        Self { watch: Watch::default(), inventory: inventory(&["a"]), second: 0 }
    }

    /// Looks at a case a second later, and returns what changed: `+` and the id of what began, `-` of what ended.
    fn look(&mut self, case: &Case) -> String {
        self.second += 1;
        let mut sample = case.sample.clone();
        sample.monotonic_us = self.second * 1_000_000;
        let changes = self.watch.look(&self.inventory, &sample, case);
        let word = |change: &Change| {
            format!("{}{}", if change.began { '+' } else { '-' }, change.finding.rule.id)
        };
        changes.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn looks(&mut self, cases: &[&Case]) -> Vec<String> {
        cases.iter().map(|case| self.look(case)).collect()
    }

    fn told(&self, gpu: usize) -> Vec<&'static str> {
        self.watch.findings(gpu).iter().map(|finding| finding.rule.id).collect()
    }
}

fn narrow() -> Case {
    Case::with(&[(Metric::PcieLinkWidth, 8.0), (Metric::PcieLinkWidthMaximum, 16.0)])
}

#[test]
fn what_lasts_for_a_moment_is_not_told() {
    let (mut seconds, narrow, wide) = (Seconds::new(), narrow(), Case::of(1));
    let moment = seconds.looks(&[&narrow, &narrow, &narrow, &narrow, &narrow, &wide, &narrow]);
    assert_eq!(moment, [""; 7]);
    let lasting = seconds.looks(&[&narrow, &narrow, &narrow, &narrow, &narrow, &narrow]);
    assert_eq!(lasting, ["", "", "", "", "+pcie_width", ""]);
    let gone = seconds.looks(&[&wide, &wide, &narrow, &wide, &wide, &wide, &wide, &wide]);
    assert_eq!(gone, [""; 8], "it came back in between");
    assert_eq!(seconds.told(0), ["pcie_width"]);
    assert_eq!(seconds.look(&wide), "-pcie_width");
    assert_eq!(seconds.told(0), [""; 0]);
}

#[test]
fn a_number_that_moves_about_its_threshold_changes_nothing() {
    let mut seconds = Seconds::new();
    let free = |free| Case::with(&[(Metric::MemoryTotal, 100.0), (Metric::MemoryFree, free)]);
    let numbers =
        [5.5, 5.0, 6.9, 4.0, 6.5, 7.1, 6.0, 5.0].map(|number| seconds.look(&free(number)));
    let (full, not) = ("+memory_nearly_full", "-memory_nearly_full");
    assert_eq!(numbers, ["", full, "", "", "", not, "", full]);
}

#[test]
fn a_silent_gpu_keeps_what_was_told_of_it() {
    let mut seconds = Seconds::new();
    let pending = Case::with(&[(Metric::RemapPending, 1.0)]);
    let lost = Case::of(1).state(GpuState::Lost { age_us: 0 });
    assert_eq!(seconds.look(&pending), "+remap_pending");
    assert_eq!(seconds.look(&lost), "+lost");
    assert_eq!(seconds.told(0), ["lost"]);
    assert_eq!(seconds.look(&lost), "");
    assert_eq!(seconds.look(&pending), "-lost");
    assert_eq!(seconds.told(0), ["remap_pending"]);
    assert_eq!(seconds.look(&lost), "+lost");
    assert_eq!(seconds.look(&Case::of(1)), "-lost -remap_pending", "what it was is known");
}

#[test]
fn verdicts_follow_the_gpu_to_its_new_place() {
    let mut seconds = Seconds::new();
    let pending = Case::with(&[(Metric::RemapPending, 1.0)]);
    seconds.look(&pending);
    seconds.inventory = Inventory { generation: 2, ..inventory(&["b", "a"]) };
    let both = Case::of(2).now_of(1, Metric::RemapPending, 1.0);
    assert_eq!(seconds.look(&both), "");
    assert_eq!((seconds.told(0), seconds.told(1)), (vec![], vec!["remap_pending"]));
    seconds.inventory = Inventory { generation: 3, ..inventory(&["b", ""]) };
    assert_eq!(seconds.look(&both), "", "its UUID is not known for now");
    seconds.inventory = Inventory { generation: 4, ..inventory(&["b", "c"]) };
    assert_eq!(seconds.look(&both), "+remap_pending", "another GPU");
}

#[test]
fn a_clock_that_begins_anew_ends_nothing() {
    let (mut seconds, narrow) = (Seconds::new(), narrow());
    seconds.second = 1000;
    seconds.looks(&[&narrow, &narrow, &narrow, &narrow, &narrow, &narrow]);
    assert_eq!(seconds.told(0), ["pcie_width"]);
    seconds.second = 0;
    let wide = Case::of(1);
    assert_eq!(seconds.looks(&[&narrow, &wide]), ["", ""]);
    assert_eq!(seconds.told(0), ["pcie_width"]);
}
