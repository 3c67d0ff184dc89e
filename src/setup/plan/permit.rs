//! What permits the unfree packages of a plan, as far as the user wants it and no other file does.

use crate::setup::declared::Place;
use crate::setup::model::{Because, Row};
use crate::setup::nix::{AttrPath, Expr};
use crate::setup::settings::{Setting, settings};
use crate::setup::stated::{
    ACCEPT_LICENSE, ALLOW_UNFREE, ALLOW_UNFREE_PACKAGES, ALLOW_UNFREE_PREDICATE,
};
use crate::setup::{Mode, unfree};

use super::Refusal;
use super::planner::Planner;
use super::theirs::Theirs;

impl Planner<'_> {
    /// Permits what else is written.
    pub(super) fn permit(&mut self) {
        self.accept_license();
        self.less_than_theirs();
        let names = self.unfree_names();
        let word = self.setup.wanted_word("unfree").unwrap_or("none").to_owned();
        if word == "none" || (names.is_empty() && word != "all") {
            return;
        }
        if let Some(place) = self.packages_given() {
            if !names.is_empty() {
                self.plan.notes.push(Refusal::PackagesGiven(place, names.join(" ")));
            }
        } else if let Some(place) = self.not_read() {
            let wanted = match (word.as_str(), self.setup.release.has_unfree_list()) {
                ("all", _) => "allowUnfree = true".to_owned(),
                (_, true) => format!("allowUnfreePackages with {}", names.join(" ")),
                (_, false) => format!("an allowUnfreePredicate for {}", names.join(" ")),
            };
            self.plan.notes.push(Refusal::NotRead(place, wanted));
        } else if word == "all" {
            self.key("unfree", AttrPath::dotted(ALLOW_UNFREE), Expr::Bool(true));
        } else {
            self.permit_names(names);
        }
    }

    /// What the user's files permit beyond what the user chose is theirs to take back.
    fn less_than_theirs(&mut self) {
        let Some(row) = self.setup.row("unfree").filter(|row| row.is_changed()) else { return };
        let word = self.setup.wanted_word("unfree").unwrap_or_default();
        if row.stated.value().is_none() || word == "all" {
            return;
        }
        let all = AttrPath::dotted(ALLOW_UNFREE);
        if let Some(theirs) = self.theirs(&all).filter(Theirs::is_true) {
            let outcome = self.to_replace(theirs.shown, &all, &Expr::Bool(false));
            self.outcome("unfree", all, outcome);
        }
        if word != "none" {
            return;
        }
        for key in [ALLOW_UNFREE_PACKAGES, ALLOW_UNFREE_PREDICATE].map(AttrPath::dotted) {
            if let Some(theirs) = self.theirs(&key) {
                let outcome = self.to_change(theirs.shown, format!("take {key} out"));
                self.outcome("unfree", key, outcome);
            }
        }
    }

    /// By the list that joins with others, or by the one predicate that a configuration can have.
    fn permit_names(&mut self, names: Vec<String>) {
        let [list, predicate] =
            [ALLOW_UNFREE_PACKAGES, ALLOW_UNFREE_PREDICATE].map(AttrPath::dotted);
        let has_list = self.setup.release.has_unfree_list();
        let theirs = self.theirs(&predicate).or_else(|| self.theirs(&list).filter(|_| !has_list));
        match theirs {
            Some(theirs) => {
                let is_missing = |name: &String| !theirs.text.contains(&format!("\"{name}\""));
                let missing: Vec<_> = names.into_iter().filter(is_missing).collect();
                if !missing.is_empty() {
                    self.plan.notes.push(Refusal::Predicate(theirs.place, missing.join(" ")));
                }
            }
            None if has_list => {
                for name in names {
                    self.element("unfree", list.clone(), Expr::Text(name));
                }
            }
            None => {
                // Beside another key of nixpkgs' configuration it stands one step further in.
                let nixpkgs = AttrPath::dotted("nixpkgs.config");
                let is_grouped = self.keys.iter().any(|(key, ..)| key.below(&nixpkgs).is_some());
                let indent = if is_grouped { 4 } else { 2 };
                self.key("unfree", predicate, unfree::predicate(&names, indent));
            }
        }
    }

    /// The names of what this plan brings, and of what the user's files bring where they permit nothing.
    fn unfree_names(&self) -> Vec<String> {
        let elements = self.lists.iter().flat_map(|(_, elements)| elements.iter().cloned());
        let mut packages: Vec<Expr> = elements.collect();
        let mut keys: Vec<_> =
            self.keys.iter().map(|(key, value, _)| (key.clone(), value.clone())).collect();
        if !self.is_permitted_by_them() {
            for setting in self.said() {
                match setting {
                    Setting::Key(key, value) => keys.push((key, value)),
                    Setting::Element(_, element) => packages.push(element),
                    Setting::NoElement(..) => {}
                }
            }
        }
        let sets = |path: &str| keys.contains(&(AttrPath::dotted(path), Expr::Bool(true)));
        let brings = unfree::Brings {
            driver: packages.contains(&Expr::Text("nvidia".to_owned())),
            datacenter: sets("hardware.nvidia.datacenter.enable"),
            upstream: self.setup.mode == Mode::Snippet && sets("hardware.nvidia-sdk.enable"),
        };
        unfree::names(brings, &packages)
    }

    /// Everything that the configuration would say of the options, wherever.
    fn said(&self) -> Vec<Setting> {
        let setup = self.setup;
        let said = setup.rows.iter().filter_map(|row| match &row.wanted {
            Some((_, Because::Running)) | None => None,
            Some((value, _)) => Some((row, value)),
        });
        said.flat_map(|(row, value)| {
            let homes = row.option.homes(setup.mode).iter();
            homes.flat_map(move |home| settings(home, value, setup.release))
        })
        .collect()
    }

    /// Whether the user's files permit unfree packages, and are to go on doing so.
    fn is_permitted_by_them(&self) -> bool {
        let is_changed = self.setup.row("unfree").is_some_and(Row::is_changed);
        let all = self.theirs(&AttrPath::dotted(ALLOW_UNFREE));
        all.is_some_and(|all| !is_changed || !all.is_true())
            || [ALLOW_UNFREE_PACKAGES, ALLOW_UNFREE_PREDICATE]
                .iter()
                .any(|path| self.theirs(&AttrPath::dotted(path)).is_some())
            || self.packages_given().is_some()
    }

    /// A driver without the open module has a licence of its own to be accepted.
    fn accept_license(&mut self) {
        let is_ours = self.setup.row("driver.package").is_some_and(|row| {
            matches!(row.wanted, Some((_, Because::Chosen))) || self.is_in_own_file(row)
        });
        let needs_it = self.setup.branch().is_some_and(|branch| !branch.has_open);
        if !is_ours || !needs_it {
            return;
        }
        match (self.packages_given(), self.not_read()) {
            (Some(place), _) => self.plan.notes.push(Refusal::LicenseElsewhere(place)),
            (None, Some(place)) => {
                let wanted = "nvidia.acceptLicense = true".to_owned();
                self.plan.notes.push(Refusal::NotRead(place, wanted));
            }
            _ => self.key("driver.package", AttrPath::dotted(ACCEPT_LICENSE), Expr::Bool(true)),
        }
    }

    /// What stands where no module was read. Packages may be handed over there, beside which NixOS refuses to have them
    /// configured, and a predicate there would be dropped by another.
    fn not_read(&self) -> Option<Place> {
        Some(self.configuration()?.instead_of_modules()?.place)
    }

    fn packages_given(&self) -> Option<Place> {
        self.configuration()?.evidence().packages_given.into_iter().next()
    }
}
