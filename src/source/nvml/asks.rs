//! Which functions and fields of NVML a number comes from, in words made of the tables by which it is read.

use super::probes::PROBES;
use super::{fields, gpm};
use crate::model::{Metric, ProcessMetric};

/// The function or the fields of NVML that a number comes from, the newest first; of a rate or a share, those of its
/// counter.
#[must_use]
pub fn asks(metric: Metric) -> String {
    let metric = metric.spec().kind.counter().unwrap_or(metric);
    if let Some(asks) = fields::asks(metric) {
        return asks;
    }
    let functions = PROBES.iter().find(|probe| probe.fills.contains(&metric));
    let functions = functions.map_or(&[][..], |probe| probe.asks);
    let functions = alternatives(functions.iter().map(|function| (*function).to_owned()));
    match gpm::number_of(metric) {
        Some(number) => format!("{functions}, metric {number}"),
        None => functions,
    }
}

/// Where a process's number comes from: functions of NVML, the newest first, or files.
#[must_use]
pub const fn asks_of_process(metric: ProcessMetric) -> &'static str {
    match metric {
        ProcessMetric::GpuMemory => {
            "nvmlDeviceGetRunningProcessDetailList, or nvmlDeviceGetComputeRunningProcesses, nvmlDeviceGetGraphicsRunningProcesses and nvmlDeviceGetMPSComputeRunningProcesses"
        }
        ProcessMetric::Sm
        | ProcessMetric::MemoryController
        | ProcessMetric::Encoder
        | ProcessMetric::Decoder => {
            "nvmlDeviceGetProcessesUtilizationInfo, or nvmlDeviceGetProcessUtilization"
        }
        ProcessMetric::Cpu | ProcessMetric::ResidentMemory => "/proc/PID/stat",
        ProcessMetric::RunTime => "/proc/PID/stat, and the clock since boot",
    }
}

/// What is asked one after the other, until one answers.
pub(super) fn alternatives(asked: impl Iterator<Item = String>) -> String {
    asked.collect::<Vec<_>>().join(", or ")
}

#[cfg(test)]
mod tests {
    use super::asks;
    use crate::model::Metric;

    #[test]
    fn each_number_says_where_it_comes_from() {
        for &metric in Metric::ALL {
            assert!(asks(metric).starts_with("nvml"), "{}: {}", metric.spec().id, asks(metric));
        }
    }

    #[test]
    fn functions_fields_and_counters_are_told() {
        assert_eq!(
            asks(Metric::Temperature),
            "nvmlDeviceGetTemperatureV, or nvmlDeviceGetTemperature"
        );
        assert_eq!(
            asks(Metric::MemoryTemperature),
            "nvmlDeviceGetFieldValues of NVML_FI_DEV_MEMORY_TEMP (82), or nvmlDeviceGetThermalSettings"
        );
        assert_eq!(asks(Metric::SmOccupancy), "nvmlGpmMetricsGet, metric 3");
        assert_eq!(asks(Metric::PowerAverage), asks(Metric::Energy));
        assert_eq!(
            asks(Metric::NvLinkRx),
            "nvmlDeviceGetFieldValues of NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX (139) with scope UINT_MAX, or NVML_FI_DEV_NVLINK_COUNT_RCV_BYTES (204) summed over the links"
        );
    }
}
