//! The plan in lines: what is written where, what is left to the user, and what to do then.

use super::Sheet;
use super::lines::{Kind, Line};
use crate::setup::{DiffLine, FilePlan, Need, Outcome};

/// Where a configuration is looked for.
const PLACES: &str = "It was looked for in $NIXOS_CONFIG, nixos-config in $NIX_PATH, $NH_OS_FLAKE, $NH_FLAKE, \
                      /etc/nixos/flake.nix and /etc/nixos/configuration.nix.";

impl Sheet {
    /// The title of the plan: how many changes there are, and when they take effect.
    #[must_use]
    pub fn plan_title(&self) -> String {
        let changes = self.setup.rows.iter().filter(|row| row.is_changed()).count();
        let when = if self.plan.at_boot { "at the next boot" } else { "at the switch" };
        match changes {
            0 => "Plan".to_owned(),
            1 => format!("Plan: 1 change, takes effect {when}"),
            count => format!("Plan: {count} changes, take effect {when}"),
        }
    }

    /// The lines of the plan.
    #[must_use]
    pub fn plan_lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.is_demo {
            lines.push(Line::new(
                Kind::Notice,
                "This is a simulated machine of its own with a simulated configuration; nothing of it is written.",
            ));
        }
        let obstacles = self.obstacles();
        let others = self.complaints.iter().filter(|text| !obstacles.contains(text));
        lines.extend(others.map(|text| Line::new(Kind::Warning, text.clone())));
        lines.extend(self.without_configuration());
        lines.extend(obstacles.into_iter().map(|text| Line::new(Kind::Error, text)));
        lines.extend(self.unimported());
        lines.extend(self.plan.notes.iter().map(|note| Line::new(Kind::Warning, note.to_string())));
        if self.plan.is_empty() {
            lines.extend(self.nothing());
        } else {
            lines.extend(self.by_hand());
            lines.extend(self.diff_lines());
            lines.extend(self.step_lines());
        }
        lines
    }

    fn unimported(&self) -> Option<Line> {
        Some(Line::new(Kind::Warning, format!("{}.", self.setup.not_imported()?)))
    }

    /// Why nothing can be told or written, where no configuration was read.
    pub(super) fn without_configuration(&self) -> Vec<Line> {
        if self.setup.configuration.is_some() {
            return Vec::new();
        }
        let distribution = self.setup.facts.system.distribution.known();
        let who = match distribution {
            _ if self.setup.facts.system.is_nixos() => {
                "No NixOS configuration was found.".to_owned()
            }
            Some(it) => format!(
                "This machine runs {}, not NixOS, and no NixOS configuration was found.",
                it.name
            ),
            None => "Nothing says that this machine runs NixOS, and no configuration was found."
                .to_owned(),
        };
        vec![
            Line::new(Kind::Notice, who),
            Line::new(Kind::Dim, PLACES),
            Line::new(
                Kind::Plain,
                "Name one with: nvsdk-top setup show --config FILE, or --flake DIR#HOST. What you choose here is kept, and \
                 a module for another machine is written with: nvsdk-top setup write -o FILE",
            ),
        ]
    }

    /// Why nothing is written, and what is still to do.
    fn nothing(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        lines.extend(self.nothing_to_write().map(|why| Line::new(Kind::Good, why)));
        for need in Need::ALL {
            let waiting = self.waiting().filter(|(_, found)| *found == need);
            let waiting: Vec<_> = waiting.map(|(path, _)| path).collect();
            if !waiting.is_empty() {
                lines.push(Line::new(
                    Kind::Warning,
                    format!("{}: {}", need.waiting(), waiting.join(", ")),
                ));
            }
        }
        lines.extend(self.step_lines());
        lines
    }

    /// What the user's own files say otherwise.
    fn by_hand(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for change in self.plan.not_written() {
            let Outcome::NotWritten { place, old, line, .. } = &change.outcome else { continue };
            lines.extend([
                Line::new(
                    Kind::Warning,
                    format!(
                        "not written, since {} sets it ({}); change it there:",
                        self.near(place),
                        change.option
                    ),
                ),
                Line::new(Kind::Old, format!("- {}", old.replace('\n', " "))),
                Line::new(Kind::New, format!("+ {line}")),
            ]);
        }
        lines
    }

    /// What changes in the file, with its name above.
    pub(super) fn diff_lines(&self) -> Vec<Line> {
        let Some(FilePlan { path, before, .. }) = &self.plan.file else { return Vec::new() };
        let mut lines = Vec::new();
        if let Ok(path) = path {
            let is_new = if before.is_none() { " (a new file)" } else { "" };
            lines.push(Line::new(Kind::Strong, format!("{}{is_new}", path.display())));
        }
        let line = |line: &DiffLine| {
            let kind = match line {
                DiffLine::Place(_) => Kind::Dim,
                DiffLine::Same(_) => Kind::Code,
                DiffLine::Old(_) => Kind::Old,
                DiffLine::New(_) => Kind::New,
            };
            Line::new(kind, line.unified())
        };
        lines.extend(self.diff.iter().map(line));
        lines
    }

    /// What to do after the writing.
    pub(super) fn step_lines(&self) -> Vec<Line> {
        let steps = self.steps().into_iter().enumerate();
        let label = |number| if number == 0 { "then" } else { "" };
        steps
            .map(|(number, step)| Line::labelled(label(number), Kind::Plain, step.to_string()))
            .collect()
    }

    /// What the plan writes and what it leaves, with its diff.
    pub(super) fn whole_diff(&self) -> Vec<Line> {
        let mut lines = self.by_hand();
        if !lines.is_empty() && self.plan.file.is_some() {
            lines.push(Line::gap());
        }
        lines.extend(self.diff_lines());
        lines
    }
}
