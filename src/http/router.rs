//! All routes of the service.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, Uri},
    middleware::from_fn_with_state,
    routing::{get, post},
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Service, Settings, Shared,
    api::{account, batch, events, health, history, movies, sessions, tokens, users},
    auth, docs, layers,
    openapi::{Description, complete},
    problem::Problem,
    sign_in,
    web::{assets, guard, pages},
};
use crate::service::App;

/// Builds the router of the whole service.
pub fn router(app: Arc<App>, settings: Settings) -> Router {
    let state = Arc::new(Service::new(app, settings));
    let (open, api, description) = api();
    let api = api.fallback(not_found).layer(from_fn_with_state(state.clone(), auth::require));
    let pages = pages().route_layer(from_fn_with_state(state.clone(), guard::require));
    let open = open.merge(assets()).merge(docs::routes(&description));

    // A single layer, since axum boxes and clones each layer for every request.
    let around = from_fn_with_state(state.clone(), layers::around);
    Router::new().merge(api).merge(pages).merge(open).layer(around).with_state(state)
}

/// Returns the OpenAPI 3.1 description that `/openapi.json` serves.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let (_, _, description) = api();
    description
}

/// Returns the public routes of the API, those for signed-in users, and the description of both.
#[rustfmt::skip] // one line per path
fn api() -> (Router<Shared>, Router<Shared>, utoipa::openapi::OpenApi) {
    let (open, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(health::live)) // GET /health/live
        .routes(routes!(health::ready)) // GET /health/ready
        .routes(routes!(pages::login::show, sign_in::login)) // GET, POST /login
        .routes(routes!(pages::setup::show, sign_in::set_up)) // GET, POST /setup
        .split_for_parts();
    let (closed, description) = OpenApiRouter::with_openapi(description)
        .routes(routes!(movies::list, movies::create)) // GET, POST /movie
        .routes(routes!(movies::get_one, movies::update, movies::delete)) // GET, PATCH, DELETE /movie/{id}
        .routes(routes!(movies::random)) // GET /movie/random
        .routes(routes!(batch::run)) // POST /movie/batch
        .routes(routes!(movies::stats)) // GET /stats
        .routes(routes!(history::list)) // GET /history
        .routes(routes!(history::get_one)) // GET /history/{change}
        .routes(routes!(history::undo)) // POST /history/{change}/undo
        .routes(routes!(history::of_movie)) // GET /movie/{id}/history
        .routes(routes!(events::subscribe)) // GET /events
        .routes(routes!(account::logout)) // POST /logout
        .routes(routes!(account::me, account::change_me)) // GET, PATCH /me
        .routes(routes!(sessions::list)) // GET /session
        .routes(routes!(sessions::delete)) // DELETE /session/{id}
        .routes(routes!(tokens::list, tokens::create)) // GET, POST /token
        .routes(routes!(tokens::delete)) // DELETE /token/{id}
        .routes(routes!(users::list, users::create)) // GET, POST /user
        .routes(routes!(users::get_one, users::update, users::delete)) // GET, PATCH, DELETE /user/{name}
        .routes(routes!(sessions::list_of)) // GET /user/{name}/session
        .routes(routes!(sessions::delete_of)) // DELETE /user/{name}/session/{id}
        .routes(routes!(tokens::list_of)) // GET /user/{name}/token
        .routes(routes!(tokens::delete_of)) // DELETE /user/{name}/token/{id}
        .split_for_parts();
    (open, closed, complete(description))
}

/// The routes of the pages, for signed-in users.
#[rustfmt::skip] // one line per path
fn pages() -> Router<Shared> {
    use pages::{
        access, account, changes, collection, edit, export, film_page, import, print, samples, selection, statistics,
        tonight, users,
    };

    Router::new()
        .route("/", get(collection::show))
        .route("/film/{id}", get(film_page::show))
        .route("/film/{id}/rating", post(film_page::rate))
        .route("/add", get(edit::blank).post(edit::add))
        .route("/add/hints", get(edit::hints))
        .route("/edit/{id}", get(edit::show).post(edit::save))
        .route("/edit/{id}/delete", post(edit::delete))
        .route("/selection", post(selection::apply))
        .route("/import", get(import::show).post(import::send).layer(DefaultBodyLimit::disable()))
        .route("/samples", post(samples::add))
        .route("/export/{file}", get(export::export))
        .route("/print", get(print::show))
        .route("/statistics", get(statistics::show))
        .route("/tonight", get(tonight::show))
        .route("/changes", get(changes::list))
        .route("/changes/{change}", get(changes::one))
        .route("/undo", post(changes::undo))
        .route("/account", get(account::show))
        .route("/account/password", post(account::change_password))
        .route("/account/session/end", post(account::end_session))
        .route("/account/session/end-others", post(account::end_other_sessions))
        .route("/account/token", post(account::make_token))
        .route("/account/token/revoke", post(account::revoke_token))
        .route("/users", get(users::show))
        .route("/users/add", post(users::add))
        .route("/users/change", post(users::change))
        .route("/users/remove", post(users::remove))
        .route("/users/access", get(access::show))
        .route("/users/session/end", post(access::end_session))
        .route("/users/session/end-all", post(access::end_all_sessions))
        .route("/users/token/revoke", post(access::revoke_token))
        .route("/users/token/revoke-all", post(access::revoke_all_tokens))
}

/// The public static files.
fn assets() -> Router<Shared> {
    Router::new()
        .route("/assets/{folder}/{name}", get(assets::asset))
        // Crawlers are not signed in, so nothing needs to be disallowed.
        .route("/robots.txt", get(async || "User-agent: *\nDisallow:\n"))
        .route("/worker.js", get(assets::worker))
}

async fn not_found(uri: Uri) -> Problem {
    let detail = match uri.path().trim_end_matches('/') {
        path if path.is_empty() || path == uri.path() => "there is nothing at this address",
        _ => "there is nothing at this address; paths do not end with a slash",
    };
    Problem::new(StatusCode::NOT_FOUND, detail)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    /// The comment beside each handler must name its methods and path.
    #[test]
    fn the_comments_of_the_paths_are_true() {
        let of_line = |line: &str| {
            let (methods, path) =
                line.split_once(".routes(routes!(")?.1.split_once("// ")?.1.rsplit_once(' ')?;
            let mut methods: Vec<String> = methods.split(", ").map(str::to_lowercase).collect();
            methods.sort();
            Some((path.to_owned(), methods))
        };
        let said: BTreeMap<String, Vec<String>> = include_str!("router.rs")
            .lines()
            .take_while(|line| *line != "#[cfg(test)]")
            .filter_map(of_line)
            .collect();
        let description = serde_json::to_value(super::openapi()).unwrap();
        let paths = description["paths"].as_object().unwrap().iter();
        let described: BTreeMap<String, Vec<String>> = paths
            .map(|(path, item)| {
                let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
                (path.clone(), methods.cloned().collect())
            })
            .collect();
        assert_eq!(said, described);
    }
}
