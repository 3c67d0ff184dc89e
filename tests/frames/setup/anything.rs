//! Whatever is pressed or clicked in the tab, there is a picture, and nothing is written that nobody agreed to.

use nvsdk_top::app::{Effect, Event, Hit};
use nvsdk_top::theme::Glyphs;
use proptest::prelude::*;
use proptest::sample::select;

use super::{not_written, opened_with, reading, reading_of, written};

const KEYS: &[&str] = &[
    "up",
    "down",
    "pageup",
    "pagedown",
    "home",
    "end",
    "left",
    "right",
    "space",
    "enter",
    "d",
    "w",
    "u",
    "x",
    "m",
    "r",
    "z",
    "esc",
    "y",
    "n",
    "backspace",
    "F1",
    "q",
    "é",
    "a",
    "_",
    "1",
    "5",
    "tab",
];

#[derive(Clone, Debug)]
enum Happening {
    Key(&'static str),
    Row(usize),
    Menu(usize),
    Scroll(i32),
    Size(u16, u16),
    Read,
    Written,
    Failed,
}

fn happening() -> impl Strategy<Value = Happening> {
    let number = prop_oneof![0usize..20, Just(usize::MAX)];
    prop_oneof![
        20 => select(KEYS).prop_map(Happening::Key),
        2 => number.clone().prop_map(Happening::Row),
        2 => number.prop_map(Happening::Menu),
        1 => prop_oneof![-9i32..9, Just(i32::MIN), Just(i32::MAX)].prop_map(Happening::Scroll),
        2 => (0u16..250, 0u16..80).prop_map(|(width, height)| Happening::Size(width, height)),
        1 => Just(Happening::Read),
        1 => Just(Happening::Written),
        1 => Just(Happening::Failed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn nothing_that_happens_is_too_much(
        configuration in select(vec![Some("server"), Some("let"), Some("upstream-module"), None]),
        is_ascii: bool,
        happenings in proptest::collection::vec(happening(), 0..60),
    ) {
        let first = if is_ascii { reading_of(configuration) } else { reading() };
        let mut monitor = opened_with(first);
        monitor.state.glyphs = if is_ascii { &Glyphs::ASCII } else { &Glyphs::UNICODE };
        for happening in happenings {
            let asked = monitor.text().contains("Write it?");
            monitor.effects.clear();
            let is_yes = matches!(happening, Happening::Key("y"));
            match happening {
                Happening::Key(key) => { monitor.press(key); }
                Happening::Row(row) => monitor.tell(Event::Clicked(Hit::SetupRow(row))),
                Happening::Menu(row) => monitor.tell(Event::Clicked(Hit::MenuRow(row))),
                Happening::Scroll(rows) => monitor.tell(Event::Scrolled(Hit::SetupRow(0), rows)),
                Happening::Size(width, height) => { monitor.resize(width, height); }
                Happening::Read => monitor.tell(Event::SetupRead(Box::new(Ok(reading_of(configuration))))),
                Happening::Written => monitor.tell(Event::SetupWritten(Ok(written()))),
                Happening::Failed => monitor.tell(Event::SetupWritten(Err(not_written()))),
            }
            let writes = monitor.effects.iter().any(|effect| matches!(effect, Effect::WriteSetup(_)));
            let (width, height) = monitor.state.size;
            // Where the picture is too small for the question it may still be answered.
            let was_seen = asked || width < 40 || height < 8;
            prop_assert!(!writes || (is_yes && was_seen));
            let text = monitor.text();
            prop_assert!(!is_ascii || text.is_ascii(), "{}", text);
        }
    }
}
