//! `/print`: all films of a list, one per line, for paper. The URL has the list's filters and order.

use askama::Template;
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use futures_util::{Stream, StreamExt, TryStreamExt, future, stream};

use crate::{
    domain::{ListQuery, Sort},
    http::{
        Shared,
        extract::query::Params,
        problem::Problem,
        web::parts::{
            address::Address,
            film_card::Film,
            filters::{Filters, Link},
            page_context::PageContext,
        },
    },
    service::{
        Error,
        facets::{self, Facets},
        movies::{self, Page},
        search::Match,
    },
};

#[derive(Template)]
#[template(path = "print.html")]
struct Print<'a> {
    context: Option<&'a PageContext>,
    films: i64,
    chips: Vec<Link>,
    /// The same films on the shelf.
    back: Address,
}

#[derive(Template)]
#[template(path = "print_films.html")]
struct PrintFilms<'a> {
    films: Vec<Film<'a>>,
}

/// The placeholder of the films in the page.
const PLACE: &str = "<!--films-->";

pub async fn show(State(state): State<Shared>, context: PageContext, uri: Uri) -> Result<Response, Problem> {
    let here = Address::of(&uri);
    let mut params = Params::of(&uri);
    let query =
        ListQuery { filter: params.filter(), sort: params.one("sort", Sort::parse), ..ListQuery::default() };
    params.finish()?;
    let mut facets = facets::facets(&state.app, &context.viewer, &query.filter).await?;
    let chips = Filters::of(&here, &query.filter, &facets).chips;
    let mut pages = Box::pin(movies::all(state.app.clone(), context.viewer.clone(), query));
    // Read before the response begins, so that a database error still has its own response.
    let first = pages.next().await.transpose()?.unwrap_or_default();
    if first.matched == Match::Fuzzy {
        facets = Facets::of(&first.movies);
    }
    let template = Print { context: Some(&context), films: facets.movies, chips, back: here.clone() };
    let mut page = context.page(StatusCode::OK, &template)?;
    let around = template.render().map_err(|e| failed(&e))?;
    let (before, after) = around.split_once(PLACE).unwrap_or((&around, ""));
    *page.body_mut() = body(before.to_owned(), first, pages, after.to_owned());
    Ok(page)
}

/// Streams the page, so that memory use does not depend on the collection.
fn body(
    before: String,
    first: Page,
    rest: impl Stream<Item = Result<Page, Error>> + Send + 'static,
    after: String,
) -> Body {
    let text = |text: String| stream::once(future::ok(Bytes::from(text)));
    let films = stream::once(future::ok(first)).chain(rest).and_then(|page| future::ready(lines(&page)));
    let bytes = text(before).chain(films).chain(text(after));
    let logged = bytes.inspect_err(|error: &Error| tracing::error!(%error, "a list broke off"));
    Body::from_stream(logged.map_err(std::io::Error::other))
}

fn lines(page: &Page) -> Result<Bytes, Error> {
    let films = page.movies.iter().map(Film::of).collect();
    PrintFilms { films }.render().map(Bytes::from).map_err(|e| failed(&e))
}

fn failed(error: &askama::Error) -> Error {
    Error::Failed(format!("a page could not be rendered: {error}"))
}
