//! Where the monitor writes down what happens.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A file that lines are added to, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFile(Option<PathBuf>);

impl LogFile {
    /// The file, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.as_deref()
    }
}

impl FromStr for LogFile {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self((text != "none").then(|| PathBuf::from(text))))
    }
}

impl fmt::Display for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(path) => write!(f, "{}", path.display()),
            None => f.write_str("none"),
        }
    }
}

super::deserialize_from_text!(LogFile, "the path of a file, or \"none\"");

#[cfg(test)]
mod tests {
    use super::LogFile;
    use std::path::Path;

    #[test]
    fn a_path_or_none() {
        let parse = |text: &str| text.parse::<LogFile>().unwrap();
        assert_eq!(parse("none"), LogFile::default());
        assert_eq!(parse("/tmp/none").path(), Some(Path::new("/tmp/none")));
        assert_eq!(parse("a.log").to_string(), "a.log");
    }
}
