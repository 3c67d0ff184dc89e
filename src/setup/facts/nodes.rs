//! The device nodes through which programs reach the GPUs.

use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::fs::Access;
use serde::{Deserialize, Serialize};

use super::Evidence;
use super::files::Files;

/// A device node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceNode {
    /// Its path.
    pub path: String,
    /// Who may use it, in the digits of `chmod`: `0666`.
    pub mode: String,
    /// The user that it belongs to.
    pub user_id: u32,
    /// The group that it belongs to.
    pub group_id: u32,
    /// Whether it is a character device, as it must be.
    pub is_character_device: bool,
    /// Whether this user may read and write it.
    pub usable: bool,
}

/// NVIDIA's nodes in `/dev`, and the render nodes of all GPUs.
pub(super) fn read(files: Files<'_>) -> Evidence<Vec<DeviceNode>> {
    let nodes = files.names("/dev").map(|names| {
        let nvidia = names.into_iter().filter(|name| name.starts_with("nvidia"));
        let render = files.names("/dev/dri").unwrap_or_default();
        let render = render.into_iter().filter(|name| name.starts_with("renderD"));
        let paths = nvidia.map(|name| format!("/dev/{name}"));
        let paths = paths.chain(render.map(|name| format!("/dev/dri/{name}")));
        paths.filter_map(|path| node(files, path)).collect()
    });
    Evidence::new("/dev", nodes)
}

/// The node at this path; folders such as `nvidia-caps` are none.
fn node(files: Files<'_>, path: String) -> Option<DeviceNode> {
    let metadata = files.metadata(&path).ok()?;
    if metadata.is_dir() {
        return None;
    }
    let place = files.0.path(files.resolve(&path).ok()?);
    Some(DeviceNode {
        path,
        mode: format!("{:04o}", metadata.mode() & 0o7777),
        user_id: metadata.uid(),
        group_id: metadata.gid(),
        is_character_device: metadata.file_type().is_char_device(),
        usable: rustix::fs::access(place, Access::READ_OK | Access::WRITE_OK).is_ok(),
    })
}
