//! What has to be asked of links by functions of their own.

use nvml_wrapper_sys::bindings::{nvmlGpuFabricInfo_v2_t, nvmlGpuFabricInfo_v3_t};

use super::device::{Device, or_older};
use super::probes::{Every, Fill, Probe, many, one, pcie_link};
use super::raw::{Plain, function, struct_version};
use crate::model::{Absent, Metric};

/// The probes.
pub(super) const LINKS: [Probe; 2] = [
    one(
        Every::Once,
        &["nvmlDeviceGetGpuMaxPcieLinkGeneration"],
        &[Metric::PcieGpuGenerationMaximum],
        |d| pcie_link(d, |d| d.get(&function!(nvmlDeviceGetGpuMaxPcieLinkGeneration))),
    ),
    many(
        Every::Seconds(10),
        &["nvmlDeviceGetGpuFabricInfoV"],
        &[Metric::FabricState, Metric::FabricHealth],
        fabric,
    ),
];

/// `NVML_GPU_FABRIC_STATE_NOT_SUPPORTED` and `NVML_GPU_FABRIC_HEALTH_SUMMARY_NOT_SUPPORTED`.
const NONE: u32 = 0;

fn fabric(device: &mut Device, fill: &mut Fill<'_>) {
    let mut newer = nvmlGpuFabricInfo_v3_t::zeroed();
    newer.version = struct_version::<nvmlGpuFabricInfo_v3_t>(3);
    let answer = device
        .get_from(&function!(nvmlDeviceGetGpuFabricInfoV), newer)
        .map(|info| (info.state, Ok(u32::from(info.healthSummary))));
    let answer = or_older(answer, || {
        let info = device.fabric_info(struct_version::<nvmlGpuFabricInfo_v2_t>(2))?;
        Ok((info.state, Err(Absent::DriverTooOld)))
    });
    let known = |number: u32| {
        if number == NONE { Err(Absent::NotSupported) } else { Ok(f64::from(number)) }
    };
    fill.put(Metric::FabricState, answer.and_then(|(state, _)| known(u32::from(state))));
    let health = answer.and_then(|(state, health)| known(u32::from(state)).and(health));
    fill.put(Metric::FabricHealth, health.and_then(known));
}
