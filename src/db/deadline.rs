//! One deadline for everything in a request that waits: the writer's queue, a connection, a lock, a statement.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::DbError;
use crate::limits::REQUEST_WAIT;

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Does `work`, in which whatever waits for the database gives up `limit` from now.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> T {
    until(Instant::now() + limit, work).await
}

/// Does `work`, in which whatever waits for the database gives up at `deadline`.
pub(super) async fn until<T>(deadline: Instant, work: impl Future<Output = T>) -> T {
    DEADLINE.scope(deadline, work).await
}

/// When the work under way gives up waiting: as [`within`] says, else [`REQUEST_WAIT`] from now.
pub(super) fn current() -> Instant {
    DEADLINE.try_with(|deadline| *deadline).unwrap_or_else(|_| Instant::now() + REQUEST_WAIT)
}

/// Awaits what is no query but is waited for like one.
///
/// # Errors
/// [`DbError::Unavailable`] at the deadline.
pub async fn wait_for<T>(what: impl Future<Output = T>) -> Result<T, DbError> {
    let waited = timeout_at(current(), what).await;
    waited.map_err(|_| DbError::Unavailable("others were not done in time".to_owned()))
}
