//! `/docs` and `/openapi.json`: the documentation page, and the description that it shows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use utoipa_swagger_ui::Config;

use super::{Shared, static_file::StaticFile};

/// The files of the page, as they are asked for.
struct Page {
    config: Arc<Config<'static>>,
    files: Mutex<HashMap<String, Arc<StaticFile>>>,
}

/// The routes, for everybody.
pub fn routes(description: &utoipa::openapi::OpenApi) -> Router<Shared> {
    let description = serde_json::to_vec(description).unwrap_or_default();
    let description = Arc::new(StaticFile::new("application/json", description));
    let show = async |State(file): State<Arc<StaticFile>>, headers: HeaderMap| file.answer(&headers).await;
    // Without being told not to, the page shows a badge that a foreign site makes of the description's address.
    let config = Arc::new(Config::new(["/openapi.json"]).validator_url("none"));
    let page = Arc::new(Page { config, files: Mutex::default() });
    Router::new()
        .route("/openapi.json", get(show).with_state(description))
        .route("/docs", get(async || Redirect::to("/docs/")))
        .route("/docs/", get(index).with_state(page.clone()))
        .route("/docs/{*file}", get(file).with_state(page))
}

async fn index(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    page.answer("index.html", &headers).await
}

async fn file(State(page): State<Arc<Page>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    page.answer(&name, &headers).await
}

impl Page {
    async fn answer(&self, name: &str, headers: &HeaderMap) -> Response {
        match self.file(name) {
            Some(file) => file.answer(headers).await,
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    /// A file, which is kept once it was found; what is not there is not kept.
    fn file(&self, name: &str) -> Option<Arc<StaticFile>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(name) {
            return Some(file.clone());
        }
        let file = utoipa_swagger_ui::serve(name, self.config.clone()).ok().flatten()?;
        let file = Arc::new(StaticFile::new(file.content_type, file.bytes.into_owned()));
        files.insert(name.to_owned(), file.clone());
        Some(file)
    }
}
