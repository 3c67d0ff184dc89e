//! Text to syntax, without losing a byte; and where and why a text is no Nix.

use super::{Position, nesting};
use rnix::{ParseError, SyntaxKind, SyntaxNode, TextRange, ast};
use rowan::ast::AstNode;

/// A text that Nix cannot read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {what}; correct it")]
pub struct SyntaxError {
    /// Where the trouble begins.
    pub position: Position,
    /// What is wrong there.
    pub what: String,
}

impl SyntaxError {
    /// What is wrong at a byte of this text.
    pub(super) fn at(text: &str, byte: usize, what: String) -> Self {
        Self { position: Position::of(text, byte), what }
    }
}

/// Reads a text whose syntax has no error. The text of the tree is the text that was given.
///
/// # Errors
/// The first error, where the text is no Nix or is nested too deeply to be read.
pub fn parse(text: &str) -> Result<ast::Root, SyntaxError> {
    nesting::check(text)?;
    let parse = rnix::Root::parse(text);
    let errors = parse.errors().iter().map(|error| describe(error, text));
    match errors.min_by_key(|(at, _)| *at).or_else(|| bare_function(&parse.syntax())) {
        Some((at, what)) => Err(SyntaxError::at(text, at, what)),
        None => ast::Root::cast(parse.syntax())
            .filter(|root| root.expr().is_some())
            .ok_or_else(|| SyntaxError::at(text, 0, "there is no expression".to_owned())),
    }
}

/// Where a function stands without the parentheses that Nix wants there; the parser does not mind.
fn bare_function(root: &SyntaxNode) -> Option<(usize, String)> {
    let operands = [
        SyntaxKind::NODE_APPLY,
        SyntaxKind::NODE_LIST,
        SyntaxKind::NODE_SELECT,
        SyntaxKind::NODE_UNARY_OP,
        SyntaxKind::NODE_BIN_OP,
        SyntaxKind::NODE_HAS_ATTR,
    ];
    let mut functions = root.descendants().filter(|node| node.kind() == SyntaxKind::NODE_LAMBDA);
    let bare = functions
        .find(|node| node.parent().is_some_and(|around| operands.contains(&around.kind())))?;
    Some((
        bare.text_range().start().into(),
        "a function needs parentheses around it here".to_owned(),
    ))
}

/// Whether a text is one whole expression and nothing else: no comment stands before or behind it, which could take
/// away what follows, and no bracket is closed that it did not open.
#[must_use]
pub fn is_one_expression(text: &str) -> bool {
    let spans_all = |root: ast::Root| {
        root.expr()
            .is_some_and(|expr| usize::from(expr.syntax().text_range().len()) == text.trim().len())
    };
    parse(text).is_ok_and(spans_all)
}

/// Where an error begins, and what it is.
fn describe(error: &ParseError, text: &str) -> (usize, String) {
    let found = |range: &TextRange| {
        let start = usize::from(range.start());
        let rest = text.get(start..usize::from(range.end())).unwrap_or_default();
        (start, rest.split_whitespace().next().unwrap_or_default().to_owned())
    };
    match error {
        ParseError::UnexpectedWanted(_, range, wanted) => {
            let (at, word) = found(range);
            (at, format!("`{word}` stands where {} is expected", list(wanted)))
        }
        ParseError::Unexpected(range) | ParseError::UnexpectedExtra(range) => {
            let (at, word) = found(range);
            (at, format!("`{word}` is not expected here"))
        }
        ParseError::UnexpectedDoubleBind(range) => {
            (found(range).0, "the arguments are given a name twice".to_owned())
        }
        ParseError::DuplicatedArgs(range, name) => {
            (found(range).0, format!("the argument `{name}` is there twice"))
        }
        ParseError::UnexpectedEOFWanted(wanted) => {
            (text.len(), format!("the text ends where {} is expected", list(wanted)))
        }
        ParseError::RecursionLimitExceeded => (text.len(), "it is nested too deeply".to_owned()),
        _ => (text.len(), "the text ends too early".to_owned()),
    }
}

/// The first of the things that are expected, in words.
fn list(wanted: &[SyntaxKind]) -> &'static str {
    let names: &[(SyntaxKind, &str)] = &[
        (SyntaxKind::TOKEN_SEMICOLON, "`;`"),
        (SyntaxKind::TOKEN_ASSIGN, "`=`"),
        (SyntaxKind::TOKEN_COLON, "`:`"),
        (SyntaxKind::TOKEN_R_BRACE, "`}`"),
        (SyntaxKind::TOKEN_L_BRACE, "`{`"),
        (SyntaxKind::TOKEN_R_PAREN, "`)`"),
        (SyntaxKind::TOKEN_THEN, "`then`"),
        (SyntaxKind::TOKEN_ELSE, "`else`"),
        (SyntaxKind::TOKEN_STRING_END, "the end of the text"),
        (SyntaxKind::TOKEN_INTERPOL_END, "`}`"),
    ];
    match wanted {
        [SyntaxKind::TOKEN_IDENT, ..] => "a name",
        _ => names
            .iter()
            .find(|(kind, _)| wanted.contains(kind))
            .filter(|(kind, _)| *kind != SyntaxKind::TOKEN_L_BRACE || wanted.len() == 1)
            .map_or("an expression", |(_, name)| name),
    }
}
