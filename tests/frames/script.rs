//! Keys and clicks, and what they lead to.

use std::time::Duration;

use nvsdk_top::app::{Effect, Event, Hit, Mode, PROCESS_COLUMNS, Panel, ProcessColumn, Tab};
use nvsdk_top::config::{Action, Context, Span};

use crate::support::{Monitor, outage};

#[test]
fn the_gpu_of_a_process_is_one_key_away() {
    let mut monitor = Monitor::watching("h100");
    monitor.press("down down enter");
    assert_eq!(monitor.state.tab, Tab::Gpu);
    assert_eq!(monitor.state.selected_gpu(), Some(1));
    assert!(monitor.text().contains("1 NVIDIA H100"));
    monitor.press("] ] [ 3 up F6");
    assert_eq!(monitor.state.selected_gpu(), Some(2));
    assert!(matches!(monitor.state.mode, Mode::SortMenu { .. }));
    assert_eq!(monitor.effects, []);
}

#[test]
fn a_menu_sorts_and_a_second_choice_reverses() {
    let mut monitor = Monitor::watching("h100");
    let pids = |monitor: &Monitor| -> Vec<u32> {
        monitor.state.sorted_processes().iter().map(|process| process.pid).collect()
    };
    monitor.press("F6 home down enter");
    assert_eq!((monitor.state.sort, monitor.state.mode), (ProcessColumn::Pid, Mode::Normal));
    assert!(pids(&monitor).is_sorted());
    monitor.press("I");
    assert!(pids(&monitor).is_sorted_by(|a, b| a >= b));
    monitor.press("> < F6 q q");
    assert_eq!((monitor.state.sort, monitor.state.reversed), (ProcessColumn::Pid, false));
    assert_eq!(monitor.effects, [Effect::Quit], "the first q only closed the menu");
}

#[test]
fn help_scrolls_no_further_than_its_end() {
    let mut monitor = Monitor::watching("h100");
    monitor.resize(80, 24).press("F1");
    let top = monitor.text();
    monitor.press("end");
    let end = monitor.text();
    monitor.press("down down pagedown");
    assert_eq!(monitor.text(), end);
    monitor.press("up");
    assert_ne!(monitor.text(), end);
    monitor.press("home");
    assert_eq!(monitor.text(), top);
    monitor.press("esc esc esc");
    assert_eq!((monitor.state.mode, monitor.effects.len()), (Mode::Normal, 0));
}

#[test]
fn the_interval_and_the_span_change_by_steps() {
    let mut monitor = Monitor::watching("laptop");
    monitor.press("} { + + - Z C");
    let set = |seconds| Effect::SetInterval(Duration::from_secs_f64(seconds));
    assert_eq!(monitor.effects, [set(0.5), set(1.0)]);
    assert_eq!(monitor.state.config.span, Span::FiveMinutes);
    assert!(monitor.state.held.is_some());
    assert!(monitor.text().contains("PAUSED"));
}

#[test]
fn a_driver_that_goes_takes_its_numbers_with_it() {
    let mut monitor = Monitor::watching("geforce");
    monitor.press("p d");
    monitor.tell(Event::Outage(outage().into()));
    let text = monitor.text();
    assert!(!text.contains("4090") && text.contains("modprobe"), "{text}");
    assert_eq!(monitor.state.context(), Context::NoDriver);
    monitor.press("d");
    assert_eq!(monitor.effects, [Effect::StartDemo]);
    monitor.watch(1);
    assert!(monitor.text().contains("4090"));
}

#[test]
fn a_long_command_can_be_read_to_its_end() {
    let mut monitor = Monitor::watching("h100");
    monitor.resize(80, 24).press("3");
    assert!(!monitor.text().contains("base.toml"));
    monitor.press("right right");
    assert!(monitor.text().contains("base.toml"), "{}", monitor.text());
    monitor.press(&"right ".repeat(40)).press(&"left ".repeat(40));
    assert_eq!((monitor.state.command_from, monitor.state.gpus.cursor), (0, 0));
}

#[test]
fn what_is_seen_can_be_clicked() {
    let mut monitor = Monitor::watching("h100");
    monitor.resize(80, 24);
    let click = |monitor: &mut Monitor, what: &str| {
        let text = monitor.text();
        let (row, line) = text.lines().enumerate().find(|(_, line)| line.contains(what)).unwrap();
        let column = line.split(what).next().unwrap().chars().count();
        let (column, row) = (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
        let hit = monitor.frame().1.at(column, row).unwrap();
        monitor.tell(Event::Clicked(hit));
        hit
    };
    assert_eq!(click(&mut monitor, "PID"), Hit::Column(ProcessColumn::Pid));
    assert_eq!(monitor.state.sort, ProcessColumn::Pid);
    click(&mut monitor, "60118");
    assert_eq!(monitor.state.processes.cursor, 6);
    click(&mut monitor, "F6");
    assert!(matches!(monitor.state.mode, Mode::SortMenu { .. }));
    click(&mut monitor, "Its command line");
    assert_eq!((monitor.state.sort, monitor.state.mode), (ProcessColumn::Command, Mode::Normal));
    click(&mut monitor, "2 GPU");
    assert_eq!(monitor.state.tab, Tab::Gpu);
    click(&mut monitor, "power");
    click(&mut monitor, "F1");
    let tab = click(&mut monitor, "Leave the program");
    assert_eq!((tab, monitor.state.mode), (Hit::Panel(Panel::Gpus), Mode::Normal));
    assert_eq!(monitor.effects, []);
}

#[test]
fn the_wheel_moves_what_is_under_it() {
    let mut monitor = Monitor::watching("h100");
    monitor.tell(Event::Scrolled(Hit::Gpu(0), 3));
    monitor.tell(Event::Scrolled(Hit::Process(0), 2));
    let (gpus, processes) = (monitor.state.gpus.cursor, monitor.state.processes.cursor);
    assert_eq!((gpus, processes), (3, 2));
    monitor.press("F1").tell(Event::Scrolled(Hit::Gpu(0), 3));
    assert_eq!(monitor.state.gpus.cursor, 3, "the help lies above the GPUs");
}

#[test]
fn the_numbers_of_a_gpu_are_in_groups_of_one_piece() {
    let mut monitor = Monitor::watching("h100");
    let text = monitor.resize(120, 60).press("2").text();
    assert_eq!(text.matches("\nPower and heat").count(), 1, "{text}");
    let lines = monitor.state.gpu_lines();
    monitor.press("end up");
    assert_eq!(monitor.state.gpu_rows.row(lines.len()), Some(lines.len() - 2));
    monitor.press("home down down down");
    assert!(monitor.text().contains("decoder · 1m"), "{}", monitor.text());
}

/// The keys that lead to each context.
const WAYS: [&str; 7] = ["1", "2", "3", "1 z", "2 z", "1 F1", "3 F6"];

#[test]
fn every_action_can_be_asked_for_everywhere() {
    for name in ["h100", "laptop"] {
        let mut monitor = Monitor::watching(name);
        for way in WAYS {
            for &action in Action::ALL {
                monitor.press("esc esc").press(way);
                monitor.tell(Event::Clicked(Hit::Action(action)));
                monitor.frame();
            }
        }
        for &column in PROCESS_COLUMNS {
            monitor.press("3").tell(Event::Clicked(Hit::Column(column)));
            monitor.frame();
        }
    }
    let mut empty = Monitor::new("h100");
    for &action in Action::ALL {
        empty.tell(Event::Clicked(Hit::Action(action)));
        empty.frame();
    }
}

#[test]
fn every_key_of_the_footer_and_the_help_does_what_it_says() {
    let monitor = Monitor::watching("h100");
    for &context in Context::ALL {
        for row in monitor.state.keymap.acting_in(context) {
            assert_eq!(monitor.state.keymap.lookup(context, row.chord), Some(row.action));
        }
    }
    for line in monitor.state.help_lines() {
        if let nvsdk_top::app::HelpLine::Keys(keys, action) = line {
            for key in keys.split(' ') {
                let found = monitor.state.keymap.lookup(Context::Overview, key.parse().unwrap());
                assert_eq!(found, Some(action), "{key}");
            }
        }
    }
}
