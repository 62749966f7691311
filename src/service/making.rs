//! A change in the making: what is written as a whole, or in pieces that nobody sees before the last.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use serde::Serialize;

use tokio_util::sync::CancellationToken;

use super::{App, Error, Identity, once::Write};
use crate::{
    db::{Conn, DbError, Lock, changes as db, imports, movies, retry_write},
    domain::{Attributes, ChangeKind, Movie, Time},
};

/// How long a change may keep others from writing before it lets them go first.
const WRITER_TIME_SLICE: Duration = Duration::from_millis(100);

/// The policy of the service itself: yields after [`WRITER_TIME_SLICE`], and comes back as soon as those who wait have written.
pub(super) fn yield_after_time_slice(held: Duration) -> Option<BoxFuture<'static, ()>> {
    (held >= WRITER_TIME_SLICE).then(|| Box::pin(std::future::ready(())) as _)
}

/// A change in the making. What is written through it is committed as a whole, with a record of
/// who did it; dropped without a commit, nothing was done.
pub(super) struct Making<'a> {
    app: &'a App,
    tx: Write,
    id: i64,
    author: &'a Identity,
    kind: ChangeKind,
    /// Whether it touches one movie alone, so that none need be counted.
    of_one: bool,
    pub(super) at: Time,
    /// When others could write last.
    turn: Instant,
    /// How many movies came into being, or came back.
    inserted: usize,
    /// How many movies it touched, as far as that was counted.
    movies: i64,
    /// Sees to it that nothing stays of what was committed already.
    hidden: Option<Hidden>,
}

impl<'a> Making<'a> {
    /// Begins a change in a transaction that has just been begun.
    pub(super) async fn begin(
        tx: impl Into<Write>,
        app: &'a App,
        author: &'a Identity,
        kind: ChangeKind,
    ) -> Result<Self, Error> {
        Self::undoing(tx.into(), app, author, kind, None).await
    }

    /// Begins a change of many movies, also of a kind that is of one otherwise.
    pub(super) async fn of_many(
        tx: impl Into<Write>,
        app: &'a App,
        author: &'a Identity,
        kind: ChangeKind,
    ) -> Result<Self, Error> {
        let mut tx = tx.into();
        tx.lock(Lock::Many).await?;
        Ok(Self { of_one: false, ..Self::begin(tx, app, author, kind).await? })
    }

    /// Begins a change that takes another one back.
    pub(super) async fn undoing(
        mut tx: Write,
        app: &'a App,
        author: &'a Identity,
        kind: ChangeKind,
        undoes: Option<i64>,
    ) -> Result<Self, Error> {
        match kind {
            ChangeKind::Create | ChangeKind::Update | ChangeKind::Delete => {}
            ChangeKind::Import => tx.lock(Lock::Imports).await?,
            ChangeKind::Batch | ChangeKind::Undo | ChangeKind::Restore => tx.lock(Lock::Many).await?,
        }
        let at = app.now();
        let (by, via) = (author.name.as_str(), &author.via.to_string());
        let id = db::insert(&mut tx, &db::NewChange { at, by, via, kind, undoes }).await?;
        let of_one = kind.is_of_one_movie();
        Ok(Self {
            app,
            tx,
            id,
            author,
            kind,
            of_one,
            at,
            turn: Instant::now(),
            inserted: 0,
            movies: 1,
            hidden: None,
        })
    }

    /// Lets others write first who would have to wait for the end of this change, where the yield policy says
    /// so and until `gone`. What was written so far is committed then, but nobody sees it before the end. So it
    /// may be new movies alone.
    pub(super) async fn yield_writer(
        &mut self,
        app: &Arc<App>,
        gone: &CancellationToken,
    ) -> Result<(), Error> {
        let Some(pause) = (app.yield_policy)(self.turn.elapsed()) else { return Ok(()) };
        let pause = async {
            let _ = gone.run_until_cancelled(pause).await;
        };
        if !app.db.has_one_writer() {
            pause.await; // others write beside this transaction
            return Ok(());
        }
        if self.hidden.is_none() {
            imports::hide(&mut self.tx, self.id).await?;
            self.hidden = Some(Hidden { app: app.clone(), change: Some(self.id) });
        }
        self.tx.commit_and_continue(app, pause).await?;
        self.turn = Instant::now();
        if imports::is_under_way(&mut self.tx, self.id).await? {
            return Ok(());
        }
        Err(Error::Conflict("the collection was replaced meanwhile; nothing was stored".to_owned()))
    }

    /// Adds movies with these attributes.
    pub(super) async fn add(&mut self, new: Vec<Attributes>) -> Result<Vec<Movie>, DbError> {
        let ids = movies::reserve_ids(&mut self.tx, new.len()).await?;
        let new: Vec<Movie> =
            ids.into_iter().zip(new).map(|(id, attributes)| self.created(id, attributes)).collect();
        self.insert(&new).await?;
        Ok(new)
    }

    /// A movie that comes into being with this change.
    pub(super) fn created(&self, id: i64, attributes: Attributes) -> Movie {
        Movie { id, attributes, version: 1, created_at: self.at, updated_at: self.at }
    }

    /// Makes movies, which are locked and of which this is each before and after, what they are to be.
    pub(super) async fn update(&mut self, movies: &[(Movie, Movie)]) -> Result<(), Error> {
        let found = movies::update(&mut self.tx, self.id, movies).await?;
        if found == movies.len() as u64 {
            return Ok(());
        }
        Err(Error::Failed(format!("{found} movies are there of {} that are locked", movies.len())))
    }

    /// What a movie that this change has not touched yet becomes with other attributes.
    pub(super) fn updated(&self, movie: &Movie, attributes: Attributes) -> Movie {
        let updated_at = self.at.max(movie.updated_at); // the clock may be set back
        Movie { attributes, updated_at, version: movie.version + 1, ..movie.clone() }
    }

    /// Deletes movies, which are locked.
    pub(super) async fn delete(&mut self, ids: &[i64]) -> Result<(), DbError> {
        movies::delete(&mut self.tx, self.id, ids, self.at).await
    }

    /// Stores movies that are not there, new ones or such as were deleted, under the ids they bear.
    pub(super) async fn insert(&mut self, movies: &[Movie]) -> Result<(), DbError> {
        self.inserted += movies.len();
        movies::insert(&mut self.tx, self.id, movies).await
    }

    /// Writes down how many movies were changed, unless it is one anyway, and returns
    /// the id of the change; none, and no record of it, where nothing was changed.
    pub(super) async fn complete(&mut self) -> Result<Option<i64>, Error> {
        if self.of_one {
            return Ok(Some(self.id));
        }
        let movies = db::count_movies(&mut self.tx, self.id).await?;
        self.movies = movies;
        if self.hidden.is_some() {
            // Others could write meanwhile, and nobody but this change may touch what it has stored.
            if usize::try_from(movies) != Ok(self.inserted) {
                let why = format!("{movies} movies are there of {} that were stored", self.inserted);
                return Err(Error::Failed(why));
            }
            self.tx.take_key(self.app).await?;
            let (by, via) = (self.author.name.as_str(), &self.author.via.to_string());
            let new = db::NewChange { at: self.at, by, via, kind: self.kind, undoes: None };
            imports::show(&mut self.tx, self.id, &new, movies).await?;
        } else if movies > 0 {
            db::set_movies(&mut self.tx, self.id, movies).await?;
        } else {
            db::delete(&mut self.tx, self.id).await?;
        }
        Ok((movies > 0).then_some(self.id))
    }

    /// Commits, and keeps the result for when the same is sent again. Comes back when a read may show the change: until
    /// a large change is in the catalogue, reads go on without it, and without what was committed after it.
    pub(super) async fn commit<T: Serialize>(self, result: T) -> Result<T, Error> {
        let Self { app, tx, id, movies, hidden, .. } = self;
        let noted = app.catalogue.before_commit(&app.db, id, movies).await;
        let result = tx.commit(result).await?;
        if let Some(hidden) = hidden {
            hidden.keep();
        }
        app.events.committed();
        if let Err(error) = app.catalogue.before_answer(&app.db, noted).await {
            tracing::warn!(%error, "a change was stored, but the collection cannot be read at the moment");
        }
        app.events.applied();
        Ok(result)
    }

    /// The change's id.
    pub(super) const fn id(&self) -> i64 {
        self.id
    }
}

/// What a change has committed, but nobody sees. It is removed unless the change is shown.
struct Hidden {
    app: Arc<App>,
    change: Option<i64>,
}

impl Hidden {
    fn keep(mut self) {
        self.change = None;
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(change) = self.change {
            tokio::spawn(remove_hidden(self.app.clone(), change));
        }
    }
}

/// Removes what changes have left that were under way when the service ended without an end of theirs.
///
/// # Errors
/// Those of the database.
pub async fn remove_left_over(app: &Arc<App>) -> Result<(), Error> {
    for change in imports::under_way(&mut app.db.read().await?).await? {
        tokio::spawn(remove_hidden(app.clone(), change));
    }
    Ok(())
}

async fn remove_hidden(app: Arc<App>, change: i64) {
    /// Few enough for others to wait no longer than for [`WRITER_TIME_SLICE`].
    const AT_ONCE: i64 = 2000;

    let shared = app.clone();
    let removed = app.db.run_blocking(async move {
        let remove = || async {
            let mut tx = shared.db.begin_exclusive().await?;
            let removed = imports::remove(&mut tx, change, AT_ONCE).await?;
            if removed == 0 {
                imports::forget(&mut tx, change).await?;
            }
            tx.commit().await?;
            Ok::<_, DbError>(removed)
        };
        while retry_write(remove).await? > 0 {}
        Ok::<_, DbError>(())
    });
    match removed.await {
        Ok(()) => tracing::info!(change, "removed what an import had stored that was not done"),
        Err(error) => tracing::error!(change, %error, "what an import had stored is still to be removed"),
    }
}

impl Deref for Making<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.tx
    }
}

impl DerefMut for Making<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.tx
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_write_after_a_time_slice() {
        assert!(yield_after_time_slice(WRITER_TIME_SLICE.saturating_sub(Duration::from_millis(1))).is_none());
        assert!(yield_after_time_slice(WRITER_TIME_SLICE).is_some());
    }
}
