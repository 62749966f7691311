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
    /// the session of a connection that rests to another one, or another session to the same one.
    async fn check_sessions(&self, mut resting: Client) -> Result<(), DbError> {
        const SESSION: &str = "SELECT pg_backend_pid()";
        let before: i32 = value(&mut resting, SESSION).await?;
        let mut other = self.read().await?;
        other.batch("BEGIN").await?;
        let elsewhere = value::<i32>(&mut other, SESSION).await;
        let after = value::<i32>(&mut resting, SESSION).await;
        other.roll_back().await;
        if before == elsewhere? || before != after? {
            return Err(DbError::Refused(
                "a pooler before PostgreSQL gives each transaction another session; let it pool sessions \
                 (PgBouncer: pool_mode = session)"
                    .to_owned(),
            ));
        }
        Ok(())
    }
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
