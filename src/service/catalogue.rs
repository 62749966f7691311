//! The catalogue of this instance, kept up to date from the log of changes.
//!
//! Each read has a tail of the log from the query that checked its token or session. Usually the catalogue
//! knows all of it, so the read costs no further query. Otherwise new changes are applied first, in the order
//! of the log. If they are too many, a new catalogue is loaded and replaces the old one.
//!
//! So a read sees one consistent state, with all changes that were committed before the request.

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

/// What is applied while reads wait; above this, the catalogue is loaded again.
const FOLLOW_LIMITS: FollowLimits = FollowLimits { changes: 1000, movies: 1000, movies_in_all: 10_000 };
/// What is applied to a new catalogue before reads use it.
const CATCH_UP_LIMITS: FollowLimits =
    FollowLimits { changes: 100_000, movies: 100_000, movies_in_all: 200_000 };
/// Movies loaded by one query.
const LOADED_AT_ONCE: usize = 5000;

/// The catalogue and its log position. It is empty until loaded.
pub(super) struct Follower {
    known: RwLock<Option<LoadedCatalogue>>,
    /// Held while changes are applied.
    following: tokio::sync::Mutex<()>,
    /// Held while a catalogue is loaded.
    loading: tokio::sync::Mutex<()>,
    /// The number of loads.
    loads: AtomicU64,
    /// Changes that reads need not show yet.
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
    /// The last settled change; it and all before it are applied. `None` if the log was empty.
    last: Option<LogEntry>,
    /// Later changes that are applied, too.
    others: HashSet<ChangeId>,
}

/// What the catalogue must contain.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// The changes in this tail of the log.
    Seen(&'a Tail),
    /// All committed changes, except unacknowledged large ones of this instance and those after them.
    Answered,
    /// All committed changes.
    Committed,
}

/// The changes cannot be applied one by one: they are too many, or the log was replaced.
#[derive(Debug)]
struct TooMuch;

/// How far the log was followed.
enum Followed {
    /// As far as required.
    Whole,
    /// Up to a large change of this instance that is being loaded.
    BeforeLarge,
    /// Not at all: the catalogue must be loaded.
    TooMuch,
}

impl Follower {
    /// Returns the last settled change, from which to read the log.
    pub(super) fn last(&self) -> Option<LogEntry> {
        self.read(|known| known.last).flatten()
    }

    /// Returns whether the catalogue has all changes in this tail, except those that reads need not show yet.
    pub(super) fn knows(&self, seen: &Tail) -> bool {
        let unanswered = self.unanswered.now();
        let knows = |known: &LoadedCatalogue| {
            // All known changes must still exist: a restore may have replaced the collection.
            let is_there = known.last.is_none() || seen.shows_last();
            is_there
                && known.others.iter().all(|id| seen.shows(*id))
                && seen.shows_only(|place, id| unanswered.may_wait(id) || known.has(place, id))
        };
        self.read(knows).unwrap_or(false)
    }

    /// Applies new changes, or loads the catalogue if that is impossible. Call only within
    /// [`Db::run_blocking`].
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

    /// Applies all new changes in order, or none of them: a part would be an inconsistent state.
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
        // Unacknowledged changes are registered before their commit, until the catalogue has them.
        let unanswered = self.unanswered.now(); // lock order: before the catalogue
        let is_new_and_large = |known: &LoadedCatalogue| {
            news.entries.iter().any(|new| unanswered.is_large(new.id) && !known.has(new.place, new.id))
        };
        let is_before_large = self.read(is_new_and_large).unwrap_or(false);
        Ok(if is_before_large { Followed::BeforeLarge } else { Followed::TooMuch })
    }

    /// Loads a new catalogue and swaps it in. This may exceed the deadline of the request, since all other
    /// requests need it.
    async fn load(&self, db: &Db) -> Result<(), DbError> {
        deadline::within(LONG_STATEMENT_WAIT, self.load_aside(db)).await
    }

    async fn load_aside(&self, db: &Db) -> Result<(), DbError> {
        loop {
            let mut loaded = LoadedCatalogue::load(db).await?;
            (self.before_swap)().await;
            // Changes that were applied to the old catalogue meanwhile must not be missing in the new one.
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

/// Loads the catalogue of a snapshot.
pub(super) async fn load(snapshot: &mut Snapshot) -> Result<Catalogue, DbError> {
    Ok(LoadedCatalogue::of(snapshot).await?.catalogue)
}

impl LoadedCatalogue {
    async fn load(db: &Db) -> Result<Self, DbError> {
        // Reads wait for this, so it must not wait for writers.
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

    /// Applies all new changes or none.
    fn apply(&mut self, news: &News, most: FollowLimits) -> Result<(), TooMuch> {
        let is_last = |entry: &&LogEntry| self.last.is_some_and(|last| last.place == entry.place);
        let (before, new) =
            news.entries.split_at(usize::from(news.entries.first().as_ref().is_some_and(is_last)));
        // A restored collection may have a log that begins like this one.
        let is_there = |id: &ChangeId| new.iter().any(|change| change.id == *id);
        let is_same_log = self.others.iter().all(is_there)
            && match (self.last, before) {
                (Some(last), [first]) => (last.id, last.at) == (first.id, first.at),
                // After a restore, movies may exist whose changes were pruned.
                (None, []) => new
                    .iter()
                    .all(|change| change.place.is_of_transaction() || self.others.contains(&change.id)),
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

/// Reads from the catalogue, which has all changes that were committed when the request arrived.
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

/// Runs a read of several milliseconds without blocking other requests.
pub(super) async fn read_long<T: Send + 'static>(
    app: &Arc<App>,
    viewer: &Viewer,
    read: impl FnOnce(&Catalogue) -> T + Send + 'static,
) -> Result<T, Error> {
    let (shared, viewer) = (app.clone(), viewer.clone());
    app.db.run_blocking(async move { self::read(&shared, &viewer, read).await }).await
}

/// Reads all committed changes, for a write. Call only within [`Db::run_blocking`].
pub(super) async fn read_committed<T>(app: &App, read: impl FnOnce(&Catalogue) -> T) -> Result<T, DbError> {
    // A long write has the writer already, but its deadline may have passed.
    let follow = app.catalogue.follow(&app.db, Wanted::Committed);
    Box::pin(deadline::within(LONG_STATEMENT_WAIT, follow)).await?;
    app.catalogue.read(|known| read(&known.catalogue)).ok_or_else(not_loaded)
}

/// Brings the catalogue up to date, at least to the end of `seen` if given. A load that exceeds the deadline
/// continues.
pub(super) async fn follow(app: &Arc<App>, seen: Option<Arc<Tail>>) -> Result<(), Error> {
    let shared = app.clone();
    let follow = async move {
        let wanted = seen.as_deref().map_or(Wanted::Answered, Wanted::Seen);
        shared.catalogue.follow(&shared.db, wanted).await
    };
    let follow = Box::pin(app.db.run_blocking(follow));
    Ok(deadline::in_time("the catalogue", follow).await??)
}

/// Does the same without a deadline.
pub(super) async fn follow_long(app: &Arc<App>) -> Result<(), Error> {
    deadline::within(LONG_STATEMENT_WAIT, follow(app, None)).await
}

impl Follower {
    /// Sets a pause before a new catalogue is swapped in.
    pub(super) fn pause_before_swap(&mut self, pause: Pause) {
        self.before_swap = pause;
    }

    /// Registers a change that is about to be committed. Before a large change the catalogue is brought up to
    /// date. Then every change that it lacks is committed later, and its response waits for the large one.
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

    /// Waits until the response to a committed change may be sent. A large change must be in the catalogue; a
    /// small one waits for the large ones that may come before it in the log.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the catalogue cannot be brought up to date. The change is committed all
    /// the same, and later reads wait for it.
    pub(super) async fn before_answer(&self, db: &Db, noted: Noted<'_>) -> Result<(), DbError> {
        if noted.is_large {
            let follow = deadline::within(LONG_STATEMENT_WAIT, self.follow(db, Wanted::Committed));
            return Box::pin(follow).await;
        }
        deadline::in_time("loading the catalogue", self.large_are_applied()).await
    }

    /// Waits until the catalogue has all large changes that are registered now.
    pub(super) async fn large_are_applied(&self) {
        self.unanswered.large_are_applied().await;
    }

    /// Returns whether a large change may be committed but not in the catalogue.
    pub(super) fn lacks_large(&self) -> bool {
        self.unanswered.has_large()
    }
}
