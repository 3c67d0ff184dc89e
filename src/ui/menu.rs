//! Menus: lines over the tab, of which one is selected.

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::{centered, row, split_left};
use crate::app::{Hit, List, PROCESS_COLUMNS};
use crate::theme::Role;

/// A line of a menu.
pub(super) struct Item<'a> {
    /// What is taken.
    pub(super) name: String,
    /// What it is; nothing where the name says it.
    pub(super) help: &'a str,
}

/// The columns of names beside what they are.
const NAME: u16 = 10;

/// Draws the menu of columns to sort by over `body`.
pub(super) fn draw_columns(cursor: usize, body: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let items = PROCESS_COLUMNS.iter();
    let items = items.map(|it| Item { name: it.title().to_owned(), help: it.help() });
    draw(("Sort by", 84), &items.collect::<Vec<_>>(), cursor, body, canvas, hits);
}

/// Draws a menu with this title, so many columns wide, over `body`.
pub(super) fn draw(
    (title, width): (&str, u16),
    items: &[Item<'_>],
    cursor: usize,
    body: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    let inside = popup(title, width, items.len(), body, canvas);
    let room = usize::from(inside.height);
    let top = List { cursor }.top(items.len(), room);
    for (number, item) in items.iter().enumerate().skip(top).take(room) {
        let line = row(inside, u16::try_from(number - top).unwrap_or(0));
        if item.help.is_empty() {
            canvas.text(line, Role::Text, &item.name);
        } else {
            let (name, help) = split_left(line, NAME, 1);
            canvas.text(name, Role::TextStrong, &item.name);
            canvas.text(help, Role::Text, item.help);
        }
        if number == cursor {
            canvas.dress(line, Role::Selection);
        }
        hits.add(line, Hit::MenuRow(number));
    }
}

/// Clears a place for so many rows over `body`, and frames it; returns the room in it.
pub(super) fn popup(
    title: &str,
    width: u16,
    rows: usize,
    body: Rect,
    canvas: &mut Canvas<'_>,
) -> Rect {
    let rows = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2);
    let place = centered(body, width, rows);
    canvas.clear(place, Role::Popup);
    let inside = canvas.frame(place, Role::PopupBorder, title);
    Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
}
