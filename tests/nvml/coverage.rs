//! Which numbers each kind of GPU has: the README's table of metrics and presets, made from whole samples of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use crate::common::Machine;
use crate::common::docs::{assert_current, filled};
use nvsdk_top::model::{Absent, GpuSample, Group, Metric};

/// Between the two readings that `--once` takes.
const BETWEEN_READINGS: Duration = Duration::from_millis(110);
/// After this everything was read twice.
const LATER: Duration = Duration::from_secs(20);

/// The groups of a GPU's metrics, in the order of the table.
const GROUPS: &[(Group, &str)] = &[
    (Group::Load, "Load"),
    (Group::Engines, "Engines"),
    (Group::Memory, "Memory"),
    (Group::PowerAndHeat, "Power and heat"),
    (Group::Clocks, "Clocks"),
    (Group::Links, "Links"),
    (Group::MigInstances, "MIG instances"),
    (Group::Errors, "Errors"),
];

/// What stands in a cell without a value. A reason that is not here fails the test.
const MARKS: &[(Absent, &str)] = &[
    (Absent::NotSupported, "–"),
    (Absent::MissingSymbol, "S"),
    (Absent::DriverTooOld, "D"),
    (Absent::Mig, "M"),
    (Absent::NotMig, "–M"),
    (Absent::UnifiedMemory, "U"),
    (Absent::Integrated, "I"),
    (Absent::IncludedInUsed, "in"),
    (Absent::NoSession, "V"),
    (Absent::NotRenewed, "N"),
    (Absent::NeedsTwoReadings, "2"),
    (Absent::Unknown, "?"),
];

/// The metrics that no preset has, in their order, with the reason in words.
const NOWHERE: &[(Metric, &str)] = &[
    (Metric::DomainBus, NO_BUS),
    (Metric::PowerModule, NO_SUPERCHIP),
    (Metric::C2cLinkCount, NO_SUPERCHIP),
    (Metric::C2cUp, NO_SUPERCHIP),
    (Metric::C2cBandwidth, NO_SUPERCHIP),
    (Metric::C2cMeanRx, NO_SUPERCHIP),
    (Metric::C2cMeanTx, NO_SUPERCHIP),
    (Metric::C2cMeanDataRx, NO_SUPERCHIP),
    (Metric::C2cMeanDataTx, NO_SUPERCHIP),
];
const NO_BUS: &str = "none of them reports that domain";
const NO_SUPERCHIP: &str = "none of them is a superchip with a processor beside the GPU";

/// What the first GPU of each preset tells at the second of two readings.
fn samples(apart: Duration) -> Vec<(&'static str, GpuSample)> {
    let sample = |preset: &&'static str| {
        let mut machine = Machine::preset(preset);
        machine.sampled();
        machine.advance(apart);
        (*preset, machine.sampled().gpus.swap_remove(0))
    };
    fake_nvml::presets().iter().map(sample).collect()
}

/// A value of the metric, of any instance of it; without one the reason.
fn any(gpu: &GpuSample, metric: Metric) -> Result<f64, Absent> {
    let readings = gpu.values.instances(metric);
    let value = readings.iter().find_map(|reading| reading.value.ok());
    value.map_or_else(|| readings[0].value, Ok)
}

fn mark(why: Absent) -> &'static str {
    let found = MARKS.iter().find(|(known, _)| *known == why);
    assert!(found.is_some(), "no mark for {}", why.id());
    found.map_or("", |(_, mark)| mark)
}

fn key(metric: Metric) -> String {
    metric.spec().id.replace("{}", "N")
}

/// The table, and below it what its marks mean.
fn table(samples: &[(&str, GpuSample)]) -> String {
    let mut text = String::from("| key |");
    for (preset, _) in samples {
        let _ = write!(text, " {preset} |");
    }
    let _ = writeln!(text, "\n| --- |{}", " --- |".repeat(samples.len()));
    let mut reasons = BTreeSet::new();
    for (group, title) in GROUPS {
        let _ = writeln!(text, "| **{title}** |{}", " |".repeat(samples.len()));
        for metric in Metric::ALL.iter().filter(|metric| metric.spec().group == *group) {
            let _ = write!(text, "| `{}` |", key(*metric));
            for (_, gpu) in samples {
                let cell = any(gpu, *metric).map_or_else(
                    |why| {
                        reasons.insert(mark(why));
                        mark(why)
                    },
                    |_| "✓",
                );
                let _ = write!(text, " {cell} |");
            }
            text.push('\n');
        }
    }
    text.push_str("\n✓ there is a value");
    for (why, mark) in MARKS.iter().filter(|(_, mark)| reasons.contains(mark)) {
        let _ = write!(text, "; {mark} {}", why.sentence());
    }
    text.push_str(".\n");
    for reason in [NO_BUS, NO_SUPERCHIP] {
        let metrics = NOWHERE.iter().filter(|(_, why)| *why == reason);
        let keys: Vec<_> = metrics.map(|(metric, _)| format!("`{}`", key(*metric))).collect();
        let _ = write!(text, "\nNo column has {}: {reason}.\n", keys.join(", "));
    }
    text
}

#[test]
fn the_readme_tells_what_each_preset_has() {
    let table = table(&samples(BETWEEN_READINGS));
    for metric in Metric::ALL {
        assert!(table.contains(&format!("| `{}` |", key(*metric))), "{metric:?} has no row");
    }
    assert_current("README.md", "nvml", |old| filled(old, "preset-metrics", &table));
}

#[test]
fn every_metric_has_a_value_on_some_preset() {
    let samples = [samples(BETWEEN_READINGS), samples(LATER)].concat();
    let told = |metric: &Metric| samples.iter().any(|(_, gpu)| any(gpu, *metric).is_ok());
    let untold: Vec<_> = Metric::ALL.iter().filter(|metric| !told(metric)).collect();
    let excused: Vec<_> = NOWHERE.iter().map(|(metric, _)| metric).collect();
    assert_eq!(untold, excused, "NOWHERE lists what no preset has, in the order of the metrics");
}
