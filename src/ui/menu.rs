//! The menu of columns to sort by.

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::{centered, row, split_left};
use crate::app::{Hit, List, PROCESS_COLUMNS};
use crate::theme::Role;

/// Draws the menu over `body`.
pub(super) fn draw(cursor: usize, body: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let rows = u16::try_from(PROCESS_COLUMNS.len()).unwrap_or(u16::MAX);
    let place = centered(body, 66, rows.saturating_add(2));
    canvas.clear(place, Role::Popup);
    let inside = canvas.frame(place, Role::PopupBorder, "Sort by");
    let room = usize::from(inside.height);
    let top = List { cursor }.top(PROCESS_COLUMNS.len(), room);
    for (number, column) in PROCESS_COLUMNS.iter().enumerate().skip(top).take(room) {
        let line = row(inside, u16::try_from(number - top).unwrap_or(0));
        let (name, help) = split_left(line, 10, 1);
        canvas.text(name, Role::TextStrong, column.title());
        canvas.text(help, Role::Text, column.help());
        if number == cursor {
            canvas.dress(line, Role::Selection);
        }
        hits.add(line, Hit::Column(*column));
    }
}
