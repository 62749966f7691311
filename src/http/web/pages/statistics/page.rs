//! `/statistics`: films by decade, format, rating and length. The URL has the list's filters.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};

use super::records::{self, Records};
use crate::{
    domain::{Bounds, Filter, Limit, ListQuery, MovieFormat, Rating, ReleaseYear},
    format,
    http::{
        Shared,
        extract::query::Params,
        problem::Problem,
        web::parts::{
            address::Address,
            filters::{Filters, Link},
            page_context::PageContext,
            sections::within,
        },
    },
    service::{
        facets::{self, Facets},
        movies,
        search::Match,
    },
};

#[derive(Template)]
#[template(path = "statistics.html")]
struct Statistics<'a> {
    context: Option<&'a PageContext>,
    here: &'a Address,
    films: i64,
    /// Whether the films are fuzzy matches.
    is_fuzzy: bool,
    chips: Vec<Link>,
    /// The total and the mean of the known lengths, if there are any.
    lengths: Option<(String, String)>,
    /// The number of films of unknown length.
    without_length: i64,
    mean_rating: f64,
    records: Records,
    charts: Vec<Chart>,
}

/// A table whose numbers are also shown as bars.
struct Chart {
    caption: &'static str,
    /// The heading of its rows.
    of: &'static str,
    bars: Vec<Bar>,
}

/// A row: films with a common value.
struct Bar {
    label: String,
    /// The label in words, if it is a symbol.
    spoken: Option<String>,
    films: i64,
    /// Its share of the longest bar, in thousandths.
    width: i64,
    /// The list of these films.
    href: Address,
}

/// Ranges of known lengths, in minutes.
const LENGTHS: [(i64, i64, &str); 6] = [
    (1, 59, "under 1 h"),
    (60, 89, "1 h to 1 h 30"),
    (90, 119, "1 h 30 to 2 h"),
    (120, 149, "2 h to 2 h 30"),
    (150, 179, "2 h 30 to 3 h"),
    (180, 500, "3 h and more"),
];

pub async fn show(State(state): State<Shared>, context: PageContext, uri: Uri) -> Result<Response, Problem> {
    let here = Address::of(&uri);
    if let Some(tidy) = here.canonical() {
        return Ok(Redirect::to(&tidy.at("/statistics")).into_response());
    }
    let mut params = Params::of(&uri);
    let filter = params.filter();
    params.finish()?;

    let mut facets = facets::facets(&state.app, &context.viewer, &filter).await?;
    let mut is_fuzzy = false;
    let records = if facets.movies == 0 {
        let query = ListQuery { filter: filter.clone(), ..ListQuery::default() };
        let fuzzy = movies::page(&state.app, &context.viewer, &query, Limit::DEFAULT).await?;
        is_fuzzy = fuzzy.matched == Match::Fuzzy;
        facets = Facets::of(&fuzzy.movies);
        Records::of_movies(&here, &fuzzy.movies)
    } else {
        records::find(&state, &context, &here, &filter).await?
    };
    let sum = |counts: &BTreeMap<i64, i64>, bounds| within(counts, bounds).map(|(n, films)| n * films).sum();
    let minutes: i64 = sum(&facets.length, filter.length);
    let stars: i64 = sum(&facets.rating, filter.rating);
    let films = facets.movies.max(1);
    let without_length =
        within(&facets.length, filter.length).filter(|(n, _)| **n == 0).map(|(_, n)| n).sum();
    let known = facets.movies - without_length;
    let template = Statistics {
        context: Some(&context),
        films: facets.movies,
        is_fuzzy,
        chips: Filters::of(&here, &filter, &facets).chips,
        lengths: (known > 0)
            .then(|| (format::long_length(minutes), format::length((minutes + known / 2) / known))),
        without_length,
        mean_rating: mean(stars, films),
        records,
        charts: charts(&here, &filter, &facets),
        here: &here,
    };
    context.page(StatusCode::OK, &template)
}

#[expect(clippy::cast_precision_loss, reason = "sums of stars stay far below 2^53")]
pub fn mean(sum: i64, count: i64) -> f64 {
    sum as f64 / count as f64
}

fn charts(here: &Address, filter: &Filter, facets: &Facets) -> Vec<Chart> {
    let chart = |caption, of, mut bars: Vec<Bar>| {
        let longest = bars.iter().map(|bar| bar.films).max().unwrap_or(0).max(1);
        for bar in &mut bars {
            bar.width = (bar.films * 1000 + longest - 1) / longest; // rounded up, so that each film is visible
        }
        Chart { caption, of, bars }
    };
    vec![
        chart("By decade", "Decade", decades(here, filter, facets)),
        chart("By rating", "Rating", ratings(here, filter, facets)),
        chart("By length", "Length", lengths(here, filter, facets)),
        chart("By format", "Format", formats(here, filter, facets)),
    ]
}

/// Creates a bar of the films in a range that match the filter.
fn bar(
    label: String,
    (min, max): (i64, i64),
    (here, name): (&Address, &str),
    bounds: Bounds,
    counts: &BTreeMap<i64, i64>,
) -> Bar {
    let ends = (min.max(bounds.min.unwrap_or(min)), max.min(bounds.max.unwrap_or(max)));
    let films = if ends.0 > ends.1 { 0 } else { counts.range(ends.0..=ends.1).map(|(_, films)| films).sum() };
    let range = if ends.0 == ends.1 { ends.0.to_string() } else { format!("{}..{}", ends.0, ends.1) };
    Bar { label, spoken: None, films, width: 0, href: here.with(name, &range) }
}

/// Returns the bars from the first to the last decade with a film, including empty ones.
fn decades(here: &Address, filter: &Filter, facets: &Facets) -> Vec<Bar> {
    let bounds = filter.release_year;
    let years: Vec<i64> = within(&facets.release_year, bounds).map(|(year, _)| *year).collect();
    let (Some(first), Some(last)) = (years.first(), years.last()) else { return Vec::new() };
    let of = |decade: i64| {
        let years = (decade * 10, (decade * 10 + 9).min(ReleaseYear::MAX));
        bar(format!("{}s", years.0), years, (here, "releaseYear"), bounds, &facets.release_year)
    };
    (first / 10..=last / 10).map(of).collect()
}

fn ratings(here: &Address, filter: &Filter, facets: &Facets) -> Vec<Bar> {
    let of = |rating: i64| Bar {
        spoken: Some(format::stars_in_words(rating)),
        ..bar(
            format::stars(rating).to_owned(),
            (rating, rating),
            (here, "rating"),
            filter.rating,
            &facets.rating,
        )
    };
    (Rating::MIN..=Rating::MAX).rev().map(of).collect()
}

fn lengths(here: &Address, filter: &Filter, facets: &Facets) -> Vec<Bar> {
    let of = |(min, max, label): (i64, i64, &str)| {
        bar(label.to_owned(), (min, max), (here, "length"), filter.length, &facets.length)
    };
    LENGTHS.map(of).into()
}

fn formats(here: &Address, filter: &Filter, facets: &Facets) -> Vec<Bar> {
    let of = |format: MovieFormat| {
        let (name, wanted) = (format.as_str(), &filter.movie_formats);
        let passes = wanted.is_empty() || wanted.contains(&format);
        let films = facets.movie_format.get(name).copied().filter(|_| passes);
        let href = here.with("movieFormat", name);
        Bar { label: name.to_owned(), spoken: None, films: films.unwrap_or(0), width: 0, href }
    };
    [MovieFormat::Vhs, MovieFormat::Dvd, MovieFormat::Streaming].map(of).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Length;

    #[test]
    fn every_known_length_is_counted_once() {
        assert_eq!((LENGTHS[0].0, LENGTHS[LENGTHS.len() - 1].1), (Length::MIN + 1, Length::MAX));
        assert!(LENGTHS.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
    }

    #[test]
    fn a_bar_leads_to_what_it_counts_within_the_filter() {
        let counts = BTreeMap::from([(1989, 1), (1990, 2), (1994, 4), (1995, 8), (1999, 16)]);
        let here = Address::of(&"/statistics?q=a&releaseYear=1994..1998".parse().expect("an address"));
        let of = |bounds| {
            let bar = bar(String::new(), (1990, 1999), (&here, "releaseYear"), bounds, &counts);
            (bar.films, bar.href.to_string())
        };
        assert_eq!(
            of(Bounds { min: Some(1994), max: Some(1998) }),
            (12, "/?q=a&releaseYear=1994..1998".to_owned())
        );
        assert_eq!(of(Bounds { min: None, max: Some(1990) }), (2, "/?q=a&releaseYear=1990".to_owned()));
        assert_eq!(of(Bounds::default()), (30, "/?q=a&releaseYear=1990..1999".to_owned()));
        assert_eq!(of(Bounds { min: Some(2001), max: None }).0, 0);
    }
}
