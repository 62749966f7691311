//! Whether the writer gets on: what a supervisor wants to know of a service that still answers reads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// When the writer last got on, and how many wait for it or have it.
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

    /// Notes that the writer got on: somebody was given it, began a statement, or ended a transaction.
    pub(super) fn note(&self) {
        let since = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(since, Relaxed);
    }

    /// Counts somebody who wants to write, until what is returned is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> Busy {
        // Neither who comes nor who gives up is progress for those who wait already.
        if self.busy.fetch_add(1, Relaxed) == 0 {
            self.note();
        }
        Busy(self.clone())
    }

    /// How long the writer had not got on at a moment although somebody wanted it.
    pub(super) fn stalled_for(&self, now: Instant) -> Duration {
        if self.busy.load(Relaxed) == 0 {
            return Duration::ZERO;
        }
        let last = self.start + Duration::from_millis(self.last.load(Relaxed));
        now.saturating_duration_since(last)
    }
}

/// Somebody who waits for the writer or has it.
pub(super) struct Busy(Arc<Progress>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Relaxed);
    }
}
