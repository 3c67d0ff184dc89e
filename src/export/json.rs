//! A snapshot as JSON: the unit in the key, and `null` with a reason beside it where there is no value.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, PrettyFormatter};

use super::Selection;
use super::cell::{Cell, Field};
use super::cost;
use super::formatter::Visible;
use super::happenings::{event, event_sources, pair};
use super::problems::{Problem, problems};

use crate::model::{
    Absent, Cost, Driver, FactKind, FactValue, Finding, Gpu, GpuFact, GpuSample, Host, HostMetric,
    Inventory, MigDevice, NoPast, Origin, Process, ProcessMetric, Reading, Sample, Slot, Unit,
    findings, rfc3339,
};
use crate::source::Snapshot;

/// The name of the format; the number grows when a key changes its meaning or goes away.
pub const SCHEMA: &str = "nvsdk-top/1";

/// How the text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// On one line.
    Line,
    /// Indented, for people.
    Pretty,
}

/// Writes what is selected of `snapshot`, and a line end.
///
/// # Errors
/// Only those of `writer`.
pub fn write(
    mut writer: impl Write,
    snapshot: &Snapshot,
    selection: &Selection,
    layout: Layout,
) -> io::Result<()> {
    let document = Document { snapshot, selection };
    let result = match layout {
        Layout::Line => document.serialize(&mut serde_json::Serializer::with_formatter(
            &mut writer,
            Visible(CompactFormatter),
        )),
        Layout::Pretty => document.serialize(&mut serde_json::Serializer::with_formatter(
            &mut writer,
            Visible(PrettyFormatter::new()),
        )),
    };
    result.map_err(io::Error::from)?;
    writer.write_all(b"\n")
}

/// A snapshot as one JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// What of it is written; parts that are not selected have no key.
    pub selection: &'a Selection,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { snapshot, selection } = *self;
        let Snapshot { inventory, sample, cost } = snapshot;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", SCHEMA)?;
        match inventory.origin {
            Origin::Nvml => map.serialize_entry("source", "nvml")?,
            Origin::Demo(preset) => {
                map.serialize_entry("source", "demo")?;
                map.serialize_entry("demo_preset", preset)?;
            }
        }
        map.serialize_entry("time", &rfc3339(sample.unix_us))?;
        map.serialize_entry("monotonic_microseconds", &sample.monotonic_us)?;
        map.serialize_entry("host", &Object(|| host(&inventory.host, sample, selection)))?;
        map.serialize_entry("driver", &Object(|| driver(&inventory.driver)))?;
        let health = selection.tells_health().then(|| findings(sample, &NoPast));
        let gpus = || inventory.gpus.iter().zip(&sample.gpus).enumerate();
        let objects = || {
            gpus().map(|(position, (gpu, now))| GpuObject {
                gpu,
                now,
                sample,
                selection,
                health: health.as_ref().and_then(|health| health.get(position)),
            })
        };
        map.serialize_entry("gpus", &List(objects))?;
        let pairs = || inventory.topology.iter().map(|of| Object(move || pair(inventory, of)));
        map.serialize_entry("topology", &List(pairs))?;
        if selection.processes {
            let objects =
                || sample.processes.iter().map(|of| Object(move || process(inventory, of)));
            map.serialize_entry("processes", &List(objects))?;
        }
        let events = || sample.events.new.iter().map(|of| Object(move || event(inventory, of)));
        map.serialize_entry("events", &List(events))?;
        let sources = &sample.events.sources;
        map.serialize_entry("event_sources", &Object(|| event_sources(sources)))?;
        if let Some(cost) = cost.as_ref().filter(|_| selection.cost) {
            map.serialize_entry("cost", &CostObject(cost))?;
        }
        map.serialize_entry("errors", &List(|| problems(snapshot).map(ErrorObject)))?;
        map.end()
    }
}

/// An array of what the function's iterator gives.
struct List<F>(F);

impl<F, I> Serialize for List<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for item in self.0() {
            list.serialize_element(&item)?;
        }
        list.end()
    }
}

/// An object of the fields that the function's iterator gives, and `absent` for those without a value.
pub(super) struct Object<F>(pub(super) F);

impl<'a, F, I> Serialize for Object<F>
where
    F: Fn() -> I,
    I: Iterator<Item = Field<'a>>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        serialize_fields(&mut map, &self.0)?;
        map.end()
    }
}

/// The fields are walked twice, so that nothing is kept between the values and the reasons.
fn serialize_fields<'a, M, F, I>(map: &mut M, fields: F) -> Result<(), M::Error>
where
    M: SerializeMap,
    F: Fn() -> I,
    I: Iterator<Item = Field<'a>>,
{
    for (key, value) in fields() {
        map.serialize_entry(&key, &value.ok())?;
    }
    let absent = || fields().filter_map(|(key, value)| Some((key, value.err()?.id())));
    if absent().next().is_some() { map.serialize_entry("absent", &Map(absent)) } else { Ok(()) }
}

/// An object of the keys and values that the function's iterator gives.
struct Map<F>(F);

impl<F, I, V> Serialize for Map<F>
where
    F: Fn() -> I,
    I: Iterator<Item = (Cow<'static, str>, V)>,
    V: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0())
    }
}

struct GpuObject<'a> {
    gpu: &'a Gpu,
    now: &'a GpuSample,
    sample: &'a Sample,
    selection: &'a Selection,
    /// What the rules find, where enough is selected for them.
    health: Option<&'a Vec<Finding>>,
}

impl GpuObject<'_> {
    fn selected(&self) -> impl Iterator<Item = (Slot, Reading)> {
        self.now.values.iter().filter(|(slot, _)| self.selection.metrics.contains(slot.metric))
    }

    fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let slots = self.selected().map(|(slot, reading)| {
            (slot.key(), Cell::number(slot.metric.spec().unit, reading.value))
        });
        identity(self.gpu).chain(state(self.now)).chain(slots)
    }

    /// Microseconds between the reading of each value and the sample.
    fn ages(&self) -> impl Iterator<Item = (Cow<'static, str>, u64)> {
        self.selected().filter(|(_, reading)| reading.value.is_ok()).map(|(slot, reading)| {
            (slot.key(), self.sample.monotonic_us.saturating_sub(reading.at_us))
        })
    }
}

impl Serialize for GpuObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        serialize_fields(&mut map, || self.fields())?;
        if let Some(usual) = most_frequent(self.ages().map(|(_, age)| age)) {
            map.serialize_entry("age_microseconds", &usual)?;
            let others = || self.ages().filter(|(_, age)| *age != usual);
            if others().next().is_some() {
                map.serialize_entry("ages_microseconds", &Map(others))?;
            }
        }
        if let Some(health) = self.health {
            map.serialize_entry("health", &List(|| health.iter().map(FindingObject)))?;
        }
        map.end()
    }
}

struct FindingObject<'a>(&'a Finding);

impl Serialize for FindingObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Finding { rule, sentence } = self.0;
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("id", rule.id)?;
        map.serialize_entry("severity", rule.severity.id())?;
        map.serialize_entry("sentence", sentence)?;
        map.serialize_entry("advice", rule.advice)?;
        let metrics = || rule.evidence.iter().map(|evidence| evidence.key());
        map.serialize_entry("metrics", &List(metrics))?;
        map.end()
    }
}

/// The number that comes most often; of several, the smallest.
fn most_frequent(numbers: impl Iterator<Item = u64>) -> Option<u64> {
    let mut sorted: Vec<_> = numbers.collect();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.rev().max_by_key(|run| run.len()).and_then(|run| run.first().copied())
}

fn identity(gpu: &Gpu) -> impl Iterator<Item = Field<'_>> {
    let (major_minor, architecture) = (gpu.compute_capability, gpu.architecture);
    fields([
        ("index", Ok(Cell::Whole(gpu.index.into()))),
        ("uuid", text(&gpu.uuid)),
        ("pci_bus_id", text(&gpu.pci_bus_id)),
        ("name", text(&gpu.name)),
        ("architecture", architecture.map(|known| Cell::Text(known.to_string().into()))),
        (
            "compute_capability",
            major_minor.map(|(major, minor)| Cell::Text(format!("{major}.{minor}").into())),
        ),
        ("vbios_version", text(&gpu.vbios_version)),
        ("serial", text(&gpu.serial)),
        ("mig", gpu.mig.map(Cell::Flag)),
        ("mig_devices", mig_devices(gpu)),
    ])
    .chain(gpu.facts.iter().map(|(fact, known)| {
        (fact.spec().id.into(), known.and_then(|value| fact_cell(fact, value)))
    }))
}

fn fact_cell(fact: GpuFact, value: &FactValue) -> Result<Cell<'_>, Absent> {
    match (fact.spec().kind, value) {
        (FactKind::Number(unit), FactValue::Number(number)) => Cell::number(unit, Ok(*number)),
        (_, FactValue::Flag(flag)) => Ok(Cell::Flag(*flag)),
        _ => fact.word(value).map(Cell::Text).ok_or(Absent::OutOfRange),
    }
}

/// The MIG devices, each with the position of its GPU instance, which is the number in the keys of its values.
fn mig_devices(gpu: &Gpu) -> Result<Cell<'_>, Absent> {
    let instances = gpu.gpu_instances();
    let object = |device| mig_device(&instances, device).collect();
    let devices = gpu.mig_devices.as_ref().map_err(|why| *why)?;
    Ok(Cell::Objects(devices.iter().map(object).collect()))
}

fn mig_device<'a>(
    instances: &[u32],
    device: &'a MigDevice,
) -> impl Iterator<Item = Field<'a>> + use<'a> {
    let whole = |number: Result<u32, Absent>| number.map(|number| Cell::Whole(number.into()));
    let position = device.gpu_instance.and_then(|instance| {
        let position = instances.iter().position(|known| *known == instance);
        position.and_then(|it| u32::try_from(it).ok()).ok_or(Absent::Unknown)
    });
    let memory = device.memory_total_bytes.map(|bytes| bytes as f64);
    fields([
        ("uuid", text(&device.uuid)),
        ("profile", text(&device.profile)),
        ("gpu_instance", whole(device.gpu_instance)),
        ("compute_instance", whole(device.compute_instance)),
        ("gpu_instance_position", whole(position)),
        ("memory_total_bytes", Cell::number(Unit::Bytes, memory)),
    ])
}

/// The state; where it is not a good one, for how long and in which call.
fn state(now: &GpuSample) -> impl Iterator<Item = Field<'_>> {
    let age = now.state.age_us().map(|us| Cell::number(Unit::Seconds, Ok(us as f64 / 1e6)));
    let call = now.state.call().map(Cell::text);
    fields([("state", Ok(Cell::text(now.state.id())))])
        .chain(age.map(|age| ("state_age_seconds".into(), age)))
        .chain(call.map(|call| ("call".into(), Ok(call))))
}

fn host<'a>(
    host: &'a Host,
    sample: &'a Sample,
    selection: &Selection,
) -> impl Iterator<Item = Field<'a>> + use<'a> {
    let metrics = if selection.host { HostMetric::ALL } else { &[] };
    fields([("name", Ok(Cell::text(&host.name))), ("kernel", text(&host.kernel))]).chain(
        metrics.iter().map(|metric| {
            let spec = metric.spec();
            (spec.id.into(), Cell::number(spec.unit, sample.host(*metric)))
        }),
    )
}

fn driver(driver: &Driver) -> impl Iterator<Item = Field<'_>> {
    fields([
        ("version", text(&driver.version)),
        ("nvml_version", text(&driver.nvml_version)),
        ("cuda_version", text(&driver.cuda_version)),
        ("kernel_module", driver.kernel_module.map(|module| Cell::text(module.id()))),
        ("library", text(&driver.library)),
        ("confidential_compute", driver.confidential_compute.map(|it| Cell::Text(it.id()))),
    ])
}

/// A process; outside MIG it has no instances, and no keys for them.
fn process<'a>(inventory: &'a Inventory, process: &'a Process) -> impl Iterator<Item = Field<'a>> {
    let gpu = inventory.gpus.get(process.gpu).ok_or(Absent::Unknown);
    let who = process.identity.as_deref().map_err(|why| *why);
    let instances =
        [("gpu_instance", process.gpu_instance), ("compute_instance", process.compute_instance)];
    let numbers = ProcessMetric::ALL.iter().map(|metric| {
        let spec = metric.spec();
        (spec.id.into(), Cell::number(spec.unit, process.get(*metric)))
    });
    fields([
        ("pid", Ok(Cell::Whole(process.pid.into()))),
        ("gpu_index", gpu.map(|gpu| Cell::Whole(gpu.index.into()))),
        ("gpu_uuid", gpu.and_then(|gpu| text(&gpu.uuid))),
        ("type", Ok(Cell::text(process.kinds.letters()))),
        ("user", who.and_then(|who| who.user.as_deref().map(Cell::text).ok_or(Absent::NotFound))),
        ("user_id", who.map(|who| Cell::Whole(who.user_id.into()))),
        ("name", who.map(|who| Cell::text(&who.name))),
        ("command", who.map(|who| Cell::text(&who.command))),
        ("start_time_unix_seconds", who.map(|who| Cell::Whole(who.start_unix_s.cast_signed()))),
    ])
    .chain(instances.into_iter().filter_map(|(key, number)| {
        number.map(|number| (key.into(), Ok(Cell::Whole(number.into()))))
    }))
    .chain(numbers)
}

pub(super) fn fields<'a, const N: usize>(
    fields: [(&'static str, Result<Cell<'a>, Absent>); N],
) -> impl Iterator<Item = Field<'a>> {
    fields.into_iter().map(|(key, value)| (key.into(), value))
}

pub(super) fn text(fact: &Result<String, Absent>) -> Result<Cell<'_>, Absent> {
    fact.as_deref().map(Cell::text).map_err(|why| *why)
}

struct CostObject<'a>(&'a Cost);

impl Serialize for CostObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        serialize_fields(&mut map, || cost::whole(self.0))?;
        let functions = || self.0.functions.iter().map(|of| Object(move || cost::function(of)));
        map.serialize_entry("functions", &List(functions))?;
        map.end()
    }
}

struct ErrorObject<'a>(Problem<'a>);

impl Serialize for ErrorObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("gpu_index", &self.0.0)?;
        map.serialize_entry("message", &self.0.1)?;
        map.end()
    }
}
