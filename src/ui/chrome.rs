//! What frames every tab: the header with the facts of the machine, and the footer with the keys that act here.

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::split_left;
use super::number::gibibytes;
use crate::app::{Hit, State, Tab};
use crate::config::{Action, Context};
use crate::model::{HostMetric, Inventory, Origin, Sample};
use crate::theme::Role;

/// Draws the program's name, the tabs, and as many facts as there is room for, the most important first to stay.
pub(super) fn header(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    canvas.dress(area, Role::Header);
    let mut rest = area;
    let mut put = |canvas: &mut Canvas<'_>, role, text: &str, hit: Option<Hit>| {
        let (_, place) = split_left(rest, 1, 0);
        let width = canvas.text(place, role, text);
        if let Some(hit) = hit {
            hits.add(Rect { width, ..place }, hit);
        }
        (_, rest) = split_left(place, width, 0);
    };
    if area.width >= 72 {
        put(canvas, Role::HeaderName, "nvsdk-top", None);
    }
    for (tab, number) in Tab::ALL.into_iter().zip(1..) {
        let role = if tab == state.tab { Role::TabActive } else { Role::Tab };
        put(canvas, role, &format!("{number} {}", tab.title()), Some(Hit::Tab(tab)));
    }
    if state.held.is_some() {
        put(canvas, Role::Paused, " PAUSED ", None);
    }
    if let Some((inventory, sample)) = state.shown() {
        if let Origin::Demo(_) = inventory.origin {
            put(canvas, Role::Demo, " DEMO ", None);
        }
        let (_, place) = split_left(rest, 2, 0);
        let facts = facts(state, inventory, sample);
        canvas.text_right(place, Role::Header, &fitting(&facts, state, usize::from(place.width)));
    }
}

/// The facts of the machine, each with its rank: the higher ones leave first when there is no room.
fn facts(state: &State, inventory: &Inventory, sample: &Sample) -> Vec<(u8, String)> {
    let driver = &inventory.driver;
    let mut facts = vec![(1, inventory.host.name.clone())];
    if let Ok(version) = &driver.version {
        let module = driver
            .kernel_module
            .map_or_else(|_| String::new(), |module| format!(" {}", module.id()));
        facts.push((2, format!("{version}{module}")));
    }
    if let Ok(cuda) = &driver.cuda_version {
        facts.push((3, format!("CUDA {cuda}")));
    }
    let percent = |metric| sample.host(metric).ok().map(|value| format!("{value:.0}%"));
    if let Some(cpu) = percent(HostMetric::Cpu) {
        facts.push((4, format!("CPU {cpu}")));
    }
    if let Ok(load) = sample.host(HostMetric::Load1) {
        facts.push((6, format!("load {load:.1}")));
    }
    let memory = (sample.host(HostMetric::MemoryUsed), sample.host(HostMetric::MemoryTotal));
    if let (Ok(used), Ok(total)) = memory {
        facts.push((5, format!("mem {}/{}G", gibibytes(used), gibibytes(total))));
    }
    facts.push((0, state.config.interval.to_string()));
    facts
}

/// The facts that fit, in their order.
fn fitting(facts: &[(u8, String)], state: &State, room: usize) -> String {
    let separator = format!(" {} ", state.glyphs.separator);
    let joined = |most: u8| {
        let kept: Vec<_> =
            facts.iter().filter(|(rank, _)| *rank <= most).map(|(_, fact)| fact.as_str()).collect();
        kept.join(&separator)
    };
    let fits = |text: &String| unicode_width::UnicodeWidthStr::width(text.as_str()) < room;
    (0..=9).rev().map(joined).find(fits).unwrap_or_default()
}

/// The actions that the footer tells of, in each context, before those that are everywhere.
const TOLD: &[(Context, &[Action])] = &[
    (Context::Overview, &[Action::Details, Action::SortMenu, Action::SortReverse]),
    (Context::Gpu, &[Action::NextGpu, Action::PreviousGpu]),
    (Context::Processes, &[Action::Details, Action::SortMenu, Action::SortReverse]),
    (Context::Menu, &[Action::Choose, Action::Back]),
    (Context::Help, &[Action::Back, Action::PageDown, Action::PageUp]),
    (Context::NoDriver, &[Action::Demo, Action::Quit, Action::Help]),
];
const TOLD_EVERYWHERE: &[Action] = &[
    Action::Quit,
    Action::NextTab,
    Action::Zoom,
    Action::Pause,
    Action::LongerSpan,
    Action::Faster,
];

/// Draws the keys that act here, or what the user should know now.
pub(super) fn footer(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let context = state.context();
    let here = TOLD.iter().filter(|(told, _)| *told == context).flat_map(|(_, actions)| *actions);
    let modal = matches!(context, Context::Menu | Context::Help | Context::NoDriver);
    let everywhere = TOLD_EVERYWHERE.iter().filter(|_| !modal);
    let mut rest = area;
    if let Some(notice) = &state.notice {
        canvas.text(rest, Role::Notice, notice);
        return;
    }
    let help = [Action::Help];
    let first = help.iter().filter(|_| !modal);
    for action in first.chain(here).chain(everywhere) {
        let mut acting = state.keymap.acting_in(context);
        let Some(binding) = acting.find(|row| row.action == *action) else { continue };
        let (_, place) = split_left(rest, 1, 0);
        let key = binding.chord.to_string();
        let needed = key.len() + 1 + action.spec().label.len();
        if usize::from(place.width) <= needed {
            return;
        }
        let key_width = canvas.text(place, Role::FooterKey, &key);
        let (_, label) = split_left(place, key_width, 1);
        let label_width = canvas.text(label, Role::FooterText, action.spec().label);
        let width = key_width + 1 + label_width;
        hits.add(Rect { width, ..place }, Hit::Action(*action));
        (_, rest) = split_left(place, width, 1);
    }
}
