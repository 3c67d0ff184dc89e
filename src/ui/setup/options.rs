//! The options in their sections: what runs, what is declared and what is wanted of each.

use ratatui::layout::Rect;

use crate::app::setup::{Sheet, shown};
use crate::app::{Hit, List, State};
use crate::setup::{Effect, OPTIONS, Row, SdkOption, Severity, Stated};
use crate::theme::Role;
use crate::ui::Hits;
use crate::ui::canvas::Canvas;
use crate::ui::layout::{row, split_left, split_top};

/// The columns of the longest name, with what marks the selected row.
const NAME: u16 = 24;
/// The columns of what says that two values differ, and of what an option needs.
const DIFFERS: u16 = 2;
const NEEDS: u16 = 8;
/// The gaps between six columns.
const GAPS: u16 = 5;
/// The least columns of a value.
const VALUE: u16 = 12;
/// The most columns of a value, beyond which lines are hard to follow.
const MOST_VALUE: u16 = 20;

/// A line of the list.
enum Entry {
    Title(&'static str),
    Option(usize, &'static SdkOption),
}

fn entries(with_titles: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut section = "";
    for (number, option) in OPTIONS.iter().enumerate() {
        if with_titles && option.section != section {
            entries.push(Entry::Title(option.section));
            section = option.section;
        }
        entries.push(Entry::Option(number, option));
    }
    entries
}

/// The rows that all options take, with the head of the columns.
pub(super) fn rows(with_titles: bool) -> u16 {
    u16::try_from(entries(with_titles).len()).unwrap_or(u16::MAX).saturating_add(1)
}

/// How wide the columns are; those for which there is no room are none.
#[derive(Clone, Copy)]
struct Columns {
    running: u16,
    declared: u16,
    wanted: u16,
    needs: u16,
}

impl Columns {
    fn of(width: u16) -> Self {
        let rest = width.saturating_sub(NAME + DIFFERS + NEEDS + GAPS);
        match rest / VALUE {
            0 => Self {
                running: 0,
                declared: 0,
                wanted: width.saturating_sub(NAME + 1 + 3).min(VALUE),
                needs: 3,
            },
            1 => Self { running: 0, declared: 0, wanted: rest.min(20), needs: NEEDS },
            2 => Self { running: rest / 2, declared: 0, wanted: rest / 2, needs: NEEDS },
            _ => {
                let value = (rest / 3).min(MOST_VALUE);
                Self { running: value, declared: value, wanted: value, needs: NEEDS }
            }
        }
    }
}

/// Draws the list in a frame.
pub(super) fn draw(
    state: &State,
    sheet: &Sheet,
    area: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    // In three rows a frame would leave no row for an option.
    let inside =
        if area.height > 3 { canvas.frame(area, Role::BorderFocus, "Options") } else { area };
    let columns = Columns::of(inside.width);
    let (head, list) = split_top(inside, u16::from(inside.height > 1));
    let [_, running, _, declared, wanted, _] = places(head, columns);
    for (place, head) in [(running, "running"), (declared, "declared"), (wanted, "wanted")] {
        canvas.text(place, Role::Column, head);
    }
    let entries = entries(inside.height >= rows(true));
    let selected = state.setup.options.row(OPTIONS.len());
    let at = entries
        .iter()
        .position(|entry| matches!(entry, Entry::Option(number, _) if Some(*number) == selected));
    let room = usize::from(list.height);
    let top = List { cursor: at.unwrap_or(0) }.top(entries.len(), room);
    for (number, entry) in (0..).zip(entries.iter().skip(top).take(room)) {
        let line = row(list, number);
        match entry {
            Entry::Title(title) => {
                canvas.text(line, Role::Title, title);
            }
            Entry::Option(number, option) => {
                let Some(row) = sheet.row(option) else { continue };
                let is_selected = Some(*number) == selected;
                draw_option(sheet, row, is_selected, places(line, columns), canvas);
                hits.add(line, Hit::SetupRow(*number));
                if is_selected {
                    canvas.dress(line, Role::Selection);
                }
            }
        }
    }
}

/// The places of a line: name, running, whether it differs, declared, wanted, needs.
fn places(line: Rect, columns: Columns) -> [Rect; 6] {
    let gap = |width| u16::from(width > 0);
    let (name, rest) = split_left(line, NAME, 1);
    let (running, rest) = split_left(rest, columns.running, gap(columns.running));
    let differs = if columns.running > 0 { DIFFERS } else { 0 };
    let (differs, rest) = split_left(rest, differs, gap(differs));
    let (declared, rest) = split_left(rest, columns.declared, gap(columns.declared));
    let (wanted, rest) = split_left(rest, columns.wanted, 1);
    let (needs, _) = split_left(rest, columns.needs, 0);
    [name, running, differs, declared, wanted, needs]
}

fn draw_option(
    sheet: &Sheet,
    row: &Row,
    is_selected: bool,
    [name, running, differs, declared, wanted, needs]: [Rect; 6],
    canvas: &mut Canvas<'_>,
) {
    let (cursor, name) = split_left(name, 1, 1);
    if is_selected {
        canvas.text(cursor, Role::TextStrong, canvas.glyphs.cursor);
    }
    canvas.text(
        name,
        if row.is_changed() { Role::TextStrong } else { Role::Text },
        row.option.path,
    );
    text(canvas, running, Role::Text, &row.running.text);
    if row.differs() {
        canvas.text(differs, Role::Warning, canvas.glyphs.differs);
    }
    let (role, words) = stated(&row.stated);
    text(canvas, declared, role, &words);
    let (role, words) = match &row.wanted {
        Some((value, _)) if row.is_changed() => (Role::TextStrong, shown(value)),
        Some((value, _)) => (Role::Text, shown(value)),
        None => (Role::Absent, "–".to_owned()),
    };
    text(canvas, wanted, role, &words);
    let (role, words) = need(sheet, row, needs.width >= NEEDS, canvas);
    canvas.text(needs, role, &words);
}

/// A text, in which a dash stands for what is not there.
fn text(canvas: &mut Canvas<'_>, place: Rect, role: Role, words: &str) {
    if words == "–" {
        canvas.text(place, Role::Absent, canvas.glyphs.absent);
    } else {
        canvas.text(place, role, words);
    }
}

fn stated(stated: &Stated) -> (Role, String) {
    match stated {
        Stated::Value { value, .. } => (Role::Text, shown(value)),
        Stated::Other { text, .. } => (Role::Text, text.clone()),
        Stated::Unknown { .. } => (Role::Notice, "unknown".to_owned()),
        Stated::Conflict(_) => (Role::Critical, "conflict".to_owned()),
        Stated::NotFound { .. } => (Role::Absent, "not found".to_owned()),
    }
}

/// What the option needs, the gravest first; in words where there is room for them.
fn need(sheet: &Sheet, row: &Row, has_room: bool, canvas: &Canvas<'_>) -> (Role, String) {
    let glyphs = canvas.glyphs;
    let gravest = sheet.findings_of(row.option).map(|finding| finding.severity).max();
    let changed = if row.is_changed() { glyphs.changed } else { "" };
    let need = sheet.setup.need(row);
    let when = match (need, row.option.effect) {
        (Some(need), _) => need.word(),
        (None, Effect::Boot) if row.is_changed() => "boot",
        (None, Effect::Switch) if row.is_changed() => "switch",
        (None, _) => "",
    };
    let when = match (has_room, need.is_some()) {
        (true, _) => when,
        (false, true) => glyphs.warning,
        (false, false) => "",
    };
    let mark = match gravest {
        Some(Severity::Error) => glyphs.critical,
        Some(Severity::Warning) => glyphs.warning,
        None => "",
    };
    let role = match gravest {
        Some(Severity::Error) => Role::Critical,
        None if row.is_changed() => Role::Notice,
        Some(Severity::Warning) | None => Role::Warning,
    };
    let words = [mark, changed, when].into_iter().filter(|word| !word.is_empty());
    (role, words.collect::<Vec<_>>().join(" "))
}
