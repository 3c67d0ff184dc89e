//! Rules about a GPU that has work and does little of it.

use super::view::{Edge, Recent, View, edge};
use crate::model::{HostMetric, Metric, Process, Sample, Unit, fixed};

/// Below this a GPU does next to nothing.
pub(super) const WAITING: Edge = edge(5.0, 10.0);
/// Below this a program that holds the memory of a GPU leaves half of it unused.
pub(super) const STARVED: Edge = edge(50.0, 60.0);
/// The share of the memory that only work holds; a desktop's windows hold less.
pub(super) const HELD: f64 = 20.0;
/// Processors that are this busy have nothing left for feeding a GPU.
pub(super) const SATURATED: Edge = edge(90.0, 80.0);
/// A share of time in which some task waits for input or output; a machine that reads well stays below.
pub(super) const SLOW_INPUT: Edge = edge(40.0, 30.0);
/// The peers of a GPU that is left behind are at work themselves.
pub(super) const PEERS_BUSY: f64 = 50.0;
/// What a GPU does of its peers' median, in percent: below half of it, the others wait for it or it for them.
pub(super) const BEHIND: Edge = edge(50.0, 65.0);
/// Less of the past is a pause between two steps.
pub(super) const LEAST_SECONDS: f64 = 30.0;

/// How busy the GPU was in the last minute, where there is enough of it.
fn busy(view: &View<'_>, gpu: usize) -> Option<Recent> {
    view.scene.busy.get(gpu)?.filter(|recent| recent.seconds >= LEAST_SECONDS)
}

/// The memory that work holds, in bytes.
fn held_memory(view: &View<'_>, gpu: usize) -> Option<f64> {
    let values = &view.scene.sample.gpus.get(gpu)?.values;
    let (used, total) = (values.value(Metric::MemoryUsed)?, values.value(Metric::MemoryTotal)?);
    (total > 0.0 && used / total * 100.0 >= HELD).then_some(used)
}

pub(super) fn waiting(view: &View<'_>) -> Option<String> {
    let busy = busy(view, view.gpu)?;
    let held = held_memory(view, view.gpu).filter(|_| view.is_under(busy.mean, WAITING))?;
    let held = Unit::Bytes.show(held);
    Some(format!("waiting: {} % busy, {held} held", fixed(busy.mean, 0)))
}

pub(super) fn starved(view: &View<'_>) -> Option<String> {
    let busy = busy(view, view.gpu).filter(|busy| view.is_under(busy.mean, STARVED))?;
    held_memory(view, view.gpu)?;
    let processors = view.scene.past.recent_of_host(HostMetric::Cpu);
    let processors = processors.filter(|recent| view.is_over(recent.mean, SATURATED));
    let input = view.scene.sample.host(HostMetric::PressureIoSome).ok();
    let input = input.filter(|pressure| view.is_over(*pressure, SLOW_INPUT));
    let why = match (processors, input) {
        (Some(recent), _) => format!("the CPUs are {} % busy", fixed(recent.mean, 0)),
        (None, Some(pressure)) => {
            format!("programs wait for IO {} % of the time", fixed(pressure, 0))
        }
        (None, None) => return None,
    };
    Some(format!("starved by the host: {} % busy while {why}", fixed(busy.mean, 0)))
}

pub(super) fn unbalanced(view: &View<'_>) -> Option<String> {
    let own = busy(view, view.gpu)?.mean;
    // Nearly always nobody is far enough ahead, and then it need not be known who the peers are.
    let best = view.scene.busy.iter().flatten().map(|recent| recent.mean).fold(0.0, f64::max);
    if best < PEERS_BUSY || !view.is_under(own / best * 100.0, BEHIND) {
        return None;
    }
    let gpus = 0..view.scene.sample.gpus.len();
    let peers = gpus.filter(|gpu| *gpu != view.gpu && is_peer(view.scene.sample, view.gpu, *gpu));
    let mut peers: Vec<_> = peers.filter_map(|gpu| Some(busy(view, gpu)?.mean)).collect();
    peers.sort_by(f64::total_cmp);
    let median = *peers.get(peers.len() / 2)?;
    let is_behind = median >= PEERS_BUSY && view.is_under(own / median * 100.0, BEHIND);
    is_behind.then(|| {
        let (own, median) = (fixed(own, 0), fixed(median, 0));
        format!("behind its peers: {own} % busy, they {median} %")
    })
}

/// Whether two GPUs work at the same job: they have a process in common, or processes of one user with one command.
fn is_peer(sample: &Sample, one: usize, other: usize) -> bool {
    let of = |gpu| sample.processes.iter().filter(move |process| process.gpu == gpu);
    of(one).any(|process| of(other).any(|peer| is_same_job(process, peer)))
}

fn is_same_job(one: &Process, other: &Process) -> bool {
    let computes = |process: &Process| process.kinds.compute || process.kinds.mps;
    let who = (one.identity.as_deref(), other.identity.as_deref());
    let is_same = one.pid == other.pid
        || matches!(who, (Ok(one), Ok(other)) if one.user_id == other.user_id && one.command == other.command);
    computes(one) && computes(other) && is_same
}
