//! The OpenAPI 3.1 description: schemas with the limits of the domain types, and what all operations share.

#![expect(
    dead_code,
    reason = "the types stand for what is sent; their fields are read by the description alone"
)]

use serde::Serialize;
use utoipa::{
    IntoParams, Modify, OpenApi,
    openapi::{
        self, ContentBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder,
        schema::Type,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::problem;
use crate::{
    documents::{
        OnDuplicate, OnError, Problem, Source, TitleTooLong,
        schema::{
            AttributeText, Id, LengthRange, MediumText, MovieFormat, RatingRange, ReleaseYearRange, SortKeys,
            UserName, schema,
        },
    },
    limits::MAX_IDEMPOTENCY_KEY_CHARS,
};

/// The frame of the description; the routes add their operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Reelshelf",
        contact(name = "Reelshelf", url = "https://github.com/reelshelf/reelshelf"),
        description = "A collection of films: read, search, change, import, export.\n\n\
            Sign in with `Authorization: Bearer TOKEN` (an API token), with Basic (user name and \
            password), or with the session's cookie. Every error is a problem document (RFC 9457) with \
            all violations at once.",
    ),
    tags(
        (name = "movies", description = "The collection"),
        (name = "history", description = "Changes: who did what, and undo"),
        (name = "account", description = "Sign-in, your own tokens and sessions"),
        (name = "users", description = "Users, for owners"),
        (name = "health", description = "Liveness and readiness, for monitoring"),
    ),
    // Some generated clients use the last scheme that sets `Authorization`, so bearer comes after basic.
    security(("basic" = []), ("bearer" = []), ("session" = [])),
    servers((url = "/", description = "This service")),
    components(schemas(Problem, AttributeText, MediumText)),
    modifiers(&SecuritySchemes),
)]
pub struct Description;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, openapi: &mut openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let http = |scheme, text| {
            SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(text)).build())
        };
        components.add_security_scheme("bearer", http(HttpAuthScheme::Bearer, "An API token"));
        components.add_security_scheme("basic", http(HttpAuthScheme::Basic, "User name and password"));
        let cookie = ApiKeyValue::with_description(
            "reelshelf_session",
            "A session, from POST /login; over https its name is __Host-reelshelf_session",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// Adds what is common to all operations: the errors that any of them may return, as problem documents with
/// the request id.
pub fn complete(mut openapi: openapi::OpenApi) -> openapi::OpenApi {
    for item in openapi.paths.paths.values_mut() {
        let operations = [
            (&mut item.get, true),
            (&mut item.post, false),
            (&mut item.patch, false),
            (&mut item.delete, false),
        ];
        for (operation, safe) in operations {
            let Some(operation) = operation else { continue };
            let open = operation.security.as_ref().is_some_and(|needs| !needs.is_empty());
            let mut common = vec![
                ("500", "The service failed; its log has the cause under the request id"),
                ("503", "The database cannot be reached at the moment"),
            ];
            if !open {
                common.push(("401", "The credentials are missing or wrong"));
                common.push(("429", "Too many failed sign-ins"));
            }
            if !open
                && (!safe || operation.tags.as_ref().is_some_and(|tags| tags.iter().any(|t| t == "users")))
            {
                common.push(("403", "Your role does not allow this"));
            }
            let responses = &mut operation.responses.responses;
            for (status, description) in common {
                let response = || ResponseBuilder::new().description(description).build().into();
                responses.entry(status.to_owned()).or_insert_with(response);
            }
            for (status, response) in responses.iter_mut() {
                if let RefOr::T(response) = response
                    && (status.starts_with('4') || status.starts_with('5'))
                {
                    let content =
                        ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
                    response.content.insert(problem::MEDIA_TYPE.to_owned(), content.into());
                }
            }
        }
    }
    openapi
}

/// The filters of list, statistics and random pick.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct FilterParams {
    /// Words to search titles for. Each must be the prefix of a word of the title, ignoring case and accents.
    /// If nothing matches, similar titles are listed and the response has `Reelshelf-Match: fuzzy`.
    #[param(required = false, max_length = 200, example = "lord ring")]
    q: String,
    /// Only this format; may be repeated to allow several.
    #[param(required = false, style = Form, explode)]
    movie_format: Vec<MovieFormat>,
    /// Only this rating, from 1 to 5, or a range of them: `5`, `4..`, `..2`, `2..4`.
    #[param(required = false, inline, example = "4..")]
    rating: RatingRange,
    /// Only this length in minutes, or a range: `90`, `..90`, `120..`, `90..120`.
    #[param(required = false, inline, example = "..90")]
    length: LengthRange,
    /// Only this release year, or a range: `1995`, `1990..1999`, `2000..`.
    #[param(required = false, inline, example = "1990..1999")]
    release_year: ReleaseYearRange,
}

/// The parameters of a list besides the filters.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListParams {
    /// The order: a comma-separated list of fields, each once. `-` before a field reverses it; `id` breaks ties.
    #[param(required = false, inline, example = "-rating,title")]
    sort: SortKeys,
    /// The number of movies on a page. **Without it the response is the whole collection**, streamed.
    #[param(required = false, minimum = 1, maximum = 1000, example = 20)]
    limit: i64,
    /// The cursor of the next page, from the `Link` of the previous one, for the same `sort`. It is opaque.
    #[param(required = false, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: String,
    /// Whether to count all matching movies, in the header `X-Total-Count`.
    #[param(required = false)]
    total: bool,
}

/// The query of the sign-in page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LoginParams {
    /// Where to go after signing in: a path of this service.
    #[param(required = false, example = "/movie")]
    next: String,
}

/// The options of an import.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ImportParams {
    /// The program that wrote the file; `auto`, the default, detects it from the header line.
    #[param(required = false, inline)]
    source: Source,
    /// The encoding of a CSV file that is not in UTF-8, by its name in the Encoding Standard, such as `windows-1252`.
    #[param(required = false)]
    encoding: String,
    /// `FIELD:VALUE`, for rows in which the field is missing; may be repeated.
    #[param(required = false, style = Form, explode)]
    default: Vec<AttributeText>,
    /// `FIELD:COLUMN`, the name of a field's column; may be repeated.
    #[param(required = false, style = Form, explode)]
    map: Vec<AttributeText>,
    /// `MEDIUM:FORMAT`, our format for a foreign medium, such as `Blu-ray:DVD`; may be repeated.
    #[param(required = false, style = Form, explode)]
    map_format: Vec<MediumText>,
    /// The best rating of a CSV file, if it is not that of its layout: with 10, a rating of 7 becomes 4.
    #[param(required = false, minimum = 2, maximum = 100)]
    rating_scale: u8,
    /// What to do with a movie that exists already (same title, release year and format); `skip` is the default.
    #[param(required = false, inline)]
    on_duplicate: OnDuplicate,
    /// What to do if a row is invalid: store nothing (`abort`, the default), or `skip` the row.
    #[param(required = false, inline)]
    on_error: OnError,
    /// What to do with a title of more than 50 characters; `error` is the default.
    #[param(required = false, inline)]
    title_too_long: TitleTooLong,
    /// Validate and report without storing.
    #[param(required = false)]
    dry_run: bool,
}

/// The path of a movie.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MovieId {
    /// The id of the movie.
    #[param(inline)]
    id: Id,
}

/// The path of a change.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ChangeId {
    /// The id of the change.
    #[param(inline)]
    change: Id,
}

/// Where an event stream continues.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct LastEventId {
    /// The `id` of the last event received.
    #[param(rename = "Last-Event-ID", required = false, pattern = "^[0-9]{1,18}$")]
    last_event_id: String,
}

/// Where an event stream begins.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FirstEventId {
    /// The `id` of the change behind which the stream begins.
    #[param(rename = "lastEventId", required = false, pattern = "^[0-9]{1,18}$")]
    last_event_id: String,
}

/// The query of a list with pages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// The number of items on a page; the default is 100.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: i64,
    /// The cursor of the next page, from the `Link` of the previous one. It is opaque.
    #[param(required = false, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: String,
    /// Whether to count all items, in the header `X-Total-Count`.
    #[param(required = false)]
    total: bool,
}

/// The path of a token.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TokenId {
    /// The id of the token.
    #[param(inline)]
    id: Id,
}

/// The path of a session.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionId {
    /// The id of the session.
    #[param(inline)]
    id: Id,
}

/// The path of a user.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// The name of the user.
    #[param(inline)]
    name: UserName,
}

schema!(
    Key,
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(MAX_IDEMPOTENCY_KEY_CHARS))
        .pattern(Some("^[!-~]+$"))
);

/// The idempotency key of a request.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// For 24 hours, the same request with the same key gets the first response again and has no further
    /// effect. Use a random value for each request, such as a UUID.
    #[param(rename = "Idempotency-Key", required = false, inline)]
    idempotency_key: Key,
}

/// A precondition of an update or deletion.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatch {
    /// The `ETag` of the expected version, or `*`.
    #[param(rename = "If-Match", required = false, pattern = r#"^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$"#)]
    if_match: String,
}

/// A condition of a read.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfNoneMatch {
    /// The `ETag` of the known version.
    #[param(
        rename = "If-None-Match",
        required = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$"#
    )]
    if_none_match: String,
}
