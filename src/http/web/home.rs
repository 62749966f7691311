//! `/`: what there is, and the ways to it.

use askama::Template;
use axum::{Router, extract::State, http::StatusCode, response::Response, routing::get};

use super::page;
use crate::{
    domain::Filter,
    http::{Shared, problem::Problem},
    service::{Viewer, movies},
};

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    name: &'a str,
    role: &'static str,
    movies: i64,
}

/// The routes of pages for whoever is signed in.
pub fn routes() -> Router<Shared> {
    Router::new().route("/", get(home))
}

async fn home(State(state): State<Shared>, viewer: Viewer) -> Result<Response, Problem> {
    let movies = movies::count(&state.app, &viewer, Filter::default()).await?;
    page(StatusCode::OK, &Home { name: viewer.name.as_str(), role: viewer.role.as_str(), movies })
}
