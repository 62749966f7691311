//! `/movie`, `/stats`, `/movie/random`.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::import;
use crate::{
    documents,
    domain::{self, Code, Invalid, Movie, MovieId, Sort, Violation},
    exchange::{self, FileKind},
    http::{
        Shared,
        answer::Answer,
        compression::is_compressible,
        extract::{
            accept::list_format,
            body::{self, media_type, parse, read_json, unsupported},
            etag::{etag, if_match, is_known, precondition},
            idempotency::read_with_key,
            path::Path,
            query::{NoParams, Params, next_page},
        },
        listing, openapi as schema,
        problem::Problem,
    },
    json,
    limits::MAX_BODY_BYTES,
    service::{Editor, Viewer, movies},
};

/// List movies
///
/// Without a query: all movies by id, streamed. With `Accept: text/csv` or `application/x-ndjson` the list is
/// an export file.
#[utoipa::path(get, path = "/movie", operation_id = "listMovies", tag = "movies", params(schema::FilterParams, schema::ListParams), responses(
    (status = 200, description = "The movies, or one page of them", content(
        (Vec<domain::Movie> = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")
    ), headers(
        ("Link" = String, description = "With `limit`, if there is another page: `<…>; rel=\"next\"` (RFC 8288)"),
        ("X-Total-Count" = i64, description = "With `total=true`: the number of matching movies"),
        ("Reelshelf-Match" = String, description = "With `q`: `exact`, or `fuzzy` for a fuzzy search"),
    )),
    (status = 400, description = "A query parameter is unknown or invalid"),
    (status = 406, description = "The requested format is not available"),
))]
pub async fn list(
    State(state): State<Shared>,
    viewer: Viewer,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let query = params.list(Sort::default());
    params.finish()?;
    let format = list_format(&headers)?;
    let app = &state.app;

    let Some(limit) = query.limit else {
        return Box::pin(listing::whole_list(app, &viewer, &uri, query, format)).await;
    };
    let page = movies::page(app, &viewer, &query, limit).await?;
    let mut head = listing::head(&uri, format, &page);
    if let Some(next) = page.next {
        head.insert(header::LINK, next_page(&uri, &next.encode(&query.order()))?);
    }
    let mut bytes = format.opening().into_bytes();
    exchange::write_movies(format, &page.movies, true, &mut bytes);
    bytes.extend_from_slice(format.closing().as_bytes());
    Ok((head, bytes).into_response())
}

/// Create a movie or import a file
///
/// JSON creates one movie. CSV and NDJSON import a file; the query parameters are the options of the import.
#[utoipa::path(post, path = "/movie", operation_id = "createMovie", tag = "movies", params(schema::ImportParams, schema::IdempotencyKey),
    request_body(content(
        (domain::Attributes = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")
    )),
    responses(
        (status = 200, description = "The file was imported, or validated with `dryRun`",
            body = documents::Report),
        (status = 201, description = "The movie was created", body = domain::Movie, headers(
            ("Location" = String, description = "The URL of the movie"), ("ETag" = String, description = "The movie's version"),
        ), links(
            ("get" = (operation_id = "getMovie", parameters(("id" = "$response.body#/id")))),
            ("update" = (operation_id = "updateMovie", parameters(("id" = "$response.body#/id")))),
            ("delete" = (operation_id = "deleteMovie", parameters(("id" = "$response.body#/id")))),
        )),
        (status = 400, description = "Malformed JSON, an unknown or invalid query parameter, or a malformed `Idempotency-Key`"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "The media type is not supported; `Accept-Post` lists those that are"),
        (status = 422, description = "Fields are invalid; an import was aborted, with its `report`; or the `Idempotency-Key` was sent with another request"),
        (status = 429, description = "The user has too many running imports and batches"),
    )
)]
pub async fn create(
    State(state): State<Shared>,
    editor: Editor,
    uri: Uri,
    request: Request,
) -> Result<Response, Problem> {
    match media_type(request.headers()).as_str() {
        "application/json" => {
            Params::of(&uri).finish()?;
            let (body, key) = read_with_key(MAX_BODY_BYTES, request).await?;
            let node = parse(&body)?;
            if matches!(node, json::JsonValue::Array(_)) {
                let detail = "must be one object; many movies go to /movie/batch, or as application/x-ndjson, which may \
                              be such an array";
                let rule = Invalid::new(Code::WrongType, detail);
                return Err(body::invalid(vec![Violation::at("", rule)]));
            }
            let attributes = json::attributes(&node, "").map_err(body::invalid)?;
            let movie = movies::add(&state.app, &editor, attributes, key).await?;
            let location = format!("/movie/{}", movie.id);
            Ok((StatusCode::CREATED, [(header::LOCATION, location)], of_movie(&movie)).into_response())
        }
        "text/csv" => import::import(&state, &editor, &uri, FileKind::Csv, request).await,
        "application/x-ndjson" => import::import(&state, &editor, &uri, FileKind::Ndjson, request).await,
        _ => Err(unsupported(
            HeaderName::from_static("accept-post"),
            "application/json, text/csv, application/x-ndjson",
        )),
    }
}

/// Get a movie
#[utoipa::path(get, path = "/movie/{id}", operation_id = "getMovie", tag = "movies", params(schema::MovieId, schema::IfMatch, schema::IfNoneMatch), responses(
    (status = 200, description = "The movie", body = domain::Movie, headers(("ETag" = String, description = "The movie's version"))),
    (status = 304, description = "The movie still has the version in `If-None-Match`"),
    (status = 400, description = "`If-Match` or `If-None-Match` is malformed"),
    (status = 404, description = "The movie does not exist"),
    (status = 412, description = "The movie has another version than `If-Match` requires"),
))]
pub async fn get_one(
    State(state): State<Shared>,
    viewer: Viewer,
    Path(id): Path<MovieId>,
    _: NoParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let movie = movies::get(&state.app, &viewer, id).await?;
    if_match(&headers)?.check(&movie)?;
    let whole = of_movie(&movie).into_response();
    if is_known(&headers, movie.version)? {
        let tag = [(header::ETAG, etag(movie.version))];
        let mut known = (StatusCode::NOT_MODIFIED, tag).into_response();
        if is_compressible(&whole) {
            known.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        return Ok(known);
    }
    Ok(whole)
}

/// Update a movie
///
/// Changes the given attributes. An update without a difference does not change the version.
#[utoipa::path(patch, path = "/movie/{id}", operation_id = "updateMovie", tag = "movies", params(schema::MovieId, schema::IfMatch),
    request_body(content(
        (domain::MoviePatch = "application/json"), (domain::MoviePatch = "application/merge-patch+json")
    )),
    responses(
        (status = 200, description = "The updated movie", body = domain::Movie, headers(("ETag" = String, description = "The movie's version"))),
        (status = 400, description = "Malformed JSON, or a malformed `If-Match`"),
        (status = 404, description = "The movie does not exist"),
        (status = 412, description = "The movie has another version than `If-Match` requires"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "The media type is not supported; `Accept-Patch` lists those that are"),
        (status = 422, description = "Fields are invalid"),
    )
)]
pub async fn update(
    State(state): State<Shared>,
    editor: Editor,
    Path(id): Path<MovieId>,
    _: NoParams,
    request: Request,
) -> Result<Response, Problem> {
    let precondition = precondition(request.headers())?;
    if !matches!(media_type(request.headers()).as_str(), "application/json" | "application/merge-patch+json")
    {
        let accept = HeaderName::from_static("accept-patch");
        return Err(unsupported(accept, "application/json, application/merge-patch+json"));
    }
    let changes = json::movie_patch(&read_json(request).await?, "").map_err(body::invalid)?;
    let movie = movies::change(&state.app, &editor, id, &precondition, &changes).await?;
    Ok(of_movie(&movie).into_response())
}

/// Delete a movie
#[utoipa::path(delete, path = "/movie/{id}", operation_id = "deleteMovie", tag = "movies", params(schema::MovieId, schema::IfMatch), responses(
    (status = 204, description = "The movie was deleted"),
    (status = 400, description = "`If-Match` is malformed"),
    (status = 404, description = "The movie does not exist"),
    (status = 412, description = "The movie has another version than `If-Match` requires"),
))]
pub async fn delete(
    State(state): State<Shared>,
    editor: Editor,
    Path(id): Path<MovieId>,
    _: NoParams,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    movies::remove(&state.app, &editor, id, &precondition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Pick a random movie
///
/// From the movies that match the filters, with uniform probability.
#[utoipa::path(get, path = "/movie/random", operation_id = "randomMovie", tag = "movies", params(schema::FilterParams), responses(
    (status = 200, description = "One movie", body = domain::Movie, headers(
        ("ETag" = String, description = "The movie's version"),
        ("Reelshelf-Match" = String, description = "With `q`: `exact`, or `fuzzy` for a fuzzy search"),
    )),
    (status = 400, description = "A query parameter is unknown or invalid"),
    (status = 404, description = "No movie matches the filters"),
))]
pub async fn random(State(state): State<Shared>, viewer: Viewer, uri: Uri) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let filter = params.filter();
    params.finish()?;
    let (movie, how) = movies::random(&state.app, &viewer, filter).await?;
    let head = HeaderMap::from_iter(listing::matched(&uri, how));
    Ok(([(header::CACHE_CONTROL, "no-store")], head, of_movie(&movie)).into_response())
}

/// Get statistics
///
/// Counts by format, rating, release year and decade, with total and mean length and mean rating.
#[utoipa::path(get, path = "/stats", operation_id = "getStats", tag = "movies", params(schema::FilterParams), responses(
    (status = 200, description = "The statistics of the matching movies", body = documents::Stats, headers(
        ("Reelshelf-Match" = String, description = "With `q`: `exact`, or `fuzzy` for a fuzzy search"),
    )),
    (status = 400, description = "A query parameter is unknown or invalid"),
))]
pub async fn stats(
    State(state): State<Shared>,
    viewer: Viewer,
    uri: Uri,
) -> Result<(HeaderMap, Answer<documents::Stats>), Problem> {
    let mut params = Params::of(&uri);
    let filter = params.filter();
    params.finish()?;
    let (counted, how) = movies::stats(&state.app, &viewer, filter).await?;
    Ok((HeaderMap::from_iter(listing::matched(&uri, how)), Answer(counted)))
}

fn of_movie(movie: &Movie) -> impl IntoResponse + use<> {
    let mut body = Vec::with_capacity(256);
    exchange::write_json(movie, &mut body);
    body.push(b'\n');
    ([(header::CONTENT_TYPE, "application/json")], [(header::ETAG, etag(movie.version))], body)
}
