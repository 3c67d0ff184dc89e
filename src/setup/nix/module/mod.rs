//! A NixOS module as the program writes it: which option is set to what, and the text of the file.

use super::check::check_text;
use super::marker::marked;
use super::print::{WIDTH, enclosed};
use super::{AttrPath, Expr, Mode, Priority, Unwritable};
use std::collections::BTreeSet;
use std::fmt;

/// A value with what gives it its priority.
fn with_priority(priority: Priority, value: Expr) -> Expr {
    let (function, mut arguments) = match priority {
        Priority::PLAIN => return value,
        Priority::DEFAULT => ("lib.mkDefault", Vec::new()),
        Priority::FORCE => ("lib.mkForce", Vec::new()),
        Priority(number) => ("lib.mkOverride", vec![Expr::Int(number)]),
    };
    arguments.push(value);
    Expr::Call(Box::new(Expr::Name(AttrPath::dotted(function))), arguments)
}

/// Why an option or a comment did not go into a module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// The value or the path cannot be written.
    #[error("{path} cannot be written: {why}")]
    Unwritable {
        /// The option.
        path: AttrPath,
        /// What is wrong.
        why: Unwritable,
    },
    /// The option, or one above or below it, is set already.
    #[error("{path} and {set} cannot stand in one file: take one of them out")]
    Twice {
        /// The option.
        path: AttrPath,
        /// What is set already.
        set: AttrPath,
    },
    /// The line would not be a comment line.
    #[error("\"{0}\" cannot be a comment line: take out what is invisible and the line ends")]
    Comment(String),
}

/// What is to be written. Its text is the whole file; the same module gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    mode: Mode,
    comments: String,
    entries: Entries,
}

impl Module {
    /// A module that sets nothing. The comments stand at the top of the file, one a line and without `#`.
    pub fn new(mode: Mode, comments: &[&str]) -> Result<Self, ModuleError> {
        let line = |comment: &&str| {
            let is_line = check_text(comment).is_ok() && !comment.contains(['\n', '\r']);
            let line = if comment.is_empty() { "#\n".to_owned() } else { format!("# {comment}\n") };
            if is_line { Ok(line) } else { Err(ModuleError::Comment((*comment).to_owned())) }
        };
        let comments = comments.iter().map(line).collect::<Result<_, _>>()?;
        Ok(Module { mode, comments, entries: Vec::new() })
    }

    /// Sets an option. Options stand in the file in the order in which they, or the first that they are grouped with,
    /// were set.
    pub fn set(
        &mut self,
        path: AttrPath,
        value: Expr,
        priority: Priority,
    ) -> Result<(), ModuleError> {
        if let Err(why) = path.check().and_then(|()| value.check()) {
            return Err(ModuleError::Unwritable { path, why });
        }
        let clashes = |set: &AttrPath| path.below(set).is_some() || set.below(&path).is_some();
        if let Some((set, _)) = self.entries.iter().find(|(set, _)| clashes(set)) {
            return Err(ModuleError::Twice { set: set.clone(), path });
        }
        self.entries.push((path, with_priority(priority, value)));
        Ok(())
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Display for Module {
    /// The text of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = argument_pattern(&self.entries);
        let blank = if self.entries.is_empty() { "" } else { "\n" };
        let body = Expr::Set(grouped(2, self.entries.clone()));
        let rest = format!("{arguments}\n{blank}{body}\n");
        f.write_str(&marked(self.mode, &self.comments, &rest))
    }
}

/// What a set holds: which path has which value.
type Entries = Vec<(AttrPath, Expr)>;

/// The entries with those that begin with the same `fewest` names in one set. On top these are two: options are
/// spoken of as `hardware.nvidia`, and nobody groups all that begins with `hardware`.
fn grouped(fewest: usize, entries: Entries) -> Entries {
    let mut groups: Vec<(Vec<String>, Entries)> = Vec::new();
    for (path, value) in entries {
        let key: Vec<_> = path.names().iter().take(fewest).cloned().collect();
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push((path, value)),
            None => groups.push((key, vec![(path, value)])),
        }
    }
    groups.into_iter().flat_map(|(_, members)| folded(members)).collect()
}

/// Entries that begin alike as one, under the longest beginning that they share.
fn folded(members: Entries) -> Entries {
    let [(first, _), _, ..] = members.as_slice() else {
        return members;
    };
    let shared = members.iter().fold(first.names().len(), |shared, (path, _)| {
        let pairs = first.names().iter().zip(path.names());
        pairs.take_while(|(one, other)| one == other).count().min(shared)
    });
    let head = AttrPath::new(first.names().iter().take(shared).cloned());
    let tails = members.into_iter().filter_map(|(path, value)| Some((path.below(&head)?, value)));
    let inside = grouped(1, tails.collect());
    vec![(head, Expr::Set(inside))]
}

/// More arguments than these stand on lines of their own, as nixfmt has it.
const MOST_ON_A_LINE: usize = 2;

/// `{ config, ... }:` with the arguments that the values use.
fn argument_pattern(entries: &[(AttrPath, Expr)]) -> String {
    let mut used = BTreeSet::new();
    for (_, value) in entries {
        collect_arguments(value, false, &mut used);
    }
    let is_short = used.len() <= MOST_ON_A_LINE;
    let names: Vec<_> = used.into_iter().chain(["..."]).collect();
    let line = format!("{{ {} }}:", names.join(", "));
    if is_short && line.chars().count() <= WIDTH {
        return line;
    }
    let last = names.len() - 1;
    let lines = names.iter().enumerate().map(|(place, name)| {
        let comma = if place == last { "" } else { "," };
        format!("{name}{comma}")
    });
    enclosed("{", lines, "}:", 0)
}

/// What NixOS gives to modules, with what flakes add by custom.
const ARGUMENTS: &[&str] = &["config", "inputs", "lib", "modulesPath", "options", "pkgs", "self"];

/// What Nix knows without being given it.
const GLOBALS: &[&str] = &[
    "abort",
    "baseNameOf",
    "builtins",
    "derivation",
    "dirOf",
    "false",
    "fetchGit",
    "fetchTarball",
    "fromTOML",
    "import",
    "isNull",
    "map",
    "null",
    "placeholder",
    "removeAttrs",
    "scopedImport",
    "throw",
    "toString",
    "true",
];

/// Adds the variables of an expression that the module must be given. Inside a `with` any name may come from its scope,
/// so that only the well-known ones count there.
fn collect_arguments<'a>(expr: &'a Expr, in_with: bool, used: &mut BTreeSet<&'a str>) {
    let counts =
        |name: &&str| if in_with { ARGUMENTS.contains(name) } else { !GLOBALS.contains(name) };
    let mut collect = |expr: &'a Expr, in_with| collect_arguments(expr, in_with, used);
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Text(_) => {}
        Expr::List(elements) => elements.iter().for_each(|element| collect(element, in_with)),
        Expr::Set(entries) => entries.iter().for_each(|(_, value)| collect(value, in_with)),
        Expr::Call(function, arguments) => {
            collect(function, in_with);
            for argument in arguments {
                collect(argument, in_with);
            }
        }
        Expr::With(scope, body) => {
            collect(scope, in_with);
            collect(body, true);
        }
        Expr::Name(path) => used.extend(path.names().first().map(String::as_str).filter(counts)),
        Expr::Verbatim(text) => used.extend(words(text).filter(|word| ARGUMENTS.contains(word))),
    }
}

/// The names in a text that are not attributes of something. One too many does no harm: NixOS gives an argument only
/// when it is used.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '\'' | '-' | '.');
    text.split(move |letter| !is_part(letter))
        .filter_map(|word| word.trim_start_matches("...").split('.').next())
}

#[cfg(test)]
mod tests;
