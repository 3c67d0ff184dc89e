//! The kernel log, `/dev/kmsg`: the driver's errors from the time when the machine started, and on.

mod line;
mod reader;

pub use line::{Device, KernelError};
pub use reader::KernelLog;
