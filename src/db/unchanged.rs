//! A cache of query results that is valid until the next commit.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use super::{Conn, Db, DbError};

/// A fingerprint of the last commit: equal at two times if nothing was committed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Committed(pub(super) [u8; Self::BYTES]);

impl Committed {
    /// Two copies of the header of a WAL index (SQLite, "WAL-mode File Format", section 2.1).
    pub(super) const BYTES: usize = 96;
}

/// Caches rows by key until anybody commits. On SQLite the check costs a tenth of the query. On PostgreSQL it
/// would cost as much, so the query always runs.
pub struct Unchanged<T> {
    rows: RwLock<HashMap<String, (Committed, T)>>,
    max_rows: usize,
}

impl<T: Clone> Unchanged<T> {
    /// Creates a cache of at most `max_rows` rows.
    #[must_use]
    pub fn new(max_rows: usize) -> Self {
        Self { rows: RwLock::default(), max_rows }
    }

    /// Returns the cached row of a key, if nothing was committed since and the caller accepts it. Otherwise
    /// runs the query.
    pub async fn get(
        &self,
        db: &Db,
        key: &str,
        is_usable: impl Fn(&T) -> bool,
        query: impl AsyncFnOnce(&mut Conn) -> Result<Option<T>, DbError>,
    ) -> Result<Option<T>, DbError> {
        let committed = db.committed(); // before the query, which may see a later commit
        if let Some(row) = committed.and_then(|committed| self.kept(key, committed)).filter(is_usable) {
            return Ok(Some(row));
        }
        let query = async || query(&mut db.read().await?).await;
        let row = Box::pin(query()).await?; // boxed, so that the future of each request stays small
        if let (Some(committed), Some(row)) = (committed, &row) {
            self.keep(key, committed, row.clone());
        }
        Ok(row)
    }

    fn kept(&self, key: &str, committed: Committed) -> Option<T> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        rows.get(key).filter(|(at, _)| *at == committed).map(|(_, row)| row.clone())
    }

    fn keep(&self, key: &str, committed: Committed, row: T) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= self.max_rows && !rows.contains_key(key) {
            rows.clear();
        }
        rows.insert(key.to_owned(), (committed, row));
    }
}
