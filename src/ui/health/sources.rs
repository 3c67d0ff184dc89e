//! What is listened to, and what cannot be heard and why.

use ratatui::layout::Rect;

use super::{Canvas, split_top};
use crate::app::{Filter, State};
use crate::model::{Absent, EventSources, Inventory, wrapped};
use crate::theme::Role;

/// Draws in a line what is listened to.
pub(super) fn draw_line(
    inventory: &Inventory,
    sources: &EventSources,
    line: Rect,
    canvas: &mut Canvas<'_>,
) {
    let heard = heard(sources);
    let nvml = format!(" listening to NVML for {}", counted(heard, inventory.gpus.len()));
    let log = match sources.kernel_log {
        Ok(()) => "to the kernel log".to_owned(),
        Err(why) => format!("no kernel log: {}", why.sentence()),
    };
    let separator = canvas.glyphs.separator;
    canvas.text(line, Role::TextDim, &format!("{nvml} {separator} {log}"));
}

fn counted(heard: usize, gpus: usize) -> String {
    format!("{heard} of {gpus} {}", if gpus == 1 { "GPU" } else { "GPUs" })
}

fn heard(sources: &EventSources) -> usize {
    sources.nvml.iter().filter(|types| types.is_ok()).count()
}

/// Says that nothing happened, and what would have been heard.
pub(super) fn draw_empty(
    state: &State,
    inventory: &Inventory,
    sources: &EventSources,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let mut rest = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    for (role, text) in sentences(state, inventory, sources) {
        let lines = wrapped(&text, usize::from(rest.width).max(1)).count();
        let (place, below) = split_top(rest, u16::try_from(lines).unwrap_or(u16::MAX));
        canvas.paragraph(place, role, &text);
        rest = below;
    }
}

fn sentences(state: &State, inventory: &Inventory, sources: &EventSources) -> Vec<(Role, String)> {
    let nothing = match state.health.filter {
        Filter::All => "Nothing has happened to these GPUs as far as it was told.".to_owned(),
        filter => format!("Nothing is listed: the filter shows {}.", filter.text()),
    };
    let (heard, gpus) = (heard(sources), inventory.gpus.len());
    let mut sentences = vec![(Role::Text, nothing)];
    let nvml = format!("NVML tells of events of {}.", counted(heard, gpus));
    sentences.push((Role::TextDim, nvml));
    let mut reasons: Vec<(Absent, Vec<String>)> = Vec::new();
    for (gpu, why) in inventory.gpus.iter().zip(&sources.nvml) {
        let Err(why) = why else { continue };
        let index = gpu.index.to_string();
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, indices)) => indices.push(index),
            None => reasons.push((*why, vec![index])),
        }
    }
    let absent = |(why, indices): (Absent, Vec<String>)| {
        (Role::Absent, format!("Not of GPU {}: {}.", indices.join(", "), why.sentence()))
    };
    sentences.extend(reasons.into_iter().map(absent));
    sentences.push(match sources.kernel_log {
        Ok(()) => (Role::TextDim, "The kernel log is read for the driver's errors.".to_owned()),
        Err(Absent::NoPermission) => (
            Role::Absent,
            "The kernel log cannot be read: this user may not; run as root, or set kernel.dmesg_restrict to 0."
                .to_owned(),
        ),
        Err(why) => (Role::Absent, format!("The kernel log cannot be read: {}.", why.sentence())),
    });
    if let Some(binding) = state.keymap.acting_key(state.context(), crate::config::Action::SetMark)
    {
        sentences.push((Role::TextDim, format!("The key {} marks a time here.", binding.chord)));
    }
    sentences
}
