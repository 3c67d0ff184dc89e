//! Reading a small file that the user wrote.

use std::fs::{self, File};
use std::io::{self, Error, Read as _};
use std::path::Path;

/// The largest file that is read, in bytes.
const MOST: u64 = 1024 * 1024;

/// The text of a file of at most 1 MiB. A device or a pipe is refused: reading it may wait for ever, or never end.
pub fn read_user_file(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    // What reading a folder says is good enough.
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(Error::other("it is a device or a pipe, and no regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST {
        return Err(Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{MOST, read_user_file};
    use std::fs;
    use std::path::Path;

    #[test]
    fn only_small_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let most = usize::try_from(MOST).unwrap();
        fs::write(&file, "a".repeat(most)).unwrap();
        assert_eq!(read_user_file(&file).unwrap().len(), most);
        fs::write(&file, "a".repeat(most + 1)).unwrap();
        let says = |path: &Path| read_user_file(path).unwrap_err().to_string();
        assert_eq!(says(&file), "it is larger than 1 MiB");
        assert!(says(Path::new("/dev/zero")).contains("no regular file"));
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
        assert!(says(&pipe).contains("no regular file"));
        assert!(says(folder.path()).contains("Is a directory"));
    }
}
