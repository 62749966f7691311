//! Responses wait until everything they read is on disk, even if they report an error.
//!
//! On SQLite a write may read what earlier writes of its group have stored but not committed. If it then ends
//! without a commit (nothing to change, not found, version mismatch), a failed group commit would make its
//! response false. So such a transaction registers the group commit here, and [`settled`] waits for it. All
//! requests and all of [`super::Db::run_blocking`] run inside [`settled`], so no early return can skip it.

use std::{cell::RefCell, future::Future};

use super::{DbError, sqlite::GroupCommit};

tokio::task_local! {
    static UNSETTLED: RefCell<Vec<GroupCommit>>;
}

/// Runs `work`, then waits until all transactions that it read from are on disk.
///
/// # Errors
/// [`DbError::Unavailable`] if one of these transactions was not committed: the result may be false.
pub fn settled<T>(work: impl Future<Output = T>) -> impl Future<Output = Result<T, DbError>> {
    UNSETTLED.scope(RefCell::default(), async {
        let done = work.await;
        for commit in UNSETTLED.with(RefCell::take) {
            commit.wait().await?;
        }
        Ok(done)
    })
}

/// Registers a group commit that the response of this request must wait for.
pub(super) fn note(commit: GroupCommit) {
    // Outside of a request there is no response to delay.
    let _ = UNSETTLED.try_with(|unsettled| unsettled.borrow_mut().push(commit));
}
