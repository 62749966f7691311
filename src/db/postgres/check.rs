//! Requirements on the PostgreSQL database.

use super::{Client, Postgres};
use crate::db::{DbError, Sql};

impl Postgres {
    /// Checks that the database uses UTF-8 and that each connection keeps its own session.
    ///
    /// # Errors
    /// [`DbError::Refused`] if one of these is not so.
    pub(in crate::db) async fn check(&self) -> Result<(), DbError> {
        let mut client = self.read().await?;
        let encoding: String = value(&mut client, "SELECT current_setting('server_encoding')").await?;
        if encoding != "UTF8" {
            return Err(DbError::Refused(format!(
                "the database uses {encoding}, but must use UTF-8: CREATE DATABASE … ENCODING 'UTF8' \
                 TEMPLATE template0"
            )));
        }
        self.check_sessions(client).await
    }

    /// Detects a transaction pooler, which breaks prepared statements, settings and LISTEN. It moves an idle
    /// connection to another session, or gives the idle session to another connection. The last queries
    /// repeat the check, since sessions may be reassigned meanwhile.
    async fn check_sessions(&self, mut resting: Client) -> Result<(), DbError> {
        let mut sessions = vec![session(&mut resting).await?, session(&mut resting).await?];
        let mut other = self.read().await?;
        other.batch("BEGIN").await.map_err(|error| match error {
            // PgBouncer's message with `pool_mode = statement`.
            DbError::Unavailable(message) if message.contains("pooling mode") => pooled(),
            error => error,
        })?;
        let elsewhere = session(&mut other).await;
        sessions.extend(session(&mut resting).await);
        other.roll_back().await;
        for _ in 0..2 {
            sessions.push(session(&mut resting).await?);
        }
        let own = sessions[0];
        if elsewhere? == own || sessions.iter().any(|session| *session != own) {
            return Err(pooled());
        }
        Ok(())
    }
}

async fn session(client: &mut Client) -> Result<i32, DbError> {
    value(client, "SELECT pg_backend_pid()").await
}

fn pooled() -> DbError {
    DbError::Refused(
        "a pooler in front of PostgreSQL assigns sessions to transactions; let it pool sessions \
         (PgBouncer: pool_mode = session)"
            .to_owned(),
    )
}

/// Returns the single value of a query. It uses no prepared statement, since a pooler would mix these up.
async fn value<T: for<'a> tokio_postgres::types::FromSql<'a>>(
    client: &mut Client,
    sql: &str,
) -> Result<T, DbError> {
    let rows = client.query(&Sql::Built(sql.to_owned()), &[]).await?;
    let row = rows.first().ok_or_else(|| DbError::Unavailable("the server returned no row".to_owned()))?;
    Ok(row.try_get(0)?)
}
