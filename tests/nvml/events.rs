//! What NVML's event sets and the kernel log tell: each event once, and never at the cost of a sample.

use std::time::{Duration, Instant};

use crate::common::{LIMIT, Machine, START_UNIX_US, write, write_pci_gpu};
use fake_nvml::Fake;
use nvsdk_top::model::{
    Absent, EventKind, EventSource, EventType, GpuEvent, GpuSample, GpuState, Metric,
};
use nvsdk_top::source::Snapshot;

const SECOND: Duration = Duration::from_secs(1);
const WAIT: &str = "nvmlEventSetWait_v2";

/// Takes samples a second later until every GPU was read in that second, with all their events.
fn next(machine: &mut Machine) -> (Snapshot, Vec<GpuEvent>) {
    machine.advance(SECOND);
    let (start, mut events) = (Instant::now(), Vec::new());
    loop {
        if let Ok(mut snapshot) = machine.tick() {
            events.append(&mut snapshot.sample.events.new);
            let now_us = snapshot.sample.monotonic_us;
            let is_read = |gpu: &GpuSample| gpu.values.get(Metric::PowerDraw).at_us == now_us;
            if snapshot.sample.gpus.iter().all(is_read) {
                return (snapshot, events);
            }
        }
        assert!(start.elapsed() < LIMIT, "the GPUs were not read in {LIMIT:?}");
    }
}

/// The events of so many seconds.
fn events_of(machine: &mut Machine, seconds: u32) -> Vec<GpuEvent> {
    (0..seconds).flat_map(|_| next(machine).1).collect()
}

/// A scenario with these events laid over the machine's.
fn happen(machine: &Machine, events: &[&str]) {
    let tables = events.iter().map(|event| format!("[[fault]]\ndo = \"event\"\n{event}\n"));
    machine.fake.update(&tables.collect::<String>()).unwrap();
}

/// A machine with a kernel log.
fn with_log(preset: &str, log: &str) -> Machine {
    let sysroot = tempfile::tempdir().unwrap();
    write(sysroot.path(), "/dev/kmsg", log);
    Machine::new(Fake::preset(preset).unwrap(), sysroot)
}

fn add_to_log(machine: &Machine, line: &str) {
    let path = machine.sysroot.path().join("dev/kmsg");
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{log}{line}\n")).unwrap();
}

#[test]
fn what_nvml_tells_is_told_once_with_gpu_and_type() {
    let mut machine = Machine::preset("h100");
    next(&mut machine);
    let (snapshot, none) = next(&mut machine);
    assert_eq!(none, []);
    let sources = &snapshot.sample.events.sources;
    assert_eq!(sources.kernel_log, Err(Absent::NotFound));
    assert_eq!(sources.nvml, [Ok(0x818b); 8], "clocks and performance states are not asked for");
    happen(
        &machine,
        &[
            "at = \"3s\"\ngpu = 3\ndata = 79",
            "at = \"3s\"\ngpu = 5\ntype = 1",
            "at = \"3s\"\ngpu = 5\ntype = 16",
            "at = \"4s\"\ngpu = 0\ntype = 32768\ndata = 1",
        ],
    );
    let events = events_of(&mut machine, 6);
    let told: Vec<_> = events.iter().map(|event| (event.gpu, event.kind, event.data)).collect();
    let action = EventKind::Type(EventType::RECOVERY_ACTION);
    let expected = [
        (Some(3), EventKind::Xid(79), None),
        (Some(5), EventKind::Type(EventType(1)), None),
        (Some(0), action, Some(1)),
    ];
    assert_eq!(told, expected);
    assert!(events.iter().all(|event| event.source == EventSource::Nvml));
    assert_eq!(events[0].unix_us, START_UNIX_US + 3_000_000);
    assert_eq!(events[2].title(), "recovery action changed to GPU reset");
    assert_eq!(machine.fake.violations(), Vec::<String>::new());
}

#[test]
fn listening_costs_one_call_a_gpu_a_second_and_a_single_sample_none() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    assert_eq!(machine.calls(Some("nvmlEventSetCreate"), None), 0);
    machine.restart();
    for _ in 0..20 {
        machine.tick().ok();
        machine.advance(Duration::from_millis(100));
    }
    next(&mut machine);
    machine.fake.clear_log();
    for _ in 0..30 {
        machine.advance(Duration::from_millis(200));
        machine.tick().unwrap();
    }
    let calls = machine.calls(Some(WAIT), None);
    assert!((8..=56).contains(&calls), "{calls} calls in 6 s for 8 GPUs");
    assert_eq!(machine.calls(Some("nvmlDeviceRegisterEvents"), None), 0);
}

#[test]
fn the_kernel_log_is_read_from_its_start_and_on() {
    let old = "6,1,1000000,-;Linux\n3,2,2000000,-;NVRM: Xid (PCI:0000:18:00): 63, pid='<unknown>', name=<unknown>, Row Remapper\n";
    let mut machine = with_log("h100", old);
    machine.advance(Duration::from_secs(100));
    let snapshot = machine.whole().unwrap();
    let bus = snapshot.inventory.gpus[0].pci_bus_id.clone().unwrap();
    let events = snapshot.sample.events.new;
    assert_eq!(events.len(), 1, "also of a single sample");
    assert_eq!(events[0].unix_us, START_UNIX_US + 2_000_000);
    assert_eq!(events[0].pci.map(|address| address.to_string()).as_deref(), Some("0000:18:00.0"));
    assert_eq!(events[0].gpu, (bus == "0000:18:00.0").then_some(0));
    assert_eq!(snapshot.sample.events.sources.kernel_log, Ok(()));
    add_to_log(
        &machine,
        "3,3,99000000,-;nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 30",
    );
    let event = machine.sampled().events.new.pop().unwrap();
    assert_eq!((event.gpu, event.kind), (None, EventKind::SwitchXid(20034)));
    assert!(machine.sampled().events.new.is_empty());
}

#[test]
fn one_error_of_two_sources_is_one_event() {
    let mut machine = with_log("h100-mig", "");
    let (snapshot, _) = next(&mut machine);
    let bus = snapshot.inventory.gpus[0].pci_bus_id.clone().unwrap();
    let bus = bus.trim_end_matches(".0");
    next(&mut machine);
    let from = machine.fake.now_us();
    let at = from + 500_000;
    happen(
        &machine,
        &[&format!("at = \"{at}us\"\ngpu = 0\ndata = 31\ngpu_instance = 1\ncompute_instance = 0")],
    );
    add_to_log(
        &machine,
        &format!("3,9,{at},-;NVRM: Xid (PCI:{bus}): 31, pid=42, name=prog, Ch 12"),
    );
    let events = events_of(&mut machine, 6);
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert_eq!((event.source, event.kind), (EventSource::Both, EventKind::Xid(31)));
    assert_eq!((event.pid, event.process.as_deref()), (Some(42), Some("prog")));
    assert_eq!((event.gpu_instance, event.compute_instance), (Some(1), Some(0)));
    assert_eq!(event.unix_us, START_UNIX_US + at);
    assert_eq!(event.message.as_deref(), Some("Ch 12"));
}

#[test]
fn a_gpu_without_events_has_a_reason_and_costs_the_others_nothing() {
    let mut machine = Machine::preset("h100");
    machine
        .fake
        .update("[[fault]]\nfn = \"nvmlDeviceRegisterEvents\"\ngpu = 2\ncode = 4\n")
        .unwrap();
    next(&mut machine);
    let (snapshot, _) = next(&mut machine);
    let nvml = &snapshot.sample.events.sources.nvml;
    assert_eq!(nvml[2], Err(Absent::NoPermission));
    assert_eq!(nvml.iter().filter(|types| types.is_ok()).count(), 7);
    events_of(&mut machine, 30);
    assert_eq!(
        machine.calls(Some("nvmlDeviceRegisterEvents"), Some(2)),
        1,
        "it is not asked again"
    );
}

#[test]
fn a_set_that_is_lost_is_let_go_of_and_made_anew() {
    let mut machine = Machine::preset("h100");
    events_of(&mut machine, 2);
    machine.fake.update("[[fault]]\ngpu = 3\ndo = \"lost\"\n").unwrap();
    let lost = |snapshot: &Snapshot| {
        let why = snapshot.sample.events.sources.nvml[3];
        snapshot.sample.gpus[3].state.id() == "lost" && why == Err(Absent::GpuLost)
    };
    machine.advance(SECOND);
    machine.tick_until(lost);
    assert!(machine.calls(Some("nvmlEventSetFree"), None) >= 1);
    machine.fake.update("fault = []\n").unwrap();
    machine.tick_until(|snapshot| {
        snapshot.sample.gpus[3].state == GpuState::Live
            && snapshot.sample.events.sources.nvml[3].is_ok()
    });
    let at = machine.fake.now_us() + 500_000;
    happen(&machine, &[&format!("at = \"{at}us\"\ngpu = 3\ndata = 31")]);
    assert_eq!(events_of(&mut machine, 3).len(), 1);
    assert_eq!(machine.fake.violations(), Vec::<String>::new());
}

#[test]
fn a_sleeping_gpu_is_not_listened_to() {
    let sysroot = tempfile::tempdir().unwrap();
    write_pci_gpu(sysroot.path(), "0000:01:00.0", "suspended");
    let mut machine = Machine::new(Fake::preset("laptop").unwrap(), sysroot);
    for _ in 0..5 {
        let snapshot = machine.tick().unwrap();
        assert_eq!(snapshot.sample.events.sources.nvml, [Err(Absent::Asleep)]);
        machine.advance(SECOND);
    }
    assert_eq!(machine.calls(None, None), 0);
    write_pci_gpu(machine.sysroot.path(), "0000:01:00.0", "active");
    machine.tick_until(|snapshot| snapshot.sample.events.sources.nvml[0].is_ok());
}

#[test]
fn a_wait_that_hangs_costs_one_gpu_and_not_the_end() {
    let mut machine = Machine::preset("h100");
    events_of(&mut machine, 2);
    machine
        .fake
        .update(&format!("[[fault]]\nfn = \"{WAIT}\"\nhang = \"until-released\"\n"))
        .unwrap();
    let stuck = machine.tick_until(|snapshot| {
        snapshot.sample.gpus.iter().any(|gpu| gpu.state.call() == Some(WAIT))
    });
    assert_eq!(stuck.sample.gpus.len(), 8);
    // That this comes back is the test: the source before is dropped while its calls hang.
    machine.fake.update("fault = []\n").unwrap();
    machine.restart();
    machine.fake.release();
}

#[test]
fn no_answer_about_events_spoils_a_sample() {
    let functions = [
        "nvmlDeviceGetSupportedEventTypes",
        "nvmlEventSetCreate",
        "nvmlDeviceRegisterEvents",
        WAIT,
        "nvmlEventSetFree",
    ];
    let mut cases = 0;
    for function in functions {
        for code in (1..=30).chain([777, 999]) {
            let mut machine = Machine::preset("rtx4090");
            let fault = format!("[[fault]]\nfn = \"{function}\"\ncode = {code}\n");
            machine.fake.update(&fault).unwrap();
            for _ in 0..2 {
                let (snapshot, events) = next(&mut machine);
                assert_eq!(events, [], "{function} {code}");
                assert_eq!(snapshot.sample.gpus[0].state, GpuState::Live, "{function} {code}");
                let types = snapshot.sample.events.sources.nvml[0];
                let is_heard = function == "nvmlEventSetFree" || (function, code) == (WAIT, 10);
                assert_eq!(types.is_ok(), is_heard, "{function} {code}: {types:?}");
            }
            assert_eq!(machine.fake.violations(), Vec::<String>::new(), "{function} {code}");
            cases += 1;
        }
    }
    println!("{cases} cases of a function and an answer");
}
