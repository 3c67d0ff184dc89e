//! The tab Setup: where the machine stands, its options, everything about the selected one, and the plan.

mod dialog;
mod lines;
mod options;
mod strip;

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::{centered, split_left, split_top};
use crate::app::setup::{Kind, Line, Sheet, Stage};
use crate::app::{Hit, Panel, State};
use crate::setup::OPTIONS;
use crate::theme::Role;

/// The columns of the list with everything in it, and the least for a panel beside it.
const LIST: u16 = 78;
const LEAST_PANEL: u16 = 38;
/// The columns of the list where there are many.
const WIDE_LIST: u16 = 104;
/// The least rows of the list, and of a panel beneath it.
const LEAST_ROWS: u16 = 7;

/// Draws the tab.
pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    match &state.setup.stage {
        Stage::Unread | Stage::Reading => {
            canvas.text(area, Role::TextDim, " reading the machine and its configuration");
        }
        Stage::Failed(why) => {
            let place = centered(area, 100, 8);
            let inside = canvas.frame(place, Role::Border, "Setup could not be read");
            lines::draw(
                &[Line { label: None, kind: Kind::Error, text: why.clone() }],
                0,
                inside,
                canvas,
            );
        }
        Stage::Ready(sheet) => draw_sheet(state, sheet, area, canvas, hits),
    }
    if let Some(open) = &state.setup.dialog {
        dialog::draw(&state.setup, open, area, canvas, hits);
    }
}

fn draw_sheet(state: &State, sheet: &Sheet, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let head = match area.height {
        0..3 => 0,
        3..30 => 1,
        _ => 2,
    };
    let (head, body) = split_top(area, head);
    strip::draw(sheet, head, canvas);
    let whole_list = options::rows(true) + 2;
    match state.zoom {
        Some(Panel::Evidence) => draw_evidence(state, body, canvas, hits),
        Some(Panel::Plan) => draw_plan(state, sheet, body, canvas, hits),
        _ if body.width >= LIST + 1 + LEAST_PANEL => {
            let upper = whole_list.max(body.height * 3 / 5).min(body.height);
            let (upper, plan) = split_top(body, upper);
            let (list, panel) = split_left(upper, LIST.max((body.width / 2).min(WIDE_LIST)), 1);
            options::draw(state, sheet, list, canvas, hits);
            draw_evidence(state, panel, canvas, hits);
            draw_plan(state, sheet, plan, canvas, hits);
        }
        _ if body.height >= 2 * LEAST_ROWS => {
            let list = (body.height * 5 / 9).min(whole_list);
            let (list, panel) = split_top(body, list);
            options::draw(state, sheet, list, canvas, hits);
            draw_evidence(state, panel, canvas, hits);
        }
        _ => options::draw(state, sheet, body, canvas, hits),
    }
}

fn draw_evidence(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let title = state.setup.selected().unwrap_or(&OPTIONS[0]).path;
    let top = if state.zoom.is_some() { state.setup.top } else { 0 };
    draw_panel(title, &state.setup.evidence_lines(), top, area, canvas);
    hits.add(area, Hit::Panel(Panel::Evidence));
}

fn draw_plan(state: &State, sheet: &Sheet, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let top = if state.zoom.is_some() { state.setup.top } else { 0 };
    draw_panel(&sheet.plan_title(), &sheet.plan_lines(), top, area, canvas);
    hits.add(area, Hit::Panel(Panel::Plan));
}

fn draw_panel(title: &str, lines: &[Line], top: usize, area: Rect, canvas: &mut Canvas<'_>) {
    let inside = canvas.frame(area, Role::Border, title);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    lines::draw(lines, top, inside, canvas);
}
