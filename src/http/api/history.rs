//! `/history` and `/movie/{id}/history`: list, show and undo changes.

use std::fmt::Display;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    documents::{self, Change},
    domain::{ChangeId, MovieId},
    http::{
        Shared,
        answer::Answer,
        extract::{
            idempotency::read_with_key,
            path::Path,
            query::{PageQuery, Params, next_page},
        },
        openapi as schema,
        problem::Problem,
    },
    limits::MAX_BODY_BYTES,
    service::{
        Editor, Viewer,
        history::{self, Page},
    },
};

/// List changes
///
/// All changes of the collection, newest first, in pages.
#[utoipa::path(get, path = "/history", operation_id = "listChanges", tag = "history", params(schema::PageParams), responses(
    (status = 200, description = "A page of changes, each with its first 10 effects", body = Vec<documents::Change>, headers(
        ("Link" = String, description = "If there is another page: `<…>; rel=\"next\"` (RFC 8288)"),
        ("X-Total-Count" = i64, description = "With `total=true`: the number of changes"),
    )),
    (status = 400, description = "A query parameter is unknown or invalid"),
))]
pub async fn list(State(state): State<Shared>, viewer: Viewer, uri: Uri) -> Result<Response, Problem> {
    let query = page_query(&uri, PageQuery::CHANGES)?;
    let total = if query.total { Some(history::count(&state.app, &viewer).await?) } else { None };
    answer(
        &uri,
        PageQuery::CHANGES,
        history::list(&state.app, &viewer, query.after.map(ChangeId::from_stored), query.limit).await?,
        total,
    )
}

/// Get a change
///
/// With a page of its effects, by movie id.
#[utoipa::path(get, path = "/history/{change}", operation_id = "getChange", tag = "history",
    params(schema::ChangeId, schema::PageParams),
    responses(
        (status = 200, description = "The change with a page of its effects", body = documents::Change, headers(
            ("Link" = String, description = "If there is another page: `<…>; rel=\"next\"` (RFC 8288)"),
            ("X-Total-Count" = i64, description = "With `total=true`: the number of effects"),
        )),
        (status = 400, description = "A query parameter is unknown or invalid"),
        (status = 404, description = "The change does not exist"),
    )
)]
pub async fn get_one(
    State(state): State<Shared>,
    viewer: Viewer,
    Path(id): Path<ChangeId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let list = PageQuery::effects_of(id);
    let query = page_query(&uri, &list)?;
    let page =
        history::get(&state.app, &viewer, id, query.after.map(MovieId::from_stored), query.limit).await?;
    let total = query.total.then_some(page.items.movies);
    answer(&uri, &list, page, total)
}

/// List the changes of a movie
///
/// Newest first, in pages, each with its effect on this movie. Deleted movies are included.
#[utoipa::path(get, path = "/movie/{id}/history", operation_id = "listMovieChanges", tag = "history",
    params(schema::MovieId, schema::PageParams),
    responses(
        (status = 200, description = "A page of changes", body = Vec<documents::Change>, headers(
            ("Link" = String, description = "If there is another page: `<…>; rel=\"next\"` (RFC 8288)"),
            ("X-Total-Count" = i64, description = "With `total=true`: the number of changes"),
        )),
        (status = 400, description = "A query parameter is unknown or invalid"),
        (status = 404, description = "The movie never existed"),
    )
)]
pub async fn of_movie(
    State(state): State<Shared>,
    viewer: Viewer,
    Path(id): Path<MovieId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let list = PageQuery::changes_of(id);
    let query = page_query(&uri, &list)?;
    let total =
        if query.total { Some(history::count_of_movie(&state.app, &viewer, id).await?) } else { None };
    let page = history::of_movie(&state.app, &viewer, id, query.after, query.limit).await?;
    answer(&uri, &list, page, total)
}

/// Undo a change
///
/// Reverses all its effects as a new change, which can be undone, too.
#[utoipa::path(post, path = "/history/{change}/undo", operation_id = "undoChange", tag = "history",
    params(schema::ChangeId, schema::IdempotencyKey),
    responses(
        (status = 200, description = "The new change, with its first 10 effects", body = documents::Change),
        (status = 400, description = "A query parameter is given, or the `Idempotency-Key` is malformed"),
        (status = 404, description = "The change does not exist"),
        (status = 409, description = "It was undone already, or later changes of the same movies conflict; `changes` lists them"),
        (status = 413, description = "The body, which is ignored, is too large"),
        (status = 422, description = "The `Idempotency-Key` was sent with another request"),
    )
)]
pub async fn undo(
    State(state): State<Shared>,
    editor: Editor,
    Path(id): Path<ChangeId>,
    uri: Uri,
    request: Request,
) -> Result<Answer<Change>, Problem> {
    Params::of(&uri).finish()?;
    let (_, key) = read_with_key(MAX_BODY_BYTES, request).await?;
    Ok(Answer(history::undo(&state.app, &editor, id, key).await?))
}

fn page_query(uri: &Uri, list: &str) -> Result<PageQuery, Problem> {
    let mut params = Params::of(uri);
    let query = params.page(list);
    params.finish()?;
    Ok(query)
}

fn answer(
    uri: &Uri,
    list: &str,
    page: Page<impl Serialize, impl Display>,
    total: Option<i64>,
) -> Result<Response, Problem> {
    let mut headers = HeaderMap::new();
    if let Some(next) = page.next {
        headers.insert(header::LINK, next_page(uri, &PageQuery::encode(list, next))?);
    }
    if let Some(total) = total {
        headers.insert("x-total-count", total.into());
    }
    Ok((headers, Answer(page.items)).into_response())
}
