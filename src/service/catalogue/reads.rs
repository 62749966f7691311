//! Reads from the catalogue.

use std::{sync::Arc, time::Duration};

use super::follower::Wanted;
use crate::{
    catalogue::Catalogue,
    db::{DbError, deadline, log::Tail},
    limits::LONG_STATEMENT_WAIT,
    service::{App, Error, Viewer},
};

/// Reads from the catalogue, which has all changes that were committed when the request arrived.
pub(in crate::service) async fn read<T>(
    app: &Arc<App>,
    viewer: &Viewer,
    read: impl FnOnce(&Catalogue) -> T,
) -> Result<T, Error> {
    let catalogue = &app.catalogue;
    if !viewer.identity().seen.as_ref().is_some_and(|seen| catalogue.knows(seen)) {
        follow(app, viewer.identity().seen.clone()).await?;
    }
    Ok(catalogue.read(|known| read(&known.catalogue)).ok_or_else(not_loaded)?)
}

fn not_loaded() -> DbError {
    DbError::Unavailable("the catalogue is not loaded".to_owned())
}

/// Runs a read of several milliseconds without blocking other requests.
pub(in crate::service) async fn read_long<T: Send + 'static>(
    app: &Arc<App>,
    viewer: &Viewer,
    read: impl FnOnce(&Catalogue) -> T + Send + 'static,
) -> Result<T, Error> {
    let (shared, viewer) = (app.clone(), viewer.clone());
    app.db.run_blocking(async move { self::read(&shared, &viewer, read).await }).await
}

/// Reads all committed changes, for a write. Call only within [`Db::run_blocking`](crate::db::Db::run_blocking).
pub(in crate::service) async fn read_committed<T>(
    app: &App,
    read: impl FnOnce(&Catalogue) -> T,
) -> Result<T, DbError> {
    // A long write has the writer already, but its deadline may have passed.
    let follow = app.catalogue.follow(&app.db, Wanted::Committed);
    Box::pin(deadline::within(LONG_STATEMENT_WAIT, follow)).await?;
    app.catalogue.read(|known| read(&known.catalogue)).ok_or_else(not_loaded)
}

/// Brings the catalogue up to date, at least to the end of `seen` if given. A load that exceeds the deadline
/// continues.
async fn follow(app: &Arc<App>, seen: Option<Arc<Tail>>) -> Result<(), Error> {
    let shared = app.clone();
    let follow = async move {
        let wanted = seen.as_deref().map_or(Wanted::Answered, Wanted::Seen);
        shared.catalogue.follow(&shared.db, wanted).await
    };
    let follow = Box::pin(app.db.run_blocking(follow));
    Ok(deadline::in_time("the catalogue", follow).await??)
}

/// Does the same without a deadline.
pub(in crate::service) async fn follow_long(app: &Arc<App>) -> Result<(), Error> {
    deadline::within(LONG_STATEMENT_WAIT, follow(app, None)).await
}

/// Loads the catalogue at start. Retries until the database answers.
pub async fn load_catalogue(app: Arc<App>) {
    while let Err(error) = follow_long(&app).await {
        tracing::warn!(%error, "the collection cannot be read at the moment");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
