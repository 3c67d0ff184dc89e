//! Where themes come from: the program itself, the user's folder, or a file.

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::sheet::Sheet;
use super::warning::Warning;
use crate::model::read_user_file;

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
        let text = read_user_file(Path::new(name));
        return text.map(Cow::Owned).map_err(|error| error.to_string());
    }
    if let Some(folder) = folder {
        match read_user_file(&folder.join(format!("{name}.toml"))) {
            Ok(text) => return Ok(text.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    let shipped = SHIPPED.iter().find(|(known, _)| *known == name);
    shipped.map(|(_, text)| (*text).into()).ok_or_else(|| {
        let own = folder.map_or(Vec::new(), own_names);
        let names: Vec<_> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).chain(own).collect();
        format!("there is no theme of this name; there are {}", names.join(", "))
    })
}

/// The names of the user's own themes; where their folder cannot be read, none are told.
fn own_names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let name =
        |file: fs::DirEntry| Some(file.file_name().to_str()?.strip_suffix(".toml")?.to_owned());
    let is_own = |name: &String| SHIPPED.iter().all(|(shipped, _)| shipped != name);
    let mut names: Vec<_> = files.filter_map(name).filter(is_own).collect();
    names.sort_unstable();
    names
}
