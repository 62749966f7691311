//! The deadline of a request. It holds for the writer's queue, connections, locks and statements.

use std::{cell::Cell, future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::DbError;
use crate::limits::REQUEST_WAIT;

tokio::task_local! {
    static DEADLINE: Cell<Instant>;
}

/// Runs `work` with a deadline of `limit` from now for all waits for the database.
pub fn within<T>(limit: Duration, work: impl Future<Output = T>) -> impl Future<Output = T> {
    until(Instant::now() + limit, work)
}

/// Runs `work` with a deadline for all waits for the database.
pub(super) fn until<T>(deadline: Instant, work: impl Future<Output = T>) -> impl Future<Output = T> {
    DEADLINE.scope(Cell::new(deadline), work)
}

/// Returns the deadline of the running task, or [`REQUEST_WAIT`] from now if it has none.
pub(super) fn current() -> Instant {
    DEADLINE.try_with(Cell::get).unwrap_or_else(|_| Instant::now() + REQUEST_WAIT)
}

/// Restarts the deadline at `limit` from now, after time that was not spent on the database, such as a slow
/// upload.
pub fn restart(limit: Duration) {
    let _ = DEADLINE.try_with(|deadline| deadline.set(Instant::now() + limit)); // no deadline is set outside of a request
}

/// Waits for `what` until the deadline.
///
/// # Errors
/// [`DbError::Unavailable`] at the deadline.
pub async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> Result<T, DbError> {
    let late = |_| DbError::Unavailable(format!("{what} takes too long"));
    timeout_at(current(), work).await.map_err(late)
}
