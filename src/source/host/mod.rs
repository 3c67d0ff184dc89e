//! What is read from the machine around the GPUs: its totals, its processes, its PCI bus, its kernel driver.

mod driver;
mod findings;
mod kernel_file;
mod kernel_log;
mod pci;
mod processes;
mod totals;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use rustix::io::Errno;

pub use driver::{KernelDriver, driver_use, kernel_driver};
pub use findings::findings;
pub use kernel_log::{Device, KernelError, KernelLog};
pub use pci::{GpuInformation, PciGpu, RuntimeStatus, bound_gpus, gpu_information, pci_gpus};
pub use processes::{ProcessReader, ProcessReading};
pub use totals::{HostReader, file_of, identity};

pub use crate::model::PciAddress;

use crate::model::Absent;

/// What one read of a file gives; the kernel makes its small files whole at the first read.
fn read_once<'b>(path: &Path, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let length = File::open(path)?.read(buffer)?;
    Ok(&buffer[..length])
}

/// A whole file as text; bytes that are no UTF-8 become U+FFFD.
fn read_text(path: &Path) -> Result<String, Absent> {
    let bytes = fs::read(path).map_err(|error| absence(&error))?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// Why a file could not be read.
fn absence(error: &io::Error) -> Absent {
    match Errno::from_io_error(error) {
        Some(Errno::NOENT | Errno::NOTDIR) => Absent::NotFound,
        Some(Errno::ACCESS | Errno::PERM) => Absent::NoPermission,
        Some(Errno::SRCH) => Absent::Gone,
        Some(Errno::OPNOTSUPP) => Absent::NotSupported,
        // What is left, such as too many open files, passes: the next tick reads it again.
        _ => Absent::NotReadYet,
    }
}

#[cfg(test)]
mod tests {
    use super::{absence, read_once, read_text};
    use crate::model::Absent;
    use rustix::io::Errno;
    use std::io;

    #[test]
    fn each_error_is_a_reason() {
        let of = |errno: Errno| absence(&io::Error::from(errno));
        assert_eq!(of(Errno::NOENT), Absent::NotFound);
        assert_eq!(of(Errno::ACCESS), Absent::NoPermission);
        assert_eq!(of(Errno::PERM), Absent::NoPermission);
        assert_eq!(of(Errno::SRCH), Absent::Gone);
        assert_eq!(of(Errno::OPNOTSUPP), Absent::NotSupported);
        assert_eq!(of(Errno::MFILE), Absent::NotReadYet);
        assert_eq!(absence(&io::Error::other("no errno")), Absent::NotReadYet);
    }

    #[test]
    fn a_file_is_read_whole_or_as_far_as_the_buffer_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"caf\xe9").unwrap();
        assert_eq!(read_text(&path).unwrap(), "caf\u{fffd}");
        assert_eq!(read_once(&path, &mut [0; 3]).unwrap(), b"caf");
        assert_eq!(read_once(&path, &mut [0; 9]).unwrap(), b"caf\xe9");
        assert_eq!(read_text(&path.join("below")), Err(Absent::NotFound));
    }
}
