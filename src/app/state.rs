//! Everything that the monitor knows.

use std::sync::Arc;

use crate::config::{Config, Context, Keymap};
use crate::model::{Inventory, Process, Sample};
use crate::source::Snapshot;
use crate::store::{Series, Store};
use crate::theme::{Glyphs, Theme};

use super::columns::ProcessColumn;
use super::event::Outage;
use super::gpu_lines::GpuLine;
use super::health::{Entry, HealthTab};
use super::setup::SetupTab;
use super::verdicts::Verdicts;

/// A page of the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// All GPUs and their processes.
    Overview,
    /// Everything about one GPU.
    Gpu,
    /// The processes alone.
    Processes,
    /// What happened to the GPUs.
    Health,
    /// What is declared of the machine beside what runs.
    Setup,
}

impl Tab {
    /// Every tab, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Overview, Self::Gpu, Self::Processes, Self::Health, Self::Setup];

    /// The number that stands before its name, which is also its key.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Overview => 1,
            Self::Gpu => 2,
            Self::Processes => 3,
            Self::Health => 4,
            Self::Setup => 5,
        }
    }

    /// Its name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Gpu => "GPU",
            Self::Processes => "Processes",
            Self::Health => "Health",
            Self::Setup => "Setup",
        }
    }

    /// Where its keys are looked up.
    #[must_use]
    pub fn context(self) -> Context {
        match self {
            Self::Overview => Context::Overview,
            Self::Gpu => Context::Gpu,
            Self::Processes => Context::Processes,
            Self::Health => Context::Health,
            Self::Setup => Context::Setup,
        }
    }
}

/// A part of a tab that can fill the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// The GPUs of the overview, and the values of the GPU tab.
    Gpus,
    /// The history of the GPU tab.
    History,
    /// The processes.
    Processes,
    /// What happened to the GPUs, in the order of time.
    Timeline,
    /// Everything about the selected entry of the timeline.
    Event,
    /// Everything about the selected option of Setup.
    Evidence,
    /// What Setup would write.
    Plan,
}

/// What the keys go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The tab.
    Normal,
    /// The help, from this line on.
    Help {
        /// The first line that is shown.
        top: usize,
    },
    /// What a number of the tab is.
    Explain {
        /// The number, by its place among [`State::explained`].
        cursor: usize,
    },
    /// What the samples cost, from this line on.
    Cost {
        /// The first line that is shown.
        top: usize,
    },
    /// The list of columns to sort by, with this one selected.
    SortMenu {
        /// The row of the selected column.
        cursor: usize,
    },
}

/// Where the samples stand.
#[derive(Clone, Debug, PartialEq)]
pub enum Stream {
    /// None has come yet, and perhaps what it is that takes so long.
    Waiting(Option<String>),
    /// They come.
    Live,
    /// None can be had, and why.
    Down(Arc<Outage>),
}

/// What the picture is held at.
#[derive(Debug)]
pub struct Held {
    /// The sample.
    pub snapshot: Arc<Snapshot>,
    /// The history until then.
    pub store: Store,
    /// The verdicts of then.
    pub verdicts: Verdicts,
}

/// A list of which one row is selected. Which rows are shown follows from it and from how many there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The selected row.
    pub cursor: usize,
}

impl List {
    /// The selected row of a list that has so many.
    #[must_use]
    pub fn row(self, rows: usize) -> Option<usize> {
        (rows > 0).then(|| self.cursor.min(rows - 1))
    }

    /// The first row to show where there is room for `room` of `rows`: the cursor stays in the middle, and the list's
    /// ends at the edges.
    #[must_use]
    pub fn top(self, rows: usize, room: usize) -> usize {
        let cursor = self.row(rows).unwrap_or(0);
        cursor.saturating_sub(room / 2).min(rows.saturating_sub(room))
    }
}

/// Everything that the monitor knows.
pub struct State {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The user's settings, as they stand now.
    pub config: Config,
    /// What `CUDA_VISIBLE_DEVICES` says, for `--gpus visible`.
    pub cuda_visible_devices: Option<String>,
    /// Which key does what.
    pub keymap: Keymap,
    /// How things look.
    pub theme: Theme,
    /// With which characters.
    pub glyphs: &'static Glyphs,
    /// Where the samples stand.
    pub stream: Stream,
    /// The newest sample.
    pub newest: Option<Arc<Snapshot>>,
    /// What the picture is held at, where it is.
    pub held: Option<Held>,
    /// The history.
    pub store: Store,
    /// The verdicts on the GPUs.
    pub verdicts: Verdicts,
    /// The page.
    pub tab: Tab,
    /// What the keys go to.
    pub mode: Mode,
    /// The panel that fills the screen.
    pub zoom: Option<Panel>,
    /// Among what of the overview something was selected last: its GPUs or its processes.
    pub focus: Panel,
    /// The selected GPU, by its position among those that are shown.
    pub gpus: List,
    /// The selected number of the GPU tab.
    pub gpu_rows: List,
    /// The selected process.
    pub processes: List,
    /// The first character of the commands that is shown.
    pub command_from: usize,
    /// The column that the processes are sorted by.
    pub sort: ProcessColumn,
    /// Whether that order is reversed.
    pub reversed: bool,
    /// The tab Health.
    pub health: HealthTab,
    /// The tab Setup.
    pub setup: SetupTab,
    /// What the user should know of now, in a line.
    pub notice: Option<String>,
}

impl State {
    /// The state at the start, before any sample.
    #[must_use]
    pub fn new(
        config: Config,
        keymap: Keymap,
        theme: Theme,
        glyphs: &'static Glyphs,
        cuda_visible_devices: Option<String>,
        size: (u16, u16),
    ) -> Self {
        Self {
            size,
            store: Store::new(config.interval.duration()),
            verdicts: Verdicts::default(),
            config,
            cuda_visible_devices,
            keymap,
            theme,
            glyphs,
            stream: Stream::Waiting(None),
            newest: None,
            held: None,
            tab: Tab::Overview,
            mode: Mode::Normal,
            zoom: None,
            focus: Panel::Processes,
            gpus: List::default(),
            gpu_rows: List::default(),
            processes: List::default(),
            command_from: 0,
            sort: ProcessColumn::Memory,
            reversed: false,
            health: HealthTab::default(),
            setup: SetupTab::default(),
            notice: None,
        }
    }

    /// The sample that is shown: the newest, or the one that the picture is held at.
    #[must_use]
    pub fn shown(&self) -> Option<(&Inventory, &Sample)> {
        let held = self.held.as_ref().map(|held| &held.snapshot);
        let snapshot = held.or(self.newest.as_ref())?;
        Some((&snapshot.inventory, &snapshot.sample))
    }

    /// The history that is shown: until now, or until the picture was held.
    #[must_use]
    pub fn history(&self) -> &Store {
        self.held.as_ref().map_or(&self.store, |held| &held.store)
    }

    /// The time until which events are shown, in microseconds since 1970: of a held picture, that of its sample.
    pub(super) fn events_until_us(&self) -> u64 {
        self.held.as_ref().map_or(u64::MAX, |held| held.snapshot.sample.unix_us)
    }

    /// What happened to the GPUs, as far as it is listed, newest first.
    #[must_use]
    pub fn health_entries(&self) -> Vec<&Entry> {
        self.health.listed(self.events_until_us()).collect()
    }

    /// The GPUs that are shown, by their position in the inventory.
    #[must_use]
    pub fn visible_gpus(&self) -> Vec<usize> {
        let Some((inventory, _)) = self.shown() else { return Vec::new() };
        self.config.gpus.pick(&inventory.gpus, self.cuda_visible_devices.as_deref()).positions
    }

    /// The selected GPU, by its position in the inventory.
    #[must_use]
    pub fn selected_gpu(&self) -> Option<usize> {
        let visible = self.visible_gpus();
        visible.get(self.gpus.cursor.min(visible.len().saturating_sub(1))).copied()
    }

    /// The processes that are shown, in no order.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        let processes = self.shown().map(|(_, sample)| sample.processes.iter());
        let visible = self.visible_gpus();
        processes.into_iter().flatten().filter(move |process| visible.contains(&process.gpu))
    }

    /// Whether the arrows go through processes: in a list that is there and not empty.
    #[must_use]
    pub fn lists_processes(&self) -> bool {
        let is_there = match self.tab {
            Tab::Overview => self.zoom != Some(Panel::Gpus),
            Tab::Gpu | Tab::Health | Tab::Setup => false,
            Tab::Processes => true,
        };
        is_there && self.processes().next().is_some()
    }

    /// The processes that are shown, in their order.
    #[must_use]
    pub fn sorted_processes(&self) -> Vec<&Process> {
        let Some((inventory, _)) = self.shown() else { return Vec::new() };
        let mut processes: Vec<_> = self.processes().collect();
        let descending = self.sort.largest_first() != self.reversed;
        processes.sort_by(|a, b| {
            let order = self.sort.order(inventory, a, b);
            let order = if descending { order.reverse() } else { order };
            order.then_with(|| (a.gpu, a.pid).cmp(&(b.gpu, b.pid)))
        });
        processes
    }

    /// The series that the GPU tab draws: that of the selected line, if that is a number.
    #[must_use]
    pub fn selected_series(&self) -> Option<Series> {
        match self.selected_gpu_line()? {
            GpuLine::Number(slot) => Some(Series::Gpu(self.selected_gpu()?, slot)),
            _ => None,
        }
    }

    /// What lies below the dialogs.
    #[must_use]
    pub fn page(&self) -> Context {
        let stands_alone = self.tab == Tab::Setup;
        if stands_alone || self.newest.is_some() { self.tab.context() } else { Context::NoDriver }
    }

    /// Where keys are looked up first.
    #[must_use]
    pub fn context(&self) -> Context {
        match self.mode {
            Mode::Normal if self.tab == Tab::Setup => self.setup.context(),
            Mode::Normal => self.page(),
            Mode::Help { .. } => Context::Help,
            Mode::Explain { .. } => Context::Explain,
            Mode::Cost { .. } => Context::Report,
            Mode::SortMenu { .. } => Context::Menu,
        }
    }
}
