//! JSON that is safe to look at in a terminal.

use std::io::{self, Write};

use serde_json::ser::Formatter;

use crate::model::is_printable;

/// Writes what a terminal would act on or hide, and JSON would leave as it is, as `\uXXXX`.
pub(super) struct Visible<F>(pub(super) F);

/// Hands these steps of the layout to the formatter within.
macro_rules! delegate {
    ($( $step:ident($($argument:ident: $type:ty),*); )+) => {
        $( fn $step<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$step(writer $(, $argument)*)
        } )+
    };
}

impl<F: Formatter> Formatter for Visible<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for piece in fragment.split_inclusive(|c| !is_printable(c)) {
            let plain = piece.trim_end_matches(|c| !is_printable(c));
            writer.write_all(plain.as_bytes())?;
            for unit in piece[plain.len()..].encode_utf16() {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    delegate! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }
}

#[cfg(test)]
mod tests {
    use super::Visible;
    use crate::model::is_printable;
    use proptest::prelude::*;
    use serde::Serialize;
    use serde_json::Serializer;
    use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

    fn json(value: &impl Serialize, layout: impl Formatter) -> String {
        let mut out = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut out, Visible(layout));
        value.serialize(&mut serializer).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hidden_characters_are_spelled_out() {
        let text = "a\u{202e}b\u{7f}\u{9b}\u{1b}\u{e0041}猫";
        let expected = r#""a\u202eb\u007f\u009b\u001b\udb40\udc41猫""#;
        assert_eq!(json(&text, CompactFormatter), expected);
    }

    proptest! {
        #[test]
        fn it_reads_back_and_nothing_in_it_is_hidden(text in any::<String>()) {
            let pretty = json(&[("key", &text)], PrettyFormatter::new());
            prop_assert!(pretty.chars().all(|c| c == '\n' || is_printable(c)));
            let back: [(String, String); 1] = serde_json::from_str(&pretty).unwrap();
            prop_assert_eq!(&back[0].1, &text);
        }
    }
}
