//! `/export/films.csv`, `spreadsheet.csv`, `films.ndjson`, `films.json`: downloads the filtered and sorted
//! list.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::Response,
};

use crate::{
    domain::{ListQuery, Sort},
    exchange::Format,
    http::{Shared, extract::query::Params, listing::whole_list, problem::Problem},
    service::{Error, Viewer},
};

/// The formats by file name.
const FORMS: [(&str, Format); 4] = [
    ("films.csv", Format::Csv),
    ("spreadsheet.csv", Format::Spreadsheet),
    ("films.ndjson", Format::Ndjson),
    ("films.json", Format::Json),
];

pub async fn export(
    State(state): State<Shared>,
    viewer: Viewer,
    Path(file): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let form = FORMS.into_iter().find(|(known, _)| *known == file);
    let (name, format) = form.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is no such file"))?;
    let mut params = Params::of(&uri);
    let query =
        ListQuery { filter: params.filter(), sort: params.one("sort", Sort::parse), ..ListQuery::default() };
    params.finish()?;

    let now = state.app.now().to_string();
    let date = now.split('T').next().unwrap_or_default();
    let ending = name.rsplit('.').next().unwrap_or_default();
    let name = format!("attachment; filename=\"reelshelf-{date}.{ending}\"");
    let name = HeaderValue::try_from(name).map_err(|e| Error::Failed(e.to_string()))?;
    let mut answer = whole_list(&state.app, &viewer, &uri, query, format).await?;
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(answer)
}
