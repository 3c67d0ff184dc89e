//! Nix as a language: the values that options are set to, the paths that name options, and modules as text.

mod attr_path;
mod check;
mod expr;
mod marker;
mod module;
mod nesting;
mod parse;
mod position;
mod print;
mod read;
mod wrapper;

pub use attr_path::{AttrPath, is_identifier};
pub use check::Unwritable;
pub use expr::Expr;
pub use marker::{Marker, Mode};
pub use module::{Module, ModuleError};
pub use parse::{SyntaxError, is_one_expression, parse};
pub use position::{Lines, Position};
pub use read::{attr_name, name_of, span};
pub use wrapper::{Priority, Wrapper, unwrap_call};

#[cfg(test)]
mod tests;
