//! Rules about a GPU that makes errors, or that says itself what it needs.

use super::view::{Edge, View, edge};
use crate::model::{Metric, Unit, fixed};

/// Errors that ECC corrects in a minute: a stray one is nothing, and a cell that fails is hit again and again.
pub(super) const MANY_CORRECTED: Edge = edge(10.0, 1.0);

/// The words, where a flag is on.
fn flag(view: &View<'_>, metric: Metric, words: &str) -> Option<String> {
    view.value(metric).filter(|value| *value > 0.0).map(|_| words.to_owned())
}

pub(super) fn recovery(view: &View<'_>) -> Option<String> {
    let action = view.value(Metric::RecoveryAction).filter(|action| *action > 0.0)?;
    Some(format!("recovery needed: {}", Unit::RecoveryAction.show(action)))
}

pub(super) fn remap_failure(view: &View<'_>) -> Option<String> {
    flag(view, Metric::RemapFailure, "remap failed: a memory row could not be replaced")
}

pub(super) fn remap_pending(view: &View<'_>) -> Option<String> {
    flag(view, Metric::RemapPending, "remap pending: a memory row waits for a reset")
}

pub(super) fn retirement_pending(view: &View<'_>) -> Option<String> {
    flag(view, Metric::RetiredPagesPending, "page retirement pending: it waits for a reboot")
}

pub(super) fn uncorrected(view: &View<'_>) -> Option<String> {
    let errors = view.value(Metric::EccUncorrectedVolatile).filter(|errors| *errors > 0.0)?;
    let words = if errors > 1.0 { "memory errors" } else { "memory error" };
    Some(format!("{} {words} that ECC could not correct", fixed(errors, 0)))
}

pub(super) fn corrected(view: &View<'_>) -> Option<String> {
    let grown = view.growth(Metric::EccCorrectedVolatile)?;
    view.is_over(grown, MANY_CORRECTED)
        .then(|| format!("ECC corrected {} memory errors in the last minute", fixed(grown, 0)))
}
