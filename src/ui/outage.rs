//! What is shown where there is no driver: what was looked for, what was found, and what to do.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::layout::{centered, row};
use crate::app::Outage;
use crate::model::wrapped;
use crate::theme::Role;

/// Longer lines are hard to read.
const WIDTH: u16 = 100;

/// Draws what is waited for into the middle of `body`.
pub(super) fn opening(sentence: &str, body: Rect, canvas: &mut Canvas<'_>) {
    let width = body.width.min(WIDTH).saturating_sub(2);
    let lines = wrapped(sentence, usize::from(width).max(1)).count();
    let rows = u16::try_from(lines).unwrap_or(u16::MAX);
    let place = centered(body, body.width, rows);
    canvas.paragraph(Rect { x: place.x + 1, width, ..place }, Role::TextDim, sentence);
}

/// Draws the outage over `body`.
pub(super) fn draw(outage: &Outage, body: Rect, canvas: &mut Canvas<'_>) {
    let width = usize::from(body.width.min(WIDTH).saturating_sub(4)).max(1);
    let message = wrapped(&outage.message, width).map(|line| (Role::Warning, line));
    let hint = "It is looked for again every second.";
    let hint = wrapped(hint, width).map(|line| (Role::Text, line));
    let gap = std::iter::once((Role::Text, String::new()));
    let findings = outage.findings.iter().flat_map(|finding| wrapped(finding, width));
    let findings = findings.map(|line| (Role::TextDim, line));
    let lines = message.chain(gap.clone()).chain(hint).chain(gap).chain(findings);
    let mut lines: Vec<_> = lines.collect();
    // Where not all fits, words go before air, and what is least needed stands last.
    if lines.len() + 2 > usize::from(body.height) {
        lines.retain(|(_, line)| !line.is_empty());
    }
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = centered(body, WIDTH, rows.saturating_add(2));
    let inside = canvas.frame(place, Role::Border, "No GPUs to show");
    for (number, (role, line)) in (0..inside.height).zip(lines) {
        let place = row(inside, number);
        canvas.text(
            Rect { x: place.x + 1, width: place.width.saturating_sub(1), ..place },
            role,
            &line,
        );
    }
}
