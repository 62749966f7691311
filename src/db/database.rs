//! A database that is open: where connections and transactions come from.

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

/// A database, opened and migrated. Clones share it.
#[derive(Clone)]
pub struct Db {
    backend: Arc<Backend>,
    /// Long work under way.
    long: TaskTracker,
    closing: CancellationToken,
    /// The migrations that opening it has run.
    migrations: Vec<&'static str>,
}

enum Backend {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

/// What a database is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Use,
    UseExisting,
    Serve,
}

/// The file that an address names; none if it is no address of SQLite.
///
/// # Errors
/// [`DbError::Refused`] for an address that other programs would read as another file than this one.
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
    // Such names mean something else to SQLite itself.
    let is_special = path.starts_with(':') || path.starts_with("file:");
    Ok(Some(if is_special { Path::new(".").join(path) } else { path.into() }))
}

impl Db {
    /// Opens the database at an address, `sqlite:PATH` or `postgres://…`, and migrates it.
    ///
    /// # Errors
    /// An address that is neither; a database that cannot be reached; a file that is no SQLite
    /// database or belongs to another program; a database newer than this program; one on PostgreSQL that is
    /// not in UTF-8, or behind a pooler that pools transactions.
    pub async fn open(address: &str) -> Result<Self, DbError> {
        Self::open_for(address, Purpose::Use).await
    }

    /// Opens the database as [`Db::open`] does, if it has tables.
    ///
    /// # Errors
    /// Those of [`Db::open`]; a database without tables.
    pub async fn open_existing(address: &str) -> Result<Self, DbError> {
        Self::open_for(address, Purpose::UseExisting).await
    }

    /// Opens the database as [`Db::open`] does, for a service: a SQLite file that no other process serves, until
    /// this one closes it or ends.
    ///
    /// # Errors
    /// Those of [`Db::open`]; a SQLite file that another process serves.
    pub async fn open_to_serve(address: &str) -> Result<Self, DbError> {
        Self::open_for(address, Purpose::Serve).await
    }

    async fn open_for(address: &str, purpose: Purpose) -> Result<Self, DbError> {
        let backend = if let Some(path) = sqlite_path(address)? {
            Backend::Sqlite(Sqlite::open(&path, purpose == Purpose::Serve)?)
        } else if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            Backend::Postgres(Box::new(Postgres::open(address)?))
        } else {
            // The address may hold a password, so it is not repeated.
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
                "the database is empty; `reelshelf serve` or `reelshelf migrate` makes a collection in it"
                    .to_owned(),
            ));
        }
        db.migrations = migrations::run(&db).await?;
        Ok(db)
    }

    /// The names of the migrations that opening it has run.
    #[must_use]
    pub fn migrations(&self) -> &[&'static str] {
        &self.migrations
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn read(&self) -> Result<Conn, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => Conn::reader(sqlite.read().await?),
            Backend::Postgres(postgres) => Conn::postgres(postgres.read().await?),
        })
    }

    /// A connection to read with for long, so that the others are left for short reads.
    pub(super) async fn read_long(&self) -> Result<Conn, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => Conn::reader(sqlite.read().await?),
            Backend::Postgres(postgres) => Conn::postgres(postgres.write().await?),
        })
    }

    /// A transaction to write in, within [`retry_write`]. While it is open, await nothing but queries.
    ///
    /// # Errors
    /// The database cannot be reached, or another process has been writing for too long.
    pub async fn write(&self) -> Result<WriteTx, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => WriteTx::group(sqlite.write().await?),
            Backend::Postgres(postgres) => WriteTx::begin(postgres).await?,
        })
    }

    /// A transaction to write much in, of whatever size: on SQLite one that shares its commit with no
    /// other, and keeps nothing in memory to take back. Only within [`Db::run_blocking`] and [`retry_write`].
    pub async fn begin_exclusive(&self) -> Result<WriteTx, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => WriteTx::exclusive(sqlite.begin_exclusive().await?),
            Backend::Postgres(postgres) => {
                let mut tx = WriteTx::begin(postgres).await?;
                tx.allow_long_statements().await?;
                tx
            }
        })
    }

    /// What is committed now; none if telling it takes as long as a query.
    pub(super) fn committed(&self) -> Option<unchanged::Committed> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.committed(),
            Backend::Postgres(_) => None,
        }
    }

    /// Whether all writes wait for one another, so that a long one had better let others go first.
    #[must_use]
    pub fn has_one_writer(&self) -> bool {
        matches!(*self.backend, Backend::Sqlite(_))
    }

    /// Does work that takes more than a few milliseconds where it holds up no other request: on
    /// SQLite queries run on the thread that polls them, so that has to be one of the blocking pool.
    /// Work that waits, for the writer or for another lock, gives its thread back meanwhile. It goes on when
    /// nobody waits for its result any more, and is dropped where it waits when the database is closed.
    ///
    /// # Errors
    /// Those of the work; the database was closed.
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

    /// How many threads the runtime needs, so that one goes on when a disk that hangs keeps the others.
    #[must_use]
    pub fn runtime_threads() -> usize {
        sqlite::reads_at_once() + 2
    }

    /// Does work on the thread that calls this, and waits there for what the work waits for. So it must be a thread
    /// of its own.
    pub fn block_on<T>(runtime: &tokio::runtime::Handle, work: impl Future<Output = T>) -> T {
        blocking::here(|| runtime.block_on(work))
    }

    /// That a SQLite file is in its place still: from the moment on when it was found moved, removed or replaced,
    /// nothing is written any more.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] where it is not.
    pub fn check_file(&self) -> Result<(), DbError> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.check(),
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// How long, at a moment, nobody's write has got on although somebody has waited for the writer or had it.
    /// Zero on PostgreSQL, where a statement has a limit. A lock of another process is waited for without
    /// standing still: each try counts, and so does each statement of a long transaction.
    #[must_use]
    pub fn writer_stalled_for(&self, now: Instant) -> Duration {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.writer_stalled_for(now),
            Backend::Postgres(_) => Duration::ZERO,
        }
    }

    /// Tells the other instances that there are new changes. On SQLite there are none.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn announce(&self) -> Result<(), DbError> {
        match &*self.backend {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(postgres) => postgres.announce().await,
        }
    }

    /// Calls back when an instance announces changes, until the database cannot be reached any more.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn listen(&self, announced: impl Fn()) -> Result<(), DbError> {
        match &*self.backend {
            Backend::Sqlite(_) => std::future::pending().await,
            Backend::Postgres(postgres) => postgres.listen(announced).await,
        }
    }

    /// Drops long work, waits for writes under way and closes the database.
    pub async fn close(&self) {
        self.closing.cancel();
        self.long.close();
        self.long.wait().await; // or it would go on while the runtime ends, without which it panics
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close(),
        }
    }
}
