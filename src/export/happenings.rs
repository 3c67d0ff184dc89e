//! What happened to the GPUs and what joins them, as objects of JSON, and the schema of the former.

use super::cell::{Cell, Field};
use serde_json::{Value, json};

use super::json::{fields, text};
use super::schema::{object, texts};
use crate::model::{
    Absent, EVENT_TYPES, EventKind, EventSource, EventSources, GpuEvent, GpuPair, Inventory,
    Severity, rfc3339,
};

/// Two GPUs and what joins them.
pub(super) fn pair<'a>(
    inventory: &'a Inventory,
    pair: &GpuPair,
) -> impl Iterator<Item = Field<'a>> + use<'a> {
    let index = |place: usize| {
        let gpu = pair.gpus.get(place).and_then(|position| inventory.gpus.get(*position));
        gpu.map(|gpu| Cell::Whole(gpu.index.into())).ok_or(Absent::Unknown)
    };
    let links = pair.nvlinks;
    fields([
        ("gpu_index", index(0)),
        ("other_gpu_index", index(1)),
        ("common_ancestor", pair.common_ancestor.map(|it| Cell::Text(it.to_string().into()))),
        ("nvlinks", links.map(|links| Cell::Whole(links.count.into()))),
        ("nvlinks_through_switch", links.map(|links| Cell::Flag(links.through_switch))),
    ])
}

/// Something that happened; what was not told of it has no key.
pub(super) fn event<'a>(
    inventory: &'a Inventory,
    event: &'a GpuEvent,
) -> impl Iterator<Item = Field<'a>> {
    let gpu = event.gpu.and_then(|position| inventory.gpus.get(position)).ok_or(Absent::Unknown);
    let address = event.pci.map(|address| Cell::Text(address.to_string().into()));
    let whole = |number: u32| Cell::Whole(number.into());
    let data = event.data.and_then(|data| i64::try_from(data).ok()).map(Cell::Whole);
    let optional = [
        ("code", event.kind.code().map(whole)),
        ("data", data),
        ("gpu_instance", event.gpu_instance.map(whole)),
        ("compute_instance", event.compute_instance.map(whole)),
        ("pid", event.pid.map(whole)),
        ("process_name", event.process.as_deref().map(Cell::text)),
        ("kernel_message", event.message.as_deref().map(Cell::text)),
    ];
    fields([
        ("time", Ok(Cell::Text(rfc3339(event.unix_us).into()))),
        ("gpu_index", gpu.map(|gpu| Cell::Whole(gpu.index.into()))),
        ("gpu_uuid", gpu.and_then(|gpu| text(&gpu.uuid))),
        ("pci_bus_id", address.ok_or(Absent::Unknown)),
        ("type", Ok(Cell::Text(event.kind.id()))),
        ("severity", Ok(Cell::text(event.severity().id()))),
        ("title", Ok(Cell::Text(event.title().into()))),
        ("from_nvml", Ok(Cell::Flag(event.source != EventSource::KernelLog))),
        ("from_kernel_log", Ok(Cell::Flag(event.source != EventSource::Nvml))),
    ])
    .chain(optional.into_iter().filter_map(|(key, cell)| Some((key.into(), Ok(cell?)))))
}

/// What is listened to: the kernel log, and NVML for so many GPUs.
pub(super) fn event_sources(sources: &EventSources) -> impl Iterator<Item = Field<'_>> {
    let listening = sources.nvml.iter().filter(|types| types.is_ok()).count();
    fields([
        ("kernel_log", sources.kernel_log.map(|()| Cell::Flag(true))),
        ("nvml_gpus", Ok(Cell::Whole(i64::try_from(listening).unwrap_or(i64::MAX)))),
    ])
}

/// Something that happened; what was not told of it has no key.
pub(super) fn event_schema() -> Value {
    const WHOLE: &[&str] = &["code", "data", "gpu_instance", "compute_instance", "pid"];
    const REQUIRED: &[&str] = &[
        "time",
        "gpu_index",
        "gpu_uuid",
        "pci_bus_id",
        "type",
        "severity",
        "title",
        "from_nvml",
        "from_kernel_log",
    ];
    let kinds = [EventKind::Xid(0), EventKind::SwitchXid(0)].map(|kind| kind.id().into_owned());
    let types = EVENT_TYPES.iter().map(|row| row.id.to_owned()).chain(kinds);
    let types: std::collections::BTreeSet<_> = types.collect();
    let unknown = json!({"type": "string", "pattern": "^unknown_0x[0-9a-f]+$"});
    let severities = Severity::ALL.map(Severity::id);
    let mut properties = texts(&["gpu_uuid", "pci_bus_id"]);
    properties.extend(
        WHOLE.iter().map(|key| ((*key).to_owned(), json!({"type": "integer", "minimum": 0}))),
    );
    let others = [
        ("time", json!({"type": "string", "format": "date-time"})),
        ("gpu_index", json!({"$ref": "#/$defs/whole"})),
        ("type", json!({"anyOf": [{"enum": types}, unknown]})),
        ("severity", json!({"enum": severities})),
        ("title", json!({"type": "string", "description": "What happened, in a few words."})),
        ("from_nvml", json!({"type": "boolean"})),
        ("from_kernel_log", json!({"type": "boolean"})),
        ("process_name", json!({"type": "string"})),
        (
            "kernel_message",
            json!({"type": "string", "description": "The kernel's own words after the number."}),
        ),
    ];
    properties.extend(others.map(|(key, form)| (key.to_owned(), form)));
    object(properties, REQUIRED)
}

pub(super) fn sources_schema() -> Value {
    let properties = [
        (
            "kernel_log",
            json!({"$ref": "#/$defs/flag", "description": "Whether the kernel log is read."}),
        ),
        (
            "nvml_gpus",
            json!({"type": "integer", "minimum": 0, "description": "Of how many GPUs NVML tells events."}),
        ),
    ];
    let properties = properties.map(|(key, form)| (key.to_owned(), form)).into_iter().collect();
    object(properties, &["kernel_log", "nvml_gpus"])
}
