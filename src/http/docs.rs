//! `/docs` and `/openapi.json`: pages about the API, a page for each kind of problem, and the OpenAPI
//! description.

use std::{
    collections::HashMap,
    io::{Cursor, Read},
    sync::{Arc, Mutex, PoisonError},
};

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::{ZipArchive, read::ZipFile};

use super::{Shared, static_file::StaticFile};
use crate::{
    documents::{ProblemKind, ProblemPage},
    domain::Code,
};

/// The guide to the API, in Markdown.
const GUIDE: &str = include_str!("../../docs/api.md");

/// The style of these pages: our colours and changes to Swagger UI's style.
const STYLE: &str =
    concat!(include_str!("../../assets/style/tokens.css"), include_str!("../../assets/docs/reelshelf.css"));
const SCRIPT: &str = include_str!("../../assets/docs/reelshelf.js");
const INITIALIZER: &str = include_str!("../../assets/docs/swagger-initializer.js");

/// The files of Swagger UI that the page loads, from its release archive.
const SWAGGER_UI: [(&str, &str); 4] = [
    ("favicon-32x32.png", "image/png"),
    ("swagger-ui.css", "text/css"),
    ("swagger-ui-bundle.js", "text/javascript"),
    ("swagger-ui-standalone-preset.js", "text/javascript"),
];

#[derive(Template)]
#[template(path = "docs/index.html")]
struct IndexPage;

#[derive(Template)]
#[template(path = "docs/guide.html")]
struct GuidePage {
    text: &'static str,
}

#[derive(Template)]
#[template(path = "docs/errors.html")]
struct ErrorsPage {
    kinds: [ProblemKind; ProblemKind::ALL.len()],
    codes: [Code; Code::ALL.len()],
}

#[derive(Template)]
#[template(path = "docs/error.html")]
struct ErrorPage {
    page: ProblemPage,
}

/// The files under `/docs/`.
#[derive(Default)]
struct Files {
    made: Mutex<HashMap<String, Arc<StaticFile>>>,
}

/// The public routes.
pub fn routes(description: &utoipa::openapi::OpenApi) -> Router<Shared> {
    let mut description = serde_json::to_vec(description).unwrap_or_default();
    description.push(b'\n');
    let description = Arc::new(StaticFile::new("application/json", description));
    let show = async |State(file): State<Arc<StaticFile>>, headers: HeaderMap| file.answer(&headers).await;
    let files = Arc::<Files>::default();
    Router::new()
        .route("/openapi.json", get(show).with_state(description))
        .route("/docs", get(async || Redirect::to("/docs/")))
        .route("/docs/errors", get(async || Redirect::to("/docs/errors/")))
        .route("/docs/", get(index).with_state(files.clone()))
        .route("/docs/{*file}", get(file).with_state(files))
}

async fn index(State(files): State<Arc<Files>>, headers: HeaderMap) -> Response {
    files.answer("", &headers).await
}

async fn file(State(files): State<Arc<Files>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    files.answer(&name, &headers).await
}

impl Files {
    async fn answer(&self, name: &str, headers: &HeaderMap) -> Response {
        match self.file(name) {
            Some(file) => file.answer(headers).await,
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    /// Returns a file. Existing files are cached; unknown names are not.
    fn file(&self, name: &str) -> Option<Arc<StaticFile>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = made.get(name) {
            return Some(file.clone());
        }
        let file = Arc::new(Self::make(name)?);
        made.insert(name.to_owned(), file.clone());
        Some(file)
    }

    fn make(name: &str) -> Option<StaticFile> {
        let page = |page: askama::Result<String>| Some(StaticFile::new("text/html", page.ok()?));
        match name {
            "" => page(IndexPage.render()),
            "guide" => page(GuidePage { text: GUIDE }.render()),
            "reelshelf.css" => Some(StaticFile::new("text/css", STYLE)),
            "reelshelf.js" => Some(StaticFile::new("text/javascript", SCRIPT)),
            "swagger-initializer.js" => Some(StaticFile::new("text/javascript", INITIALIZER)),
            "errors/" => page(ErrorsPage { kinds: ProblemKind::ALL, codes: Code::ALL }.render()),
            _ => {
                if let Some(slug) = name.strip_prefix("errors/") {
                    return page(ErrorPage { page: ProblemKind::of_slug(slug)?.page() }.render());
                }
                swagger_ui(name)
            }
        }
    }
}

/// Reads a file of Swagger UI.
fn swagger_ui(name: &str) -> Option<StaticFile> {
    let (_, content_type) = SWAGGER_UI.iter().find(|(file, _)| *file == name)?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)).ok()?;
    let end = format!("/dist/{name}");
    let is_wanted = |file: ZipFile<_>| file.name().is_ok_and(|path| path.ends_with(&end));
    let index = (0..archive.len()).find(|&index| archive.by_index_raw(index).is_ok_and(is_wanted))?;
    let mut bytes = Vec::new();
    archive.by_index(index).ok()?.read_to_end(&mut bytes).ok()?;
    Some(StaticFile::new(*content_type, bytes))
}
