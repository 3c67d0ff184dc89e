//! The verdicts on the GPUs, as they are now.

use super::state::State;
use crate::model::{Change, Finding, Severity, Watch};
use crate::source::Snapshot;
use crate::store::Store;

/// What is told of the GPUs.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    watch: Watch,
}

impl Verdicts {
    /// Looks at a sample that `store` has taken up, and gives what began or ended.
    pub(super) fn look(&mut self, snapshot: &Snapshot, store: &Store) -> Vec<Change> {
        self.watch.look(&snapshot.inventory, &snapshot.sample, store)
    }

    /// What is told of the GPU at this position of the inventory, the most severe first.
    #[must_use]
    pub fn findings(&self, gpu: usize) -> &[Finding] {
        self.watch.findings(gpu)
    }
}

impl State {
    /// What there is to say of the GPU at this position of the inventory, the most severe first: now, or where the
    /// picture is held.
    #[must_use]
    pub fn findings(&self, gpu: usize) -> &[Finding] {
        self.held.as_ref().map_or(&self.verdicts, |held| &held.verdicts).findings(gpu)
    }

    /// How many warnings and worse there are of the GPUs that are shown, and how severe the worst is.
    #[must_use]
    pub fn problems(&self) -> (usize, Severity) {
        let gpus = self.visible_gpus().into_iter();
        let severities = gpus.flat_map(|gpu| self.findings(gpu)).map(|found| found.rule.severity);
        let problems = severities.filter(|severity| *severity >= Severity::Warning);
        problems.fold((0, Severity::None), |(count, worst), one| (count + 1, worst.max(one)))
    }
}
