//! The samples of a machine none of whose GPUs is asked: they are left alone, or the driver is being opened.

use super::opening::driver_facts;
use super::sleep::resting_gpu;
use super::{NvmlSource, State, seat};
use crate::model::{Absent, Driver, Gpu, GpuSample, GpuState, Values};
use crate::source::Snapshot;
use crate::source::host::PciAddress;

impl NvmlSource {
    /// The sample of a machine whose GPUs are all left alone, without a call to the driver.
    pub(super) fn resting(&mut self, resting: Vec<(PciAddress, GpuState)>) -> Snapshot {
        let (sysroot, before) = (&self.options.sysroot, &self.inventory.gpus);
        let known = |((address, _), index): (&(PciAddress, _), u32)| {
            resting_gpu(sysroot, *address, index, before)
        };
        let gpus = resting.iter().zip(0..).map(known).collect();
        let loaded = driver_facts(sysroot);
        let was_read = self.inventory.driver.nvml_version.is_ok();
        let driver = if was_read && self.inventory.driver.version == loaded.version {
            self.inventory.driver.clone()
        } else {
            let asleep = || Err(Absent::Asleep);
            Driver {
                nvml_version: asleep(),
                cuda_version: asleep(),
                library: asleep(),
                confidential_compute: Err(Absent::Asleep),
                ..loaded
            }
        };
        self.renew(driver, gpus);
        self.silent(resting.into_iter().map(|(_, state)| state))
    }

    /// A sample in which no GPU says anything, for these are their states.
    fn silent(&mut self, states: impl Iterator<Item = GpuState>) -> Snapshot {
        let now_us = self.now_us();
        let silent = |(gpu, state): (&Gpu, GpuState)| {
            let why = seat::absence(&state).unwrap_or(Absent::NotReadYet);
            GpuSample { state, values: Values::absent(gpu.layout, why, now_us) }
        };
        let gpus: Vec<_> = self.inventory.gpus.iter().zip(states).map(silent).collect();
        let host = self.host.read();
        let why = |gpu: &GpuSample| seat::absence(&gpu.state).unwrap_or(Absent::NotReadYet);
        let listening = gpus.iter().map(|gpu| Err(why(gpu))).collect();
        let events = self.take_events(Vec::new(), listening);
        self.snapshot(host, gpus, Vec::new(), Vec::new(), events)
    }

    /// The sample of GPUs that were there, while the driver is being opened anew.
    pub(super) fn out_of_reach(&mut self) -> Snapshot {
        let now_us = self.now_us();
        let call = match &self.state {
            State::Opening { watch, .. } => watch.in_call(),
            _ => None,
        };
        let state = seat::silent_state(call, call.map_or(now_us, |call| call.since_us), now_us);
        self.silent(std::iter::repeat(state))
    }
}
