//! A frame for each GPU, with bars and a history.

use ratatui::layout::Rect;

use super::super::Hits;
use super::super::canvas::Canvas;
use super::super::layout::{row, split_left, split_top};
use super::super::number::{gibibytes, show};
use super::super::verdict::{trouble, verdict};
use super::{charts, memory_percent};
use crate::app::{Hit, State};
use crate::model::{GpuSample, Metric, fixed};
use crate::theme::{Gradient, Role};

pub(super) fn draw(
    state: &State,
    gpus: &[usize],
    area: Rect,
    (columns, height): (u16, u16),
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    let Some((inventory, sample)) = state.shown() else { return };
    let selected_gpu = state.selected_gpu();
    let mut rest = area;
    for line in gpus.chunks(usize::from(columns)) {
        let (mut place, below) = split_top(rest, height);
        rest = below;
        for (number, &gpu) in (0..columns).zip(line) {
            let width = place.width / (columns - number);
            let (card, right) = split_left(place, width, 0);
            place = right;
            let name = inventory.gpus[gpu].name.as_deref().unwrap_or("unknown GPU");
            let selected = selected_gpu == Some(gpu);
            let mark = match canvas.glyphs.cursor {
                mark if selected && gpus.len() > 1 => format!("{mark} "),
                _ => String::new(),
            };
            let title = format!("{mark}{} {name}", inventory.gpus[gpu].index);
            let inside =
                canvas.frame(card, if selected { Role::BorderFocus } else { Role::Border }, &title);
            hits.add(card, Hit::Gpu(gpu));
            draw_card(state, gpu, &sample.gpus[gpu], inside, canvas);
            // On the frame, so that a GPU that is always held back has its whole history.
            if let Some((role, words)) = verdict(canvas, state, gpu) {
                canvas.foot(card, role, &words);
            }
        }
    }
}

/// The width of the labels in front of the bars, and of the numbers behind them.
const LABEL: u16 = 7;
const NUMBER: u16 = 17;

fn draw_card(state: &State, gpu: usize, now: &GpuSample, frame: Rect, canvas: &mut Canvas<'_>) {
    let inside = Rect { x: frame.x + 1, width: frame.width.saturating_sub(2), ..frame };
    if let Some((role, words)) = trouble(canvas, now) {
        canvas.text(row(inside, 0), role, &words);
    } else {
        draw_bars(state, now, inside, canvas);
        draw_line(state, now, row(inside, 3), canvas);
    }
    let (_, chart) = split_top(inside, 4);
    charts::draw(state, gpu, chart, canvas);
}

fn draw_bars(state: &State, now: &GpuSample, inside: Rect, canvas: &mut Canvas<'_>) {
    let value = |metric| now.values.value(metric);
    let busy = value(Metric::Busy).map(|busy| (busy, 0.0));
    let busy_text = busy.map(|(busy, _)| format!("{} %", fixed(busy, 0)));
    draw_bar(row(inside, 0), "busy", Gradient::Busy, busy, busy_text, canvas);
    let memory = value(Metric::MemoryUsed).zip(value(Metric::MemoryTotal));
    let memory =
        memory.map(|(used, total)| format!("{} / {} GiB", gibibytes(used), gibibytes(total)));
    draw_bar(row(inside, 1), "memory", Gradient::Memory, memory_percent(now), memory, canvas);
    let (draw, limit) = (value(Metric::PowerDraw), value(Metric::PowerEnforcedLimit));
    let power = draw.zip(limit).map(|(draw, limit)| (draw / limit.max(1.0) * 100.0, 0.0));
    let text = match (draw, limit) {
        (Some(draw), Some(limit)) => Some(format!("{} / {} W", fixed(draw, 0), fixed(limit, 0))),
        (draw, _) => draw.map(|draw| show(Metric::PowerDraw, draw, state.config.temperature)),
    };
    draw_bar(row(inside, 2), "power", Gradient::Power, power, text, canvas);
}

fn draw_bar(
    line: Rect,
    label: &str,
    gradient: Gradient,
    percent: Option<(f64, f64)>,
    text: Option<String>,
    canvas: &mut Canvas<'_>,
) {
    let (name, rest) = split_left(line, LABEL, 0);
    canvas.text(name, Role::TextDim, label);
    let (bar, number) = split_left(rest, rest.width.saturating_sub(NUMBER), 0);
    if let Some((percent, reserved)) = percent {
        canvas.bar(bar, gradient, percent, reserved);
    }
    match text {
        Some(text) => canvas.text_right(number, Role::Text, &text),
        None => canvas.text_right(number, Role::Absent, canvas.glyphs.absent),
    }
}

/// Temperature, clock and link in a line.
fn draw_line(state: &State, now: &GpuSample, line: Rect, canvas: &mut Canvas<'_>) {
    let shown = |metric: Metric| {
        now.values.value(metric).map(|value| show(metric, value, state.config.temperature))
    };
    let lanes = now.values.value(Metric::PcieLinkWidth);
    let pcie = now.values.value(Metric::PcieLinkGeneration).zip(lanes);
    let pcie = pcie.map(|(generation, width)| {
        format!("PCIe {}{}{}", fixed(generation, 0), canvas.glyphs.times, fixed(width, 0))
    });
    let facts = [
        shown(Metric::Temperature),
        shown(Metric::SlowdownMargin).map(|margin| format!("{margin} to slowdown")),
        shown(Metric::ClockSm),
        shown(Metric::PerformanceState),
        pcie,
    ];
    let separator = format!(" {} ", canvas.glyphs.separator);
    canvas.text(
        line,
        Role::Text,
        &facts.into_iter().flatten().collect::<Vec<_>>().join(&separator),
    );
}
