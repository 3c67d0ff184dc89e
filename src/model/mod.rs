//! What a machine's GPUs are and what they said at one instant, as plain data.
//!
//! Every producer in [`crate::source`] makes an [`Inventory`] and [`Sample`]s; everything above only reads them.

mod absent;
mod architecture;
mod clock_event;
mod derive;
mod inventory;
mod metric;
mod pci_address;
mod sample;
mod sysroot;
mod text;
mod unit;
mod user_file;
mod wrap;

pub use absent::Absent;
pub use architecture::Architecture;
pub use clock_event::{
    CLOCK_EVENTS, ClockEvent, Severity, clock_event_mask, clock_event_names, clock_events,
};
pub use derive::{derive, leave_out};
pub use inventory::{Driver, Fact, Gpu, Host, Inventory, KernelModule, Origin};
pub use metric::{
    Group, History, HostMetric, Instances, Kind, Layout, Metric, MetricSet, MetricSpec, Per,
    ProcessMetric, Slot, TableMetric,
};
pub use pci_address::{PciAddress, PciAddressError};
pub use sample::{
    GpuSample, GpuState, Process, ProcessIdentity, ProcessKinds, Reading, Sample, SampleError,
    Values,
};
pub use sysroot::Sysroot;
pub use text::{is_printable, line_and_column, printable};
pub use unit::{Unit, fixed};
pub use user_file::read_user_file;
pub use wrap::wrapped;
