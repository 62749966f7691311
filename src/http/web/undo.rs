//! `/undo`: what each Undo sends, beside a message or a change.

use axum::{Router, extract::State, http::StatusCode, response::Response, routing::post};

use super::{Form, changes::show_in_the_way, flash, local_place, page_context::PageContext};
use crate::{
    http::{Shared, problem::Problem},
    service::{Editor, Error, IdempotencyKey, changes},
};

/// The route of the form.
pub fn routes() -> Router<Shared> {
    Router::new().route("/undo", post(undo))
}

/// Takes back the change and leads back to where that was asked for; where it cannot be taken back, shows
/// the changes that stand in the way.
async fn undo(
    State(state): State<Shared>,
    editor: Editor,
    context: PageContext,
    form: Form,
) -> Result<Response, Problem> {
    let id = form.get("change").parse();
    let id = id.map_err(|_| Problem::new(StatusCode::NOT_FOUND, "there is no such change"))?;
    let back = local_place(form.get("back"));
    match changes::undo(&state.app, &editor, id, IdempotencyKey::default()).await {
        Ok(undone) => Ok(flash::redirect_after_change(back, Some(undone.id))),
        Err(Error::InTheWay { undone, changes }) => {
            show_in_the_way(&state, &context, back, undone, &changes).await
        }
        Err(error) => Err(error.into()),
    }
}
