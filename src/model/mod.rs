//! What a machine's GPUs are and what they said at one instant, as plain data.
//!
//! Every producer in [`crate::source`] makes an [`Inventory`] and [`Sample`]s; everything above only reads them.

mod absent;
mod architecture;
mod clock_event;
mod cost;
mod derive;
mod event;
mod gpu_fact;
mod health;
mod inventory;
mod limit;
mod metric;
mod pci_address;
mod sample;
mod sysroot;
mod text;
mod time;
mod topology;
mod unit;
mod user_file;
mod word;
mod wrap;

pub use absent::Absent;
pub use architecture::Architecture;
pub use clock_event::{
    CLOCK_EVENTS, ClockEvent, Severity, clock_event_mask, clock_event_names, clock_events,
};
pub use cost::{CallCost, Cost, Lane};
pub use derive::{derive, leave_out};
pub use event::{
    Culprit, EVENT_TYPES, EventKind, EventSource, EventSources, EventType, Events, GpuEvent,
    RECOVERY_ACTIONS, RecoveryAction, ShownXid, XIDS, Xid, recovery_action, xid,
};
pub use gpu_fact::{FactKind, FactSpec, FactValue, GpuFact, GpuFacts, peak_memory_bandwidth};
pub use health::{Change, Evidence, Finding, NoPast, Past, RULES, Recent, Rule, Watch, findings};
pub use inventory::{
    ConfidentialCompute, Driver, Fact, Gpu, Host, Inventory, KernelModule, MigDevice, Origin,
};
pub use limit::{limit, limiting, memory_traffic, nvlink_bandwidth, pcie_bandwidth};
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
pub use time::rfc3339;
pub use topology::{CommonAncestor, GpuPair, LinksBetween};
pub use unit::{Unit, fixed};
pub use user_file::read_user_file;
pub use word::{FABRIC_HEALTHS, FABRIC_STATES, NVLINK_VERSIONS, RECOVERY_ACTION_WORDS, Word, word};
pub use wrap::wrapped;
