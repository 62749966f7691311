//! The state of automatic backups, for monitoring.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::Schedule;
use crate::domain::Time;

/// The state of automatic backups.
#[derive(Debug, Default)]
pub struct Status(Mutex<Option<State>>);

#[derive(Debug)]
struct State {
    every: Duration,
    /// When the service started.
    since: Time,
    newest: Option<Time>,
    failures: u64,
}

/// The state at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The age of the newest backup, if there is one.
    pub age: Option<Duration>,
    /// Whether the newest backup is older than twice the interval.
    pub is_late: bool,
    /// Failures since the start.
    pub failures: u64,
}

impl Status {
    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, schedule: &Schedule, now: Time) {
        *self.state() = Some(State { every: schedule.every, since: now, newest: None, failures: 0 });
    }

    pub(super) fn set_newest(&self, newest: Option<Time>) {
        self.state().iter_mut().for_each(|state| state.newest = newest);
    }

    pub(super) fn count_failure(&self) {
        self.state().iter_mut().for_each(|state| state.failures += 1);
    }

    /// Returns the current state, or `None` without automatic backups.
    #[must_use]
    pub fn report(&self, now: Time) -> Option<Report> {
        let since = |then: Time| now.since(then).unwrap_or_default();
        self.state().as_ref().map(|state| Report {
            age: state.newest.map(since),
            is_late: since(state.newest.unwrap_or(state.since)) > state.every * 2,
            failures: state.failures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_late_after_twice_the_time_to_the_next() {
        let status = Status::default();
        let at = Time::from_millis;
        assert_eq!(status.report(at(0)), None);
        let every = Duration::from_secs(10);
        status.begin(&Schedule { folder: "backups".into(), every, keep: 1 }, at(0));
        let late = |now| status.report(at(now)).map(|report| (report.age, report.is_late));
        assert_eq!(late(20_000), Some((None, false)));
        assert_eq!(late(20_001), Some((None, true)));
        status.set_newest(Some(at(30_000)));
        assert_eq!(late(50_000), Some((Some(Duration::from_secs(20)), false)));
        assert_eq!(late(50_001), Some((Some(Duration::from_millis(20_001)), true)));
        assert_eq!(late(29_000), Some((Some(Duration::ZERO), false)), "where the clock was set back");
        status.count_failure();
        assert_eq!(status.report(at(50_000)).map(|report| report.failures), Some(1));
    }
}
