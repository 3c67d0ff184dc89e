//! Drawing in roles: texts that are cut where their place ends, bars, frames and charts.

use std::borrow::Cow;

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::{printable, wrapped};
use crate::store::Bucket;
use crate::theme::{Glyphs, Gradient, Role, Theme};

/// Where a picture is drawn.
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    pub(super) theme: &'a Theme,
    pub(super) glyphs: &'static Glyphs,
}

impl<'a> Canvas<'a> {
    /// Empties the whole buffer, to draw in it.
    pub(super) fn new(buffer: &'a mut Buffer, theme: &'a Theme, glyphs: &'static Glyphs) -> Self {
        let canvas = Self { buffer, theme, glyphs };
        let blank = canvas.blank(Role::Screen);
        canvas.buffer.content.fill(blank);
        canvas
    }

    /// Gives a whole area a look.
    pub(super) fn dress(&mut self, area: Rect, role: Role) {
        self.buffer.set_style(area, self.theme.style(role));
    }

    /// Empties an area and gives it a look.
    pub(super) fn clear(&mut self, area: Rect, role: Role) {
        let blank = self.blank(role);
        for row in area.rows() {
            self.cells(row).fill(blank.clone());
        }
    }

    fn blank(&self, role: Role) -> Cell {
        let mut blank = Cell::EMPTY;
        blank.set_style(self.theme.style(role));
        blank
    }

    /// The cells of the first row of `area`, as far as it lies in the buffer.
    fn cells(&mut self, area: Rect) -> &mut [Cell] {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return &mut [];
        }
        let start = self.buffer.index_of(area.x, area.y);
        &mut self.buffer.content[start..start + usize::from(area.width)]
    }

    /// Writes what fits of `text` into the first row of `area`, and returns the cells it took. What is cut off is told
    /// by an ellipsis.
    pub(super) fn text(&mut self, area: Rect, role: Role, text: &str) -> u16 {
        let style = self.theme.style(role);
        self.styled(area, style, text)
    }

    /// [`Canvas::text`] in a style of its own.
    pub(super) fn styled(&mut self, area: Rect, style: Style, text: &str) -> u16 {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return 0;
        }
        let text = self.legible(text);
        let room = usize::from(area.width);
        if let Some(width) = plain_width(&text).filter(|width| *width <= area.width) {
            for (cell, letter) in self.cells(area).iter_mut().zip(text.chars()) {
                cell.set_char(letter).set_style(style);
            }
            return width;
        }
        let (kept, ellipsis) = if usize::from(text.cell_width()) <= room {
            (room, "")
        } else {
            (room - 1, self.glyphs.ellipsis)
        };
        let (end, _) = self.buffer.set_stringn(area.x, area.y, &*text, kept, style);
        let (end, _) = self.buffer.set_stringn(end, area.y, ellipsis, 1, style);
        end - area.x
    }

    /// Writes `text` into as many rows of `area` as it needs and there are, and returns how many it took.
    pub(super) fn paragraph(&mut self, area: Rect, role: Role, text: &str) -> u16 {
        let mut rows = 0;
        for (line, place) in wrapped(text, usize::from(area.width).max(1)).zip(area.rows()) {
            self.text(place, role, &line);
            rows += 1;
        }
        rows
    }

    /// The text as the terminal can show it: without control characters, and without more than ASCII where frames are
    /// drawn in ASCII.
    fn legible<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match printable(text) {
            Cow::Borrowed(text) => self.glyphs.spelled(text),
            Cow::Owned(text) => self.glyphs.spelled(&text).into_owned().into(),
        }
    }

    /// Writes `text` so that it ends where the first row of `area` ends.
    pub(super) fn text_right(&mut self, area: Rect, role: Role, text: &str) {
        let text = self.legible(text);
        let width = plain_width(&text).unwrap_or_else(|| text.cell_width()).min(area.width);
        let start = Rect { x: area.right() - width, width, ..area };
        self.text(start, role, &text);
    }

    /// Draws a frame with a title around `area` and returns what is inside.
    pub(super) fn frame(&mut self, area: Rect, role: Role, title: &str) -> Rect {
        let area = area.intersection(self.buffer.area);
        if area.width < 2 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let style = self.theme.style(role);
        let g = self.glyphs;
        let mut side = Cell::new(g.horizontal);
        side.set_style(style);
        for y in [area.top(), area.bottom() - 1] {
            let place = Rect { x: area.x + 1, y, width: area.width - 2, height: 1 };
            self.cells(place).fill(side.clone());
        }
        for y in area.top() + 1..area.bottom() - 1 {
            self.put(area.left(), y, g.vertical, style);
            self.put(area.right() - 1, y, g.vertical, style);
        }
        self.put(area.left(), area.top(), g.top_left, style);
        self.put(area.right() - 1, area.top(), g.top_right, style);
        self.put(area.left(), area.bottom() - 1, g.bottom_left, style);
        self.put(area.right() - 1, area.bottom() - 1, g.bottom_right, style);
        if !title.is_empty() && area.width > 6 {
            let place = Rect { x: area.x + 2, width: area.width - 4, height: 1, ..area };
            self.text(place, Role::Title, &format!(" {title} "));
        }
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }

    /// Writes on the lower side of a frame around `area`, from the left.
    pub(super) fn foot(&mut self, area: Rect, role: Role, text: &str) {
        if area.width > 6 && area.height >= 2 {
            let place =
                Rect { x: area.x + 2, y: area.bottom() - 1, width: area.width - 4, height: 1 };
            self.text(place, role, &format!(" {text} "));
        }
    }

    /// Draws a bar of `percent` of the first row of `area`, with `reserved` percent more behind it.
    pub(super) fn bar(&mut self, area: Rect, gradient: Gradient, percent: f64, reserved: f64) {
        let area = area.intersection(self.buffer.area);
        let eighths = |percent: f64| eighths_of(percent, area.width);
        let (filled, until) = (eighths(percent), eighths(percent + reserved));
        for (cell, x) in (0u32..).zip(area.left()..area.right()) {
            let part = filled.saturating_sub(cell * 8).min(8);
            let shade =
                self.theme.shade(gradient, f64::from(cell) * 100.0 / f64::from(area.width.max(1)));
            if part > 0 {
                self.put(x, area.y, self.glyphs.bar[part as usize], Style::new().fg(shade));
            } else if until > cell * 8 {
                self.put(
                    x,
                    area.y,
                    self.glyphs.bar_reserved,
                    self.theme.style(Role::MemoryReserved),
                );
            } else {
                self.put(x, area.y, self.glyphs.bar_track, self.theme.style(Role::BarTrack));
            }
        }
    }

    /// Draws one row of columns that rise by eighths, the newest at the right. A gap stays empty.
    pub(super) fn spark(
        &mut self,
        area: Rect,
        gradient: Gradient,
        columns: &[Option<Bucket>],
        highest: f32,
    ) {
        let area = area.intersection(self.buffer.area);
        let newest = columns.iter().rev();
        for (x, bucket) in (area.left()..area.right()).rev().zip(newest) {
            let Some(bucket) = bucket else { continue };
            let percent = share(bucket.mean, highest);
            let style = Style::new().fg(self.theme.shade(gradient, percent));
            // What is there is told from a gap, and what is small from nothing at all.
            let glyph = match eighths_of(percent, 1).max(1) {
                _ if bucket.max <= 0.0 => self.glyphs.spark_zero,
                part => self.glyphs.spark[part as usize],
            };
            self.put(x, area.y, glyph, style);
        }
    }

    /// Draws an area chart of two columns a cell, the newest at the right. A gap stays empty.
    pub(super) fn area_chart(
        &mut self,
        area: Rect,
        gradient: Gradient,
        columns: &[Option<Bucket>],
        highest: f32,
    ) {
        let area = area.intersection(self.buffer.area);
        // Zero is told from a small value by its colour.
        let is_idle = |pair: &[Option<Bucket>]| pair.iter().flatten().all(|b| b.max <= 0.0);
        let quarters = |bucket: &Option<Bucket>| {
            bucket.map_or(0, |bucket| quarters_of(share(bucket.mean, highest), area.height))
        };
        let pairs = columns.rchunks(2).take(area.width.into()).map(|pair| match pair {
            [left, right] => (quarters(left), quarters(right), is_idle(pair)),
            pair => (0, pair.first().map_or(0, quarters), is_idle(pair)),
        });
        let pairs: Vec<_> = pairs.collect();
        let idle = self.theme.style(Role::GraphLabel);
        for (level, row) in (0u32..).zip(area.rows().rev()) {
            let percent = f64::from(level + 1) * 100.0 / f64::from(area.height.max(1));
            let busy = Style::new().fg(self.theme.shade(gradient, percent));
            let part = |quarters: u32| quarters.saturating_sub(level * 4).min(4) as usize;
            let glyphs = &self.glyphs.area;
            for (cell, &(left, right, is_idle)) in self.cells(row).iter_mut().rev().zip(&pairs) {
                let (left, right) = (part(left), part(right));
                if left + right > 0 {
                    let style = if is_idle { idle } else { busy };
                    cell.set_symbol(glyphs[left][right]).set_style(style);
                }
            }
        }
    }

    fn put(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }
}

/// The cells of a text whose characters take one each and combine with nothing, as those of nearly all texts do; what
/// ratatui does for the others is dear.
fn plain_width(text: &str) -> Option<u16> {
    let plain = |c| matches!(c, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{2ff}');
    let mut width = 0u16;
    for c in text.chars() {
        width = plain(c).then(|| width.checked_add(1))??;
    }
    Some(width)
}

/// How far `value` is on the way from 0 to `highest`, in percent.
pub(super) fn share(value: f32, highest: f32) -> f64 {
    if highest > 0.0 { f64::from(value / highest * 100.0).clamp(0.0, 100.0) } else { 0.0 }
}

/// `percent` of `cells`, in eighths of a cell.
fn eighths_of(percent: f64, cells: u16) -> u32 {
    parts_of(percent, f64::from(cells) * 8.0)
}

/// `percent` of `cells`, in quarters of a cell; what is there and small is one.
fn quarters_of(percent: f64, cells: u16) -> u32 {
    parts_of(percent, f64::from(cells) * 4.0).max(1)
}

fn parts_of(percent: f64, parts: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    // Half a part more and cut off, which costs less than rounding.
    let parts = (percent.clamp(0.0, 100.0) / 100.0 * parts + 0.5) as u32;
    parts
}

#[cfg(test)]
mod tests {
    use super::{Canvas, eighths_of, quarters_of};
    use crate::theme::{Depth, Glyphs, Role, Theme};
    use ratatui::buffer::{Buffer, Cell};
    use ratatui::layout::Rect;

    #[test]
    fn parts_are_rounded_and_bounded() {
        assert_eq!(
            [0.0, 50.0, 100.0, 250.0, -3.0].map(|percent| eighths_of(percent, 10)),
            [0, 40, 80, 80, 0]
        );
        assert_eq!(eighths_of(f64::NAN, 10), 0);
        assert_eq!([0.0, 100.0].map(|percent| quarters_of(percent, 3)), [1, 12]);
    }

    /// What is drawn in so many cells of a row that has more, the second cell of a wide character being a blank.
    fn drawn(text: &str, cells: u16) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        let (theme, _) = Theme::load("mono", None, Depth::Mono);
        let mut canvas = Canvas::new(&mut buffer, &theme, &Glyphs::UNICODE);
        canvas.text(Rect::new(0, 0, cells, 1), Role::Text, text);
        buffer.content.iter().map(Cell::symbol).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn texts_are_cut_between_characters_and_within_their_place() {
        assert_eq!(drawn("猫猫猫", 6), "猫 猫 猫");
        assert_eq!(drawn("猫猫猫", 5), "猫 猫 …");
        assert_eq!(drawn("猫猫猫", 4), "猫 …");
        assert_eq!(drawn("abc", 5), "abc");
        assert_eq!(drawn("abc", 2), "a…");
        assert_eq!(drawn("abc", 0), "");
        // A selector makes its sign wide.
        assert_eq!(drawn("❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}", 4), "❤\u{fe0f} …");
    }
}
