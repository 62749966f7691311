//! The best rated decade, the longest film and the oldest one.

use std::collections::BTreeMap;

use super::page::mean;
use crate::{
    domain::{Bounds, Filter, Limit, ListQuery, Movie, MovieId, Rating, ReleaseYear, Sort, SortKey},
    format,
    http::{
        Shared,
        web::parts::{address::Address, page_context::PageContext, sections::within},
    },
    service::{Error, facets, movies},
};

/// Films that a decade needs to be the best rated one.
const MIN_FILMS_OF_DECADE: i64 = 5;

const ONE: Limit = Limit::new(1);

/// What stands out among the films.
#[derive(Default)]
pub struct Records {
    pub best_decade: Option<BestDecade>,
    pub films: Vec<Record>,
}

/// The decade whose films have most stars on average.
pub struct BestDecade {
    /// Its first year.
    pub decade: i64,
    pub mean: f64,
    pub href: Address,
}

/// A film that stands out.
pub struct Record {
    pub what: &'static str,
    pub id: MovieId,
    pub title: String,
    /// By what it stands out.
    pub value: String,
}

impl Records {
    fn of(here: &Address, decades: &Decades, longest: Option<&Movie>, oldest: Option<&Movie>) -> Self {
        let longest = longest.filter(|film| film.attributes.length.get() > 0); // 0 is unknown
        let length = |film: &Movie| format::length(film.attributes.length.get());
        let year = |film: &Movie| film.attributes.release_year.get().to_string();
        let longest = longest.map(|film| Record::of("Longest film", film, length(film)));
        let oldest = oldest.map(|film| Record::of("Oldest film", film, year(film)));
        let films = longest.into_iter().chain(oldest).collect();
        Self { best_decade: decades.best(here), films }
    }

    /// The records of films that are at hand.
    pub fn of_movies(here: &Address, films: &[Movie]) -> Self {
        let mut decades = Decades::default();
        for film in films {
            decades.add(film.attributes.release_year.get(), film.attributes.rating.get(), 1);
        }
        let longest = films.iter().max_by_key(|film| film.attributes.length);
        let oldest = films.iter().min_by_key(|film| film.attributes.release_year);
        Self::of(here, &decades, longest, oldest)
    }
}

impl Record {
    fn of(what: &'static str, film: &Movie, value: String) -> Self {
        Self { what, id: film.id, title: film.attributes.title.as_str().to_owned(), value }
    }
}

/// The films and their stars in each decade, by its first year.
#[derive(Default)]
struct Decades(BTreeMap<i64, (i64, i64)>);

impl Decades {
    fn add(&mut self, year: i64, rating: i64, films: i64) {
        let (count, stars) = self.0.entry(year / 10 * 10).or_default();
        *count += films;
        *stars += rating * films;
    }

    /// The decade with most stars on average; of equals, the one with more films, and then the later one. A single
    /// decade is not compared with any.
    fn best(&self, here: &Address) -> Option<BestDecade> {
        let enough = || self.0.iter().filter(|(_, (films, _))| *films >= MIN_FILMS_OF_DECADE);
        let best = enough().max_by(|(_, (films, stars)), (_, (other_films, other_stars))| {
            (stars * other_films).cmp(&(other_stars * films)).then(films.cmp(other_films))
        });
        let (decade, (films, stars)) = best.filter(|_| enough().nth(1).is_some())?;
        let last = (decade + 9).min(ReleaseYear::MAX);
        let href = here.with("releaseYear", &format!("{decade}..{last}"));
        Some(BestDecade { decade: *decade, mean: mean(*stars, *films), href })
    }
}

/// The records of the films that pass the filter.
pub async fn find(
    state: &Shared,
    context: &PageContext,
    here: &Address,
    filter: &Filter,
) -> Result<Records, Error> {
    let mut decades = Decades::default();
    let wanted = filter.rating;
    for rating in wanted.min.unwrap_or(Rating::MIN)..=wanted.max.unwrap_or(Rating::MAX) {
        let one = Filter { rating: Bounds { min: Some(rating), max: Some(rating) }, ..filter.clone() };
        let counts = facets::facets(&state.app, &context.viewer, &one).await?;
        for (year, films) in within(&counts.release_year, filter.release_year) {
            decades.add(*year, rating, *films);
        }
    }
    let longest = first(state, context, filter, Sort::of(SortKey::Length).reversed()).await?;
    let oldest = first(state, context, filter, Sort::of(SortKey::ReleaseYear)).await?;
    Ok(Records::of(here, &decades, longest.as_ref(), oldest.as_ref()))
}

/// The first film in an order.
async fn first(
    state: &Shared,
    context: &PageContext,
    filter: &Filter,
    sort: Sort,
) -> Result<Option<Movie>, Error> {
    let query = ListQuery { filter: filter.clone(), sort: Some(sort), ..ListQuery::default() };
    Ok(movies::page(&state.app, &context.viewer, &query, ONE).await?.movies.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(decades: &[(i64, i64, i64)]) -> Option<(i64, String)> {
        let here = Address::of(&"/statistics?q=a".parse().expect("an address"));
        let mut counted = Decades::default();
        for (year, rating, films) in decades {
            counted.add(*year, *rating, *films);
        }
        counted.best(&here).map(|best| (best.decade, best.href.to_string()))
    }

    #[test]
    fn the_best_decade_has_most_stars_on_average_and_enough_films() {
        let nineties = Some((1990, "/?q=a&releaseYear=1990..1999".to_owned()));
        assert_eq!(best(&[(1990, 4, 5), (1985, 3, 20)]), nineties);
        assert_eq!(best(&[(1990, 4, 5), (1985, 3, 20), (1975, 5, 4)]), nineties);
        assert_eq!(best(&[(1990, 4, 5), (1985, 3, 20), (1975, 5, 5)]).expect("one").0, 1970);
    }

    #[test]
    fn of_equal_decades_that_with_more_films_is_best_and_then_the_later_one() {
        assert_eq!(best(&[(1999, 4, 6), (1989, 4, 5)]).expect("one").0, 1990);
        assert_eq!(best(&[(1999, 4, 5), (1989, 4, 6)]).expect("one").0, 1980);
        assert_eq!(best(&[(1999, 4, 5), (1989, 4, 5)]).expect("one").0, 1990);
    }

    #[test]
    fn a_single_decade_is_not_the_best_of_any() {
        assert_eq!(best(&[(1990, 4, 50), (1985, 5, 4)]), None);
        assert_eq!(best(&[]), None);
    }
}
