//! The position of a movie in a list: its neighbours, and the page that contains it.

use std::sync::Arc;

use super::reads::read;
use crate::{
    catalogue::Catalogue,
    domain::{Cursor, Filter, Limit, ListQuery, Movie, MovieId, Sort, SortKey},
    service::{App, Error, Viewer, movies},
};

/// Movies before the target on the page that is opened at it.
const MOVIES_BEFORE: usize = 30;

/// A list of movies.
#[derive(Debug, Clone, Default)]
pub struct List {
    pub filter: Filter,
    /// `None` for the order by title.
    pub sort: Option<Sort>,
}

/// A movie and its neighbours in a list.
#[derive(Debug, Clone)]
pub struct Neighbours {
    pub movie: Movie,
    pub before: Option<Movie>,
    pub after: Option<Movie>,
    /// Other movies with the same title and release year, by id.
    pub same: Vec<Movie>,
    /// The cursor of the page that contains the movie; `None` for the first page.
    pub page: Option<Cursor>,
}

impl List {
    /// Returns the order of the list.
    #[must_use]
    pub fn order(&self) -> Sort {
        self.sort.clone().unwrap_or_else(|| Sort::of(SortKey::Title))
    }
}

/// Returns a movie and its neighbours, in one consistent state. The list has pages of `page` movies.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(
    app: &Arc<App>,
    viewer: &Viewer,
    id: MovieId,
    list: &List,
    page: Limit,
) -> Result<Neighbours, Error> {
    let order = list.order();
    let found = read(app, viewer, |catalogue| {
        let movie = catalogue.get(id)?;
        let (before, page) = before(catalogue, &movie, &list.filter, &order, page);
        let place = Cursor::after(&movie, &order);
        let after = catalogue.page(&list.filter, &order, Some(&place), 1).pop();
        let mut same = catalogue.duplicates(&movie.attributes.title, movie.attributes.release_year);
        same.retain(|other| other.id != id);
        Some(Neighbours { movie, before, after, same, page })
    });
    let mut found = found.await?.ok_or_else(|| movies::not_found(id))?;
    if found.before.is_none() && found.after.is_none() && !list.filter.words.is_empty() {
        find_among_fuzzy(app, viewer, list, &mut found).await?;
    }
    Ok(found)
}

/// Returns the cursor of the page that contains a movie, or `None` for the first page of `page` movies. The
/// movie may be missing in the catalogue.
pub async fn page_of(
    app: &Arc<App>,
    viewer: &Viewer,
    movie: &Movie,
    list: &List,
    page: Limit,
) -> Result<Option<Cursor>, Error> {
    let order = list.order();
    let found = read(app, viewer, |catalogue| before(catalogue, movie, &list.filter, &order, page));
    Ok(found.await?.1)
}

/// Returns the previous movie and the cursor of the page.
fn before(
    catalogue: &Catalogue,
    movie: &Movie,
    filter: &Filter,
    order: &Sort,
    page: Limit,
) -> (Option<Movie>, Option<Cursor>) {
    let place = Cursor::after(movie, order);
    let mut before = catalogue.page(filter, &order.reversed(), Some(&place), page.get());
    let first = before.get(MOVIES_BEFORE).filter(|_| before.len() == page.get());
    let page = first.map(|movie| Cursor::after(movie, order));
    before.truncate(1);
    (before.pop(), page)
}

/// Searches the fuzzy matches.
async fn find_among_fuzzy(
    app: &Arc<App>,
    viewer: &Viewer,
    list: &List,
    found: &mut Neighbours,
) -> Result<(), Error> {
    let query = ListQuery { filter: list.filter.clone(), sort: list.sort.clone(), ..ListQuery::default() };
    let movies = movies::page(app, viewer, &query, Limit::LARGEST).await?.movies;
    let Some(place) = movies.iter().position(|movie| movie.id == found.movie.id) else { return Ok(()) };
    found.before = place.checked_sub(1).and_then(|before| movies.get(before)).cloned();
    found.after = movies.get(place + 1).cloned();
    Ok(())
}
