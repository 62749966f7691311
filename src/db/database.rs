//! An open database: the source of connections and transactions.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    DbError, blocking,
    conn::{Conn, WriteTx},
    deadline, migrations,
    postgres::Postgres,
    settle,
    sqlite::{self, Sqlite},
    unchanged,
};

/// An open, migrated database. Clones share it.
#[derive(Clone)]
pub struct Db {
    backend: Arc<Backend>,
    /// Running tasks of [`Db::run_blocking`].
    long: TaskTracker,
    closing: CancellationToken,
    /// The migrations that were run when it was opened.
    migrations: Vec<&'static str>,
}

enum Backend {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

/// The purpose of opening a database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Use,
    UseExisting,
    Serve,
}

/// Returns the file that an address names, or `None` if it is not an address of SQLite.
///
/// # Errors
/// [`DbError::Refused`] for an address without a path, and for `sqlite://`, which other programs read
/// differently.
pub fn sqlite_path(address: &str) -> Result<Option<PathBuf>, DbError> {
    let Some(path) = address.strip_prefix("sqlite:") else { return Ok(None) };
    if path.is_empty() {
        return Err(DbError::Refused("sqlite: must be followed by the path of a file".to_owned()));
    }
    if path.starts_with("//") {
        return Err(DbError::Refused(
            "after sqlite: the path of a file must follow, without //: sqlite:films.db, or sqlite:/var/lib/films.db"
                .to_owned(),
        ));
    }
    // SQLite gives such names a special meaning.
    let is_special = path.starts_with(':') || path.starts_with("file:");
    Ok(Some(if is_special { Path::new(".").join(path) } else { path.into() }))
}

impl Db {
    /// Opens the database at an address, `sqlite:PATH` or `postgres://…`, and migrates it.
    ///
    /// # Errors
    /// - [`DbError::Refused`] if the address is invalid or the file is not an SQLite database; if the
    ///   database belongs to another program or to a newer version of this one; if PostgreSQL does not use
    ///   UTF-8 or is behind a transaction pooler.
    /// - [`DbError::Unavailable`] if the database cannot be reached.
    pub async fn open(address: &str) -> Result<Self, DbError> {
        Self::open_for(address, Purpose::Use).await
    }

    /// Opens a database like [`Db::open`], but only if it has tables.
    ///
    /// # Errors
    /// As [`Db::open`]; [`DbError::Refused`] if the database has no tables.
    pub async fn open_existing(address: &str) -> Result<Self, DbError> {
        Self::open_for(address, Purpose::UseExisting).await
    }

    /// Opens a database like [`Db::open`], for a service. An SQLite file is locked against other services
    /// until it is closed.
    ///
    /// # Errors
    /// As [`Db::open`]; [`DbError::Refused`] if another process serves the SQLite file.
    pub async fn open_to_serve(address: &str) -> Result<Self, DbError> {
        Self::open_for(address, Purpose::Serve).await
    }

    async fn open_for(address: &str, purpose: Purpose) -> Result<Self, DbError> {
        let backend = if let Some(path) = sqlite_path(address)? {
            Backend::Sqlite(Sqlite::open(&path, purpose == Purpose::Serve)?)
        } else if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            Backend::Postgres(Box::new(Postgres::open(address)?))
        } else {
            // The address is not repeated, since it may contain a password.
            return Err(DbError::Refused(
                "the database must be given as sqlite:PATH or postgres://…".to_owned(),
            ));
        };
        if let Backend::Postgres(postgres) = &backend {
            postgres.check().await?;
        }
        let backend = Arc::new(backend);
        let (long, closing) = (TaskTracker::new(), CancellationToken::new());
        let mut db = Self { backend, long, closing, migrations: Vec::new() };
        if purpose == Purpose::UseExisting && migrations::is_empty(&db).await? {
            return Err(DbError::Refused(
                "the database is empty; `reelshelf serve` or `reelshelf migrate` creates the tables"
                    .to_owned(),
            ));
        }
        db.migrations = migrations::run(&db).await?;
        Ok(db)
    }

    /// Returns the names of the migrations that were run when it was opened.
    #[must_use]
    pub fn migrations(&self) -> &[&'static str] {
        &self.migrations
    }

    /// Returns a connection for short reads.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the database cannot be reached.
    pub async fn read(&self) -> Result<Conn, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => Conn::reader(sqlite.read().await?),
            Backend::Postgres(postgres) => Conn::postgres(postgres.read().await?),
        })
    }

    /// Returns a connection for long reads, which does not take one from short reads.
    pub(super) async fn read_long(&self) -> Result<Conn, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => Conn::reader(sqlite.read().await?),
            Backend::Postgres(postgres) => Conn::postgres(postgres.write().await?),
        })
    }

    /// Begins a write transaction. Call it within [`retry_write`], and await only queries while the
    /// transaction is open.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the database cannot be reached, or the writer is not free before the
    /// deadline.
    pub async fn write(&self) -> Result<WriteTx, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => WriteTx::group(sqlite.write().await?),
            Backend::Postgres(postgres) => WriteTx::begin(postgres).await?,
        })
    }

    /// Begins a write transaction of unlimited size. On SQLite it does not share its commit and needs no
    /// rollback journal in memory. Call it only within [`Db::run_blocking`] and [`retry_write`].
    pub async fn begin_exclusive(&self) -> Result<WriteTx, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => WriteTx::exclusive(sqlite.begin_exclusive().await?),
            Backend::Postgres(postgres) => {
                let mut tx = WriteTx::begin(postgres).await?;
                tx.conn().allow_long_statements().await?;
                tx
            }
        })
    }

    /// Returns a fingerprint of the last commit, or `None` if reading it would cost as much as a query.
    pub(super) fn committed(&self) -> Option<unchanged::Committed> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.committed(),
            Backend::Postgres(_) => None,
        }
    }

    /// Returns whether the database has a single writer, so that long writes should yield to others.
    #[must_use]
    pub fn has_one_writer(&self) -> bool {
        matches!(*self.backend, Backend::Sqlite(_))
    }

    /// Runs work that takes more than a few milliseconds, without blocking other requests. SQLite queries run
    /// on the thread that polls them, so this uses the blocking pool. Work that waits for the writer or a
    /// lock releases its thread. The work continues if the caller is dropped. It is dropped at its next wait
    /// when the database is closed.
    ///
    /// # Errors
    /// The errors of the work; [`DbError::Unavailable`] if the database was closed.
    pub async fn run_blocking<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let work = deadline::until(deadline::current(), settle::settled(work));
        let work = self.long.spawn(blocking::run(self.closing.clone(), work));
        let done = work.await.flatten().map_err(|died| DbError::Failed(Arc::new(died)))?;
        done.ok_or_else(DbError::closed)??
    }

    /// The number of runtime threads: one more than a hanging disk can block.
    #[must_use]
    pub fn runtime_threads() -> usize {
        sqlite::reads_at_once() + 2
    }

    /// Runs work on the calling thread and blocks it. The thread must not be one of the runtime's.
    pub fn block_on<T>(runtime: &tokio::runtime::Handle, work: impl Future<Output = T>) -> T {
        blocking::here(|| runtime.block_on(work))
    }

    /// Checks that the SQLite files are still in place. If they were moved, removed or replaced, all later
    /// writes fail.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if a file is not in place.
    pub fn check_file(&self) -> Result<(), DbError> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.check(),
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// Returns how long the writer has made no progress while somebody waited for it or had it. Each retry
    /// for a lock of another process counts as progress, and so does each statement of a long transaction.
    /// Zero on PostgreSQL, where statements have a timeout.
    #[must_use]
    pub fn writer_stalled_for(&self, now: Instant) -> Duration {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.writer_stalled_for(now),
            Backend::Postgres(_) => Duration::ZERO,
        }
    }

    /// Notifies the other instances of new changes. Does nothing on SQLite.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the database cannot be reached.
    pub async fn announce(&self) -> Result<(), DbError> {
        match &*self.backend {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(postgres) => postgres.announce().await,
        }
    }

    /// Calls `announced` for each notification of another instance, until the connection is lost.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the database cannot be reached or the connection was lost.
    pub async fn listen(&self, announced: impl Fn()) -> Result<(), DbError> {
        match &*self.backend {
            Backend::Sqlite(_) => std::future::pending().await,
            Backend::Postgres(postgres) => postgres.listen(announced).await,
        }
    }

    /// Drops long work, waits for running writes and closes the database.
    pub async fn close(&self) {
        self.closing.cancel();
        self.long.close();
        self.long.wait().await; // it would panic without the runtime
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close(),
        }
    }
}
