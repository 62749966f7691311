//! The read connections: a pool, and one that holds the shared lock for all others.
//!
//! Each query takes a file lock, with a system call under a mutex of SQLite, unless another connection of the
//! process holds the lock already. So under load one connection holds it in an idle read transaction, for
//! [`SHARED_LOCK_HELD`] at most. Reads of single movies by many clients become a third faster.

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicUsize,
            Ordering::{AcqRel, Relaxed},
        },
    },
    thread,
    time::Duration,
};

use rusqlite::{CachedStatement, Connection, OpenFlags};

use super::{RETRY, connect, file::DatabaseFile, is_busy, run};
use crate::db::{DbError, blocking, deadline};

/// The maximum number of idle read connections.
const IDLE_READERS: usize = 16;
/// The longest time that the shared lock is held. Meanwhile a checkpoint can copy only a part of the log.
const SHARED_LOCK_HELD: Duration = Duration::from_millis(100);
/// The page cache of each read connection, in KiB. It is small, since the system caches the file, too.
const READER_CACHE_KIB: u32 = 2 * 1024;

/// The maximum number of reads that block runtime threads at once: usually enough for all threads. The
/// runtime has two threads more: one for a write, and one that stays free if the disk hangs.
pub fn reads_at_once() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get) + 1
}

/// A permit to block a runtime thread.
pub(in crate::db) struct ReadPermit<'a>(&'a AtomicUsize);

impl Drop for ReadPermit<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, AcqRel);
    }
}

/// The pool of read-only connections.
pub(in crate::db) struct Readers {
    file: Arc<DatabaseFile>,
    pool: Mutex<Pool>,
    /// Free permits.
    permits: AtomicUsize,
}

#[derive(Default)]
struct Pool {
    /// Connections that are not in use.
    idle: Vec<Connection>,
    /// The connection that holds the shared lock.
    lock_holder: Option<Connection>,
    /// Whether a connection is about to take the lock.
    is_taking_lock: bool,
}

impl Readers {
    pub(super) fn new(file: Arc<DatabaseFile>) -> Self {
        Self { file, pool: Mutex::default(), permits: AtomicUsize::new(reads_at_once()) }
    }

    /// Waits for a permit to read on the polling thread, which a hanging disk would block. There are
    /// [`reads_at_once`] permits; threads of the blocking pool need none. There is no queue: whoever polls
    /// first takes a free permit.
    pub(in crate::db) async fn permit(&self) -> Result<Option<ReadPermit<'_>>, DbError> {
        if blocking::is_here() {
            return Ok(None);
        }
        let give_up = deadline::current();
        while self.permits.fetch_update(AcqRel, Relaxed, |permits| permits.checked_sub(1)).is_err() {
            if tokio::time::Instant::now() >= give_up {
                return Err(DbError::Unavailable("the disk cannot be read in time".to_owned()));
            }
            tokio::time::sleep(RETRY).await;
        }
        Ok(Some(ReadPermit(&self.permits)))
    }

    /// Returns an idle or new connection. Returns `None` if the caller should retry: another process prevents
    /// opening one, or the file was moved and only open connections can read it.
    pub(super) fn take(self: &Arc<Self>) -> Result<Option<Reader>, DbError> {
        self.hold_shared_lock();
        let connection = match self.connection() {
            Ok(Some(connection)) => Some(connection),
            // No file descriptor is left: use the connection that holds the lock.
            none => {
                self.release_shared_lock();
                let idle = self.pool().idle.pop();
                if idle.is_some() { idle } else { none? }
            }
        };
        Ok(connection.map(|connection| Reader { connection: Some(connection), home: self.clone() }))
    }

    fn connection(&self) -> Result<Option<Connection>, DbError> {
        let idle = self.pool().idle.pop();
        if idle.is_some() {
            return Ok(idle);
        }
        if self.file.check().is_err() {
            return Ok(None);
        }
        match connect(self.file.path(), OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB, Duration::ZERO) {
            Err(error) if is_busy(&error) => Ok(None),
            connected => Ok(Some(connected.map_err(|error| self.file.diagnose(error))?)),
        }
    }

    /// An error is ignored: without the lock reads are only slower.
    fn hold_shared_lock(self: &Arc<Self>) {
        {
            let mut pool = self.pool();
            let is_last = pool.idle.len() == 1;
            if pool.lock_holder.is_some() || pool.is_taking_lock || (is_last && self.file.check().is_err()) {
                return; // keep the last one for the caller
            }
            pool.is_taking_lock = true;
        }
        // Outside of the pool's mutex: if the disk hangs here, other threads must not wait for the mutex.
        let connection = self.connection().ok().flatten().filter(|connection| {
            let read = |mut statement: CachedStatement<'_>| statement.exists([]);
            run(connection, "BEGIN").is_ok()
                && connection.prepare_cached("SELECT 1 FROM sqlite_schema").and_then(read).is_ok()
        });
        let mut pool = self.pool();
        pool.is_taking_lock = false;
        if connection.is_none() {
            return;
        }
        pool.lock_holder = connection;
        let readers = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SHARED_LOCK_HELD).await;
            readers.release_shared_lock();
        });
    }

    pub(super) fn release_shared_lock(&self) {
        let held = self.pool().lock_holder.take();
        if let Some(connection) = held
            && run(&connection, "COMMIT").is_ok()
        {
            self.pool().give_back(connection);
        }
    }

    /// Closes the idle connections.
    pub(super) fn close(&self) {
        *self.pool() = Pool::default();
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    fn give_back(&mut self, connection: Connection) {
        if self.idle.len() < IDLE_READERS {
            self.idle.push(connection);
        }
    }
}

/// A read-only connection that returns to its pool when dropped.
pub(in crate::db) struct Reader {
    connection: Option<Connection>,
    home: Arc<Readers>,
}

impl Reader {
    pub(in crate::db) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a reader has its connection until it is dropped")
    }

    /// Returns its pool.
    pub(in crate::db) fn home(&self) -> Arc<Readers> {
        self.home.clone()
    }

    /// Finds the cause of an SQLite error.
    pub(in crate::db) fn diagnose(&self, error: rusqlite::Error) -> DbError {
        self.home.file.diagnose(error)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.pool().give_back(connection);
        }
    }
}
