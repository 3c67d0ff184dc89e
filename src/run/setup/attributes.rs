//! What belongs to a file beside its bytes: owner, mode, access lists and other extended attributes.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

use rustix::buffer::spare_capacity;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

/// More than the kernel allows for the names of one file, or for one value.
const MOST_BYTES: usize = 1 << 16;

/// Owner, mode and extended attributes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) owner: u32,
    pub(super) group: u32,
    /// The permission bits, those for set-user-id and the like included.
    pub(super) mode: u32,
    /// Values by name; access lists are the one named `system.posix_acl_access`.
    pub(super) extended: BTreeMap<CString, Vec<u8>>,
}

/// A part that another file could not be given.
pub(super) struct Lost {
    /// The part, in words.
    pub(super) what: String,
    pub(super) source: io::Error,
}

impl Attributes {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            owner: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & 0o7777,
            extended: extended(file)?,
        })
    }

    /// Makes these the attributes of another file, and makes sure that they are.
    pub(super) fn give(&self, file: &File) -> Result<(), Lost> {
        let lost = |what: &str| {
            let what = what.to_owned();
            move |source: io::Error| Lost { what, source }
        };
        let has = Self::of(file).map_err(lost("what the new file has"))?;
        if (has.owner, has.group) != (self.owner, self.group) {
            fchown(file, Some(self.owner), Some(self.group)).map_err(lost("its owner"))?;
        }
        // A folder's default access list was given to the new file by the kernel.
        for name in has.extended.keys().filter(|name| !self.extended.contains_key(*name)) {
            let removed = fremovexattr(file, name);
            removed.map_err(|errno| lost(&described(name))(errno.into()))?;
        }
        for (name, value) in &self.extended {
            if has.extended.get(name) != Some(value) {
                let set = fsetxattr(file, name, value, XattrFlags::empty());
                set.map_err(|errno| lost(&described(name))(errno.into()))?;
            }
        }
        // Last: a change of owner clears bits of the mode, and a change of the access list writes others.
        file.set_permissions(Permissions::from_mode(self.mode)).map_err(lost("its mode"))?;
        match Self::of(file).map_err(lost("what the new file has"))? {
            given if given == *self => Ok(()),
            _ => Err(lost("its attributes")(io::Error::other("the file system gave others"))),
        }
    }
}

fn described(name: &CString) -> String {
    format!("its attribute {}", name.to_string_lossy())
}

fn extended(file: &File) -> io::Result<BTreeMap<CString, Vec<u8>>> {
    let mut names = Vec::with_capacity(MOST_BYTES);
    match flistxattr(file.as_fd(), spare_capacity(&mut names)) {
        Ok(_) => {}
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    }
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let name = CString::new(name)?;
            let mut value = Vec::with_capacity(MOST_BYTES);
            fgetxattr(file.as_fd(), &name, spare_capacity(&mut value))?;
            Ok((name, value))
        })
        .collect()
}
