//! Staged imports on SQLite, which has a single writer: an import is committed in batches and other writes
//! run in between.
//!
//! The movies of a staged import stay hidden until its last batch.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use super::{App, Error};
use crate::db::{Conn, DbError, changes::NewChange, retry_write, staged_imports as db};
use crate::domain::ChangeId;

/// How long an import may block other writers.
const WRITER_TIME_SLICE: Duration = Duration::from_millis(100);

/// The default policy: yields after [`WRITER_TIME_SLICE`], and continues as soon as the waiting writers are
/// done.
pub(super) fn yield_after_time_slice(held: Duration) -> Option<BoxFuture<'static, ()>> {
    (held >= WRITER_TIME_SLICE).then(|| Box::pin(std::future::ready(())) as _)
}

/// A staged import. Its movies are deleted when this is dropped without [`StagedImportGuard::keep`].
pub(super) struct StagedImportGuard {
    app: Arc<App>,
    change: Option<ChangeId>,
}

impl StagedImportGuard {
    /// Stages a change that began in this transaction, before its first commit.
    pub(super) async fn begin(conn: &mut Conn, app: &Arc<App>, change: ChangeId) -> Result<Self, DbError> {
        db::stage(conn, change).await?;
        Ok(Self { app: app.clone(), change: Some(change) })
    }

    /// Checks in each further transaction that the import is still staged.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a restore replaced the collection.
    pub(super) async fn check(conn: &mut Conn, change: ChangeId) -> Result<(), Error> {
        if db::is_staged(conn, change).await? {
            return Ok(());
        }
        Err(Error::Conflict("the collection was replaced meanwhile; nothing was stored".to_owned()))
    }

    /// Publishes the import as the latest change, in its last transaction.
    ///
    /// # Errors
    /// [`Error::Failed`] if a part of its movies is missing.
    pub(super) async fn publish(
        conn: &mut Conn,
        change: ChangeId,
        new: &NewChange<'_>,
        movies: i64,
        inserted: usize,
    ) -> Result<(), Error> {
        if usize::try_from(movies) != Ok(inserted) {
            return Err(Error::Failed(format!("{movies} movies are there of {inserted} that were stored")));
        }
        Ok(db::publish(conn, change, new, movies).await?)
    }

    /// Keeps an import that was published and committed.
    pub(super) fn keep(mut self) {
        self.change = None;
    }
}

impl Drop for StagedImportGuard {
    fn drop(&mut self) {
        if let Some(change) = self.change {
            tokio::spawn(remove(self.app.clone(), change));
        }
    }
}

/// Deletes staged imports that a crash left behind.
pub async fn recover_staged_imports(app: &Arc<App>) -> Result<(), Error> {
    for change in db::staged(&mut app.db.read().await?).await? {
        tokio::spawn(remove(app.clone(), change));
    }
    Ok(())
}

async fn remove(app: Arc<App>, change: ChangeId) {
    /// Keeps other writers waiting for [`WRITER_TIME_SLICE`] at most.
    const BATCH_MOVIES: i64 = 2000;

    let shared = app.clone();
    let removed = app.db.run_blocking(async move {
        let remove = || async {
            let mut tx = shared.db.begin_exclusive().await?;
            let removed = db::remove(tx.conn(), change, BATCH_MOVIES).await?;
            if removed == 0 {
                db::forget(tx.conn(), change).await?;
            }
            tx.commit().await?;
            Ok::<_, DbError>(removed)
        };
        while retry_write(remove).await? > 0 {}
        Ok::<_, DbError>(())
    });
    match removed.await {
        Ok(()) => tracing::info!(%change, "removed the rows of an unfinished import"),
        Err(error) => tracing::error!(%change, %error, "what an import had stored is still to be removed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_write_after_a_time_slice() {
        assert!(yield_after_time_slice(WRITER_TIME_SLICE.saturating_sub(Duration::from_millis(1))).is_none());
        assert!(yield_after_time_slice(WRITER_TIME_SLICE).is_some());
    }
}
