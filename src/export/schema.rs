//! The JSON Schema of what [`super::json`] writes, made from the tables.

use serde_json::{Map, Value, json};

use super::json::SCHEMA;
use crate::model::{
    Absent, CLOCK_EVENTS, GpuState, HostMetric, KernelModule, Metric, Per, ProcessKinds,
    ProcessMetric, TableMetric, Unit,
};
use crate::source::demo::PRESETS;

/// The schema (draft 2020-12) of one sample as JSON.
///
/// It is strict: a key that it does not know is an error. That each `null` has its reason is more than a schema can say.
#[must_use]
pub fn schema() -> Value {
    let number_of_gpu = json!({"type": ["integer", "null"], "minimum": 0, "description": "The GPU that it is about, if it is about one."});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nvsdk-top sample",
        "description": "What nvsdk-top --once prints. Where a value is null, `absent` beside it holds the reason.",
        "type": "object",
        "additionalProperties": false,
        "required": ["schema", "source", "time", "monotonic_microseconds", "host", "driver", "gpus", "events", "errors"],
        "properties": {
            "schema": {"const": SCHEMA},
            "source": {"enum": ["nvml", "demo"]},
            "demo_preset": {"enum": PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>()},
            "time": {"type": "string", "format": "date-time"},
            "monotonic_microseconds": {"$ref": "#/$defs/microseconds"},
            "host": object(host(), &["name", "kernel"]),
            "driver": object(driver(), DRIVER),
            "gpus": {"type": "array", "items": gpu()},
            "processes": {"type": "array", "items": process()},
            "events": {"type": "array", "description": "Empty in this version."},
            "errors": {
                "type": "array",
                "description": "What could not be had, in sentences.",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["gpu_index", "message"],
                    "properties": {"gpu_index": number_of_gpu, "message": {"type": "string"}},
                },
            },
        },
        "$defs": definitions(),
    })
}

/// The facts about a driver, all of them texts.
const DRIVER: &[&str] = &["version", "nvml_version", "cuda_version", "kernel_module", "library"];

/// The facts about a GPU that are texts.
const GPU_TEXTS: &[&str] = &[
    "uuid",
    "pci_bus_id",
    "name",
    "architecture",
    "compute_capability",
    "vbios_version",
    "serial",
];

/// The facts about a process that are texts.
const PROCESS_TEXTS: &[&str] = &["gpu_uuid", "user", "name", "command"];

fn definitions() -> Value {
    let reasons: Vec<_> = Absent::ALL.iter().map(|why| why.id()).collect();
    let mut definitions = json!({
        "reason": {"anyOf": [{"enum": reasons}, {"type": "string", "pattern": "^nvml_error_[0-9]+$"}]},
        "absent": {
            "description": "Each key whose value is null, with the reason.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"$ref": "#/$defs/reason"},
        },
        "text": {"type": ["string", "null"]},
        "whole": {"type": ["integer", "null"], "minimum": 0},
        "microseconds": {"type": "integer", "minimum": 0},
    });
    for unit in UNITS {
        let (name, form) = definition(*unit);
        definitions[name] = form;
    }
    definitions
}

const UNITS: &[Unit] = &[
    Unit::Percent,
    Unit::Bytes,
    Unit::BytesPerSecond,
    Unit::Megahertz,
    Unit::Celsius,
    Unit::Watts,
    Unit::Joules,
    Unit::Seconds,
    Unit::Number,
    Unit::PerformanceState,
    Unit::ClockEventReasons,
    Unit::Flag,
];

/// The name of a unit's definition, and what a value with that unit looks like.
fn definition(unit: Unit) -> (&'static str, Value) {
    let above_zero = |kind: &str| json!({"type": [kind, "null"], "minimum": 0});
    match unit {
        Unit::Percent => ("percent", above_zero("number")),
        Unit::Bytes => ("bytes", above_zero("integer")),
        Unit::BytesPerSecond => ("bytes_per_second", above_zero("number")),
        Unit::Megahertz => ("megahertz", above_zero("integer")),
        Unit::Celsius => ("celsius", json!({"type": ["number", "null"]})),
        Unit::Watts => ("watts", above_zero("number")),
        Unit::Joules => ("joules", above_zero("number")),
        Unit::Seconds => ("seconds", above_zero("number")),
        Unit::Number => ("number", above_zero("number")),
        Unit::PerformanceState => ("performance_state", above_zero("integer")),
        Unit::ClockEventReasons => ("clock_event_reasons", clock_event_reasons()),
        Unit::Flag => ("flag", json!({"type": ["boolean", "null"]})),
    }
}

fn clock_event_reasons() -> Value {
    let known: Vec<_> = CLOCK_EVENTS.iter().map(|event| event.id).collect();
    let unknown = json!({"type": "string", "pattern": "^unknown_0x[0-9a-f]+$"});
    json!({"type": ["array", "null"], "items": {"anyOf": [{"enum": known}, unknown]}})
}

/// An object that has no other keys than these and `absent`.
fn object(mut properties: Map<String, Value>, required: &[&str]) -> Value {
    properties.insert("absent".to_owned(), json!({"$ref": "#/$defs/absent"}));
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn host() -> Map<String, Value> {
    let mut properties = texts(&["kernel"]);
    properties.insert("name".to_owned(), json!({"type": "string"}));
    properties.extend(metrics::<HostMetric>(Per::One));
    properties
}

fn driver() -> Map<String, Value> {
    let mut properties = texts(DRIVER);
    let modules = [KernelModule::Open, KernelModule::Proprietary].map(KernelModule::id);
    properties.insert("kernel_module".to_owned(), json!({"enum": [modules[0], modules[1], null]}));
    properties
}

fn gpu() -> Value {
    let mut properties = texts(GPU_TEXTS);
    properties.extend(metrics::<Metric>(Per::One));
    let others = [
        (
            "index",
            json!({"type": "integer", "minimum": 0, "description": "NVML's; it can change between boots."}),
        ),
        ("mig", json!({"$ref": "#/$defs/flag"})),
        ("state", json!({"enum": states()})),
        (
            "state_age_seconds",
            json!({"type": "number", "minimum": 0, "description": "How long the GPU has not answered."}),
        ),
        (
            "call",
            json!({"type": "string", "description": "The NVML function that does not come back."}),
        ),
        (
            "age_microseconds",
            json!({"$ref": "#/$defs/microseconds", "description": "From the reading of the values to the sample."}),
        ),
        (
            "ages_microseconds",
            json!({
                "description": "The age of each value that has another one.",
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/microseconds"},
            }),
        ),
    ];
    properties.extend(others.map(|(key, form)| (key.to_owned(), form)));
    let required: Vec<_> = ["index", "mig", "state"].iter().chain(GPU_TEXTS).copied().collect();
    let mut gpu = object(properties, &required);
    let several = [Per::Fan, Per::NvLink, Per::GpuInstance].into_iter().flat_map(metrics::<Metric>);
    gpu["patternProperties"] = several
        .map(|(id, form)| (format!("^{}$", id.replace("{}", "[0-9]+")), form))
        .collect::<Map<_, _>>()
        .into();
    gpu
}

fn process() -> Value {
    let mut properties = texts(PROCESS_TEXTS);
    properties.extend(metrics::<ProcessMetric>(Per::One));
    let whole = ["gpu_index", "user_id", "start_time_unix_seconds"];
    properties.extend(whole.map(|key| (key.to_owned(), json!({"$ref": "#/$defs/whole"}))));
    for key in ["pid", "gpu_instance", "compute_instance"] {
        properties.insert(key.to_owned(), json!({"type": "integer", "minimum": 0}));
    }
    properties.insert("type".to_owned(), json!({"enum": process_types()}));
    let numbers = ProcessMetric::ALL.iter().map(|metric| metric.spec().id);
    let required: Vec<_> = ["pid", "type"]
        .into_iter()
        .chain(whole)
        .chain(PROCESS_TEXTS.iter().copied())
        .chain(numbers)
        .collect();
    object(properties, &required)
}

fn texts(keys: &[&str]) -> Map<String, Value> {
    keys.iter().map(|key| ((*key).to_owned(), json!({"$ref": "#/$defs/text"}))).collect()
}

/// The id of each metric of which there is one per `per`, and what its value looks like.
fn metrics<M: TableMetric>(per: Per) -> impl Iterator<Item = (String, Value)> {
    M::ALL.iter().map(|metric| metric.spec()).filter(move |spec| spec.per == per).map(|spec| {
        let (unit, _) = definition(spec.unit);
        let form = json!({"$ref": format!("#/$defs/{unit}"), "description": spec.help});
        (spec.id.to_owned(), form)
    })
}

fn states() -> [&'static str; 6] {
    let call = "";
    [
        GpuState::Live,
        GpuState::Asleep,
        GpuState::Stale { age_us: 0, call: None },
        GpuState::Stuck { age_us: 0, call: call.into() },
        GpuState::Refused { why: Absent::Unknown },
        GpuState::Lost { age_us: 0 },
    ]
    .map(|state| state.id())
}

fn process_types() -> [&'static str; 8] {
    std::array::from_fn(|bits| {
        let has = |bit: usize| bits & bit != 0;
        ProcessKinds { compute: has(1), graphics: has(2), mps: has(4) }.letters()
    })
}

#[cfg(test)]
mod tests {
    use super::{UNITS, metrics, schema, states};
    use crate::model::{GpuState, HostMetric, Metric, Per, ProcessMetric};
    use std::collections::BTreeSet;

    /// Does not compile when there is a state more, and then the list needs it too.
    #[test]
    fn every_state_is_listed() {
        let number = |state: &GpuState| match state {
            GpuState::Live
            | GpuState::Asleep
            | GpuState::Stale { .. }
            | GpuState::Stuck { .. }
            | GpuState::Refused { .. }
            | GpuState::Lost { .. } => 6,
        };
        let listed: BTreeSet<_> = states().into_iter().collect();
        assert_eq!(listed.len(), number(&GpuState::Live));
    }

    #[test]
    fn every_unit_in_use_is_defined() {
        let schema = schema();
        let all = metrics::<Metric>(Per::One)
            .chain(metrics::<Metric>(Per::Fan))
            .chain(metrics::<ProcessMetric>(Per::One))
            .chain(metrics::<HostMetric>(Per::One));
        for (id, form) in all {
            let pointer = form["$ref"].as_str().unwrap().trim_start_matches('#');
            assert!(schema.pointer(pointer).is_some(), "{id}");
        }
        assert_eq!(schema["$defs"].as_object().unwrap().len(), UNITS.len() + 5);
    }
}
