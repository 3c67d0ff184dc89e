//! Where the machine stands: the driver of the booted, the current and the next system, and what was read.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use crate::app::setup::{Sheet, shown};
use crate::setup::Stated;
use crate::theme::Role;
use crate::ui::canvas::Canvas;
use crate::ui::layout::{row, split_left};

/// Draws one row, or two where there are two.
pub(super) fn draw(sheet: &Sheet, area: Rect, canvas: &mut Canvas<'_>) {
    let (_, first) = split_left(row(area, 0), 1, 0);
    let (_, second) = split_left(row(area, 1), 1, 0);
    let warning = warning(sheet, canvas);
    let room = usize::from(first.width.saturating_sub(2));
    let width = |chain: &str| chain.width() + warning.as_ref().map_or(0, |text| text.width() + 2);
    let chains = [
        chain(sheet, canvas, true, true),
        chain(sheet, canvas, true, false),
        chain(sheet, canvas, false, false),
    ];
    let fitting = chains.iter().find(|chain| width(chain) <= room).or(chains.last());
    let used = canvas.text(first, Role::Text, fitting.map_or("", String::as_str));
    if let Some(warning) = warning {
        let (_, place) = split_left(first, used, 2);
        canvas.text(place, Role::Warning, &warning);
    }
    canvas.text(second, Role::TextDim, &sources(sheet, canvas));
}

/// The drivers in the order in which they come to run, with or without their names and the declared one.
fn chain(sheet: &Sheet, canvas: &Canvas<'_>, with_names: bool, with_declared: bool) -> String {
    let facts = &sheet.setup.facts;
    let generations = &facts.generations;
    let systems = [
        ("booted", &generations.booted),
        ("current", &generations.current),
        ("next boot", &generations.next_boot),
    ];
    let built = systems
        .into_iter()
        .filter_map(|(name, system)| Some((name, system.driver.known()?.version.clone())));
    let mut drivers: Vec<_> = built.collect();
    if drivers.is_empty() {
        let loaded = facts.driver.loaded.known();
        drivers.extend(loaded.map(|loaded| ("loaded driver", loaded.version.clone())));
    }
    if drivers.is_empty() {
        return "no NVIDIA driver is loaded".to_owned();
    }
    let declared = sheet.setup.row("driver.package").map(|row| &row.stated);
    if let Some(Stated::Value { value, .. }) = declared.filter(|_| with_declared) {
        drivers.push(("declared", shown(value)));
    }
    let words = drivers
        .into_iter()
        .map(|(name, version)| if with_names { format!("{name} {version}") } else { version });
    words.collect::<Vec<_>>().join(&format!(" {} ", canvas.glyphs.arrow))
}

/// What has to be known before anything else.
fn warning(sheet: &Sheet, canvas: &Canvas<'_>) -> Option<String> {
    let pending = sheet.setup.facts.generations.pending();
    let words = match sheet.setup.configuration.as_deref() {
        None => "no configuration was read",
        Some(read) if !read.problems.is_empty() => "not all of the configuration was read",
        Some(_) if !pending.is_empty() => "reboot pending",
        Some(_) => return None,
    };
    Some(format!("{} {words}", canvas.glyphs.warning))
}

/// What was read, and what would be written for.
fn sources(sheet: &Sheet, canvas: &Canvas<'_>) -> String {
    let setup = &sheet.setup;
    let distribution = setup.facts.system.distribution.known();
    let configuration = setup.configuration.as_deref();
    let words = [
        distribution.map(|it| it.name.clone()),
        Some(configuration.map_or("no configuration".to_owned(), |read| read.entry.to_string())),
        configuration.map(|read| format!("{} files", read.files.len())),
        Some(format!("module: {} for {}", setup.mode.word(), setup.release)),
    ];
    let words: Vec<_> = words.into_iter().flatten().collect();
    words.join(&format!(" {} ", canvas.glyphs.separator))
}
