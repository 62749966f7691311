//! The catalogue of this instance, kept up to date with the log of changes.
//!
//! Whoever reads has looked at the log when the token or session was checked. Mostly it showed nothing that the
//! catalogue does not know; then the read costs no further query. Else what is new is applied first, change by
//! change in the order of the log. What is too much for that is loaded aside, and takes the place of what was
//! there as a whole.
//!
//! So a read sees the collection as it was at one moment, with all changes that were committed until then.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{
    App, Error, Pause, Viewer,
    unanswered::{Noted, Unanswered},
};
use crate::{
    catalogue::Catalogue,
    db::{
        Db, DbError,
        backup::Snapshot,
        deadline,
        log::{self, FollowLimits, LogEntry, LogPosition, News, Tail},
        movies,
    },
    domain::{ChangeId, MovieId},
    limits::LONG_STATEMENT_WAIT,
};

/// What is applied while others wait; beyond it everything is loaded anew.
const FOLLOW_LIMITS: FollowLimits = FollowLimits { changes: 1000, movies: 1000, movies_in_all: 10_000 };
/// What is applied to a catalogue that was loaded, before others read it.
const CATCH_UP_LIMITS: FollowLimits =
    FollowLimits { changes: 100_000, movies: 100_000, movies_in_all: 200_000 };
/// Movies that are loaded with one query.
const LOADED_AT_ONCE: usize = 5000;

/// The catalogue, and how far it has come. There is none before it is loaded.
pub(super) struct Follower {
    known: RwLock<Option<LoadedCatalogue>>,
    /// Held by who applies changes.
    following: tokio::sync::Mutex<()>,
    /// Held by who loads.
    loading: tokio::sync::Mutex<()>,
    /// How often it was loaded.
    loads: AtomicU64,
    /// What reads need not show yet.
    unanswered: Unanswered,
    before_swap: Pause,
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            known: RwLock::default(),
            following: tokio::sync::Mutex::default(),
            loading: tokio::sync::Mutex::default(),
            loads: AtomicU64::default(),
            unanswered: Unanswered::default(),
            before_swap: Arc::new(|| Box::pin(std::future::ready(()))),
        }
    }
}

struct LoadedCatalogue {
    catalogue: Catalogue,
    /// The last change that is applied, as are all before it; none if the log was empty.
    last: Option<LogEntry>,
    /// Those behind it that are applied, too.
    others: HashSet<ChangeId>,
}

/// What has to be in the catalogue.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// What a look at the log showed.
    Seen(&'a Tail),
    /// All that is committed now; a position before a large change of this instance that is not answered yet will do.
    Answered,
    /// All that is committed now.
    Committed,
}

/// The changes cannot be applied one by one: they are too many, or the log is another one.
#[derive(Debug)]
struct TooMuch;

/// How far following the log came.
enum Followed {
    /// To its end, or as far as was wanted.
    Whole,
    /// Not past a large change of this instance, which is being loaded.
    BeforeLarge,
    /// Nowhere: everything is to be loaded.
    TooMuch,
}

impl Follower {
    /// The last change before which nothing is unknown, to look at the log from.
    pub(super) fn last(&self) -> Option<LogEntry> {
        self.read(|known| known.last).flatten()
    }

    /// Whether all that a look at the log showed is in the catalogue, or may be shown later.
    pub(super) fn knows(&self, seen: &Tail) -> bool {
        let unanswered = self.unanswered.now();
        let knows = |known: &LoadedCatalogue| {
            // What is known must still be there: the collection may have been replaced.
            let is_there =
                if known.last.is_some() { seen.shows_last() } else { seen.len() >= known.others.len() };
            is_there && seen.shows_only(|place, id| unanswered.may_wait(id) || known.has(place, id))
        };
        self.read(knows).unwrap_or(false)
    }

    /// Applies what is new, or loads all anew where that cannot be. Only within [`Db::run_blocking`].
    async fn follow(&self, db: &Db, wanted: Wanted<'_>) -> Result<(), DbError> {
        loop {
            let loads = self.loads.load(Relaxed);
            match (self.apply_new(db, wanted).await?, wanted) {
                (Followed::Whole, _) | (Followed::BeforeLarge, Wanted::Answered) => return Ok(()),
                (Followed::BeforeLarge | Followed::TooMuch, _) => {}
            }
            let _loading = deadline::in_time("loading the catalogue", self.loading.lock()).await?;
            if self.loads.load(Relaxed) == loads {
                Box::pin(self.load(db)).await?;
            }
        }
    }

    /// Applies all that is new, change by change, or nothing of it: a part would be a state that never was.
    async fn apply_new(&self, db: &Db, wanted: Wanted<'_>) -> Result<Followed, DbError> {
        if !self.is_loaded() {
            return Ok(Followed::TooMuch);
        }
        let _following = deadline::in_time("the catalogue", self.following.lock()).await?;
        if let Wanted::Seen(seen) = wanted
            && self.knows(seen)
        {
            return Ok(Followed::Whole);
        }
        let news = news(db, self.last(), FOLLOW_LIMITS).await?;
        let applied = self
            .known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .map(|known| known.apply(&news, FOLLOW_LIMITS));
        if let Some(Ok(())) = applied {
            return Ok(Followed::Whole);
        }
        // They are noted before they are committed, and until they are in the catalogue.
        let unanswered = self.unanswered.now(); // not while the catalogue is locked: who reads locks this one first
        let is_new_and_large = |known: &LoadedCatalogue| {
            news.entries.iter().any(|new| unanswered.is_large(new.id) && !known.has(new.place, new.id))
        };
        let is_before_large = self.read(is_new_and_large).unwrap_or(false);
        Ok(if is_before_large { Followed::BeforeLarge } else { Followed::TooMuch })
    }

    /// Loads the collection aside, and puts it in the place of what was there. This may take longer than the request
    /// waits that has begun it, and is for all others, too.
    async fn load(&self, db: &Db) -> Result<(), DbError> {
        deadline::within(LONG_STATEMENT_WAIT, self.load_aside(db)).await
    }

    async fn load_aside(&self, db: &Db) -> Result<(), DbError> {
        loop {
            let mut loaded = LoadedCatalogue::load(db).await?;
            (self.before_swap)().await;
            // What was applied to the present one since must not be missing in the next.
            let _following = deadline::in_time("the catalogue", self.following.lock()).await?;
            let news = news(db, loaded.last, CATCH_UP_LIMITS).await?;
            if loaded.apply(&news, CATCH_UP_LIMITS).is_ok() {
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
                self.loads.fetch_add(1, Relaxed);
                return Ok(());
            }
        }
    }

    fn read<T>(&self, read: impl FnOnce(&LoadedCatalogue) -> T) -> Option<T> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(read)
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.read(|_| ()).is_some()
    }
}

async fn news(db: &Db, last: Option<LogEntry>, most: FollowLimits) -> Result<News, DbError> {
    let place = last.map(|last| last.place).unwrap_or_default();
    log::news(&mut db.read().await?, place, most).await
}

/// The catalogue of a snapshot.
pub(super) async fn load(snapshot: &mut Snapshot) -> Result<Catalogue, DbError> {
    Ok(LoadedCatalogue::of(snapshot).await?.catalogue)
}

impl LoadedCatalogue {
    async fn load(db: &Db) -> Result<Self, DbError> {
        // Reads wait for this, so it does not wait for writers.
        let mut snapshot = Snapshot::begin(db).await?;
        snapshot.conn().allow_long_statements().await?;
        Self::of(&mut snapshot).await
    }

    async fn of(snapshot: &mut Snapshot) -> Result<Self, DbError> {
        let end = log::end(snapshot.conn()).await?;
        let last = log::from(snapshot.conn(), end, 1).await?.into_iter().find(|change| change.settled);
        let others = log::committed_behind(snapshot.conn(), last.map(|last| last.place).unwrap_or_default());
        let others = others.await?;
        let no_thread = |e: io::Error| DbError::Unavailable(format!("no thread can be started: {e}"));
        let loading = Catalogue::loading().map_err(no_thread)?;
        let mut above = MovieId::BEFORE_ALL;
        loop {
            let page = movies::page(snapshot.conn(), above, LOADED_AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            above = last.id;
            loading.push(page);
        }
        Ok(Self { catalogue: loading.finish().map_err(no_thread)?, last, others })
    }

    fn has(&self, place: LogPosition, id: ChangeId) -> bool {
        self.others.contains(&id) || self.last.is_some_and(|last| place <= last.place)
    }

    /// Applies what is new, all of it or nothing.
    fn apply(&mut self, news: &News, most: FollowLimits) -> Result<(), TooMuch> {
        let is_last = |entry: &&LogEntry| self.last.is_some_and(|last| last.place == entry.place);
        let (before, new) =
            news.entries.split_at(usize::from(news.entries.first().as_ref().is_some_and(is_last)));
        let is_same_log = match (self.last, before) {
            (Some(last), [first]) => (last.id, last.at) == (first.id, first.at),
            // A collection that was put in the place of this one may hold movies whose changes are gone.
            (None, []) => {
                let is_of_log =
                    |change: &LogEntry| change.place.is_of_transaction() || self.others.contains(&change.id);
                let is_there = |id: &ChangeId| new.iter().any(|change| change.id == *id);
                new.iter().all(is_of_log) && self.others.iter().all(is_there)
            }
            _ => false,
        };
        let is_new = |change: &&LogEntry| !self.others.contains(&change.id);
        let is_small = new.iter().filter(is_new).all(|change| change.movies <= most.movies);
        if !is_same_log || !is_small || !news.is_whole {
            return Err(TooMuch);
        }
        let applied: HashSet<ChangeId> = new.iter().filter(is_new).map(|change| change.id).collect();
        for (_, id, movie) in news.touched.iter().filter(|(change, ..)| applied.contains(change)) {
            match movie {
                Some(movie) => self.catalogue.put(movie),
                None => drop(self.catalogue.remove(*id)),
            }
        }
        self.others.extend(applied);
        for change in new.iter().take_while(|change| change.settled) {
            self.others.remove(&change.id);
            self.last = Some(*change);
        }
        Ok(())
    }
}

/// Reads from the catalogue, with all in it that was committed when the request came.
pub(super) async fn read<T>(
    app: &Arc<App>,
    viewer: &Viewer,
    read: impl FnOnce(&Catalogue) -> T,
) -> Result<T, Error> {
    let catalogue = &app.catalogue;
    if !viewer.seen.as_ref().is_some_and(|seen| catalogue.knows(seen)) {
        follow(app, viewer.seen.clone()).await?;
    }
    Ok(catalogue.read(|known| read(&known.catalogue)).ok_or_else(not_loaded)?)
}

fn not_loaded() -> DbError {
    DbError::Unavailable("the catalogue is not loaded".to_owned())
}

/// Reads what takes milliseconds, where it holds up no other request.
pub(super) async fn read_long<T: Send + 'static>(
    app: &Arc<App>,
    viewer: &Viewer,
    read: impl FnOnce(&Catalogue) -> T + Send + 'static,
) -> Result<T, Error> {
    let (shared, viewer) = (app.clone(), viewer.clone());
    app.db.run_blocking(async move { self::read(&shared, &viewer, read).await }).await
}

/// Reads what is committed, for a write. Only within [`Db::run_blocking`].
pub(super) async fn read_committed<T>(app: &App, read: impl FnOnce(&Catalogue) -> T) -> Result<T, DbError> {
    // A long write has its turn already, so the deadline of its request has passed.
    let follow = app.catalogue.follow(&app.db, Wanted::Committed);
    Box::pin(deadline::within(LONG_STATEMENT_WAIT, follow)).await?;
    app.catalogue.read(|known| read(&known.catalogue)).ok_or_else(not_loaded)
}

/// Brings the catalogue up to date; where something was seen of the log, at least so far. Loading goes on where it
/// takes longer than the deadline.
pub(super) async fn follow(app: &Arc<App>, seen: Option<Arc<Tail>>) -> Result<(), Error> {
    let shared = app.clone();
    let follow = async move {
        let wanted = seen.as_deref().map_or(Wanted::Answered, Wanted::Seen);
        shared.catalogue.follow(&shared.db, wanted).await
    };
    let follow = Box::pin(app.db.run_blocking(follow));
    Ok(deadline::in_time("the catalogue", follow).await??)
}

/// Does the same as long as it takes.
pub(super) async fn follow_long(app: &Arc<App>) -> Result<(), Error> {
    deadline::within(LONG_STATEMENT_WAIT, follow(app, None)).await
}

impl Follower {
    /// Waits before a catalogue that was loaded takes the place of the one before.
    pub(super) fn pause_before_swap(&mut self, pause: Pause) {
        self.before_swap = pause;
    }

    /// Notes a change, which is about to be committed. Before a large one the catalogue is brought up to date: then
    /// whatever it does not have is committed later, and waits for the large one.
    pub(super) async fn before_commit(&self, db: &Db, change: ChangeId, movies: i64) -> Noted<'_> {
        let noted = self.unanswered.note(change, movies > FOLLOW_LIMITS.movies);
        if noted.is_large
            && let Err(error) =
                Box::pin(deadline::within(LONG_STATEMENT_WAIT, self.apply_new(db, Wanted::Answered))).await
        {
            tracing::debug!(%error, "reads may have to wait for the change that is being committed");
        }
        noted
    }

    /// Comes back when a change, which is committed, may be answered: a large one when it is in the catalogue, a small
    /// one when the large ones are that may come before it.
    ///
    /// # Errors
    /// Those of the database; the change is to be answered all the same, and reads wait for what they have to show.
    pub(super) async fn before_answer(&self, db: &Db, noted: Noted<'_>) -> Result<(), DbError> {
        if noted.is_large {
            let follow = deadline::within(LONG_STATEMENT_WAIT, self.follow(db, Wanted::Committed));
            return Box::pin(follow).await;
        }
        deadline::in_time("loading the catalogue", self.large_are_applied()).await
    }

    /// Comes back when the catalogue has the large changes of this instance that may be committed now.
    pub(super) async fn large_are_applied(&self) {
        self.unanswered.large_are_applied().await;
    }

    /// Whether there are large changes that may be committed and not be in the catalogue.
    pub(super) fn lacks_large(&self) -> bool {
        self.unanswered.has_large()
    }
}
