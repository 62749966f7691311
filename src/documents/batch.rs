//! Batches: several operations that succeed or fail together, as one change.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::{Id, Version};
use crate::{
    domain::{
        Attributes, ChangeId, Code, Invalid, Movie, MovieId, MoviePatch, Violation, Violations, quoted,
    },
    json::{JsonValue, ObjectReader, attributes, movie_patch},
    limits::{MAX_BATCH_OPERATIONS, MAX_VIOLATIONS},
};

/// Operations that succeed or fail together, in this order.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"operations": [
    {"op": "create", "movie": {"title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5}},
    {"op": "update", "id": 7, "version": 3, "changes": {"rating": 4}},
    {"op": "delete", "id": 8},
]}))]
pub struct Batch {
    #[schema(max_items = 10_000)]
    pub operations: Vec<Operation>,
}

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Operation {
    Create(CreateOperation),
    Update(UpdateOperation),
    Delete(DeleteOperation),
}

/// The creation of a movie in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOperation {
    #[schema(inline)]
    op: CreateWord,
    pub movie: Attributes,
}

/// The update of a movie in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOperation {
    #[schema(inline)]
    op: UpdateWord,
    #[schema(value_type = Id)]
    pub id: MovieId,
    /// The version to be updated; without it, any.
    #[schema(required = false, value_type = Version)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    pub changes: MoviePatch,
}

/// The deletion of a movie in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteOperation {
    #[schema(inline)]
    op: DeleteWord,
    #[schema(value_type = Id)]
    pub id: MovieId,
    /// The version to be deleted; without it, any.
    #[schema(required = false, value_type = Version)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

macro_rules! word {
    ($name:ident, $word:ident) => {
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "lowercase")]
        enum $name {
            $word,
        }
    };
}

word!(CreateWord, Create);
word!(UpdateWord, Update);
word!(DeleteWord, Delete);

impl Operation {
    /// Creates a movie.
    #[must_use]
    pub const fn create(movie: Attributes) -> Self {
        Self::Create(CreateOperation { op: CreateWord::Create, movie })
    }

    /// Updates a movie, if it has the given version.
    #[must_use]
    pub const fn update(id: MovieId, version: Option<i64>, changes: MoviePatch) -> Self {
        Self::Update(UpdateOperation { op: UpdateWord::Update, id, version, changes })
    }

    /// Deletes a movie, if it has the given version.
    #[must_use]
    pub const fn delete(id: MovieId, version: Option<i64>) -> Self {
        Self::Delete(DeleteOperation { op: DeleteWord::Delete, id, version })
    }

    /// Returns the existing movie that the operation refers to.
    #[must_use]
    pub const fn target(&self) -> Option<MovieId> {
        match self {
            Self::Create(_) => None,
            Self::Update(UpdateOperation { id, .. }) | Self::Delete(DeleteOperation { id, .. }) => Some(*id),
        }
    }
}

/// The result of a batch.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"change": 43, "results": [
    {"movie": {"id": 9, "title": "Heat", "movieFormat": "DVD", "length": 170, "releaseYear": 1995, "rating": 5,
        "version": 1, "createdAt": "2026-11-23T20:15:00.123Z", "updatedAt": "2026-11-23T20:15:00.123Z"}},
    {"movie": {"id": 7, "title": "Alien", "movieFormat": "VHS", "length": 117, "releaseYear": 1979, "rating": 4,
        "version": 4, "createdAt": "2026-11-22T18:00:00.000Z", "updatedAt": "2026-11-23T20:15:00.123Z"}},
    {},
]}))]
pub struct BatchDone {
    /// The change, to undo it; null if nothing was changed.
    #[schema(required = true, value_type = Option<i64>)]
    pub change: Option<ChangeId>,
    /// One for each operation, in their order.
    pub results: Vec<OperationDone>,
}

/// The result of one operation of a batch.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OperationDone {
    /// The movie after the operation; missing if it was deleted.
    #[schema(required = false, value_type = Movie)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub movie: Option<Movie>,
}

impl Batch {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// The first violations.
    pub fn read(node: &JsonValue) -> Result<Self, Vec<Violation>> {
        let mut members = ObjectReader::of(node, "")?;
        let operations = members.nested("operations", operations);
        members.finish(operations).map(|operations| Self { operations })
    }
}

fn operations(node: &JsonValue, pointer: &str) -> Result<Vec<Operation>, Vec<Violation>> {
    let wrong = |invalid: Invalid| vec![Violation::at(pointer, invalid)];
    let JsonValue::Array(nodes) = node else {
        return Err(wrong(Invalid::new(Code::WrongType, "must be an array").got(node)));
    };
    if nodes.len() > MAX_BATCH_OPERATIONS {
        return Err(wrong(
            Invalid::new(Code::TooLong, format!("must have at most {MAX_BATCH_OPERATIONS} items"))
                .got(nodes.len()),
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
        other => Err(Invalid::new(Code::NotAllowed, "must be create, update or delete").got(quoted(other))),
    });
    if op.value().is_none() {
        // The allowed members are unknown without a valid `op`, so these are not reported.
        for name in ["movie", "id", "version", "changes"] {
            let _unread = members.optional(name, |_| Ok(()));
        }
    }
    let operation = op.and_then(|op| match op {
        "create" => members.nested("movie", attributes).map(Operation::create),
        "update" => {
            let id = members.required("id", |node| positive(node).map(MovieId::from_stored));
            let version = members.optional("version", positive);
            let changes = members.nested("changes", movie_patch);
            id.zip(version)
                .zip(changes)
                .map(|((id, version), changes)| Operation::update(id, version, changes))
        }
        _ => {
            let id = members.required("id", |node| positive(node).map(MovieId::from_stored));
            let version = members.optional("version", positive);
            id.zip(version).map(|(id, version)| Operation::delete(id, version))
        }
    });
    members.finish(operation)
}

fn positive(node: &JsonValue) -> Result<i64, Invalid> {
    match node.whole()? {
        number @ 1.. => Ok(number),
        number => Err(Invalid::new(Code::OutOfRange, "must be at least 1").got(number)),
    }
}
