//! The result of a batch.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{ChangeId, Movie};

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
