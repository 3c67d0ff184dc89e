//! What speaks against writing a plan: the one answer of the tab and of the commands.

use super::model::{Because, Row};
use super::{Finding, Outcome, Plan, Refusal, Setup, Severity, Stated};

impl Setup {
    /// What speaks against writing `plan`, each as a sentence: errors of the checks about what it changes, what it
    /// refuses, that no place follows, and files of the configuration that were not read, since they may set the same
    /// keys. A file that the user names (`is_planned` is false) is not in the way of those that the plan would otherwise
    /// write to.
    #[must_use]
    pub fn objections(&self, plan: &Plan, is_planned: bool) -> Vec<String> {
        let errors = self.blockers_of(plan).into_iter().map(|finding| finding.sentence);
        let refusals = plan.refusals.iter();
        let refusals = refusals.filter(|refusal| is_planned || !refusal.is_about_the_place());
        let file = plan.file.as_ref().filter(|_| is_planned);
        let place = file.and_then(|file| file.path.as_ref().err());
        let read = self.configuration.as_deref().filter(|_| is_planned);
        let problems = read.map_or(&[][..], |read| &read.problems);
        errors
            .chain(refusals.map(ToString::to_string))
            .chain(place.map(ToString::to_string))
            .chain(problems.iter().map(ToString::to_string))
            .collect()
    }

    /// The errors for which nothing is written: those about an option that the plan changes. What is wrong beside it is
    /// shown, and no worse for being left.
    #[must_use]
    pub fn blockers(&self) -> Vec<Finding> {
        self.blockers_of(&self.plan())
    }

    fn blockers_of(&self, plan: &Plan) -> Vec<Finding> {
        let mut findings = self.findings();
        findings.retain(|finding| {
            finding.severity == Severity::Error
                && finding.options().any(|option| self.changes(plan, option))
        });
        findings
    }

    /// Whether a plan changes what is said of an option.
    fn changes(&self, plan: &Plan, option: &str) -> bool {
        let Some(row) = self.row(option) else { return false };
        let is_new = matches!(row.wanted, Some((_, Because::Chosen | Because::Needed)));
        let changes_mode = self.own_mode().is_some_and(|mode| mode != self.mode);
        let is_rewritten = !changes_mode && self.is_in_own_file(row);
        let mut changes = plan.changes.iter().filter(|change| change.option == option);
        is_new && !row.is_settled()
            || !is_rewritten && changes.any(|change| change.outcome == Outcome::Written)
    }

    /// Whether our own file says something of an option.
    pub(super) fn is_in_own_file(&self, row: &Row) -> bool {
        match &row.stated {
            Stated::Value { places, .. } => places.iter().any(|place| !self.is_theirs(place)),
            _ => false,
        }
    }
}

impl Refusal {
    /// Whether another file than the planned one could be written all the same.
    fn is_about_the_place(&self) -> bool {
        matches!(
            self,
            Self::Foreign(_) | Self::HandEdited(_) | Self::NotImported(..) | Self::Shared { .. }
        )
    }
}
