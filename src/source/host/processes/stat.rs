//! `/proc/PID/stat`: the one file of a process that is read every tick.

/// More than the fields up to the last one wanted can take: 64 bytes of name and 24 numbers of 20 digits.
pub(super) const STAT_BYTES: usize = 1024;

/// The fields that are wanted; times are in clock ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessStat<'a> {
    /// The kernel's short name: any bytes but NUL, even `) R 1`.
    pub(super) name: &'a [u8],
    /// Processor time of all threads, in user and in kernel mode.
    pub(super) cpu_ticks: u64,
    /// Start, counted from the boot of the machine.
    pub(super) start_ticks: u64,
    /// Resident memory in pages.
    pub(super) resident_pages: u64,
}

impl<'a> ProcessStat<'a> {
    /// Parses `PID (NAME) STATE …`. The name ends at the last parenthesis, since only numbers follow it.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let opening = bytes.iter().position(|&b| b == b'(')?;
        let closing = bytes.iter().rposition(|&b| b == b')')?;
        let name = bytes.get(opening + 1..closing)?;
        let mut fields = std::str::from_utf8(&bytes[closing + 1..]).ok()?.split_ascii_whitespace();
        // proc(5) counts from 1, and the state that comes first here is its field 3.
        let user_ticks: u64 = fields.nth(14 - 3)?.parse().ok()?;
        let system_ticks = fields.next()?.parse().ok()?;
        let start_ticks = fields.nth(22 - 15 - 1)?.parse().ok()?;
        let resident_pages = fields.nth(24 - 22 - 1)?.parse().ok()?;
        let cpu_ticks = user_ticks.checked_add(system_ticks)?;
        Some(Self { name, cpu_ticks, start_ticks, resident_pages })
    }
}

#[cfg(test)]
mod tests {
    use super::ProcessStat;
    use proptest::prelude::*;

    fn line(name: &[u8], user: u64, system: u64, start: u64, pages: u64) -> Vec<u8> {
        let fields = format!(
            ") S 1 4 4 0 -1 4194560 9 0 0 0 {user} {system} 5 6 20 0 3 0 {start} 8192 {pages} 1 2 3\n"
        );
        [b"42 (", name, fields.as_bytes()].concat()
    }

    #[test]
    fn a_name_cannot_forge_the_fields() {
        for name in [&b"a) R 1 2 (3"[..], b"", b")", b"((", b"two\nlines", b"\xff\x1b[2J"] {
            let bytes = line(name, 10, 5, 777, 3);
            let parsed = ProcessStat { name, cpu_ticks: 15, start_ticks: 777, resident_pages: 3 };
            assert_eq!(ProcessStat::parse(&bytes), Some(parsed));
        }
    }

    #[test]
    fn what_is_cut_short_or_too_large_is_refused() {
        let whole = line(b"name", 1, 2, 3, 4);
        let end = whole.windows(4).position(|w| w == b"8192").unwrap();
        assert_eq!(ProcessStat::parse(&whole[..end]), None);
        assert_eq!(ProcessStat::parse(b""), None);
        assert_eq!(ProcessStat::parse(b")("), None);
        assert_eq!(ProcessStat::parse(&line(b"name", u64::MAX, 1, 3, 4)), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            ProcessStat::parse(&bytes);
        }

        #[test]
        fn fields_come_back(
            name in proptest::collection::vec(1u8.., 0..16),
            user in any::<u32>(), system in any::<u32>(), start in any::<u64>(), pages in any::<u64>(),
        ) {
            let bytes = line(&name, user.into(), system.into(), start, pages);
            let cpu_ticks = u64::from(user) + u64::from(system);
            let parsed = ProcessStat { name: &name, cpu_ticks, start_ticks: start, resident_pages: pages };
            prop_assert_eq!(ProcessStat::parse(&bytes), Some(parsed));
        }
    }
}
