//! Where themes come from: the program itself, the user's folder, or a file.

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::sheet::Sheet;
use super::warning::Warning;

/// The theme of a user who asks for none.
pub const DEFAULT: &str = "nvsdk-dark";

/// The theme that tells everything without colours.
pub(super) const MONO: &str = "mono";

const DEFAULT_TEXT: &str = include_str!("../../themes/nvsdk-dark.toml");

/// The themes in the program, by name.
pub const SHIPPED: &[(&str, &str)] = &[
    (DEFAULT, DEFAULT_TEXT),
    ("nvsdk-light", include_str!("../../themes/nvsdk-light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    (MONO, include_str!("../../themes/mono.toml")),
];

/// The theme that is wanted with all that it inherits, or the default one.
pub(super) fn sheet(wanted: &str, folder: Option<&Path>, warnings: &mut Vec<Warning>) -> Sheet {
    let name: Arc<str> = wanted.into();
    match text(&name, folder) {
        Ok(text) => with_parents(Sheet::parse(&name, &text, warnings), name, folder, warnings),
        Err(message) => {
            let message = format!("{message}; {DEFAULT} is used instead");
            warnings.push(Warning { theme: name, place: None, message });
            Sheet::parse(&DEFAULT.into(), DEFAULT_TEXT, warnings)
        }
    }
}

fn with_parents(
    mut sheet: Sheet,
    name: Arc<str>,
    folder: Option<&Path>,
    warnings: &mut Vec<Warning>,
) -> Sheet {
    let mut line_of_descent = vec![name];
    while let Some((parent, place)) = sheet.inherits.take() {
        let parent: Arc<str> = parent.into();
        if line_of_descent.contains(&parent) {
            warnings.push(place.warning(format!("{parent:?} inherits itself in the end")));
            break;
        }
        match text(&parent, folder) {
            Ok(text) => sheet = sheet.over(Sheet::parse(&parent, &text, warnings)),
            Err(message) => {
                warnings.push(place.warning(format!("{parent:?} is inherited, but {message}")));
            }
        }
        line_of_descent.push(parent);
    }
    sheet
}

/// The text of a theme, or why there is none. The user's folder goes first, so that a shipped theme can be replaced.
fn text(name: &str, folder: Option<&Path>) -> Result<Cow<'static, str>, String> {
    let is_path = name.contains('/') || Path::new(name).extension().is_some_and(|e| e == "toml");
    if is_path {
        return fs::read_to_string(name).map(Cow::Owned).map_err(|error| error.to_string());
    }
    if let Some(folder) = folder {
        match fs::read_to_string(folder.join(format!("{name}.toml"))) {
            Ok(text) => return Ok(text.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    let shipped = SHIPPED.iter().find(|(known, _)| *known == name);
    shipped.map(|(_, text)| (*text).into()).ok_or_else(|| {
        let names: Vec<_> = SHIPPED.iter().map(|(name, _)| *name).collect();
        format!("there is no theme of this name; there are {}", names.join(", "))
    })
}
