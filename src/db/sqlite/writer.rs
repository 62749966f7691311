//! The single write connection: its queue, group commit and the commit thread.
//!
//! Each write runs in a savepoint of a shared outer transaction. The first write of a group begins that
//! transaction and queues its commit behind the waiting writes. The queue is fair, so these run in the same
//! transaction, and one fsync serves them all. The response is sent after the fsync. An exclusive transaction
//! has no group: SQLite keeps a savepoint's rollback journal in memory, and a plain transaction needs none.
//!
//! Commits run on a dedicated thread, so that no other work can delay them.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, config::DbConfig};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot, watch};

use super::{
    RETRY,
    file::DatabaseFile,
    is_busy, is_corrupt,
    progress::{Busy, Progress},
    readers::Readers,
    run,
};
use crate::{
    db::{DbError, deadline, settle},
    limits::LONG_COMMIT_WAIT,
};

type Committed = Result<(), DbError>;

/// The log is truncated above this size, in bytes, once all of it is checkpointed. Otherwise it would never
/// shrink.
pub(super) const LONG_LOG_BYTES: u64 = 16 * 1024 * 1024;
/// The pause before another attempt to truncate the log, if readers still need it.
const LOG_RETRY: Duration = Duration::from_secs(1);

/// The writer with its queue and thread.
#[derive(Clone)]
pub(super) struct Queue {
    writer: Arc<Mutex<Writer>>,
    file: Arc<DatabaseFile>,
    progress: Arc<Progress>,
    committer: Committer,
    /// Requests a truncation of the log.
    cut_log: tokio::sync::mpsc::Sender<()>,
}

/// The write connection.
struct Writer {
    connection: Connection,
    file: Arc<DatabaseFile>,
    readers: Arc<Readers>,
    /// Requests a truncation of the log.
    cut_log: tokio::sync::mpsc::Sender<()>,
    /// The group of the open transaction, if it is shared.
    group: Option<Group>,
    /// Set after SQLite has reported corruption: its cache and the open transaction may be wrong.
    is_suspect: bool,
}

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

impl Queue {
    pub(super) fn new(
        connection: Connection,
        file: Arc<DatabaseFile>,
        readers: Arc<Readers>,
    ) -> Result<Self, DbError> {
        let (cut_log, is_to_be_cut) = tokio::sync::mpsc::channel(1);
        let writer = Writer {
            connection,
            file: file.clone(),
            readers,
            cut_log: cut_log.clone(),
            group: None,
            is_suspect: false,
        };
        let writer = Arc::new(Mutex::new(writer));
        let (progress, committer) = (Arc::new(Progress::new()), Committer::start()?);
        let queue = Self { writer, file, progress, committer, cut_log };
        tokio::spawn(queue.keep_log_short(is_to_be_cut));
        Ok(queue)
    }

    pub(super) fn stalled_for(&self, now: Instant) -> Duration {
        self.progress.stalled_for(now)
    }

    /// Checks that the files are in place. If not, the log is checkpointed into the moved file: SQLite would
    /// apply a remaining log to the file that took its place.
    pub(super) fn check_file(&self) -> Result<(), DbError> {
        self.file.check().inspect_err(|_| {
            let _ = self.cut_log.try_send(()); // an error: a request is pending already
        })
    }

    /// Waits for the writer until the request's deadline.
    async fn take(&self) -> Result<Turn, DbError> {
        self.check_file()?;
        let busy = self.progress.enter();
        let writer = deadline::in_time("the queue of the writer", self.writer.clone().lock_owned()).await?;
        let mut writer = Turn::new(writer, self.progress.clone(), busy);
        if writer.is_suspect {
            writer.discard();
        }
        Ok(writer)
    }

    /// Waits for the writer and opens a savepoint in the group's transaction, which it begins if necessary.
    pub(super) async fn begin_in_group(&self) -> Result<GroupTx, DbError> {
        let mut writer = self.take().await?;
        if writer.group.is_none() {
            writer.begin().await?;
            writer.group = Some(Group { committed: watch::Sender::new(None), has_writes: false });
            let queue = self.clone();
            tokio::spawn(async move {
                let busy = queue.progress.enter();
                let writer = Turn::new(queue.writer.lock_owned().await, queue.progress, busy);
                queue.committer.send(Job::Group(writer));
            });
        }
        let begun = run(&writer.connection, "SAVEPOINT w");
        begun.map_err(|error| writer.why(error))?;
        Ok(GroupTx(writer))
    }

    /// Waits for the writer, commits the group and begins an exclusive transaction.
    pub(super) async fn begin_exclusive(&self) -> Result<ExclusiveTx, DbError> {
        let mut writer = self.take().await?;
        if writer.group.is_some() {
            let (sender, receiver) = oneshot::channel();
            self.committer.send(Job::GroupBeforeExclusive(writer, sender));
            writer = deadline::in_time("the commit", receiver).await?.map_err(|_| DbError::closed())?;
        }
        writer.begin().await?;
        Ok(ExclusiveTx { writer, committer: self.committer.clone() })
    }

    /// Truncates the log on request, as soon as no reader needs it. Ends when the writer is dropped, so it
    /// must not own it.
    fn keep_log_short(
        &self,
        mut is_to_be_cut: tokio::sync::mpsc::Receiver<()>,
    ) -> impl Future<Output = ()> + use<> {
        let writer = Arc::downgrade(&self.writer);
        let (progress, committer) = (self.progress.clone(), self.committer.clone());
        async move {
            while is_to_be_cut.recv().await.is_some() {
                loop {
                    let Some(writer) = writer.upgrade() else { return };
                    let busy = progress.enter();
                    let writer = Turn::new(writer.lock_owned().await, progress.clone(), busy);
                    let (sender, is_cut) = oneshot::channel();
                    committer.send(Job::CutLog(writer, sender));
                    if is_cut.await.unwrap_or(true) {
                        break;
                    }
                    tokio::time::sleep(LOG_RETRY).await;
                }
            }
        }
    }

    /// Waits for running writes, then closes the readers and the writer. The last connection to close
    /// checkpoints and removes the log.
    pub(super) async fn close(&self, close_readers: impl FnOnce()) {
        let mut writer = self.writer.lock().await;
        close_readers();
        if self.file.check().is_err() {
            let _ = writer.cut_log(); // an error: the log stays as it is
        }
        self.file.close();
        if !self.file.has_own_log() {
            // Otherwise SQLite would remove the log of another database with the same name.
            let _ = writer.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        if let Ok(nothing) = Connection::open_in_memory() {
            drop(std::mem::replace(&mut writer.connection, nothing));
        }
    }
}

/// The writer, held by one task.
struct Turn {
    progress: Arc<Progress>,
    _busy: Busy, // dropped before the writer is free
    writer: OwnedMutexGuard<Writer>,
}

impl Turn {
    fn new(writer: OwnedMutexGuard<Writer>, progress: Arc<Progress>, busy: Busy) -> Self {
        progress.note();
        Self { progress, _busy: busy, writer }
    }

    /// Returns the connection for one statement.
    fn connection(&mut self) -> &mut Connection {
        self.progress.note();
        &mut self.writer.connection
    }

    /// Begins a transaction, as soon as no other process has one.
    async fn begin(&mut self) -> Result<(), DbError> {
        let give_up = deadline::current();
        loop {
            match run(self.connection(), "BEGIN IMMEDIATE") {
                Err(error) if is_busy(&error) && tokio::time::Instant::now() < give_up => {
                    tokio::time::sleep(RETRY).await;
                }
                done => return done.map_err(|error| self.why(error)),
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.progress.note();
    }
}

impl Deref for Turn {
    type Target = Writer;

    fn deref(&self) -> &Writer {
        &self.writer
    }
}

impl DerefMut for Turn {
    fn deref_mut(&mut self) -> &mut Writer {
        &mut self.writer
    }
}

impl Writer {
    /// Commits the group's transaction, if one is open. The caller must announce the result to the group.
    fn commit_group(&mut self) -> GroupOutcome {
        let group = self.group.take();
        GroupOutcome(group.map(|group| (group, self.commit())))
    }

    fn commit(&mut self) -> Committed {
        let sound = if self.is_suspect { Err(lost()) } else { self.file.check() };
        let committed = sound.and_then(|()| {
            self.readers.release_shared_lock(); // it would prevent the checkpoint
            let committed = run(&self.connection, "COMMIT");
            committed.map_err(|error| self.why(error))
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
    fn cut_log(&mut self) -> rusqlite::Result<bool> {
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

    fn roll_back(&mut self) {
        let _ = self.connection.execute_batch("ROLLBACK"); // fails if an error has rolled back already
        if std::mem::take(&mut self.is_suspect) {
            let _ = self.connection.execute_batch("PRAGMA shrink_memory"); // drops the page cache
        }
    }

    /// Finds the cause of an SQLite error. If SQLite reports corruption, the disk may have failed for a
    /// moment; the next reader of the same data will find out.
    fn why(&mut self, error: rusqlite::Error) -> DbError {
        if !is_corrupt(&error) {
            return error.into();
        }
        self.is_suspect = true;
        match self.file.why(error) {
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
struct GroupOutcome(Option<(Group, Committed)>);

impl GroupOutcome {
    /// Tells the waiting members of the group.
    fn announce(self) {
        if let Some((group, committed)) = self.0 {
            group.committed.send_replace(Some(committed));
        }
    }
}

/// A savepoint in the transaction of a group.
pub(in crate::db) struct GroupTx(Turn);

impl GroupTx {
    pub(in crate::db) fn connection(&mut self) -> &mut Connection {
        self.0.connection()
    }

    /// Finds the cause of an SQLite error.
    pub(in crate::db) fn why(&mut self, error: rusqlite::Error) -> DbError {
        self.0.why(error)
    }

    /// Releases the savepoint and waits until the group is on disk.
    pub(in crate::db) async fn commit(mut self) -> Committed {
        let committed = match self.release() {
            Ok(committed) => committed,
            Err(error) => {
                self.roll_back();
                return Err(error);
            }
        };
        drop(self); // release the writer
        committed.wait().await
    }

    fn release(&mut self) -> Result<GroupCommit, DbError> {
        if self.0.is_suspect {
            return Err(lost());
        }
        let released = run(&self.0.connection, "RELEASE w");
        released.map_err(|error| self.why(error))?;
        let group = self.0.group.as_mut().ok_or_else(lost)?;
        group.has_writes = true;
        Ok(GroupCommit(group.committed.subscribe()))
    }

    /// Rolls back to the savepoint. The response waits until everything that the write may have read is on
    /// disk.
    pub(in crate::db) fn roll_back(&mut self) {
        let writer = &mut *self.0;
        if let Some(group) = writer.group.as_ref().filter(|group| group.has_writes) {
            settle::note(GroupCommit(group.committed.subscribe()));
        }
        let ends_all =
            writer.is_suspect || writer.connection.execute_batch("ROLLBACK TO w; RELEASE w").is_err();
        // A full disk or an I/O error rolls the whole transaction back, so nothing of the group is stored.
        if ends_all || writer.connection.is_autocommit() {
            writer.discard();
        }
    }
}

fn lost() -> DbError {
    DbError::Unavailable("the transaction was rolled back by SQLite".to_owned())
}

/// An exclusive transaction, with a commit of its own.
pub(in crate::db) struct ExclusiveTx {
    writer: Turn,
    committer: Committer,
}

impl ExclusiveTx {
    pub(in crate::db) fn connection(&mut self) -> &mut Connection {
        self.writer.connection()
    }

    /// Finds the cause of an SQLite error.
    pub(in crate::db) fn why(&mut self, error: rusqlite::Error) -> DbError {
        self.writer.why(error)
    }

    /// Commits and waits until it is on disk. It may be large, so the request's deadline does not apply.
    pub(in crate::db) async fn commit(self) -> Committed {
        let (sender, receiver) = oneshot::channel();
        self.committer.send(Job::Exclusive(self.writer, sender));
        let committed = deadline::within(LONG_COMMIT_WAIT, deadline::in_time("the commit", receiver)).await?;
        committed.unwrap_or_else(|_| Err(DbError::closed()))
    }

    pub(in crate::db) fn roll_back(&mut self) {
        self.writer.roll_back();
    }
}

/// A task for the commit thread. Unless the job returns the writer, the writer is free afterwards.
enum Job {
    Group(Turn),
    GroupBeforeExclusive(Turn, oneshot::Sender<Turn>),
    Exclusive(Turn, oneshot::Sender<Committed>),
    CutLog(Turn, oneshot::Sender<bool>),
}

impl Job {
    fn run(self) {
        match self {
            Self::Group(mut writer) => {
                let committed = writer.commit_group();
                drop(writer);
                committed.announce();
            }
            Self::GroupBeforeExclusive(mut writer, next) => {
                writer.commit_group().announce();
                let _ = next.send(writer); // an error: the receiver is gone
            }
            Self::Exclusive(mut writer, committed) => {
                let done = writer.commit();
                drop(writer);
                let _ = committed.send(done); // an error: the receiver is gone
            }
            Self::CutLog(mut writer, is_cut) => {
                let done = writer.cut_log().unwrap_or_else(|error| {
                    tracing::warn!(%error, "the log of SQLite cannot be truncated at the moment");
                    false
                });
                let _ = is_cut.send(done); // an error: the database is closed
            }
        }
    }
}

/// The commit thread. It ends when the last sender is dropped.
#[derive(Clone)]
struct Committer(mpsc::Sender<Job>);

impl Committer {
    fn start() -> Result<Self, DbError> {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("sqlite-commit".to_owned())
            .spawn(move || jobs.into_iter().for_each(Job::run))
            .map_err(|error| DbError::Failed(Arc::new(error)))?;
        Ok(Self(sender))
    }

    /// If the thread is gone, the job is dropped, which its waiter notices.
    fn send(&self, job: Job) {
        let _ = self.0.send(job);
    }
}
