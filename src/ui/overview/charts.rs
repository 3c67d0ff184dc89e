//! The histories in a card, as many as there is room for.

use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use super::super::layout::{row, split_left, split_top};
use crate::app::State;
use crate::model::Metric;
use crate::store::Series;
use crate::theme::{Gradient, Role};

/// A chart of a card.
struct Chart {
    label: &'static str,
    metric: Metric,
    gradient: Gradient,
    /// What its top stands for: 100, or the highest that this was in the time that is shown, or, where that is not
    /// known, the largest in the chart.
    top: Option<Metric>,
}

/// The charts, the most important first.
const CHARTS: [Chart; 4] = [
    Chart { label: "busy", metric: Metric::Busy, gradient: Gradient::Busy, top: None },
    Chart {
        label: "mem",
        metric: Metric::MemoryUsed,
        gradient: Gradient::Memory,
        top: Some(Metric::MemoryTotal),
    },
    Chart {
        label: "power",
        metric: Metric::PowerDraw,
        gradient: Gradient::Power,
        top: Some(Metric::PowerEnforcedLimit),
    },
    Chart { label: "heat", metric: Metric::Temperature, gradient: Gradient::Heat, top: None },
];

/// From this width on, charts stand beside each other.
const WIDE: u16 = 96;
/// Rows from which on charts above each other have a row of air between them.
const AIRY: u16 = 5;
/// Rows that a chart has when there are more than two above each other.
const TALL: u16 = 3;
/// Cells of a chart's label.
const LABEL: u16 = 5;

/// Draws what of the charts finds room in `area`.
pub(super) fn draw(state: &State, gpu: usize, area: Rect, canvas: &mut Canvas<'_>) {
    let columns = if area.width >= WIDE { 2 } else { 1 };
    let most = if area.height > 4 * TALL { 4 } else { 2 };
    let rows = if columns == 2 && area.height < AIRY { 1 } else { most.min(area.height) / columns };
    let (rows, gap) = (rows.max(1), u16::from(area.height >= AIRY));
    // What this GPU does not tell has no place.
    let mut charts = CHARTS.iter().filter(|chart| is_known(state, gpu, chart));
    let mut rest = area;
    for number in 0..rows {
        let left = rows - number;
        let height = (rest.height + gap).div_ceil(left).saturating_sub(gap);
        let (line, below) = split_top(rest, height);
        (_, rest) = split_top(below, gap);
        let (first, second) = split_left(line, line.width / columns - (columns - 1), 2);
        for place in [first, second].into_iter().take(usize::from(columns)) {
            if let Some(chart) = charts.next() {
                draw_chart(state, gpu, chart, place, canvas);
            }
        }
    }
}

/// Whether there is anything to draw.
fn is_known(state: &State, gpu: usize, chart: &Chart) -> bool {
    state.history().is_known(Series::gpu(gpu, chart.metric), state.config.span.duration())
}

fn draw_chart(state: &State, gpu: usize, chart: &Chart, area: Rect, canvas: &mut Canvas<'_>) {
    let (place, label) = split_left(area, area.width.saturating_sub(LABEL + 1), 1);
    let span = state.config.span;
    let series = Series::gpu(gpu, chart.metric);
    let wide = if place.height > 1 { 2 } else { 1 };
    let columns = place.width.saturating_mul(wide);
    let history = state.history();
    let columns = history.window(series, span.duration(), columns);
    let largest = || columns.iter().flatten().map(|bucket| bucket.max).fold(0.0, f32::max);
    let highest = chart.top.map_or(100.0, |top| {
        let top = history.summary(Series::gpu(gpu, top), span.duration());
        top.map_or_else(largest, |top| top.max)
    });
    if place.height > 1 {
        canvas.area_chart(place, chart.gradient, &columns, highest);
    } else {
        canvas.spark(place, chart.gradient, &columns, highest);
    }
    canvas.text(row(label, 0), Role::GraphLabel, chart.label);
    if label.height > 1 {
        canvas.text(row(label, label.height - 1), Role::GraphLabel, span.text());
    }
}
