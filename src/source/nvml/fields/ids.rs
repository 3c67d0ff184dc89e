//! The ids of fields, which have changed from driver to driver although NVIDIA's header promises that they never do.

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

/// Declares [`Field`] from one row per field: variant and the id that the newest header gives it.
macro_rules! fields {
    ($( $(#[doc = $doc:literal])* $variant:ident = $id:literal; )+) => {
        /// A field of `nvmlDeviceGetFieldValues`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field { $( $(#[doc = $doc])* $variant, )+ }

        impl Field {
            #[cfg(test)]
            const ALL: &[Self] = &[$( Self::$variant ),+];

            /// The id in the newest header.
            const fn newest_id(self) -> u32 {
                match self { $( Self::$variant => $id, )+ }
            }
        }
    };
}

fields! {
    EccCurrent = 1;
    EccPending = 2;
    EccCorrectedVolatile = 3;
    EccUncorrectedVolatile = 4;
    EccCorrectedAggregate = 5;
    EccUncorrectedAggregate = 6;
    RetiredCorrected = 29;
    RetiredUncorrected = 30;
    RetiredPending = 31;
    NvLinkCrcFlitErrors = 38;
    NvLinkCrcDataErrors = 45;
    NvLinkReplays = 52;
    NvLinkRecoveries = 59;
    LimitedBySwPowerCap = 74;
    LimitedByThermal = 75;
    LimitedBySyncBoost = 76;
    LimitedByBoard = 77;
    LimitedByLowUtilization = 78;
    LimitedByReliability = 79;
    LimitedByBaseClocks = 81;
    MemoryTemperature = 82;
    Energy = 83;
    NvLinkCount = 91;
    PcieReplays = 94;
    NvLinkDataSent = 138;
    NvLinkDataReceived = 139;
    RemappedCorrected = 142;
    RemappedUncorrected = 143;
    RemappedPending = 144;
    RemappedFailure = 145;
    NvLinkReplaysOfLink = 161;
    NvLinkRecoveriesOfLink = 162;
    NvLinkCrcOfLink = 163;
    NvLinkSpeed = 164;
    NvLinkState = 165;
    NvLinkVersion = 166;
    PcieLinkRecoveries = 169;
    C2cLinkCount = 170;
    C2cStatus = 171;
    C2cBandwidth = 172;
    PcieCorrectableErrors = 173;
    PcieNaksReceived = 174;
    PcieBadTlps = 176;
    PcieNaksSent = 177;
    PcieNonFatalErrors = 179;
    PcieFatalErrors = 180;
    PowerAverage = 185;
    PowerInstant = 186;
    ShutdownTLimit = 193;
    SlowdownTLimit = 194;
    MemoryMaximumTLimit = 195;
    GpuMaximumTLimit = 196;
    NvLinkBytesSent = 202;
    NvLinkBytesReceived = 204;
    NvLinkReceiveErrors = 208;
    NvLinkRecoveryEvents = 215;
    RecoveryAction = 230;
    LimitedBySwThermal = 269;
    LimitedByHwThermal = 270;
    LimitedByPowerBrake = 271;
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
    fn no_two_fields_share_an_id() {
        for driver in ["470.1", "575.0", "580.82", "610.1"] {
            let version = DriverVersion::parse(driver);
            let ids: Vec<_> =
                Field::ALL.iter().filter_map(|field| id_for(version, *field).ok()).collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{driver}");
        }
    }
}
