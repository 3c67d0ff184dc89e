//! The table of what lasts about a GPU beyond its identity: one row for each fact.

use std::borrow::Cow;

use super::absent::Absent;
use super::inventory::Fact;
use super::text::printable;
use super::unit::Unit;

/// What kind of answer a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A text of the driver's.
    Text,
    /// Yes or no.
    Flag,
    /// A number of this unit.
    Number(Unit),
    /// One of NVML's enumerations: its numbers, and their words in JSON.
    Word(&'static [(u32, &'static str)]),
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq)]
pub enum FactValue {
    /// A text as the driver wrote it.
    Text(Cow<'static, str>),
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// NVML's number of an enumeration, also one that this program does not know.
    Word(u32),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FactSpec {
    /// The key in JSON.
    pub id: &'static str,
    /// A short name for the screen.
    pub label: &'static str,
    /// What it is, in one paragraph.
    pub help: &'static str,
    /// What kind of answer it is.
    pub kind: FactKind,
}

macro_rules! facts {
    ($( $(#[doc = $help:literal])+ $variant:ident = $id:literal, $label:literal, $kind:expr; )+) => {
        /// Something lasting about a GPU.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum GpuFact { $( $(#[doc = $help])+ $variant, )+ }

        impl GpuFact {
            /// Every fact, in the order of the table.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            const SPECS: &'static [FactSpec] = &[$( FactSpec {
                id: $id,
                label: $label,
                help: concat!($( $help ),+).trim_ascii_start(),
                kind: $kind,
            } ),+];

            /// The fact's row.
            #[must_use]
            pub const fn spec(self) -> &'static FactSpec {
                &Self::SPECS[self as usize]
            }
        }
    };
}

const COMPUTE_MODES: &[(u32, &str)] =
    &[(0, "default"), (1, "exclusive_thread"), (2, "prohibited"), (3, "exclusive_process")];
const VIRTUALIZATION_MODES: &[(u32, &str)] =
    &[(0, "none"), (1, "passthrough"), (2, "vgpu"), (3, "host_vgpu"), (4, "host_vsga")];
const ADDRESSING_MODES: &[(u32, &str)] = &[(0, "none"), (1, "hmm"), (2, "ats")];

facts! {
    /// Width of the bus between the GPU and its memory, in bits.
    MemoryBusWidth = "memory_bus_width_bits", "memory bus", FactKind::Number(Unit::Number);
    /// What the memory could move at most, from its highest clock and the width of its bus.
    MemoryBandwidthPeak = "memory_bandwidth_peak_bytes_per_second", "memory peak", FactKind::Number(Unit::BytesPerSecond);
    /// Which programs may compute on the GPU.
    ComputeMode = "compute_mode", "compute mode", FactKind::Word(COMPUTE_MODES);
    /// Whether the driver keeps account of what each process used.
    AccountingMode = "accounting_mode", "accounting", FactKind::Flag;
    /// Whether a display is attached to the GPU.
    DisplayAttached = "display_attached", "display attached", FactKind::Flag;
    /// Whether a display is initialised on the GPU; it may be without one attached.
    DisplayActive = "display_active", "display active", FactKind::Flag;
    /// Whether the GPU runs the driver's firmware on its own processor (GSP).
    GspFirmware = "gsp_firmware", "GSP firmware", FactKind::Flag;
    /// Version of that firmware.
    GspFirmwareVersion = "gsp_firmware_version", "GSP version", FactKind::Text;
    /// How the GPU is given to virtual machines.
    VirtualizationMode = "virtualization_mode", "virtualization", FactKind::Word(VIRTUALIZATION_MODES);
    /// How the GPU reaches the host's page tables: not at all, by software (HMM) or by hardware (ATS).
    AddressingMode = "addressing_mode", "addressing", FactKind::Word(ADDRESSING_MODES);
    /// NUMA node that the GPU's own memory is, where the host addresses it as memory.
    MemoryNumaNode = "memory_numa_node", "memory's node", FactKind::Number(Unit::Number);
    /// NUMA nodes of the host whose memory is near to the GPU.
    NumaAffinity = "numa_affinity", "NUMA affinity", FactKind::Text;
    /// Processors that are near to the GPU.
    CpuAffinity = "cpu_affinity", "CPU affinity", FactKind::Text;
}

impl GpuFact {
    /// The value as JSON spells it, if it is a word or a text; a number that has no word keeps its number.
    #[must_use]
    pub fn word(self, value: &FactValue) -> Option<Cow<'_, str>> {
        match (self.spec().kind, value) {
            (FactKind::Word(words), FactValue::Word(number)) => {
                let known = words.iter().find(|(of, _)| of == number).map(|(_, word)| *word);
                Some(known.map_or_else(|| format!("unknown_{number}").into(), Cow::Borrowed))
            }
            (_, FactValue::Text(text)) => Some(Cow::Borrowed(text.as_ref())),
            _ => None,
        }
    }

    /// The value as a person reads it; what is worked out from a formula is marked as about right.
    #[must_use]
    pub fn show(self, value: &FactValue) -> String {
        match (self.spec().kind, value) {
            (FactKind::Number(unit), FactValue::Number(number)) => {
                let about = if self == Self::MemoryBandwidthPeak { "≈ " } else { "" };
                format!("{about}{}", unit.show(*number))
            }
            (_, FactValue::Flag(flag)) => if *flag { "yes" } else { "no" }.to_owned(),
            (_, FactValue::Number(number)) => Unit::Number.show(*number),
            (FactKind::Word(_), value) => self.word(value).unwrap_or_default().replace('_', " "),
            (_, FactValue::Text(text)) => printable(text).into_owned(),
            (_, FactValue::Word(number)) => number.to_string(),
        }
    }
}

/// The facts about one GPU, each with its value or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuFacts(Vec<Fact<FactValue>>);

impl GpuFacts {
    /// Nothing is known, for the one reason.
    #[must_use]
    pub fn absent(why: Absent) -> Self {
        Self(vec![Err(why); GpuFact::COUNT])
    }

    /// What is known of one.
    ///
    /// # Errors
    /// The reason why it is not known.
    pub fn get(&self, fact: GpuFact) -> Result<&FactValue, Absent> {
        self.0[fact as usize].as_ref().map_err(|why| *why)
    }

    /// Sets one.
    pub fn set(&mut self, fact: GpuFact, value: Fact<FactValue>) {
        self.0[fact as usize] = value;
    }

    /// Every fact with what is known of it, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (GpuFact, Result<&FactValue, Absent>)> {
        GpuFact::ALL.iter().map(|fact| (*fact, self.get(*fact)))
    }

    /// These facts, and those of `before` where these do not say it now.
    #[must_use]
    pub fn or(self, before: &Self) -> Self {
        let or_before = |(now, before): (Fact<FactValue>, &Fact<FactValue>)| {
            now.or_else(|why| before.clone().map_err(|_| why))
        };
        Self(self.0.into_iter().zip(&before.0).map(or_before).collect())
    }
}

/// What a memory with this highest clock and width could move at most, in bytes per second.
///
/// NVML gives the clock of every kind of memory as if it moved data twice in a cycle.
#[must_use]
pub fn peak_memory_bandwidth(clock_mhz: f64, bus_width_bits: f64) -> f64 {
    2.0 * clock_mhz * 1e6 * bus_width_bits / 8.0
}

#[cfg(test)]
mod tests {
    use super::{FactKind, FactValue, GpuFact, peak_memory_bandwidth};
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_whole() {
        let ids: BTreeSet<_> = GpuFact::ALL.iter().map(|fact| fact.spec().id).collect();
        assert_eq!(ids.len(), GpuFact::COUNT);
        for fact in GpuFact::ALL {
            let spec = fact.spec();
            assert!(spec.help.ends_with('.') && !spec.help.starts_with(' '), "{}", spec.id);
            if let FactKind::Number(unit) = spec.kind {
                assert!(spec.id.ends_with(unit.key_ending()), "{}", spec.id);
            }
        }
    }

    #[test]
    fn a_mode_that_nobody_knows_keeps_its_number() {
        let word =
            |number| GpuFact::ComputeMode.word(&FactValue::Word(number)).unwrap().into_owned();
        assert_eq!((word(3), word(9)), ("exclusive_process".to_owned(), "unknown_9".to_owned()));
        assert_eq!(GpuFact::ComputeMode.show(&FactValue::Word(3)), "exclusive process");
    }

    #[test]
    fn peaks_are_those_of_the_data_sheets() {
        let gigabytes = |clock, width| format!("{:.0}", peak_memory_bandwidth(clock, width) / 1e9);
        assert_eq!(gigabytes(2619.0, 5120.0), "3352", "H100 SXM");
        assert_eq!(gigabytes(1593.0, 5120.0), "2039", "A100 80 GB");
        assert_eq!(gigabytes(10_501.0, 384.0), "1008", "RTX 4090");
        assert_eq!(gigabytes(5001.0, 256.0), "320", "T4");
        let shown = GpuFact::MemoryBandwidthPeak.show(&FactValue::Number(3.352e12));
        assert_eq!(shown, "≈ 3.0 TiB/s");
    }
}
