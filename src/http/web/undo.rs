//! `/undo`: what the Undo beside a message sends.

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::post};

use super::{Form, local_place, notice};
use crate::{
    http::{Shared, problem::Problem},
    service::{Editor, Once, changes},
};

/// The route of the form.
pub fn routes() -> Router<Shared> {
    Router::new().route("/undo", post(undo))
}

/// Takes back the change and leads back to where that was asked for.
async fn undo(State(state): State<Shared>, editor: Editor, form: Form) -> Result<Response, Problem> {
    let id = form.get("change").parse();
    let id = id.map_err(|_| Problem::new(StatusCode::NOT_FOUND, "there is no such change"))?;
    let undone = changes::undo(&state.app, &editor, id, Once::default()).await?;
    Ok(notice::changed(local_place(form.get("back")), Some(undone.id)))
}
