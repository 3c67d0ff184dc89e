//! Lines of Setup's panels and texts, broken to the width that there is.

use ratatui::layout::Rect;

use crate::app::setup::{Kind, Line};
use crate::model::wrapped;
use crate::theme::Role;
use crate::ui::canvas::Canvas;
use crate::ui::layout::{row, split_left};

/// The columns of a label, and how far after it the text stands.
const LABEL: u16 = 9;
const GAP: u16 = 1;

/// A row of the screen.
struct Row {
    label: &'static str,
    is_labelled: bool,
    role: Role,
    text: String,
}

/// How a kind of line looks.
fn role(kind: Kind) -> Role {
    match kind {
        Kind::Plain => Role::Text,
        Kind::Strong => Role::TextStrong,
        Kind::Dim | Kind::Code => Role::TextDim,
        Kind::Good | Kind::New => Role::Ok,
        Kind::Notice => Role::Notice,
        Kind::Warning => Role::Warning,
        Kind::Error | Kind::Old => Role::Critical,
    }
}

/// The mark in front of a kind of line, so that it is told without colours, too.
fn mark(kind: Kind, canvas: &Canvas<'_>) -> Option<&'static str> {
    match kind {
        Kind::Good => Some(canvas.glyphs.ok),
        Kind::Notice => Some(canvas.glyphs.notice),
        Kind::Warning => Some(canvas.glyphs.warning),
        Kind::Error => Some(canvas.glyphs.critical),
        _ => None,
    }
}

fn broken(line: &Line, width: u16, canvas: &Canvas<'_>) -> Vec<Row> {
    let room = if line.label.is_some() { width.saturating_sub(LABEL + GAP) } else { width };
    let room = usize::from(room).max(1);
    let text = match mark(line.kind, canvas) {
        Some(mark) if line.label.is_none() => format!("{mark} {}", line.text),
        _ if line.text == "–" => canvas.glyphs.absent.to_owned(),
        _ => line.text.clone(),
    };
    let texts: Vec<String> = if line.kind.is_verbatim() {
        let letters: Vec<char> = text.chars().collect();
        letters.chunks(room).map(|piece| piece.iter().collect()).collect()
    } else {
        wrapped(&text, room).collect()
    };
    let texts = if texts.is_empty() { vec![String::new()] } else { texts };
    let rows = texts.into_iter().enumerate().map(|(number, text)| Row {
        label: line.label.filter(|_| number == 0).unwrap_or_default(),
        is_labelled: line.label.is_some(),
        role: role(line.kind),
        text,
    });
    rows.collect()
}

/// The rows that the lines take.
pub(super) fn count(lines: &[Line], width: u16, canvas: &Canvas<'_>) -> usize {
    lines.iter().map(|line| broken(line, width, canvas).len()).sum()
}

/// Draws the lines from row `top` on, or from further up where their end would leave room. Where something is left out
/// the last row says so.
pub(super) fn draw(lines: &[Line], top: usize, area: Rect, canvas: &mut Canvas<'_>) {
    let rows: Vec<_> = lines.iter().flat_map(|line| broken(line, area.width, canvas)).collect();
    let room = usize::from(area.height);
    let top = top.min(rows.len().saturating_sub(room));
    let left_out = rows.len().saturating_sub(top + room);
    let shown = if left_out > 0 { room.saturating_sub(1) } else { room };
    for (number, line) in (0..).zip(rows.iter().skip(top).take(shown)) {
        let place = row(area, number);
        let (label, text) = split_left(place, LABEL, GAP);
        canvas.text(label, Role::TextDim, line.label);
        canvas.text(if line.is_labelled { text } else { place }, line.role, &line.text);
    }
    if left_out > 0 {
        let text = format!("{} {} more lines", canvas.glyphs.descending, left_out + 1);
        canvas.text(row(area, area.height.saturating_sub(1)), Role::TextDim, &text);
    }
}
