//! The ids of fields, which have changed from driver to driver although NVIDIA's header promises that they never do.

use std::fmt;

use crate::model::Absent;

/// The first two numbers of a driver's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::source::nvml) struct DriverVersion(u32, u32);

impl DriverVersion {
    /// Reads `580.95.05`; `None` for a text that does not begin with two numbers.
    pub(in crate::source::nvml) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        let mut number = || parts.next()?.parse().ok();
        Some(Self(number()?, number()?))
    }
}

/// Declares [`Field`] from one row per field: variant, and the id and the name that the newest header gives it.
macro_rules! fields {
    ($( $(#[doc = $doc:literal])* $variant:ident = $id:literal, $name:ident; )+) => {
        /// A field of `nvmlDeviceGetFieldValues`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field { $( $(#[doc = $doc])* $variant, )+ }

        impl Field {
            #[cfg(test)]
            const ALL: &[Self] = &[$( Self::$variant ),+];

            /// What the header of the bindings, which is not the newest, gives each name as its id.
            #[cfg(test)]
            const IN_THE_BINDINGS: &[(Self, u32)] =
                &[$( (Self::$variant, nvml_wrapper_sys::bindings::field_id::$name) ),+];

            /// The id in the newest header.
            const fn newest_id(self) -> u32 {
                match self { $( Self::$variant => $id, )+ }
            }

            /// NVML's name of it.
            const fn name(self) -> &'static str {
                match self { $( Self::$variant => stringify!($name), )+ }
            }
        }
    };
}

fields! {
    EccCurrent = 1, NVML_FI_DEV_ECC_CURRENT;
    EccPending = 2, NVML_FI_DEV_ECC_PENDING;
    EccCorrectedVolatile = 3, NVML_FI_DEV_ECC_SBE_VOL_TOTAL;
    EccUncorrectedVolatile = 4, NVML_FI_DEV_ECC_DBE_VOL_TOTAL;
    EccCorrectedAggregate = 5, NVML_FI_DEV_ECC_SBE_AGG_TOTAL;
    EccUncorrectedAggregate = 6, NVML_FI_DEV_ECC_DBE_AGG_TOTAL;
    RetiredCorrected = 29, NVML_FI_DEV_RETIRED_SBE;
    RetiredUncorrected = 30, NVML_FI_DEV_RETIRED_DBE;
    RetiredPending = 31, NVML_FI_DEV_RETIRED_PENDING;
    NvLinkCrcFlitErrors = 38, NVML_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL;
    NvLinkCrcDataErrors = 45, NVML_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL;
    NvLinkReplays = 52, NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL;
    NvLinkRecoveries = 59, NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL;
    LimitedBySwPowerCap = 74, NVML_FI_DEV_CLOCKS_EVENT_REASON_SW_POWER_CAP;
    LimitedByThermal = 75, NVML_FI_DEV_PERF_POLICY_THERMAL;
    LimitedBySyncBoost = 76, NVML_FI_DEV_CLOCKS_EVENT_REASON_SYNC_BOOST;
    LimitedByBoard = 77, NVML_FI_DEV_PERF_POLICY_BOARD_LIMIT;
    LimitedByLowUtilization = 78, NVML_FI_DEV_PERF_POLICY_LOW_UTILIZATION;
    LimitedByReliability = 79, NVML_FI_DEV_PERF_POLICY_RELIABILITY;
    LimitedByBaseClocks = 81, NVML_FI_DEV_PERF_POLICY_TOTAL_BASE_CLOCKS;
    MemoryTemperature = 82, NVML_FI_DEV_MEMORY_TEMP;
    Energy = 83, NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION;
    NvLinkCount = 91, NVML_FI_DEV_NVLINK_LINK_COUNT;
    PcieReplays = 94, NVML_FI_DEV_PCIE_REPLAY_COUNTER;
    NvLinkDataSent = 138, NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX;
    NvLinkDataReceived = 139, NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX;
    RemappedCorrected = 142, NVML_FI_DEV_REMAPPED_COR;
    RemappedUncorrected = 143, NVML_FI_DEV_REMAPPED_UNC;
    RemappedPending = 144, NVML_FI_DEV_REMAPPED_PENDING;
    RemappedFailure = 145, NVML_FI_DEV_REMAPPED_FAILURE;
    NvLinkReplaysOfLink = 161, NVML_FI_DEV_NVLINK_ERROR_DL_REPLAY;
    NvLinkRecoveriesOfLink = 162, NVML_FI_DEV_NVLINK_ERROR_DL_RECOVERY;
    NvLinkCrcOfLink = 163, NVML_FI_DEV_NVLINK_ERROR_DL_CRC;
    NvLinkSpeed = 164, NVML_FI_DEV_NVLINK_GET_SPEED;
    NvLinkState = 165, NVML_FI_DEV_NVLINK_GET_STATE;
    NvLinkVersion = 166, NVML_FI_DEV_NVLINK_GET_VERSION;
    PcieLinkRecoveries = 169, NVML_FI_DEV_PCIE_L0_TO_RECOVERY_COUNTER;
    C2cLinkCount = 170, NVML_FI_DEV_C2C_LINK_COUNT;
    C2cStatus = 171, NVML_FI_DEV_C2C_LINK_GET_STATUS;
    C2cBandwidth = 172, NVML_FI_DEV_C2C_LINK_GET_MAX_BW;
    PcieCorrectableErrors = 173, NVML_FI_DEV_PCIE_COUNT_CORRECTABLE_ERRORS;
    PcieNaksReceived = 174, NVML_FI_DEV_PCIE_COUNT_NAKS_RECEIVED;
    PcieBadTlps = 176, NVML_FI_DEV_PCIE_COUNT_BAD_TLP;
    PcieNaksSent = 177, NVML_FI_DEV_PCIE_COUNT_NAKS_SENT;
    PcieNonFatalErrors = 179, NVML_FI_DEV_PCIE_COUNT_NON_FATAL_ERROR;
    PcieFatalErrors = 180, NVML_FI_DEV_PCIE_COUNT_FATAL_ERROR;
    PowerAverage = 185, NVML_FI_DEV_POWER_AVERAGE;
    PowerInstant = 186, NVML_FI_DEV_POWER_INSTANT;
    ShutdownTLimit = 193, NVML_FI_DEV_TEMPERATURE_SHUTDOWN_TLIMIT;
    SlowdownTLimit = 194, NVML_FI_DEV_TEMPERATURE_SLOWDOWN_TLIMIT;
    MemoryMaximumTLimit = 195, NVML_FI_DEV_TEMPERATURE_MEM_MAX_TLIMIT;
    GpuMaximumTLimit = 196, NVML_FI_DEV_TEMPERATURE_GPU_MAX_TLIMIT;
    NvLinkBytesSent = 202, NVML_FI_DEV_NVLINK_COUNT_XMIT_BYTES;
    NvLinkBytesReceived = 204, NVML_FI_DEV_NVLINK_COUNT_RCV_BYTES;
    NvLinkReceiveErrors = 208, NVML_FI_DEV_NVLINK_COUNT_RCV_ERRORS;
    NvLinkRecoveryEvents = 215, NVML_FI_DEV_NVLINK_COUNT_LINK_RECOVERY_EVENTS;
    RecoveryAction = 230, NVML_FI_DEV_GET_GPU_RECOVERY_ACTION;
    LimitedBySwThermal = 269, NVML_FI_DEV_CLOCKS_EVENT_REASON_SW_THERM_SLOWDOWN;
    LimitedByHwThermal = 270, NVML_FI_DEV_CLOCKS_EVENT_REASON_HW_THERM_SLOWDOWN;
    LimitedByPowerBrake = 271, NVML_FI_DEV_CLOCKS_EVENT_REASON_HW_POWER_BRAKE_SLOWDOWN;
}

/// NVML's name, and the id in the newest header.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.newest_id())
    }
}

/// The first driver with an id, and the id; `None` before the driver knew the field.
type Since = (DriverVersion, Option<u32>);

/// The ids that moved, oldest driver first.
fn moved(field: Field) -> Option<[Since; 3]> {
    let newest = field.newest_id();
    let since_575 = match field {
        Field::LimitedBySwThermal => 251,
        Field::LimitedByHwThermal => 252,
        Field::LimitedByPowerBrake => 253,
        _ => return None,
    };
    Some([
        (DriverVersion(0, 0), None),
        (DriverVersion(575, 0), Some(since_575)),
        (DriverVersion(580, 82), Some(newest)),
    ])
}

/// The id to ask a driver for.
///
/// # Errors
/// Why the driver must not be asked: it is too old for a field whose number meant another one, or its version, which
/// would tell the number, is not known.
pub(super) fn id_for(driver: Option<DriverVersion>, field: Field) -> Result<u32, Absent> {
    let Some(moved) = moved(field) else { return Ok(field.newest_id()) };
    let driver = driver.ok_or(Absent::Unknown)?;
    let known = moved.iter().rev().find(|(since, _)| *since <= driver);
    known.and_then(|(_, id)| *id).ok_or(Absent::DriverTooOld)
}

#[cfg(test)]
mod tests {
    use super::{Absent, DriverVersion, Field, id_for};
    use std::collections::BTreeSet;

    const MOVED: [Field; 3] =
        [Field::LimitedBySwThermal, Field::LimitedByHwThermal, Field::LimitedByPowerBrake];

    fn ids(driver: &str) -> [Result<u32, Absent>; 3] {
        MOVED.map(|field| id_for(DriverVersion::parse(driver), field))
    }

    #[test]
    fn a_driver_before_575_has_power_smoothing_in_their_place() {
        for driver in ["470.256.02", "550.127.05", "570.86.10", "570.211.01"] {
            assert_eq!(ids(driver), [Err(Absent::DriverTooOld); 3], "{driver}");
        }
    }

    #[test]
    fn from_575_on_they_stand_at_251() {
        for driver in ["575.51.03", "575.64", "580.65.06", "580.81.99"] {
            assert_eq!(ids(driver), [Ok(251), Ok(252), Ok(253)], "{driver}");
        }
    }

    #[test]
    fn from_580_82_on_they_stand_at_269() {
        for driver in ["580.82.07", "580.95.05", "590.44.01", "610.0"] {
            assert_eq!(ids(driver), [Ok(269), Ok(270), Ok(271)], "{driver}");
        }
    }

    #[test]
    fn of_an_unknown_driver_only_what_never_moved_is_asked() {
        for text in ["", "580", "next.1", "-1.2", "99999999999.1"] {
            assert_eq!(DriverVersion::parse(text), None, "{text}");
            assert_eq!(ids(text), [Err(Absent::Unknown); 3], "{text}");
            assert_eq!(id_for(None, Field::LimitedBySwPowerCap), Ok(74));
        }
    }

    #[test]
    fn each_name_is_that_of_its_id() {
        for &(field, id) in Field::IN_THE_BINDINGS {
            let driver = DriverVersion::parse("580.65.06");
            assert_eq!(id_for(driver, field), Ok(id), "{field}");
        }
    }

    #[test]
    fn no_two_fields_share_an_id() {
        for driver in ["470.1", "575.0", "580.82", "610.1"] {
            let version = DriverVersion::parse(driver);
            let ids: Vec<_> =
                Field::ALL.iter().filter_map(|field| id_for(version, *field).ok()).collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{driver}");
        }
    }
}
