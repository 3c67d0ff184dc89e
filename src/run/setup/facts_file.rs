//! Facts of another machine, from a file or a pipe: as `setup show --json` prints them, or bare.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::setup::facts::Facts;

/// What the document of `setup show --json` is called.
pub const SCHEMA: &str = "nvsdk-top-setup/1";

/// The longest document that is read; one of a large machine is a hundredth of it.
const MOST_BYTES: u64 = 16 << 20;

/// The facts cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// The file cannot be read.
    #[error(
        "the facts in {name} cannot be read: {source}; name a file with what setup show --json prints"
    )]
    Unreadable {
        /// The file, or standard input.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It is longer than facts ever are.
    #[error(
        "the facts in {name} have more than {MOST_BYTES} bytes; give what setup show --json prints"
    )]
    TooLarge {
        /// The file, or standard input.
        name: String,
    },
    /// It is no JSON, or no facts.
    #[error(
        "the facts in {name}, line {line}, column {column}: {what}; give what setup show --json prints"
    )]
    Wrong {
        /// The file, or standard input.
        name: String,
        /// The line, counted from 1; 0 where the document as a whole is meant.
        line: usize,
        /// The byte in the line, counted from 1.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// It is of another version of the program.
    #[error(
        "the facts in {name} are of the kind {schema:?}, and not {SCHEMA}; print them with this version"
    )]
    Version {
        /// The file, or standard input.
        name: String,
        /// What it says it is.
        schema: String,
    },
}

/// What tells a document from bare facts.
#[derive(Deserialize)]
struct Outline {
    schema: Option<String>,
    facts: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Document {
    facts: Facts,
}

/// Reads the facts in a file; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Facts, FactsError> {
    if path == Path::new("-") {
        return from("standard input", io::stdin().lock());
    }
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => from(&name, file),
        Err(source) => Err(FactsError::Unreadable { name, source }),
    }
}

fn from(name: &str, input: impl Read) -> Result<Facts, FactsError> {
    let name = || PathBuf::from(name).display().to_string();
    let mut bytes = Vec::new();
    let read = input.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|source| FactsError::Unreadable { name: name(), source })?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(FactsError::TooLarge { name: name() });
    }
    let wrong = |error: serde_json::Error| {
        let text = error.to_string();
        // serde_json repeats the place at the end.
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what).to_owned();
        FactsError::Wrong { name: name(), line: error.line(), column: error.column(), what }
    };
    let outline: Outline = serde_json::from_slice(&bytes).map_err(wrong)?;
    if let Some(schema) = outline.schema.filter(|schema| schema != SCHEMA) {
        return Err(FactsError::Version { name: name(), schema });
    }
    if outline.facts.is_some() {
        let document: Document = serde_json::from_slice(&bytes).map_err(wrong)?;
        Ok(document.facts)
    } else {
        serde_json::from_slice(&bytes).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::{FactsError, SCHEMA, from};
    use crate::model::Sysroot;
    use crate::setup::facts::{self, Surroundings};

    fn text() -> String {
        let folder = tempfile::tempdir().unwrap();
        let facts = facts::read(&Sysroot::new(folder.path()), &Surroundings::default());
        serde_json::to_string(&facts).unwrap()
    }

    #[test]
    fn bare_facts_and_those_of_a_document_are_the_same() {
        let bare = text();
        let document = format!("{{\"schema\": \"{SCHEMA}\", \"more\": [1], \"facts\": {bare}}}");
        let facts = from("a", bare.as_bytes()).unwrap();
        assert_eq!(from("a", document.as_bytes()).unwrap(), facts);
    }

    #[test]
    fn what_is_no_facts_says_where() {
        let error = |text: &[u8]| from("in", text).unwrap_err().to_string();
        for (text, place) in [
            ("", "in, line 1, column 0: EOF"),
            ("{\n  \"facts\": }", "in, line 2, column 12: expected value"),
            ("[1, 2]", "in, line 1, column "),
            ("{}", "in, line 1, column 2: missing field"),
            ("{\"facts\": {\"system\": 1}}", "in, line 1, column "),
            (&"[".repeat(100_000), "in, line 1, column "),
            (&format!("{{\"facts\": {}", "{\"a\":".repeat(100_000)), "in, line 1, column "),
        ] {
            let message = error(text.as_bytes());
            assert!(message.contains(place), "{message}");
        }
        assert!(error(b"{\"schema\": \"nvsdk-top/1\"}").contains("\"nvsdk-top/1\""));
        assert!(error(b"{\"a\": \"\xff\"}").contains("line 1"));
    }

    #[test]
    fn too_much_is_not_read() {
        let result = from("in", std::io::repeat(b' '));
        assert!(matches!(result, Err(FactsError::TooLarge { .. })), "{result:?}");
    }
}
