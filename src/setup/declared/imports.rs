//! The imports of a module: which are followed, and why the others are not.

use super::Place;
use super::module::Reader;
use crate::setup::nix::span;
use rnix::ast;
use rowan::ast::AstNode;
use std::path::PathBuf;

/// An import that is written as a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The path as it is written, like `./gpu.nix`.
    pub written: PathBuf,
    /// Where it is written.
    pub place: Place,
}

/// A part of the configuration that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFollowed {
    /// Where it is written.
    pub place: Place,
    /// What is written there.
    pub text: String,
    /// Why it was not followed.
    pub why: &'static str,
}

impl Reader<'_> {
    /// Takes in the list behind `imports` or `modules`.
    pub(super) fn imports(&mut self, expr: &ast::Expr) {
        match expr {
            ast::Expr::Paren(paren) => self.inside_of(paren.expr(), Self::imports),
            ast::Expr::With(with) => self.inside_of(with.body(), Self::imports),
            ast::Expr::LetIn(binding) => self.inside_of(binding.body(), Self::imports),
            ast::Expr::List(list) => list.items().for_each(|item| self.import(&item)),
            ast::Expr::BinOp(both) if both.operator() == Some(ast::BinOpKind::Concat) => {
                self.inside_of(both.lhs(), Self::imports);
                self.inside_of(both.rhs(), Self::imports);
            }
            other => self.pass_over(other, reason(other)),
        }
    }

    fn import(&mut self, item: &ast::Expr) {
        match item {
            ast::Expr::Paren(paren) => self.inside_of(paren.expr(), Self::import),
            ast::Expr::AttrSet(_) | ast::Expr::Lambda(_) => self.module(item),
            ast::Expr::PathRel(_) | ast::Expr::PathAbs(_)
                if item.syntax().first_child().is_none() =>
            {
                let place = self.file.place(span(item).start);
                self.taken
                    .imports
                    .push(Import { written: item.syntax().text().to_string().into(), place });
            }
            other => self.pass_over(other, reason(other)),
        }
    }

    fn inside_of(&mut self, inner: Option<ast::Expr>, take: fn(&mut Self, &ast::Expr)) {
        if let Some(inner) = inner {
            take(self, &inner);
        }
    }

    /// Remembers a part that is not read.
    pub(super) fn pass_over(
        &mut self,
        node: &impl AstNode<Language = rnix::NixLanguage>,
        why: &'static str,
    ) {
        let place = self.file.place(span(node).start);
        self.taken.not_followed.push(NotFollowed {
            place,
            text: node.syntax().text().to_string(),
            why,
        });
    }
}

fn reason(expr: &ast::Expr) -> &'static str {
    match expr {
        ast::Expr::Ident(_) | ast::Expr::Select(_) => "it is a module of an input, or a variable",
        ast::Expr::Apply(_) => "it is the result of a function",
        ast::Expr::PathSearch(_) => "it lies on Nix's search path",
        ast::Expr::PathHome(_) => "it lies in a home folder",
        _ => "it is an expression that would have to be evaluated",
    }
}
