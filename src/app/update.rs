//! How an event changes the state.

use std::sync::Arc;

use crate::config::{Action, Context, KeyChord};
use crate::model::Absent;
use crate::source::Snapshot;

use super::columns::{PROCESS_COLUMNS, ProcessColumn, placed_columns};
use super::effect::Effect;
use super::event::{Event, Hit};
use super::health::Entry;
use super::setup;
use super::state::{Held, List, Mode, Panel, State, Stream, Tab};

/// Changes `state` as `event` asks for, and adds to `effects` what only the outer layer can do.
pub fn update(state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::Sampled(snapshot) => sampled(state, snapshot),
        Event::Opening(sentence) => without_gpus(state, Stream::Waiting(Some(sentence))),
        Event::Outage(outage) => without_gpus(state, Stream::Down(outage)),
        Event::Key(chord) => key(state, chord, effects),
        Event::Clicked(hit) => click(state, hit, effects),
        Event::Scrolled(hit, rows) => scroll(state, hit, rows),
        Event::Resized(columns, rows) => state.size = (columns, rows),
        Event::SetupRead(read) => state.setup.read(*read),
        Event::SetupWritten(written) => state.setup.written(written, effects),
        Event::DraftNotKept(why) => state.notice = Some(why),
    }
    if state.tab == Tab::Setup {
        state.setup.open(effects);
    }
}

fn sampled(state: &mut State, snapshot: Arc<Snapshot>) {
    let generation = snapshot.inventory.generation;
    let before = state.newest.as_ref().map(|newest| newest.inventory.generation);
    state.store.push(&snapshot.sample, &snapshot.inventory);
    let until_us = state.events_until_us();
    state.health.hear(&snapshot.sample.events.new, &snapshot.inventory, until_us);
    for change in state.verdicts.look(&snapshot, &state.store) {
        state.health.add(Entry::of_verdict(change), until_us);
    }
    if before != Some(generation) && state.notice.is_none() {
        state.notice = missing(state, &snapshot);
    }
    // Lines may come and go with a sample; where they are not shown they are not worked out either.
    let line = (state.tab == Tab::Gpu).then(|| state.selected_gpu_line()).flatten();
    state.newest = Some(snapshot);
    if line.is_some() {
        state.keep_gpu_line(line);
    }
    state.stream = Stream::Live;
}

/// Which of the GPUs that the user asked for are not there, as far as it is known which there are.
fn missing(state: &State, snapshot: &Snapshot) -> Option<String> {
    let gpus = &snapshot.inventory.gpus;
    if gpus.iter().any(|gpu| gpu.uuid == Err(Absent::NotReadYet)) {
        return None;
    }
    let picked = state.config.gpus.pick(gpus, state.cuda_visible_devices.as_deref());
    let names = Some(picked.missing.join(", ")).filter(|names| !names.is_empty())?;
    Some(format!(
        "No GPU here is named {names}; correct --gpus, the settings file or CUDA_VISIBLE_DEVICES."
    ))
}

/// What was shown of a driver that is gone is not what it says now.
fn without_gpus(state: &mut State, stream: Stream) {
    state.newest = None;
    state.held = None;
    state.stream = stream;
}

fn key(state: &mut State, chord: KeyChord, effects: &mut Vec<Effect>) {
    state.notice = None;
    if state.context() == Context::Entry
        && let Some(c) = chord.character()
    {
        state.setup.type_in(c);
        return;
    }
    if let Some(action) = state.keymap.lookup(state.context(), chord) {
        act(state, action, effects);
    }
}

/// Does what an action says; one line for each.
fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Quit => effects.push(Effect::Quit),
        Action::Help => state.mode = Mode::Help { top: 0 },
        Action::Cost => state.mode = Mode::Cost { top: 0 },
        Action::Wake => effects.extend([Effect::Wake, Effect::SampleNow]),
        Action::Back => back(state),
        Action::NextTab => turn_tab(state, 1),
        Action::PreviousTab => turn_tab(state, Tab::ALL.len() - 1),
        Action::TabOverview => show_tab(state, Tab::Overview),
        Action::TabGpu => show_tab(state, Tab::Gpu),
        Action::TabProcesses => show_tab(state, Tab::Processes),
        Action::TabHealth => show_tab(state, Tab::Health),
        Action::TabSetup => show_tab(state, Tab::Setup),
        Action::Up => travel(state, -1),
        Action::Down => travel(state, 1),
        Action::PageUp => travel(state, -page(state)),
        Action::PageDown => travel(state, page(state)),
        Action::First => travel(state, isize::MIN),
        Action::Last => travel(state, isize::MAX),
        Action::Left => sideways(state, -1),
        Action::Right => sideways(state, 1),
        Action::PreviousGpu => turn_gpu(state, -1),
        Action::NextGpu => turn_gpu(state, 1),
        Action::Zoom => zoom(state),
        Action::Pause => pause(state),
        Action::Faster => set_interval(state, state.config.interval.faster(), effects),
        Action::Slower => set_interval(state, state.config.interval.slower(), effects),
        Action::Refresh => effects.extend([Effect::SampleNow, Effect::Redraw]),
        Action::LongerSpan => state.config.span = state.config.span.longer(),
        Action::ShorterSpan => state.config.span = state.config.span.shorter(),
        Action::ToggleTemperature => state.config.temperature = state.config.temperature.toggled(),
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Details => details(state),
        Action::Explain => explain(state),
        Action::SortMenu => open_sort_menu(state),
        Action::SortNext => turn_sort(state, 1),
        Action::SortPrevious => turn_sort(state, PROCESS_COLUMNS.len() - 1),
        Action::SortReverse => state.reversed = !state.reversed,
        Action::Choose => choose(state, effects),
        // Of columns one is taken.
        Action::Mark if matches!(state.mode, Mode::SortMenu { .. }) => choose(state, effects),
        Action::SetMark => mark(state),
        Action::Filter => {
            state.health.filter = state.health.filter.next();
            state.health.list = List::default();
        }
        Action::Demo => effects.push(Effect::StartDemo),
        Action::Change
        | Action::Diff
        | Action::Write
        | Action::Undo
        | Action::TakeBack
        | Action::SwitchMode
        | Action::SwitchRelease
        | Action::ReadAgain
        | Action::Mark
        | Action::Erase
        | Action::Yes
        | Action::No => setup::act(state, action, effects),
    }
}

/// Closes what is on top.
fn back(state: &mut State) {
    match state.mode {
        Mode::Normal if state.tab == Tab::Setup && state.setup.close() => {}
        Mode::Normal => state.zoom = None,
        Mode::Help { .. } | Mode::Explain { .. } | Mode::Cost { .. } | Mode::SortMenu { .. } => {
            state.mode = Mode::Normal;
        }
    }
}

fn show_tab(state: &mut State, tab: Tab) {
    if state.tab != tab {
        state.command_from = 0;
    }
    state.tab = tab;
    state.zoom = None;
    state.mode = Mode::Normal;
}

fn turn_tab(state: &mut State, steps: usize) {
    let here = Tab::ALL.iter().position(|tab| *tab == state.tab).unwrap_or(0);
    show_tab(state, Tab::ALL[(here + steps) % Tab::ALL.len()]);
}

/// Moves what the arrows move: the help, the menu, or the selection of the tab.
fn travel(state: &mut State, rows: isize) {
    match &mut state.mode {
        Mode::Help { top } => {
            let from = *top;
            let count = state.last_help_top() + 1;
            state.mode = Mode::Help { top: moved(from, rows, count) };
        }
        Mode::Explain { cursor } => {
            let from = *cursor;
            let count = state.explained().len();
            state.mode = Mode::Explain { cursor: moved(from, rows, count) };
        }
        Mode::Cost { top } => {
            let from = *top;
            let count = state.last_cost_top() + 1;
            state.mode = Mode::Cost { top: moved(from, rows, count) };
        }
        Mode::SortMenu { cursor } => *cursor = moved(*cursor, rows, PROCESS_COLUMNS.len()),
        Mode::Normal => match state.tab {
            Tab::Overview if !state.lists_processes() => turn_gpu(state, rows),
            Tab::Overview | Tab::Processes => {
                state.focus = Panel::Processes;
                let count = state.processes().count();
                state.processes.cursor = moved(state.processes.cursor, rows, count);
            }
            Tab::Gpu => {
                let count = state.gpu_lines().len();
                state.gpu_rows.cursor = moved(state.gpu_rows.cursor, rows, count);
            }
            Tab::Health => {
                let count = state.health_entries().len();
                state.health.list.cursor = moved(state.health.list.cursor, rows, count);
            }
            Tab::Setup => setup::travel(state, rows),
        },
    }
}

pub(super) fn moved(cursor: usize, rows: isize, count: usize) -> usize {
    let last = count.saturating_sub(1);
    cursor.min(last).saturating_add_signed(rows).min(last)
}

fn page(state: &State) -> isize {
    isize::try_from(state.size.1 / 2).unwrap_or(1).max(1)
}

fn turn_gpu(state: &mut State, steps: isize) {
    state.focus = Panel::Gpus;
    state.gpus.cursor = moved(state.gpus.cursor, steps, state.visible_gpus().len());
}

/// Goes to the GPU beside the selected one or, where there are only processes, along their commands.
fn sideways(state: &mut State, steps: isize) {
    if state.tab == Tab::Setup {
        setup::turn_panel(state, steps);
        return;
    }
    if state.tab == Tab::Health {
        zoom(state);
        return;
    }
    if state.tab != Tab::Processes {
        turn_gpu(state, steps);
        return;
    }
    let commands = state.processes().filter_map(|process| process.identity.as_deref().ok());
    let longest = commands.map(|who| who.command.chars().count()).max().unwrap_or(0);
    // The list has a frame, and where it was scrolled a command begins with an ellipsis.
    let columns = placed_columns(state.size.0.saturating_sub(2));
    let room = columns.last().map_or(0, |(_, _, width)| usize::from(*width));
    let furthest = if longest > room { longest - room + 1 } else { 0 };
    state.command_from = moved(state.command_from, steps * COMMAND_STEP, furthest + 1);
}

/// How many characters the commands move at once.
const COMMAND_STEP: isize = 10;

fn zoom(state: &mut State) {
    state.zoom = match (state.zoom, state.tab) {
        (_, Tab::Setup) => return setup::turn_panel(state, 1),
        // Nothing stands beside the processes.
        (Some(_), _) | (None, Tab::Processes) => None,
        (None, Tab::Overview) => Some(Panel::Gpus),
        (None, Tab::Gpu) => Some(Panel::History),
        (None, Tab::Health) => Some(Panel::Event),
    };
}

fn pause(state: &mut State) {
    let newest = state.newest.clone().filter(|_| state.held.is_none());
    state.held = newest.map(|snapshot| Held {
        snapshot,
        store: state.store.clone(),
        verdicts: state.verdicts.clone(),
    });
}

/// Marks the time that is shown.
fn mark(state: &mut State) {
    if let Some((_, sample)) = state.shown() {
        let unix_us = sample.unix_us;
        state.health.mark(unix_us);
    }
}

fn set_interval(state: &mut State, interval: crate::config::Interval, effects: &mut Vec<Effect>) {
    state.config.interval = interval;
    state.store.set_interval(interval.duration());
    effects.push(Effect::SetInterval(interval.duration()));
}

/// Shows everything about the GPU that was selected last, or that of the process that was selected last.
fn details(state: &mut State) {
    let is_gpu = state.tab == Tab::Overview && state.focus == Panel::Gpus;
    if !is_gpu && state.lists_processes() {
        let processes = state.sorted_processes();
        let row = state.processes.row(processes.len());
        if let Some(gpu) = row.and_then(|row| processes.get(row)).map(|process| process.gpu) {
            select_gpu(state, gpu);
        }
    }
    show_tab(state, Tab::Gpu);
}

/// Selects the GPU at this position of the inventory, if it is shown.
fn select_gpu(state: &mut State, gpu: usize) {
    if let Some(cursor) = state.visible_gpus().iter().position(|known| *known == gpu) {
        state.gpus = List { cursor };
    }
}

/// Says what a number is: on the GPU tab the selected one first.
fn explain(state: &mut State) {
    let selected = state.selected_number().filter(|_| state.tab == Tab::Gpu);
    let cursor = selected.unwrap_or(0);
    state.mode = Mode::Explain { cursor };
}

fn open_sort_menu(state: &mut State) {
    let cursor = PROCESS_COLUMNS.iter().position(|column| *column == state.sort).unwrap_or(0);
    state.mode = Mode::SortMenu { cursor };
}

fn turn_sort(state: &mut State, steps: usize) {
    let here = PROCESS_COLUMNS.iter().position(|column| *column == state.sort).unwrap_or(0);
    state.sort = PROCESS_COLUMNS[(here + steps) % PROCESS_COLUMNS.len()];
    state.reversed = false;
}

fn choose(state: &mut State, effects: &mut Vec<Effect>) {
    if state.mode == Mode::Normal && state.tab == Tab::Setup {
        setup::act(state, Action::Choose, effects);
    } else if let Mode::SortMenu { cursor } = state.mode {
        sort_by(state, PROCESS_COLUMNS[cursor.min(PROCESS_COLUMNS.len() - 1)]);
    }
}

fn sort_by(state: &mut State, column: ProcessColumn) {
    state.sort = column;
    state.reversed = false;
    state.mode = Mode::Normal;
}

fn click(state: &mut State, hit: Hit, effects: &mut Vec<Effect>) {
    state.notice = None;
    match hit {
        Hit::Help => back(state),
        Hit::MenuRow(row) if matches!(state.mode, Mode::SortMenu { .. }) => {
            state.mode = Mode::SortMenu { cursor: row };
            choose(state, effects);
        }
        Hit::MenuRow(cursor) if matches!(state.mode, Mode::Explain { .. }) => {
            state.mode = Mode::Explain { cursor };
        }
        Hit::SetupRow(_) | Hit::MenuRow(_) if state.mode != Mode::Normal => back(state),
        Hit::SetupRow(row) => setup::click_row(state, row, effects),
        Hit::MenuRow(row) => setup::click_menu(state, row, effects),
        Hit::Panel(Panel::Evidence | Panel::Plan) if state.mode == Mode::Normal => back(state),
        // Beside a dialog.
        Hit::Panel(_)
        | Hit::Gpu(_)
        | Hit::GpuRow(_)
        | Hit::HealthRow(_)
        | Hit::Process(_)
        | Hit::Column(_)
            if state.mode != Mode::Normal =>
        {
            back(state);
        }
        Hit::Tab(tab) => show_tab(state, tab),
        Hit::Panel(_) | Hit::Notice => {}
        Hit::Gpu(gpu) => {
            state.focus = Panel::Gpus;
            select_gpu(state, gpu);
        }
        Hit::HealthRow(cursor) => state.health.list = List { cursor },
        Hit::GpuRow(cursor) => state.gpu_rows = List { cursor },
        Hit::Process(cursor) => {
            state.focus = Panel::Processes;
            state.processes = List { cursor };
        }
        Hit::Column(column) if column == state.sort => state.reversed = !state.reversed,
        Hit::Column(column) => sort_by(state, column),
        Hit::Action(action) => act(state, action, effects),
    }
}

fn scroll(state: &mut State, hit: Hit, rows: i32) {
    let rows = isize::try_from(rows).unwrap_or(0);
    match hit {
        Hit::Tab(_) | Hit::Action(_) | Hit::Notice => {}
        Hit::Gpu(_) if state.mode == Mode::Normal => turn_gpu(state, rows),
        _ => travel(state, rows),
    }
}
