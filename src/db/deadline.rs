//! One deadline for everything in a request that waits: the writer's queue, a connection, a lock, a statement.

use std::{cell::Cell, future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::DbError;
use crate::limits::REQUEST_WAIT;

tokio::task_local! {
    static DEADLINE: Cell<Instant>;
}

/// Does `work`, in which whatever waits for the database gives up `limit` from now.
pub fn within<T>(limit: Duration, work: impl Future<Output = T>) -> impl Future<Output = T> {
    until(Instant::now() + limit, work)
}

/// Does `work`, in which whatever waits for the database gives up at `deadline`.
pub(super) fn until<T>(deadline: Instant, work: impl Future<Output = T>) -> impl Future<Output = T> {
    DEADLINE.scope(Cell::new(deadline), work)
}

/// When the work under way gives up waiting: as [`within`] says, else [`REQUEST_WAIT`] from now.
pub(super) fn current() -> Instant {
    DEADLINE.try_with(Cell::get).unwrap_or_else(|_| Instant::now() + REQUEST_WAIT)
}

/// Lets the work under way wait for `limit` from now: what took time until now was no waiting for the database, such as
/// a client that sends slowly, or a file that is read.
pub fn restart(limit: Duration) {
    let _ = DEADLINE.try_with(|deadline| deadline.set(Instant::now() + limit)); // without one there is none to move
}

/// Waits for `what` until the deadline.
///
/// # Errors
/// [`DbError::Unavailable`] at the deadline.
pub async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> Result<T, DbError> {
    let late = |_| DbError::Unavailable(format!("{what} takes too long"));
    timeout_at(current(), work).await.map_err(late)
}
