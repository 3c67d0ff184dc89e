//! How things look: roles instead of colours, resolved once for what the terminal can show.
//!
//! A theme is a TOML file of `[roles]`, `[gradients]` and a `[palette]`, perhaps on top of the theme that it
//! `inherits`. Whatever is wrong in it is a [`Warning`], and the rest of it still counts.

mod ansi;
mod depth;
mod environment;
mod glyphs;
mod gradient;
mod library;
mod paint;
mod resolve;
mod rgb;
mod role;
mod sheet;
mod warning;

#[cfg(test)]
mod tests;

pub use depth::Depth;
pub use environment::Environment;
pub use glyphs::Glyphs;
pub use gradient::Gradient;
pub use library::{DEFAULT, SHIPPED};
pub use rgb::Rgb;
pub use role::{Role, RoleSpec};
pub use warning::Warning;

use std::path::Path;

use ratatui::style::{Color, Style};

use gradient::{STEPS, step};

/// A theme as it is drawn with: looking a style up is indexing an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    background: Option<Rgb>,
    styles: [Style; Role::COUNT],
    gradients: [[Color; STEPS]; Gradient::COUNT],
}

impl Theme {
    /// The theme of this name in the user's `folder` or among the shipped ones, or the file at this path, for a
    /// terminal that shows `depth`.
    ///
    /// A theme that cannot be had is replaced by the default one. Without colours every theme looks like the one
    /// named `mono`, because only that one tells everything without them.
    #[must_use]
    pub fn load(wanted: &str, folder: Option<&Path>, depth: Depth) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let name = if depth == Depth::Mono { library::MONO } else { wanted };
        let sheet = library::sheet(name, folder, &mut warnings);
        (resolve::resolve(&sheet, depth, &mut warnings), warnings)
    }

    /// How what has this role is drawn. What the role leaves open shows what lies beneath.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The colour of a level between 0 and 100; levels beyond count as the nearer end.
    #[must_use]
    pub fn shade(&self, gradient: Gradient, percent: f64) -> Color {
        self.gradients[gradient as usize][step(percent)]
    }

    /// The background that the theme's colours were chosen for, where it says so.
    #[must_use]
    pub fn background(&self) -> Option<Rgb> {
        self.background
    }
}
