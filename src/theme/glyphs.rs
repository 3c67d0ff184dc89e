//! The glyph table: what is drawn with, in Unicode and in ASCII.

use std::borrow::Cow;

use super::environment::Environment;

/// Declares [`Glyphs`] from one row per glyph: its name, and what it is in Unicode and in ASCII.
macro_rules! glyphs {
    ($( $(#[doc = $doc:literal])+ $name:ident : $kind:ty = $unicode:expr, $ascii:expr; )+) => {
        /// The characters that a picture is made of. Each is one column wide unless it says otherwise.
        #[derive(Debug, PartialEq, Eq)]
        pub struct Glyphs { $( $(#[doc = $doc])+ pub $name: $kind, )+ }

        impl Glyphs {
            /// Frames, eighths and dots.
            pub const UNICODE: Self = Self { $( $name: $unicode, )+ };
            /// What every terminal has.
            pub const ASCII: Self = Self { $( $name: $ascii, )+ };
        }
    };
}

glyphs! {
    /// The corner of a frame.
    top_left: &'static str = "╭", "+";
    /// The corner of a frame.
    top_right: &'static str = "╮", "+";
    /// The corner of a frame.
    bottom_left: &'static str = "╰", "+";
    /// The corner of a frame.
    bottom_right: &'static str = "╯", "+";
    /// The upper and the lower side of a frame.
    horizontal: &'static str = "─", "-";
    /// The left and the right side of a frame.
    vertical: &'static str = "│", "|";

    /// A cell of a bar that is filled from the left, by eighths from none to all.
    bar: [&'static str; 9] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
                             [" ", ".", "-", "-", "=", "=", "=", "#", "#"];
    /// A cell of a bar that stands for something reserved.
    bar_reserved: &'static str = "░", ":";
    /// The empty part of a bar.
    bar_track: &'static str = " ", ".";

    /// A cell that is filled from below, by eighths from none to all.
    spark: [&'static str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
                               [" ", "_", "_", "-", "-", "=", "+", "*", "#"];
    /// The same for a value that is there and zero.
    spark_zero: &'static str = "⣀", ".";
    /// Two neighbouring values of a chart, each filled from below by quarters: the left one, then the right one.
    area: [[&'static str; 5]; 5] = [
        [" ", "⢀", "⢠", "⢰", "⢸"],
        ["⡀", "⣀", "⣠", "⣰", "⣸"],
        ["⡄", "⣄", "⣤", "⣴", "⣼"],
        ["⡆", "⣆", "⣦", "⣶", "⣾"],
        ["⡇", "⣇", "⣧", "⣷", "⣿"],
    ], [
        [" ", ".", ":", "|", "|"],
        [".", ".", ":", "|", "|"],
        [":", ":", ":", "|", "|"],
        ["|", "|", "|", "|", "#"],
        ["|", "|", "|", "#", "#"],
    ];
    /// In front of a verdict: all is well.
    ok: &'static str = "✓", "+";
    /// In front of a verdict: worth knowing.
    notice: &'static str = "◦", "o";
    /// In front of a verdict: something holds the GPU back.
    warning: &'static str = "▲", "!";
    /// In front of a verdict: something is broken.
    critical: &'static str = "✕", "X";

    /// The selected row.
    cursor: &'static str = "▸", ">";
    /// Rows go from small to large.
    ascending: &'static str = "▲", "^";
    /// Rows go from large to small.
    descending: &'static str = "▼", "v";
    /// A value that is not there.
    absent: &'static str = "–", "-";
    /// Text goes on here.
    ellipsis: &'static str = "…", "~";
    /// Between two facts.
    separator: &'static str = "·", "|";
    /// Between a number and another that it is multiplied with.
    times: &'static str = "×", "x";
    /// Between what follows each other; in ASCII two columns.
    arrow: &'static str = "→", "->";
    /// Between two values that are not the same; in ASCII two columns.
    differs: &'static str = "≠", "!=";
    /// Behind what the user changed.
    changed: &'static str = "✎", "*";
    /// Behind a number of degrees; in ASCII nothing.
    degree: &'static str = "°", "";
    /// Before a number that is only about right.
    about: &'static str = "≈", "~";
}

impl Glyphs {
    /// The glyphs that the locale and the terminal can be trusted with.
    #[must_use]
    pub fn detect(environment: &Environment) -> &'static Self {
        let Environment { lc_all, lc_ctype, lang, term, .. } = environment;
        let locale = lc_all.as_deref().or(lc_ctype.as_deref()).or(lang.as_deref());
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        let is_utf8 = ["utf-8", "utf8"].iter().any(|name| locale.contains(name));
        // The fonts of Linux's own console have no room for dots, eighths and round corners.
        let is_console = term.as_deref() == Some("linux");
        if is_utf8 && !is_console { &Self::UNICODE } else { &Self::ASCII }
    }

    /// The text as it can be shown with these glyphs: in ASCII, signs of the program's own are those of the table, and
    /// what else is not ASCII is a question mark.
    #[must_use]
    pub fn spelled<'t>(&self, text: &'t str) -> Cow<'t, str> {
        // One sign tells the two sets apart.
        if text.is_ascii() || self.degree == Self::UNICODE.degree {
            return Cow::Borrowed(text);
        }
        let signs = [
            (Self::UNICODE.degree, self.degree),
            (Self::UNICODE.about, self.about),
            (Self::UNICODE.absent, self.absent),
            (Self::UNICODE.times, self.times),
            (Self::UNICODE.ellipsis, self.ellipsis),
            (Self::UNICODE.separator, self.separator),
        ];
        let known = |text: String, (from, to): (&str, &str)| text.replace(from, to);
        let text = signs.into_iter().fold(text.to_owned(), known);
        text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect::<String>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::Glyphs;
    use crate::theme::Environment;
    use unicode_width::UnicodeWidthStr;

    fn all(glyphs: &Glyphs) -> Vec<&'static str> {
        let Glyphs { top_left, top_right, bottom_left, bottom_right, horizontal, vertical, .. } =
            glyphs;
        let mut all = vec![*top_left, top_right, bottom_left, bottom_right, horizontal, vertical];
        all.extend(glyphs.bar.iter().chain(&glyphs.spark).chain(glyphs.area.iter().flatten()));
        all.extend([glyphs.bar_reserved, glyphs.bar_track, glyphs.spark_zero]);
        all.extend([glyphs.ok, glyphs.notice, glyphs.warning, glyphs.critical, glyphs.cursor]);
        all.extend([glyphs.ascending, glyphs.descending, glyphs.absent, glyphs.ellipsis]);
        all.extend([glyphs.separator, glyphs.times, glyphs.changed]);
        all
    }

    #[test]
    fn a_plain_terminal_gets_the_signs_that_it_has() {
        assert_eq!(Glyphs::ASCII.spelled("53 °C – 2×8 · 猫…"), "53 C - 2x8 | ?~");
        assert_eq!(Glyphs::UNICODE.spelled("53 °C 猫"), "53 °C 猫");
    }

    #[test]
    fn glyphs_are_one_column_wide_and_ascii_is_ascii() {
        for glyph in all(&Glyphs::UNICODE).into_iter().chain(all(&Glyphs::ASCII)) {
            assert_eq!(glyph.width(), 1, "{glyph:?}");
        }
        assert!(format!("{:?}", Glyphs::ASCII).is_ascii());
    }

    #[test]
    fn braille_cells_have_the_dots_that_they_should() {
        // Dots are numbered down the left column and then down the right one, with the lowest two at the end.
        let (left, right) = ([0, 0x40, 0x44, 0x46, 0x47], [0, 0x80, 0xa0, 0xb0, 0xb8]);
        for (l, row) in Glyphs::UNICODE.area.iter().enumerate() {
            for (r, cell) in row.iter().enumerate().filter(|(r, _)| l + r > 0) {
                let dots = char::from_u32(0x2800 + left[l] + right[r]).unwrap();
                assert_eq!(cell.chars().collect::<Vec<_>>(), [dots]);
            }
        }
    }

    #[test]
    fn marks_of_trouble_differ() {
        for glyphs in [&Glyphs::UNICODE, &Glyphs::ASCII] {
            let marks = [glyphs.ok, glyphs.notice, glyphs.warning, glyphs.critical];
            assert_eq!(std::collections::BTreeSet::from(marks).len(), marks.len());
        }
    }

    #[test]
    fn the_locale_decides() {
        let glyphs = |lc_all: &str, lc_ctype: &str, lang: &str, term: &str| {
            let set = |value: &str| (!value.is_empty()).then(|| value.to_owned());
            Glyphs::detect(&Environment {
                lc_all: set(lc_all),
                lc_ctype: set(lc_ctype),
                lang: set(lang),
                term: set(term),
                ..Environment::default()
            })
        };
        assert_eq!(glyphs("", "", "", "xterm"), &Glyphs::ASCII);
        assert_eq!(glyphs("", "", "de_DE.UTF-8", "xterm"), &Glyphs::UNICODE);
        assert_eq!(glyphs("", "", "C.utf8", ""), &Glyphs::UNICODE);
        assert_eq!(glyphs("C", "", "de_DE.UTF-8", "xterm"), &Glyphs::ASCII);
        assert_eq!(glyphs("", "en_US.UTF-8", "de_DE.ISO-8859-1", "xterm"), &Glyphs::UNICODE);
        assert_eq!(glyphs("", "", "en_US.UTF-8", "linux"), &Glyphs::ASCII);
    }
}
