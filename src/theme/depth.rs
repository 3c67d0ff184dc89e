//! How many colours the terminal shows.

use super::environment::Environment;

/// The colours of a terminal, fewest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None: only bold, underlined and the like.
    Mono,
    /// The sixteen that have names.
    Ansi16,
    /// 256, of which 240 are the same everywhere.
    Indexed256,
    /// 24 bits.
    TrueColor,
}

/// What a `TERM` holds and what it can; the first row that fits counts. `ssh` passes on `TERM` but not `COLORTERM`, so
/// terminals whose own name says enough are named.
const TERMS: &[(&str, Depth)] = &[
    ("dumb", Depth::Mono),
    ("-mono", Depth::Mono),
    ("vt100", Depth::Mono),
    ("vt102", Depth::Mono),
    ("vt220", Depth::Mono),
    ("-direct", Depth::TrueColor),
    ("truecolor", Depth::TrueColor),
    ("alacritty", Depth::TrueColor),
    ("contour", Depth::TrueColor),
    ("foot", Depth::TrueColor),
    ("ghostty", Depth::TrueColor),
    ("kitty", Depth::TrueColor),
    ("wezterm", Depth::TrueColor),
    ("256color", Depth::Indexed256),
];

impl Depth {
    /// What the environment says that the terminal shows and the user wants.
    #[must_use]
    pub fn detect(environment: &Environment) -> Self {
        let term = environment.term.as_deref().unwrap_or_default();
        let by_name = TERMS.iter().find(|(part, _)| term.contains(part));
        let by_name = by_name.map_or(Self::Ansi16, |(_, depth)| *depth);
        let claims_all = matches!(environment.colorterm.as_deref(), Some("truecolor" | "24bit"));
        // `COLORTERM` of the session around a console says nothing about it.
        let is_console = term == "linux" || term.starts_with("linux-");
        if environment.no_color.is_some() || by_name == Self::Mono {
            Self::Mono
        } else if claims_all && !is_console {
            Self::TrueColor
        } else {
            by_name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Depth;
    use crate::theme::Environment;

    fn detect(variables: &[(&str, &str)]) -> Depth {
        Depth::detect(&Environment::new(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }))
    }

    #[test]
    fn the_environment_decides() {
        assert_eq!(detect(&[]), Depth::Ansi16);
        assert_eq!(detect(&[("TERM", "linux")]), Depth::Ansi16);
        assert_eq!(detect(&[("TERM", "linux"), ("COLORTERM", "truecolor")]), Depth::Ansi16);
        assert_eq!(detect(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), Depth::Mono);
        assert_eq!(detect(&[("TERM", "tmux-256color")]), Depth::Indexed256);
        assert_eq!(detect(&[("TERM", "xterm"), ("COLORTERM", "24bit")]), Depth::TrueColor);
        assert_eq!(detect(&[("TERM", "xterm-kitty")]), Depth::TrueColor);
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("COLORTERM", "yes")]), Depth::Indexed256);
    }

    #[test]
    fn no_color_wins_unless_it_is_empty() {
        assert_eq!(detect(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]), Depth::Mono);
        assert_eq!(detect(&[("NO_COLOR", ""), ("COLORTERM", "truecolor")]), Depth::TrueColor);
    }
}
