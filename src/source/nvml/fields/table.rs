//! The field table: which field of `nvmlDeviceGetFieldValues` fills which metric, and how often it is read.

use std::fmt;

use super::ids::Field;
use super::{older, read};
use crate::model::{Absent, Metric};
use crate::source::nvml::asks::alternatives;
use crate::source::nvml::device::Device;
use crate::source::nvml::probes::{Every, Probe, many};
use crate::source::nvml::raw::FIELD_VALUES;

/// What part of the GPU a field is asked of: NVML's `scopeId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The GPU, or whatever has no parts.
    Gpu,
    /// The module that the GPU shares with a processor.
    Module,
    /// All NVLinks together, added up by the driver.
    AllLinks,
    /// All NVLinks together, added up by us.
    SumOfLinks,
    /// Each NVLink, for the metrics that have a value for each.
    EachLink,
}

/// Where a number comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// The fields that are added up.
    pub(super) fields: &'static [Field],
    pub(super) scope: Scope,
    /// How many of the driver's units make one of the metric's.
    pub(super) per: f64,
}

/// An older function for the number of one instance.
#[derive(Clone, Copy)]
pub(super) struct Older {
    pub(super) function: &'static str,
    pub(super) read: fn(&mut Device, usize) -> Result<f64, Absent>,
}

/// One row: a metric and what fills it.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) metric: Metric,
    pub(super) source: Source,
    /// What other GPUs have in its place.
    pub(super) instead: Option<Source>,
    /// What an older function says, where no field is to be had.
    pub(super) older: Option<Older>,
}

/// Fields of the GPU that count as the metric does.
const fn row(metric: Metric, fields: &'static [Field]) -> Row {
    let source = Source { fields, scope: Scope::Gpu, per: 1.0 };
    Row { metric, source, instead: None, older: None }
}

impl Row {
    /// The same for another part of the GPU.
    const fn of(self, scope: Scope) -> Self {
        Self { source: Source { scope, ..self.source }, ..self }
    }

    /// The same in another unit.
    const fn per(self, per: f64) -> Self {
        Self { source: Source { per, ..self.source }, ..self }
    }

    /// Other fields, added up, where these are not to be had.
    const fn else_of(self, fields: &'static [Field], scope: Scope) -> Self {
        Self { instead: Some(Source { fields, scope, per: 1.0 }), ..self }
    }

    /// An older function, where no field is to be had.
    const fn older(
        self,
        function: &'static str,
        read: fn(&mut Device, usize) -> Result<f64, Absent>,
    ) -> Self {
        Self { older: Some(Older { function, read }), ..self }
    }
}

const NANO: f64 = 1e9;
const MILLI: f64 = 1e3;
/// The driver's mebibytes are a million bytes.
const MEGA: f64 = 1e-6;
const KIBI: f64 = 1.0 / 1024.0;

/// Read at every tick.
const TICK: [Row; 17] = [
    row(Metric::PowerDraw, &[Field::PowerAverage])
        .per(MILLI)
        .older("nvmlDeviceGetPowerUsage", older::power),
    row(Metric::PowerInstant, &[Field::PowerInstant]).per(MILLI),
    row(Metric::PowerModule, &[Field::PowerAverage]).of(Scope::Module).per(MILLI),
    row(Metric::Energy, &[Field::Energy])
        .per(MILLI)
        .older("nvmlDeviceGetTotalEnergyConsumption", older::energy),
    row(Metric::MemoryTemperature, &[Field::MemoryTemperature])
        .older("nvmlDeviceGetThermalSettings", older::memory_temperature),
    row(Metric::LimitedBySwPowerCapTime, &[Field::LimitedBySwPowerCap]).per(NANO),
    row(Metric::LimitedBySyncBoostTime, &[Field::LimitedBySyncBoost]).per(NANO),
    row(Metric::LimitedByThermalTime, &[Field::LimitedByThermal]).per(NANO),
    row(Metric::LimitedBySwThermalTime, &[Field::LimitedBySwThermal]).per(NANO),
    row(Metric::LimitedByHwThermalTime, &[Field::LimitedByHwThermal]).per(NANO),
    row(Metric::LimitedByPowerBrakeTime, &[Field::LimitedByPowerBrake]).per(NANO),
    row(Metric::LimitedByBoardLimitTime, &[Field::LimitedByBoard]).per(NANO),
    row(Metric::LimitedByLowUtilizationTime, &[Field::LimitedByLowUtilization]).per(NANO),
    row(Metric::LimitedByReliabilityTime, &[Field::LimitedByReliability]).per(NANO),
    row(Metric::LimitedByBaseClocksTime, &[Field::LimitedByBaseClocks]).per(NANO),
    row(Metric::NvLinkReceived, &[Field::NvLinkDataReceived])
        .of(Scope::AllLinks)
        .per(KIBI)
        .else_of(&[Field::NvLinkBytesReceived], Scope::SumOfLinks),
    row(Metric::NvLinkSent, &[Field::NvLinkDataSent])
        .of(Scope::AllLinks)
        .per(KIBI)
        .else_of(&[Field::NvLinkBytesSent], Scope::SumOfLinks),
];

/// Read every ten seconds.
const SLOW: [Row; 32] = [
    row(Metric::RecoveryAction, &[Field::RecoveryAction]),
    row(Metric::EccMode, &[Field::EccCurrent]),
    row(Metric::EccModePending, &[Field::EccPending]),
    row(Metric::EccCorrectedVolatile, &[Field::EccCorrectedVolatile]),
    row(Metric::EccUncorrectedVolatile, &[Field::EccUncorrectedVolatile]),
    row(Metric::EccCorrectedAggregate, &[Field::EccCorrectedAggregate]),
    row(Metric::EccUncorrectedAggregate, &[Field::EccUncorrectedAggregate]),
    row(Metric::RemappedRowsCorrected, &[Field::RemappedCorrected]),
    row(Metric::RemappedRowsUncorrected, &[Field::RemappedUncorrected]),
    row(Metric::RemapPending, &[Field::RemappedPending]),
    row(Metric::RemapFailure, &[Field::RemappedFailure]),
    row(Metric::RetiredPagesCorrected, &[Field::RetiredCorrected]),
    row(Metric::RetiredPagesUncorrected, &[Field::RetiredUncorrected]),
    row(Metric::RetiredPagesPending, &[Field::RetiredPending]),
    row(Metric::PcieReplays, &[Field::PcieReplays])
        .older("nvmlDeviceGetPcieReplayCounter", older::pcie_replays),
    row(Metric::PcieLinkRecoveries, &[Field::PcieLinkRecoveries]),
    row(Metric::PcieCorrectableErrors, &[Field::PcieCorrectableErrors]),
    row(Metric::PcieNaksReceived, &[Field::PcieNaksReceived]),
    row(Metric::PcieNaksSent, &[Field::PcieNaksSent]),
    row(Metric::PcieBadPackets, &[Field::PcieBadTlps]),
    row(Metric::PcieNonFatalErrors, &[Field::PcieNonFatalErrors]),
    row(Metric::PcieFatalErrors, &[Field::PcieFatalErrors]),
    row(Metric::NvLinkReplays, &[Field::NvLinkReplays])
        .else_of(&[Field::NvLinkReplaysOfLink], Scope::SumOfLinks),
    row(Metric::NvLinkRecoveries, &[Field::NvLinkRecoveries])
        .else_of(&[Field::NvLinkRecoveryEvents], Scope::SumOfLinks),
    row(Metric::NvLinkFlitErrors, &[Field::NvLinkCrcFlitErrors])
        .else_of(&[Field::NvLinkCrcOfLink], Scope::SumOfLinks),
    row(Metric::NvLinkDataErrors, &[Field::NvLinkCrcDataErrors]),
    row(Metric::NvLinkReceiveErrors, &[Field::NvLinkReceiveErrors]).of(Scope::SumOfLinks),
    row(Metric::NvLinkVersion, &[Field::NvLinkVersion])
        .older("nvmlDeviceGetNvLinkVersion", older::nvlink_version),
    row(Metric::NvLinkUp, &[Field::NvLinkState])
        .of(Scope::EachLink)
        .older("nvmlDeviceGetNvLinkState", older::nvlink_state),
    row(Metric::NvLinkSpeed, &[Field::NvLinkSpeed]).of(Scope::EachLink).per(MEGA),
    row(
        Metric::NvLinkErrors,
        &[Field::NvLinkReplaysOfLink, Field::NvLinkRecoveriesOfLink, Field::NvLinkCrcOfLink],
    )
    .of(Scope::EachLink)
    .else_of(&[Field::NvLinkReceiveErrors, Field::NvLinkRecoveryEvents], Scope::EachLink),
    row(Metric::C2cUp, &[Field::C2cStatus]),
];

/// What lasts.
const ONCE: [Row; 7] = [
    row(Metric::ShutdownTLimit, &[Field::ShutdownTLimit]),
    row(Metric::SlowdownTLimit, &[Field::SlowdownTLimit]),
    row(Metric::MemoryMaximumTLimit, &[Field::MemoryMaximumTLimit]),
    row(Metric::GpuMaximumTLimit, &[Field::GpuMaximumTLimit]),
    row(Metric::NvLinkCount, &[Field::NvLinkCount]),
    row(Metric::C2cLinkCount, &[Field::C2cLinkCount]),
    row(Metric::C2cBandwidth, &[Field::C2cBandwidth]).per(MEGA),
];

/// The lanes, by number.
pub(super) const LANES: [&[Row]; 3] = [&TICK, &SLOW, &ONCE];

/// What every lane asks.
const ASKS: &[&str] = &[FIELD_VALUES.name];

/// The probes of the lanes.
pub(in crate::source::nvml) const FIELDS: [Probe; LANES.len()] = [
    many(Every::Tick, ASKS, &metrics(&TICK), |device, fill| read(device, fill, 0)),
    many(Every::Seconds(10), ASKS, &metrics(&SLOW), |device, fill| read(device, fill, 1)),
    many(Every::Once, ASKS, &metrics(&ONCE), |device, fill| read(device, fill, 2)),
];

/// The fields that fill a metric and the older function for it, in words; `None` for what is no field's.
pub(in crate::source::nvml) fn asks(metric: Metric) -> Option<String> {
    let row = LANES.iter().copied().flatten().find(|row| row.metric == metric)?;
    let older = row.older.map(|older| older.function.to_owned());
    let sources = [Some(row.source), row.instead].into_iter().flatten();
    let asked = alternatives(sources.map(|source| source.to_string()).chain(older));
    Some(format!("{} of {asked}", FIELD_VALUES.name))
}

/// The fields, with the scope where it is not the GPU.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.fields.iter().map(ToString::to_string).collect();
        let scope = match self.scope {
            Scope::Gpu => "",
            Scope::Module => " with scope 1",
            Scope::AllLinks => " with scope UINT_MAX",
            Scope::SumOfLinks => " summed over the links",
            Scope::EachLink => " of the link",
        };
        write!(f, "{}{scope}", fields.join(" + "))
    }
}

const fn metrics<const N: usize>(rows: &[Row; N]) -> [Metric; N] {
    let mut metrics = [Metric::Busy; N];
    let mut at = 0;
    while at < N {
        metrics[at] = rows[at].metric;
        at += 1;
    }
    metrics
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, LANES, Scope};
    use crate::model::Per;

    #[test]
    fn each_row_is_of_the_parts_that_its_metric_has() {
        for row in LANES.concat() {
            let each = |source: super::Source| source.scope == Scope::EachLink;
            let of_links = row.metric.spec().per == Per::NvLink;
            assert_eq!(each(row.source), of_links, "{}", row.metric.spec().id);
            assert!(row.instead.is_none_or(|instead| each(instead) == of_links));
            assert!(row.source.per > 0.0 && !row.source.fields.is_empty());
        }
    }

    #[test]
    fn the_probe_of_a_lane_fills_its_metrics() {
        for (probe, rows) in FIELDS.iter().zip(LANES) {
            assert!(probe.fills.iter().eq(rows.iter().map(|row| &row.metric)));
        }
    }
}
