//! Live events: one for each committed change, from the log of changes, which is the truth.
//!
//! One task follows the log and hands each new change to all streams of this instance. It reads when
//! a commit, here or on another instance, wakes it, and not for each stream.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::{Mutex, Notify, broadcast, watch};

use super::{App, Error, Viewer, auth, catalogue, changes::add_first_effects};
use crate::{
    db::{DbError, log},
    documents::Change,
    domain::ChangeId,
    limits::{EVENT_STREAM_RECHECK_WAIT, MAX_EVENTS_BEHIND},
};

/// Changes that are read in one go.
const BATCH_CHANGES: usize = 100;
/// Commits in so short a time are read, and announced to other instances, together.
const COALESCE_FOR: Duration = Duration::from_millis(5);
/// How soon to look again for changes that are committed, but do not count yet.
const RETRY_HELD_BACK_AFTER: Duration = Duration::from_millis(20);
/// How soon to look again all the same: an instance may die before it announces what it committed.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// What the streams of this instance have in common.
pub(super) struct Feed {
    wake: Notify,
    /// Whether there is something to tell the other instances.
    announce: AtomicBool,
    /// Up to where the log was handed on; none while there is no stream.
    place: Mutex<Option<log::LogPosition>>,
    streams: broadcast::Sender<Arc<Event>>,
    ended: watch::Sender<bool>,
}

/// A change, with its place in the log.
struct Event {
    place: log::LogPosition,
    change: Change,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            wake: Notify::new(),
            announce: AtomicBool::new(false),
            place: Mutex::new(None),
            streams: broadcast::Sender::new(MAX_EVENTS_BEHIND),
            ended: watch::Sender::new(false),
        }
    }
}

impl Feed {
    /// Tells that a change was committed here.
    pub(super) fn committed(&self) {
        self.announce.store(true, Relaxed);
        self.wake.notify_one();
    }

    /// Tells that reads show a change that was committed here.
    pub(super) fn applied(&self) {
        self.wake.notify_one();
    }

    /// Hands on what is new; returns whether more is committed that does not count yet.
    async fn hand_on(&self, app: &App) -> Result<bool, DbError> {
        let mut place = self.place.lock().await;
        let Some(start) = *place else { return Ok(false) };
        if self.streams.receiver_count() == 0 {
            *place = None;
            return Ok(false);
        }
        let mut reached = start;
        loop {
            let (events, held_back) = read(app, reached).await?;
            if app.catalogue.lacks_large() {
                return Ok(false); // whoever hears of a change may read at once; the end of the large one wakes this
            }
            let Some(last) = events.last() else { return Ok(held_back) };
            reached = last.place;
            for event in events {
                let _ = self.streams.send(Arc::new(event)); // nobody is left to receive it
            }
            *place = Some(reached);
        }
    }
}

async fn read(app: &App, place: log::LogPosition) -> Result<(Vec<Event>, bool), DbError> {
    let mut conn = app.db.read().await?;
    let (found, held_back) = log::since(&mut conn, place, BATCH_CHANGES).await?;
    let (places, mut changes): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    add_first_effects(&mut conn, &mut changes).await?;
    let events = places.into_iter().zip(changes).map(|(place, change)| Event { place, change });
    Ok((events.collect(), held_back))
}

/// Follows the log as long as the service runs.
pub async fn follow(app: Arc<App>) {
    let feed = &app.events;
    let listen = async {
        loop {
            if let Err(error) = app.db.listen(|| feed.wake.notify_one()).await {
                tracing::warn!(%error, "cannot hear of other instances' changes at the moment");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let hand_on = async {
        loop {
            if feed.announce.swap(false, Relaxed)
                && let Err(error) = app.db.announce().await
            {
                tracing::warn!(%error, "cannot tell other instances of changes at the moment");
            }
            if let Err(error) = catalogue::follow_long(&app).await {
                tracing::warn!(%error, "new changes cannot be read at the moment");
            }
            let held_back = feed.hand_on(&app).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot read new changes at the moment");
                false
            });
            tokio::time::sleep(COALESCE_FOR).await;
            let pause = if held_back { RETRY_HELD_BACK_AFTER } else { POLL_INTERVAL };
            tokio::select! {
                () = feed.wake.notified() => {}
                () = tokio::time::sleep(pause), if feed.streams.receiver_count() > 0 => {}
            }
        }
    };
    tokio::join!(listen, hand_on);
}

/// Ends all streams, and those that begin from now on.
pub fn end(app: &App) {
    app.events.ended.send_replace(true);
}

/// The changes from now on, or from the one after the given one on: each once, in the order of their
/// commits. Ends when it stays too far behind, when the user may not read any more, and with the
/// service.
pub async fn subscribe(
    app: Arc<App>,
    viewer: Viewer,
    after: Option<ChangeId>,
) -> Result<impl Stream<Item = Change>, Error> {
    // First the place, then a connection, as in handing on: or each waits for what the other has.
    let mut handed_on = app.events.place.lock().await;
    let mut conn = app.db.read().await?;
    let now = log::end(&mut conn).await?;
    handed_on.get_or_insert(now);
    let receiver = app.events.streams.subscribe();
    drop(handed_on);
    // Whatever comes after this place is still in the log, or handed on from now on, or both.
    let (place, seen) = match after {
        Some(id) => (log::place_of(&mut conn, id).await?, HashSet::new()),
        None => (now, log::committed_behind(&mut conn, now).await?),
    };
    drop(conn);
    app.events.wake.notify_one();
    let until = over(app.clone(), viewer);
    let reading = Reading { app, place, seen, read: VecDeque::new(), caught_up: after.is_none(), receiver };
    Ok(stream::unfold(reading, Reading::next).take_until(Box::pin(until)))
}

/// A stream that first reads what it has missed, and then receives what is handed on.
struct Reading {
    app: Arc<App>,
    place: log::LogPosition,
    /// Those behind the place that were committed before the stream began, but count only now.
    seen: HashSet<ChangeId>,
    read: VecDeque<Event>,
    caught_up: bool,
    receiver: broadcast::Receiver<Arc<Event>>,
}

impl Reading {
    async fn next(mut self) -> Option<(Change, Self)> {
        while !self.caught_up || !self.read.is_empty() {
            if let Some(event) = self.read.pop_front() {
                self.place = event.place;
                return Some((event.change, self));
            }
            let missed = read(&self.app, self.place).await;
            self.app.catalogue.large_are_applied().await;
            self.read =
                missed.inspect_err(|error| tracing::warn!(%error, "a stream broke off")).ok()?.0.into();
            self.caught_up = self.read.is_empty();
        }
        loop {
            let event = self.receiver.recv().await.ok()?;
            if event.place > self.place {
                self.place = event.place;
                if self.seen.remove(&event.change.id) {
                    continue;
                }
                return Some((event.change.clone(), self));
            }
        }
    }
}

/// Comes back when a stream is to end.
async fn over(app: Arc<App>, viewer: Viewer) {
    let mut ended = app.events.ended.subscribe();
    let revoked = async {
        loop {
            tokio::time::sleep(EVENT_STREAM_RECHECK_WAIT).await;
            if matches!(auth::is_signed_in(&app, &viewer).await, Ok(false)) {
                break;
            }
        }
    };
    tokio::select! {
        _ = ended.wait_for(|ended| *ended) => {}
        () = revoked => {}
    }
}
