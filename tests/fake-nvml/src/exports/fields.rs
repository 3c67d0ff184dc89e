//! nvmlDeviceGetFieldValues: numbers by id, of which each driver knows its own.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::c_int;

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use super::nvlink::{is_up, links};
use super::power::{Limit, power_limit};
use crate::abi::Out;
use crate::cast::{self, FromAnswer as _};
use crate::code::{Answer, Code, SUCCESS};
use crate::entry::GpuCall;
use crate::metric::Metric;
use crate::scenario::{C2cSpec, TLimitSpec};

exports! {
    device fn nvmlDeviceGetFieldValues(count: c_int, values: Out<sys::nvmlFieldValue_t>) |call| {
        let count = usize::try_from(count).map_err(|_| Code::INVALID_ARGUMENT)?;
        if count == 0 || values.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        (0..count).try_for_each(|i| fill(call, values.at(i)))
    }
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// A metric as it is now.
    Now(Metric),
    /// A metric summed up over time, times a factor.
    Total(Metric, f64),
    /// The same for one link, or for all of them together.
    LinkTotal(Generation, Metric, f64),
    /// The errors of one link.
    LinkErrors(Generation),
    /// The errors of all links of a GPU up to Hopper.
    AllErrors,
    LinkSpeed,
    LinkState,
    LinkVersion,
    LinkCount,
    PowerLimit(Limit),
    TLimit(fn(TLimitSpec) -> Option<i32>),
    EccMode,
    C2c(fn(C2cSpec) -> u32),
    /// Known to the driver, but not on these GPUs.
    Nothing,
}

/// Which NVLinks have a field: those up to version 4 or those from 5 on, which came with Blackwell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Generation {
    UpTo4,
    From5,
}

use Generation::{From5, UpTo4};
use Origin::{
    AllErrors, C2c, EccMode, LinkCount, LinkErrors, LinkSpeed, LinkState, LinkTotal, LinkVersion,
    Nothing, Now, PowerLimit, TLimit, Total,
};

const NS: f64 = 1e9;
const KIB: f64 = 1.0 / 1024.0;

/// What kind of C number a field is told as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Signed,
    Long,
}

use Type::{Int, Long, Signed};

/// The branch of the driver that first knew a field, as major and minor version.
type Since = (u32, u32);

/// The fields whose ids never moved: ids, first driver, type, source.
const FIELDS: &[(u32, Since, Type, Origin)] = &[
    (1, (0, 0), Int, EccMode),
    (2, (0, 0), Int, EccMode),
    (3, (0, 0), Long, Now(Metric::EccCorrected)),
    (4, (0, 0), Long, Now(Metric::EccUncorrected)),
    (5, (0, 0), Long, Now(Metric::EccCorrected)),
    (6, (0, 0), Long, Now(Metric::EccUncorrected)),
    (29, (0, 0), Int, Now(Metric::RetiredPages)),
    (30, (0, 0), Int, Now(Metric::RetiredPages)),
    (31, (0, 0), Int, Now(Metric::RetiredPending)),
    (38, (0, 0), Long, AllErrors),
    (45, (0, 0), Long, AllErrors),
    (52, (0, 0), Long, AllErrors),
    (59, (0, 0), Long, AllErrors),
    (74, (0, 0), Long, Total(Metric::LimitedPower, NS)),
    (75, (0, 0), Long, Total(Metric::LimitedThermal, NS)),
    (76, (0, 0), Long, Total(Metric::LimitedSyncBoost, NS)),
    (77, (0, 0), Long, Total(Metric::LimitedBoard, NS)),
    (78, (0, 0), Long, Total(Metric::LimitedLowUtil, NS)),
    (79, (0, 0), Long, Total(Metric::LimitedReliability, NS)),
    (80, (0, 0), Long, Nothing),
    (81, (0, 0), Long, Total(Metric::LimitedBaseClocks, NS)),
    (82, (0, 0), Int, Now(Metric::MemoryTemperature)),
    (83, (0, 0), Long, Now(Metric::Energy)),
    (90, (0, 0), Int, LinkSpeed),
    (91, (0, 0), Int, LinkCount),
    (94, (0, 0), Int, Now(Metric::PcieReplay)),
    (95, (0, 0), Int, Now(Metric::PcieReplay)),
    (138, (470, 0), Long, LinkTotal(UpTo4, Metric::NvlinkTx, KIB)),
    (139, (470, 0), Long, LinkTotal(UpTo4, Metric::NvlinkRx, KIB)),
    (140, (470, 0), Long, LinkTotal(UpTo4, Metric::NvlinkTx, KIB * 1.0625)),
    (141, (470, 0), Long, LinkTotal(UpTo4, Metric::NvlinkRx, KIB * 1.0625)),
    (142, (450, 0), Int, Now(Metric::RemappedCorrected)),
    (143, (450, 0), Int, Now(Metric::RemappedUncorrected)),
    (144, (450, 0), Int, Now(Metric::RemapPending)),
    (145, (450, 0), Int, Now(Metric::RemapFailed)),
    (161, (510, 0), Long, LinkErrors(UpTo4)),
    (162, (510, 0), Long, LinkErrors(UpTo4)),
    (163, (510, 0), Long, LinkErrors(UpTo4)),
    (164, (520, 0), Int, LinkSpeed),
    (165, (520, 0), Int, LinkState),
    (166, (520, 0), Int, LinkVersion),
    (169, (525, 0), Int, Now(Metric::PcieReplay)),
    (170, (535, 0), Int, C2c(|c2c| c2c.links)),
    (171, (535, 0), Int, C2c(|_| 1)),
    (172, (535, 0), Int, C2c(|c2c| c2c.speed)),
    (173, (535, 0), Int, Now(Metric::PcieCorrectable)),
    (174, (535, 0), Int, Now(Metric::PcieNak)),
    (176, (535, 0), Int, Now(Metric::PcieBadTlp)),
    (177, (535, 0), Int, Now(Metric::PcieNak)),
    (179, (535, 0), Int, Now(Metric::PcieNonFatal)),
    (180, (535, 0), Int, Now(Metric::PcieFatal)),
    (185, (535, 0), Int, Now(Metric::Power)),
    (186, (535, 0), Int, Now(Metric::PowerInstant)),
    (187, (535, 0), Int, PowerLimit(Limit::Min)),
    (188, (535, 0), Int, PowerLimit(Limit::Max)),
    (189, (535, 0), Int, PowerLimit(Limit::Default)),
    (190, (535, 0), Int, PowerLimit(Limit::Enforced)),
    (191, (535, 0), Long, Now(Metric::Energy)),
    (192, (535, 0), Int, PowerLimit(Limit::Current)),
    (193, (535, 0), Signed, TLimit(|limit| limit.shutdown)),
    (194, (535, 0), Signed, TLimit(|limit| limit.slowdown)),
    (195, (535, 0), Signed, TLimit(|limit| limit.memory_max)),
    (196, (535, 0), Signed, TLimit(|limit| limit.gpu_max)),
    (197, (555, 0), Long, Total(Metric::PcieTx, 1.0)),
    (198, (555, 0), Long, Total(Metric::PcieRx, 1.0)),
    (202, (560, 0), Long, LinkTotal(From5, Metric::NvlinkTx, 1.0)),
    (204, (560, 0), Long, LinkTotal(From5, Metric::NvlinkRx, 1.0)),
    (208, (560, 0), Long, LinkErrors(From5)),
    (215, (560, 0), Long, LinkErrors(From5)),
    (230, (570, 0), Int, Now(Metric::RecoveryAction)),
];

/// The clock-event counters, in the order of the ids that moved from driver to driver.
const MOVED: &[Origin] = &[
    Total(Metric::LimitedThermal, NS),
    Total(Metric::LimitedHwThermal, NS),
    Total(Metric::LimitedPowerBrake, NS),
];

/// Scopes of power and energy: the GPU, or the module that a CPU shares.
const MODULE: u32 = 1;
/// Stands for all links together.
const ALL_LINKS: u32 = u32::MAX;

fn fill(call: &GpuCall<'_>, out: Out<sys::nvmlFieldValue_t>) -> Answer {
    let mut field = out.get()?;
    let effects = call.field_effects(field.fieldId);
    let answer = match (effects.code, effects.value) {
        (Some(code), _) => Err(Code(code)),
        (None, value) => read(call, field.fieldId, field.scopeId)
            .map(|(kind, number)| (kind, value.unwrap_or(number))),
    };
    field.timestamp = cast::answer(call.library.timestamp(call.world, call.now));
    field.latencyUsec = cast::answer(effects.latency_us);
    field.nvmlReturn = answer.map_or_else(|Code(code)| code, |_| SUCCESS);
    if let Ok((kind, number)) = answer {
        // The whole union first, so that a reader of another width sees no old bytes.
        field.value = sys::nvmlValue_t { ullVal: 0 };
        (field.valueType, field.value) = match kind {
            Int => (
                sys::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT,
                sys::nvmlValue_t { ullVal: u32::from_answer(number).into() },
            ),
            Signed => (
                sys::nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_INT,
                sys::nvmlValue_t { sllVal: i32::from_answer(number).into() },
            ),
            Long => (
                sys::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG_LONG,
                sys::nvmlValue_t { ullVal: u64::from_answer(number) },
            ),
        };
    }
    out.put(field)
}

fn read(call: &GpuCall<'_>, id: u32, scope: u32) -> Answer<(Type, i64)> {
    let driver = version_of(call.world.driver(call.now));
    let (kind, source) = source_of(driver, id)?;
    if scope == MODULE && matches!(id, 83 | 185 | 186 | 191) {
        return module(call, id).map(|number| (kind, number));
    }
    let number = match source {
        Now(metric) => call.number(metric),
        Total(metric, scale) => call.total(metric, scale),
        LinkTotal(generation, metric, scale) => {
            if generation == From5 && scope == ALL_LINKS {
                return Err(Code::INVALID_ARGUMENT);
            }
            of_generation(call, generation)?;
            link_total(call, metric, scale, scope)
        }
        LinkErrors(generation) => {
            links(call, scope)?;
            of_generation(call, generation)?;
            call.number(Metric::NvlinkErrors)
        }
        AllErrors => {
            of_generation(call, UpTo4)?;
            call.number(Metric::NvlinkErrors)
        }
        LinkSpeed => links(call, if id == 90 { 0 } else { scope }).map(|links| links.speed.into()),
        LinkState => links(call, scope).map(|links| is_up(links, scope).into()),
        LinkVersion => links(call, scope).map(|links| links.version.into()),
        LinkCount => call.fixed(call.gpu.spec.nvlink.map(|links| links.links)),
        PowerLimit(limit) => power_limit(call, limit),
        TLimit(of) => call.fixed(of(call.gpu.spec.t_limit)),
        C2c(of) => call.fixed(call.gpu.spec.c2c.map(of)),
        EccMode => call.fixed(call.gpu.spec.ecc),
        Nothing => Err(Code::NOT_SUPPORTED),
    };
    Ok((kind, call.or_fault(number?)))
}

/// What a driver takes an id for.
fn source_of(driver: Since, id: u32) -> Answer<(Type, Origin)> {
    let moved = match driver {
        (..575, _) => None,
        (575..580, _) | (580, ..82) => id.checked_sub(251),
        _ => id.checked_sub(269),
    };
    let moved = moved.and_then(|at| MOVED.get(usize::try_from(at).ok()?));
    if let Some(source) = moved {
        return Ok((Long, *source));
    }
    match FIELDS.iter().find(|(known, ..)| *known == id) {
        Some((_, since, kind, source)) if *since <= driver => Ok((*kind, *source)),
        // An id that the driver has, but not for these GPUs.
        None if id != 0 && id < last_id(driver) => Err(Code::NOT_SUPPORTED),
        _ => Err(Code::INVALID_ARGUMENT),
    }
}

/// The first id that a driver has never heard of.
fn last_id(driver: Since) -> u32 {
    match driver {
        (..510, _) => 148,
        (..535, _) => 173,
        (..555, _) => 200,
        (..570, _) => 206,
        (..575, _) => 269,
        _ => 274,
    }
}

fn version_of(driver: &str) -> Since {
    let mut parts = driver.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

fn module(call: &GpuCall<'_>, id: u32) -> Answer<i64> {
    match id {
        185 | 186 => call.number(Metric::ModulePower),
        _ => call.total(Metric::ModulePower, 1.0),
    }
}

/// NVML's number of NVLink 5.0.
const NVLINK_5: u32 = 7;

/// Fails where the links of the GPU have other fields.
fn of_generation(call: &GpuCall<'_>, generation: Generation) -> Answer<()> {
    let links = links(call, 0)?;
    let own = if links.version < NVLINK_5 { UpTo4 } else { From5 };
    if own == generation { Ok(()) } else { Err(Code::NOT_SUPPORTED) }
}

fn link_total(call: &GpuCall<'_>, metric: Metric, scale: f64, link: u32) -> Answer<i64> {
    if link != ALL_LINKS {
        let links = links(call, link)?;
        return call.total(metric, if is_up(links, link) { scale } else { 0.0 });
    }
    let links = links(call, 0)?;
    call.total(metric, scale * f64::from(links.active.unwrap_or(links.links)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_counter(driver: &str, id: u32) -> bool {
        matches!(source_of(version_of(driver), id), Ok((Long, Total(Metric::LimitedThermal, _))))
    }

    #[test]
    fn the_ids_that_moved() {
        for (driver, id) in
            [("575.51.03", 251), ("580.65.06", 251), ("580.82.07", 269), ("590.48", 269)]
        {
            assert!(is_counter(driver, id), "{driver}");
            assert!(!is_counter(driver, 520 - id), "{driver}");
        }
        assert!(!is_counter("570.124", 251) && !is_counter("570.124", 269));
    }

    #[test]
    fn an_old_driver_knows_no_new_ids() {
        assert_eq!(source_of((470, 82), 186).err(), Some(Code::INVALID_ARGUMENT));
        assert!(source_of((470, 82), 82).is_ok());
        assert!(source_of((535, 104), 186).is_ok());
        assert_eq!(source_of((535, 104), 9).err(), Some(Code::NOT_SUPPORTED));
    }
}
