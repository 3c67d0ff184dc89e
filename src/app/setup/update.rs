//! How keys and clicks change the tab Setup.

use super::dialog::Dialog;
use super::lines::most_rows;
use super::{SetupTab, Sheet, Stage};
use crate::app::effect::Effect;
use crate::app::state::{List, Panel, State};
use crate::app::update::moved;
use crate::config::Action;
use crate::setup::{Kind, OPTIONS, SdkOption, Value};

/// What is said where the simulated machine would be written.
const SIMULATED: &str = "This machine is simulated, so nothing is written.";

/// Does what an action says in the tab.
pub(in crate::app) fn act(state: &mut State, action: Action, effects: &mut Vec<Effect>) {
    let tab = &mut state.setup;
    let done = match action {
        Action::ReadAgain => {
            if !matches!(tab.stage, Stage::Unread | Stage::Reading) {
                effects.push(Effect::ReadSetup);
            }
            Ok(false)
        }
        Action::Change => change(tab),
        Action::TakeBack => with(tab, |sheet, option| Ok(sheet.forget(option))),
        Action::Undo => with(tab, |sheet, _| {
            if sheet.undo() { Ok(true) } else { Err("There is nothing to take back.".to_owned()) }
        }),
        Action::SwitchMode => with(tab, |sheet, _| {
            sheet.turn_mode();
            Ok(true)
        }),
        Action::SwitchRelease => with(tab, |sheet, _| {
            sheet.turn_release();
            Ok(true)
        }),
        Action::Diff => show_diff(tab),
        Action::Write => ask(tab),
        Action::Choose => choose(tab),
        Action::Mark => mark(tab),
        Action::Yes => {
            write(tab, effects);
            Ok(false)
        }
        Action::Erase => {
            erase(tab);
            Ok(false)
        }
        _ => {
            tab.close();
            Ok(false)
        }
    };
    match done {
        Ok(true) => keep(&state.setup, effects),
        Ok(false) => {}
        Err(why) => state.notice = Some(why),
    }
}

/// Keeps the draft; what is chosen on a simulated machine is nobody's.
fn keep(tab: &SetupTab, effects: &mut Vec<Effect>) {
    if let Some(sheet) = tab.sheet().filter(|sheet| !sheet.is_demo) {
        effects.push(Effect::SaveDraft(sheet.draft()));
    }
}

/// Whether something changed, or why it could not.
type Changed = Result<bool, String>;

fn with(tab: &mut SetupTab, change: impl FnOnce(&mut Sheet, &SdkOption) -> Changed) -> Changed {
    let option = tab.selected();
    tab.sheet_mut().zip(option).map_or(Ok(false), |(sheet, option)| change(sheet, option))
}

/// Flips a toggle, and asks for the value of any other option.
fn change(tab: &mut SetupTab) -> Changed {
    let Some((sheet, option)) = tab.sheet().zip(tab.selected()) else { return Ok(false) };
    let wanted = sheet.row(option).and_then(|row| row.wanted.clone()).map(|(value, _)| value);
    let list = |value: Option<Value>| match value {
        Some(Value::List(words)) => words,
        _ => Vec::new(),
    };
    tab.dialog = Some(match option.kind {
        Kind::Toggle => {
            let on = wanted != Some(Value::Bool(true));
            return with(tab, |sheet, option| sheet.choose(option, Value::Bool(on)));
        }
        Kind::Choice(words) => {
            let chosen = words
                .iter()
                .position(|word| matches!(&wanted, Some(Value::Text(wanted)) if wanted == word));
            Dialog::Choices { option, words, cursor: chosen.unwrap_or(0) }
        }
        Kind::Several(words) => Dialog::Marks { option, words, cursor: 0, marked: list(wanted) },
        Kind::Users => Dialog::Users { option, text: list(wanted).join(" "), complaint: None },
    });
    Ok(false)
}

/// Takes what the dialog has.
fn choose(tab: &mut SetupTab) -> Changed {
    let (option, value) = match &tab.dialog {
        Some(Dialog::Choices { option, words, cursor }) => {
            let Some(word) = words.get(*cursor) else { return Ok(false) };
            (*option, Value::Text((*word).to_owned()))
        }
        Some(Dialog::Marks { option, words, marked, .. }) => {
            let marked = words.iter().filter(|word| marked.iter().any(|one| one == *word));
            (*option, Value::List(marked.map(|word| (*word).to_owned()).collect()))
        }
        Some(Dialog::Users { option, text, .. }) => {
            let users = text.split([' ', ',']).filter(|user| !user.is_empty());
            (*option, Value::List(users.map(str::to_owned).collect()))
        }
        _ => return Ok(false),
    };
    let Some(sheet) = tab.sheet_mut() else { return Ok(false) };
    // Nothing chosen where nothing was wanted is no choice.
    let is_nothing = value == Value::List(Vec::new())
        && sheet.row(option).is_some_and(|row| {
            row.wanted.is_none() || !row.is_changed() && row.stated.value().is_none()
        });
    let done = if is_nothing { Ok(false) } else { sheet.choose(option, value) };
    match (done, &mut tab.dialog) {
        (Err(why), Some(Dialog::Users { complaint, .. })) => {
            *complaint = Some(why);
            Ok(false)
        }
        (done, dialog) => {
            *dialog = None;
            done
        }
    }
}

/// Marks a word, or takes its mark away; of words of which one is taken, it is taken.
fn mark(tab: &mut SetupTab) -> Changed {
    let Some(Dialog::Marks { words, cursor, marked, .. }) = &mut tab.dialog else {
        return choose(tab);
    };
    if let Some(word) = words.get(*cursor) {
        match marked.iter().position(|one| one == word) {
            Some(at) => drop(marked.remove(at)),
            None => marked.push((*word).to_owned()),
        }
    }
    Ok(false)
}

fn erase(tab: &mut SetupTab) {
    if let Some(Dialog::Users { text, .. }) = &mut tab.dialog {
        text.pop();
    }
}

fn show_diff(tab: &mut SetupTab) -> Changed {
    let Some(sheet) = tab.sheet() else { return Ok(false) };
    if sheet.diff.is_empty() && sheet.plan.not_written().next().is_none() {
        return nothing(tab);
    }
    tab.dialog = Some(Dialog::Diff { top: 0 });
    Ok(false)
}

/// Says why nothing is written: in a line, or, where what is declared is not known, with what to do about it.
fn nothing(tab: &mut SetupTab) -> Changed {
    if let Some(why) = tab.sheet().and_then(Sheet::nothing_to_write) {
        return Err(why.to_owned());
    }
    tab.dialog = Some(Dialog::Refused { top: 0 });
    Ok(false)
}

/// Asks whether to write what is planned, or says why it cannot be.
fn ask(tab: &mut SetupTab) -> Changed {
    let Some(sheet) = tab.sheet() else { return Ok(false) };
    tab.dialog = Some(if sheet.is_demo {
        return Err(SIMULATED.to_owned());
    } else if sheet.plan.is_empty() {
        return nothing(tab);
    } else if !sheet.obstacles().is_empty() {
        Dialog::Refused { top: 0 }
    } else if sheet.order().is_some() {
        Dialog::Confirm { top: 0 }
    } else {
        // All of it stands in the user's own files.
        Dialog::Diff { top: 0 }
    });
    Ok(false)
}

/// Has the plan written that was shown and agreed to.
fn write(tab: &mut SetupTab, effects: &mut Vec<Effect>) {
    let order = tab.sheet().and_then(Sheet::order);
    if let Some(order) = order.filter(|_| matches!(tab.dialog, Some(Dialog::Confirm { .. }))) {
        tab.dialog = Some(Dialog::Writing);
        effects.push(Effect::WriteSetup(Box::new(order)));
    }
}

/// Moves what the arrows move: a menu, a text, or the selected option.
pub(in crate::app) fn travel(state: &mut State, rows: isize) {
    let width = usize::from(state.size.0.saturating_sub(4).min(100));
    let zoom = state.zoom;
    let tab = &mut state.setup;
    let lines = tab.report_lines().map(|lines| most_rows(&lines, width));
    match &mut tab.dialog {
        Some(Dialog::Choices { words, cursor, .. } | Dialog::Marks { words, cursor, .. }) => {
            *cursor = moved(*cursor, rows, words.len());
        }
        Some(Dialog::Users { .. } | Dialog::Writing) => {}
        Some(
            Dialog::Diff { top }
            | Dialog::Confirm { top }
            | Dialog::Refused { top }
            | Dialog::Written { top, .. },
        ) => *top = moved(*top, rows, lines.unwrap_or(0)),
        None => match zoom {
            Some(Panel::Plan) => scroll(tab, rows, width),
            Some(Panel::Evidence) if rows.unsigned_abs() != 1 => scroll(tab, rows, width),
            _ => {
                tab.top = 0;
                tab.options.cursor = moved(tab.options.cursor, rows, OPTIONS.len());
            }
        },
    }
}

fn scroll(tab: &mut SetupTab, rows: isize, width: usize) {
    let plan = tab.sheet().map_or(0, |sheet| most_rows(&sheet.plan_lines(), width));
    let evidence = tab.evidence_lines();
    let most = plan.max(most_rows(&evidence, width));
    tab.top = moved(tab.top, rows, most);
}

/// The panels of the tab, in the order in which they follow each other where one fills it.
const PANELS: [Option<Panel>; 3] = [None, Some(Panel::Evidence), Some(Panel::Plan)];

/// Shows another panel alone, or all of them again.
pub(in crate::app) fn turn_panel(state: &mut State, steps: isize) {
    let here = PANELS.iter().position(|panel| *panel == state.zoom).unwrap_or(0);
    let steps = if steps < 0 { PANELS.len() - 1 } else { 1 };
    state.zoom = PANELS[(here + steps) % PANELS.len()];
    state.setup.top = 0;
}

/// Selects an option; one that is selected is changed.
pub(in crate::app) fn click_row(state: &mut State, row: usize, effects: &mut Vec<Effect>) {
    if state.setup.close() {
        return;
    }
    if state.setup.options.row(OPTIONS.len()) == Some(row) {
        act(state, Action::Change, effects);
    }
    state.setup.options = List { cursor: row };
}

/// Selects a line of a menu, and takes or marks it.
pub(in crate::app) fn click_menu(state: &mut State, row: usize, effects: &mut Vec<Effect>) {
    if let Some(Dialog::Choices { cursor, words, .. } | Dialog::Marks { cursor, words, .. }) =
        &mut state.setup.dialog
    {
        *cursor = row.min(words.len().saturating_sub(1));
        act(state, Action::Mark, effects);
    }
}
