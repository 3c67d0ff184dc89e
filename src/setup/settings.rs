//! What an option's value comes to in Nix: the keys to set and the elements to add to lists.

use super::nix::{AttrPath, Expr};
use super::options::{Home, SdkOption};
use super::stated::{BRANCH, DRIVERS};
use super::{Mode, Release, Value};

impl SdkOption {
    /// What a value comes to in Nix, each key or element in a line as a module would have it.
    #[must_use]
    pub fn nix(&self, value: &Value, mode: Mode, release: Release) -> Vec<String> {
        let homes = self.homes(mode).iter();
        let line = |setting| match setting {
            Setting::Key(key, value) => format!("{key} = {value};"),
            Setting::Element(list, element) => format!("{list} = [ {element} ];"),
            Setting::NoElement(list, element) => format!("{list} without {element}"),
        };
        homes.flat_map(|home| settings(home, value, release)).map(line).collect()
    }
}

/// One thing that an option's value comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// A key and its value.
    Key(AttrPath, Expr),
    /// A list and an element that is to be in it.
    Element(AttrPath, Expr),
    /// A list and an element that is not to be in it.
    NoElement(AttrPath, Expr),
}

/// What `value` comes to at `home`. What permits unfree packages follows from the other settings and is not made here.
pub(super) fn settings(home: &Home, value: &Value, release: Release) -> Vec<Setting> {
    let element = |list: &str, element: Expr, on: bool| {
        let list = AttrPath::dotted(list);
        if on { Setting::Element(list, element) } else { Setting::NoElement(list, element) }
    };
    match (home, value) {
        (Home::Key(path), Value::Bool(on)) => {
            vec![Setting::Key(AttrPath::dotted(path), Expr::Bool(*on))]
        }
        (Home::Key(path), Value::Text(word)) => {
            vec![Setting::Key(AttrPath::dotted(path), Expr::Text(word.clone()))]
        }
        (Home::Driver(path), Value::Text(branch)) => vec![driver(path, branch, release)],
        (Home::Element(list, text), Value::Bool(on)) => {
            vec![element(list, Expr::of(text), *on)]
        }
        (Home::Packages(list, prefix), Value::List(words)) => words
            .iter()
            .map(|word| {
                element(list, Expr::Name(AttrPath::dotted(&format!("{prefix}{word}"))), true)
            })
            .collect(),
        (Home::UserPackage(package), Value::List(users)) => users
            .iter()
            .map(|user| {
                let list = AttrPath::new(["users", "users", user, "packages"]);
                Setting::Element(list, Expr::of(package))
            })
            .collect(),
        (Home::Along(path, text), Value::Bool(true)) => {
            vec![Setting::Key(AttrPath::dotted(path), Expr::of(text))]
        }
        _ => Vec::new(),
    }
}

/// From 26.05 on nixpkgs names a driver by its branch; the upstream module takes a package.
fn driver(path: &str, branch: &str, release: Release) -> Setting {
    if path == "hardware.nvidia.package" && release.has_driver_branch() {
        return Setting::Key(AttrPath::dotted(BRANCH), Expr::Text(branch.to_owned()));
    }
    let package = AttrPath::dotted(DRIVERS).join(&AttrPath::new([branch]));
    Setting::Key(AttrPath::dotted(path), Expr::Name(package))
}
