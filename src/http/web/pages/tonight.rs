//! `/tonight`: picks a random film for the evening. The URL has the list's filters.

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    domain::{Code, Filter, Invalid, Length, Movie, MovieId},
    format,
    http::{
        Shared,
        extract::query::Params,
        problem::Problem,
        web::parts::{address::Address, film_card::Film, filters::Filters, page_context::PageContext},
    },
    service::{
        Error, Viewer,
        facets::{self, Facets},
        movies,
    },
};

#[derive(Template)]
#[template(path = "tonight.html")]
struct Tonight<'a> {
    context: Option<&'a PageContext>,
    here: &'a Address,
    /// The maximum length in minutes.
    minutes: Option<i64>,
    filters: Filters<'a>,
    /// The number of matching films.
    fitting: i64,
    /// The number of films of unknown length that would match otherwise, if there is a maximum.
    without_length: i64,
    film: Option<Film<'a>>,
    /// The URL that picks another film.
    another: String,
    /// Filters to drop if no film matches, with the URLs without them.
    alternatives: Vec<(String, String)>,
}

pub async fn show(State(state): State<Shared>, context: PageContext, uri: Uri) -> Result<Response, Problem> {
    let here = Address::of(&uri);
    if let Some(tidy) = canonical(&here) {
        return Ok(Redirect::to(&tidy.at("/tonight")).into_response());
    }
    let mut params = Params::of(&uri);
    let mut filter = params.filter();
    let last = params.one("not", |id| {
        id.parse::<MovieId>().map_err(|_| Invalid::new(Code::Malformed, "must be a film's id".to_owned()))
    });
    params.finish()?;
    if filter.length.max.is_some() {
        // A film of unknown length may take longer.
        filter.length.min = filter.length.min.max(Some(1));
    }

    let facets = facets::facets(&state.app, &context.viewer, &filter).await?;
    let movie = pick(&state, &context.viewer, &filter, last, facets.movies > 1).await?;
    let here = here.without("not");
    let another = movie.as_ref().map_or(here.clone(), |movie| here.with("not", &movie.id.to_string()));
    let template = Tonight {
        context: Some(&context),
        minutes: filter.length.max,
        filters: Filters::of(&here, &filter, &facets),
        fitting: facets.movies,
        without_length: filter.length.max.and_then(|_| facets.length.get(&0).copied()).unwrap_or(0),
        film: movie.as_ref().map(Film::of),
        another: another.at("/tonight"),
        alternatives: if movie.is_none() { alternatives(&here, &filter, &facets) } else { Vec::new() },
        here: &here,
    };
    context.page(StatusCode::OK, &template)
}

/// Returns the canonical URL of the form, with the minutes as a range of lengths, if it differs.
fn canonical(here: &Address) -> Option<Address> {
    let minutes = here.get("minutes");
    if minutes.is_empty() {
        return here.canonical();
    }
    let minutes = minutes.trim();
    if minutes.is_empty() {
        return here.with("minutes", "").canonical();
    }
    let most = match (Length::parse(minutes), minutes.parse::<i64>()) {
        (Ok((length, _)), _) => length.get().to_string(),
        (_, Ok(many)) if many > Length::MAX => Length::MAX.to_string(),
        _ => minutes.to_owned(),
    };
    let address = here.without("minutes").with("length", &format!("..{most}"));
    Some(address.canonical().unwrap_or(address))
}

/// Picks a film that is not the last one, if there is another.
async fn pick(
    state: &Shared,
    viewer: &Viewer,
    filter: &Filter,
    last: Option<MovieId>,
    more: bool,
) -> Result<Option<Movie>, Problem> {
    /// With two films, all draws repeat the last one with a probability of 2^-40.
    const DRAWS: usize = 40;

    let mut picked = None;
    for _ in 0..DRAWS {
        match movies::random(&state.app, viewer, filter.clone()).await {
            Ok((movie, _)) => picked = Some(movie),
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if !more || picked.as_ref().map(|movie| movie.id) != last {
            break;
        }
    }
    Ok(picked)
}

/// Returns the filters without which films match, one by one, in the smallest steps.
fn alternatives(here: &Address, filter: &Filter, facets: &Facets) -> Vec<(String, String)> {
    let mut ways = Vec::new();
    let mut way = |words: String, address: Address| ways.push((words, address.at("/tonight")));
    let shortest = facets.length.range(1..).next();
    if let Some((shortest, _)) = shortest.filter(|(n, _)| Some(**n) > filter.length.max) {
        let words = format!("The shortest film that fits otherwise takes {}", format::length(*shortest));
        way(words, here.with("length", &format!("..{shortest}")));
    }
    if let Some((best, _)) = facets.rating.last_key_value().filter(|(n, _)| Some(**n) < filter.rating.min) {
        let words = format!("The best film that fits otherwise has {}", format::stars_in_words(*best));
        way(words, here.with("rating", &format!("{best}..")));
    }
    for (format, films) in &facets.movie_format {
        way(format!("There {} on {format}", are(*films)), here.with("movieFormat", format));
    }
    let other_years: i64 = facets.release_year.values().sum();
    if other_years > 0 {
        way(format!("There {} of other years", are(other_years)), here.without("releaseYear"));
    }
    ways
}

fn are(films: i64) -> String {
    format!("{} {}", if films == 1 { "is" } else { "are" }, format::films(films))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_written_as_people_do() {
        let canonical = |query: &str| {
            canonical(&Address::of(&format!("/tonight?{query}").parse().expect("an address")))
                .map(|address| address.at("/tonight"))
        };
        assert_eq!(canonical("length=..90&rating=4.."), None);
        for (query, address) in [
            ("minutes=", "/tonight"),
            ("minutes=+", "/tonight"),
            ("minutes=&rating=4..", "/tonight?rating=4.."),
            ("minutes=120&yearFrom=1990&yearTo=", "/tonight?length=..120&releaseYear=1990.."),
            ("minutes=2+h+10&movieFormat=DVD", "/tonight?movieFormat=DVD&length=..130"),
            ("minutes=501", "/tonight?length=..500"),
            ("minutes=long", "/tonight?length=..long"),
        ] {
            assert_eq!(canonical(query).as_deref(), Some(address), "{query}");
        }
    }
}
