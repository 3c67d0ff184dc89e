//! Pictures of every tab and dialog, in characters and in roles.

use std::sync::Arc;

use nvsdk_top::app::{Event, Outage, What};
use nvsdk_top::config::Config;
use nvsdk_top::model::{Absent, EventSources, GpuState};
use nvsdk_top::source::{Snapshot, SourceError};
use nvsdk_top::theme::{Depth, Glyphs, Theme};
use ratatui::style::Color;

use crate::support::{Monitor, assert_snapshot, outage};

const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (120, 40)];
/// Sizes that only the tabs are held at.
const EXTREMES: [(u16, u16); 2] = [(20, 5), (200, 60)];

#[test]
fn every_tab_and_dialog() {
    let mut monitor = Monitor::watching("h100");
    for (name, keys) in [
        ("overview", "esc 1"),
        ("gpu", "esc 2"),
        ("processes", "esc 3 down down"),
        ("health", "esc 4 down"),
        ("help", "esc 1 F1"),
        ("sort", "esc 1 F6 down"),
        ("history", "esc 2 z"),
        ("explain", "esc esc 2 i down"),
        ("explain_process", "esc 3 i"),
    ] {
        monitor.press(keys);
        let is_tab = ["overview", "gpu", "processes", "health"].contains(&name);
        for (width, height) in SIZES.into_iter().chain(EXTREMES.into_iter().filter(|_| is_tab)) {
            monitor.resize(width, height).assert_picture(name);
        }
    }
}

#[test]
fn the_timeline() {
    let mut monitor = Monitor::watching("geforce");
    monitor.resize(80, 24).press("4 z").assert_picture("health_entry");
    monitor.press("z m f f").assert_picture("health_filter");
    let mut monitor = Monitor::watching("gb10");
    monitor.resize(80, 24).press("4").assert_picture("health_empty");
    monitor.disturb = |snapshot| {
        let nvml = vec![Err(Absent::NotSupported)];
        let sources = EventSources { kernel_log: Err(Absent::NoPermission), nvml };
        snapshot.sample.events.sources = Arc::new(sources);
    };
    monitor.watch(1);
    monitor.assert_picture("health_deaf");
}

#[test]
fn a_mark_is_put_at_the_time_that_is_shown() {
    let mut monitor = Monitor::watching("h100");
    monitor.press("4 p");
    monitor.watch(30);
    monitor.press("m");
    let marked = monitor.state.health_entries()[0];
    let shown = monitor.state.shown().unwrap().1.unix_us;
    assert_eq!((&marked.what, marked.unix_us), (&What::Mark, shown));
}

#[test]
fn every_machine() {
    for name in ["geforce", "laptop", "mig", "gb10"] {
        let mut monitor = Monitor::watching(name);
        monitor.resize(80, 24).assert_picture(&format!("{name}_overview"));
        monitor.resize(120, 40).assert_picture(&format!("{name}_overview"));
        monitor.press("2").assert_picture(&format!("{name}_gpu"));
    }
}

#[test]
fn a_wide_screen() {
    let mut monitor = Monitor::watching("geforce");
    monitor.resize(200, 60).assert_picture("geforce_overview");
}

/// A machine of 128 GPUs.
fn multiply(snapshot: &mut Snapshot) {
    let inventory = Arc::make_mut(&mut snapshot.inventory);
    let eight = inventory.gpus.clone();
    inventory.gpus = (0..128).map(|number| eight[number % 8].clone()).collect();
    for (index, gpu) in (0..).zip(&mut inventory.gpus) {
        gpu.index = index;
    }
    let eight = snapshot.sample.gpus.clone();
    snapshot.sample.gpus = (0..128).map(|number| eight[number % 8].clone()).collect();
}

#[test]
fn many_gpus() {
    let mut monitor = Monitor::new("h100");
    monitor.disturb = multiply;
    monitor.watch(20);
    monitor.press(&"right ".repeat(100));
    monitor.resize(40, 12).assert_picture("many");
    monitor.resize(80, 24).assert_picture("many");
    monitor.resize(200, 60).assert_picture("many");
}

#[test]
fn a_held_picture_stays() {
    let mut monitor = Monitor::watching("h100");
    monitor.resize(80, 24).press("p").assert_picture("held");
    let pictures = |monitor: &mut Monitor| -> Vec<_> {
        let tabs = ["1", "2", "2 z", "3", "4", "2 esc"];
        tabs.iter().map(|keys| monitor.press(keys).text()).collect()
    };
    let held = pictures(&mut monitor);
    assert!(held[1].contains("min "), "there is a history: {}", held[1]);
    // Longer than the charts, and meanwhile another machine.
    monitor.watch(100);
    monitor.disturb = multiply;
    monitor.watch(20);
    assert_eq!(pictures(&mut monitor), held);
    monitor.press("p");
    for (now, held) in pictures(&mut monitor).iter().zip(&held) {
        assert_ne!(now, held);
    }
}

#[test]
fn labels_that_nobody_may_overlook_are_seen_at_every_width() {
    let mut monitor = Monitor::watching("laptop");
    monitor.press("p");
    for keys in ["1", "2", "3", "4", "1 F1", "esc F6"] {
        monitor.press(keys);
        for (width, height) in (20..160).flat_map(|width| [(width, 4), (width, 24)]) {
            let text = monitor.resize(width, height).text();
            let header = text.lines().next().unwrap();
            assert!(header.contains(" PAUSED   DEMO"), "{keys}, {width}: {header}");
        }
    }
}

#[test]
fn a_notice_is_read_to_its_end() {
    let mut monitor = Monitor::watching("laptop");
    let end = "correct the line or remove it. Until then the defaults hold.";
    monitor.state.notice = Some(format!(
        "/home/user/.config/nvsdk-top/config.toml, line 3, column 12: \"soon\" is no time; write a number and a unit, such as 250ms, 1s, 2.5s, 1m or 1h; {end}"
    ));
    for (width, height) in SIZES {
        let text = monitor.resize(width, height).text();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.ends_with(end), "{text}");
    }
}

#[test]
fn no_driver() {
    let mut monitor = Monitor::new("h100");
    monitor.resize(80, 24).assert_picture("waiting");
    let sentence = "nvmlInit_v2 has not come back for 2.0 s; without nvidia-persistenced every GPU is set up anew";
    monitor.tell(Event::Opening(sentence.to_owned()));
    monitor.assert_picture("opening");
    monitor.tell(Event::Outage(Arc::new(outage())));
    for (width, height) in [(20, 5), (40, 12), (80, 24)] {
        monitor.resize(width, height).assert_picture("outage");
    }
}

#[test]
fn what_to_do_without_a_driver_is_seen_on_the_smallest_screen() {
    let mut monitor = Monitor::new("h100");
    let message = SourceError::NOTHING_FOUND.to_owned();
    monitor.tell(Event::Outage(Arc::new(Outage { message, ..outage() })));
    let text = monitor.resize(40, 10).text().replace('│', " ");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(SourceError::NOTHING_FOUND), "{text}");
    assert!(words.contains("looked for again every second"), "{text}");
}

#[test]
fn zero_looks_other_than_a_small_value() {
    let mut monitor = Monitor::watching("h100");
    let text = monitor.resize(80, 24).text();
    let has = |percent: &str| {
        let line = text.lines().find(|line| line.contains(percent)).unwrap();
        ["⣀", "▁"].map(|mark| line.contains(mark))
    };
    assert_eq!([has("  0%"), has("  4%")], [[true, false], [false, true]]);
}

/// GPUs in every kind of trouble.
fn disturb(snapshot: &mut Snapshot) {
    let age_us = 131_000_000;
    let states = [
        (1, GpuState::Stale { age_us: 2_100_000, call: None }, Absent::Stale),
        (2, GpuState::Stuck { age_us, call: "nvmlDeviceGetTemperatureV".into() }, Absent::Stuck),
        (3, GpuState::Lost { age_us }, Absent::GpuLost),
        (4, GpuState::Asleep { age_us: 0, at_least: true }, Absent::Asleep),
        (5, GpuState::Refused { why: Absent::NoPermission }, Absent::NoPermission),
    ];
    for (position, state, why) in states {
        let gpu = &mut snapshot.sample.gpus[position];
        gpu.state = state;
        gpu.values.forget(why);
    }
}

#[test]
fn trouble_is_told_by_words_and_shape() {
    let mut monitor = Monitor::watching("h100");
    monitor.disturb = disturb;
    monitor.watch(5);
    for (width, height) in SIZES {
        monitor.resize(width, height).assert_picture("trouble");
    }
    monitor.resize(200, 60).assert_picture("trouble");
    monitor.resize(80, 24).press("2 ] ] ]").assert_picture("trouble_gpu");
}

#[test]
fn ascii_is_ascii_and_needs_no_colour() {
    let mut monitor = Monitor::watching("h100");
    monitor.disturb = disturb;
    monitor.watch(5);
    monitor.state.glyphs = &Glyphs::ASCII;
    monitor.state.theme = Theme::load("mono", None, Depth::Mono).0;
    let mut pictures = Vec::new();
    for keys in ["1", "2", "3", "4", "1 F1", "esc F6", "esc p"] {
        for (width, height) in SIZES.into_iter().chain(EXTREMES) {
            let text = monitor.press(keys).resize(width, height).text();
            assert!(text.is_ascii(), "{keys}: {text}");
            for cell in monitor.frame().0.content {
                assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{keys}: {text}");
            }
            if (width, height) == (80, 24) {
                pictures.push(text);
            }
        }
    }
    assert_snapshot("frame__ascii@80x24", &pictures.join("\n"));
}

#[test]
fn every_theme_draws_the_same_characters() {
    let mut monitor = Monitor::watching("mig");
    let text = monitor.text();
    for name in ["nvsdk-dark", "nvsdk-light", "high-contrast", "mono"] {
        monitor.state.theme = Theme::load(name, None, Depth::TrueColor).0;
        assert_eq!(monitor.text(), text, "{name}");
    }
}

#[test]
fn a_bar_keeps_its_colours_where_its_row_is_selected() {
    let mut monitor = Monitor::watching("h100");
    monitor.state.theme = Theme::load("nvsdk-dark", None, Depth::TrueColor).0;
    monitor.press("2");
    let bar = |monitor: &Monitor| {
        let (frame, _) = monitor.frame();
        let cell = frame.content.iter().find(|cell| cell.symbol() == "█").unwrap();
        (cell.fg, cell.bg)
    };
    let (selected, below) = (
        bar(&monitor),
        bar({
            monitor.press("down");
            &monitor
        }),
    );
    assert_eq!(selected.0, below.0);
    assert_ne!(selected.1, below.1);
}

#[test]
fn fahrenheit_is_everywhere() {
    let mut monitor = Monitor::watching("h100");
    for keys in ["1", "2"] {
        assert!(monitor.press(keys).text().contains("°C"), "{keys}");
    }
    monitor.state.config = Config { temperature: "f".parse().unwrap(), ..Config::default() };
    for keys in ["1", "2"] {
        let text = monitor.press(keys).text();
        assert!(text.contains("°F") && !text.contains("°C"), "{keys}: {text}");
    }
}
