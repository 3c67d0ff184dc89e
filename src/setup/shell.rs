//! Words of commands that are shown for the user to run.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use crate::model::is_printable;

/// The text as one word of a POSIX shell, bash or zsh, whatever is in it.
///
/// What a terminal would not draw, and bytes that are not UTF-8, are spelled out in the form `$'\033'`, which keeps
/// the command both visible and exact.
#[must_use]
pub fn quoted(text: impl AsRef<OsStr>) -> String {
    let bytes = text.as_ref().as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => text.to_owned(),
        Ok(text) if text.chars().all(is_printable) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => spelled_out(bytes),
    }
}

/// Whether no shell sees anything in the text but letters.
fn is_plain(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    // zsh takes a word that begins with `=` for the path of a program.
    !text.is_empty() && !text.starts_with('=') && text.chars().all(is_letter)
}

fn spelled_out(bytes: &[u8]) -> String {
    let mut word = "$'".to_owned();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\'' | '\\' => word.extend(['\\', letter]),
                _ if is_printable(letter) => word.push(letter),
                _ => spell(&mut word, letter.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        spell(&mut word, chunk.invalid());
    }
    word.push('\'');
    word
}

/// Adds bytes in octal: three digits end by themselves in every shell, where hexadecimal ones may not.
fn spell(word: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(word, "\\{byte:03o}");
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::process::Command;

    use proptest::prelude::*;

    use super::quoted;
    use crate::model::is_printable;

    #[test]
    fn plain_paths_stay_as_they_are() {
        for plain in ["/etc/nixos/gpu.nix", "nixos-config=/a_b/c-1.nix", "0644"] {
            assert_eq!(quoted(plain), plain);
        }
    }

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        for (text, word) in [
            ("", "''"),
            ("/my files", "'/my files'"),
            ("it's", r"'it'\''s'"),
            ("/etc/nixos#box", "'/etc/nixos#box'"),
            ("=ls", "'=ls'"),
            ("~", "'~'"),
            ("$(reboot)", "'$(reboot)'"),
            ("a\nb'\\", r"$'a\012b\'\\'"),
            ("\u{1b}1", r"$'\0331'"),
            ("\u{202e}ä", r"$'\342\200\256ä'"),
        ] {
            assert_eq!(quoted(text), word);
        }
        assert_eq!(quoted(OsStr::from_bytes(b"/\xff0")), r"$'/\3770'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_reads_back_the_same_bytes(bytes in prop::collection::vec(1u8.., 0..24)) {
            let word = quoted(OsStr::from_bytes(&bytes));
            prop_assert!(word.chars().all(is_printable), "{word:?}");
            let command = format!("printf %s {word}");
            let said = Command::new("bash").env("LC_ALL", "C").args(["-c", &command]).output();
            prop_assert_eq!(said.unwrap().stdout, bytes);
        }
    }
}
