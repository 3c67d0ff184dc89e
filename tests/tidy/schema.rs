//! The committed JSON Schema is made from the tables, and what the program writes keeps to it.
//!
//! The small validator here knows just the keywords that the schema uses, so that the test needs no crate of forty
//! others; `tests/schema.py` holds the program's output against an independent one.

use std::sync::Arc;
use std::time::Duration;

use nvsdk_top::export::schema::schema;
use nvsdk_top::export::{Selection, json};
use nvsdk_top::source::demo::{Demo, PRESETS, Preset};
use nvsdk_top::source::{Feed, ManualClock, Patience, Request, Snapshot};
use serde_json::{Value, json};

use crate::common::docs::assert_current;
use crate::common::{Machine, START_UNIX_US};

#[test]
fn the_committed_schema_is_current() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    assert_current("assets/sample.schema.json", "tidy", |_| text.clone());
}

fn demo(preset: &'static Preset, seconds: u64) -> Snapshot {
    let clock = Arc::new(ManualClock::at(START_UNIX_US));
    let mut feed = Feed::new(Box::new(Demo::new(preset, clock.clone())));
    clock.advance(Duration::from_secs(seconds));
    let selection = Selection::all();
    let request = Request {
        metrics: selection.needed(),
        processes: true,
        patience: Patience::Whole { limit: Duration::from_secs(5) },
    };
    Arc::unwrap_or_clone(feed.next(&request).unwrap())
}

fn document(snapshot: &Snapshot, selection: &Selection) -> Value {
    serde_json::to_value(json::Document { snapshot, selection }).unwrap()
}

#[test]
fn every_document_keeps_to_the_schema() {
    let schema = Schema(schema());
    for snapshot in PRESETS.iter().flat_map(|preset| [0, 17, 80, 290].map(|s| demo(preset, s))) {
        assert_eq!(schema.complaints(&document(&snapshot, &Selection::all())), [""; 0]);
        let part: Selection = "busy_percent".parse().unwrap();
        assert_eq!(schema.complaints(&document(&snapshot, &part)), [""; 0]);
    }
    for preset in fake_nvml::presets() {
        let snapshot = Machine::preset(preset).whole().unwrap();
        let document = document(&snapshot, &Selection::all());
        assert_eq!(schema.complaints(&document), [""; 0], "{preset}");
    }
}

#[test]
fn what_no_document_is_breaks_the_schema() {
    let schema = Schema(schema());
    let good = document(&demo(&PRESETS[0], 5), &Selection::all());
    let changes: [(&str, Value); 8] = [
        ("/gpus/0/busy_percent", "94".into()),
        ("/gpus/0/memory_used_bytes", 0.5.into()),
        ("/gpus/0/memory_used_bytes", (-1).into()),
        ("/gpus/0/state", "well".into()),
        ("/gpus/0/absent/fan_0_percent", "because".into()),
        ("/gpus/0/clock_event_reasons", json!(["unknown_0xzz"])),
        ("/processes/0", json!({"pid": 1})),
        ("/host", json!({"name": "a", "kernel": null, "colour": 1})),
    ];
    for (place, wrong) in changes {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = wrong;
        assert!(!schema.complaints(&bad).is_empty(), "{place}");
    }
}

struct Schema(Value);

impl Schema {
    fn complaints(&self, document: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.check(&self.0, document, "", &mut found);
        found
    }

    fn holds(&self, rule: &Value, value: &Value) -> bool {
        let mut found = Vec::new();
        self.check(rule, value, "", &mut found);
        found.is_empty()
    }

    /// Adds what is wrong with `value`, which stands at `place`.
    fn check(&self, rule: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        if *rule == Value::Bool(false) {
            found.push(format!("{place} is not known"));
            return;
        }
        for (keyword, told) in rule.as_object().unwrap() {
            let holds = match keyword.as_str() {
                "$schema"
                | "$defs"
                | "title"
                | "description"
                | "format"
                | "properties"
                | "patternProperties"
                | "additionalProperties" => true,
                "$ref" => {
                    let pointer = told.as_str().unwrap().trim_start_matches('#');
                    self.check(self.0.pointer(pointer).unwrap(), value, place, found);
                    true
                }
                "const" => told == value,
                "enum" => list(told).contains(value),
                "anyOf" => list(told).iter().any(|rule| self.holds(rule, value)),
                "type" => match told {
                    Value::Array(types) => types.iter().any(|name| is_a(name, value)),
                    name => is_a(name, value),
                },
                "minimum" => value.as_f64().is_none_or(|number| number >= told.as_f64().unwrap()),
                "minProperties" => value
                    .as_object()
                    .is_none_or(|object| object.len() as u64 >= told.as_u64().unwrap()),
                "pattern" => {
                    value.as_str().is_none_or(|text| matches(told.as_str().unwrap(), text))
                }
                "required" => {
                    list(told).iter().all(|key| value.get(key.as_str().unwrap()).is_some())
                }
                "items" => {
                    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(told, item, &format!("{place}/{number}"), found);
                    }
                    true
                }
                // A keyword that is not above has to be added.
                _ => false,
            };
            if !holds {
                found.push(format!("{place} breaks {keyword}"));
            }
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            if let Some(rule) = of_property(rule, key) {
                self.check(rule, value, &format!("{place}/{key}"), found);
            }
        }
    }
}

/// What the rule of an object says about one of its keys.
fn of_property<'a>(rule: &'a Value, key: &str) -> Option<&'a Value> {
    let by_pattern = || {
        let patterns = rule.get("patternProperties")?.as_object()?;
        patterns.iter().find(|(pattern, _)| matches(pattern, key)).map(|(_, rule)| rule)
    };
    let by_name = rule.get("properties").and_then(|properties| properties.get(key));
    by_name.or_else(by_pattern).or_else(|| rule.get("additionalProperties"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn is_a(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

/// Whether `text` matches a pattern of the one form that the schema uses: `^a[digits]+b$`.
fn matches(pattern: &str, text: &str) -> bool {
    let inside = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')).unwrap();
    let (start, rest) = inside.split_once('[').unwrap();
    let (digits, end) = rest.split_once("]+").unwrap();
    let radix = if digits == "0-9a-f" { 16 } else { 10 };
    let middle = text.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    middle.is_some_and(|number| {
        !number.is_empty() && number.chars().all(|digit| digit.is_digit(radix))
    })
}
