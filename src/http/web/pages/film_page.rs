//! `/film/{id}`: the page of a film, with its case, stars, history and neighbours on the shelf.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    documents::{Change, Operation},
    domain::{Movie, MovieId, MoviePatch, Rating, Violation},
    format,
    http::{
        Shared,
        extract::{form::Form, path::Path, query::PageQuery},
        problem::Problem,
        web::parts::{
            address::Address,
            back::came_from,
            change_entry::Entry,
            deleted_film,
            film_card::Film,
            flash,
            page_context::PageContext,
            page_size,
            shelf_list::{on_page, read_list},
        },
    },
    service::{
        Editor, Error, IdempotencyKey, batch, history,
        neighbours::{self, List, Neighbours},
    },
};

#[derive(Template)]
#[template(path = "film.html")]
struct FilmPage<'a> {
    context: Option<&'a PageContext>,
    found: &'a Neighbours,
    film: Film<'a>,
    /// The list of the neighbours.
    list: &'a Address,
    /// The URL of the film's position in that list.
    shelf: String,
    /// When the film was added.
    added: (String, String),
    /// The change that added the film, unless it was pruned.
    creation: Option<&'a Change>,
    entries: Vec<Entry<'a>>,
    /// The URL of the changes before those shown.
    earlier: Option<String>,
    /// This page, to return to after an undo.
    back: &'a str,
}

impl FilmPage<'_> {
    fn may_edit(&self) -> bool {
        self.context.is_some_and(PageContext::may_edit)
    }

    /// Returns the URL of a neighbour, in the same list.
    fn address(&self, film: &Movie) -> String {
        self.list.at(&format!("/film/{}", film.id))
    }

    /// Returns the URL that stars are sent to.
    fn rating_address(&self) -> String {
        self.list.at(&format!("/film/{}/rating", self.film.id))
    }

    fn is_table(&self) -> bool {
        self.list.get("view") == "table"
    }

    /// Iterates over the stars, each with whether it is full and whether it is the current rating.
    fn stars(&self) -> impl Iterator<Item = (i64, bool, bool)> {
        let given = self.film.rating;
        (Rating::MIN..=Rating::MAX).map(move |stars| (stars, stars <= given, stars == given))
    }
}

pub async fn show(
    State(state): State<Shared>,
    context: PageContext,
    Path(id): Path<MovieId>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let (address, list) = list_of(&uri, &headers)?;
    let found = match neighbours::find(&state.app, &context.viewer, id, &list, page_size::FULL).await {
        Err(Error::NotFound(_)) => return deleted_film::show(&state, &context, id).await,
        found => found?,
    };
    let history = history::of_movie(&state.app, &context.viewer, id, None, page_size::FIRST_LOOK).await?;
    let creation = history.items.last().filter(|change| change.effects.iter().any(|e| e.before.is_none()));
    let created_at = found.movie.created_at;
    let template = FilmPage {
        context: Some(&context),
        film: Film::of(&found.movie),
        shelf: on_page(&address, &list, found.page.as_ref()),
        added: (created_at.to_string(), format::moment_utc(created_at)),
        creation,
        entries: history.items.iter().map(|change| Entry::of(change, &context)).collect(),
        earlier: history.next.map(|next| {
            format!("/changes?film={id}&cursor={}", PageQuery::encode(&PageQuery::changes_of(id), next))
        }),
        back: &context.place,
        list: &address,
        found: &found,
    };
    context.page(StatusCode::OK, &template)
}

/// Returns the list in the URL, or the one that the user came from.
fn list_of(uri: &Uri, headers: &HeaderMap) -> Result<(Address, List), Problem> {
    if uri.query().is_some_and(|query| !query.is_empty()) {
        return read_list(uri);
    }
    let is_list = |uri: &Uri| uri.path() == "/" || uri.path().starts_with("/film/");
    let from = came_from(headers).filter(is_list);
    Ok(from.and_then(|from| read_list(&from).ok()).unwrap_or_default())
}

pub async fn rate(
    State(state): State<Shared>,
    editor: Editor,
    Path(id): Path<MovieId>,
    uri: Uri,
    form: Form,
) -> Result<Response, Problem> {
    let rating = Rating::parse(form.get("rating")).map_err(|rule| {
        Problem::invalid(StatusCode::UNPROCESSABLE_ENTITY, vec![Violation::at("/rating", rule)])
    })?;
    let changes = MoviePatch { rating: Some(rating), ..MoviePatch::default() };
    let place = Address::of(&uri).list_only().at(&format!("/film/{id}"));
    let operation = Operation::update(id, None, changes);
    match batch::run(&state.app, &editor, vec![operation], IdempotencyKey::default()).await {
        Err(Error::Operation { .. }) => Ok(Redirect::to(&place).into_response()), // that page shows the deleted film
        done => Ok(flash::redirect_after_change(&place, done?.change)),
    }
}
