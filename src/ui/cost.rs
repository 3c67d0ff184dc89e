//! The page that tells what the samples cost.

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::{centered, row, split_left};
use super::number::shown_part;
use crate::app::{COST_WIDTH, CostLine, Hit, State};
use crate::theme::Role;

/// The width of each column but the first.
const COLUMNS: [u16; 4] = [9, 10, 10, 11];

/// Draws the page over `body`, from line `top` on.
pub(super) fn draw(
    state: &State,
    top: usize,
    body: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    hits.add(body, Hit::Help);
    let lines = state.cost_lines();
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = centered(body, COST_WIDTH, rows.saturating_add(2));
    let room = usize::from(place.height.saturating_sub(2));
    let top = top.min(lines.len().saturating_sub(room));
    canvas.clear(place, Role::Popup);
    let title = match shown_part(top, room, lines.len()) {
        Some(part) => format!("Own cost {} {part}", state.glyphs.separator),
        None => "Own cost".to_owned(),
    };
    let inside = canvas.frame(place, Role::PopupBorder, &title);
    for (number, line) in (0..).zip(lines.iter().skip(top).take(room)) {
        let place = row(inside, number);
        match line {
            CostLine::Text(text) => {
                canvas.text(place, Role::Text, text);
            }
            CostLine::Heads(heads) => columns(place, Role::Title, *heads, canvas),
            CostLine::Function(cells) => {
                let cells = cells.each_ref().map(String::as_str);
                columns(place, Role::Text, cells, canvas);
            }
        }
    }
}

/// Draws the first cell from the left, and the others in columns at the right.
fn columns(place: Rect, role: Role, cells: [&str; 5], canvas: &mut Canvas<'_>) {
    let [name, numbers @ ..] = cells;
    let width = place.width.saturating_sub(COLUMNS.iter().sum());
    let (first, mut rest) = split_left(place, width, 0);
    canvas.text(first, role, name);
    for (text, width) in numbers.into_iter().zip(COLUMNS) {
        let (cell, right) = split_left(rest, width, 0);
        canvas.text_right(cell, role, text);
        rest = right;
    }
}
