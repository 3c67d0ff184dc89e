//! What the module system wraps around values: priorities, conditions, and several definitions in one.

use super::read::{flatten, name_of};
use rnix::ast;

/// Which of several definitions of an option wins: the one with the smallest number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(pub i64);

impl Priority {
    /// `lib.mkDefault`.
    pub const DEFAULT: Self = Self(1000);
    /// A value without anything around it.
    pub const PLAIN: Self = Self(100);
    /// `lib.mkForce`.
    pub const FORCE: Self = Self(50);
    /// For scalars that the program writes: stronger than the defaults of hardware profiles, weaker than the user's
    /// plain definitions.
    pub const OWN: Self = Self(900);
}

/// A value with something of the module system around it.
#[derive(Clone, Debug)]
pub enum Wrapper {
    /// The value counts with this priority.
    Priority(Priority, ast::Expr),
    /// The value only counts on a condition.
    Condition(ast::Expr),
    /// A list of values that all count.
    Merge(ast::Expr),
    /// The value's place among those of a list.
    Order(ast::Expr),
}

/// What a function of the module system does with its last argument.
#[derive(Clone, Copy)]
enum Meaning {
    Priority(i64),
    GivenPriority,
    Condition,
    Merge,
    Order,
}

/// The functions of nixpkgs' lib that wrap a value, with the number of their arguments.
const FUNCTIONS: &[(&str, usize, Meaning)] = &[
    ("mkDefault", 1, Meaning::Priority(Priority::DEFAULT.0)),
    ("mkForce", 1, Meaning::Priority(Priority::FORCE.0)),
    ("mkOptionDefault", 1, Meaning::Priority(1500)),
    ("mkImageMediaOverride", 1, Meaning::Priority(60)),
    ("mkVMOverride", 1, Meaning::Priority(10)),
    ("mkOverride", 2, Meaning::GivenPriority),
    ("mkIf", 2, Meaning::Condition),
    ("optionalAttrs", 2, Meaning::Condition),
    ("mkMerge", 1, Meaning::Merge),
    ("mkBefore", 1, Meaning::Order),
    ("mkAfter", 1, Meaning::Order),
    ("mkOrder", 2, Meaning::Order),
];

/// Takes the function of the module system off a value; under a `lib`, wherever that comes from, or by its bare name.
#[must_use]
pub fn unwrap_call(call: &ast::Apply) -> Option<Wrapper> {
    let (function, mut arguments) = flatten(call);
    let path = name_of(&function?)?;
    let (name, before) = path.names().split_last()?;
    if !before.is_empty() && ![before.first(), before.last()].contains(&Some(&"lib".to_owned())) {
        return None;
    }
    let (_, _, meaning) = FUNCTIONS.iter().find(|row| row.0 == name && row.1 == arguments.len())?;
    let value = arguments.pop()?;
    Some(match meaning {
        Meaning::Priority(number) => Wrapper::Priority(Priority(*number), value),
        Meaning::GivenPriority => match super::Expr::read(arguments.first()?) {
            super::Expr::Int(number) => Wrapper::Priority(Priority(number), value),
            _ => return None,
        },
        Meaning::Condition => Wrapper::Condition(value),
        Meaning::Merge => Wrapper::Merge(value),
        Meaning::Order => Wrapper::Order(value),
    })
}
