//! The NVIDIA SDK configuration of a NixOS machine: what runs, what is declared, what is wanted, and the Nix module
//! that closes the difference.
//!
//! Everything here reads under a given root and returns plain data; writing is done in `run`.

mod branch;
mod checks;
mod cuda;
pub mod declared;
pub mod demo;
mod diff;
pub mod draft;
pub mod facts;
mod model;
mod need;
pub mod next;
pub mod nix;
mod objections;
mod options;
mod plan;
mod release;
mod running;
mod settings;
pub mod shell;
mod stated;
#[cfg(test)]
mod tests;
mod unfree;
mod version;
mod wanted;

pub use branch::{BRANCHES, Branch, TABLE_DATE};
pub use checks::{CHECKS, Check, Finding, Severity};
pub use cuda::CudaFit;
pub use diff::{DiffLine, diff};
pub use draft::{Draft, Value};
pub use model::{Because, Row, Setup};
pub use need::Need;
pub use nix::Mode;
pub use options::{Effect, Home, Kind, OPTIONS, SdkOption, Upstream, option};
pub use plan::{Change, FilePlan, Outcome, Plan, Refusal};
pub use release::Release;
pub use running::Running;
pub use stated::Stated;
pub use version::Version;
