//! The one connection that writes: its queue, the groups that share a commit, and the thread that commits.
//!
//! Each write works in a savepoint of one outer transaction. The first write of a group opens that
//! transaction and queues its commit behind the writes that wait already. The queue is fair, so these do
//! their work in the same transaction, and one fsync serves them all. The response is sent after the fsync.
//! An exclusive transaction is one by itself: SQLite keeps a savepoint's rollback journal in memory, and
//! a transaction needs none.
//!
//! Commits run on a thread that does nothing else: no other work can keep one from being done.

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
};
use crate::{
    db::{DbError, deadline, settle},
    limits::LONG_COMMIT_WAIT,
};

type Committed = Result<(), DbError>;

/// The length at which the log is cut, when all of it is in the file. Without a limit it would stay as
/// long as it ever was.
pub(super) const LONG_LOG_BYTES: u64 = 16 * 1024 * 1024;
/// How soon cutting the log is tried again where readers still need it.
const LOG_RETRY: Duration = Duration::from_secs(1);

/// The writer, its queue and its thread.
#[derive(Clone)]
pub(super) struct Queue {
    writer: Arc<Mutex<Writer>>,
    file: Arc<DatabaseFile>,
    progress: Arc<Progress>,
    committer: Committer,
    /// Has the log cut.
    cut_log: tokio::sync::mpsc::Sender<()>,
}

/// The one connection that writes.
struct Writer {
    connection: Connection,
    file: Arc<DatabaseFile>,
    readers: Arc<Readers>,
    /// Has the log cut.
    cut_log: tokio::sync::mpsc::Sender<()>,
    /// Who shares the open transaction; `None` while there is none to share.
    group: Option<Group>,
    /// Whether SQLite has taken the file for a damaged one. Then what it keeps of it in memory may be wrong, and the
    /// open transaction too.
    is_suspect: bool,
}

struct Group {
    committed: watch::Sender<Option<Committed>>,
    /// Whether the transaction holds what somebody has written.
    has_writes: bool,
}

/// The commit of a group, to be waited for without the writer.
pub(in crate::db) struct GroupCommit(watch::Receiver<Option<Committed>>);

impl GroupCommit {
    /// Comes back when the group is on disk.
    ///
    /// # Errors
    /// The commit failed, or is not done by the deadline; then it may be done yet.
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

    /// That the file is in its place. Where it is not, its log is emptied into it, wherever it is: SQLite would
    /// apply what stays in the log to another file that has taken the place.
    pub(super) fn check_file(&self) -> Result<(), DbError> {
        self.file.check().inspect_err(|_| {
            let _ = self.cut_log.try_send(()); // an error: it was told already
        })
    }

    /// Waits for the writer until the deadline of the request.
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

    /// Waits for the writer and opens a savepoint, in the group's transaction or in a new one.
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
        let begun = writer.connection.execute_batch("SAVEPOINT w");
        begun.map_err(|error| writer.why(error))?;
        Ok(GroupTx(writer))
    }

    /// Waits for the writer, has the group committed, and opens a transaction that is in none.
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

    /// Cuts the log whenever that is asked for, as soon as no reader needs it. Ends with the writer, and
    /// so must not hold it.
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

    /// Waits for the writes under way, closes the readers and then the writer: the last connection to
    /// close writes the log back into the file and removes it.
    pub(super) async fn close(&self, close_readers: impl FnOnce()) {
        let mut writer = self.writer.lock().await;
        close_readers();
        if self.file.check().is_err() {
            let _ = writer.cut_log(); // an error: the log stays as it is
        }
        if !self.file.has_own_log() {
            // SQLite would remove the log of another database, by its name.
            let _ = writer.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        if let Ok(nothing) = Connection::open_in_memory() {
            drop(std::mem::replace(&mut writer.connection, nothing));
        }
    }
}

/// The writer, as long as somebody has it.
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

    /// The connection, for one statement.
    fn connection(&mut self) -> &mut Connection {
        self.progress.note();
        &mut self.writer.connection
    }

    /// Opens a transaction, as soon as no other process has one open.
    async fn begin(&mut self) -> Result<(), DbError> {
        let give_up = deadline::current();
        loop {
            match self.connection().execute_batch("BEGIN IMMEDIATE") {
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
    /// Commits the open transaction of the group, if there is one. Those who wait for it are to be told.
    fn commit_group(&mut self) -> GroupOutcome {
        let group = self.group.take();
        GroupOutcome(group.map(|group| (group, self.commit())))
    }

    fn commit(&mut self) -> Committed {
        let sound = if self.is_suspect { Err(lost()) } else { self.file.check() };
        let committed = sound.and_then(|()| {
            self.readers.release_shared_lock(); // it would keep the log from being brought into the file
            let committed = self.connection.execute_batch("COMMIT");
            committed.map_err(|error| self.why(error))
        });
        if committed.is_err() {
            self.roll_back();
        } else if self.file.log_bytes() > LONG_LOG_BYTES {
            let _ = self.cut_log.try_send(()); // an error: it was told already
        }
        committed
    }

    /// Brings all of the log into the file and cuts it; returns whether readers did not need it any more. Where
    /// another log has taken its place, that one is what belongs to the file now.
    fn cut_log(&mut self) -> rusqlite::Result<bool> {
        if self.file.has_other_log() {
            return Ok(true);
        }
        self.commit_group().announce();
        self.readers.release_shared_lock();
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
    }

    /// Rolls the whole transaction back, and tells those who share it.
    fn discard(&mut self) {
        self.roll_back();
        if let Some(group) = self.group.take() {
            group.committed.send_replace(Some(Err(lost())));
        }
    }

    fn roll_back(&mut self) {
        let _ = self.connection.execute_batch("ROLLBACK"); // an error may have done it already
        if std::mem::take(&mut self.is_suspect) {
            let _ = self.connection.execute_batch("PRAGMA shrink_memory"); // read all of it again
        }
    }

    /// What an error really was. Where SQLite finds the file damaged, the disk may have failed for a moment; whoever
    /// reads the same will see.
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

/// What became of a group.
#[must_use]
struct GroupOutcome(Option<(Group, Committed)>);

impl GroupOutcome {
    /// Answers those who wait for it.
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

    /// What an error really was.
    pub(in crate::db) fn why(&mut self, error: rusqlite::Error) -> DbError {
        self.0.why(error)
    }

    /// Ends the savepoint, and comes back when the group is on disk.
    pub(in crate::db) async fn commit(mut self) -> Committed {
        let committed = match self.release() {
            Ok(committed) => committed,
            Err(error) => {
                self.roll_back();
                return Err(error);
            }
        };
        drop(self); // others have their turn meanwhile
        committed.wait().await
    }

    fn release(&mut self) -> Result<GroupCommit, DbError> {
        if self.0.is_suspect {
            return Err(lost());
        }
        let released = self.0.connection.execute_batch("RELEASE w");
        released.map_err(|error| self.why(error))?;
        let group = self.0.group.as_mut().ok_or_else(lost)?;
        group.has_writes = true;
        Ok(GroupCommit(group.committed.subscribe()))
    }

    /// Takes back what was done since the savepoint, and only that. Who asked for it is answered when all that
    /// it may have read is on disk.
    pub(in crate::db) fn roll_back(&mut self) {
        let writer = &mut *self.0;
        if let Some(group) = writer.group.as_ref().filter(|group| group.has_writes) {
            settle::note(GroupCommit(group.committed.subscribe()));
        }
        let ends_all =
            writer.is_suspect || writer.connection.execute_batch("ROLLBACK TO w; RELEASE w").is_err();
        // A full disk or an I/O error ends the whole transaction: then nothing of the group is stored.
        if ends_all || writer.connection.is_autocommit() {
            writer.discard();
        }
    }
}

fn lost() -> DbError {
    DbError::Unavailable("the transaction was rolled back by SQLite".to_owned())
}

/// A transaction by itself.
pub(in crate::db) struct ExclusiveTx {
    writer: Turn,
    committer: Committer,
}

impl ExclusiveTx {
    pub(in crate::db) fn connection(&mut self) -> &mut Connection {
        self.writer.connection()
    }

    /// What an error really was.
    pub(in crate::db) fn why(&mut self, error: rusqlite::Error) -> DbError {
        self.writer.why(error)
    }

    /// Comes back when it is on disk. It may be much, so this does not end at the deadline of the request.
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

/// What the thread that commits is to do. The writer is free afterwards, but for one that goes back.
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
                let _ = next.send(writer); // an error: nobody waits for it any more
            }
            Self::Exclusive(mut writer, committed) => {
                let done = writer.commit();
                drop(writer);
                let _ = committed.send(done); // an error: nobody waits for it any more
            }
            Self::CutLog(mut writer, is_cut) => {
                let done = writer.cut_log().unwrap_or_else(|error| {
                    tracing::warn!(%error, "the log of SQLite cannot be cut at the moment");
                    false
                });
                let _ = is_cut.send(done); // an error: the database is closed
            }
        }
    }
}

/// The thread that commits. It ends with the last of those who send to it.
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

    /// A thread that is gone drops the job, and who waits for it sees that.
    fn send(&self, job: Job) {
        let _ = self.0.send(job);
    }
}
