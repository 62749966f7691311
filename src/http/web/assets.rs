//! Style and icon, embedded; they change with the program only.

use axum::{
    Router,
    http::{HeaderName, header},
    routing::get,
};

use crate::http::Shared;

type Asset = ([(HeaderName, &'static str); 2], &'static str);

const CACHE: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=3600");

/// The routes of the assets, for everybody.
pub fn open_routes() -> Router<Shared> {
    Router::new()
        .route("/assets/style.css", get(|| async { style() }))
        .route("/assets/icon.svg", get(|| async { icon() }))
}

const fn style() -> Asset {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), CACHE], include_str!("../../../assets/style.css"))
}

const fn icon() -> Asset {
    ([(header::CONTENT_TYPE, "image/svg+xml"), CACHE], include_str!("../../../assets/icon.svg"))
}
