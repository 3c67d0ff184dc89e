//! Keys and clicks, and what they lead to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use nvsdk_top::app::{
    Effect, Event, GpuLine, HelpLine, Hit, Mode, PROCESS_COLUMNS, ProcessColumn, Tab,
};
use nvsdk_top::config::{Action, Context, Span};
use nvsdk_top::model::{
    Absent, CallCost, Cost, GpuState, Group, HostMetric, Lane, Metric, Process, ProcessIdentity,
    is_printable,
};
use nvsdk_top::source::Snapshot;

use crate::roles;
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
fn a_menu_sorts_and_a_key_reverses() {
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
    assert!(!text.contains("4090") && text.contains("/nowhere/libnvidia-ml.so.1"), "{text}");
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
    monitor.press(&"right ".repeat(40));
    let commands = monitor.state.processes().filter_map(|process| process.identity.as_deref().ok());
    let longest = commands.map(|who| who.command.to_string()).max_by_key(String::len).unwrap();
    let end: String = longest.chars().skip(longest.len() - 17).collect();
    assert!(monitor.text().contains(&format!("{end}│")), "{}", monitor.text());
    monitor.press(&"left ".repeat(40));
    assert_eq!((monitor.state.command_from, monitor.state.gpus.cursor), (0, 0));
    monitor.press("right 1 3");
    assert_eq!(monitor.state.command_from, 0, "another look begins at the beginning");
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
    click(&mut monitor, "used");
    click(&mut monitor, "F1");
    let tab = click(&mut monitor, "Leave the program");
    assert_eq!((tab, monitor.state.mode), (Hit::Help, Mode::Normal));
    assert_eq!(monitor.effects, []);
}

#[test]
fn the_wheel_moves_what_is_under_it() {
    let mut monitor = Monitor::watching("h100");
    monitor.tell(Event::Scrolled(Hit::Gpu(0), 3));
    monitor.tell(Event::Scrolled(Hit::Process(0), 2));
    let (gpus, processes) = (monitor.state.gpus.cursor, monitor.state.processes.cursor);
    assert_eq!((gpus, processes), (3, 2));
    monitor.tell(Event::Scrolled(Hit::Tab(Tab::Gpu), 2));
    monitor.tell(Event::Scrolled(Hit::Action(Action::Help), 2));
    assert_eq!(monitor.state.processes.cursor, 2, "there is nothing to scroll");
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
    monitor.press("home down down");
    assert!(monitor.text().contains("decoder · 1m"), "{}", monitor.text());
}

#[test]
fn what_a_gpu_will_not_have_is_one_line_and_each_link_is_none() {
    let mut monitor = Monitor::watching("h100");
    monitor.resize(120, 40).press("2");
    let lines = monitor.state.gpu_lines();
    assert!(lines.len() < 140, "{} lines", lines.len());
    let place = |line| lines.iter().position(|known| *known == line).unwrap();
    monitor.state.gpu_rows.cursor = place(GpuLine::Missing(Group::Load));
    let text = monitor.text();
    assert!(text.contains("1 not here") && text.contains("does not report it: encoder"), "{text}");
    let text = monitor.press("i").text();
    assert!(text.contains("There is none: this GPU or its driver"), "{text}");
    monitor.press("esc");
    monitor.state.gpu_rows.cursor = place(GpuLine::Links(Metric::NvLinkSpeed));
    let text = monitor.text();
    assert!(text.contains("26.6 GB/s × 18") && text.contains("link 17: 26.6"), "{text}");
    let (slots, explained) =
        (monitor.state.gpu_numbers().len(), monitor.press("i").state.explained().len());
    assert_eq!(explained, slots + HostMetric::COUNT, "also what has no line of its own");
}

#[test]
fn the_selected_number_stays_when_the_list_grows() {
    let mut monitor = Monitor::watching("h100");
    monitor.press("2");
    select(&mut monitor, Metric::PcieRx);
    let (line, before) = (monitor.state.selected_gpu_line(), monitor.state.gpu_lines().len());
    monitor.disturb = |snapshot| {
        for gpu in &mut snapshot.sample.gpus {
            gpu.values.forget(Absent::Stale);
        }
    };
    monitor.watch(2);
    assert!(monitor.state.gpu_lines().len() > before, "why each is missing is not known now");
    assert_eq!(monitor.state.selected_gpu_line(), line);
}

#[test]
fn numbers_stand_beside_what_they_can_reach() {
    let mut monitor = Monitor::watching("h100");
    monitor.press("2");
    for (metric, words) in [
        (Metric::PcieRx, " % of 63.0 GB/s"),
        (Metric::NvLinkTx, " % of 478 GB/s"),
        (Metric::DramBandwidth, "≈ "),
        (Metric::PowerInstant, " % of 700 W"),
        (Metric::LimitedBySwPowerCap, " s in all"),
    ] {
        select(&mut monitor, metric);
        for (width, height) in [(80, 24), (200, 60)] {
            let text = monitor.resize(width, height).text();
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

/// The keys that lead to each context.
const WAYS: [&str; 8] = ["1", "2", "3", "1 z", "2 z", "1 F1", "3 F6", "2 i"];

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

/// What the user notices: the picture with its roles, and what the world is asked for.
fn seen(monitor: &Monitor) -> (String, String, Vec<Effect>) {
    let (frame, _) = monitor.frame();
    (roles::text(&frame), roles::map(&frame), monitor.effects.clone())
}

/// A monitor in a context, where there is a way in every direction.
fn in_context(context: Context) -> Monitor {
    let mut monitor = Monitor::new("h100");
    if context == Context::NoDriver {
        monitor.tell(Event::Outage(outage().into()));
        return monitor;
    }
    monitor.watch(3);
    if let Context::Setup | Context::Entry | Context::Confirm | Context::Report = context {
        return in_setup(context);
    }
    // Where commands are longer than their column, so that they can be scrolled both ways.
    let width = if context == Context::Processes { 80 } else { 120 };
    monitor.resize(width, 24).press("+").press(match context {
        Context::Global | Context::Overview => "1 right right down down",
        Context::Processes => "3 right down down",
        Context::Gpu => "2 right right down down",
        Context::Explain => "2 i down",
        Context::Health => "4 m m m m down down",
        Context::Menu => "3 F6 down",
        _ => "1 F1 down",
    });
    monitor
}

/// The tab Setup with a choice to take back, and a dialog of it.
fn in_setup(context: Context) -> Monitor {
    let mut monitor = crate::setup::opened();
    crate::setup::go(&mut monitor, "podman");
    monitor.resize(120, 24).press("space");
    match context {
        Context::Entry => {
            crate::setup::go(&mut monitor, "users");
            monitor.press("enter a");
        }
        Context::Confirm => drop(monitor.press("w")),
        Context::Report => drop(monitor.press("d")),
        _ => {}
    }
    monitor.effects.clear();
    monitor
}

#[test]
fn every_line_of_the_keymap_does_what_it_says() {
    type Sections = BTreeMap<String, BTreeMap<String, String>>;
    let sections: Sections = toml::from_str(include_str!("../../assets/keymap.toml")).unwrap();
    assert_eq!(sections.len(), Context::ALL.len());
    for (section, keys) in &sections {
        let context = Context::named(section).unwrap();
        for (key, action) in keys {
            let (mut pressed, mut asked) = (in_context(context), in_context(context));
            pressed.press(key);
            asked.tell(Event::Clicked(Hit::Action(Action::named(action).unwrap())));
            assert_eq!(seen(&pressed), seen(&asked), "{section}: {key}");
        }
    }
}

#[test]
fn every_key_that_is_offered_changes_something() {
    for &context in Context::ALL {
        let monitor = in_context(context);
        let offered = |action: &Action| {
            let told = monitor.state.help_lines();
            let in_help = monitor.state.mode == Mode::Normal
                && monitor.state.setup.dialog.is_none()
                && told
                    .iter()
                    .any(|line| matches!(line, HelpLine::Keys { action: a, .. } if a == action));
            let (_, hits) = monitor.frame();
            in_help || (0..120).any(|x| hits.at(x, 23) == Some(Hit::Action(*action)))
        };
        for &action in Action::ALL.iter().filter(|action| offered(action)) {
            // The text of a dialog fits here, so that there is nothing to scroll.
            let scrolls = matches!(action, Action::Up | Action::Down | Action::PageDown);
            if scrolls && monitor.state.setup.dialog.is_some() {
                continue;
            }
            // There is not always something to close, and no tab to be shown that is.
            let is_here = matches!(
                (action, monitor.state.tab),
                (Action::Back, _)
                    | (Action::TabOverview, Tab::Overview)
                    | (Action::TabGpu, Tab::Gpu)
                    | (Action::TabProcesses, Tab::Processes)
                    | (Action::TabHealth, Tab::Health)
                    | (Action::TabSetup, Tab::Setup)
            );
            let is_open = monitor.state.setup.dialog.is_some();
            let is_idle = is_here && monitor.state.mode == Mode::Normal && !is_open;
            for row in monitor.state.keymap.acting_in(context).filter(|row| row.action == action) {
                let mut pressed = in_context(context);
                let before = seen(&pressed);
                pressed.tell(Event::Key(row.chord));
                assert_eq!(seen(&pressed) == before, is_idle, "{context:?}: {action:?}");
            }
        }
    }
}

#[test]
fn without_gpus_only_keys_that_do_something_are_told() {
    let mut monitor = in_context(Context::NoDriver);
    let help = monitor.press("F1").text();
    assert!(help.contains("Show simulated GPUs") && help.contains("Leave the program"), "{help}");
    assert!(!help.contains("Sort") && !help.contains("one line up"), "{help}");
    let waiting = Monitor::new("h100").text();
    let footer = waiting.lines().last().unwrap();
    assert!(footer.contains("q quit") && !footer.contains("sort"), "{footer}");
}

#[test]
fn enter_goes_to_what_was_selected_last() {
    let gpu_after = |keys: &str| {
        let mut monitor = Monitor::watching("h100");
        monitor.press(keys);
        (monitor.state.tab, monitor.state.selected_gpu())
    };
    assert_eq!(gpu_after("right right enter"), (Tab::Gpu, Some(2)));
    assert_eq!(gpu_after("right right down down up enter"), (Tab::Gpu, Some(0)));
    assert_eq!(gpu_after("down down enter"), (Tab::Gpu, Some(1)));
    assert_eq!(gpu_after("right 3 down down enter"), (Tab::Gpu, Some(1)));
    assert_eq!(gpu_after("z down down down enter"), (Tab::Gpu, Some(3)), "no process is seen");
}

#[test]
fn the_processes_are_not_zoomed() {
    let mut monitor = Monitor::watching("h100");
    let before = monitor.press("3").text();
    assert!(!before.contains("zoom"), "{before}");
    assert_eq!(monitor.press("z").text(), before);
    assert_eq!(monitor.state.zoom, None);
}

#[test]
fn any_key_or_click_takes_a_notice_away() {
    let mut monitor = Monitor::watching("h100");
    monitor.resize(80, 24);
    for act in [
        |monitor: &mut Monitor| monitor.tell(Event::Key("x".parse().unwrap())),
        |monitor: &mut Monitor| monitor.tell(Event::Clicked(monitor.frame().1.at(3, 23).unwrap())),
        |monitor: &mut Monitor| monitor.tell(Event::Clicked(Hit::Process(0))),
    ] {
        monitor.state.notice = Some("something to know".to_owned());
        assert_eq!(monitor.frame().1.at(3, 23), Some(Hit::Notice));
        assert!(monitor.text().contains("something to know"));
        act(&mut monitor);
        assert!(monitor.text().lines().last().unwrap().contains("F1 help"));
    }
    assert_eq!(monitor.effects, []);
}

#[test]
fn gpus_are_picked_and_one_that_is_not_there_is_told() {
    let mut monitor = Monitor::new("h100");
    monitor.state.config.gpus = "0,3,9".parse().unwrap();
    monitor.watch(2);
    assert_eq!(monitor.state.visible_gpus(), [0, 3]);
    assert!(
        monitor.text().contains("No GPU here is named 9; correct --gpus"),
        "{}",
        monitor.text()
    );
    monitor.press("x").watch(2);
    assert_eq!(monitor.state.notice, None, "it is told once");
    assert!(monitor.state.processes().all(|process| [0, 3].contains(&process.gpu)));

    let mut monitor = Monitor::new("h100");
    monitor.state.config.gpus = "visible".parse().unwrap();
    monitor.state.cuda_visible_devices = Some("5,2".to_owned());
    monitor.watch(2);
    assert_eq!((monitor.state.visible_gpus(), &monitor.state.notice), (vec![2, 5], &None));
}

/// Selects a row of the GPU tab.
fn select(monitor: &mut Monitor, metric: Metric) {
    let lines = monitor.state.gpu_lines();
    monitor.state.gpu_rows.cursor = lines
        .iter()
        .position(|line| matches!(line, GpuLine::Number(slot) if slot.metric == metric))
        .unwrap();
}

#[test]
fn a_mask_has_no_mean() {
    let mut monitor = Monitor::watching("h100");
    monitor.press("2");
    select(&mut monitor, Metric::ClockEventReasons);
    let text = monitor.text();
    assert!(text.contains("limited by ·") && !text.contains("min "), "{text}");
}

#[test]
fn the_history_is_titled_with_what_it_covers() {
    let mut monitor = Monitor::watching("h100");
    monitor.state.config.span = Span::OneHour;
    monitor.press("2");
    for (metric, title) in [(Metric::Busy, "busy · 1h"), (Metric::ClockGraphics, "graphics · 10m")]
    {
        select(&mut monitor, metric);
        assert!(monitor.text().contains(title), "{}", monitor.text());
    }
}

/// The GPUs are lost.
fn lose(snapshot: &mut Snapshot) {
    for gpu in &mut snapshot.sample.gpus {
        gpu.state = GpuState::Lost { age_us: 1_000_000 };
        gpu.values.forget(Absent::GpuLost);
    }
}

#[test]
fn a_chart_keeps_its_scale_when_the_gpu_is_lost() {
    let mut monitor = Monitor::watching("h100");
    monitor.press("2");
    select(&mut monitor, Metric::MemoryUsed);
    let top = |monitor: &Monitor| {
        let text = monitor.text();
        let line = text.lines().find(|line| line.contains("GiB ") && line.contains('│')).unwrap();
        line.split('│').nth(1).unwrap().split('⣀').next().unwrap().trim().to_owned()
    };
    let before = top(&monitor);
    assert!(before.starts_with("79.6 GiB"), "{before}");
    monitor.disturb = lose;
    monitor.watch(5);
    assert!(top(&monitor).starts_with("79.6 GiB"), "{}", monitor.text());
}

/// A process list that is long and full of other people's tricks.
fn crowd(snapshot: &mut Snapshot) {
    let tricks = [
        "plain",
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "\u{202e}gnp.exe\u{2066}",
        "猫の訓練 ｶﾞｯﾂ",
        "e\u{301}\u{323}❤\u{fe0f} 👩\u{200d}💻",
        "\u{9b}31m\r\n\t\u{0}",
    ];
    let first = snapshot.sample.processes[0].clone();
    let process = |number: usize| {
        let trick: Arc<str> = format!("{}{number}", tricks[number % tricks.len()].repeat(9)).into();
        let known = first.identity.as_deref().unwrap().clone();
        let identity = ProcessIdentity {
            user: Some(trick.clone()),
            name: trick.clone(),
            command: trick,
            ..known
        };
        Process {
            pid: u32::try_from(number).unwrap(),
            identity: Ok(Arc::new(identity)),
            ..first.clone()
        }
    };
    snapshot.sample.processes = (0..10_000).map(process).collect();
}

#[test]
fn ten_thousand_processes_with_foul_names_are_a_list() {
    let mut monitor = Monitor::new("h100");
    monitor.disturb = crowd;
    monitor.watch(1);
    for keys in ["1", "3", "end", "home right right", "pagedown"] {
        monitor.press(keys);
        for (width, height) in [(40, 12), (81, 24), (200, 60)] {
            let (frame, _) = monitor.resize(width, height).frame();
            let symbols = frame.content.iter().flat_map(|cell| cell.symbol().chars());
            assert!(symbols.clone().all(is_printable), "{}", monitor.text());
        }
    }
    assert!(monitor.text().contains("Processes 10000"));
}

fn costly(snapshot: &mut Snapshot) {
    let function = |number: u32| CallCost {
        function: format!("nvmlDeviceGetNumber{number}").into(),
        lane: if number == 0 { Lane::TooSlow } else { Lane::Tick },
        calls: 90,
        calls_per_second: Ok(8.0),
        mean_us: 20_123.0 / f64::from(number + 1),
        worst_us: 31_000.0 - f64::from(number),
    };
    snapshot.cost = Some(Cost {
        ticks: 90,
        ticks_late: 2,
        ticks_dropped: 1,
        calls: 240,
        calls_per_second: Ok(238.4),
        cpu_percent: Err(Absent::NeedsTwoReadings),
        functions: (0..60).map(function).collect(),
    });
}

#[test]
fn what_the_samples_cost_is_one_key_away_and_can_be_read_to_its_end() {
    let mut monitor = Monitor::watching("h100");
    monitor.resize(100, 30).press("$");
    assert!(monitor.text().contains("A demo asks no driver"));
    monitor.press("$").disturb = costly;
    monitor.watch(1);
    assert!(!monitor.text().contains("NVML function"));
    let page = monitor.press("$").text();
    for words in [
        "240 calls in the last sample, 238 a second",
        "31000 µs at worst",
        "90 samples, 2 closed late, 1 dropped",
        "our own processor time (a rate needs a second reading)",
        "nvmlDeviceGetNumber0 ",
        "20123",
        "too slow",
    ] {
        assert!(page.contains(words), "{words} is not in\n{page}");
    }
    assert!(!page.contains("Number59"));
    assert!(monitor.press("end").text().contains("nvmlDeviceGetNumber59 "));
    for (width, height) in [(40, 12), (20, 5), (200, 60)] {
        monitor.resize(width, height).frame();
    }
    monitor.press("esc");
    assert_eq!(monitor.state.mode, Mode::Normal);
}

#[test]
fn a_key_has_sleeping_gpus_read() {
    let mut monitor = Monitor::watching("laptop-asleep");
    monitor.effects.clear();
    monitor.press("W");
    assert_eq!(monitor.effects, [Effect::Wake, Effect::SampleNow]);
}
