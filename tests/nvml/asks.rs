//! Where numbers are said to come from is where they come from.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::common::Machine;
use fake_nvml::Fake;
use nvsdk_top::model::{Metric, ProcessMetric};
use nvsdk_top::source::nvml::{asks, asks_of_process};

/// What tells of the GPU itself, of its place and of its neighbours, and fills no metric.
const OF_IDENTITY: &[&str] = &[
    "nvmlDeviceGetAccountingMode",
    "nvmlDeviceGetAddressingMode",
    "nvmlDeviceGetArchitecture",
    "nvmlDeviceGetComputeMode",
    "nvmlDeviceGetCount_v2",
    "nvmlDeviceGetCpuAffinity",
    "nvmlDeviceGetCudaComputeCapability",
    "nvmlDeviceGetDisplayActive",
    "nvmlDeviceGetDisplayMode",
    "nvmlDeviceGetGspFirmwareMode",
    "nvmlDeviceGetGspFirmwareVersion",
    "nvmlDeviceGetHandleByIndex_v2",
    "nvmlDeviceGetIndex",
    "nvmlDeviceGetMemoryAffinity",
    "nvmlDeviceGetMemoryBusWidth",
    "nvmlDeviceGetMigMode",
    "nvmlDeviceGetName",
    "nvmlDeviceGetNumFans",
    "nvmlDeviceGetNumaNodeId",
    "nvmlDeviceGetNvLinkRemoteDeviceType",
    "nvmlDeviceGetPciInfo_v3",
    "nvmlDeviceGetSerial",
    "nvmlDeviceGetTopologyCommonAncestor",
    "nvmlDeviceGetUUID",
    "nvmlDeviceGetVbiosVersion",
    "nvmlDeviceGetVirtualizationMode",
];

/// The functions of NVML that a text names.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("nvml"))
}

/// The list of processes without the number of its version.
fn unnumbered(function: &str) -> &str {
    let is_list = function.contains("RunningProcesses");
    function.rsplit_once("_v").filter(|_| is_list).map_or(function, |(name, _)| name)
}

/// Takes samples of a board, and tells what was called and which metrics have values.
fn called(preset: &str) -> (BTreeSet<String>, Vec<Metric>) {
    let mut machine = Machine::preset(preset);
    machine.sampled();
    machine.advance(Duration::from_secs(1));
    let sample = machine.sampled();
    let has_value = |metric: &&Metric| {
        sample
            .gpus
            .iter()
            .any(|gpu| gpu.values.instances(**metric).iter().any(|reading| reading.value.is_ok()))
    };
    let known = Metric::ALL.iter().filter(has_value).copied().collect();
    let counts = machine.fake.calls();
    let called = counts.iter().filter(|count| count.count > 0);
    (called.map(|count| unnumbered(&count.function).to_owned()).collect(), known)
}

#[test]
fn only_functions_of_nvml_are_named() {
    for metric in Metric::ALL {
        let text = asks(*metric);
        for function in functions(&text) {
            assert!(Fake::functions_exported().contains(&function), "{function}");
        }
    }
}

#[test]
fn every_function_that_is_called_is_named_by_a_number_or_tells_of_the_gpu_itself() {
    let of_gpus = Metric::ALL.iter().map(|metric| asks(*metric));
    let of_processes = ProcessMetric::ALL.iter().map(|metric| asks_of_process(*metric).to_owned());
    let texts: Vec<_> = of_gpus.chain(of_processes).collect();
    let named: BTreeSet<_> = texts.iter().flat_map(|text| functions(text)).collect();
    for preset in ["h100", "rtx4090"] {
        let (called, _) = called(preset);
        let unknown: Vec<_> = called
            .iter()
            .map(String::as_str)
            .filter(|function| function.starts_with("nvmlDeviceGet"))
            .filter(|function| !named.contains(function) && !OF_IDENTITY.contains(function))
            .collect();
        assert!(called.len() > 20, "{preset}: {called:?}");
        assert_eq!(unknown, [""; 0], "{preset}");
    }
}

#[test]
fn a_number_that_is_there_was_asked_for_by_a_function_that_it_names() {
    for preset in ["h100", "rtx4090"] {
        let (called, known) = called(preset);
        assert!(known.len() > 40, "{preset}: {}", known.len());
        for metric in known {
            let text = asks(metric);
            let asked = functions(&text).any(|function| called.contains(function));
            assert!(asked, "{preset}: {} has a value, but not from {text}", metric.spec().id);
        }
    }
}
