//! What the calls to the driver cost, as a table and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::grid::{Fit, Grid, write_line};
use crate::model::{Absent, fixed, printable};
use crate::source::nvml::{Bench, CallTimes, GpuBench};

/// The name of the format.
const SCHEMA: &str = "nvsdk-top-bench/1";

/// Writes it for people, no line wider than `width`.
///
/// # Errors
/// Only those of `writer`.
pub fn write_table(mut writer: impl Write, bench: &Bench, width: Option<usize>) -> io::Result<()> {
    let version = bench.driver.version.as_deref().unwrap_or("of unknown version");
    write_line(&mut writer, &format!("Driver {}", printable(version)), width)?;
    grid(&bench.opening).write(&mut writer, width)?;
    for GpuBench { gpu, calls } in &bench.gpus {
        let name = gpu.name.as_deref().unwrap_or("of unknown name");
        writeln!(writer)?;
        match calls {
            Ok(calls) => {
                write_line(&mut writer, &format!("GPU {}  {}", gpu.index, printable(name)), width)?;
                grid(calls).write(&mut writer, width)?;
            }
            Err(why) => {
                let line = format!(
                    "GPU {}  {}: not asked, {}",
                    gpu.index,
                    printable(name),
                    why.sentence()
                );
                write_line(&mut writer, &line, width)?;
            }
        }
    }
    Ok(())
}

/// The functions, the one that takes longest first, and those without a value last.
fn grid(calls: &[CallTimes]) -> Grid {
    let titles = [
        ("FUNCTION", Fit::Left),
        ("CALLS", Fit::Right),
        ("MEDIAN µs", Fit::Right),
        ("P99 µs", Fit::Right),
        ("WORST µs", Fit::Right),
        ("ANSWER", Fit::Cut),
    ];
    let mut grid = Grid::new(titles.map(|(title, fit)| (title.into(), fit)).into());
    let mut sorted: Vec<_> = calls.iter().collect();
    sorted.sort_by(|a, b| {
        let value_first = a.absent.is_some().cmp(&b.absent.is_some());
        value_first.then(b.median_us.total_cmp(&a.median_us))
    });
    for call in sorted {
        let microseconds = |us: f64| fixed(us, if us < 100.0 { 2 } else { 0 }).to_string();
        grid.push(vec![
            call.function.to_owned(),
            call.calls.to_string(),
            microseconds(call.median_us),
            microseconds(call.p99_us),
            microseconds(call.worst_us),
            call.absent.map_or_else(|| "a value".to_owned(), |why| why.sentence().into_owned()),
        ]);
    }
    grid
}

/// Writes it for programs.
///
/// # Errors
/// Only those of `writer`.
pub fn write_json(mut writer: impl Write, bench: &Bench, pretty: bool) -> io::Result<()> {
    let absent = |why: Option<Absent>| why.map(|why| why.id().into_owned());
    let calls = |calls: &[CallTimes]| -> Vec<Value> {
        let call = |call: &CallTimes| {
            json!({
                "function": call.function,
                "calls": call.calls,
                "median_microseconds": call.median_us,
                "p99_microseconds": call.p99_us,
                "worst_microseconds": call.worst_us,
                "absent": absent(call.absent),
            })
        };
        calls.iter().map(call).collect()
    };
    let gpu = |GpuBench { gpu, calls: times }: &GpuBench| {
        json!({
            "index": gpu.index,
            "uuid": gpu.uuid.as_deref().ok(),
            "pci_bus_id": gpu.pci_bus_id.as_deref().ok(),
            "name": gpu.name.as_deref().ok(),
            "functions": times.as_deref().ok().map(calls),
            "absent": absent(times.as_ref().err().copied()),
        })
    };
    let document = json!({
        "schema": SCHEMA,
        "driver": {"version": bench.driver.version.as_deref().ok()},
        "functions": calls(&bench.opening),
        "gpus": bench.gpus.iter().map(gpu).collect::<Vec<_>>(),
    });
    let text = if pretty { format!("{document:#}") } else { document.to_string() };
    writeln!(writer, "{text}")
}
