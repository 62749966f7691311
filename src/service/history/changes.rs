//! The changes of the collection, as they are shown.

use std::{cmp::Reverse, collections::HashMap};

use crate::{
    db::{Conn, DbError, changes as db, log, movies, versions},
    documents::{Change, Effect},
    domain::{ChangeId, Limit, MovieId},
    service::{App, Error, Viewer, movies as operations},
};

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

pub(super) fn not_found(id: ChangeId) -> Error {
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
        return Err(operations::not_found(movie));
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
