//! A colour as a theme means it, before it is known what the terminal can show.

use ratatui::style::Color;

use super::ansi::{Ansi, nearest_indexed};
use super::depth::Depth;
use super::rgb::Rgb;

/// One colour of a theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Whatever the terminal's own is.
    Terminal,
    /// One of the terminal's sixteen.
    Ansi(Ansi),
    /// A colour of 24 bits, and which of the sixteen stands in for it.
    Rgb(Rgb, Ansi),
}

impl Paint {
    /// Reads `#rrggbb`, the name of one of the sixteen colours, or `default`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "default" {
            return Some(Self::Terminal);
        }
        let named = || Ansi::named(text).map(Self::Ansi);
        text.parse().ok().map(|rgb| Self::Rgb(rgb, Ansi::nearest(rgb))).or_else(named)
    }

    /// The colour for a terminal of this depth.
    pub(super) fn color(self, depth: Depth) -> Color {
        match (self, depth) {
            (Self::Terminal, _) | (_, Depth::Mono) => Color::Reset,
            (Self::Ansi(ansi), _) | (Self::Rgb(_, ansi), Depth::Ansi16) => ansi.color(),
            (Self::Rgb(rgb, _), Depth::Indexed256) => Color::Indexed(nearest_indexed(rgb)),
            (Self::Rgb(Rgb(r, g, b), _), Depth::TrueColor) => Color::Rgb(r, g, b),
        }
    }

    /// The colour in numbers, where the theme and not the terminal decides on it.
    pub(super) fn rgb(self) -> Option<Rgb> {
        match self {
            Self::Terminal => None,
            Self::Ansi(ansi) => Some(ansi.rgb()),
            Self::Rgb(rgb, _) => Some(rgb),
        }
    }

    /// The colour at a share of the way to another; what has no numbers goes over in one step.
    pub(super) fn mix(self, other: Self, share: f64) -> Self {
        let nearer = if share < 0.5 { self } else { other };
        match (self, other, nearer) {
            (Self::Rgb(from, _), Self::Rgb(to, _), Self::Rgb(_, ansi)) => {
                Self::Rgb(from.mix(to, share), ansi)
            }
            _ => nearer,
        }
    }
}
