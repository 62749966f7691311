//! Connections and transactions. Their queries are written once for both databases.

use std::future::Future;

use super::{
    Db, DbError, Dialect, Row, Sql, Value, deadline,
    postgres::{self, Postgres},
    sqlite,
    value::placeholders,
};
use crate::limits::REQUEST_WAIT;

/// A connection that runs queries.
pub struct Conn(Inner);

enum Inner {
    Reader(sqlite::Reader),
    Group(sqlite::GroupTx),
    Exclusive(sqlite::ExclusiveTx),
    Postgres(postgres::Client),
}

/// The connection of a driver.
enum Driver<'a> {
    Sqlite(&'a mut rusqlite::Connection),
    Postgres(&'a mut postgres::Client),
}

/// Advisory locks: one transaction at a time holds each, across all instances.
#[derive(Debug, Clone, Copy)]
pub enum Lock {
    /// To migrate the schema.
    Migrations = 1,
    /// To change users, so that the number of owners is stable.
    Users = 2,
    /// To change many movies, so that two such changes cannot deadlock.
    Many = 3,
    /// To import, so that duplicates are found reliably.
    Imports = 4,
}

impl Conn {
    pub(super) fn reader(reader: sqlite::Reader) -> Self {
        Self(Inner::Reader(reader))
    }

    pub(super) fn postgres(client: postgres::Client) -> Self {
        Self(Inner::Postgres(client))
    }

    /// Returns the SQL dialect of the database.
    pub(super) const fn dialect(&self) -> Dialect {
        match self.0 {
            Inner::Reader(_) | Inner::Group(_) | Inner::Exclusive(_) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs statements without parameters.
    pub(super) async fn batch(&mut self, sql: &str) -> Result<(), DbError> {
        match self.driver() {
            Driver::Sqlite(_) => self.on_sqlite(|connection| connection.execute_batch(sql)),
            Driver::Postgres(client) => client.batch(sql).await,
        }
    }

    fn driver(&mut self) -> Driver<'_> {
        match &mut self.0 {
            Inner::Reader(reader) => Driver::Sqlite(reader.connection()),
            Inner::Group(tx) => Driver::Sqlite(tx.connection()),
            Inner::Exclusive(tx) => Driver::Sqlite(tx.connection()),
            Inner::Postgres(client) => Driver::Postgres(client),
        }
    }

    /// Runs a statement on SQLite and finds the cause of an error. If SQLite reports corruption although the
    /// whole file can be read, the disk may have failed for a moment; a reader then runs the statement once
    /// more.
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
            Err(error) if sqlite::is_corrupt(&error) => match self.diagnose(error) {
                DbError::Failed(_) => attempt(self),
                known => return Err(known),
            },
            done => done,
        };
        done.map_err(|error| self.diagnose(error))
    }

    /// Finds the cause of an SQLite error.
    fn diagnose(&mut self, error: rusqlite::Error) -> DbError {
        match &mut self.0 {
            Inner::Reader(reader) => reader.diagnose(error),
            Inner::Group(tx) => tx.diagnose(error),
            Inner::Exclusive(tx) => tx.diagnose(error),
            Inner::Postgres(_) => error.into(),
        }
    }

    /// Runs a query and maps each row with `read`.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] after the deadline; the errors of `read`.
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
                let permit = readers.permit().await?;
                let found = sqlite_rows(reader.connection(), sql.as_str(), params, &read);
                drop(permit);
                match found {
                    Err(error) if sqlite::is_busy(&error) && tokio::time::Instant::now() < give_up => {
                        tokio::time::sleep(sqlite::RETRY).await;
                    }
                    Err(_) => break, // run again below, which finds the cause
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

    /// Runs a query and returns its first row, if any.
    pub async fn query_opt<T>(
        &mut self,
        sql: impl Into<Sql>,
        params: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        Ok(self.query(sql, params, read).await?.into_iter().next())
    }

    /// Runs a statement and returns the number of affected rows.
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

    /// Inserts a row with a statement such as `INSERT INTO tokens …` and returns its id.
    pub async fn insert_one(&mut self, sql: &str, params: &[Value<'_>]) -> Result<i64, DbError> {
        match self.driver() {
            // RETURNING would build a temporary table for each row.
            Driver::Sqlite(_) => self.on_sqlite(|connection| {
                connection.prepare_cached(sql)?.insert(rusqlite::params_from_iter(params))
            }),
            Driver::Postgres(_) => {
                let sql = Sql::Repeated(format!("{sql} RETURNING id"));
                Ok(self.query(sql, params, |row| row.get(0)).await?[0])
            }
        }
    }

    /// Inserts rows `into` a table such as `movies (id, title)`; `rows` holds the values row by row.
    pub async fn insert(&mut self, into: &str, columns: usize, rows: &[Value<'_>]) -> Result<(), DbError> {
        /// Limits the parameters of a statement to what PostgreSQL allows.
        const ROWS_AT_ONCE: usize = 500;

        match self.driver() {
            // SQLite would keep the changes of a multi-row statement in memory until its end.
            Driver::Sqlite(_) => {
                let sql = format!("INSERT INTO {into} VALUES ({})", placeholders(1, columns));
                let mut rows = rows.chunks_exact(columns).peekable();
                self.on_sqlite(|connection| {
                    let mut statement = connection.prepare_cached(&sql)?;
                    while let Some(row) = rows.peek() {
                        statement.execute(rusqlite::params_from_iter(*row))?;
                        rows.next();
                    }
                    Ok(())
                })?;
            }
            // One statement is one network round trip.
            Driver::Postgres(client) => {
                for rows in rows.chunks(columns * ROWS_AT_ONCE) {
                    let values = (0..rows.len()).step_by(columns);
                    let values = values.map(|first| format!("({})", placeholders(first + 1, columns)));
                    let sql = format!("INSERT INTO {into} VALUES {}", values.collect::<Vec<_>>().join(", "));
                    let is_usual = [1, ROWS_AT_ONCE].contains(&(rows.len() / columns));
                    let sql = if is_usual { Sql::Repeated(sql) } else { Sql::Built(sql) };
                    client.execute(&sql, rows).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes an advisory lock until the transaction ends. SQLite has a single writer, so it needs no lock.
    pub async fn lock(&mut self, lock: Lock) -> Result<(), DbError> {
        /// `rshf` in ASCII: the high half of the key, so that other programs' advisory locks cannot collide.
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

    /// Raises the statement timeout until the end of the transaction, beyond the deadline of a request.
    pub async fn allow_long_statements(&mut self) -> Result<(), DbError> {
        match self.driver() {
            Driver::Sqlite(_) => Ok(()),
            Driver::Postgres(client) => client.allow_long_statements().await,
        }
    }
}

/// A write transaction. It is rolled back if it is dropped without a commit.
pub struct WriteTx(Option<Conn>);

impl WriteTx {
    pub(super) fn group(tx: sqlite::GroupTx) -> Self {
        Self(Some(Conn(Inner::Group(tx))))
    }

    pub(super) fn exclusive(tx: sqlite::ExclusiveTx) -> Self {
        Self(Some(Conn(Inner::Exclusive(tx))))
    }

    pub(super) async fn begin(postgres: &Postgres) -> Result<Self, DbError> {
        // The guard exists before BEGIN, so that a cancelled request rolls back.
        let mut tx = Self(Some(Conn::postgres(postgres.write().await?)));
        tx.conn().batch("BEGIN").await?;
        Ok(tx)
    }

    /// Returns the connection of the transaction.
    ///
    /// # Panics
    /// After an error of [`WriteTx::commit_and_continue`].
    pub fn conn(&mut self) -> &mut Conn {
        self.0.as_mut().expect("a write transaction has a connection until it ends")
    }

    /// Commits. Returns when all of it is on disk.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the result of the commit is unknown; on other errors nothing is stored.
    pub async fn commit(mut self) -> Result<(), DbError> {
        match self.0.take().map(|conn| conn.0) {
            Some(Inner::Postgres(client)) => client.commit().await,
            Some(Inner::Group(tx)) => tx.commit().await,
            Some(Inner::Exclusive(tx)) => tx.commit().await,
            _ => unreachable!("a write transaction has a writer until it ends"),
        }
    }

    /// Commits what was written so far, lets waiting writers go first and sleeps for `pause`. Then begins
    /// another exclusive transaction, with a new deadline. After an error the transaction cannot be used any
    /// more.
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

/// Rolls back the transaction of a connection.
pub(super) fn roll_back(conn: Conn) {
    match conn.0 {
        Inner::Group(mut tx) => tx.roll_back(),
        Inner::Exclusive(mut tx) => tx.roll_back(),
        Inner::Reader(mut reader) => {
            let _ = reader.connection().execute_batch("ROLLBACK"); // fails if it never began
        }
        Inner::Postgres(client) => {
            tokio::spawn(client.roll_back());
        }
    }
}

/// Runs a query on SQLite. The outer error comes from SQLite, the inner one from reading a row.
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
