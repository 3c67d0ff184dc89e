//! A theme file as it is written: names of colours are not looked up before the themes it inherits are beneath it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ratatui::style::Modifier;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::gradient::Gradient;
use super::role::Role;
use super::warning::{Place, Warning};
use crate::model::line_and_column;

/// Something that a theme says, and where.
pub(super) type Said<T> = (T, Place);

/// What one theme says, or one and those it inherits.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) inherits: Option<Said<String>>,
    /// The background that the colours are chosen for.
    pub(super) background: Option<Said<String>>,
    pub(super) palette: BTreeMap<String, Said<Swatch>>,
    pub(super) roles: BTreeMap<Role, Said<Look>>,
    pub(super) gradients: BTreeMap<Gradient, Said<Vec<String>>>,
}

/// A colour of the palette.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "write a colour such as \"#7fd1a0\", or { rgb = …, ansi = … }")]
pub(super) enum Swatch {
    /// The nearest of the sixteen colours stands in for it.
    Plain(String),
    /// The theme says which of the sixteen colours stands in for it.
    Chosen { rgb: String, ansi: String },
}

/// How a role looks.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "write a colour, or { fg = …, bg = …, modifiers = […] }")]
pub(super) enum Look {
    /// Only the colour of the text.
    Foreground(String),
    /// All of it.
    Full(FullLook),
}

/// What a role can have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullLook {
    pub(super) fg: Option<String>,
    pub(super) bg: Option<String>,
    #[serde(default)]
    pub(super) modifiers: Vec<String>,
}

/// The modifiers that a terminal can be expected to have.
pub(super) const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("reversed", Modifier::REVERSED),
    ("underlined", Modifier::UNDERLINED),
];

impl Sheet {
    /// Reads a theme file; what cannot be understood is left out and becomes a warning.
    pub(super) fn parse(theme: &Arc<str>, text: &str, warnings: &mut Vec<Warning>) -> Self {
        let mut reader = Reader { theme, text, warnings };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            reader.warn(error.span().unwrap_or_default(), error.message().to_owned());
        }
        reader.sheet(table.into_inner())
    }

    /// What this theme says, and what it inherits where it says nothing.
    pub(super) fn over(self, parent: Self) -> Self {
        Self {
            inherits: parent.inherits,
            background: self.background.or(parent.background),
            palette: over(self.palette, parent.palette),
            roles: over(self.roles, parent.roles),
            gradients: over(self.gradients, parent.gradients),
        }
    }
}

fn over<K: Ord, V>(own: BTreeMap<K, V>, mut parent: BTreeMap<K, V>) -> BTreeMap<K, V> {
    parent.extend(own);
    parent
}

type Key<'i> = toml::Spanned<toml::de::DeString<'i>>;
type Value<'i> = toml::Spanned<DeValue<'i>>;

/// What is needed to say where something is wrong.
struct Reader<'a> {
    theme: &'a Arc<str>,
    text: &'a str,
    warnings: &'a mut Vec<Warning>,
}

impl Reader<'_> {
    fn sheet(&mut self, table: DeTable<'_>) -> Sheet {
        let mut sheet = Sheet::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "inherits" => sheet.inherits = self.read(value),
                "background" => sheet.background = self.read(value),
                "palette" => sheet.palette = self.rows(value, "", |name| Some(name.to_owned())),
                "roles" => sheet.roles = self.rows(value, "role", Role::named),
                "gradients" => sheet.gradients = self.rows(value, "gradient", Gradient::named),
                other => self.warn(key.span(), format!("there is no {other:?} in a theme")),
            }
        }
        sheet
    }

    /// Reads a section whose keys each name something that `row` knows.
    fn rows<K: Ord, T: DeserializeOwned>(
        &mut self,
        section: Value<'_>,
        what: &str,
        row: impl Fn(&str) -> Option<K>,
    ) -> BTreeMap<K, Said<T>> {
        let mut rows = BTreeMap::new();
        for (key, value) in self.section(section) {
            match row(key.get_ref()) {
                Some(row) => rows.extend(self.read(value).map(|said| (row, said))),
                None => self.warn(key.span(), format!("there is no {what} {:?}", key.get_ref())),
            }
        }
        rows
    }

    fn section<'i>(&mut self, value: Value<'i>) -> Vec<(Key<'i>, Value<'i>)> {
        let span = value.span();
        if let DeValue::Table(table) = value.into_inner() {
            return table.into_iter().collect();
        }
        self.warn(span, "a table is expected here".to_owned());
        Vec::new()
    }

    fn read<T: DeserializeOwned>(&mut self, value: Value<'_>) -> Option<Said<T>> {
        let span = value.span();
        let place = self.place(&span);
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(read) => Some((read, place)),
            Err(error) => {
                self.warn(span, error.message().to_owned());
                None
            }
        }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        Place { theme: Arc::clone(self.theme), at: line_and_column(self.text, span.start) }
    }

    fn warn(&mut self, span: Range<usize>, message: String) {
        let warning = self.place(&span).warning(message);
        self.warnings.push(warning);
    }
}
