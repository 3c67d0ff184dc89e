//! Rules about memory that runs out.

use super::view::{Edge, MINUTE, View, edge};
use crate::model::{Metric, Unit, fixed};

/// Programs that take all memory beforehand leave some 5 to 10 %; with less than this the next allocation may fail.
pub(super) const LITTLE_FREE: Edge = edge(5.0, 7.0);
/// Minutes until the memory is full: somebody who is told can still do something.
pub(super) const SOON_FULL: Edge = edge(15.0, 20.0);

/// What a program could still take and what there is, in bytes.
fn free(view: &View<'_>) -> Option<(f64, f64)> {
    let total = view.value(Metric::MemoryTotal).filter(|total| *total > 0.0)?;
    let unused = || Some(total - view.value(Metric::MemoryUsed)?);
    Some((view.value(Metric::MemoryFree).or_else(unused)?, total))
}

pub(super) fn nearly_full(view: &View<'_>) -> Option<String> {
    let (free, total) = free(view)?;
    let percent = free / total * 100.0;
    view.is_under(percent, LITTLE_FREE).then(|| {
        let used = fixed(100.0 - percent, 0);
        format!("memory {used} % full, {} free", Unit::Bytes.show(free))
    })
}

pub(super) fn soon_full(view: &View<'_>) -> Option<String> {
    let before = |ago| view.scene.past.before(view.gpu, Metric::MemoryUsed, ago);
    let now = view.value(Metric::MemoryUsed)?;
    // What is filled at the start of a job does not grow for two minutes; the slower of them is what goes on.
    let (middle, start) = (before(MINUTE)?, before(MINUTE * 2)?);
    let per_second = (now - middle).min(middle - start) / MINUTE.as_secs_f64();
    if per_second <= 0.0 {
        return None;
    }
    let (free, _) = free(view)?;
    let minutes = free / per_second / 60.0;
    view.is_under(minutes, SOON_FULL).then(|| {
        let (rate, minutes) = (Unit::BytesPerSecond.show(per_second), fixed(minutes.ceil(), 0));
        format!("memory grows by {rate}: full in {minutes} min")
    })
}
