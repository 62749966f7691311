//! Writes that PostgreSQL rolls back for the sake of another transaction are done again.

use std::{future::Future, time::Duration};

use rand::RngExt;
use tokio::time::{Instant, sleep};

use super::{DbError, deadline};
use crate::limits::MAX_WRITE_ATTEMPTS;

/// The longest pause before the second attempt; before each further one it doubles. Pauses are random, so that two
/// transactions that have met do not meet again.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// An error of a write, which can be done again after some of them.
pub trait WriteError {
    /// Whether the database has rolled the transaction back for the sake of another one.
    fn is_rolled_back(&self) -> bool;
}

impl WriteError for DbError {
    fn is_rolled_back(&self) -> bool {
        matches!(self, Self::RolledBack(_))
    }
}

/// Does a write transaction from its begin to its commit, and again if PostgreSQL rolls it back because of a deadlock
/// or a conflict with another transaction: at most [`MAX_WRITE_ATTEMPTS`] times, and not after the request's deadline.
/// `write` must leave nothing behind when it fails, neither outside of its transaction nor before the commit.
pub async fn retry_write<T, E: WriteError, F: Future<Output = Result<T, E>>>(
    write: impl Fn() -> F,
) -> Result<T, E> {
    let deadline = deadline::current();
    let mut pause = FIRST_PAUSE;
    for attempt in 1..MAX_WRITE_ATTEMPTS {
        match write().await {
            Err(error) if error.is_rolled_back() && Instant::now() < deadline => {
                tracing::debug!(
                    attempt,
                    "a write was rolled back for the sake of another one, and is done again"
                );
            }
            done => return done,
        }
        let random = rand::rng().random_range(Duration::ZERO..=pause);
        sleep(random).await;
        pause *= 2;
    }
    write().await
}
