//! What there is to say about a GPU in a few words: why it does not answer, or what holds it back or is wrong with it.

use super::canvas::Canvas;
use crate::app::State;
use crate::model::{Finding, GpuSample, GpuState, Severity};
use crate::theme::Role;

/// The mark and the words for a GPU that does not answer as it should.
pub(super) fn trouble(canvas: &Canvas<'_>, gpu: &GpuSample) -> Option<(Role, String)> {
    let role = match gpu.state {
        GpuState::Live => return None,
        GpuState::Asleep { .. } | GpuState::LetGo { .. } => {
            return Some((Role::TextDim, gpu.state.to_string()));
        }
        GpuState::Stale { .. } => Role::Stale,
        GpuState::Stuck { .. } | GpuState::Refused { .. } => Role::Warning,
        GpuState::Lost { .. } => Role::Critical,
    };
    let mark = if role == Role::Critical { canvas.glyphs.critical } else { canvas.glyphs.warning };
    Some((role, format!("{mark} {}", gpu.state)))
}

/// The verdict on a GPU that answers: the most severe of what is found.
pub(super) fn verdict(canvas: &Canvas<'_>, state: &State, gpu: usize) -> Option<(Role, String)> {
    let mut findings = state.findings(gpu).iter();
    findings.find(|finding| !finding.rule.is_about_reach()).map(|finding| line(canvas, finding))
}

/// A finding behind its mark.
pub(super) fn line(canvas: &Canvas<'_>, finding: &Finding) -> (Role, String) {
    let severity = finding.rule.severity;
    (severity.into(), format!("{} {}", mark(canvas, severity), finding.sentence))
}

/// The shape of a severity.
pub(super) fn mark(canvas: &Canvas<'_>, severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => canvas.glyphs.critical,
        Severity::Warning => canvas.glyphs.warning,
        Severity::Info | Severity::None => canvas.glyphs.notice,
    }
}
