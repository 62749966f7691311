//! A pooled connection with a time limit for each operation.

use std::{future::Future, ops::Deref, sync::Arc, time::Duration};

use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Timeout, error::Elapsed, timeout, timeout_at},
};
use tokio_postgres::{Error as PgError, Row, error::SqlState, types::Type};

use super::{Object, Pool};
use crate::{
    db::{
        DbError, Sql, Value, deadline,
        value::{typed, untyped},
    },
    limits::{CANCEL_WAIT, LONG_IDLE_WAIT, LONG_STATEMENT_WAIT, REQUEST_WAIT},
};

const LOCK: &str = "SELECT 1 FROM pg_advisory_xact_lock($1)";

/// A connection. For writes and long work it also holds a permit, which limits their number.
pub(in crate::db) struct Client {
    /// `None` after a cancelled statement: the connection is not reused.
    object: Option<Object>,
    pool: Pool,
    permit: Option<OwnedSemaphorePermit>,
    /// The statement timeout that replaces the request's deadline.
    statement_limit: Option<Duration>,
}

impl Client {
    pub(super) fn new(object: Object, pool: Pool, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { object: Some(object), pool, permit, statement_limit: None }
    }

    /// Raises the statement timeout of the running transaction to [`LONG_STATEMENT_WAIT`].
    pub(in crate::db) async fn allow_long_statements(&mut self) -> Result<(), DbError> {
        let (statement, idle) = (LONG_STATEMENT_WAIT.as_millis(), LONG_IDLE_WAIT.as_millis());
        let sql = format!(
            "SET LOCAL statement_timeout = {statement}; \
             SET LOCAL idle_in_transaction_session_timeout = {idle}"
        );
        self.batch(&sql).await?;
        self.statement_limit = Some(LONG_STATEMENT_WAIT);
        Ok(())
    }

    pub(in crate::db) async fn query(
        &mut self,
        sql: &Sql,
        params: &[Value<'_>],
    ) -> Result<Vec<Row>, DbError> {
        let client = self.begin_statement()?;
        let rows = Box::pin(async {
            match sql {
                Sql::Fixed(sql) => client.query(&client.prepare_cached(sql).await?, &untyped(params)).await,
                Sql::Repeated(sql) => {
                    let types: Vec<Type> = typed(params).into_iter().map(|(_, of)| of).collect();
                    client.query(&client.prepare_typed_cached(sql, &types).await?, &untyped(params)).await
                }
                Sql::Built(sql) => client.query_typed(sql, &typed(params)).await,
            }
        });
        let done = client.within_limit(rows).await;
        client.end(done)
    }

    pub(in crate::db) async fn execute(&mut self, sql: &Sql, params: &[Value<'_>]) -> Result<u64, DbError> {
        let client = self.begin_statement()?;
        let count = Box::pin(async {
            match sql {
                Sql::Fixed(sql) => client.execute(&client.prepare_cached(sql).await?, &untyped(params)).await,
                Sql::Repeated(sql) => {
                    let types: Vec<Type> = typed(params).into_iter().map(|(_, of)| of).collect();
                    client.execute(&client.prepare_typed_cached(sql, &types).await?, &untyped(params)).await
                }
                Sql::Built(sql) => client.execute_typed(sql, &typed(params)).await,
            }
        });
        let done = client.within_limit(count).await;
        client.end(done)
    }

    /// Runs statements without parameters.
    pub(in crate::db) async fn batch(&mut self, sql: &str) -> Result<(), DbError> {
        let client = self.begin_statement()?;
        let done = client.within_limit(Box::pin(client.batch_execute(sql))).await;
        client.end(done)
    }

    /// Takes an advisory lock of the transaction, by the request's deadline at the latest.
    pub(in crate::db) async fn lock(&mut self, key: i64) -> Result<(), DbError> {
        let limit = self.statement_limit.take();
        let locked = self.query(&Sql::Fixed(LOCK), &[key.into()]).await;
        self.statement_limit = limit;
        locked.map(|_| ())
    }

    /// Takes an advisory lock of the transaction, with the timeout of a long statement.
    pub(in crate::db) async fn lock_patiently(&mut self, key: i64) -> Result<(), DbError> {
        self.batch(&format!("SET LOCAL lock_timeout = {}", LONG_STATEMENT_WAIT.as_millis())).await?;
        self.query(&Sql::Fixed(LOCK), &[key.into()]).await?;
        self.batch(&format!("SET LOCAL lock_timeout = {}", REQUEST_WAIT.as_millis())).await
    }

    /// Commits. The commit continues after the request's deadline and keeps its connection. Cancelling it
    /// could end the wait for a synchronous standby and make data visible that is not replicated yet. Long
    /// work has its own commit deadline.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] after the deadline: the result of the commit is unknown.
    pub(in crate::db) async fn commit(mut self) -> Result<(), DbError> {
        let until =
            if self.statement_limit.is_some() { Instant::now() + REQUEST_WAIT } else { deadline::current() };
        let committing = tokio::spawn(async move {
            let Some(object) = self.object.take() else { return Err(given_up()) };
            // After a failed statement PostgreSQL reports COMMIT as a success but rolls back. The query
            // before it fails instead.
            let committed = object.batch_execute("SELECT; COMMIT").await;
            match committed {
                Ok(()) => Ok(()),
                Err(error) => {
                    self.object = Some(object);
                    self.note(&error);
                    self.roll_back().await;
                    Err(error.into())
                }
            }
        });
        match timeout_at(until, committing).await {
            Ok(Ok(committed)) => committed,
            Ok(Err(died)) => Err(DbError::Failed(Arc::new(died))),
            Err(_) => Err(DbError::Unavailable("the commit was not confirmed in time".to_owned())),
        }
    }

    /// Rolls the transaction back.
    pub(in crate::db) async fn roll_back(mut self) {
        let Some(object) = self.object.take() else { return }; // closing the connection rolls back
        let ended = timeout(REQUEST_WAIT, object.batch_execute("ROLLBACK")).await;
        if !matches!(ended, Ok(Ok(()))) {
            drop(Object::take(object)); // do not return it to the pool
        }
    }

    fn until(&self) -> Instant {
        self.statement_limit.map_or_else(deadline::current, |limit| Instant::now() + limit)
    }

    fn begin_statement(&mut self) -> Result<Statement<'_>, DbError> {
        if self.object.is_none() {
            return Err(given_up());
        }
        Ok(Statement { until: self.until(), client: self, has_ended: false })
    }

    /// Cancels a statement whose result nobody waits for, and closes its connection, which may be dead.
    fn give_up(&mut self) {
        let Some(object) = self.object.take() else { return };
        let (client, permit) = (Object::take(object), self.permit.take());
        let (cancel, tls) = (client.cancel_token(), self.pool.manager().tls.clone());
        tokio::spawn(async move {
            let _ = timeout(CANCEL_WAIT, cancel.cancel_query(tls)).await; // otherwise a timeout of the server ends it
            drop((client, permit));
        });
    }

    /// Takes the connection out of the pool after an error that its session causes.
    fn note(&mut self, error: &PgError) {
        let Some(code) = error.code() else {
            drop(self.object.take().map(Object::take)); // the connection is lost or out of sync
            return;
        };
        if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
            // The server has become a standby: drop the idle connections. Those in use fail on their own.
            self.pool.retain(|_, _| false);
        }
        if is_of_connection(code) {
            drop(self.object.take().map(Object::take));
        }
    }
}

/// Returns whether the statement may succeed on another connection.
fn is_of_connection(code: &SqlState) -> bool {
    const CLASSES: [&str; 6] = [
        "08",    // connection exception
        "25006", // read-only server
        "57P",   // the server ends the session
        "0A000", // a cached plan whose tables have changed
        "26000", // a prepared statement is gone
        "42P05", // a prepared statement exists already
    ];
    CLASSES.iter().any(|class| code.code().starts_with(class))
}

fn given_up() -> DbError {
    DbError::Unavailable("a statement before was given up".to_owned())
}

/// A running statement. It is cancelled if it is dropped before its end.
struct Statement<'a> {
    client: &'a mut Client,
    until: Instant,
    has_ended: bool,
}

impl Statement<'_> {
    fn within_limit<F: Future>(&self, work: F) -> Timeout<F> {
        timeout_at(self.until, work)
    }

    fn end<T>(mut self, done: Result<Result<T, PgError>, Elapsed>) -> Result<T, DbError> {
        let Ok(done) = done else {
            return Err(DbError::Unavailable("a statement did not end in time".to_owned()));
        };
        self.has_ended = true;
        done.map_err(|error| {
            self.client.note(&error);
            error.into()
        })
    }
}

impl Deref for Statement<'_> {
    type Target = Object;

    fn deref(&self) -> &Object {
        self.client.object.as_ref().expect("a statement begins on a connection, and has it until its end")
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.client.give_up();
        }
    }
}
