//! Styles, icons and the manifest, embedded; they change with the program only.

use std::sync::LazyLock;

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};

use crate::http::Shared;

/// The name, the media type and the text of each file.
const FILES: [(&str, &str, &str); 4] = [
    ("style.css", "text/css; charset=utf-8", include_str!("../../../assets/style.css")),
    ("icon.svg", "image/svg+xml", include_str!("../../../assets/icon.svg")),
    ("icon-maskable.svg", "image/svg+xml", include_str!("../../../assets/icon-maskable.svg")),
    (
        "app.webmanifest",
        "application/manifest+json; charset=utf-8",
        include_str!("../../../assets/app.webmanifest"),
    ),
];

/// The folder in which all files stand: it changes whenever one of them does, and so they may name one
/// another by relative addresses and still be kept for ever.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let digest = FILES.iter().fold(Sha256::new(), |digest, (_, _, text)| digest.chain_update(text));
    let short = digest.finalize().iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte));
    format!("{short:016x}")
});

/// The address of a file.
pub fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *FOLDER)
}

/// The route of the assets, for everybody.
pub fn open_routes() -> Router<Shared> {
    Router::new().route("/assets/{folder}/{name}", get(asset))
}

async fn asset(Path((folder, name)): Path<(String, String)>) -> Response {
    let Some((_, media_type, text)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // A page of another version of the program may ask for its own: it gets ours, but not to keep.
    let cache = if folder == *FOLDER { "public, max-age=31536000, immutable" } else { "no-cache" };
    ([(header::CONTENT_TYPE, *media_type), (header::CACHE_CONTROL, cache)], *text).into_response()
}
