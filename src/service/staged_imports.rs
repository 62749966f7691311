//! Imports on SQLite, which has one writer: what they store is committed in pieces, between which others write, and
//! nobody sees it before the last piece.
//!
//! Until then its change is among the staged imports of the database, whose movies no reader sees.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use super::{App, Error};
use crate::db::{Conn, DbError, changes::NewChange, retry_write, staged_imports as db};
use crate::domain::ChangeId;

/// How long an import may keep others from writing before it lets them go first.
const WRITER_TIME_SLICE: Duration = Duration::from_millis(100);

/// The policy of the service itself: yields after [`WRITER_TIME_SLICE`], and comes back as soon as those who wait have
/// written.
pub(super) fn yield_after_time_slice(held: Duration) -> Option<BoxFuture<'static, ()>> {
    (held >= WRITER_TIME_SLICE).then(|| Box::pin(std::future::ready(())) as _)
}

/// A change whose movies are committed, and nobody sees. They are removed unless it is kept.
pub(super) struct StagedImportGuard {
    app: Arc<App>,
    change: Option<ChangeId>,
}

impl StagedImportGuard {
    /// Hides a change that was begun in this transaction, before anything of it is committed.
    pub(super) async fn begin(conn: &mut Conn, app: &Arc<App>, change: ChangeId) -> Result<Self, DbError> {
        db::stage(conn, change).await?;
        Ok(Self { app: app.clone(), change: Some(change) })
    }

    /// Checks in each further transaction that it may go on.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the collection was replaced.
    pub(super) async fn check(conn: &mut Conn, change: ChangeId) -> Result<(), Error> {
        if db::is_staged(conn, change).await? {
            return Ok(());
        }
        Err(Error::Conflict("the collection was replaced meanwhile; nothing was stored".to_owned()))
    }

    /// Lets everybody see the change, as the latest one, when the last transaction is committed. Others could write
    /// meanwhile, and nobody else may have touched what it has stored.
    ///
    /// # Errors
    /// [`Error::Failed`] where not all of it is there.
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

    /// Keeps what was published and committed.
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

/// Removes what imports have left that were under way when the service ended without an end of theirs.
pub async fn recover_staged_imports(app: &Arc<App>) -> Result<(), Error> {
    for change in db::staged(&mut app.db.read().await?).await? {
        tokio::spawn(remove(app.clone(), change));
    }
    Ok(())
}

async fn remove(app: Arc<App>, change: ChangeId) {
    /// Few enough for others to wait no longer than for [`WRITER_TIME_SLICE`].
    const BATCH_MOVIES: i64 = 2000;

    let shared = app.clone();
    let removed = app.db.run_blocking(async move {
        let remove = || async {
            let mut tx = shared.db.begin_exclusive().await?;
            let removed = db::remove(&mut tx, change, BATCH_MOVIES).await?;
            if removed == 0 {
                db::forget(&mut tx, change).await?;
            }
            tx.commit().await?;
            Ok::<_, DbError>(removed)
        };
        while retry_write(remove).await? > 0 {}
        Ok::<_, DbError>(())
    });
    match removed.await {
        Ok(()) => tracing::info!(%change, "removed what an import had stored that was not done"),
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
