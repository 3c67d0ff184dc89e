//! Numbers that stand for words: NVML's enumerations, to which newer drivers add.

/// One value of an enumeration.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// NVML's number.
    pub number: u32,
    /// The word as JSON spells it.
    pub id: &'static str,
    /// The word as a person reads it.
    pub text: &'static str,
}

const fn row(number: u32, id: &'static str, text: &'static str) -> Word {
    Word { number, id, text }
}

/// What has to be done with a GPU: `nvmlDeviceGpuRecoveryAction_t`.
pub const RECOVERY_ACTION_WORDS: &[Word] = &[
    row(0, "none", "none"),
    row(1, "gpu_reset", "reset the GPU"),
    row(2, "node_reboot", "reboot the machine"),
    row(3, "drain_p2p", "end what uses peer access, then reset"),
    row(4, "drain_and_reset", "end what uses the GPU, then reset"),
    row(5, "imex_restart", "restart the IMEX domain"),
    row(6, "bus_reset", "reset the bus"),
    row(7, "system_reboot", "reboot the system"),
];

/// Versions of NVLink: `NVML_NVLINK_VERSION_*`.
pub const NVLINK_VERSIONS: &[Word] = &[
    row(1, "1.0", "1.0"),
    row(2, "2.0", "2.0"),
    row(3, "2.2", "2.2"),
    row(4, "3.0", "3.0"),
    row(5, "3.1", "3.1"),
    row(6, "4.0", "4.0"),
    row(7, "5.0", "5.0"),
    row(8, "6.0", "6.0"),
];

/// How far a GPU has joined the NVLink fabric: `nvmlGpuFabricState_t`.
pub const FABRIC_STATES: &[Word] = &[
    row(1, "not_started", "not joined yet"),
    row(2, "in_progress", "joining"),
    row(3, "completed", "joined"),
];

/// How well a GPU's part of the NVLink fabric does.
pub const FABRIC_HEALTHS: &[Word] = &[
    row(1, "healthy", "healthy"),
    row(2, "unhealthy", "unhealthy"),
    row(3, "limited_capacity", "at limited capacity"),
];

/// The word for a number; `None` where only a newer driver knows it.
#[must_use]
pub fn word(words: &'static [Word], number: f64) -> Option<&'static Word> {
    words.iter().find(|word| f64::from(word.number) - number == 0.0)
}

#[cfg(test)]
mod tests {
    use super::{NVLINK_VERSIONS, RECOVERY_ACTION_WORDS, word};

    #[test]
    fn a_number_that_is_no_word_has_none() {
        assert_eq!(word(RECOVERY_ACTION_WORDS, 1.0).map(|word| word.id), Some("gpu_reset"));
        assert_eq!(word(NVLINK_VERSIONS, 6.0).map(|word| word.text), Some("4.0"));
        for number in [8.0, 0.5, -1.0, f64::NAN] {
            assert!(word(RECOVERY_ACTION_WORDS, number).is_none(), "{number}");
        }
    }
}
