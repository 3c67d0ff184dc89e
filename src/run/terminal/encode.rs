//! A frame as the fewest bytes that turn the frame before it into this one.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::style::{Color, Modifier};

/// Begins a frame that the terminal shows at once; one that does not know it passes over it.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// Appends to `out` what turns `before`, which the terminal shows, into `after`.
///
/// Where the sizes differ, the terminal is cleared and `after` drawn whole. Nothing is appended when nothing changed.
pub(super) fn encode(before: &Buffer, after: &Buffer, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(BEGIN);
    let nothing = out.len();
    if before.area == after.area {
        Pen::default().draw(before, after, out);
    } else {
        out.extend_from_slice(b"\x1b[m\x1b[2J");
        Pen::default().draw(&Buffer::empty(after.area), after, out);
    }
    if out.len() == nothing {
        out.truncate(start);
    } else {
        out.extend_from_slice(END);
    }
}

/// What the terminal will write next: where, and how.
#[derive(Default)]
struct Pen {
    /// Column and row of the cursor, where they are known.
    at: Option<(u16, u16)>,
    fg: Color,
    bg: Color,
    modifiers: Modifier,
}

impl Pen {
    fn draw(&mut self, before: &Buffer, after: &Buffer, out: &mut Vec<u8>) {
        let width = usize::from(after.area.width).max(1);
        let rows = before.content.chunks(width).zip(after.content.chunks(width));
        for (row, (before, after)) in (0..).zip(rows) {
            if !before.iter().zip(after).all(|(before, after)| is_same(before, after)) {
                self.draw_row(row, before, after, out);
            }
        }
        self.undress(out);
    }

    /// Draws what changed in a row. A wide character that is half overwritten leaves a hole that terminals fill each in
    /// its own way, so a row that has or had one is drawn whole.
    fn draw_row(&mut self, row: u16, before: &[Cell], after: &[Cell], out: &mut Vec<u8>) {
        let whole = before.iter().chain(after).any(|cell| width_of(cell) > 1);
        let mut hidden = 0;
        for (column, (before, cell)) in (0u16..).zip(before.iter().zip(after)) {
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            let width = width_of(cell);
            hidden = width - 1;
            if whole || !is_same(before, cell) {
                self.move_to(column, row, out);
                self.dress(cell, out);
                if width > 1 {
                    // What a terminal takes for narrower would leave what was there before.
                    out.extend(std::iter::repeat_n(b' ', width));
                    self.at = None;
                    self.move_to(column, row, out);
                }
                out.extend_from_slice(cell.symbol().as_bytes());
                // Behind the last column, and behind what may be wider or narrower, terminals differ in where the
                // cursor is.
                let next = column + 1;
                let is_sure = is_plain(cell) && usize::from(next) < after.len();
                self.at = is_sure.then_some((next, row));
            }
        }
    }

    fn move_to(&mut self, column: u16, row: u16, out: &mut Vec<u8>) {
        match self.at {
            Some(at) if at == (column, row) => {}
            Some((from, same)) if same == row && from < column => match column - from {
                1 => out.extend_from_slice(b"\x1b[C"),
                steps => append(out, format_args!("\x1b[{steps}C")),
            },
            _ => append(out, format_args!("\x1b[{};{}H", row + 1, column + 1)),
        }
    }

    /// Changes colours and modifiers to the cell's.
    fn dress(&mut self, cell: &Cell, out: &mut Vec<u8>) {
        let modifiers = cell.modifier;
        if (self.fg, self.bg, self.modifiers) == (cell.fg, cell.bg, modifiers) {
            return;
        }
        out.extend_from_slice(b"\x1b[");
        // The codes that take one modifier away differ between terminals; taking all away does not.
        if !modifiers.contains(self.modifiers) {
            out.push(b';');
            (self.fg, self.bg, self.modifiers) = (Color::Reset, Color::Reset, Modifier::empty());
        }
        for (modifier, code) in MODIFIERS {
            if (modifiers - self.modifiers).contains(*modifier) {
                append(out, format_args!("{code};"));
            }
        }
        if self.fg != cell.fg {
            append_color(out, cell.fg, 30);
        }
        if self.bg != cell.bg {
            append_color(out, cell.bg, 40);
        }
        // Every code ends in a separator, and the last is the end.
        if let Some(last) = out.last_mut() {
            *last = b'm';
        }
        (self.fg, self.bg, self.modifiers) = (cell.fg, cell.bg, modifiers);
    }

    fn undress(&mut self, out: &mut Vec<u8>) {
        if (self.fg, self.bg, self.modifiers) != (Color::Reset, Color::Reset, Modifier::empty()) {
            out.extend_from_slice(b"\x1b[m");
        }
    }
}

/// Whether two cells look the same. Every frame compares every cell, so the colours, which are told fastest, come first,
/// and a symbol of one byte is not compared as a text.
fn is_same(before: &Cell, after: &Cell) -> bool {
    if (before.fg, before.bg, before.modifier) != (after.fg, after.bg, after.modifier) {
        return false;
    }
    match (before.symbol().as_bytes(), after.symbol().as_bytes()) {
        ([before], [after]) => before == after,
        (before, after) => before == after,
    }
}

/// The columns that a cell takes, as the buffer counted them.
fn width_of(cell: &Cell) -> usize {
    if is_plain(cell) { 1 } else { usize::from(cell.cell_width()).max(1) }
}

/// Whether every terminal shows the cell in one column. Nearly all are ASCII, a box, a block or a braille pattern.
fn is_plain(cell: &Cell) -> bool {
    let symbol = cell.symbol();
    let is_known = |first| matches!(first, '\0'..='\u{10ff}' | '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}');
    symbol.len() <= 3 && symbol.chars().next().is_some_and(is_known)
}

const MODIFIERS: &[(Modifier, u8)] = &[
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// Appends a colour's code and a separator; `base` is 30 for the foreground and 40 for the background.
fn append_color(out: &mut Vec<u8>, color: Color, base: u8) {
    let bright = base + 60;
    let code = match color {
        Color::Reset => base + 9,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => bright,
        Color::LightRed => bright + 1,
        Color::LightGreen => bright + 2,
        Color::LightYellow => bright + 3,
        Color::LightBlue => bright + 4,
        Color::LightMagenta => bright + 5,
        Color::LightCyan => bright + 6,
        Color::White => bright + 7,
        Color::Indexed(index) => return append(out, format_args!("{};5;{index};", base + 8)),
        Color::Rgb(r, g, b) => return append(out, format_args!("{};2;{r};{g};{b};", base + 8)),
    };
    append(out, format_args!("{code};"));
}

fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into memory cannot fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::encode;
    use crate::model::printable;
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Modifier, Style};

    const AREA: Rect = Rect { x: 0, y: 0, width: 24, height: 6 };

    /// A terminal that shows what it was sent.
    struct Screen(vt100::Parser);

    impl Screen {
        fn new(area: Rect) -> Self {
            let size = |n: u16| std::num::NonZeroU16::new(n).unwrap();
            Self(vt100::Parser::new(size(area.height), size(area.width), 0))
        }

        fn show(&mut self, before: &Buffer, after: &Buffer) {
            let mut bytes = Vec::new();
            encode(before, after, &mut bytes);
            self.0.process(&bytes);
        }

        /// The text and look of each cell.
        fn cells(&self, area: Rect) -> Vec<(String, vt100::Color, vt100::Color, [bool; 4])> {
            let screen = self.0.screen();
            let at = |(row, column)| {
                let cell = screen.cell(row, column).unwrap();
                let look = [cell.bold(), cell.italic(), cell.underline(), cell.inverse()];
                // A cell that was never written holds nothing, and looks like a space.
                let text = if cell.contents().is_empty() { " " } else { cell.contents() };
                (text.to_owned(), cell.fgcolor(), cell.bgcolor(), look)
            };
            (0..area.height)
                .flat_map(|row| (0..area.width).map(move |column| (row, column)))
                .map(at)
                .collect()
        }
    }

    fn styles() -> impl Strategy<Value = Style> {
        let color = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::LightBlue),
            any::<u8>().prop_map(Color::Indexed),
            any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
        ];
        let modifier = prop::sample::select(vec![
            Modifier::empty(),
            Modifier::BOLD,
            Modifier::ITALIC | Modifier::UNDERLINED,
            Modifier::REVERSED,
        ]);
        (color.clone(), color, modifier)
            .prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
    }

    fn buffers() -> impl Strategy<Value = Buffer> {
        // Also what terminals and tables of widths disagree about: marks, selectors and joined signs.
        let text = "([a-z 猫é█⣿▲…]|ｶﾞ|ﾊﾟ|❤\u{fe0f}|e\u{301}\u{323}|👩\u{200d}💻){0,30}";
        proptest::collection::vec((0..AREA.width, 0..AREA.height, text, styles()), 0..8).prop_map(
            |texts| {
                let mut buffer = Buffer::empty(AREA);
                for (column, row, text, style) in texts {
                    // As the canvas does: what joins characters is spelled out.
                    buffer.set_string(column, row, printable(&text), style);
                }
                buffer
            },
        )
    }

    proptest! {
        #[test]
        fn drawing_the_difference_shows_what_drawing_it_whole_shows(first in buffers(), second in buffers()) {
            let empty = Buffer::empty(AREA);
            let mut stepwise = Screen::new(AREA);
            stepwise.show(&empty, &first);
            stepwise.show(&first, &second);
            let mut whole = Screen::new(AREA);
            whole.show(&Buffer::empty(Rect::ZERO), &second);
            prop_assert_eq!(stepwise.cells(AREA), whole.cells(AREA));
        }
    }

    #[test]
    fn what_did_not_change_costs_nothing() {
        let mut buffer = Buffer::empty(AREA);
        buffer.set_string(0, 0, "busy", Style::new().fg(Color::Red));
        let mut bytes = Vec::new();
        encode(&buffer, &buffer.clone(), &mut bytes);
        assert!(bytes.is_empty());
    }

    #[test]
    fn one_number_costs_a_few_bytes() {
        let mut before = Buffer::empty(AREA);
        before.set_string(0, 0, "busy 10 %", Style::new());
        let mut after = before.clone();
        after.set_string(5, 0, "11", Style::new());
        let mut bytes = Vec::new();
        encode(&before, &after, &mut bytes);
        assert_eq!(bytes, b"\x1b[?2026h\x1b[1;7H1\x1b[?2026l");
    }
}
