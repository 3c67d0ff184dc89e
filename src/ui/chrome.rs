//! What frames every tab: the header with the facts of the machine, and the footer with the keys that act here.

use ratatui::buffer::CellWidth;
use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::split_left;
use super::number::gibibytes;
use super::verdict::mark;
use crate::app::{Hit, State, Tab};
use crate::config::{Action, Context};
use crate::model::{HostMetric, Inventory, Origin, Sample, fixed, wrapped};
use crate::theme::Role;

/// Draws the program's name, the tabs, and as many facts as there is room for, the most important first to stay. The
/// labels that the picture is held or simulated are never cut.
pub(super) fn header(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    canvas.dress(area, Role::Header);
    let labels = labels(state, canvas);
    let reserved: u16 = labels.iter().map(|(_, label)| label.cell_width() + 1).sum();
    let (mut rest, _) = split_left(area, area.width.saturating_sub(reserved), 0);
    if area.width >= 72 {
        put(&mut rest, Role::HeaderName, "nvsdk-top", canvas);
    }
    // Where not all names fit, only that of the tab that is shown stays.
    let names: u16 = Tab::ALL.iter().map(|tab| tab.title().cell_width() + 3).sum();
    let is_narrow = names > rest.width;
    for tab in Tab::ALL {
        let (number, is_active) = (tab.number(), tab == state.tab);
        let role = if is_active { Role::TabActive } else { Role::Tab };
        let name = if is_active || !is_narrow { tab.title() } else { "" };
        let place = put(&mut rest, role, format!("{number} {name}").trim_end(), canvas);
        hits.add(place, Hit::Tab(tab));
    }
    rest.width = area.right() - rest.x;
    for (role, label) in labels {
        put(&mut rest, role, &label, canvas);
    }
    if let Some((inventory, sample)) = state.shown() {
        let (_, place) = split_left(rest, 2, 0);
        let facts = facts(state, inventory, sample);
        canvas.text_right(place, Role::Header, &fitting(&facts, state, usize::from(place.width)));
    }
}

/// Draws a text behind a blank, takes both from `rest`, and returns the text's place.
fn put(rest: &mut Rect, role: Role, text: &str, canvas: &mut Canvas<'_>) -> Rect {
    let (_, place) = split_left(*rest, 1, 0);
    let width = canvas.text(place, role, text);
    let (drawn, right) = split_left(place, width, 0);
    *rest = right;
    drawn
}

/// What nobody may overlook.
fn labels(state: &State, canvas: &Canvas<'_>) -> Vec<(Role, String)> {
    let is_demo = |(inventory, _): (&Inventory, _)| matches!(inventory.origin, Origin::Demo(_));
    let paused = state.held.is_some().then(|| (Role::Paused, " PAUSED ".to_owned()));
    let demo = state.shown().is_some_and(is_demo).then(|| (Role::Demo, " DEMO ".to_owned()));
    let (count, worst) = state.problems();
    let problems = (count > 0).then(|| (worst.into(), format!("{} {count}", mark(canvas, worst))));
    problems.into_iter().chain(paused).chain(demo).collect()
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
    let percent = |metric| sample.host(metric).ok().map(|value| format!("{}%", fixed(value, 0)));
    if let Some(cpu) = percent(HostMetric::Cpu) {
        facts.push((4, format!("CPU {cpu}")));
    }
    if let Ok(load) = sample.host(HostMetric::Load1) {
        facts.push((6, format!("load {}", fixed(load, 1))));
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
    (Context::Gpu, &[Action::NextGpu, Action::PreviousGpu, Action::Explain]),
    (Context::Processes, &[Action::Details, Action::SortMenu, Action::SortReverse]),
    (Context::Health, &[Action::SetMark, Action::Filter]),
    (
        Context::Setup,
        &[
            Action::Change,
            Action::Diff,
            Action::Write,
            Action::Undo,
            Action::TakeBack,
            Action::SwitchMode,
            Action::Zoom,
            Action::ReadAgain,
            Action::SwitchRelease,
        ],
    ),
    (Context::Menu, &[Action::Choose, Action::Mark, Action::Back]),
    (Context::Entry, &[Action::Choose, Action::Erase, Action::Back]),
    (Context::Confirm, &[Action::Yes, Action::No, Action::Down, Action::Up]),
    (Context::Report, &[Action::Back, Action::Down, Action::Up, Action::PageDown]),
    (Context::Explain, &[Action::Back, Action::Down, Action::Up]),
    (Context::Help, &[Action::Back, Action::PageDown, Action::PageUp]),
    (Context::NoDriver, &[Action::Demo, Action::Quit, Action::Help]),
];
/// Where only a dialog's own keys are told of.
const MODAL: &[Context] = &[
    Context::Menu,
    Context::Entry,
    Context::Confirm,
    Context::Report,
    Context::Explain,
    Context::Help,
    Context::NoDriver,
];
const TOLD_EVERYWHERE: &[Action] = &[
    Action::Quit,
    Action::NextTab,
    Action::Zoom,
    Action::Pause,
    Action::LongerSpan,
    Action::Faster,
];

/// Draws what the user should know now over the last rows of `area`, until a key or a click.
pub(super) fn notice(notice: &str, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let width = area.width.saturating_sub(1);
    let lines = wrapped(notice, usize::from(width).max(1)).count();
    let height = u16::try_from(lines).unwrap_or(u16::MAX).min(area.height);
    let place = Rect { y: area.bottom() - height, height, ..area };
    canvas.clear(place, Role::Popup);
    canvas.paragraph(Rect { width, ..place }, Role::Notice, notice);
    hits.add(place, Hit::Notice);
}

/// Draws the keys that act here.
pub(super) fn footer(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let context = state.context();
    let here = TOLD.iter().filter(|(told, _)| *told == context).flat_map(|(_, actions)| *actions);
    let modal = MODAL.contains(&context);
    // The interval and the charts do nothing to what a configuration says.
    let is_setup = context == Context::Setup;
    let everywhere = TOLD_EVERYWHERE.iter().filter(|_| !modal).take(if is_setup { 2 } else { 6 });
    let mut rest = area;
    let help = [Action::Help];
    let first = help.iter().filter(|_| !modal);
    for action in first.chain(here).chain(everywhere) {
        let Some(binding) = state.keymap.acting_key(context, *action) else { continue };
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
