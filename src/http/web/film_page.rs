//! `/film/{id}`: a film's own page, with its case, its stars, its history, and the films beside it on the shelf.

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};

use super::{
    Form, changes::Entry, collection::address::Address, edit::came_from, film::Film, flash,
    page_context::PageContext, words,
};
use crate::{
    domain::{
        Change, ChangeKind, Code, Invalid, Limit, Movie, MoviePatch, Operation, Rating, Sort, SortKey,
        Violation, quoted,
    },
    http::{
        Shared,
        api::movies::movie_id,
        problem::Problem,
        query::{PageQuery, Params},
    },
    service::{
        Editor, Error, IdempotencyKey, batch, changes,
        neighbours::{self, List, Neighbours},
    },
};

#[derive(Template)]
#[template(path = "film.html")]
struct FilmPage<'a> {
    context: Option<&'a PageContext>,
    found: &'a Neighbours,
    film: Film<'a>,
    /// The list in which the films beside it are.
    list: &'a Address,
    /// The place of the film in that list.
    shelf: String,
    /// When it was added.
    added: (String, String),
    /// The change that added it, unless that is too far back.
    creation: Option<&'a Change>,
    entries: Vec<Entry<'a>>,
    /// The page with the changes before those that are shown.
    earlier: Option<String>,
    /// This page, to come back to after an undo.
    back: &'a str,
}

/// What is said of a film that was deleted.
#[derive(Template)]
#[template(path = "film_gone.html")]
struct Gone<'a> {
    context: Option<&'a PageContext>,
    id: i64,
    title: String,
    /// The change that deleted it.
    change: &'a Change,
    back: String,
}

impl FilmPage<'_> {
    fn may_edit(&self) -> bool {
        self.context.is_some_and(PageContext::may_edit)
    }

    /// The page of a film beside it, in the same list.
    fn address(&self, film: &Movie) -> String {
        self.list.at(&format!("/film/{}", film.id))
    }

    /// Where stars are sent.
    fn rating_address(&self) -> String {
        self.list.at(&format!("/film/{}/rating", self.film.id))
    }

    fn is_table(&self) -> bool {
        self.list.get("view") == "table"
    }

    /// The stars that can be given, each with whether it is full and whether it is the one that was given.
    fn stars(&self) -> impl Iterator<Item = (i64, bool, bool)> {
        let given = self.film.rating;
        (Rating::MIN..=Rating::MAX).map(move |stars| (stars, stars <= given, stars == given))
    }

    /// Whether the length is known.
    fn has_length(&self) -> bool {
        self.found.movie.attributes.length.get() > 0
    }
}

impl Gone<'_> {
    fn may_undo(&self) -> bool {
        self.context.is_some_and(PageContext::may_edit) && self.change.undone_by.is_none()
    }

    /// Whether it is gone since its addition was undone.
    fn was_undone(&self) -> bool {
        self.change.kind == ChangeKind::Undo
    }

    fn when(&self) -> String {
        words::moment(self.change.at)
    }

    /// All films that were deleted with it, and it.
    fn all(&self) -> String {
        words::films(self.change.movies)
    }
}

/// The routes of the page, for whoever is signed in.
pub fn routes() -> Router<Shared> {
    Router::new().route("/film/{id}", get(show)).route("/film/{id}/rating", post(rate))
}

async fn show(
    State(state): State<Shared>,
    context: PageContext,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = movie_id(&id)?;
    let (address, list) = list_of(&uri, &headers)?;
    let found = match neighbours::find(&state.app, &context, id, &list).await {
        Err(Error::NotFound(_)) => return gone(&state, &context, id).await,
        found => found?,
    };
    let history = changes::of_movie(&state.app, &context, id, None, Limit::AT_A_GLANCE).await?;
    let creation = history.items.last().filter(|change| change.effects.iter().any(|e| e.before.is_none()));
    let created_at = found.movie.created_at;
    let template = FilmPage {
        context: Some(&context),
        film: Film::of(&found.movie),
        shelf: on_page(&address, &list, found.page.as_ref()),
        added: (created_at.to_string(), words::moment(created_at)),
        creation,
        entries: history.items.iter().map(|change| Entry::of(change, &context)).collect(),
        earlier: history.next.map(|next| format!("/changes?film={id}&cursor={}", PageQuery::encode(next))),
        back: &context.place,
        list: &address,
        found: &found,
    };
    context.page(StatusCode::OK, &template)
}

/// Says who deleted a film, and offers to bring it back.
pub async fn gone(state: &Shared, context: &PageContext, id: i64) -> Result<Response, Problem> {
    let no_film = || Problem::new(StatusCode::NOT_FOUND, format!("there is no film {id}"));
    let history = match changes::of_movie(&state.app, context, id, None, Limit::AT_A_GLANCE).await {
        Err(Error::NotFound(_)) => return Err(no_film()),
        history => history?.items,
    };
    let deletion = history.first().and_then(|change| Some((change, change.effects.first()?)));
    let deletion = deletion.and_then(|(change, effect)| match (&effect.before, &effect.after) {
        (Some(film), None) => Some((change, film)),
        _ => None,
    });
    let (change, film) = deletion.ok_or_else(no_film)?;
    let (title, back) = (words::title(film), format!("/film/{id}"));
    let template = Gone { context: Some(context), id, title, change, back };
    context.page(StatusCode::NOT_FOUND, &template)
}

/// The list that the address names, or else the one that led here.
fn list_of(uri: &Uri, headers: &HeaderMap) -> Result<(Address, List), Problem> {
    if uri.query().is_some_and(|query| !query.is_empty()) {
        return read_list(uri);
    }
    let is_list = |uri: &Uri| uri.path() == "/" || uri.path().starts_with("/film/");
    let from = came_from(headers).filter(is_list);
    Ok(from.and_then(|from| read_list(&from).ok()).unwrap_or_default())
}

/// The filters and the order of an address.
fn read_list(uri: &Uri) -> Result<(Address, List), Problem> {
    let address = Address::of(uri).list_only();
    let mut params = Params::of(&address.at("/").parse().unwrap_or_default());
    let _view = params.one("view", |_| Ok(()));
    let query = params.list(Sort::of(SortKey::Title));
    params.finish()?;
    Ok((address, List { filter: query.filter, sort: query.sort }))
}

/// The address of the page of a list that begins at a place.
fn on_page(address: &Address, list: &List, page: Option<&crate::domain::Cursor>) -> String {
    match page {
        Some(cursor) => address.with("cursor", &cursor.encode(&list.order())).to_string(),
        None => address.to_string(),
    }
}

/// The address where a new film stands in the list that one came from, or in the whole collection where that list does
/// not have it.
pub async fn place_on_shelf(
    state: &Shared,
    context: &PageContext,
    film: &Movie,
    back: &str,
) -> Result<String, Error> {
    let uri: Option<Uri> = back.parse().ok().filter(|uri: &Uri| uri.path() == "/");
    let (mut address, mut list) = uri.and_then(|uri| read_list(&uri).ok()).unwrap_or_default();
    if !list.filter.finds(film) {
        address = address.unfiltered();
        list.filter = crate::domain::Filter::default();
    }
    let page = neighbours::page_of(&state.app, context, film, &list).await?;
    Ok(format!("{}#added", on_page(&address, &list, page.as_ref())))
}

async fn rate(
    State(state): State<Shared>,
    editor: Editor,
    Path(id): Path<String>,
    uri: Uri,
    form: Form,
) -> Result<Response, Problem> {
    let id = movie_id(&id)?;
    let stars = form.get("rating");
    let rating = stars.parse().ok().and_then(|stars: i64| Rating::try_from(stars).ok()).ok_or_else(|| {
        let rule = Invalid::new(Code::OutOfRange, format!("must be 1 to 5, got {}", quoted(stars)));
        Problem::invalid(StatusCode::UNPROCESSABLE_ENTITY, vec![Violation::at("/rating", rule)])
    })?;
    let changes = MoviePatch { rating: Some(rating), ..MoviePatch::default() };
    let place = Address::of(&uri).list_only().at(&format!("/film/{id}"));
    let operation = Operation::Update { id, version: None, changes };
    match batch::run(&state.app, &editor, vec![operation], IdempotencyKey::default()).await {
        Err(Error::Operation { .. }) => Ok(Redirect::to(&place).into_response()), // whose page says that it is gone
        done => Ok(flash::redirect_after_change(&place, done?.change)),
    }
}
