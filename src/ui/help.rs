//! The help: what each key does.

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::{centered, row, split_left};
use crate::app::{HelpLine, Hit, State};
use crate::theme::Role;

/// Draws the help over `body`, from line `top` on.
pub(super) fn draw(
    state: &State,
    top: usize,
    body: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    hits.add(body, Hit::Help);
    let lines = state.help_lines();
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = centered(body, 80, rows.saturating_add(2));
    let room = usize::from(place.height.saturating_sub(2));
    let top = top.min(lines.len().saturating_sub(room));
    canvas.clear(place, Role::Popup);
    let inside = canvas.frame(place, Role::PopupBorder, &title(state, top, room, lines.len()));
    for (number, line) in (0..).zip(lines.iter().skip(top).take(room)) {
        let place = row(inside, number);
        let (keys, text) = split_left(place, if place.width < 60 { 14 } else { 18 }, 1);
        match line {
            HelpLine::Title(title) => {
                canvas.text(place, Role::Title, title);
            }
            HelpLine::Keys(names, action) => {
                canvas.text_right(keys, Role::FooterKey, names);
                canvas.text(text, Role::Text, action.spec().doc);
            }
        }
    }
}

/// Which lines are shown, where not all are.
fn title(state: &State, top: usize, room: usize, lines: usize) -> String {
    if lines <= room {
        return "Keys".to_owned();
    }
    let last = (top + room).min(lines);
    format!("Keys {} {} to {last} of {lines}", state.glyphs.separator, top + 1)
}
