//! Removing old changes.

use crate::{
    db::{Lock, changes as db, retry_write},
    domain::{ChangeId, Time},
    service::{App, Error, Owner, audit::Event},
};

/// Deletes all changes before a time for good: they can no longer be shown or undone. Returns their number.
/// Works in batches, the oldest changes first, and lets other writes run in between.
///
/// # Errors
/// [`Error::Db`]; batches that were committed before stay deleted.
pub async fn prune(app: &App, owner: &Owner, before: Time) -> Result<u64, Error> {
    let first_kept = db::first_since(&mut app.db.read().await?, before).await?;
    let mut pruned = 0;
    let done = loop {
        match prune_piece(app, first_kept).await {
            Ok(0) => break Ok(pruned),
            Ok(changes) => pruned += changes,
            Err(error) => break Err(error),
        }
    };
    if pruned > 0 || done.is_ok() {
        app.audit(&owner.identity().into(), &Event::HistoryPruned { before, changes: pruned });
    }
    done
}

/// Deletes a batch of the oldest changes below an id. Returns their number, 0 when none is left.
async fn prune_piece(app: &App, below: ChangeId) -> Result<u64, Error> {
    /// Keeps other writers waiting for less than a second, unless a single change modified more movies.
    const BATCH_MOVIES: i64 = 2000;

    let db = app.db.clone();
    let work = async move {
        let piece = || async {
            let mut tx = db.begin_exclusive().await?;
            tx.conn().lock(Lock::Many).await?;
            let pruned = db::prune(tx.conn(), below, BATCH_MOVIES).await?;
            tx.commit().await?;
            Ok(pruned)
        };
        retry_write(piece).await
    };
    app.db.run_blocking(work).await
}
