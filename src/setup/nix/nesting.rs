//! Whether a text can be given to the parser: its brackets match, and it is not nested so deeply that reading it would
//! use up the stack.
//!
//! The parser has a limit of its own, but not for lists and operators, and what it makes of them is a tree that is
//! dropped level by level.

use super::parse::SyntaxError;
use rnix::SyntaxKind::{
    self, TOKEN_ERROR, TOKEN_IDENT, TOKEN_INTERPOL_END, TOKEN_INTERPOL_START, TOKEN_L_BRACE,
    TOKEN_L_BRACK, TOKEN_L_PAREN, TOKEN_OR, TOKEN_R_BRACE, TOKEN_R_BRACK, TOKEN_R_PAREN,
    TOKEN_SEMICOLON, TOKEN_STRING_END, TOKEN_STRING_START, TOKEN_WHITESPACE,
};

/// How many brackets may be open at once: configurations have about ten.
const MOST_OPEN: usize = 128;
/// How many operators and arguments the statements that are open at once may have together.
const MOST_LINKS: usize = 1000;
/// How many characters the tokenizer may look ahead in all. It looks to the end of the word or path at each token, so
/// that `a.a.a.…` takes the square of its length.
const MOST_LOOKAHEAD: usize = 8 << 20;

/// Each opening token and what closes it.
const PAIRS: &[(SyntaxKind, SyntaxKind)] = &[
    (TOKEN_L_PAREN, TOKEN_R_PAREN),
    (TOKEN_L_BRACK, TOKEN_R_BRACK),
    (TOKEN_L_BRACE, TOKEN_R_BRACE),
    (TOKEN_INTERPOL_START, TOKEN_INTERPOL_END),
    (TOKEN_STRING_START, TOKEN_STRING_END),
];

/// A bracket that is open.
struct Open {
    closing: SyntaxKind,
    at: usize,
    links: usize,
}

/// Goes through the tokens of a text once.
pub(super) fn check(text: &str) -> Result<(), SyntaxError> {
    let fail = |at, what: String| Err(SyntaxError::at(text, at, what));
    let mut tokens = rnix::tokenize(text);
    let (mut at, mut before) = (0, TOKEN_SEMICOLON);
    let (mut word_end, mut lookahead) = (0, 0);
    let mut links = 0;
    let mut open = vec![Open { closing: TOKEN_ERROR, at: 0, links: 0 }];
    loop {
        word_end = end_of_word(text, at, word_end);
        lookahead += word_end - at;
        if lookahead > MOST_LOOKAHEAD {
            return fail(at, "a word or path is too long".to_owned());
        }
        let Some((kind, token)) = tokens.next() else { break };
        if is_misplaced(kind, token, open.last()) {
            return fail(at, format!("`{}` is not Nix", shorten(token)));
        }
        if let Some((_, closing)) = PAIRS.iter().find(|(opening, _)| *opening == kind) {
            open.push(Open { closing: *closing, at, links: 0 });
        } else if PAIRS.iter().any(|(_, closing)| *closing == kind) {
            match open.pop() {
                Some(last) if last.closing == kind => links -= last.links,
                _ => return fail(at, format!("`{token}` closes nothing that is open")),
            }
        }
        if let Some(last) = open.last_mut() {
            if kind == TOKEN_SEMICOLON && ends_operand(before) {
                links -= last.links;
                last.links = 0;
            } else if is_link(kind, last) {
                last.links += 1;
                links += 1;
            }
        }
        if open.len() > MOST_OPEN || links > MOST_LINKS {
            return fail(at, "what stands here is nested too deeply".to_owned());
        }
        if !kind.is_trivia() {
            before = kind;
        }
        at += token.len();
    }
    match open.last() {
        Some(last) if open.len() > 1 => {
            let opening = text.get(last.at..).map_or("", opening);
            fail(last.at, format!("`{opening}` is never closed"))
        }
        _ => Ok(()),
    }
}

/// Where the run of letters that the tokenizer looks along ends; `known` is where the last one did.
fn end_of_word(text: &str, at: usize, known: usize) -> usize {
    if at < known {
        return known;
    }
    let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/_.+-<".contains(byte);
    at + text.bytes().skip(at).take_while(is_path).count()
}

/// Whether Nix has no such token. It knows fewer kinds of white space than the tokenizer does.
fn is_misplaced(kind: SyntaxKind, token: &str, within: Option<&Open>) -> bool {
    match kind {
        // A text that is never closed is told at its start.
        TOKEN_ERROR => within.is_none_or(|open| open.closing != TOKEN_STRING_END),
        TOKEN_WHITESPACE => !token.bytes().all(|byte| b" \t\r\n".contains(&byte)),
        _ => false,
    }
}

/// Whether a token may make the tree one level deeper. The parts of a text and the elements of a list stand side by
/// side, as long as there are no operators among them.
fn is_link(kind: SyntaxKind, within: &Open) -> bool {
    match within.closing {
        _ if kind.is_trivia() || PAIRS.iter().any(|(opening, _)| *opening == kind) => false,
        TOKEN_STRING_END => false,
        TOKEN_R_BRACK => within.links > 0 || kind == TOKEN_OR || !ends_operand(kind),
        _ => true,
    }
}

/// Whether an expression can end with this token.
fn ends_operand(kind: SyntaxKind) -> bool {
    kind.is_literal()
        || matches!(
            kind,
            TOKEN_IDENT
                | TOKEN_OR
                | TOKEN_STRING_END
                | TOKEN_INTERPOL_END
                | TOKEN_R_PAREN
                | TOKEN_R_BRACK
                | TOKEN_R_BRACE
                | SyntaxKind::TOKEN_INHERIT
                | SyntaxKind::TOKEN_DOT
                | SyntaxKind::TOKEN_PATH_ABS
                | SyntaxKind::TOKEN_PATH_REL
                | SyntaxKind::TOKEN_PATH_HOME
                | SyntaxKind::TOKEN_PATH_SEARCH
        )
}

fn opening(rest: &str) -> &str {
    let length = if rest.starts_with("''") || rest.starts_with("${") { 2 } else { 1 };
    rest.get(..length).unwrap_or_default()
}

/// The first letters of a token, for a message.
fn shorten(token: &str) -> &str {
    let end = token.char_indices().nth(20).map_or(token.len(), |(at, _)| at);
    token[..end].lines().next().unwrap_or_default()
}
