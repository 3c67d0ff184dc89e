//! What is mounted where, from the kernel's table `/proc/self/mountinfo`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// The mounts that this process sees, in the order in which they were made.
pub(super) struct Mounts(Vec<Mount>);

struct Mount {
    /// Major and minor number of the file system.
    device: Vec<u8>,
    /// The part of the file system that is mounted.
    root: PathBuf,
    /// Where it is mounted.
    point: PathBuf,
}

impl Mounts {
    /// Reads the kernel's table; a line that is none is passed over.
    pub(super) fn parse(table: &[u8]) -> Self {
        Self(table.split(|byte| *byte == b'\n').filter_map(Mount::parse).collect())
    }

    /// Whether something is mounted exactly there.
    pub(super) fn is_mount_point(&self, path: &Path) -> bool {
        self.at(path).is_some()
    }

    /// The other places where what is mounted at `path` should be seen, the one closest to it first.
    pub(super) fn sources<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = PathBuf> + 'a {
        let here = self.at(path);
        let mut others: Vec<_> = self.0.iter().filter(|other| other.point != path).collect();
        others.sort_by_key(|other| std::cmp::Reverse(other.root.as_os_str().len()));
        others.into_iter().filter_map(move |other| {
            let here = here.filter(|here| here.device == other.device)?;
            let inside = here.root.strip_prefix(&other.root).ok()?;
            Some(other.point.join(inside)).filter(|_| !inside.as_os_str().is_empty())
        })
    }

    /// The last mount covers those before it.
    fn at(&self, path: &Path) -> Option<&Mount> {
        self.0.iter().rfind(|mount| mount.point == path)
    }
}

impl Mount {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ').skip(2);
        let device = fields.next()?.to_owned();
        let mut path = || Some(PathBuf::from(unescaped(fields.next()?)));
        Some(Self { device, root: path()?, point: path()? })
    }
}

/// The kernel writes blanks, line ends and backslashes as `\040` and the like.
fn unescaped(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| first == b'\\');
        let value = octal
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(value.unwrap_or(first));
        rest = value.and_then(|_| after.get(3..)).unwrap_or(after);
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::Mounts;

    const TABLE: &[u8] = b"\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:30 /persist /persist rw,relatime shared:2 - btrfs /dev/sdb rw,subvol=/persist
23 21 0:30 / /mnt/all\\040of\\134it rw - btrfs /dev/sdb rw
24 21 0:30 /persist/etc/nixos/a\\040b.nix /etc/nixos/a\\040b.nix rw - btrfs /dev/sdb rw
25 21 0:31 / /home rw - tmpfs tmpfs rw
nonsense
26 21";

    #[test]
    fn the_file_behind_a_bind_mount_is_found() {
        let mounts = Mounts::parse(TABLE);
        let file = Path::new("/etc/nixos/a b.nix");
        assert!(mounts.is_mount_point(file));
        let sources: Vec<_> = mounts.sources(file).collect();
        let expected = ["/persist/etc/nixos/a b.nix", "/mnt/all of\\it/persist/etc/nixos/a b.nix"];
        assert_eq!(sources, expected.map(PathBuf::from));
    }

    #[test]
    fn what_is_not_mounted_has_no_source() {
        let mounts = Mounts::parse(TABLE);
        assert!(!mounts.is_mount_point(Path::new("/etc/nixos")));
        assert_eq!(mounts.sources(Path::new("/etc/nixos")).count(), 0);
        assert_eq!(mounts.sources(Path::new("/home")).count(), 0);
    }
}
