//! Embedded style sheets, scripts, icons and the manifest. They change only with the program.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::http::static_file::StaticFile;

/// The style sheet, concatenated from its parts.
const STYLE: &str = concat!(
    include_str!("../../../assets/style/tokens.css"),
    include_str!("../../../assets/style/page.css"),
    include_str!("../../../assets/style/collection.css"),
    include_str!("../../../assets/style/shelf.css"),
    include_str!("../../../assets/style/table.css"),
    include_str!("../../../assets/style/edit.css"),
    include_str!("../../../assets/style/selection.css"),
    include_str!("../../../assets/style/keyboard.css"),
    include_str!("../../../assets/style/import.css"),
    include_str!("../../../assets/style/statistics.css"),
    include_str!("../../../assets/style/tonight.css"),
    include_str!("../../../assets/style/film.css"),
    include_str!("../../../assets/style/changes.css"),
    include_str!("../../../assets/style/account.css"),
    include_str!("../../../assets/style/live.css"),
    include_str!("../../../assets/style/print.css"),
);

/// The name and content of each file.
const FILES: &[(&str, &str)] = &[
    ("style.css", STYLE),
    ("account.js", include_str!("../../../assets/script/account.js")),
    ("app.js", include_str!("../../../assets/script/app.js")),
    ("collection.js", include_str!("../../../assets/script/collection.js")),
    ("drafts.js", include_str!("../../../assets/script/drafts.js")),
    ("edit.js", include_str!("../../../assets/script/edit.js")),
    ("film.js", include_str!("../../../assets/script/film.js")),
    ("fronts.js", include_str!("../../../assets/script/fronts.js")),
    ("films.js", include_str!("../../../assets/script/films.js")),
    ("keyboard.js", include_str!("../../../assets/script/keyboard.js")),
    ("import.js", include_str!("../../../assets/script/import.js")),
    ("changes.js", include_str!("../../../assets/script/changes.js")),
    ("letters.js", include_str!("../../../assets/script/letters.js")),
    ("menus.js", include_str!("../../../assets/script/menus.js")),
    ("passwords.js", include_str!("../../../assets/script/passwords.js")),
    ("print.js", include_str!("../../../assets/script/print.js")),
    ("live.js", include_str!("../../../assets/script/live.js")),
    ("messages.js", include_str!("../../../assets/script/messages.js")),
    ("offline.html", include_str!("../../../assets/offline.html")),
    ("offline.js", include_str!("../../../assets/script/offline.js")),
    ("once.js", include_str!("../../../assets/script/once.js")),
    ("times.js", include_str!("../../../assets/script/times.js")),
    ("unreachable.js", include_str!("../../../assets/script/unreachable.js")),
    ("update.js", include_str!("../../../assets/script/update.js")),
    ("service.js", include_str!("../../../assets/script/service.js")),
    ("selection.js", include_str!("../../../assets/script/selection.js")),
    ("table.js", include_str!("../../../assets/script/table.js")),
    ("setup.js", include_str!("../../../assets/script/setup.js")),
    ("words.js", include_str!("../../../assets/script/words.js")),
    ("tonight.js", include_str!("../../../assets/script/tonight.js")),
    ("icon.svg", include_str!("../../../assets/icon.svg")),
    ("icon-maskable.svg", include_str!("../../../assets/icon-maskable.svg")),
    ("app.webmanifest", include_str!("../../../assets/app.webmanifest")),
];

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

/// The URL folder of all files. It contains a hash of their content, so the files can refer to each other by
/// relative URLs and be cached forever.
static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let digest = FILES.iter().fold(Sha256::new(), |digest, (_, text)| digest.chain_update(text));
    let short = digest.finalize().iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte));
    format!("{short:016x}")
});

/// Returns the URL of a file.
pub fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *FOLDER)
}

/// The service worker. It is at the root, since its scope is its own folder. It changes with every other
/// file, so browsers update their caches.
pub async fn worker() -> Response {
    let version = format!("const VERSION = \"{}\";\n", *FOLDER);
    let script = version + include_str!("../../../assets/worker.js");
    ([(header::CONTENT_TYPE, media_type(".js")), (header::CACHE_CONTROL, "no-cache")], script).into_response()
}

/// The files by name. Each is compressed on the first request.
static ASSETS: LazyLock<HashMap<&str, StaticFile>> = LazyLock::new(|| {
    FILES.iter().map(|(name, text)| (*name, StaticFile::new(media_type(name), *text))).collect()
});

pub async fn asset(Path((folder, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(file) = ASSETS.get(name.as_str()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // A page of another version may request its own files: it gets the current ones, which it must not cache.
    let cache = if folder == *FOLDER { "public, max-age=31536000, immutable" } else { "no-cache" };
    ([(header::CACHE_CONTROL, cache)], file.answer(&headers).await).into_response()
}
