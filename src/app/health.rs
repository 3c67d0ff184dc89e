//! The tab Health: what happened to the GPUs, in the order of time.

use std::collections::VecDeque;

use crate::model::{Change, GpuEvent, Inventory, Severity};

use super::state::List;

/// So many entries are kept: the newest.
const MOST_ENTRIES: usize = 1_000;

/// Something that happened at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, in microseconds since 1970.
    pub unix_us: u64,
    /// NVML's index of the GPU that it is about, as it was then.
    pub gpu: Option<u32>,
    /// What it is.
    pub what: What,
}

/// What an entry of the timeline is.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// NVML or the kernel log told of it.
    Event(GpuEvent),
    /// The user marked the time.
    Mark,
    /// A verdict on the GPU began or ended.
    Verdict(Change),
}

impl Entry {
    /// That a verdict began or ended.
    pub(super) fn of_verdict(change: Change) -> Self {
        Self { unix_us: change.unix_us, gpu: Some(change.gpu), what: What::Verdict(change) }
    }

    /// How much it should worry; a mark not at all.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match &self.what {
            What::Event(event) => event.severity(),
            What::Mark => Severity::None,
            What::Verdict(change) => change.severity(),
        }
    }

    /// What happened, in a line.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.what {
            What::Event(event) => event.title(),
            What::Mark => "mark".to_owned(),
            What::Verdict(change) => change.text(),
        }
    }

    /// Who told of it.
    #[must_use]
    pub fn source(&self) -> &'static str {
        match &self.what {
            What::Event(event) => event.source.text(),
            What::Mark => "you",
            What::Verdict(_) => "verdict",
        }
    }
}

/// What is listed at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// Everything.
    #[default]
    All,
    /// Warnings and what is worse.
    Warnings,
    /// Only what is critical.
    Critical,
}

impl Filter {
    /// The filter in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Warnings => "warnings and worse",
            Self::Critical => "critical only",
        }
    }

    /// The next stricter filter, and after the strictest none.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::All => Self::Warnings,
            Self::Warnings => Self::Critical,
            Self::Critical => Self::All,
        }
    }

    /// Whether an entry is listed. What the user marked always is.
    #[must_use]
    pub fn lists(self, entry: &Entry) -> bool {
        let least = match self {
            Self::All => Severity::None,
            Self::Warnings => Severity::Warning,
            Self::Critical => Severity::Critical,
        };
        entry.what == What::Mark || entry.severity() >= least
    }
}

/// What the tab knows.
#[derive(Clone, Debug, Default)]
pub struct HealthTab {
    /// Oldest first.
    entries: VecDeque<Entry>,
    /// The selected row, counted from the newest.
    pub list: List,
    /// What is listed.
    pub filter: Filter,
}

impl HealthTab {
    /// The entries that are listed, newest first; of those after `until_us` none.
    pub fn listed(&self, until_us: u64) -> impl Iterator<Item = &Entry> {
        let listed = move |entry: &&Entry| entry.unix_us <= until_us && self.filter.lists(entry);
        self.entries.iter().rev().filter(listed)
    }

    /// Puts an entry to its place in time. A selected row that is not the newest stays the same.
    pub fn add(&mut self, entry: Entry, until_us: u64) {
        let is_listed = entry.unix_us <= until_us && self.filter.lists(&entry);
        let newer = self.listed(until_us).take_while(|other| other.unix_us > entry.unix_us).count();
        if is_listed && self.list.cursor > 0 && newer <= self.list.cursor {
            self.list.cursor = self.list.cursor.saturating_add(1);
        }
        let place = self.entries.partition_point(|other| other.unix_us <= entry.unix_us);
        self.entries.insert(place, entry);
        if self.entries.len() > MOST_ENTRIES {
            self.entries.pop_front();
        }
    }

    /// Takes in what a sample tells that is new.
    pub(super) fn hear(&mut self, events: &[GpuEvent], inventory: &Inventory, until_us: u64) {
        for event in events {
            let gpu = event.gpu.and_then(|position| inventory.gpus.get(position));
            let what = What::Event(event.clone());
            let entry = Entry { unix_us: event.unix_us, gpu: gpu.map(|gpu| gpu.index), what };
            self.add(entry, until_us);
        }
    }

    /// Marks a time.
    pub(super) fn mark(&mut self, unix_us: u64) {
        self.add(Entry { unix_us, gpu: None, what: What::Mark }, u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Filter, HealthTab, MOST_ENTRIES, What};
    use crate::model::{EventKind, EventSource, GpuEvent, Severity};

    const ALWAYS: u64 = u64::MAX;

    fn event(unix_us: u64, severity: Severity) -> Entry {
        let of = |code| EventKind::Xid(code);
        let kind = [43, 31, 79].map(of).into_iter();
        let event = kind.map(|kind| GpuEvent::new(unix_us, Some(0), kind, EventSource::Nvml));
        let event = event.into_iter().find(|event| event.severity() == severity).unwrap();
        Entry { unix_us, gpu: Some(0), what: What::Event(event) }
    }

    fn times(tab: &HealthTab, until_us: u64) -> Vec<u64> {
        tab.listed(until_us).map(|entry| entry.unix_us).collect()
    }

    #[test]
    fn entries_stand_in_the_order_of_time_newest_first() {
        let mut tab = HealthTab::default();
        for unix_us in [30, 10, 20, 40] {
            tab.add(event(unix_us, Severity::Info), ALWAYS);
        }
        assert_eq!(times(&tab, ALWAYS), [40, 30, 20, 10]);
        assert_eq!(times(&tab, 25), [20, 10], "a held picture shows what was known then");
    }

    #[test]
    fn a_selected_row_stays_while_others_come() {
        let mut tab = HealthTab::default();
        tab.add(event(10, Severity::Info), ALWAYS);
        tab.add(event(30, Severity::Info), ALWAYS);
        let selected = |tab: &HealthTab| times(tab, ALWAYS)[tab.list.cursor];
        assert_eq!(selected(&tab), 30);
        tab.add(event(40, Severity::Info), ALWAYS);
        assert_eq!(selected(&tab), 40, "the newest is followed");
        tab.list.cursor = 1;
        for unix_us in [50, 35, 20] {
            tab.add(event(unix_us, Severity::Info), ALWAYS);
            assert_eq!(selected(&tab), 30);
        }
    }

    #[test]
    fn a_filter_leaves_marks() {
        let mut tab = HealthTab::default();
        for (unix_us, severity) in
            [(10, Severity::Critical), (20, Severity::Warning), (30, Severity::Info)]
        {
            tab.add(event(unix_us, severity), ALWAYS);
        }
        tab.mark(25);
        assert_eq!(times(&tab, ALWAYS), [30, 25, 20, 10]);
        tab.filter = Filter::All.next();
        assert_eq!(times(&tab, ALWAYS), [25, 20, 10]);
        tab.filter = tab.filter.next();
        assert_eq!(times(&tab, ALWAYS), [25, 10]);
        assert_eq!(tab.filter.next(), Filter::All);
    }

    #[test]
    fn the_oldest_are_let_go_of() {
        let mut tab = HealthTab::default();
        for unix_us in 0..MOST_ENTRIES as u64 + 3 {
            tab.add(event(unix_us, Severity::Info), ALWAYS);
        }
        assert_eq!(times(&tab, ALWAYS).last(), Some(&3));
    }
}
