//! Answers of queries that hold until something is committed.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use super::{Conn, Db, DbError};

/// What was committed at a moment: equal to that of another moment where nothing was committed between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Committed(pub(super) [u8; Self::BYTES]);

impl Committed {
    /// Two copies of the header of a WAL index (SQLite, "WAL-mode File Format", section 2.1).
    pub(super) const BYTES: usize = 96;
}

/// The rows that a query has found by a key, for as long as nothing is committed by anybody. On SQLite looking at that
/// takes a tenth of the query. On PostgreSQL it would take as long, so the query runs each time.
pub struct Unchanged<T> {
    rows: RwLock<HashMap<String, (Committed, T)>>,
    max_rows: usize,
}

impl<T: Clone> Unchanged<T> {
    /// Keeps so many rows, at most.
    #[must_use]
    pub fn new(max_rows: usize) -> Self {
        Self { rows: RwLock::default(), max_rows }
    }

    /// The row of a key: the one that is kept, if nothing was committed since and the caller can use it; else that of
    /// the query.
    pub async fn get(
        &self,
        db: &Db,
        key: &str,
        is_usable: impl Fn(&T) -> bool,
        query: impl AsyncFnOnce(&mut Conn) -> Result<Option<T>, DbError>,
    ) -> Result<Option<T>, DbError> {
        let committed = db.committed(); // before the query, which may see what is committed after it
        if let Some(row) = committed.and_then(|committed| self.kept(key, committed)).filter(is_usable) {
            return Ok(Some(row));
        }
        let query = async || query(&mut db.read().await?).await;
        let row = Box::pin(query()).await?; // seldom, so its room is not part of each request
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
