//! What a PostgreSQL database must be for the service to work in it.

use super::{Client, Postgres};
use crate::db::{DbError, Sql};

impl Postgres {
    /// Makes sure that the database is in UTF-8, and that a session belongs to one connection.
    ///
    /// # Errors
    /// [`DbError::Refused`] where it is not so.
    pub(in crate::db) async fn check(&self) -> Result<(), DbError> {
        let mut client = self.read().await?;
        let encoding: String = value(&mut client, "SELECT current_setting('server_encoding')").await?;
        if encoding != "UTF8" {
            return Err(DbError::Refused(format!(
                "the database is in {encoding}, and has to be in UTF-8: CREATE DATABASE … ENCODING 'UTF8' \
                 TEMPLATE template0"
            )));
        }
        self.check_sessions(client).await
    }

    /// A pooler that gives a session to each transaction breaks prepared statements, settings and LISTEN. It gives
    /// the session of a connection that rests to another one, or, where it takes its sessions in turn, another session
    /// to the same one. Some may come to it meanwhile, so this looks again at the end.
    async fn check_sessions(&self, mut resting: Client) -> Result<(), DbError> {
        let mut sessions = vec![session(&mut resting).await?, session(&mut resting).await?];
        let mut other = self.read().await?;
        other.batch("BEGIN").await.map_err(|error| match error {
            // PgBouncer's words with `pool_mode = statement`
            DbError::Unavailable(why) if why.contains("pooling mode") => pooled(),
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
        "a pooler before PostgreSQL gives each transaction another session; let it pool sessions \
         (PgBouncer: pool_mode = session)"
            .to_owned(),
    )
}

/// The one value of a query, without a prepared statement, which such a pooler would mix up.
async fn value<T: for<'a> tokio_postgres::types::FromSql<'a>>(
    client: &mut Client,
    sql: &str,
) -> Result<T, DbError> {
    let rows = client.query(&Sql::Built(sql.to_owned()), &[]).await?;
    let row = rows.first().ok_or_else(|| DbError::Unavailable("the server gave no row".to_owned()))?;
    Ok(row.try_get(0)?)
}
