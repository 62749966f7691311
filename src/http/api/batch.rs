//! `/movie/batch`: several operations that succeed or fail together.

use axum::{
    extract::{Request, State},
    http::{Uri, header},
};

use crate::{
    documents::{self, BatchDone},
    domain::{Code, Invalid, MovieId, Operation, Violation, Violations, quoted},
    http::{
        Shared,
        answer::Answer,
        extract::{
            body::{self, media_type, unsupported},
            idempotency::read_with_key,
            query::Params,
        },
        openapi as schema,
        problem::Problem,
    },
    json::{self, JsonValue, ObjectReader},
    limits::{MAX_BATCH_BYTES, MAX_BATCH_OPERATIONS, MAX_VIOLATIONS},
    service::{Editor, batch},
};

/// Run a batch
///
/// Creates, updates and deletes several movies, all or none, as one change. Operations run in order; each
/// sees the results of the previous ones. The version of a movie rises by one at most. A batch without an
/// effect creates no change.
#[utoipa::path(post, path = "/movie/batch", operation_id = "batchMovies", tag = "movies", params(schema::IdempotencyKey), request_body = schema::Batch, responses(
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
    uri: Uri,
    request: Request,
) -> Result<Answer<BatchDone>, Problem> {
    let _slot = state.bulk_writes.take(editor.identity())?;
    Params::of(&uri).finish()?;
    if media_type(request.headers()) != "application/json" {
        return Err(unsupported(header::ACCEPT, "application/json"));
    }
    let (body, key) = read_with_key(MAX_BATCH_BYTES, request).await?;
    let turn = state.batch_parsing.acquire().await; // never fails: the semaphore is not closed
    let operations = parse(&body);
    drop((turn, body));
    Ok(Answer(batch::run(&state.app, &editor, operations?, key).await?))
}

fn parse(body: &[u8]) -> Result<Vec<Operation>, Problem> {
    let node = body::parse(body)?;
    let mut members = ObjectReader::of(&node, "").map_err(body::invalid)?;
    let operations = members.nested("operations", operations);
    members.finish(operations).map_err(body::invalid)
}

fn operations(node: &JsonValue, pointer: &str) -> Result<Vec<Operation>, Vec<Violation>> {
    let refused = |code, detail: String| vec![Violation::at(pointer, Invalid::new(code, detail))];
    let JsonValue::Array(nodes) = node else {
        return Err(refused(Code::WrongType, format!("must be an array, got {node}")));
    };
    if nodes.len() > MAX_BATCH_OPERATIONS {
        return Err(refused(
            Code::TooLong,
            format!("must have at most {} items, got {}", MAX_BATCH_OPERATIONS, nodes.len()),
        ));
    }
    let mut operations = Vec::with_capacity(nodes.len());
    let mut violations = Violations::default();
    for (n, node) in nodes.iter().enumerate() {
        let operation = operation(node, &format!("{pointer}/{n}"));
        operations.extend(violations.check_all(operation).into_value());
        if violations.count() >= MAX_VIOLATIONS {
            break;
        }
    }
    let first = |mut violations: Vec<Violation>| {
        violations.truncate(MAX_VIOLATIONS);
        violations
    };
    violations.finish(()).map(|()| operations).map_err(first)
}

fn operation(node: &JsonValue, pointer: &str) -> Result<Operation, Vec<Violation>> {
    let mut members = ObjectReader::of(node, pointer)?;
    let op = members.required("op", |node| match node.text()? {
        op @ ("create" | "update" | "delete") => Ok(op),
        other => Err(Invalid::new(
            Code::NotAllowed,
            format!("must be create, update or delete, got {}", quoted(other)),
        )),
    });
    if op.value().is_none() {
        // The allowed members are unknown without a valid `op`, so these are not reported.
        for name in ["movie", "id", "version", "changes"] {
            let _unread = members.optional(name, |_| Ok(()));
        }
    }
    let operation = op.and_then(|op| match op {
        "create" => members.nested("movie", json::attributes).map(Operation::Create),
        "update" => {
            let id = members.required("id", |node| positive(node).map(MovieId::from_stored));
            let version = members.optional("version", positive);
            let changes = members.nested("changes", json::changes);
            id.zip(version).zip(changes).map(|((id, version), changes)| Operation::Update {
                id,
                version,
                changes,
            })
        }
        _ => {
            let id = members.required("id", |node| positive(node).map(MovieId::from_stored));
            let version = members.optional("version", positive);
            id.zip(version).map(|(id, version)| Operation::Delete { id, version })
        }
    });
    members.finish(operation)
}

fn positive(node: &JsonValue) -> Result<i64, Invalid> {
    match node.whole()? {
        number @ 1.. => Ok(number),
        number => Err(Invalid::new(Code::OutOfRange, format!("must be at least 1, got {number}"))),
    }
}
