//! Why a file with what the user chose cannot be used.

use std::io;
use std::path::PathBuf;

use crate::model::line_and_column;

/// A file of settings, or the draft of Setup, that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is there but cannot be read.
    #[error("{} cannot be read: {source}; let this user read it, or remove it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error(
        "{}, line {line}, column {column}: {message}; correct the line or remove it",
        path.display()
    )]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The character in the line, counted from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

impl ConfigError {
    /// What is wrong with `text`, which was read from `path`.
    pub(crate) fn from_toml(path: PathBuf, text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        // toml's own message of an unexpected end has several lines.
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        Self::after(path, text.get(..start).unwrap_or(text), message)
    }

    /// What is wrong in the file `path` right after the text `before`, with which it begins.
    pub(crate) fn after(path: PathBuf, before: &str, message: String) -> Self {
        let (line, column) = line_and_column(before, before.len());
        Self::Wrong { path, line, column, message }
    }
}
