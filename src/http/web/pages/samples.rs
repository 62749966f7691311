//! `/samples`: puts films on an empty shelf, so that newcomers can try everything. It is an import like any other.

use axum::{extract::State, response::Response};

use crate::{
    exchange::{FileKind, ImportOptions},
    http::{Shared, extract::upload::Spool, problem::Problem, web::parts::flash},
    service::{Editor, IdempotencyKey, import},
};

/// The films, as a file that can be imported.
const FILMS: &str = include_str!("samples.csv");

/// Imports the films as one change. Films that are there already stay as they are.
pub async fn add(State(state): State<Shared>, editor: Editor) -> Result<Response, Problem> {
    let _slot = state.bulk_writes.take(editor.identity())?;
    let mut spool = Spool::open(&state.room)?;
    spool.write(FILMS.as_bytes())?;
    let file = spool.finish();
    let (options, key) = (ImportOptions::default(), IdempotencyKey::default());
    let report = import::import(&state.app, &editor, file.again()?, FileKind::Csv, options, key).await?;
    Ok(flash::redirect_after_change("/", report.change))
}
