//! How an event changes the state.

use std::sync::Arc;

use crate::config::{Action, KeyChord};
use crate::source::Snapshot;

use super::columns::{PROCESS_COLUMNS, ProcessColumn};
use super::effect::Effect;
use super::event::{Event, Hit, Outage};
use super::state::{List, Mode, Panel, State, Stream, Tab};

/// Changes `state` as `event` asks for, and adds to `effects` what only the outer layer can do.
pub fn update(state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::Sampled(snapshot) => sampled(state, snapshot),
        Event::Outage(outage) => down(state, outage),
        Event::Key(chord) => key(state, chord, effects),
        Event::Clicked(hit) => click(state, hit, effects),
        Event::Scrolled(hit, rows) => scroll(state, hit, rows),
        Event::Resized(columns, rows) => state.size = (columns, rows),
        Event::Continued => effects.push(Effect::Redraw),
    }
}

fn sampled(state: &mut State, snapshot: Arc<Snapshot>) {
    state.store.push(&snapshot.sample, &snapshot.inventory);
    state.newest = Some(snapshot);
    state.stream = Stream::Live;
}

/// What was shown of a driver that is gone is not what it says now.
fn down(state: &mut State, outage: Arc<Outage>) {
    state.newest = None;
    state.held = None;
    state.stream = Stream::Down(outage);
}

fn key(state: &mut State, chord: KeyChord, effects: &mut Vec<Effect>) {
    if let Some(action) = state.keymap.lookup(state.context(), chord) {
        state.notice = None;
        act(state, action, effects);
    }
}

/// Does what an action says; one line for each.
fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Quit => effects.push(Effect::Quit),
        Action::Help => state.mode = Mode::Help { top: 0 },
        Action::Back => back(state),
        Action::NextTab => turn_tab(state, 1),
        Action::PreviousTab => turn_tab(state, Tab::ALL.len() - 1),
        Action::TabOverview => show_tab(state, Tab::Overview),
        Action::TabGpu => show_tab(state, Tab::Gpu),
        Action::TabProcesses => show_tab(state, Tab::Processes),
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
        Action::SortMenu => open_sort_menu(state),
        Action::SortNext => turn_sort(state, 1),
        Action::SortPrevious => turn_sort(state, PROCESS_COLUMNS.len() - 1),
        Action::SortReverse => state.reversed = !state.reversed,
        Action::Choose => choose(state),
        Action::Demo => effects.push(Effect::StartDemo),
    }
}

/// Closes what is on top.
fn back(state: &mut State) {
    match state.mode {
        Mode::Normal => state.zoom = None,
        Mode::Help { .. } | Mode::SortMenu { .. } => state.mode = Mode::Normal,
    }
}

fn show_tab(state: &mut State, tab: Tab) {
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
        Mode::SortMenu { cursor } => *cursor = moved(*cursor, rows, PROCESS_COLUMNS.len()),
        Mode::Normal => {
            let lines = match state.tab {
                Tab::Overview | Tab::Processes => state.sorted_processes().len(),
                Tab::Gpu => state.gpu_lines().len(),
            };
            let list = match state.tab {
                Tab::Overview | Tab::Processes => &mut state.processes,
                Tab::Gpu => &mut state.gpu_rows,
            };
            list.cursor = moved(list.cursor, rows, lines);
        }
    }
}

fn moved(cursor: usize, rows: isize, count: usize) -> usize {
    let last = count.saturating_sub(1);
    cursor.min(last).saturating_add_signed(rows).min(last)
}

fn page(state: &State) -> isize {
    isize::try_from(state.size.1 / 2).unwrap_or(1).max(1)
}

fn turn_gpu(state: &mut State, steps: isize) {
    state.gpus.cursor = moved(state.gpus.cursor, steps, state.visible_gpus().len());
}

/// Goes to the GPU beside the selected one or, where there are only processes, along their commands.
fn sideways(state: &mut State, steps: isize) {
    if state.tab != Tab::Processes {
        turn_gpu(state, steps);
        return;
    }
    let processes = state.sorted_processes();
    let commands = processes.iter().filter_map(|process| process.identity.as_deref().ok());
    let longest = commands.map(|who| who.command.chars().count()).max().unwrap_or(0);
    state.command_from = moved(state.command_from, steps * COMMAND_STEP, longest);
}

/// How many characters the commands move at once.
const COMMAND_STEP: isize = 10;

fn zoom(state: &mut State) {
    state.zoom = match (state.zoom, state.tab) {
        (Some(_), _) => None,
        (None, Tab::Overview) => Some(Panel::Gpus),
        (None, Tab::Gpu) => Some(Panel::History),
        (None, Tab::Processes) => Some(Panel::Processes),
    };
}

fn pause(state: &mut State) {
    state.held = match state.held {
        Some(_) => None,
        None => state.newest.clone(),
    };
}

fn set_interval(state: &mut State, interval: crate::config::Interval, effects: &mut Vec<Effect>) {
    state.config.interval = interval;
    state.store.set_interval(interval.duration());
    effects.push(Effect::SetInterval(interval.duration()));
}

/// Shows everything about the GPU of the selected process.
fn details(state: &mut State) {
    let processes = state.sorted_processes();
    let row = state.processes.row(processes.len());
    let gpu = row.and_then(|row| processes.get(row)).map(|process| process.gpu);
    let visible = state.visible_gpus();
    if let Some(cursor) = gpu.and_then(|gpu| visible.iter().position(|known| *known == gpu)) {
        state.gpus = List { cursor };
    }
    show_tab(state, Tab::Gpu);
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

fn choose(state: &mut State) {
    if let Mode::SortMenu { cursor } = state.mode {
        sort_by(state, PROCESS_COLUMNS[cursor.min(PROCESS_COLUMNS.len() - 1)]);
    }
}

fn sort_by(state: &mut State, column: ProcessColumn) {
    state.sort = column;
    state.reversed = false;
    state.mode = Mode::Normal;
}

fn click(state: &mut State, hit: Hit, effects: &mut Vec<Effect>) {
    match hit {
        Hit::Column(column) if matches!(state.mode, Mode::SortMenu { .. }) => {
            sort_by(state, column);
        }
        // Beside a dialog, or on the help.
        Hit::Panel(_) | Hit::Gpu(_) | Hit::GpuRow(_) | Hit::Process(_) | Hit::Column(_)
            if state.mode != Mode::Normal =>
        {
            back(state);
        }
        Hit::Tab(tab) => show_tab(state, tab),
        Hit::Panel(_) => {}
        Hit::Gpu(gpu) => {
            let visible = state.visible_gpus();
            if let Some(cursor) = visible.iter().position(|known| *known == gpu) {
                state.gpus = List { cursor };
            }
        }
        Hit::GpuRow(cursor) => state.gpu_rows = List { cursor },
        Hit::Process(cursor) => state.processes = List { cursor },
        Hit::Column(column) if column == state.sort => state.reversed = !state.reversed,
        Hit::Column(column) => sort_by(state, column),
        Hit::Action(action) => act(state, action, effects),
    }
}

fn scroll(state: &mut State, hit: Hit, rows: i32) {
    let rows = isize::try_from(rows).unwrap_or(0);
    match hit {
        Hit::Gpu(_) | Hit::Panel(Panel::Gpus)
            if state.tab == Tab::Overview && state.mode == Mode::Normal =>
        {
            turn_gpu(state, rows);
        }
        _ => travel(state, rows),
    }
}
