//! What one file sets: its syntax becomes a list of definitions, imports, and parts that were not understood.

use super::imports::Import;
use super::{Definition, NotFollowed, SourceFile};
use crate::setup::nix::{AttrPath, Expr, Priority, Wrapper, attr_name, span, unwrap_call};
use rnix::ast::{self, HasEntry};
use rowan::ast::AstNode;
use std::ops::Range;

/// Names at the root of a module that set no option.
const NO_OPTIONS: &[&str] =
    &["_class", "_file", "_module", "disabledModules", "freeformType", "key", "meta", "options"];

/// What was taken from a file.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) definitions: Vec<Definition>,
    pub(super) imports: Vec<Import>,
    pub(super) not_followed: Vec<NotFollowed>,
}

/// Walks through the syntax of a file.
pub(super) struct Reader<'f> {
    pub(super) file: &'f SourceFile,
    pub(super) taken: Taken,
}

/// What is known of a value from what stands around it.
#[derive(Clone)]
struct Around {
    path: Vec<String>,
    priority: Priority,
    conditional: bool,
    entry: Range<usize>,
}

impl<'f> Reader<'f> {
    pub(super) fn new(file: &'f SourceFile) -> Self {
        Self { file, taken: Taken::default() }
    }

    /// Takes in a module: a set, or a function to one.
    pub(super) fn module(&mut self, expr: &ast::Expr) {
        match (expr, through(expr)) {
            (ast::Expr::Lambda(function), _) => {
                if let Some(body) = function.body() {
                    self.module_body(&body);
                }
            }
            (_, Some(inner)) => self.module(&inner),
            (other, None) => self.module_body(other),
        }
    }

    fn module_body(&mut self, body: &ast::Expr) {
        match body {
            ast::Expr::AttrSet(set) => self.module_set(set),
            ast::Expr::Lambda(_) => self.pass_over(body, "it is a function that somebody calls"),
            _ => match through(body) {
                Some(inner) => self.module_body(&inner),
                None => self.value(body, &root(body)),
            },
        }
    }

    fn module_set(&mut self, set: &ast::AttrSet) {
        for inherit in set.inherits() {
            self.inherit(&inherit, &root(&inherit));
        }
        for entry in set.attrpath_values() {
            let (Some(path), Some(value)) = (entry.attrpath(), entry.value()) else { continue };
            let first = path.attrs().next().and_then(|attr| attr_name(&attr));
            match first.as_deref() {
                Some("imports") if path.attrs().count() == 1 => self.imports(&value),
                Some(name) if NO_OPTIONS.contains(&name) => {}
                Some("config") => self.entry(&entry, 1, &root(&value)),
                _ => self.entry(&entry, 0, &root(&value)),
            }
        }
    }

    /// The values of a set that is no module, such as a flake.
    pub(super) fn set(&mut self, expr: &ast::Expr) {
        self.value(expr, &root(expr));
    }

    /// Takes in `a.b.c = value;`, without the first `skip` names.
    fn entry(&mut self, entry: &ast::AttrpathValue, skip: usize, around: &Around) {
        let (Some(path), Some(value)) = (entry.attrpath(), entry.value()) else { return };
        let names: Vec<_> = path.attrs().skip(skip).map(|attr| attr_name(&attr)).collect();
        let known = names.iter().map_while(Clone::clone);
        let mut inner = Around { entry: span(entry), ..around.clone() };
        inner.path.extend(known);
        if inner.path.len() == around.path.len() + names.len() {
            self.value(&value, &inner);
        } else if inner.path.is_empty() {
            self.pass_over(entry, "its name would have to be evaluated");
        } else {
            self.define(entry, Expr::Verbatim(entry.syntax().text().to_string()), &inner);
        }
    }

    /// Takes in the value at a path: sets are gone into, anything else is a definition.
    fn value(&mut self, expr: &ast::Expr, around: &Around) {
        if let Some(inner) = through(expr) {
            return self.value(&inner, around);
        }
        match expr {
            ast::Expr::AttrSet(set) if set.entries().next().is_some() => {
                for inherit in set.inherits() {
                    self.inherit(&inherit, around);
                }
                for entry in set.attrpath_values() {
                    self.entry(&entry, 0, around);
                }
            }
            ast::Expr::IfElse(choice) => self.choice(expr, choice, around),
            ast::Expr::Apply(call) => match unwrap_call(call) {
                Some(wrapper) => self.wrapped(expr, &wrapper, around),
                None => self.leaf(expr, around),
            },
            other => self.leaf(other, around),
        }
    }

    fn wrapped(&mut self, whole: &ast::Expr, wrapper: &Wrapper, around: &Around) {
        match wrapper {
            Wrapper::Priority(priority, value) => {
                self.value(value, &Around { priority: *priority, ..around.clone() });
            }
            Wrapper::Condition(value) => {
                self.value(value, &Around { conditional: true, ..around.clone() });
            }
            Wrapper::Order(value) => self.value(value, around),
            Wrapper::Merge(values) => match unparenthesised(values) {
                ast::Expr::List(list) => list.items().for_each(|item| self.value(&item, around)),
                _ => self.leaf(whole, around),
            },
        }
    }

    /// `if … then … else …`: sets are gone into, so that it is known what they may set.
    fn choice(&mut self, whole: &ast::Expr, choice: &ast::IfElse, around: &Around) {
        let around = Around { conditional: true, ..around.clone() };
        let branches: Vec<_> = [choice.body(), choice.else_body()].into_iter().flatten().collect();
        if branches.iter().any(|branch| matches!(unparenthesised(branch), ast::Expr::AttrSet(_))) {
            for branch in branches {
                self.value(&branch, &around);
            }
        } else {
            self.leaf(whole, &around);
        }
    }

    fn leaf(&mut self, expr: &ast::Expr, around: &Around) {
        let is_empty_set =
            matches!(expr, ast::Expr::AttrSet(set) if set.entries().next().is_none());
        if !around.path.is_empty() {
            self.define(expr, Expr::read(expr), around);
        } else if !is_empty_set {
            self.pass_over(expr, "it is an expression that would have to be evaluated");
        }
    }

    fn define(
        &mut self,
        node: &impl AstNode<Language = rnix::NixLanguage>,
        value: Expr,
        around: &Around,
    ) {
        self.taken.definitions.push(Definition {
            path: AttrPath::new(around.path.iter().cloned()),
            place: self.file.place(around.entry.start),
            value,
            text: node.syntax().text().to_string(),
            priority: around.priority,
            conditional: around.conditional,
            value_bytes: span(node),
            entry_bytes: around.entry.clone(),
        });
    }

    /// `inherit (x) open;` sets what cannot be told. Of several names each is shown alone, since a copy of the whole for
    /// each would be too much of a long one.
    fn inherit(&mut self, inherit: &ast::Inherit, around: &Around) {
        let is_alone = inherit.attrs().nth(1).is_none();
        for attr in inherit.attrs() {
            let Some(name) = attr_name(&attr) else { continue };
            let mut inner = Around { entry: span(inherit), ..around.clone() };
            inner.path.push(name);
            if is_alone {
                let text = Expr::Verbatim(inherit.syntax().text().to_string());
                self.define(inherit, text, &inner);
            } else {
                self.define(&attr, Expr::Verbatim(attr.syntax().text().to_string()), &inner);
            }
        }
    }
}

/// What is known of the value of a whole module.
fn root(node: &impl AstNode<Language = rnix::NixLanguage>) -> Around {
    Around { path: Vec::new(), priority: Priority::PLAIN, conditional: false, entry: span(node) }
}

/// What stands in parentheses, below `let … in`, `with …;` or `assert …;`, unless it is itself the value that counts:
/// `with pkgs; [ … ]` is a list.
fn through(expr: &ast::Expr) -> Option<ast::Expr> {
    match expr {
        ast::Expr::Paren(paren) => paren.expr(),
        ast::Expr::LetIn(binding) => binding.body(),
        ast::Expr::Assert(assert) => assert.body(),
        ast::Expr::With(with) => {
            with.body().filter(|body| !matches!(unparenthesised(body), ast::Expr::List(_)))
        }
        _ => None,
    }
}

fn unparenthesised(expr: &ast::Expr) -> ast::Expr {
    match expr {
        ast::Expr::Paren(paren) => {
            paren.expr().map_or_else(|| expr.clone(), |inner| unparenthesised(&inner))
        }
        _ => expr.clone(),
    }
}
