//! The README's pictures: frames of the simulated machines as SVG, held against the files that the README shows.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use nvsdk_top::app::setup::SetupReading;
use nvsdk_top::theme::{Depth, Theme};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::setup;
use crate::support::Monitor;

/// A character cell in pixels, and the height of a letter.
const CELL: (f32, f32) = (8.4, 17.0);
const LETTER: f32 = 14.0;
/// The room around the frame.
const MARGIN: f32 = 12.0;
/// What a terminal shows where a theme says nothing.
const PAPER: &str = "#101418";
const INK: &str = "#d0d6dc";

/// Each picture: its file, the simulated machine, the size and the keys that lead to it.
const PICTURES: &[(&str, &str, (u16, u16), &str)] = &[
    ("assets/overview.svg", "h100", (120, 40), "1"),
    ("assets/gpu.svg", "geforce", (120, 40), "2"),
];

#[test]
fn the_pictures_of_the_readme_are_current() {
    for (file, machine, size, keys) in PICTURES {
        let mut monitor = Monitor::watching(machine);
        monitor.press(keys);
        assert_shows(file, monitor, *size);
    }
    let reading = SetupReading { is_demo: true, ..setup::reading() };
    let mut monitor = setup::opened_with(reading);
    setup::go(&mut monitor, "podman");
    monitor.press("space");
    assert_shows("assets/setup.svg", monitor, (120, 40));
}

/// Holds the monitor's picture against a file.
fn assert_shows(file: &str, mut monitor: Monitor, (width, height): (u16, u16)) {
    let (theme, warnings) = Theme::load("nvsdk-dark", None, Depth::TrueColor);
    assert!(warnings.is_empty());
    monitor.state.theme = theme;
    monitor.resize(width, height);
    assert_current(file, &svg(&monitor.frame().0));
}

fn assert_current(file: &str, picture: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, picture).unwrap();
    }
    let is_current = std::fs::read_to_string(&path).is_ok_and(|there| there == picture);
    assert!(is_current, "{file} is not current: UPDATE_DOCS=1 cargo test --test frames");
}

/// A frame as a picture that any browser shows.
fn svg(frame: &Buffer) -> String {
    let (width, height) = (f32::from(frame.area.width), f32::from(frame.area.height));
    let size = (width * CELL.0 + 2.0 * MARGIN, height * CELL.1 + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.1} {:.1}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{PAPER}\"/>\n\
         <g font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"{LETTER}\" xml:space=\"preserve\">\n",
        size.0, size.1
    );
    let shapes: BTreeSet<_> = frame.content.iter().map(Cell::symbol).collect();
    for symbol in shapes {
        if let Some(parts) = shape(symbol) {
            let path: String = parts.into_iter().map(rectangle).collect();
            writeln!(svg, "<defs><path id=\"{}\" d=\"{path}\"/></defs>", id(symbol)).unwrap();
        }
    }
    let columns = usize::from(frame.area.width);
    for (row, cells) in (0u16..).zip(frame.content.chunks(columns)) {
        let y = MARGIN + f32::from(row) * CELL.1;
        for (column, run) in runs(cells) {
            draw(&mut svg, column, y, run);
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// The stretches of a row that look alike, with the column that each begins in.
fn runs(cells: &[Cell]) -> Vec<(usize, &[Cell])> {
    let alike = |a: &Cell, b: &Cell| (a.fg, a.bg, a.modifier) == (b.fg, b.bg, b.modifier);
    let mut column = 0;
    cells
        .chunk_by(alike)
        .map(|run| {
            let start = column;
            column += run.len();
            (start, run)
        })
        .collect()
}

fn draw(svg: &mut String, column: usize, y: f32, run: &[Cell]) {
    let first = &run[0];
    let reversed = first.modifier.contains(Modifier::REVERSED);
    let (ink, paper) = if reversed { (first.bg, first.fg) } else { (first.fg, first.bg) };
    let left = |column: usize| MARGIN + column as f32 * CELL.0;
    let width = run.len() as f32 * CELL.0;
    if paper != Color::Reset || reversed {
        let paper = hex(paper, INK);
        let (x, high) = (left(column), CELL.1);
        writeln!(svg, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{high}\" fill=\"{paper}\"/>").unwrap();
    }
    let ink = hex(ink, if reversed { PAPER } else { INK });
    let bold = if first.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let dim = if first.modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    let is_shape = |cell: &Cell| shape(cell.symbol()).is_some();
    let mut column = column;
    for piece in run.chunk_by(|a, b| is_shape(a) == is_shape(b)) {
        if is_shape(&piece[0]) {
            write!(svg, "<g fill=\"{ink}\"{dim}>").unwrap();
            for (cell, column) in piece.iter().zip(column..) {
                let (id, x) = (id(cell.symbol()), left(column));
                write!(svg, "<use href=\"#{id}\" x=\"{x:.1}\" y=\"{y:.0}\"/>").unwrap();
            }
            svg.push_str("</g>\n");
        } else {
            let text: String = piece.iter().map(Cell::symbol).collect();
            let blank = text.len() - text.trim_start_matches(' ').len();
            let text = text.trim();
            // The width is given, so that a font with wider letters keeps to the cells.
            let (x, long) = (left(column + blank), text.width() as f32 * CELL.0);
            let base = y + LETTER;
            if !text.is_empty() {
                writeln!(
                    svg,
                    "<text x=\"{x:.1}\" y=\"{base:.1}\" textLength=\"{long:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{ink}\"{bold}{dim}>{}</text>",
                    escaped(text)
                )
                .unwrap();
            }
        }
        column += piece.len();
    }
}

fn id(symbol: &str) -> String {
    let codes: Vec<_> = symbol.chars().map(|letter| format!("c{:x}", u32::from(letter))).collect();
    codes.concat()
}

/// A part of a cell as a path.
fn rectangle([x, y, wide, high]: [f32; 4]) -> String {
    let (x, wide) = (x * CELL.0, wide * CELL.0);
    let (y, high) = (y * CELL.1, high * CELL.1);
    format!("M{x:.1} {y:.1}h{wide:.1}v{high:.1}h-{wide:.1}z")
}

/// The parts of a cell that a character of blocks, lines or dots fills: left, top, width and height as shares of the
/// cell. Fonts differ in how well these join, so they are drawn.
fn shape(symbol: &str) -> Option<Vec<[f32; 4]>> {
    let mut letters = symbol.chars();
    let (letter, None) = (letters.next()?, letters.next()) else { return None };
    let code = u32::from(letter);
    let eighths = |count: u32| count as f32 / 8.0;
    // A line is as thin as a letter's, and lies in the middle.
    let (thin, flat) = (0.12, 0.06);
    let across = |from: f32, wide: f32| [from, 0.5 - flat / 2.0, wide, flat];
    let down = |from: f32, high: f32| [0.5 - thin / 2.0, from, thin, high];
    Some(match letter {
        '\u{2581}'..='\u{2588}' => {
            let high = eighths(code - 0x2580);
            vec![[0.0, 1.0 - high, 1.0, high]]
        }
        '\u{2589}'..='\u{258f}' => vec![[0.0, 0.0, eighths(0x2590 - code), 1.0]],
        '\u{2801}'..='\u{28ff}' => {
            const DOTS: [(f32, f32); 8] =
                [(0., 0.), (0., 1.), (0., 2.), (1., 0.), (1., 1.), (1., 2.), (0., 3.), (1., 3.)];
            let dots = (0..8).filter(|bit| (code - 0x2800) >> bit & 1 == 1);
            let dot = |bit: usize| {
                let (x, y) = DOTS[bit];
                [x * 0.5 + 0.1, y * 0.25 + 0.05, 0.3, 0.15]
            };
            dots.map(dot).collect()
        }
        '─' => vec![across(0.0, 1.0)],
        '│' => vec![down(0.0, 1.0)],
        '╭' | '┌' => vec![across(0.5, 0.5), down(0.5, 0.5)],
        '╮' | '┐' => vec![across(0.0, 0.5), down(0.5, 0.5)],
        '╰' | '└' => vec![across(0.5, 0.5), down(0.0, 0.5)],
        '╯' | '┘' => vec![across(0.0, 0.5), down(0.0, 0.5)],
        _ => return None,
    })
}

fn hex(color: Color, default: &str) -> String {
    match color {
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        _ => default.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
