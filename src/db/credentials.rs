//! Look-ups of tokens and sessions by the hashes of their secrets, for each request.

use std::{collections::HashMap, future::Future, sync::Arc};

use super::{
    Conn, Db, DbError,
    log::{LogEntry, Tail},
    shared_queries::SharedQueries,
    unchanged::Unchanged,
};
use crate::limits::MAX_REMEMBERED_SECRETS;

/// A token or session, with its user.
pub trait Credential: Clone + Send + Sync + 'static {
    /// Reads those with these secret hashes, even if expired, each with the tail of the log. On SQLite there must
    /// be one hash.
    fn by_secrets(
        conn: &mut Conn,
        secret_hashes: &[String],
        last: Option<LogEntry>,
    ) -> impl Future<Output = Result<HashMap<String, (Self, Arc<Tail>)>, DbError>> + Send;
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
                Ok(T::by_secrets(conn, &[secret_hash.to_owned()], last).await?.remove(secret_hash))
            };
            return self.unchanged.get(db, secret_hash, |(_, seen)| seen.is_from(last), query).await;
        }
        let db = db.clone();
        let query = move |hashes: Vec<String>| async move {
            T::by_secrets(&mut db.read().await?, &hashes, last).await
        };
        Box::pin(self.shared.get(secret_hash, query)).await
    }
}
