//! Pictures of the tab and its dialogs, in characters and in roles.

use nvsdk_top::app::Event;
use nvsdk_top::theme::{Depth, Glyphs, Theme};

use super::{go, not_written, opened, opened_with, reading, reading_of, written};

const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 40), (200, 60)];

#[test]
fn the_options_with_what_is_changed() {
    let mut monitor = opened();
    go(&mut monitor, "persistenced");
    for (width, height) in SIZES {
        monitor.resize(width, height).assert_picture("setup_options");
    }
    go(&mut monitor, "podman");
    monitor.press("space");
    go(&mut monitor, "driver.open");
    monitor.press("space");
    for (width, height) in SIZES {
        monitor.resize(width, height).assert_picture("setup_changed");
    }
    monitor.resize(80, 24).press("z").assert_picture("setup_evidence");
    monitor.press("right").assert_picture("setup_plan");
}

#[test]
fn every_dialog() {
    let mut monitor = opened();
    go(&mut monitor, "podman");
    monitor.press("space");
    for (name, keys) in [("diff", "d"), ("confirm", "esc w")] {
        monitor.press(keys);
        for (width, height) in SIZES {
            monitor.resize(width, height).assert_picture(&format!("setup_{name}"));
        }
    }
    monitor.resize(80, 24).press("esc");
    go(&mut monitor, "driver.package");
    monitor.press("enter").assert_picture("setup_choices");
    monitor.press("esc");
    go(&mut monitor, "components");
    monitor.press("enter space down space").assert_picture("setup_marks");
    monitor.press("esc");
    go(&mut monitor, "users");
    monitor.press("enter t r a i n e r space B o b enter").assert_picture("setup_users");
    monitor.press("esc");
    monitor.tell(Event::SetupWritten(Ok(written())));
    monitor.assert_picture("setup_written");
    monitor.tell(Event::SetupWritten(Err(not_written())));
    monitor.assert_picture("setup_not_written");
}

#[test]
fn what_may_not_be_written_says_why() {
    let mut monitor = opened_with(reading_of(Some("upstream-module")));
    monitor.press("m");
    go(&mut monitor, "podman");
    monitor.press("space w");
    for (width, height) in SIZES {
        monitor.resize(width, height).assert_picture("setup_refused");
    }
}

#[test]
fn a_machine_without_nixos() {
    let mut reading = reading_of(None);
    let mut facts = (*reading.setup.facts).clone();
    facts.system.distribution.fact = Ok(nvsdk_top::setup::facts::Distribution {
        id: "ubuntu".to_owned(),
        id_like: vec!["debian".to_owned()],
        version_id: "24.04".to_owned(),
        name: "Ubuntu 24.04 LTS".to_owned(),
    });
    for generation in [
        &mut facts.generations.booted,
        &mut facts.generations.current,
        &mut facts.generations.next_boot,
    ] {
        generation.driver.fact = Err(nvsdk_top::model::Absent::NotFound);
        generation.store_path.fact = Err(nvsdk_top::model::Absent::NotFound);
    }
    reading.setup.facts = std::sync::Arc::new(facts);
    let mut monitor = opened_with(reading);
    for (width, height) in SIZES {
        monitor.resize(width, height).assert_picture("setup_no_nixos");
    }
    monitor.resize(80, 24).press("z z").assert_picture("setup_no_nixos_plan");
}

#[test]
fn before_it_is_read_and_where_it_cannot_be() {
    let mut monitor = crate::support::Monitor::new("h100");
    monitor.resize(80, 24).press("5").assert_picture("setup_reading");
    let why = "the facts cannot be read; try again";
    monitor.tell(Event::SetupRead(Box::new(Err(why.to_owned()))));
    assert!(monitor.text().contains(why));
}

#[test]
fn it_is_read_in_ascii_and_without_colours() {
    let mut monitor =
        opened_with(nvsdk_top::app::setup::SetupReading { is_demo: true, ..reading() });
    monitor.state.glyphs = &Glyphs::ASCII;
    monitor.state.theme = Theme::load("mono", None, Depth::Mono).0;
    go(&mut monitor, "podman");
    monitor.press("space");
    for keys in ["up", "d", "esc w", "esc z", "z", "z", "m"] {
        for (width, height) in SIZES {
            let text = monitor.press(keys).resize(width, height).text();
            assert!(text.is_ascii(), "{keys}: {text}");
        }
    }
    crate::support::assert_snapshot("frame__setup_ascii@120x40", &monitor.resize(120, 40).text());
}
