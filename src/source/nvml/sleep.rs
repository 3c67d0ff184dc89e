//! Which GPUs are left alone so that they can sleep: one that sleeps is not woken, and one that could is let go of.
//!
//! An open NVML keeps a GPU awake, so this looks at files of sysfs alone. A GPU is
//!
//! - **read** while it is awake. Where it may sleep (`power/control` says `auto`, and it drives no display) and has
//!   been idle for [`IDLE_US`] (0 % busy, no processes), it is let go of, once this is so of all that may sleep: NVML
//!   is shut down, and only opened again for GPUs that cannot sleep anyway.
//! - **let go** until it sleeps. It is read again when something else has opened the driver for [`AWAKE_US`].
//! - **asleep** until it wakes, which we had no part in.
//! - **stirring** while it is awake after a sleep. What looks at it for a moment wakes it too, so it is read again only
//!   when it has been awake for [`AWAKE_US`].
//!
//! A single sample has no time to wait: it reads what is awake.

use crate::model::{Absent, Gpu, GpuState, Sysroot};
use crate::source::host::{PciAddress, PciGpu, bound_gpus, driver_use, gpu_information, pci_gpus};

/// A GPU that may sleep is let go of after it was idle for so long.
const IDLE_US: u64 = 10_000_000;
/// A GPU that the user has woken is let go of after so long at the earliest.
const WOKEN_US: u64 = 60_000_000;
/// What is awake for so long, or opened by another program, is in use.
const AWAKE_US: u64 = 2_000_000;
/// How far apart is looked which GPUs there are and which of them may sleep.
const LIST_US: u64 = 10_000_000;

/// One GPU that NVIDIA's driver drives, as the kernel sees it.
struct Sleeper {
    pci: PciGpu,
    stage: Stage,
}

/// How far it is with its sleep; times are those of the source's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Read {
        idle_since_us: Option<u64>,
        /// Until then it is read whatever it does, since the user wants it.
        wanted_until_us: u64,
    },
    LetGo {
        since_us: u64,
    },
    Asleep {
        since_us: u64,
        /// Whether it was asleep already when it was first seen.
        at_least: bool,
    },
    Stirring {
        since_us: u64,
    },
}

const AWAKE: Stage = Stage::Read { idle_since_us: None, wanted_until_us: 0 };

impl Sleeper {
    fn new(pci: PciGpu, now_us: u64) -> Self {
        let asleep = Stage::Asleep { since_us: now_us, at_least: true };
        let stage = if pci.runtime_status.is_asleep() { asleep } else { AWAKE };
        Self { pci, stage }
    }

    /// Looks at its file where that can tell something new. `awake_us` is how long it has to be awake to be read.
    fn look(&mut self, now_us: u64, awake_us: u64) {
        let is_read = matches!(self.stage, Stage::Read { .. });
        if is_read && self.pci.may_suspend == Some(false) {
            return;
        }
        let is_asleep = self.pci.refresh().is_asleep();
        let asleep = Stage::Asleep { since_us: now_us, at_least: false };
        self.stage = match (self.stage, is_asleep) {
            (Stage::Read { wanted_until_us, .. }, true) if now_us < wanted_until_us => self.stage,
            (Stage::Read { .. } | Stage::LetGo { .. } | Stage::Stirring { .. }, true) => asleep,
            (Stage::Asleep { .. }, false) if awake_us > 0 => Stage::Stirring { since_us: now_us },
            (Stage::Asleep { .. }, false) => AWAKE,
            (Stage::Stirring { since_us }, false) if now_us >= since_us + awake_us => AWAKE,
            (stage, _) => stage,
        };
    }

    /// Its state where it is left alone.
    fn rest(&self, now_us: u64) -> Option<GpuState> {
        let age = |since_us| now_us.saturating_sub(since_us);
        match self.stage {
            Stage::Read { .. } => None,
            Stage::LetGo { since_us } | Stage::Stirring { since_us } => {
                Some(GpuState::LetGo { age_us: age(since_us) })
            }
            Stage::Asleep { since_us, at_least } => {
                Some(GpuState::Asleep { age_us: age(since_us), at_least })
            }
        }
    }

    /// Whether it is read and could sleep if it were let go of.
    fn could_sleep(&self) -> bool {
        let is_read = matches!(self.stage, Stage::Read { .. });
        is_read && self.pci.may_suspend == Some(true) && !self.pci.drives_display
    }

    fn has_been_idle(&self, now_us: u64) -> bool {
        match self.stage {
            Stage::Read { idle_since_us: Some(since_us), wanted_until_us } => {
                now_us >= since_us + IDLE_US && now_us >= wanted_until_us
            }
            _ => false,
        }
    }
}

/// All GPUs that NVIDIA's driver drives, as the kernel sees them.
pub(super) struct Dormitory {
    sysroot: Sysroot,
    /// Whether all are read in any case.
    wakes: bool,
    gpus: Vec<Sleeper>,
    /// What the driver's folder listed when it was last looked at.
    bound: Vec<PciAddress>,
    listed_us: Option<u64>,
    /// How often the driver was open at least since a GPU was let go of, and since when it is open more often.
    open: Option<u64>,
    opened_us: Option<u64>,
}

impl Dormitory {
    /// GPUs that were not looked at yet.
    pub(super) fn new(sysroot: Sysroot, wakes: bool) -> Self {
        Self {
            sysroot,
            wakes,
            gpus: Vec::new(),
            bound: Vec::new(),
            listed_us: None,
            open: None,
            opened_us: None,
        }
    }

    /// Looks who sleeps, and now and then who is there; says whether GPUs came or went since the last look.
    ///
    /// In a series (`patient`) a GPU that woke is given time to fall asleep again.
    pub(super) fn look(&mut self, now_us: u64, patient: bool) -> bool {
        let awake_us = if patient { AWAKE_US } else { 0 };
        if !self.wakes {
            self.gpus.iter_mut().for_each(|gpu| gpu.look(now_us, awake_us));
        }
        let is_due = |listed_us| now_us >= listed_us + LIST_US;
        if !self.listed_us.is_none_or(is_due) {
            return false;
        }
        let is_first = self.listed_us.replace(now_us).is_none();
        let bound = bound_gpus(&self.sysroot);
        // An empty folder is a driver that goes, which its GPUs tell better.
        let changed = !is_first && !bound.is_empty() && bound != self.bound;
        if is_first || changed {
            self.list(now_us);
        }
        self.bound = bound;
        for gpu in &mut self.gpus {
            gpu.pci.look_at_power();
        }
        changed
    }

    /// Finds the GPUs; those that were known stay as they were.
    fn list(&mut self, now_us: u64) {
        let mut known = std::mem::take(&mut self.gpus);
        let found = pci_gpus(&self.sysroot).unwrap_or_default();
        let driven = found.into_iter().filter(|gpu| gpu.driver.as_deref() == Some("nvidia"));
        self.gpus = driven
            .map(|pci| match known.iter().position(|gpu| gpu.pci.address == pci.address) {
                Some(position) => Sleeper { pci, ..known.swap_remove(position) },
                None if self.wakes => Sleeper { pci, stage: AWAKE },
                None => Sleeper::new(pci, now_us),
            })
            .collect();
    }

    /// The GPUs are to be found anew at the next look, as after the driver went away.
    pub(super) fn forget_list(&mut self) {
        self.listed_us = None;
    }

    /// The addresses of all GPUs where some are left alone; else nothing, and NVML may attach to all.
    pub(super) fn addresses(&self) -> Option<Vec<PciAddress>> {
        let some_rest = self.gpus.iter().any(|gpu| !matches!(gpu.stage, Stage::Read { .. }));
        some_rest.then(|| self.gpus.iter().map(|gpu| gpu.pci.address).collect())
    }

    /// Each GPU with its state, where all are left alone.
    pub(super) fn all_rest(&self, now_us: u64) -> Option<Vec<(PciAddress, GpuState)>> {
        let resting = |gpu: &Sleeper| Some((gpu.pci.address, gpu.rest(now_us)?));
        let all: Option<Vec<_>> = self.gpus.iter().map(resting).collect();
        all.filter(|all| !all.is_empty())
    }

    /// The state of this GPU where it is left alone.
    pub(super) fn rest_of(&self, address: PciAddress, now_us: u64) -> Option<GpuState> {
        self.gpus.iter().find(|gpu| gpu.pci.address == address)?.rest(now_us)
    }

    /// The user wants to see all GPUs.
    pub(super) fn wake(&mut self, now_us: u64) {
        for gpu in &mut self.gpus {
            gpu.stage = Stage::Read { idle_since_us: None, wanted_until_us: now_us + WOKEN_US };
        }
    }

    /// What a sample says of a GPU: whether it does nothing for anybody.
    pub(super) fn note(&mut self, address: PciAddress, is_idle: bool, now_us: u64) {
        let gpu = self.gpus.iter_mut().find(|gpu| gpu.pci.address == address);
        if let Some(Stage::Read { idle_since_us, .. }) = gpu.map(|gpu| &mut gpu.stage) {
            *idle_since_us = if is_idle { idle_since_us.or(Some(now_us)) } else { None };
        }
    }

    /// Lets go of the GPUs that could sleep, once all of them have been idle; says whether it did.
    ///
    /// One that is busy keeps NVML open, and with it all of them awake.
    pub(super) fn let_go(&mut self, now_us: u64) -> bool {
        let idle = |gpu: &Sleeper| gpu.has_been_idle(now_us);
        let could_sleep = || self.gpus.iter().filter(|gpu| gpu.could_sleep());
        if self.wakes || could_sleep().next().is_none() || !could_sleep().all(idle) {
            return false;
        }
        for gpu in self.gpus.iter_mut().filter(|gpu| gpu.could_sleep()) {
            gpu.stage = Stage::LetGo { since_us: now_us };
        }
        (self.open, self.opened_us) = (None, None);
        true
    }

    /// While NVML is closed: reads GPUs again that were let go of and have not slept since, where another program has
    /// opened the driver. One that had it open before is no news.
    pub(super) fn look_for_use(&mut self, now_us: u64) {
        let is_let_go = |gpu: &Sleeper| matches!(gpu.stage, Stage::LetGo { .. });
        if !self.gpus.iter().any(is_let_go) {
            return;
        }
        let Some(open) = driver_use(&self.sysroot) else { return };
        let least = self.open.map_or(open, |least| least.min(open));
        self.open = Some(least);
        self.opened_us = if open > least { self.opened_us.or(Some(now_us)) } else { None };
        if self.opened_us.is_some_and(|opened_us| now_us >= opened_us + AWAKE_US) {
            for gpu in self.gpus.iter_mut().filter(|gpu| is_let_go(gpu)) {
                gpu.stage = AWAKE;
            }
        }
    }
}

/// A GPU that is left alone and was never read, as far as the kernel driver knows it.
pub(super) fn unread_gpu(sysroot: &Sysroot, address: PciAddress, index: u32) -> Gpu {
    let known = gpu_information(sysroot, address).map_err(|_| Absent::Asleep);
    let asleep = |_| Absent::Asleep;
    Gpu {
        pci_bus_id: Ok(address.to_string()),
        name: known.clone().and_then(|known| known.name.map_err(asleep)),
        uuid: known.clone().and_then(|known| known.uuid.map_err(asleep)),
        vbios_version: known.and_then(|known| known.vbios_version.map_err(asleep)),
        ..Gpu::unknown(index, Absent::Asleep)
    }
}

/// A GPU that is left alone, with what was known of it among `before`.
pub(super) fn resting_gpu(
    sysroot: &Sysroot,
    address: PciAddress,
    index: u32,
    before: &[Gpu],
) -> Gpu {
    let is_it = |gpu: &&Gpu| {
        gpu.pci_bus_id.as_ref().is_ok_and(|id| id.parse() == Ok(address))
            && gpu.serial != Err(Absent::Asleep)
    };
    let known = before.iter().find(is_it).map(|gpu| Gpu { index, ..gpu.clone() });
    known.unwrap_or_else(|| unread_gpu(sysroot, address, index))
}
