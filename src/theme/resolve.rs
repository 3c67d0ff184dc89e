//! From what a theme says to the styles and colours that are drawn.

use std::collections::BTreeMap;

use ratatui::style::{Modifier, Style};

use super::Theme;
use super::depth::Depth;
use super::gradient::{Gradient, steps};
use super::paint::Paint;
use super::role::Role;
use super::sheet::{FullLook, Look, MODIFIERS, Sheet, Swatch};
use super::warning::{Place, Warning};

/// The theme for a terminal of this depth.
pub(super) fn resolve(sheet: &Sheet, depth: Depth, warnings: &mut Vec<Warning>) -> Theme {
    let mut names = Names::new(sheet, warnings);
    let background = sheet.background.as_ref();
    let background = background.and_then(|(name, at)| names.paint(name, at)).and_then(Paint::rgb);
    let looks = styles(&mut names);
    let gradients = Gradient::ALL.iter().map(|gradient| stops(*gradient, &looks, &mut names));
    let mut gradients = gradients.map(|stops| steps(&stops, depth));
    let none = steps(&[], depth);
    Theme {
        background,
        gradients: std::array::from_fn(|_| gradients.next().unwrap_or(none)),
        styles: looks.map(|look| look.style(depth)),
    }
}

/// How a role looks, before it is known what the terminal can show.
#[derive(Clone, Copy, Debug, Default)]
struct Painted {
    fg: Option<Paint>,
    bg: Option<Paint>,
    modifiers: Modifier,
}

impl Painted {
    fn style(self, depth: Depth) -> Style {
        // Without colours nothing is set, so that what lies beneath keeps its own.
        let color = |paint: Option<Paint>| {
            paint.filter(|_| depth > Depth::Mono).map(|paint| paint.color(depth))
        };
        Style {
            fg: color(self.fg),
            bg: color(self.bg),
            ..Style::default().add_modifier(self.modifiers)
        }
    }
}

/// The looks of all roles; one that the theme leaves out looks like its fallback, which stands before it.
fn styles(names: &mut Names<'_>) -> [Painted; Role::COUNT] {
    let mut looks = [Painted::default(); Role::COUNT];
    for &role in Role::ALL {
        looks[role as usize] = match names.sheet.roles.get(&role) {
            Some((look, at)) => names.look(look, at),
            None => role.spec().fallback.map_or_else(Painted::default, |role| looks[role as usize]),
        };
    }
    looks
}

fn stops(gradient: Gradient, looks: &[Painted; Role::COUNT], names: &mut Names<'_>) -> Vec<Paint> {
    match names.sheet.gradients.get(&gradient) {
        Some((stops, at)) => stops.iter().filter_map(|name| names.paint(name, at)).collect(),
        None => looks[gradient.role() as usize].fg.into_iter().collect(),
    }
}

/// Looks up the names that a theme uses.
struct Names<'a> {
    sheet: &'a Sheet,
    /// The colours of the palette; none where a warning has been given.
    palette: BTreeMap<&'a str, Option<Paint>>,
    warnings: &'a mut Vec<Warning>,
}

impl<'a> Names<'a> {
    fn new(sheet: &'a Sheet, warnings: &'a mut Vec<Warning>) -> Self {
        let mut names = Self { sheet, palette: BTreeMap::new(), warnings };
        for (name, (swatch, at)) in &sheet.palette {
            let paint = names.swatch(swatch, at);
            names.palette.insert(name, paint);
        }
        names
    }

    fn swatch(&mut self, swatch: &Swatch, at: &Place) -> Option<Paint> {
        let (rgb, ansi) = match swatch {
            Swatch::Plain(color) => return self.plain(color, at),
            Swatch::Chosen { rgb, ansi } => (self.plain(rgb, at)?, self.plain(ansi, at)?),
        };
        if let (Paint::Rgb(rgb, _), Paint::Ansi(ansi)) = (rgb, ansi) {
            return Some(Paint::Rgb(rgb, ansi));
        }
        let message = "rgb wants a colour such as #7fd1a0, ansi a name such as green";
        self.warnings.push(at.warning(message.to_owned()));
        None
    }

    fn look(&mut self, look: &Look, at: &Place) -> Painted {
        let FullLook { fg, bg, modifiers } = match look {
            Look::Foreground(name) => {
                return Painted { fg: self.paint(name, at), ..Painted::default() };
            }
            Look::Full(look) => look,
        };
        Painted {
            fg: fg.as_ref().and_then(|name| self.paint(name, at)),
            bg: bg.as_ref().and_then(|name| self.paint(name, at)),
            modifiers: modifiers.iter().map(|name| self.modifier(name, at)).collect(),
        }
    }

    fn modifier(&mut self, name: &str, at: &Place) -> Modifier {
        if let Some((_, modifier)) = MODIFIERS.iter().find(|(known, _)| *known == name) {
            return *modifier;
        }
        let known = MODIFIERS.map(|(known, _)| known).join(", ");
        let message = format!("there is no modifier {name:?}; there are {known}");
        self.warnings.push(at.warning(message));
        Modifier::empty()
    }

    /// The colour of a name in the palette, or of a colour that is written out.
    fn paint(&mut self, name: &str, at: &Place) -> Option<Paint> {
        let known = self.palette.get(name).copied();
        known.unwrap_or_else(|| self.plain(name, at))
    }

    fn plain(&mut self, color: &str, at: &Place) -> Option<Paint> {
        let paint = Paint::parse(color);
        if paint.is_none() {
            self.warnings.push(at.warning(format!(
                "{color:?} is no colour: write one of the palette, #rrggbb, a terminal's name such as \
                 bright-red, or default"
            )));
        }
        paint
    }
}
