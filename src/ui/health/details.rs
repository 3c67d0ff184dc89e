//! Everything about one entry of the timeline: what it means, who is likely to have caused it, and what to do.

use ratatui::layout::Rect;

use super::{Canvas, age_of, sign, split_top};
use crate::app::{Entry, What};
use crate::model::{Culprit, GpuEvent, Inventory, rfc3339, wrapped};
use crate::theme::Role;

/// A label with what it says; without a label, a paragraph of its own.
type Fact = (&'static str, Role, String);

/// Draws a frame with the facts, as many as there is room for.
pub(super) fn draw(
    entry: &Entry,
    inventory: &Inventory,
    now_us: u64,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let inside = canvas.frame(area, Role::Border, &entry.title());
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let (role, _) = sign(entry, canvas);
    let mut rest = inside;
    for (label, role, text) in facts(entry, inventory, now_us, role) {
        rest = draw_fact(label, role, &text, rest, canvas);
    }
}

/// Draws a fact and returns what is left below.
fn draw_fact(label: &str, role: Role, text: &str, area: Rect, canvas: &mut Canvas<'_>) -> Rect {
    let said = if label.is_empty() { text.to_owned() } else { format!("{label}: {text}") };
    let lines = wrapped(&said, usize::from(area.width).max(1)).count();
    let (place, rest) = split_top(area, u16::try_from(lines).unwrap_or(u16::MAX));
    canvas.paragraph(place, role, &said);
    if !label.is_empty() {
        canvas.text(
            Rect { height: place.height.min(1), ..place },
            Role::TextDim,
            &cut(label, &said, place),
        );
    }
    rest
}

/// The label with its colon, as far as the first line has it.
fn cut(label: &str, said: &str, place: Rect) -> String {
    let first = wrapped(said, usize::from(place.width).max(1)).next().unwrap_or_default();
    first.chars().take(label.chars().count() + 1).collect()
}

fn facts(entry: &Entry, inventory: &Inventory, now_us: u64, role: Role) -> Vec<Fact> {
    let when = format!("{} ago, {}", age_of(entry.unix_us, now_us), rfc3339(entry.unix_us));
    match &entry.what {
        What::Event(event) => of_event(event, entry, inventory, role, when),
        What::Mark => {
            vec![("", Role::Text, "You marked this time.".to_owned()), ("When", Role::Text, when)]
        }
        What::Verdict(change) => {
            let mut facts = vec![("", role, change.text())];
            if change.began {
                facts.push(("What to do", Role::TextStrong, change.finding.rule.advice.to_owned()));
            }
            facts.extend(gpu_of(entry, inventory));
            facts.push(("When", Role::Text, when));
            facts
        }
    }
}

fn of_event(
    event: &GpuEvent,
    entry: &Entry,
    inventory: &Inventory,
    role: Role,
    when: String,
) -> Vec<Fact> {
    let culprits: Vec<_> = event.culprits().iter().map(|culprit| Culprit::text(*culprit)).collect();
    let who = Some(culprits.join(", or ")).filter(|who| !who.is_empty());
    let process = match (&event.process, event.pid) {
        (Some(name), Some(pid)) => Some(format!("{name}, pid {pid}")),
        (Some(name), None) => Some(name.to_string()),
        (None, pid) => pid.map(|pid| format!("pid {pid}")),
    };
    let instance = match (event.gpu_instance, event.compute_instance) {
        (Some(gpu), Some(compute)) => {
            Some(format!("GPU instance {gpu}, compute instance {compute}"))
        }
        (Some(gpu), None) => Some(format!("GPU instance {gpu}")),
        (None, _) => None,
    };
    let address = event.pci.filter(|_| entry.gpu.is_none()).map(|address| address.to_string());
    let message = event.message.as_deref().map(str::to_owned);
    let plain = |label| move |text| (label, Role::Text, text);
    let mut facts = vec![("", role, event.meaning().to_owned())];
    facts.extend(who.map(plain("Likely culprit")));
    facts.push(("What to do", Role::TextStrong, event.advice().to_owned()));
    facts.extend(gpu_of(entry, inventory));
    facts.extend(address.map(plain("Device")));
    facts.extend(process.map(plain("Process")));
    facts.extend(instance.map(plain("MIG")));
    facts.extend(message.map(plain("Kernel log")));
    facts.push(("When", Role::Text, when));
    facts.push(("Told by", Role::Text, event.source.text().to_owned()));
    facts
}

/// The GPU by all its names.
fn gpu_of(entry: &Entry, inventory: &Inventory) -> Option<Fact> {
    let index = entry.gpu?;
    let known = inventory.gpus.iter().find(|gpu| gpu.index == index);
    let names = known.map(|gpu| [gpu.name.as_deref().ok(), gpu.pci_bus_id.as_deref().ok()]);
    let names: Vec<_> = names.into_iter().flatten().flatten().collect();
    Some(("GPU", Role::Text, format!("{index} {}", names.join(", ")).trim_end().to_owned()))
}
