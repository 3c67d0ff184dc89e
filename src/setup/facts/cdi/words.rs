//! What is wrong with a spec, in words.

use std::fmt;

use super::{Role, Spec, Trouble};

impl Trouble {
    /// Whether containers can fail of it. The others say what could not be seen, or what may explain the rest.
    #[must_use]
    pub fn is_harmful(&self) -> bool {
        !matches!(
            self,
            Self::Unreadable { .. }
                | Self::Hidden { .. }
                | Self::NotAllLookedAt { .. }
                | Self::OlderThanBoot { .. }
                | Self::Shadowed { .. }
        )
    }
}

impl Spec {
    /// Whether containers can fail of something that is wrong with it.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.troubles.iter().any(Trouble::is_harmful)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mount => "mount",
            Self::DeviceNode => "device node",
            Self::Hook => "hook",
        })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { why } => write!(f, "cannot be read: {}", why.sentence()),
            Self::TooLarge { bytes, most_bytes } => {
                write!(f, "has {bytes} bytes, and more than {most_bytes} are not read")
            }
            Self::Unparsable { message } => write!(f, "is no CDI document: {message}"),
            Self::Missing { role, path } => write!(f, "the {role} {path} is not there"),
            Self::Hidden { role, path, .. } => {
                write!(f, "whether the {role} {path} is there this user may not see")
            }
            Self::NotAllLookedAt { paths } => write!(f, "{paths} of its paths were not looked at"),
            Self::OtherDriver { path, version, loaded } => {
                write!(f, "{path} is of driver {version}, and {loaded} is loaded")
            }
            Self::NoSuchGpu { device } => {
                write!(f, "its device {device} is no GPU of this machine")
            }
            Self::GpuLeftOut { device } => write!(f, "it has no device for GPU {device}"),
            Self::OlderThanBoot { .. } => {
                f.write_str("it was written before the machine was started")
            }
            Self::Conflict { device, path } => {
                write!(f, "{path} has the device {device} too, so that neither is used")
            }
            Self::Shadowed { device, path } => write!(f, "{path} hides its device {device}"),
        }
    }
}
