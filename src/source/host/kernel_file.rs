//! A small file of the kernel that is read at every tick.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// A file below `/proc`, which makes its content anew whenever it is read from its start. Where it is kept open, a
/// reading costs one system call and no look-up of its path.
pub(super) struct KernelFile {
    path: PathBuf,
    kept: Option<File>,
    is_kept: bool,
}

impl KernelFile {
    /// Opens nothing yet. Only a real file of the kernel may be kept open: of another, which was replaced or deleted,
    /// the old content would be read.
    pub(super) fn new(path: PathBuf, is_kept: bool) -> Self {
        Self { path, kept: None, is_kept }
    }

    /// What one read gives: the kernel makes its small files whole at the first.
    pub(super) fn read<'b>(&mut self, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        // The file of a process that has ended gives an error, and its path may be that of another process by now.
        let length = match self.kept.take().map(|file| (file.read_at(buffer, 0), file)) {
            Some((Ok(length), file)) => {
                self.kept = Some(file);
                length
            }
            Some((Err(_), _)) | None => {
                let file = File::open(&self.path)?;
                let length = file.read_at(buffer, 0)?;
                self.kept = self.is_kept.then_some(file);
                length
            }
        };
        Ok(&buffer[..length])
    }
}

#[cfg(test)]
mod tests {
    use super::KernelFile;
    use std::fs;

    #[test]
    fn each_reading_begins_at_the_start() {
        let mut file = KernelFile::new("/proc/self/stat".into(), true);
        for _ in 0..2 {
            let mut buffer = [0; 256];
            let text = file.read(&mut buffer).unwrap();
            assert!(text.starts_with(std::process::id().to_string().as_bytes()));
        }
    }

    #[test]
    fn a_file_that_is_not_kept_is_looked_up_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stat");
        fs::write(&path, "café").unwrap();
        let mut file = KernelFile::new(path.clone(), false);
        assert_eq!(file.read(&mut [0; 3]).unwrap(), b"caf");
        fs::remove_file(&path).unwrap();
        assert!(file.read(&mut [0; 3]).is_err());
        fs::write(&path, "other").unwrap();
        assert_eq!(file.read(&mut [0; 9]).unwrap(), b"other");
    }

    #[test]
    fn the_process_of_a_path_may_change() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let mut file = KernelFile::new(format!("/proc/{}/stat", child.id()).into(), true);
        assert!(file.read(&mut [0; 256]).is_ok());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(file.read(&mut [0; 256]).is_err());
    }
}
