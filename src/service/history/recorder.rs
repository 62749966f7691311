//! Records a change: in one transaction, or in batches that stay hidden until the last one.

use std::{sync::Arc, time::Instant};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    db::{Conn, DbError, Lock, changes as db, movies},
    domain::{Attributes, ChangeId, ChangeKind, Movie, MovieId, Time},
    service::{App, Error, Identity, idempotency::IdempotentTx, staged_imports::StagedImportGuard},
};

/// Movies in a batch of an undo.
pub(in crate::service) const BATCH_MOVIES: usize = 500;

/// A change that is being written. All of it is committed as a whole, with its author. It is rolled back if
/// it is dropped without a commit.
pub(in crate::service) struct ChangeRecorder<'a> {
    app: &'a App,
    tx: IdempotentTx,
    id: ChangeId,
    author: &'a Identity,
    kind: ChangeKind,
    /// Whether exactly one movie is modified, so that no count is needed.
    of_one: bool,
    pub(in crate::service) at: Time,
    /// When other writers last had a turn.
    turn: Instant,
    /// The number of movies inserted.
    inserted: usize,
    /// The number of movies modified, if counted.
    movies: i64,
    /// The staged import, if a part was committed already.
    staged: Option<StagedImportGuard>,
}

impl<'a> ChangeRecorder<'a> {
    /// Begins a change in a transaction that has just begun.
    pub(in crate::service) async fn begin(
        tx: impl Into<IdempotentTx>,
        app: &'a App,
        author: &'a Identity,
        kind: ChangeKind,
    ) -> Result<Self, Error> {
        Self::begin_undo(tx.into(), app, author, kind, None).await
    }

    /// Begins a change of many movies, whatever its kind.
    pub(in crate::service) async fn begin_bulk(
        tx: impl Into<IdempotentTx>,
        app: &'a App,
        author: &'a Identity,
        kind: ChangeKind,
    ) -> Result<Self, Error> {
        let mut tx = tx.into();
        tx.conn().lock(Lock::Many).await?;
        Ok(Self { of_one: false, ..Self::begin(tx, app, author, kind).await? })
    }

    /// Begins a change that undoes another one.
    pub(in crate::service) async fn begin_undo(
        mut tx: IdempotentTx,
        app: &'a App,
        author: &'a Identity,
        kind: ChangeKind,
        undoes: Option<ChangeId>,
    ) -> Result<Self, Error> {
        match kind {
            ChangeKind::Create | ChangeKind::Update | ChangeKind::Delete => {}
            ChangeKind::Import => tx.conn().lock(Lock::Imports).await?,
            ChangeKind::Batch | ChangeKind::Undo | ChangeKind::Restore => tx.conn().lock(Lock::Many).await?,
        }
        let at = app.now();
        let (by, via) = (author.name.as_str(), &author.via.to_string());
        let id = db::insert(tx.conn(), &db::NewChange { at, by, via, kind, undoes }).await?;
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
            staged: None,
        })
    }

    /// Yields to waiting writers if the yield policy says so, unless `gone` is cancelled. Commits what was
    /// written so far as a staged import. This is only possible for a change that only inserts movies.
    pub(in crate::service) async fn yield_writer(
        &mut self,
        app: &Arc<App>,
        gone: &CancellationToken,
    ) -> Result<(), Error> {
        let Some(pause) = (app.yield_policy)(self.turn.elapsed()) else { return Ok(()) };
        let pause = async {
            let _ = gone.run_until_cancelled(pause).await;
        };
        if !app.db.has_one_writer() {
            pause.await; // other writes are not blocked by this transaction
            return Ok(());
        }
        if self.staged.is_none() {
            self.staged = Some(StagedImportGuard::begin(self.tx.conn(), app, self.id).await?);
        }
        self.tx.commit_and_continue(app, pause).await?;
        self.turn = Instant::now();
        StagedImportGuard::check(self.tx.conn(), self.id).await
    }

    /// Inserts movies with these attributes.
    pub(in crate::service) async fn add(&mut self, new: Vec<Attributes>) -> Result<Vec<Movie>, DbError> {
        let ids = movies::reserve_ids(self.tx.conn(), new.len()).await?;
        let new: Vec<Movie> =
            ids.into_iter().zip(new).map(|(id, attributes)| self.created(id, attributes)).collect();
        self.insert(&new).await?;
        Ok(new)
    }

    /// Returns a new movie of this change.
    pub(in crate::service) fn created(&self, id: MovieId, attributes: Attributes) -> Movie {
        Movie { id, attributes, version: 1, created_at: self.at, updated_at: self.at }
    }

    /// Updates locked movies, given as pairs of the old and the new state.
    pub(in crate::service) async fn update(&mut self, movies: &[(Movie, Movie)]) -> Result<(), Error> {
        let found = movies::update(self.tx.conn(), self.id, movies).await?;
        if found == movies.len() as u64 {
            return Ok(());
        }
        Err(Error::Failed(format!("{found} movies are there of {} that are locked", movies.len())))
    }

    /// Returns the next version of a movie with other attributes.
    pub(in crate::service) fn updated(&self, movie: &Movie, attributes: Attributes) -> Movie {
        let updated_at = self.at.max(movie.updated_at); // the clock may be set back
        Movie { attributes, updated_at, version: movie.version + 1, ..movie.clone() }
    }

    /// Deletes locked movies.
    pub(in crate::service) async fn delete(&mut self, ids: &[MovieId]) -> Result<(), DbError> {
        movies::delete(self.tx.conn(), self.id, ids, self.at).await
    }

    /// Inserts movies with their ids: new movies, or deleted ones.
    pub(in crate::service) async fn insert(&mut self, movies: &[Movie]) -> Result<(), DbError> {
        self.inserted += movies.len();
        movies::insert(self.tx.conn(), self.id, movies).await
    }

    /// Stores the number of modified movies and returns the id of the change. If nothing was modified,
    /// deletes the change and returns `None`.
    pub(in crate::service) async fn complete(&mut self) -> Result<Option<ChangeId>, Error> {
        if self.of_one {
            return Ok(Some(self.id));
        }
        let movies = db::count_movies(self.tx.conn(), self.id).await?;
        self.movies = movies;
        if self.staged.is_some() {
            self.tx.claim_again(self.app).await?;
            let (by, via) = (self.author.name.as_str(), &self.author.via.to_string());
            let new = db::NewChange { at: self.at, by, via, kind: self.kind, undoes: None };
            StagedImportGuard::publish(self.tx.conn(), self.id, &new, movies, self.inserted).await?;
        } else if movies > 0 {
            db::set_movies(self.tx.conn(), self.id, movies).await?;
        } else {
            db::delete(self.tx.conn(), self.id).await?;
        }
        Ok((movies > 0).then_some(self.id))
    }

    /// Commits the change, with its result for the idempotency key. Returns when reads show the change. Until
    /// a large change is in the catalogue, reads show neither it nor later changes.
    pub(in crate::service) async fn commit<T: Serialize>(self, result: T) -> Result<T, Error> {
        let Self { app, tx, id, movies, staged, .. } = self;
        let noted = app.catalogue.before_commit(&app.db, id, movies).await;
        let result = tx.commit(result).await?;
        if let Some(staged) = staged {
            staged.keep();
        }
        app.events.committed();
        if let Err(error) = app.catalogue.before_answer(&app.db, noted).await {
            tracing::warn!(%error, "a change was stored, but the collection cannot be read at the moment");
        }
        app.events.applied();
        Ok(result)
    }

    /// Returns the connection of the transaction.
    pub(in crate::service) fn conn(&mut self) -> &mut Conn {
        self.tx.conn()
    }

    /// Returns the id of the change.
    pub(in crate::service) const fn id(&self) -> ChangeId {
        self.id
    }
}
