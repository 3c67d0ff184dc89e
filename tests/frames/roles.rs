//! A theme in which every role has a colour of its own, so that a picture tells which role each cell has.
//!
//! A change of a palette moves none of these pictures, and a wrong role does.

use std::fmt::Write as _;

use nvsdk_top::theme::{Depth, Gradient, Role, Theme};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;

/// Roles that are drawn behind what others draw.
const GROUNDS: &[Role] = &[Role::Screen, Role::Popup, Role::Selection];

/// The letter of each role in a picture; what is left out shows as itself, since most of a picture is plain text.
const LETTERS: &[(Role, char)] = &[
    (Role::Text, '.'),
    (Role::TextDim, 'd'),
    (Role::TextStrong, 's'),
    (Role::Title, 't'),
    (Role::Border, 'b'),
    (Role::BorderFocus, 'B'),
    (Role::PopupBorder, 'O'),
    (Role::Ok, 'o'),
    (Role::Notice, 'n'),
    (Role::Warning, 'W'),
    (Role::Critical, 'C'),
    (Role::Absent, 'a'),
    (Role::Stale, 'S'),
    (Role::Header, 'h'),
    (Role::HeaderName, 'H'),
    (Role::Tab, 'u'),
    (Role::TabActive, 'U'),
    (Role::Demo, 'D'),
    (Role::Paused, 'P'),
    (Role::FooterKey, 'K'),
    (Role::FooterText, 'k'),
    (Role::Column, 'c'),
    (Role::ColumnSorted, 'R'),
    (Role::Busy, 'y'),
    (Role::Memory, 'm'),
    (Role::MemoryReserved, 'v'),
    (Role::Power, 'w'),
    (Role::Heat, 'e'),
    (Role::BarTrack, '_'),
    (Role::GraphLabel, 'l'),
];

/// The letter of each gradient.
const GRADIENTS: [(Gradient, char); Gradient::COUNT] =
    [(Gradient::Busy, '1'), (Gradient::Memory, '2'), (Gradient::Power, '3'), (Gradient::Heat, '4')];

fn number(index: usize) -> u8 {
    u8::try_from(index + 1).unwrap()
}

pub(crate) fn theme() -> Theme {
    let mut text = String::from("[roles]\n");
    for &role in Role::ALL {
        let plane = if GROUNDS.contains(&role) { "bg" } else { "fg" };
        let id = role.spec().id;
        writeln!(text, "\"{id}\" = {{ {plane} = \"#01{:02x}00\" }}", number(role as usize))
            .unwrap();
    }
    text.push_str("[gradients]\n");
    for &gradient in Gradient::ALL {
        let colour = format!("\"#02{:02x}00\"", number(gradient as usize));
        writeln!(text, "{} = [{colour}, {colour}]", gradient.id()).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roles.toml");
    std::fs::write(&file, text).unwrap();
    let (theme, warnings) = Theme::load(file.to_str().unwrap(), None, Depth::TrueColor);
    assert_eq!(warnings, []);
    theme
}

/// The characters of a picture, a line for each of its rows.
pub(crate) fn text(buffer: &Buffer) -> String {
    rows(buffer, |row| {
        // A wide character's second cell holds a blank of its own.
        let mut line = String::new();
        let mut skipped = 0;
        for cell in row {
            if skipped == 0 {
                line.push_str(cell.symbol());
                skipped = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1);
            }
            skipped -= 1;
        }
        line
    })
}

/// The letters of a picture's roles, a line for each of its rows, and behind each line where another ground than the
/// screen's begins and ends.
pub(crate) fn map(buffer: &Buffer) -> String {
    let lines = rows(buffer, |row| {
        let letters: String = row.iter().map(letter).collect();
        let mut line = letters.trim_end().to_owned();
        for &ground in GROUNDS.iter().skip(1) {
            let has = |cell: &Cell| cell.bg == colour(ground as usize);
            let first = row.iter().position(has);
            let last = row.iter().rposition(has);
            if let Some((first, last)) = first.zip(last) {
                write!(line, "  <{} {first}-{last}>", ground.spec().id).unwrap();
            }
        }
        line
    });
    let mut used: Vec<char> = buffer.content.iter().map(letter).collect();
    used.sort_unstable();
    used.dedup();
    let roles = LETTERS.iter().map(|(role, letter)| (role.spec().id.to_owned(), *letter));
    let gradients =
        GRADIENTS.iter().map(|(gradient, letter)| (format!("{} level", gradient.id()), *letter));
    let known = roles.chain(gradients).filter(|(_, letter)| used.contains(letter));
    let legend: Vec<_> = known.map(|(id, letter)| format!("{letter} {id}")).collect();
    format!("{lines}\n{}", legend.join(", "))
}

fn rows(buffer: &Buffer, line: impl Fn(&[Cell]) -> String) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let lines = buffer.content.chunks(width).map(|row| line(row).trim_end().to_owned() + "\n");
    lines.collect()
}

fn colour(index: usize) -> Color {
    Color::Rgb(1, number(index), 0)
}

/// The letter of what is drawn in a cell; a blank where nothing is.
fn letter(cell: &Cell) -> char {
    if cell.symbol() == " " {
        return ' ';
    }
    let role = LETTERS.iter().find(|(role, _)| cell.fg == colour(*role as usize));
    let level = |gradient: Gradient| Color::Rgb(2, number(gradient as usize), 0);
    let gradient = GRADIENTS.iter().find(|(gradient, _)| cell.fg == level(*gradient));
    let letter = role.map(|(_, letter)| *letter).or(gradient.map(|(_, letter)| *letter));
    assert!(letter.is_some(), "{:?} has the colour of no role: {:?}", cell.symbol(), cell.fg);
    letter.unwrap_or('?')
}
