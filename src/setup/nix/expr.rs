//! The values that options are set to: what the program writes, and what it understands of what others wrote.

use super::AttrPath;

/// A Nix expression of the kinds that configurations set options to. Reading a text that [`Expr`] can hold and writing
/// it again means the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A string without interpolation.
    Text(String),
    /// `[ … ]`.
    List(Vec<Expr>),
    /// `{ … }`, not recursive, in the order it was written.
    Set(Vec<(AttrPath, Expr)>),
    /// A variable or an attribute of one, like `config.boot.kernelPackages.nvidiaPackages.production`.
    Name(AttrPath),
    /// A function with one or more arguments, like `lib.mkForce true`.
    Call(Box<Expr>, Vec<Expr>),
    /// `with scope; body`.
    With(Box<Expr>, Box<Expr>),
    /// Any other expression, as the user or the program wrote it: one whole expression, checked when it was taken in.
    Verbatim(String),
}
