//! The catalogue of this instance, kept up to date from the log of changes.
//!
//! Each read has a tail of the log from the query that checked its token or session. Usually the catalogue
//! knows all of it, so the read costs no further query. Otherwise new changes are applied first, in the order
//! of the log. If they are too many, a new catalogue is loaded and replaces the old one.
//!
//! So a read sees one consistent state, with all changes that were committed before the request.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{
    loaded::{LoadedCatalogue, news},
    unacknowledged::{Noted, Unacknowledged},
};
use crate::{
    db::{
        Db, DbError, deadline,
        log::{FollowLimits, LogEntry, Tail},
    },
    domain::ChangeId,
    limits::LONG_STATEMENT_WAIT,
    service::Pause,
};

/// What is applied while reads wait; above this, the catalogue is loaded again.
const FOLLOW_LIMITS: FollowLimits = FollowLimits { changes: 1000, movies: 1000, movies_in_all: 10_000 };
/// What is applied to a new catalogue before reads use it.
const CATCH_UP_LIMITS: FollowLimits =
    FollowLimits { changes: 100_000, movies: 100_000, movies_in_all: 200_000 };

/// The catalogue and its log position. It is empty until loaded.
pub(in crate::service) struct Follower {
    known: RwLock<Option<LoadedCatalogue>>,
    /// Held while changes are applied.
    following: tokio::sync::Mutex<()>,
    /// Held while a catalogue is loaded.
    loading: tokio::sync::Mutex<()>,
    /// The number of loads.
    loads: AtomicU64,
    /// Changes that reads need not show yet.
    unacknowledged: Unacknowledged,
    before_swap: Pause,
}

impl Default for Follower {
    fn default() -> Self {
        Self {
            known: RwLock::default(),
            following: tokio::sync::Mutex::default(),
            loading: tokio::sync::Mutex::default(),
            loads: AtomicU64::default(),
            unacknowledged: Unacknowledged::default(),
            before_swap: Arc::new(|| Box::pin(std::future::ready(()))),
        }
    }
}

/// What the catalogue must contain.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// The changes in this tail of the log.
    Seen(&'a Tail),
    /// All committed changes, except unacknowledged large ones of this instance and those after them.
    Answered,
    /// All committed changes.
    Committed,
}

/// How far the log was followed.
enum Followed {
    /// As far as required.
    Whole,
    /// Up to a large change of this instance that is being loaded.
    BeforeLarge,
    /// Not at all: the catalogue must be loaded.
    BeyondLimits,
}

impl Follower {
    /// Returns the last settled change, from which to read the log.
    pub(in crate::service) fn last(&self) -> Option<LogEntry> {
        self.read(|known| known.last).flatten()
    }

    /// Returns whether the catalogue has all changes in this tail, except those that reads need not show yet.
    pub(in crate::service) fn knows(&self, seen: &Tail) -> bool {
        let unacknowledged = self.unacknowledged.now();
        let knows = |known: &LoadedCatalogue| {
            // All known changes must still exist: a restore may have replaced the collection.
            let is_there = known.last.is_none() || seen.shows_last();
            is_there
                && known.others.iter().all(|id| seen.shows(*id))
                && seen.shows_only(|place, id| unacknowledged.may_wait(id) || known.has(place, id))
        };
        self.read(knows).unwrap_or(false)
    }

    /// Applies new changes, or loads the catalogue if that is impossible. Call only within
    /// [`Db::run_blocking`].
    pub(super) async fn follow(&self, db: &Db, wanted: Wanted<'_>) -> Result<(), DbError> {
        loop {
            let loads = self.loads.load(Relaxed);
            match (self.apply_new(db, wanted).await?, wanted) {
                (Followed::Whole, _) | (Followed::BeforeLarge, Wanted::Answered) => return Ok(()),
                (Followed::BeforeLarge | Followed::BeyondLimits, _) => {}
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
            return Ok(Followed::BeyondLimits);
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
        let unacknowledged = self.unacknowledged.now(); // lock order: before the catalogue
        let is_new_and_large = |known: &LoadedCatalogue| {
            news.entries.iter().any(|new| unacknowledged.is_large(new.id) && !known.has(new.place, new.id))
        };
        let is_before_large = self.read(is_new_and_large).unwrap_or(false);
        Ok(if is_before_large { Followed::BeforeLarge } else { Followed::BeyondLimits })
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

    pub(super) fn read<T>(&self, read: impl FnOnce(&LoadedCatalogue) -> T) -> Option<T> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(read)
    }

    pub(in crate::service) fn is_loaded(&self) -> bool {
        self.read(|_| ()).is_some()
    }

    /// Sets a pause before a new catalogue is swapped in.
    pub(in crate::service) fn pause_before_swap(&mut self, pause: Pause) {
        self.before_swap = pause;
    }

    /// Registers a change that is about to be committed. Before a large change the catalogue is brought up to
    /// date. Then every change that it lacks is committed later, and its response waits for the large one.
    pub(in crate::service) async fn before_commit(
        &self,
        db: &Db,
        change: ChangeId,
        movies: i64,
    ) -> Noted<'_> {
        let noted = self.unacknowledged.note(change, movies > FOLLOW_LIMITS.movies);
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
    pub(in crate::service) async fn before_answer(&self, db: &Db, noted: Noted<'_>) -> Result<(), DbError> {
        if noted.is_large {
            let follow = deadline::within(LONG_STATEMENT_WAIT, self.follow(db, Wanted::Committed));
            return Box::pin(follow).await;
        }
        deadline::in_time("loading the catalogue", self.large_are_applied()).await
    }

    /// Waits until the catalogue has all large changes that are registered now.
    pub(in crate::service) async fn large_are_applied(&self) {
        self.unacknowledged.large_are_applied().await;
    }

    /// Returns whether a large change may be committed but not in the catalogue.
    pub(in crate::service) fn lacks_large(&self) -> bool {
        self.unacknowledged.has_large()
    }
}
