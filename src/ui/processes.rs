//! The process list.

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::{row, split_left, split_top};
use super::number::shown_part;
use crate::app::{Align, Hit, Panel, ProcessColumn, State, placed_columns};
use crate::model::{Inventory, Process, ProcessMetric, Unit, fixed};
use crate::theme::Role;

/// Draws the list, with a frame if there is room for one.
pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let Some((inventory, _)) = state.shown() else { return };
    let processes = state.sorted_processes();
    hits.add(area, Hit::Panel(Panel::Processes));
    let inside = if area.height >= 6 {
        canvas.frame(area, Role::BorderFocus, &title(state, processes.len()))
    } else {
        area
    };
    let room = usize::from(inside.height.saturating_sub(1));
    let top = state.processes.top(processes.len(), room);
    let part = shown_part(top, room, processes.len());
    let columns = placed_columns(inside.width);
    heads(state, row(inside, 0), &columns, canvas, hits);
    let (_, body) = split_top(inside, 1);
    if processes.is_empty() {
        canvas.text(row(body, 0), Role::TextDim, " no process on these GPUs");
        return;
    }
    if let Some(part) = part {
        if inside.height < area.height {
            canvas.foot(area, Role::TextDim, &part);
        } else {
            canvas.text_right(row(inside, 0), Role::TextDim, &format!(" {part}"));
        }
    }
    let selected = state.processes.row(processes.len());
    for (number, process) in processes.iter().enumerate().skip(top).take(room) {
        let line = row(body, u16::try_from(number - top).unwrap_or(0));
        hits.add(line, Hit::Process(number));
        draw_process(state, inventory, process, line, &columns, canvas);
        if selected == Some(number) {
            canvas.dress(line, Role::Selection);
        }
    }
}

fn title(state: &State, count: usize) -> String {
    let descending = state.sort.largest_first() != state.reversed;
    let arrow = if descending { state.glyphs.descending } else { state.glyphs.ascending };
    let separator = state.glyphs.separator;
    format!("Processes {count} {separator} by {} {arrow}", state.sort.title())
}

fn place_in(line: Rect, x: u16, width: u16) -> Rect {
    let (_, rest) = split_left(line, x, 0);
    Rect { width: width.min(rest.width), ..rest }
}

fn heads(
    state: &State,
    line: Rect,
    columns: &[(ProcessColumn, u16, u16)],
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    for (column, x, width) in columns {
        let place = place_in(line, *x, *width);
        let role = if *column == state.sort { Role::ColumnSorted } else { Role::Column };
        match column.align() {
            Align::Left => {
                canvas.text(place, role, column.title());
            }
            Align::Right => canvas.text_right(place, role, column.title()),
        }
        hits.add(place, Hit::Column(*column));
    }
}

fn draw_process(
    state: &State,
    inventory: &Inventory,
    process: &Process,
    line: Rect,
    columns: &[(ProcessColumn, u16, u16)],
    canvas: &mut Canvas<'_>,
) {
    for (column, x, width) in columns {
        let place = place_in(line, *x, *width);
        let cell = cell(inventory, process, *column);
        let role = if cell.is_some() { role_of(*column) } else { Role::Absent };
        let text = cell.unwrap_or_else(|| canvas.glyphs.absent.to_owned());
        let text = if *column == ProcessColumn::Command { scrolled(state, &text) } else { text };
        match column.align() {
            Align::Left => {
                canvas.text(place, role, &text);
            }
            Align::Right => canvas.text_right(place, role, &text),
        }
    }
}

/// A command from where the user has scrolled to.
fn scrolled(state: &State, command: &str) -> String {
    match state.command_from {
        0 => command.to_owned(),
        from => state.glyphs.ellipsis.chars().chain(command.chars().skip(from)).collect(),
    }
}

fn role_of(column: ProcessColumn) -> Role {
    match column {
        ProcessColumn::Memory => Role::Memory,
        ProcessColumn::Sm => Role::Busy,
        _ => Role::Text,
    }
}

/// What a column shows of a process; nothing where it is not known.
fn cell(inventory: &Inventory, process: &Process, column: ProcessColumn) -> Option<String> {
    let number = |metric| process.get(metric).ok();
    let percent = |metric| number(metric).map(|value| fixed(value, 0).to_string());
    let identity = process.identity.as_deref().ok();
    match column {
        ProcessColumn::Gpu => {
            inventory.gpus.get(process.gpu).map(|gpu| match process.gpu_instance {
                Some(instance) => format!("{}:{instance}", gpu.index),
                None => gpu.index.to_string(),
            })
        }
        ProcessColumn::Pid => Some(process.pid.to_string()),
        ProcessColumn::User => identity.and_then(|who| {
            who.user.as_deref().map(str::to_owned).or_else(|| Some(who.user_id.to_string()))
        }),
        ProcessColumn::Type => Some(process.kinds.letters().to_owned()),
        ProcessColumn::Memory => {
            number(ProcessMetric::GpuMemory).map(|bytes| Unit::Bytes.show(bytes))
        }
        ProcessColumn::Sm => percent(ProcessMetric::Sm),
        ProcessColumn::Encoder => percent(ProcessMetric::Encoder),
        ProcessColumn::Decoder => percent(ProcessMetric::Decoder),
        ProcessColumn::Cpu => percent(ProcessMetric::Cpu),
        ProcessColumn::Resident => {
            number(ProcessMetric::ResidentMemory).map(|bytes| Unit::Bytes.show(bytes))
        }
        ProcessColumn::Time => number(ProcessMetric::RunTime).map(|time| Unit::Seconds.show(time)),
        ProcessColumn::Command => identity.map(|who| who.command.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use crate::app::ProcessColumn;
    use crate::model::Unit;

    #[test]
    fn every_size_in_bytes_fits_its_column() {
        for column in [ProcessColumn::Memory, ProcessColumn::Resident] {
            for exponent in 0..50 {
                let longest = Unit::Bytes.show(1010.0 / 1024.0 * f64::from(exponent).exp2());
                assert!(longest.len() <= column.width().into(), "{column:?}: {longest}");
            }
        }
    }
}
