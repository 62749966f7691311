//! SQLite: a pool of read connections, and one writer with group commit.

mod connections;
mod file;
mod progress;
mod queue;
mod readers;
mod watch;
mod writer;

pub(super) use connections::{RETRY, Sqlite, is_busy, is_corrupt};
use connections::{connect, run};
pub(super) use queue::{ExclusiveTx, GroupTx};
pub(super) use readers::{Reader, reads_at_once};
pub(super) use writer::GroupCommit;
