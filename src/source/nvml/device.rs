//! One GPU as its reader calls it: what hangs is seen from outside, and what is not supported is asked for once.

use std::sync::Arc;

use nvml_wrapper_sys::bindings::nvmlGpuFabricInfo_v3_t;

use super::fields::{DriverVersion, FieldLanes};
use super::gpm::Gpm;
use super::mig::GpuInstance;
use super::raw::{
    Failure, Function, Getter, GpmSample, Handle, IndexedGetter, Library, PairGetter, Plain,
    TextGetter, code, function,
};
use super::watch::Watch;
use crate::model::{Absent, Lane};
use crate::source::Clock;

/// What all the answers of one tick together say of the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is there.
    Answers,
    /// It is off the bus.
    Lost,
    /// The driver was unloaded or replaced below us.
    DriverGone,
}

/// One GPU: its handle, and what was learned of it.
pub(super) struct Device {
    library: Arc<Library>,
    handle: Handle,
    clock: Arc<dyn Clock>,
    watch: Arc<Watch>,
    /// Functions that this GPU lacks for as long as the driver stays.
    refused: Vec<(&'static str, u32, Absent)>,
    /// Calls of this tick that gave a value.
    ok: u32,
    /// Calls of this tick that said that the GPU is lost.
    lost: u32,
    /// Calls of this tick that said that the driver is gone.
    gone: u32,
    /// Whether the GPU is in MIG mode, where its own utilisation is not reported.
    pub(super) mig: bool,
    /// Whether the GPU is part of the processor's chip and shares the host's memory.
    pub(super) integrated: bool,
    /// How many fans it has.
    pub(super) fans: Result<u32, Absent>,
    /// How many NVLinks it has.
    pub(super) nvlinks: Result<u16, Absent>,
    /// The version of the driver, where it is known.
    pub(super) driver: Option<DriverVersion>,
    /// What is asked of it by the id of a field.
    pub(super) field_lanes: FieldLanes,
    /// Whether this machine is a virtual one that has a part of the GPU.
    pub(super) is_virtual: bool,
    /// The GPU instances that MIG has made, in the order of their numbers.
    pub(super) gpu_instances: Vec<GpuInstance>,
    /// What its performance counters said before.
    pub(super) gpm: Gpm,
}

impl Device {
    /// A GPU of which only the handle is known.
    pub(super) fn new(
        library: Arc<Library>,
        handle: Handle,
        clock: Arc<dyn Clock>,
        watch: Arc<Watch>,
    ) -> Self {
        Self {
            library,
            handle,
            clock,
            watch,
            refused: Vec::new(),
            ok: 0,
            lost: 0,
            gone: 0,
            mig: false,
            integrated: false,
            fans: Err(Absent::NotReadYet),
            nvlinks: Err(Absent::NotReadYet),
            driver: None,
            field_lanes: FieldLanes::default(),
            is_virtual: false,
            gpu_instances: Vec::new(),
            gpm: Gpm::default(),
        }
    }

    /// Everything is asked for again, also what was not supported.
    pub(super) fn forget_refusals(&mut self) {
        self.refused.clear();
        self.field_lanes = FieldLanes::default();
        self.gpm.forget();
    }

    /// Begins to count anew what the calls of a tick say.
    pub(super) fn begin_tick(&mut self) {
        (self.ok, self.lost, self.gone) = (0, 0, 0);
    }

    /// What the calls since [`Device::begin_tick`] say. One call among others that answers so is that call's trouble.
    pub(super) fn fate(&self) -> Fate {
        match (self.ok, self.lost, self.gone) {
            (0, _, 1..) => Fate::DriverGone,
            (0, 1.., _) => Fate::Lost,
            _ => Fate::Answers,
        }
    }

    /// The calls from now on are made in this lane.
    pub(super) fn enter(&self, lane: Lane) {
        self.watch.enter(lane);
    }

    /// The source's monotonic clock.
    pub(super) fn now_us(&self) -> u64 {
        self.clock.monotonic_us()
    }

    /// A sample for performance counters, still empty.
    pub(super) fn new_gpm_sample(&mut self) -> Result<GpmSample, Absent> {
        let library = self.library.clone();
        self.call_aside("nvmlGpmSampleAlloc", 0, |_, _| GpmSample::new(&library))
    }

    /// The time, in microseconds since 1970.
    pub(super) fn unix_us(&self) -> u64 {
        self.clock.unix_us()
    }

    /// Makes one call, unless it is known to be in vain.
    ///
    /// Only an answer that lasts (no such function, not supported, unknown structure, dropped by the driver) keeps a
    /// call from being made again; everything else may be different at the next tick. `which` tells apart what one
    /// function answers for several of a kind: a GPU without a video clock still has the others.
    pub(super) fn call<T>(
        &mut self,
        function: &'static str,
        which: u32,
        call: impl FnOnce(Handle, &Library) -> Result<T, Failure>,
    ) -> Result<T, Absent> {
        let refused =
            self.refused.iter().find(|refused| (refused.0, refused.1) == (function, which));
        if let Some((_, _, why)) = refused {
            return Err(*why);
        }
        let answer = self.watch.during(&*self.clock, function, || call(self.handle, &self.library));
        self.ok += u32::from(answer.is_ok());
        answer.map_err(|failure| {
            match fate_of(failure) {
                Fate::Answers => {}
                Fate::Lost => self.lost += 1,
                Fate::DriverGone => self.gone += 1,
            }
            let why = absent_for(failure);
            self.watch.failed(function, why);
            if why.lasts() {
                self.refused.push((function, which, why));
            }
            why
        })
    }

    /// Makes a call that may be answered without the GPU: it says nothing about whether the GPU is there.
    pub(super) fn call_aside<T>(
        &mut self,
        function: &'static str,
        which: u32,
        call: impl FnOnce(Handle, &Library) -> Result<T, Failure>,
    ) -> Result<T, Absent> {
        let before = (self.ok, self.lost, self.gone);
        let answer = self.call(function, which, call);
        (self.ok, self.lost, self.gone) = before;
        answer
    }

    /// Makes a call that says nothing of whether the GPU is there, such as one about an event set.
    pub(super) fn aside<T>(
        &self,
        function: &'static str,
        call: impl FnOnce(Handle, &Library) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.watch.during(&*self.clock, function, || call(self.handle, &self.library))
    }

    /// A number; `initial` carries a structure's version where it needs one.
    pub(super) fn get_from<T: Plain>(
        &mut self,
        function: &Function<Getter<T>>,
        initial: T,
    ) -> Result<T, Absent> {
        self.call(function.name, 0, |handle, library| handle.get(library, function, initial))
    }

    /// A number.
    pub(super) fn get<T: Plain>(&mut self, function: &Function<Getter<T>>) -> Result<T, Absent> {
        self.get_from(function, T::zeroed())
    }

    /// A number of several of a kind.
    pub(super) fn get_indexed<T: Plain>(
        &mut self,
        function: &Function<IndexedGetter<T>>,
        index: u32,
    ) -> Result<T, Absent> {
        self.call(function.name, index, |handle, library| {
            handle.get_indexed(library, function, index)
        })
    }

    /// Two numbers.
    pub(super) fn get_pair<T: Plain>(
        &mut self,
        function: &Function<PairGetter<T>>,
    ) -> Result<(T, T), Absent> {
        self.call(function.name, 0, |handle, library| handle.get_pair(library, function))
    }

    /// What the GPU knows of the NVLink fabric, in an older form than the newest.
    pub(super) fn fabric_info(&mut self, version: u32) -> Result<nvmlGpuFabricInfo_v3_t, Absent> {
        let function = &function!(nvmlDeviceGetGpuFabricInfoV);
        let initial = nvmlGpuFabricInfo_v3_t { version, ..nvmlGpuFabricInfo_v3_t::zeroed() };
        self.call(function.name, version, |handle, library| handle.get(library, function, initial))
    }

    /// A text; an empty one is unknown.
    pub(super) fn get_text(&mut self, function: &Function<TextGetter>) -> Result<String, Absent> {
        let text =
            self.call(function.name, 0, |handle, library| handle.get_text(library, function))?;
        if text.is_empty() { Err(Absent::Unknown) } else { Ok(text) }
    }
}

/// What an older function says where the newer one is not to be had.
pub(super) fn or_older<T>(
    newer: Result<T, Absent>,
    older: impl FnOnce() -> Result<T, Absent>,
) -> Result<T, Absent> {
    match newer {
        Err(why) if why.lasts() => match older() {
            Err(Absent::MissingSymbol) => Err(why),
            result => result,
        },
        result => result,
    }
}

/// The reason that a failed call gives for the value that it should have given.
pub(super) fn absent_for(failure: Failure) -> Absent {
    match failure {
        Failure::MissingSymbol | Failure::Code(code::FUNCTION_NOT_FOUND) => Absent::MissingSymbol,
        Failure::Code(code::NOT_SUPPORTED | code::ARGUMENT_VERSION_MISMATCH | code::DEPRECATED) => {
            Absent::NotSupported
        }
        Failure::Code(code::NO_PERMISSION) => Absent::NoPermission,
        Failure::Code(code::GPU_IS_LOST) => Absent::GpuLost,
        Failure::Code(code) => Absent::NvmlError(code),
    }
}

fn fate_of(failure: Failure) -> Fate {
    match failure {
        Failure::Code(code::GPU_IS_LOST) => Fate::Lost,
        Failure::Code(
            code::UNINITIALIZED | code::DRIVER_NOT_LOADED | code::LIB_RM_VERSION_MISMATCH,
        ) => Fate::DriverGone,
        _ => Fate::Answers,
    }
}

#[cfg(test)]
mod tests {
    use super::{Absent, Failure, absent_for, or_older};

    #[test]
    fn only_lasting_answers_are_remembered() {
        let lasts = |failure| absent_for(failure).lasts();
        for code in [3, 13, 25, 26] {
            assert!(lasts(Failure::Code(code)), "{code}");
        }
        assert!(lasts(Failure::MissingSymbol));
        for code in (1..=30).chain([999, 777]).filter(|code| ![3, 13, 25, 26].contains(code)) {
            assert!(!lasts(Failure::Code(code)), "{code}");
        }
    }

    #[test]
    fn every_code_has_a_reason() {
        assert_eq!(absent_for(Failure::Code(4)), Absent::NoPermission);
        assert_eq!(absent_for(Failure::Code(15)), Absent::GpuLost);
        assert_eq!(absent_for(Failure::Code(777)), Absent::NvmlError(777));
    }

    #[test]
    fn the_older_call_is_asked_only_where_the_newer_never_answers() {
        assert_eq!(or_older(Ok(1), || Ok(2)), Ok(1));
        assert_eq!(or_older(Err(Absent::NotSupported), || Ok(2)), Ok(2));
        assert_eq!(or_older(Err(Absent::NoPermission), || Ok(2)), Err(Absent::NoPermission));
        assert_eq!(
            or_older::<u32>(Err(Absent::NotSupported), || Err(Absent::MissingSymbol)),
            Err(Absent::NotSupported)
        );
        assert_eq!(
            or_older::<u32>(Err(Absent::MissingSymbol), || Err(Absent::GpuLost)),
            Err(Absent::GpuLost)
        );
    }
}
