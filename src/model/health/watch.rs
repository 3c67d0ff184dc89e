//! The rules over time: what is told of each GPU, and what has changed. A rule that comes and goes is not told each
//! time.

use std::mem;

use super::view::{Past, Scene, View};
use super::{Finding, RULES, Rule};
use crate::model::{Gpu, GpuState, Inventory, Sample, Severity};

/// A verdict on a GPU that began or ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When, in microseconds since 1970.
    pub unix_us: u64,
    /// NVML's index of the GPU, as it was then.
    pub gpu: u32,
    /// What began, or what was last said of what ended.
    pub finding: Finding,
    /// Whether it began.
    pub began: bool,
}

impl Change {
    /// What began or ended, in a line.
    #[must_use]
    pub fn text(&self) -> String {
        if self.began {
            self.finding.sentence.clone()
        } else {
            format!("over: {}", self.finding.sentence)
        }
    }

    /// How much it should worry: an end does not.
    #[must_use]
    pub fn severity(&self) -> Severity {
        if self.began { self.finding.rule.severity } else { Severity::None }
    }
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It does not hold.
    Quiet,
    /// It has held since then, and not for long enough to be told.
    Rising { since_us: u64 },
    /// It is told.
    Told,
    /// It is still told, and has not held since then.
    Fading { since_us: u64 },
}

impl Phase {
    /// The phase after a look at `at_us`.
    fn next(self, holds: bool, at_us: u64, settles_s: u64) -> Self {
        let is_over = |since_us: u64| at_us.saturating_sub(since_us) >= settles_s * 1_000_000;
        let (since_us, target) = match (self, holds) {
            (Self::Quiet, false) | (Self::Told, true) => return self,
            (Self::Rising { .. }, false) => return Self::Quiet,
            (Self::Fading { .. }, true) => return Self::Told,
            (Self::Quiet, true) => (at_us, Self::Told),
            (Self::Rising { since_us }, true) => (since_us, Self::Told),
            (Self::Told, false) => (at_us, Self::Quiet),
            (Self::Fading { since_us }, false) => (since_us, Self::Quiet),
        };
        match target {
            _ if is_over(since_us) => target,
            Self::Told => Self::Rising { since_us },
            _ => Self::Fading { since_us },
        }
    }

    fn is_told(self) -> bool {
        matches!(self, Self::Told | Self::Fading { .. })
    }
}

/// One GPU.
#[derive(Clone, Debug)]
struct Watched {
    uuid: Option<String>,
    phases: [Phase; RULES.len()],
    findings: Vec<Finding>,
    /// What was told of a GPU before it stopped answering, for when it answers again.
    silent: Vec<Finding>,
}

/// What is told of each GPU of a machine.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    generation: Option<u64>,
    newest_us: u64,
    gpus: Vec<Watched>,
}

impl Watch {
    /// What is told of the GPU at this position of the inventory, the most severe first.
    #[must_use]
    pub fn findings(&self, gpu: usize) -> &[Finding] {
        self.gpus.get(gpu).map_or(&[], |gpu| &gpu.findings)
    }

    /// Looks at a sample, whose `past` ends with it, and returns what has changed.
    pub fn look(&mut self, inventory: &Inventory, sample: &Sample, past: &dyn Past) -> Vec<Change> {
        if self.generation != Some(inventory.generation) || self.gpus.len() != sample.gpus.len() {
            self.adopt(&inventory.gpus);
            self.generation = Some(inventory.generation);
        }
        // Another clock: what began on the old one began now.
        if sample.monotonic_us < self.newest_us {
            self.gpus.iter_mut().for_each(Watched::forget_times);
        }
        self.newest_us = sample.monotonic_us;
        let scene = Scene::new(sample, past);
        let mut changes = Vec::new();
        for (gpu, (watched, now)) in self.gpus.iter_mut().zip(&sample.gpus).enumerate() {
            let told = watched.look(View { scene: &scene, gpu, now, held: false });
            let index = inventory.gpus.get(gpu).map_or(0, |gpu| gpu.index);
            changes.extend(told.into_iter().map(|(finding, began)| Change {
                unix_us: sample.unix_us,
                gpu: index,
                finding,
                began,
            }));
        }
        changes
    }

    /// Takes over what is known of these GPUs: of the one with the same UUID or, where it has none, at its position.
    fn adopt(&mut self, gpus: &[Gpu]) {
        let mut old: Vec<_> = mem::take(&mut self.gpus).into_iter().map(Some).collect();
        let mut take = |position: usize, uuid: &Option<String>| {
            let is_same = |known: &Option<Watched>| {
                known.as_ref().is_some_and(|known| uuid.is_some() && known.uuid == *uuid)
            };
            let found = old.iter().position(is_same).or_else(|| {
                let known = old.get(position)?.as_ref()?;
                (uuid.is_none() || known.uuid.is_none()).then_some(position)
            });
            found.and_then(|found| old[found].take())
        };
        let adopted = gpus.iter().enumerate().map(|(position, gpu)| {
            let uuid = gpu.uuid.clone().ok();
            match take(position, &uuid) {
                Some(known) => Watched { uuid: uuid.or(known.uuid), ..known },
                None => Watched {
                    uuid,
                    phases: [Phase::Quiet; RULES.len()],
                    findings: Vec::new(),
                    silent: Vec::new(),
                },
            }
        });
        self.gpus = adopted.collect();
    }
}

impl Watched {
    fn forget_times(&mut self) {
        for phase in &mut self.phases {
            *phase = if phase.is_told() { Phase::Told } else { Phase::Quiet };
        }
    }

    /// Looks at the GPU, and returns what began (`true`) or ended.
    fn look(&mut self, view: View<'_>) -> Vec<(Finding, bool)> {
        let mut changes = Vec::new();
        let mut before = mem::take(&mut self.findings);
        before.append(&mut self.silent);
        for (rule, phase) in RULES.iter().zip(&mut self.phases) {
            // A GPU that says nothing says nothing of these; they go on when it does.
            if !rule.is_about_reach() && view.now.state != GpuState::Live {
                self.silent.extend(take(&mut before, rule));
                continue;
            }
            let was_told = phase.is_told();
            let found = rule.look(&View { held: was_told, ..view }, &self.findings);
            *phase = phase.next(found.is_some(), view.scene.sample.monotonic_us, rule.settles_s);
            if !was_told && !phase.is_told() {
                continue;
            }
            let Some(finding) = found.or_else(|| take(&mut before, rule)) else { continue };
            if was_told != phase.is_told() {
                changes.push((finding.clone(), phase.is_told()));
            }
            if phase.is_told() {
                self.findings.push(finding);
            }
        }
        changes
    }
}

/// What was said of a rule before.
fn take(findings: &mut Vec<Finding>, rule: &Rule) -> Option<Finding> {
    let place = findings.iter().position(|finding| finding.rule.id == rule.id)?;
    Some(findings.swap_remove(place))
}
