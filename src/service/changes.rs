//! Changes of the collection: each is made as a whole, written down, and can be taken back.

use std::{
    collections::{HashMap, HashSet},
    iter,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    App, Editor, Error, Identity, Once, Owner, Viewer,
    once::{Begun, Write},
};
use crate::{
    db::{Conn, DbError, Lock, changes as db, imports, movies},
    domain::{Attributes, Change, ChangeKind, Effect, Limit, Movie, Time},
};

/// Movies that are changed in one go.
const PIECE: usize = 500;

/// How long a change may keep others from writing before it lets them go first.
const TURN: Duration = Duration::from_millis(100);

/// A change in the making. What is written through it is committed as a whole, with a record of
/// who did it; dropped without a commit, nothing was done.
pub(super) struct Making<'a> {
    app: &'a App,
    tx: Write,
    id: i64,
    author: &'a Identity,
    kind: ChangeKind,
    pub(super) at: Time,
    /// When others could write last.
    turn: Instant,
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

    async fn undoing(
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
        Ok(Self { app, tx, id, author, kind, at, turn: Instant::now(), hidden: None })
    }

    /// Lets others write first who would have to wait for the end of this change, where they have waited
    /// for a while. What was written so far is committed then, but nobody sees it before the end. So it
    /// may be new movies alone.
    pub(super) async fn let_others_write(&mut self, app: &Arc<App>) -> Result<(), Error> {
        if !app.db.has_one_writer() || self.turn.elapsed() < TURN {
            return Ok(());
        }
        if self.hidden.is_none() {
            imports::hide(&mut self.tx, self.id).await?;
            self.hidden = Some(Hidden { app: app.clone(), change: Some(self.id) });
        }
        self.tx.go_on(app).await?;
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
        movies::insert(&mut self.tx, self.id, movies).await
    }

    /// Writes down how many movies were changed, unless it is one by the change's kind, and returns
    /// the id of the change; none, and no record of it, where nothing was changed.
    pub(super) async fn complete(&mut self) -> Result<Option<i64>, Error> {
        if self.kind.is_of_one_movie() {
            return Ok(Some(self.id));
        }
        let movies = db::count_movies(&mut self.tx, self.id).await?;
        if self.hidden.is_some() {
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

    /// Commits, and keeps the result for when the same is sent again.
    pub(super) async fn commit<T: Serialize>(self, result: T) -> Result<T, Error> {
        let result = self.tx.commit(result).await?;
        if let Some(hidden) = self.hidden {
            hidden.keep();
        }
        self.app.events.committed();
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
    /// Few enough for others to wait no longer than for [`TURN`].
    const AT_ONCE: i64 = 2000;

    let shared = app.clone();
    let removed = app.db.long(async move {
        loop {
            let mut tx = shared.db.write_large().await?;
            let removed = imports::remove(&mut tx, change, AT_ONCE).await?;
            if removed == 0 {
                imports::forget(&mut tx, change).await?;
                return tx.commit().await;
            }
            tx.commit().await?;
        }
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

/// A page of what was asked for, and where the next one goes on.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub items: T,
    pub next: Option<i64>,
}

/// Takes one more than asked for as the sign that there is more.
fn page<T>(mut items: Vec<T>, limit: Limit, place: impl Fn(&T) -> i64) -> Page<Vec<T>> {
    let more = items.len() > limit.get();
    items.truncate(limit.get());
    let next = items.last().filter(|_| more).map(place);
    Page { items, next }
}

/// A page of the changes of the collection, newest first, below the change where the last page ended.
///
/// # Errors
/// Those of the database.
pub async fn list(
    app: &App,
    _: &Viewer,
    after: Option<i64>,
    limit: Limit,
) -> Result<Page<Vec<Change>>, Error> {
    let mut conn = app.db.read().await?;
    let changes = db::list(&mut conn, after.unwrap_or(i64::MAX), limit.get() + 1).await?;
    let mut page = page(changes, limit, |change| change.id);
    add_first_effects(&mut conn, &mut page.items).await?;
    Ok(page)
}

/// How many changes there are.
///
/// # Errors
/// Those of the database.
pub async fn count(app: &App, _: &Viewer) -> Result<i64, Error> {
    Ok(db::count(&mut app.db.read().await?).await?)
}

pub(super) async fn add_first_effects(conn: &mut Conn, changes: &mut [Change]) -> Result<(), DbError> {
    let few =
        |change: &&mut Change| usize::try_from(change.movies).is_ok_and(|n| n <= Change::EFFECTS_IN_LISTS);
    let (small, large): (Vec<_>, Vec<_>) = changes.iter_mut().partition(few);
    let ids: Vec<i64> = small.iter().map(|change| change.id).collect();
    let mut versions = db::versions_by_any(conn, &ids).await?;
    for change in &large {
        versions.extend(db::versions_by(conn, change.id, 0, Change::EFFECTS_IN_LISTS).await?);
    }
    let mut effects: HashMap<i64, Vec<Effect>> = HashMap::new();
    for (change, effect) in db::effects(conn, versions).await? {
        effects.entry(change).or_default().push(effect);
    }
    for change in changes {
        change.effects = effects.remove(&change.id).unwrap_or_default();
    }
    Ok(())
}

fn not_found(id: i64) -> Error {
    Error::NotFound(format!("there is no change {id}"))
}

/// One change with a page of its effects, above the movie where the last page ended.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    app: &App,
    _: &Viewer,
    id: i64,
    after: Option<i64>,
    limit: Limit,
) -> Result<Page<Change>, Error> {
    let mut conn = app.db.read().await?;
    let mut change = db::get(&mut conn, id).await?.ok_or_else(|| not_found(id))?;
    let versions = db::versions_by(&mut conn, id, after.unwrap_or(0), limit.get() + 1).await?;
    let page = page(versions, limit, |version| version.movie_id);
    let effects = db::effects(&mut conn, page.items).await?;
    change.effects = effects.into_iter().map(|(_, effect)| effect).collect();
    Ok(Page { items: change, next: page.next })
}

/// A page of the changes that touched a movie, newest first, each with its effect on that movie alone.
///
/// # Errors
/// [`Error::NotFound`] for a movie that never was, or is not there and whose changes were all removed.
pub async fn of_movie(
    app: &App,
    _: &Viewer,
    movie: i64,
    after: Option<i64>,
    limit: Limit,
) -> Result<Page<Vec<Change>>, Error> {
    let mut conn = app.db.read().await?;
    let versions = db::versions_of(&mut conn, movie, after.unwrap_or(i64::MAX), limit.get() + 1).await?;
    if versions.is_empty() && after.is_none() && movies::get(&mut conn, movie).await?.is_none() {
        return Err(super::movies::not_found(movie));
    }
    let page = page(versions, limit, |version| version.version);
    let ids: Vec<i64> = page.items.iter().map(|version| version.change_id).collect();
    let mut changes = db::with_ids(&mut conn, &ids).await?;
    let effects = db::effects(&mut conn, page.items).await?;
    let with_effect = |(id, effect)| Some(Change { effects: vec![effect], ..changes.remove(&id)? });
    Ok(Page { items: effects.into_iter().filter_map(with_effect).collect(), next: page.next })
}

/// How many changes touched a movie.
///
/// # Errors
/// Those of the database.
pub async fn count_of_movie(app: &App, _: &Viewer, movie: i64) -> Result<i64, Error> {
    Ok(db::count_of_movie(&mut app.db.read().await?, movie).await?)
}

/// Takes a change back, whole, as a new change.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::InTheWay`] where later changes touched the same movies, or the
/// change was undone before; [`Error::KeyReused`].
pub async fn undo(app: &Arc<App>, editor: &Editor, id: i64, once: Once) -> Result<Change, Error> {
    let (shared, author) = (app.clone(), editor.clone());
    app.db.long(async move { take_back(&shared, &author, id, once).await }).await
}

async fn take_back(app: &App, editor: &Editor, id: i64, once: Once) -> Result<Change, Error> {
    /// How many of the changes that stand in the way are named.
    const NAMED: usize = 100;

    let tx = match once.begin(app.db.write_large().await?, app, editor.user_id).await? {
        Begun::First(tx) => tx,
        Begun::Again(change) => return Ok(change),
    };
    let begun = Making::undoing(tx, app, editor, ChangeKind::Undo, Some(id)).await;
    let mut making = match begun {
        Err(Error::Db(DbError::Duplicate(_))) => {
            // On SQLite the undo may not be committed yet; then only writers see it.
            let mut tx = app.db.write().await?;
            let undo = db::get(&mut tx, id).await?.and_then(|change| change.undone_by);
            return Err(Error::InTheWay { undone: true, changes: undo.into_iter().collect() });
        }
        begun => begun?,
    };
    db::get(&mut making, id).await?.ok_or_else(|| not_found(id))?;
    movies::lock_touched_by(&mut making, id).await?;
    let mut changes = in_the_way(&db::later(&mut making, id).await?);
    changes.truncate(NAMED);
    if !changes.is_empty() {
        return Err(Error::InTheWay { undone: false, changes });
    }
    let mut above = 0;
    loop {
        let versions = db::versions_by(&mut making, id, above, PIECE).await?;
        let Some(last) = versions.last() else { break };
        above = last.movie_id;
        let effects = db::effects(&mut making, versions).await?;
        let ids: Vec<i64> = effects.iter().map(|(_, effect)| effect.movie_id).collect();
        let present = movies::lock(&mut making, &ids).await?.into_iter().map(|movie| (movie.id, movie));
        let mut present: HashMap<i64, Movie> = present.collect();
        let mut created = Vec::new();
        let mut updated = Vec::new();
        let mut deleted = Vec::new();
        for (_, effect) in effects {
            match (effect.before, effect.after) {
                (None, _) => created.push(effect.movie_id),
                (Some(before), None) => {
                    let updated_at = making.at.max(before.updated_at); // the clock may be set back
                    deleted.push(Movie { version: before.version + 2, updated_at, ..before });
                }
                (Some(before), Some(_)) => {
                    let now = present.remove(&effect.movie_id);
                    let now = now.ok_or_else(|| super::movies::not_found(effect.movie_id))?;
                    let then = making.updated(&now, before.attributes);
                    updated.push((now, then));
                }
            }
        }
        making.update(&updated).await?;
        making.delete(&created).await?;
        making.insert(&deleted).await?;
    }
    let undo = making.complete().await?.ok_or_else(|| not_found(id))?;
    let mut change = vec![db::get(&mut making, undo).await?.ok_or_else(|| not_found(undo))?];
    add_first_effects(&mut making, &mut change).await?;
    making.commit(change.remove(0)).await
}

/// Those of the later changes that keep one from being undone, the oldest first. A change and its undo
/// do nothing together; an undo that was undone itself leaves the change, and it is the last one of
/// such a chain that is to be undone.
fn in_the_way(later: &HashMap<i64, Option<i64>>) -> Vec<i64> {
    let undone: HashSet<i64> = later.values().copied().flatten().collect();
    let before = |id: &i64| later.get(id).copied().flatten().filter(|undone| later.contains_key(undone));
    let is_done = |last: &i64| iter::successors(Some(*last), before).count() % 2 == 1;
    let mut changes: Vec<i64> =
        later.keys().filter(|id| !undone.contains(id) && is_done(id)).copied().collect();
    changes.sort_unstable();
    changes
}

/// Removes the changes before a moment for good: they can be neither shown nor undone any more. Tells
/// how many these were.
///
/// # Errors
/// Those of the database.
pub async fn prune(app: &App, _: &Owner, before: Time) -> Result<u64, Error> {
    let mut tx = app.db.write().await?;
    tx.lock(Lock::Many).await?;
    let pruned = db::prune(&mut tx, before).await?;
    tx.commit().await?;
    Ok(pruned)
}
