//! What is open over the tab Setup: menus, a line to type into, and texts.

use ratatui::layout::Rect;

use super::lines;
use crate::app::setup::{Dialog, Kind, Line, SetupTab};
use crate::app::{Hit, List};
use crate::theme::Role;
use crate::ui::Hits;
use crate::ui::canvas::Canvas;
use crate::ui::layout::{centered, row};

/// Longer lines are hard to read.
const WIDTH: u16 = 100;

/// Draws the dialog over `body`.
pub(super) fn draw(
    tab: &SetupTab,
    dialog: &Dialog,
    body: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    match dialog {
        Dialog::Choices { words, cursor, .. } => {
            draw_menu(dialog.title(), words, *cursor, None, body, canvas, hits);
        }
        Dialog::Marks { words, cursor, marked, .. } => {
            draw_menu(dialog.title(), words, *cursor, Some(marked), body, canvas, hits);
        }
        Dialog::Users { text, complaint, .. } => {
            draw_entry(dialog.title(), text, complaint.as_deref(), body, canvas);
        }
        Dialog::Writing => draw_text(tab, dialog, 0, body, canvas),
        Dialog::Diff { top }
        | Dialog::Confirm { top }
        | Dialog::Refused { top }
        | Dialog::Written { top, .. } => draw_text(tab, dialog, *top, body, canvas),
    }
}

fn popup(title: &str, width: u16, rows: usize, body: Rect, canvas: &mut Canvas<'_>) -> Rect {
    let rows = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2);
    let place = centered(body, width, rows);
    canvas.clear(place, Role::Popup);
    let inside = canvas.frame(place, Role::PopupBorder, title);
    Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
}

fn draw_menu(
    title: &str,
    words: &[&str],
    cursor: usize,
    marked: Option<&Vec<String>>,
    body: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    let inside = popup(title, 40, words.len(), body, canvas);
    let room = usize::from(inside.height);
    let top = List { cursor }.top(words.len(), room);
    for (number, word) in words.iter().enumerate().skip(top).take(room) {
        let line = row(inside, u16::try_from(number - top).unwrap_or(0));
        let mark =
            marked.map_or(
                "",
                |marked| {
                    if marked.iter().any(|one| one == word) { "[x] " } else { "[ ] " }
                },
            );
        canvas.text(line, Role::Text, &format!("{mark}{word}"));
        if number == cursor {
            canvas.dress(line, Role::Selection);
        }
        hits.add(line, Hit::MenuRow(number));
    }
}

fn draw_entry(
    title: &str,
    text: &str,
    complaint: Option<&str>,
    body: Rect,
    canvas: &mut Canvas<'_>,
) {
    let inside = popup(title, 70, if complaint.is_some() { 5 } else { 3 }, body, canvas);
    canvas.text(row(inside, 0), Role::TextDim, "the names of the users, with blanks between them");
    let line = row(inside, 1);
    // The end of the line is where something happens.
    let room = usize::from(line.width.saturating_sub(2));
    let hidden = text.chars().count().saturating_sub(room);
    let end: String = text.chars().skip(hidden).collect();
    canvas.text(line, Role::TextStrong, &format!("{end}_"));
    canvas.dress(line, Role::Selection);
    if let Some(complaint) = complaint {
        let below = Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
        let line = Line { label: None, kind: Kind::Error, text: complaint.to_owned() };
        lines::draw(&[line], 0, below, canvas);
    }
}

fn draw_text(tab: &SetupTab, dialog: &Dialog, top: usize, body: Rect, canvas: &mut Canvas<'_>) {
    let text = tab.report_lines().unwrap_or_default();
    let width = WIDTH.min(body.width);
    let asks = matches!(dialog, Dialog::Confirm { .. });
    let rows = lines::count(&text, width.saturating_sub(4), canvas) + usize::from(asks);
    let mut inside = popup(dialog.title(), WIDTH, rows, body, canvas);
    if asks {
        inside.height = inside.height.saturating_sub(1);
        let below = Rect { y: inside.bottom(), height: 1, ..inside };
        canvas.text(below, Role::TextStrong, "Write it? y writes it, n leaves it.");
    }
    lines::draw(&text, top, inside, canvas);
}
