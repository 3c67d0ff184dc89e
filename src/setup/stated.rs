//! What the configuration says of an option of Setup: the values at the option's homes, as values of the option.

use super::declared::{Configuration, Declared, Place};
use super::nix::{AttrPath, Expr};
use super::options::{Home, Kind, SdkOption};
use super::{Mode, Value};

/// What is declared of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stated {
    /// This value.
    Value {
        /// The value.
        value: Value,
        /// Where it is set; nowhere where it is what the upstream module takes by itself.
        places: Vec<Place>,
    },
    /// It is set to something that Setup does not offer, such as a pinned driver.
    Other {
        /// What is written there.
        text: String,
        /// Where.
        place: Place,
    },
    /// It is set, but to what would have to be evaluated.
    Unknown {
        /// What is written there.
        text: String,
        /// Where.
        place: Place,
    },
    /// It is set differently in several places, which NixOS refuses.
    Conflict(Vec<Place>),
    /// It is set nowhere that was read. That is not to say that it is not set.
    NotFound {
        /// How many files were read.
        files_read: usize,
        /// How many imports were not.
        imports_not_followed: usize,
    },
}

impl Stated {
    /// What `configuration` says of `option` in this mode.
    #[must_use]
    pub fn of(configuration: &Configuration, option: &SdkOption, mode: Mode) -> Self {
        let Some(home) = option.homes(mode).first() else { return Self::not_found(configuration) };
        match home {
            Home::Key(path) | Home::Along(path, _) => {
                Self::of_key(configuration, path, option.kind)
            }
            Home::Driver(path) => Self::of_driver(configuration, path),
            Home::Element(path, element) => {
                let element = Expr::of(element);
                Self::of_list(configuration, path, |elements| {
                    elements.contains(&element).then_some(Value::Bool(true))
                })
            }
            Home::Packages(path, prefix) => Self::of_list(configuration, path, |elements| {
                let Kind::Several(words) = option.kind else { return None };
                let is_there = |word: &&&str| {
                    let package = Expr::Name(AttrPath::dotted(&format!("{prefix}{word}")));
                    spellings(&package, mode).iter().any(|name| elements.contains(name))
                };
                let words: Vec<_> =
                    words.iter().filter(is_there).map(|word| (*word).to_owned()).collect();
                (!words.is_empty()).then_some(Value::List(words))
            }),
            Home::UserPackage(package) => Self::of_users(configuration, &Expr::of(package)),
            Home::Unfree => Self::of_unfree(configuration),
        }
    }

    /// The value, if it is one of the option's.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Value { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Whether nothing that was read sets it.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether no place sets it, be it that upstream's module takes something by itself.
    #[must_use]
    pub fn is_said_nowhere(&self) -> bool {
        match self {
            Self::NotFound { .. } => true,
            Self::Value { places, .. } => places.is_empty(),
            _ => false,
        }
    }

    fn not_found(configuration: &Configuration) -> Self {
        Self::from(configuration.not_found(), |_| None)
    }

    /// `take` makes a value of the option from what is set, where it is one.
    fn from(declared: Declared, take: impl Fn(&Expr) -> Option<Value>) -> Self {
        match declared {
            Declared::Value { value, definitions } => {
                let places: Vec<_> = definitions.iter().map(|found| found.place.clone()).collect();
                match (take(&value), definitions.into_iter().next()) {
                    (Some(value), _) => Self::Value { value, places },
                    (None, Some(found)) => Self::Other { text: found.text, place: found.place },
                    (None, None) => Self::Conflict(places),
                }
            }
            Declared::Unknown { place, text } => Self::Unknown { text, place },
            Declared::Conflict(definitions) => {
                Self::Conflict(definitions.into_iter().map(|found| found.place).collect())
            }
            Declared::NotFound { files_read, imports_not_followed } => {
                Self::NotFound { files_read, imports_not_followed }
            }
        }
    }

    fn of_key(configuration: &Configuration, path: &str, kind: Kind) -> Self {
        Self::from(configuration.declared(&AttrPath::dotted(path)), |value| match (kind, value) {
            (Kind::Toggle, Expr::Bool(on)) => Some(Value::Bool(*on)),
            (Kind::Choice(_), Expr::Text(word)) => Some(Value::Text(word.clone())),
            _ => None,
        })
    }

    /// The driver is named by its package, or, from 26.05 on, by its branch.
    fn of_driver(configuration: &Configuration, path: &str) -> Self {
        let by_package = Self::from(configuration.declared(&AttrPath::dotted(path)), |value| {
            let Expr::Name(name) = value else { return None };
            let below = name.below(&AttrPath::dotted(DRIVERS))?;
            match below.names() {
                [branch] => Some(Value::Text(branch.clone())),
                _ => None,
            }
        });
        match by_package {
            Self::NotFound { .. } if path == "hardware.nvidia.package" => {
                Self::from(configuration.declared(&AttrPath::dotted(BRANCH)), |value| match value {
                    Expr::Text(branch) => Some(Value::Text(branch.clone())),
                    _ => None,
                })
            }
            found => found,
        }
    }

    /// A list that was read and lacks the element does not say that no other file adds it.
    fn of_list(
        configuration: &Configuration,
        path: &str,
        take: impl Fn(&[Expr]) -> Option<Value>,
    ) -> Self {
        let declared = configuration.declared(&AttrPath::dotted(path));
        let Declared::Value { value, definitions } = &declared else {
            return Self::from(declared, |_| None);
        };
        match take(&elements(value)) {
            None => Self::not_found(configuration),
            Some(value) => {
                let holds = |expr: &Expr| take(&elements(expr)).is_some();
                let places = definitions
                    .iter()
                    .filter(|found| holds(&found.value))
                    .map(|found| found.place.clone())
                    .collect();
                Self::Value { value, places }
            }
        }
    }

    fn of_users(configuration: &Configuration, package: &Expr) -> Self {
        let (mut users, mut places) = (Vec::new(), Vec::new());
        for found in configuration.under(&AttrPath::dotted("users.users")) {
            let [_, _, user, packages] = found.path.names() else { continue };
            if packages == "packages" && elements(&found.value).contains(package) {
                users.push(user.clone());
                places.push(found.place.clone());
            }
        }
        users.sort();
        users.dedup();
        if users.is_empty() {
            Self::not_found(configuration)
        } else {
            Self::Value { value: Value::List(users), places }
        }
    }

    fn of_unfree(configuration: &Configuration) -> Self {
        let all = configuration.declared(&AttrPath::dotted(ALLOW_UNFREE));
        if let found @ Self::Value { .. } = Self::from(all, |value| {
            (*value == Expr::Bool(true)).then(|| Value::Text("all".to_owned()))
        }) {
            return found;
        }
        let lists = [ALLOW_UNFREE_PACKAGES, ALLOW_UNFREE_PREDICATE].map(AttrPath::dotted);
        let found =
            lists.iter().find_map(|path| configuration.definitions(path).into_iter().next());
        match found {
            Some(found) => Self::Value {
                value: Value::Text("list".to_owned()),
                places: vec![found.place.clone()],
            },
            None => Self::not_found(configuration),
        }
    }
}

/// Where the drivers of a kernel's package set are.
pub(super) const DRIVERS: &str = "config.boot.kernelPackages.nvidiaPackages";
/// The key that names the driver's branch.
pub(super) const BRANCH: &str = "hardware.nvidia.branch";
pub(super) const ALLOW_UNFREE: &str = "nixpkgs.config.allowUnfree";
pub(super) const ALLOW_UNFREE_PACKAGES: &str = "nixpkgs.config.allowUnfreePackages";
pub(super) const ACCEPT_LICENSE: &str = "nixpkgs.config.nvidia.acceptLicense";
pub(super) const ALLOW_UNFREE_PREDICATE: &str = "nixpkgs.config.allowUnfreePredicate";

/// The packages of the upstream overlay, and what nixpkgs calls them.
const OVERLAY: &[(&str, &str)] = &[
    ("pkgs.cudnn", "pkgs.cudaPackages.cudnn"),
    ("pkgs.nccl", "pkgs.cudaPackages.nccl"),
    ("pkgs.tensorrt", "pkgs.cudaPackages.tensorrt"),
    ("pkgs.cutensor", "pkgs.cudaPackages.libcutensor"),
];

/// The names of a package: its own, and that of the upstream overlay, which is there in its mode.
pub(super) fn spellings(package: &Expr, mode: Mode) -> Vec<Expr> {
    let others = OVERLAY.iter().filter(|_| mode == Mode::Snippet);
    let named = |name: &str| Expr::Name(AttrPath::dotted(name));
    let others = others.filter(|(_, own)| named(own) == *package).map(|(other, _)| named(other));
    std::iter::once(package.clone()).chain(others).collect()
}

/// The elements of a list; those below `with pkgs;` by their whole names.
pub(super) fn elements(value: &Expr) -> Vec<Expr> {
    match value {
        Expr::List(items) => items
            .iter()
            .flat_map(|item| match item {
                Expr::With(..) => elements(item),
                item => vec![item.clone()],
            })
            .collect(),
        Expr::With(scope, body) => {
            let inner = match &**body {
                Expr::List(_) | Expr::With(..) => elements(body),
                item => vec![item.clone()],
            };
            inner.into_iter().map(|item| below_scope(scope, item)).collect()
        }
        _ => Vec::new(),
    }
}

fn below_scope(scope: &Expr, item: Expr) -> Expr {
    match (scope, item) {
        (Expr::Name(scope), Expr::Name(name)) if !is_rooted(&name) => Expr::Name(scope.join(&name)),
        (_, item) => item,
    }
}

/// Whether a name begins with an argument of the module, which a `with` does not hide.
fn is_rooted(name: &AttrPath) -> bool {
    const ARGUMENTS: &[&str] = &["pkgs", "config", "lib", "inputs"];
    name.names().first().is_some_and(|first| ARGUMENTS.contains(&first.as_str()))
}
