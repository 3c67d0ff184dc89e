//! Whatever happens, there is a picture.

use std::cell::RefCell;
use std::sync::Arc;

use nvsdk_top::app::{Event, Hit, List, Mode, PROCESS_COLUMNS, Panel, Tab};
use nvsdk_top::config::{Action, Span};
use nvsdk_top::model::{Absent, GpuState};
use nvsdk_top::source::demo::PRESETS;
use nvsdk_top::theme::Glyphs;
use nvsdk_top::ui::Hits;
use proptest::prelude::*;
use proptest::sample::select;

use crate::roles;
use crate::support::{Monitor, outage};

const PANELS: [Option<Panel>; 6] = [
    None,
    Some(Panel::Gpus),
    Some(Panel::History),
    Some(Panel::Processes),
    Some(Panel::Timeline),
    Some(Panel::Event),
];

/// Rows and positions, also where there are none.
fn position() -> impl Strategy<Value = usize> {
    prop_oneof![0usize..70, Just(usize::MAX)]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        2 => Just(Mode::Normal),
        1 => position().prop_map(|top| Mode::Help { top }),
        1 => position().prop_map(|top| Mode::Cost { top }),
        1 => position().prop_map(|cursor| Mode::SortMenu { cursor }),
    ]
}

fn state_of_gpu() -> impl Strategy<Value = GpuState> {
    let age_us = 7_000_000;
    select(vec![
        GpuState::Live,
        GpuState::Asleep { age_us: 754_000_000, at_least: false },
        GpuState::LetGo { age_us: 12_000_000 },
        GpuState::Stale { age_us, call: Some("nvmlDeviceGetFieldValues".into()) },
        GpuState::Stuck { age_us, call: "nvmlDeviceGetFieldValues".into() },
        GpuState::Lost { age_us },
        GpuState::Refused { why: Absent::NoPermission },
    ])
}

/// What of lists is hit in a line of the screen, each once, in the order of the cells.
fn rows_hit(hits: &Hits, width: u16, y: u16) -> Vec<Hit> {
    let hits = (0..width).filter_map(|x| hits.at(x, y));
    let mut rows: Vec<_> = hits
        .filter(|hit| matches!(hit, Hit::Process(_) | Hit::GpuRow(_) | Hit::HealthRow(_)))
        .collect();
    rows.dedup();
    rows
}

#[test]
fn every_state_has_a_picture_at_every_size() {
    let monitors = PRESETS.iter().map(|preset| Monitor::watching(preset.name));
    let monitors = RefCell::new(monitors.collect::<Vec<_>>());
    let machine = (0..PRESETS.len(), state_of_gpu(), any::<bool>());
    let place = (0u16..400, 0u16..120, select(Tab::ALL.to_vec()), mode(), select(PANELS.to_vec()));
    let cursors = (position(), position(), position(), select(Span::ALL.to_vec()));
    proptest!(ProptestConfig::with_cases(400), |(
        (preset, gpu, ascii) in machine,
        (width, height, tab, mode, zoom) in place,
        (gpus, gpu_rows, processes, span) in cursors,
    )| {
        let monitor = &mut monitors.borrow_mut()[preset];
        let state = &mut monitor.state;
        (state.size, state.tab, state.mode, state.zoom) = ((width, height), tab, mode, zoom);
        state.gpus = List { cursor: gpus };
        state.gpu_rows = List { cursor: gpu_rows };
        state.processes = List { cursor: processes };
        state.command_from = processes;
        state.config.span = span;
        state.glyphs = if ascii { &Glyphs::ASCII } else { &Glyphs::UNICODE };
        let newest = Arc::make_mut(state.newest.as_mut().unwrap());
        newest.sample.gpus[0].state = gpu;
        let (buffer, hits) = monitor.frame();
        let drawn: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        prop_assert!(!ascii || drawn.is_ascii());
        let rows: Vec<_> = (0..height).map(|y| rows_hit(&hits, width, y)).collect();
        let mut seen: Vec<_> = rows.iter().flatten().collect();
        prop_assert!(rows.iter().all(|row| row.len() <= 1), "{rows:?}");
        let all = seen.len();
        seen.dedup();
        prop_assert_eq!(seen.len(), all, "a row is drawn once");
        let processes = monitor.state.sorted_processes();
        for (line, row) in roles::text(&buffer).lines().zip(&rows) {
            if let (Mode::Normal, Some(Hit::Process(row)), 24..) = (mode, row.first(), width) {
                let pid = processes[*row].pid.to_string();
                prop_assert!(line.contains(&pid), "{pid} is not in {line:?}");
            }
        }
    });
}

/// Something that happens to a monitor.
#[derive(Clone, Debug)]
enum Happening {
    Event(Event),
    Seconds(u32),
    Fewer,
}

fn hit() -> impl Strategy<Value = Hit> {
    prop_oneof![
        select(Tab::ALL.to_vec()).prop_map(Hit::Tab),
        select(PANELS.iter().copied().flatten().collect::<Vec<_>>()).prop_map(Hit::Panel),
        position().prop_map(Hit::Gpu),
        position().prop_map(Hit::GpuRow),
        position().prop_map(Hit::HealthRow),
        position().prop_map(Hit::Process),
        select(PROCESS_COLUMNS.to_vec()).prop_map(Hit::Column),
        select(Action::ALL.to_vec()).prop_map(Hit::Action),
        select(vec![Hit::Help, Hit::Notice]),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let sizes = (0u16..400, 0u16..120);
    let rows = prop_oneof![-9i32..9, Just(i32::MIN), Just(i32::MAX)];
    prop_oneof![
        8 => hit().prop_map(|hit| Happening::Event(Event::Clicked(hit))),
        4 => (hit(), rows).prop_map(|(hit, rows)| Happening::Event(Event::Scrolled(hit, rows))),
        2 => sizes.prop_map(|(width, height)| Happening::Event(Event::Resized(width, height))),
        1 => Just(Happening::Event(Event::Outage(Arc::new(outage())))),
        4 => (1u32..3).prop_map(Happening::Seconds),
        1 => Just(Happening::Fewer),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn nothing_that_happens_is_too_much(
        preset in 0..PRESETS.len(),
        happenings in proptest::collection::vec(happening(), 0..40),
    ) {
        let mut monitor = Monitor::new(PRESETS[preset].name);
        for happening in happenings {
            match happening {
                Happening::Event(event) => monitor.tell(event),
                Happening::Seconds(seconds) => monitor.watch(seconds),
                // From here on the machine has a GPU less, and nothing runs.
                Happening::Fewer => monitor.disturb = |snapshot| {
                    Arc::make_mut(&mut snapshot.inventory).gpus.pop();
                    snapshot.sample.gpus.pop();
                    snapshot.sample.processes.clear();
                },
            }
            monitor.frame();
        }
    }
}
