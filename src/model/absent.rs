//! Why a value is not there: missing is never zero, and always has a reason.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares [`Absent`] from one row per reason: variant, id in JSON, sentence for people.
macro_rules! absences {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $id:literal, $sentence:literal; )+) => {
        /// The reason why a slot holds no value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Absent {
            $( $(#[doc = $doc])+ $variant, )+
            /// NVML answered with a code that says nothing lasting about the GPU; the code is
            /// `nvmlReturn_t`.
            NvmlError(u32),
        }

        impl Absent {
            /// Every reason that carries no code, in the order of the table.
            pub const ALL: &[Self] = &[$( Self::$variant ),+];

            /// The reason as JSON spells it.
            #[must_use]
            pub fn id(self) -> std::borrow::Cow<'static, str> {
                match self {
                    $( Self::$variant => $id.into(), )+
                    Self::NvmlError(code) => format!("nvml_error_{code}").into(),
                }
            }

            /// The reason that JSON spells so; `None` where there is no such reason.
            #[must_use]
            pub fn from_id(id: &str) -> Option<Self> {
                match id {
                    $( $id => Some(Self::$variant), )+
                    _ => id.strip_prefix("nvml_error_")?.parse().ok().map(Self::NvmlError),
                }
            }

            /// The reason as a person reads it.
            #[must_use]
            pub fn sentence(self) -> std::borrow::Cow<'static, str> {
                match self {
                    $( Self::$variant => $sentence.into(), )+
                    Self::NvmlError(code) => format!("NVML answered with error {code}").into(),
                }
            }
        }
    };
}

impl Serialize for Absent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.id())
    }
}

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::from_id(&id).ok_or_else(|| {
            D::Error::custom(format_args!("`{id}` is no reason that this version knows"))
        })
    }
}

impl Absent {
    /// Whether asking again is in vain for as long as the driver stays.
    #[must_use]
    pub fn lasts(self) -> bool {
        matches!(
            self,
            Self::NotSupported
                | Self::MissingSymbol
                | Self::DriverTooOld
                | Self::Mig
                | Self::VirtualGpu
                | Self::UnifiedMemory
                | Self::Integrated
                | Self::IncludedInUsed
        )
    }
}

absences! {
    /// `NVML_ERROR_NOT_SUPPORTED`, or a call that every driver from here on has dropped.
    NotSupported = "not_supported", "this GPU or its driver does not report it";
    /// The driver refuses this user.
    NoPermission = "no_permission", "this user may not read it";
    /// The library has no such function.
    MissingSymbol = "missing_symbol", "the installed NVML library is too old to report it";
    /// The driver does not know the field, or gives its number to another one.
    DriverTooOld = "driver_too_old", "the installed driver is too old to report it";
    /// NVML reports it per MIG instance or not at all.
    Mig = "mig", "not reported while the GPU is in MIG mode";
    /// No video is being encoded, so there is no rate of it.
    NoSession = "no_session", "no video is being encoded";
    /// The GPU has no MIG instances to report it of.
    NotMig = "not_mig", "the GPU has no MIG instances";
    /// A virtual machine has a part of the GPU, and the driver refuses to measure it.
    VirtualGpu = "virtual_gpu", "not measured for a virtual machine's part of a GPU";
    /// The GPU has no memory of its own.
    UnifiedMemory = "unified_memory", "the GPU shares the memory of the host";
    /// The GPU has no PCIe link of its own.
    Integrated = "integrated", "the GPU is part of the processor's chip";
    /// An old driver's `nvmlMemory_t` counts what the driver reserves as used.
    IncludedInUsed = "included_in_used", "this driver counts it as used memory";
    /// Runtime power management has suspended the GPU, and reading would wake it.
    Asleep = "asleep", "the GPU is suspended and is left to sleep";
    /// Nothing used the GPU, and NVML was closed so that runtime power management can suspend it.
    LetGo = "let_go", "the GPU was let go of, so that it can sleep";
    /// `NVML_ERROR_GPU_IS_LOST`.
    GpuLost = "gpu_lost", "the GPU is off the bus";
    /// The GPU has not answered for two ticks.
    Stale = "stale", "the GPU has not answered lately";
    /// One call to the driver has not come back.
    Stuck = "stuck", "a call to the driver hangs";
    /// A rate needs an earlier reading.
    NeedsTwoReadings = "needs_two_readings", "a rate needs a second reading";
    /// A counter went backwards: the driver was reloaded or the GPU reset.
    CounterReset = "counter_reset", "the counter started again";
    /// A counter stood still that cannot, such as energy.
    NotRenewed = "not_renewed", "the driver has not renewed the counter since the last reading";
    /// The readings are too far apart, as after a suspend.
    Gap = "gap", "the last reading is too long ago";
    /// `--fast` leaves out what needs a second reading or blocks.
    LeftOut = "left_out", "left out by --fast";
    /// The lane that reads it has not come round yet.
    NotReadYet = "not_read_yet", "not read yet";
    /// The driver answered with a value that cannot be.
    OutOfRange = "out_of_range", "the driver answered with an impossible value";
    /// The driver answered that it does not know.
    Unknown = "unknown", "the driver does not know";
    /// The file or fact is not on this machine.
    NotFound = "not_found", "not found on this machine";
    /// The file is no plain file, larger than such a file can be, or failed to be read.
    Unreadable = "unreadable", "it is there and cannot be read";
    /// The file has a form of its own.
    Malformed = "malformed", "its content is not understood";
    /// A demo does not make it up.
    Simulated = "simulated", "there is none in a demo";
    /// The process ended while it was being looked at.
    Gone = "gone", "the process has ended";
    /// The pid is not one of this pid namespace.
    OtherNamespace = "other_namespace", "the process is outside this container";
}

#[cfg(test)]
mod tests {
    use super::Absent;

    #[test]
    fn ids_are_unique_and_snake_case() {
        let ids: std::collections::BTreeSet<_> = Absent::ALL.iter().map(|a| a.id()).collect();
        assert_eq!(ids.len(), Absent::ALL.len());
        for id in ids {
            assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{id}");
        }
    }

    #[test]
    fn a_reason_comes_back_from_json() {
        for why in Absent::ALL.iter().copied().chain([Absent::NvmlError(999)]) {
            let text = serde_json::to_string(&why).unwrap();
            assert_eq!(serde_json::from_str::<Absent>(&text).unwrap(), why);
        }
        assert_eq!(Absent::from_id("nvml_error_"), None);
        assert_eq!(Absent::from_id("nvml_error_-1"), None);
        assert!(serde_json::from_str::<Absent>("\"tomorrow\"").is_err());
    }
}
