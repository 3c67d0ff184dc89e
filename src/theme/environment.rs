//! What the environment says about the terminal, as values: nothing in here reads it.

/// The variables that decide about colours and characters. One that is empty counts as not set, as POSIX and
/// `NO_COLOR` have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Set to anything: no colours.
    pub no_color: Option<String>,
    /// `truecolor` or `24bit` where the terminal shows them all.
    pub colorterm: Option<String>,
    /// The kind of terminal.
    pub term: Option<String>,
    /// The locale for everything.
    pub lc_all: Option<String>,
    /// The locale for characters, unless `LC_ALL` is set.
    pub lc_ctype: Option<String>,
    /// The locale, unless one of the others is set.
    pub lang: Option<String>,
}

impl Environment {
    /// Asks `lookup` for each variable.
    pub fn new(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| lookup(name).filter(|value| !value.is_empty());
        Self {
            no_color: set("NO_COLOR"),
            colorterm: set("COLORTERM"),
            term: set("TERM"),
            lc_all: set("LC_ALL"),
            lc_ctype: set("LC_CTYPE"),
            lang: set("LANG"),
        }
    }
}
