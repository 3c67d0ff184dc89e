//! How the GPUs of a machine are joined: what lies between each two of them.

use std::fmt;

use super::inventory::Fact;

/// `nvmlGpuTopologyLevel_t`, as the number that the driver gave: the lowest thing above two GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommonAncestor(pub u32);

/// NVML's number, the word in JSON, the letters of nvidia-smi's matrix, and the words for people.
const LEVELS: &[(u32, &str, &str, &str)] = &[
    (0, "internal", "INT", "the same board"),
    (10, "single_switch", "PIX", "one PCIe switch"),
    (20, "multiple_switches", "PXB", "several PCIe switches"),
    (30, "host_bridge", "PHB", "the same PCIe host bridge"),
    (40, "node", "NODE", "host bridges of one NUMA node"),
    (50, "system", "SYS", "the link between NUMA nodes"),
];

impl CommonAncestor {
    /// Every word that JSON has for one that is known.
    pub fn words() -> impl Iterator<Item = &'static str> {
        LEVELS.iter().map(|level| level.1)
    }

    fn level(self) -> Option<&'static (u32, &'static str, &'static str, &'static str)> {
        LEVELS.iter().find(|level| level.0 == self.0)
    }

    /// The letters that nvidia-smi has for it.
    #[must_use]
    pub fn letters(self) -> Option<&'static str> {
        self.level().map(|level| level.2)
    }

    /// The words for a person.
    #[must_use]
    pub fn text(self) -> String {
        self.level().map_or_else(|| format!("unknown ({})", self.0), |level| level.3.to_owned())
    }
}

/// The word in JSON; one that is not known keeps its number.
impl fmt::Display for CommonAncestor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level() {
            Some(level) => f.write_str(level.1),
            None => write!(f, "unknown_{}", self.0),
        }
    }
}

/// The NVLinks between two GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinksBetween {
    /// How many; through switches, the smaller of what the two have to them.
    pub count: u32,
    /// Whether they lead through switches.
    pub through_switch: bool,
}

/// Two GPUs of the inventory and what joins them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuPair {
    /// Their positions in the inventory, the smaller first.
    pub gpus: [usize; 2],
    /// What lies above both on the PCIe side.
    pub common_ancestor: Fact<CommonAncestor>,
    /// The NVLinks between them.
    pub nvlinks: Fact<LinksBetween>,
}

impl GpuPair {
    /// The other GPU's position, if `gpu` is one of the two.
    #[must_use]
    pub fn other(&self, gpu: usize) -> Option<usize> {
        match self.gpus {
            [first, second] if first == gpu => Some(second),
            [first, second] if second == gpu => Some(first),
            _ => None,
        }
    }

    /// What joins the two, as nvidia-smi writes it: `NV18`, else the letters of the common ancestor.
    #[must_use]
    pub fn letters(&self) -> Option<String> {
        match self.nvlinks {
            Ok(LinksBetween { count: count @ 1.., .. }) => Some(format!("NV{count}")),
            _ => self.common_ancestor.ok()?.letters().map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CommonAncestor, GpuPair, LinksBetween};
    use crate::model::Absent;

    #[test]
    fn a_level_that_nobody_knows_keeps_its_number() {
        assert_eq!(CommonAncestor(30).to_string(), "host_bridge");
        assert_eq!(CommonAncestor(60).to_string(), "unknown_60");
        assert_eq!(CommonAncestor(60).letters(), None);
    }

    #[test]
    fn links_are_told_before_the_way_over_the_host() {
        let pair = |count| GpuPair {
            gpus: [1, 4],
            common_ancestor: Ok(CommonAncestor(50)),
            nvlinks: Ok(LinksBetween { count, through_switch: true }),
        };
        assert_eq!(
            (pair(18).letters(), pair(0).letters()),
            (Some("NV18".into()), Some("SYS".into()))
        );
        let unknown = GpuPair { common_ancestor: Err(Absent::NotSupported), ..pair(0) };
        assert_eq!(unknown.letters(), None);
        assert_eq!([1, 4, 2].map(|gpu| pair(0).other(gpu)), [Some(4), Some(1), None]);
    }
}
