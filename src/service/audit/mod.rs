//! The audit log: one structured line for each security event.
//!
//! All lines have the same fields; `docs/operating.md` lists them and the events. Operations on users,
//! sessions and tokens commit with [`commit`] or [`commit_once`], which require the event.

mod actor;
mod event;
mod log;
mod repeated;
#[cfg(test)]
mod tests;

pub use actor::{Actor, RequestContext};
pub use event::{Event, Refusal};
pub(super) use log::{Log, commit, commit_once};
pub use log::{TARGET, keep};
