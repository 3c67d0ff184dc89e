//! The JSON Schema of what [`super::json`] writes, made from the tables.

use serde_json::{Map, Value, json};

use super::cost;
use super::happenings;
use super::json::SCHEMA;
use crate::model::{
    Absent, CLOCK_EVENTS, CommonAncestor, ConfidentialCompute, FABRIC_HEALTHS, FABRIC_STATES,
    FactKind, GpuFact, GpuState, HostMetric, KernelModule, Metric, NVLINK_VERSIONS, Per,
    ProcessKinds, ProcessMetric, RECOVERY_ACTION_WORDS, RULES, Severity, TableMetric, Unit, Word,
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
        "required": ["schema", "source", "time", "monotonic_microseconds", "host", "driver", "gpus", "topology", "events", "event_sources", "errors"],
        "properties": {
            "schema": {"const": SCHEMA},
            "source": {"enum": ["nvml", "demo"]},
            "demo_preset": {"enum": PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>()},
            "time": {"type": "string", "format": "date-time"},
            "monotonic_microseconds": {"$ref": "#/$defs/microseconds"},
            "host": object(host(), &["name", "kernel"]),
            "driver": object(driver(), DRIVER),
            "gpus": {"type": "array", "items": gpu()},
            "topology": {"type": "array", "items": pair(), "description": "Each two GPUs and what joins them."},
            "processes": {"type": "array", "items": process()},
            "cost": cost::schema(),
            "events": {
                "type": "array",
                "description": "What happened to the GPUs since the sample before, and at first what the kernel log still holds; the oldest first.",
                "items": happenings::event_schema(),
            },
            "event_sources": happenings::sources_schema(),
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
const DRIVER: &[&str] = &[
    "version",
    "nvml_version",
    "cuda_version",
    "kernel_module",
    "library",
    "confidential_compute",
];

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
    Unit::Microseconds,
    Unit::FramesPerSecond,
    Unit::Rpm,
    Unit::Number,
    Unit::Count,
    Unit::PerSecond,
    Unit::PerformanceState,
    Unit::ClockEventReasons,
    Unit::Flag,
    Unit::RecoveryAction,
    Unit::NvLinkVersion,
    Unit::FabricState,
    Unit::FabricHealth,
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
        Unit::Microseconds => ("mean_microseconds", above_zero("number")),
        Unit::FramesPerSecond => ("frames_per_second", above_zero("number")),
        Unit::Rpm => ("rpm", above_zero("number")),
        Unit::Number => ("number", above_zero("number")),
        Unit::Count => ("count", above_zero("integer")),
        Unit::PerSecond => ("per_second", above_zero("number")),
        Unit::PerformanceState => ("performance_state", above_zero("integer")),
        Unit::ClockEventReasons => ("clock_event_reasons", clock_event_reasons()),
        Unit::Flag => ("flag", json!({"type": ["boolean", "null"]})),
        Unit::RecoveryAction => ("recovery_action", ids(RECOVERY_ACTION_WORDS)),
        Unit::NvLinkVersion => ("nvlink_version", ids(NVLINK_VERSIONS)),
        Unit::FabricState => ("fabric_state", ids(FABRIC_STATES)),
        Unit::FabricHealth => ("fabric_health", ids(FABRIC_HEALTHS)),
    }
}

/// The ids of a table of words.
fn ids(words: &'static [Word]) -> Value {
    self::words(words.iter().map(|word| word.id))
}

fn clock_event_reasons() -> Value {
    let known: Vec<_> = CLOCK_EVENTS.iter().map(|event| event.id).collect();
    let unknown = json!({"type": "string", "pattern": "^unknown_0x[0-9a-f]+$"});
    json!({"type": ["array", "null"], "items": {"anyOf": [{"enum": known}, unknown]}})
}

/// An object that has no other keys than these and `absent`.
pub(super) fn object(mut properties: Map<String, Value>, required: &[&str]) -> Value {
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
    let states = words(ConfidentialCompute::IDS);
    properties.insert("confidential_compute".to_owned(), states);
    properties
}

/// One of these words, or one for a number that has none.
fn words(known: impl IntoIterator<Item = &'static str>) -> Value {
    let known: Vec<_> = known.into_iter().map(Value::from).chain([Value::Null]).collect();
    json!({"anyOf": [{"enum": known}, {"type": "string", "pattern": "^unknown_[0-9]+$"}]})
}

/// What joins two GPUs.
fn pair() -> Value {
    let whole = || json!({"$ref": "#/$defs/whole"});
    let properties = [
        ("gpu_index", whole()),
        ("other_gpu_index", whole()),
        ("common_ancestor", words(CommonAncestor::words())),
        ("nvlinks", whole()),
        ("nvlinks_through_switch", json!({"$ref": "#/$defs/flag"})),
    ];
    closed(&properties)
}

fn mig_device() -> Value {
    let text = || json!({"$ref": "#/$defs/text"});
    let whole = || json!({"$ref": "#/$defs/whole"});
    let properties = [
        ("uuid", text()),
        ("profile", text()),
        ("gpu_instance", whole()),
        ("compute_instance", whole()),
        (
            "gpu_instance_position",
            json!({"$ref": "#/$defs/whole", "description": "The number in the keys of its GPU instance's values."}),
        ),
        ("memory_total_bytes", json!({"$ref": "#/$defs/bytes"})),
    ];
    closed(&properties)
}

/// An object that has all of these keys.
fn closed<const N: usize>(properties: &[(&str, Value); N]) -> Value {
    let keys = properties.each_ref().map(|(key, _)| *key);
    object(
        properties.clone().map(|(key, form)| (key.to_owned(), form)).into_iter().collect(),
        &keys,
    )
}

fn fact(fact: GpuFact) -> (String, Value) {
    let spec = fact.spec();
    let mut form = match spec.kind {
        FactKind::Text => json!({"$ref": "#/$defs/text"}),
        FactKind::Flag => json!({"$ref": "#/$defs/flag"}),
        FactKind::Number(unit) => json!({"$ref": format!("#/$defs/{}", definition(unit).0)}),
        FactKind::Word(known) => words(known.iter().map(|(_, word)| *word)),
    };
    form["description"] = spec.help.into();
    (spec.id.to_owned(), form)
}

fn gpu() -> Value {
    let mut properties = texts(GPU_TEXTS);
    properties.extend(metrics::<Metric>(Per::One));
    properties.extend(GpuFact::ALL.iter().map(|it| fact(*it)));
    let others = [
        (
            "index",
            json!({"type": "integer", "minimum": 0, "description": "NVML's; it can change between boots."}),
        ),
        ("mig", json!({"$ref": "#/$defs/flag"})),
        ("mig_devices", json!({"type": ["array", "null"], "items": mig_device()})),
        ("state", json!({"enum": states()})),
        (
            "state_age_seconds",
            json!({"type": "number", "minimum": 0, "description": "For how long the GPU has been in this state, where that is known."}),
        ),
        (
            "call",
            json!({"type": "string", "description": "The NVML function that does not come back."}),
        ),
        ("health", health()),
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
    let facts = GpuFact::ALL.iter().map(|fact| fact.spec().id);
    let identity = ["index", "mig", "mig_devices", "state"].iter().chain(GPU_TEXTS).copied();
    let required: Vec<_> = identity.chain(facts).collect();
    let mut gpu = object(properties, &required);
    let several = [Per::Fan, Per::NvLink, Per::GpuInstance].into_iter().flat_map(metrics::<Metric>);
    gpu["patternProperties"] = several
        .map(|(id, form)| (format!("^{}$", id.replace("{}", "[0-9]+")), form))
        .collect::<Map<_, _>>()
        .into();
    gpu
}

fn health() -> Value {
    let ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
    let severities = Severity::ALL.map(Severity::id);
    let keys: std::collections::BTreeSet<_> =
        RULES.iter().flat_map(|rule| rule.evidence).map(|evidence| evidence.key()).collect();
    json!({
        "type": "array",
        "description": "What the rules find that need no minute of history, the most severe first; only where all numbers of the GPUs are selected.",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["id", "severity", "sentence", "advice", "metrics"],
            "properties": {
                "id": {"enum": ids},
                "severity": {"enum": severities},
                "sentence": {"type": "string", "description": "What is the matter, to stand after the name of the GPU."},
                "advice": {"type": "string", "description": "What to do about it."},
                "metrics": {"type": "array", "description": "The numbers that the rule looks at.", "items": {"enum": keys}},
            },
        },
    })
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

pub(super) fn texts(keys: &[&str]) -> Map<String, Value> {
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

fn states() -> [&'static str; 7] {
    let call = "";
    [
        GpuState::Live,
        GpuState::Asleep { age_us: 0, at_least: true },
        GpuState::LetGo { age_us: 0 },
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
            | GpuState::Asleep { .. }
            | GpuState::LetGo { .. }
            | GpuState::Stale { .. }
            | GpuState::Stuck { .. }
            | GpuState::Refused { .. }
            | GpuState::Lost { .. } => 7,
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
