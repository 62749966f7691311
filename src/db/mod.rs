//! The two databases behind one door: connections, transactions, and queries written once for both.
//!
//! A query is one SQL text with `$1`, `$2`, … numbered in order of first appearance, in one
//! `async fn` over [`Conn`]. On SQLite such a function never really waits; on PostgreSQL it waits on
//! the driver. A write is a [`WriteTx`]: dropped without a commit, it is rolled back.

pub mod backup;
mod blocking;
mod builder;
pub mod changes;
pub mod check;
mod checksum;
pub mod deadline;
mod error;
mod fragments;
pub mod idempotency;
pub mod log;
mod migrations;
pub mod movies;
mod postgres;
mod retry;
pub mod sessions;
pub mod settle;
mod sqlite;
pub mod staged_imports;
pub mod tokens;
mod unchanged;
pub mod users;

use std::{
    borrow::Cow,
    future::Future,
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

pub use error::DbError;
use postgres::Postgres;
pub use retry::{WriteError, retry_write};
use sqlite::Sqlite;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
pub use unchanged::Unchanged;

use crate::limits::REQUEST_WAIT;

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
        Ok(Conn(match &*self.backend {
            Backend::Sqlite(sqlite) => Inner::Reader(sqlite.read().await?),
            Backend::Postgres(postgres) => Inner::Postgres(postgres.read().await?),
        }))
    }

    /// A connection to read with for long, so that the others are left for short reads.
    async fn read_long(&self) -> Result<Conn, DbError> {
        Ok(Conn(match &*self.backend {
            Backend::Sqlite(sqlite) => Inner::Reader(sqlite.read().await?),
            Backend::Postgres(postgres) => Inner::Postgres(postgres.write().await?),
        }))
    }

    /// A transaction to write in, within [`retry_write`]. While it is open, await nothing but queries.
    ///
    /// # Errors
    /// The database cannot be reached, or another process has been writing for too long.
    pub async fn write(&self) -> Result<WriteTx, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => WriteTx(Some(Conn(Inner::Group(sqlite.write().await?)))),
            Backend::Postgres(postgres) => begin(postgres).await?,
        })
    }

    /// A transaction to write much in, of whatever size: on SQLite one that shares its commit with no
    /// other, and keeps nothing in memory to take back. Only within [`Db::run_blocking`] and [`retry_write`].
    ///
    /// # Errors
    /// Those of [`Db::write`].
    pub async fn begin_exclusive(&self) -> Result<WriteTx, DbError> {
        Ok(match &*self.backend {
            Backend::Sqlite(sqlite) => WriteTx(Some(Conn(Inner::Exclusive(sqlite.begin_exclusive().await?)))),
            Backend::Postgres(postgres) => {
                let mut tx = begin(postgres).await?;
                tx.allow_long_statements().await?;
                tx
            }
        })
    }

    /// What is committed now; none where telling it takes as long as a query.
    fn committed(&self) -> Option<unchanged::Committed> {
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
        done.ok_or_else(closed)??
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

fn closed() -> DbError {
    DbError::Unavailable("the database was closed".to_owned())
}

async fn begin(postgres: &Postgres) -> Result<WriteTx, DbError> {
    // Made before it is begun, so that it is rolled back if nobody waits for it any more.
    let mut tx = WriteTx(Some(Conn(Inner::Postgres(postgres.write().await?))));
    if let Driver::Postgres(client) = tx.driver() {
        client.batch("BEGIN").await?;
    }
    Ok(tx)
}

/// A connection on which queries run.
pub struct Conn(Inner);

enum Inner {
    Reader(sqlite::Reader),
    Group(sqlite::GroupTx),
    Exclusive(sqlite::ExclusiveTx),
    Postgres(postgres::Client),
}

/// A connection as a driver knows it.
enum Driver<'a> {
    Sqlite(&'a mut rusqlite::Connection),
    Postgres(&'a mut postgres::Client),
}

/// What only one transaction at a time may do, on all instances.
#[derive(Debug, Clone, Copy)]
pub enum Lock {
    /// Migrate the schema.
    Migrations = 1,
    /// Change users, where it matters how many owners there are.
    Users = 2,
    /// Change many movies, which two at once might do in different orders.
    Many = 3,
    /// Import, where it matters which movies are there already.
    Imports = 4,
}

impl Conn {
    fn driver(&mut self) -> Driver<'_> {
        match &mut self.0 {
            Inner::Reader(reader) => Driver::Sqlite(reader.connection()),
            Inner::Group(tx) => Driver::Sqlite(tx.connection()),
            Inner::Exclusive(tx) => Driver::Sqlite(tx.connection()),
            Inner::Postgres(client) => Driver::Postgres(client),
        }
    }

    /// Runs a statement on SQLite, and tells what an error of it really was. Where a reader finds the file damaged and yet
    /// all of it can be read, the disk may have failed for a moment: then it runs once more.
    fn on_sqlite<T>(
        &mut self,
        mut statement: impl FnMut(&mut rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DbError> {
        let mut attempt = |conn: &mut Self| {
            let Driver::Sqlite(connection) = conn.driver() else {
                unreachable!("it was matched to be SQLite");
            };
            statement(connection)
        };
        let done = match attempt(self) {
            Err(error) if sqlite::is_corrupt(&error) => match self.why(error) {
                DbError::Failed(_) => attempt(self),
                known => return Err(known),
            },
            done => done,
        };
        done.map_err(|error| self.why(error))
    }

    /// What an error of SQLite really was.
    fn why(&mut self, error: rusqlite::Error) -> DbError {
        match &mut self.0 {
            Inner::Reader(reader) => reader.why(error),
            Inner::Group(tx) => tx.why(error),
            Inner::Exclusive(tx) => tx.why(error),
            Inner::Postgres(_) => error.into(),
        }
    }

    /// Runs a query and reads each of its rows.
    ///
    /// # Errors
    /// Those of the database, and those of reading a row.
    pub async fn query<T>(
        &mut self,
        sql: impl Into<Sql>,
        params: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, DbError>,
    ) -> Result<Vec<T>, DbError> {
        let sql = sql.into();
        if let Inner::Reader(reader) = &mut self.0 {
            let (give_up, readers) = (deadline::current(), reader.home());
            loop {
                let turn = readers.turn().await?;
                let found = sqlite_rows(reader.connection(), sql.as_str(), params, &read);
                drop(turn);
                match found {
                    Err(error) if sqlite::is_busy(&error) && tokio::time::Instant::now() < give_up => {
                        tokio::time::sleep(sqlite::RETRY).await;
                    }
                    Err(_) => break, // to see what it really is
                    Ok(found) => return found,
                }
            }
        }
        match self.driver() {
            Driver::Sqlite(_) => {
                self.on_sqlite(|connection| sqlite_rows(connection, sql.as_str(), params, &read))?
            }
            Driver::Postgres(client) => {
                let rows = client.query(&sql, params).await?;
                rows.iter().map(|row| read(&Row::Postgres(row))).collect()
            }
        }
    }

    /// Runs a query of which at most one row is wanted.
    ///
    /// # Errors
    /// Those of [`Conn::query`].
    pub async fn query_opt<T>(
        &mut self,
        sql: impl Into<Sql>,
        params: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        Ok(self.query(sql, params, read).await?.into_iter().next())
    }

    /// Runs a statement and returns how many rows it touched.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn execute(&mut self, sql: impl Into<Sql>, params: &[Value<'_>]) -> Result<u64, DbError> {
        let sql = sql.into();
        match self.driver() {
            Driver::Sqlite(_) => self.on_sqlite(|connection| {
                let mut statement = connection.prepare_cached(sql.as_str())?;
                Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
            }),
            Driver::Postgres(client) => client.execute(&sql, params).await,
        }
    }

    /// Inserts rows `into` a table, such as `movies (id, title)`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert<const N: usize>(
        &mut self,
        into: &str,
        rows: &[[Value<'_>; N]],
    ) -> Result<(), DbError> {
        /// Few enough for the parameters that PostgreSQL allows.
        const ROWS_AT_ONCE: usize = 500;

        match self.driver() {
            // A statement of many rows would have to keep what it changed until its end.
            Driver::Sqlite(_) => {
                let sql = format!("INSERT INTO {into} VALUES ({})", placeholders(1, N));
                let mut rows = rows.iter().peekable();
                self.on_sqlite(|connection| {
                    let mut statement = connection.prepare_cached(&sql)?;
                    while let Some(row) = rows.peek() {
                        statement.execute(rusqlite::params_from_iter(*row))?;
                        rows.next();
                    }
                    Ok(())
                })?;
            }
            // Each statement is a way to the server and back.
            Driver::Postgres(client) => {
                for rows in rows.chunks(ROWS_AT_ONCE) {
                    let values = (0..rows.len()).map(|row| format!("({})", placeholders(row * N + 1, N)));
                    let sql = format!("INSERT INTO {into} VALUES {}", values.collect::<Vec<_>>().join(", "));
                    let is_usual = rows.len() == 1 || rows.len() == ROWS_AT_ONCE;
                    let sql = if is_usual { Sql::Repeated(sql) } else { Sql::Built(sql) };
                    client.execute(&sql, rows.as_flattened()).await?;
                }
            }
        }
        Ok(())
    }

    /// Makes other transactions that want the same lock wait until this one ends. On SQLite there
    /// is one writer anyway.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn lock(&mut self, lock: Lock) -> Result<(), DbError> {
        /// `rshf` in ASCII: the program's own half of PostgreSQL's space of advisory locks.
        const SPACE: i64 = 0x7273_6866 << 32;
        if let Driver::Postgres(client) = self.driver() {
            let key = SPACE + lock as i64;
            match lock {
                Lock::Migrations => client.lock_patiently(key).await?,
                Lock::Users | Lock::Many | Lock::Imports => client.lock(key).await?,
            }
        }
        Ok(())
    }

    /// Lets each statement until the end of the transaction take longer than a request, where the database would
    /// end it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn allow_long_statements(&mut self) -> Result<(), DbError> {
        match self.driver() {
            Driver::Sqlite(_) => Ok(()),
            Driver::Postgres(client) => client.allow_long_statements().await,
        }
    }
}

/// Runs a query on SQLite. The outer error tells that SQLite could not, the inner one that a row could not be read.
fn sqlite_rows<T>(
    connection: &rusqlite::Connection,
    sql: &str,
    params: &[Value<'_>],
    read: &impl Fn(&Row<'_>) -> Result<T, DbError>,
) -> rusqlite::Result<Result<Vec<T>, DbError>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        match read(&Row::Sqlite(row)) {
            Ok(row) => all.push(row),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(all))
}

/// A transaction that writes; its queries run on it as on a [`Conn`].
pub struct WriteTx(Option<Conn>);

impl WriteTx {
    /// Commits, and comes back when all of it is on disk.
    ///
    /// # Errors
    /// Those of the database; nothing of the transaction is stored then.
    pub async fn commit(mut self) -> Result<(), DbError> {
        match self.0.take().map(|conn| conn.0) {
            Some(Inner::Postgres(client)) => client.commit().await,
            Some(Inner::Group(tx)) => tx.commit().await,
            Some(Inner::Exclusive(tx)) => tx.commit().await,
            _ => unreachable!("a write transaction has a writer until it ends"),
        }
    }
}

impl WriteTx {
    /// Commits what was written so far, lets others write who wait and during `pause`, and goes on in another
    /// exclusive transaction, for which it waits as long as a request of its own. After an error it is of no use
    /// any more.
    ///
    /// # Errors
    /// Those of [`WriteTx::commit`] and of [`Db::begin_exclusive`].
    pub async fn commit_and_continue(
        &mut self,
        db: &Db,
        pause: impl Future<Output = ()>,
    ) -> Result<(), DbError> {
        std::mem::replace(self, Self(None)).commit().await?;
        pause.await;
        *self = deadline::within(REQUEST_WAIT, db.begin_exclusive()).await?;
        Ok(())
    }
}

impl Drop for WriteTx {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            roll_back(conn);
        }
    }
}

/// Ends the transaction of a connection without storing anything.
fn roll_back(conn: Conn) {
    match conn.0 {
        Inner::Group(mut tx) => tx.roll_back(),
        Inner::Exclusive(mut tx) => tx.roll_back(),
        Inner::Reader(mut reader) => {
            let _ = reader.connection().execute_batch("ROLLBACK"); // an error: it never began
        }
        Inner::Postgres(client) => {
            tokio::spawn(client.roll_back());
        }
    }
}

impl Deref for WriteTx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.0.as_ref().expect("a write transaction has a connection until it ends")
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut Conn {
        self.0.as_mut().expect("a write transaction has a connection until it ends")
    }
}

/// The text of a query: one that stands in the source is prepared once for each connection, and so is one that was put
/// together in always the same way; any other is not kept, since there is no end of them.
pub enum Sql {
    Fixed(&'static str),
    Repeated(String),
    Built(String),
}

impl Sql {
    fn as_str(&self) -> &str {
        match self {
            Self::Fixed(sql) => sql,
            Self::Repeated(sql) | Self::Built(sql) => sql,
        }
    }
}

impl From<&'static str> for Sql {
    fn from(sql: &'static str) -> Self {
        Self::Fixed(sql)
    }
}

impl From<String> for Sql {
    fn from(sql: String) -> Self {
        Self::Built(sql)
    }
}

/// A parameter of a query.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    Number(Option<i64>),
    Text(Option<Cow<'a, str>>),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Some(Cow::Owned(text)))
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

/// So many parameters, numbered from `first`: `$1, $2`.
fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

type PgParam<'a> = &'a (dyn tokio_postgres::types::ToSql + Sync);

impl Value<'_> {
    fn postgres(&self) -> PgParam<'_> {
        match self {
            Self::Number(number) => number,
            Self::Text(text) => text,
        }
    }
}

fn untyped<'a>(params: &'a [Value<'_>]) -> Vec<PgParam<'a>> {
    params.iter().map(Value::postgres).collect()
}

fn typed<'a>(params: &'a [Value<'_>]) -> Vec<(PgParam<'a>, tokio_postgres::types::Type)> {
    use tokio_postgres::types::Type;
    let of = |value: &Value<'_>| match value {
        Value::Number(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
    };
    params.iter().map(|value| (value.postgres(), of(value))).collect()
}

/// A row of a result.
pub enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

/// What a column can be read as.
pub trait Column: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a> {}
impl<T: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a>> Column for T {}

impl Row<'_> {
    /// Reads the column at a position, from 0.
    ///
    /// # Errors
    /// The column is of another type.
    pub fn get<T: Column>(&self, column: usize) -> Result<T, DbError> {
        Ok(match self {
            Self::Sqlite(row) => row.get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// Reads a text column that was written from a domain type, back into that type.
    ///
    /// # Errors
    /// The column is of another type, or holds what the domain type refuses.
    pub fn parse<T>(
        &self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, crate::domain::Invalid>,
    ) -> Result<T, DbError> {
        let text = match self {
            Self::Sqlite(row) => row.get_ref(column)?.as_str().map_err(|e| DbError::Failed(Arc::new(e)))?,
            Self::Postgres(row) => row.try_get(column)?,
        };
        parse(text).map_err(|e| DbError::Failed(Arc::new(e)))
    }

    /// Reads a number column that was written from a domain type, back into that type.
    ///
    /// # Errors
    /// The column is of another type, or holds what the domain type refuses.
    pub fn number<T: TryFrom<i64, Error = crate::domain::Invalid>>(
        &self,
        column: usize,
    ) -> Result<T, DbError> {
        T::try_from(self.get(column)?).map_err(|e| DbError::Failed(Arc::new(e)))
    }
}
