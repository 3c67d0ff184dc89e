//! A snapshot as a table for a terminal.

use std::io::{self, Write};

use super::Selection;
use super::cell::sane;
use super::grid::{Fit, Grid, write_line};
use super::notes::{Notes, Subject};
use super::problems::problems;
use crate::model::{
    Absent, Driver, GpuSample, GpuState, HostMetric, Inventory, Metric, MetricSet, NoPast, Origin,
    Process, ProcessMetric, Sample, TableMetric, findings, printable,
};
use crate::source::Snapshot;

/// What stands where there is no value.
const NO_VALUE: &str = "–";

/// What a column shows.
#[derive(Clone, Copy, Debug)]
enum Shown<M> {
    One(M),
    /// A value and what it is a part of.
    Of(M, M),
}
use Shown::{Of, One};

/// The columns of a GPU unless single metrics were selected.
const GPU_COLUMNS: &[(&str, Shown<Metric>)] = &[
    ("BUSY", One(Metric::Busy)),
    ("MEMORY", Of(Metric::MemoryUsed, Metric::MemoryTotal)),
    ("POWER", Of(Metric::PowerDraw, Metric::PowerEnforcedLimit)),
    ("TEMP", One(Metric::Temperature)),
    ("SM CLOCK", One(Metric::ClockSm)),
    ("P", One(Metric::PerformanceState)),
];

const PROCESS_COLUMNS: &[(&str, Shown<ProcessMetric>)] = &[
    ("MEMORY", One(ProcessMetric::GpuMemory)),
    ("SM", One(ProcessMetric::Sm)),
    ("CPU", One(ProcessMetric::Cpu)),
    ("TIME", One(ProcessMetric::RunTime)),
];

const HOST_COLUMNS: &[(&str, Shown<HostMetric>)] = &[
    ("CPU", One(HostMetric::Cpu)),
    ("load", One(HostMetric::Load1)),
    ("memory", Of(HostMetric::MemoryUsed, HostMetric::MemoryTotal)),
];

/// Writes what is selected of `snapshot` in lines of at most `width` columns, if there is a width.
///
/// # Errors
/// Only those of `writer`.
pub fn write(
    writer: &mut impl Write,
    snapshot: &Snapshot,
    selection: &Selection,
    width: Option<usize>,
) -> io::Result<()> {
    let Snapshot { inventory, sample, .. } = snapshot;
    let mut notes = Notes::default();
    write_line(writer, &header(inventory, &mut notes), width)?;
    if selection.host {
        write_line(writer, &host(sample, &mut notes), width)?;
    }
    writeln!(writer)?;
    if inventory.gpus.is_empty() {
        write_line(writer, "The driver has no GPU.", width)?;
    } else {
        gpus(snapshot, selection, &mut notes).write(writer, width)?;
    }
    if selection.processes {
        writeln!(writer)?;
        if sample.processes.is_empty() {
            write_line(writer, "No process is on a GPU.", width)?;
        } else {
            processes(snapshot, &mut notes).write(writer, width)?;
        }
    }
    if selection.tells_health() {
        note_health(snapshot, &mut notes);
    }
    for (gpu, message) in problems(snapshot) {
        let subject = gpu.map_or(Subject::Machine, Subject::Gpu);
        notes.add(subject, printable(&message).into_owned());
    }
    notes.write(writer)
}

fn header(inventory: &Inventory, notes: &mut Notes) -> String {
    let Driver { version, cuda_version, kernel_module, .. } = &inventory.driver;
    let known = |fact: &Result<String, Absent>| match fact {
        Ok(text) => printable(text).into_owned(),
        Err(_) => NO_VALUE.to_owned(),
    };
    let facts = [("version", version), ("CUDA", cuda_version)];
    let absent = |(name, fact): (&'static str, &Result<String, Absent>)| {
        fact.as_ref().err().map(|why| (name.to_owned(), *why))
    };
    notes.absent(Subject::Driver, facts.into_iter().filter_map(absent));
    let module = kernel_module.map_or_else(|_| String::new(), |it| format!(" ({})", it.id()));
    // At the start, which no terminal is too narrow for.
    let demo = match inventory.origin {
        Origin::Nvml => String::new(),
        Origin::Demo(preset) => format!("DEMO {preset}  "),
    };
    let (host, driver, cuda) =
        (printable(&inventory.host.name), known(version), known(cuda_version));
    format!("{demo}{host}  driver {driver}{module}  CUDA {cuda}")
}

fn host(sample: &Sample, notes: &mut Notes) -> String {
    let read = |metric| sample.host(metric);
    let cells = HOST_COLUMNS.iter().map(|(title, shown)| format!("{title} {}", shown.text(read)));
    let line = cells.collect::<Vec<_>>().join("  ");
    notes.absent(Subject::Host, absent(HOST_COLUMNS, read));
    line
}

fn gpus(snapshot: &Snapshot, selection: &Selection, notes: &mut Notes) -> Grid {
    let Snapshot { inventory, sample, .. } = snapshot;
    let shown = gpu_columns(selection.metrics);
    let all_live = sample.gpus.iter().all(|gpu| gpu.state == GpuState::Live);
    let mut columns = vec![("GPU".into(), Fit::Right), ("NAME".into(), Fit::Cut)];
    columns.extend(shown.iter().map(|(title, _)| (title.clone().into(), Fit::Right)));
    if !all_live {
        columns.push(("STATE".into(), Fit::Left));
    }
    let mut grid = Grid::new(columns);
    for (gpu, now) in inventory.gpus.iter().zip(&sample.gpus) {
        let name = gpu.name.as_deref().map_or(NO_VALUE, |name| name.trim_start_matches("NVIDIA "));
        let mut row = vec![gpu.index.to_string(), printable(name).into_owned()];
        row.extend(shown.iter().map(|(_, shown)| shown.gpu_text(now)));
        row.push(now.state.id().to_owned());
        grid.push(row);
        let subject = Subject::Gpu(gpu.index);
        let unnamed = gpu.name.as_ref().err().map(|why| ("NAME".to_owned(), *why));
        // Of several fans, the first that has no value.
        let read = |metric| {
            let mut readings = now.values.instances(metric).iter().map(|reading| reading.value);
            readings.find(|value| sane(*value).is_err()).unwrap_or(now.values.get(metric).value)
        };
        let missing = match &now.state {
            GpuState::Live => absent(&shown, read),
            GpuState::Asleep { .. } | GpuState::LetGo { .. } => {
                notes.add(subject, now.state.to_string());
                Vec::new()
            }
            // The problems say what is the matter with it.
            GpuState::Stale { .. }
            | GpuState::Stuck { .. }
            | GpuState::Refused { .. }
            | GpuState::Lost { .. } => Vec::new(),
        };
        notes.absent(subject, unnamed.into_iter().chain(missing));
    }
    grid
}

/// What the rules find; of a GPU that does not answer it is said already.
fn note_health(Snapshot { inventory, sample, .. }: &Snapshot, notes: &mut Notes) {
    for (gpu, findings) in inventory.gpus.iter().zip(findings(sample, &NoPast)) {
        for finding in findings.iter().filter(|finding| !finding.rule.is_about_reach()) {
            let (id, sentence) = (finding.rule.severity.id(), printable(&finding.sentence));
            notes.add(Subject::Gpu(gpu.index), format!("{id}: {sentence}"));
        }
    }
}

/// The overview for whoever selected everything, else each selected metric.
fn gpu_columns(metrics: MetricSet) -> Vec<(String, Shown<Metric>)> {
    if metrics == MetricSet::all() {
        return GPU_COLUMNS.iter().map(|(title, shown)| ((*title).to_owned(), *shown)).collect();
    }
    let selected = Metric::ALL.iter().filter(|metric| metrics.contains(**metric));
    selected.map(|metric| (metric.spec().label.to_uppercase(), One(*metric))).collect()
}

fn processes(snapshot: &Snapshot, notes: &mut Notes) -> Grid {
    let Snapshot { inventory, sample, .. } = snapshot;
    let mut columns = vec![
        ("GPU".into(), Fit::Right),
        ("PID".into(), Fit::Right),
        ("TYPE".into(), Fit::Left),
        ("USER".into(), Fit::Left),
    ];
    columns.extend(PROCESS_COLUMNS.iter().map(|(title, _)| ((*title).into(), Fit::Right)));
    columns.push(("COMMAND".into(), Fit::Cut));
    let mut grid = Grid::new(columns);
    for process in &sample.processes {
        let read = |metric| process.get(metric);
        let who = process.identity.as_deref();
        let user = who.map(|who| match &who.user {
            Some(name) => printable(name).into_owned(),
            None => who.user_id.to_string(),
        });
        let command = who.map(|who| printable(&who.command).into_owned());
        let mut row = vec![
            gpu_of(inventory, process),
            process.pid.to_string(),
            process.kinds.letters().to_owned(),
            user.unwrap_or_else(|_| NO_VALUE.to_owned()),
        ];
        row.extend(PROCESS_COLUMNS.iter().map(|(_, shown)| shown.text(read)));
        row.push(command.unwrap_or_else(|_| NO_VALUE.to_owned()));
        grid.push(row);
        let unknown = who.err().map(|why| ("USER, COMMAND".to_owned(), *why));
        let missing = unknown.into_iter().chain(absent(PROCESS_COLUMNS, read));
        notes.absent(Subject::Process(process.pid), missing);
    }
    grid
}

/// The GPU's index, and the instance where it is divided: `0` or `0:7`.
fn gpu_of(inventory: &Inventory, process: &Process) -> String {
    let Some(gpu) = inventory.gpus.get(process.gpu) else { return NO_VALUE.to_owned() };
    match process.gpu_instance {
        Some(instance) => format!("{}:{instance}", gpu.index),
        None => gpu.index.to_string(),
    }
}

impl<M: TableMetric> Shown<M> {
    fn metrics(self) -> impl Iterator<Item = M> {
        let (first, second) = match self {
            One(metric) => (metric, None),
            Of(part, whole) => (part, Some(whole)),
        };
        std::iter::once(first).chain(second)
    }

    /// The values as people read them; of a part and its whole with one unit for both: `61.2 / 79.6 GiB`.
    fn text(self, read: impl Fn(M) -> Result<f64, Absent>) -> String {
        let texts: Vec<_> = self.metrics().map(|metric| show(metric, read(metric))).collect();
        match texts.as_slice() {
            [part, whole] if part == NO_VALUE && whole == NO_VALUE => NO_VALUE.to_owned(),
            [part, whole] => match (part.rsplit_once(' '), whole.rsplit_once(' ')) {
                (Some((number, unit)), Some((_, same))) if unit == same => {
                    format!("{number} / {whole}")
                }
                _ => format!("{part} / {whole}"),
            },
            single => single.concat(),
        }
    }
}

/// Which columns, or which part of a column, have no value, and why.
fn absent<M: TableMetric>(
    columns: &[(impl AsRef<str>, Shown<M>)],
    read: impl Fn(M) -> Result<f64, Absent>,
) -> Vec<(String, Absent)> {
    let mut absent = Vec::new();
    for (title, shown) in columns {
        let title = title.as_ref();
        let reasons: Vec<_> =
            shown.metrics().map(|metric| (metric, sane(read(metric)).err())).collect();
        match reasons.as_slice() {
            [(_, Some(why)), others @ ..]
                if others.iter().all(|(_, other)| *other == Some(*why)) =>
            {
                absent.push((title.to_owned(), *why));
            }
            parts => absent.extend(parts.iter().filter_map(|(metric, why)| {
                Some((format!("{title} ({})", metric.spec().label), (*why)?))
            })),
        }
    }
    absent
}

impl Shown<Metric> {
    /// As [`Self::text`]; of a metric with several instances all of them.
    fn gpu_text(self, now: &GpuSample) -> String {
        match self {
            One(metric) => {
                let readings = now.values.instances(metric).iter();
                readings.map(|reading| show(metric, reading.value)).collect::<Vec<_>>().join("  ")
            }
            Of(..) => self.text(|metric| now.values.get(metric).value),
        }
    }
}

fn show<M: TableMetric>(metric: M, value: Result<f64, Absent>) -> String {
    sane(value).map_or_else(|_| NO_VALUE.to_owned(), |value| metric.spec().unit.show(value))
}
