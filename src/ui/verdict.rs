//! What there is to say about a GPU in a few words: why it does not answer, or what holds it back.

use super::canvas::Canvas;
use crate::model::{
    ClockEvent, GpuSample, GpuState, Metric, Severity, clock_event_mask, clock_events,
};
use crate::theme::Role;

/// The mark and the words for a GPU that does not answer as it should.
pub(super) fn trouble(canvas: &Canvas<'_>, gpu: &GpuSample) -> Option<(Role, String)> {
    let role = match gpu.state {
        GpuState::Live => return None,
        GpuState::Asleep => return Some((Role::TextDim, gpu.state.to_string())),
        GpuState::Stale { .. } => Role::Stale,
        GpuState::Stuck { .. } | GpuState::Refused { .. } => Role::Warning,
        GpuState::Lost { .. } => Role::Critical,
    };
    let mark = if role == Role::Critical { canvas.glyphs.critical } else { canvas.glyphs.warning };
    Some((role, format!("{mark} {}", gpu.state)))
}

/// The verdict on a GPU that answers: what limits it, if anything does.
pub(super) fn verdict(canvas: &Canvas<'_>, gpu: &GpuSample) -> Option<(Role, String)> {
    let event = limit(gpu)?;
    let mark = if event.severity == Severity::Critical {
        canvas.glyphs.critical
    } else {
        canvas.glyphs.warning
    };
    Some((event.severity.into(), format!("{mark} {}", event.text)))
}

/// What holds the GPU's clocks back most, if it is more than a setting.
fn limit(gpu: &GpuSample) -> Option<&'static ClockEvent> {
    let mask = clock_event_mask(gpu.values.value(Metric::ClockEventReasons)?);
    let set = clock_events(mask).filter_map(|(_, event)| event);
    set.filter(|event| event.severity >= Severity::Warning).max_by_key(|event| event.severity)
}
