//! Where a movie is in a list: what is before and after it there, and the page of the list that has it.

use std::sync::Arc;

use super::{App, Error, Viewer, catalogue, movies};
use crate::{
    catalogue::Catalogue,
    domain::{Cursor, Filter, Limit, ListQuery, Movie, MovieId, Sort, SortKey},
};

/// How many movies are before one on the page that is opened at it.
const MOVIES_BEFORE: usize = 30;

/// A list of movies.
#[derive(Debug, Clone, Default)]
pub struct List {
    pub filter: Filter,
    /// None for the order by title.
    pub sort: Option<Sort>,
}

/// A movie, and what is beside it in a list.
#[derive(Debug, Clone)]
pub struct Neighbours {
    pub movie: Movie,
    pub before: Option<Movie>,
    pub after: Option<Movie>,
    /// The other movies with its title and release year, by id.
    pub same: Vec<Movie>,
    /// Where the page of the list begins that has the movie; none for the first page.
    pub page: Option<Cursor>,
}

impl List {
    /// The order of the list.
    #[must_use]
    pub fn order(&self) -> Sort {
        self.sort.clone().unwrap_or_else(|| Sort::of(SortKey::Title))
    }
}

/// A movie with what is beside it, all at the same moment. The list is shown in pages of `page` movies.
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
    let found = catalogue::read(app, viewer, |catalogue| {
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
        find_near(app, viewer, list, &mut found).await?;
    }
    Ok(found)
}

/// Where the page of a list begins that has a movie; none for the first page, which has `page` movies. The movie need not be in the catalogue yet.
pub async fn page_of(
    app: &Arc<App>,
    viewer: &Viewer,
    movie: &Movie,
    list: &List,
    page: Limit,
) -> Result<Option<Cursor>, Error> {
    let order = list.order();
    let found =
        catalogue::read(app, viewer, |catalogue| before(catalogue, movie, &list.filter, &order, page));
    Ok(found.await?.1)
}

/// The movie before one, and where the page begins that has it.
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

/// Looks among the movies that a search finds with typing errors forgiven.
async fn find_near(
    app: &Arc<App>,
    viewer: &Viewer,
    list: &List,
    found: &mut Neighbours,
) -> Result<(), Error> {
    let query = ListQuery { filter: list.filter.clone(), sort: list.sort.clone(), ..ListQuery::default() };
    let near = movies::page(app, viewer, &query, Limit::LARGEST).await?.movies;
    let Some(place) = near.iter().position(|movie| movie.id == found.movie.id) else { return Ok(()) };
    found.before = place.checked_sub(1).and_then(|before| near.get(before)).cloned();
    found.after = near.get(place + 1).cloned();
    Ok(())
}
