//! What is open over the tab Setup: menus, a line to type into, and texts.

use ratatui::layout::Rect;

use super::lines;
use crate::app::setup::{Dialog, Kind, Line, SetupTab};
use crate::theme::Role;
use crate::ui::Hits;
use crate::ui::canvas::Canvas;
use crate::ui::layout::row;
use crate::ui::menu::{self, Item, popup};

/// Longer lines are hard to read.
const WIDTH: u16 = 100;
/// The columns of a menu.
const MENU_WIDTH: u16 = 40;

/// Draws the dialog over `body`.
pub(super) fn draw(
    tab: &SetupTab,
    dialog: &Dialog,
    body: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    let menu = (dialog.title(), MENU_WIDTH);
    match dialog {
        Dialog::Choices { words, cursor, .. } => {
            menu::draw(menu, &items(words, None), *cursor, body, canvas, hits);
        }
        Dialog::Marks { words, cursor, marked, .. } => {
            menu::draw(menu, &items(words, Some(marked)), *cursor, body, canvas, hits);
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

/// The words of an option; those that are marked where any may be.
fn items(words: &[&str], marked: Option<&[String]>) -> Vec<Item<'static>> {
    let mark = |word: &str| match marked {
        None => "",
        Some(marked) if marked.iter().any(|one| one == word) => "[x] ",
        Some(_) => "[ ] ",
    };
    words.iter().map(|word| Item { name: format!("{}{word}", mark(word)), help: "" }).collect()
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
