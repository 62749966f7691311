//! The readiness check.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
};

use super::{App, Error, setup};
use crate::{
    db::{Db, DbError, deadline},
    limits::{HEALTH_WAIT, WRITER_STALL},
};

/// Checks that connections can be accepted, that the database answers within [`HEALTH_WAIT`], that the writer
/// makes progress, and that the catalogue is loaded.
///
/// # Errors
/// [`Error::NotReady`] with the reason; [`DbError::Unavailable`] after the limit.
pub async fn ready(app: &Arc<App>, now: Instant) -> Result<(), Error> {
    if app.intake.is_failing() {
        let reason = "no new connection can be accepted at the moment; the log says why";
        return Err(Error::NotReady(reason.to_owned()));
    }
    if !app.db.has_one_writer() {
        return deadline::within(HEALTH_WAIT, deadline::in_time("the database", check(app, now))).await?;
    }
    let (shared, runtime) = (app.clone(), Handle::current());
    let check = move || Db::block_on(&runtime, deadline::within(HEALTH_WAIT, check(&shared, now)));
    app.probe.run(HEALTH_WAIT, check).await?
}

async fn check(app: &App, now: Instant) -> Result<(), Error> {
    if let Err(error) = app.db.check_file() {
        tracing::debug!(%error, "not ready");
        let reason = "the database file was moved, removed or replaced while it was served; stop the service, put the file back in its place, and start the service";
        return Err(Error::NotReady(reason.to_owned()));
    }
    let stalled = app.db.writer_stalled_for(now);
    if stalled >= WRITER_STALL {
        return Err(Error::NotReady(format!("no write has made progress for {} seconds", stalled.as_secs())));
    }
    if !app.catalogue.is_loaded() {
        return Err(Error::NotReady("the collection is being loaded".to_owned()));
    }
    setup::needed(app).await?; // the cheapest query
    Ok(())
}

/// Whether the server can accept new connections.
#[derive(Debug, Default)]
pub struct Intake(AtomicBool);

impl Intake {
    /// Records whether accepting a connection failed.
    pub fn note(&self, is_failing: bool) {
        // Usually unchanged: a read does not invalidate the cache line of other cores.
        if self.0.load(Relaxed) != is_failing {
            self.0.store(is_failing, Relaxed);
        }
    }

    /// Returns whether the last attempt to accept a connection failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Runs checks that a hanging disk may block forever, on a separate thread, so that no request loses its
/// thread. One at a time, so that blocked threads do not accumulate.
pub(super) struct Probe(Arc<Semaphore>);

impl Default for Probe {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Probe {
    /// Runs a check, after the previous one has ended.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] after the limit, or if no thread can be started.
    async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        ask: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, DbError> {
        let unavailable =
            |error: &dyn std::fmt::Display| DbError::Unavailable(format!("no readiness check: {error}"));
        let answer = async {
            let turn = self.0.clone().acquire_owned().await.map_err(|closed| unavailable(&closed))?;
            let (sender, answer) = oneshot::channel();
            let work = move || {
                let answer = ask();
                drop(turn);
                let _ = sender.send(answer); // an error: the receiver is gone
            };
            thread::Builder::new()
                .name("readiness".to_owned())
                .spawn(work)
                .map_err(|error| unavailable(&error))?;
            answer.await.map_err(|died| unavailable(&died))
        };
        deadline::within(limit, deadline::in_time("the readiness check", answer)).await?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn a_disk_that_hangs_holds_neither_who_asks_nor_more_than_one_thread() {
        let (probe, forever) = (Probe::default(), Duration::from_secs(3600));
        let (disk, hangs) = mpsc::channel::<()>();
        let (asked, questions) = mpsc::channel();
        let first = asked.clone();
        let hang = move || {
            first.send("first").unwrap();
            hangs.recv().is_err()
        };
        let late =
            |done: Result<bool, DbError>| assert!(matches!(done, Err(DbError::Unavailable(_))), "{done:?}");
        late(probe.run(Duration::ZERO, hang).await);
        for _ in 0..3 {
            let asked = asked.clone();
            late(probe.run(Duration::ZERO, move || asked.send("meanwhile").is_ok()).await);
        }
        drop(disk);
        assert!(probe.run(forever, move || asked.send("after").is_ok()).await.unwrap());
        assert_eq!(questions.iter().collect::<Vec<_>>(), ["first", "after"]);
    }
}
