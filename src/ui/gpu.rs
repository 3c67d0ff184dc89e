//! Everything about one GPU: its numbers in groups, and the history of the selected one.

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::gpu_facts;
use super::gpu_share;
use super::layout::{row, split_left, split_top};
use super::number::{show, shown_part, slot_label};
use super::verdict::{line, trouble};
use crate::app::{GpuLine, Hit, Panel, State};
use crate::config::Span;
use crate::model::{
    Gpu, GpuSample, Group, History, Metric, Reading, Slot, Unit, limiting, wrapped,
};
use crate::store::Series;
use crate::theme::{Gradient, Role};

/// Rows that a chart is worth its place with: a frame, a row of statistics, and two for the chart.
const LEAST_CHART: u16 = 5;

/// Draws the tab: the numbers at the left, the history at the right or, in a narrow place, beneath.
pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let Some(position) = state.selected_gpu() else {
        canvas.text(area, Role::TextDim, " no GPU to show");
        return;
    };
    let Some((inventory, sample)) = state.shown() else { return };
    let (gpu, now) = (&inventory.gpus[position], &sample.gpus[position]);
    if state.zoom == Some(Panel::History) {
        draw_history(state, now, area, canvas);
        return;
    }
    let words = words(state, position, now, area, canvas);
    let rows = u16::try_from(words.len().max(1)).unwrap_or(u16::MAX);
    let (head, body) = split_top(area, if area.height < LEAST_CHART { 1 } else { 1 + rows });
    draw_identity(gpu, &words, head, canvas);
    let (list, chart) = if body.width >= 90 {
        split_left(body, if body.width >= 150 { 72 } else { 50 }, 1)
    } else {
        let chart = (body.height / 3).min(10);
        split_top(body, body.height - if chart < LEAST_CHART { 0 } else { chart })
    };
    hits.add(list, Hit::Panel(Panel::Gpus));
    if let Some(part) = draw_list(state, (gpu, now), list, canvas, hits) {
        let line = row(head, head.height.saturating_sub(1));
        // Above the list where words leave it room, else where they never are.
        let taken = words.get(usize::from(rows) - 1).map_or(0, |(_, words)| words.chars().count());
        let is_free = taken + part.len() < usize::from(list.width);
        let width = if is_free { list.width } else { line.width };
        canvas.text_right(Rect { width, ..line }, Role::TextDim, &format!(" {part}"));
    }
    if chart.height >= LEAST_CHART {
        hits.add(chart, Hit::Panel(Panel::History));
        draw_history(state, now, chart, canvas);
    }
}

/// The least part of the page, by rows, that all that is found may take.
const MOST_WORDS: u16 = 4;
/// What words leave free at the right, for which part of the numbers is shown: ` 100 to 129 of 300`.
const PART: u16 = 18;

/// What there is to say of the GPU, in lines: all that is found, each with what to do about it, as far as there is room
/// for a line of each.
fn words(
    state: &State,
    position: usize,
    now: &GpuSample,
    area: Rect,
    canvas: &Canvas<'_>,
) -> Vec<(Role, String)> {
    let findings = state.findings(position);
    let room = usize::from((area.height / MOST_WORDS).max(1));
    let width = usize::from(area.width.saturating_sub(2 + PART)).max(1);
    let mut lines: Vec<_> = trouble(canvas, now).into_iter().collect();
    for (number, finding) in findings.iter().enumerate() {
        if !finding.rule.is_about_reach() {
            lines.push(line(canvas, finding));
        }
        let advice: Vec<_> = wrapped(finding.rule.advice, width).collect();
        let others = findings.len() - number - 1;
        if lines.len() + advice.len() + others <= room {
            lines.extend(advice.iter().map(|line| (Role::TextDim, format!("  {line}"))));
        }
    }
    lines.truncate(room);
    lines
}

fn draw_identity(gpu: &Gpu, words: &[(Role, String)], area: Rect, canvas: &mut Canvas<'_>) {
    let known = |fact: &Result<String, _>| fact.as_ref().ok().cloned();
    let capability =
        gpu.compute_capability.ok().map(|(major, minor)| format!("compute {major}.{minor}"));
    let line = [
        Some(format!("{} {}", gpu.index, gpu.name.as_deref().unwrap_or("unknown GPU"))),
        gpu.architecture.ok().map(|architecture| architecture.to_string()),
        capability,
        known(&gpu.pci_bus_id),
        known(&gpu.uuid),
        known(&gpu.vbios_version).map(|version| format!("VBIOS {version}")),
        known(&gpu.serial).map(|serial| format!("serial {serial}")),
    ];
    let separator = format!(" {} ", canvas.glyphs.separator);
    let line = line.into_iter().flatten().collect::<Vec<_>>().join(&separator);
    if area.height > 1 || words.is_empty() {
        canvas.text(row(area, 0), Role::TextStrong, &line);
    }
    let first = area.height.min(2).saturating_sub(1);
    for (number, (role, words)) in (first..area.height).zip(words) {
        canvas.text(row(area, number), *role, words);
    }
}

/// A line of the list: the title of a group, or an entry by its place among the entries.
enum Line {
    Title(&'static str),
    Entry(usize, GpuLine),
}

/// The entries under the titles of their groups.
fn lines(state: &State) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut before = None;
    for (number, entry) in state.gpu_lines().into_iter().enumerate() {
        let own = match entry {
            GpuLine::Number(slot) => title(slot.metric.spec().group),
            GpuLine::Links(metric) => title(metric.spec().group),
            GpuLine::Missing(group) => title(group),
            GpuLine::Fact(_) => "About",
            GpuLine::MigDevice(_) => "MIG devices",
            GpuLine::Pair(_) => "Other GPUs",
        };
        if before.replace(own) != Some(own) {
            lines.push(Line::Title(own));
        }
        lines.push(Line::Entry(number, entry));
    }
    lines
}

fn reading(now: &GpuSample, slot: Slot) -> Option<Reading> {
    now.values.instances(slot.metric).get(slot.instance as usize).copied()
}

pub(super) fn title(group: Group) -> &'static str {
    match group {
        Group::Load => "Load",
        Group::Memory => "Memory",
        Group::PowerAndHeat => "Power and heat",
        Group::Clocks => "Clocks",
        Group::Links => "Links",
        Group::Errors => "Errors",
        Group::Engines => "Engines",
        Group::MigInstances => "MIG instances",
        Group::Host => "Host",
        Group::Process => "Process",
    }
}

/// Draws the numbers that there is room for, and says which they are where not all are shown.
fn draw_list(
    state: &State,
    gpu: (&Gpu, &GpuSample),
    area: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) -> Option<String> {
    let lines = lines(state);
    let is_number = |line: &&Line| matches!(line, Line::Entry(..));
    let numbers = lines.iter().filter(is_number).count();
    let selected = state.gpu_rows.row(numbers);
    let at = lines
        .iter()
        .position(|line| matches!(line, Line::Entry(number, _) if Some(*number) == selected));
    let room = usize::from(area.height);
    let top = crate::app::List { cursor: at.unwrap_or(0) }.top(lines.len(), room);
    let shown = lines.iter().skip(top).take(room);
    let first = lines.iter().take(top).filter(is_number).count();
    let part = shown_part(first, shown.clone().filter(is_number).count(), numbers);
    for (place, line) in (0..).zip(shown) {
        let place = row(area, place);
        match line {
            Line::Title(title) => {
                canvas.text(place, Role::Title, title);
            }
            Line::Entry(number, entry) => {
                draw_entry(state, gpu, *entry, Some(*number) == selected, place, canvas);
                hits.add(place, Hit::GpuRow(*number));
            }
        }
    }
    part
}

fn draw_entry(
    state: &State,
    gpu: (&Gpu, &GpuSample),
    entry: GpuLine,
    selected: bool,
    place: Rect,
    canvas: &mut Canvas<'_>,
) {
    match entry {
        GpuLine::Number(slot) => {
            if let Some(reading) = reading(gpu.1, slot) {
                draw_number(state, gpu, (slot, reading), selected, place, canvas);
            }
        }
        other => gpu_facts::draw(state, other, selected, place, canvas),
    }
}

/// Draws a number behind its label, and behind it how much of its limit it is. The reason for one that is absent is only
/// told where it is selected.
fn draw_number(
    state: &State,
    gpu: (&Gpu, &GpuSample),
    (slot, reading): (Slot, Reading),
    selected: bool,
    line: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (_, words) = split_left(line, 2, 0);
    let (name, rest) = split_left(words, if line.width < 32 { 9 } else { 16 }, 1);
    canvas.text(name, Role::TextDim, &slot_label(slot));
    let (number, bar) = split_left(rest, 12, 2);
    match reading.value {
        Ok(value) if slot.metric.spec().unit == Unit::ClockEventReasons => {
            canvas.text(rest, Role::Text, &show(slot.metric, value, state.config.temperature));
        }
        Ok(value) => {
            let text = show(slot.metric, value, state.config.temperature);
            canvas.text_right(number, Role::Text, &text);
        }
        Err(why) if selected => {
            let text = format!("{} {}", canvas.glyphs.absent, why.sentence());
            canvas.text(rest, Role::Absent, &text);
        }
        Err(_) => canvas.text_right(number, Role::Absent, canvas.glyphs.absent),
    }
    let Ok(value) = reading.value else {
        if selected {
            canvas.dress(line, Role::Selection);
        }
        return;
    };
    let share = gpu_share::Share::new(gpu, slot.metric, value, bar.width);
    share.tell(bar, canvas);
    if selected {
        canvas.dress(line, Role::Selection);
    }
    // Above the selection, so that the colours stay what they mean.
    share.draw(bar, canvas);
}

/// The colours of a metric: one accent for each meaning.
pub(super) fn gradient(metric: Metric) -> Option<Gradient> {
    match (metric.spec().group, metric.spec().unit) {
        (Group::Load, _) | (Group::Engines | Group::MigInstances, Unit::Percent) => {
            Some(Gradient::Busy)
        }
        (Group::Memory, _) => Some(Gradient::Memory),
        (_, Unit::Watts | Unit::Joules) => Some(Gradient::Power),
        (_, Unit::Celsius) | (Group::PowerAndHeat, Unit::Percent) => Some(Gradient::Heat),
        _ => None,
    }
}

fn draw_history(state: &State, now: &GpuSample, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(series @ Series::Gpu(gpu, slot)) = state.selected_series() else {
        return gpu_facts::draw_help(state, area, canvas);
    };
    let span = match series.history() {
        History::TenMinutes => state.config.span.min(Span::TenMinutes),
        History::Newest | History::Day => state.config.span,
    };
    let title = format!("{} {} {}", slot_label(slot), canvas.glyphs.separator, span.text());
    let inside = canvas.frame(area, Role::Border, &title);
    let (chart, below) = split_top(inside, inside.height.saturating_sub(1));
    let history = state.history();
    let Some(summary) = history.summary(series, span.duration()) else {
        draw_no_history(now, slot, inside, canvas);
        return;
    };
    let text = |value: f32| show(slot.metric, value.into(), state.config.temperature);
    let limit = limiting(slot.metric);
    let limit = limit.and_then(|limit| history.summary(Series::gpu(gpu, limit), span.duration()));
    let highest = highest(slot.metric, limit.map(|limit| limit.max), summary.max);
    let labels = [text(highest), text(0.0)];
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let (scale, chart) = split_left(chart, u16::try_from(width).unwrap_or(0), 1);
    let [top, bottom] = labels;
    canvas.text_right(row(scale, 0), Role::GraphLabel, &top);
    canvas.text_right(row(scale, scale.height.saturating_sub(1)), Role::GraphLabel, &bottom);
    let columns = chart.width.saturating_mul(2);
    let columns = history.window(series, span.duration(), columns);
    let gradient = gradient(slot.metric).unwrap_or(Gradient::Busy);
    canvas.area_chart(chart, gradient, &columns, highest);
    let line = format!(
        "min {}  mean {}  max {}",
        text(summary.min),
        text(summary.mean),
        text(summary.max)
    );
    canvas.text(below, Role::GraphLabel, &line);
}

/// Says why there is no chart.
fn draw_no_history(now: &GpuSample, slot: Slot, inside: Rect, canvas: &mut Canvas<'_>) {
    let place = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    match reading(now, slot).map(|reading| reading.value) {
        Some(Err(why)) => canvas.paragraph(place, Role::Absent, &why.sentence()),
        _ => canvas.paragraph(place, Role::TextDim, "No history of it is kept, or none yet."),
    };
}

/// The top of a chart: the highest limit of the time that it shows, so that it stays when the GPU no longer answers;
/// else what the unit or the history asks for.
fn highest(metric: Metric, limit: Option<f32>, largest: f32) -> f32 {
    let of_unit = match metric.spec().unit {
        Unit::Celsius | Unit::Percent => 100.0,
        _ => 1.0,
    };
    limit.unwrap_or(of_unit).max(largest)
}
