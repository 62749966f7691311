//! `/movie/batch`: several operations that succeed or fail together.

use axum::{
    extract::{Request, State},
    http::header,
};

use crate::{
    documents::{self, Batch, BatchDone},
    http::{
        Shared,
        answer::Answer,
        extract::{
            body::{self, media_type, unsupported},
            idempotency::read_with_key,
            query::NoParams,
        },
        openapi as schema,
        problem::Problem,
    },
    limits::MAX_BATCH_BYTES,
    service::{Editor, batch},
};

/// Run a batch
///
/// Creates, updates and deletes several movies, all or none, as one change. Operations run in order; each
/// sees the results of the previous ones. The version of a movie rises by one at most. A batch without an
/// effect creates no change.
#[utoipa::path(post, path = "/movie/batch", operation_id = "batchMovies", tag = "movies", params(schema::IdempotencyKey), request_body = documents::Batch, responses(
    (status = 200, description = "The result of each operation", body = documents::BatchDone),
    (status = 400, description = "Malformed JSON, or a query parameter is given"),
    (status = 404, description = "A movie does not exist; `errors` has the first operation without its movie"),
    (status = 412, description = "A movie has another `version` than its operation states; `errors` has the first one"),
    (status = 413, description = "The body is too large"),
    (status = 415, description = "The media type is not JSON"),
    (status = 422, description = "Fields are invalid; `errors` lists the first 1,000"),
    (status = 429, description = "The user has too many running imports and batches"),
))]
pub async fn run(
    State(state): State<Shared>,
    editor: Editor,
    _: NoParams,
    request: Request,
) -> Result<Answer<BatchDone>, Problem> {
    let _slot = state.bulk_writes.take(editor.identity())?;
    if media_type(request.headers()) != "application/json" {
        return Err(unsupported(header::ACCEPT, "application/json"));
    }
    let (body, key) = read_with_key(MAX_BATCH_BYTES, request).await?;
    let turn = state.batch_parsing.acquire().await; // never fails: the semaphore is not closed
    let parsed = body::parse(&body).and_then(|node| Batch::read(&node).map_err(body::invalid));
    drop((turn, body));
    Ok(Answer(batch::run(&state.app, &editor, parsed?.operations, key).await?))
}
