//! Syntax to values: what an expression that others wrote sets an option to.

use super::{AttrPath, Expr, SyntaxError, parse};
use rnix::ast::{self, AstToken, HasEntry, InterpolPart, LiteralKind, UnaryOpKind};
use rowan::ast::AstNode;
use std::ops::Range;

impl Expr {
    /// The expression that a text is.
    ///
    /// # Errors
    /// Where the text is no expression.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let root = parse(text)?;
        Ok(root.expr().map_or_else(|| Expr::Verbatim(text.to_owned()), |expr| Self::read(&expr)))
    }

    /// The expression that a text of the program's own is; see [`Expr::parse`] for texts of others.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|_| Expr::Verbatim(text.to_owned()))
    }

    /// What this syntax means, or its text where it is of no kind that can be held. Comments are not kept.
    pub fn read(expr: &ast::Expr) -> Self {
        let read = match expr {
            ast::Expr::Ident(_) | ast::Expr::Select(_) => name(expr),
            ast::Expr::Literal(literal) => integer(literal).map(Expr::Int),
            ast::Expr::UnaryOp(negated) => negative(negated),
            ast::Expr::Str(text) => plain_text(text).map(Expr::Text),
            ast::Expr::List(list) => {
                Some(Expr::List(list.items().map(|item| Self::read(&item)).collect()))
            }
            ast::Expr::AttrSet(set) => entries(set),
            ast::Expr::Apply(call) => {
                let (function, arguments) = flatten(call);
                let arguments = arguments.iter().map(Self::read).collect();
                function.map(|function| Expr::Call(Box::new(Self::read(&function)), arguments))
            }
            // A verbatim text needs the parentheses that it stands in.
            ast::Expr::Paren(inner) => inner
                .expr()
                .map(|inner| Self::read(&inner))
                .filter(|read| !matches!(read, Expr::Verbatim(_))),
            ast::Expr::With(with) => with.namespace().zip(with.body()).map(|(scope, body)| {
                Expr::With(Box::new(Self::read(&scope)), Box::new(Self::read(&body)))
            }),
            _ => None,
        };
        read.unwrap_or_else(|| Expr::Verbatim(expr.syntax().text().to_string()))
    }
}

/// The bytes that an expression takes in its file.
pub fn span(node: &impl AstNode<Language = rnix::NixLanguage>) -> Range<usize> {
    node.syntax().text_range().into()
}

/// The variable, or the attribute of one, that an expression names.
#[must_use]
pub fn name_of(expr: &ast::Expr) -> Option<AttrPath> {
    match expr {
        ast::Expr::Ident(ident) => Some(AttrPath::new([ident.ident_token()?.text()])),
        ast::Expr::Select(select) if select.or_token().is_none() => {
            let tail: Option<Vec<_>> =
                select.attrpath()?.attrs().map(|attr| attr_name(&attr)).collect();
            Some(name_of(&select.expr()?)?.join(&AttrPath::new(tail?)))
        }
        _ => None,
    }
}

/// The name of an attribute, where it is not computed.
#[must_use]
pub fn attr_name(attr: &ast::Attr) -> Option<String> {
    match attr {
        ast::Attr::Ident(ident) => Some(ident.ident_token()?.text().to_owned()),
        ast::Attr::Str(text) => plain_text(text),
        ast::Attr::Dynamic(_) => None,
    }
}

/// A function with all the arguments that follow it.
pub(super) fn flatten(call: &ast::Apply) -> (Option<ast::Expr>, Vec<ast::Expr>) {
    let mut arguments: Vec<_> = call.argument().into_iter().collect();
    let mut function = call.lambda();
    while let Some(ast::Expr::Apply(inner)) = &function {
        arguments.extend(inner.argument());
        function = inner.lambda();
    }
    arguments.reverse();
    (function, arguments)
}

/// A name, or one of the three constants that are written as names.
fn name(expr: &ast::Expr) -> Option<Expr> {
    let path = name_of(expr)?;
    Some(match path.names() {
        [one] if one == "null" => Expr::Null,
        [one] if one == "true" || one == "false" => Expr::Bool(one == "true"),
        _ => Expr::Name(path),
    })
}

fn integer(literal: &ast::Literal) -> Option<i64> {
    match literal.kind() {
        LiteralKind::Integer(number) => number.value().ok(),
        _ => None,
    }
}

fn negative(operation: &ast::UnaryOp) -> Option<Expr> {
    match (operation.operator()?, operation.expr()?) {
        (UnaryOpKind::Negate, ast::Expr::Literal(literal)) => {
            integer(&literal)?.checked_neg().map(Expr::Int)
        }
        _ => None,
    }
}

/// A text without interpolation. Nix reads line ends of other systems differently in the two kinds of text, and `''\`
/// differently at the end of a line, so those are left as they are written.
fn plain_text(text: &ast::Str) -> Option<String> {
    let as_written = |part: &InterpolPart<ast::StrContent>| match part {
        InterpolPart::Literal(content) => {
            !["\r", "''\\"].iter().any(|odd| content.syntax().text().contains(odd))
        }
        InterpolPart::Interpolation(_) => false,
    };
    if !text.parts().all(|part| as_written(&part)) {
        return None;
    }
    let parts = text.normalized_parts().into_iter();
    Some(
        parts
            .filter_map(
                |part| if let InterpolPart::Literal(text) = part { Some(text) } else { None },
            )
            .collect(),
    )
}

/// A set whose names are all written out.
fn entries(set: &ast::AttrSet) -> Option<Expr> {
    if set.rec_token().is_some() || set.inherits().next().is_some() {
        return None;
    }
    let entry = |entry: ast::AttrpathValue| {
        let names: Option<Vec<_>> =
            entry.attrpath()?.attrs().map(|attr| attr_name(&attr)).collect();
        Some((AttrPath::new(names?), Expr::read(&entry.value()?)))
    };
    set.attrpath_values().map(entry).collect::<Option<_>>().map(Expr::Set)
}
