//! The help: what each key does.

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::{centered, row, split_left};
use super::number::shown_part;
use crate::app::{HELP_WIDTH, HelpLine, Hit, State};
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
    let place = centered(body, HELP_WIDTH, rows.saturating_add(2));
    let room = usize::from(place.height.saturating_sub(2));
    let top = top.min(lines.len().saturating_sub(room));
    canvas.clear(place, Role::Popup);
    let inside = canvas.frame(place, Role::PopupBorder, &title(state, top, room, lines.len()));
    for (number, line) in (0..).zip(lines.iter().skip(top).take(room)) {
        let place = row(inside, number);
        let (keys_place, text_place) = split_left(place, state.help_columns().0, 1);
        match line {
            HelpLine::Title(title) => {
                canvas.text(place, Role::Title, title);
            }
            HelpLine::Keys { keys, text, .. } => {
                canvas.text_right(keys_place, Role::FooterKey, keys);
                canvas.text(text_place, Role::Text, text);
            }
        }
    }
}

/// Which lines are shown, where not all are.
fn title(state: &State, top: usize, room: usize, lines: usize) -> String {
    match shown_part(top, room, lines) {
        Some(part) => format!("Keys {} {part}", state.glyphs.separator),
        None => "Keys".to_owned(),
    }
}
