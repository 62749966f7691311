//! The connections that read: a pool of them, and one that holds a lock for all.
//!
//! Readers take a lock for each query, by a system call under a mutex of SQLite's, unless another
//! connection of this process holds the same lock already. So while there is something to read, one
//! connection holds it, in a transaction of its own, for [`SHARED_LOCK_HELD`] at most. This makes reads of
//! single movies by many clients a third faster.

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

use rusqlite::{Connection, OpenFlags};

use super::{RETRY, connect, file::DatabaseFile, is_busy};
use crate::db::{DbError, blocking, deadline};

/// Readers kept open while nobody uses them.
const IDLE_READERS: usize = 16;
/// How long one connection holds the lock for the others. No longer: while it does, SQLite can move
/// only a part of the log into the file.
const SHARED_LOCK_HELD: Duration = Duration::from_millis(100);
/// The pages that each reader keeps in memory, in KiB.
/// Few, as there are up to [`IDLE_READERS`] of them: the system keeps the file in memory, too.
const READER_CACHE_KIB: u32 = 2 * 1024;

/// How many reads may hold threads of the runtime at once. It has two more: for one write, and one that goes on when the
/// disk keeps all others. Seldom is there less than one for each thread that wants to read.
pub fn reads_at_once() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get) + 1
}

/// Leave to hold a thread of the runtime.
pub(in crate::db) struct Turn<'a>(&'a AtomicUsize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, AcqRel);
    }
}

/// Read-only connections for all.
pub(in crate::db) struct Readers {
    file: Arc<DatabaseFile>,
    pool: Mutex<Pool>,
    /// Those that are free.
    turns: AtomicUsize,
}

#[derive(Default)]
struct Pool {
    /// Those that nobody uses at the moment.
    idle: Vec<Connection>,
    /// The one that holds the shared lock for the others.
    lock_holder: Option<Connection>,
    /// Whether one is about to take the lock.
    is_taking_lock: bool,
}

impl Readers {
    pub(super) fn new(file: Arc<DatabaseFile>) -> Self {
        Self { file, pool: Mutex::default(), turns: AtomicUsize::new(reads_at_once()) }
    }

    /// Leave to read on the thread that polls, which a disk that hangs may keep: for [`reads_at_once`]. Threads of the
    /// blocking pool need none. Nobody waits in a queue: whoever is there takes it, so that it is in use all the time.
    pub(in crate::db) async fn turn(&self) -> Result<Option<Turn<'_>>, DbError> {
        if blocking::is_here() {
            return Ok(None);
        }
        let give_up = deadline::current();
        while self.turns.fetch_update(AcqRel, Relaxed, |turns| turns.checked_sub(1)).is_err() {
            if tokio::time::Instant::now() >= give_up {
                return Err(DbError::Unavailable("the disk cannot be read in time".to_owned()));
            }
            tokio::time::sleep(RETRY).await;
        }
        Ok(Some(Turn(&self.turns)))
    }

    /// An idle connection, or a new one; none if there may be one in a moment: another process keeps a new
    /// one from being opened, or the file is not in its place any more, where only those go on that have it open.
    pub(super) fn take(self: &Arc<Self>) -> Result<Option<Reader>, DbError> {
        self.hold_shared_lock();
        let connection = match self.connection() {
            Ok(Some(connection)) => Some(connection),
            // No further file may be opened: the one that holds the lock is open.
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
            connected => Ok(Some(connected.map_err(|error| self.file.why(error))?)),
        }
    }

    /// Without the lock readers are slower, so an error here is no reason to fail.
    fn hold_shared_lock(self: &Arc<Self>) {
        {
            let mut pool = self.pool();
            let is_last = pool.idle.len() == 1;
            if pool.lock_holder.is_some() || pool.is_taking_lock || (is_last && self.file.check().is_err()) {
                return; // the last one is for who asks
            }
            pool.is_taking_lock = true;
        }
        // Without the pool's mutex: others would wait for it on their threads, if the disk hangs.
        let connection = self.connection().ok().flatten().filter(|connection| {
            let taken = connection.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema");
            taken.is_ok()
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
            && connection.execute_batch("COMMIT").is_ok()
        {
            self.pool().give_back(connection);
        }
    }

    /// Closes the connections that nobody uses.
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

/// A read-only connection that goes back to its pool.
pub(in crate::db) struct Reader {
    connection: Option<Connection>,
    home: Arc<Readers>,
}

impl Reader {
    pub(in crate::db) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a reader has its connection until it is dropped")
    }

    /// Its pool.
    pub(in crate::db) fn home(&self) -> Arc<Readers> {
        self.home.clone()
    }

    /// What an error really was.
    pub(in crate::db) fn why(&self, error: rusqlite::Error) -> DbError {
        self.home.file.why(error)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.pool().give_back(connection);
        }
    }
}
