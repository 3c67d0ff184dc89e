//! What several products have in common, as tables.

use super::signal::Signal::{self, Fixed, TimeAtFull};
use crate::model::Metric;

/// Numbers that some products share.
pub(super) type Family = &'static [(Metric, Signal)];

/// Clocks that nothing holds down.
pub(super) const UNLIMITED: Family = &[
    (Metric::LimitedBySwPowerCapTime, Fixed(0.0)),
    (Metric::LimitedBySyncBoostTime, Fixed(0.0)),
    (Metric::LimitedByThermalTime, Fixed(0.0)),
    (Metric::LimitedBySwThermalTime, Fixed(0.0)),
    (Metric::LimitedByHwThermalTime, Fixed(0.0)),
    (Metric::LimitedByPowerBrakeTime, Fixed(0.0)),
    (Metric::LimitedByBoardLimitTime, Fixed(0.0)),
    (Metric::LimitedByLowUtilizationTime, Fixed(0.0)),
    (Metric::LimitedByReliabilityTime, Fixed(0.0)),
    (Metric::LimitedByBaseClocksTime, Fixed(0.0)),
];

/// Clocks that the power limit holds down at full load; it stands before [`UNLIMITED`].
pub(super) const POWER_CAPPED: Family = &[(Metric::LimitedBySwPowerCapTime, TimeAtFull)];

/// Memory of a data centre's GPU that corrects its errors and has had none.
pub(super) const SOUND_MEMORY: Family = &[
    (Metric::EccMode, Fixed(1.0)),
    (Metric::EccModePending, Fixed(1.0)),
    (Metric::EccCorrectedVolatile, Fixed(0.0)),
    (Metric::EccUncorrectedVolatile, Fixed(0.0)),
    (Metric::EccCorrectedAggregate, Fixed(0.0)),
    (Metric::EccUncorrectedAggregate, Fixed(0.0)),
    (Metric::RemappedRowsCorrected, Fixed(0.0)),
    (Metric::RemappedRowsUncorrected, Fixed(0.0)),
    (Metric::RemapPending, Fixed(0.0)),
    (Metric::RemapFailure, Fixed(0.0)),
];

/// A GPU that needs no care and whose PCIe link loses nothing.
pub(super) const SOUND: Family =
    &[(Metric::RecoveryAction, Fixed(0.0)), (Metric::PcieReplays, Fixed(0.0))];

/// Links of a GPU of the Hopper architecture that lose nothing.
pub(super) const SOUND_LINKS: Family = &[
    (Metric::PcieLinkRecoveries, Fixed(0.0)),
    (Metric::PcieCorrectableErrors, Fixed(0.0)),
    (Metric::PcieNaksReceived, Fixed(0.0)),
    (Metric::PcieNaksSent, Fixed(0.0)),
    (Metric::PcieBadPackets, Fixed(0.0)),
    (Metric::PcieNonFatalErrors, Fixed(0.0)),
    (Metric::PcieFatalErrors, Fixed(0.0)),
    (Metric::NvLinkErrors, Fixed(0.0)),
    (Metric::NvLinkReplays, Fixed(0.0)),
    (Metric::NvLinkRecoveries, Fixed(0.0)),
    (Metric::NvLinkFlitErrors, Fixed(0.0)),
    (Metric::NvLinkDataErrors, Fixed(0.0)),
];
