//! Searches that forgive: where no film matches exactly, those that are a typing error away.

use std::sync::Arc;

use super::{App, Error};
use crate::{
    db::words as db,
    domain::{Filter, Movie, Typed, nearness},
};

/// How many films are given that do not match exactly.
const MOST: usize = 100;
/// How many films are looked at: of more the first by their titles.
const MOST_READ: usize = 5000;
/// How many words lead to the films where each of them is in many titles.
const MOST_LEADING: usize = 4;

/// How films match a search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Match {
    #[default]
    /// As it says, or there is no search.
    Exact,
    /// With typing errors forgiven, since none matches otherwise.
    Fuzzy,
}

impl Match {
    /// How films match of which [`near`] gave these.
    pub(super) const fn of_near(films: &[Movie]) -> Self {
        if films.is_empty() { Self::Exact } else { Self::Fuzzy }
    }
}

/// Gets the words of all titles ready, so that no search has to wait for that.
pub async fn prepare(app: Arc<App>) {
    let shared = app.clone();
    let prepared = app.db.long(async move { shared.vocabulary.words(&shared.db).await });
    if let Err(error) = prepared.await {
        tracing::warn!(%error, "the words of the titles cannot be read at the moment");
    }
}

/// The films that pass the filter when typing errors in its search are forgiven, the nearest first, these
/// by their titles; at most [`MOST`].
pub(super) async fn near(app: &Arc<App>, filter: &Filter) -> Result<Vec<Movie>, Error> {
    let typed: Vec<Typed> = filter.words.iter().map(|word| Typed::new(word)).collect();
    if typed.iter().all(|typed| typed.automaton().is_none()) {
        return Ok(Vec::new());
    }
    let filter = Filter { words: Vec::new(), ..filter.clone() };
    let shared = app.clone();
    app.db.long(async move { find(&shared, &typed, &filter).await }).await
}

async fn find(app: &App, typed: &[Typed], filter: &Filter) -> Result<Vec<Movie>, Error> {
    let vocabulary = app.vocabulary.words(&app.db).await?;
    let mut conn = app.db.read().await?;
    let mut words = Vec::with_capacity(typed.len());
    for typed in typed {
        let beginnings = vocabulary.beginnings(typed);
        let count = db::count(&mut conn, &beginnings, MOST_READ).await?;
        words.push((count, beginnings));
    }
    words.sort_unstable();
    // The rarest word leads to few films, which are soon looked through for the others.
    let is_rare = words.first().is_none_or(|(count, _)| *count < MOST_READ);
    let leading = words.into_iter().map(|(_, beginnings)| beginnings);
    let leading: Vec<_> = leading.take(if is_rare { 1 } else { MOST_LEADING }).collect();
    if leading.iter().any(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let films = db::films(&mut conn, filter, &leading, MOST_READ).await?;
    let near = films.into_iter().filter_map(|film| {
        let nearness = nearness(typed, film.attributes.title.as_str())?;
        Some((nearness, film))
    });
    let mut near: Vec<_> = near.collect();
    near.sort_by_key(|(nearness, _)| *nearness); // among equals the order stays that of the titles
    Ok(near.into_iter().take(MOST).map(|(_, film)| film).collect())
}
