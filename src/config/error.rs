//! Why a settings file cannot be used.

use std::io;
use std::path::PathBuf;

use crate::model::line_and_column;

/// A settings file that cannot be used.
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
    pub(super) fn wrong(path: PathBuf, text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let (line, column) = line_and_column(text, start);
        Self::Wrong {
            path,
            line,
            column,
            // toml's own message of an unexpected end has several lines.
            message: error.message().lines().collect::<Vec<_>>().join(", "),
        }
    }
}
