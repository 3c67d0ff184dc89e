//! CUDA toolkits against the driver and the GPUs.

use super::driver::gpu;
use super::{Found, Setup, Severity};
use crate::model::Architecture;
use crate::setup::model::Because;
use crate::setup::{CudaFit, Mode, TABLE_DATE, Value, Version, unfree};

/// The toolkit of nixpkgs' `cudaPackages` and that of the upstream overlay, as of [`TABLE_DATE`].
const NIXPKGS_TOOLKIT: &str = "12.8";
const UPSTREAM_TOOLKIT: &str = "13.1";

/// The first toolkit that makes nothing for GPUs before Turing.
const FIRST_FROM_TURING: u32 = 13;

/// A list of names lets through what is named alone, and what some parts of CUDA are built from is not known here.
pub(super) fn unfree_names(setup: &Setup) -> Vec<Found> {
    let components = setup.row("components").and_then(|row| row.wanted.as_ref());
    let (Some("list"), Some((Value::List(words), because))) =
        (setup.wanted_word("unfree"), components)
    else {
        return Vec::new();
    };
    let words = words.iter().map(String::as_str).filter(|word| unfree::is_partly_known(word));
    let words: Vec<_> = words.filter(|_| *because != Because::Running).collect();
    if words.is_empty() {
        return Vec::new();
    }
    vec![(
        Severity::Warning,
        format!(
            "unfree is list, and of {} only the own names are known here, not those of the unfree parts that nixpkgs \
             builds them from: where the build refuses one, add its name to the list, or set unfree to all",
            words.join(", ")
        ),
    )]
}

/// The toolkit that the wanted configuration has.
fn wanted(setup: &Setup) -> Option<Version> {
    let users = setup.row("users").and_then(|row| row.wanted.as_ref());
    let has_users = matches!(users, Some((Value::List(users), _)) if !users.is_empty());
    let components = setup.row("components").and_then(|row| row.wanted.as_ref());
    let has_components = matches!(
        components,
        Some((Value::List(words), because)) if !words.is_empty() && *because != Because::Running
    );
    let has_toolkit = setup.is_said("systemPackages") || has_users;
    let text = match setup.mode {
        Mode::Snippet if has_toolkit => UPSTREAM_TOOLKIT,
        _ => NIXPKGS_TOOLKIT,
    };
    (has_toolkit || has_components).then(|| Version::of(text))
}

pub(super) fn cuda_and_driver(setup: &Setup) -> Vec<Found> {
    let Some((toolkit, branch)) = wanted(setup).zip(setup.branch()) else { return Vec::new() };
    if !setup.may_have_driver() {
        return Vec::new();
    }
    let driver = branch.version(setup.release);
    let pair =
        format!("CUDA {toolkit} on {} (driver {driver}, table of {TABLE_DATE})", branch.name);
    match CudaFit::of(&toolkit, &driver) {
        CudaFit::TooOld { floor } => vec![(
            setup.of_branch(),
            format!(
                "{pair} does not run, since it needs driver {floor}: set driver.package to a newer one"
            ),
        )],
        CudaFit::MinorVersion { made_with } => vec![(
            Severity::Warning,
            format!(
                "{pair} runs, but it was made with {made_with}: what is compiled at start and what is new may fail, and \
                 a newer driver.package mends it"
            ),
        )],
        CudaFit::Full | CudaFit::Unknown => Vec::new(),
    }
}

pub(super) fn before_turing(setup: &Setup) -> Vec<Found> {
    let Some(toolkit) = wanted(setup).filter(|it| it.major() >= FIRST_FROM_TURING) else {
        return Vec::new();
    };
    let found = gpu(setup, |it| it < Architecture::TURING);
    found
        .map(|(gpu, _)| {
            let sentence = format!(
                "CUDA {toolkit} makes nothing for {gpu}: set systemPackages to false and take CUDA 12 of nixpkgs"
            );
            (Severity::Warning, sentence)
        })
        .into_iter()
        .collect()
}
