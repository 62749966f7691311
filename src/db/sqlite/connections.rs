//! The connections of a file.

use std::{
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    ExclusiveTx, GroupTx, Reader, file::DatabaseFile, queue::Queue, readers::Readers, watch, writer,
};
use crate::{
    db::{DbError, deadline, migrations, unchanged::Committed},
    limits::REQUEST_WAIT,
};

/// The pause before a statement is retried that found the database busy.
pub const RETRY: Duration = Duration::from_millis(5);
/// The page cache of the writer, in KiB.
const WRITER_CACHE_KIB: u32 = 32 * 1024;
const CACHED_STATEMENTS: usize = 64;

/// Whether there are tables, but not the migrations table of this program.
const HOLDS_FOREIGN_TABLES: &str = "SELECT count(*) > 0 AND coalesce(sum(name = 'schema_migrations'), 0) = 0 \
                                    FROM sqlite_schema WHERE type = 'table'";

pub struct Sqlite {
    file: Arc<DatabaseFile>,
    readers: Arc<Readers>,
    writer: Queue,
}

impl Sqlite {
    /// Opens or creates the file. To be served, no other process may serve it.
    pub fn open(path: &Path, to_be_served: bool) -> Result<Self, DbError> {
        let file = Arc::new(DatabaseFile::open(path, to_be_served)?);
        let connection =
            connect(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_CACHE_KIB, REQUEST_WAIT)?;
        // Checked first: setting the journal mode would write to another program's file.
        let foreign = connection.query_row(HOLDS_FOREIGN_TABLES, [], |row| row.get(0))?;
        if foreign {
            return Err(migrations::foreign());
        }
        let set_up = || {
            connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                 SELECT 1 FROM sqlite_schema",
            )
        };
        // If two processes open a new file at the same time, SQLite returns "busy" at once to one of them.
        let give_up = Instant::now() + REQUEST_WAIT;
        let mut done = set_up();
        while done.as_ref().is_err_and(is_busy) && Instant::now() < give_up {
            thread::sleep(RETRY);
            done = set_up();
        }
        done?;
        file.note_opened()?;
        connection.execute_batch(&format!("PRAGMA journal_size_limit = {}", writer::LONG_LOG_BYTES))?;
        connection.busy_timeout(Duration::ZERO)?;
        let readers = Arc::new(Readers::new(file.clone()));
        if to_be_served {
            watch::start(&readers)?;
        }
        Ok(Self { writer: Queue::new(connection, file.clone(), readers.clone())?, readers, file })
    }

    /// Returns a connection for reads.
    pub async fn read(&self) -> Result<Reader, DbError> {
        let give_up = deadline::current();
        loop {
            let permit = self.readers.permit().await?;
            if let Some(reader) = self.readers.take()? {
                return Ok(reader);
            }
            drop(permit);
            if tokio::time::Instant::now() >= give_up {
                return Err(DbError::Unavailable("there is no connection to read with".to_owned()));
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Returns a fingerprint of the last commit, or `None` if it cannot be read.
    pub fn committed(&self) -> Option<Committed> {
        self.file.committed()
    }

    /// Checks that the files are in place.
    pub fn check(&self) -> Result<(), DbError> {
        self.writer.check_file()
    }

    /// Waits for the writer and opens a savepoint in the group's transaction, which it begins if necessary.
    pub async fn write(&self) -> Result<GroupTx, DbError> {
        self.writer.begin_in_group().await
    }

    /// Waits for the writer and begins an exclusive transaction.
    pub async fn begin_exclusive(&self) -> Result<ExclusiveTx, DbError> {
        self.writer.begin_exclusive().await
    }

    /// Returns how long the writer has made no progress while somebody waited for it.
    pub fn writer_stalled_for(&self, now: Instant) -> Duration {
        self.writer.stalled_for(now)
    }

    /// Waits for running writes and closes the connections.
    pub async fn close(&self) {
        self.writer.close(|| self.readers.close()).await;
        self.file.end_service();
    }
}

pub fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}

/// Returns whether SQLite reports corruption.
pub fn is_corrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt)
}

/// Runs a statement without result rows. SQLite parses it once for each connection.
pub fn run(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// Opens a connection. Its statements block their thread for `busy_timeout` while another process has a lock.
pub fn connect(
    path: &Path,
    flags: OpenFlags,
    cache_kib: u32,
    busy_timeout: Duration,
) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(busy_timeout)?;
    // Without this, SQLite prepares a statement again whenever the value of a range condition changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(&format!("PRAGMA cache_size = -{cache_kib}; PRAGMA temp_store = MEMORY;"))?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}
