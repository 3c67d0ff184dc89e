//! Texts over several lines.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::text::printable;

/// The words of a text in lines of at most `width` cells of a terminal; a longer word is cut between characters. What
/// does not fit into `width` by itself has a line of its own.
pub fn wrapped(text: &str, width: usize) -> impl Iterator<Item = String> + use<> {
    let mut lines = vec![String::new()];
    let mut taken = 0;
    for word in printable(text).split_whitespace() {
        let whole = word.width();
        let mut joins = taken > 0 && taken + 1 + whole <= width;
        if joins {
            lines.last_mut().into_iter().for_each(|line| line.push(' '));
            taken += 1;
        }
        for character in word.chars() {
            let cells = character.width().unwrap_or(0);
            if taken > 0 && (!joins || taken + cells > width) {
                lines.push(String::new());
                taken = 0;
            }
            joins = true;
            taken += cells;
            lines.last_mut().into_iter().for_each(|line| line.push(character));
        }
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::wrapped;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn wide_characters_take_two_cells() {
        assert_eq!(wrapped("ab 猫猫猫 c", 5).collect::<Vec<_>>(), ["ab", "猫猫", "猫 c"]);
        assert_eq!(wrapped("猫", 1).collect::<Vec<_>>(), ["猫"]);
        assert_eq!(wrapped("  ", 5).collect::<Vec<_>>(), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_no_word_is_lost(text in "[a-z猫é ]{0,200}", width in 2usize..40) {
            let lines: Vec<_> = wrapped(&text, width).collect();
            prop_assert!(lines.iter().all(|line| line.width() <= width));
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
