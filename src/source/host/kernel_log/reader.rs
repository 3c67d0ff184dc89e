//! Reading the kernel log from its start, and what is new of it at every tick.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::line::{KernelError, parse};
use crate::model::{Absent, Fact, Sysroot};
use crate::source::host::absence;

/// Longer records are not made by the kernel, which refuses to write one into a smaller buffer.
const RECORD_ROOM: usize = 16_384;
/// So many records are read at once at most, so that a flood does not hold a sample up; the rest comes at the next tick.
const MOST_RECORDS: usize = 20_000;
/// So many errors are kept of one reading at most: the newest.
const MOST_ERRORS: usize = 1_000;

/// The kernel log, open where this user may read it.
pub struct KernelLog {
    file: Fact<File>,
    buffer: Vec<u8>,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
}

impl KernelLog {
    /// Opens the log at its oldest record.
    #[must_use]
    pub fn open(sysroot: &Sysroot) -> Self {
        let mut options = OpenOptions::new();
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = options.read(true).custom_flags(flags).open(sysroot.path("/dev/kmsg"));
        let file = file.map_err(|error| absence(&error));
        Self { file, buffer: Vec::new(), begun: Vec::new() }
    }

    /// Whether the log can be read, and why not.
    pub fn is_readable(&self) -> Fact<()> {
        self.file.as_ref().map(|_| ()).map_err(|why| *why)
    }

    /// The errors that were logged since the reading before, oldest first; at first, all that the log still holds.
    pub fn read(&mut self) -> Vec<KernelError> {
        let mut errors = Vec::new();
        for _ in 0..MOST_RECORDS {
            if !self.read_record(&mut errors) {
                break;
            }
        }
        let surplus = errors.len().saturating_sub(MOST_ERRORS);
        errors.drain(..surplus);
        errors
    }

    /// Reads what one read gives, which of the real log is one record. Says whether there may be more.
    fn read_record(&mut self, errors: &mut Vec<KernelError>) -> bool {
        let Ok(file) = &mut self.file else { return false };
        self.buffer.resize(RECORD_ROOM, 0);
        match file.read(&mut self.buffer) {
            Ok(0) => false,
            Ok(length) => {
                take_lines(&mut self.begun, &self.buffer[..length], errors);
                true
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            // Records were overwritten before they were read; the next read gives the oldest that is left.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::PIPE) => true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => {
                self.file = Err(match absence(&error) {
                    Absent::NotReadYet => Absent::Unreadable,
                    why => why,
                });
                false
            }
        }
    }
}

/// Parses the lines that are whole, and keeps the beginning of the one that is not.
fn take_lines(begun: &mut Vec<u8>, bytes: &[u8], errors: &mut Vec<KernelError>) {
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let is_whole = line.ends_with(b"\n");
        // Nearly every line is somebody else's, and is told by its bytes.
        if is_whole && begun.is_empty() {
            errors.extend(error_in(line));
            continue;
        }
        begun.extend_from_slice(line);
        if is_whole || begun.len() > RECORD_ROOM {
            errors.extend(error_in(begun));
            begun.clear();
        }
    }
}

fn error_in(line: &[u8]) -> Option<KernelError> {
    const MARK: &[u8] = b"Xid (";
    // The first bytes of a record are numbers; the mark stands near its beginning.
    let head = &line[..line.len().min(120)];
    head.windows(MARK.len()).any(|window| window == MARK).then_some(())?;
    parse(String::from_utf8_lossy(line).trim_end())
}

#[cfg(test)]
mod tests {
    use super::{KernelLog, MOST_ERRORS};
    use crate::model::{Absent, EventKind, Sysroot};
    use std::fmt::Write as _;
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;

    fn root(text: &str) -> (tempfile::TempDir, KernelLog) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("dev")).unwrap();
        fs::write(folder.path().join("dev/kmsg"), text).unwrap();
        let log = KernelLog::open(&Sysroot::new(folder.path()));
        (folder, log)
    }

    fn codes(log: &mut KernelLog) -> Vec<EventKind> {
        log.read().into_iter().map(|error| error.kind).collect()
    }

    #[test]
    fn what_is_there_is_read_at_first_and_then_what_is_new() {
        let (folder, mut log) = root(
            "6,1,10,-;Linux version 6.12\n SUBSYSTEM=none\n3,2,20,-;NVRM: Xid (PCI:0000:61:00): 31, words\n DEVICE=+pci\n",
        );
        assert_eq!(log.is_readable(), Ok(()));
        assert_eq!(codes(&mut log), [EventKind::Xid(31)]);
        assert_eq!(codes(&mut log), []);
        let mut file =
            OpenOptions::new().append(true).open(folder.path().join("dev/kmsg")).unwrap();
        file.write_all(b"3,3,30,-;NVRM: Xid (PCI:0000:61").unwrap();
        assert_eq!(codes(&mut log), [], "half a line says nothing yet");
        file.write_all(b":00): 79\n3,4,40,-;NVRM: Xid (\xff\xfe\n").unwrap();
        assert_eq!(codes(&mut log), [EventKind::Xid(79)]);
    }

    #[test]
    fn of_a_flood_the_newest_are_kept() {
        let mut text = String::new();
        for number in 0..3_000 {
            writeln!(text, "3,{number},{number},-;NVRM: Xid (PCI:0000:61:00): 13, words").unwrap();
        }
        let (_folder, mut log) = root(&text);
        let errors = log.read();
        assert_eq!(errors.len(), MOST_ERRORS);
        assert_eq!(errors[MOST_ERRORS - 1].uptime_us, 2_999);
    }

    #[test]
    fn the_log_of_this_machine_is_not_waited_for() {
        let mut log = KernelLog::open(&Sysroot::default());
        log.read();
        // That this comes back is the test: a kernel's log has no end.
        log.read();
        assert_ne!(log.is_readable(), Err(Absent::NotReadYet));
    }

    #[test]
    fn a_log_that_is_not_there_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = KernelLog::open(&Sysroot::new(folder.path()));
        assert_eq!(log.is_readable(), Err(Absent::NotFound));
        assert!(log.read().is_empty());
        // A folder opens, and cannot be read.
        fs::create_dir_all(folder.path().join("dev/kmsg")).unwrap();
        let mut log = KernelLog::open(&Sysroot::new(folder.path()));
        log.read();
        assert_eq!(log.is_readable(), Err(Absent::Unreadable));
    }
}
