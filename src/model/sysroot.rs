//! Where `/proc`, `/sys` and `/etc` hang.

use std::path::{Path, PathBuf};

/// The folder that stands for `/`: the real one, or a test's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysroot(PathBuf);

impl Default for Sysroot {
    fn default() -> Self {
        Self::new("/")
    }
}

impl Sysroot {
    /// The folder `root` as the root.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// Where the file with this absolute path lies.
    pub fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let absolute = absolute.as_ref();
        self.0.join(absolute.strip_prefix("/").unwrap_or(absolute))
    }
}

#[cfg(test)]
mod tests {
    use super::Sysroot;
    use std::path::Path;

    #[test]
    fn paths_hang_below_the_root() {
        assert_eq!(Sysroot::default().path("/proc/stat"), Path::new("/proc/stat"));
        assert_eq!(Sysroot::new("/tmp/x").path("/proc/stat"), Path::new("/tmp/x/proc/stat"));
    }
}
