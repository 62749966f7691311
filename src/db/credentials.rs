//! Look-ups of tokens and sessions by the hashes of their secrets, for each request.

use std::sync::Arc;

use super::{
    Conn, Db, DbError, Row,
    log::{LogEntry, Tail, WithTail},
    shared_queries::SharedQueries,
    unchanged::Unchanged,
};
use crate::limits::MAX_REMEMBERED_SECRETS;

/// A token or session, with its user.
pub trait Credential: Clone + Send + Sync + 'static {
    /// Reads those with given secret hashes, even if expired.
    const BY_SECRETS: WithTail;

    /// Reads the columns of the query.
    ///
    /// # Errors
    /// [`DbError`] if a value is invalid.
    fn read(row: &Row<'_>) -> Result<Self, DbError>;
}

/// All tokens, or all sessions. On SQLite those found are cached until the next commit; on PostgreSQL concurrent
/// look-ups share queries.
pub struct Credentials<T> {
    unchanged: Unchanged<(T, Arc<Tail>)>,
    shared: Arc<SharedQueries<(T, Arc<Tail>)>>,
}

impl<T: Credential> Default for Credentials<T> {
    fn default() -> Self {
        Self { unchanged: Unchanged::new(MAX_REMEMBERED_SECRETS), shared: Arc::default() }
    }
}

impl<T: Credential> Credentials<T> {
    /// Returns the one with this secret hash, even if expired, and the tail of the log from `last` on.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the database does not answer before the deadline.
    pub async fn find(
        &self,
        db: &Db,
        secret_hash: &str,
        last: Option<LogEntry>,
    ) -> Result<Option<(T, Arc<Tail>)>, DbError> {
        if db.has_one_writer() {
            let query = async |conn: &mut Conn| {
                let mut found = T::BY_SECRETS.query(conn, last, &[secret_hash.to_owned()], T::read).await?;
                Ok(found.remove(secret_hash))
            };
            return self.unchanged.get(db, secret_hash, |(_, seen)| seen.is_from(last), query).await;
        }
        let db = db.clone();
        let query = move |hashes: Vec<String>| async move {
            T::BY_SECRETS.query(&mut db.read().await?, last, &hashes, T::read).await
        };
        Box::pin(self.shared.get(secret_hash, query)).await
    }
}
