//! What lasts about a GPU, its MIG devices and its neighbours, as lines below its numbers.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::gpu_links;
use super::layout::split_left;
use crate::app::{GpuLine, State};
use crate::model::{Absent, GpuFact, GpuPair, LinksBetween, MigDevice, Unit, printable};
use crate::theme::Role;

/// Draws a line that is no number: its label, and the answer or, where it is selected, the reason why there is none.
pub(super) fn draw(
    state: &State,
    entry: GpuLine,
    selected: bool,
    line: Rect,
    canvas: &mut Canvas<'_>,
) {
    let Some((label, answer)) = texts(state, entry) else { return };
    let (_, words) = split_left(line, 2, 0);
    let (name, rest) = split_left(words, if line.width < 32 { 9 } else { 16 }, 1);
    canvas.text(name, Role::TextDim, &label);
    match answer {
        Ok(text) => {
            let is_missing = matches!(entry, GpuLine::Missing(_));
            let role = if is_missing { Role::Absent } else { Role::Text };
            canvas.text(rest, role, &text);
        }
        Err(why) if selected => {
            let text = format!("{} {}", canvas.glyphs.absent, why.sentence());
            canvas.text(rest, Role::Absent, &text);
        }
        Err(_) => {
            canvas.text(rest, Role::Absent, canvas.glyphs.absent);
        }
    }
    if selected {
        canvas.dress(line, Role::Selection);
    }
}

/// Says what the selected line means, where a number's history would be.
pub(super) fn draw_help(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(entry) = state.selected_gpu_line() else { return };
    let Some((label, answer)) = texts(state, entry) else { return };
    let inside = canvas.frame(area, Role::Border, &label);
    let place = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let answer = match entry {
        GpuLine::Links(metric) if answer.is_ok() => {
            gpu_links::each(metric, state.link_readings(metric), canvas.glyphs.absent)
        }
        GpuLine::Missing(group) => gpu_links::reasons(&state.missing_numbers(group)),
        _ => answer.unwrap_or_else(|why| why.sentence().into_owned()),
    };
    canvas.paragraph(
        place,
        Role::Text,
        &format!("{answer} {} {}", canvas.glyphs.separator, help(entry)),
    );
}

fn help(entry: GpuLine) -> &'static str {
    match entry {
        GpuLine::Number(slot) => slot.metric.spec().help,
        GpuLine::Links(metric) => metric.spec().help,
        GpuLine::Missing(_) => "What this GPU will not say for as long as its driver stays.",
        GpuLine::Fact(fact) => fact.spec().help,
        GpuLine::MigDevice(_) => "A part of the GPU that programs see as a GPU of its own.",
        GpuLine::Pair(_) => {
            "What joins this GPU to another one: NVLinks, and what lies above both on the PCIe side."
        }
    }
}

/// The label of a line, and its answer.
fn texts(state: &State, entry: GpuLine) -> Option<(String, Result<String, Absent>)> {
    match entry {
        GpuLine::Number(_) => None,
        GpuLine::Links(metric) => {
            let answer = gpu_links::summary(metric, state.link_readings(metric));
            Some((metric.spec().label.to_owned(), answer))
        }
        GpuLine::Missing(group) => {
            let missing = state.missing_numbers(group);
            Some((format!("{} not here", missing.len()), Ok(gpu_links::names(&missing))))
        }
        GpuLine::Fact(fact) => Some((fact.spec().label.to_owned(), fact_text(state, fact)?)),
        GpuLine::MigDevice(place) => {
            let (device, processes) = state.mig_device(place)?;
            Some((instance_text(device), Ok(device_text(device, processes))))
        }
        GpuLine::Pair(place) => {
            let (pair, other) = state.gpu_pair(place)?;
            Some((format!("GPU {other}"), pair_text(pair)))
        }
    }
}

fn fact_text(state: &State, fact: GpuFact) -> Option<Result<String, Absent>> {
    let (inventory, _) = state.shown()?;
    let gpu = inventory.gpus.get(state.selected_gpu()?)?;
    Some(gpu.facts.get(fact).map(|value| fact.show(value)))
}

/// Where the device is among the instances.
fn instance_text(device: &MigDevice) -> String {
    let number = |number: Result<u32, Absent>| {
        number.map_or_else(|_| "?".to_owned(), |number| number.to_string())
    };
    format!("GI {} CI {}", number(device.gpu_instance), number(device.compute_instance))
}

fn device_text(device: &MigDevice, processes: usize) -> String {
    let profile = device.profile.as_deref().unwrap_or("unknown size");
    let memory = device.memory_total_bytes.ok().map(|bytes| Unit::Bytes.show(bytes as f64));
    let processes = match processes {
        0 => "no process".to_owned(),
        1 => "1 process".to_owned(),
        count => format!("{count} processes"),
    };
    let parts = [Some(printable(profile).into_owned()), memory, Some(processes)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn pair_text(pair: &GpuPair) -> Result<String, Absent> {
    let links = match pair.nvlinks {
        Ok(LinksBetween { count: 0, .. }) | Err(_) => None,
        Ok(LinksBetween { count, through_switch: true }) => {
            Some(format!("{count} NVLinks by switch"))
        }
        Ok(LinksBetween { count, through_switch: false }) => Some(format!("{count} NVLinks")),
    };
    let ancestor = pair.common_ancestor.map(|ancestor| match ancestor.letters() {
        Some(letters) => format!("{letters}, {}", ancestor.text()),
        None => ancestor.text(),
    });
    match (links, ancestor) {
        (Some(links), Ok(ancestor)) => Ok(format!("{links}; {ancestor}")),
        (Some(links), Err(_)) => Ok(links),
        (None, ancestor) => ancestor,
    }
}
