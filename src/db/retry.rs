//! Retries write transactions that PostgreSQL rolled back because of another transaction.

use std::{future::Future, time::Duration};

use rand::RngExt;
use tokio::time::{Instant, sleep};

use super::{DbError, deadline};
use crate::limits::MAX_WRITE_ATTEMPTS;

/// The maximum pause before the second attempt; it doubles for each further one. Pauses are random, so that
/// the same transactions do not collide again.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The error of a write transaction that can be retried.
pub trait WriteError {
    /// Returns whether the database rolled the transaction back because of another one.
    fn is_rolled_back(&self) -> bool;
}

impl WriteError for DbError {
    fn is_rolled_back(&self) -> bool {
        matches!(self, Self::RolledBack(_))
    }
}

/// Runs a write transaction from BEGIN to COMMIT. Retries it after a deadlock or serialization failure, with
/// at most [`MAX_WRITE_ATTEMPTS`] attempts, and not after the request's deadline. A failed `write` must have
/// no effect outside its transaction.
pub async fn retry_write<T, E: WriteError, F: Future<Output = Result<T, E>>>(
    write: impl Fn() -> F,
) -> Result<T, E> {
    let deadline = deadline::current();
    let mut pause = FIRST_PAUSE;
    for attempt in 1..MAX_WRITE_ATTEMPTS {
        match write().await {
            Err(error) if error.is_rolled_back() && Instant::now() < deadline => {
                tracing::debug!(attempt, "a write was rolled back because of another one, and is retried");
            }
            done => return done,
        }
        let random = rand::rng().random_range(Duration::ZERO..=pause);
        sleep(random).await;
        pause *= 2;
    }
    write().await
}
