//! What the samples cost, as JSON has it.

use serde_json::{Map, Value, json};

use super::cell::{Cell, Field};
use crate::model::{Absent, CallCost, Cost, Lane, Unit};

/// The numbers of the program as a whole.
pub(super) fn whole(cost: &Cost) -> impl Iterator<Item = Field<'_>> {
    let count = |number: u64| Ok(Cell::Whole(number.cast_signed()));
    let worst = cost.worst().ok_or(Absent::NotReadYet);
    let mean_us = cost.mean_us().ok_or(Absent::NotReadYet);
    [
        ("ticks", count(cost.ticks)),
        ("ticks_late", count(cost.ticks_late)),
        ("ticks_dropped", count(cost.ticks_dropped)),
        ("calls", count(cost.calls)),
        ("calls_per_second", Cell::number(Unit::Number, cost.calls_per_second)),
        ("mean_microseconds", Cell::number(Unit::Number, mean_us)),
        ("worst_microseconds", Cell::number(Unit::Number, worst.map(|worst| worst.worst_us))),
        ("worst_function", worst.map(|worst| Cell::text(&worst.function))),
        ("cpu_percent", Cell::number(Unit::Percent, cost.cpu_percent)),
    ]
    .into_iter()
    .map(|(key, value)| (key.into(), value))
}

/// The numbers of one function.
pub(super) fn function(cost: &CallCost) -> impl Iterator<Item = Field<'_>> {
    [
        ("function", Ok(Cell::text(&cost.function))),
        ("lane", Ok(Cell::text(cost.lane.id()))),
        ("calls", Ok(Cell::Whole(cost.calls.cast_signed()))),
        ("calls_per_second", Cell::number(Unit::Number, cost.calls_per_second)),
        ("mean_microseconds", Cell::number(Unit::Number, Ok(cost.mean_us))),
        ("worst_microseconds", Cell::number(Unit::Number, Ok(cost.worst_us))),
    ]
    .into_iter()
    .map(|(key, value)| (key.into(), value))
}

/// What the schema says of it.
pub(super) fn schema() -> Value {
    let number = |about: &str| json!({"$ref": "#/$defs/number", "description": about});
    let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    let common = [
        ("calls_per_second", number("In the last half minute or minute.")),
        ("mean_microseconds", number("The mean time of a call since the start.")),
        ("worst_microseconds", number("The longest time of a call since the start.")),
        ("absent", json!({"$ref": "#/$defs/absent"})),
    ];
    let with_common = |own: Vec<(&str, Value)>| -> Map<String, Value> {
        own.into_iter().chain(common.clone()).map(|(key, form)| (key.to_owned(), form)).collect()
    };
    let required = |properties: &Map<String, Value>| -> Vec<String> {
        properties.keys().filter(|key| *key != "absent").cloned().collect()
    };
    let lanes = Lane::ALL.map(Lane::id);
    let function = with_common(vec![
        ("function", json!({"type": "string", "description": "Of NVML."})),
        ("lane", json!({"enum": lanes, "description": "When it was called last."})),
        ("calls", count("Since the start.")),
    ]);
    let functions = json!({
        "type": "array",
        "description": "The function that took the most time first.",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": required(&function),
            "properties": function,
        },
    });
    let whole = with_common(vec![
        ("ticks", count("Samples that were begun.")),
        ("ticks_late", count("Samples that were closed before every GPU had answered.")),
        (
            "ticks_dropped",
            count("Samples that were never begun, since the one before took too long."),
        ),
        ("calls", count("Calls to the driver since the sample before.")),
        (
            "worst_function",
            json!({"$ref": "#/$defs/text", "description": "Whose call took longest."}),
        ),
        (
            "cpu_percent",
            json!({"$ref": "#/$defs/percent", "description": "Processor time of the program; 100 is one core."}),
        ),
        ("functions", functions),
    ]);
    json!({
        "type": "object",
        "description": "What the samples cost until now. A demo has none.",
        "additionalProperties": false,
        "required": required(&whole),
        "properties": whole,
    })
}
