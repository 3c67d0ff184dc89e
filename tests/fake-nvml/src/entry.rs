//! The one way into the library: every export goes through here, is counted and logged, meets the
//! faults, and only then is answered.

use std::ffi::c_char;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use nvml_wrapper_sys::bindings::nvmlReturn_t;

use crate::abi::{Handle, Out, Target};
use crate::cast::{self, FromAnswer};
use crate::code::{Answer, Code};
use crate::fault::{self, Circumstances, Effects, glob};
use crate::log::Site;
use crate::metric::Metric;
use crate::scenario::BadText;
use crate::state::{Library, library};
use crate::waveform::Wave;
use crate::world::{Gpu, Instance, World};

/// What CUDA 14 is to drop.
const DROPPED_BY_CUDA_14: &[&str] = &[
    "nvmlDeviceGetTemperature",
    "nvmlDeviceGetCurrentClocksThrottleReasons",
    "nvmlDeviceGetSupportedClocksThrottleReasons",
    "nvmlDeviceGetPowerState",
    "nvmlDeviceGetPowerManagementMode",
    "nvmlDeviceGetViolationStatus",
    "nvmlDeviceGetDetailedEccErrors",
    "nvmlDeviceGetGpuFabricInfo",
    "nvmlDeviceGetNvLinkUtilization*",
    "nvmlDeviceSetNvLinkUtilization*",
    "nvmlDeviceFreezeNvLinkUtilizationCounter",
    "nvmlDeviceResetNvLinkUtilizationCounter",
    "nvmlDevice*ApplicationsClock*",
    "nvmlDeviceGetHandleBySerial",
    "nvmlDeviceSetGpcClkVfOffset",
    "nvmlDeviceSetMemClkVfOffset",
];

/// One call while it is being answered.
pub(crate) struct Call<'a> {
    pub(crate) library: &'static Library,
    pub(crate) world: &'a World,
    pub(crate) now: u64,
    pub(crate) effects: Effects,
    site: &'static Site,
    number: u64,
}

/// A call about a GPU, or about a MIG device on it.
pub(crate) struct GpuCall<'a> {
    base: Call<'a>,
    pub(crate) gpu: &'a Gpu,
    pub(crate) instance: Option<&'a Instance>,
}

impl<'a> Deref for GpuCall<'a> {
    type Target = Call<'a>;

    fn deref(&self) -> &Call<'a> {
        &self.base
    }
}

/// Who may call a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    Init,
}

/// Which handles a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    Gpu,
    GpuOrMig,
    Mig,
}

/// A call that is about no GPU.
pub(crate) fn system(
    site: &'static Site,
    needs: Needs,
    body: impl FnOnce(&Call<'_>) -> Answer,
) -> nvmlReturn_t {
    guarded(|| enter(site, needs, |_| None, |call| call.faultless().and_then(|()| body(&call))))
}

/// A call with a device handle.
pub(crate) fn device(
    site: &'static Site,
    handle: Handle,
    accepts: Accepts,
    body: impl FnOnce(&GpuCall<'_>) -> Answer,
) -> nvmlReturn_t {
    let target = Target::of(handle);
    let gpu = target.map(|target| target.gpu);
    guarded(|| {
        enter(
            site,
            Needs::Init,
            |_| gpu,
            |call| {
                let (gpu, instance) = find(&call, handle, target)?;
                standing(&call, gpu)?;
                let refused = match accepts {
                    Accepts::Gpu => instance.is_some(),
                    Accepts::GpuOrMig => false,
                    Accepts::Mig => instance.is_none(),
                };
                let without = |pattern: &String| glob(pattern, site.name);
                if refused || gpu.spec.unsupported.iter().any(without) {
                    return Err(Code::NOT_SUPPORTED);
                }
                body(&GpuCall { base: call, gpu, instance })
            },
        )
    })
}

/// A call that asks for a handle; `find` tells the GPU and, for a MIG device, its slot.
pub(crate) fn lookup(
    site: &'static Site,
    out: Out<Handle>,
    find: impl Fn(&World) -> Answer<(u32, Option<u32>)>,
) -> nvmlReturn_t {
    let known = |world: &World| find(world).ok().map(|(gpu, _)| gpu);
    guarded(|| {
        enter(site, Needs::Init, known, |call| {
            let (index, slot) = find(call.world)?;
            let gpu = call.world.gpus.iter().find(|gpu| gpu.index == index);
            let gpu = gpu.ok_or(Code::INVALID_ARGUMENT)?;
            standing(&call, gpu)?;
            out.put(call.handle(gpu, slot))
        })
    })
}

/// No panic may cross into C.
fn guarded(answer: impl FnOnce() -> nvmlReturn_t) -> nvmlReturn_t {
    catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| {
        library().log.violation("the fake library itself panicked".to_owned());
        Code::UNKNOWN.0
    })
}

fn enter(
    site: &'static Site,
    needs: Needs,
    gpu: impl FnOnce(&World) -> Option<u32>,
    body: impl FnOnce(Call<'_>) -> Answer,
) -> nvmlReturn_t {
    let library = library();
    let now = library.clock.now();
    let world = library.world();
    let gpu = gpu(&world);
    let number = site.count(&library.log, gpu);
    let effects = fault::effects(&world.faults, circumstances(&world, site, gpu, now, number));
    // A call that waits must not keep others from changing the scenario.
    let world = if effects.hang || effects.latency_us > 0 {
        drop(world);
        wait(library, &effects);
        library.world()
    } else {
        world
    };
    let now_after = library.clock.now();
    let call = Call { library, world: &world, now: now_after, effects, site, number };
    let code = Code::of(call.admitted(needs).and_then(|()| body(call)));
    if world.lib.log {
        library.log.call(now, site.name, gpu, code);
    }
    library.report_calls(false);
    code
}

fn circumstances<'a>(
    world: &World,
    site: &'a Site,
    gpu: Option<u32>,
    now: u64,
    number: u64,
) -> Circumstances<'a> {
    Circumstances { function: site.name, gpu, field: None, now, seed: world.lib.seed, number }
}

fn wait(library: &Library, effects: &Effects) {
    if effects.latency_real || library.clock.is_real() {
        std::thread::sleep(Duration::from_micros(effects.latency_us));
    }
    if effects.hang {
        library.gate.wait();
    }
}

/// The GPU and MIG device behind a handle; a bad handle breaks the rules.
fn find<'a>(
    call: &Call<'a>,
    handle: Handle,
    target: Option<Target>,
) -> Answer<(&'a Gpu, Option<&'a Instance>)> {
    let broken = |what: &str| {
        let name = call.site.name;
        call.library.log.violation(format!("{name}: {what} handle {:#x}", handle.addr()));
        Code::INVALID_ARGUMENT
    };
    let target = target.ok_or_else(|| broken("invalid"))?;
    let gpu = call.world.gpus.iter().find(|gpu| gpu.index == target.gpu);
    let gpu = gpu.ok_or_else(|| broken("stale"))?;
    if call.world.generation_of(gpu, call.now) != target.generation {
        return Err(broken("stale"));
    }
    let instance = target.slot.map(|slot| gpu.instance(slot).ok_or_else(|| broken("stale MIG")));
    Ok((gpu, instance.transpose()?))
}

/// Whether the GPU is there, and lets this call through.
fn standing(call: &Call<'_>, gpu: &Gpu) -> Answer {
    if gpu.lost_at(call.now) {
        return Err(Code::GPU_IS_LOST);
    }
    call.faultless()
}

impl Call<'_> {
    /// What stands in the way of any call: the library, the driver, the caller's own order.
    fn admitted(&self, needs: Needs) -> Answer {
        let (name, lib) = (self.site.name, &self.world.lib);
        if lib.missing.iter().any(|missing| missing == name) {
            return Err(Code::FUNCTION_NOT_FOUND);
        }
        let dropped = lib.cuda14 && DROPPED_BY_CUDA_14.iter().any(|pattern| glob(pattern, name));
        if dropped || lib.deprecated.iter().any(|pattern| glob(pattern, name)) {
            return Err(Code::DEPRECATED);
        }
        if needs == Needs::Init { self.initialised() } else { Ok(()) }
    }

    /// The code that a fault answers with, if one does.
    fn faultless(&self) -> Answer {
        self.effects.code.map_or(Ok(()), |code| Err(Code(code)))
    }

    fn initialised(&self) -> Answer {
        let init = &self.library.init;
        if init.count.load(Ordering::Acquire) == 0 {
            self.break_rule("without a library that is initialised");
            return Err(Code::UNINITIALIZED);
        }
        if self.driver_is_down() {
            return Err(Code::DRIVER_NOT_LOADED);
        }
        if init.epoch.load(Ordering::Acquire) == self.world.epoch(self.now) {
            return Ok(());
        }
        let reload = self.world.last_reload(self.now);
        let upgraded = reload.is_some_and(|reload| reload.driver.is_some());
        Err(if upgraded { Code::LIB_RM_VERSION_MISMATCH } else { Code::UNINITIALIZED })
    }

    /// Records that the caller did what a monitor must not do.
    pub(crate) fn break_rule(&self, what: &str) {
        self.library.log.violation(format!("{}: {what}", self.site.name));
    }

    pub(crate) fn driver_is_down(&self) -> bool {
        let reload = self.world.last_reload(self.now);
        !self.world.loaded || reload.is_some_and(|reload| self.now < reload.to)
    }

    pub(crate) fn handle(&self, gpu: &Gpu, slot: Option<u32>) -> Handle {
        let generation = self.world.generation_of(gpu, self.now);
        Target { generation, gpu: gpu.index, slot }.to_handle()
    }

    /// A number of the answer, unless a fault puts another in its place.
    pub(crate) fn or_fault(&self, number: i64) -> i64 {
        self.effects.value.unwrap_or(number)
    }

    /// A number that a scenario may leave out.
    pub(crate) fn fixed(&self, number: Option<impl Into<i64>>) -> Answer<i64> {
        let number = self.effects.value.or(number.map(Into::into));
        number.ok_or(Code::NOT_SUPPORTED)
    }

    /// Writes a text, ended by a NUL unless a fault has it otherwise.
    pub(crate) fn text(&self, out: Out<c_char>, length: u32, text: &str) -> Answer {
        if out.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        let length = usize::try_from(length).unwrap_or(0);
        let bytes = self.bytes_of(text, length);
        if bytes.len() > length {
            return Err(Code::INSUFFICIENT_SIZE);
        }
        for (i, byte) in bytes.into_iter().enumerate() {
            out.at(i).put(c_char::from_ne_bytes([byte]))?;
        }
        Ok(())
    }

    fn bytes_of(&self, text: &str, length: usize) -> Vec<u8> {
        let effects = &self.effects;
        let text = effects.text_literal.as_deref().unwrap_or(text);
        let mut bytes = match effects.text {
            None => text.as_bytes().to_vec(),
            Some(BadText::NoNul) => return vec![b'A'; length],
            Some(BadText::InvalidUtf8) => b"NVIDIA \xff\xfe\xc3\x28 GPU".to_vec(),
            Some(BadText::Escape) => b"NVIDIA \x1b[2J\x1b]0;title\x07\r\nGPU\x9b1m".to_vec(),
            Some(BadText::Bidi) => "NVIDIA \u{202e}UPG\u{2066} \u{200b}GPU".as_bytes().to_vec(),
            Some(BadText::Empty) => Vec::new(),
            Some(BadText::Long) => vec![b'W'; length.saturating_sub(1)],
        };
        bytes.push(0);
        bytes
    }
}

impl GpuCall<'_> {
    fn seconds(&self) -> (f64, f64) {
        let origin = self.world.origin(self.now);
        (origin as f64 / 1e6, self.now as f64 / 1e6)
    }

    /// A metric as it is now.
    pub(crate) fn gauge(&self, metric: Metric) -> Answer<f64> {
        let (origin, t) = self.seconds();
        self.gpu.metrics.value(metric, origin, t).ok_or(Code::NOT_SUPPORTED)
    }

    /// A metric as it is now, in whole numbers, unless a fault says otherwise.
    pub(crate) fn number(&self, metric: Metric) -> Answer<i64> {
        match self.effects.value {
            Some(value) => Ok(value),
            None => self.gauge(metric).map(cast::whole),
        }
    }

    /// A metric as it was at another time.
    pub(crate) fn number_at(&self, metric: Metric, at: u64) -> Answer<i64> {
        let (origin, _) = self.seconds();
        let value = self.gpu.metrics.value(metric, origin, at as f64 / 1e6);
        Ok(self.or_fault(cast::whole(value.ok_or(Code::NOT_SUPPORTED)?)))
    }

    /// A metric summed up since the driver was loaded, times `scale`.
    pub(crate) fn total(&self, metric: Metric, scale: f64) -> Answer<i64> {
        let (origin, t) = self.seconds();
        let total = self.gpu.metrics.integral(metric, origin, t).ok_or(Code::NOT_SUPPORTED)?;
        Ok(self.or_fault(cast::whole(total * scale)))
    }

    /// A wave of its own, such as the memory of a process.
    pub(crate) fn wave(&self, wave: &Wave, salt: u64, at: u64) -> i64 {
        cast::whole(self.gpu.metrics.free(wave, salt, at as f64 / 1e6))
    }

    /// What the faults make of one field id.
    pub(crate) fn field_effects(&self, field: u32) -> Effects {
        let gpu = Some(self.gpu.index);
        let call = circumstances(self.world, self.site, gpu, self.now, self.number);
        fault::effects(&self.world.faults, Circumstances { field: Some(field), ..call })
    }
}

/// Writes an answer in the width that C expects.
pub(crate) fn put<T: FromAnswer + Copy>(out: Out<T>, answer: i64) -> Answer {
    out.put(T::from_answer(answer))
}
