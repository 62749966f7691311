//! Searches that forgive: where no film matches exactly, those that are a typing error away.

use std::sync::Arc;

use super::{App, Error};
use crate::{
    db::{movies, words},
    domain::{Filter, Movie, Nearness, Typed, nearness},
    limits::MAX_FUZZY_MOVIES,
};

/// How many films are looked at; of more than these the nearest, and the first by their titles.
const MOST_READ: usize = 2000;
/// How many words lead to the films where each of them is in many titles.
const MOST_LEADING: usize = 4;

/// How films match a search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Match {
    /// As it says, or there is no search.
    #[default]
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

/// The films that pass the filter when typing errors in its search are forgiven, the nearest first, these
/// by their titles; at most [`MAX_FUZZY_MOVIES`].
pub(super) async fn near(app: &Arc<App>, filter: &Filter) -> Result<Vec<Movie>, Error> {
    let typed: Vec<Typed> = filter.words.iter().map(|word| Typed::new(word)).collect();
    if typed.iter().all(|typed| typed.automaton().is_none()) {
        return Ok(Vec::new());
    }
    let filter = Filter { words: Vec::new(), ..filter.clone() };
    let shared = app.clone();
    app.db.run_blocking(async move { find(&shared, &typed, &filter).await }).await
}

async fn find(app: &App, typed: &[Typed], filter: &Filter) -> Result<Vec<Movie>, Error> {
    let vocabulary = app.vocabulary.words(&app.db).await?;
    let mut conn = app.db.read().await?;
    let mut words = Vec::with_capacity(typed.len());
    for typed in typed {
        let near = vocabulary.near(typed);
        if near.all.is_empty() {
            return Ok(Vec::new());
        }
        words.push((words::count(&mut conn, &near.all, MOST_READ).await?, near));
    }
    words.sort_by_key(|(count, _)| *count);
    // The rarest word leads to few films, which are soon looked through for the others.
    let is_rare = words.first().is_none_or(|(count, _)| *count < MOST_READ);
    words.truncate(if is_rare { 1 } else { MOST_LEADING });
    let (all, nearest): (Vec<_>, Vec<_>) =
        words.into_iter().map(|(_, near)| (near.all, near.nearest)).unzip();
    let mut near = Vec::new();
    if !is_rare {
        // Of too many to look at, those to which none is nearer: where all words lead, the first will do.
        let limit = if nearest.len() == typed.len() { MAX_FUZZY_MOVIES } else { MOST_READ };
        near = rank(typed, movies::with_words(&mut conn, filter, &nearest, limit).await?);
    }
    if near.len() < MAX_FUZZY_MOVIES {
        let mut others = rank(typed, movies::with_words(&mut conn, filter, &all, MOST_READ).await?);
        others.retain(|(_, film)| near.iter().all(|(_, there)| there.id != film.id));
        near.extend(others);
    }
    near.sort_by_key(|(nearness, _)| *nearness); // among equals the order stays that of the titles
    Ok(near.into_iter().take(MAX_FUZZY_MOVIES).map(|(_, film)| film).collect())
}

fn rank(typed: &[Typed], films: Vec<Movie>) -> Vec<(Nearness, Movie)> {
    let near =
        films.into_iter().filter_map(|film| Some((nearness(typed, film.attributes.title.as_str())?, film)));
    near.collect()
}
