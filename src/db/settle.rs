//! Answers wait for what they tell to be on disk, refusals included.
//!
//! On SQLite a write may read what earlier members of its group have written and nobody has committed
//! yet. If it then ends without a commit (nothing to change, not found, another version), its answer would
//! tell of a state that a failed commit takes back. So the end of such a transaction notes the commit of
//! the group here, and [`settled`] waits for it. All requests and all of [`super::Db::run_blocking`] run
//! inside it, so no early return can forget to.

use std::{cell::RefCell, future::Future};

use super::{DbError, sqlite::GroupCommit};

tokio::task_local! {
    static UNSETTLED: RefCell<Vec<GroupCommit>>;
}

/// Does `work`, and comes back when all that it has read of open transactions is on disk.
///
/// # Errors
/// One of these transactions was not committed, so what the work tells may never have been.
pub fn settled<T>(work: impl Future<Output = T>) -> impl Future<Output = Result<T, DbError>> {
    UNSETTLED.scope(RefCell::default(), async {
        let done = work.await;
        for commit in UNSETTLED.with(RefCell::take) {
            commit.wait().await?;
        }
        Ok(done)
    })
}

/// Notes a commit for which the answer to the request under way has to wait.
pub(super) fn note(commit: GroupCommit) {
    // Without a request there is nobody to answer.
    let _ = UNSETTLED.try_with(|unsettled| unsettled.borrow_mut().push(commit));
}
