//! The path that names an option, like `hardware.nvidia.open`.

use std::fmt;

/// One or more attribute names. A name is any text; it is quoted where Nix needs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttrPath(Vec<String>);

impl AttrPath {
    /// The path of these names, in order.
    pub fn new<I, N>(names: I) -> Self
    where
        I: IntoIterator<Item = N>,
        N: Into<String>,
    {
        AttrPath(names.into_iter().map(Into::into).collect())
    }

    /// The path that a dotted text of plain names stands for. For paths that are part of the program: a name with a dot
    /// or a quote in it comes through [`AttrPath::new`].
    #[must_use]
    pub fn dotted(text: &str) -> Self {
        AttrPath::new(text.split('.'))
    }

    /// The names, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// This path with another one behind it.
    #[must_use]
    pub fn join(&self, tail: &AttrPath) -> Self {
        AttrPath([self.0.as_slice(), &tail.0].concat())
    }

    /// What remains of this path below `head`; `None` where it does not lie below it.
    #[must_use]
    pub fn below(&self, head: &AttrPath) -> Option<AttrPath> {
        self.0.strip_prefix(head.0.as_slice()).map(|tail| AttrPath(tail.to_vec()))
    }
}

impl fmt::Display for AttrPath {
    /// As Nix reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(".")?;
            }
            if is_identifier(name) {
                f.write_str(name)?;
            } else {
                write!(f, "{}", super::print::Quoted(name))?;
            }
        }
        Ok(())
    }
}

/// The words that Nix does not take as a bare attribute name.
const KEYWORDS: &[&str] = &["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"];

/// Whether a name can stand without quotes.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '\'' | '-'))
        && !KEYWORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_where_nix_needs_it() {
        assert_eq!(
            AttrPath::dotted("hardware.nvidia-sdk.enable").to_string(),
            "hardware.nvidia-sdk.enable"
        );
        let odd = AttrPath::new(["users", "a.b", "with", "${x}", "1st", ""]);
        assert_eq!(odd.to_string(), r#"users."a.b"."with"."\${x}"."1st"."""#);
    }

    #[test]
    fn what_lies_below_a_path() {
        let path = AttrPath::dotted("hardware.nvidia.open");
        assert_eq!(
            path.below(&AttrPath::dotted("hardware.nvidia")),
            Some(AttrPath::dotted("open"))
        );
        assert_eq!(path.below(&AttrPath::dotted("hardware.nvidia-sdk")), None);
    }
}
