//! The history: lists, shows, undoes and prunes changes.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    iter,
    sync::Arc,
};

use super::{
    App, Editor, Error, IdempotencyKey, Owner, Viewer, audit::Event, change_recorder::ChangeRecorder,
    idempotency::Claim,
};
use crate::{
    db::{Conn, DbError, Lock, changes as db, log, movies, retry_write, versions},
    documents::{Change, Effect},
    domain::{ChangeId, ChangeKind, Limit, Movie, MovieId, Time},
};

/// Movies in a batch of an undo.
pub(super) const BATCH_MOVIES: usize = 500;

/// A page of a list, and the key at which the next page begins.
#[derive(Debug, Clone)]
pub struct Page<T, At> {
    pub items: T,
    pub next: Option<At>,
}

/// Builds a page from items of which one more than `limit` was read, to tell whether there are more.
fn page<T, At>(mut items: Vec<T>, limit: Limit, place: impl Fn(&T) -> At) -> Page<Vec<T>, At> {
    let more = items.len() > limit.get();
    items.truncate(limit.get());
    let next = items.last().filter(|_| more).map(place);
    Page { items, next }
}

/// Returns a page of all changes, newest first, below the given change.
pub async fn list(
    app: &App,
    _: &Viewer,
    after: Option<ChangeId>,
    limit: Limit,
) -> Result<Page<Vec<Change>, ChangeId>, Error> {
    let mut conn = app.db.read().await?;
    let changes = db::list(&mut conn, after.unwrap_or(ChangeId::AFTER_ALL), limit.get() + 1).await?;
    let mut page = page(changes, limit, |change| change.id);
    add_first_effects(&mut conn, &mut page.items).await?;
    Ok(page)
}

/// Returns the existing changes among these, newest first.
pub async fn some(app: &App, _: &Viewer, ids: &[ChangeId]) -> Result<Vec<Change>, Error> {
    let mut conn = app.db.read().await?;
    let mut changes: Vec<Change> = db::with_ids(&mut conn, ids).await?.into_values().collect();
    changes.sort_unstable_by_key(|change| Reverse(change.id));
    add_first_effects(&mut conn, &mut changes).await?;
    Ok(changes)
}

/// Returns the latest change in the order of the log, or 0.
pub async fn newest(app: &App, _: &Viewer) -> Result<ChangeId, Error> {
    Ok(log::newest(&mut app.db.read().await?).await?)
}

/// Counts all changes.
pub async fn count(app: &App, _: &Viewer) -> Result<i64, Error> {
    Ok(db::count(&mut app.db.read().await?).await?)
}

pub(super) async fn add_first_effects(conn: &mut Conn, changes: &mut [Change]) -> Result<(), DbError> {
    let few =
        |change: &&mut Change| usize::try_from(change.movies).is_ok_and(|n| n <= Change::EFFECTS_IN_LISTS);
    let (small, large): (Vec<_>, Vec<_>) = changes.iter_mut().partition(few);
    let ids: Vec<ChangeId> = small.iter().map(|change| change.id).collect();
    let mut found = versions::of_changes(conn, &ids).await?;
    for change in &large {
        found.extend(
            versions::of_change(conn, change.id, MovieId::BEFORE_ALL, Change::EFFECTS_IN_LISTS).await?,
        );
    }
    let mut effects: HashMap<ChangeId, Vec<Effect>> = HashMap::new();
    for (change, effect) in versions::effects(conn, found).await? {
        effects.entry(change).or_default().push(effect);
    }
    for change in changes {
        change.effects = effects.remove(&change.id).unwrap_or_default();
    }
    Ok(())
}

fn not_found(id: ChangeId) -> Error {
    Error::NotFound(format!("there is no change {id}"))
}

/// Returns a change with a page of its effects, for movies above the given one.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(
    app: &App,
    _: &Viewer,
    id: ChangeId,
    after: Option<MovieId>,
    limit: Limit,
) -> Result<Page<Change, MovieId>, Error> {
    let mut conn = app.db.read().await?;
    let mut change = db::get(&mut conn, id).await?.ok_or_else(|| not_found(id))?;
    let found =
        versions::of_change(&mut conn, id, after.unwrap_or(MovieId::BEFORE_ALL), limit.get() + 1).await?;
    let page = page(found, limit, |version| version.movie_id);
    let effects = versions::effects(&mut conn, page.items).await?;
    change.effects = effects.into_iter().map(|(_, effect)| effect).collect();
    Ok(Page { items: change, next: page.next })
}

/// Returns a page of the changes of a movie, newest first, each with its effect on this movie.
///
/// # Errors
/// [`Error::NotFound`] if the movie never existed, or was deleted and all its changes were pruned.
pub async fn of_movie(
    app: &App,
    _: &Viewer,
    movie: MovieId,
    after: Option<i64>,
    limit: Limit,
) -> Result<Page<Vec<Change>, i64>, Error> {
    let mut conn = app.db.read().await?;
    let found = versions::of_movie(&mut conn, movie, after.unwrap_or(i64::MAX), limit.get() + 1).await?;
    if found.is_empty() && after.is_none() && movies::get(&mut conn, movie).await?.is_none() {
        return Err(super::movies::not_found(movie));
    }
    let page = page(found, limit, |version| version.version);
    let ids: Vec<ChangeId> = page.items.iter().map(|version| version.change_id).collect();
    let mut changes = db::with_ids(&mut conn, &ids).await?;
    let effects = versions::effects(&mut conn, page.items).await?;
    let with_effect = |(id, effect)| Some(Change { effects: vec![effect], ..changes.remove(&id)? });
    Ok(Page { items: effects.into_iter().filter_map(with_effect).collect(), next: page.next })
}

/// Counts the changes of a movie.
pub async fn count_of_movie(app: &App, _: &Viewer, movie: MovieId) -> Result<i64, Error> {
    Ok(db::count_of_movie(&mut app.db.read().await?, movie).await?)
}

/// Undoes a whole change, as a new change.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::UndoConflict`] if the change was undone already or later changes modified
/// the same movies; [`Error::KeyReused`].
pub async fn undo(
    app: &Arc<App>,
    editor: &Editor,
    id: ChangeId,
    key: IdempotencyKey,
) -> Result<Change, Error> {
    let (shared, author) = (app.clone(), editor.clone());
    let work = async move { retry_write(|| take_back(&shared, &author, id, &key)).await };
    app.db.run_blocking(work).await
}

async fn take_back(app: &App, editor: &Editor, id: ChangeId, key: &IdempotencyKey) -> Result<Change, Error> {
    /// The maximum number of conflicting changes in an error.
    const NAMED: usize = 100;

    let tx = match key.begin(app.db.begin_exclusive().await?, app, editor.user_id).await? {
        Claim::New(tx) => tx,
        Claim::Replay(change) => return Ok(change),
    };
    let begun = ChangeRecorder::begin_undo(tx, app, editor, ChangeKind::Undo, Some(id)).await;
    let mut recorder = match begun {
        Err(Error::Db(DbError::Duplicate(_))) => {
            // On SQLite the undo may not be committed yet; until then only writers see it.
            let mut tx = app.db.write().await?;
            let undo = db::get(&mut tx, id).await?.and_then(|change| change.undone_by);
            return Err(Error::UndoConflict { undone: true, changes: undo.into_iter().collect() });
        }
        begun => begun?,
    };
    db::get(recorder.conn(), id).await?.ok_or_else(|| not_found(id))?;
    movies::lock_touched_by(recorder.conn(), id).await?;
    let mut changes = conflicting_changes(&db::later(recorder.conn(), id).await?);
    changes.truncate(NAMED);
    if !changes.is_empty() {
        return Err(Error::UndoConflict { undone: false, changes });
    }
    let mut above = MovieId::BEFORE_ALL;
    loop {
        let found = versions::of_change(recorder.conn(), id, above, BATCH_MOVIES).await?;
        let Some(last) = found.last() else { break };
        above = last.movie_id;
        let effects = versions::effects(recorder.conn(), found).await?;
        let ids: Vec<MovieId> = effects.iter().map(|(_, effect)| effect.movie_id).collect();
        let present = movies::lock(recorder.conn(), &ids).await?.into_iter().map(|movie| (movie.id, movie));
        let mut present: HashMap<MovieId, Movie> = present.collect();
        let mut created = Vec::new();
        let mut updated = Vec::new();
        let mut deleted = Vec::new();
        for (_, effect) in effects {
            match (effect.before, effect.after) {
                (None, _) => created.push(effect.movie_id),
                (Some(before), None) => {
                    let updated_at = recorder.at.max(before.updated_at); // the clock may be set back
                    deleted.push(Movie { version: before.version + 2, updated_at, ..before });
                }
                (Some(before), Some(_)) => {
                    let now = present.remove(&effect.movie_id);
                    let now = now.ok_or_else(|| super::movies::not_found(effect.movie_id))?;
                    let then = recorder.updated(&now, before.attributes);
                    updated.push((now, then));
                }
            }
        }
        recorder.update(&updated).await?;
        recorder.delete(&created).await?;
        recorder.insert(&deleted).await?;
    }
    let undo = recorder.complete().await?.ok_or_else(|| not_found(id))?;
    let mut change = vec![db::get(recorder.conn(), undo).await?.ok_or_else(|| not_found(undo))?];
    add_first_effects(recorder.conn(), &mut change).await?;
    recorder.commit(change.remove(0)).await
}

/// Returns the later changes that conflict with an undo, oldest first. A change and its undo cancel each
/// other out. If an undo was itself undone, the change counts, and the last undo of the chain is the one to
/// be undone.
fn conflicting_changes(later: &HashMap<ChangeId, Option<ChangeId>>) -> Vec<ChangeId> {
    let undone: HashSet<ChangeId> = later.values().copied().flatten().collect();
    let before = |id: &ChangeId| later.get(id).copied().flatten().filter(|undone| later.contains_key(undone));
    let is_done = |last: &ChangeId| iter::successors(Some(*last), before).count() % 2 == 1;
    let mut changes: Vec<ChangeId> =
        later.keys().filter(|id| !undone.contains(id) && is_done(id)).copied().collect();
    changes.sort_unstable();
    changes
}

/// Deletes all changes before a time for good: they can no longer be shown or undone. Returns their number.
/// Works in batches, the oldest changes first, and lets other writes run in between.
///
/// # Errors
/// [`Error::Db`]; batches that were committed before stay deleted.
pub async fn prune(app: &App, owner: &Owner, before: Time) -> Result<u64, Error> {
    let first_kept = db::first_since(&mut app.db.read().await?, before).await?;
    let mut pruned = 0;
    let done = loop {
        match prune_piece(app, first_kept).await {
            Ok(0) => break Ok(pruned),
            Ok(changes) => pruned += changes,
            Err(error) => break Err(error),
        }
    };
    if pruned > 0 || done.is_ok() {
        app.audit(&(&**owner).into(), &Event::HistoryPruned { before, changes: pruned });
    }
    done
}

/// Deletes a batch of the oldest changes below an id. Returns their number, 0 when none is left.
async fn prune_piece(app: &App, below: ChangeId) -> Result<u64, Error> {
    /// Keeps other writers waiting for less than a second, unless a single change modified more movies.
    const BATCH_MOVIES: i64 = 2000;

    let db = app.db.clone();
    let work = async move {
        let piece = || async {
            let mut tx = db.begin_exclusive().await?;
            tx.lock(Lock::Many).await?;
            let pruned = db::prune(&mut tx, below, BATCH_MOVIES).await?;
            tx.commit().await?;
            Ok(pruned)
        };
        retry_write(piece).await
    };
    app.db.run_blocking(work).await
}
