//! What a setup asks for, all rows taken together: which driver, for which GPUs, on which processor.

use super::declared::Declared;
use super::facts::Gpu;
use super::model::{Because, Row, Setup};
use super::nix::{AttrPath, Expr};
use super::{Branch, Mode, Stated, Value};

impl Setup {
    /// Whether the configuration has the driver, be it for displays or for data centres.
    #[must_use]
    pub fn has_driver(&self) -> bool {
        self.is_wanted("enable") || self.is_wanted("datacenter")
    }

    /// Whether the configuration has the driver, or sets it by an expression that may give it.
    #[must_use]
    pub fn may_have_driver(&self) -> bool {
        let may_be_on =
            |row: &Row| row.wanted.is_none() && !matches!(row.stated, Stated::NotFound { .. });
        self.has_driver()
            || ["enable", "datacenter"].iter().any(|path| self.row(path).is_some_and(may_be_on))
    }

    /// Whether unfree software was chosen.
    pub(super) fn brings_unfree(&self) -> bool {
        let is_chosen = |row: &Row| row.is_changed() && row.wanted.as_ref().is_some_and(is_on);
        self.rows.iter().any(|row| is_chosen(row) && row.option.is_unfree())
    }

    /// Whether there is anything of the configuration that was not read.
    pub(super) fn is_partly_read(&self) -> bool {
        self.configuration
            .as_deref()
            .is_none_or(|read| !read.not_followed.is_empty() || !read.problems.is_empty())
    }

    /// Whether standalone modules say which kernel module is loaded although nobody asked for it: nixpkgs wants it named
    /// for newer drivers.
    pub(super) fn says_module_of_driver(&self) -> bool {
        let is_ours = |row: &Row| row.is_changed() || self.is_in_own_file(row);
        let mut driver = self.rows.iter().filter(|row| row.option.section == "Driver");
        self.mode == Mode::Standalone && self.has_driver() && driver.any(is_ours)
    }

    /// The GPUs that NVIDIA's driver is for: those that are handed to virtual machines are not.
    pub(super) fn driven_gpus(&self) -> impl Iterator<Item = &Gpu> {
        let gpus = self.facts.gpus().iter();
        gpus.filter(|gpu| gpu.kernel_driver.text() != Some("vfio-pci"))
    }

    /// The driver that the wanted configuration gives; none where it is pinned or has to be evaluated.
    #[must_use]
    pub fn branch(&self) -> Option<&'static Branch> {
        let row = self.row("driver.package")?;
        match (self.wanted_word("driver.package"), &row.stated) {
            (Some(name), _) => Branch::named(name),
            (None, Stated::NotFound { .. }) => Branch::named(match self.mode {
                Mode::Snippet => "latest",
                Mode::Standalone if self.is_said("datacenter") => "dc",
                Mode::Standalone => "stable",
            }),
            (None, _) => None,
        }
    }

    /// The processor's architecture of the machine that the configuration is for, such as `aarch64`.
    #[must_use]
    pub fn machine(&self) -> Option<String> {
        let platform = AttrPath::dotted("nixpkgs.hostPlatform");
        let declared = self.configuration.as_deref().map(|read| read.declared(&platform));
        let this_machine = || self.facts.system.machine.text().map(str::to_owned);
        match declared {
            Some(Declared::Value { value: Expr::Text(system), .. }) => Some(processor(&system)),
            Some(Declared::Unknown { .. } | Declared::Conflict(_)) | None => this_machine(),
            Some(_) => {
                let flake = self.configuration.as_deref().and_then(|read| read.flake.as_ref());
                flake.and_then(|flake| flake.system.as_deref()).map(processor).or_else(this_machine)
            }
        }
    }

    /// Whether an option is wanted on.
    #[must_use]
    pub fn is_wanted(&self, path: &str) -> bool {
        let wanted = self.row(path).and_then(|row| row.wanted.as_ref());
        wanted.is_some_and(|(value, _)| *value == Value::Bool(true))
    }

    /// The word that an option is wanted as.
    #[must_use]
    pub fn wanted_word(&self, path: &str) -> Option<&str> {
        match self.row(path)?.wanted.as_ref()? {
            (Value::Text(word), _) => Some(word),
            _ => None,
        }
    }
}

/// The processor of a system such as `aarch64-linux`.
fn processor(system: &str) -> String {
    system.split('-').next().unwrap_or_default().to_owned()
}

/// Whether a value is more than nothing.
fn is_on((value, _): &(Value, Because)) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::Text(_) => true,
        Value::List(words) => !words.is_empty(),
    }
}
