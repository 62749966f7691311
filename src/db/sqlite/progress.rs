//! Tracks the progress of the writer. A stalled writer is unhealthy, even if reads still succeed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// The time of the writer's last progress, and the number of tasks that wait for it or have it.
pub(super) struct Progress {
    start: Instant,
    /// Milliseconds since `start`.
    last: AtomicU64,
    busy: AtomicUsize,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0), busy: AtomicUsize::new(0) }
    }

    /// Records progress: the writer was handed out, a statement began, or a transaction ended.
    pub(super) fn note(&self) {
        let since = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(since, Relaxed);
    }

    /// Counts a task that wants to write, until the result is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> Busy {
        // A new or cancelled waiter is not progress for the others.
        if self.busy.fetch_add(1, Relaxed) == 0 {
            self.note();
        }
        Busy(self.clone())
    }

    /// Returns how long the writer has made no progress while somebody waited for it.
    pub(super) fn stalled_for(&self, now: Instant) -> Duration {
        if self.busy.load(Relaxed) == 0 {
            return Duration::ZERO;
        }
        let last = self.start + Duration::from_millis(self.last.load(Relaxed));
        now.saturating_duration_since(last)
    }
}

/// A task that waits for the writer or has it.
pub(super) struct Busy(Arc<Progress>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Relaxed);
    }
}
