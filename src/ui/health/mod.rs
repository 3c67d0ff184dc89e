//! The tab Health: what happened to the GPUs, newest first, and everything about the selected entry.

mod details;
mod sources;

use ratatui::layout::Rect;

use super::Hits;
use super::canvas::Canvas;
use super::layout::{row, split_left, split_top};
use super::number::shown_part;
use crate::app::{Entry, Hit, Panel, State, What};
use crate::model::{EventSource, Severity, Unit, rfc3339};
use crate::theme::Role;

/// The least columns of the list with a panel beside it, and of the panel.
const LIST: u16 = 62;
const PANEL: u16 = 44;
/// The least rows of a panel beneath the list, and the rows that are of use.
const PANEL_ROWS: (u16, u16) = (8, 14);

/// Draws the tab.
pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits) {
    let Some((inventory, sample)) = state.shown() else { return };
    let entries = state.health_entries();
    let (head, body) = split_top(area, u16::from(area.height >= 8));
    sources::draw_line(inventory, &sample.events.sources, head, canvas);
    let selected = state.health.list.row(entries.len());
    let Some(entry) = selected.and_then(|row| entries.get(row)) else {
        let inside = canvas.frame(body, Role::BorderFocus, &title(state, 0));
        hits.add(body, Hit::Panel(Panel::Timeline));
        sources::draw_empty(state, inventory, &sample.events.sources, inside, canvas);
        return;
    };
    let draw_details = |place: Rect, canvas: &mut Canvas<'_>, hits: &mut Hits| {
        details::draw(entry, inventory, sample.unix_us, place, canvas);
        hits.add(place, Hit::Panel(Panel::Event));
    };
    if state.zoom == Some(Panel::Event) {
        draw_details(body, canvas, hits);
    } else if body.width >= LIST + 1 + PANEL {
        let (list, panel) = split_left(body, LIST.max(body.width * 3 / 5), 1);
        draw_list(state, &entries, sample.unix_us, list, canvas, hits);
        draw_details(panel, canvas, hits);
    } else if body.height >= 2 * PANEL_ROWS.0 {
        let panel = (body.height / 2).min(PANEL_ROWS.1);
        let (list, panel) = split_top(body, body.height - panel);
        draw_list(state, &entries, sample.unix_us, list, canvas, hits);
        draw_details(panel, canvas, hits);
    } else {
        draw_list(state, &entries, sample.unix_us, body, canvas, hits);
    }
}

fn title(state: &State, count: usize) -> String {
    format!("Timeline {count} {} {}", state.glyphs.separator, state.health.filter.text())
}

fn draw_list(
    state: &State,
    entries: &[&Entry],
    now_us: u64,
    area: Rect,
    canvas: &mut Canvas<'_>,
    hits: &mut Hits,
) {
    hits.add(area, Hit::Panel(Panel::Timeline));
    let has_frame = area.height >= 6;
    let inside = if has_frame {
        canvas.frame(area, Role::BorderFocus, &title(state, entries.len()))
    } else {
        area
    };
    let (heads, body) = split_top(inside, 1);
    draw_heads(heads, canvas);
    let room = usize::from(body.height);
    let top = state.health.list.top(entries.len(), room);
    if let Some(part) = shown_part(top, room, entries.len()) {
        if has_frame {
            canvas.foot(area, Role::TextDim, &part);
        } else {
            canvas.text_right(heads, Role::TextDim, &format!(" {part}"));
        }
    }
    let selected = state.health.list.row(entries.len());
    for (number, entry) in entries.iter().enumerate().skip(top).take(room) {
        let line = row(body, u16::try_from(number - top).unwrap_or(0));
        hits.add(line, Hit::HealthRow(number));
        draw_entry(entry, now_us, line, canvas);
        if selected == Some(number) {
            canvas.dress(line, Role::Selection);
        }
    }
}

/// The places of a line: time, age, GPU, mark, text, source. In a narrow place some have no room.
fn places(line: Rect) -> [Rect; 6] {
    let width = |least: u16, width: u16| if line.width >= least { width } else { 0 };
    let gap = |width: u16| u16::from(width > 0);
    let (time, age, gpu) = (width(32, 8), width(50, 8), width(24, 3));
    let source = width(66, 10);
    let (time_place, rest) = split_left(line, time, gap(time));
    let (age_place, rest) = split_left(rest, age, gap(age));
    let (gpu_place, rest) = split_left(rest, gpu, gap(gpu));
    let (mark, rest) = split_left(rest, 1, 1);
    let (text, rest) =
        split_left(rest, rest.width.saturating_sub(source + gap(source)), gap(source));
    [time_place, age_place, gpu_place, mark, text, rest]
}

fn draw_heads(line: Rect, canvas: &mut Canvas<'_>) {
    let [time, age, gpu, _, text, source] = places(line);
    canvas.text(time, Role::Column, "UTC");
    canvas.text_right(age, Role::Column, "AGE");
    canvas.text_right(gpu, Role::Column, "GPU");
    canvas.text(text, Role::Column, "EVENT");
    canvas.text(source, Role::Column, "FROM");
}

fn draw_entry(entry: &Entry, now_us: u64, line: Rect, canvas: &mut Canvas<'_>) {
    let [time, age, gpu, mark, text, source] = places(line);
    canvas.text(time, Role::TextDim, &clock(entry.unix_us, now_us));
    canvas.text_right(age, Role::TextDim, &age_of(entry.unix_us, now_us));
    match entry.gpu {
        Some(index) => canvas.text_right(gpu, Role::Text, &index.to_string()),
        None => canvas.text_right(gpu, Role::Absent, canvas.glyphs.absent),
    }
    let (role, glyph) = sign(entry, canvas);
    canvas.text(mark, role, glyph);
    let words = if entry.severity() >= Severity::Warning { role } else { Role::Text };
    let words = if entry.what == What::Mark { Role::TextStrong } else { words };
    canvas.text(text, words, &one_line(entry));
    canvas.text(source, Role::TextDim, short(entry.source()));
}

/// A source as its column has room for it.
fn short(source: &'static str) -> &'static str {
    if source == EventSource::Both.text() { "both" } else { source }
}

/// What happened and, where it is known, to whom.
fn one_line(entry: &Entry) -> String {
    let title = entry.title();
    let What::Event(event) = &entry.what else { return title };
    match (event.pid, &event.process) {
        (Some(pid), Some(name)) => format!("{title}, {name} ({pid})"),
        (Some(pid), None) => format!("{title}, pid {pid}"),
        (None, _) => title,
    }
}

/// The look and the shape of how much an entry should worry.
fn sign(entry: &Entry, canvas: &Canvas<'_>) -> (Role, &'static str) {
    let glyphs = canvas.glyphs;
    match (&entry.what, entry.severity()) {
        (What::Mark, _) => (Role::TextStrong, glyphs.cursor),
        (_, severity @ Severity::None) => (severity.into(), glyphs.ok),
        (_, severity @ Severity::Info) => (severity.into(), glyphs.notice),
        (_, severity @ Severity::Warning) => (severity.into(), glyphs.warning),
        (_, severity @ Severity::Critical) => (severity.into(), glyphs.critical),
    }
}

/// The time of day, or the day of what is older than one.
fn clock(unix_us: u64, now_us: u64) -> String {
    const DAY_US: u64 = 86_400_000_000;
    let time = rfc3339(unix_us);
    let is_old = now_us.saturating_sub(unix_us) >= DAY_US;
    let (day, clock) = time.split_once('T').unwrap_or((&time, ""));
    let part = if is_old { day.get(day.len().saturating_sub(5)..) } else { clock.get(..8) };
    part.unwrap_or_default().to_owned()
}

fn age_of(unix_us: u64, now_us: u64) -> String {
    Unit::Seconds.show((now_us.saturating_sub(unix_us) / 1_000_000) as f64)
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn what_is_older_than_a_day_shows_its_date() {
        let now_us = 1_784_016_773_000_000;
        assert_eq!(clock(now_us, now_us), "08:12:53");
        assert_eq!(clock(now_us - 86_400_000_000, now_us), "07-13");
        assert_eq!(clock(u64::MAX, now_us).len(), 8);
    }
}
