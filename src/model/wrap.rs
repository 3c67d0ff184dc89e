//! Texts over several lines.

use super::text::printable;

/// The words of a text in lines of at most `width` characters; a longer word is cut.
pub fn wrapped(text: &str, width: usize) -> impl Iterator<Item = String> + use<> {
    let mut lines = vec![String::new()];
    for word in printable(text).split_whitespace() {
        for piece in word.chars().collect::<Vec<_>>().chunks(width) {
            let piece: String = piece.iter().collect();
            let fits = lines
                .last()
                .is_some_and(|line| line.chars().count() + 1 + piece.chars().count() <= width);
            match lines.last_mut() {
                Some(line) if line.is_empty() => *line = piece,
                Some(line) if fits => {
                    line.push(' ');
                    line.push_str(&piece);
                }
                _ => lines.push(piece),
            }
        }
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::wrapped;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_line_is_too_long_and_no_word_is_lost(text in "[a-z ]{0,200}", width in 1usize..40) {
            let lines: Vec<_> = wrapped(&text, width).collect();
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
