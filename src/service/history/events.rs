//! Live events: one for each committed change, read from the log.
//!
//! A single task follows the log and sends each new change to all streams of this instance. It reads the log
//! when it is woken by a commit, here or on another instance.

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

use super::changes::add_first_effects;
use crate::{
    db::{DbError, log},
    documents::Change,
    domain::ChangeId,
    limits::{EVENT_STREAM_RECHECK_WAIT, MAX_EVENTS_BEHIND},
    service::{App, Error, Viewer, auth, catalogue},
};

/// Changes read by one query.
const BATCH_CHANGES: usize = 100;
/// Commits within this time are read, and announced to other instances, together.
const COALESCE_FOR: Duration = Duration::from_millis(5);
/// The pause before changes are read again that are committed but not settled.
const RETRY_HELD_BACK_AFTER: Duration = Duration::from_millis(20);
/// The interval of reads without an announcement, since an instance may crash between commit and
/// announcement.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The state shared by the streams of this instance.
pub(in crate::service) struct Feed {
    wake: Notify,
    /// Whether commits must be announced to the other instances.
    announce: AtomicBool,
    /// The position up to which changes were sent; `None` while there is no stream.
    place: Mutex<Option<log::LogPosition>>,
    streams: broadcast::Sender<Arc<Event>>,
    ended: watch::Sender<bool>,
}

/// A change with its log position.
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
    /// Reports that a change was committed here.
    pub(in crate::service) fn committed(&self) {
        self.announce.store(true, Relaxed);
        self.wake.notify_one();
    }

    /// Reports that reads show a change that was committed here.
    pub(in crate::service) fn applied(&self) {
        self.wake.notify_one();
    }

    /// Sends new changes to the streams. Returns whether there are committed changes that are not settled.
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
                return Ok(false); // a receiver may read at once; the large change wakes this task at its end
            }
            let Some(last) = events.last() else { return Ok(held_back) };
            reached = last.place;
            for event in events {
                let _ = self.streams.send(Arc::new(event)); // an error: there is no receiver
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

/// Follows the log while the service runs.
pub async fn follow(app: Arc<App>) {
    let feed = &app.events;
    let listen = async {
        loop {
            if let Err(error) = app.db.listen(|| feed.wake.notify_one()).await {
                tracing::warn!(%error, "cannot listen for changes of other instances at the moment");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let hand_on = async {
        loop {
            if feed.announce.swap(false, Relaxed)
                && let Err(error) = app.db.announce().await
            {
                tracing::warn!(%error, "cannot notify other instances of changes at the moment");
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

/// Ends all streams, including new ones.
pub fn end(app: &App) {
    app.events.ended.send_replace(true);
}

/// Streams the changes from now on, or behind the given one: each once, in the order of the log. The stream
/// ends when it falls too far behind, when the user loses the right to read, and with the service. Also returns
/// whether changes behind the given one may have been pruned.
pub async fn subscribe(
    app: Arc<App>,
    viewer: Viewer,
    after: Option<ChangeId>,
) -> Result<(impl Stream<Item = Change>, bool), Error> {
    // The same lock order as in `hand_on` (position, then connection), to prevent a deadlock.
    let mut handed_on = app.events.place.lock().await;
    let mut conn = app.db.read().await?;
    let now = log::end(&mut conn).await?;
    handed_on.get_or_insert(now);
    let receiver = app.events.streams.subscribe();
    drop(handed_on);
    // Every change behind this position is still in the log or will be sent, or both.
    let (place, seen, pruned) = match after {
        Some(id) => {
            let pruned = log::is_pruned_behind(&mut conn, id).await?;
            (log::place_of(&mut conn, id).await?, HashSet::new(), pruned)
        }
        None => (now, log::committed_behind(&mut conn, now).await?, false),
    };
    drop(conn);
    app.events.wake.notify_one();
    let until = over(app.clone(), viewer);
    let reading = Reading { app, place, seen, read: VecDeque::new(), caught_up: after.is_none(), receiver };
    Ok((stream::unfold(reading, Reading::next).take_until(Box::pin(until)), pruned))
}

/// A stream: it reads missed changes from the log first, then receives new ones.
struct Reading {
    app: Arc<App>,
    place: log::LogPosition,
    /// Changes behind the position that were committed before the stream began, but were not settled.
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

/// Waits until a stream must end.
async fn over(app: Arc<App>, viewer: Viewer) {
    let mut ended = app.events.ended.subscribe();
    let revoked = async {
        loop {
            tokio::time::sleep(EVENT_STREAM_RECHECK_WAIT).await;
            if matches!(auth::is_signed_in(&app, viewer.identity()).await, Ok(false)) {
                break;
            }
        }
    };
    tokio::select! {
        _ = ended.wait_for(|ended| *ended) => {}
        () = revoked => {}
    }
}
