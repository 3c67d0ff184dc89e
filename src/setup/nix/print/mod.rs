//! Expressions as text, laid out as nixfmt lays them out.
//!
//! Sets stand over several lines, lists too when they have more than one element; everything else stays on its line.
//! What fits the width is a fixed point of nixfmt; a longer line is still right, only long.

use super::{AttrPath, Expr};
use std::fmt;

/// Columns of a line, as nixfmt counts them.
pub(super) const WIDTH: usize = 100;
/// Columns of one step inwards.
const STEP: usize = 2;

impl fmt::Display for Expr {
    /// As Nix reads it. What [`Expr::check`] takes is one expression that means this value; of anything else the text
    /// is only good to look at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&value(self, 0, 0))
    }
}

/// The text of an expression that begins in this column, below lines that are indented so far.
fn value(expr: &Expr, indent: usize, column: usize) -> String {
    match one_line(expr) {
        Some(line) if column + line.chars().count() <= WIDTH || !can_break(expr) => line,
        _ => block(expr, indent),
    }
}

/// The text without a line end, if the expression has one.
fn one_line(expr: &Expr) -> Option<String> {
    Some(match expr {
        Expr::Null => "null".to_owned(),
        Expr::Bool(is_so) => is_so.to_string(),
        // Nix reads the digits before the sign, and these are one more than it can hold.
        Expr::Int(i64::MIN) => format!("({} - 1)", i64::MIN + 1),
        Expr::Int(number) => number.to_string(),
        Expr::Text(text) => Quoted(text).to_string(),
        Expr::Name(path) => path.to_string(),
        Expr::Verbatim(text) if !text.contains(['\n', '\r', '#']) => text.clone(),
        Expr::List(elements) => match elements.as_slice() {
            [] => "[ ]".to_owned(),
            [only] => format!("[ {} ]", one_line_operand(only)?),
            _ => return None,
        },
        Expr::Set(entries) if entries.is_empty() => "{ }".to_owned(),
        Expr::Set(_) | Expr::Verbatim(_) => return None,
        Expr::Call(function, arguments) => {
            let parts = std::iter::once(&**function).chain(arguments).map(one_line_operand);
            parts.collect::<Option<Vec<_>>>()?.join(" ")
        }
        Expr::With(scope, body) => {
            format!("with {}; {}", one_line_operand(scope)?, one_line(body)?)
        }
    })
}

fn one_line_operand(expr: &Expr) -> Option<String> {
    let line = one_line(expr)?;
    Some(if needs_parentheses(expr) { format!("({line})") } else { line })
}

/// Whether an expression must be enclosed where an argument or an element of a list is expected.
fn needs_parentheses(expr: &Expr) -> bool {
    match expr {
        Expr::Int(number) => *number < 0 && *number != i64::MIN,
        Expr::Call(..) | Expr::With(..) | Expr::Verbatim(_) => true,
        _ => false,
    }
}

/// Whether a line that is too long gets shorter by standing over several.
fn can_break(expr: &Expr) -> bool {
    match expr {
        Expr::List(elements) => !elements.is_empty(),
        Expr::Call(_, arguments) => arguments.last().is_some_and(can_break),
        Expr::With(_, body) => can_break(body),
        _ => false,
    }
}

/// The text over several lines; all but the first begin at `indent` or further in.
fn block(expr: &Expr, indent: usize) -> String {
    match expr {
        Expr::Set(entries) => set(entries, indent),
        Expr::List(elements) => {
            let lines = elements.iter().map(|element| operand(element, indent + STEP));
            enclosed("[", lines, "]", indent)
        }
        Expr::Call(function, arguments) => call(function, arguments, indent),
        Expr::With(scope, body) => {
            format!("with {}; {}", operand(scope, indent), block(body, indent))
        }
        Expr::Verbatim(text) => closed(text),
        leaf => one_line(leaf).unwrap_or_default(),
    }
}

/// An expression as the element of a list or as an argument.
fn operand(expr: &Expr, indent: usize) -> String {
    let text = value(expr, indent, indent);
    if needs_parentheses(expr) { format!("({text})") } else { text }
}

/// A call whose last argument may go on over several lines behind the others.
fn call(function: &Expr, arguments: &[Expr], indent: usize) -> String {
    let Some((last, others)) = arguments.split_last() else {
        return block(function, indent);
    };
    let parts = std::iter::once(function).chain(others);
    if let Some(head) = parts.clone().map(one_line_operand).collect::<Option<Vec<_>>>() {
        return format!("{} {}", head.join(" "), last_argument(last, indent));
    }
    let lines = parts.chain([last]).map(|part| operand(part, indent + STEP));
    lines.collect::<Vec<_>>().join(&line_end(indent + STEP))
}

/// The last argument behind the others on their line.
fn last_argument(expr: &Expr, indent: usize) -> String {
    if !needs_parentheses(expr) {
        return block(expr, indent);
    }
    let inner = indent + STEP;
    let text = match expr {
        Expr::With(scope, body) => {
            let (scope, body) = (operand(scope, inner), value(body, inner, inner));
            format!("with {scope};{}{body}", line_end(inner))
        }
        other => value(other, inner, inner),
    };
    enclosed("(", [text], ")", indent)
}

/// `{ … }` with an entry a line.
fn set(entries: &[(AttrPath, Expr)], indent: usize) -> String {
    let inner = indent + STEP;
    let lines = entries.iter().map(|(path, expr)| {
        let start = format!("{path} = ");
        // One column is for the semicolon.
        let column = inner + start.chars().count() + 1;
        let text = value(expr, inner, column);
        // A text may begin on a line of its own, and brings its indentation.
        let start = if text.starts_with('\n') { start.trim_end() } else { &start };
        format!("{start}{text};")
    });
    enclosed("{", lines, "}", indent)
}

/// Lines between two brackets, one step further in than these.
pub(super) fn enclosed(
    open: &str,
    lines: impl IntoIterator<Item = String>,
    close: &str,
    indent: usize,
) -> String {
    let mut text = open.to_owned();
    for line in lines {
        text += &line_end(indent + STEP);
        text += &line;
    }
    text + &line_end(indent) + close
}

fn line_end(indent: usize) -> String {
    format!("\n{:indent$}", "")
}

/// Foreign text as it is; its last line may end in a comment, which must not swallow what comes behind it.
fn closed(text: &str) -> String {
    let ends_in_comment = text.lines().last().is_some_and(|line| line.contains('#'));
    if ends_in_comment { format!("{text}\n") } else { text.to_owned() }
}

/// A text between quotes, so that Nix reads the same text and nothing in it can end the string or begin an
/// interpolation.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        let mut letters = self.0.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => f.write_str(r"\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str(r"\n")?,
                '\r' => f.write_str(r"\r")?,
                '\t' => f.write_str(r"\t")?,
                '$' if letters.peek() == Some(&'{') => f.write_str(r"\$")?,
                other => write!(f, "{other}")?,
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests;
