//! A monitor whose clock stands still until it is moved, and which is told what happens.

use std::sync::Arc;
use std::time::Duration;

use nvsdk_top::app::{Effect, Event, Outage, State, update};
use nvsdk_top::config::{Config, Keymap};
use nvsdk_top::export::Selection;
use nvsdk_top::model::{MetricSet, Sysroot};
use nvsdk_top::source::demo::{Demo, PRESETS, Preset};
use nvsdk_top::source::host::findings;
use nvsdk_top::source::nvml::{NvmlOptions, NvmlSource};
use nvsdk_top::source::{Feed, ManualClock, Patience, Request, Snapshot, Source};
use nvsdk_top::theme::Glyphs;
use nvsdk_top::ui::{Hits, view};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::roles;

/// 2026-07-14 08:12:53 UTC.
pub(crate) const START_US: u64 = 1_784_016_773_000_000;

pub(crate) fn preset(name: &str) -> &'static Preset {
    PRESETS.iter().find(|preset| preset.name == name).unwrap()
}

/// Holds a text against the file of this name.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The monitor of simulated GPUs.
pub(crate) struct Monitor {
    pub(crate) state: State,
    /// What it asked the world for.
    pub(crate) effects: Vec<Effect>,
    clock: Arc<ManualClock>,
    feed: Feed,
    /// What happens to each sample before it is shown.
    pub(crate) disturb: fn(&mut Snapshot),
}

impl Monitor {
    /// A monitor that has seen nothing yet.
    pub(crate) fn new(name: &str) -> Self {
        let clock = Arc::new(ManualClock::at(START_US));
        let feed = Feed::new(Box::new(Demo::new(preset(name), Arc::clone(&clock) as _)));
        let (config, keymap) = (Config::default(), Keymap::default());
        let state = State::new(config, keymap, roles::theme(), &Glyphs::UNICODE, None, (120, 40));
        Self { state, effects: Vec::new(), clock, feed, disturb: |_| {} }
    }

    /// A monitor that has watched for a minute and a half.
    pub(crate) fn watching(name: &str) -> Self {
        let mut monitor = Self::new(name);
        monitor.watch(90);
        monitor
    }

    /// Takes a sample in each of so many seconds.
    pub(crate) fn watch(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            let mut snapshot = self.sample();
            (self.disturb)(&mut snapshot);
            self.tell(Event::Sampled(Arc::new(snapshot)));
        }
    }

    fn sample(&mut self) -> Snapshot {
        let selection = Selection::all();
        let patience = Patience::Tick { interval: Duration::from_secs(1) };
        let request = Request { metrics: selection.needed(), processes: true, patience };
        Arc::unwrap_or_clone(self.feed.next(&request).unwrap())
    }

    pub(crate) fn tell(&mut self, event: Event) {
        update(&mut self.state, event, &mut self.effects);
    }

    /// Presses keys, named as in a keymap file.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.tell(Event::Key(key.parse().unwrap()));
        }
        self
    }

    pub(crate) fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.tell(Event::Resized(width, height));
        self
    }

    /// The picture, and what can be clicked in it.
    pub(crate) fn frame(&self) -> (Buffer, Hits) {
        let (width, height) = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        let hits = view(&self.state, &mut buffer);
        (buffer, hits)
    }

    /// The lines of the picture.
    pub(crate) fn text(&self) -> String {
        roles::text(&self.frame().0)
    }

    /// Holds the picture, with its roles, against the file of this name.
    pub(crate) fn assert_picture(&self, name: &str) {
        let (width, height) = self.state.size;
        let (frame, _) = self.frame();
        let picture = format!("{}\n{}", roles::text(&frame), roles::map(&frame));
        assert_snapshot(&format!("frame__{name}@{width}x{height}"), &picture);
    }
}

/// What the program says on a machine whose one GPU has no driver.
pub(crate) fn outage() -> Outage {
    let root = tempfile::tempdir().unwrap();
    let device = root.path().join("sys/bus/pci/devices/0000:01:00.0");
    std::fs::create_dir_all(&device).unwrap();
    std::fs::write(device.join("vendor"), "0x10de\n").unwrap();
    std::fs::write(device.join("class"), "0x030000\n").unwrap();
    let sysroot = Sysroot::new(root.path());
    let options = NvmlOptions {
        library: Some("/nowhere/libnvidia-ml.so.1".into()),
        sysroot: sysroot.clone(),
        clock: Arc::new(ManualClock::at(START_US)),
        wake: false,
    };
    let patience = Patience::Whole { limit: Duration::from_secs(20) };
    let request = Request { metrics: MetricSet::all(), processes: true, patience };
    let message = NvmlSource::new(options).sample(&request).unwrap_err().to_string();
    Outage { message, findings: findings(&sysroot) }
}
