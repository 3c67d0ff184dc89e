//! Other people's text: making it safe to put on a terminal, and naming a place in it.

use std::borrow::Cow;

/// `text` with every character that could move the cursor, reorder the line or hide itself replaced by `\u{…}`.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    // Nearly every text is plain ASCII, which is told by its bytes.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_printable(c) { safe.push(c) } else { safe.extend(c.escape_unicode()) }
    }
    Cow::Owned(safe)
}

/// Whether a terminal draws `c` in its place; the rest are controls and Unicode's invisible formatting characters.
#[must_use]
pub fn is_printable(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'))
}

/// The line of a byte of `text` and the character in that line, both counted from 1.
#[must_use]
pub fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (1 + before.matches('\n').count(), 1 + before[start..].chars().count())
}

#[cfg(test)]
mod tests {
    use super::{line_and_column, printable};
    use proptest::prelude::*;

    #[test]
    fn escapes_and_bidi_controls_are_spelled_out() {
        assert_eq!(printable("python train.py"), "python train.py");
        assert_eq!(printable("a\x1b[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(printable("naïve 猫"), "naïve 猫");
    }

    #[test]
    fn places_are_counted_in_characters() {
        let text = "ä x\nzwei";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, 3), (1, 3));
        assert_eq!(line_and_column(text, 5), (2, 1));
        assert_eq!(line_and_column(text, 99), (2, 5));
    }

    proptest! {
        #[test]
        fn the_result_is_printable_and_stays(text in any::<String>()) {
            let once = printable(&text).into_owned();
            prop_assert!(!once.contains(char::is_control));
            prop_assert_eq!(printable(&once), once.as_str());
        }
    }
}
