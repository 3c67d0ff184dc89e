//! What a snapshot looks like as JSON and as a table.

use std::sync::Arc;
use std::time::Duration;

use nvsdk_top::export::{Selection, json, table};
use nvsdk_top::model::{
    Absent, EventKind, EventSource, EventType, GpuEvent, GpuSample, GpuState, Instances, Metric,
    ProcessIdentity, ProcessMetric, SampleError, Values,
};
use nvsdk_top::source::demo::{Demo, PRESETS, Preset};
use nvsdk_top::source::{Feed, ManualClock, Patience, Request, Snapshot};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{START_US, assert_snapshot, preset};

/// The preset `seconds` after its start, with its rates.
fn snapshot(preset: &'static Preset, seconds: u64) -> Snapshot {
    let clock = Arc::new(ManualClock::at(START_US));
    let mut feed = Feed::new(Box::new(Demo::new(preset, Arc::clone(&clock) as _)));
    let selection = Selection::all();
    let request = Request {
        metrics: selection.needed(),
        processes: selection.processes,
        patience: Patience::Whole { limit: Duration::from_secs(5) },
    };
    clock.advance(Duration::from_secs(seconds));
    feed.next(&request).unwrap();
    clock.advance(Duration::from_millis(110));
    Arc::unwrap_or_clone(feed.next(&request).unwrap())
}

fn json_text(snapshot: &Snapshot, layout: json::Layout) -> String {
    let mut out = Vec::new();
    json::write(&mut out, snapshot, &Selection::all(), layout).unwrap();
    String::from_utf8(out).unwrap()
}

fn json_value(snapshot: &Snapshot) -> Value {
    serde_json::from_str(&json_text(snapshot, json::Layout::Line)).unwrap()
}

fn table_text(snapshot: &Snapshot, width: usize) -> String {
    let mut out = Vec::new();
    table::write(&mut out, snapshot, &Selection::all(), Some(width)).unwrap();
    String::from_utf8(out).unwrap()
}

/// A machine whose GPUs are in every kind of trouble and whose processes have unkind names.
fn troubled() -> Snapshot {
    let mut snapshot = snapshot(preset("h100"), 0);
    let age_us = 12_400_000;
    let call = "nvmlDeviceGetTemperatureV";
    let states = [
        (1, GpuState::Stuck { age_us, call: call.into() }, Absent::Stuck),
        (2, GpuState::Stale { age_us: 2_100_000, call: None }, Absent::Stale),
        (3, GpuState::Lost { age_us }, Absent::GpuLost),
        (4, GpuState::Asleep { age_us: 0, at_least: true }, Absent::Asleep),
    ];
    for (position, state, why) in states {
        let GpuSample { state: old, values } = &mut snapshot.sample.gpus[position];
        *old = state;
        values.forget(why);
    }
    let inventory = Arc::make_mut(&mut snapshot.inventory);
    inventory.gpus[5].name = Ok("NVIDIA \u{1b}]0;x\u{7}".to_owned());
    inventory.gpus[3].serial = Err(Absent::GpuLost);
    snapshot.sample.processes[0].identity = Ok(Arc::new(ProcessIdentity {
        start_unix_s: 1,
        user_id: 4_294_967_294,
        user: None,
        name: "\u{1b}[2J".into(),
        command: "\u{1b}[2J \u{202e}txt.exe 猫\u{fffd}".into(),
    }));
    let hidden = &mut snapshot.sample.processes[1];
    hidden.identity = Err(Absent::OtherNamespace);
    for metric in [ProcessMetric::Cpu, ProcessMetric::ResidentMemory, ProcessMetric::RunTime] {
        hidden.values[metric as usize] = Err(Absent::OtherNamespace);
    }
    snapshot.sample.errors = vec![
        SampleError { gpu: Some(6), message: "the processes cannot be read".to_owned() },
        SampleError { gpu: None, message: "the machine has no /proc".to_owned() },
    ];
    snapshot
}

#[test]
fn an_event_has_keys_for_what_was_told_of_it() {
    let mut snapshot = snapshot(preset("h100"), 5);
    let mut event = GpuEvent::new(START_US, Some(3), EventKind::Xid(31), EventSource::Both);
    event.pid = Some(42);
    event.message = Some("a\u{1b}[2Jb".into());
    let unknown = EventKind::Type(EventType(1 << 40));
    let other = GpuEvent::new(START_US, None, unknown, EventSource::Nvml);
    snapshot.sample.events.new = vec![event, other];
    let json = json_value(&snapshot);
    let (told, other) = (&json["events"][0], &json["events"][1]);
    assert_eq!(told["title"], "Xid 31: memory page fault");
    assert_eq!(
        (&told["gpu_index"], &told["pid"], &told["code"]),
        (&3.into(), &42.into(), &31.into())
    );
    assert_eq!((&told["from_nvml"], &told["from_kernel_log"]), (&true.into(), &true.into()));
    assert_eq!(told["kernel_message"], "a\u{1b}[2Jb");
    assert!(told.get("process_name").is_none() && told.get("data").is_none());
    assert_eq!(other["type"], "unknown_0x10000000000");
    assert_eq!(
        (&other["gpu_index"], &other["absent"]["gpu_index"]),
        (&Value::Null, &"unknown".into())
    );
    assert!(!json_text(&snapshot, json::Layout::Line).contains('\u{1b}'));
}

#[test]
fn each_preset_as_json() {
    for preset in PRESETS {
        let text = json_text(&snapshot(preset, 5), json::Layout::Pretty);
        assert_snapshot(&format!("json__{}", preset.name), &text);
    }
}

#[test]
fn each_preset_as_a_table() {
    for width in [80, 120] {
        let texts = PRESETS.iter().map(|preset| table_text(&snapshot(preset, 5), width));
        assert_snapshot(&format!("table@{width}"), &texts.collect::<Vec<_>>().join("\n=====\n\n"));
    }
}

#[test]
fn a_demo_is_labelled_on_the_narrowest_terminal() {
    for preset in PRESETS {
        let text = table_text(&snapshot(preset, 5), 6);
        assert!(text.starts_with("DEMO"), "{text}");
    }
}

#[test]
fn trouble_is_told() {
    let troubled = troubled();
    assert_snapshot("table__trouble@100", &table_text(&troubled, 100));
    let json = json_value(&troubled);
    let stuck = &json["gpus"][1];
    assert_eq!((&stuck["state"], &stuck["state_age_seconds"]), (&"stuck".into(), &12.4.into()));
    assert_eq!(stuck["call"], "nvmlDeviceGetTemperatureV");
    assert_eq!(stuck["absent"]["temperature_celsius"], "stuck");
    let messages = serde_json::to_string(&json["errors"]).unwrap();
    assert_snapshot("json__errors", &messages.replace("},", "},\n"));
}

#[test]
fn a_note_tells_of_a_fan_that_is_not_the_first() {
    let mut snapshot = snapshot(preset("geforce"), 0);
    snapshot.sample.gpus[0].values.instances_mut(Metric::Fan)[1].value = Err(Absent::Unknown);
    let (selection, mut out) = ("fan_percent".parse().unwrap(), Vec::new());
    table::write(&mut out, &snapshot, &selection, None).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with("GPU 0: FAN: the driver does not know\n"), "{text}");
}

#[test]
fn no_other_text_reaches_the_terminal_raw() {
    let troubled = troubled();
    let texts = [
        json_text(&troubled, json::Layout::Line),
        json_text(&troubled, json::Layout::Pretty),
        table_text(&troubled, 200),
    ];
    for text in texts {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
    }
    let command = &json_value(&troubled)["processes"][0]["command"];
    assert_eq!(command, "\u{1b}[2J \u{202e}txt.exe 猫\u{fffd}", "JSON gives it back whole");
}

#[test]
fn a_driver_without_gpus_has_an_empty_list() {
    let mut snapshot = snapshot(preset("gb10"), 0);
    Arc::make_mut(&mut snapshot.inventory).gpus.clear();
    snapshot.sample.gpus.clear();
    snapshot.sample.processes.clear();
    let json = json_value(&snapshot);
    assert_eq!(json["gpus"], Value::Array(Vec::new()));
    assert_eq!(json["errors"], Value::Array(Vec::new()));
    assert!(table_text(&snapshot, 80).contains("The driver has no GPU."));
}

#[test]
fn ages_are_told_once_and_where_they_differ() {
    let mut snapshot = snapshot(preset("h100"), 5);
    let now = snapshot.sample.monotonic_us;
    snapshot.sample.gpus[0].values.instances_mut(Metric::PcieRx)[0].at_us = now - 2_000_000;
    let gpu = &json_value(&snapshot)["gpus"][0];
    assert_eq!(gpu["age_microseconds"], 0);
    let others = serde_json::json!({ "pcie_rx_bytes_per_second": 2_000_000 });
    assert_eq!(gpu["ages_microseconds"], others);
}

/// Every `null` of an object has a reason, and nothing else has one.
fn assert_absent_is_exact(object: &Value) {
    let object = object.as_object().unwrap();
    let nulls = object.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key);
    let reasons = object.get("absent").and_then(Value::as_object);
    let mut reasons: Vec<_> = reasons.into_iter().flat_map(|map| map.keys()).collect();
    let mut nulls: Vec<_> = nulls.collect();
    nulls.sort();
    reasons.sort();
    assert_eq!(nulls, reasons);
}

#[test]
fn each_null_has_a_reason() {
    for snapshot in PRESETS.iter().map(|preset| snapshot(preset, 80)).chain([troubled()]) {
        let json = json_value(&snapshot);
        for list in ["gpus", "processes"] {
            json[list].as_array().unwrap().iter().for_each(assert_absent_is_exact);
        }
        assert_absent_is_exact(&json["host"]);
        assert_absent_is_exact(&json["driver"]);
    }
}

#[test]
fn the_same_clock_gives_the_same_output() {
    for preset in PRESETS {
        let [one, other] = [(); 2].map(|()| json_text(&snapshot(preset, 17), json::Layout::Line));
        assert_eq!(one, other);
    }
}

fn anything() -> impl Strategy<Value = Result<f64, Absent>> {
    let reasons = proptest::sample::select(Absent::ALL);
    prop_oneof![
        any::<f64>().prop_map(Ok),
        proptest::num::f64::ANY.prop_map(Ok),
        reasons.prop_map(Err),
        any::<u32>().prop_map(|code| Err(Absent::NvmlError(code))),
    ]
}

proptest! {
    #[test]
    fn any_value_is_a_number_or_has_a_reason(readings in proptest::collection::vec(anything(), Metric::COUNT), fans in 0..4u16) {
        let mut snapshot = snapshot(preset("h100"), 0);
        let layout = nvsdk_top::model::Layout::new(Instances { fans, ..Instances::default() });
        let mut values = Values::absent(layout, Absent::NotReadYet, 0);
        for (&metric, &value) in Metric::ALL.iter().zip(&readings) {
            values.instances_mut(metric)[0].value = value;
        }
        let given: Vec<_> = values.iter().collect();
        snapshot.sample.gpus[0].values = values.clone();
        let json = json_value(&snapshot);
        let gpu = &json["gpus"][0];
        assert_absent_is_exact(gpu);
        for (slot, reading) in given {
            let key = slot.key();
            match (&gpu[key.as_ref()], reading.value) {
                (Value::Null, Err(why)) => prop_assert_eq!(&gpu["absent"][key.as_ref()], &Value::from(why.id())),
                (Value::Null, Ok(_)) => prop_assert_eq!(&gpu["absent"][key.as_ref()], "out_of_range"),
                (Value::Number(number), Ok(value)) => prop_assert_eq!(number.as_f64(), Some(value)),
                (Value::Bool(_) | Value::Array(_) | Value::String(_), Ok(_)) => {}
                (written, given) => prop_assert!(false, "{written} for {given:?}"),
            }
        }
        for width in [1, 40, 80] {
            table_text(&snapshot, width);
        }
    }
}
