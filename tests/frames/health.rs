//! The verdicts on the GPUs: what is drawn of them, and how they come and go.

use nvsdk_top::app::What;
use nvsdk_top::model::{Change, GpuSample, GpuState, Metric, Severity};
use nvsdk_top::source::Snapshot;

use crate::support::Monitor;

/// A problem of each severity, on three GPUs.
fn ailing(snapshot: &mut Snapshot) {
    let gpus = &mut snapshot.sample.gpus;
    set(&mut gpus[2], Metric::PcieLinkWidth, 8.0);
    set(&mut gpus[2], Metric::RemapPending, 1.0);
    set(&mut gpus[3], Metric::RecoveryAction, 1.0);
    set(&mut gpus[3], Metric::EccUncorrectedVolatile, 4.0);
    set(&mut gpus[6], Metric::LimitedBySwThermal, 31.0);
    set(&mut gpus[6], Metric::SlowdownMargin, 0.0);
}

fn set(gpu: &mut GpuSample, metric: Metric, value: f64) {
    gpu.values.instances_mut(metric)[0].value = Ok(value);
}

fn ids(monitor: &Monitor, gpu: usize) -> Vec<&'static str> {
    monitor.state.findings(gpu).iter().map(|finding| finding.rule.id).collect()
}

#[test]
fn verdicts_are_told_the_most_severe_first() {
    let mut monitor = Monitor::new("h100");
    monitor.disturb = ailing;
    monitor.watch(90);
    assert_eq!(ids(&monitor, 2), ["remap_pending", "pcie_width"]);
    assert_eq!(ids(&monitor, 3), ["recovery_needed", "ecc_uncorrected"]);
    assert_eq!(ids(&monitor, 6), ["too_warm"]);
    assert_eq!(monitor.state.problems(), (5, Severity::Critical));
    for (width, height) in [(40, 12), (80, 24), (120, 40), (200, 60)] {
        monitor.resize(width, height).assert_picture("ailing");
    }
    monitor.press("2 ] ]");
    for (width, height) in [(80, 24), (120, 40)] {
        monitor.resize(width, height).assert_picture("ailing_gpu");
    }
}

/// The verdicts that began or ended, the oldest first.
fn changes(monitor: &Monitor) -> Vec<&Change> {
    let entries = monitor.state.health_entries().into_iter().rev();
    let changes = entries.filter_map(|entry| match &entry.what {
        What::Verdict(change) => Some(change),
        What::Event(_) | What::Mark => None,
    });
    changes.collect()
}

#[test]
fn what_begins_and_ends_is_kept_with_its_time() {
    let mut monitor = Monitor::new("h100");
    monitor.disturb = ailing;
    monitor.watch(2);
    let texts = |monitor: &Monitor| -> Vec<(u32, Severity, String)> {
        changes(monitor)
            .into_iter()
            .map(|change| (change.gpu, change.severity(), change.text()))
            .collect()
    };
    let first = texts(&monitor);
    assert!(first.contains(&(3, Severity::Critical, "recovery needed: reset the GPU".to_owned())));
    assert!(!first.iter().any(|(_, _, text)| text.starts_with("PCIe")), "not for long enough");
    monitor.watch(5);
    assert!(texts(&monitor).contains(&(2, Severity::Warning, "PCIe x8 of x16".to_owned())));
    monitor.disturb = |_| {};
    monitor.watch(1);
    let over = (3, Severity::None, "over: recovery needed: reset the GPU".to_owned());
    assert!(texts(&monitor).contains(&over));
    assert_eq!(ids(&monitor, 3), [""; 0]);
    let times: Vec<_> = changes(&monitor).into_iter().map(|it| it.unix_us).collect();
    assert!(times.is_sorted());
}

#[test]
fn a_held_picture_keeps_its_verdicts() {
    let mut monitor = Monitor::new("h100");
    monitor.disturb = ailing;
    monitor.watch(20);
    monitor.press("p");
    monitor.disturb = |_| {};
    monitor.watch(20);
    assert_eq!(ids(&monitor, 3), ["recovery_needed", "ecc_uncorrected"]);
    monitor.press("p");
    assert_eq!(ids(&monitor, 3), [""; 0]);
}

#[test]
fn a_day_of_a_gpu_that_comes_and_goes_has_its_bound() {
    let mut monitor = Monitor::new("gb10");
    for _ in 0..600 {
        for state in [GpuState::Asleep { age_us: 0, at_least: false }, GpuState::Live] {
            monitor.disturb = match state {
                GpuState::Live => |_| {},
                _ => |snapshot| {
                    snapshot.sample.gpus[0].state = GpuState::Asleep { age_us: 0, at_least: false }
                },
            };
            monitor.watch(1);
        }
    }
    assert_eq!(changes(&monitor).len(), 1000);
}
