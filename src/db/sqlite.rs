//! SQLite: a pool of readers, and one writer whose commits are grouped.
//!
//! Each write works in a savepoint of one outer transaction. The first write of a group opens that
//! transaction and queues its commit behind the writes that wait already; the writer's lock is fair,
//! so these do their work in the same transaction, and one fsync serves them all. Nobody is
//! answered before it. A large write is a transaction by itself: what a savepoint may take back is kept
//! in memory, and a transaction keeps nothing.
//!
//! Readers take a lock for each query, by a system call under a mutex of SQLite's, unless another
//! connection of this process holds the same lock already. So while there is something to read one
//! connection holds it, in a transaction of its own, for [`STANDING`] at most: that makes reads of
//! single movies by many clients a third faster.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use tokio::sync::{OwnedMutexGuard, oneshot};

use super::DbError;

/// How long a write waits for another process (an administrator's command) to end its own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long until it is tried again where SQLite does not wait by itself.
const RETRY: Duration = Duration::from_millis(5);
/// Readers kept open while nobody uses them.
const IDLE_READERS: usize = 16;
/// How long one reader stands by for the others: no longer, since meanwhile what was written since
/// can be brought from the log into the file only in part.
const STANDING: Duration = Duration::from_millis(100);
/// The pages that the writer and each reader keep in memory, in KiB.
const WRITER_CACHE: u32 = 32 * 1024;
const READER_CACHE: u32 = 8 * 1024;
const CACHED_STATEMENTS: usize = 64;

/// Whether there are tables, but not the one that every database of ours has.
const HOLDS_FOREIGN_TABLES: &str = "SELECT count(*) > 0 AND coalesce(sum(name = 'schema_migrations'), 0) = 0 \
                                    FROM sqlite_schema WHERE type = 'table'";

pub(super) struct Sqlite {
    path: PathBuf,
    readers: Arc<Pool>,
    writer: Arc<tokio::sync::Mutex<Writer>>,
}

/// The one connection that writes.
pub(super) struct Writer {
    connection: Connection,
    /// Those who wait for the commit of the open transaction; `None` while there is no such transaction.
    group: Option<Group>,
}

type Group = Vec<oneshot::Sender<Result<(), DbError>>>;

pub(super) type WriterGuard = OwnedMutexGuard<Writer>;

impl Sqlite {
    /// Opens the file, or makes it, readable and writable for its owner alone.
    pub(super) fn open(path: &Path) -> Result<Self, DbError> {
        let shown = path.display();
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(|e| DbError::Refused(format!("{shown} cannot be opened: {e}")))?;

        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_CACHE)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Setting the journal mode writes to the file, which is to be ours then.
        let foreign = connection.query_row(HOLDS_FOREIGN_TABLES, [], |row| row.get(0))?;
        if foreign {
            return Err(super::migrations::foreign());
        }
        let set_up = || {
            connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
            )
        };
        // Two that open a new file at once are in each other's way there, which SQLite tells one of them at once.
        let give_up = Instant::now() + BUSY_TIMEOUT;
        let mut done = set_up();
        while done.as_ref().is_err_and(is_busy) && Instant::now() < give_up {
            thread::sleep(RETRY);
            done = set_up();
        }
        done?;
        // From here on a busy database is waited for without holding a thread.
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Self {
            path: path.to_owned(),
            readers: Arc::default(),
            writer: Arc::new(tokio::sync::Mutex::new(Writer { connection, group: None })),
        })
    }

    pub(super) fn read(&self) -> Result<Reader, DbError> {
        let mut readers = self.readers.lock();
        if readers.standing.is_none() {
            let connection = self.reader(&mut readers)?;
            connection.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema")?;
            readers.standing = Some(connection);
            let readers = self.readers.clone();
            tokio::spawn(async move {
                tokio::time::sleep(STANDING).await;
                readers.lock().end_standing();
            });
        }
        let connection = self.reader(&mut readers)?;
        drop(readers);
        Ok(Reader { connection: Some(connection), home: self.readers.clone() })
    }

    fn reader(&self, readers: &mut Readers) -> Result<Connection, DbError> {
        if let Some(connection) = readers.idle.pop() {
            return Ok(connection);
        }
        let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    }

    /// Waits for the writer and opens a savepoint, in the group's transaction or in a new one.
    pub(super) async fn write(&self) -> Result<WriterGuard, DbError> {
        let mut writer = self.writer.clone().lock_owned().await;
        if writer.group.is_none() {
            writer.begin().await?;
            writer.group = Some(Vec::new());
            tokio::spawn(commit_group(self.writer.clone(), self.readers.clone()));
        }
        writer.connection.execute_batch("SAVEPOINT w")?;
        Ok(writer)
    }

    /// Waits for the writer, commits the group, and opens a transaction that is in none. It blocks the
    /// thread for two commits.
    pub(super) async fn write_large(&self) -> Result<LargeWrite, DbError> {
        let mut writer = self.writer.clone().lock_owned().await;
        writer.commit_group(&self.readers);
        writer.begin().await?;
        Ok(LargeWrite { writer, readers: self.readers.clone() })
    }

    /// Waits for the writes under way and closes the connections.
    pub(super) async fn close(&self) {
        let mut writer = self.writer.lock().await;
        *self.readers.lock() = Readers::default();
        if let Ok(nothing) = Connection::open_in_memory() {
            // The last connection to close writes the log back into the file and removes it.
            drop(std::mem::replace(&mut writer.connection, nothing));
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}

impl Writer {
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    async fn begin(&mut self) -> Result<(), DbError> {
        let give_up = tokio::time::Instant::now() + BUSY_TIMEOUT;
        loop {
            match self.connection.execute_batch("BEGIN IMMEDIATE") {
                Err(error) if is_busy(&error) && tokio::time::Instant::now() < give_up => {
                    tokio::time::sleep(RETRY).await;
                }
                done => return Ok(done?),
            }
        }
    }

    /// Commits the open transaction of the group, if there is one, and answers those who wait for it.
    fn commit_group(&mut self, readers: &Pool) {
        let Some(group) = self.group.take() else { return };
        let committed = self.commit(readers);
        for waiting in group {
            let _ = waiting.send(committed.clone());
        }
    }

    fn commit(&mut self, readers: &Pool) -> Result<(), DbError> {
        readers.lock().end_standing();
        let committed = self.connection.execute_batch("COMMIT").map_err(DbError::from);
        if committed.is_err() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        committed
    }

    /// Ends the savepoint and queues for the commit. Wait for the answer without the writer.
    pub(super) fn release(&mut self) -> Result<oneshot::Receiver<Result<(), DbError>>, DbError> {
        self.connection.execute_batch("RELEASE w")?;
        let (sender, receiver) = oneshot::channel();
        self.group.as_mut().ok_or_else(lost)?.push(sender);
        Ok(receiver)
    }

    /// Takes back what was done since the savepoint, and only that.
    pub(super) fn roll_back(&mut self) {
        let rolled_back = self.connection.execute_batch("ROLLBACK TO w; RELEASE w");
        // A full disk or an I/O error ends the whole transaction: then nothing of the group is stored.
        if rolled_back.is_err() || self.connection.is_autocommit() {
            if !self.connection.is_autocommit() {
                let _ = self.connection.execute_batch("ROLLBACK");
            }
            for waiting in self.group.take().into_iter().flatten() {
                let _ = waiting.send(Err(lost()));
            }
        }
    }
}

/// A transaction by itself.
pub(super) struct LargeWrite {
    writer: WriterGuard,
    readers: Arc<Pool>,
}

impl LargeWrite {
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.writer.connection
    }

    /// Commits, on this thread.
    pub(super) fn commit(mut self) -> Result<(), DbError> {
        self.writer.commit(&self.readers)
    }

    pub(super) fn roll_back(&mut self) {
        let _ = self.writer.connection.execute_batch("ROLLBACK"); // an error may have done it already
    }
}

fn lost() -> DbError {
    DbError::Unavailable("the transaction was rolled back by SQLite".to_owned())
}

async fn commit_group(writer: Arc<tokio::sync::Mutex<Writer>>, readers: Arc<Pool>) {
    let mut writer = writer.lock_owned().await;
    let _ = tokio::task::spawn_blocking(move || writer.commit_group(&readers)).await;
}

fn connect(path: &Path, flags: OpenFlags, cache: u32) -> Result<Connection, DbError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Without this, a statement is prepared anew whenever a value in a range differs from the last one.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(&format!("PRAGMA cache_size = -{cache}; PRAGMA temp_store = MEMORY;"))?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}

/// Read-only connections for all.
#[derive(Default)]
struct Pool(Mutex<Readers>);

impl Pool {
    fn lock(&self) -> std::sync::MutexGuard<'_, Readers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Readers {
    /// Those that nobody uses at the moment.
    idle: Vec<Connection>,
    /// The one that holds its lock for the others.
    standing: Option<Connection>,
}

impl Readers {
    fn give_back(&mut self, connection: Connection) {
        if self.idle.len() < IDLE_READERS {
            self.idle.push(connection);
        }
    }

    fn end_standing(&mut self) {
        if let Some(connection) = self.standing.take()
            && connection.execute_batch("COMMIT").is_ok()
        {
            self.give_back(connection);
        }
    }
}

/// A read-only connection that goes back to its pool.
pub(super) struct Reader {
    connection: Option<Connection>,
    home: Arc<Pool>,
}

impl Reader {
    pub(super) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a reader has its connection until it is dropped")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.lock().give_back(connection);
        }
    }
}
