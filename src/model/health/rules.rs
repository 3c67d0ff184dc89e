//! The table of rules, the most severe first.

use super::Evidence::{self, Gpu, Host};
use super::view::View;
use super::{Finding, errors, limits, links, load, memory, reach};
use crate::model::{HostMetric, Metric, Severity};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The rule as JSON spells it.
    pub id: &'static str,
    /// How much it should worry.
    pub severity: Severity,
    /// For how many seconds it must hold before it is told, and for how many it must not before it no longer is.
    pub settles_s: u64,
    /// When it holds, in words.
    pub when: &'static str,
    /// What to do about it, in sentences.
    pub advice: &'static str,
    /// The numbers that it looks at.
    pub evidence: &'static [Evidence],
    /// The ids of rules that say more of the same: where one of them holds, this one does not.
    pub unless: &'static [&'static str],
    check: fn(&View<'_>) -> Option<String>,
}

impl Rule {
    /// What it finds.
    pub(super) fn look(&'static self, view: &View<'_>, found: &[Finding]) -> Option<Finding> {
        let is_told = |id: &&str| found.iter().any(|finding| finding.rule.id == *id);
        if self.unless.iter().any(is_told) {
            return None;
        }
        (self.check)(view).map(|sentence| Finding { rule: self, sentence })
    }

    /// Whether it is about how the GPU is to be reached, and not about what it says.
    #[must_use]
    pub const fn is_about_reach(&self) -> bool {
        self.evidence.is_empty()
    }
}

/// Declares [`RULES`] from one row per rule: severity, id, seconds to settle, check, evidence, rules that say more, when
/// it holds, what to do.
macro_rules! rules {
    ($( $severity:ident, $id:literal, $settles:literal, $check:path, [$($evidence:expr),*], [$($unless:literal),*],
        $when:literal, $advice:literal; )+) => {
        /// Every rule, the most severe first, and of those the most telling.
        pub const RULES: &[Rule] = &[$( Rule {
            id: $id,
            severity: Severity::$severity,
            settles_s: $settles,
            when: $when,
            advice: $advice,
            evidence: &[$($evidence),*],
            unless: &[$($unless),*],
            check: $check,
        } ),+];
    };
}

rules! {
    Critical, "lost", 0, reach::lost, [], [],
        "the driver says that the GPU is off the bus",
        "Look for Xid 79 in the kernel log and reboot the machine; if it comes again, check the power cables and the seat of the board.";
    Critical, "recovery_needed", 0, errors::recovery, [Gpu(Metric::RecoveryAction)], [],
        "the driver names something that has to be done for the GPU to work reliably again",
        "End what uses the GPU, do what is named, and see whether it is still asked for.";
    Critical, "remap_failure", 0, errors::remap_failure, [Gpu(Metric::RemapFailure)], [],
        "a failing memory row could not be replaced by a spare one",
        "Move the work to another GPU and have this one replaced.";
    Critical, "ecc_uncorrected", 0, errors::uncorrected, [Gpu(Metric::EccUncorrectedVolatile)], [],
        "ECC could not correct a memory error since the driver was loaded",
        "Run again what ran on it and reset the GPU (nvidia-smi --gpu-reset); if it comes again, have the board replaced.";
    Critical, "power_brake", 3, limits::power_brake,
        [Gpu(Metric::LimitedByPowerBrake), Gpu(Metric::ClockEventReasons)], [],
        "the power supply or the rack halves the clocks for at least 1 % of the last minute",
        "Check the power supply, its cables and the power budget of the rack.";
    Critical, "overheating", 3, limits::overheating,
        [Gpu(Metric::LimitedByHwThermal), Gpu(Metric::ClockEventReasons)], [],
        "the hardware halves the clocks because of heat for at least 1 % of the last minute",
        "Check fans, air flow and dust, and the temperature of the room.";
    Critical, "slowed_down", 3, limits::slowed_down, [Gpu(Metric::ClockEventReasons)], [],
        "the hardware halves the clocks for a reason that it does not tell",
        "Look at the temperature and the power; where both are low, check the power supply and its cables.";

    Warning, "stuck", 0, reach::stuck, [], [],
        "a call to the driver has not come back for 5 s",
        "Look for Xid messages in the kernel log; where it does not come back, the machine has to be rebooted.";
    Warning, "stale", 0, reach::stale, [], [],
        "the GPU has not answered for two samples",
        "Wait: a driver that is busy answers late. If it goes on, look at the kernel log.";
    Warning, "refused", 0, reach::refused, [], [],
        "the driver does not give the GPU to this user",
        "Ask for access to the GPU, in a container with the device of it.";
    Warning, "too_warm", 3, limits::too_warm,
        [Gpu(Metric::LimitedBySwThermal), Gpu(Metric::ClockEventReasons)], ["overheating"],
        "the driver lowers the clocks because of heat for at least 5 % of the last minute",
        "Check fans and air flow, or lower the power limit.";
    Warning, "remap_pending", 0, errors::remap_pending, [Gpu(Metric::RemapPending)], [],
        "a failing memory row is replaced by a spare one at the next reset",
        "Reset the GPU when its work is done (nvidia-smi --gpu-reset).";
    Warning, "retirement_pending", 0, errors::retirement_pending, [Gpu(Metric::RetiredPagesPending)], [],
        "a failing memory page is given up at the next reboot",
        "Reboot the machine when its work is done.";
    Warning, "ecc_corrected", 0, errors::corrected, [Gpu(Metric::EccCorrectedVolatile)], [],
        "ECC corrected at least 10 memory errors in the last minute",
        "Plan a check of the board: errors that are corrected often come before those that cannot be.";
    Warning, "nvlink_down", 5, links::nvlink_down, [Gpu(Metric::NvLinkUp)], [],
        "fewer NVLinks are up than on another GPU with as many links",
        "Look for Xid 74 in the kernel log, check the bridge or the baseboard, and reset the GPUs that the link joins.";
    Warning, "nvlink_errors", 0, links::nvlink_errors,
        [Gpu(Metric::NvLinkRecoveries), Gpu(Metric::NvLinkDataErrors), Gpu(Metric::NvLinkReplays), Gpu(Metric::NvLinkFlitErrors), Gpu(Metric::NvLinkReceiveErrors)], [],
        "NVLink had a recovery or a broken packet in the last minute, or at least 100 replays, broken flits or errors received",
        "Check the bridge or the baseboard, and the log of the fabric manager; reset the GPUs that the link joins.";
    Warning, "pcie_replays", 0, links::pcie_replays, [Gpu(Metric::PcieReplays)], [],
        "PCIe sent at least 8 packets again in the last minute",
        "Reseat the board or its riser and clean the contacts.";
    Warning, "pcie_width", 5, links::pcie_width,
        [Gpu(Metric::PcieLinkWidth), Gpu(Metric::PcieLinkWidthMaximum)], [],
        "the PCIe link has fewer lanes than the GPU and its slot can both do",
        "Reseat the board or its riser, clean the contacts, and look whether another device shares the slot's lanes.";
    Warning, "pcie_generation", 5, links::pcie_generation,
        [Gpu(Metric::PcieLinkGeneration), Gpu(Metric::PcieLinkGenerationMaximum), Gpu(Metric::Busy)], [],
        "the PCIe link is of a lower generation than the GPU and its slot can both do while the GPU is 50 % busy",
        "Look for a PCIe speed that is set in the firmware, and for corrected errors in the kernel log; a bad riser makes links fall back.";
    Warning, "at_lowered_power_limit", 3, limits::at_lowered_power_limit,
        [Gpu(Metric::LimitedBySwPowerCap), Gpu(Metric::ClockEventReasons), Gpu(Metric::PowerEnforcedLimit), Gpu(Metric::PowerDefaultLimit)], [],
        "the power limit holds the clocks down for at least 10 % of the last minute, and it is lower than the default",
        "Raise the power limit if nobody wants it so low (nvidia-smi --power-limit).";
    Warning, "memory_nearly_full", 0, memory::nearly_full,
        [Gpu(Metric::MemoryFree), Gpu(Metric::MemoryUsed), Gpu(Metric::MemoryTotal)], [],
        "5 % of the memory or less is free",
        "Nothing, where a program takes all memory beforehand; else lower the batch size or end what no longer needs its memory.";
    Warning, "memory_soon_full", 3, memory::soon_full,
        [Gpu(Metric::MemoryUsed), Gpu(Metric::MemoryFree), Gpu(Metric::MemoryTotal)], [],
        "the memory has grown for two minutes, and would be full in 15 minutes",
        "Look in the processes for the one that grows, and whether it keeps what it no longer needs.";
    Warning, "starved_by_host", 0, load::starved,
        [Gpu(Metric::Busy), Gpu(Metric::MemoryUsed), Gpu(Metric::MemoryTotal), Host(HostMetric::Cpu), Host(HostMetric::PressureIoSome)], [],
        "at most 50 % busy in the last minute with 20 % of the memory held, while the CPUs are 90 % busy or programs wait for IO 40 % of the time",
        "Give the job more loader processes or CPUs, faster storage, or data that is prepared beforehand.";
    Warning, "behind_its_peers", 0, load::unbalanced, [Gpu(Metric::Busy)], [],
        "at most half as busy in the last minute as the median of the GPUs that run the same job",
        "Look whether the job divides its work evenly, and whether this GPU is slowed down by something else.";

    Info, "near_slowdown", 3, limits::near_slowdown, [Gpu(Metric::SlowdownMargin)], ["overheating", "too_warm"],
        "3 °C or less to the temperature that slows the GPU down",
        "Check fans and air flow before it gets slower.";
    Info, "at_power_limit", 3, limits::at_power_limit,
        [Gpu(Metric::LimitedBySwPowerCap), Gpu(Metric::ClockEventReasons), Gpu(Metric::PowerEnforcedLimit), Gpu(Metric::PowerDefaultLimit)], [],
        "the power limit holds the clocks down for at least 10 % of the last minute",
        "Nothing: a GPU at full load meets its limit.";
    Info, "waiting", 0, load::waiting,
        [Gpu(Metric::Busy), Gpu(Metric::MemoryUsed), Gpu(Metric::MemoryTotal)], ["starved_by_host", "behind_its_peers"],
        "at most 5 % busy in the last minute, with 20 % of the memory held",
        "Look at what the processes wait for; end them if they were forgotten.";
    Info, "asleep", 0, reach::asleep, [], [],
        "runtime power management has suspended the GPU",
        "Nothing: it wakes when a program needs it.";
}
