//! The configuration against itself: what the user's files have beside what is wanted.

use super::{Found, Setup, Severity};
use crate::setup::declared::{Configuration, Declared, Definition, NewFile};
use crate::setup::model::Because;
use crate::setup::nix::{AttrPath, Expr, Priority};
use crate::setup::plan::FilePlan;
use crate::setup::stated::{ALLOW_UNFREE, ALLOW_UNFREE_PACKAGES, ALLOW_UNFREE_PREDICATE};
use crate::setup::{Mode, Row, Stated, Value};

/// Options that are gone or on the way out, and what to do about them. One that does not exist stops the evaluation.
const OLD_OPTIONS: &[(&str, Severity, &str)] = &[
    ("hardware.opengl.driSupport", Severity::Error, "take it out, it is always so"),
    ("hardware.opengl.driSupport32Bit", Severity::Warning, "write hardware.graphics.enable32Bit"),
    ("hardware.opengl.enable", Severity::Warning, "write hardware.graphics.enable"),
    ("hardware.opengl.extraPackages", Severity::Warning, "write hardware.graphics.extraPackages"),
    (
        "hardware.opengl.extraPackages32",
        Severity::Warning,
        "write hardware.graphics.extraPackages32",
    ),
    ("hardware.nvidia-sdk.cudaVersion", Severity::Error, "take it out, upstream has one CUDA"),
    ("hardware.nvidia-sdk.version", Severity::Error, "take it out, upstream has one version"),
    (
        "hardware.nvidia-sdk.nvidiaPersistenced",
        Severity::Error,
        "write hardware.nvidia-sdk.persistenced",
    ),
    (
        "hardware.nvidia-sdk.openKernelModule",
        Severity::Error,
        "write hardware.nvidia-sdk.driver.open",
    ),
    ("hardware.nvidia-sdk.opengl", Severity::Error, "write hardware.graphics.enable"),
    (
        "hardware.nvidia-sdk.powerManagement",
        Severity::Error,
        "write hardware.nvidia.powerManagement",
    ),
    ("hardware.nvidia-sdk.wrapPrograms", Severity::Error, "take it out"),
    ("hardware.nvidia-sdk.expose", Severity::Error, "take it out"),
    (
        "virtualisation.containers.cdi.dynamic.nvidia.enable",
        Severity::Warning,
        "write hardware.nvidia-container-toolkit.enable",
    ),
    (
        "virtualisation.docker.enableNvidia",
        Severity::Warning,
        "write hardware.nvidia-container-toolkit.enable, and --device nvidia.com/gpu=all in place of --gpus",
    ),
    (
        "virtualisation.podman.enableNvidia",
        Severity::Warning,
        "write hardware.nvidia-container-toolkit.enable, it does nothing by itself",
    ),
];

/// What the upstream module sets a key to.
#[derive(Clone, Copy)]
enum Sets {
    /// Always this.
    Always(bool),
    /// What this option of ours is.
    As(&'static str),
    /// What no file of the user's says in the same words.
    Computed,
}

/// What the user's files may set beside the upstream module, which sets it too: an equal value is no trouble.
const UPSTREAM_CLASHES: &[(&str, Sets)] = &[
    ("hardware.nvidia.nvidiaPersistenced", Sets::Always(false)),
    ("hardware.nvidia.package", Sets::Computed),
    ("hardware.nvidia.open", Sets::As("driver.open")),
    ("hardware.nvidia.nvidiaSettings", Sets::Always(true)),
    ("hardware.nvidia.modesetting.enable", Sets::Always(true)),
    ("hardware.nvidia.datacenter.enable", Sets::Always(false)),
    ("hardware.nvidia-container-toolkit.enable", Sets::As("container.enable")),
];

impl Sets {
    /// The value, where it is known.
    fn value(self, setup: &Setup) -> Option<Expr> {
        let on = match self {
            Self::Always(on) => Some(on),
            Self::As(path) => {
                let row = setup.row(path)?;
                match (&row.wanted, &row.stated) {
                    (Some((Value::Bool(on), because)), _) if *because != Because::Running => {
                        Some(*on)
                    }
                    (_, Stated::NotFound { .. }) => {
                        row.option.upstream.map(|it| it.value() == Value::Bool(true))
                    }
                    _ => None,
                }
            }
            Self::Computed => None,
        };
        on.map(Expr::Bool)
    }
}

fn theirs<'a>(setup: &'a Setup, read: &'a Configuration, path: &str) -> Vec<&'a Definition> {
    let mut found = read.under(&AttrPath::dotted(path));
    found.retain(|found| setup.is_theirs(&found.place));
    found
}

pub(super) fn old_options(setup: &Setup) -> Vec<Found> {
    let Some(read) = setup.configuration.as_deref() else { return Vec::new() };
    let found = |(path, severity, advice): &(&str, Severity, &str)| {
        let definitions = theirs(setup, read, path);
        let say =
            |found: &Definition| (*severity, format!("{path} is set at {}: {advice}", found.place));
        definitions
            .into_iter()
            .filter(|found| *severity == Severity::Error || found.value != Expr::Bool(false))
            .map(say)
            .collect::<Vec<_>>()
    };
    OLD_OPTIONS.iter().flat_map(found).collect()
}

/// 32-bit libraries stop the evaluation where there are none; upstream's module needs the key for itself.
pub(super) fn no_32_bit(setup: &Setup) -> Vec<Found> {
    let Some(read) = setup.configuration.as_deref() else { return Vec::new() };
    if setup.machine().as_deref() != Some("aarch64") {
        return Vec::new();
    }
    let path = "hardware.graphics.enable32Bit";
    let is_on = |found: &&Definition| found.value == Expr::Bool(true) && !found.conditional;
    let found = theirs(setup, read, path).into_iter().find(is_on);
    let found = match found {
        Some(found) => {
            let place = &found.place;
            let sentence = format!(
                "{path} is set at {place}, and 32-bit libraries exist on x86_64 alone: take it out"
            );
            Some((Severity::Error, sentence))
        }
        None => upstreams_32_bit(setup, read, path),
    };
    found.into_iter().collect()
}

/// The upstream module turns 32-bit libraries on everywhere, unless the user's files forbid it. A file of ours does.
fn upstreams_32_bit(setup: &Setup, read: &Configuration, path: &str) -> Option<Found> {
    if setup.mode != Mode::Snippet || !setup.is_said("enable") {
        return None;
    }
    let found = read.definitions(&AttrPath::dotted(path));
    let may_forbid = |found: &&Definition| {
        found.conditional || !found.is_known() || found.priority < Priority::PLAIN
    };
    let is_written = |file: FilePlan| file.after.contains("enable32Bit");
    if found.iter().any(may_forbid) || setup.plan().file.is_some_and(is_written) {
        return None;
    }
    let imports = read.evidence().sdk_imports;
    let is_unread = read.not_followed.iter().any(|part| !imports.contains(&part.place));
    let severity =
        if is_unread || !read.problems.is_empty() { Severity::Warning } else { Severity::Error };
    let sentence = match found.first() {
        Some(found) => format!(
            "{path} is set at {}, and the upstream module sets it too: write lib.mkForce false there",
            found.place
        ),
        None => format!(
            "the upstream module sets {path}, and 32-bit libraries exist on x86_64 alone: add {path} = lib.mkForce \
             false; (a file that is written here has it)"
        ),
    };
    Some((severity, sentence))
}

/// Definitions of the same priority that differ; `lib.mkForce` makes the user's count.
pub(super) fn upstream_clash(setup: &Setup) -> Vec<Found> {
    let Some(read) = setup.configuration.as_deref() else { return Vec::new() };
    if setup.mode != Mode::Snippet || !setup.is_wanted("enable") {
        return Vec::new();
    }
    let found = |(path, upstream): &(&str, Sets)| {
        let value = upstream.value(setup);
        let is_trouble = |found: &&Definition| {
            found.priority == Priority::PLAIN && Some(&found.value) != value.as_ref()
        };
        // Sure is what counts in any case and differs from what is known.
        let severity = |found: &Definition| {
            let is_told = matches!(upstream, Sets::Computed)
                || value.is_some() && matches!(found.value, Expr::Bool(_));
            if found.conditional || !is_told { Severity::Warning } else { Severity::Error }
        };
        let found = theirs(setup, read, path);
        let found = found.into_iter().filter(is_trouble).max_by_key(|found| severity(found))?;
        let place = &found.place;
        Some((
            severity(found),
            format!(
                "{path} is set at {place}, and the upstream module sets it too: take it out there, or write lib.mkForce"
            ),
        ))
    };
    UPSTREAM_CLASHES.iter().filter_map(found).collect()
}

pub(super) fn container(setup: &Setup) -> Vec<Found> {
    let suppressed = setup.configuration.as_deref().is_some_and(|read| {
        let path = "hardware.nvidia-container-toolkit.suppressNvidiaDriverAssertion";
        matches!(
            read.declared(&AttrPath::dotted(path)),
            Declared::Value { value: Expr::Bool(true), .. }
        )
    });
    // A driver that runs is declared, but for one that was looked for everywhere.
    let is_found = |path: &&str| {
        let may_be_on = |row: &Row| row.wanted.is_none() && !row.stated.is_not_found();
        setup.is_said(path) || setup.row(path).is_some_and(may_be_on)
    };
    let has_driver = ["enable", "datacenter"].iter().any(is_found)
        || setup.is_partly_read() && setup.has_driver();
    if setup.mode == Mode::Snippet || !setup.is_said("container.enable") || has_driver || suppressed
    {
        return Vec::new();
    }
    let sentence = if setup.facts.system.wsl.is_true() {
        "the container toolkit asks for the driver, which Windows brings here: set \
         hardware.nvidia-container-toolkit.suppressNvidiaDriverAssertion to true"
    } else {
        "the container toolkit needs the driver: set enable to true"
    };
    vec![(setup.unless_said_elsewhere(), sentence.to_owned())]
}

/// A user who only has packages is no user that NixOS can make.
pub(super) fn unknown_user(setup: &Setup) -> Vec<Found> {
    let wanted = setup.row("users").and_then(|row| row.wanted.as_ref());
    let (Some((Value::List(users), Because::Chosen)), Some(read)) =
        (wanted, setup.configuration.as_deref())
    else {
        return Vec::new();
    };
    let path = |user: &String| AttrPath::new(["users", "users", user]);
    // NixOS makes root itself.
    let is_unknown = |user: &&String| {
        *user != "root"
            && !read.under(&path(user)).iter().any(|found| setup.is_theirs(&found.place))
    };
    let say = |user: &String| {
        // An expression for all users may have this one.
        let may_be_above = !read.definitions(&path(user)).is_empty();
        let severity = if may_be_above { Severity::Warning } else { setup.unless_said_elsewhere() };
        let sentence = format!(
            "no user {user:?} is declared: declare users.users.{user}, or take the name out"
        );
        (severity, sentence)
    };
    users.iter().filter(is_unknown).map(say).collect()
}

/// Where nothing permits the driver and nothing is to permit it, the configuration does not evaluate. A machine that runs
/// it has permitted it once: in a part that was not read, or by an environment variable.
pub(super) fn unfree(setup: &Setup) -> Vec<Found> {
    let Some(row) = setup.row("unfree") else { return Vec::new() };
    let is_permitted = setup.configuration.as_deref().is_some_and(|read| {
        [ALLOW_UNFREE, ALLOW_UNFREE_PACKAGES, ALLOW_UNFREE_PREDICATE]
            .iter()
            .any(|path| !theirs(setup, read, path).is_empty())
            || !read.evidence().packages_given.is_empty()
    });
    let runs = row.running.value.is_some();
    let is_said = setup.is_said("enable") || setup.is_said("datacenter");
    let severity = match &row.wanted {
        Some((Value::Text(word), Because::Chosen)) if word == "none" && setup.has_driver() => {
            if runs {
                Severity::Warning
            } else {
                setup.unless_said_elsewhere()
            }
        }
        Some((_, Because::Running))
            if setup.brings_unfree() || is_said && !setup.is_partly_read() =>
        {
            Severity::Warning
        }
        None if row.stated.is_not_found() && is_said => Severity::Warning,
        _ => return Vec::new(),
    };
    if is_permitted {
        return Vec::new();
    }
    let sentence = if runs {
        "nothing that was read permits unfree packages; this machine runs the driver, so that it is permitted elsewhere \
         (NIXPKGS_ALLOW_UNFREE, or what was not read), which may not hold for what is added: else set unfree to list"
    } else {
        "nothing that was read permits unfree packages, and the driver is one: set unfree to list"
    };
    vec![(severity, sentence.to_owned())]
}

/// The most parts that were not read that are named.
const MOST_UNREAD: usize = 3;

/// What was not read may set the same keys.
pub(super) fn not_read(setup: &Setup) -> Vec<Found> {
    let Some(read) = setup.configuration.as_deref() else { return Vec::new() };
    let parts = read.not_followed.iter().map(|part| format!("{} ({})", part.place, part.why));
    let files = read.problems.iter().map(|problem| problem.path().display().to_string());
    let unread: Vec<_> = parts.chain(files).collect();
    let named = unread.iter().take(MOST_UNREAD).cloned().collect::<Vec<_>>().join(", ");
    let imports = match unread.len() {
        0 => return Vec::new(),
        1 => "1 import was not read".to_owned(),
        count => format!("{count} imports were not read"),
    };
    let more = match unread.len().saturating_sub(MOST_UNREAD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    if read.instead_of_modules().is_some() {
        return vec![(Severity::Warning, no_module_read(read, &named))];
    }
    let sentence = format!(
        "{imports}, and what is not found may be set there; a key that they set would stand twice, and one that is taken \
         out here may stay, so look there first: {named}{more}"
    );
    vec![(Severity::Warning, sentence)]
}

/// What to do where nothing is known of the host: a file that is a module of NixOS can be named, one of many that
/// import-tree gathers cannot.
fn no_module_read(read: &Configuration, parts: &str) -> String {
    let advice = if read.evidence().import_tree.is_empty() {
        "name the host's main module with --config FILE to have it read"
    } else {
        "choose what you need, write it with -o FILE outside of the folders that import-tree takes in, and import that \
         file in a module of the host"
    };
    format!(
        "no module of the host was read, so that nothing is known of what is declared: {parts}; {advice}"
    )
}

/// What other hosts import counts for them, too, and hosts that a function makes cannot be looked at.
pub(super) fn hosts_not_listed(setup: &Setup) -> Vec<Found> {
    let Some(read) = setup.configuration.as_deref() else { return Vec::new() };
    if !setup.rows.iter().any(Row::is_changed) {
        return Vec::new();
    }
    let unlisted = read.flake.as_ref().and_then(|flake| flake.unlisted_hosts.as_ref());
    let why = match (unlisted, &read.flake_above) {
        (Some(place), _) => format!("not every host of the flake can be told ({place})"),
        (None, Some(folder)) => format!(
            "the configuration was named by a file, so the hosts of the flake in {0} were not looked at (--flake \
             {0}#HOST does)",
            folder.display()
        ),
        (None, None) => return Vec::new(),
    };
    let file = match (setup.own_file(), read.new_file()) {
        (Some(own), _) => own.path.clone(),
        (None, NewFile::Beside { importer, .. }) => importer,
        (None, _) => return Vec::new(),
    };
    let sentence = format!(
        "{why}, and what is written counts for each that has {}: look whether others have it",
        file.display()
    );
    vec![(Severity::Warning, sentence)]
}

/// The daemon keeps the GPU from being switched off, which is what the other is for.
pub(super) fn persistenced_and_finegrained(setup: &Setup) -> Vec<Found> {
    let Some(read) = setup.configuration.as_deref() else { return Vec::new() };
    let path = AttrPath::dotted("hardware.nvidia.powerManagement.finegrained");
    match read.declared(&path) {
        Declared::Value { value: Expr::Bool(true), definitions }
            if setup.is_said("persistenced") =>
        {
            let place = definitions.first().map(|found| found.place.to_string());
            let sentence = format!(
                "the daemon keeps the GPU awake, and {path} is to switch it off ({}): set one of them to false",
                place.unwrap_or_default()
            );
            vec![(Severity::Warning, sentence)]
        }
        _ => Vec::new(),
    }
}
