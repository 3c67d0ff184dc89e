//! Work and memory at, below and above their thresholds.

use super::{Case, GIB, holds};
use crate::model::{HostMetric, Metric};

/// A GPU with memory held that was so busy in the last minute.
fn at_work(busy: f64) -> Case {
    let memory = [(Metric::MemoryTotal, 80.0 * GIB), (Metric::MemoryUsed, 31.4 * GIB)];
    Case::with(&memory).minute(Metric::Busy, busy)
}

#[test]
fn a_gpu_whose_memory_is_held_for_nothing_waits() {
    assert_eq!(holds("waiting", [0.0, 5.0, 5.1], at_work), [true, true, false]);
    assert_eq!(at_work(4.2).says("waiting").unwrap(), "waiting: 4 % busy, 31.4 GiB held");
    let held = |gib: f64| at_work(0.0).now(Metric::MemoryUsed, gib * GIB);
    assert_eq!(holds("waiting", [15.9, 16.0], held), [false, true]);
    let known_for = |seconds| at_work(0.0).seconds(0, Metric::Busy, 0.0, seconds);
    assert_eq!(holds("waiting", [29.0, 30.0], known_for), [false, true]);
}

#[test]
fn a_host_that_has_nothing_left_starves_its_gpus() {
    let saturated = |cpu| at_work(30.0).host_minute(HostMetric::Cpu, cpu);
    assert_eq!(holds("starved_by_host", [89.0, 90.0], saturated), [false, true]);
    assert_eq!(
        saturated(97.0).says("starved_by_host").unwrap(),
        "starved by the host: 30 % busy while the CPUs are 97 % busy"
    );
    let input = |share| at_work(30.0).host_now(HostMetric::PressureIoSome, share);
    assert_eq!(holds("starved_by_host", [39.0, 40.0], input), [false, true]);
    let busy = |busy| at_work(busy).host_minute(HostMetric::Cpu, 99.0);
    assert_eq!(holds("starved_by_host", [50.0, 50.1], busy), [true, false]);
    assert_eq!(busy(1.0).ids(), ["starved_by_host"], "it says why the GPU waits");
    let empty = busy(1.0).now(Metric::MemoryUsed, 0.0);
    assert_eq!(empty.ids(), [""; 0], "nobody is on it");
}

#[test]
fn a_gpu_is_held_against_those_that_run_the_same_job() {
    let job = |own| {
        let others = (1..4).fold(Case::of(5), |case, gpu| {
            case.seconds(gpu, Metric::Busy, 90.0 + gpu as f64, 60.0).process(gpu, 7)
        });
        others.process(0, 7).minute(Metric::Busy, own)
    };
    assert_eq!(holds("behind_its_peers", [0.0, 46.0, 46.1], job), [true, true, false]);
    assert_eq!(
        job(34.0).says("behind_its_peers").unwrap(),
        "behind its peers: 34 % busy, they 92 %"
    );
    let mut stranger = job(34.0);
    stranger.sample.processes.last_mut().unwrap().pid = 8;
    assert_eq!(stranger.says("behind_its_peers"), None, "another job");
    let lazy = (1..4).fold(job(2.0), |case, gpu| case.seconds(gpu, Metric::Busy, 49.0, 60.0));
    assert_eq!(lazy.says("behind_its_peers"), None, "nobody works");
}

#[test]
fn little_free_memory_is_told() {
    let case = |free: f64| Case::with(&[(Metric::MemoryTotal, 100.0), (Metric::MemoryFree, free)]);
    assert_eq!(holds("memory_nearly_full", [5.1, 5.0, 0.0], case), [false, true, true]);
    let used = |used| Case::with(&[(Metric::MemoryTotal, 100.0), (Metric::MemoryUsed, used)]);
    assert_eq!(holds("memory_nearly_full", [94.9, 95.0], used), [false, true]);
    assert_eq!(used(97.0).says("memory_nearly_full").unwrap(), "memory 97 % full, 3 B free");
}

#[test]
fn memory_that_grows_is_told_before_it_is_full() {
    let case = |grown: f64| {
        Case::with(&[(Metric::MemoryTotal, 80.0 * GIB), (Metric::MemoryUsed, 50.0 * GIB)])
            .before(Metric::MemoryUsed, 60, (50.0 - grown) * GIB)
            .before(Metric::MemoryUsed, 120, (50.0 - 2.0 * grown) * GIB)
    };
    assert_eq!(holds("memory_soon_full", [-2.0, 0.0, 1.9, 2.0], case), [false, false, false, true]);
    assert_eq!(
        case(3.0).says("memory_soon_full").unwrap(),
        "memory grows by 51.2 MiB/s: full in 10 min"
    );
    let filled_at_once = case(3.0).before(Metric::MemoryUsed, 120, 47.0 * GIB);
    assert_eq!(filled_at_once.says("memory_soon_full"), None);
}
