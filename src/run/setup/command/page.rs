//! Lines for people: what others wrote is made harmless, and colours are for terminals.

use std::env;
use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write};

use crate::model::printable;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Heading,
    Quiet,
    Added,
    Removed,
    Place,
    Alarm,
}

impl Tone {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Heading => Some("1"),
            Self::Quiet => Some("2"),
            Self::Added => Some("32"),
            Self::Removed => Some("31"),
            Self::Place => Some("36"),
            Self::Alarm => Some("33"),
        }
    }
}

/// Standard output, line by line.
pub(super) struct Page<W> {
    out: W,
    has_colour: bool,
}

impl Page<BufWriter<StdoutLock<'static>>> {
    /// Standard output, with colours on a terminal whose user does not refuse them.
    pub(super) fn stdout() -> Self {
        let refuses = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_none_or(|term| term == "dumb");
        let stdout = io::stdout();
        let has_colour = stdout.is_terminal() && !refuses;
        Self { out: BufWriter::new(stdout.lock()), has_colour }
    }
}

impl<W: Write> Page<W> {
    /// A line.
    pub(super) fn line(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        let text = printable(text);
        match tone.code().filter(|_| self.has_colour && !text.is_empty()) {
            Some(code) => writeln!(self.out, "\x1b[{code}m{text}\x1b[0m"),
            None => writeln!(self.out, "{text}"),
        }
    }

    /// A heading below an empty line.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line(Tone::Plain, "")?;
        self.line(Tone::Heading, text)
    }

    /// Text with lines of its own, exactly.
    pub(super) fn raw(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Tone};

    fn shown(has_colour: bool) -> String {
        let mut page = Page { out: Vec::new(), has_colour };
        page.line(Tone::Added, "+a\x1b[2J\nb").unwrap();
        page.line(Tone::Added, "").unwrap();
        String::from_utf8(page.out).unwrap()
    }

    #[test]
    fn what_others_wrote_moves_no_cursor() {
        assert_eq!(shown(false), "+a\\u{1b}[2J\\u{a}b\n\n");
        assert_eq!(shown(true), "\x1b[32m+a\\u{1b}[2J\\u{a}b\x1b[0m\n\n");
    }
}
