//! What cannot be written as Nix, or could not be judged by who reads the diff, and is refused before.

use super::{AttrPath, Expr, is_identifier};
use crate::model::is_printable;

/// Deeper than any configuration, and far from the end of the stack.
const DEEPEST: usize = 64;

/// Why a value or a path cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// Nix has no escape for it, and nobody sees it in a diff.
    #[error("it holds the invisible character U+{:04X}: take it out", u32::from(*.0))]
    Character(char),
    /// No path is without a name.
    #[error("it has a path without names: name the option")]
    NoName,
    /// A variable begins with a bare name.
    #[error("\"{0}\" cannot be the name of a variable: use a name of letters and digits")]
    NotAVariable(String),
    /// No expression is empty.
    #[error("it holds an empty expression: write one, or take it out")]
    Empty,
    /// One of the two would be lost, or Nix refuses the file.
    #[error("{0} stands in it twice: take one of them out")]
    Twice(AttrPath),
    /// Sets, lists and calls inside each other.
    #[error("it is nested more than {DEEPEST} deep: make it flatter")]
    TooDeep,
}

impl Expr {
    /// The string with this text.
    pub fn text(text: impl Into<String>) -> Result<Self, Unwritable> {
        let text = text.into();
        check_text(&text)?;
        Ok(Expr::Text(text))
    }

    /// Whether the expression can be written: its text is then one expression that means this value. That a
    /// [`Expr::Verbatim`] is one expression is for who took it in to check.
    pub fn check(&self) -> Result<(), Unwritable> {
        self.check_below(0)
    }

    fn check_below(&self, depth: usize) -> Result<(), Unwritable> {
        if depth > DEEPEST {
            return Err(Unwritable::TooDeep);
        }
        let check = |expr: &Expr| expr.check_below(depth + 1);
        match self {
            Expr::Null | Expr::Bool(_) | Expr::Int(_) => Ok(()),
            Expr::Verbatim(text) if text.trim().is_empty() => Err(Unwritable::Empty),
            Expr::Text(text) | Expr::Verbatim(text) => check_text(text),
            Expr::List(elements) => elements.iter().try_for_each(check),
            Expr::Set(entries) => {
                check_distinct(entries.iter().map(|(path, _)| path))?;
                entries
                    .iter()
                    .try_for_each(|(path, value)| path.check().and_then(|()| check(value)))
            }
            Expr::Name(path) => check_variable(path),
            Expr::Call(function, arguments) => {
                check(function)?;
                arguments.iter().try_for_each(check)
            }
            Expr::With(scope, body) => check(scope).and_then(|()| check(body)),
        }
    }
}

impl AttrPath {
    /// Whether the path can be written: it has a name, and every name can be seen.
    pub fn check(&self) -> Result<(), Unwritable> {
        if self.names().is_empty() {
            return Err(Unwritable::NoName);
        }
        self.names().iter().try_for_each(|name| check_text(name))
    }
}

/// Whether a text holds only what is seen, spaces, tabs and line ends.
pub(super) fn check_text(text: &str) -> Result<(), Unwritable> {
    let is_seen = |letter: char| is_printable(letter) || matches!(letter, '\n' | '\r' | '\t');
    text.chars()
        .find(|letter| !is_seen(*letter))
        .map_or(Ok(()), |letter| Err(Unwritable::Character(letter)))
}

fn check_variable(path: &AttrPath) -> Result<(), Unwritable> {
    path.check()?;
    match path.names().first() {
        // `or` may stand as an attribute, but begins no expression.
        Some(first) if !is_identifier(first) || first == "or" => {
            Err(Unwritable::NotAVariable(first.clone()))
        }
        _ => Ok(()),
    }
}

/// Whether no path is another one, or lies below another one.
fn check_distinct<'a>(paths: impl Iterator<Item = &'a AttrPath>) -> Result<(), Unwritable> {
    let mut sorted: Vec<_> = paths.collect();
    sorted.sort_unstable();
    // What lies below a path is sorted right behind it.
    let twice = sorted.windows(2).find(|pair| pair[1].below(pair[0]).is_some());
    twice.map_or(Ok(()), |pair| Err(Unwritable::Twice(pair[0].clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> Expr {
        Expr::Set(paths.iter().map(|path| (AttrPath::dotted(path), Expr::Null)).collect())
    }

    #[test]
    fn a_text_that_nobody_could_see_is_refused() {
        for bad in ['\0', '\u{1}', '\u{1b}', '\u{7f}', '\u{85}', '\u{202e}', '\u{200b}', '\u{feff}']
        {
            let text = format!("a{bad}b");
            let refused = Err(Unwritable::Character(bad));
            assert_eq!(Expr::text(text.clone()).map(drop), refused);
            assert_eq!(Expr::Verbatim(text.clone()).check(), refused);
            assert_eq!(Expr::List(vec![Expr::Name(AttrPath::new(["a", &text]))]).check(), refused);
            assert_eq!(Expr::Set(vec![(AttrPath::new([text]), Expr::Null)]).check(), refused);
        }
        for good in ["", "\n\r\t", "Größe", "日本", "\\ \" ${x} '' ; }"] {
            assert_eq!(Expr::text(good), Ok(Expr::Text(good.to_owned())));
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        assert_eq!(Expr::Verbatim(" \n".to_owned()).check(), Err(Unwritable::Empty));
        assert_eq!(Expr::Name(AttrPath::new([""; 0])).check(), Err(Unwritable::NoName));
        for head in ["", "or", "with", "a b", "1st", "x\"y"] {
            let refused = Err(Unwritable::NotAVariable(head.to_owned()));
            assert_eq!(Expr::Name(AttrPath::new([head, "x"])).check(), refused);
        }
        assert_eq!(Expr::Name(AttrPath::new(["a", "or", "a b"])).check(), Ok(()));
    }

    #[test]
    fn a_path_stands_once_in_a_set() {
        assert_eq!(set(&["a.b", "a.c", "ab", "a-b"]).check(), Ok(()));
        for (paths, twice) in
            [(["b", "a", "b"], "b"), (["a.b.c", "x", "a.b"], "a.b"), (["a.b", "a", "a-b"], "a")]
        {
            assert_eq!(set(&paths).check(), Err(Unwritable::Twice(AttrPath::dotted(twice))));
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let nested = |depth| (0..depth).fold(Expr::Null, |inner, _| Expr::List(vec![inner]));
        assert_eq!(nested(DEEPEST).check(), Ok(()));
        assert_eq!(nested(DEEPEST + 1).check(), Err(Unwritable::TooDeep));
    }
}
