//! A line for each GPU.

use ratatui::layout::Rect;

use super::super::Hits;
use super::super::canvas::Canvas;
use super::super::layout::{row, split_left, split_top};
use super::super::number::gibibytes;
use super::super::verdict::{trouble, verdict};
use super::memory_percent;
use crate::app::{Hit, State};
use crate::model::{GpuSample, Metric, fixed};
use crate::store::Series;
use crate::theme::{Gradient, Role};

/// The places of a line.
struct Places {
    number: Rect,
    busy: Rect,
    busy_percent: Rect,
    memory: Rect,
    memory_bytes: Rect,
    power: Rect,
    temperature: Rect,
    rest: Rect,
}

impl Places {
    /// Divides a line: what the numbers leave goes to the bars, and from some width on to the history too.
    fn of(line: Rect) -> Self {
        const NUMBERS: u16 = 4 + 5 + 12 + 6 + 6;
        let spare = line.width.saturating_sub(NUMBERS);
        let history = if spare >= 30 { spare / 2 } else { spare.saturating_sub(16).min(14) };
        let bar = (spare - history).saturating_sub(1) / 2;
        let (number, rest) = split_left(line, 4, 0);
        let (busy, rest) = split_left(rest, bar, 0);
        let (busy_percent, rest) = split_left(rest, 5, 1);
        let (memory, rest) = split_left(rest, bar, 0);
        let (memory_bytes, rest) = split_left(rest, 12, 0);
        let (power, rest) = split_left(rest, 6, 0);
        let (temperature, rest) = split_left(rest, 5, 1);
        Self { number, busy, busy_percent, memory, memory_bytes, power, temperature, rest }
    }
}

pub(super) fn draw(
    state: &State,
    gpus: &[usize],
    area: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    let Some((inventory, sample)) = state.shown() else { return };
    heads(state, row(area, 0), canvas);
    let (_, body) = split_top(area, 1);
    let room = usize::from(body.height);
    let top = state.gpus.top(gpus.len(), room);
    let selected_gpu = state.selected_gpu();
    for (number, &gpu) in (0..).zip(gpus.iter().skip(top).take(room)) {
        let line = row(body, number);
        hits.add(line, Hit::Gpu(gpu));
        let places = Places::of(line);
        let selected = selected_gpu == Some(gpu);
        let mark = if selected { canvas.glyphs.cursor } else { " " };
        let role = if selected { Role::TextStrong } else { Role::Text };
        canvas.text(places.number, role, &format!("{mark}{:>2}", inventory.gpus[gpu].index));
        let now = &sample.gpus[gpu];
        if let Some((role, words)) = trouble(canvas, now) {
            let (_, rest) = split_left(line, 4, 0);
            canvas.text(rest, role, &words);
        } else {
            draw_numbers(state, now, &places, canvas);
            draw_rest(state, gpu, places.rest, canvas);
        }
    }
}

fn heads(state: &State, line: Rect, canvas: &mut Canvas<'_>) {
    let places = Places::of(line);
    canvas.text(places.number, Role::Column, "GPU");
    canvas.text(
        if places.busy.width > 4 { places.busy } else { places.busy_percent },
        Role::Column,
        "busy",
    );
    canvas.text(
        if places.memory.width > 6 { places.memory } else { places.memory_bytes },
        Role::Column,
        "memory",
    );
    canvas.text_right(places.power, Role::Column, "power");
    let degrees = format!("{}{}", canvas.glyphs.degree, state.config.temperature.letter());
    canvas.text_right(places.temperature, Role::Column, &degrees);
    canvas.text(places.rest, Role::Column, state.config.span.text());
}

fn draw_numbers(state: &State, now: &GpuSample, places: &Places, canvas: &mut Canvas<'_>) {
    let value = |metric| now.values.value(metric);
    let busy = value(Metric::Busy);
    if let Some(busy) = busy {
        canvas.bar(places.busy, Gradient::Busy, busy, 0.0);
    }
    number(places.busy_percent, busy.map(|busy| format!("{}%", fixed(busy, 0))), canvas);
    if let Some((used, reserved)) = memory_percent(now) {
        canvas.bar(places.memory, Gradient::Memory, used, reserved);
    }
    let memory = value(Metric::MemoryUsed).zip(value(Metric::MemoryTotal));
    number(
        places.memory_bytes,
        memory.map(|(used, total)| format!("{}/{}G", gibibytes(used), gibibytes(total))),
        canvas,
    );
    number(
        places.power,
        value(Metric::PowerDraw).map(|power| format!("{}W", fixed(power, 0))),
        canvas,
    );
    let degrees = |value| fixed(state.config.temperature.level(value), 0).to_string();
    number(places.temperature, value(Metric::Temperature).map(degrees), canvas);
}

fn number(place: Rect, text: Option<String>, canvas: &mut Canvas<'_>) {
    match text {
        Some(text) => canvas.text_right(place, Role::Text, &text),
        None => canvas.text_right(place, Role::Absent, canvas.glyphs.absent),
    }
}

/// Fewer cells of history say nothing.
const LEAST_HISTORY: u16 = 6;

/// The history, and behind it what limits the GPU.
fn draw_rest(state: &State, gpu: usize, place: Rect, canvas: &mut Canvas<'_>) {
    let verdict = verdict(canvas, state, gpu);
    let words =
        verdict.as_ref().map_or(0, |(_, words)| u16::try_from(words.chars().count()).unwrap_or(0));
    // The history keeps half of the room, or leaves where that is too little for one.
    let half = place.width.saturating_sub(1) / 2;
    let words_width = if half >= LEAST_HISTORY { words.min(half) } else { place.width.min(words) };
    let (chart, place) = split_left(
        place,
        (place.width - words_width).saturating_sub(u16::from(words > 0)),
        u16::from(words > 0),
    );
    let span = state.config.span.duration();
    let columns = state.history().window(Series::gpu(gpu, Metric::Busy), span, chart.width);
    canvas.spark(chart, Gradient::Busy, &columns, 100.0);
    if let Some((role, words)) = verdict {
        canvas.text(place, role, &words);
    }
}
