//! Rules about whether a GPU answers.

use super::view::View;
use crate::model::GpuState;

/// The words for a state, where it is the one that is asked for.
fn words(view: &View<'_>, is_state: bool) -> Option<String> {
    is_state.then(|| view.now.state.to_string())
}

pub(super) fn lost(view: &View<'_>) -> Option<String> {
    words(view, matches!(view.now.state, GpuState::Lost { .. }))
}

pub(super) fn stuck(view: &View<'_>) -> Option<String> {
    words(view, matches!(view.now.state, GpuState::Stuck { .. }))
}

pub(super) fn stale(view: &View<'_>) -> Option<String> {
    words(view, matches!(view.now.state, GpuState::Stale { .. }))
}

pub(super) fn refused(view: &View<'_>) -> Option<String> {
    words(view, matches!(view.now.state, GpuState::Refused { .. }))
}

pub(super) fn asleep(view: &View<'_>) -> Option<String> {
    words(view, matches!(view.now.state, GpuState::Asleep { .. } | GpuState::LetGo { .. }))
}
