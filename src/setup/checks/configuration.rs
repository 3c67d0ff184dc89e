//! The configuration against itself: what the user's files have beside what is wanted.

use super::{Found, Setup, Severity};
use crate::setup::declared::{Configuration, Declared, Definition};
use crate::setup::model::Because;
use crate::setup::nix::{AttrPath, Expr};
use crate::setup::stated::{ALLOW_UNFREE, ALLOW_UNFREE_PACKAGES, ALLOW_UNFREE_PREDICATE};
use crate::setup::{Mode, Value};

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

/// What the user's files set beside the upstream module, which sets the same: the key, and the value that is no
/// trouble; with none, any is.
const UPSTREAM_CLASHES: &[(&str, Option<&str>)] = &[
    ("hardware.nvidia.nvidiaPersistenced", Some("false")),
    ("hardware.nvidia.package", None),
    ("hardware.nvidia.open", None),
    ("hardware.nvidia.nvidiaSettings", Some("true")),
    ("hardware.nvidia.modesetting.enable", Some("true")),
    ("hardware.nvidia.datacenter.enable", Some("false")),
    ("hardware.nvidia-container-toolkit.enable", None),
];

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
    found
        .map(|found| {
            let place = &found.place;
            let sentence = format!(
                "{path} is set at {place}, and 32-bit libraries exist on x86_64 alone: take it out"
            );
            (Severity::Error, sentence)
        })
        .into_iter()
        .collect()
}

/// Definitions of the same priority that differ; `lib.mkForce` makes the user's count.
pub(super) fn upstream_clash(setup: &Setup) -> Vec<Found> {
    let Some(read) = setup.configuration.as_deref() else { return Vec::new() };
    if setup.mode != Mode::Snippet || !setup.is_wanted("enable") {
        return Vec::new();
    }
    let found = |(path, harmless): &(&str, Option<&str>)| {
        let harmless = harmless.map(Expr::of);
        let is_trouble = |found: &&Definition| {
            found.priority == crate::setup::nix::Priority::PLAIN
                && Some(&found.value) != harmless.as_ref()
        };
        let place = &theirs(setup, read, path).into_iter().find(is_trouble)?.place;
        Some((
            Severity::Error,
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
    if setup.mode == Mode::Snippet
        || !setup.is_said("container.enable")
        || setup.has_driver()
        || suppressed
    {
        return Vec::new();
    }
    let is_off = setup.is_said_off("enable") && !setup.is_partly_read();
    let severity =
        if is_off || !setup.is_partly_read() { Severity::Error } else { Severity::Warning };
    vec![(severity, "the container toolkit needs the driver: set enable to true".to_owned())]
}

/// A user who only has packages is no user that NixOS can make.
pub(super) fn unknown_user(setup: &Setup) -> Vec<Found> {
    let wanted = setup.row("users").and_then(|row| row.wanted.as_ref());
    let (Some((Value::List(users), Because::Chosen)), Some(read)) =
        (wanted, setup.configuration.as_deref())
    else {
        return Vec::new();
    };
    let severity = if setup.is_partly_read() { Severity::Warning } else { Severity::Error };
    let is_unknown = |user: &&String| {
        let path = AttrPath::new(["users", "users", user]);
        !read.under(&path).iter().any(|found| setup.is_theirs(&found.place))
    };
    let say = |user: &String| {
        let sentence = format!(
            "no user {user:?} is declared: declare users.users.{user}, or take the name out"
        );
        (severity, sentence)
    };
    users.iter().filter(is_unknown).map(say).collect()
}

/// Where nothing permits the driver and nothing is to permit it, the configuration does not evaluate.
pub(super) fn unfree(setup: &Setup) -> Vec<Found> {
    let is_chosen = matches!(
        setup.row("unfree").and_then(|row| row.wanted.as_ref()),
        Some((Value::Text(word), Because::Chosen)) if word == "none"
    );
    let is_permitted = setup.configuration.as_deref().is_some_and(|read| {
        [ALLOW_UNFREE, ALLOW_UNFREE_PACKAGES, ALLOW_UNFREE_PREDICATE]
            .iter()
            .any(|path| !theirs(setup, read, path).is_empty())
            || !read.evidence().packages_given.is_empty()
    });
    let runs = setup.row("unfree").is_some_and(|row| row.running.value.is_some());
    if !is_chosen || !setup.has_driver() || is_permitted || runs {
        return Vec::new();
    }
    let severity = if setup.is_partly_read() { Severity::Warning } else { Severity::Error };
    vec![(
        severity,
        "nothing that was read permits unfree packages, and the driver is one: set unfree to list"
            .to_owned(),
    )]
}
