//! All GPUs, as densely as the space asks for, and their processes beneath.

mod cards;
mod charts;
mod rows;
mod strip;

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::{Density, density, split_top};
use super::processes;
use crate::app::{Panel, State};
use crate::model::{GpuSample, Metric};
use crate::theme::Role;

/// Draws the overview.
pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let gpus = state.visible_gpus();
    let count = u16::try_from(gpus.len()).unwrap_or(u16::MAX);
    let alone = state.zoom == Some(Panel::Gpus);
    let processes = (!alone).then(|| state.processes().count());
    let (density, rows) = density(count, processes, area);
    let (top, rest) = split_top(area, if alone { area.height } else { rows });
    if gpus.is_empty() {
        canvas.text(top, Role::TextDim, " the driver has no GPU that is to be shown");
    }
    match density {
        Density::Cards { columns, height } => {
            cards::draw(state, &gpus, top, (columns, height), canvas, hits);
        }
        Density::Rows => rows::draw(state, &gpus, top, canvas, hits),
        Density::Strip { columns } => strip::draw(state, &gpus, top, columns, canvas, hits),
    }
    if !alone && rest.height > 1 {
        processes::draw(state, rest, canvas, hits);
    }
}

/// What of a GPU's memory is used and reserved, in percent.
fn memory_percent(gpu: &GpuSample) -> Option<(f64, f64)> {
    let value = |metric| gpu.values.value(metric);
    let total = value(Metric::MemoryTotal).filter(|total| *total > 0.0)?;
    let used = value(Metric::MemoryUsed)?;
    let reserved = value(Metric::MemoryReserved).unwrap_or(0.0);
    Some((used / total * 100.0, reserved / total * 100.0))
}
