//! A few cells for each GPU, where there is no room for a line.

use ratatui::layout::Rect;

use super::super::Hits;
use super::super::canvas::Canvas;
use super::super::layout::{row, split_left, split_top};
use super::super::number::shown_part;
use super::super::verdict::trouble;
use crate::app::{Hit, List, State};
use crate::model::{Metric, fixed};
use crate::theme::{Gradient, Role};

pub(super) fn draw(
    state: &State,
    gpus: &[usize],
    area: Rect,
    columns: u16,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    let Some((inventory, sample)) = state.shown() else { return };
    // The mark and two digits, or as many as the highest index has.
    let highest = gpus.iter().map(|&gpu| inventory.gpus[gpu].index).max().unwrap_or(0);
    let (digits, width) = if highest < 100 { (2, 2) } else { (3, 3) };
    let per_line = usize::from(columns.max(1));
    let needed = gpus.len().div_ceil(per_line);
    let is_cut = needed > usize::from(area.height) && area.height > 2;
    let (area, below) = split_top(area, area.height - u16::from(is_cut));
    let lines = usize::from(area.height);
    let top = top_line(state, gpus, per_line, lines);
    let selected_gpu = state.selected_gpu();
    if is_cut && let Some(part) = shown_part(top * per_line, lines * per_line, gpus.len()) {
        canvas.text_right(below, Role::TextDim, &format!("GPUs {part}"));
    }
    for (number, line) in (0..).zip(gpus.chunks(per_line).skip(top).take(lines)) {
        let mut rest = row(area, number);
        for &gpu in line {
            let (cell, right) = split_left(rest, area.width / columns.max(1), 0);
            rest = right;
            hits.add(cell, Hit::Gpu(gpu));
            let selected = selected_gpu == Some(gpu);
            let role = if selected { Role::TextStrong } else { Role::Text };
            let (name, place) = split_left(cell, digits + 1, 0);
            let mark = if selected { canvas.glyphs.cursor } else { " " };
            canvas.text(name, role, &format!("{mark}{:>width$}", inventory.gpus[gpu].index));
            let (_, place) = split_left(place, 1, 0);
            let now = &sample.gpus[gpu];
            if let Some((role, words)) = trouble(canvas, now) {
                canvas.text(place, role, &words);
                continue;
            }
            let value = |metric| now.values.value(metric);
            let (bar, text) = split_left(place, place.width.saturating_sub(10), 0);
            if let Some(busy) = value(Metric::Busy) {
                canvas.bar(bar, Gradient::Busy, busy, 0.0);
            }
            let dash = || canvas.glyphs.absent.to_owned();
            let busy = value(Metric::Busy).map_or_else(dash, |busy| format!("{}%", fixed(busy, 0)));
            let heat = value(Metric::Temperature).map_or_else(dash, |heat| {
                let unit = state.config.temperature;
                format!("{}{}{}", fixed(unit.level(heat), 0), canvas.glyphs.degree, unit.letter())
            });
            let (busy_place, heat_place) = split_left(text, 5, 0);
            canvas.text_right(busy_place, Role::Text, &busy);
            let (heat_place, _) = split_left(heat_place, 5, 0);
            canvas.text_right(heat_place, Role::Text, &heat);
        }
    }
}

/// The first line of GPUs to show, so that the selected one is among them.
fn top_line(state: &State, gpus: &[usize], per_line: usize, lines: usize) -> usize {
    let cursor = state.gpus.row(gpus.len()).unwrap_or(0) / per_line;
    List { cursor }.top(gpus.len().div_ceil(per_line), lines)
}
