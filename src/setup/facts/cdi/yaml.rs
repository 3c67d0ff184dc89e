//! YAML as the same values that JSON has, within limits that no real spec comes near.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};
use serde_json::{Map, Value};

/// As many values as a document may have, each use of an anchor counted again. The parser's time grows faster than the
/// length of a list in brackets.
const MOST_VALUES: usize = 50_000;
/// As deep as they may be nested; the values are freed recursively.
const DEEPEST: usize = 64;

/// Why a text is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum YamlError {
    #[error("{0}")]
    Syntax(#[from] ScanError),
    #[error("it has more than {MOST_VALUES} values, anchors expanded")]
    TooMany,
    #[error("it is nested deeper than {DEEPEST} levels")]
    TooDeep,
    #[error("it refers to an anchor that is not there")]
    NoAnchor,
    #[error("a key is no plain text")]
    Key,
    #[error("it ends early")]
    Unfinished,
}

/// The first document of a text. Every scalar is a text, except those that stand for nothing: CDI knows no other.
pub(super) fn parse(text: &str) -> Result<Value, YamlError> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        match event?.0 {
            Event::DocumentEnd => break,
            Event::Alias(anchor) => {
                let known = builder.anchors.get(&anchor).cloned().ok_or(YamlError::NoAnchor)?;
                builder.add(known, 0)?;
            }
            Event::Scalar(text, style, anchor, _) => {
                let is_nothing = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if is_nothing { Value::Null } else { text.into_owned().into() };
                builder.add(Anchored { value, count: 1, depth: 0 }, anchor)?;
            }
            Event::SequenceStart(anchor, _) => {
                builder.open(Container::List(Vec::new()), anchor)?;
            }
            Event::MappingStart(anchor, _) => {
                builder.open(Container::Object(Map::new(), None), anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
    }
    builder.whole.ok_or(YamlError::Unfinished)
}

/// A value with its size, so that what its repetition costs is known before it is made.
#[derive(Clone)]
struct Anchored {
    value: Value,
    /// How many values it is made of.
    count: usize,
    /// How many containers are nested in it.
    depth: usize,
}

enum Container {
    List(Vec<Value>),
    /// With the key whose value comes next.
    Object(Map<String, Value>, Option<String>),
}

/// A container that is being filled.
struct Open {
    container: Container,
    anchor: usize,
    count: usize,
    depth: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    count: usize,
    whole: Option<Value>,
}

impl Builder {
    fn open(&mut self, container: Container, anchor: usize) -> Result<(), YamlError> {
        if self.open.len() == DEEPEST {
            return Err(YamlError::TooDeep);
        }
        self.open.push(Open { container, anchor, count: 1, depth: 1 });
        Ok(())
    }

    fn close(&mut self) -> Result<(), YamlError> {
        let Open { container, anchor, count, depth } =
            self.open.pop().ok_or(YamlError::Unfinished)?;
        let value = match container {
            Container::List(list) => Value::Array(list),
            Container::Object(map, _) => Value::Object(map),
        };
        // What is in it was counted as it came.
        self.count = self.count.saturating_sub(count - 1);
        self.add(Anchored { value, count, depth }, anchor)
    }

    /// Puts a value into the innermost open container.
    fn add(&mut self, new: Anchored, anchor: usize) -> Result<(), YamlError> {
        self.count += new.count;
        if self.count > MOST_VALUES {
            return Err(YamlError::TooMany);
        }
        if self.open.len() + new.depth > DEEPEST {
            return Err(YamlError::TooDeep);
        }
        if anchor > 0 {
            // The copy that the anchor keeps costs as much as a use of it.
            self.count += new.count;
            self.anchors.insert(anchor, new.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.whole = Some(new.value);
            return Ok(());
        };
        parent.count += new.count;
        parent.depth = parent.depth.max(new.depth + 1);
        match &mut parent.container {
            Container::List(list) => list.push(new.value),
            Container::Object(map, key) => match (key.take(), new.value) {
                (Some(key), value) => {
                    map.insert(key, value);
                }
                (None, Value::String(text)) => *key = Some(text),
                (None, _) => return Err(YamlError::Key),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::fmt::Write;

    #[test]
    fn scalars_are_texts() {
        let text = "a: 0\nb: \"0\"\nc: ~\nd: [x, 'y', \"null\"]\ne: {}\nf:\n  - g: true\n";
        let value = json!({"a": "0", "b": "0", "c": null, "d": ["x", "y", "null"], "e": {},
                           "f": [{"g": "true"}]});
        assert_eq!(parse(text).unwrap(), value);
        assert_eq!(parse("a: 1\n---\nb: 2\n").unwrap(), json!({"a": "1"}));
    }

    #[test]
    fn anchors_are_followed() {
        let text = "a: &x {b: [c]}\nd: *x\ne: &y f\ng: *y\n";
        let value = json!({"a": {"b": ["c"]}, "d": {"b": ["c"]}, "e": "f", "g": "f"});
        assert_eq!(parse(text).unwrap(), value);
    }

    #[test]
    fn a_bomb_of_anchors_goes_out_early() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..30 {
            let uses = vec![format!("*a{}", level - 1); 10].join(", ");
            writeln!(bomb, "a{level}: &a{level} [{uses}]").unwrap();
        }
        assert!(matches!(parse(&bomb), Err(YamlError::TooMany)));
    }

    #[test]
    fn a_bomb_of_depth_by_anchors_goes_out_early() {
        let mut bomb = "a0: &a0 x\n".to_owned();
        for level in 1..=DEEPEST {
            writeln!(bomb, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
        }
        assert!(matches!(parse(&bomb), Err(YamlError::TooDeep)));
    }

    #[test]
    fn depth_and_number_have_a_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(DEEPEST)).is_ok());
        assert!(matches!(parse(&nested(DEEPEST + 1)), Err(YamlError::TooDeep)));
        assert!(parse(&"[".repeat(1_000_000)).is_err());
        let list = |length| "- x\n".repeat(length);
        assert!(parse(&list(MOST_VALUES - 1)).is_ok());
        assert!(matches!(parse(&list(MOST_VALUES)), Err(YamlError::TooMany)));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in ["", "a: [", "a: b: c", "*nowhere", "? [a]\n: b\n", "a: \"x", "&a [*a]", "\0"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), yaml in "[-a:\\[\\]{}&*, \"'\n|>?#%!~]{0,60}") {
            let _ = parse(&text);
            let _ = parse(&yaml);
        }

        #[test]
        fn json_is_yaml_too(list in proptest::collection::vec("[a-z0-9 /.:-]{0,12}", 0..8)) {
            let value = json!({"list": list, "none": null});
            prop_assert_eq!(parse(&value.to_string()).unwrap(), value);
        }
    }
}
