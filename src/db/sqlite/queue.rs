//! The queue for the single write connection, its transactions and the commit thread.
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

use rusqlite::Connection;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::{
    RETRY,
    file::DatabaseFile,
    is_busy,
    progress::{Busy, Progress},
    readers::Readers,
    run,
    writer::{Committed, Writer},
};
use crate::{
    db::{DbError, deadline},
    limits::LONG_COMMIT_WAIT,
};

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

impl Queue {
    pub(super) fn new(
        connection: Connection,
        file: Arc<DatabaseFile>,
        readers: Arc<Readers>,
    ) -> Result<Self, DbError> {
        let (cut_log, is_to_be_cut) = tokio::sync::mpsc::channel(1);
        let writer = Writer::new(connection, file.clone(), readers, cut_log.clone());
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
    async fn take(&self) -> Result<WriterGuard, DbError> {
        let busy = self.progress.enter();
        let writer = deadline::in_time("the queue of the writer", self.writer.clone().lock_owned()).await?;
        let mut writer = WriterGuard::new(writer, self.progress.clone(), busy);
        writer.discard_if_suspect();
        Ok(writer)
    }

    /// Waits for the writer and opens a savepoint in the group's transaction, which it begins if necessary.
    pub(super) async fn begin_in_group(&self) -> Result<GroupTx, DbError> {
        let mut writer = self.take().await?;
        if !writer.has_group() {
            self.check_file()?; // later writes of the group rely on the check of its commit
            writer.begin().await?;
            writer.share();
            let queue = self.clone();
            tokio::spawn(async move {
                let busy = queue.progress.enter();
                let writer = WriterGuard::new(queue.writer.lock_owned().await, queue.progress, busy);
                queue.committer.send(Job::Group(writer));
            });
        }
        writer.open_savepoint()?;
        Ok(GroupTx(writer))
    }

    /// Waits for the writer, commits the group and begins an exclusive transaction.
    pub(super) async fn begin_exclusive(&self) -> Result<ExclusiveTx, DbError> {
        let mut writer = self.take().await?;
        if writer.has_group() {
            let (sender, receiver) = oneshot::channel();
            self.committer.send(Job::GroupBeforeExclusive(writer, sender));
            writer = deadline::in_time("the commit", receiver).await?.map_err(|_| DbError::closed())?;
        }
        self.check_file()?;
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
                    let writer = WriterGuard::new(writer.lock_owned().await, progress.clone(), busy);
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

    /// Waits for running writes, then closes the readers and the writer.
    pub(super) async fn close(&self, close_readers: impl FnOnce()) {
        let mut writer = self.writer.lock().await;
        close_readers();
        writer.close();
    }
}

/// The writer, held by one task.
struct WriterGuard {
    progress: Arc<Progress>,
    _busy: Busy, // dropped before the writer is free
    writer: OwnedMutexGuard<Writer>,
}

impl WriterGuard {
    fn new(writer: OwnedMutexGuard<Writer>, progress: Arc<Progress>, busy: Busy) -> Self {
        progress.note();
        Self { progress, _busy: busy, writer }
    }

    /// Returns the connection for one statement.
    fn connection(&mut self) -> &mut Connection {
        self.progress.note();
        self.writer.connection()
    }

    /// Begins a transaction, as soon as no other process has one.
    async fn begin(&mut self) -> Result<(), DbError> {
        let give_up = deadline::current();
        loop {
            match run(self.connection(), "BEGIN IMMEDIATE") {
                Err(error) if is_busy(&error) && tokio::time::Instant::now() < give_up => {
                    tokio::time::sleep(RETRY).await;
                }
                done => return done.map_err(|error| self.diagnose(error)),
            }
        }
    }
}

impl Drop for WriterGuard {
    fn drop(&mut self) {
        self.progress.note();
    }
}

impl Deref for WriterGuard {
    type Target = Writer;

    fn deref(&self) -> &Writer {
        &self.writer
    }
}

impl DerefMut for WriterGuard {
    fn deref_mut(&mut self) -> &mut Writer {
        &mut self.writer
    }
}

/// A savepoint in the transaction of a group.
pub(in crate::db) struct GroupTx(WriterGuard);

impl GroupTx {
    pub(in crate::db) fn connection(&mut self) -> &mut Connection {
        self.0.connection()
    }

    /// Finds the cause of an SQLite error.
    pub(in crate::db) fn diagnose(&mut self, error: rusqlite::Error) -> DbError {
        self.0.diagnose(error)
    }

    /// Releases the savepoint and waits until the group is on disk.
    pub(in crate::db) async fn commit(mut self) -> Committed {
        let committed = match self.0.release_savepoint() {
            Ok(committed) => committed,
            Err(error) => {
                self.roll_back();
                return Err(error);
            }
        };
        drop(self); // release the writer
        committed.wait().await
    }

    pub(in crate::db) fn roll_back(&mut self) {
        self.0.roll_back_to_savepoint();
    }
}

/// An exclusive transaction, with a commit of its own.
pub(in crate::db) struct ExclusiveTx {
    writer: WriterGuard,
    committer: Committer,
}

impl ExclusiveTx {
    pub(in crate::db) fn connection(&mut self) -> &mut Connection {
        self.writer.connection()
    }

    /// Finds the cause of an SQLite error.
    pub(in crate::db) fn diagnose(&mut self, error: rusqlite::Error) -> DbError {
        self.writer.diagnose(error)
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
    Group(WriterGuard),
    GroupBeforeExclusive(WriterGuard, oneshot::Sender<WriterGuard>),
    Exclusive(WriterGuard, oneshot::Sender<Committed>),
    CutLog(WriterGuard, oneshot::Sender<bool>),
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
