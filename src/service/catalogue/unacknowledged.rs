//! Changes of this instance whose commit has begun and whose response has not been sent.
//!
//! While a large change is loaded into a new catalogue, reads show the state before it. Changes committed
//! after it are later in the log, so reads do not show them either; their responses wait until the catalogue
//! has the large change.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::domain::ChangeId;
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

/// The unacknowledged changes of this instance.
#[derive(Default)]
pub(super) struct Unacknowledged(Mutex<Changes>);

/// A copy of them.
#[derive(Default)]
pub(super) struct Changes {
    small: HashSet<ChangeId>,
    /// Each with a signal that the catalogue has it or that its commit failed.
    large: HashMap<ChangeId, CancellationToken>,
}

impl Changes {
    /// Returns whether reads may show a state before this change.
    pub(super) fn may_wait(&self, change: ChangeId) -> bool {
        self.large.contains_key(&change) || !self.large.is_empty() && self.small.contains(&change)
    }

    /// Returns whether this is a large change.
    pub(super) fn is_large(&self, change: ChangeId) -> bool {
        self.large.contains_key(&change)
    }
}

impl Unacknowledged {
    pub(super) fn now(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a change before its commit.
    pub(super) fn note(&self, change: ChangeId, is_large: bool) -> Noted<'_> {
        let mut now = self.now();
        if is_large {
            now.large.insert(change, CancellationToken::new());
        } else {
            now.small.insert(change);
        }
        Noted { unacknowledged: self, change, is_large }
    }

    /// Returns whether there are large changes that the catalogue may lack.
    pub(super) fn has_large(&self) -> bool {
        !self.now().large.is_empty()
    }

    /// Waits until the catalogue has all large changes registered now.
    pub(super) async fn large_are_applied(&self) {
        let large: Vec<CancellationToken> = self.now().large.values().cloned().collect();
        join_all(large.iter().map(CancellationToken::cancelled)).await;
    }
}

/// An unacknowledged change; dropping it removes it.
pub(in crate::service) struct Noted<'a> {
    unacknowledged: &'a Unacknowledged,
    change: ChangeId,
    pub(in crate::service) is_large: bool,
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        let mut now = self.unacknowledged.now();
        now.small.remove(&self.change);
        if let Some(applied) = now.large.remove(&self.change) {
            applied.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_small_change_waits_only_while_there_is_a_large_one() {
        let unacknowledged = Unacknowledged::default();
        let [one, two, three, four] = [1, 2, 3, 4].map(ChangeId::from_stored);
        let small = unacknowledged.note(one, false);
        assert!(!unacknowledged.now().may_wait(one) && !unacknowledged.has_large());
        let large = unacknowledged.note(two, true);
        assert!([one, two].iter().all(|change| unacknowledged.now().may_wait(*change)));
        assert!(!unacknowledged.now().may_wait(three), "what another instance wrote may be answered");
        let mut applied = Box::pin(unacknowledged.large_are_applied());
        assert!((&mut applied).now_or_never().is_none());
        let later = unacknowledged.note(four, true);
        drop(large);
        assert!(applied.now_or_never().is_some(), "the later one is not waited for");
        assert!(unacknowledged.now().may_wait(one));
        drop(later);
        assert!(!unacknowledged.now().may_wait(one) && !unacknowledged.has_large());
        drop(small);
        assert!(unacknowledged.large_are_applied().now_or_never().is_some());
    }
}
