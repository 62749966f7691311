//! The write connection, and the transaction that the writes of a group share.

use std::sync::Arc;

use rusqlite::{Connection, config::DbConfig};
use tokio::sync::{mpsc, watch};

use super::{file::DatabaseFile, is_corrupt, readers::Readers, run};
use crate::db::{DbError, deadline, settle};

pub(super) type Committed = Result<(), DbError>;

/// The log is truncated above this size, in bytes, once all of it is checkpointed. Otherwise it would never
/// shrink.
pub(super) const LONG_LOG_BYTES: u64 = 16 * 1024 * 1024;

/// The write connection.
pub(super) struct Writer {
    connection: Connection,
    file: Arc<DatabaseFile>,
    readers: Arc<Readers>,
    /// Requests a truncation of the log.
    cut_log: mpsc::Sender<()>,
    /// The group of the open transaction, if it is shared.
    group: Option<Group>,
    /// Set after SQLite has reported corruption: its cache and the open transaction may be wrong.
    is_suspect: bool,
}

/// The writes that share a transaction.
struct Group {
    committed: watch::Sender<Option<Committed>>,
    /// Whether the transaction has uncommitted writes.
    has_writes: bool,
}

/// The commit of a group; waiting for it does not need the writer.
pub(in crate::db) struct GroupCommit(watch::Receiver<Option<Committed>>);

impl GroupCommit {
    /// Waits until the group is on disk.
    ///
    /// # Errors
    /// The commit failed, or was not done by the deadline; in the latter case it may still succeed.
    pub(in crate::db) async fn wait(mut self) -> Committed {
        let committed = deadline::in_time("the commit", self.0.wait_for(Option::is_some)).await?;
        let committed = committed.map_err(|_| DbError::closed())?;
        committed.clone().unwrap_or_else(|| Err(DbError::closed()))
    }
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        file: Arc<DatabaseFile>,
        readers: Arc<Readers>,
        cut_log: mpsc::Sender<()>,
    ) -> Self {
        Self { connection, file, readers, cut_log, group: None, is_suspect: false }
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Rolls the open transaction back if it may be wrong.
    pub(super) fn discard_if_suspect(&mut self) {
        if self.is_suspect {
            self.discard();
        }
    }

    /// Returns whether the open transaction is that of a group.
    pub(super) fn has_group(&self) -> bool {
        self.group.is_some()
    }

    /// Shares the transaction that was begun.
    pub(super) fn share(&mut self) {
        self.group = Some(Group { committed: watch::Sender::new(None), has_writes: false });
    }

    /// Opens the savepoint of a write.
    pub(super) fn open_savepoint(&mut self) -> Result<(), DbError> {
        let opened = run(&self.connection, "SAVEPOINT w");
        opened.map_err(|error| self.diagnose(error))
    }

    /// Keeps what was written since the savepoint.
    pub(super) fn release_savepoint(&mut self) -> Result<GroupCommit, DbError> {
        if self.is_suspect {
            return Err(lost());
        }
        let released = run(&self.connection, "RELEASE w");
        released.map_err(|error| self.diagnose(error))?;
        let group = self.group.as_mut().ok_or_else(lost)?;
        group.has_writes = true;
        Ok(GroupCommit(group.committed.subscribe()))
    }

    /// Rolls back to the savepoint. The response waits until everything that the write may have read is on
    /// disk.
    pub(super) fn roll_back_to_savepoint(&mut self) {
        if let Some(group) = self.group.as_ref().filter(|group| group.has_writes) {
            settle::note(GroupCommit(group.committed.subscribe()));
        }
        let ends_all = self.is_suspect || self.connection.execute_batch("ROLLBACK TO w; RELEASE w").is_err();
        // A full disk or an I/O error rolls the whole transaction back, so nothing of the group is stored.
        if ends_all || self.connection.is_autocommit() {
            self.discard();
        }
    }

    /// Commits the group's transaction, if one is open. The caller must announce the result to the group.
    pub(super) fn commit_group(&mut self) -> GroupOutcome {
        let group = self.group.take();
        GroupOutcome(group.map(|group| (group, self.commit())))
    }

    pub(super) fn commit(&mut self) -> Committed {
        let sound = if self.is_suspect { Err(lost()) } else { self.file.check() };
        let committed = sound.and_then(|()| {
            self.readers.release_shared_lock(); // it would prevent the checkpoint
            let committed = run(&self.connection, "COMMIT");
            committed.map_err(|error| self.diagnose(error))
        });
        if committed.is_err() {
            self.roll_back();
        } else if self.file.log_bytes() > LONG_LOG_BYTES {
            let _ = self.cut_log.try_send(()); // an error: a request is pending already
        }
        committed
    }

    /// Checkpoints and truncates the log. Returns whether no reader needed it any more. Does nothing if
    /// another log has taken its place, since that one belongs to the file now.
    pub(super) fn cut_log(&mut self) -> rusqlite::Result<bool> {
        if self.file.has_other_log() {
            return Ok(true);
        }
        self.commit_group().announce();
        self.readers.release_shared_lock();
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
    }

    /// Rolls the whole transaction back and tells its group.
    fn discard(&mut self) {
        self.roll_back();
        if let Some(group) = self.group.take() {
            group.committed.send_replace(Some(Err(lost())));
        }
    }

    /// Rolls the whole transaction back.
    pub(super) fn roll_back(&mut self) {
        let _ = self.connection.execute_batch("ROLLBACK"); // fails if an error has rolled back already
        if std::mem::take(&mut self.is_suspect) {
            let _ = self.connection.execute_batch("PRAGMA shrink_memory"); // drops the page cache
        }
    }

    /// Closes the connection. The last one to close checkpoints and removes the log, unless the log belongs to
    /// another database with the same name.
    pub(super) fn close(&mut self) {
        if self.file.check().is_err() {
            let _ = self.cut_log(); // an error: the log stays as it is
        }
        self.file.close();
        if !self.file.has_own_log() {
            let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        if let Ok(nothing) = Connection::open_in_memory() {
            drop(std::mem::replace(&mut self.connection, nothing));
        }
    }

    /// Finds the cause of an SQLite error. If SQLite reports corruption, the disk may have failed for a
    /// moment; the next reader of the same data will find out.
    pub(super) fn diagnose(&mut self, error: rusqlite::Error) -> DbError {
        if !is_corrupt(&error) {
            return error.into();
        }
        self.is_suspect = true;
        match self.file.diagnose(error) {
            DbError::Failed(error) => {
                tracing::error!(%error, "SQLite takes the file for a damaged one; look with PRAGMA integrity_check");
                DbError::Unavailable(error.to_string())
            }
            known => known,
        }
    }
}

/// The result of a group commit.
#[must_use]
pub(super) struct GroupOutcome(Option<(Group, Committed)>);

impl GroupOutcome {
    /// Tells the waiting members of the group.
    pub(super) fn announce(self) {
        if let Some((group, committed)) = self.0 {
            group.committed.send_replace(Some(committed));
        }
    }
}

fn lost() -> DbError {
    DbError::Unavailable("the transaction was rolled back by SQLite".to_owned())
}
